#include "tests/unit/test_bits.h"
#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <string.h>

#include "rtp/rtp_dd.h"

/* The descriptor is made here bit by bit as the syntax tables of appendix A.8.2 say. */
static void mandatory(struct bits *w, unsigned start, unsigned end, unsigned id, unsigned frame)
{
    put(w, 1, start);
    put(w, 1, end);
    put(w, 6, id);
    put(w, 16, frame);
}

/* L1T2: two targets (T0, T0+T1), templates: key T0, T0, T1; one chain. */
static void l1t2(struct bits *w, unsigned id_offset)
{
    put(w, 5, 0x10); /* structure present */
    put(w, 6, id_offset);
    put(w, 5, 1);                             /* two decode targets */
    put(w, 2, 0);                             /* next template, same layer */
    put(w, 2, 1);                             /* next temporal layer */
    put(w, 2, 3);                             /* end */
    put(w, 4, 0xa);                           /* key: SS (switch, switch) */
    put(w, 4, 0xa);                           /* T0: SS */
    put(w, 4, 0x1);                           /* T1: -D */
    put(w, 1, 0);                             /* key: no references */
    put(w, 1, 1), put(w, 4, 1), put(w, 1, 0); /* T0: frame - 2 */
    put(w, 1, 1), put(w, 4, 0), put(w, 1, 0); /* T1: frame - 1 */
    put(w, 2, 2);                             /* ns(3): value 1 is "10": one chain */
    /* protected_by: ns(1) takes no bits, twice */
    put(w, 4, 0), put(w, 4, 2), put(w, 4, 1); /* chain differences */
    put(w, 1, 1);                             /* resolutions */
    put(w, 16, 1279), put(w, 16, 719);
}

static void a_structure_serves_later_frames(void **state)
{
    struct sl_dd_structure st = { 0 };
    struct sl_dd dd;
    struct sl_payload_info info = { 0 };
    struct bits w = { 0 };

    (void)state;
    mandatory(&w, 1, 0, 60, 100);
    assert_int_equal(sl_dd_parse(w.b, 3, &st, &dd), -ENOENT);
    l1t2(&w, 60);
    assert_int_equal(sl_dd_parse(w.b, bits_len(&w), &st, &dd), 0);
    assert_true(dd.start && !dd.end && dd.has_structure);
    assert_int_equal(dd.frame, 100);
    assert_int_equal(dd.tid, 0);
    assert_int_equal(dd.nfdiffs, 0);
    assert_int_equal(dd.active, 3);
    assert_int_equal(st.ntemplates, 3);
    assert_int_equal(st.ntargets, 2);
    assert_int_equal(st.nchains, 1);
    assert_int_equal(st.target_tid[0], 0);
    assert_int_equal(st.target_tid[1], 1);
    assert_int_equal(st.nresolutions, 1);
    assert_int_equal(st.width[0], 1280);
    assert_int_equal(st.height[0], 720);
    sl_dd_fill(&dd, &st, &info);
    assert_true(info.key && info.has_sid && info.has_tid && info.sync && !info.discardable);
    assert_int_equal(info.nspatial, 1);
    assert_int_equal(info.width, 1280);

    w = (struct bits){ 0 };
    mandatory(&w, 1, 1, 62, 101);
    assert_int_equal(sl_dd_parse(w.b, 3, &st, &dd), 0);
    assert_int_equal(dd.tid, 1);
    assert_int_equal(dd.fdiff[0], 1);
    assert_int_equal(dd.dti[0], SL_DTI_NOT_PRESENT);
    assert_int_equal(dd.dti[1], SL_DTI_DISCARDABLE);
    assert_int_equal(dd.chain_diff[0], 1);
    sl_dd_fill(&dd, &st, &info);
    assert_true(!info.key && info.discardable && info.end);
    assert_int_equal(info.tid, 1);

    w = (struct bits){ 0 };
    mandatory(&w, 1, 1, 63, 102); /* a fourth template: there is none */
    assert_int_equal(sl_dd_parse(w.b, 3, &st, &dd), -ENOENT);
}

static void custom_fields_replace_the_template(void **state)
{
    struct sl_dd_structure st = { 0 };
    struct sl_dd dd;
    struct bits w = { 0 };

    (void)state;
    mandatory(&w, 1, 1, 0, 1);
    l1t2(&w, 0);
    assert_int_equal(sl_dd_parse(w.b, bits_len(&w), &st, &dd), 0);
    w = (struct bits){ 0 };
    mandatory(&w, 1, 1, 1, 2);
    put(&w, 5, 0x0f); /* active targets, dtis, fdiffs, chains */
    put(&w, 2, 1);    /* active: target 0 */
    put(&w, 4, 0x3);  /* dti: -, required */
    put(&w, 2, 1), put(&w, 4, 7), put(&w, 2, 2), put(&w, 8, 199), put(&w, 2, 0);
    put(&w, 8, 77);
    assert_int_equal(sl_dd_parse(w.b, bits_len(&w), &st, &dd), 0);
    assert_int_equal(dd.active, 1);
    assert_int_equal(dd.dti[1], SL_DTI_REQUIRED);
    assert_int_equal(dd.nfdiffs, 2);
    assert_int_equal(dd.fdiff[0], 8);
    assert_int_equal(dd.fdiff[1], 200);
    assert_int_equal(dd.chain_diff[0], 77);
}

