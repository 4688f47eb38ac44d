#include "sdp/sdp.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const dir_names[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
static const char *const setup_names[] = { "", "actpass", "active", "passive", "holdconn" };

#define LINE(out, ...) sl_strbuf_addf(out, __VA_ARGS__), sl_strbuf_add(out, "\r\n")

/* The lines of struct sl_sdp_line whose type is one of @types, in the order of @types. */
static void write_lines(const struct sl_sdp_section *s, const char *types, struct sl_strbuf *out)
{
    for (; *types; types++) {
        for (size_t i = 0; i < s->nlines; i++) {
            if (s->lines[i].type == *types)
                LINE(out, "%c=%s", *types, s->lines[i].text);
        }
    }
}

static void write_conn(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    if (s->conn)
        LINE(out, "c=%s", s->conn);
    for (size_t i = 0; i < s->nbws; i++)
        LINE(out, "b=%s:%" PRIu64, s->bws[i].type, s->bws[i].value);
}

static void write_transport(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    if (s->ufrag)
        LINE(out, "a=ice-ufrag:%s", s->ufrag);
    if (s->pwd)
        LINE(out, "a=ice-pwd:%s", s->pwd);
    if (s->ice_options)
        LINE(out, "a=ice-options:%s", s->ice_options);
    for (size_t i = 0; i < s->nfingerprints; i++)
        LINE(out, "a=fingerprint:%s %s", s->fingerprints[i].hash, s->fingerprints[i].value);
    if (s->setup)
        LINE(out, "a=setup:%s", setup_names[s->setup]);
}

static void write_extmaps(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    for (size_t i = 0; i < s->nextmaps; i++) {
        const struct sl_sdp_extmap *e = &s->extmaps[i];

        LINE(out, "a=extmap:%u%s%s %s%s%s", e->id, e->dir >= 0 ? "/" : "",
             e->dir >= 0 ? dir_names[e->dir] : "", e->uri, e->params ? " " : "",
             e->params ? e->params : "");
    }
}

static void write_codecs(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    for (size_t i = 0; i < s->nrtpmaps; i++) {
        const struct sl_sdp_rtpmap *m = &s->rtpmaps[i];

        sl_strbuf_addf(out, "a=rtpmap:%u %s/%" PRIu32, m->pt, m->name, m->clock);
        if (m->channels)
            sl_strbuf_addf(out, "/%u", m->channels);
        sl_strbuf_add(out, "\r\n");
    }
    for (size_t i = 0; i < s->nfbs; i++) {
        if (s->fbs[i].pt == SL_PT_NONE)
            LINE(out, "a=rtcp-fb:* %s", s->fbs[i].type);
        else
            LINE(out, "a=rtcp-fb:%u %s", s->fbs[i].pt, s->fbs[i].type);
    }
    for (size_t i = 0; i < s->nfmtps; i++)
        LINE(out, "a=fmtp:%u %s", s->fmtps[i].pt, s->fmtps[i].params);
}

static void write_simulcast(const struct sl_sdp_simulcast *sim, const char *dir,
                            struct sl_strbuf *out)
{
    sl_strbuf_addf(out, "%s ", dir);
    for (size_t i = 0; i < sim->n; i++) {
        const struct sl_sdp_stream *s = &sim->streams[i];

        sl_strbuf_addf(out, "%s%s%s",
                       !i               ? ""
                       : s->alternative ? ","
                                        : ";",
                       s->paused ? "~" : "", s->rid);
    }
}

