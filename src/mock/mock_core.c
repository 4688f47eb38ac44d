#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mock/mock_state.h"

struct mock mock;
static const char *place_file = __FILE__; /* from where the mock was called last */
static int place_line = __LINE__;

void mock_at(const char *file, int line)
{
    place_file = file;
    place_line = line;
}

void mock_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vprint_error(fmt, ap);
    va_end(ap);
    print_error("\n");
    _fail(place_file, place_line);
    abort(); /* it does not return */
}

struct handle *mock_handle(sl_hid h)
{
    if (h < 1 || h > mock.nhandles || !mock.handles[h - 1]->attached)
        return NULL;
    return mock.handles[h - 1];
}

struct seen *mock_seen_add(struct handle *hd, enum seen_type type)
{
    struct seen *s = calloc(1, sizeof(*s));

    mock_check(s, "out of memory");
    s->type = type;
    s->order = ++mock.next_order;
    *hd->last = s;
    hd->last = &s->next;
    return s;
}

static void core_reply(struct sl_msg *m, json_t *data)
{
    mock_on_control("reply");
    mock_check(!m->acked && !m->ended, "reply: the request has its ack or its answer already");
    m->ended = true;
    m->reply = data;
}

static void core_ack(struct sl_msg *m, const char *hint)
{
    mock_on_control("ack");
    (void)hint;
    mock_check(!m->acked && !m->ended, "ack: the request has its ack or its answer already");
    m->acked = true;
}

/* What the core asks of one line of a description. */
static bool line_fits(const struct handle *hd, size_t i, const struct sl_mline *l, bool answer)
{
    if (answer && (l->kind != hd->offered[i].kind || (l->dir & ~hd->offered[i].dir) ||
                   (hd->offered[i].rejected && !l->rejected)))
        return false;
    if (!answer && i < hd->nlines && l->kind != hd->lines[i].want.kind)
        return false;
    return l->kind == SL_KIND_DATA || l->rejected || l->ncodecs >= 1;
}

static int jsep_take(struct handle *hd, const struct sl_jsep_out *j)
{
    const bool answer = j->type == SL_JSEP_ANSWER;

    if (!answer && (hd->awaits_answer || hd->has_offer))
        return -EBUSY;
    if (answer ? !hd->has_offer || j->nlines != hd->noffered
               : j->nlines < hd->nlines || j->nlines > MOCK_LINES || j->nlines == 0)
        return -EINVAL;
    for (size_t i = 0; i < j->nlines; i++)
        if (!line_fits(hd, i, &j->lines[i], answer))
            return -EINVAL;
    for (size_t i = 0; i < j->nlines; i++) {
        struct mock_line *ml = &hd->lines[i];

        ml->want = j->lines[i];
        ml->noffered = ml->want.ncodecs < MOCK_CODECS ? ml->want.ncodecs : MOCK_CODECS;
        if (ml->noffered) {
            ml->codec = ml->want.codecs[0];
            memmove(ml->offered, ml->want.codecs, ml->noffered * sizeof(ml->offered[0]));
            ml->want.ncodecs = 1;
        }
        ml->want.codecs = &ml->codec;
        if (!answer && !ml->want.mid[0])
            snprintf(ml->want.mid, sizeof(ml->want.mid), "%u", (unsigned)i & 0xffff);
    }
    hd->nlines = j->nlines;
    hd->has_pc = true;
    hd->has_offer = hd->offer_kept = false;
    hd->awaits_answer = !answer;
    hd->restart = j->restart;
    hd->e2ee = j->e2ee;
    snprintf(hd->session_name, sizeof(hd->session_name), "%s",
             j->session_name ? j->session_name : "Sluice");
    return 0;
}

