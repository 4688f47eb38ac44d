/*
 * sctp_link.h - two associations of the one SCTP thread, back to back over a link that may lose,
 * double and reorder packets; what happened at each end.
 */
#ifndef SL_TEST_SCTP_LINK_H
#define SL_TEST_SCTP_LINK_H

#include "base/list.h"
#include "sctp/sctp.h"
#include <pthread.h>

#define MTU      1120
#define ALICE    0 /* the DTLS client: even streams */
#define BOB      1
#define LOG_MAX  (4u << 20)
#define CHANNELS SL_SCTP_STREAMS

struct end {
    sl_id pc;
    bool is_up, is_down;
    const char *reason;
    unsigned int opened, closed; /* channels */
    bool is_open[CHANNELS];
    struct sl_sctp_channel last; /* opened or heard last; names in @names */
    char names[2][SL_DCEP_NAME_MAX + 1];
    unsigned int messages;
    unsigned int per_stream[CHANNELS];
    bool is_binary; /* the last message */
    size_t last_len;
    uint8_t *log; /* all messages, one behind the other */
    size_t log_len;
    bool is_slow; /* gives nothing back */
    size_t owed;  /* charge that was not given back yet */
    size_t sent;  /* charge, by cb.sent */
    size_t most;  /* the largest packet that left */
    unsigned int packets;
};

struct link {
    struct sl_sctp *s;
    pthread_mutex_t lock; /* of all below */
    struct end ends[2];
    struct end seen[2]; /* the test's copy */
    struct sl_list packets;
    unsigned int loss, dup, late; /* per mille */
    bool is_cut;
    /* Each packet on its way to @to; may change it, but not its length. Under the lock. */
    void (*mangle)(struct link *l, int to, uint8_t *data, size_t len);
    bool is_merging; /* state of a mangler */
    uint32_t seed;
};

unsigned int link_dice(struct link *l); /* 0 to 999 */
/* One packet more, to arrive soon. Under the lock. */
void link_inject(struct link *l, int to, const uint8_t *data, size_t len);
/* Makes the checksum right again. */
void link_sum(uint8_t *data, size_t len);

/* Up, unless @is_raw: then only the thread runs. */
void link_init(struct link *l, bool is_raw);
void link_fini(struct link *l);
void link_open(struct link *l, int who, uint64_t message_max);
/* Carries packets until @done or @ms are over; what @done said last. */
bool link_run(struct link *l, bool (*done)(const struct link *l, const void *arg), const void *arg,
              unsigned int ms);
/* Carries packets for @ms. */
void link_for(struct link *l, unsigned int ms);
/* By label, ordered and reliable. */
int link_send(struct link *l, int who, const char *label, bool is_binary, const void *data,
              size_t len);
/* What happened at @who until now; valid until asked again. */
const struct end *link_end(struct link *l, int who);
void link_consume(struct link *l, int who);

/* cmocka's: *state is a link. */
int link_setup(void **state);
int link_setup_raw(void **state);
int link_teardown(void **state);
#define LINK_TEST(f)     cmocka_unit_test_setup_teardown(f, link_setup, link_teardown)
#define LINK_TEST_RAW(f) cmocka_unit_test_setup_teardown(f, link_setup_raw, link_teardown)

/* What is waited for: at @who, @n of it. */
struct want {
    int who;
    size_t n;
};
bool has_messages(const struct link *l, const void *want);
bool has_opened(const struct link *l, const void *want); /* channels */
bool has_closed(const struct link *l, const void *want);
bool is_down(const struct link *l, const void *want);
/* link_run with a struct want. */
bool link_until(struct link *l, bool (*done)(const struct link *l, const void *want), int who,
                size_t n, unsigned int ms);

#endif
