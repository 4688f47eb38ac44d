#include "media/media_layers.h"

#include <string.h>

#define TOP_TID 2 /* and whatever a stream has above it */
#define ESCAPE  4 /* times fallback_us: silence that lets a subscriber go above its target */

/* A layer that missed this many frames of another, and twice its own pace, has stopped. */
#define MISSED_FRAMES 2

void sl_layers_init(struct sl_layers *l, enum sl_layers_mode mode, bool video, uint8_t nlayers)
{
    memset(l, 0, sizeof(*l));
    l->mode = mode;
    l->video = video;
    l->nlayers = nlayers < 1 ? 1 : nlayers > SL_LAYERS_MAX ? SL_LAYERS_MAX : nlayers;
    l->fallback_us = SL_LAYERS_FALLBACK;
    l->wish_sub = l->grant_sub = l->wish_sid = l->grant_sid = SL_LAYERS_MAX - 1;
    l->wish_tid = l->grant_tid = TOP_TID;
    sl_layers_restart(l);
}

void sl_layers_restart(struct sl_layers *l)
{
    l->cur_sub = l->cur_tid = l->cur_sid = SL_LAYER_NONE;
    l->key_layer = SL_LAYER_NONE;
    l->has_frame = false;
    memset(l->layer, 0, sizeof(l->layer));
}

static void set_one(int8_t *v, int wanted, int top)
{
    if (wanted >= 0)
        *v = (int8_t)(wanted > top ? top : wanted);
}

void sl_layers_wish(struct sl_layers *l, int sub, int tid, int sid)
{
    set_one(&l->wish_sub, sub, SL_LAYERS_MAX - 1);
    set_one(&l->wish_tid, tid, TOP_TID);
    set_one(&l->wish_sid, sid, SL_LAYERS_MAX - 1);
}

void sl_layers_grant(struct sl_layers *l, int sub, int tid, int sid)
{
    set_one(&l->grant_sub, sub, SL_LAYERS_MAX - 1);
    set_one(&l->grant_tid, tid, TOP_TID);
    set_one(&l->grant_sid, sid, SL_LAYERS_MAX - 1);
}

void sl_layers_set_fallback(struct sl_layers *l, uint64_t fallback_us)
{
    l->fallback_us = fallback_us;
}

static int lower(int a, int b)
{
    return a < b ? a : b;
}

int sl_layers_target_sub(const struct sl_layers *l)
{
    return lower(lower(l->wish_sub, l->grant_sub), l->nlayers - 1);
}

int sl_layers_target_tid(const struct sl_layers *l)
{
    /* On the way down for want of bandwidth, until the key frame comes: as little as there is. */
    if (l->mode == SL_LAYERS_SIMULCAST && l->cur_sub > l->grant_sub)
        return 0;
    return lower(l->wish_tid, l->grant_tid);
}

int sl_layers_target_sid(const struct sl_layers *l)
{
    return lower(l->wish_sid, l->grant_sid);
}

/* ---- which layers are alive ------------------------------------------------------------------ */

/* Frames that are dropped now and then slow the pace down for a while. */
static void frame_begins(struct sl_layer_heard *h, uint64_t ts, uint64_t now_us)
{
    uint64_t us = now_us - h->frame_us;

    if (h->seen)
        h->pace_us = us > h->pace_us ? us : (7 * h->pace_us + us) / 8;
    h->ts = ts;
    h->frame_us = now_us;
}

void sl_layers_heard(struct sl_layers *l, int layer, uint64_t ts, uint64_t now_us)
{
    struct sl_layer_heard *me = &l->layer[layer];
    bool begins = !me->seen || (int64_t)(ts - me->ts) > 0;

    for (int i = 0; i < SL_LAYERS_MAX; i++) {
        struct sl_layer_heard *other = &l->layer[i];

        if (!other->seen || i == layer)
            continue;
        if (!other->quiet_us)
            other->quiet_us = now_us ? now_us : 1;
        if (begins && other->missed[layer] < UINT8_MAX)
            other->missed[layer]++;
    }
    if (begins)
        frame_begins(me, ts, now_us);
    me->seen = true;
    me->quiet_us = 0;
    memset(me->missed, 0, sizeof(me->missed));
}

/* Known before fallback_us has passed: others go on, at a pace at which it would have been heard.
 */
static bool has_stopped(const struct sl_layers *l, const struct sl_layer_heard *h, uint64_t now_us)
{
    uint64_t silence_us = now_us - h->frame_us;
    bool missed = false;

    for (int i = 0; i < SL_LAYERS_MAX; i++)
        missed |= h->missed[i] >= MISSED_FRAMES;
    return missed && h->pace_us && now_us > h->frame_us && silence_us >= 2 * l->fallback_us / 5 &&
           silence_us >= 7 * h->pace_us / 4; /* some jitter may be in it */
}

