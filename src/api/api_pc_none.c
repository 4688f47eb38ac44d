/*
 * A build without media: no worker ever has room for a peer connection, so none exists and the
 * other functions are never reached.
 */

#include "api/api_pc.h"
#include <errno.h>
#include <stdlib.h>

int sl_pc_create(struct sl_pc_world *w, const struct sl_pc_cb *cb, void *arg, struct sl_pc **out)
{
    return -EAGAIN;
}

void sl_pc_destroy(struct sl_pc *pc)
{
    if (pc)
        abort();
}

int sl_pc_set_remote(struct sl_pc *pc, struct sl_arena *a, const struct sl_pc_remote *in,
                     struct sl_jsep_in *out, struct sl_pc_error *err)
{
    abort();
}

void sl_pc_rollback(struct sl_pc *pc)
{
    abort();
}

bool sl_pc_is_negotiated(const struct sl_pc *pc)
{
    abort();
}

bool sl_pc_is_up(const struct sl_pc *pc)
{
    abort();
}

bool sl_pc_awaits_answer(const struct sl_pc *pc)
{
    abort();
}

int sl_pc_set_local(struct sl_pc *pc, const struct sl_jsep_out *out, sl_pc_local_fn done, void *arg)
{
    abort();
}

void sl_pc_candidate(struct sl_pc *pc, const char *text, const char *mid, int mindex)
{
    abort();
}

const struct sl_mline *sl_pc_lines(const struct sl_pc *pc, size_t *n)
{
    abort();
}

bool sl_pc_is_e2ee(const struct sl_pc *pc)
{
    abort();
}

int sl_pc_route_add(struct sl_pc *from, uint16_t from_mindex, struct sl_pc *to, uint16_t to_mindex,
                    const struct sl_layer_wish *wish)
{
    abort();
}

int sl_pc_route_del(struct sl_pc *to, uint16_t mindex)
{
    abort();
}

int sl_pc_route_pause(struct sl_pc *to, uint16_t mindex, bool paused)
{
    abort();
}

int sl_pc_route_layers(struct sl_pc *to, uint16_t mindex, const struct sl_layer_wish *wish)
{
    abort();
}

int sl_pc_keyframe(struct sl_pc *from, uint16_t mindex)
{
    abort();
}

int sl_pc_bitrate(struct sl_pc *pc, uint32_t bps)
{
    abort();
}

int sl_pc_fir_interval(struct sl_pc *pc, uint32_t seconds)
{
    abort();
}

int sl_pc_gate(struct sl_pc *from, uint16_t mindex, bool closed)
{
    abort();
}

int sl_pc_talk_detect(struct sl_pc *from, uint16_t mindex, uint32_t packets, uint8_t threshold)
{
    abort();
}
