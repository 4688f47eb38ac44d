#include "rtp/rtp_dd.h"

#include <errno.h>
#include <string.h>

#include "rtp/rtp_bits.h"

/* Names below follow the syntax tables of appendix A.8.2. */

static uint32_t f(struct sl_bits *b, unsigned n)
{
    return sl_bits_read(b, n);
}

/* Non-symmetric unsigned value below @n. */
static uint32_t ns(struct sl_bits *b, uint32_t n)
{
    unsigned w = 0;
    uint32_t m, v;

    for (uint32_t x = n; x; x >>= 1)
        w++;
    m = (1u << w) - n;
    v = f(b, w - 1);
    return v < m ? v : (v << 1) - m + f(b, 1);
}

static int template_layers(struct sl_bits *b, struct sl_dd_structure *st)
{
    uint8_t sid = 0, tid = 0;
    uint32_t idc;

    do {
        if (st->ntemplates == SL_DD_TEMPLATES_MAX || sid >= SL_DD_LAYERS_MAX || tid > 7)
            return -EBADMSG;
        st->tpl[st->ntemplates].sid = sid;
        st->tpl[st->ntemplates].tid = tid;
        st->ntemplates++;
        idc = f(b, 2);
        if (idc == 1) {
            tid++;
        } else if (idc == 2) {
            tid = 0;
            sid++;
        }
    } while (idc != 3 && !b->failed);
    st->nresolutions = (uint8_t)(sid + 1); /* layers; kept only if sizes follow */
    return b->failed ? -EBADMSG : 0;
}

static void template_fdiffs(struct sl_bits *b, struct sl_dd_template *t)
{
    while (f(b, 1)) {
        uint8_t v = (uint8_t)(f(b, 4) + 1);

        if (t->nfdiffs < SL_DD_FDIFFS_MAX)
            t->fdiff[t->nfdiffs++] = v;
    }
}

static void template_chains(struct sl_bits *b, struct sl_dd_structure *st)
{
    st->nchains = (uint8_t)ns(b, st->ntargets + 1u);
    if (st->nchains == 0)
        return;
    for (unsigned i = 0; i < st->ntargets; i++)
        (void)ns(b, st->nchains); /* the chain that protects the target */
    for (unsigned i = 0; i < st->ntemplates; i++)
        for (unsigned c = 0; c < st->nchains; c++)
            st->tpl[i].chain_diff[c] = (uint8_t)f(b, 4);
}

static void decode_target_layers(struct sl_dd_structure *st)
{
    for (unsigned d = 0; d < st->ntargets; d++) {
        for (unsigned i = 0; i < st->ntemplates; i++) {
            const struct sl_dd_template *t = &st->tpl[i];

            if (t->dti[d] == SL_DTI_NOT_PRESENT)
                continue;
            if (t->sid > st->target_sid[d])
                st->target_sid[d] = t->sid;
            if (t->tid > st->target_tid[d])
                st->target_tid[d] = t->tid;
        }
    }
}

static int structure(struct sl_bits *b, struct sl_dd_structure *st)
{
    memset(st, 0, sizeof(*st));
    st->id_offset = (uint8_t)f(b, 6);
    st->ntargets = (uint8_t)(f(b, 5) + 1);
    if (template_layers(b, st))
        return -EBADMSG;
    for (unsigned i = 0; i < st->ntemplates; i++)
        for (unsigned d = 0; d < st->ntargets; d++)
            st->tpl[i].dti[d] = (uint8_t)f(b, 2);
    for (unsigned i = 0; i < st->ntemplates; i++)
        template_fdiffs(b, &st->tpl[i]);
    template_chains(b, st);
    if (b->failed || st->nchains > SL_DD_CHAINS_MAX)
        return -EBADMSG;
    decode_target_layers(st);
    if (!f(b, 1))
        st->nresolutions = 0;
    for (unsigned i = 0; i < st->nresolutions; i++) {
        /* "minus 1" on the wire: 65536 does not fit and means the same to a forwarder */
        uint32_t w = f(b, 16) + 1, h = f(b, 16) + 1;

        st->width[i] = (uint16_t)(w > UINT16_MAX ? UINT16_MAX : w);
        st->height[i] = (uint16_t)(h > UINT16_MAX ? UINT16_MAX : h);
    }
    st->valid = !b->failed;
    return b->failed ? -EBADMSG : 0;
}

static void frame_fdiffs(struct sl_bits *b, struct sl_dd *out)
{
    uint32_t size;

    out->nfdiffs = 0;
    while ((size = f(b, 2)) != 0) {
        uint16_t v = (uint16_t)(f(b, 4 * size) + 1);

        if (out->nfdiffs < SL_DD_FDIFFS_MAX)
            out->fdiff[out->nfdiffs++] = v;
    }
}

static void from_template(const struct sl_dd_structure *st, const struct sl_dd_template *t,
                          struct sl_dd *out)
{
    out->sid = t->sid;
    out->tid = t->tid;
    out->nfdiffs = t->nfdiffs;
    for (unsigned i = 0; i < t->nfdiffs; i++)
        out->fdiff[i] = t->fdiff[i];
    out->ntargets = st->ntargets;
    memcpy(out->dti, t->dti, sizeof(out->dti));
    out->nchains = st->nchains;
    memcpy(out->chain_diff, t->chain_diff, sizeof(out->chain_diff));
}

