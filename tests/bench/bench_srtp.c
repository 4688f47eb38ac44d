/*
 * bench_srtp.c - protect, unprotect and making a session, with libsrtp2 as it is built and with our
 * OpenSSL back end.
 */
#include "bench.h"
#include "base/bytes.h"
#include "srtp/srtp.h"
#include <srtp2/srtp.h>

#define PACKET_LEN 1100
#define PACKETS    256 /* protected in a row, then unprotected: within the replay window */
#define TIMES      (400 * PACKETS)

struct pair {
    struct sl_srtp_keys keys;
    struct sl_srtp *srtp; /* hears itself */
    uint16_t seq;
    uint64_t protect_ns, unprotect_ns;
};

static uint8_t pkts[PACKETS][PACKET_LEN + SL_SRTP_OVERHEAD];

static void round_trip(struct pair *p, size_t n) SL_ON_WORKER
{
    size_t lens[PACKETS];
    uint64_t t0, t1;

    for (size_t i = 0; i < n; i++) {
        pkts[i][0] = 0x80;
        pkts[i][1] = 96;
        sl_put16(pkts[i] + 2, p->seq++);
        sl_put32(pkts[i] + 8, 0xcafe);
        lens[i] = PACKET_LEN;
    }
    t0 = bench_cpu_ns();
    for (size_t i = 0; i < n; i++)
        bench_must(!sl_srtp_protect(p->srtp, pkts[i], &lens[i]));
    t1 = bench_cpu_ns();
    for (size_t i = 0; i < n; i++)
        bench_must(!sl_srtp_unprotect(p->srtp, pkts[i], &lens[i]) && lens[i] == PACKET_LEN);
    p->protect_ns += t1 - t0;
    p->unprotect_ns += bench_cpu_ns() - t1;
}

static void round_trips(struct pair *p, size_t n) SL_ON_WORKER
{
    p->protect_ns = p->unprotect_ns = 0;
    for (; n > PACKETS; n -= PACKETS)
        round_trip(p, PACKETS);
    round_trip(p, n);
}

static uint64_t protect(void *arg, size_t n)
{
    struct pair *p = arg;

    SL_ASSUME(worker);
    round_trips(p, n);
    return p->protect_ns;
}

static uint64_t unprotect(void *arg, size_t n)
{
    struct pair *p = arg;

    SL_ASSUME(worker);
    round_trips(p, n);
    return p->unprotect_ns;
}

static uint64_t create(void *arg, size_t n)
{
    struct pair *p = arg;
    uint64_t t0 = bench_cpu_ns();
    struct sl_srtp *s;

    SL_ASSUME(worker);
    for (size_t i = 0; i < n; i++) {
        bench_must(!sl_srtp_create(&p->keys, &s));
        sl_srtp_destroy(s);
    }
    return bench_cpu_ns() - t0;
}

static void rows(const char *who, enum sl_srtp_profile profile) SL_ON_WORKER
{
    struct pair p = { .keys = { .profile = profile }, .seq = 1 };
    const struct {
        const char *what;
        uint64_t (*op)(void *, size_t);
        size_t n;
    } row[] = { { "protect", protect, TIMES },
                { "unprotect", unprotect, TIMES },
                { "create, destroy", create, 1000 } };
    char name[BENCH_NAME];

    memset(p.keys.local, 0x5a, sizeof(p.keys.local));
    memset(p.keys.remote, 0x5a, sizeof(p.keys.remote));
    bench_must(!sl_srtp_create(&p.keys, &p.srtp));
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        snprintf(name, sizeof(name), "%s %s %s", who, sl_srtp_profile_to_str(profile), row[i].what);
        bench_run(name, row[i].n, row[i].op, &p);
    }
    sl_srtp_destroy(p.srtp);
}

int main(int argc, char **argv)
{
    bench_begin("srtp, 1100 bytes", argc, argv);
    sl_role_enter(&sl_role_worker);
    bench_must(!srtp_init());
    rows("stock", SL_SRTP_AEAD_AES_128_GCM);
    rows("stock", SL_SRTP_AES128_CM_SHA1_80);
    bench_must(!srtp_shutdown());
    bench_must(!sl_srtp_init());
    for (int p = SL_SRTP_NONE + 1; p < SL_SRTP_PROFILE_MAX; p++)
        rows("ours", (enum sl_srtp_profile)p);
    sl_srtp_fini();
    return bench_end();
}
