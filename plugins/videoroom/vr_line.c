#include "../common/pl_layers.h"
#include "vr_data.h"
#include "vr_sub.h"
#include "vr_view.h"
#include <errno.h>
#include <stdlib.h>

#define SPEAKER_PRIORITY 20 /* over others to whom the subscriber gave the same (-100 to 100) */
#define FALLBACK_US      250000

static struct sl_mref line_ref(const struct vr_line *l)
{
    return (struct sl_mref){ l->sub->h, l->mindex };
}

static void wish_reset(struct vr_line *l)
{
    l->wish = (struct sl_layer_wish){ 2, 2, 2, 2, FALLBACK_US, -1, -1, 0, 0, 0, 0 };
    l->now = (struct sl_layer_event){ -1, -1, -1, -1, 0, 0 };
}

/* The publisher's wishes about playout delay hold where the subscriber has none. */
static struct sl_layer_wish wish_of(const struct vr_line *l)
{
    struct sl_layer_wish w = l->wish;

    if (w.min_delay < 0 && w.max_delay < 0) {
        w.min_delay = l->src->min_delay;
        w.max_delay = l->src->max_delay;
    }
    if (vr_pub_is_speaker(l->src->pub))
        w.priority = (int8_t)(w.priority + SPEAKER_PRIORITY);
    w.tell = l->sub->tell;
    return w;
}

static bool line_is_like(const struct vr_line *l, enum sl_kind kind, enum sl_codec codec)
{
    return !l->data && l->kind == kind && l->codec.codec == codec;
}

bool vr_line_fits(const struct vr_line *l, const struct vr_stream *src)
{
    return line_is_like(l, src->kind, src->codec.codec);
}

/* A route needs an m-line that both ends agreed on, and a source that is one. */
static void line_route(struct vr_line *l)
{
    const bool wanted = l->src && l->src->pub->media && l->accepted;
    struct sl_layer_wish w;

    if (wanted) {
        w = wish_of(l);
        l->routed = vr_core->route_add(vr_stream_ref(l->src), line_ref(l), &w) == 0;
        vr_line_apply(l);
    } else if (l->routed) {
        vr_core->route_del(line_ref(l));
        l->routed = false;
    }
}

void vr_line_apply(struct vr_line *l)
{
    struct sl_layer_wish w;

    if (l->data)
        vr_data_apply(l);
    if (!l->routed)
        return;
    w = wish_of(l);
    vr_core->route_pause(line_ref(l), l->sub->paused || l->sub->revoked || l->rests || !l->send);
    vr_core->route_layers(line_ref(l), &w);
}

void vr_sub_apply(const struct vr_sub *s)
{
    for (size_t i = 0; i < s->nlines; i++)
        vr_line_apply(s->lines[i]);
}

void vr_line_attach(struct vr_line *l, struct vr_stream *src)
{
    if (l->src)
        vr_list_del(&l->in_stream);
    l->src = src;
    vr_list_add(&src->lines, &l->in_stream);
    line_route(l);
}

void vr_line_detach(struct vr_line *l)
{
    if (!l->src)
        return;
    vr_list_del(&l->in_stream);
    l->src = NULL;
    l->rests = false;
    if (!l->is_slot) {
        free(l->crossref);
        l->crossref = NULL;
    }
    line_route(l);
}

void vr_line_lost(struct vr_line *l)
{
    vr_line_detach(l);
    if (l->is_slot)
        return; /* it shows somebody else soon */
    vr_list_del(&l->sub->dirty);
    vr_list_add(&l->sub->room->dirty, &l->sub->dirty);
}

struct vr_line *vr_sub_line(const struct vr_sub *s, const char *sub_mid)
{
    char *end = NULL;
    const unsigned long i = strtoul(sub_mid, &end, 10);

    if (sub_mid[0] < '0' || sub_mid[0] > '9' || *end || i >= s->nlines)
        return NULL;
    return s->lines[i];
}

/* ---- wishes ---------------------------------------------------------------------------------- */

int vr_arg_layers(struct vr_req *r, const json_t *obj)
{
    static const struct sl_arg args[] = {
        { "substream", SL_ARG_UINT },      { "temporal", SL_ARG_UINT },
        { "fallback", SL_ARG_UINT },       { "spatial_layer", SL_ARG_UINT },
        { "temporal_layer", SL_ARG_UINT }, { "min_delay", SL_ARG_INT },
        { "max_delay", SL_ARG_INT },
    };

    if (VR_ARGS(r, obj, args) < 0)
        return -1;
    if (pl_layers_check(obj, r->error.text) < 0) {
        r->error.code = VR_ERR_INVALID;
        return -1;
    }
    return 0;
}

