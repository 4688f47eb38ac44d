/* Endpoints that are no peer connections: ids, sockets, lines. */
#include "pc/pc_ep.h"

#include "pc/pc_priv.h"
#include "relay/relay.h"
#include "sdp/sdp_codec.h"
#include "srtp/srtp.h"
#include <sluice/codec.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SOCKET_BYTES (1 << 20)
#define PORT_TRIES   512

struct sl_ep {
    struct sl_pc_world *world;
    sl_id id;
    enum sl_relay_kind kind;
    bool is_srtp;
    size_t data_waiting;  /* charge that the worker was given and did not tell of yet */
    size_t data_consumed; /* charge that the worker was not told of yet */
    const struct sl_ep_tell *tell;
    sl_ep_talking_fn talking;
    sl_ep_voice_fn voice;
    sl_remote_data_fn data;
    sl_ep_keyframe_fn keyframe;
    void *arg;
    struct sl_pc_source *sources; /* remote publisher, player: its lines */
    size_t nsources;
};

sl_id sl_ep_id(const struct sl_ep *ep)
{
    return ep->id;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Takes @conf over in any case. */
static int ep_open(struct sl_pc_world *w, struct sl_relay_conf *conf, sl_id near, uint64_t group,
                   struct sl_ep **out) SL_ON_CONTROL
{
    struct sl_ep *ep = calloc(1, sizeof(*ep));
    struct sl_wmsg *m = NULL;
    int err = ep ? sl_pc_world_add_ep(w, ep, near, group, &ep->id) : -ENOMEM;

    if (err == 0) {
        m = sl_wmsg_new(SL_WMSG_EP_OPEN, ep->id, 0);
        if (!m) {
            sl_pc_world_forget(w, ep->id);
            err = -ENOMEM;
        }
    }
    if (err) {
        sl_relay_conf_destroy(conf);
        free(ep);
        return err;
    }
    ep->world = w;
    ep->kind = conf->kind;
    ep->is_srtp = conf->is_srtp;
    m->relay = conf;
    sl_pc_world_post(w, m);
    *out = ep;
    return 0;
}

void sl_ep_destroy(struct sl_ep *ep)
{
    if (!ep)
        return;
    sl_pc_world_del(ep->world, ep->id);
    free(ep->sources);
    free(ep);
}

/* In large steps; what cannot be told now is told later. */
static void give_back(struct sl_ep *ep, size_t charge) SL_ON_CONTROL
{
    struct sl_wmsg *m;

    ep->data_consumed += charge;
    if (ep->data_consumed < SL_RELAY_DATA_WINDOW / 8)
        return;
    m = sl_wmsg_new(SL_WMSG_EP_CONSUMED, ep->id, 0);
    if (!m)
        return;
    m->number = (uint32_t)ep->data_consumed;
    ep->data_consumed = 0;
    sl_pc_world_post(ep->world, m);
}

void sl_ep_on_report(struct sl_ep *ep, const struct sl_report *r)
{
    if (r->type == SL_REPORT_DATA)
        give_back(ep, SL_RELAY_DATA_CHARGE(r->data.len));
    if (r->type == SL_REPORT_DATA_SENT)
        ep->data_waiting -= r->charge < ep->data_waiting ? r->charge : ep->data_waiting;
    else if (r->type == SL_REPORT_TALKING && ep->talking)
        ep->tell->talking(ep->talking, ep->arg, r->mindex, r->talking.on, r->talking.level);
    else if (r->type == SL_REPORT_VOICE && ep->voice)
        ep->tell->voice(ep->voice, ep->arg, r->mindex, &r->voice);
    else if (r->type == SL_REPORT_KEYFRAME && ep->keyframe)
        ep->tell->keyframe(ep->keyframe, ep->arg, r->mindex);
    else if (r->type == SL_REPORT_DATA && ep->data)
        ep->tell->data(ep->data, ep->arg, r->mindex, r->data.is_binary, r->data.bytes, r->data.len);
}

static struct sl_relay_conf *conf_make(enum sl_relay_kind kind, unsigned int suite,
                                       const char *crypto, int *err)
{
    struct sl_relay_conf *c = calloc(1, sizeof(*c));

    *err = c ? 0 : -ENOMEM;
    if (!c)
        return NULL;
    c->kind = kind;
    c->is_srtp = suite != 0;
    if (suite)
        *err = crypto ? sl_srtp_static_keys(suite, crypto, &c->keys) : -EINVAL;
    if (*err == 0)
        return c;
    sl_relay_conf_destroy(c);
    return NULL;
}

/* ---- forwarders ------------------------------------------------------------------------------ */

int sl_ep_forward(struct sl_pc_world *w, const struct sl_forward *f, sl_id near, struct sl_ep **out,
                  uint16_t *port)
{
    struct sl_relay_conf *c;
    struct sl_addr any;
    int err;

    c = conf_make(SL_RELAY_FORWARD, f->srtp_suite, f->srtp_crypto, &err);
    if (!c)
        return err;
    if (!f->port || sl_addr_from_ip(f->ip, f->port, &c->rtp_to) < 0) {
        sl_relay_conf_destroy(c);
        return -EINVAL;
    }
    sl_addr_unmap(&c->rtp_to);
    c->rtcp_to = c->rtp_to;
    sl_addr_set_port(&c->rtcp_to, f->rtcp_port);
    if (!f->rtcp_port)
        c->rtcp_to = (struct sl_addr){ 0 };
    (void)sl_addr_from_ip(sl_addr_family(&c->rtp_to) == AF_INET6 ? "::" : "0.0.0.0", 0, &any);
    err = sl_udp_open(&any, SOCKET_BYTES, &c->rtp);
    if (err < 0) {
        sl_relay_conf_destroy(c);
        return err;
    }
    *port = sl_addr_port(&c->rtp->local);
    return ep_open(w, c, near, 0, out);
}

static struct sl_media *media_new(size_t n)
{
    struct sl_media *m = calloc(1, sizeof(*m) + n * sizeof(m->line[0]));

    for (size_t i = 0; m && i < n; i++) {
        m->line[i].mindex = (uint16_t)i;
        m->line[i].pt = m->line[i].rtx_pt = m->line[i].red_pt = SL_PT_NONE;
    }
    if (m)
        m->n = n;
    return m;
}

static void source_to_line(const struct sl_pc_source *s, struct sl_media_line *m)
{
    m->kind = s->kind;
    m->codec = s->codec;
    m->clock_rate = sl_sdp_codec_get(s->codec)->clock;
    m->ext_mixed = true;
    memcpy(m->ext, s->ext_id, sizeof(m->ext));
}

/* Extensions that mean something on the connection that they came on only. */
static void drop_hop_exts(uint8_t ext[SL_EXT_MAX])
{
    static const enum sl_ext hop[] = { SL_EXT_MID,  SL_EXT_RID,           SL_EXT_RRID,
                                       SL_EXT_TWCC, SL_EXT_ABS_SEND_TIME, SL_EXT_TOFFSET };

    for (size_t i = 0; i < sizeof(hop) / sizeof(hop[0]); i++)
        ext[hop[i]] = 0;
}

static int post_media(struct sl_ep *ep, struct sl_media *media) SL_ON_CONTROL
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_MEDIA, ep->id, 0);

    if (!m) {
        free(media);
        return -ENOMEM;
    }
    m->media = media;
    sl_pc_world_post(ep->world, m);
    return 0;
}

