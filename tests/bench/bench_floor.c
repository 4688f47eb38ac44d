/*
 * bench_floor.c - CPU of the bare forwarder per packet that it sends: one publisher to 100
 * subscribers, trains of six video packets, an audio packet after every other train.
 *
 * Runs tests/bench/floor/floor on a port of the loopback. The next train leaves when the one before
 * has arrived everywhere, so nothing is lost, and every packet is opened at one of the subscribers.
 */
#include "bench.h"
#include "base/opt.h"
#include "floor/floor.h"
#include "net/net_addr.h"
#include "srtp/srtp.h"
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUBSCRIBERS 100
#define TRAIN       6
#define VIDEO_LEN   1100
#define AUDIO_LEN   90
#define ROOM        7
#define FRAMES      400
#define WAIT_MS     5000

static struct {
    pid_t floor;
    int out; /* what it prints */
    struct sl_addr at;
    int fd[SUBSCRIBERS + 1]; /* by peer; the publisher is peer 0 */
    struct sl_srtp *srtp[SUBSCRIBERS + 1];
    uint16_t seq[2];
} w;

static void wait_readable(int fd)
{
    struct pollfd p = { fd, POLLIN, 0 };

    bench_must(poll(&p, 1, WAIT_MS) == 1);
}

static void floor_start(const char *method, const char *profile)
{
    const char *top = getenv("top_builddir");
    char path[512], text[200];
    int out[2], err[2];
    const char *at;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/tests/bench/floor/floor", top ? top : ".");
    bench_must(!pipe(out) && !pipe(err));
    w.floor = fork();
    bench_must(w.floor >= 0);
    if (w.floor == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execl(path, path, "--port", "0", "--method", method, "--profile", profile, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    w.out = out[0];
    n = read(err[0], text, sizeof(text) - 1); /* "... port=N ..." */
    bench_must(n > 0);
    text[n] = '\0';
    at = strstr(text, "port=");
    bench_must(at && !sl_addr_from_ip("127.0.0.1", (uint16_t)atoi(at + 5), &w.at));
    close(err[0]);
}

/* Its report: CPU nanoseconds per packet sent. */
static double floor_stop(size_t expected)
{
    unsigned long long sent = 0, user = 0, sys = 0;
    char text[1024];
    const char *at;
    int status;
    ssize_t n;

    kill(w.floor, SIGTERM);
    bench_must(waitpid(w.floor, &status, 0) == w.floor && status == 0);
    n = read(w.out, text, sizeof(text) - 1);
    bench_must(n > 0);
    text[n] = '\0';
    close(w.out);
    at = strstr(text, "\"packets_out\":");
    bench_must(at && sscanf(at, "\"packets_out\":%llu", &sent) == 1 && sent == expected);
    at = strstr(text, "\"user_us\":");
    bench_must(at && sscanf(at, "\"user_us\":%llu,\"sys_us\":%llu", &user, &sys) == 2);
    return (double)(user + sys) * 1000 / (double)sent;
}

static void peer_join(uint16_t i, enum sl_srtp_profile profile) SL_ON_WORKER
{
    struct floor_reg r = { i ? FLOOR_SUBSCRIBE : FLOOR_PUBLISH, profile, i, ROOM };
    struct sl_addr any = { 0 };
    uint8_t reg[FLOOR_REG_LEN];
    struct sl_srtp_keys keys;

    bench_must(!sl_addr_from_ip("127.0.0.1", 0, &any));
    w.fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bench_must(w.fd[i] >= 0 && !bind(w.fd[i], &any.sa, sl_addr_len(&any)) &&
               !connect(w.fd[i], &w.at.sa, sl_addr_len(&w.at)));
    floor_reg_write(&r, reg);
    bench_must(send(w.fd[i], reg, sizeof(reg), 0) == sizeof(reg));
    wait_readable(w.fd[i]);
    bench_must(recv(w.fd[i], reg, sizeof(reg), 0) == sizeof(reg) &&
               !floor_reg_parse(reg, sizeof(reg), &r));
    bench_must((r.flags & FLOOR_ACK) && r.peer == i && r.profile == profile);
    floor_keys(profile, i, false, &keys);
    bench_must(!sl_srtp_create(&keys, &w.srtp[i]));
}

static void publish(uint8_t media, size_t len) SL_ON_WORKER
{
    uint8_t buf[VIDEO_LEN + SL_SRTP_OVERHEAD];

    memset(buf, media, len);
    buf[0] = 0x80;
    buf[1] = media ? 111 : 96;
    sl_put16(buf + 2, w.seq[media]++);
    sl_put32(buf + 8, floor_ssrc_up(0, media));
    bench_must(!sl_srtp_protect(w.srtp[0], buf, &len));
    bench_must(send(w.fd[0], buf, len, 0) == (ssize_t)len);
}

/* One packet at peer @i, which must be of @media and have the number @seq of the publisher. */
static void receive(uint16_t i, uint8_t media, uint16_t seq, size_t len) SL_ON_WORKER
{
    uint8_t buf[VIDEO_LEN + SL_SRTP_OVERHEAD];
    ssize_t got = recv(w.fd[i], buf, sizeof(buf), MSG_DONTWAIT);
    size_t n;

    if (got < 0) {
        wait_readable(w.fd[i]);
        got = recv(w.fd[i], buf, sizeof(buf), MSG_DONTWAIT);
    }
    bench_must(got >= (ssize_t)len);
    bench_must(sl_get32(buf + 8) == floor_ssrc_down(0, media));
    bench_must(sl_get16(buf + 2) == (uint16_t)(seq + floor_seq_offset(i)));
    if (i != 1 + seq % SUBSCRIBERS)
        return;
    n = (size_t)got;
    bench_must(!sl_srtp_unprotect(w.srtp[i], buf, &n) && n == len && buf[len - 1] == media);
}

static size_t frames(size_t n) SL_ON_WORKER
{
    size_t packets = 0;

    for (size_t f = 0; f < n; f++) {
        size_t audio = f & 1;

        for (size_t k = 0; k < TRAIN; k++)
            publish(0, VIDEO_LEN);
        if (audio)
            publish(1, AUDIO_LEN);
        for (uint16_t i = 1; i <= SUBSCRIBERS; i++) {
            for (uint16_t k = TRAIN; k > 0; k--)
                receive(i, 0, (uint16_t)(w.seq[0] - k), VIDEO_LEN);
            if (audio)
                receive(i, 1, (uint16_t)(w.seq[1] - 1), AUDIO_LEN);
        }
        packets += (TRAIN + audio) * SUBSCRIBERS;
    }
    return packets;
}

static double run(const char *method, const char *name, enum sl_srtp_profile profile,
                  size_t *packets) SL_ON_WORKER
{
    floor_start(method, name);
    memset(w.seq, 0, sizeof(w.seq));
    for (uint16_t i = 0; i <= SUBSCRIBERS; i++)
        peer_join(i, profile);
    *packets = frames(bench.smoke ? 20 : FRAMES);
    for (uint16_t i = 0; i <= SUBSCRIBERS; i++) {
        sl_srtp_destroy(w.srtp[i]);
        close(w.fd[i]);
    }
    return floor_stop(*packets);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *method, *profile;
        enum sl_srtp_profile id;
    } cases[] = {
        { "sendto", "gcm", SL_SRTP_AEAD_AES_128_GCM },
        { "sendmmsg", "gcm", SL_SRTP_AEAD_AES_128_GCM },
        { "gso", "gcm", SL_SRTP_AEAD_AES_128_GCM },
        { "gso", "sha1_80", SL_SRTP_AES128_CM_SHA1_80 },
    };

    bench_begin("floor, 1 x 100, per packet sent", argc, argv);
    sl_role_enter(&sl_role_worker);
    bench_must(!sl_srtp_init());
    for (size_t c = 0; c < SL_COUNT(cases); c++) {
        size_t runs = bench.smoke ? 1 : BENCH_RUNS, packets = 0;
        double ns[BENCH_RUNS];
        char name[BENCH_NAME];

        for (size_t i = 0; i < runs; i++)
            ns[i] = run(cases[c].method, cases[c].profile, cases[c].id, &packets);
        snprintf(name, sizeof(name), "%s, %s", cases[c].method, cases[c].profile);
        bench_add(name, packets, ns, runs);
    }
    sl_srtp_fini();
    return bench_end();
}
