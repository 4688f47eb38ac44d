/*
 * webhook.h - the event handler that POSTs events to a web server.
 *
 * webhook.c: what the core calls. webhook_conf.c: conf/webhook.conf and what administrators change.
 * webhook_post.c: repetitions and signature of a POST.
 */
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include <sluice/event.h>

/* Group general of the configuration. */
struct wh_conf {
    char *backend;         /* URL */
    char *user, *password; /* Basic; NULL: none */
    char *secret;          /* of the signature; NULL: none */
    char *tls_ca;          /* PEM file; NULL: the system's */
    bool grouping;         /* all of a batch in one array */
    int64_t retries, backoff_ms, timeout_ms;
};

/* 0, or -EINVAL, and that was logged. */
int wh_conf_load(const struct sl_event_core *core, struct wh_conf *out);
/* The administrator's tweak. A new answer; @c is changed only when all of it is right. */
json_t *wh_conf_tweak(struct wh_conf *c, const json_t *request);
/* 0 or -ENOMEM. */
int wh_conf_copy(const struct wh_conf *c, struct wh_conf *out);
void wh_conf_fini(struct wh_conf *c);

struct wh_post;
int wh_post_create(const struct sl_event_core *core, struct wh_post **out); /* 0 or -ENOMEM */
void wh_post_destroy(struct wh_post *p);
/* Tries until the receiver took @body (JSON), or there is no more hope or patience: false. */
bool wh_post_send(struct wh_post *p, const struct wh_conf *c, const char *body, size_t len);

/* "t=<Unix seconds>,v1=<hex>": HMAC-SHA256 of "<Unix seconds>.<body>". 0 or -EIO. */
#define WH_SIGNATURE_MAX 128
int wh_sign(const char *secret, int64_t at_s, const char *body, size_t len,
            char out[WH_SIGNATURE_MAX]);

#endif
