/*
 * bench_srtp.c - nanoseconds per packet of protect and unprotect, libsrtp2 as it is built and with
 * our OpenSSL back end.
 */
#include "srtp/srtp.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/opt.h"
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_LEN 1100
#define PACKETS    256 /* protected in a row, then unprotected: within the replay window */
#define ROUNDS     400
#define RUNS       5

struct result {
    double protect_ns, unprotect_ns, create_ns;
};

static uint8_t pkts[PACKETS][PACKET_LEN + SL_SRTP_OVERHEAD];

static void must(int err)
{
    if (err) {
        fprintf(stderr, "bench_srtp: error %d\n", err);
        exit(1);
    }
}

static void keys_make(enum sl_srtp_profile profile, struct sl_srtp_keys *out)
{
    memset(out, 0, sizeof(*out));
    out->profile = profile;
    memset(out->local, 0x5a, sizeof(out->local));
    memset(out->remote, 0x5a, sizeof(out->remote)); /* it hears itself */
}

static double per(uint64_t us, size_t n)
{
    return (double)us * 1000 / (double)n;
}

static void round_trip(struct sl_srtp *s, uint16_t *seq, uint64_t *protect_us,
                       uint64_t *unprotect_us)
{
    size_t lens[PACKETS];
    uint64_t t0, t1, t2;

    SL_ASSUME(worker);
    for (size_t i = 0; i < PACKETS; i++) {
        pkts[i][0] = 0x80;
        pkts[i][1] = 96;
        sl_put16(pkts[i] + 2, (*seq)++);
        sl_put32(pkts[i] + 8, 0xcafe);
        lens[i] = PACKET_LEN;
    }
    t0 = sl_now_us();
    for (size_t i = 0; i < PACKETS; i++)
        must(sl_srtp_protect(s, pkts[i], &lens[i]));
    t1 = sl_now_us();
    for (size_t i = 0; i < PACKETS; i++)
        must(sl_srtp_unprotect(s, pkts[i], &lens[i]));
    t2 = sl_now_us();
    *protect_us += t1 - t0;
    *unprotect_us += t2 - t1;
}

static void run(enum sl_srtp_profile profile, struct result *best)
{
    uint64_t protect_us = 0, unprotect_us = 0, t0;
    struct sl_srtp_keys keys;
    struct sl_srtp *s;
    uint16_t seq = 1;

    SL_ASSUME(worker);
    keys_make(profile, &keys);
    t0 = sl_now_us();
    for (int i = 0; i < 100; i++) {
        must(sl_srtp_create(&keys, &s));
        sl_srtp_destroy(s);
    }
    best->create_ns = per(sl_now_us() - t0, 100);
    must(sl_srtp_create(&keys, &s));
    for (int i = 0; i < ROUNDS; i++)
        round_trip(s, &seq, &protect_us, &unprotect_us);
    sl_srtp_destroy(s);
    if (per(protect_us, PACKETS * ROUNDS) < best->protect_ns)
        best->protect_ns = per(protect_us, PACKETS * ROUNDS);
    if (per(unprotect_us, PACKETS * ROUNDS) < best->unprotect_ns)
        best->unprotect_ns = per(unprotect_us, PACKETS * ROUNDS);
}

static void bench(const char *who)
{
    for (int p = SL_SRTP_NONE + 1; p < SL_SRTP_PROFILE_MAX; p++) {
        struct result best = { 1e9, 1e9, 1e9 };

        for (int i = 0; i < RUNS; i++)
            run((enum sl_srtp_profile)p, &best);
        printf("%-6s %-18s protect %5.0f ns  unprotect %5.0f ns  create+destroy %6.0f ns\n", who,
               sl_srtp_profile_to_str((enum sl_srtp_profile)p), best.protect_ns, best.unprotect_ns,
               best.create_ns);
    }
}

int main(void)
{
    sl_role_enter(&sl_role_worker);
    must((int)srtp_init());
    bench("stock");
    must((int)srtp_shutdown());
    must(sl_srtp_init());
    bench("ours");
    sl_srtp_fini();
    sl_role_leave(&sl_role_worker);
    return 0;
}