static int core_event(sl_hid h, struct sl_msg *m, json_t *data, const struct sl_jsep_out *jsep)
{
    struct handle *hd = mock_handle(h);
    struct seen *s;
    int err = hd ? 0 : -ESTALE;

    mock_on_control("event");
    mock_check(data, "event: without data (json_pack gives NULL when a value is NULL)");
    if (!err && jsep)
        err = jsep_take(hd, jsep);
    if (err) {
        json_decref(data);
        return err;
    }
    s = mock_seen_add(hd, SEEN_EVENT);
    s->data = data;
    s->jsep = jsep ? jsep->type : SL_JSEP_NONE;
    if (m) {
        mock_check(m->h == h, "event: the request is one of another handle");
        mock_check(m->acked && !m->ended, "event: the request is %s",
                   m->ended ? "answered already" : "not acknowledged");
        m->ended = true;
        s->tx = m->tx;
    }
    return 0;
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* The connection is gone at once, with all that hangs on it. */
static void pc_free(sl_hid h, struct handle *hd)
{
    mock_taps_end(h);
    mock_data_clear(hd);
    hd->has_pc = hd->up = hd->awaits_answer = hd->has_offer = hd->offer_kept = false;
    hd->nlines = 0;
    memset(hd->lines, 0, sizeof(hd->lines));
    memset(hd->routes, 0, sizeof(hd->routes));
}

static void tell_down(sl_hid h, struct handle *hd, const char *reason)
{
    hd->down_wanted = false;
    if (mock.plugin->media_down)
        mock.plugin->media_down(h, hd->state, reason);
    snprintf(mock_seen_add(hd, SEEN_HANGUP)->reason, 64, "%s", reason);
}

void mock_pc_close(sl_hid h, const char *reason)
{
    struct handle *hd = mock_handle(h);

    if (!hd)
        return;
    mock_enter();
    if (hd->down_wanted)
        tell_down(h, hd, hd->reason);
    if (hd->has_pc) {
        pc_free(h, hd);
        tell_down(h, hd, reason);
    }
    mock_leave();
}

void mock_handle_end(sl_hid h)
{
    struct handle *hd = mock_handle(h);

    if (!hd)
        return;
    mock_enter();
    hd->end_wanted = false;
    mock_pc_close(h, "Detached");
    hd->attached = false;
    mock.plugin->detach(h, hd->state);
    hd->state = NULL;
    mock_leave();
}

void mock_enter(void)
{
    mock.depth++;
}

void mock_leave(void)
{
    for (sl_hid h = 1; mock.depth == 1 && h <= mock.nhandles; h++) {
        struct handle *hd = mock_handle(h);

        if (!hd || (!hd->end_wanted && !hd->down_wanted))
            continue;
        if (hd->end_wanted)
            mock_handle_end(h);
        else
            tell_down(h, hd, hd->reason);
        h = 0; /* others may have been ended by it */
    }
    mock.depth--;
}

static void core_end_handle(sl_hid h)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("end_handle");
    if (!hd)
        return;
    mock_check(!hd->end_wanted, "end_handle: the handle has been ended already");
    hd->end_wanted = true;
    if (!mock.depth)
        mock_handle_end(h);
}

static void core_close_pc(sl_hid h, const char *reason)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("close_pc");
    if (!hd || !hd->has_pc)
        return;
    mock_enter();
    pc_free(h, hd);
    hd->down_wanted = true;
    snprintf(hd->reason, sizeof(hd->reason), "%s", reason ? reason : "Close PC");
    mock_leave();
}

static int core_offer_keep(sl_hid h)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("offer_keep");
    if (!hd || !hd->has_offer)
        return hd ? -ENOENT : -ESTALE;
    hd->offer_kept = true;
    return 0;
}

static void core_place(sl_hid h, uint64_t group)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("place");
    if (hd) /* one that is being detached is none any more */
        hd->group = group;
}

struct mock_line *mock_line_get(struct sl_mref r)
{
    struct handle *hd = mock_handle(r.handle);

    if (r.handle & MOCK_ENDPOINT)
        return mock_endpoint_line(r);
    return hd && hd->has_pc && r.mindex < hd->nlines ? &hd->lines[r.mindex] : NULL;
}

/* What a call says of an m-line that is not there. */
static int missing(sl_hid h)
{
    return mock_handle(h) || mock_endpoint_get(h) ? -ENOENT : -ESTALE;
}

