/* Data messages from and to other machines, over plain sockets on loopback. */
#include "tests/unit/test_cmocka.h"

#include "base/bytes.h"
#include "relay/relay.h"
#include "rtp/rtp_pkt.h"
#include "worker/worker.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define WIRE 4 /* the data line's m-line at the sender */
#define SSRC SL_RELAY_SSRC(WIRE, 0)

static struct sl_worker *worker;
static struct sl_cert *cert;
static uint32_t last_slot;

/* What was reported. */
static struct {
    pthread_mutex_t lock;
    size_t closed, messages, bytes, charge;
    struct sl_report last; /* DATA */
    char text[256];        /* its beginning */
} told = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_report(void *arg, struct sl_report *r)
{
    (void)arg;
    pthread_mutex_lock(&told.lock);
    told.closed += r->type == SL_REPORT_CLOSED;
    if (r->type == SL_REPORT_DATA_SENT)
        told.charge += r->charge;
    if (r->type == SL_REPORT_DATA) {
        told.messages++;
        told.bytes += r->data.len;
        told.last = *r;
        assert_int_equal(r->data.bytes[r->data.len], '\0');
        snprintf(told.text, sizeof(told.text), "%s", r->data.bytes);
    }
    pthread_mutex_unlock(&told.lock);
    free(r);
}

static size_t get(const size_t *n)
{
    size_t v;

    pthread_mutex_lock(&told.lock);
    v = *n;
    pthread_mutex_unlock(&told.lock);
    return v;
}

static bool reaches(const size_t *n, size_t want)
{
    for (int i = 0; i < 30000 && get(n) < want; i++)
        usleep(1000);
    return get(n) >= want;
}

/* Waits until the worker did what was posted, and saw what was sent: a turn's mail comes before
 * its sockets, so that this takes a few turns. */
static void settle(void)
{
    for (int i = 0; i < 3; i++) {
        const size_t before = get(&told.closed);

        sl_worker_post(worker, sl_wmsg_new(SL_WMSG_EP_CLOSE, sl_id_make(0, 0, 998), 0));
        assert_true(reaches(&told.closed, before + 1));
    }
}

static int setup(void **state)
{
    struct sl_worker_conf c = { .mtu = 1200, .no_media_s = 1, .report = on_report };
    char err[160];

    (void)state;
    sl_role_enter(&sl_role_worker); /* the other machine's SRTP */
    if (sl_srtp_init() || sl_cert_create(&cert))
        return -1;
    c.cert = cert;
    if (sl_worker_create(&c, &worker, err, sizeof(err)) < 0 || sl_workers_connect(&worker, 1))
        return -1;
    return sl_worker_start(worker);
}

static int teardown(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    sl_worker_stop(worker);
    sl_workers_destroy(&worker, 1);
    sl_cert_destroy(cert);
    sl_srtp_fini();
    sl_role_leave(&sl_role_worker);
    return 0;
}

/* ---- the relay and the other machine --------------------------------------------------------- */

struct fix {
    sl_id id;
    int fd; /* the other machine */
    struct sl_addr here, there;
    struct sl_srtp *srtp;
};

static int socket_at(struct sl_addr *local)
{
    socklen_t len = sizeof(*local);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)sl_addr_from_ip("127.0.0.1", 0, local);
    assert_int_equal(bind(fd, &local->sa, sl_addr_len(local)), 0);
    assert_int_equal(getsockname(fd, &local->sa, &len), 0);
    return fd;
}

static void begin(struct fix *f, enum sl_relay_kind kind, bool srtp) SL_ON_WORKER
{
    struct sl_relay_conf *c = calloc(1, sizeof(*c));
    struct sl_wmsg *m;
    struct sl_addr any;

    memset(&told.closed, 0, sizeof(told) - offsetof(__typeof__(told), closed));
    memset(f, 0, sizeof(*f));
    f->fd = socket_at(&f->there);
    f->id = sl_id_make(0, ++last_slot, 3);
    (void)sl_addr_from_ip("127.0.0.1", 0, &any);
    assert_int_equal(sl_udp_open(&any, 0, &c->rtp), 0);
    f->here = c->rtp->local;
    c->kind = kind;
    c->rtp_to = f->there;
    c->is_srtp = srtp;
    if (srtp) {
        assert_int_equal(sl_srtp_static_keys(80, KEY, &c->keys), 0);
        assert_int_equal(sl_srtp_create(&c->keys, &f->srtp), 0);
    }
    m = sl_wmsg_new(SL_WMSG_EP_OPEN, f->id, 0);
    m->relay = c;
    sl_worker_post(worker, m);
}