bool vr_line_wish_read(struct vr_line *l, const json_t *item)
{
    const struct sl_layer_wish old = l->wish;

    pl_layers_read(item, &l->wish);
    return memcmp(&old, &l->wish, sizeof(old)) != 0;
}

void vr_sub_tell_read(struct vr_sub *s, const json_t *body)
{
    const uint8_t anew = s->tell < UINT8_MAX ? s->tell + 1 : 1;

    if (sl_arg_get(body, "quality"))
        s->tell = sl_arg_bool(body, "quality", false) ? anew : 0;
}

void vr_line_tell(const struct vr_line *l, const char *name, json_t *value)
{
    json_t *event = vr_room_event(l->sub->room, "event");
    char mid[8];

    snprintf(mid, sizeof(mid), "%u", l->mindex);
    json_object_set_new(event, "mid", json_string(mid));
    json_object_set_new(event, name, value);
    vr_core->event(l->sub->h, NULL, event, NULL);
}

void vr_line_confirm(const struct vr_line *l, const json_t *item)
{
    if (!l->src || !(l->src->simulcast || l->src->svc))
        return;
    for (size_t i = 0; i < PL_LAYERS; i++) {
        const int8_t same = pl_layer_same(&pl_layers[i], item, &l->wish, &l->now);

        if (same >= 0)
            vr_line_tell(l, pl_layers[i].name, json_integer(same));
    }
}

/* ---- what to subscribe to -------------------------------------------------------------------- */

/* More than fit, since what is there already counts, too. */
#define ASKS_MAX (4 * VR_LINES_MAX)

struct asks {
    struct vr_line_ask *v;
    size_t n, cap;
};

static int ask_append(struct vr_req *r, struct asks *a, struct vr_line_ask ask)
{
    if (a->n == ASKS_MAX)
        return vr_fail(r, VR_ERR_INVALID, "Too many streams in one subscription");
    if (a->n == a->cap) {
        const size_t cap = a->cap ? 2 * a->cap : 8;
        struct vr_line_ask *v = realloc(a->v, cap * sizeof(*v));

        if (!v)
            return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
        a->v = v;
        a->cap = cap;
    }
    a->v[a->n++] = ask;
    return 0;
}

static int ask_add(struct vr_req *r, struct asks *a, struct vr_stream *src, const json_t *item)
{
    if (src->disabled || (src->codec.codec == SL_CODEC_NONE && src->kind != SL_KIND_DATA))
        return 0;
    return ask_append(r, a, (struct vr_line_ask){ src, item, src->kind, 0 });
}

/* The first feed decides whether a subscription is end-to-end encrypted. */
static int e2ee_check(struct vr_req *r, const struct vr_sub *s, const struct asks *a,
                      const struct vr_pub *feed)
{
    bool e2ee = feed->e2ee;

    for (size_t i = a->n; i-- > 0;)
        if (a->v[i].src)
            e2ee = a->v[i].src->pub->e2ee;
    for (size_t i = 0; i < s->nlines; i++)
        if (s->lines[i]->src || vr_data_has_feeds(s->lines[i]))
            e2ee = s->e2ee;
    if (feed->e2ee != e2ee)
        return vr_fail(r, VR_ERR_INVALID_FEED,
                       "Can't mix normal and end-to-end encrypted feeds in one subscription");
    return 0;
}

static int feed_add(struct vr_req *r, const struct vr_sub *s, struct asks *a,
                    const struct vr_pub *feed, const char *mid, const json_t *item)
{
    if (e2ee_check(r, s, a, feed) < 0)
        return -1;
    if (mid) {
        struct vr_stream *src = vr_pub_stream(feed, mid);

        if (!src)
            return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such mid '%.32s' in feed (%s)", mid,
                           feed->id.s);
        return ask_add(r, a, src, item);
    }
    for (size_t i = 0; i < feed->nstreams; i++)
        if (ask_add(r, a, feed->streams[i], item) < 0)
            return -1;
    return 0;
}

