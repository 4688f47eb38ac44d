/* Routes and media control: kept here, done by the worker. */
#include "pc/pc_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int post(struct sl_pc *pc, struct sl_wmsg *m, uint16_t mindex) SL_ON_CONTROL
{
    if (!m)
        return -ENOMEM;
    m->mindex = mindex;
    sl_pc_world_post(pc->world, m);
    return 0;
}

static int post_flag(struct sl_pc *pc, enum sl_wmsg_type type, uint16_t mindex,
                     bool flag) SL_ON_CONTROL
{
    struct sl_wmsg *m = sl_wmsg_new(type, pc->id, 0);

    if (m)
        m->flag = flag;
    return post(pc, m, mindex);
}

static struct sl_pc_route *route_get(struct sl_pc *pc, uint16_t mindex)
{
    return mindex < pc->nroutes && pc->routes[mindex].is_set ? &pc->routes[mindex] : NULL;
}

static int route_slot(struct sl_pc *pc, uint16_t mindex, struct sl_pc_route **out)
{
    if (mindex >= SL_SDP_MLINES_MAX)
        return -ENOENT;
    if (mindex >= pc->nroutes) {
        struct sl_pc_route *r = realloc(pc->routes, (mindex + 1u) * sizeof(*r));

        if (!r)
            return -ENOMEM;
        memset(r + pc->nroutes, 0, (mindex + 1u - pc->nroutes) * sizeof(*r));
        pc->routes = r;
        pc->nroutes = mindex + 1u;
    }
    *out = &pc->routes[mindex];
    return 0;
}

static int send_route(struct sl_pc *to, uint16_t mindex, const struct sl_pc_route *r) SL_ON_CONTROL
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ROUTE_ADD, to->id, 0);

    if (m) {
        m->route.from = r->from;
        m->route.from_mindex = r->from_mindex;
        m->route.nlayers = r->nlayers;
        m->route.svc = r->svc;
        m->route.wish = r->wish;
    }
    return post(to, m, mindex);
}

int sl_pc_routes_apply(struct sl_pc *pc)
{
    int err = 0;

    for (size_t i = 0; i < pc->nroutes && !err; i++) {
        if (!pc->routes[i].is_set)
            continue;
        err = send_route(pc, (uint16_t)i, &pc->routes[i]);
        if (!err)
            err = post_flag(pc, SL_WMSG_ROUTE_PAUSE, (uint16_t)i, pc->routes[i].paused);
    }
    return err;
}

void sl_pc_source_of(const struct sl_mline *l, sl_id id, uint16_t mindex, struct sl_pc_source *out)
{
    *out = (struct sl_pc_source){
        .id = id,
        .mindex = mindex,
        .kind = l->kind,
        .codec = l->ncodecs ? l->codecs[0].codec : SL_CODEC_NONE,
        .nlayers = l->nlayers ? l->nlayers : 1,
        .svc = l->svc[0] != '\0',
    };
    memcpy(out->ext_id, l->ext_id, sizeof(out->ext_id));
}

int sl_pc_source(const struct sl_pc *pc, uint16_t mindex, struct sl_pc_source *out)
{
    size_t n;
    const struct sl_mline *lines = sl_jsep_lines(pc->jsep, &n);

    if (!lines || mindex >= n || lines[mindex].kind == SL_KIND_DATA)
        return -ENOENT;
    sl_pc_source_of(&lines[mindex], pc->id, mindex, out);
    out->svc = mindex < pc->nsvc && pc->svc[mindex][0] != '\0';
    return 0;
}

sl_id sl_pc_id(const struct sl_pc *pc)
{
    return pc->id;
}

int sl_pc_route_add(const struct sl_pc_source *from, struct sl_pc *to, uint16_t to_mindex,
                    const struct sl_layer_wish *wish)
{
    struct sl_pc_route *r;
    int err;

    err = route_slot(to, to_mindex, &r);
    if (err < 0)
        return err;
    r->is_set = true;
    r->from = from->id;
    r->from_mindex = from->mindex;
    r->nlayers = from->nlayers;
    r->svc = from->svc;
    r->wish = wish ? *wish : (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    /* Before the round is complete the worker knows no such m-line; then all are sent. */
    return sl_jsep_is_negotiated(to->jsep) ? send_route(to, to_mindex, r) : 0;
}

int sl_pc_route_del(struct sl_pc *to, uint16_t mindex)
{
    struct sl_pc_route *r = route_get(to, mindex);

    if (!r)
        return -ENOENT;
    *r = (struct sl_pc_route){ 0 };
    return post(to, sl_wmsg_new(SL_WMSG_ROUTE_DEL, to->id, 0), mindex);
}

int sl_pc_route_pause(struct sl_pc *to, uint16_t mindex, bool paused)
{
    struct sl_pc_route *r = route_get(to, mindex);

    if (!r)
        return -ENOENT;
    r->paused = paused;
    return post_flag(to, SL_WMSG_ROUTE_PAUSE, mindex, paused);
}

int sl_pc_route_layers(struct sl_pc *to, uint16_t mindex, const struct sl_layer_wish *wish)
{
    struct sl_pc_route *r = route_get(to, mindex);
    struct sl_wmsg *m;

    if (!r)
        return -ENOENT;
    r->wish = *wish;
    m = sl_wmsg_new(SL_WMSG_ROUTE_LAYERS, to->id, 0);
    if (m)
        m->route.wish = *wish;
    return post(to, m, mindex);
}

int sl_pc_keyframe(struct sl_pc *from, uint16_t mindex)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_KEYFRAME, from->id, 0);

    if (m)
        m->layer = -1;
    return post(from, m, mindex);
}

static int post_number(struct sl_pc *pc, enum sl_wmsg_type type, uint32_t number) SL_ON_CONTROL
{
    struct sl_wmsg *m = sl_wmsg_new(type, pc->id, 0);

    if (m)
        m->number = number;
    return post(pc, m, 0);
}

int sl_pc_bitrate(struct sl_pc *pc, uint32_t bps)
{
    return post_number(pc, SL_WMSG_BITRATE, bps);
}

int sl_pc_fir_interval(struct sl_pc *pc, uint32_t seconds)
{
    return post_number(pc, SL_WMSG_FIR_INTERVAL, seconds);
}

int sl_pc_gate(struct sl_pc *from, uint16_t mindex, bool closed)
{
    return post_flag(from, SL_WMSG_GATE, mindex, closed);
}

int sl_pc_talk_detect(struct sl_pc *from, uint16_t mindex, uint32_t packets, uint8_t threshold)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_TALK, from->id, 0);

    if (m) {
        m->talk.packets = packets;
        m->talk.threshold = threshold;
    }
    return post(from, m, mindex);
}

int sl_pc_voice(struct sl_pc *from, uint16_t mindex, enum sl_voice_mode mode)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_VOICE, from->id, 0);

    if (m)
        m->voice = mode;
    return post(from, m, mindex);
}
