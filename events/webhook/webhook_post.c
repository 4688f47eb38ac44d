/* One POST, its signature, and what comes of it; the handler's thread. */

#include "webhook.h"
#include "../../plugins/common/pl_post.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BACKOFF_MAX_MS 10000 /* between two tries */

struct wh_post {
    const struct sl_event_core *core;
    struct pl_post *post;
    bool failing; /* as was logged */
};

enum outcome { TAKEN, TRY_AGAIN, HOPELESS };

int wh_post_create(const struct sl_event_core *core, struct wh_post **out)
{
    struct wh_post *p = calloc(1, sizeof(*p));

    if (!p || pl_post_create(&p->post)) {
        free(p);
        return -ENOMEM;
    }
    p->core = core;
    *out = p;
    return 0;
}

void wh_post_destroy(struct wh_post *p)
{
    if (!p)
        return;
    pl_post_destroy(p->post);
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
static enum outcome judge(struct wh_post *p, int status, const char *why)
{
    char text[64];

    if (status < 0) {
        complain(p, why);
        return TRY_AGAIN;
    }
    if (status >= 200 && status < 300) {
        if (p->failing)
            p->core->log(p->core, 2, "recovered", "");
        p->failing = false;
        return TAKEN;
    }
    (void)snprintf(text, sizeof(text), "the receiver answers %d", status);
    complain(p, text);
    return status >= 500 || status == 429 || status == 408 ? TRY_AGAIN : HOPELESS;
}

static bool goes_on(void *arg)
{
    const struct sl_event_core *core = arg;

    return core->patience_ms(core);
}

static enum outcome try(struct wh_post *p, const struct wh_conf *c, const char *body, size_t len)
{
    char signature[WH_SIGNATURE_MAX], line[WH_SIGNATURE_MAX + 32];
    struct pl_post_request r = { .url = c->backend,
                                 .body = body,
                                 .len = len,
                                 .user = c->user,
                                 .password = c->password,
                                 .tls_ca = c->tls_ca,
                                 .timeout_ms = c->timeout_ms,
                                 .goes_on = goes_on,
                                 .arg = (void *)(uintptr_t)p->core };
    const char *why;
    int status;

    if (c->secret) {
        if (wh_sign(c->secret, (int64_t)time(NULL), body, len, signature))
            return HOPELESS;
        (void)snprintf(line, sizeof(line), "X-Sluice-Signature: %s", signature);
        r.headers[0] = line;
    }
    status = pl_post_run(p->post, &r, &why);
    return judge(p, status, why);
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
