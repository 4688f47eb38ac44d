/* A player on a worker, heard through a tap. */
#include "tests/unit/test_cmocka.h"

#include "media/media_tap.h"
#include "relay/relay.h"
#include "srtp/srtp.h"
#include "worker/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAYER sl_id_make(0, 1, 3)

static struct sl_worker *worker;
static struct sl_cert *cert;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    size_t closed, key, sent, heard, keyframes, markers, ended;
    uint64_t first_ts, last_ts, last_seq;
    char text[64];
} told;

static void on_report(void *arg, struct sl_report *r)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    told.closed += r->type == SL_REPORT_CLOSED;
    told.key += r->type == SL_REPORT_KEYFRAME && r->mindex == 1;
    if (r->type == SL_REPORT_DATA_SENT)
        told.sent += r->charge;
    pthread_mutex_unlock(&lock);
    free(r);
}

static void on_packets(void *arg, const struct sl_tap_packet *p, size_t n)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n; i++) {
        if (!told.heard++)
            told.first_ts = p[i].ts;
        else
            assert_int_equal(p[i].seq, told.last_seq + 1);
        told.last_ts = p[i].ts;
        told.last_seq = p[i].seq;
        told.markers += p[i].marker;
        told.keyframes += p[i].keyframe;
        memcpy(told.text, p[i].payload, p[i].len < 63 ? p[i].len : 63);
    }
    pthread_mutex_unlock(&lock);
}

static void on_done(struct sl_media_tap *t)
{
    pthread_mutex_lock(&lock);
    told.ended++;
    pthread_mutex_unlock(&lock);
    free(t);
}

static size_t get(const size_t *n)
{
    size_t v;

    pthread_mutex_lock(&lock);
    v = *n;
    pthread_mutex_unlock(&lock);
    return v;
}

static bool reaches(const size_t *n, size_t want)
{
    for (int i = 0; i < 3000 && get(n) < want; i++)
        usleep(10000);
    return get(n) >= want;
}

static void post(struct sl_wmsg *m)
{
    sl_worker_post(worker, m);
}

static void tap(uint16_t mindex, uint64_t id)
{
    struct sl_media_tap *t = calloc(1, sizeof(*t));
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_TAP, PLAYER, 0);

    t->id = id;
    t->tap.packets = on_packets;
    t->done = on_done;
    m->mindex = mindex;
    m->tap = t;
    post(m);
}

static void play(uint16_t mindex, uint64_t time_us, bool marker, const void *data, size_t len)
{
    const struct sl_relay_packet h = { time_us, (uint16_t)len, marker };
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_PLAY, PLAYER, sizeof(h) + len);

    m->mindex = mindex;
    memcpy(m->data.bytes, &h, sizeof(h));
    memcpy(m->data.bytes + sizeof(h), data, len);
    post(m);
}

/* An audio and a video line. */
static int setup(void **state)
{
    struct sl_worker_conf c = { .mtu = 1200, .no_media_s = 1, .report = on_report };
    struct sl_media *media = calloc(1, sizeof(*media) + 2 * sizeof(media->line[0]));
    struct sl_relay_conf *conf = calloc(1, sizeof(*conf));
    struct sl_wmsg *m;
    char err[160];

    (void)state;
    memset(&told, 0, sizeof(told));
    if (sl_srtp_init() || sl_cert_create(&cert))
        return -1;
    c.cert = cert;
    if (sl_worker_create(&c, &worker, err, sizeof(err)) < 0 || sl_workers_connect(&worker, 1) ||
        sl_worker_start(worker))
        return -1;
    conf->kind = SL_RELAY_PLAYER;
    m = sl_wmsg_new(SL_WMSG_EP_OPEN, PLAYER, 0);
    m->relay = conf;
    post(m);
    media->n = 2;
    for (uint16_t i = 0; i < 2; i++)
        media->line[i] = (struct sl_media_line){
            .mindex = i,
            .kind = i ? SL_KIND_VIDEO : SL_KIND_AUDIO,
            .codec = i ? SL_CODEC_VP8 : SL_CODEC_OPUS,
            .clock_rate = i ? 90000 : 48000,
            .dir = SL_DIR_RECV,
            .nlayers = 1,
            .pt = i ? 96 : 111,
            .rtx_pt = SL_PT_NONE,
            .red_pt = SL_PT_NONE,
        };
    m = sl_wmsg_new(SL_WMSG_EP_MEDIA, PLAYER, 0);
    m->media = media;
    post(m);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sl_role_enter(&sl_role_worker);
    sl_worker_stop(worker);
    sl_workers_destroy(&worker, 1);
    sl_role_leave(&sl_role_worker);
    sl_cert_destroy(cert);
    sl_srtp_fini();
    return 0;
}

static void packets_get_numbers_and_timestamps_of_the_codecs_clock(void **state)
{
    (void)state;
    tap(0, 1);
    play(0, 5000000, true, "one", 3);
    play(0, 5020000, false, "two", 3);
    play(0, 5040000, false, "three", 5);
    play(7, 5040000, false, "nowhere", 7);
    assert_true(reaches(&told.heard, 3));
    assert_int_equal(told.last_ts - told.first_ts, 2 * 960);
    assert_int_equal(told.markers, 1);
    assert_string_equal(told.text, "three");
}

static void a_key_frame_is_asked_for_and_seen(void **state)
{
    static const uint8_t key[] = { 0x10, 0x10, 0x02, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01 };
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_KEYFRAME, PLAYER, 0);

    (void)state;
    tap(1, 1);
    play(1, 0, true, key, sizeof(key));
    play(1, 33333, true, "", 0); /* no VP8: dropped */
    assert_true(reaches(&told.heard, 1));
    m->mindex = 1;
    m->layer = -1;
    post(m);
    assert_true(reaches(&told.key, 1));
    assert_int_equal(told.keyframes, 1);
    assert_int_equal(told.heard, 1);
}

static void what_was_sent_is_told_in_large_steps(void **state)
{
    static uint8_t payload[SL_PLAYER_PACKET_MAX];
    const size_t step = SL_RELAY_DATA_WINDOW / 8;
    const size_t each = SL_RELAY_DATA_CHARGE(sizeof(struct sl_relay_packet) + SL_PLAYER_PACKET_MAX);

    (void)state;
    for (unsigned int i = 0; i < step / each + 1; i++)
        play(0, i * 20000u, false, payload, sizeof(payload));
    assert_true(reaches(&told.sent, step));
    assert_int_equal(get(&told.sent) % each, 0);
}

static void taps_end_when_told_with_the_player_or_at_once(void **state)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_UNTAP, PLAYER, 0);

    (void)state;
    tap(5, 1); /* no such line */
    assert_true(reaches(&told.ended, 1));
    tap(0, 2);
    tap(0, 3);
    m->id = 2;
    post(m);
    assert_true(reaches(&told.ended, 2));
    post(sl_wmsg_new(SL_WMSG_EP_CLOSE, PLAYER, 0));
    assert_true(reaches(&told.closed, 1));
    assert_int_equal(get(&told.ended), 3);
    tap(0, 4);
    play(0, 0, false, "late", 4);
    assert_true(reaches(&told.ended, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packets_get_numbers_and_timestamps_of_the_codecs_clock,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_frame_is_asked_for_and_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_sent_is_told_in_large_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(taps_end_when_told_with_the_player_or_at_once, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
