/* What the administrator sees of a peer connection (admin API, `handle_info`, section 1.5): what
 * control knows, and what its worker answers. Event handlers get the numbers of the same answer. */
#include "pc/pc_priv.h"

#include "media/media_mirror.h"
#include "sdp/sdp_codec.h"
#include <sluice/codec.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wait {
    struct sl_list link;
    sl_pc_info_fn fn;
    void *arg;
};

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void set_time(json_t *j, const char *key, uint64_t at_us)
{
    if (at_us)
        json_object_set_new(j, key, number(at_us));
}

/* ---- control's part -------------------------------------------------------------------------- */

json_t *sl_pc_flags(const struct sl_pc *pc)
{
    const struct sl_mline *lines;
    size_t n = 0;
    bool agreed = pc && sl_jsep_is_negotiated(pc->jsep), data = false;
    json_t *j = json_object();

    lines = agreed ? sl_jsep_lines(pc->jsep, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        data = data || (lines[i].kind == SL_KIND_DATA && !lines[i].rejected);
    json_object_set_new(j, "got-offer",
                        json_boolean(agreed || (pc && (sl_jsep_owes_answer(pc->jsep) ||
                                                       sl_jsep_awaits_answer(pc->jsep)))));
    json_object_set_new(j, "got-answer", json_boolean(agreed));
    json_object_set_new(j, "negotiated", json_boolean(agreed));
    json_object_set_new(j, "processing-offer", json_boolean(pc && sl_jsep_owes_answer(pc->jsep)));
    json_object_set_new(j, "starting", json_boolean(agreed && !pc->is_up && !pc->is_down));
    json_object_set_new(j, "ice-restart", json_boolean(pc && pc->restart));
    json_object_set_new(j, "ready", json_boolean(pc && pc->is_up));
    json_object_set_new(j, "stopped", json_boolean(pc && pc->is_down));
    json_object_set_new(j, "alert", json_boolean(pc && pc->is_down));
    json_object_set_new(j, "trickle", json_boolean(pc && pc->told.trickled.n));
    json_object_set_new(j, "all-trickles", json_boolean(pc && pc->remote_end));
    json_object_set_new(j, "resend-trickles", json_false());
    json_object_set_new(j, "trickle-synced", json_false());
    json_object_set_new(j, "data-channels", json_boolean(data));
    json_object_set_new(j, "has-audio", json_false()); /* as the reference: mids say it */
    json_object_set_new(j, "has-video", json_false());
    json_object_set_new(j, "new-datachan-sdp", json_false());
    json_object_set_new(j, "rfc4588-rtx", json_boolean(agreed));
    json_object_set_new(j, "cleaning", json_false());
    json_object_set_new(j, "e2ee", json_boolean(pc && pc->is_e2ee));
    return j;
}

static bool has_text(const json_t *list, const char *text)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
    {
        if (!strcmp(json_string_value(v), text))
            return true;
    }
    return false;
}

static void add_candidate(json_t *list, const char *text, size_t len)
{
    char copy[SL_ICE_CAND_MAX];

    if (len > 10 && !strncmp(text, "candidate:", 10)) {
        text += 10;
        len -= 10;
    }
    if (!len || len >= sizeof(copy))
        return;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (json_array_size(list) < 2 * SL_PC_CANDS_MAX && !has_text(list, copy))
        json_array_append_new(list, json_string(copy)); /* NULL, no UTF-8: left out */
}

/* Those in @sdp (may be NULL), and those that came alone. */
static json_t *candidates(const char *sdp, const struct sl_pc_texts *more)
{
    json_t *list = json_array();

    for (const char *p = sdp; p && (p = strstr(p, "\na=candidate:")) != NULL;) {
        p += 3;
        add_candidate(list, p, strcspn(p, "\r\n"));
    }
    for (size_t i = 0; more && i < more->n; i++)
        add_candidate(list, more->text[i], strcspn(more->text[i], "\r\n"));
    return list;
}

