#include "../test_cmocka.h"

#include "media/media_pad.h"
#include "rtp/rtp_pkt.h"

#include <stdlib.h>
#include <string.h>

#define MAX 12

/* Sizes of what is staged, negative for those that may not be padded; and as they leave. */
struct row {
    int len[MAX + 1];
    int want[MAX + 1];
};

static struct sl_slot slots[MAX];

static size_t fill(const struct row *r)
{
    size_t n = 0;

    for (; n < MAX && r->len[n]; n++) {
        struct sl_slot *s = &slots[n];
        int len = abs(r->len[n]);

        memset(s, 0, sizeof(*s));
        sl_rtp_write_header(s->data, false, 96, (uint16_t)n, 0, 1);
        memset(s->data + SL_RTP_HDR, (int)n + 1, (size_t)len - SL_RTP_HDR);
        s->len = (uint16_t)len;
        s->may_pad = r->len[n] > 0;
        if (n)
            slots[n - 1].next = s;
    }
    return n;
}

static void neighbours_of_nearly_equal_size_become_equal(void **state)
{
    static const struct row v[] = {
        { { 1000 }, { 1000 } },
        { { 1000, 1000, 1000 }, { 1000, 1000, 1000 } },
        { { 1000, 1000, 1001, 1001 }, { 1001, 1001, 1001, 1001 } },
        { { 1000, 1016 }, { 1016, 1016 } },
        { { 1000, 1017 }, { 1000, 1017 } },                         /* too far apart */
        { { 1000, 1000, 990 }, { 1000, 1000, 990 } },               /* the last may be shorter */
        { { 1000, 990, 1000 }, { 1000, 1000, 1000 } },              /* but nobody else */
        { { 1000, 1010, 1020, 1030 }, { 1010, 1010, 1030, 1030 } }, /* two trains */
        { { 1100, 1100, 600, 601, 1100 }, { 1100, 1100, 601, 601, 1100 } },
        { { -80, 1000, 1001, -80 }, { 80, 1001, 1001, 80 } },
        { { 1000, 1001, -1003, 1000 }, { 1001, 1001, 1003, 1000 } },
        { { 1001, 1000, -90 }, { 1001, 1001, 90 } },
        { { 1500, 1484, 1490, 100 }, { 1500, 1500, 1500, 100 } },
    };

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        size_t n = fill(&v[i]);
        struct sl_mctx ctx = { 0 };
        uint64_t bytes = 0, packets = 0;

        sl_pad_even_out(&ctx, slots);
        for (size_t k = 0; k < n; k++) {
            int added = v[i].want[k] - abs(v[i].len[k]);
            struct sl_rtp rtp;

            assert_int_equal(slots[k].len, v[i].want[k]);
            assert_int_equal(sl_rtp_parse(slots[k].data, slots[k].len, &rtp), 0);
            assert_int_equal(rtp.pad_len, added);
            assert_int_equal(rtp.payload_len, abs(v[i].len[k]) - SL_RTP_HDR);
            assert_int_equal(slots[k].data[rtp.payload_off + rtp.payload_len - 1], k + 1);
            bytes += (uint64_t)added;
            packets += added > 0;
        }
        assert_int_equal(ctx.padded_bytes, bytes);
        assert_int_equal(ctx.padded_packets, packets);
    }
}

static void nothing_staged_is_nothing_padded(void **state)
{
    struct sl_mctx ctx = { 0 };

    (void)state;
    SL_ASSUME(worker);
    sl_pad_even_out(&ctx, NULL);
    assert_int_equal(ctx.padded_bytes, 0);
}

static void only_video_that_was_tried_is_padded(void **state)
{
    (void)state;
    for (int c = 0; c < SL_CODEC_MAX; c++)
        assert_int_equal(sl_pad_suits((enum sl_codec)c),
                         c == SL_CODEC_VP8 || c == SL_CODEC_VP9 || c == SL_CODEC_H264);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_of_nearly_equal_size_become_equal),
        cmocka_unit_test(nothing_staged_is_nothing_padded),
        cmocka_unit_test(only_video_that_was_tried_is_padded),
    };

    sl_role_enter(&sl_role_worker);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
