/* Events of connections and their media. */

#include "api/api_events.h"
#include <sluice/codec.h>
#include <stdlib.h>
#include <string.h>

static bool wants(const struct sl_handle *h, enum sl_event_type type) SL_ON_CONTROL;
static bool wants(const struct sl_handle *h, enum sl_event_type type)
{
    return sl_events_wants(h->session->api->conf.events, type);
}

const char *api_kind_to_str(enum sl_kind kind)
{
    return kind == SL_KIND_AUDIO ? "audio" : kind == SL_KIND_VIDEO ? "video" : "data";
}

/* ---- webrtc ---------------------------------------------------------------------------------- */

/* One stream and one component: everything is bundled. */
static void emit_webrtc(const struct sl_handle *h, int subtype, json_t *body) SL_ON_CONTROL;
static void emit_webrtc(const struct sl_handle *h, int subtype, json_t *body)
{
    json_object_set_new(body, "stream_id", json_integer(1));
    json_object_set_new(body, "component_id", json_integer(1));
    api_ev_emit(h, SL_EVENT_WEBRTC, subtype, body);
}

void api_ev_ice(const struct sl_handle *h, const char *state)
{
    if (wants(h, SL_EVENT_WEBRTC))
        emit_webrtc(h, 1, json_pack("{s:s}", "ice", state));
}

static json_t *candidate_json(const struct sl_addr *a, const char *type, bool tcp)
{
    char ip[SL_ADDR_TEXT_MAX];

    return json_pack("{s:s, s:i, s:s, s:s, s:i}", "address", sl_addr_format_ip(a, ip), "port",
                     (int)sl_addr_port(a), "type", type, "transport", tcp ? "tcp" : "udp", "family",
                     sl_addr_family(a) == AF_INET6 ? 6 : 4);
}

static void emit_pair(const struct sl_handle *h, const struct sl_link *l) SL_ON_CONTROL;
static void emit_pair(const struct sl_handle *h, const struct sl_link *l)
{
    char local[SL_ADDR_TEXT_MAX], remote[SL_ADDR_TEXT_MAX], text[2 * SL_ADDR_TEXT_MAX + 64];
    const char *transport = l->pair.tcp ? "tcp" : "udp";

    if (!sl_addr_family(&l->pair.local) || !sl_addr_family(&l->pair.remote))
        return;
    snprintf(text, sizeof(text), "%s [%s,%s] <-> %s [%s,%s]", sl_addr_format(&l->pair.local, local),
             l->pair.local_type, transport, sl_addr_format(&l->pair.remote, remote),
             l->pair.remote_type, transport);
    emit_webrtc(h, 4,
                json_pack("{s:s, s:{s:o, s:o}}", "selected-pair", text, "candidates", "local",
                          candidate_json(&l->pair.local, l->pair.local_type, l->pair.tcp), "remote",
                          candidate_json(&l->pair.remote, l->pair.remote_type, l->pair.tcp)));
}

/* A pair that works may carry everything before it is nominated. */
static void emit_connected(struct sl_handle *h) SL_ON_CONTROL;
static void emit_connected(struct sl_handle *h)
{
    if (!h->told_connected)
        api_ev_ice(h, "connected");
    h->told_connected = true;
}

static void emit_ice(struct sl_handle *h, enum sl_ice_state state) SL_ON_CONTROL;
static void emit_ice(struct sl_handle *h, enum sl_ice_state state)
{
    switch (state) {
    case SL_ICE_CONNECTED:
        emit_connected(h);
        api_ev_ice(h, "ready");
        break;
    case SL_ICE_DISCONNECTED:
        h->told_connected = false;
        api_ev_ice(h, "disconnected");
        break;
    case SL_ICE_FAILED:
        h->told_connected = false;
        api_ev_ice(h, "failed");
        break;
    case SL_ICE_NEW:
    case SL_ICE_CONNECTING: /* told when the descriptions were complete */
        break;
    }
}

void api_ev_link(struct sl_handle *h, const struct sl_link *l)
{
    static const char *const dtls[] = {
        [SL_DTLS_HANDSHAKE] = "trying",
        [SL_DTLS_CONNECTED] = "connected",
        [SL_DTLS_FAILED] = "failed",
    };
    json_t *body;

    if (!wants(h, SL_EVENT_WEBRTC))
        return;
    if (l->what == SL_LINK_ICE) {
        emit_ice(h, l->ice);
    } else if (l->what == SL_LINK_PAIR) {
        emit_pair(h, l);
        emit_connected(h);
    } else {
        body = json_pack("{s:s}", "dtls", dtls[l->dtls]);
        json_object_set_new(body, "stream_id", json_integer(1));
        json_object_set_new(body, "component_id", json_integer(1));
        json_object_set_new(body, "retransmissions", json_integer(l->retransmissions));
        api_ev_emit(h, SL_EVENT_WEBRTC, 5, body);
    }
}

