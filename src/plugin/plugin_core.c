/* struct sl_core of <sluice/plugin.h>: what plugins call. Everything runs on the control thread. */

#include "plugin/plugin_priv.h"
#include "pc/pc_ep.h"
#include "api/api_events.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/secret.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct plugin_timer {
    struct sl_list link;
    struct sl_timer timer;
    uint64_t id;
    uint64_t repeat_us; /* 0: once */
    sl_plugin_timer_fn fn;
    void *arg;
};

/* Control thread; plugins call without a context. */
static struct {
    struct sl_plugins *plugins;
    struct sl_list timers;
    uint64_t last_timer;
} self;

static struct sl_handle *handle_get(sl_hid hid) SL_ON_CONTROL;
static struct sl_handle *handle_get(sl_hid hid)
{
    struct sl_api *api = sl_api_get();

    return api ? api_handle_get(api, hid) : NULL;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void core_reply(struct sl_msg *m, json_t *data)
{
    SL_ASSUME(control);
    api_plugin_reply(sl_api_get(), m, data);
}

static void core_ack(struct sl_msg *m, const char *hint)
{
    struct api_msg *msg;

    SL_ASSUME(control);
    msg = api_msg_get(sl_api_get(), m);
    if (msg)
        api_msg_ack(msg, hint);
}

static int core_event(sl_hid h, struct sl_msg *m, json_t *data, const struct sl_jsep_out *jsep)
{
    SL_ASSUME(control);
    return api_plugin_event(sl_api_get(), h, m, data, jsep);
}

static int core_offer_keep(sl_hid hid)
{
    struct sl_handle *h;

    SL_ASSUME(control);
    h = handle_get(hid);
    if (!h)
        return -ESTALE;
    if (!h->offered)
        return -ENOENT;
    h->offer_msg = 0;
    return 0;
}

static void core_close_pc(sl_hid hid, const char *reason)
{
    struct sl_handle *h;

    SL_ASSUME(control);
    h = handle_get(hid);
    if (h && !h->dying)
        api_pc_close_later(h, reason ? reason : "Close PC");
}

static void core_end_handle(sl_hid hid)
{
    struct sl_handle *h;

    SL_ASSUME(control);
    h = handle_get(hid);
    if (!h || h->dying)
        return;
    h->end_wanted = true;
    api_handle_defer(h);
}

/* ---- routes and publishers ------------------------------------------------------------------- */

/* The peer connection of a handle. 0, -ESTALE: no such handle, -ENOENT: it has none. */
static int pc_get(sl_hid hid, struct sl_pc **out) SL_ON_CONTROL;
static int pc_get(sl_hid hid, struct sl_pc **out)
{
    struct sl_handle *h = handle_get(hid);

    if (!h)
        return -ESTALE;
    if (!h->pc)
        return -ENOENT;
    *out = h->pc;
    return 0;
}

static int core_route_add(struct sl_mref from, struct sl_mref to, const struct sl_layer_wish *wish)
{
    struct sl_pc_source a;
    struct sl_pc *b;
    int err;

    SL_ASSUME(control);
    err = sl_plugin_source_get(from, &a);
    if (!err)
        err = pc_get(to.handle, &b);
    return err ? err : sl_pc_route_add(&a, b, to.mindex, wish);
}

static int core_route_del(struct sl_mref to)
{
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(to.handle, &pc);
    return err ? err : sl_pc_route_del(pc, to.mindex);
}

static int core_route_pause(struct sl_mref to, bool paused)
{
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(to.handle, &pc);
    return err ? err : sl_pc_route_pause(pc, to.mindex, paused);
}

static int core_route_layers(struct sl_mref to, const struct sl_layer_wish *wish)
{
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(to.handle, &pc);
    return err ? err : sl_pc_route_layers(pc, to.mindex, wish);
}

static int core_keyframe(struct sl_mref from)
{
    struct sl_ep *ep;
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    ep = sl_plugin_ep_get(from.handle);
    if (ep)
        return sl_ep_keyframe(ep, from.mindex);
    err = pc_get(from.handle, &pc);
    return err ? err : sl_pc_keyframe(pc, from.mindex);
}

static int core_bitrate(sl_hid h, uint32_t bps)
{
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(h, &pc);
    return err ? err : sl_pc_bitrate(pc, bps);
}

static int core_gate(struct sl_mref from, bool closed)
{
    struct sl_ep *ep;
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    ep = sl_plugin_ep_get(from.handle);
    if (ep)
        return sl_ep_gate(ep, from.mindex, closed);
    err = pc_get(from.handle, &pc);
    return err ? err : sl_pc_gate(pc, from.mindex, closed);
}

static int core_fir_interval(sl_hid h, uint32_t seconds)
{
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(h, &pc);
    return err ? err : sl_pc_fir_interval(pc, seconds);
}

static int core_talk_detect(struct sl_mref from, uint32_t packets, uint8_t threshold)
{
    struct sl_ep *ep;
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    ep = sl_plugin_ep_get(from.handle);
    if (ep)
        return sl_ep_talk_detect(ep, from.mindex, packets, threshold);
    err = pc_get(from.handle, &pc);
    return err ? err : sl_pc_talk_detect(pc, from.mindex, packets, threshold);
}

static int core_voice(struct sl_mref from, enum sl_voice_mode mode)
{
    struct sl_ep *ep;
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    ep = sl_plugin_ep_get(from.handle);
    if (ep)
        return sl_ep_voice(ep, from.mindex, mode);
    err = pc_get(from.handle, &pc);
    return err ? err : sl_pc_voice(pc, from.mindex, mode);
}

static const struct sl_mline *core_lines(sl_hid h, size_t *n)
{
    struct sl_pc *pc;

    SL_ASSUME(control);
    *n = 0;
    return pc_get(h, &pc) ? NULL : sl_pc_lines(pc, n);
}

static bool core_is_up(sl_hid h)
{
    struct sl_pc *pc;

    SL_ASSUME(control);
    return !pc_get(h, &pc) && sl_pc_is_up(pc);
}

/* ---- data channels --------------------------------------------------------------------------- */

static int core_data_send(sl_hid h, const char *label, const char *protocol, bool binary,
                          const void *data, size_t len)
{
    const struct sl_pc_message m = { label, protocol, binary, data, len };
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(h, &pc);
    if (err)
        return err == -ENOENT ? -ENOTCONN : err;
    return sl_pc_data_send(pc, &m);
}

static int core_data_close(sl_hid h, const char *label)
{
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(h, &pc);
    if (err)
        return err == -ENOENT ? -ENOTCONN : err;
    return sl_pc_data_close(pc, label);
}

static int core_data_pause(sl_hid h, bool paused)
{
    struct sl_pc *pc;
    int err;

    SL_ASSUME(control);
    err = pc_get(h, &pc);
    if (err)
        return err == -ENOENT ? -ENOTCONN : err;
    return sl_pc_data_pause(pc, paused);
}

/* ---- timers ---------------------------------------------------------------------------------- */

static void timer_free(struct plugin_timer *t)
{
    sl_timer_cancel(&t->timer);
    sl_list_del(&t->link);
    free(t);
}

static void on_timer(struct sl_timer *timer, uint64_t now_us)
{
    struct plugin_timer *t = sl_container(timer, struct plugin_timer, timer);
    sl_plugin_timer_fn fn = t->fn;
    struct sl_api *api;
    void *arg = t->arg;

    SL_ASSUME(control);
    api = sl_api_get();
    if (t->repeat_us)
        sl_timer_set(&api->cq->wheel, timer, now_us + t->repeat_us);
    else
        timer_free(t);
    api_enter(api);
    fn(arg); /* may delete the timer */
    api_leave(api);
}

static void core_place(sl_hid hid, uint64_t group)
{
    struct sl_handle *h;

    SL_ASSUME(control);
    h = handle_get(hid);

    if (h)
        h->group = group;
}

static uint64_t core_timer_add(uint32_t ms, bool repeat, sl_plugin_timer_fn fn, void *arg)
{
    struct plugin_timer *t = calloc(1, sizeof(*t));
    struct sl_cq *cq;

    SL_ASSUME(control);
    if (!t)
        abort(); /* the contract knows no failure */
    cq = sl_api_get()->cq;
    t->id = ++self.last_timer;
    t->repeat_us = repeat ? (uint64_t)ms * 1000 : 0;
    t->fn = fn;
    t->arg = arg;
    sl_timer_init(&t->timer, on_timer);
    sl_list_add(&self.timers, &t->link);
    sl_timer_set(&cq->wheel, &t->timer, cq->now_us + (uint64_t)ms * 1000);
    return t->id;
}

static void core_timer_del(uint64_t id)
{
    struct sl_list *pos;

    SL_ASSUME(control);
    sl_list_for_each (pos, &self.timers) {
        struct plugin_timer *t = sl_container(pos, struct plugin_timer, link);

        if (t->id == id) {
            timer_free(t);
            return;
        }
    }
}

/* ---- helpers --------------------------------------------------------------------------------- */

static void core_random_uuid(char out[37])
{
    uint8_t b[16];

    sl_rand_bytes(b, sizeof(b)); /* RFC 9562 section 5.4: version 4 */
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static bool core_token_is_valid(const char *token, const char *realm, const char *descriptor)
{
    SL_ASSUME(control);
    return sl_token_is_valid(token, sl_api_get()->auth.token_secret, realm, descriptor,
                             (int64_t)(sl_wall_us() / 1000000));
}

static bool core_signed_tokens(void)
{
    SL_ASSUME(control);
    return sl_api_get()->auth.token_secret != NULL;
}

static bool core_may(sl_hid hid, const char *what)
{
    const struct sl_principal *who;
    struct sl_handle *h;
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    h = handle_get(hid);
    if (!h)
        return false;
    who = api->asking && api->asking_hid == hid ? api->asking : &h->session->principal;
    return sl_may(&api->auth, who, what);
}

/* ---- per plugin ------------------------------------------------------------------------------ */

static const json_t *config_get(int slot)
{
    return self.plugins->slot[slot].config;
}

static int config_put(int slot, const char *group, const json_t *keys)
{
    struct plugin_slot *s = &self.plugins->slot[slot];

    if (!s->path[0] || !self.plugins->store)
        return -ENOENT;
    return self.plugins->store->save(s->path, group, keys);
}

static void log_line(int slot, int level, const char *event, const char *text)
{
    const char *package = self.plugins->slot[slot].plugin.package;
    const char *dot = strrchr(package, '.');

    SL_LOG_AT((enum sl_log_level)level, dot ? dot + 1 : package, event, "%s", text);
}

/* Its file may say `events = no` in the group [general]. */
static bool is_silent(const struct plugin_slot *s)
{
    const json_t *general = json_object_get(s->config, "general");
    const char *text = json_string_value(json_object_get(general, "events"));

    return text && (!strcmp(text, "no") || !strcmp(text, "false") || !strcmp(text, "0"));
}

static void notify(int slot, sl_hid h, json_t *event)
{
    const struct plugin_slot *s = &self.plugins->slot[slot];
    char *text = NULL;

    SL_ASSUME(control);
    if (sl_log_wants(SL_LOG_DEBUG) && (text = json_dumps(event, JSON_COMPACT)))
        sl_debug("plugin", "event", "event=%s", text);
    free(text);
    if (is_silent(s) || !sl_api_get())
        json_decref(event);
    else
        api_ev_plugin(sl_api_get(), s->plugin.package, h, event);
}

/* Functions without an argument that tells the plugin: one set per slot. */
#define SLOT(n)                                                                                    \
    static const json_t *config_##n(void)                                                          \
    {                                                                                              \
        return config_get(n);                                                                      \
    }                                                                                              \
    static int config_save_##n(const char *group, const json_t *keys)                              \
    {                                                                                              \
        return config_put(n, group, keys);                                                         \
    }                                                                                              \
    static void notify_##n(sl_hid h, json_t *event)                                                \
    {                                                                                              \
        notify(n, h, event);                                                                       \
    }                                                                                              \
    static void log_##n(int level, const char *event, const char *text)                            \
    {                                                                                              \
        log_line(n, level, event, text);                                                           \
    }
/* clang-format off */
#define SLOTS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) \
                 X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
SLOTS(SLOT)
#define ROW(n) { config_##n, config_save_##n, notify_##n, log_##n },
static const struct {
    const json_t *(*config)(void);
    int (*config_save)(const char *group, const json_t *keys);
    void (*notify)(sl_hid h, json_t *event);
    void (*log)(int level, const char *event, const char *text);
} per_slot[SL_PLUGINS_MAX] = { SLOTS(ROW) };
/* clang-format on */

static struct sl_core cores[SL_PLUGINS_MAX];

static const struct sl_core common = {
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
    .fir_interval = core_fir_interval,
    .talk_detect = core_talk_detect,
    .voice = core_voice,
    .lines = core_lines,
    .is_up = core_is_up,
    .place = core_place,
    .timer_add = core_timer_add,
    .timer_del = core_timer_del,
    .random_id = sl_rand52,
    .random_uuid = core_random_uuid,
    .secret_is_equal = sl_secret_is_equal,
    .token_is_valid = core_token_is_valid,
    .signed_tokens = core_signed_tokens,
    .may = core_may,
    .offer_keep = core_offer_keep,
    .data_send = core_data_send,
    .data_pause = core_data_pause,
    .data_close = core_data_close,
    .forward_data = sl_plugin_forward_data,
    .hold = sl_plugin_hold,
    .resolve = sl_plugin_resolve,
    .resolve_cancel = sl_plugin_resolve_cancel,
    .forward_add = sl_plugin_forward_add,
    .forward_lines = sl_plugin_forward_lines,
    .remote_add = sl_plugin_remote_add,
    .remote_lines = sl_plugin_remote_lines,
    .endpoint_del = sl_plugin_endpoint_del,
};

const struct sl_core *sl_plugin_core(int slot)
{
    return &cores[slot];
}

void sl_plugin_core_start(struct sl_plugins *p)
{
    self.plugins = p;
    sl_list_init(&self.timers);
    for (int i = 0; i < SL_PLUGINS_MAX; i++) {
        cores[i] = common;
        cores[i].config = per_slot[i].config;
        cores[i].config_save = per_slot[i].config_save;
        cores[i].notify = per_slot[i].notify;
        cores[i].log = per_slot[i].log;
    }
}

void sl_plugin_core_stop(void)
{
    sl_plugin_ep_stop();
    while (!sl_list_is_empty(&self.timers))
        timer_free(sl_container(self.timers.next, struct plugin_timer, link));
    self.plugins = NULL;
}