static json_t *sdps(const struct sl_pc *pc)
{
    json_t *j = json_pack("{s:s}", "profile", "UDP/TLS/RTP/SAVPF");

    if (pc->told.local)
        json_object_set_new(j, "local", json_string(pc->told.local));
    if (pc->told.remote)
        json_object_set_new(j, "remote", json_string(pc->told.remote));
    return j;
}

/* ---- ICE and DTLS ---------------------------------------------------------------------------- */

static const char *ice_state(const struct sl_peer_info *in)
{
    static const char *const names[] = {
        [SL_ICE_NEW] = "gathering",       [SL_ICE_CONNECTING] = "connecting",
        [SL_ICE_CONNECTED] = "connected", [SL_ICE_DISCONNECTED] = "disconnected",
        [SL_ICE_FAILED] = "failed",
    };

    if (in->ice_state == SL_ICE_CONNECTED && in->up_us)
        return "ready";
    /* Media may flow before the pair is nominated. */
    return in->ice_state < SL_ICE_CONNECTED && in->up_us ? "connected" : names[in->ice_state];
}

/* How candidates that were told name the kind of @a: "host", ...; "prflx" when none is it. */
static const char *kind_of(const json_t *list, const struct sl_addr *a)
{
    static struct sl_ice_candidate c; /* the text lives until the next call */
    char ip[SL_ADDR_TEXT_MAX];
    const json_t *v;
    size_t i;

    (void)sl_addr_format_ip(a, ip);
    json_array_foreach(list, i, v)
    {
        if (sl_ice_candidate_parse(json_string_value(v), &c) == 0 && !strcmp(c.address, ip) &&
            c.port == sl_addr_port(a))
            return c.type;
    }
    return "prflx";
}

static json_t *ice_info(const struct sl_pc *pc, const struct sl_peer_info *in)
{
    json_t *local = candidates(pc->told.local, &pc->local_cands);
    json_t *remote = candidates(pc->told.remote, &pc->told.trickled);
    char a[SL_ADDR_TEXT_MAX], b[SL_ADDR_TEXT_MAX], text[256];
    const char *proto = in->path == SL_ICE_PATH_TCP ? "tcp" : "udp";
    json_t *j =
        json_pack("{s:i, s:i, s:s}", "stream_id", 1, "component_id", 1, "state", ice_state(in));

    set_time(j, "gathered", pc->gathered_us);
    set_time(j, "connected", in->connected_us);
    json_object_set_new(j, "local-candidates", local);
    json_object_set_new(j, "remote-candidates", remote);
    if (sl_addr_family(&in->remote)) {
        snprintf(text, sizeof(text), "%s [%s,%s] <-> %s [%s,%s]", sl_addr_format(&in->local, a),
                 in->local_type ? in->local_type : "host", proto, sl_addr_format(&in->remote, b),
                 in->remote_type ? in->remote_type : kind_of(remote, &in->remote), proto);
        json_object_set_new(j, "selected-pair", json_string(text));
    }
    json_object_set_new(j, "ready", json_integer(in->up_us ? 1 : -1));
    return j;
}

static json_t *fingerprint(const struct sl_fingerprint *f)
{
    char text[3 * sizeof(f->bytes) + 1] = "";

    for (size_t i = 0; i < f->len; i++)
        snprintf(text + 3 * i, 4, "%02X:", f->bytes[i]);
    if (f->len)
        text[3 * f->len - 1] = '\0';
    return json_string(text);
}

static json_t *dtls_count(const struct sl_dtls_count *c)
{
    return json_pack("{s:o, s:o}", "packets", number(c->packets), "bytes", number(c->bytes));
}

