/* The peer connection of a handle: its life, and what it tells (control protocol, section 9). */

#include "api/api_events.h"
#include <errno.h>
#include <string.h>

static const struct sl_mline *line_get(const struct sl_handle *h, uint16_t mindex) SL_ON_CONTROL;
static const struct sl_mline *line_get(const struct sl_handle *h, uint16_t mindex)
{
    size_t n = 0;
    const struct sl_mline *l = h->pc ? sl_pc_lines(h->pc, &n) : NULL;

    return l && mindex < n ? &l[mindex] : NULL;
}

static void on_up(void *arg)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->media_up)
        h->plugin->media_up(h->hid, h->state);
    if (h->pc) {
        api_handle_send(h, api_handle_event(h, "webrtcup"));
        api_ev_up(h);
    }
    api_leave(api);
}

static void on_down(void *arg, const char *reason)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    api_pc_close(h, reason, true);
    api_leave(api);
}

static void on_ice_failed(void *arg)
{
    struct sl_handle *h = arg;

    SL_ASSUME(control);
    api_handle_send(h, api_handle_event(h, "ice-failed"));
}

static void on_trickle(void *arg, const char *mid, const char *candidate)
{
    struct sl_handle *h = arg;
    json_t *j;

    SL_ASSUME(control);
    j = api_handle_event(h, "trickle");
    if (candidate)
        json_object_set_new(j, "candidate",
                            json_pack("{s:s, s:i, s:s}", "sdpMid", mid ? mid : "0", "sdpMLineIndex",
                                      0, "candidate", candidate));
    else
        json_object_set_new(j, "candidate", json_pack("{s:b}", "completed", 1));
    api_handle_send(h, j);
}

static void on_receiving(void *arg, uint16_t mindex, int substream, bool receiving)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;
    const struct sl_mline *l;
    json_t *j;

    SL_ASSUME(control);
    api_enter(api);
    l = line_get(h, mindex);
    if (l) {
        j = api_handle_event(h, "media");
        json_object_set_new(j, "mid", json_string(l->mid));
        json_object_set_new(j, "type", json_string(api_kind_to_str(l->kind)));
        if (substream >= 0)
            json_object_set_new(j, "substream", json_integer(substream));
        json_object_set_new(j, "receiving", json_boolean(receiving));
        if (!receiving && api->conf.no_media_timer_s > 1)
            json_object_set_new(j, "seconds", json_integer(api->conf.no_media_timer_s));
        api_handle_send(h, j);
        api_ev_receiving(h, l, substream, receiving);
        if (h->plugin->on_receiving)
            h->plugin->on_receiving(h->hid, h->state, mindex, substream, receiving);
    }
    api_leave(api);
}

static void on_slow_link(void *arg, uint16_t mindex, bool uplink, uint32_t lost)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;
    const struct sl_mline *l;
    json_t *j;

    SL_ASSUME(control);
    if (!api->conf.slowlink_threshold || lost < api->conf.slowlink_threshold)
        return;
    api_enter(api);
    l = line_get(h, mindex);
    if (l) {
        j = api_handle_event(h, "slowlink");
        json_object_set_new(j, "mid", json_string(l->mid));
        json_object_set_new(j, "media", json_string(api_kind_to_str(l->kind)));
        json_object_set_new(j, "uplink", json_boolean(uplink));
        json_object_set_new(j, "lost", json_integer(lost));
        api_handle_send(h, j);
        api_ev_slow_link(h, l, uplink, lost);
        if (h->plugin->on_slow_link)
            h->plugin->on_slow_link(h->hid, h->state, mindex, uplink, lost);
    }
    api_leave(api);
}

static void on_talking(void *arg, uint16_t mindex, bool talking, double level)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_talking)
        h->plugin->on_talking(h->hid, h->state, mindex, talking, level);
    api_leave(api);
}

static void on_voice(void *arg, uint16_t mindex, const struct sl_voice_report *v)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_voice)
        h->plugin->on_voice(h->hid, h->state, mindex, v);
    api_leave(api);
}

static void on_layer(void *arg, uint16_t mindex, const struct sl_layer_event *ev)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_layer)
        h->plugin->on_layer(h->hid, h->state, mindex, ev);
    api_leave(api);
}

static void on_quality(void *arg, uint16_t mindex, const struct sl_quality *q)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_quality)
        h->plugin->on_quality(h->hid, h->state, mindex, q);
    api_leave(api);
}

static void on_watched(void *arg, uint16_t mindex, int layer)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_watched)
        h->plugin->on_watched(h->hid, h->state, mindex, layer);
    api_leave(api);
}

