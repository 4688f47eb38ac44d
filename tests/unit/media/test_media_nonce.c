/* Under one key an (SSRC, index) is encrypted once: whatever happens to sources, layers, routes and
 * m-lines, no number goes out twice with other bytes. */
#include "tests/unit/media/media_world.h"

#define STEPS     100000
#define NPUBS     2
#define SEEN_BITS 20

/* What went out under the key, by SSRC and index (roll-over counted like the sender does). */
struct seen {
    uint32_t ssrc;
    bool used;
    uint64_t index;
    uint64_t hash;
};

struct key {
    struct seen *seen;
    struct {
        uint32_t ssrc;
        uint64_t max;
        size_t n;
    } stream[8];
    size_t nstreams, packets, resent;
};

static uint64_t rnd_state;

static uint32_t rnd(uint32_t n)
{
    rnd_state = rnd_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rnd_state >> 33) % n;
}

static uint64_t hash_of(const uint8_t *p, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t index_of(struct key *k, uint32_t ssrc, uint16_t seq)
{
    size_t i;
    uint64_t index;

    for (i = 0; i < k->nstreams && k->stream[i].ssrc != ssrc; i++)
        ;
    if (i == k->nstreams) {
        assert_true(k->nstreams < TEST_COUNT(k->stream));
        k->nstreams++;
        k->stream[i].ssrc = ssrc;
        k->stream[i].max = 65536 + seq;
    }
    index = k->stream[i].max + (uint64_t)(int64_t)(int16_t)(seq - (uint16_t)k->stream[i].max);
    if (index > k->stream[i].max)
        k->stream[i].max = index;
    return index;
}

static void note(struct key *k, const struct mw_out *o)
{
    uint32_t ssrc = sl_get32(o->data + 8);
    uint64_t index = index_of(k, ssrc, sl_get16(o->data + 2));
    uint64_t h = hash_of(o->data, o->len);
    size_t i = (size_t)((index * UINT64_C(0x9e3779b97f4a7c15) ^ ssrc) & ((1u << SEEN_BITS) - 1));

    for (; k->seen[i].used; i = (i + 1) & ((1u << SEEN_BITS) - 1)) {
        if (k->seen[i].ssrc != ssrc || k->seen[i].index != index)
            continue;
        if (!o->is_sealed || k->seen[i].hash != h)
            fail_msg("ssrc %x index %llu went out twice%s", ssrc, (unsigned long long)index,
                     k->seen[i].hash != h ? " with other bytes" : "");
        k->resent++;
        return;
    }
    assert_false(o->is_sealed);
    k->seen[i] = (struct seen){ ssrc, true, index, h };
    k->packets++;
}

struct run {
    struct media_world w;
    struct sl_track *t[NPUBS];
    struct sl_mirror *m[NPUBS];
    uint16_t seq[NPUBS][SL_LAYERS_MAX];
    uint32_t ssrc[NPUBS][SL_LAYERS_MAX];
    struct sl_sink *s;
    int from; /* publisher, -1: none */
    bool rtx, paused, off;
};

static void route(struct run *r, int from) SL_ON_WORKER
{
    if (r->from >= 0)
        sl_mirror_del(r->m[r->from], r->s);
    r->from = from;
    if (from < 0)
        return;
    assert_int_equal(sl_mirror_add(r->m[from], r->s), 0);
    sl_sink_set_source(r->s, 3, false);
}

static void configure(struct run *r, bool off) SL_ON_WORKER
{
    struct sl_media_line l = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

    if (!r->rtx) {
        l.rtx_pt = SL_PT_NONE;
        l.tx_rtx_ssrc = 0;
    }
    l.ext[SL_EXT_MID] = 3;
    l.ext[SL_EXT_TWCC] = 5;
    if (off)
        l.dir = SL_DIR_INACTIVE;
    r->off = off;
    sl_sink_configure(r->s, &l);
}

static void push(struct run *r) SL_ON_WORKER
{
    int p = (int)rnd(NPUBS);
    uint8_t layer = (uint8_t)rnd(3);
    uint16_t *seq = &r->seq[p][layer], s = *seq;
    uint32_t what = rnd(100);
    struct sl_pkt *pkt;

    if (what < 3)
        *seq = (uint16_t)(s + rnd(4000)); /* a gap */
    else if (what < 8)
        s = (uint16_t)(s - rnd(700)); /* late, or twice */
    else
        ++*seq;
    pkt = mw_pkt(&r->w, r->t[p], r->ssrc[p][layer], s, (uint32_t)(r->w.ctx.now_us * 9 / 100),
                 rnd(10) == 0);
    pkt->layer = layer;
    if (rnd(30) == 0) { /* probing */
        pkt->rtp.payload_len = 0;
        memset(&pkt->payload, 0, sizeof(pkt->payload));
    }
    mw_push_pkt(&r->w, r->t[p], pkt, rnd(20) == 0);
}

static void disturb(struct run *r) SL_ON_WORKER
{
    struct sl_layer_wish wish = SL_LAYER_WISH_INIT;
    uint32_t p = rnd(NPUBS), l = rnd(3);

    switch (rnd(9)) {
    case 0:
        route(r, (int)rnd(NPUBS + 1) - 1);
        break;
    case 1:
        r->paused = !r->paused;
        sl_sink_set_paused(r->s, r->paused);
        break;
    case 2:
        configure(r, !r->off);
        break;
    case 3:
        sl_track_set_gate(r->t[p], rnd(2));
        break;
    case 4: /* the encoder began anew, maybe under a number it had before */
        r->ssrc[p][l] = 0x1000 + p * 16 + l + 256 * rnd(3);
        r->seq[p][l] = (uint16_t)rnd(65536);
        break;
    case 5:
        r->w.tx.open = !r->w.tx.open;
        if (r->w.tx.open)
            sl_sink_resume(r->s);
        break;
    case 6: /* a thin path, or a wide one */
        r->w.tx.hold.pace.bps = rnd(2) ? 200e3 + rnd(2000000) : 0;
        break;
    default:
        wish.substream = (int8_t)rnd(3);
        wish.temporal = (int8_t)rnd(3);
        sl_sink_set_wish(r->s, &wish);
    }
}

/* All is well again: packets flow. */
static void heal(struct run *r) SL_ON_WORKER
{
    if (!r->w.tx.open) {
        r->w.tx.open = true;
        sl_sink_resume(r->s);
    }
    r->paused = false;
    sl_sink_set_paused(r->s, false);
    if (r->off)
        configure(r, false);
    for (int p = 0; p < NPUBS; p++)
        sl_track_set_gate(r->t[p], false);
    if (r->from < 0)
        route(r, 0);
}

static void nack(struct run *r) SL_ON_WORKER
{
    uint16_t seqs[17];

    seqs[0] = (uint16_t)(r->s->munge.out_next - rnd(600));
    for (size_t i = 1; i < TEST_COUNT(seqs); i++)
        seqs[i] = (uint16_t)(seqs[0] + i);
    sl_sink_resend(r->s, seqs, TEST_COUNT(seqs));
}

static void run(bool rtx) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    struct run r = { .from = -1, .rtx = rtx };
    struct key k = { .seen = calloc((size_t)1 << SEEN_BITS, sizeof(struct seen)) };

    assert_non_null(k.seen);
    mw_init(&r.w);
    in.nlayers = 3;
    for (int p = 0; p < NPUBS; p++) {
        assert_int_equal(sl_track_create(&r.w.ctx, (sl_id)p + 1, &in, mw_ask_key, &r.w, &r.t[p]),
                         0);
        assert_int_equal(sl_mirror_create(&r.w.ctx, (sl_id)p + 1, 0, &r.m[p]), 0);
        sl_track_join(r.t[p], r.m[p]);
        for (uint32_t l = 0; l < 3; l++)
            r.ssrc[p][l] = 0x1000 + (uint32_t)p * 16 + l;
    }
    assert_int_equal(sl_sink_create(&r.w.ctx, &r.w.tx, 9, &out, &r.s), 0);
    configure(&r, false);
    route(&r, 0);
    for (int i = 0; i < STEPS; i++) {
        r.w.ctx.now_us += rnd(2000);
        push(&r);
        if (rnd(150) == 0)
            disturb(&r);
        if (rnd(300) == 0)
            heal(&r);
        if (rnd(20) == 0)
            nack(&r);
        if (rnd(10) == 0) {
            mw_take(&r.w.tx);
            for (size_t o = 0; o < r.w.nout; o++)
                note(&k, &r.w.out[o]);
            r.w.nout = 0;
        }
    }
    print_message("rtx=%d packets=%zu resent=%zu rtx_packets=%llu\n", rtx, k.packets, k.resent,
                  (unsigned long long)(rtx ? r.s->resent : 0));
    assert_true(k.packets > 5000);
    assert_true(r.s->resent > 1000);
    assert_true(rtx || k.resent > 1000);
    route(&r, -1);
    sl_sink_destroy(r.s);
    for (int p = 0; p < NPUBS; p++) {
        sl_track_join(r.t[p], NULL);
        sl_mirror_destroy(r.m[p]);
        sl_track_destroy(r.t[p]);
    }
    free(k.seen);
    mw_fini(&r.w);
}

static void no_index_repeats_with_rtx(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        rnd_state = seed;
        run(true);
    }
}

static void no_index_repeats_with_other_bytes_without_rtx(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        rnd_state = seed;
        run(false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_index_repeats_with_rtx),
        cmocka_unit_test(no_index_repeats_with_other_bytes_without_rtx),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
