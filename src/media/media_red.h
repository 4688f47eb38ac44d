/*
 * media_red.h - redundant audio (RED) made for one subscriber: what was sent before goes along
 * with each packet, so that a lost one costs nothing.
 *
 * Only while the subscriber says that it loses packets, since it doubles the bytes; a packet of
 * before is a reference. For who negotiated RED, and opus that came without it.
 *
 * Spec:   RFC 2198
 * Thread: worker.  Owner: the sink, embedded.
 */
#ifndef SL_MEDIA_MEDIA_RED_H
#define SL_MEDIA_MEDIA_RED_H

#include "base/role.h"
#include <stddef.h>
#include <stdint.h>

struct sl_pkt;

#define SL_RED_DEPTH 2 /* packets of before that go along at most */

/* Loss in receiver reports, of 256. One packet goes along above SL_RED_LOSS, two above
 * SL_RED_LOSS_HIGH, after as many reports in a row, of which one of heavy loss counts twice (a
 * browser reports on audio each 5 s); less below half of it, after more of them. */
#define SL_RED_LOSS         8  /* 3 % */
#define SL_RED_LOSS_HIGH    26 /* 10 % */
#define SL_RED_REPORTS_UP   2
#define SL_RED_REPORTS_DOWN 5
#define SL_RED_BYTES        1000 /* of a payload with all */

struct sl_red_tx {
    uint8_t depth;                     /* packets that go along now; 0: off, and nothing is kept */
    uint8_t more, less;                /* reports in a row that asked for it */
    struct sl_pkt *past[SL_RED_DEPTH]; /* newest first; references */
    uint64_t packets;                  /* that others went along with */
};

/* A receiver report told of @fraction. */
void sl_red_tx_on_loss(struct sl_red_tx *r, uint8_t fraction) SL_ON_WORKER;
/* How many packets go along with @pkt; 0: it goes as it is. */
unsigned int sl_red_tx_pick(const struct sl_red_tx *r, const struct sl_pkt *pkt) SL_ON_WORKER;
/* Writes the payload of @pkt with @n of before, picked so, all of the payload type @pt, into
 * SL_RED_BYTES at @buf. Its length. */
size_t sl_red_tx_write(struct sl_red_tx *r, const struct sl_pkt *pkt, unsigned int n, uint8_t pt,
                       uint8_t *buf) SL_ON_WORKER;
/* @pkt went out, and may go along with the next ones. */
void sl_red_tx_note(struct sl_red_tx *r, const struct sl_pkt *pkt) SL_ON_WORKER;
/* Begins anew when there is loss again. */
void sl_red_tx_off(struct sl_red_tx *r) SL_ON_WORKER;
/* Another source: what was before has another clock. */
void sl_red_tx_forget(struct sl_red_tx *r) SL_ON_WORKER;

#endif