static int item_add(struct vr_req *r, const struct vr_sub *s, struct asks *a, const json_t *item)
{
    static const struct sl_arg args[] = {
        { "mid", SL_ARG_STRING },
        { "crossrefid", SL_ARG_STRING },
        { "send", SL_ARG_BOOL },
    };
    struct vr_line_ask slot;
    struct vr_pub *feed;
    struct pl_id id;

    if (sl_arg_get(item, "slot"))
        return vr_slot_ask(r, s, item, &slot) < 0 ? -1 : ask_append(r, a, slot);
    if (vr_arg_id(r, item, "feed", &id) < 0 || VR_ARGS(r, item, args) < 0 ||
        vr_arg_layers(r, item) < 0)
        return -1;
    feed = vr_pub_find(s->room, &id);
    if (!feed || !feed->up)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such feed (%s)", id.s);
    return feed_add(r, s, a, feed, sl_arg_str(item, "mid", NULL), item);
}

int vr_sub_asks(struct vr_req *r, struct vr_sub *s, const json_t *items, struct vr_line_ask **asks,
                size_t *n)
{
    struct asks a = { 0 };
    const json_t *item;
    size_t i;

    if (json_array_size(items) == 0)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (streams should not be empty)");
    json_array_foreach(items, i, item)
    {
        if (item_add(r, s, &a, item) < 0) {
            free(a.v);
            return -1;
        }
    }
    *asks = a.v;
    *n = a.n;
    return 0;
}

int vr_sub_asks_legacy(struct vr_req *r, struct vr_sub *s, const struct vr_pub *feed,
                       struct vr_line_ask **asks, size_t *n)
{
    static const char *const offer[] = { "offer_audio", "offer_video", "offer_data" };
    struct asks a = { 0 };

    for (size_t i = 0; i < feed->nstreams; i++) {
        if (!sl_arg_bool(r->body, offer[feed->streams[i]->kind], true))
            continue;
        if (ask_add(r, &a, feed->streams[i], NULL) < 0) {
            free(a.v);
            return -1;
        }
    }
    (void)s;
    *asks = a.v;
    *n = a.n;
    return 0;
}

/* ---- subscribing ----------------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_subscribed(const struct vr_sub *s, const struct vr_stream *src, const char *crossref)
{
    for (size_t i = 0; i < s->nlines; i++)
        if (s->lines[i]->src == src && !s->lines[i]->is_slot &&
            is_same(s->lines[i]->crossref, crossref))
            return true;
    return false;
}

static struct vr_line *line_append(struct vr_sub *s)
{
    struct vr_line **bigger = realloc(s->lines, (s->nlines + 1) * sizeof(struct vr_line *));
    struct vr_line *l;

    if (!bigger)
        return NULL;
    s->lines = bigger;
    l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->sub = s;
    l->mindex = (uint16_t)s->nlines;
    vr_list_init(&l->in_stream);
    s->lines[s->nlines++] = l;
    return l;
}

/* An inactive line of the same kind and codec, else a new one; it is as good as new. */
static struct vr_line *line_find(struct vr_sub *s, enum sl_kind kind, const struct sl_mcodec *codec,
                                 bool is_red)
{
    struct vr_line *l = NULL;

    for (size_t i = 0; i < s->nlines && !l; i++)
        if (!s->lines[i]->src && !s->lines[i]->is_slot &&
            line_is_like(s->lines[i], kind, codec->codec))
            l = s->lines[i];
    if (!l)
        l = line_append(s);
    if (!l)
        return NULL;
    l->kind = kind;
    l->codec = *codec; /* its payload type is the core's business */
    /* Whoever has it gets it when packets are lost, whatever the publisher sends. */
    l->red = is_red || (s->room->set.opus_red && codec->codec == SL_CODEC_OPUS);
    l->accepted = false; /* its next answer counts */
    wish_reset(l);
    return l;
}

static bool ask_send(const struct vr_line_ask *ask, bool def)
{
    return sl_arg_str(ask->item, "mid", NULL) ? sl_arg_bool(ask->item, "send", def) : def;
}