static void on_data_open(void *arg, const char *label, const char *protocol)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_data_open)
        h->plugin->on_data_open(h->hid, h->state, label, protocol);
    api_leave(api);
}

static void on_data_close(void *arg, const char *label, const char *protocol)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_data_close)
        h->plugin->on_data_close(h->hid, h->state, label, protocol);
    api_leave(api);
}

static void on_data(void *arg, const struct sl_pc_message *m)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_data)
        h->plugin->on_data(h->hid, h->state, m->label, m->protocol, m->is_binary, m->data, m->len);
    api_leave(api);
}

static void on_data_writable(void *arg)
{
    struct sl_handle *h = arg;
    struct sl_api *api = h->session->api;

    SL_ASSUME(control);
    api_enter(api);
    if (h->plugin->on_data_writable)
        h->plugin->on_data_writable(h->hid, h->state);
    api_leave(api);
}

static void on_link(void *arg, const struct sl_link *l)
{
    SL_ASSUME(control);
    api_ev_link(arg, l);
}

static void on_stats(void *arg, const struct sl_media_stats *list, size_t n)
{
    SL_ASSUME(control);
    api_ev_stats(arg, list, n);
}

static const struct sl_pc_cb callbacks = {
    .up = on_up,
    .down = on_down,
    .ice_failed = on_ice_failed,
    .trickle = on_trickle,
    .receiving = on_receiving,
    .slow_link = on_slow_link,
    .talking = on_talking,
    .voice = on_voice,
    .layer = on_layer,
    .quality = on_quality,
    .watched = on_watched,
    .data_open = on_data_open,
    .data_close = on_data_close,
    .data = on_data,
    .data_writable = on_data_writable,
    .link = on_link,
    .stats = on_stats,
};

/* ---- life ------------------------------------------------------------------------------------ */

int api_pc_ensure(struct sl_handle *h)
{
    int err;

    if (h->pc)
        return 0;
    err = sl_pc_create(h->session->api->world, &callbacks, h, h->group, &h->pc);
    if (!err)
        api_capture_begin(h);
    return err;
}

/* Frees it. Events that waited for its description go without. */
static void pc_free(struct sl_handle *h) SL_ON_CONTROL;
static void pc_free(struct sl_handle *h)
{
    struct sl_pc *pc = h->pc;
    struct sl_list *pos;

    h->pc = NULL;
    h->offered = false;
    h->told_gathering = h->told_connecting = h->told_connected = false;
    api_ev_stats_forget(h);
    api_capture_end(h);
    sl_pc_destroy(pc);
    sl_list_for_each (pos, &h->out)
        sl_container(pos, struct api_out, link)->waiting = false;
    api_handle_flush(h);
}

void api_pc_drop_offer(struct sl_handle *h)
{
    if (!h->offered)
        return;
    h->offered = false;
    if (sl_pc_is_negotiated(h->pc))
        sl_pc_rollback(h->pc);
    else
        pc_free(h);
}

static void tell_down(struct sl_handle *h, const char *reason, bool tell) SL_ON_CONTROL;
static void tell_down(struct sl_handle *h, const char *reason, bool tell)
{
    char
        text[API_REASON_MAX + 1]; /* @reason may be the handle's own, which the plugin can change */
    json_t *j;

    snprintf(text, sizeof(text), "%s", reason);
    h->down_wanted = false;
    api_ev_hangup(h, text);
    if (h->plugin->media_down)
        h->plugin->media_down(h->hid, h->state, text);
    if (!tell)
        return;
    j = api_handle_event(h, "hangup");
    json_object_set_new(j, "reason", json_string(text));
    api_handle_send(h, j);
}

void api_pc_close(struct sl_handle *h, const char *reason, bool tell)
{
    api_trickles_clear(h);
    if (h->down_wanted)
        tell_down(h, h->reason, tell);
    if (!h->pc)
        return;
    pc_free(h);
    tell_down(h, reason, tell);
}

void api_pc_close_later(struct sl_handle *h, const char *reason)
{
    if (!h->pc)
        return;
    if (h->down_wanted)
        tell_down(h, h->reason, true);
    snprintf(h->reason, sizeof(h->reason), "%s", reason);
    h->down_wanted = true;
    pc_free(h);
    api_handle_defer(h);
}

void api_pc_run_deferred(struct sl_handle *h)
{
    bool close = h->close_wanted;

    h->close_wanted = false;
    if (h->down_wanted)
        tell_down(h, h->reason, true);
    if (close)
        api_pc_close(h, "Gathering error", true);
}
