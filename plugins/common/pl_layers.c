#include "pl_layers.h"
#include <sluice/args.h>

#define DELAY_MAX    4095 /* 12 bits on the wire */
#define SIZE_MAX_PX  16384
#define PRIORITY_MAX 100

#define ROW(name, field)                                                                           \
    {                                                                                              \
        name, offsetof(struct sl_layer_wish, field), offsetof(struct sl_layer_event, field)        \
    }

const struct pl_layer pl_layers[PL_LAYERS] = {
    ROW("substream", substream),
    ROW("temporal", temporal),
    ROW("spatial_layer", spatial),
    ROW("temporal_layer", svc_temporal),
};

static long long read_number(const json_t *obj, const char *name, long long def, long long low,
                             long long high)
{
    const long long v = sl_arg_int(obj, name, def);

    return v < low ? low : v > high ? high : v;
}

int pl_layers_check(const json_t *obj, char *text)
{
    for (size_t i = 0; i < PL_LAYERS; i++)
        if (sl_arg_int(obj, pl_layers[i].name, 0) > 2) {
            snprintf(text, SL_ARG_TEXT_MAX, "Invalid value (%s should be 0, 1 or 2)",
                     pl_layers[i].name);
            return -EINVAL;
        }
    return pl_view_check(obj, text);
}

int pl_view_check(const json_t *obj, char *text)
{
    static const struct sl_arg args[] = { { "width", SL_ARG_UINT },
                                          { "height", SL_ARG_UINT },
                                          { "priority", SL_ARG_INT } };
    const bool has_width = sl_arg_get(obj, "width"), has_height = sl_arg_get(obj, "height");
    const long long priority = sl_arg_int(obj, "priority", 0);

    if (sl_args_check(obj, args, SL_ARG_COUNT(args), text, SL_ARG_TEXT_MAX) < 0)
        return -EINVAL;
    if (has_width != has_height) {
        snprintf(text, SL_ARG_TEXT_MAX, "Invalid value (width and height go together)");
        return -EINVAL;
    }
    if (priority < -PRIORITY_MAX || priority > PRIORITY_MAX) {
        snprintf(text, SL_ARG_TEXT_MAX, "Invalid value (priority should be between %d and %d)",
                 -PRIORITY_MAX, PRIORITY_MAX);
        return -EINVAL;
    }
    return 0;
}

void pl_view_read(const json_t *obj, struct sl_layer_wish *w)
{
    w->priority = (int8_t)sl_arg_int(obj, "priority", w->priority);
    if (!sl_arg_get(obj, "width"))
        return;
    w->width = (int32_t)read_number(obj, "width", 0, 0, SIZE_MAX_PX);
    w->height = (int32_t)read_number(obj, "height", 0, 0, SIZE_MAX_PX);
    if (!w->width || !w->height)
        w->width = w->height = -1;
}

void pl_layers_read(const json_t *obj, struct sl_layer_wish *w)
{
    for (size_t i = 0; i < PL_LAYERS; i++) {
        int8_t *wish = (int8_t *)w + pl_layers[i].wish;

        *wish = (int8_t)sl_arg_int(obj, pl_layers[i].name, *wish);
    }
    w->fallback_us = (uint32_t)read_number(obj, "fallback", w->fallback_us, 0, UINT32_MAX);
    w->min_delay = (int32_t)read_number(obj, "min_delay", w->min_delay, -1, DELAY_MAX);
    w->max_delay = (int32_t)read_number(obj, "max_delay", w->max_delay, -1, DELAY_MAX);
    pl_view_read(obj, w);
}

int8_t pl_layer_same(const struct pl_layer *l, const json_t *obj, const struct sl_layer_wish *wish,
                     const struct sl_layer_event *now)
{
    const int8_t have = *((const int8_t *)now + l->now);

    return sl_arg_get(obj, l->name) && have == *((const int8_t *)wish + l->wish) ? have : -1;
}
