/* Subscribers that come, pause, change layers and publishers at random, over a lossy way to the
 * server: what they get is one stream that can be decoded from its first packet on, on the
 * publisher's clock; and few key frames are asked for. */
#include "tests/unit/media/media_world.h"

#define PUBS      2
#define NLAYERS   3
#define SINKS     6
#define FRAME_US  33333
#define SECONDS   120
#define GOT_MAX   (SECONDS * 30 * 4 * 2)
#define LATE_MAX  64
#define ANSWER_US 60000 /* until a key frame that was asked for comes */
#define LINE      2999  /* ticks of a frame */

struct got {
    uint16_t seq;
    uint16_t id; /* pub, layer, number: which packet it is */
    uint32_t ts, frame;
    uint8_t stream, of_frame;
    bool key;
};

struct late {
    uint64_t at_us;
    struct sl_pkt *pkt;
    struct sl_track *t;
};

struct sim {
    struct media_world w;
    struct sl_track *t[PUBS];
    struct sl_mirror *m[PUBS];
    struct sl_sink *s[SINKS];
    bool paused[SINKS];
    struct got *got[SINKS];
    size_t ngot[SINKS];
    uint16_t seq[PUBS][NLAYERS];
    uint64_t key_due_us[PUBS];
    struct late late[LATE_MAX];
    size_t nlate;
    uint32_t frame;
    unsigned int loss_permille;
    size_t asked[PUBS], switches, replays;
};

static uint64_t rnd_state;

static uint32_t rnd(uint32_t n)
{
    rnd_state = rnd_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(rnd_state >> 33) % n;
}

static void ask_key(void *arg, struct sl_track *t, struct sl_source *src)
{
    struct sim *s = arg;
    int p = t == s->t[0] ? 0 : 1;

    (void)src;
    s->asked[p]++;
    if (!s->key_due_us[p])
        s->key_due_us[p] = s->w.ctx.now_us + ANSWER_US;
}

static void start(struct sim *s, uint64_t gop_us, unsigned int loss_permille) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);

    memset(s, 0, sizeof(*s));
    mw_init(&s->w);
    s->w.ctx.gop_us = gop_us;
    s->w.ctx.gop_bytes = 1000000;
    s->loss_permille = loss_permille;
    in.nlayers = NLAYERS;
    for (sl_id p = 0; p < PUBS; p++) {
        assert_int_equal(sl_track_create(&s->w.ctx, 1 + p, &in, ask_key, s, &s->t[p]), 0);
        assert_int_equal(sl_mirror_create(&s->w.ctx, 1 + p, 0, &s->m[p]), 0);
        sl_track_join(s->t[p], s->m[p]);
    }
    for (unsigned int i = 0; i < SINKS; i++) {
        struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

        out.tx_ssrc = 1 + i;
        assert_int_equal(sl_sink_create(&s->w.ctx, &s->w.tx, 9 + i, &out, &s->s[i]), 0);
        s->got[i] = calloc(GOT_MAX, sizeof(struct got));
        assert_non_null(s->got[i]);
    }
}

static void end(struct sim *s) SL_ON_WORKER
{
    for (size_t i = 0; i < s->nlate; i++)
        sl_pkt_unref(s->late[i].pkt);
    for (unsigned int i = 0; i < SINKS; i++) {
        if (sl_sink_mirror(s->s[i]))
            sl_mirror_del(sl_sink_mirror(s->s[i]), s->s[i]);
        sl_sink_destroy(s->s[i]);
        free(s->got[i]);
    }
    for (int p = 0; p < PUBS; p++) {
        sl_track_join(s->t[p], NULL);
        sl_mirror_destroy(s->m[p]);
        sl_track_destroy(s->t[p]);
    }
    mw_fini(&s->w);
}