static struct mock_route *route_of(struct sl_mref r)
{
    return mock_line_get(r) ? &mock_handle(r.handle)->routes[r.mindex] : NULL;
}

static int core_route_add(struct sl_mref from, struct sl_mref to, const struct sl_layer_wish *wish)
{
    struct mock_line *src = mock_line_get(from), *dst = mock_line_get(to);
    struct mock_route *r = route_of(to);

    mock_on_control("route_add");
    if (!src || !dst)
        return missing(src ? to.handle : from.handle);
    mock_check(src->want.kind == dst->want.kind && src->codec.codec == dst->codec.codec,
               "route_add: m-lines %u and %u are of different kinds or codecs", from.mindex,
               to.mindex);
    mock_check(src->want.dir & SL_DIR_RECV, "route_add: nothing is received on m-line %u",
               from.mindex);
    r->active = true;
    r->paused = false;
    r->from = from;
    r->wish = wish ? *wish : (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    return 0;
}

static int core_route_del(struct sl_mref to)
{
    struct mock_route *r = route_of(to);

    mock_on_control("route_del");
    if (!r)
        return missing(to.handle);
    memset(r, 0, sizeof(*r));
    return 0;
}

static int core_route_pause(struct sl_mref to, bool paused)
{
    struct mock_route *r = route_of(to);

    mock_on_control("route_pause");
    if (!r || !r->active)
        return missing(to.handle);
    r->paused = paused;
    return 0;
}

static int core_route_layers(struct sl_mref to, const struct sl_layer_wish *wish)
{
    struct mock_route *r = route_of(to);

    mock_on_control("route_layers");
    if (!r || !r->active)
        return missing(to.handle);
    r->wish = *wish;
    return 0;
}

static int core_keyframe(struct sl_mref from)
{
    struct mock_line *l = mock_line_get(from);

    mock_on_control("keyframe");
    if (!l)
        return missing(from.handle);
    l->keyframes++;
    return 0;
}

static int core_bitrate(sl_hid h, uint32_t bps)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("bitrate");
    if (!hd || !hd->has_pc)
        return missing(h);
    hd->bitrate = bps;
    return 0;
}

static int core_gate(struct sl_mref from, bool closed)
{
    struct mock_line *l = mock_line_get(from);

    mock_on_control("gate");
    if (!l)
        return missing(from.handle);
    l->closed = closed;
    return 0;
}

static int core_fir_interval(sl_hid h, uint32_t seconds)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("fir_interval");
    if (!hd || !hd->has_pc)
        return missing(h);
    hd->fir = seconds;
    return 0;
}

static int core_voice(struct sl_mref from, enum sl_voice_mode mode)
{
    struct mock_line *l = mock_line_get(from);

    mock_on_control("voice");
    if (!l)
        return missing(from.handle);
    l->voice = mode;
    return 0;
}

static int core_talk_detect(struct sl_mref from, uint32_t packets, uint8_t threshold)
{
    struct mock_line *l = mock_line_get(from);

    mock_on_control("talk_detect");
    if (!l)
        return missing(from.handle);
    l->talk_packets = packets;
    l->talk_threshold = threshold;
    return 0;
}

static const struct sl_mline *core_lines(sl_hid h, size_t *n)
{
    static struct sl_mline lines[MOCK_LINES];
    struct handle *hd = mock_handle(h);

    mock_on_control("lines");
    if (!hd || !hd->has_pc)
        return NULL;
    for (size_t i = 0; i < hd->nlines; i++) {
        lines[i] = hd->lines[i].want;
        for (int e = 0; e < SL_EXT_MAX; e++)
            lines[i].ext_id[e] = lines[i].exts & SL_EXT_BIT(e) ? (uint8_t)(e + 1) : 0;
    }
    *n = hd->nlines;
    return lines;
}

static bool core_is_up(sl_hid h)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("is_up");
    return hd && hd->up;
}

static uint64_t core_random_id(void)
{
    return (1000000007ull * ++mock.next_id) % ((1ull << 52) - 1) + 1;
}

