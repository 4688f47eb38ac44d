/*
 * pl_post.h - one POST request over HTTP, for plugins and event handlers of ours: libcurl's only
 * user.
 *
 * Thread: one of the caller's own, since it waits for the answer.  Owner: the caller.
 * Redirections are not followed.
 */
#ifndef PL_POST_H
#define PL_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL_POST_HEADERS_MAX 4

struct pl_post_request {
    const char *url;                          /* http or https */
    const char *headers[PL_POST_HEADERS_MAX]; /* beside Content-Type: application/json; "name:
                                               * value"; NULL ends them */
    const char *body;
    size_t len;
    const char *user, *password; /* Basic; user NULL: none */
    const char *tls_ca;          /* PEM file; NULL: the system's */
    int64_t timeout_ms;
    bool (*goes_on)(void *arg); /* asked every PL_POST_POLL_MS; false: it is given up */
    void *arg;
};
#define PL_POST_POLL_MS 50

struct pl_post;

int pl_post_create(struct pl_post **out); /* 0 or -ENOMEM */
void pl_post_destroy(struct pl_post *p);  /* NULL is fine */
/* The status of the answer, whose body is thrown away; -EIO: there is none, and @why says why (a
 * literal). */
int pl_post_run(struct pl_post *p, const struct pl_post_request *r, const char **why);

#endif