/* A data line with @dir behind a video line. */
static void set_media(const struct fix *f, enum sl_dir dir)
{
    struct sl_media *media = calloc(1, sizeof(*media) + 2 * sizeof(media->line[0]));
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_MEDIA, f->id, 0);

    media->n = 2;
    for (uint16_t i = 0; i < 2; i++) {
        media->line[i].mindex = i;
        media->line[i].pt = media->line[i].rtx_pt = media->line[i].red_pt = SL_PT_NONE;
    }
    media->line[0].kind = SL_KIND_VIDEO;
    media->line[0].codec = SL_CODEC_VP8;
    media->line[0].clock_rate = 90000;
    media->line[0].dir = SL_DIR_RECV;
    media->line[0].ssrc[0] = SL_RELAY_SSRC(0, 0);
    media->line[1].kind = SL_KIND_DATA;
    media->line[1].dir = dir;
    media->line[1].ssrc[0] = SSRC;
    m->media = media;
    sl_worker_post(worker, m);
    settle();
}

static void end(struct fix *f) SL_ON_WORKER
{
    const size_t before = get(&told.closed);

    sl_worker_post(worker, sl_wmsg_new(SL_WMSG_EP_CLOSE, f->id, 0));
    assert_true(reaches(&told.closed, before + 1));
    sl_srtp_destroy(f->srtp);
    (void)close(f->fd);
}

static void send_raw(const struct fix *f, int fd, const void *data, size_t len)
{
    assert_int_equal(sendto(fd, data, len, 0, &f->here.sa, sl_addr_len(&f->here)), (ssize_t)len);
}

/* A message behind its header, from the other machine. */
static void say(const struct fix *f, uint8_t pt, uint16_t seq, const void *text,
                size_t len) SL_ON_WORKER
{
    static uint8_t b[70000];
    size_t n = SL_RTP_HDR + len;

    sl_rtp_write_header(b, false, pt, seq, 0, SSRC);
    memcpy(b + SL_RTP_HDR, text, len);
    if (f->srtp)
        assert_int_equal(sl_srtp_protect(f->srtp, b, &n), 0);
    send_raw(f, f->fd, b, n);
}

static struct sl_wmsg *message(const struct fix *f, uint32_t ssrc, bool is_binary, const void *data,
                               size_t len)
{
    struct sl_wmsg *m =
        sl_wmsg_new(SL_WMSG_EP_DATA, f->id, SL_RELAY_DATA_HEAD + len + SL_RELAY_DATA_TAIL);

    assert_int_equal(m->data.len, len);
    memcpy(m->data.bytes, data, len);
    m->data.ssrc = ssrc;
    m->data.is_binary = is_binary;
    return m;
}

/* The next datagram at the other machine; 0: none within @ms. */
static size_t hear(const struct fix *f, uint8_t *b, size_t cap, int ms)
{
    struct pollfd p = { f->fd, POLLIN, 0 };
    ssize_t n = poll(&p, 1, ms) > 0 ? recv(f->fd, b, cap, 0) : 0;

    return n > 0 ? (size_t)n : 0;
}

/* ---- in -------------------------------------------------------------------------------------- */

