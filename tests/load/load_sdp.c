#include "load_sdp.h"

#include "sdp/sdp_codec.h"
#include <errno.h>
#include <string.h>

#define OPUS_PT 111
#define VP8_PT  96
#define RTX_PT  97

/* The ids of a browser's offer. */
static const struct {
    enum sl_ext ext;
    uint8_t id;
    bool audio, video, simulcast;
} extensions[] = {
    { SL_EXT_AUDIO_LEVEL, 1, true, false, false },
    { SL_EXT_ABS_SEND_TIME, 2, true, true, false },
    { SL_EXT_TWCC, 3, true, true, false },
    { SL_EXT_MID, 4, true, true, false },
    { SL_EXT_RID, 10, false, true, true },
    { SL_EXT_RRID, 11, false, true, true },
    { SL_EXT_VIDEO_ORIENTATION, 13, false, true, false },
};

static void write_transport(const struct load_local *l, const char *setup, struct sl_strbuf *out)
{
    char ip[SL_ADDR_TEXT_MAX];

    sl_strbuf_addf(out,
                   "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\n"
                   "a=candidate:1 1 udp 2130706431 %s %u typ host\r\n",
                   l->creds.ufrag, l->creds.pwd, l->fingerprint, setup,
                   sl_addr_format_ip(&l->addr, ip), sl_addr_port(&l->addr));
}

static void write_extmaps(bool video, bool simulcast, struct sl_strbuf *out)
{
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        if ((video ? extensions[i].video : extensions[i].audio) &&
            (simulcast || !extensions[i].simulcast))
            sl_strbuf_addf(out, "a=extmap:%u %s\r\n", extensions[i].id,
                           sl_sdp_ext_uri(extensions[i].ext));
}

void load_sdp_offer(const struct load_local *l, const struct load_offer *o, struct sl_strbuf *out)
{
    sl_strbuf_addf(out,
                   "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1%s\r\n"
                   "m=audio 9 UDP/TLS/RTP/SAVPF %d\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
                   "a=sendonly\r\na=rtcp-mux\r\n",
                   o->data ? " 2" : "", OPUS_PT);
    write_transport(l, "active", out);
    write_extmaps(false, false, out);
    sl_strbuf_addf(out,
                   "a=rtpmap:%d opus/48000/2\r\na=rtcp-fb:%d transport-cc\r\n"
                   "a=fmtp:%d minptime=10;useinbandfec=1\r\na=ssrc:%u cname:load\r\n",
                   OPUS_PT, OPUS_PT, OPUS_PT, o->audio_ssrc);
    sl_strbuf_addf(out,
                   "m=video 9 UDP/TLS/RTP/SAVPF %d %d\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"
                   "a=sendonly\r\na=rtcp-mux\r\n",
                   VP8_PT, RTX_PT);
    write_transport(l, "active", out);
    write_extmaps(true, o->simulcast, out);
    sl_strbuf_addf(out,
                   "a=rtpmap:%d VP8/90000\r\na=rtcp-fb:%d transport-cc\r\na=rtcp-fb:%d ccm fir\r\n"
                   "a=rtcp-fb:%d nack\r\na=rtcp-fb:%d nack pli\r\na=rtpmap:%d rtx/90000\r\n"
                   "a=fmtp:%d apt=%d\r\n",
                   VP8_PT, VP8_PT, VP8_PT, VP8_PT, VP8_PT, RTX_PT, RTX_PT, VP8_PT);
    if (o->simulcast)
        sl_strbuf_add(out, "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\n"
                           "a=simulcast:send h;m;l\r\n");
    else
        sl_strbuf_addf(out, "a=ssrc:%u cname:load\r\n", o->video_ssrc);
    if (!o->data)
        return;
    sl_strbuf_add(out, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
                       "a=mid:2\r\na=sctp-port:5000\r\n");
    write_transport(l, "active", out);
}

static bool takes_ext(const struct load_local *l, const struct sl_sdp_extmap *x, enum sl_ext *ext)
{
    *ext = sl_sdp_ext_from_uri(x->uri);
    return *ext != SL_EXT_MAX && (*ext != SL_EXT_TWCC || l->twcc);
}

static void answer_line(const struct sl_sdp_section *s, const struct load_local *l,
                        struct sl_strbuf *out)
{
    enum sl_ext ext;

    sl_strbuf_addf(out, "m=%s 9 %s", s->type, s->proto);
    for (size_t i = 0; i < s->nfmts; i++)
        sl_strbuf_addf(out, " %s", s->fmts[i]);
    sl_strbuf_addf(out, "\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\n", s->mid);
    write_transport(l, "active", out);
    if (s->has_sctp_port) {
        sl_strbuf_addf(out, "a=sctp-port:%u\r\n", s->sctp_port);
        return;
    }
    sl_strbuf_addf(out, "a=%s\r\na=rtcp-mux\r\n",
                   s->dir == SL_DIR_INACTIVE ? "inactive" : "recvonly");
    for (size_t i = 0; i < s->nextmaps; i++)
        if (takes_ext(l, &s->extmaps[i], &ext))
            sl_strbuf_addf(out, "a=extmap:%u %s\r\n", s->extmaps[i].id, s->extmaps[i].uri);
    for (size_t i = 0; i < s->nrtpmaps; i++) {
        sl_strbuf_addf(out, "a=rtpmap:%u %s/%u", s->rtpmaps[i].pt, s->rtpmaps[i].name,
                       s->rtpmaps[i].clock);
        sl_strbuf_addf(out, s->rtpmaps[i].channels ? "/%u\r\n" : "\r\n", s->rtpmaps[i].channels);
    }
    for (size_t i = 0; i < s->nfmtps; i++)
        sl_strbuf_addf(out, "a=fmtp:%u %s\r\n", s->fmtps[i].pt, s->fmtps[i].params);
    for (size_t i = 0; i < s->nfbs; i++)
        if (l->twcc || strcmp(s->fbs[i].type, "transport-cc") != 0)
            sl_strbuf_addf(out, "a=rtcp-fb:%u %s\r\n", s->fbs[i].pt, s->fbs[i].type);
}

