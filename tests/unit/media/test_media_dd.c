/* The dependency descriptor from a source to a subscriber, whose payload nobody can read. */
#include "tests/unit/media/media_world.h"

#include "media/media_dd.h"

#define DD_AT 1000 /* where the descriptors of the packets lie */
#define DD_ID 12

struct fix {
    struct media_world w;
    struct sl_track *t;
    struct sl_mirror *m;
    struct sl_sink *s;
};

static void fix_init(struct fix *f, uint8_t nlayers, bool svc) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

    in.codec = out.codec = SL_CODEC_AV1;
    in.nlayers = nlayers;
    out.ext[SL_EXT_DEPENDENCY_DESCRIPTOR] = DD_ID;
    out.ext_mixed = true;
    mw_init(&f->w);
    assert_int_equal(sl_track_create(&f->w.ctx, 1, &in, mw_ask_key, &f->w, &f->t), 0);
    assert_int_equal(sl_mirror_create(&f->w.ctx, 1, 0, &f->m), 0);
    sl_track_join(f->t, f->m);
    assert_int_equal(sl_sink_create(&f->w.ctx, &f->w.tx, 2, &out, &f->s), 0);
    assert_int_equal(sl_mirror_add(f->m, f->s), 0);
    sl_sink_set_source(f->s, nlayers, svc);
}

static void fix_fini(struct fix *f) SL_ON_WORKER
{
    sl_mirror_del(f->m, f->s);
    sl_sink_destroy(f->s);
    sl_track_join(f->t, NULL);
    sl_mirror_destroy(f->m);
    sl_track_destroy(f->t);
    mw_fini(&f->w);
}

struct bw {
    uint8_t b[64];
    size_t pos;
};

static void put(struct bw *w, unsigned n, uint32_t v)
{
    while (n--) {
        if (v >> n & 1)
            w->b[w->pos >> 3] |= (uint8_t)(0x80 >> (w->pos & 7));
        w->pos++;
    }
}

/* L2T2 with four targets, (0,0) (0,1) (1,0) (1,1), and four templates in that order. */
static void l2t2(struct bw *w)
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
static struct sl_pkt *frame(struct fix *f, uint8_t layer, uint16_t seq, uint32_t ts, unsigned id,
                            uint16_t number, bool key) SL_ON_WORKER
{
    struct sl_pkt *p = sl_pkt_get(&f->w.ctx.pkts);
    struct bw w = { 0 };

    assert_non_null(p);
    put(&w, 2, 3);
    put(&w, 6, id);
    put(&w, 16, number);
    if (key)
        l2t2(&w);
    memset(p->data, 0xee, 200);
    sl_rtp_write_header(p->data, false, f->t->pt, seq, ts, 0x11111111u + layer);
    p->len = SL_RTP_HDR + 40;
    p->layer = layer;
    p->red_off = 0;
    memset(&p->payload, 0, sizeof(p->payload));
    assert_int_equal(sl_rtp_parse(p->data, p->len, &p->rtp), 0);
    memset(&p->ext, 0, sizeof(p->ext));
    p->ext.present = SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR);
    p->ext.off[SL_EXT_DEPENDENCY_DESCRIPTOR] = DD_AT;
    p->ext.len[SL_EXT_DEPENDENCY_DESCRIPTOR] = (uint8_t)((w.pos + 7) / 8);
    memcpy(p->data + DD_AT, w.b, sizeof(w.b));
    return p;
}

/* The descriptor of the packet that went out as @i. */
static struct sl_dd out_dd(const struct fix *f, size_t i, struct sl_dd_structure *st)
{
    uint8_t ids[SL_EXT_MAX] = { [SL_EXT_DEPENDENCY_DESCRIPTOR] = DD_ID };
    struct sl_ext_map map;
    struct sl_ext_info ext;
    struct sl_rtp rtp;
    struct sl_dd dd;

    assert_true(i < f->w.nout);
    sl_ext_map_init(&map, ids);
    assert_int_equal(sl_rtp_parse(f->w.out[i].data, f->w.out[i].len, &rtp), 0);
    assert_int_equal(sl_ext_parse(f->w.out[i].data, &rtp, &map, &ext), 0);
    assert_true(ext.present & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR));
    assert_int_equal(sl_dd_parse(f->w.out[i].data + ext.off[SL_EXT_DEPENDENCY_DESCRIPTOR],
                                 ext.len[SL_EXT_DEPENDENCY_DESCRIPTOR], st, &dd),
                     0);
    return dd;
}

static void push(struct fix *f, uint8_t layer, uint16_t seq, uint32_t ts, unsigned id,
                 uint16_t number, bool key) SL_ON_WORKER
{
    mw_push_pkt(&f->w, f->t, frame(f, layer, seq, ts, id, number, key), false);
    mw_flush(&f->w);
}

static void wish(struct fix *f, int sid, int tid) SL_ON_WORKER
{
    struct sl_layer_wish w = SL_LAYER_WISH_INIT;

    w.spatial = (int8_t)sid;
    w.svc_temporal = (int8_t)tid;
    sl_sink_set_wish(f->s, &w);
}

