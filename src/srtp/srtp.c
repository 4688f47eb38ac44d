#include "srtp/srtp.h"
#include "srtp/srtp_evp.h"
#include "srtp/srtp_session.h"
#include "base/bytes.h"
#include "base/hmap.h"
#include "base/log.h"
#include "base/secret.h"
#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define RTP_HEADER_LEN  12
#define RTCP_HEADER_LEN 8

/* Reordering and retransmission of a second of high-rate video stay inside. */
#define WINDOW_SIZE 1024

struct ssrc {
    struct sl_hnode node;
    uint32_t ssrc;
};

struct sl_srtp {
    srtp_t in;
    srtp_t out;
    struct sl_hmap heard; /* SSRCs that authenticated: libsrtp keeps 0.6 KB and a list entry each */
    struct sl_hmap retired; /* SSRCs that we sent on and forgot: their nonces are used */
};

/* ---- process --------------------------------------------------------------------------------- */

int sl_srtp_init(void)
{
    struct sl_srtp_sample own, ours;

    if (srtp_init())
        return -EIO;
    if (!sl_srtp_sample_make(&own) && !sl_srtp_evp_install() && !sl_srtp_sample_make(&ours) &&
        !memcmp(&own, &ours, sizeof(own)) && !sl_srtp_sample_open(&own))
        return 0;
    sl_error("srtp", "self_check_failed", "library=\"%s\"", srtp_get_version_string());
    sl_srtp_fini();
    return -EIO;
}

void sl_srtp_fini(void)
{
    srtp_shutdown();
    sl_srtp_evp_remove();
}

/* ---- libsrtp sessions ------------------------------------------------------------------------ */

static void (*const set_policy[SL_SRTP_PROFILE_MAX])(srtp_crypto_policy_t *) = {
    [SL_SRTP_AEAD_AES_128_GCM] = srtp_crypto_policy_set_aes_gcm_128_16_auth,
    [SL_SRTP_AEAD_AES_256_GCM] = srtp_crypto_policy_set_aes_gcm_256_16_auth,
    [SL_SRTP_AES128_CM_SHA1_80] = srtp_crypto_policy_set_rtp_default,
    [SL_SRTP_AES128_CM_SHA1_32] = srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
};

int sl_srtp_errno(srtp_err_status_t st)
{
    switch (st) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
        return -EALREADY;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
        return -EBADMSG;
    case srtp_err_status_alloc_fail:
        return -ENOMEM;
    case srtp_err_status_init_fail:
        return -EIO;
    default:
        return -EACCES;
    }
}

int sl_srtp_session_create(enum sl_srtp_profile profile, const uint8_t *key, bool inbound,
                           srtp_t *out)
{
    srtp_policy_t policy = { 0 };
    uint8_t copy[46];
    int err;

    if (profile >= SL_SRTP_PROFILE_MAX || !set_policy[profile])
        return -EINVAL;
    set_policy[profile](&policy.rtp);
    if (profile == SL_SRTP_AES128_CM_SHA1_32) /* RFC 4568 section 6.2.2: SRTCP keeps 80 bits */
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    else
        set_policy[profile](&policy.rtcp);
    memcpy(copy, key, (size_t)policy.rtp.cipher_key_len); /* libsrtp wants it writable */
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    policy.key = copy;
    policy.window_size = WINDOW_SIZE;
    policy.allow_repeat_tx = 0;
    err = sl_srtp_errno(srtp_create(out, &policy));
    OPENSSL_cleanse(copy, sizeof(copy));
    return err;
}

int sl_srtp_create(const struct sl_srtp_keys *keys, struct sl_srtp **out)
{
    struct sl_srtp *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    sl_hmap_init(&s->heard);
    sl_hmap_init(&s->retired);
    err = sl_srtp_session_create(keys->profile, keys->remote, true, &s->in);
    if (!err)
        err = sl_srtp_session_create(keys->profile, keys->local, false, &s->out);
    if (err) {
        sl_srtp_destroy(s);
        return err;
    }
    *out = s;
    return 0;
}

int sl_srtp_static_keys(unsigned int suite, const char *base64, struct sl_srtp_keys *out)
{
    struct sl_srtp_keys k = { .key_len = 16, .salt_len = 14 };

    if (suite != 80 && suite != 32)
        return -EINVAL;
    k.profile = suite == 80 ? SL_SRTP_AES128_CM_SHA1_80 : SL_SRTP_AES128_CM_SHA1_32;
    if (sl_base64_decode(base64, k.local, sizeof(k.local)) != 16 + 14) {
        OPENSSL_cleanse(&k, sizeof(k));
        return -EINVAL;
    }
    memcpy(k.remote, k.local, sizeof(k.remote));
    *out = k;
    OPENSSL_cleanse(&k, sizeof(k));
    return 0;
}

/* ---- sets of SSRCs --------------------------------------------------------------------------- */

static struct ssrc *set_find(const struct sl_hmap *set, uint32_t ssrc)
{
    struct sl_hnode *n;