static bool is_alive(const struct sl_layers *l, int layer, uint64_t now_us)
{
    const struct sl_layer_heard *h = &l->layer[layer];

    if (!h->seen || !h->quiet_us || now_us < h->quiet_us)
        return h->seen;
    return now_us - h->quiet_us <= l->fallback_us && !has_stopped(l, h, now_us);
}

/* It may come back: worth waiting for when all that goes on is more than is wanted. */
static bool may_come_back(const struct sl_layers *l, int layer, uint64_t now_us)
{
    const struct sl_layer_heard *h = &l->layer[layer];

    return h->seen && now_us - h->quiet_us <= ESCAPE * l->fallback_us;
}

/* The best layer up to @target that is heard; for want of those, after a while, the lowest one
 * above; @cur when there is nothing better. */
static int best(const struct sl_layers *l, int target, int cur, uint64_t now_us)
{
    for (int i = target; i >= 0; i--)
        if (is_alive(l, i, now_us))
            return i;
    if (cur >= 0 && cur <= target && may_come_back(l, cur, now_us))
        return cur;
    for (int i = target + 1; i < SL_LAYERS_MAX; i++)
        if (is_alive(l, i, now_us))
            return i;
    return cur;
}

/* ---- key frames ------------------------------------------------------------------------------ */

static uint64_t key_pause_us(unsigned int tries)
{
    uint64_t us = SL_LAYERS_KEY_US;

    for (; tries > SL_LAYERS_KEY_TRIES && us < SL_LAYERS_KEY_MAX_US; tries--)
        us *= 2;
    return us < SL_LAYERS_KEY_MAX_US ? us : SL_LAYERS_KEY_MAX_US;
}

/* Asks for a key frame of @goal: at once when that is news, then again. */
static void want_key(struct sl_layers *l, int goal, uint64_t now_us, struct sl_layer_out *out)
{
    if (l->key_layer != goal) {
        l->key_layer = (int8_t)goal;
        l->key_tries = 0;
    } else if (now_us < l->key_next_us) {
        return;
    }
    if (l->key_tries < UINT8_MAX)
        l->key_tries++;
    l->key_next_us = now_us + key_pause_us(l->key_tries);
    /* SVC layers are all of one stream. */
    out->key_sub = l->mode == SL_LAYERS_SIMULCAST ? (int8_t)goal : 0;
}

static void check_goal(struct sl_layers *l, uint64_t now_us, struct sl_layer_out *out)
{
    int cur = l->mode == SL_LAYERS_SVC ? l->cur_sid : l->cur_sub, goal = cur;

    if (!l->video)
        return;
    if (l->mode == SL_LAYERS_SIMULCAST)
        goal = best(l, sl_layers_target_sub(l), cur, now_us);
    else if (l->mode == SL_LAYERS_SVC)
        goal = best(l, sl_layers_target_sid(l), cur, now_us);
    /* Without its upper layers a picture still is one: nothing to be asked for. */
    if (l->mode == SL_LAYERS_SVC && goal < cur && cur <= sl_layers_target_sid(l))
        goal = cur;
    if (cur == SL_LAYER_NONE)
        want_key(l, goal < 0 ? 0 : goal, now_us, out);
    else if (goal != cur)
        want_key(l, goal, now_us, out);
    else
        l->key_layer = SL_LAYER_NONE;
}

/* ---- decisions ------------------------------------------------------------------------------- */

static void set_tid(struct sl_layers *l, int tid, struct sl_layer_out *out)
{
    if (l->cur_tid == tid)
        return;
    l->cur_tid = (int8_t)tid;
    out->events |= SL_LAYER_EV_TEMPORAL;
}

/* @begins: the packet begins a frame (down at any, up at a sync point of the next layer). */
static bool passes_tid(struct sl_layers *l, const struct sl_payload_info *i, bool begins,
                       struct sl_layer_out *out)
{
    int target = sl_layers_target_tid(l);

    if (!i->has_tid)
        return true;
    if (begins) {
        if (i->key || target < l->cur_tid)
            set_tid(l, target, out);
        else if (i->sync && i->tid == l->cur_tid + 1 && i->tid <= target)
            set_tid(l, i->tid, out);
        else if (i->sync && i->tid <= l->cur_tid && i->sync_tid > l->cur_tid)
            set_tid(l, lower(i->sync_tid, target), out);
    }
    /* A target above what the stream has is reached by climbing to its highest layer. */
    return i->tid <= l->cur_tid || l->cur_tid == TOP_TID;
}

