/*
 * dtls_pair.h - two associations of ours and the link between them, for tests.
 *
 * Thread: one, in the role of a worker. Time is a number: the sim test makes libssl see it too.
 */
#ifndef SL_TEST_DTLS_PAIR_H
#define SL_TEST_DTLS_PAIR_H

#include "dtls/dtls.h"

enum { CLIENT, SERVER };

struct dtls_dgram {
    struct dtls_dgram *next;
    int to;
    uint64_t due_us;
    size_t len;
    uint8_t bytes[2048];
};

struct dtls_end {
    struct dtls_pair *pair;
    int who;
    struct sl_dtls *d;
    struct sl_cert *cert;
    enum sl_dtls_state states[4]; /* as called back */
    size_t nstates;
    size_t nsent, max_sent;
    uint8_t data[4096]; /* last message received */
    size_t data_len, ndata;
};

struct dtls_pair {
    struct dtls_end end[2];
    struct dtls_dgram *queue; /* by due time, then in order of sending */
    uint64_t now_us;
    /* Delay of a datagram in microseconds, or -1: lost. NULL: 0. */
    int64_t (*link)(struct dtls_pair *p, const struct dtls_dgram *g);
    unsigned int seed;
    bool duplicate; /* every datagram arrives twice */
};

struct dtls_opts {
    size_t mtu[2];    /* 0: 1200 */
    bool wrong_fp[2]; /* this end expects another certificate than the peer's */
};

/* Both ends with fresh certificates. Time starts at 1000 s. */
void pair_init(struct dtls_pair *p, const struct dtls_opts *opts);
void pair_fini(struct dtls_pair *p);
/* Delivers what is due; false when nothing was. */
bool pair_deliver(struct dtls_pair *p);
/* Until nothing is on its way. */
void pair_settle(struct dtls_pair *p);
/* Until both are connected, one failed, or @until_us. */
void pair_run(struct dtls_pair *p, uint64_t until_us);
bool pair_is_up(const struct dtls_pair *p);
void pair_drop_all(struct dtls_pair *p);

#endif