static void layers_are_chosen_and_targets_told(void **state)
{
    struct sl_dd_structure st = { 0 };
    struct sl_dd dd;
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1, true);
    push(&f, 0, 10, 0, 1, 99, false); /* nothing before the key frame */
    assert_int_equal(f.w.nout, 0);
    push(&f, 0, 11, 3000, 0, 100, true);
    push(&f, 0, 12, 3000, 2, 101, false);
    assert_int_equal(f.w.nout, 2);
    dd = out_dd(&f, 0, &st);
    assert_true(dd.has_structure && !dd.has_active);
    assert_false(f.w.out[0].data[1] & SL_RTP_MARKER);
    assert_true(f.w.out[1].data[1] & SL_RTP_MARKER); /* the top layer ends the picture */

    /* Only the lower spatial layer: the picture ends with it, and the targets say so. */
    wish(&f, 0, 2);
    push(&f, 0, 13, 6000, 1, 102, false);
    push(&f, 0, 14, 6000, 3, 103, false);
    assert_int_equal(f.w.nout, 3);
    assert_true(f.w.out[2].data[1] & SL_RTP_MARKER);
    dd = out_dd(&f, 2, &st);
    assert_int_equal(dd.frame, 102);
    assert_true(dd.has_active);
    assert_int_equal(dd.active, 0x3);

    /* One temporal layer; a dropped frame's number stays a gap. */
    wish(&f, 0, 0);
    push(&f, 0, 15, 9000, 1, 104, false);
    assert_int_equal(f.w.nout, 3);
    push(&f, 0, 16, 12000, 0, 105, false);
    assert_int_equal(f.w.nout, 4);
    dd = out_dd(&f, 3, &st);
    assert_int_equal(dd.frame, 105);
    assert_int_equal(dd.active, 0x1);
    assert_int_equal(mw_seq(&f.w, 3), (uint16_t)(mw_seq(&f.w, 2) + 1));

    /* All of it again: temporal layers with the next frame of the lowest one, which may switch. */
    wish(&f, 1, 2);
    push(&f, 0, 17, 15000, 0, 106, false);
    push(&f, 0, 18, 18000, 1, 107, false);
    assert_int_equal(f.w.nout, 6);
    dd = out_dd(&f, 5, &st);
    assert_int_equal(dd.active, 0x3);
    push(&f, 0, 19, 21000, 0, 108, true);
    push(&f, 0, 20, 21000, 2, 109, false);
    assert_int_equal(f.w.nout, 8);
    dd = out_dd(&f, 6, &st);
    assert_true(dd.has_structure && !dd.has_active);
    fix_fini(&f);
}

static void frame_numbers_go_on_over_a_switch(void **state)
{
    struct sl_dd_structure st = { 0 };
    struct sl_layer_wish w = SL_LAYER_WISH_INIT;
    struct fix f;
    struct sl_pkt *late;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 2, false);
    w.substream = 0;
    sl_sink_set_wish(f.s, &w);
    push(&f, 0, 1, 0, 0, 65534, true);
    push(&f, 0, 2, 3000, 1, 65535, false);
    w.substream = 1;
    sl_sink_set_wish(f.s, &w);
    late = frame(&f, 1, 501, 3000, 0, 300, false);
    push(&f, 1, 500, 0, 0, 299, true);
    push(&f, 1, 502, 6000, 0, 301, false);
    mw_push_pkt(&f.w, f.t, late, true);
    mw_flush(&f.w);
    assert_int_equal(f.w.nout, 5);
    assert_int_equal(out_dd(&f, 0, &st).frame, 65534);
    assert_int_equal(out_dd(&f, 1, &st).frame, 65535);
    assert_int_equal(out_dd(&f, 2, &st).frame, 0);
    assert_int_equal(out_dd(&f, 3, &st).frame, 2);
    assert_int_equal(out_dd(&f, 4, &st).frame, 1);
    fix_fini(&f);
}

/* The first packet of a key frame that comes again does not take the place of a newer structure. */
static void an_old_structure_counts_for_its_own_packet_only(void **state)
{
    struct sl_dd_source *d = NULL;
    struct sl_pkt *p;
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1, true);
    p = frame(&f, 0, 20, 0, 0, 50, true);
    sl_dd_source_read(&d, p);
    assert_true(p->dd.known && p->dd.has_structure);
    sl_pkt_unref(p);
    p = frame(&f, 0, 10, 0, 0, 40, true);
    p->data[DD_AT + 3] |= 0x04; /* the older one began at template 32 */
    p->data[DD_AT] |= 0x20;
    sl_dd_source_read(&d, p);
    assert_true(p->dd.known && p->dd.has_structure && p->payload.key);
    sl_pkt_unref(p);
    p = frame(&f, 0, 21, 0, 3, 51, false);
    sl_dd_source_read(&d, p);
    assert_true(p->dd.known);
    assert_int_equal(p->payload.sid, 1);
    assert_int_equal(p->payload.tid, 1);
    sl_pkt_unref(p);
    p = frame(&f, 0, 22, 0, 40, 52, false); /* no such template */
    sl_dd_source_read(&d, p);
    assert_true(p->dd.present && !p->dd.known);
    sl_pkt_unref(p);
    sl_dd_source_destroy(d);
    fix_fini(&f);
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