void api_ev_up(const struct sl_handle *h)
{
    if (wants(h, SL_EVENT_WEBRTC))
        api_ev_emit(h, SL_EVENT_WEBRTC, 6, json_pack("{s:s}", "connection", "webrtcup"));
}

void api_ev_hangup(const struct sl_handle *h, const char *reason)
{
    if (wants(h, SL_EVENT_WEBRTC))
        api_ev_emit(h, SL_EVENT_WEBRTC, 6,
                    json_pack("{s:s, s:s}", "connection", "hangup", "reason", reason));
}

/* ---- media ----------------------------------------------------------------------------------- */

void api_ev_receiving(const struct sl_handle *h, const struct sl_mline *l, int substream,
                      bool receiving)
{
    int64_t seconds = h->session->api->conf.no_media_timer_s;
    json_t *body;

    if (!wants(h, SL_EVENT_MEDIA))
        return;
    body = json_pack("{s:s, s:s}", "media", api_kind_to_str(l->kind), "mid", l->mid);
    if (substream >= 0)
        json_object_set_new(body, "substream", json_integer(substream));
    json_object_set_new(body, "receiving", json_boolean(receiving));
    if (!receiving && seconds > 1)
        json_object_set_new(body, "seconds", json_integer(seconds));
    api_ev_emit(h, SL_EVENT_MEDIA, 1, body);
}

void api_ev_slow_link(const struct sl_handle *h, const struct sl_mline *l, bool uplink,
                      uint32_t lost)
{
    if (wants(h, SL_EVENT_MEDIA))
        api_ev_emit(h, SL_EVENT_MEDIA, 2,
                    json_pack("{s:s, s:s, s:s, s:I}", "mid", l->mid, "media",
                              api_kind_to_str(l->kind), "slow_link", uplink ? "uplink" : "downlink",
                              "lost_lastsec", (json_int_t)lost));
}

/* What was counted of the same stream before; zeros for a new one. */
static struct sl_media_stats stats_before(const struct sl_handle *h, const struct sl_media_stats *s)
{
    for (size_t i = 0; i < h->nstats; i++) {
        if (h->stats[i].mindex == s->mindex && h->stats[i].layer == s->layer)
            return h->stats[i];
    }
    return (struct sl_media_stats){ .mindex = s->mindex };
}

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0; /* a stream that began anew */
}

/* Percent of the packets of the last period that were not lost. */
static json_int_t quality(uint64_t got, int64_t lost, int64_t lost_before)
{
    uint64_t missing = lost > lost_before ? (uint64_t)(lost - lost_before) : 0;

    return got + missing ? (json_int_t)(got * 100 / (got + missing)) : 100;
}

static void add_quality(json_t *j, const struct sl_media_stats *s, const struct sl_media_stats *b)
{
    uint64_t got = grown(s->packets_in, b->packets_in),
             sent = grown(s->packets_out, b->packets_out);
    int64_t remote = s->lost_remote - b->lost_remote;
    uint64_t arrived = remote > 0 && (uint64_t)remote < sent ? sent - (uint64_t)remote : sent;
    json_int_t in = quality(got, s->lost, b->lost);
    json_int_t out = quality(arrived, s->lost_remote, b->lost_remote);

    json_object_set_new(j, "in-link-quality", json_integer(in));
    json_object_set_new(j, "in-media-link-quality", json_integer(in));
    json_object_set_new(j, "out-link-quality", json_integer(out));
    json_object_set_new(j, "out-media-link-quality", json_integer(out));
}

static void add_number(json_t *j, const char *key, uint64_t n)
{
    json_object_set_new(j, key, json_integer((json_int_t)n));
}

