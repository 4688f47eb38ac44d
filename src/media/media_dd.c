#include "media/media_dd.h"

#include "base/bytes.h"
#include "media/media_pkt.h"

#include <stdlib.h>
#include <string.h>

/* ---- at the source --------------------------------------------------------------------------- */

struct sl_dd_source {
    uint32_t ssrc;
    uint16_t seq;    /* of the packet that brought the structure */
    uint32_t active; /* decode targets */
    struct sl_dd_structure st;
};

void sl_dd_source_destroy(struct sl_dd_source *d)
{
    free(d);
}

/* Which decode targets remain for somebody who gets the layers up to @sid and @tid. */
static uint32_t targets_upto(const struct sl_dd_structure *st, unsigned sid, unsigned tid)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < st->ntargets; i++)
        if (st->target_sid[i] <= sid && (tid == SL_DD_TIDS - 1 || st->target_tid[i] <= tid))
            mask |= UINT32_C(1) << i;
    return mask;
}

static void note(struct sl_pkt_dd *out, const struct sl_dd *dd, const struct sl_dd_structure *st,
                 uint32_t active)
{
    out->known = true;
    out->start = dd->start;
    out->has_mask = dd->has_active;
    out->has_structure = dd->has_structure;
    out->mask_pos = dd->mask_pos;
    out->ntargets = st->ntargets;
    out->active = active;
    if (!dd->start)
        return;
    for (unsigned s = 0; s < SL_DD_LAYERS_MAX; s++)
        for (unsigned t = 0; t < SL_DD_TIDS; t++)
            out->upto[s][t] = targets_upto(st, s, t);
}

void sl_dd_source_read(struct sl_dd_source **dp, struct sl_pkt *pkt)
{
    const size_t len = pkt->ext.present & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR)
                           ? pkt->ext.len[SL_EXT_DEPENDENCY_DESCRIPTOR]
                           : 0;
    struct sl_dd_source *d = *dp;
    struct sl_dd_structure old, *st;
    const uint8_t *data;
    struct sl_dd dd;
    bool late;

    pkt->dd.present = pkt->dd.known = false;
    if (len < 3)
        return;
    data = pkt->data + pkt->ext.off[SL_EXT_DEPENDENCY_DESCRIPTOR];
    if (!d)
        d = *dp = calloc(1, sizeof(*d));
    if (!d)
        return;
    if (d->ssrc != pkt->rtp.ssrc)
        memset(d, 0, sizeof(*d));
    d->ssrc = pkt->rtp.ssrc;
    /* A retransmission may bring the structure before the current one: it counts for itself. */
    late = d->st.valid && (int16_t)(pkt->rtp.seq - d->seq) < 0;
    st = &d->st;
    if (late) {
        old = d->st;
        st = &old;
    }
    pkt->dd.present = true;
    pkt->dd.frame = sl_get16(data + 1);
    if (sl_dd_parse(data, len, st, &dd) < 0)
        return;
    if (!late && dd.has_structure)
        d->seq = pkt->rtp.seq;
    if (!late && (dd.has_structure || dd.has_active))
        d->active = dd.active;
    note(&pkt->dd, &dd, st, late && (dd.has_structure || dd.has_active) ? dd.active : d->active);
    sl_dd_fill(&dd, st, &pkt->payload);
}

/* ---- at the sink ----------------------------------------------------------------------------- */

void sl_dd_munge_switch(struct sl_dd_munge *m)
{
    m->resync = true;
}

void sl_dd_munge_map(struct sl_dd_munge *m, const struct sl_pkt_dd *dd)
{
    uint16_t out;

    if (!m->started)
        m->off = 0;
    else if (m->resync)
        m->off = (uint16_t)(m->last + 1 - dd->frame);
    out = (uint16_t)(dd->frame + m->off);
    if (!m->started || (int16_t)(out - m->last) > 0)
        m->last = out;
    m->started = true;
    m->resync = false;
}

int sl_dd_munge_write(struct sl_dd_munge *m, const struct sl_pkt *pkt, int sid, int tid, void *buf,
                      size_t cap)
{
    const struct sl_pkt_dd *dd = &pkt->dd;
    const uint8_t *data = pkt->data + pkt->ext.off[SL_EXT_DEPENDENCY_DESCRIPTOR];
    size_t len = pkt->ext.len[SL_EXT_DEPENDENCY_DESCRIPTOR];
    struct sl_dd_mask mask = { 0 };

    if (dd->known && dd->start) {
        unsigned s = sid < 0 || sid >= SL_DD_LAYERS_MAX ? SL_DD_LAYERS_MAX - 1 : (unsigned)sid;
        unsigned t = tid < 0 || tid >= SL_DD_TIDS ? SL_DD_TIDS - 1 : (unsigned)tid;

        mask = (struct sl_dd_mask){ dd->mask_pos, dd->ntargets, dd->has_mask,
                                    dd->active & dd->upto[s][t] };
        /* Told as long as it differs, and then once more, until a key frame makes all new. */
        if (mask.active != dd->active)
            m->limited = true;
        else if (dd->has_structure)
            m->limited = false;
        if (!m->limited || !mask.active)
            mask.ntargets = 0;
    }
    return sl_dd_rewrite(data, len, (uint16_t)(dd->frame + m->off), &mask, buf, cap);
}
