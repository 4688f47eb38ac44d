/*
 * media_hold.h - what a thin path cannot take at once leaves in portions: staged slots that wait.
 *
 * How much leaves when is bwe_pace.h's; here is what waits. Reports and audio never do. Of the rest
 * resends go first, and each kind in its order, so that numbers leave as they were given. Slots are
 * encrypted and get their transport-wide number when they leave.
 *
 * Thread: worker.  Owner: struct sl_tx, embedded. A worker holds SL_HOLD_MAX slots of its pool at
 *         most; beyond them everything leaves at once.
 */
#ifndef SL_MEDIA_HOLD_H
#define SL_MEDIA_HOLD_H

#include "base/list.h"
#include "base/role.h"
#include "bwe/bwe_pace.h"
#include <stdbool.h>

struct sl_mctx;
struct sl_sink;
struct sl_slot;
struct sl_tx;

#define SL_HOLD_MAX 4096

/* What of a slot's connection goes first. */
enum sl_rank { SL_RANK_NOW, SL_RANK_RESEND, SL_RANK_MEDIA, SL_RANK_MAX };

struct sl_hold {
    struct sl_pace pace;
    struct {
        struct sl_slot *first, **last;
    } queue[SL_RANK_MAX]; /* SL_RANK_NOW is always empty */
    unsigned int n;
    size_t bytes;
    struct sl_list node; /* of ctx->holding, while something waits */
};

void sl_hold_init(struct sl_hold *h);
void sl_hold_fini(struct sl_tx *tx);                                /* drops what waits */
void sl_hold_forget(struct sl_hold *h, const struct sl_sink *sink); /* see sl_tx_forget */

/* @staged by next, NULL: nothing new. What of it, and of what waits, leaves now; the rest waits. */
struct sl_slot *sl_hold_pass(struct sl_tx *tx, struct sl_slot *staged) SL_ON_WORKER;
/* About @bytes of what waits, whatever the pace (a probe). */
struct sl_slot *sl_hold_take(struct sl_tx *tx, size_t bytes) SL_ON_WORKER;

#endif
