/*
 * impair_link.h - carries packets between two namespaces through the model of tests/sim, by the
 * real clock, and obeys lines of text meanwhile.
 *
 * A line is a request, and is answered by a line:
 *
 *   down rate=600k queue=300ms delay=50ms jitter=30ms    from far to near
 *   up loss=5% burst=1% burst_length=8 reorder=2% reorder_delay=10ms
 *   both loss=0                                          -> ok, or: error WHY
 *   stats     ->
 * {"down":{"packets":..,"bytes":..,"dropped":..,"lost":..,"queue_us":{..}},"up":{..}}
 *
 * What a line does not name stays. Rates in bit/s with k or M; times with us, ms or s; shares from
 * 0 to 1 or in %. Counts are of what was delivered since the beginning, queue_us since it was
 * last asked for.
 */
#ifndef SL_IMPAIR_LINK_H
#define SL_IMPAIR_LINK_H

#include "base/hist.h"
#include "impair_net.h"
#include "tests/sim/sim_link.h"

#define IMPAIR_LINE_MAX  512
#define IMPAIR_REPLY_MAX 512

struct impair_way {
    int from, to; /* TUN devices */
    struct sim_link link;
    uint64_t packets, bytes;
    struct sl_hist queue_us;
};

struct impair_link {
    struct impair_way down, up;
    int control;
    char line[IMPAIR_LINE_MAX];
    size_t len;
};

/* Nothing is lost or late at first, and a gigabit fits. @control: a stream of lines. */
struct impair_link *impair_link_create(const struct impair_net *n, int control);
void impair_link_destroy(struct impair_link *l);

/* Does what @line says; the answer, with its end of line, in @reply. */
void impair_link_obey(struct impair_link *l, char *line, char reply[IMPAIR_REPLY_MAX]);

/* Until the other end of the control stream is closed. 0 or -errno. */
int impair_link_run(struct impair_link *l);

#endif