static int post_route(struct sl_ep *ep, uint16_t mindex, const struct sl_ep_line *l) SL_ON_CONTROL
{
    struct sl_wmsg *m = sl_wmsg_new(l->source ? SL_WMSG_ROUTE_ADD : SL_WMSG_ROUTE_DEL, ep->id, 0);

    if (!m)
        return -ENOMEM;
    m->mindex = mindex;
    if (l->source) {
        m->route.from = l->source->id;
        m->route.from_mindex = l->source->mindex;
        m->route.nlayers = l->source->nlayers;
        m->route.svc = l->source->svc;
        m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    }
    sl_pc_world_post(ep->world, m);
    return 0;
}

int sl_ep_forward_lines(struct sl_ep *ep, const struct sl_ep_line *lines, size_t n)
{
    struct sl_media *media = media_new(n);
    int err;

    if (!media)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct sl_media_line *m = &media->line[i];

        if (!lines[i].source)
            continue;
        source_to_line(lines[i].source, m);
        drop_hop_exts(m->ext);
        m->dir = SL_DIR_SEND;
        m->pt = m->red_pt = lines[i].line->pt; /* redundant audio goes as it is */
        m->tx_ssrc = lines[i].line->ssrc;
        if (lines[i].line->substream >= 0 && lines[i].source->nlayers > 1)
            m->tx_layer = (uint8_t)(lines[i].line->substream + 1);
    }
    err = post_media(ep, media);
    for (size_t i = 0; err == 0 && i < n; i++)
        err = post_route(ep, (uint16_t)i, &lines[i]);
    return err;
}