    if (!set->count)
        return NULL;
    for (n = sl_hmap_first(set, sl_hash_u64(ssrc)); n; n = sl_hmap_next(n)) {
        struct ssrc *e = (struct ssrc *)n; /* node is the first member */

        if (e->ssrc == ssrc)
            return e;
    }
    return NULL;
}

static int set_add(struct sl_hmap *set, uint32_t ssrc)
{
    struct ssrc *e = malloc(sizeof(*e));

    if (!e)
        return -ENOMEM;
    e->ssrc = ssrc;
    if (sl_hmap_add(set, &e->node, sl_hash_u64(ssrc))) {
        free(e);
        return -ENOMEM;
    }
    return 0;
}

static void set_del(struct sl_hmap *set, struct ssrc *e)
{
    sl_hmap_del(set, &e->node);
    free(e);
}

static void set_fini(struct sl_hmap *set)
{
    for (size_t i = 0; i < set->nbuckets; i++)
        while (set->buckets[i])
            set_del(set, (struct ssrc *)set->buckets[i]);
    sl_hmap_fini(set);
}

void sl_srtp_destroy(struct sl_srtp *s)
{
    if (!s)
        return;
    if (s->in)
        srtp_dealloc(s->in);
    if (s->out)
        srtp_dealloc(s->out);
    set_fini(&s->heard);
    set_fini(&s->retired);
    free(s);
}

/* ---- packets --------------------------------------------------------------------------------- */

typedef srtp_err_status_t (*srtp_fn)(srtp_t ctx, void *pkt, int *len);

static bool is_sane(const uint8_t *pkt, size_t len, size_t min)
{
    return len >= min && len <= INT_MAX - SL_SRTCP_OVERHEAD && pkt[0] >> 6 == 2;
}

static int run(srtp_fn fn, srtp_t ctx, uint8_t *pkt, size_t *len)
{
    int n = (int)*len;
    int err = sl_srtp_errno(fn(ctx, pkt, &n));

    if (!err)
        *len = (size_t)n;
    return err;
}

static int protect(struct sl_srtp *s, srtp_fn fn, uint32_t ssrc, uint8_t *pkt, size_t *len)
{
    if (set_find(&s->retired, ssrc))
        return -EALREADY;
    return run(fn, s->out, pkt, len);
}

/* A new SSRC costs the peer one authentic packet and us memory and a longer list, hence the limit.
 */
static int unprotect(struct sl_srtp *s, srtp_fn fn, uint32_t ssrc, uint8_t *pkt, size_t *len)
{
    bool is_new = !set_find(&s->heard, ssrc);
    size_t n = *len;
    int err;

    if (is_new && s->heard.count >= SL_SRTP_SSRC_MAX)
        return -ENOBUFS;
    err = run(fn, s->in, pkt, &n);
    if (!err && is_new)
        err = set_add(&s->heard, ssrc);
    if (!err)
        *len = n;
    return err;
}

int sl_srtp_protect(struct sl_srtp *s, uint8_t *pkt, size_t *len)
{
    if (!is_sane(pkt, *len, RTP_HEADER_LEN))
        return -EBADMSG;
    return protect(s, srtp_protect, sl_get32(pkt + 8), pkt, len);
}

int sl_srtp_unprotect(struct sl_srtp *s, uint8_t *pkt, size_t *len)
{
    if (!is_sane(pkt, *len, RTP_HEADER_LEN))
        return -EBADMSG;
    return unprotect(s, srtp_unprotect, sl_get32(pkt + 8), pkt, len);
}

int sl_srtcp_protect(struct sl_srtp *s, uint8_t *pkt, size_t *len)
{
    if (!is_sane(pkt, *len, RTCP_HEADER_LEN))
        return -EBADMSG;
    return protect(s, srtp_protect_rtcp, sl_get32(pkt + 4), pkt, len);
}

int sl_srtcp_unprotect(struct sl_srtp *s, uint8_t *pkt, size_t *len)
{
    if (!is_sane(pkt, *len, RTCP_HEADER_LEN))
        return -EBADMSG;
    return unprotect(s, srtp_unprotect_rtcp, sl_get32(pkt + 4), pkt, len);
}

static bool has_sent(const struct sl_srtp *s, uint32_t ssrc)
{
    uint32_t roc;

    return srtp_get_stream_roc(s->out, ssrc, &roc) == srtp_err_status_ok;
}

void sl_srtp_forget(struct sl_srtp *s, uint32_t ssrc)
{
    struct ssrc *e = set_find(&s->heard, ssrc);

    if (e) {
        set_del(&s->heard, e);
        srtp_remove_stream(s->in, ssrc);
    }
    /* Keep the stream when the mark cannot be stored: better 600 bytes than a nonce used twice. */
    if (!set_find(&s->retired, ssrc) && has_sent(s, ssrc) && !set_add(&s->retired, ssrc))
        srtp_remove_stream(s->out, ssrc);
}