static json_t *dtls_info(const struct sl_pc *pc, const struct sl_peer_info *in)
{
    static const char *const states[] = {
        [SL_DTLS_NEW] = "created",         [SL_DTLS_HANDSHAKE] = "trying",
        [SL_DTLS_CONNECTED] = "connected", [SL_DTLS_CLOSED] = "closed",
        [SL_DTLS_FAILED] = "failed",
    };
    const char *role = !pc->remote_told ? "actpass" : in->is_dtls_server ? "passive" : "active";
    json_t *j = json_pack(
        "{s:s, s:o, s:s, s:s, s:s}", "fingerprint", sl_cert_fingerprint(pc->world->cert),
        "remote-fingerprint", fingerprint(&pc->fingerprint), "remote-fingerprint-hash",
        pc->fingerprint.algorithm, "dtls-role", role, "dtls-state", states[in->dtls_state]);

    json_object_set_new(j, "retransmissions", number(in->retransmissions));
    json_object_set_new(j, "valid", json_boolean(in->up_us));
    if (in->profile != SL_SRTP_NONE)
        json_object_set_new(j, "srtp-profile", json_string(sl_srtp_profile_to_str(in->profile)));
    json_object_set_new(j, "ready", json_boolean(in->up_us));
    set_time(j, "handshake-started", in->dtls_us);
    set_time(j, "connected", in->up_us);
    json_object_set_new(j, "sctp-association", json_boolean(pc->data.is_open));
    json_object_set_new(
        j, "stats",
        json_pack("{s:o, s:o}", "in", dtls_count(&in->dtls_in), "out", dtls_count(&in->dtls_out)));
    return j;
}

/* ---- media ----------------------------------------------------------------------------------- */

static void set_layer(json_t *j, const char *what, const char *after, int layer, uint32_t ssrc)
{
    char key[48];

    if (!ssrc)
        return;
    if (layer)
        snprintf(key, sizeof(key), "%s-sim-%d%s", what, layer, after);
    else
        snprintf(key, sizeof(key), "%s%s", what, after);
    json_object_set_new(j, key, number(ssrc));
}

/* Of an m-line: what was counted, by layer. */
struct counts {
    const struct sl_media_stats *layer; /* at least one */
    uint8_t n;                          /* SL_LAYERS_MAX at most */
};

static struct counts counts_of(const struct sl_peer_info *in, size_t mindex)
{
    static const struct sl_media_stats nothing;
    struct counts c = { &nothing, 1 };
    size_t i = 0, end;

    while (i < in->nstats && in->stats[i].mindex != mindex)
        i++;
    for (end = i; end < in->nstats && in->stats[end].mindex == mindex;)
        end++;
    if (end > i)
        c = (struct counts){ &in->stats[i], (uint8_t)(end - i) };
    return c;
}

static json_t *ssrcs(const struct sl_media_line *m, const struct counts *c)
{
    json_t *j = json_object();

    if (m->tx_ssrc)
        json_object_set_new(j, "ssrc", number(m->tx_ssrc));
    if (m->tx_rtx_ssrc)
        json_object_set_new(j, "ssrc-rtx", number(m->tx_rtx_ssrc));
    for (int l = 0; l < c->n; l++) { /* as heard, else as announced */
        const struct sl_media_stats *s = &c->layer[l];

        set_layer(j, "ssrc-peer", "", l, s->ssrc ? s->ssrc : m->ssrc[l]);
        set_layer(j, "ssrc-peer", "-rtx", l, s->rtx_ssrc ? s->rtx_ssrc : m->rtx_ssrc[l]);
    }
    return j;
}

static json_t *rids(const struct sl_media_line *m)
{
    json_t *list = json_array();

    for (int l = m->nlayers; l-- > 0;)
        json_array_append_new(list, json_string(m->rid[l]));
    return json_pack("{s:o, s:i, s:i, s:s}", "rid", list, "rid-ext-id", m->ext[SL_EXT_RID],
                     "ridrtx-ext-id", m->ext[SL_EXT_RRID], "rid-order", "hml");
}

/* Percent of all packets so far. */
static int quality(int64_t lost, uint64_t arrived)
{
    if (lost <= 0)
        return 100;
    return (int)(arrived * 100 / (arrived + (uint64_t)lost));
}