int sl_dd_parse(const void *data, size_t len, struct sl_dd_structure *st, struct sl_dd *out)
{
    struct sl_bits b = { data, 0, len * 8, false };
    struct sl_dd_structure fresh;
    const struct sl_dd_structure *use = st;
    struct sl_dd dd = { 0 };
    bool custom_dtis = false, custom_fdiffs = false, custom_chains = false;
    uint32_t id, index;

    if (len > 255)
        return -EBADMSG;
    dd.start = f(&b, 1);
    dd.end = f(&b, 1);
    id = f(&b, 6);
    dd.frame = (uint16_t)f(&b, 16);
    if (len > 3) {
        dd.has_structure = f(&b, 1);
        dd.has_active = f(&b, 1);
        custom_dtis = f(&b, 1);
        custom_fdiffs = f(&b, 1);
        custom_chains = f(&b, 1);
        if (dd.has_structure) {
            if (structure(&b, &fresh))
                return -EBADMSG;
            use = &fresh;
        }
    }
    if (b.failed)
        return -EBADMSG;
    if (!use->valid)
        return -ENOENT;
    dd.mask_pos = len > 3 ? (uint16_t)b.pos : 0;
    if (dd.has_structure || dd.has_active)
        dd.active = UINT32_MAX >> (32 - use->ntargets);
    if (dd.has_active)
        dd.active = f(&b, use->ntargets);
    index = (id + 64 - use->id_offset) % 64;
    if (index >= use->ntemplates)
        return -ENOENT;
    from_template(use, &use->tpl[index], &dd);
    if (custom_dtis)
        for (unsigned i = 0; i < use->ntargets; i++)
            dd.dti[i] = (uint8_t)f(&b, 2);
    if (custom_fdiffs)
        frame_fdiffs(&b, &dd);
    if (custom_chains)
        for (unsigned i = 0; i < use->nchains; i++)
            dd.chain_diff[i] = (uint8_t)f(&b, 8);
    if (b.failed)
        return -EBADMSG;
    if (dd.has_structure)
        *st = fresh;
    *out = dd;
    return 0;
}

static void copy_bits(uint8_t *to, size_t *at, struct sl_bits *from, size_t n)
{
    for (; n; n--, ++*at)
        if (f(from, 1))
            to[*at >> 3] |= (uint8_t)(0x80 >> (*at & 7));
}

static void put_bits(uint8_t *to, size_t *at, unsigned n, uint32_t v)
{
    for (; n; n--, ++*at)
        if (v >> (n - 1) & 1)
            to[*at >> 3] |= (uint8_t)(0x80 >> (*at & 7));
}

int sl_dd_rewrite(const void *data, size_t len, uint16_t frame, const struct sl_dd_mask *mask,
                  void *buf, size_t cap)
{
    struct sl_bits b = { data, 0, len * 8, false };
    uint8_t *out = buf;
    size_t at = 0, pos = mask->pos ? mask->pos : 24;

    /* A mask takes up to 32 bits, and the flags one byte where there were none. */
    if (len < 3 || cap < len + 5)
        return -EMSGSIZE;
    if (!mask->ntargets) {
        memcpy(out, data, len);
    } else {
        memset(out, 0, len + 5);
        copy_bits(out, &at, &b, 24);
        if (mask->pos)
            copy_bits(out, &at, &b, 5);
        else
            at += 5;
        out[3] |= 0x40; /* active_decode_targets_present_flag */
        if (pos > b.pos)
            copy_bits(out, &at, &b, pos - b.pos);
        put_bits(out, &at, mask->ntargets, mask->active);
        if (mask->is_there)
            b.pos += mask->ntargets;
        if (b.pos < b.end)
            copy_bits(out, &at, &b, b.end - b.pos);
        len = (at + 7) / 8;
    }
    out[1] = (uint8_t)(frame >> 8);
    out[2] = (uint8_t)frame;
    return (int)len;
}

void sl_dd_fill(const struct sl_dd *dd, const struct sl_dd_structure *st,
                struct sl_payload_info *info)
{
    info->start = dd->start;
    info->end = dd->end;
    info->has_tid = info->has_sid = info->flexible = true;
    info->tid = dd->tid;
    info->sid = dd->sid;
    info->inter_pic = dd->nfdiffs > 0;
    info->key = dd->start && dd->has_structure && dd->nfdiffs == 0 && dd->sid == 0;
    info->sync = false;
    info->sync_tid = 0;
    info->discardable = true;
    for (unsigned i = 0; i < dd->ntargets && i < st->ntargets; i++) {
        if (dd->dti[i] == SL_DTI_SWITCH && st->target_tid[i] >= dd->tid) {
            info->sync = true;
            if (st->target_tid[i] > info->sync_tid)
                info->sync_tid = st->target_tid[i];
        }
        if (dd->dti[i] == SL_DTI_SWITCH || dd->dti[i] == SL_DTI_REQUIRED)
            info->discardable = false;
    }
    if (!dd->has_structure)
        return;
    info->has_ss = true;
    info->nspatial = 1;
    for (unsigned i = 0; i < st->ntemplates; i++)
        if (st->tpl[i].sid >= info->nspatial)
            info->nspatial = (uint8_t)(st->tpl[i].sid + 1);
    if (st->nresolutions) {
        info->width = st->width[st->nresolutions - 1];
        info->height = st->height[st->nresolutions - 1];
    }
}
