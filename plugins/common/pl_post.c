#include "pl_post.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

struct pl_post {
    CURL *easy;
    CURLM *multi;
};

int pl_post_create(struct pl_post **out)
{
    struct pl_post *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(p);
        return -ENOMEM;
    }
    p->easy = curl_easy_init();
    p->multi = curl_multi_init();
    if (!p->easy || !p->multi) {
        pl_post_destroy(p);
        return -ENOMEM;
    }
    *out = p;
    return 0;
}

void pl_post_destroy(struct pl_post *p)
{
    if (!p)
        return;
    if (p->easy)
        curl_easy_cleanup(p->easy);
    if (p->multi)
        (void)curl_multi_cleanup(p->multi);
    curl_global_cleanup();
    free(p);
}

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n; /* the status says all */
}

/* NULL: out of memory. */
static struct curl_slist *headers(const struct pl_post_request *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json"), *more;

    more = curl_slist_append(list, "Expect:"); /* no round trip before the body */
    for (size_t i = 0; more && i < PL_POST_HEADERS_MAX && r->headers[i]; i++)
        more = curl_slist_append(list, r->headers[i]);
    if (more)
        return list;
    curl_slist_free_all(list);
    return NULL;
}

static void prepare(CURL *e, const struct pl_post_request *r, struct curl_slist *list)
{
    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_URL, r->url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "sluice");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->len);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    if (r->user) {
        curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(e, CURLOPT_USERNAME, r->user);
        curl_easy_setopt(e, CURLOPT_PASSWORD, r->password ? r->password : "");
    }
    if (r->tls_ca)
        curl_easy_setopt(e, CURLOPT_CAINFO, r->tls_ca);
}

/* Until it ends, or is given up. */
static CURLcode perform(struct pl_post *p, const struct pl_post_request *r)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left;
    CURLMsg *m;

    if (curl_multi_add_handle(p->multi, p->easy))
        return CURLE_FAILED_INIT;
    while (running && r->goes_on(r->arg)) {
        if (curl_multi_perform(p->multi, &running))
            break;
        if (running)
            (void)curl_multi_poll(p->multi, NULL, 0, PL_POST_POLL_MS, NULL);
    }
    while ((m = curl_multi_info_read(p->multi, &left)))
        if (m->msg == CURLMSG_DONE)
            code = m->data.result;
    (void)curl_multi_remove_handle(p->multi, p->easy);
    return code;
}

int pl_post_run(struct pl_post *p, const struct pl_post_request *r, const char **why)
{
    struct curl_slist *list = headers(r);
    long status = 0;
    CURLcode code;

    *why = "out of memory";
    if (!list)
        return -EIO;
    prepare(p->easy, r, list);
    code = perform(p, r);
    if (!code)
        curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(list);
    *why = curl_easy_strerror(code);
    return code ? -EIO : (int)status;
}
