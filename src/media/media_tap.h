/*
 * media_tap.h - a plugin that looks at what a publisher sends (struct sl_tap of <sluice/plugin.h>).
 *
 * Thread: worker.  Owner: control makes it and hands it over; the track has it until its end, then
 * `done` hands it back. Costs a track without taps one look at a pointer per packet.
 */
#ifndef SL_MEDIA_TAP_H
#define SL_MEDIA_TAP_H

#include "base/list.h"
#include "base/role.h"
#include <sluice/plugin.h>

struct sl_mctx;
struct sl_pkt;

struct sl_media_tap {
    /* Given. */
    uint64_t id;
    struct sl_tap tap;
    const char *owner; /* the plugin's package */
    /* It is not used any more; any thread. */
    void (*done)(struct sl_media_tap *t);
    /* The track's. */
    struct sl_media_tap *next;
    struct sl_list waiting; /* in sl_mctx.taps while there are packets */
    struct sl_pkt *batch[SL_TAP_BATCH];
    size_t n;
};

/* Takes a reference. */
void sl_media_tap_push(struct sl_media_tap *t, struct sl_mctx *ctx,
                       struct sl_pkt *pkt) SL_ON_WORKER;
/* Hands over what waits, and gives the tap back; it is in no track any more. */
void sl_media_tap_end(struct sl_media_tap *t) SL_ON_WORKER;
/* Once per turn: all that wait. */
void sl_media_taps_run(struct sl_mctx *ctx) SL_ON_WORKER;

/* Whose `packets` runs on this thread; NULL: none. */
const char *sl_media_tap_running(void);

#endif
