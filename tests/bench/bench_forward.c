/*
 * bench_forward.c - server CPU per packet sent, one publisher to 100 subscribers: the bare
 * forwarder (floor/floor) and a worker of ours with real peer connections (ICE-lite, DTLS), on the
 * loopback.
 *
 * Steps are trains of six video packets, which arrive together, and audio packets, one after every
 * other train. The next step is taken when this one has arrived everywhere: nothing is lost, and
 * both servers have the same to do. Each packet is opened at one of the subscribers.
 */
#include "bench_media.h"
#include "floor/floor.h"
#include "net/net_udp.h"
#include "srtp/srtp.h"
#include "tests/mock/rtc_client.h"
#include "worker/worker.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS   (BM_SINKS + 1) /* 0: the publisher */
#define FRAMES  400
#define WAIT_MS 5000
#define IDLE_MS 2000

enum { VIDEO, AUDIO, MEDIA };

/* The peers' side, whichever server it is. */
static struct {
    int fd[PEERS];
    struct sl_srtp *srtp[PEERS];
    struct sl_addr at; /* the server */
    struct sl_txq *txq;
    struct bm_stream up[MEDIA];
    uint32_t down_ssrc[MEDIA];
    uint16_t next_seq[PEERS][MEDIA];
    bool heard[PEERS][MEDIA];
    size_t sent; /* packets that the server had to send */
} w;

static void wait_readable(int fd)
{
    struct pollfd p = { fd, POLLIN, 0 };

    bench_must(poll(&p, 1, WAIT_MS) == 1);
}

/* Ports are used again soon, and others of this machine may still send to those who had them. */
static void hear_only_server(int fd)
{
    bench_must(!connect(fd, &w.at.sa, sl_addr_len(&w.at)));
}

/* ---- traffic --------------------------------------------------------------------------------- */

static void publish(int media, size_t n, bool key) SL_ON_WORKER
{
    uint8_t buf[BM_TRAIN][BM_VIDEO_LEN + SL_SRTP_OVERHEAD];

    bm_next_frame(&w.up[media]);
    for (size_t i = 0; i < n; i++) {
        size_t len = bm_write(&w.up[media], buf[i], i == 0, i == n - 1, key);

        bench_must(!sl_srtp_protect(w.srtp[0], buf[i], &len));
        sl_txq_add(w.txq, w.fd[0], &w.at, NULL, SL_ID_NONE, buf[i], len);
    }
    bench_must(sl_txq_flush(w.txq) == n);
}

/* One RTP packet at peer @i; reports are passed over. */
static void receive(size_t i, int media) SL_ON_WORKER
{
    uint8_t buf[2048];
    ssize_t got;
    uint16_t seq;
    size_t n;

    do {
        got = recv(w.fd[i], buf, sizeof(buf), MSG_DONTWAIT);
        if (got < 0)
            wait_readable(w.fd[i]);
    } while (got < 0 || sl_demux(buf, (size_t)got) != SL_DEMUX_RTP);
    bench_must(got > SL_RTP_HDR && sl_get32(buf + 8) == w.down_ssrc[media]);
    seq = sl_get16(buf + 2);
    bench_must(!w.heard[i][media] || seq == w.next_seq[i][media]);
    w.heard[i][media] = true;
    w.next_seq[i][media] = (uint16_t)(seq + 1);
    if (i != 1 + w.sent % BM_SINKS)
        return;
    n = (size_t)got;
    bench_must(!sl_srtp_unprotect(w.srtp[i], buf, &n) && buf[n - 1] == 0x11);
}

static void step(int media, size_t n, bool key) SL_ON_WORKER
{
    publish(media, n, key);
    for (size_t i = 1; i < PEERS; i++)
        for (size_t k = 0; k < n; k++)
            receive(i, media);
    w.sent += n * BM_SINKS;
}

static void traffic(uint32_t video_up, uint32_t audio_up, uint32_t video_down,
                    uint32_t audio_down) SL_ON_WORKER
{
    size_t frames = bench.smoke ? 20 : FRAMES;

    w.up[VIDEO] = (struct bm_stream){ SL_KIND_VIDEO, video_up, 0, 0 };
    w.up[AUDIO] = (struct bm_stream){ SL_KIND_AUDIO, audio_up, 0, 0 };
    w.down_ssrc[VIDEO] = video_down;
    w.down_ssrc[AUDIO] = audio_down;
    memset(w.heard, 0, sizeof(w.heard));
    w.sent = 0;
    for (size_t i = 0; i < frames; i++) {
        step(VIDEO, BM_TRAIN, i == 0);
        if (i & 1)
            step(AUDIO, 1, false);
    }
}

