/*
 * pc_world.h - what all peer connections share: the workers, the certificate, the ICE back end,
 * the addresses that are announced.
 *
 * Thread: control.  Owner: src/control/, which makes it at start and destroys it last.
 */
#ifndef SL_PC_WORLD_H
#define SL_PC_WORLD_H

#include "base/cq.h"
#include "pc/pc_media_conf.h"
#include <jansson.h>

struct sl_pc_world;

/* Borrowed during create. */
struct sl_pc_world_conf {
    unsigned int workers; /* 0: one per core */
    bool pin_workers;     /* each to a core */
    bool keep_sdps;       /* descriptions and candidates, for sl_pc_info */
    const struct sl_media_conf *media;
    struct sl_cq *cq; /* outlives the world */
};

/* Starts the threads. 0; -errno and one sentence in @err. */
int sl_pc_world_create(const struct sl_pc_world_conf *conf, struct sl_pc_world **out, char *err,
                       size_t cap) SL_ON_CONTROL;
/* Ends them: peers get close_notify. All struct sl_pc must be destroyed before. NULL is fine. */
void sl_pc_world_destroy(struct sl_pc_world *w) SL_ON_CONTROL;

/* What each did, as the administrator is told; a new array. */
json_t *sl_pc_world_loops(const struct sl_pc_world *w) SL_ON_CONTROL;

/* Packets lost in a second from which a slow link is told; 0: never. */
void sl_pc_world_set_slowlink(struct sl_pc_world *w, uint32_t packets) SL_ON_CONTROL;
/* Seconds without RTP after which that is told; 0: never. */
void sl_pc_world_set_no_media(struct sl_pc_world *w, uint32_t seconds) SL_ON_CONTROL;

#endif