/* @us: since @b was counted. */
static json_t *stats_json(const struct sl_mline *l, const struct sl_media_stats *s,
                          const struct sl_media_stats *b, uint64_t us)
{
    json_t *j = json_object();
    char media[24];

    snprintf(media, sizeof(media), s->layer ? "%s-sim%d" : "%s", api_kind_to_str(l->kind),
             (int)s->layer);
    json_object_set_new(j, "mid", json_string(l->mid));
    add_number(j, "mindex", s->mindex);
    json_object_set_new(j, "media", json_string(media));
    if (!s->layer && l->ncodecs)
        json_object_set_new(j, "codec", json_string(sl_codec_to_str(l->codecs[0].codec)));
    add_number(j, "base", s->clock_rate);
    if (!s->layer)
        add_number(j, "rtt", s->rtt_us / 1000);
    if (s->rtt.lsr)
        json_object_set_new(j, "rtt-values",
                            json_pack("{s:I, s:I, s:I}", "ntp", (json_int_t)s->rtt.ntp, "lsr",
                                      (json_int_t)s->rtt.lsr, "dlsr", (json_int_t)s->rtt.dlsr));
    json_object_set_new(j, "lost", json_integer(s->lost));
    json_object_set_new(j, "lost-by-remote", json_integer(s->lost_remote));
    add_number(j, "jitter-local", s->jitter_us / 1000);
    add_number(j, "jitter-remote", s->jitter_remote_us / 1000);
    add_quality(j, s, b);
    add_number(j, "packets-received", s->packets_in);
    add_number(j, "packets-sent", s->packets_out);
    add_number(j, "bytes-received", s->bytes_in);
    add_number(j, "bytes-sent", s->bytes_out);
    add_number(j, "bytes-received-lastsec", grown(s->bytes_in, b->bytes_in) * 1000000 / us);
    add_number(j, "bytes-sent-lastsec", grown(s->bytes_out, b->bytes_out) * 1000000 / us);
    add_number(j, "nacks-received", s->nacks_in);
    add_number(j, "nacks-sent", s->nacks_out);
    add_number(j, "retransmissions-received", s->repaired);
    add_number(j, "remb-bitrate", s->remb_bps);
    if (s->has_quality)
        json_object_set_new(j, "quality", sl_quality_json(&s->quality));
    return j;
}

static json_t *data_json(const struct sl_mline *l, uint16_t mindex,
                         const struct sl_pc_data_count *c)
{
    json_t *j = json_pack("{s:s, s:i, s:s}", "mid", l->mid, "mindex", (int)mindex, "media", "data");

    add_number(j, "packets-received", c->packets_in);
    add_number(j, "packets-sent", c->packets_out);
    add_number(j, "bytes-received", c->bytes_in);
    add_number(j, "bytes-sent", c->bytes_out);
    return j;
}

/* One event each, or all of the handle in one. */
static void emit_all(const struct sl_handle *h, json_t *all) SL_ON_CONTROL;
static void emit_all(const struct sl_handle *h, json_t *all)
{
    json_t *one;
    size_t i;

    if (!json_array_size(all)) {
        json_decref(all);
    } else if (h->session->api->conf.combine_media_stats) {
        api_ev_emit(h, SL_EVENT_MEDIA, 3, all);
    } else {
        json_array_foreach(all, i, one) api_ev_emit(h, SL_EVENT_MEDIA, 3, json_incref(one));
        json_decref(all);
    }
}

static void keep(struct sl_handle *h, const struct sl_media_stats *list, size_t n) SL_ON_CONTROL;
static void keep(struct sl_handle *h, const struct sl_media_stats *list, size_t n)
{
    struct sl_media_stats *copy = n ? malloc(n * sizeof(*copy)) : NULL;

    if (copy)
        memcpy(copy, list, n * sizeof(*copy));
    free(h->stats);
    h->stats = copy;
    h->nstats = copy ? n : 0;
    h->stats_us = h->session->api->cq->now_us;
}

void api_ev_stats(struct sl_handle *h, const struct sl_media_stats *list, size_t n)
{
    uint64_t now_us = h->session->api->cq->now_us;
    uint64_t since = h->stats_us && now_us > h->stats_us ? now_us - h->stats_us : 1000000;
    const struct sl_mline *lines;
    size_t nlines = 0;
    json_t *all;

    lines = h->pc ? sl_pc_lines(h->pc, &nlines) : NULL;
    if (!lines || !wants(h, SL_EVENT_MEDIA))
        return;
    all = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct sl_media_stats before = stats_before(h, &list[i]);

        if (list[i].mindex < nlines)
            json_array_append_new(all,
                                  stats_json(&lines[list[i].mindex], &list[i], &before, since));
    }
    for (size_t i = 0; i < nlines; i++) {
        if (lines[i].kind == SL_KIND_DATA && lines[i].dir != SL_DIR_INACTIVE)
            json_array_append_new(all, data_json(&lines[i], (uint16_t)i, sl_pc_data_count(h->pc)));
    }
    emit_all(h, all);
    keep(h, list, n);
}

void api_ev_stats_forget(struct sl_handle *h)
{
    keep(h, NULL, 0);
    h->stats_us = 0;
}
