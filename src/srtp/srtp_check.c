#include "srtp/srtp_session.h"
#include "base/opt.h"
#include <errno.h>
#include <string.h>

/* One packet per row; each is protected twice, with the next sequence number, in every profile. */
static const uint8_t rtp[] = {
    0x90, 0x60, 0xff, 0xfe, 0x00, 0x00, 0x10, 0x00, 0xca, 0xfe, 0xba, 0xbe, /* header, X bit */
    0xbe, 0xde, 0x00, 0x01, 0x10, 0x30, 0x00, 0x00,                         /* one-byte extension */
    'a',  'b',  'o',  'u',  't',  ' ',  't',  'h',  'r',  'e',  'e',  ' ',  'A', 'E', 'S',
    ' ',  'b',  'l',  'o',  'c',  'k',  's',  ' ',  'o',  'f',  ' ',  'p',  'a', 'y', 'l',
    'o',  'a',  'd',  ',',  ' ',  'a',  'n',  'd',  ' ',  'a',  ' ',  'b',  'i', 't'
};
static const uint8_t rtcp[] = { 0x81, 0xc9, 0x00, 0x07, 0xca, 0xfe, 0xba, 0xbe, 0x01, 0x02, 0x03,
                                0x04, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00,
                                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };

static const enum sl_srtp_profile profiles[] = { SL_SRTP_AEAD_AES_128_GCM, SL_SRTP_AEAD_AES_256_GCM,
                                                 SL_SRTP_AES128_CM_SHA1_80 };
enum { PER_PROFILE = 4 };

static int plain(size_t n, uint8_t *buf)
{
    if (n % 2) {
        memcpy(buf, rtcp, sizeof(rtcp));
        return (int)sizeof(rtcp);
    }
    memcpy(buf, rtp, sizeof(rtp));
    buf[3] = (uint8_t)(buf[3] + n / 2);
    return (int)sizeof(rtp);
}

static void fixed_key(uint8_t key[46])
{
    for (size_t i = 0; i < 46; i++)
        key[i] = (uint8_t)(i * 7 + 1);
}

int sl_srtp_sample_make(struct sl_srtp_sample *out)
{
    uint8_t key[46];

    fixed_key(key);
    memset(out, 0, sizeof(*out));
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        srtp_err_status_t st = srtp_err_status_ok;
        srtp_t s;

        if (sl_srtp_session_create(profiles[p], key, false, &s))
            return -EIO;
        for (size_t n = 0; n < PER_PROFILE && !st; n++) {
            size_t at = p * PER_PROFILE + n;

            out->len[at] = plain(n, out->bytes[at]);
            st = n % 2 ? srtp_protect_rtcp(s, out->bytes[at], &out->len[at])
                       : srtp_protect(s, out->bytes[at], &out->len[at]);
        }
        srtp_dealloc(s);
        if (st)
            return -EIO;
    }
    return 0;
}

int sl_srtp_sample_open(const struct sl_srtp_sample *in)
{
    struct sl_srtp_sample copy = *in;
    uint8_t key[46];

    fixed_key(key);
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        bool same = true;
        srtp_t s;

        if (sl_srtp_session_create(profiles[p], key, true, &s))
            return -EIO;
        for (size_t n = 0; n < PER_PROFILE && same; n++) {
            size_t at = p * PER_PROFILE + n;
            uint8_t want[sizeof(rtp)];
            int len = plain(n, want);
            srtp_err_status_t st = n % 2 ? srtp_unprotect_rtcp(s, copy.bytes[at], &copy.len[at])
                                         : srtp_unprotect(s, copy.bytes[at], &copy.len[at]);

            same = !st && copy.len[at] == len && !memcmp(copy.bytes[at], want, (size_t)len);
        }
        srtp_dealloc(s);
        if (!same)
            return -EIO;
    }
    return 0;
}