static void messages_come_in(bool srtp) SL_ON_WORKER
{
    static uint8_t big[SL_RELAY_DATA_MAX];
    struct fix f;

    begin(&f, SL_RELAY_REMOTE, srtp);
    set_media(&f, SL_DIR_RECV);
    say(&f, 0, 1, "hello", 5);
    assert_true(reaches(&told.messages, 1));
    assert_string_equal(told.text, "hello");
    assert_false(told.last.data.is_binary);
    assert_int_equal(told.last.mindex, 1);
    say(&f, 1, 2, "bin", 3);
    assert_true(reaches(&told.messages, 2));
    assert_true(told.last.data.is_binary);
    say(&f, 0, 3, "", 0);
    assert_true(reaches(&told.messages, 3));
    assert_int_equal(told.last.data.len, 0);
    say(&f, 1, 4, big, sizeof(big));
    assert_true(reaches(&told.messages, 4));
    assert_int_equal(told.last.data.len, sizeof(big));
    set_media(&f, SL_DIR_INACTIVE);
    say(&f, 0, 5, "off", 3);
    settle(); /* it is heard before the next message to the worker */
    set_media(&f, SL_DIR_RECV);
    say(&f, 0, 6, "on", 2);
    assert_true(reaches(&told.messages, 5));
    assert_string_equal(told.text, "on");
    end(&f);
}

static void messages_come_in_plain(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    messages_come_in(false);
}

static void messages_come_in_encrypted(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    messages_come_in(true);
}

static void what_is_no_message_is_dropped(void **state)
{
    struct sl_addr other;
    struct fix f;
    uint8_t b[64] = { 0 };
    int fd;

    (void)state;
    SL_ASSUME(worker);
    begin(&f, SL_RELAY_REMOTE, false);
    sl_rtp_write_header(b, false, 0, 1, 0, SSRC);
    send_raw(&f, f.fd, b, 20); /* before there are lines */
    settle();
    set_media(&f, SL_DIR_RECV);
    for (size_t len = 0; len < SL_RTP_HDR; len++)
        send_raw(&f, f.fd, b, len);
    say(&f, 2, 1, "pt", 2);
    b[0] = 0xa0; /* padding that is longer than the rest */
    b[19] = 200;
    send_raw(&f, f.fd, b, 20);
    b[0] = 0x90; /* so is the extension */
    b[15] = 200;
    send_raw(&f, f.fd, b, 20);
    sl_put32(b + 8, SSRC + 1); /* no layers */
    b[0] = 0x80;
    send_raw(&f, f.fd, b, 20);
    say(&f, 0, 1, "good", 4);
    assert_true(reaches(&told.messages, 1));
    fd = socket_at(&other); /* somebody else */
    sl_put32(b + 8, SSRC);
    send_raw(&f, fd, b, 20);
    settle();
    assert_int_equal(get(&told.messages), 1);
    assert_string_equal(told.text, "good");
    (void)close(fd);
    end(&f);
}

static void encrypted_messages_are_taken_once_and_whole(void **state)
{
    uint8_t b[64] = { 0 };
    size_t n = 20;
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    begin(&f, SL_RELAY_REMOTE, true);
    set_media(&f, SL_DIR_RECV);
    sl_rtp_write_header(b, false, 0, 1, 0, SSRC);
    send_raw(&f, f.fd, b, 20); /* not encrypted */
    memcpy(b + SL_RTP_HDR, "message", 8);
    assert_int_equal(sl_srtp_protect(f.srtp, b, &n), 0);
    b[n - 1] ^= 1;
    send_raw(&f, f.fd, b, n);
    b[n - 1] ^= 1;
    send_raw(&f, f.fd, b, n);
    send_raw(&f, f.fd, b, n); /* again */
    assert_true(reaches(&told.messages, 1));
    settle();
    assert_int_equal(get(&told.messages), 1);
    assert_string_equal(told.text, "message");
    end(&f);
}