int sl_ep_send_data(struct sl_ep *ep, uint32_t ssrc, bool is_binary, const void *data, size_t len)
{
    const size_t charge = SL_RELAY_DATA_CHARGE(len);
    struct sl_wmsg *m;

    if (ep->kind != SL_RELAY_FORWARD || (!ssrc && ep->is_srtp))
        return -EINVAL;
    if (len > SL_RELAY_DATA_MAX)
        return -EMSGSIZE;
    if (ep->data_waiting + charge > SL_RELAY_DATA_WINDOW)
        return -EAGAIN;
    m = sl_wmsg_new(SL_WMSG_EP_DATA, ep->id, SL_RELAY_DATA_HEAD + len + SL_RELAY_DATA_TAIL);
    if (!m)
        return -ENOMEM;
    if (len)
        memcpy(m->data.bytes, data, len);
    m->data.ssrc = ssrc;
    m->data.is_binary = is_binary;
    ep->data_waiting += charge;
    sl_pc_world_post(ep->world, m);
    return 0;
}

/* ---- remote publishers ----------------------------------------------------------------------- */

static int interface_address(const char *name, struct sl_addr *out)
{
    struct ifaddrs *all;
    int err = -EINVAL;

    if (getifaddrs(&all))
        return -errno;
    for (const struct ifaddrs *i = all; i && err; i = i->ifa_next)
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET && strcmp(i->ifa_name, name) == 0)
            err = sl_addr_from_sockaddr(i->ifa_addr, sizeof(struct sockaddr_in), out);
    freeifaddrs(all);
    return err;
}

/* Where to listen: the group, an address or the address of an interface, what media is bound to,
 * or everywhere. */
static int listen_address(const struct sl_pc_world *w, const struct sl_remote *r,
                          struct sl_addr *out)
{
    if (r->mcast)
        return sl_addr_from_ip(r->mcast, 0, out) < 0 || !sl_addr_is_multicast(out) ? -EINVAL : 0;
    if (r->iface)
        return sl_addr_from_ip(r->iface, 0, out) < 0 ? interface_address(r->iface, out) : 0;
    *out = w->bound;
    return sl_addr_len(out) ? 0 : sl_addr_from_ip("0.0.0.0", 0, out);
}

static int join_group(const struct sl_udp *u, const char *iface)
{
    unsigned int index = iface ? if_nametoindex(iface) : 0;
    const struct sl_addr *a = &u->local;

    if (sl_addr_family(a) == AF_INET6) {
        struct ipv6_mreq v6 = { a->in6.sin6_addr, index };

        return setsockopt(u->fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &v6, sizeof(v6)) ? -errno : 0;
    }
    struct ip_mreqn v4 = { .imr_multiaddr = a->in4.sin_addr, .imr_ifindex = (int)index };

    if (iface && !index && inet_pton(AF_INET, iface, &v4.imr_address) != 1)
        return -EINVAL;
    return setsockopt(u->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof(v4)) ? -errno : 0;
}

/* @port 0: the next free one of the range, beginning where the last search ended. */
static int open_port(struct sl_pc_world *w, const struct sl_remote *r, struct sl_addr *bind,
                     uint16_t port, struct sl_udp **out)
{
    uint32_t span = r->port_high >= r->port_low ? r->port_high - r->port_low + 1u : 0;
    int err = -EADDRINUSE;

    if (port) {
        sl_addr_set_port(bind, port);
        return sl_udp_open(bind, SOCKET_BYTES, out);
    }
    for (uint32_t i = 0; i < span && i < PORT_TRIES && err == -EADDRINUSE; i++) {
        sl_addr_set_port(bind, (uint16_t)(r->port_low + w->next_port++ % span));
        err = sl_udp_open(bind, SOCKET_BYTES, out);
    }
    return err;
}