static uint64_t arrived_there(const struct sl_media_stats *c)
{
    uint64_t lost = c->lost_remote > 0 ? (uint64_t)c->lost_remote : 0;

    return c->packets_out > lost ? c->packets_out - lost : 0;
}

static json_t *rtcp_info(const struct sl_media_stats *c)
{
    json_t *j = json_object();

    json_object_set_new(j, "base", number(c->clock_rate));
    if (!c->layer)
        json_object_set_new(j, "rtt", number(c->rtt_us / 1000));
    json_object_set_new(j, "lost", json_integer(c->lost));
    json_object_set_new(j, "lost-by-remote", json_integer(c->lost_remote));
    json_object_set_new(j, "jitter-local", number(c->jitter_us / 1000));
    json_object_set_new(j, "jitter-remote", number(c->jitter_remote_us / 1000));
    json_object_set_new(j, "in-link-quality", json_integer(quality(c->lost, c->packets_in)));
    json_object_set_new(j, "in-media-link-quality",
                        json_integer(quality(c->lost - (int64_t)c->repaired, c->packets_in)));
    json_object_set_new(j, "out-link-quality",
                        json_integer(quality(c->lost_remote, arrived_there(c))));
    json_object_set_new(
        j, "out-media-link-quality",
        json_integer(quality(c->lost_remote - (int64_t)c->resent, arrived_there(c))));
    return j;
}

static json_t *rtcps(const struct counts *c)
{
    json_t *j = json_object();
    char key[8];

    json_object_set_new(j, "main", rtcp_info(c->layer));
    for (int l = 1; l < c->n; l++) {
        snprintf(key, sizeof(key), "sim%d", l);
        json_object_set_new(j, key, rtcp_info(&c->layer[l]));
    }
    return j;
}

static json_t *received(const struct sl_media_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "packets", number(s->packets_in), "bytes",
                     number(s->bytes_in), "bytes_lastsec", number(s->bytes_in_second), "nacks",
                     number(s->nacks_out), "retransmissions", number(s->repaired));
}

static json_t *stats(const struct counts *c)
{
    const struct sl_media_stats *s = c->layer;
    json_t *got = received(s);
    json_t *sent =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "packets", number(s->packets_out), "bytes",
                  number(s->bytes_out), "bytes_lastsec", number(s->bytes_out_second), "nacks",
                  number(s->nacks_in), "retransmissions", number(s->resent));
    char key[32];

    if (s->redundant)
        json_object_set_new(sent, "redundant", number(s->redundant));
    for (int l = 1; l < c->n; l++) {
        snprintf(key, sizeof(key), "video-simulcast-%d", l);
        json_object_set_new(got, key, received(&c->layer[l]));
    }
    if (s->has_quality)
        json_object_set_new(sent, "quality", sl_quality_json(&s->quality));
    return json_pack("{s:o, s:o}", "in", got, "out", sent);
}

/* Of a data line: messages. */
static json_t *data_stats(const struct sl_pc *pc) SL_ON_CONTROL
{
    const struct sl_pc_data_count *c = sl_pc_data_count(pc);

    return json_pack("{s:{s:o, s:o}, s:{s:o, s:o}}", "in", "packets", number(c->packets_in),
                     "bytes", number(c->bytes_in), "out", "packets", number(c->packets_out),
                     "bytes", number(c->bytes_out));
}