static void collect(struct sim *s) SL_ON_WORKER
{
    mw_take(&s->w.tx);
    for (size_t k = 0; k < s->w.nout; k++) {
        const uint8_t *p = s->w.out[k].data + s->w.out[k].len - 40;
        uint32_t i = mw_ssrc(&s->w, k) - 1;

        assert_in_range(i, 0, SINKS - 1);
        assert_in_range(s->ngot[i], 0, GOT_MAX - 1);
        s->got[i][s->ngot[i]++] = (struct got){
            mw_seq(&s->w, k), sl_get16(p + 20), mw_ts(&s->w, k), sl_get32(p + 24), p[22], p[23],
            !(p[4] & 1)
        };
    }
    s->w.nout = 0;
}

static void shoot(struct sim *s) SL_ON_WORKER
{
    for (int p = 0; p < PUBS; p++) {
        bool key = s->frame == 0 || (s->key_due_us[p] && s->key_due_us[p] <= s->w.ctx.now_us);

        if (key)
            s->key_due_us[p] = 0;
        for (uint8_t l = 0; l < NLAYERS; l++)
            for (uint8_t n = 0; n <= l; n++) {
                uint8_t stream = (uint8_t)(p * NLAYERS + l);
                struct sl_pkt *pkt = mw_pkt(&s->w, s->t[p], 100u + stream, ++s->seq[p][l],
                                            s->frame * LINE, key && n == 0);

                pkt->layer = l;
                pkt->data[SL_RTP_HDR + 22] = stream;
                pkt->data[SL_RTP_HDR + 23] = n;
                pkt->data[SL_RTP_HDR + 4] = key ? 0x10 : 0x11;
                if (n) { /* goes on with the frame */
                    pkt->data[SL_RTP_HDR] = 0x80;
                    pkt->payload.start = false;
                }
                sl_put32(pkt->data + SL_RTP_HDR + 24, s->frame);
                if (rnd(1000) < s->loss_permille && s->nlate < LATE_MAX)
                    s->late[s->nlate++] =
                        (struct late){ s->w.ctx.now_us + 10000 + rnd(60000), pkt, s->t[p] };
                else
                    mw_push_pkt(&s->w, s->t[p], pkt, false);
            }
    }
    s->frame++;
}

static void repair(struct sim *s) SL_ON_WORKER
{
    size_t n = 0;

    for (size_t i = 0; i < s->nlate; i++) {
        if (s->late[i].at_us > s->w.ctx.now_us)
            s->late[n++] = s->late[i];
        else
            mw_push_pkt(&s->w, s->late[i].t, s->late[i].pkt, true);
    }
    s->nlate = n;
}

/* Something happens to somebody. */
static void act(struct sim *s) SL_ON_WORKER
{
    unsigned int i = rnd(SINKS);
    struct sl_sink *k = s->s[i];
    struct sl_layer_wish w = SL_LAYER_WISH_INIT;

    switch (rnd(4)) {
    case 0:
        s->paused[i] = !s->paused[i];
        sl_sink_set_paused(k, s->paused[i]);
        break;
    case 1:
        w.substream = (int8_t)rnd(NLAYERS);
        sl_sink_set_wish(k, &w);
        break;
    default:
        if (sl_sink_mirror(k))
            sl_mirror_del(sl_sink_mirror(k), k);
        assert_int_equal(sl_mirror_add(s->m[rnd(PUBS)], k), 0);
        sl_sink_set_source(k, NLAYERS, false);
        s->switches++;
    }
}

static void run(struct sim *s, uint64_t us) SL_ON_WORKER
{
    uint64_t until_us = s->w.ctx.now_us + us, shot_us = s->w.ctx.now_us, tick_us = s->w.ctx.now_us,
             act_us = s->w.ctx.now_us + 300000;

    while (s->w.ctx.now_us < until_us) {
        s->w.ctx.now_us += 1000;
        repair(s);
        if (s->w.ctx.now_us >= shot_us) {
            shoot(s);
            shot_us += FRAME_US;
        }
        if (s->w.ctx.now_us >= act_us) {
            act(s);
            act_us += 20000 + rnd(600000);
        }
        if (s->w.ctx.now_us >= tick_us) {
            tick_us += 50000;
            for (int p = 0; p < PUBS; p++)
                sl_track_tick(s->t[p]);
            for (unsigned int i = 0; i < SINKS; i++)
                sl_sink_tick(s->s[i]);
        }
        for (unsigned int i = 0; i < SINKS; i++)
            s->replays += s->s[i]->replay.on;
        sl_steps_run(&s->w.ctx);
        collect(s);
    }
}