/* Whether something changed: 0 or 1; or -errno. */
static int media_add(struct vr_sub *s, const struct vr_line_ask *ask)
{
    const char *crossref = sl_arg_str(ask->item, "crossrefid", NULL);
    struct vr_stream *src = ask->src;
    struct sl_mcodec codec;
    struct vr_line *l;
    bool red;

    if (src ? is_subscribed(s, src, crossref) : vr_slot_find(s, ask->kind, ask->slot) != NULL)
        return 0;
    if (s->nlines >= VR_LINES_MAX)
        return -E2BIG;
    if (!src)
        vr_slot_codec(s->room, ask->kind, &codec, &red);
    l = line_find(s, ask->kind, src ? &src->codec : &codec, src ? src->red : red);
    if (!l)
        return -ENOMEM;
    l->crossref = crossref ? strdup(crossref) : NULL;
    l->send = src ? ask_send(ask, true) : sl_arg_bool(ask->item, "send", true);
    vr_line_wish_read(l, ask->item);
    if (src)
        vr_line_attach(l, src);
    else
        vr_slot_set(l, ask->slot);
    return 1;
}

/* The same: the line for data serves all feeds, and its name and gate are those of all. */
static int data_add(struct vr_sub *s, const struct vr_line_ask *ask)
{
    const char *crossref = sl_arg_str(ask->item, "crossrefid", NULL);
    struct vr_line *l = vr_data_line(s);
    int err;

    if (l && vr_data_takes(l, ask->src))
        return 0;
    if (!l) {
        if (s->nlines >= VR_LINES_MAX)
            return -E2BIG;
        l = line_append(s);
        err = l ? vr_data_init(l) : -ENOMEM;
        if (err) {
            if (l)
                free(s->lines[--s->nlines]);
            return err;
        }
        l->kind = SL_KIND_DATA;
        l->send = true;
        l->crossref = crossref ? strdup(crossref) : NULL;
        wish_reset(l);
    }
    l->send = ask_send(ask, l->send);
    vr_data_apply(l);
    err = vr_data_add(l, ask->src);
    return err ? err : 1;
}

int vr_sub_add(struct vr_sub *s, const struct vr_line_ask *asks, size_t n)
{
    int changed = 0, added = 0;

    s->is_quiet = true; /* what it shows is in the answer */
    for (size_t i = 0; i < n && added >= 0; i++) {
        added = asks[i].kind == SL_KIND_DATA ? data_add(s, &asks[i]) : media_add(s, &asks[i]);
        if (added > 0 && asks[i].src)
            s->e2ee = asks[i].src->pub->e2ee;
        changed += added;
    }
    vr_view_update(s);
    s->is_quiet = false;
    return added < 0 ? added : changed;
}

int vr_sub_remove_check(struct vr_req *r, const json_t *items)
{
    static const struct sl_arg args[] = { { "mid", SL_ARG_STRING }, { "sub_mid", SL_ARG_STRING } };
    const json_t *item;
    struct pl_id id;
    size_t i;

    if (json_array_size(items) == 0)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (streams should not be empty)");
    json_array_foreach(items, i, item)
    {
        if (VR_ARGS(r, item, args) < 0)
            return -1;
        if (sl_arg_get(item, "feed") && vr_arg_id(r, item, "feed", &id) < 0)
            return -1;
        if (!sl_arg_get(item, "feed") && !sl_arg_get(item, "sub_mid"))
            return vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (feed|sub_mid)");
    }
    return 0;
}

/* The lines of one item of unsubscribe. */
static int item_remove(struct vr_sub *s, const json_t *item)
{
    const char *sub_mid = sl_arg_str(item, "sub_mid", NULL), *mid = sl_arg_str(item, "mid", NULL);
    struct vr_line *l = sub_mid ? vr_sub_line(s, sub_mid) : NULL;
    int changed = 0;
    struct pl_id id;

    if (sub_mid) {
        if (l && l->data)
            return vr_data_remove(l, NULL, NULL);
        changed = l && (l->src || l->is_slot);
        if (l) {
            vr_slot_set(l, -1);
            vr_line_detach(l);
        }
        return changed;
    }
    if (!pl_id_parse(json_object_get(item, "feed"), vr_conf.string_ids, &id))
        return 0;
    for (size_t i = 0; i < s->nlines; i++) {
        l = s->lines[i];
        if (l->data)
            changed += vr_data_remove(l, id.s, mid);
        if (!l->src || l->is_slot || strcmp(id.s, l->src->pub->id.s) != 0 ||
            (mid && strcmp(mid, l->src->mid) != 0))
            continue;
        vr_line_detach(l);
        changed++;
    }
    return changed;
}

int vr_sub_remove(struct vr_sub *s, const json_t *items)
{
    const json_t *item;
    int changed = 0;
    size_t i;

    json_array_foreach(items, i, item) changed += item_remove(s, item);
    return changed;
}