/* Parses what was written with what went before in @st. */
static struct sl_dd again(const uint8_t *buf, int len, const struct sl_dd_structure *before)
{
    struct sl_dd_structure st = *before;
    struct sl_dd dd;

    assert_true(len > 0);
    assert_int_equal(sl_dd_parse(buf, (size_t)len, &st, &dd), 0);
    return dd;
}

static void frame_numbers_and_targets_are_rewritten(void **state)
{
    struct sl_dd_structure none = { 0 }, st = { 0 };
    struct sl_dd_mask mask = { 0 };
    struct sl_dd dd, out;
    struct bits key = { 0 }, w = { 0 };
    uint8_t buf[255];
    int n;

    (void)state;
    mandatory(&key, 1, 1, 60, 100);
    l1t2(&key, 60);
    assert_int_equal(sl_dd_parse(key.b, (key.pos + 7) / 8, &st, &dd), 0);

    /* The frame number alone. */
    n = sl_dd_rewrite(key.b, (key.pos + 7) / 8, 65535, &mask, buf, sizeof(buf));
    assert_int_equal(n, (key.pos + 7) / 8);
    assert_int_equal(again(buf, n, &none).frame, 65535);
    assert_memory_equal(buf + 3, key.b + 3, n - 3);

    /* A mask behind a structure, which stays whole. */
    mask = (struct sl_dd_mask){ dd.mask_pos, 2, false, 1 };
    n = sl_dd_rewrite(key.b, (key.pos + 7) / 8, 7, &mask, buf, sizeof(buf));
    out = again(buf, n, &none);
    assert_true(out.has_structure && out.has_active);
    assert_int_equal(out.active, 1);
    assert_int_equal(out.frame, 7);

    /* A descriptor of three bytes grows; one with custom fields keeps them; a mask is replaced. */
    mandatory(&w, 1, 1, 61, 101);
    assert_int_equal(sl_dd_parse(w.b, 3, &st, &dd), 0);
    mask = (struct sl_dd_mask){ dd.mask_pos, 2, false, 1 };
    n = sl_dd_rewrite(w.b, 3, 101, &mask, buf, sizeof(buf));
    assert_int_equal(n, 4);
    out = again(buf, n, &st);
    assert_true(out.has_active && out.active == 1 && out.frame == 101 && out.fdiff[0] == 2);
    w = (struct bits){ 0 };
    mandatory(&w, 1, 1, 61, 102);
    put(&w, 5, 0x0a); /* active targets, fdiffs */
    put(&w, 2, 3);
    put(&w, 2, 1), put(&w, 4, 7), put(&w, 2, 0);
    assert_int_equal(sl_dd_parse(w.b, bits_len(&w), &st, &dd), 0);
    mask = (struct sl_dd_mask){ dd.mask_pos, 2, true, 2 };
    n = sl_dd_rewrite(w.b, bits_len(&w), 102, &mask, buf, sizeof(buf));
    assert_int_equal(n, bits_len(&w));
    out = again(buf, n, &st);
    assert_true(out.active == 2 && out.nfdiffs == 1 && out.fdiff[0] == 8);
    assert_int_equal(sl_dd_rewrite(w.b, 2, 1, &mask, buf, sizeof(buf)), -EMSGSIZE);
    assert_int_equal(sl_dd_rewrite(w.b, 6, 1, &mask, buf, 10), -EMSGSIZE);
}

static void cuts_and_noise_leave_the_structure_alone(void **state)
{
    struct sl_dd_structure st = { 0 };
    struct sl_dd dd;
    struct bits w = { 0 };
    uint32_t x = 1;

    (void)state;
    mandatory(&w, 1, 1, 0, 1);
    l1t2(&w, 0);
    for (size_t n = 0; n < bits_len(&w); n++) {
        assert_true(sl_dd_parse(w.b, n, &st, &dd) < 0);
        assert_false(st.valid);
    }
    for (int i = 0; i < 20000; i++) {
        uint8_t noise[64];

        for (size_t k = 0; k < sizeof(noise); k++)
            noise[k] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
        noise[3] |= 0x80;
        if (sl_dd_parse(noise, 4 + i % 60, &st, &dd) == 0)
            assert_true(st.ntemplates <= SL_DD_TEMPLATES_MAX && st.nchains <= SL_DD_CHAINS_MAX &&
                        dd.nfdiffs <= SL_DD_FDIFFS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_structure_serves_later_frames),
        cmocka_unit_test(custom_fields_replace_the_template),
        cmocka_unit_test(frame_numbers_and_targets_are_rewritten),
        cmocka_unit_test(cuts_and_noise_leave_the_structure_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