static void write_streams(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    for (size_t i = 0; i < s->nmsids; i++)
        LINE(out, "a=msid:%s%s%s", s->msids[i].stream, s->msids[i].track ? " " : "",
             s->msids[i].track ? s->msids[i].track : "");
    for (size_t i = 0; i < s->nssrc_groups; i++) {
        sl_strbuf_addf(out, "a=ssrc-group:%s", s->ssrc_groups[i].semantics);
        for (size_t k = 0; k < s->ssrc_groups[i].n; k++)
            sl_strbuf_addf(out, " %" PRIu32, s->ssrc_groups[i].ssrcs[k]);
        sl_strbuf_add(out, "\r\n");
    }
    for (size_t i = 0; i < s->nssrcs; i++)
        LINE(out, "a=ssrc:%" PRIu32 " %s%s%s", s->ssrcs[i].ssrc, s->ssrcs[i].name,
             s->ssrcs[i].value ? ":" : "", s->ssrcs[i].value ? s->ssrcs[i].value : "");
    for (size_t i = 0; i < s->nrids; i++)
        LINE(out, "a=rid:%s %s%s%s", s->rids[i].id, s->rids[i].send ? "send" : "recv",
             s->rids[i].params ? " " : "", s->rids[i].params ? s->rids[i].params : "");
    if (s->sim_send.n || s->sim_recv.n) {
        sl_strbuf_add(out, "a=simulcast:");
        if (s->sim_send.n)
            write_simulcast(&s->sim_send, "send", out);
        if (s->sim_recv.n)
            write_simulcast(&s->sim_recv, s->sim_send.n ? " recv" : "recv", out);
        sl_strbuf_add(out, "\r\n");
    }
}

static void write_sctp(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    if (s->sctpmap)
        LINE(out, "a=sctpmap:%s", s->sctpmap);
    if (s->has_sctp_port)
        LINE(out, "a=sctp-port:%u", s->sctp_port);
    if (s->has_max_message)
        LINE(out, "a=max-message-size:%" PRIu64, s->max_message);
}

static void write_attrs(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    for (size_t i = 0; i < s->ngroups; i++) {
        sl_strbuf_addf(out, "a=group:%s", s->groups[i].semantics);
        for (size_t k = 0; k < s->groups[i].n; k++)
            sl_strbuf_addf(out, " %s", s->groups[i].mids[k]);
        sl_strbuf_add(out, "\r\n");
    }
    if (s->ice_lite)
        sl_strbuf_add(out, "a=ice-lite\r\n");
    if (s->dir >= 0)
        LINE(out, "a=%s", dir_names[s->dir]);
    if (s->mid)
        LINE(out, "a=mid:%s", s->mid);
    if (s->bundle_only)
        sl_strbuf_add(out, "a=bundle-only\r\n");
    if (s->rtcp_mux)
        sl_strbuf_add(out, "a=rtcp-mux\r\n");
    if (s->rtcp_rsize)
        sl_strbuf_add(out, "a=rtcp-rsize\r\n");
    write_transport(s, out);
    if (s->ext_mixed)
        sl_strbuf_add(out, "a=extmap-allow-mixed\r\n");
    write_codecs(s, out);
    write_extmaps(s, out);
    write_streams(s, out);
    write_sctp(s, out);
    for (size_t i = 0; i < s->nattrs; i++)
        LINE(out, "a=%s%s%s", s->attrs[i].name, s->attrs[i].value ? ":" : "",
             s->attrs[i].value ? s->attrs[i].value : "");
    for (size_t i = 0; i < s->ncandidates; i++)
        LINE(out, "a=candidate:%s", s->candidates[i]);
    if (s->end_of_candidates)
        sl_strbuf_add(out, "a=end-of-candidates\r\n");
}

static void write_media(const struct sl_sdp_section *s, struct sl_strbuf *out)
{
    sl_strbuf_addf(out, "m=%s %u", s->type, s->port);
    if (s->nports)
        sl_strbuf_addf(out, "/%u", s->nports);
    sl_strbuf_addf(out, " %s", s->proto);
    for (size_t i = 0; i < s->nfmts; i++)
        sl_strbuf_addf(out, " %s", s->fmts[i]);
    sl_strbuf_add(out, "\r\n");
    write_lines(s, "i", out);
    write_conn(s, out);
    write_lines(s, "k", out);
    write_attrs(s, out);
}

void sl_sdp_write(const struct sl_sdp *sdp, struct sl_strbuf *out)
{
    sl_strbuf_add(out, "v=0\r\n");
    LINE(out, "o=%s %s %s %s", sdp->origin.user, sdp->origin.id, sdp->origin.version,
         sdp->origin.addr);
    LINE(out, "s=%s", sdp->name);
    write_lines(&sdp->session, "iuep", out);
    write_conn(&sdp->session, out);
    write_lines(&sdp->session, "trzk", out);
    write_attrs(&sdp->session, out);
    for (size_t i = 0; i < sdp->nmedia; i++)
        write_media(&sdp->media[i], out);
}