/* ---- the bare forwarder ---------------------------------------------------------------------- */

struct floor_case {
    const char *name, *method, *profile;
    enum sl_srtp_profile id;
};

/* Starts it; *@out is what it prints. */
static pid_t floor_start(const struct floor_case *c, int *out)
{
    const char *top = getenv("top_builddir"), *at;
    char path[512], text[200];
    int to[2], err[2];
    pid_t pid;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/tests/bench/floor/floor", top ? top : ".");
    bench_must(!pipe(to) && !pipe(err));
    pid = fork();
    bench_must(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* should this bench fail meanwhile */
        dup2(to[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execl(path, path, "--port", "0", "--method", c->method, "--profile", c->profile,
              (char *)NULL);
        _exit(127);
    }
    close(to[1]);
    close(err[1]);
    *out = to[0];
    n = read(err[0], text, sizeof(text) - 1); /* "... port=N ..." */
    bench_must(n > 0);
    text[n] = '\0';
    at = strstr(text, "port=");
    bench_must(at && !sl_addr_from_ip("127.0.0.1", (uint16_t)atoi(at + 5), &w.at));
    close(err[0]);
    return pid;
}

/* Its report: CPU nanoseconds per packet sent. */
static double floor_stop(pid_t pid, int out)
{
    unsigned long long sent = 0, user = 0, sys = 0;
    char text[1024];
    const char *at;
    int status;
    ssize_t n;

    kill(pid, SIGTERM);
    bench_must(waitpid(pid, &status, 0) == pid && status == 0);
    n = read(out, text, sizeof(text) - 1);
    bench_must(n > 0);
    text[n] = '\0';
    close(out);
    at = strstr(text, "\"packets_out\":");
    bench_must(at && sscanf(at, "\"packets_out\":%llu", &sent) == 1 && sent == w.sent);
    at = strstr(text, "\"user_us\":");
    bench_must(at && sscanf(at, "\"user_us\":%llu,\"sys_us\":%llu", &user, &sys) == 2);
    return (double)(user + sys) * 1000 / (double)sent;
}

static void floor_join(uint16_t i, enum sl_srtp_profile profile) SL_ON_WORKER
{
    struct floor_reg r = { i ? FLOOR_SUBSCRIBE : FLOOR_PUBLISH, profile, i, 7 };
    uint8_t reg[FLOOR_REG_LEN];
    struct sl_srtp_keys keys;
    struct sl_addr any;

    bench_must(!sl_addr_from_ip("127.0.0.1", 0, &any));
    w.fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bench_must(w.fd[i] >= 0 && !bind(w.fd[i], &any.sa, sl_addr_len(&any)));
    hear_only_server(w.fd[i]);
    floor_reg_write(&r, reg);
    bench_must(sendto(w.fd[i], reg, sizeof(reg), 0, &w.at.sa, sl_addr_len(&w.at)) == sizeof(reg));
    wait_readable(w.fd[i]);
    bench_must(recv(w.fd[i], reg, sizeof(reg), 0) == sizeof(reg) &&
               !floor_reg_parse(reg, sizeof(reg), &r));
    bench_must((r.flags & FLOOR_ACK) && r.peer == i && r.profile == profile);
    floor_keys(profile, i, false, &keys);
    bench_must(!sl_srtp_create(&keys, &w.srtp[i]));
}

static double floor_run(const struct floor_case *c) SL_ON_WORKER
{
    int out;
    pid_t pid = floor_start(c, &out);

    for (uint16_t i = 0; i < PEERS; i++)
        floor_join(i, c->id);
    traffic(floor_ssrc_up(0, VIDEO), floor_ssrc_up(0, AUDIO), floor_ssrc_down(0, VIDEO),
            floor_ssrc_down(0, AUDIO));
    for (size_t i = 0; i < PEERS; i++) {
        sl_srtp_destroy(w.srtp[i]);
        close(w.fd[i]);
    }
    return floor_stop(pid, out);
}

/* ---- a worker -------------------------------------------------------------------------------- */

#define SSRC_VIDEO_UP   0x11111111u
#define SSRC_AUDIO_UP   0x22222222u
#define SSRC_VIDEO_DOWN 0x33333333u
#define SSRC_AUDIO_DOWN 0x44444444u

static struct {
    struct sl_worker *worker;
    struct sl_cert *cert, *client_cert;
    struct sl_fingerprint fp, client_fp;
    struct rtc_client client[PEERS];
    pthread_t thread; /* the worker's own; set before up is counted */
    atomic_uint up, closed;
} s;

static void on_report(void *arg, struct sl_report *r)
{
    (void)arg;
    s.thread = pthread_self();
    if (r->type == SL_REPORT_UP)
        atomic_fetch_add(&s.up, 1);
    if (r->type == SL_REPORT_CLOSED)
        atomic_fetch_add(&s.closed, 1);
    free(r);
}

static void wait_count(atomic_uint *n, unsigned int wanted)
{
    for (int ms = 0; atomic_load(n) < wanted; ms++) {
        bench_must(ms < WAIT_MS);
        usleep(1000);
    }
}

static void cert_make(struct sl_cert **cert, struct sl_fingerprint *fp)
{
    char text[128];

    bench_must(!sl_cert_create(cert));
    snprintf(text, sizeof(text), "sha-256 %s", sl_cert_fingerprint(*cert));
    bench_must(!sl_fingerprint_parse(text, fp));
}

static void worker_start(void)
{
    struct sl_worker_conf c = { .bind = &w.at,
                                .nbind = 1,
                                .cert = s.cert,
                                .mtu = 1200,
                                .ice_grace_s = 90,
                                .twcc_period_us = 100000,
                                .max_ssrcs = 64,
                                .report = on_report };
    char err[200];
    int port, e = -1;

    /* Below the ephemeral ports, so that no socket of another program is in the way for long. */
    for (port = 12000 + getpid() % 4000; e < 0 && port < 20000; port++) {
        bench_must(!sl_addr_from_ip("127.0.0.1", (uint16_t)port, &w.at));
        e = sl_worker_create(&c, &s.worker, err, sizeof(err));
    }
    bench_must(!e && !sl_workers_connect(&s.worker, 1) && !sl_worker_start(s.worker));
}

static struct sl_media *media_of(size_t peer)
{
    struct sl_media *m = calloc(1, sizeof(*m) + MEDIA * sizeof(m->line[0]));
    enum sl_dir dir = peer ? SL_DIR_SEND : SL_DIR_RECV;

    bench_must(m != NULL);
    m->n = MEDIA;
    m->line[VIDEO] = bm_line(SL_KIND_VIDEO, dir, peer ? SSRC_VIDEO_DOWN : 0);
    m->line[AUDIO] = bm_line(SL_KIND_AUDIO, dir, peer ? SSRC_AUDIO_DOWN : 0);
    for (uint16_t i = 0; i < MEDIA; i++)
        m->line[i].mindex = i;
    m->line[VIDEO].ssrc[0] = peer ? 0 : SSRC_VIDEO_UP;
    m->line[AUDIO].ssrc[0] = peer ? 0 : SSRC_AUDIO_UP;
    return m;
}

static sl_id id_of(size_t peer)
{
    return sl_id_make(0, (uint32_t)peer + 1, 1);
}

static struct sl_wmsg *message(enum sl_wmsg_type type, size_t peer)
{
    struct sl_wmsg *m = sl_wmsg_new(type, id_of(peer), 0);

    bench_must(m != NULL);
    return m;
}

static void worker_open(size_t i) SL_ON_WORKER
{
    struct rtc_client *c = &s.client[i];
    struct sl_ice_creds creds;
    struct sl_wmsg *m = message(SL_WMSG_PC_OPEN, i);

    sl_ice_creds_make(0, &creds);
    bench_must(!rtc_init(c, &w.at, &creds, s.client_cert, &s.fp));
    w.fd[i] = c->fd;
    m->open.lite = true;
    m->open.local = creds;
    sl_worker_post(s.worker, m);
    m = message(SL_WMSG_PC_REMOTE, i);
    strcpy(m->remote.ufrag, "test");
    m->remote.fingerprint = s.client_fp;
    m->remote.dtls_server = true;
    sl_worker_post(s.worker, m);
    m = message(SL_WMSG_EP_MEDIA, i);
    m->media = media_of(i);
    sl_worker_post(s.worker, m);
}

static void worker_join(size_t i) SL_ON_WORKER
{
    bench_must(rtc_connect(&s.client[i]));
    wait_count(&s.up, (unsigned int)i + 1);
    w.srtp[i] = s.client[i].srtp;
    hear_only_server(w.fd[i]);
    for (uint16_t k = 0; i && k < MEDIA; k++) {
        struct sl_wmsg *m = message(SL_WMSG_ROUTE_ADD, i);
        m->mindex = m->route.from_mindex = k;
        m->route.from = id_of(0);
        m->route.nlayers = 1;
        m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
        sl_worker_post(s.worker, m);
    }
}

static uint64_t worker_cpu_ns(void)
{
    struct timespec t;
    clockid_t clock;

    bench_must(!pthread_getcpuclockid(s.thread, &clock) && !clock_gettime(clock, &t));
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* *@idle_ns: of a second without traffic, per peer (reports, timers). */
static double worker_run(double *idle_ns) SL_ON_WORKER
{
    unsigned int idle_ms = bench.smoke ? 50 : IDLE_MS;
    uint64_t t0, t1;

    atomic_store(&s.up, 0);
    atomic_store(&s.closed, 0);
    cert_make(&s.cert, &s.fp);
    cert_make(&s.client_cert, &s.client_fp);
    worker_start();
    for (size_t i = 0; i < PEERS; i++)
        worker_open(i);
    for (size_t i = 0; i < PEERS; i++)
        worker_join(i);
    usleep(200000); /* the last routes */
    t0 = worker_cpu_ns();
    traffic(SSRC_VIDEO_UP, SSRC_AUDIO_UP, SSRC_VIDEO_DOWN, SSRC_AUDIO_DOWN);
    t0 = worker_cpu_ns() - t0;
    t1 = worker_cpu_ns();
    usleep(idle_ms * 1000);
    *idle_ns = (double)(worker_cpu_ns() - t1) * 1000 / idle_ms / PEERS;
    for (size_t i = 0; i < PEERS; i++)
        sl_worker_post(s.worker, message(SL_WMSG_EP_CLOSE, i));
    wait_count(&s.closed, PEERS);
    sl_worker_stop(s.worker);
    sl_workers_destroy(&s.worker, 1);
    for (size_t i = 0; i < PEERS; i++)
        rtc_fini(&s.client[i]);
    sl_cert_destroy(s.cert);
    sl_cert_destroy(s.client_cert);
    return (double)t0 / (double)w.sent;
}

/* ---- program --------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    static const struct floor_case floors[] = {
        { "floor, sendto, gcm", "sendto", "gcm", SL_SRTP_AEAD_AES_128_GCM },
        { "floor, sendmmsg, gcm", "sendmmsg", "gcm", SL_SRTP_AEAD_AES_128_GCM },
        { "floor, gso, gcm", "gso", "gcm", SL_SRTP_AEAD_AES_128_GCM },
        { "floor, gso, sha1_80", "gso", "sha1_80", SL_SRTP_AES128_CM_SHA1_80 },
    };
    static const char worker[] = "worker, ice-lite, gcm";
    static const size_t nfloors = sizeof(floors) / sizeof(floors[0]);
    double ns[sizeof(floors) / sizeof(floors[0]) + 1][BENCH_RUNS], idle_ns[BENCH_RUNS];
    size_t runs;

    bench_begin("forward 1 x 100, per packet sent", argc, argv);
    sl_role_enter(&sl_role_worker);
    bench_must(!sl_srtp_init() && !sl_txq_create(0, &w.txq));
    runs = bench.smoke ? 1 : BENCH_RUNS;
    /* In turn, so that what else the machine does meets all of them. */
    for (size_t i = 0; i < runs; i++) {
        for (size_t c = 0; c < nfloors; c++)
            if (bench_wants(floors[c].name))
                ns[c][i] = floor_run(&floors[c]);
        if (bench_wants(worker))
            ns[nfloors][i] = worker_run(&idle_ns[i]);
    }
    for (size_t c = 0; c <= nfloors; c++)
        bench_add(c < nfloors ? floors[c].name : worker, w.sent, ns[c], runs);
    if (bench_wants(worker))
        bench_add("worker, ice-lite, gcm: idle peer, a second", PEERS, idle_ns, runs);
    sl_txq_destroy(w.txq);
    sl_srtp_fini();
    return bench_end();
}