static void write_answer(const struct sl_sdp *sdp, const struct load_local *l,
                         struct sl_strbuf *out)
{
    sl_strbuf_add(out, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for (size_t i = 0; i < sdp->nmedia; i++)
        sl_strbuf_addf(out, " %s", sdp->media[i].mid);
    sl_strbuf_add(out, "\r\n");
    for (size_t i = 0; i < sdp->nmedia; i++)
        answer_line(&sdp->media[i], l, out);
}

static void take_line(const struct sl_sdp_section *s, const struct load_local *l,
                      struct load_line *out)
{
    enum sl_ext ext;

    memset(out, 0, sizeof(*out));
    out->kind = strcmp(s->type, "audio") == 0   ? SL_KIND_AUDIO
                : strcmp(s->type, "video") == 0 ? SL_KIND_VIDEO
                                                : SL_KIND_DATA;
    snprintf(out->mid, sizeof(out->mid), "%s", s->mid);
    out->pt = out->rtx_pt = SL_PT_NONE;
    if (out->kind != SL_KIND_DATA && s->nfmts) {
        out->pt = sl_sdp_fmt_pt(s, 0);
        out->rtx_pt = sl_sdp_rtx_of(s, out->pt);
    }
    for (size_t i = 0; i < s->nextmaps; i++)
        if (takes_ext(l, &s->extmaps[i], &ext))
            out->ext[ext] = (uint8_t)s->extmaps[i].id;
    if (s->nssrcs)
        out->ssrc = s->ssrcs[0].ssrc;
    for (size_t i = 0; i < s->nssrc_groups; i++)
        if (strcmp(s->ssrc_groups[i].semantics, "FID") == 0 && s->ssrc_groups[i].n == 2) {
            out->ssrc = s->ssrc_groups[i].ssrcs[0];
            out->rtx_ssrc = s->ssrc_groups[i].ssrcs[1];
        }
}

/* The first UDP candidate over IPv4 that our socket can reach: loopback to loopback only. */
static bool take_candidate(const struct sl_sdp_section *s, const struct load_local *l,
                           struct sl_addr *out)
{
    for (size_t i = 0; i < s->ncandidates; i++) {
        struct sl_ice_candidate c;
        struct sl_addr a;

        if (sl_ice_candidate_parse(s->candidates[i], &c) == 0 && c.is_udp && c.component == 1 &&
            sl_addr_from_ip(c.address, c.port, &a) == 0 && sl_addr_family(&a) == AF_INET &&
            sl_addr_is_loopback(&a) == sl_addr_is_loopback(&l->addr)) {
            *out = a;
            return true;
        }
    }
    return false;
}

static int take_transport(const struct sl_sdp *sdp, const struct load_local *l,
                          struct load_remote *out)
{
    const struct sl_sdp_section *first = &sdp->media[0], *global = &sdp->session;
    const struct sl_sdp_section *fp = first->nfingerprints ? first : global;
    const char *ufrag = first->ufrag ? first->ufrag : global->ufrag;
    const char *pwd = first->pwd ? first->pwd : global->pwd;
    char text[256];

    if (!ufrag || !pwd || !fp->nfingerprints || !take_candidate(first, l, &out->addr))
        return -EBADMSG;
    snprintf(out->creds.ufrag, sizeof(out->creds.ufrag), "%s", ufrag);
    snprintf(out->creds.pwd, sizeof(out->creds.pwd), "%s", pwd);
    snprintf(text, sizeof(text), "%s %s", fp->fingerprints[0].hash, fp->fingerprints[0].value);
    out->is_lite = global->ice_lite;
    return sl_fingerprint_parse(text, &out->fp);
}

int load_sdp_take(const char *text, const struct load_local *l, struct load_remote *out,
                  struct sl_strbuf *answer)
{
    struct sl_arena *a = sl_arena_create();
    char reason[SL_SDP_ERROR_MAX];
    struct sl_sdp *sdp;
    int err = -ENOMEM;

    if (!a)
        return -ENOMEM;
    memset(out, 0, sizeof(*out));
    err = sl_sdp_parse(a, text, strlen(text), 0, &sdp, reason);
    if (!err && (!sdp->nmedia || sdp->nmedia > LOAD_LINES_MAX))
        err = -EBADMSG;
    for (size_t i = 0; !err && i < sdp->nmedia; i++)
        if (!sdp->media[i].mid)
            err = -EBADMSG;
    if (!err)
        err = take_transport(sdp, l, out);
    if (!err) {
        out->nlines = sdp->nmedia;
        for (size_t i = 0; i < sdp->nmedia; i++)
            take_line(&sdp->media[i], l, &out->line[i]);
        if (answer)
            write_answer(sdp, l, answer);
    }
    sl_arena_destroy(a);
    return err;
}