static void core_random_uuid(char out[37])
{
    snprintf(out, 37, "00000000-0000-4000-8000-%012llx",
             (unsigned long long)++mock.next_id & 0xffffffffffff);
}

static bool core_secret_is_equal(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool core_token_is_valid(const char *token, const char *realm, const char *descriptor)
{
    char want[512];

    mock_on_control("token_is_valid");
    snprintf(want, sizeof(want), "good/%s/%s", realm, descriptor);
    return mock.signed_tokens && token && strcmp(token, want) == 0;
}

static bool core_signed_tokens(void)
{
    mock_on_control("signed_tokens");
    return mock.signed_tokens;
}

static bool core_may(sl_hid h, const char *what)
{
    mock_on_control("may");
    (void)h, (void)what;
    return mock.may;
}

static void core_log(int level, const char *event, const char *text)
{
    (void)level, (void)event, (void)text;
}

static void core_notify(sl_hid h, json_t *event)
{
    const char *dot = strrchr(mock.plugin->package, '.');
    const char *key = json_object_get(event, "event") || !dot ? "event" : dot + 1;
    const char *name = json_string_value(json_object_get(event, key));
    char text[128];

    (void)h;
    mock_on_control("notify");
    if (name) {
        snprintf(text, sizeof(text), "%s:%s", key, name);
        json_object_set_new(
            mock.notified, text,
            json_integer(json_integer_value(json_object_get(mock.notified, text)) + 1));
    }
    json_decref(event);
}

static const json_t *core_config(void)
{
    mock_on_control("config");
    return mock.config;
}

static int core_config_save(const char *group, const json_t *keys)
{
    const char *key;
    json_t *v;

    mock_on_control("config_save");
    if (!mock.config_dir)
        return -ENOENT;
    json_object_foreach((json_t *)keys, key, v)
        mock_check(json_is_string(v), "config_save: \"%s\" is no text", key);
    if (keys)
        json_object_set_new(mock.saved, group, json_deep_copy(keys));
    else
        json_object_del(mock.saved, group);
    return 0;
}

const struct sl_core mock_core = {
    .hold = mock_core_hold,
    .resolve = mock_core_resolve,
    .resolve_cancel = mock_core_resolve_cancel,
    .forward_add = mock_core_forward_add,
    .forward_lines = mock_core_forward_lines,
    .remote_add = mock_core_remote_add,
    .remote_lines = mock_core_remote_lines,
    .endpoint_del = mock_core_endpoint_del,
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_core),
    .reply = core_reply,
    .ack = core_ack,
    .event = core_event,
    .close_pc = core_close_pc,
    .end_handle = core_end_handle,
    .route_add = core_route_add,
    .route_del = core_route_del,
    .route_pause = core_route_pause,
    .route_layers = core_route_layers,
    .keyframe = core_keyframe,
    .bitrate = core_bitrate,
    .gate = core_gate,
    .voice = core_voice,
    .fir_interval = core_fir_interval,
    .talk_detect = core_talk_detect,
    .lines = core_lines,
    .is_up = core_is_up,
    .place = core_place,
    .timer_add = mock_core_timer_add,
    .timer_del = mock_core_timer_del,
    .now_us = mock_core_now_us,
    .post = mock_core_post,
    .tap_add = mock_core_tap_add,
    .tap_del = mock_core_tap_del,
    .player_add = mock_core_player_add,
    .player_send = mock_core_player_send,
    .random_id = core_random_id,
    .random_uuid = core_random_uuid,
    .secret_is_equal = core_secret_is_equal,
    .token_is_valid = core_token_is_valid,
    .signed_tokens = core_signed_tokens,
    .may = core_may,
    .log = core_log,
    .notify = core_notify,
    .config = core_config,
    .config_save = core_config_save,
    .offer_keep = core_offer_keep,
    .data_send = mock_core_data_send,
    .data_pause = mock_core_data_pause,
    .forward_data = mock_core_forward_data,
    .data_close = mock_core_data_close,
};