static void decide_single(struct sl_layers *l, const struct sl_layer_pkt *p,
                          struct sl_layer_out *out)
{
    if (l->cur_sub == SL_LAYER_NONE) {
        if (l->video && !p->info->key) {
            out->verdict = SL_LAYER_WAIT_KEY;
            return;
        }
        l->cur_sub = 0;
        out->verdict = SL_LAYER_SWITCH;
    }
    if (!passes_tid(l, p->info, p->info->start, out))
        out->verdict = SL_LAYER_DROP;
}

static bool is_on_the_way(int cur, int target, int sub)
{
    if (cur == SL_LAYER_NONE)
        return true;
    return (cur < sub && sub <= target) || (target <= sub && sub < cur);
}

static void decide_simulcast(struct sl_layers *l, const struct sl_layer_pkt *p, uint64_t now_us,
                             struct sl_layer_out *out)
{
    int sub = p->substream;

    sl_layers_heard(l, sub, p->ts, now_us);
    if (p->info->key && sub != l->cur_sub &&
        is_on_the_way(l->cur_sub, best(l, sl_layers_target_sub(l), l->cur_sub, now_us), sub)) {
        l->cur_sub = (int8_t)sub;
        out->verdict = SL_LAYER_SWITCH;
        out->events |= SL_LAYER_EV_SUBSTREAM;
    }
    if (l->cur_sub == SL_LAYER_NONE)
        out->verdict = SL_LAYER_WAIT_KEY;
    else if (l->cur_sub != sub)
        out->verdict = SL_LAYER_OTHER;
    else if (!passes_tid(l, p->info, p->info->start, out))
        out->verdict = SL_LAYER_DROP;
}

static void set_sid(struct sl_layers *l, int sid, struct sl_layer_out *out)
{
    if (l->cur_sid == sid)
        return;
    l->cur_sid = (int8_t)sid;
    out->events |= SL_LAYER_EV_SPATIAL;
}

/* Spatial decisions are made once per picture. */
static bool begin_picture(struct sl_layers *l, const struct sl_layer_pkt *p,
                          struct sl_layer_out *out)
{
    const struct sl_payload_info *i = p->info;
    int target = sl_layers_target_sid(l);

    if (l->has_frame && (int64_t)(p->ts - l->frame_ts) <= 0)
        return false;
    l->has_frame = true;
    l->frame_ts = p->ts;
    if (i->key)
        set_sid(l, i->has_ss && i->nspatial ? lower(target, i->nspatial - 1) : target, out);
    else if (i->flexible && target < l->cur_sid)
        set_sid(l, target, out);
    return true;
}

static void decide_svc(struct sl_layers *l, const struct sl_layer_pkt *p, uint64_t now_us,
                       struct sl_layer_out *out)
{
    const struct sl_payload_info *i = p->info;
    int sid = i->has_sid ? lower(i->sid, SL_LAYERS_MAX - 1) : 0;
    bool begins;

    sl_layers_heard(l, sid, p->ts, now_us);
    if (l->cur_sid == SL_LAYER_NONE && !i->key) {
        out->verdict = SL_LAYER_WAIT_KEY;
        return;
    }
    if (l->cur_sid == SL_LAYER_NONE) {
        out->verdict = SL_LAYER_SWITCH;
        l->has_frame = false;
        l->cur_sub = 0;
    }
    begins = begin_picture(l, p, out);
    /* Layers of which a lower one was dropped for its tid are of the same tid: same result. */
    if (!passes_tid(l, i, begins, out) || sid > l->cur_sid ||
        (i->has_sid && i->sid >= SL_LAYERS_MAX))
        out->verdict = SL_LAYER_DROP;
    else
        out->set_marker = i->has_sid && sid == l->cur_sid && i->end && !p->marker;
}

void sl_layers_decide(struct sl_layers *l, const struct sl_layer_pkt *p, uint64_t now_us,
                      struct sl_layer_out *out)
{
    *out = (struct sl_layer_out){ .verdict = SL_LAYER_FORWARD, .key_sub = SL_LAYER_NONE };
    if (l->mode == SL_LAYERS_SIMULCAST && p->substream >= l->nlayers) {
        out->verdict = SL_LAYER_OTHER;
        return;
    }
    if (l->mode == SL_LAYERS_SIMULCAST)
        decide_simulcast(l, p, now_us, out);
    else if (l->mode == SL_LAYERS_SVC)
        decide_svc(l, p, now_us, out);
    else
        decide_single(l, p, out);
    check_goal(l, now_us, out);
}

void sl_layers_tick(struct sl_layers *l, uint64_t now_us, struct sl_layer_out *out)
{
    *out = (struct sl_layer_out){ .verdict = SL_LAYER_OTHER, .key_sub = SL_LAYER_NONE };
    check_goal(l, now_us, out);
}
