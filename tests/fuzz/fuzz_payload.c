/*
 * fuzz_payload.c - payload descriptors, RED and dependency descriptors; the first byte chooses.
 * What they point at lies inside; VP8 ids that are rewritten are read back.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "media/media_vp8.h"
#include "rtp/rtp_dd.h"
#include "rtp/rtp_red.h"

enum { WHAT_RED = SL_CODEC_MAX, WHAT_DD, WHAT_MAX };

static void check_red(const uint8_t *data, size_t size)
{
    struct sl_red_part parts[SL_RED_MAX];
    uint8_t buf[UINT16_MAX];
    struct sl_red red;
    size_t end;

    if (sl_red_parse(data, size, &red))
        return;
    FUZZ_CHECK(red.n >= 1 && red.n <= SL_RED_MAX);
    end = red.block[0].off;
    for (unsigned i = 0; i < red.n; i++) {
        FUZZ_CHECK(red.block[i].off == end);
        end += red.block[i].len;
        parts[i] = (struct sl_red_part){ red.block[i].pt, red.block[i].ts_back, red.block[i].len,
                                         data + red.block[i].off };
    }
    FUZZ_CHECK(end == size);
    FUZZ_CHECK(sl_red_write(parts, red.n, buf, sizeof(buf)) == (int)size);
    FUZZ_CHECK(!memcmp(buf, data, size));
}

/* With another number and mask it says the same otherwise. */
static void check_dd_rewrite(const uint8_t *data, size_t len, const struct sl_dd *dd,
                             const struct sl_dd_structure *st)
{
    struct sl_dd_mask mask = { dd->mask_pos, dd->ntargets, dd->has_active, 1 };
    struct sl_dd_structure after = *st;
    uint8_t buf[UINT8_MAX + 5];
    struct sl_dd again;
    int n = sl_dd_rewrite(data, len, 0x1234, &mask, buf, sizeof(buf));

    FUZZ_CHECK(n >= 4 && (size_t)n <= len + 5);
    if (n > UINT8_MAX)
        return;
    FUZZ_CHECK(sl_dd_parse(buf, (size_t)n, &after, &again) == 0);
    FUZZ_CHECK(memcmp(&after, st, sizeof(after)) == 0);
    FUZZ_CHECK(again.frame == 0x1234 && again.has_active && again.active == 1);
    FUZZ_CHECK(again.start == dd->start && again.end == dd->end && again.sid == dd->sid);
    FUZZ_CHECK(again.nfdiffs == dd->nfdiffs && !memcmp(again.fdiff, dd->fdiff, sizeof(dd->fdiff)) &&
               !memcmp(again.dti, dd->dti, sizeof(dd->dti)) &&
               !memcmp(again.chain_diff, dd->chain_diff, sizeof(dd->chain_diff)));
}

/* A chain of descriptors, each behind its length: the structure of one serves the next. */
static void check_dd(const uint8_t *data, size_t size)
{
    static struct sl_dd_structure st;
    struct sl_payload_info info = { 0 };
    struct sl_dd dd;

    memset(&st, 0, sizeof(st));
    while (size > 1 && data[0] <= size - 1) {
        size_t len = data[0];

        if (sl_dd_parse(data + 1, len, &st, &dd) == 0) {
            FUZZ_CHECK(st.valid && st.ntemplates <= SL_DD_TEMPLATES_MAX && st.ntargets >= 1);
            FUZZ_CHECK(dd.sid < SL_DD_LAYERS_MAX && dd.tid <= 7);
            FUZZ_CHECK(dd.nfdiffs <= SL_DD_FDIFFS_MAX && dd.ntargets == st.ntargets);
            FUZZ_CHECK(st.nresolutions <= SL_DD_LAYERS_MAX);
            sl_dd_fill(&dd, &st, &info);
            FUZZ_CHECK(info.nspatial <= SL_DD_LAYERS_MAX);
            check_dd_rewrite(data + 1, len, &dd, &st);
        }
        data += 1 + len;
        size -= 1 + len;
    }
}

static void check_vp8(const uint8_t *data, size_t size, const struct sl_payload_info *i)
{
    const struct sl_vp8_ids ids = { 0x2bcd, 0x9a, 0x15 };
    struct sl_payload_info j;
    uint8_t *copy = malloc(size);

    FUZZ_CHECK(copy);
    memcpy(copy, data, size);
    sl_vp8_munge_write(copy, i, &ids);
    FUZZ_CHECK(sl_payload_parse(SL_CODEC_VP8, copy, size, &j) == 0);
    FUZZ_CHECK(j.hdr_len == i->hdr_len && j.pid_bits == i->pid_bits && j.key == i->key);
    FUZZ_CHECK(j.tid == i->tid && j.sync == i->sync && j.start == i->start);
    if (i->pid_bits)
        FUZZ_CHECK(j.pid == (ids.pid & ((1u << i->pid_bits) - 1)));
    if (i->has_tl0)
        FUZZ_CHECK(j.tl0 == ids.tl0);
    if (i->has_keyidx)
        FUZZ_CHECK(j.keyidx == ids.keyidx);
    FUZZ_CHECK(!memcmp(copy + i->hdr_len, data + i->hdr_len, size - i->hdr_len));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_payload_info i;
    unsigned what;
    int rc;

    if (size == 0)
        return 0;
    what = *data++ % WHAT_MAX;
    size--;
    if (what == WHAT_RED) {
        check_red(data, size);
        return 0;
    }
    if (what == WHAT_DD) {
        check_dd(data, size);
        return 0;
    }
    rc = sl_payload_parse((enum sl_codec)what, data, size, &i);
    FUZZ_CHECK(rc == 0 || rc == -EBADMSG);
    if (rc)
        return 0;
    FUZZ_CHECK(i.hdr_len <= size);
    FUZZ_CHECK(!i.pid_bits || i.pid_off + (i.pid_bits > 7 ? 2u : 1u) <= i.hdr_len);
    FUZZ_CHECK(!i.has_tl0 || i.tl0_off < i.hdr_len);
    FUZZ_CHECK(!i.has_keyidx || i.keyidx_off < i.hdr_len);
    if (what == SL_CODEC_VP8)
        check_vp8(data, size, &i);
    return 0;
}
