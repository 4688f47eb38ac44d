/* One POST, with libcurl; the handler's thread. */

#include "webhook.h"
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS        50    /* how late a stop of the server is seen */
#define BACKOFF_MAX_MS 10000 /* between two tries */

struct wh_post {
    const struct sl_event_core *core;
    CURL *easy;
    CURLM *multi;
    bool failing; /* as was logged */
};

enum outcome { TAKEN, TRY_AGAIN, HOPELESS };

int wh_post_create(const struct sl_event_core *core, struct wh_post **out)
{
    struct wh_post *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->core = core;
    p->easy = curl_easy_init();
    p->multi = curl_multi_init();
    if (!p->easy || !p->multi) {
        wh_post_destroy(p);
        return -ENOMEM;
    }
    *out = p;
    return 0;
}

void wh_post_destroy(struct wh_post *p)
{
    if (!p)
        return;
    if (p->easy)
        curl_easy_cleanup(p->easy);
    if (p->multi)
        (void)curl_multi_cleanup(p->multi);
    free(p);
}

int wh_sign(const char *secret, int64_t at_s, const char *body, size_t len,
            char out[WH_SIGNATURE_MAX])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int mac_len = 0;
    size_t head;
    char *text = malloc(len + 32);
    int n;

    if (!text)
        return -EIO;
    head = (size_t)snprintf(text, 32, "%lld.", (long long)at_s);
    memcpy(text + head, body, len);
    if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)text, head + len, mac,
              &mac_len)) {
        free(text);
        return -EIO;
    }
    free(text);
    n = snprintf(out, WH_SIGNATURE_MAX, "t=%lld,v1=", (long long)at_s);
    for (unsigned int i = 0; i < mac_len; i++)
        n += snprintf(out + n, WH_SIGNATURE_MAX - (size_t)n, "%02x", mac[i]);
    return 0;
}

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n; /* the status says all */
}

/* NULL: out of memory, or it cannot be signed. */
static struct curl_slist *headers(const struct wh_conf *c, const char *body, size_t len)
{
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json"), *more;
    char signature[WH_SIGNATURE_MAX], line[WH_SIGNATURE_MAX + 32];

    more = curl_slist_append(list, "Expect:"); /* no round trip before the body */
    if (more && c->secret) {
        if (wh_sign(c->secret, (int64_t)time(NULL), body, len, signature)) {
            curl_slist_free_all(list);
            return NULL;
        }
        (void)snprintf(line, sizeof(line), "X-Sluice-Signature: %s", signature);
        more = curl_slist_append(list, line);
    }
    if (!more) {
        curl_slist_free_all(list);
        return NULL;
    }
    return list;
}

static void prepare(struct wh_post *p, const struct wh_conf *c, struct curl_slist *list,
                    const char *body, size_t len)
{
    CURL *e = p->easy;

    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_URL, c->backend);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "sluice");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
    if (c->user) {
        curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(e, CURLOPT_USERNAME, c->user);
        curl_easy_setopt(e, CURLOPT_PASSWORD, c->password ? c->password : "");
    }
    if (c->tls_ca)
        curl_easy_setopt(e, CURLOPT_CAINFO, c->tls_ca);
}

/* Until it ends, or patience does. */
static CURLcode run(struct wh_post *p)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left;
    CURLMsg *m;

    if (curl_multi_add_handle(p->multi, p->easy))
        return CURLE_FAILED_INIT;
    while (running && p->core->patience_ms(p->core)) {
        if (curl_multi_perform(p->multi, &running))
            break;
        if (running)
            (void)curl_multi_poll(p->multi, NULL, 0, POLL_MS, NULL);
    }
    while ((m = curl_multi_info_read(p->multi, &left)))
        if (m->msg == CURLMSG_DONE)
            code = m->data.result;
    (void)curl_multi_remove_handle(p->multi, p->easy);
    return code;
}

static void complain(struct wh_post *p, const char *why)
{
    char text[256];

    if (p->failing)
        return;
    p->failing = true;
    (void)snprintf(text, sizeof(text), "error=\"%s\"", why);
    p->core->log(p->core, 1, "failing", text);
}

/* What the receiver's answer means. Too many requests and time-outs are no verdict on the body. */
static enum outcome judge(struct wh_post *p, CURLcode code)
{
    long status = 0;
    char text[64];

    if (code) {
        complain(p, curl_easy_strerror(code));
        return TRY_AGAIN;
    }
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
        if (p->failing)
            p->core->log(p->core, 2, "recovered", "");
        p->failing = false;
        return TAKEN;
    }
    (void)snprintf(text, sizeof(text), "the receiver answers %ld", status);
    complain(p, text);
    return status >= 500 || status == 429 || status == 408 ? TRY_AGAIN : HOPELESS;
}

static enum outcome try(struct wh_post *p, const struct wh_conf *c, const char *body, size_t len)
{
    struct curl_slist *list = headers(c, body, len);
    enum outcome o;

    if (!list)
        return HOPELESS;
    prepare(p, c, list, body, len);
    o = judge(p, run(p));
    curl_slist_free_all(list);
    return o;
}

bool wh_post_send(struct wh_post *p, const struct wh_conf *c, const char *body, size_t len)
{
    unsigned int wait_ms = (unsigned int)c->backoff_ms;
    bool stopping = false; /* then there is one more try */

    for (int64_t tries = 0;; tries++) {
        enum outcome o = try(p, c, body, len);

        if (o != TRY_AGAIN || stopping || tries >= c->retries)
            return o == TAKEN;
        stopping = !p->core->wait(p->core, wait_ms);
        wait_ms = wait_ms * 2 < BACKOFF_MAX_MS ? wait_ms * 2 : BACKOFF_MAX_MS;
    }
}