/* In the order of the numbers, as a receiver's buffer puts them. */
static void sort(struct got *g, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && (int16_t)(g[k].seq - g[k - 1].seq) < 0; k--) {
            struct got x = g[k];

            g[k] = g[k - 1];
            g[k - 1] = x;
        }
}

/* A decoder that believes nothing: every packet follows the one before it in its stream, or begins
 * a key frame. Where a number is missing (of a source that the subscriber left before the packet
 * came) it waits for a key frame, as any decoder does; how many packets it so passed over is
 * returned. Frames of one source never stand still or go back. */
static size_t decode(const struct got *g, size_t n, bool may_miss)
{
    const uint32_t slack = 90 * (may_miss ? 1000 : 150); /* what is late is late in each switch */
    uint32_t newest = 0;
    bool waits = false;
    size_t passed = 0;

    for (size_t k = 0; k < n; k++) {
        bool is_begin =
            k == 0 || g[k].stream != g[k - 1].stream || g[k].id != (uint16_t)(g[k - 1].id + 1);

        if (k)
            assert_in_range((uint16_t)(g[k].seq - g[k - 1].seq), 1, may_miss ? 20 : 1);
        if (k && (uint16_t)(g[k].seq - g[k - 1].seq) != 1)
            waits = true;
        if (g[k].key && g[k].of_frame == 0)
            waits = false;
        passed += waits;
        if (is_begin && !waits) /* nothing refers to what is not there */
            assert_true(g[k].key && g[k].of_frame == 0);
        if (k && (g[k].stream != g[k - 1].stream || g[k].frame != g[k - 1].frame))
            assert_true((int32_t)(g[k].ts - g[k - 1].ts) > 0);
        else if (k && !is_begin)
            assert_int_equal(g[k].ts, g[k - 1].ts);
        /* A frame that is new (not of a replay of what was seen) is where the publishers' clock
         * says, up to the time on the way: no replay shifts it. */
        if (k && g[k].frame > newest)
            assert_in_range(g[k].ts - g[0].ts + slack, (g[k].frame - g[0].frame) * (uint64_t)LINE,
                            (g[k].frame - g[0].frame) * (uint64_t)LINE + 2 * slack);
        newest = g[k].frame > newest ? g[k].frame : newest;
    }
    return passed;
}

struct result {
    size_t packets, passed, asked;
};

static struct result world(uint64_t gop_us, unsigned int loss_permille, uint64_t seed) SL_ON_WORKER
{
    struct result r = { 0 };
    static struct sim s;

    rnd_state = seed;
    start(&s, gop_us, loss_permille);
    run(&s, SECONDS * UINT64_C(1000000));
    for (unsigned int i = 0; i < SINKS; i++) {
        sort(s.got[i], s.ngot[i]);
        r.passed += decode(s.got[i], s.ngot[i], loss_permille != 0);
        r.packets += s.ngot[i];
    }
    assert_int_equal(s.replays > 0, gop_us > 0);
    r.asked = s.asked[0] + s.asked[1];
    print_message("gop=%u ms loss=%u permille: %zu packets, %zu passed over, %zu switches, %zu "
                  "requests\n",
                  (unsigned int)(gop_us / 1000), loss_permille, r.packets, r.passed, s.switches,
                  r.asked);
    end(&s);
    return r;
}

static void any_subscriber_decodes_all_that_it_gets(void **state)
{
    static const unsigned int loss[] = { 0, 20, 100 };

    (void)state;
    SL_ASSUME(worker);
    for (size_t n = 0; n < sizeof(loss) / sizeof(loss[0]); n++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct result without = world(0, loss[n], seed), with = world(1200000, loss[n], seed);

            assert_true(with.packets > without.packets);
            assert_true(with.passed <= without.passed);
            assert_true(with.asked * 2 < without.asked);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_subscriber_decodes_all_that_it_gets),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