static void rtp_info(json_t *j, const struct sl_media_line *m, const struct counts *c)
{
    json_t *codecs = json_object();

    json_object_set_new(j, "do_nacks", json_boolean(m->nack));
    json_object_set_new(j, "nack-queue-ms", number(SL_MIRROR_CACHE_US / 1000));
    json_object_set_new(j, "ssrc", ssrcs(m, c));
    if (m->nlayers > 1 && m->rid[0][0])
        json_object_set_new(j, "rid-simulcast", rids(m));
    json_object_set_new(j, "direction",
                        json_pack("{s:b, s:b}", "send", (m->dir & SL_DIR_SEND) != 0, "recv",
                                  (m->dir & SL_DIR_RECV) != 0));
    if (m->codec != SL_CODEC_NONE) {
        json_object_set_new(codecs, "pt", json_integer(m->pt));
        if (m->rtx_pt != SL_PT_NONE)
            json_object_set_new(codecs, "rtx-pt", json_integer(m->rtx_pt));
        json_object_set_new(codecs, "codec", json_string(sl_codec_to_str(m->codec)));
    }
    json_object_set_new(j, "codecs", codecs);
    json_object_set_new(j, "rtcp", rtcps(c));
    json_object_set_new(j, "stats", stats(c));
}

/* The msid (RFC 8830) of m-line @mindex in a description, which may be NULL. */
static void add_msid(json_t *j, const char *sdp, unsigned int mindex, const char *stream,
                     const char *track)
{
    const char *line = sdp ? strstr(sdp, "\nm=") : NULL, *end, *at;
    size_t len;

    while (line && mindex--)
        line = strstr(line + 1, "\nm=");
    end = line ? strstr(line + 1, "\nm=") : NULL;
    at = line ? strstr(line, "\na=msid:") : NULL;
    if (!at || (end && at > end))
        return;
    at += strlen("\na=msid:");
    len = strcspn(at, " \r\n");
    json_object_set_new(j, stream, json_stringn(at, len));
    at += len + strspn(at + len, " ");
    len = strcspn(at, " \r\n");
    if (len)
        json_object_set_new(j, track, json_stringn(at, len));
}

static json_t *line_info(const struct sl_pc *pc, const struct sl_media_line *m,
                         const struct counts *c) SL_ON_CONTROL
{
    static const char *const kinds[] = {
        [SL_KIND_AUDIO] = "audio", [SL_KIND_VIDEO] = "video", [SL_KIND_DATA] = "data"
    };
    json_t *j = json_pack("{s:s, s:i, s:s}", "type", kinds[m->kind], "mindex", (int)m->mindex,
                          "mid", m->mid);
    json_t *msid = json_object();

    add_msid(msid, pc->told.local, m->mindex, "local-stream", "local-track");
    add_msid(msid, pc->told.remote, m->mindex, "remote-stream", "remote-track");
    if (json_object_size(msid))
        json_object_set(j, "msid", msid);
    json_decref(msid);
    if (m->kind == SL_KIND_DATA)
        json_object_set_new(j, "stats", data_stats(pc));
    else
        rtp_info(j, m, c);
    return j;
}

static json_t *extensions(const struct sl_media *media)
{
    json_t *j = json_object();

    for (size_t i = 0; i < media->n; i++)
        for (int e = 0; e < SL_EXT_MAX; e++)
            if (media->line[i].ext[e])
                json_object_set_new(j, sl_sdp_ext_uri((enum sl_ext)e),
                                    json_integer(media->line[i].ext[e]));
    return j;
}

static json_t *bwe_info(const struct sl_peer_info *in, int twcc)
{
    json_t *j = json_pack("{s:b, s:i}", "twcc", in->twcc, "twcc-ext-id", twcc);

    if (!in->way.why) /* it does not say what arrives */
        return j;
    json_object_set_new(j, "estimate", number(in->way.estimate_bps));
    json_object_set_new(j, "target", number(in->way.target_bps));
    json_object_set_new(j, "queue", number(in->way.queue_ms));
    json_object_set_new(j, "why", json_string(in->way.why));
    json_object_set_new(j, "held-packets", number(in->held));
    json_object_set_new(j, "held-bytes", number(in->held_bytes));
    return j;
}

