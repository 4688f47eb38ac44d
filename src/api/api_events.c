/* Events of sessions, handles, descriptions, plugins, transports and the core itself. */

#include "api/api_events.h"
#include <inttypes.h>
#include <string.h>

#define CANDIDATE "a=candidate:"

static struct sl_events *bus_of(const struct sl_handle *h)
{
    return h->session->api->conf.events;
}

static bool wants(const struct sl_handle *h, enum sl_event_type type) SL_ON_CONTROL;
static bool wants(const struct sl_handle *h, enum sl_event_type type)
{
    return sl_events_wants(bus_of(h), type);
}

void api_ev_emit(const struct sl_handle *h, enum sl_event_type type, int subtype, json_t *body)
{
    const struct sl_event_head head = { .type = type,
                                        .subtype = subtype,
                                        .session = h->session->id,
                                        .handle = h->id,
                                        .opaque_id = h->opaque_id };

    sl_events_emit(bus_of(h), &head, body);
}

/* ---- sessions and handles -------------------------------------------------------------------- */

/* Of a lasting connection, or of a request that stands alone. */
static void conn_id(const struct api_from *from, char out[24])
{
    snprintf(out, 24, "%" PRIu64, from->conn ? from->conn : from->request);
}

void api_ev_session(const struct sl_session *s, const char *name, const struct api_from *from)
{
    const struct sl_event_head head = { .type = SL_EVENT_SESSION, .session = s->id };
    json_t *body;
    char id[24];

    if (!sl_events_wants(s->api->conf.events, SL_EVENT_SESSION))
        return;
    body = json_pack("{s:s}", "name", name);
    if (from) {
        conn_id(from, id);
        json_object_set_new(body, "transport",
                            json_pack("{s:s, s:s}", "transport", from->t->package, "id", id));
    }
    sl_events_emit(s->api->conf.events, &head, body);
}

void api_ev_handle(const struct sl_handle *h, const char *name, const char *token)
{
    if (!wants(h, SL_EVENT_HANDLE))
        return;
    api_ev_emit(h, SL_EVENT_HANDLE, 0,
                json_pack("{s:s, s:s, s:s*, s:s*}", "name", name, "plugin", h->plugin->package,
                          "opaque_id", h->opaque_id, "token", token));
}

void api_event_external(struct sl_api *api, const char *schema, json_t *data)
{
    const struct sl_event_head head = { .type = SL_EVENT_EXTERNAL };

    if (sl_events_wants(api->conf.events, SL_EVENT_EXTERNAL))
        sl_events_emit(api->conf.events, &head,
                       json_pack("{s:s, s:O}", "schema", schema, "data", data));
}

/* ---- descriptions ---------------------------------------------------------------------------- */

static void emit_candidate(const struct sl_handle *h, bool local, const char *text,
                           size_t len) SL_ON_CONTROL;
static void emit_candidate(const struct sl_handle *h, bool local, const char *text, size_t len)
{
    api_ev_emit(h, SL_EVENT_WEBRTC, local ? 2 : 3,
                json_pack("{s:s%, s:i, s:i}", local ? "local-candidate" : "remote-candidate", text,
                          len, "stream_id", 1, "component_id", 1));
}

void api_ev_candidate(const struct sl_handle *h, const char *owner, const char *text)
{
    static const char prefix[] = "candidate:";

    if (!wants(h, SL_EVENT_WEBRTC))
        return;
    if (!strncmp(text, prefix, sizeof(prefix) - 1))
        text += sizeof(prefix) - 1;
    emit_candidate(h, !strcmp(owner, "local"), text, strlen(text));
}

/* Of the first m-line: the others repeat it, or are not used. */
void api_ev_candidates(const struct sl_handle *h, const char *owner, const char *sdp)
{
    bool local = !strcmp(owner, "local");
    int mlines = 0;

    if (!wants(h, SL_EVENT_WEBRTC))
        return;
    for (const char *line = sdp; *line;) {
        size_t len = strcspn(line, "\r\n");

        mlines += len > 1 && line[0] == 'm' && line[1] == '=';
        if (mlines > 1)
            return;
        if (len >= sizeof(CANDIDATE) && !strncmp(line, CANDIDATE, sizeof(CANDIDATE) - 1))
            emit_candidate(h, local, line + sizeof(CANDIDATE) - 1, len - sizeof(CANDIDATE) + 1);
        line += len;
        line += strspn(line, "\r\n");
    }
}

void api_ev_jsep(const struct sl_handle *h, const char *owner, enum sl_jsep_type type,
                 const char *sdp)
{
    if (wants(h, SL_EVENT_JSEP))
        api_ev_emit(h, SL_EVENT_JSEP, 0,
                    json_pack("{s:s, s:{s:s, s:s}}", "owner", owner, "jsep", "type",
                              type == SL_JSEP_OFFER ? "offer" : "answer", "sdp", sdp));
}

/* ---- plugins and transports ------------------------------------------------------------------ */

