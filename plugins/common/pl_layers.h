/*
 * pl_layers.h - which layers a client wants to get, as requests say it.
 *
 * Members `substream`, `temporal`, `spatial_layer`, `temporal_layer` (0, 1 or 2), `fallback`
 * (microseconds), `min_delay` and `max_delay` (10 ms units); and how a video is shown: `width` and
 * `height` (pixels of the screen; 0: not at all), `priority` (-100 to 100).
 */
#ifndef PL_LAYERS_H
#define PL_LAYERS_H

#include <sluice/plugin.h>
#include <stddef.h>

/* The four layer targets: where each is kept in the wish and in the layers that are forwarded. */
struct pl_layer {
    const char *name;
    size_t wish, now;
};
#define PL_LAYERS 4
extern const struct pl_layer pl_layers[PL_LAYERS];

/* Types are checked already. 0, or -EINVAL and @text (SL_ARG_TEXT_MAX) says why. */
int pl_layers_check(const json_t *obj, char *text);
/* Takes over what is there. */
void pl_layers_read(const json_t *obj, struct sl_layer_wish *wish);
/* The same for how it is shown alone, types included. */
int pl_view_check(const json_t *obj, char *text);
void pl_view_read(const json_t *obj, struct sl_layer_wish *wish);
/* The layer that is forwarded when @obj asks for it, and no change will tell so; else -1. */
int8_t pl_layer_same(const struct pl_layer *l, const json_t *obj, const struct sl_layer_wish *wish,
                     const struct sl_layer_event *now);

#endif
