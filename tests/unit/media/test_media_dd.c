/* The dependency descriptor from a source to a subscriber, whose payload nobody can read. */
#include "tests/unit/media/media_world.h"
#include "tests/unit/test_bits.h"

#include "media/media_dd.h"

#define DD_AT 1000 /* where the descriptors of the packets lie */
#define DD_ID 12

static void begin(struct media_world *w, uint8_t nlayers, bool svc) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

    in.codec = out.codec = SL_CODEC_AV1;
    in.nlayers = nlayers;
    out.ext[SL_EXT_DEPENDENCY_DESCRIPTOR] = DD_ID;
    out.ext_mixed = true;
    mw_init(w);
    mw_connect(w, &in, &out, svc);
}

/* L2T2 with four targets, (0,0) (0,1) (1,0) (1,1), and four templates in that order. */
static void l2t2(struct bits *w)
{
    static const uint8_t dti[4][4] = {
        { 2, 2, 2, 2 },
        { 0, 1, 0, 3 },
        { 0, 0, 2, 2 },
        { 0, 0, 0, 1 },
    };

    put(w, 5, 0x10); /* structure */
    put(w, 6, 0);
    put(w, 5, 3);
    put(w, 2, 1), put(w, 2, 2), put(w, 2, 1), put(w, 2, 3); /* layers */
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            put(w, 2, dti[i][k]);
    put(w, 1, 0); /* references: none; 2 back; 1 back; 2 back */
    put(w, 1, 1), put(w, 4, 1), put(w, 1, 0);
    put(w, 1, 1), put(w, 4, 0), put(w, 1, 0);
    put(w, 1, 1), put(w, 4, 1), put(w, 1, 0);
    put(w, 3, 0); /* ns(5): no chains */
    put(w, 1, 0); /* no resolutions */
}

/* A frame in one packet, of template @id; its payload is noise. */
static struct sl_pkt *frame(struct media_world *w, uint8_t layer, uint16_t seq, uint32_t ts,
                            unsigned id, uint16_t number, bool key) SL_ON_WORKER
{
    struct sl_pkt *p = sl_pkt_get(&w->ctx.pkts);
    struct bits d = { 0 };

    assert_non_null(p);
    put(&d, 2, 3);
    put(&d, 6, id);
    put(&d, 16, number);
    if (key)
        l2t2(&d);
    memset(p->data, 0xee, 200);
    sl_rtp_write_header(p->data, false, w->t->pt, seq, ts, 0x11111111u + layer);
    p->len = SL_RTP_HDR + 40;
    p->layer = layer;
    p->red_off = 0;
    memset(&p->payload, 0, sizeof(p->payload));
    assert_int_equal(sl_rtp_parse(p->data, p->len, &p->rtp), 0);
    memset(&p->ext, 0, sizeof(p->ext));
    p->ext.present = SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR);
    p->ext.off[SL_EXT_DEPENDENCY_DESCRIPTOR] = DD_AT;
    p->ext.len[SL_EXT_DEPENDENCY_DESCRIPTOR] = (uint8_t)bits_len(&d);
    memcpy(p->data + DD_AT, d.b, bits_len(&d));
    return p;
}

/* The descriptor of the packet that went out as @i. */
static struct sl_dd out_dd(const struct media_world *w, size_t i, struct sl_dd_structure *st)
{
    uint8_t ids[SL_EXT_MAX] = { [SL_EXT_DEPENDENCY_DESCRIPTOR] = DD_ID };
    struct sl_ext_map map;
    struct sl_ext_info ext;
    struct sl_rtp rtp;
    struct sl_dd dd;

    assert_true(i < w->nout);
    sl_ext_map_init(&map, ids);
    assert_int_equal(sl_rtp_parse(w->out[i].data, w->out[i].len, &rtp), 0);
    assert_int_equal(sl_ext_parse(w->out[i].data, &rtp, &map, &ext), 0);
    assert_true(ext.present & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR));
    assert_int_equal(sl_dd_parse(w->out[i].data + ext.off[SL_EXT_DEPENDENCY_DESCRIPTOR],
                                 ext.len[SL_EXT_DEPENDENCY_DESCRIPTOR], st, &dd),
                     0);
    return dd;
}

static void push(struct media_world *w, uint8_t layer, uint16_t seq, uint32_t ts, unsigned id,
                 uint16_t number, bool key) SL_ON_WORKER
{
    mw_push_pkt(w, w->t, frame(w, layer, seq, ts, id, number, key), false);
    mw_flush(w);
}

static void wish_for(struct media_world *w, int sid, int tid) SL_ON_WORKER
{
    struct sl_layer_wish wish = SL_LAYER_WISH_INIT;

    wish.spatial = (int8_t)sid;
    wish.svc_temporal = (int8_t)tid;
    sl_sink_set_wish(w->s, &wish);
}