void api_ev_plugin(struct sl_api *api, const char *package, sl_hid hid, json_t *data)
{
    const struct sl_handle *h = hid ? api_handle_get(api, hid) : NULL;
    struct sl_event_head head = { .type = SL_EVENT_PLUGIN };

    if (!sl_events_wants(api->conf.events, SL_EVENT_PLUGIN)) {
        json_decref(data);
        return;
    }
    if (h) {
        head.session = h->session->id;
        head.handle = h->id;
        head.opaque_id = h->opaque_id;
    }
    sl_events_emit(api->conf.events, &head,
                   json_pack("{s:s, s:o}", "plugin", package, "data", data));
}

static void emit_transport(struct sl_api *api, const struct api_from *from,
                           json_t *data) SL_ON_CONTROL;
static void emit_transport(struct sl_api *api, const struct api_from *from, json_t *data)
{
    const struct sl_event_head head = { .type = SL_EVENT_TRANSPORT };
    char id[24];

    conn_id(from, id);
    sl_events_emit(
        api->conf.events, &head,
        json_pack("{s:s, s:s, s:o}", "transport", from->t->package, "id", id, "data", data));
}

void api_ev_transport(struct sl_api *api, const struct api_from *from, const char *event,
                      const struct api_peer *peer)
{
    json_t *data;

    if (!sl_events_wants(api->conf.events, SL_EVENT_TRANSPORT))
        return;
    data = json_pack("{s:s}", "event", event);
    if (peer)
        json_object_set_new(data, "admin_api", json_boolean(peer->admin));
    if (peer && peer->ip[0]) {
        json_object_set_new(data, "ip", json_string(peer->ip));
        json_object_set_new(data, "port", json_integer(peer->port));
    } else if (peer && peer->fd >= 0) {
        json_object_set_new(data, "fd", json_integer(peer->fd));
    }
    emit_transport(api, from, data);
}

/* ---- the core -------------------------------------------------------------------------------- */

static void emit_core(struct sl_api *api, int subtype, json_t *body) SL_ON_CONTROL;
static void emit_core(struct sl_api *api, int subtype, json_t *body)
{
    const struct sl_event_head head = { .type = SL_EVENT_CORE, .subtype = subtype };

    sl_events_emit(api->conf.events, &head, body);
}

static void emit_update(struct sl_api *api) SL_ON_CONTROL;
static void emit_update(struct sl_api *api)
{
    json_int_t handles = 0, peers = 0;
    struct sl_list *ps, *ph;

    sl_list_for_each (ps, &api->session_list) {
        const struct sl_session *s = sl_container(ps, struct sl_session, link);

        handles += s->nhandles;
        sl_list_for_each (ph, &s->handles)
            peers += sl_container(ph, struct sl_handle, link)->pc != NULL;
    }
    emit_core(api, 1,
              json_pack("{s:s, s:{s:I, s:I, s:I, s:I}}", "status", "update", "info", "sessions",
                        (json_int_t)api->nsessions, "handles", handles, "peerconnections", peers,
                        "stats-period", (json_int_t)api->conf.stats_period_s));
}

static void on_period(struct sl_timer *t, uint64_t now_us)
{
    struct sl_api *api = sl_container(t, struct sl_api, stats_timer);
    struct sl_list *ps, *ph;

    SL_ASSUME(control);
    sl_timer_set(&api->cq->wheel, t, now_us + (uint64_t)api->conf.stats_period_s * 1000000);
    if (sl_events_wants(api->conf.events, SL_EVENT_CORE))
        emit_update(api);
    if (!sl_events_wants(api->conf.events, SL_EVENT_MEDIA))
        return;
    sl_list_for_each (ps, &api->session_list) {
        sl_list_for_each (ph, &sl_container(ps, struct sl_session, link)->handles) {
            struct sl_handle *h = sl_container(ph, struct sl_handle, link);

            if (h->pc && sl_pc_is_up(h->pc))
                sl_pc_stats_ask(h->pc);
        }
    }
}

void api_ev_init(struct sl_api *api)
{
    sl_timer_init(&api->stats_timer, on_period);
    if (api->conf.events && api->conf.stats_period_s)
        sl_timer_set(&api->cq->wheel, &api->stats_timer,
                     api->cq->now_us + (uint64_t)api->conf.stats_period_s * 1000000);
}

void sl_api_event_started(struct sl_api *api)
{
    json_t *info;

    if (!sl_events_wants(api->conf.events, SL_EVENT_CORE))
        return;
    info = json_pack("{s:s}", "janus", "server_info");
    json_object_update_new(info, api_server_info(api));
    emit_core(api, 1, json_pack("{s:s, s:o}", "status", "started", "info", info));
}

void sl_api_event_shutdown(struct sl_api *api, int signum)
{
    if (sl_events_wants(api->conf.events, SL_EVENT_CORE))
        emit_core(api, 2, json_pack("{s:s, s:i}", "status", "shutdown", "signum", signum));
}