static void media_info(json_t *j, const struct sl_pc *pc,
                       const struct sl_peer_info *in) SL_ON_CONTROL
{
    struct sl_media *media = sl_jsep_media(pc->jsep);
    json_t *lines = json_object();
    int twcc = 0;

    if (media)
        json_object_set_new(j, "extensions", extensions(media));
    for (size_t i = 0; media && i < media->n; i++) {
        const struct sl_media_line *m = &media->line[i];
        const struct counts c = counts_of(in, m->mindex);

        twcc = m->ext[SL_EXT_TWCC] ? m->ext[SL_EXT_TWCC] : twcc;
        json_object_set_new(lines, m->mid, line_info(pc, m, &c));
    }
    json_object_set_new(j, "bwe", bwe_info(in, twcc));
    json_object_set_new(j, "media", lines);
    free(media);
}

/* ---- together -------------------------------------------------------------------------------- */

static json_t *info_new(const struct sl_pc *pc, const struct sl_peer_info *in) SL_ON_CONTROL
{
    json_t *j = json_pack("{s:o}", "flags", sl_pc_flags(pc)), *webrtc;

    set_time(j, "agent-created", pc->created_us);
    set_time(j, "agent-started", pc->opened_us);
    json_object_set_new(j, "ice-mode", json_string(pc->world->nice ? "full" : "lite"));
    json_object_set_new(
        j, "ice-role",
        json_string(pc->world->nice && !pc->is_client_offer ? "controlling" : "controlled"));
    json_object_set_new(j, "sdps", sdps(pc));
    if (pc->remote_cands.n)
        json_object_set_new(j, "pending-trickles", json_integer((json_int_t)pc->remote_cands.n));
    json_object_set_new(j, "queued-packets", json_integer(0));
    if (in->is_captured) {
        json_object_set_new(j, "captured-packets", number(in->captured.packets));
        json_object_set_new(j, "captured-dropped", number(in->captured.dropped));
    }
    webrtc = json_pack("{s:o, s:o}", "ice", ice_info(pc, in), "dtls", dtls_info(pc, in));
    media_info(webrtc, pc, in);
    json_object_set_new(j, "webrtc", webrtc);
    return j;
}

static void answer(struct sl_pc *pc, const struct sl_peer_info *in) SL_ON_CONTROL
{
    struct wait *w = sl_container(pc->told.waits.next, struct wait, link);
    sl_pc_info_fn fn = w->fn;
    void *arg = w->arg;

    sl_list_del(&w->link);
    free(w);
    fn(arg, in ? info_new(pc, in) : NULL);
}

void sl_pc_on_info(struct sl_pc *pc, const struct sl_report *r)
{
    const struct sl_peer_info *in = r->info.is;

    if (!r->info.for_events) {
        if (!sl_list_is_empty(&pc->told.waits))
            answer(pc, in);
    } else if (in && pc->cb.stats) {
        pc->cb.stats(pc->arg, in->stats, in->nstats);
    }
}

void sl_pc_stats_ask(struct sl_pc *pc)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_PC_INFO, pc->id, 0);

    if (!m)
        return;
    m->flag = true;
    sl_pc_world_post(pc->world, m);
}

int sl_pc_info(struct sl_pc *pc, sl_pc_info_fn fn, void *arg)
{
    static const struct sl_peer_info unopened;
    struct wait *w = calloc(1, sizeof(*w));
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_PC_INFO, pc->id, 0);

    if (!w || !m) {
        free(w);
        sl_wmsg_free(m);
        return -ENOMEM;
    }
    w->fn = fn;
    w->arg = arg;
    sl_list_add(&pc->told.waits, &w->link);
    if (pc->is_open) {
        sl_pc_world_post(pc->world, m);
        return 0;
    }
    sl_wmsg_free(m);
    answer(pc, &unopened);
    return 0;
}

void sl_pc_told_fini(struct sl_pc *pc)
{
    while (!sl_list_is_empty(&pc->told.waits))
        answer(pc, NULL);
    sl_pcap_close(pc->told.capture);
    sl_pc_texts_clear(&pc->told.trickled);
    free(pc->told.local);
    free(pc->told.remote);
}
