/* Data messages: one datagram each, with or without an RTP header before it. */
#include "relay/relay_private.h"

#include <errno.h>
#include <string.h>

/* Payload types of that header. */
enum { DATA_TEXT, DATA_BINARY, DATA_TYPES };

/* Gives charge back in large steps: @waiting is what the other side believes. */
#define STEP (SL_RELAY_DATA_WINDOW / 8)

/* ---- out ------------------------------------------------------------------------------------- */

/* @at: the message, with room for the header before it and for the tag behind it. The datagram's
 * beginning; *len becomes its length. NULL: it cannot be sent. */
static uint8_t *wrap(struct sl_relay *r, uint32_t ssrc, bool is_binary, uint8_t *at,
                     size_t *len) SL_ON_WORKER
{
    if (!ssrc)
        return r->srtp ? NULL : at;
    at -= SL_RTP_HDR;
    *len += SL_RTP_HDR;
    sl_rtp_write_header(at, false, is_binary ? DATA_BINARY : DATA_TEXT, r->data_seq++,
                        (uint32_t)(r->ep.ctx->now_us / 1000), ssrc);
    return r->srtp && sl_srtp_protect(r->srtp, at, len) < 0 ? NULL : at;
}

void sl_relay_data_done(struct sl_relay *r, size_t len)
{
    r->data_sent += SL_RELAY_DATA_CHARGE(len);
    if (r->data_sent >= STEP && r->env->data_sent(r->env->arg, r->ep.id, r->data_sent))
        r->data_sent = 0;
}

void sl_relay_data_send(struct sl_relay *r, uint32_t ssrc, bool is_binary, uint8_t *data,
                        size_t len)
{
    const size_t given = len;
    uint8_t *at;

    at = wrap(r, ssrc, is_binary, data, &len);
    if (at) {
        sl_txq_add(r->env->txq, r->conf->rtp->fd, &r->conf->rtp_to, NULL, SL_ID_NONE, at, len);
        (void)sl_txq_flush(r->env->txq); /* the message is freed when we return */
    } else {
        r->ep.ctx->drops[SL_DROP_PROTECT]++;
    }
    sl_relay_data_done(r, given);
}

/* ---- in -------------------------------------------------------------------------------------- */

/* The data line that the datagram says it is for; NULL: it is none. */
static const struct sl_media_line *line_find(const struct sl_relay *r, const struct sl_udp_dgram *d)
{
    uint32_t ssrc = d->len >= SL_RTP_HDR ? sl_get32(d->data + 8) : 0, n;
    const struct sl_media_line *l;

    n = ssrc - SL_RELAY_SSRC(0, 0);
    if (ssrc < SL_RELAY_SSRC(0, 0) || n % 10 || n / 10 >= RELAY_WIRE_MAX || !r->by_wire[n / 10])
        return NULL;
    l = &r->media->line[r->by_wire[n / 10] - 1];
    return l->kind == SL_KIND_DATA ? l : NULL;
}

static enum sl_drop deliver(struct sl_relay *r, const struct sl_media_line *l,
                            const struct sl_udp_dgram *d) SL_ON_WORKER
{
    size_t len = d->len, charge;
    struct sl_rtp rtp;
    int err = r->srtp ? sl_srtp_unprotect(r->srtp, d->data, &len) : 0;

    if (err < 0)
        return err == -EALREADY ? SL_DROP_REPLAY
               : err == -EACCES ? SL_DROP_AUTH
                                : SL_DROP_MALFORMED;
    if (sl_rtp_parse(d->data, len, &rtp) < 0)
        return SL_DROP_MALFORMED;
    if (rtp.pt >= DATA_TYPES)
        return SL_DROP_WRONG_PT;
    if (!(l->dir & SL_DIR_RECV))
        return SL_DROP_NOT_RECEIVING;
    if (!sl_relay_is_sender(r, d->remote))
        return SL_DROP_UNKNOWN_ADDRESS;
    charge = SL_RELAY_DATA_CHARGE(rtp.payload_len);
    if (r->data_taken + charge > SL_RELAY_DATA_WINDOW)
        return SL_DROP_DATA_FULL;
    if (!r->env->data(r->env->arg, r->ep.id, l->mindex, rtp.pt == DATA_BINARY,
                      d->data + rtp.payload_off, rtp.payload_len))
        return SL_DROP_NO_MEMORY;
    r->data_taken += charge;
    return SL_DROP_NONE;
}

bool sl_relay_data_take(struct sl_relay *r, const struct sl_udp_dgram *d)
{
    const struct sl_media_line *l = r->media ? line_find(r, d) : NULL;

    if (!l)
        return false;
    r->ep.ctx->drops[deliver(r, l, d)]++;
    return true;
}

void sl_relay_data_consumed(struct sl_relay *r, size_t charge)
{
    r->data_taken -= charge < r->data_taken ? charge : r->data_taken;
}
