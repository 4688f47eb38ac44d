#include "sctp/sctp_check.h"
#include "base/bytes.h"
#include <errno.h>
#include <stdbool.h>

#define HEADER_LEN    12
#define CHUNK_HEADER  4
#define PARAMS_MAX    64 /* parameters of one chunk */
#define INIT          1
#define INIT_ACK      2
#define SHUTDOWN_COMP 14

/* @c: the chunk from its type on; @len: its length field, at least that of its row. */
typedef bool (*chunk_fn)(const uint8_t *c, size_t len);

/* Type and length in front, padded to four bytes: parameters and error causes. */
static bool has_params(const uint8_t *p, size_t len)
{
    for (int n = 0; len > 0; n++) {
        size_t plen, step;

        if (len < 4 || n == PARAMS_MAX)
            return false;
        plen = sl_get16(p + 2);
        if (plen < 4 || plen > len)
            return false;
        step = (plen + 3) & ~(size_t)3;
        if (step >= len) /* the last one's padding is not counted by the chunk */
            return true;
        p += step;
        len -= step;
    }
    return true;
}

static bool is_data(const uint8_t *c, size_t len)
{
    (void)c;
    return len > 16; /* a chunk without user data is a protocol violation: RFC 9260 3.3.1 */
}

/* Initiate tag, window, streams, streams, first number; the tag is never 0. */
static bool is_init(const uint8_t *c, size_t len)
{
    return sl_get32(c + 4) != 0 && sl_get16(c + 12) && sl_get16(c + 14) &&
           has_params(c + 20, len - 20);
}

static bool is_sack(const uint8_t *c, size_t len)
{
    size_t gaps = sl_get16(c + 12), dups = sl_get16(c + 14);

    if (len != 16 + gaps * 4 + dups * 4)
        return false;
    for (size_t i = 0; i < gaps; i++)
        if (sl_get16(c + 18 + i * 4) < sl_get16(c + 16 + i * 4))
            return false;
    return true;
}

static bool is_params(const uint8_t *c, size_t len)
{
    return has_params(c + CHUNK_HEADER, len - CHUNK_HEADER);
}

static bool is_bare(const uint8_t *c, size_t len)
{
    (void)c;
    return len == CHUNK_HEADER;
}

static bool is_shutdown(const uint8_t *c, size_t len)
{
    (void)c;
    return len == 8;
}

static bool is_any(const uint8_t *c, size_t len)
{
    (void)c;
    (void)len;
    return true;
}

/* New number, then (stream, sequence) pairs. */
static bool is_forward(const uint8_t *c, size_t len)
{
    (void)c;
    return len % 4 == 0;
}

/* Re-configuration parameters have minimal lengths of their own: RFC 6525 section 4. 18, that we
 * shall have more streams, is not taken: each costs memory. */
static bool is_reconfig(const uint8_t *c, size_t len)
{
    static const uint8_t least[] = { [13] = 16, [14] = 8, [15] = 8, [16] = 12, [17] = 12 };
    const uint8_t *p = c + CHUNK_HEADER;
    size_t left = len - CHUNK_HEADER;

    if (!has_params(p, left))
        return false;
    for (int n = 0; left > 0; n++) {
        size_t type = sl_get16(p), plen = sl_get16(p + 2), step = (plen + 3) & ~(size_t)3;

        if (n == 2 || type >= sizeof(least) || !least[type] || plen < least[type])
            return false;
        if (step >= left)
            break;
        p += step;
        left -= step;
    }
    return true;
}

static const struct {
    uint8_t least; /* bytes; 0: not taken */
    chunk_fn is_good;
} chunks[256] = {
    [0] = { 16, is_data },        [INIT] = { 20, is_init },
    [INIT_ACK] = { 20, is_init }, [3] = { 16, is_sack },
    [4] = { 8, is_params },                               /* HEARTBEAT */
    [5] = { 8, is_params },       [6] = { 4, is_params }, /* ABORT */
    [7] = { 8, is_shutdown },     [8] = { 4, is_bare },   /* SHUTDOWN ACK */
    [9] = { 4, is_params },                               /* ERROR */
    [10] = { 5, is_any }, /* COOKIE ECHO: the library signs its cookies */
    [11] = { 4, is_bare },        [SHUTDOWN_COMP] = { 4, is_bare },
    [0x82] = { 8, is_reconfig },  [0x84] = { 4, is_any }, /* PAD, RFC 4820 */
    [0xc0] = { 8, is_forward },
};

int sl_sctp_check(const uint8_t *data, size_t len)
{
    uint32_t vtag;
    size_t at, n = 0;
    bool has_init = false;

    if (len < HEADER_LEN + CHUNK_HEADER || len > SL_SCTP_PACKET_MAX || len % 4)
        return -EBADMSG;
    if (!sl_get16(data) || !sl_get16(data + 2))
        return -EBADMSG;
    vtag = sl_get32(data + 4);
    for (at = HEADER_LEN; at < len; n++) {
        const uint8_t *c = data + at;
        size_t clen;

        if (len - at < CHUNK_HEADER)
            return -EBADMSG;
        clen = sl_get16(c + 2);
        if (clen > len - at || !chunks[c[0]].is_good || clen < chunks[c[0]].least ||
            !chunks[c[0]].is_good(c, clen))
            return -EBADMSG;
        has_init |= c[0] == INIT || c[0] == INIT_ACK || c[0] == SHUTDOWN_COMP;
        if (c[0] == INIT ? vtag != 0 : vtag == 0)
            return -EBADMSG;
        at += (clen + 3) & ~(size_t)3;
    }
    return has_init && n > 1 ? -EBADMSG : 0; /* these stand alone: RFC 9260 section 6.10 */
}