static void layers_are_chosen_and_targets_told(void **state)
{
    struct sl_dd_structure st = { 0 };
    struct sl_dd dd;
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, 1, true);
    push(&w, 0, 10, 0, 1, 99, false); /* nothing before the key frame */
    assert_int_equal(w.nout, 0);
    push(&w, 0, 11, 3000, 0, 100, true);
    push(&w, 0, 12, 3000, 2, 101, false);
    assert_int_equal(w.nout, 2);
    dd = out_dd(&w, 0, &st);
    assert_true(dd.has_structure && !dd.has_active);
    assert_false(w.out[0].data[1] & SL_RTP_MARKER);
    assert_true(w.out[1].data[1] & SL_RTP_MARKER); /* the top layer ends the picture */

    /* Only the lower spatial layer: the picture ends with it, and the targets say so. */
    wish_for(&w, 0, 2);
    push(&w, 0, 13, 6000, 1, 102, false);
    push(&w, 0, 14, 6000, 3, 103, false);
    assert_int_equal(w.nout, 3);
    assert_true(w.out[2].data[1] & SL_RTP_MARKER);
    dd = out_dd(&w, 2, &st);
    assert_int_equal(dd.frame, 102);
    assert_true(dd.has_active);
    assert_int_equal(dd.active, 0x3);

    /* One temporal layer; a dropped frame's number stays a gap. */
    wish_for(&w, 0, 0);
    push(&w, 0, 15, 9000, 1, 104, false);
    assert_int_equal(w.nout, 3);
    push(&w, 0, 16, 12000, 0, 105, false);
    assert_int_equal(w.nout, 4);
    dd = out_dd(&w, 3, &st);
    assert_int_equal(dd.frame, 105);
    assert_int_equal(dd.active, 0x1);
    assert_int_equal(mw_seq(&w, 3), (uint16_t)(mw_seq(&w, 2) + 1));

    /* All of it again: temporal layers with the next frame of the lowest one, which may switch. */
    wish_for(&w, 1, 2);
    push(&w, 0, 17, 15000, 0, 106, false);
    push(&w, 0, 18, 18000, 1, 107, false);
    assert_int_equal(w.nout, 6);
    dd = out_dd(&w, 5, &st);
    assert_int_equal(dd.active, 0x3);
    push(&w, 0, 19, 21000, 0, 108, true);
    push(&w, 0, 20, 21000, 2, 109, false);
    assert_int_equal(w.nout, 8);
    dd = out_dd(&w, 6, &st);
    assert_true(dd.has_structure && !dd.has_active);
    mw_fini(&w);
}

static void frame_numbers_go_on_over_a_switch(void **state)
{
    struct sl_dd_structure st = { 0 };
    struct sl_layer_wish wish = SL_LAYER_WISH_INIT;
    struct media_world w;
    struct sl_pkt *late;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, 2, false);
    wish.substream = 0;
    sl_sink_set_wish(w.s, &wish);
    push(&w, 0, 1, 0, 0, 65534, true);
    push(&w, 0, 2, 3000, 1, 65535, false);
    wish.substream = 1;
    sl_sink_set_wish(w.s, &wish);
    late = frame(&w, 1, 501, 3000, 0, 300, false);
    push(&w, 1, 500, 0, 0, 299, true);
    push(&w, 1, 502, 6000, 0, 301, false);
    mw_push_pkt(&w, w.t, late, true);
    mw_flush(&w);
    assert_int_equal(w.nout, 5);
    assert_int_equal(out_dd(&w, 0, &st).frame, 65534);
    assert_int_equal(out_dd(&w, 1, &st).frame, 65535);
    assert_int_equal(out_dd(&w, 2, &st).frame, 0);
    assert_int_equal(out_dd(&w, 3, &st).frame, 2);
    assert_int_equal(out_dd(&w, 4, &st).frame, 1);
    mw_fini(&w);
}

/* The first packet of a key frame that comes again does not take the place of a newer structure. */
static void an_old_structure_counts_for_its_own_packet_only(void **state)
{
    struct sl_dd_source *d = NULL;
    struct sl_pkt *p;
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, 1, true);
    p = frame(&w, 0, 20, 0, 0, 50, true);
    sl_dd_source_read(&d, p);
    assert_true(p->dd.known && p->dd.has_structure);
    sl_pkt_unref(p);
    p = frame(&w, 0, 10, 0, 0, 40, true);
    p->data[DD_AT + 3] |= 0x04; /* the older one began at template 32 */
    p->data[DD_AT] |= 0x20;
    sl_dd_source_read(&d, p);
    assert_true(p->dd.known && p->dd.has_structure && p->payload.key);
    sl_pkt_unref(p);
    p = frame(&w, 0, 21, 0, 3, 51, false);
    sl_dd_source_read(&d, p);
    assert_true(p->dd.known);
    assert_int_equal(p->payload.sid, 1);
    assert_int_equal(p->payload.tid, 1);
    sl_pkt_unref(p);
    p = frame(&w, 0, 22, 0, 40, 52, false); /* no such template */
    sl_dd_source_read(&d, p);
    assert_true(p->dd.present && !p->dd.known);
    sl_pkt_unref(p);
    sl_dd_source_destroy(d);
    mw_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_chosen_and_targets_told),
        cmocka_unit_test(frame_numbers_go_on_over_a_switch),
        cmocka_unit_test(an_old_structure_counts_for_its_own_packet_only),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