int sl_ep_remote(struct sl_pc_world *w, const struct sl_remote *r, const struct sl_ep_tell *tell,
                 struct sl_ep **out, struct sl_remote_at *at)
{
    struct sl_relay_conf *c;
    struct sl_addr bind;
    int err = listen_address(w, r, &bind);

    if (err < 0)
        return err;
    c = conf_make(SL_RELAY_REMOTE, r->srtp_suite, r->srtp_crypto, &err);
    if (!c)
        return err;
    err = open_port(w, r, &bind, r->port, &c->rtp);
    if (err == 0)
        err = open_port(w, r, &bind, r->rtcp_port, &c->rtcp);
    if (err == 0 && r->mcast)
        err = join_group(c->rtp, r->iface);
    if (err == 0 && r->mcast)
        err = join_group(c->rtcp, r->iface);
    if (err < 0) {
        sl_relay_conf_destroy(c);
        return err;
    }
    at->port = sl_addr_port(&c->rtp->local);
    at->rtcp_port = sl_addr_port(&c->rtcp->local);
    at->ip[0] = '\0';
    if (!sl_addr_is_any(&bind)) {
        char text[SL_ADDR_TEXT_MAX];

        snprintf(at->ip, sizeof(at->ip), "%s", sl_addr_format_ip(&bind, text));
    }
    err = ep_open(w, c, SL_ID_NONE, r->group, out);
    if (err == 0) {
        (*out)->tell = tell;
        (*out)->talking = r->talking;
        (*out)->voice = r->voice;
        (*out)->data = r->data;
        (*out)->arg = r->arg;
    }
    return err;
}

int sl_ep_remote_lines(struct sl_ep *ep, const struct sl_remote_line *lines, size_t n)
{
    struct sl_pc_source *sources = realloc(ep->sources, (n ? n : 1) * sizeof(*sources));
    struct sl_media *media;

    if (!sources)
        return -ENOMEM;
    ep->sources = sources;
    ep->nsources = 0;
    media = media_new(n);
    if (!media)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct sl_media_line *m = &media->line[i];

        sl_pc_source_of(lines[i].line, ep->id, (uint16_t)i, &sources[i]);
        snprintf(m->mid, sizeof(m->mid), "%u", (unsigned)i & 0xffff);
        source_to_line(&sources[i], m);
        m->dir = lines[i].line->dir & SL_DIR_RECV;
        m->nlayers = sources[i].nlayers;
        if (lines[i].line->red)
            m->red_pt = 0; /* any: see struct sl_relay */
        for (unsigned int k = 0; k < SL_LAYERS_MAX; k++)
            m->ssrc[k] = SL_RELAY_SSRC(lines[i].wire_mindex, k);
    }
    ep->nsources = n;
    return post_media(ep, media);
}

/* ---- players --------------------------------------------------------------------------------- */

static int player_lines(struct sl_ep *ep, const struct sl_player *p) SL_ON_CONTROL
{
    struct sl_media *media = media_new(p->nlines);

    ep->sources = calloc(p->nlines, sizeof(*ep->sources));
    if (!media || !ep->sources) {
        free(media);
        return -ENOMEM;
    }
    ep->nsources = p->nlines;
    for (size_t i = 0; i < p->nlines; i++) {
        struct sl_media_line *m = &media->line[i];
        struct sl_mline line = { .kind = p->lines[i].kind,
                                 .codecs = p->lines[i].codecs,
                                 .ncodecs = 1 };

        sl_pc_source_of(&line, ep->id, (uint16_t)i, &ep->sources[i]);
        snprintf(m->mid, sizeof(m->mid), "%u", (unsigned)i & 0xffff);
        source_to_line(&ep->sources[i], m);
        m->dir = SL_DIR_RECV;
        m->nlayers = 1;
        m->pt = sl_codec_info_get(ep->sources[i].codec)->pt;
    }
    return post_media(ep, media);
}

int sl_ep_player(struct sl_pc_world *w, const struct sl_player *p, const struct sl_ep_tell *tell,
                 struct sl_ep **out)
{
    struct sl_relay_conf *c;
    int err;