/* Nobody consumes: what is kept is bounded. */
static void a_flood_of_messages_is_bounded(void **state)
{
    const size_t most = SL_RELAY_DATA_WINDOW / SL_RELAY_DATA_CHARGE(1000);
    static const uint8_t text[1000] = { 'x' };
    struct sl_wmsg *m;
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    begin(&f, SL_RELAY_REMOTE, false);
    set_media(&f, SL_DIR_RECV);
    for (size_t i = 0; i < 2 * most; i++) {
        say(&f, 1, (uint16_t)i, text, sizeof(text));
        if (i % 50 == 49)
            settle();
    }
    assert_true(reaches(&told.messages, most));
    settle();
    assert_int_equal(get(&told.messages), most);
    m = sl_wmsg_new(SL_WMSG_EP_CONSUMED, f.id, 0);
    m->number = (uint32_t)(10 * SL_RELAY_DATA_CHARGE(1000));
    sl_worker_post(worker, m);
    settle();
    for (size_t i = 0; i < 20; i++)
        say(&f, 1, (uint16_t)(2 * most + i), text, sizeof(text));
    assert_true(reaches(&told.messages, most + 10));
    settle();
    assert_int_equal(get(&told.messages), most + 10);
    end(&f);
}

/* ---- out ------------------------------------------------------------------------------------- */

static void messages_go_out_as_they_are(void **state)
{
    static uint8_t big[SL_RELAY_DATA_MAX], b[70000];
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    begin(&f, SL_RELAY_FORWARD, false);
    sl_worker_post(worker, message(&f, 0, false, "hello", 5));
    assert_int_equal(hear(&f, b, sizeof(b), 30000), 5);
    assert_memory_equal(b, "hello", 5);
    memset(big, 7, sizeof(big));
    for (int i = 0; i < 4; i++) {
        sl_worker_post(worker, message(&f, 0, true, big, sizeof(big)));
        assert_int_equal(hear(&f, b, sizeof(b), 30000), sizeof(big));
        assert_memory_equal(b, big, sizeof(big));
    }
    assert_true(reaches(&told.charge, 4 * sizeof(big))); /* told in large steps */
    assert_true(get(&told.charge) <= 4 * SL_RELAY_DATA_CHARGE(sizeof(big)) + 261);
    end(&f);
}

static void messages_go_out_behind_a_header(bool srtp) SL_ON_WORKER
{
    static uint8_t big[SL_RELAY_DATA_MAX], b[70000];
    struct sl_rtp rtp;
    uint16_t seq = 0;
    struct fix f;

    begin(&f, SL_RELAY_FORWARD, srtp);
    for (int i = 0; i < 3; i++) {
        const void *data = i < 2 ? (const void *)"hello" : big;
        size_t len = i < 2 ? 5 : sizeof(big), n;

        sl_worker_post(worker, message(&f, SSRC, i > 0, data, len));
        n = hear(&f, b, sizeof(b), 30000);
        assert_true(n > 0);
        if (f.srtp)
            assert_int_equal(sl_srtp_unprotect(f.srtp, b, &n), 0);
        assert_int_equal(n, SL_RTP_HDR + len);
        assert_int_equal(sl_rtp_parse(b, n, &rtp), 0);
        assert_int_equal(rtp.ssrc, SSRC);
        assert_int_equal(rtp.pt, i > 0);
        assert_int_equal(rtp.payload_off, SL_RTP_HDR);
        assert_memory_equal(b + SL_RTP_HDR, data, len);
        assert_true(i == 0 || rtp.seq == (uint16_t)(seq + 1));
        seq = rtp.seq;
    }
    if (srtp) { /* nothing leaves in clear text */
        sl_worker_post(worker, message(&f, 0, false, "secret", 6));
        assert_int_equal(hear(&f, b, sizeof(b), 100), 0);
    }
    end(&f);
}

static void messages_go_out_plain(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    messages_go_out_behind_a_header(false);
}

static void messages_go_out_encrypted(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    messages_go_out_behind_a_header(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_plain),
        cmocka_unit_test(messages_come_in_encrypted),
        cmocka_unit_test(what_is_no_message_is_dropped),
        cmocka_unit_test(encrypted_messages_are_taken_once_and_whole),
        cmocka_unit_test(a_flood_of_messages_is_bounded),
        cmocka_unit_test(messages_go_out_as_they_are),
        cmocka_unit_test(messages_go_out_plain),
        cmocka_unit_test(messages_go_out_encrypted),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
