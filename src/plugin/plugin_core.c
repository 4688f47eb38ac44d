/* struct sl_core of <sluice/plugin.h>: what plugins call. Everything runs on the control thread. */

#include "plugin/plugin_priv.h"
#include "pc/pc_ep.h"
#include "api/api_priv.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/secret.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct sl_handle *handle_get(sl_hid hid) SL_ON_CONTROL;
static struct sl_handle *handle_get(sl_hid hid)
{
    struct sl_api *api = sl_api_get();
    struct sl_handle *h = api ? api_handle_get(api, hid) : NULL;

    if (!h)
        sl_plugin_check_gone(SL_PLUGIN_HANDLE, hid);
    return h;
}

/* NULL: it ended. */
static struct api_msg *msg_get(const struct sl_msg *m) SL_ON_CONTROL;
static struct api_msg *msg_get(const struct sl_msg *m)
{
    struct api_msg *msg = api_msg_get(sl_api_get(), m);

    if (!msg)
        sl_plugin_check_gone(SL_PLUGIN_MESSAGE, (uint64_t)(uintptr_t)m);
    return msg;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void core_reply(struct sl_msg *m, json_t *data)
{
    PLUGIN_CALL("reply");
    sl_plugin_check_given(data);
    (void)msg_get(m); /* the next says nothing when it ended */
    api_plugin_reply(sl_api_get(), m, data);
}

static void core_ack(struct sl_msg *m, const char *hint)
{
    struct api_msg *msg;

    PLUGIN_CALL("ack");
    msg = msg_get(m);
    if (msg)
        api_msg_ack(msg, hint);
}

static void core_hold(struct sl_msg *m)
{
    struct api_msg *msg;

    PLUGIN_CALL("hold");
    msg = msg_get(m);
    if (!msg)
        return;
    if (msg->acked)
        sl_plugin_check_failed(msg->handle->plugin->package,
                               "holds a request that it has acknowledged");
    else
        msg->held = true;
}

static int core_event(sl_hid h, struct sl_msg *m, json_t *data, const struct sl_jsep_out *jsep)
{
    const struct api_msg *msg;

    PLUGIN_CALL("event");
    sl_plugin_check_given(data);
    (void)handle_get(h);
    msg = m ? msg_get(m) : NULL;
    if (msg && msg->handle->hid != h)
        sl_plugin_check_failed(msg->handle->plugin->package,
                               "answers a request of another handle than the event is for");
    else if (msg && !msg->acked)
        sl_plugin_check_failed(msg->handle->plugin->package,
                               "answers a request by an event before ack");
    return api_plugin_event(sl_api_get(), h, m, data, jsep);
}

static int core_offer_keep(sl_hid hid)
{
    struct sl_handle *h;

    PLUGIN_CALL("offer_keep");
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

    PLUGIN_CALL("close_pc");
    h = handle_get(hid);
    if (h && !h->dying)
        api_pc_close_later(h, reason ? reason : "Close PC");
}

static void core_end_handle(sl_hid hid)
{
    struct sl_handle *h;

    PLUGIN_CALL("end_handle");
    h = handle_get(hid);
    if (!h || h->dying)
        return;
    if (h->end_wanted)
        sl_plugin_check_failed(h->plugin->package, "ends a handle that it has ended already");
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

    PLUGIN_CALL("route_add");
    err = sl_plugin_source_get(from, &a);
    if (!err)
        err = pc_get(to.handle, &b);
    return err ? err : sl_pc_route_add(&a, b, to.mindex, wish);
}

static int core_route_del(struct sl_mref to)
{
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("route_del");
    err = pc_get(to.handle, &pc);
    return err ? err : sl_pc_route_del(pc, to.mindex);
}

static int core_route_pause(struct sl_mref to, bool paused)
{
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("route_pause");
    err = pc_get(to.handle, &pc);
    return err ? err : sl_pc_route_pause(pc, to.mindex, paused);
}

static int core_route_layers(struct sl_mref to, const struct sl_layer_wish *wish)
{
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("route_layers");
    err = pc_get(to.handle, &pc);
    return err ? err : sl_pc_route_layers(pc, to.mindex, wish);
}

static int core_keyframe(struct sl_mref from)
{
    struct sl_ep *ep;
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("keyframe");
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

    PLUGIN_CALL("bitrate");
    err = pc_get(h, &pc);
    return err ? err : sl_pc_bitrate(pc, bps);
}

static int core_gate(struct sl_mref from, bool closed)
{
    struct sl_ep *ep;
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("gate");
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

    PLUGIN_CALL("fir_interval");
    err = pc_get(h, &pc);
    return err ? err : sl_pc_fir_interval(pc, seconds);
}

static int core_talk_detect(struct sl_mref from, uint32_t packets, uint8_t threshold)
{
    struct sl_ep *ep;
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("talk_detect");
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

    PLUGIN_CALL("voice");
    ep = sl_plugin_ep_get(from.handle);
    if (ep)
        return sl_ep_voice(ep, from.mindex, mode);
    err = pc_get(from.handle, &pc);
    return err ? err : sl_pc_voice(pc, from.mindex, mode);
}

static const struct sl_mline *core_lines(sl_hid h, size_t *n)
{
    struct sl_pc *pc;

    PLUGIN_CALL("lines");
    *n = 0;
    return pc_get(h, &pc) ? NULL : sl_pc_lines(pc, n);
}

static bool core_is_up(sl_hid h)
{
    struct sl_pc *pc;

    PLUGIN_CALL("is_up");
    return !pc_get(h, &pc) && sl_pc_is_up(pc);
}

static void core_place(sl_hid hid, uint64_t group)
{
    struct sl_handle *h;

    PLUGIN_CALL("place");
    h = handle_get(hid);

    if (h)
        h->group = group;
}

/* ---- data channels --------------------------------------------------------------------------- */

static int core_data_send(sl_hid h, const char *label, const char *protocol, bool binary,
                          const void *data, size_t len)
{
    const struct sl_pc_message m = { label, protocol, binary, data, len };
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("data_send");
    err = pc_get(h, &pc);
    if (err)
        return err == -ENOENT ? -ENOTCONN : err;
    return sl_pc_data_send(pc, &m);
}

static int core_data_close(sl_hid h, const char *label)
{
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("data_close");
    err = pc_get(h, &pc);
    if (err)
        return err == -ENOENT ? -ENOTCONN : err;
    return sl_pc_data_close(pc, label);
}

static int core_data_pause(sl_hid h, bool paused)
{
    struct sl_pc *pc;
    int err;

    PLUGIN_CALL("data_pause");
    err = pc_get(h, &pc);
    if (err)
        return err == -ENOENT ? -ENOTCONN : err;
    return sl_pc_data_pause(pc, paused);
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
    PLUGIN_CALL("token_is_valid");
    return sl_token_is_valid(token, sl_api_get()->auth.token_secret, realm, descriptor,
                             (int64_t)(sl_wall_us() / 1000000));
}

static bool core_signed_tokens(void)
{
    PLUGIN_CALL("signed_tokens");
    return sl_api_get()->auth.token_secret != NULL;
}

static bool core_may(sl_hid hid, const char *what)
{
    const struct sl_principal *who;
    struct sl_handle *h;
    struct sl_api *api;

    PLUGIN_CALL("may");
    api = sl_api_get();
    h = handle_get(hid);
    if (!h)
        return false;
    who = api->asking && api->asking_hid == hid ? api->asking : &h->session->principal;
    return sl_may(&api->auth, who, what);
}

static uint64_t core_now_us(void)
{
    PLUGIN_CALL("now_us");
    return sl_api_get()->cq->now_us;
}

/* What is the same for all plugins; plugin_slot.c has the rest. */
const struct sl_core sl_plugin_common = {
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
    .timer_del = sl_plugin_timer_del,
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
    .hold = core_hold,
    .resolve = sl_plugin_resolve,
    .resolve_cancel = sl_plugin_resolve_cancel,
    .forward_lines = sl_plugin_forward_lines,
    .remote_lines = sl_plugin_remote_lines,
    .endpoint_del = sl_plugin_endpoint_del,
    .now_us = core_now_us,
    .tap_del = sl_plugin_tap_del,
    .player_send = sl_plugin_player_send,
};