    if (!p->nlines || p->nlines > SL_PLAYER_LINES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < p->nlines; i++)
        if (!p->lines[i].ncodecs || p->lines[i].kind == SL_KIND_DATA ||
            sl_codec_info_get(p->lines[i].codecs[0].codec)->kind != p->lines[i].kind)
            return -EINVAL;
    c = conf_make(SL_RELAY_PLAYER, 0, NULL, &err);
    if (!c)
        return err;
    err = ep_open(w, c, SL_ID_NONE, p->group, out);
    if (err)
        return err;
    (*out)->tell = tell;
    (*out)->keyframe = p->keyframe;
    (*out)->arg = p->arg;
    err = player_lines(*out, p);
    if (err)
        sl_ep_destroy(*out);
    return err;
}

int sl_ep_play(struct sl_ep *ep, uint16_t mindex, const struct sl_player_packet *packets, size_t n)
{
    struct sl_relay_packet h;
    struct sl_wmsg *m;
    size_t len = 0;
    uint8_t *at;

    if (ep->kind != SL_RELAY_PLAYER || mindex >= ep->nsources)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (!packets[i].len || packets[i].len > SL_PLAYER_PACKET_MAX)
            return -EINVAL;
        len += sizeof(h) + packets[i].len;
    }
    if (ep->data_waiting + SL_RELAY_DATA_CHARGE(len) > SL_RELAY_DATA_WINDOW)
        return -EAGAIN;
    m = sl_wmsg_new(SL_WMSG_EP_PLAY, ep->id, len);
    if (!m)
        return -ENOMEM;
    m->mindex = mindex;
    at = m->data.bytes;
    for (size_t i = 0; i < n; i++) {
        memset(&h, 0, sizeof(h));
        h.time_us = packets[i].time_us;
        h.len = (uint16_t)packets[i].len;
        h.marker = packets[i].marker;
        memcpy(at, &h, sizeof(h));
        memcpy(at + sizeof(h), packets[i].payload, h.len);
        at += sizeof(h) + h.len;
    }
    ep->data_waiting += SL_RELAY_DATA_CHARGE(len);
    sl_pc_world_post(ep->world, m);
    return 0;
}

/* ---- taps ------------------------------------------------------------------------------------ */

int sl_ep_tap(struct sl_pc_world *w, sl_id id, uint16_t mindex, struct sl_media_tap *tap)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_TAP, id, 0);

    if (!m)
        return -ENOMEM;
    m->mindex = mindex;
    m->tap = tap;
    sl_pc_world_post(w, m);
    return 0;
}

int sl_ep_untap(struct sl_pc_world *w, sl_id id, uint16_t mindex, uint64_t tap)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_UNTAP, id, 0);

    if (!m)
        return -ENOMEM;
    m->mindex = mindex;
    m->id = tap;
    sl_pc_world_post(w, m);
    return 0;
}

/* ---- as a publisher -------------------------------------------------------------------------- */

int sl_ep_source(const struct sl_ep *ep, uint16_t mindex, struct sl_pc_source *out)
{
    if (mindex >= ep->nsources || ep->sources[mindex].codec == SL_CODEC_NONE)
        return -ENOENT;
    *out = ep->sources[mindex];
    return 0;
}

static int post(struct sl_ep *ep, struct sl_wmsg *m, uint16_t mindex) SL_ON_CONTROL
{
    if (!m)
        return -ENOMEM;
    m->mindex = mindex;
    sl_pc_world_post(ep->world, m);
    return 0;
}

int sl_ep_keyframe(struct sl_ep *ep, uint16_t mindex)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_KEYFRAME, ep->id, 0);

    if (m)
        m->layer = -1;
    return post(ep, m, mindex);
}

int sl_ep_gate(struct sl_ep *ep, uint16_t mindex, bool closed)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_GATE, ep->id, 0);

    if (m)
        m->flag = closed;
    return post(ep, m, mindex);
}

int sl_ep_talk_detect(struct sl_ep *ep, uint16_t mindex, uint32_t packets, uint8_t threshold)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_TALK, ep->id, 0);

    if (m) {
        m->talk.packets = packets;
        m->talk.threshold = threshold;
    }
    return post(ep, m, mindex);
}

int sl_ep_voice(struct sl_ep *ep, uint16_t mindex, enum sl_voice_mode mode)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_VOICE, ep->id, 0);

    if (m)
        m->voice = mode;
    return post(ep, m, mindex);
}
