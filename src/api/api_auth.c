#include "api/api_auth.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/secret.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 4096 /* bytes of a signed token */

int sl_auth_init(struct sl_auth *a)
{
    sl_rand_bytes(a->key, sizeof(a->key));
    a->tokens = json_object();
    return a->tokens ? 0 : -ENOMEM;
}

void sl_auth_fini(struct sl_auth *a)
{
    json_decref(a->tokens);
    a->tokens = NULL;
}

static bool is_field(const char *p, size_t len, const char *text)
{
    return strlen(text) == len && !memcmp(p, text, len);
}

/* The signature and the expiry are right; @data gets the length of what was signed. */
static bool token_is_genuine(const char *token, const char *secret, int64_t now_s, size_t *data)
{
    const char *colon = strchr(token, ':');
    uint8_t mac[20];
    char sig[32];
    char *end;
    long long expiry;

    if (!colon || strchr(colon + 1, ':') || strlen(token) > TOKEN_MAX)
        return false;
    if (sl_hmac_sha1(secret, strlen(secret), token, (size_t)(colon - token), mac))
        return false;
    sl_base64_encode(mac, sizeof(mac), sig);
    if (!sl_secret_is_equal(colon + 1, sig))
        return false;
    if (*token < '0' || *token > '9')
        return false;
    errno = 0;
    expiry = strtoll(token, &end, 10);
    if (*end != ',' || errno || now_s > expiry)
        return false;
    *data = (size_t)(colon - token);
    return true;
}

bool sl_token_is_valid(const char *token, const char *secret, const char *realm,
                       const char *descriptor, int64_t now_s)
{
    bool found = !descriptor;
    const char *p, *end;
    size_t data;

    if (!token || !secret || !token_is_genuine(token, secret, now_s, &data))
        return false;
    end = token + data;
    p = memchr(token, ',', data);
    for (int field = 1; p; field++) {
        const char *start = p + 1;
        size_t len;

        p = memchr(start, ',', (size_t)(end - start));
        len = (size_t)((p ? p : end) - start);
        if (field == 1 && !is_field(start, len, realm))
            return false;
        if (field > 1 && descriptor && is_field(start, len, descriptor))
            found = true;
    }
    return found;
}

/* Where the subject of a signed token stands. */
static const char *token_subject(const char *token, size_t *len)
{
    const char *end = strchr(token, ':');
    const char *start = strchr(token, ',') + 1;
    const char *p = start;

    while (p && p < end) {
        if (!strncmp(p, "sub=", 4)) {
            *len = strcspn(p, ",:");
            return p;
        }
        p = memchr(p, ',', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    *len = (size_t)(end - start);
    return start;
}

static bool is_signed_mode(const struct sl_auth *a)
{
    return a->token_auth && a->token_secret;
}

static bool token_passes(const struct sl_auth *a, const char *token, struct sl_principal *who)
{
    const char *subject = token;
    size_t len = strlen(token);

    if (is_signed_mode(a)) {
        if (!sl_token_is_valid(token, a->token_secret, "janus", NULL,
                               (int64_t)(sl_wall_us() / 1000000)))
            return false;
        subject = token_subject(token, &len);
    } else if (!json_object_get(a->tokens, token)) {
        return false;
    }
    if (sl_hmac_sha1(a->key, sizeof(a->key), subject, len, who->subject))
        return false;
    who->kind = SL_PRINCIPAL_TOKEN;
    return true;
}

int sl_auth_check(const struct sl_auth *a, const char *secret, const char *token,
                  struct sl_principal *out)
{
    struct sl_principal who = { .local = out->local };

    if (a->api_secret && sl_secret_is_equal(secret, a->api_secret))
        who.kind = SL_PRINCIPAL_SECRET;
    else if (a->token_auth && token && token_passes(a, token, &who))
        who.kind = SL_PRINCIPAL_TOKEN;
    else if (a->api_secret || a->token_auth)
        return -EACCES;
    *out = who;
    return 0;
}

bool sl_auth_may_attach(const struct sl_auth *a, const struct sl_principal *who, const char *token,
                        const char *package)
{
    const json_t *allowed, *v;
    size_t i;

    if (who->kind != SL_PRINCIPAL_TOKEN)
        return true;
    if (is_signed_mode(a))
        return sl_token_is_valid(token, a->token_secret, "janus", package,
                                 (int64_t)(sl_wall_us() / 1000000));
    allowed = json_object_get(a->tokens, token);
    if (json_is_true(allowed))
        return true;
    json_array_foreach(allowed, i, v)
    {
        if (!strcmp(json_string_value(v), package))
            return true;
    }
    return false;
}

bool sl_principal_owns(const struct sl_principal *who, const struct sl_principal *owner)
{
    if (owner->kind != SL_PRINCIPAL_TOKEN || who->kind == SL_PRINCIPAL_SECRET)
        return true; /* the random id is the secret; the API secret opens all */
    return who->kind == SL_PRINCIPAL_TOKEN &&
           !memcmp(who->subject, owner->subject, sizeof(who->subject));
}

bool sl_may(const struct sl_auth *a, const struct sl_principal *who, const char *what)
{
    (void)what; /* plugins ask for what is worth a credential, by names of their own */
    return who->kind != SL_PRINCIPAL_ANONYMOUS || a->anonymous;
}

int sl_auth_token_add(struct sl_auth *a, const char *token, json_t *plugins)
{
    return json_object_set_new(a->tokens, token, plugins ? plugins : json_true()) ? -ENOMEM : 0;
}

int sl_auth_token_del(struct sl_auth *a, const char *token)
{
    return json_object_del(a->tokens, token) ? -ENOENT : 0;
}
