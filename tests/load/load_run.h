/*
 * load_run.h - one run: the server, the users, the clock, and what every case measures.
 *
 * Thread: the only one.
 */
#ifndef TESTS_LOAD_RUN_H
#define TESTS_LOAD_RUN_H

#include "load_opt.h"
#include "load_proc.h"
#include "load_user.h"

enum { LOAD_STEADY, LOAD_OTHERS }; /* tallies: who is measured, and the capped or passing ones */

struct load_run {
    const struct load_opts *opts;
    struct load_loop loop;
    struct sl_cert *cert;
    struct load_server server;
    struct load_user_conf conf;
    struct load_tally *tally; /* LOAD_GROUPS */
    struct load_user **users; /* publishers first */
    size_t nusers, npublishers;
    uint64_t tick_us;
    json_t *result; /* what is reported, in order */
};

/* Starts the server and makes room. 0 or -errno. */
int load_run_init(struct load_run *r, const struct load_opts *o,
                  unsigned int publishers) SL_ON_WORKER;
void load_run_fini(struct load_run *r) SL_ON_WORKER;

/* SIGINT or SIGTERM came: everything returns early, and the run has failed. */
bool load_run_is_over(void);

/* NULL: it cannot be, and the reason was printed. */
struct load_user *load_run_add(struct load_run *r, size_t group, unsigned int room,
                               bool publishes) SL_ON_WORKER;
/* Its room's publishers, all of them. */
void load_run_watch(struct load_run *r, struct load_user *u) SL_ON_WORKER;
/* Takes it out; publishers stay. */
void load_run_remove(struct load_run *r, size_t at) SL_ON_WORKER;

/* One turn of the loop. */
void load_run_step(struct load_run *r) SL_ON_WORKER;
void load_run_for(struct load_run *r, double seconds) SL_ON_WORKER;

/* The publishers of all rooms, and then @n subscribers spread over them, until all are connected:
 * 0; -ETIMEDOUT, -EIO, -EINTR. */
int load_run_publish(struct load_run *r) SL_ON_WORKER;
int load_run_subscribe(struct load_run *r, size_t group, size_t n) SL_ON_WORKER;
/* The same in two steps: users with a session and nothing else; then all from @first on subscribe
 * to what there is in their rooms (publishers: to the others). */
int load_run_gather(struct load_run *r, size_t n) SL_ON_WORKER;
int load_run_connect(struct load_run *r, size_t first) SL_ON_WORKER;

/* The window: counts @seconds of what is sent, with the CPU of that time, and puts both into the
 * result. @audience: receivers of each packet, by group. Calls @each (may be NULL) every turn. */
void load_run_measure(struct load_run *r, const size_t audience[LOAD_GROUPS],
                      void (*each)(struct load_run *r, void *arg), void *arg) SL_ON_WORKER;

/* Adds a number to the result. */
void load_report(struct load_run *r, const char *key, double value);
/* Percentiles of @h in @unit_ns as key_p50 and so on. */
void load_report_hist(struct load_run *r, const char *key, const struct load_hist *h,
                      double unit_ns);
/* With --strict: 0, or -EDQUOT after having printed that a @what takes more than is allowed. */
int load_allow(const struct load_run *r, const char *what, double kib, double allowed_kib);
/* Prints the table and the JSON line. */
void load_report_print(const struct load_run *r);

#endif
