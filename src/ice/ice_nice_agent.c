#include "base/log.h"
#include "ice/ice_nice_priv.h"
#include "net/net_udp.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMPONENT NICE_COMPONENT_TYPE_RTP
#define LOCAL_MAX 32 /* addresses of this machine that we gather on */

/* Between two of libnice's own checks (Ta), the least that RFC 8445 section 14.2 allows. From the
 * peer's first check to a selected pair it takes three of them: a check, a decision, a nomination.
 */
#define PACING_MS 5

#define IDLE_MS       5000      /* libnice's "idle-timeout": its default */
#define CALM_IDLE_MS  50        /* the least it takes */
#define SOCKET_BUFFER (1 << 20) /* bytes each way; one peer's, so less than a worker's socket */

static int addr_from_nice(const NiceAddress *from, struct sl_addr *out)
{
    struct sockaddr_storage ss = { 0 };

    nice_address_copy_to_sockaddr(from, (struct sockaddr *)&ss);
    return sl_addr_from_sockaddr((const struct sockaddr *)&ss, sizeof(ss), out);
}

/* ---- local candidates ----------------------------------------------------------------------- */

/* generate gives "a=candidate:...", the callback gets it without "a=". */
static void candidate_tell(struct nice_pc *pc, NiceCandidate *c)
{
    gchar *text = nice_agent_generate_local_candidate_sdp(pc->agent, c);

    if (text && pc->nice->cb->candidate)
        pc->nice->cb->candidate(pc->nice->arg, pc->id,
                                strncmp(text, "a=", 2) == 0 ? text + 2 : text);
    g_free(text);
}

/* Host candidates are announced at the public addresses when there are some: behind a one-to-one
 * NAT the local ones are of no use, and nobody's business. */
static void candidate_announce(struct nice_pc *pc, NiceCandidate *c)
{
    const struct sl_nice *n = pc->nice;
    int family = nice_address_ip_version(&c->addr) == 4 ? AF_INET : AF_INET6;

    if (c->transport != NICE_CANDIDATE_TRANSPORT_UDP)
        return;
    if (c->type != NICE_CANDIDATE_TYPE_HOST || n->npublic == 0) {
        candidate_tell(pc, c);
        return;
    }
    for (size_t i = 0; i < n->npublic; i++) {
        NiceCandidate *copy;

        if (sl_addr_family(&n->public_ip[i]) != family)
            continue;
        copy = nice_candidate_copy(c);
        nice_address_set_from_sockaddr(&copy->addr, &n->public_ip[i].sa);
        nice_address_set_port(&copy->addr, nice_address_get_port(&c->addr));
        copy->base_addr = copy->addr;
        candidate_tell(pc, copy);
        nice_candidate_free(copy);
    }
}

static void on_candidate(NiceAgent *agent, NiceCandidate *c, gpointer arg)
{
    (void)agent;
    candidate_announce(arg, c);
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer arg)
{
    struct nice_pc *pc = arg;

    (void)agent;
    (void)stream;
    if (pc->is_gathered)
        return;
    pc->is_gathered = true;
    if (pc->nice->cb->candidate)
        pc->nice->cb->candidate(pc->nice->arg, pc->id, NULL);
}

static void creds_tell(struct nice_pc *pc)
{
    struct sl_ice_creds creds = { 0 };
    gchar *ufrag = NULL, *pwd = NULL;

    if (nice_agent_get_local_credentials(pc->agent, pc->stream, &ufrag, &pwd)) {
        (void)g_strlcpy(creds.ufrag, ufrag, sizeof(creds.ufrag));
        (void)g_strlcpy(creds.pwd, pwd, sizeof(creds.pwd));
        if (pc->nice->cb->creds)
            pc->nice->cb->creds(pc->nice->arg, pc->id, &creds);
    }
    g_free(ufrag);
    g_free(pwd);
}

/* ---- state and path ------------------------------------------------------------------------- */

/* While there are checks to do libnice looks around at its pace, and for as long as IDLE_MS after
 * the last of them, in case that none succeeded. Once one did there is nothing to wait for. */
static void calm_set(struct nice_pc *pc, bool is_calm) SL_ON_ICE
{
    if (pc->loop->is_calm == is_calm)
        return;
    pc->loop->is_calm = is_calm;
    g_object_set(pc->agent, "idle-timeout", (guint)(is_calm ? CALM_IDLE_MS : IDLE_MS), NULL);
}

static void state_set(struct nice_pc *pc, enum sl_ice_state state)
{
    if (pc->state == state)
        return;
    pc->state = state;
    if (state == SL_ICE_CONNECTED)
        pc->was_connected = true;
    if (pc->nice->cb->state)
        pc->nice->cb->state(pc->nice->arg, pc->id, state);
}

/* The kernel loses what comes to a socket of a group while it is closed: so the worker keeps the
 * one that it has, rather than getting another for the same address. */
static void take_over_at(struct nice_pc *pc, int fd, const struct sl_addr *own,
                         struct sl_ice_path *p) SL_ON_ICE
{
    int err;

    if (sl_addr_is_equal(own, &pc->taken)) {
        p->kind = SL_ICE_PATH_DIRECT;
        return;
    }
    err = sl_udp_open_beside(fd, SOCKET_BUFFER, &p->udp);
    if (!err) {
        p->kind = SL_ICE_PATH_DIRECT;
        p->fd = p->udp->fd;
        pc->taken = *own;
    } else if (atomic_fetch_add(&pc->nice->refused, 1) == 0) {
        sl_warn("ice", "take-over-refused", "pc=%" PRIx64 " error=\"%s\"", pc->id, strerror(-err));
    }
}

/* A socket of ours beside the selected one, if datagrams go over that as they are: relays and TCP
 * wrap them. A peer reflexive candidate says nothing of that itself, but its base is the socket's
 * own address then. Else libnice carries the media. */
static void take_over(struct nice_pc *pc, const NiceCandidate *local,
                      struct sl_ice_path *p) SL_ON_ICE
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);
    struct sl_addr own, base;
    GSocket *sock;
    int fd;

    if (local->transport != NICE_CANDIDATE_TRANSPORT_UDP ||
        local->type == NICE_CANDIDATE_TYPE_RELAYED)
        return;
    sock = nice_agent_get_selected_socket(pc->agent, pc->stream, COMPONENT);
    if (!sock)
        return;
    fd = g_socket_get_fd(sock);
    if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
        sl_addr_from_sockaddr((struct sockaddr *)&ss, len, &own) == 0 &&
        addr_from_nice(&local->base_addr, &base) == 0 && sl_addr_is_equal(&own, &base))
        take_over_at(pc, fd, &own, p);
    g_object_unref(sock);
}

static const char *type_to_str(NiceCandidateType type)
{
    switch (type) {
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
        return "srflx";
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
        return "prflx";
    case NICE_CANDIDATE_TYPE_RELAYED:
        return "relay";
    case NICE_CANDIDATE_TYPE_HOST:
    default:
        return "host";
    }
}

static void path_tell(struct nice_pc *pc, const NiceCandidate *local,
                      const NiceCandidate *remote) SL_ON_ICE
{
    struct sl_ice_path p = { .kind = SL_ICE_PATH_NONE, .fd = -1 };

    if (!local && !pc->has_path)
        return;
    pc->has_path = local != NULL;
    if (local) {
        p.kind = SL_ICE_PATH_AGENT;
        p.local_type = type_to_str(local->type);
        p.remote_type = type_to_str(remote->type);
        (void)addr_from_nice(&local->addr, &p.local_candidate);
        if (addr_from_nice(&remote->addr, &p.remote) == 0)
            take_over(pc, local, &p);
    }
    if (p.kind != SL_ICE_PATH_DIRECT)
        pc->taken = (struct sl_addr){ 0 };
    if (pc->nice->cb->path)
        pc->nice->cb->path(pc->nice->arg, pc->id, &p);
    else
        sl_udp_close(p.udp);
}

/* Only a check that was answered makes a candidate of an address that nobody announced. */
static void on_remote(NiceAgent *agent, NiceCandidate *c, gpointer arg)
{
    struct nice_pc *pc = arg;
    struct sl_addr addr;

    (void)agent;
    if (c->type == NICE_CANDIDATE_TYPE_PEER_REFLEXIVE &&
        c->transport == NICE_CANDIDATE_TRANSPORT_UDP && addr_from_nice(&c->addr, &addr) == 0 &&
        pc->nice->cb->checked)
        pc->nice->cb->checked(pc->nice->arg, pc->id, &addr);
}

static void on_pair(NiceAgent *agent, guint stream, guint component, NiceCandidate *local,
                    NiceCandidate *remote, gpointer arg)
{
    (void)agent;
    (void)stream;
    (void)component;
    SL_ASSUME(ice);
    path_tell(arg, local, remote);
}

/* libnice: disconnected, gathering, connecting, connected (a pair works), ready (nominated and all
 * checks done), failed. Once connected, a restart does not take the connection away: media goes on
 * over the old pair until the new one is there (RFC 8445 section 9). */
static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer arg)
{
    struct nice_pc *pc = arg;

    (void)agent;
    (void)stream;
    (void)component;
    SL_ASSUME(ice);
    calm_set(pc, state == NICE_COMPONENT_STATE_READY && !pc->is_restarting);
    switch (state) {
    case NICE_COMPONENT_STATE_CONNECTING:
        if (!pc->was_connected)
            state_set(pc, SL_ICE_CONNECTING);
        break;
    case NICE_COMPONENT_STATE_CONNECTED:
    case NICE_COMPONENT_STATE_READY:
        if (!pc->has_path) {
            NiceCandidate *local = NULL, *remote = NULL;

            /* After consent was lost, the same pair comes back without a signal of its own. */
            if (nice_agent_get_selected_pair(pc->agent, pc->stream, COMPONENT, &local, &remote))
                path_tell(pc, local, remote);
        }
        state_set(pc, SL_ICE_CONNECTED);
        break;
    case NICE_COMPONENT_STATE_FAILED:
        path_tell(pc, NULL, NULL);
        state_set(pc, pc->was_connected ? SL_ICE_DISCONNECTED : SL_ICE_FAILED);
        break;
    default:
        break;
    }
}

static void on_data(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf,
                    gpointer arg)
{
    struct nice_pc *pc = arg;

    (void)agent;
    (void)stream;
    (void)component;
    if (pc->nice->cb->data)
        pc->nice->cb->data(pc->nice->arg, pc->id, (const uint8_t *)buf, len);
}

/* ---- the peer's side ------------------------------------------------------------------------ */

static NiceCandidateType type_from_text(const char *type)
{
    static const struct {
        const char *text;
        NiceCandidateType type;
    } types[] = {
        { "host", NICE_CANDIDATE_TYPE_HOST },
        { "srflx", NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE },
        { "prflx", NICE_CANDIDATE_TYPE_PEER_REFLEXIVE },
        { "relay", NICE_CANDIDATE_TYPE_RELAYED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].text, type) == 0)
            return types[i].type;
    return NICE_CANDIDATE_TYPE_HOST;
}

static void candidate_add(struct nice_pc *pc, const struct sl_ice_candidate *in)
{
    struct sl_addr addr;
    NiceCandidate *c;
    GSList *list;

    if (pc->nremote >= NICE_REMOTE_MAX || sl_addr_from_ip(in->address, in->port, &addr))
        return;
    c = nice_candidate_new(type_from_text(in->type));
    c->stream_id = pc->stream;
    c->component_id = COMPONENT;
    c->transport = NICE_CANDIDATE_TRANSPORT_UDP;
    c->priority = in->priority;
    (void)g_strlcpy(c->foundation, in->foundation, sizeof(c->foundation));
    nice_address_set_from_sockaddr(&c->addr, &addr.sa);
    list = g_slist_prepend(NULL, c);
    if (nice_agent_set_remote_candidates(pc->agent, pc->stream, COMPONENT, list) > 0)
        pc->nremote++;
    g_slist_free(list);
    nice_candidate_free(c);
}

void nice_pc_candidate(struct nice_pc *pc, const char *text)
{
    struct sl_ice_candidate c;

    if (!text) {
        pc->remote_done = true;
        if (pc->has_remote)
            (void)nice_agent_peer_candidate_gathering_done(pc->agent, pc->stream);
        return;
    }
    /* Component 2 is RTCP without multiplexing, TCP we do not speak; a name (mDNS) is not looked
     * up, since the peer's own checks tell its address sooner; port 0 is nobody's. */
    if (sl_ice_candidate_parse(text, &c) || c.component != COMPONENT || !c.is_udp || c.port == 0)
        return;
    /* While ours restarts, a candidate may belong to the peer's next generation: libnice would
     * check it with the old credentials, and forget it with them. */
    if (pc->has_remote && !pc->is_restarting) {
        candidate_add(pc, &c);
        return;
    }
    if (!pc->pending)
        pc->pending = calloc(NICE_REMOTE_MAX, sizeof(*pc->pending));
    if (pc->pending && pc->npending < NICE_REMOTE_MAX)
        pc->pending[pc->npending++] = c;
}

static void pending_add(struct nice_pc *pc)
{
    for (unsigned int i = 0; i < pc->npending; i++)
        candidate_add(pc, &pc->pending[i]);
    free(pc->pending);
    pc->pending = NULL;
    pc->npending = 0;
}

void nice_pc_remote(struct nice_pc *pc, const struct sl_ice_creds *creds)
{
    bool is_same =
        strcmp(creds->ufrag, pc->remote.ufrag) == 0 && strcmp(creds->pwd, pc->remote.pwd) == 0;

    if (!creds->ufrag[0] || !creds->pwd[0] || (pc->has_remote && is_same && !pc->is_restarting))
        return;
    /* The peer restarted: so must we, with new credentials of our own (RFC 8445 section 9). */
    if (pc->has_remote && !is_same && !pc->is_restarting)
        nice_pc_restart(pc);
    pc->is_restarting = false;
    pc->has_remote = true;
    pc->remote = *creds;
    if (!nice_agent_set_remote_credentials(pc->agent, pc->stream, creds->ufrag, creds->pwd)) {
        sl_warn("ice", "remote-refused", "pc=%" PRIx64, pc->id);
        return;
    }
    pending_add(pc);
    if (pc->remote_done)
        (void)nice_agent_peer_candidate_gathering_done(pc->agent, pc->stream);
}

void nice_pc_restart(struct nice_pc *pc)
{
    GSList *list, *i;

    if (!nice_agent_restart_stream(pc->agent, pc->stream)) {
        sl_warn("ice", "restart-failed", "pc=%" PRIx64, pc->id);
        return;
    }
    pc->is_restarting = pc->has_remote;
    calm_set(pc, false);
    pc->remote_done = false;
    pc->nremote = 0;
    creds_tell(pc);
    /* The sockets stay, and so do the candidates; those still being gathered come as they do. */
    list = nice_agent_get_local_candidates(pc->agent, pc->stream, COMPONENT);
    for (i = list; i; i = i->next)
        candidate_announce(pc, i->data);
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
    if (pc->is_gathered && pc->nice->cb->candidate)
        pc->nice->cb->candidate(pc->nice->arg, pc->id, NULL);
}

void nice_pc_send(struct nice_pc *pc, const uint8_t *data, size_t len)
{
    if (nice_agent_send(pc->agent, pc->stream, COMPONENT, (guint)len, (const gchar *)data) !=
        (gint)len)
        atomic_fetch_add(&pc->nice->drops, 1);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void servers_set(struct nice_pc *pc)
{
    const struct sl_nice *n = pc->nice;

    if (n->stun.ip[0])
        g_object_set(pc->agent, "stun-server", n->stun.ip, "stun-server-port", (guint)n->stun.port,
                     NULL);
    if (n->turn.ip[0] && !nice_agent_set_relay_info(pc->agent, pc->stream, COMPONENT, n->turn.ip,
                                                    n->turn.port, n->turn_user, n->turn_password,
                                                    n->turn.is_tcp ? NICE_RELAY_TYPE_TURN_TCP
                                                                   : NICE_RELAY_TYPE_TURN_UDP))
        sl_warn("ice", "turn-refused", "host=%s", n->turn.host);
}

static void address_add(struct nice_pc *pc, const struct sl_addr *addr)
{
    NiceAddress a;

    nice_address_init(&a);
    nice_address_set_from_sockaddr(&a, &addr->sa);
    nice_address_set_port(&a, 0);
    (void)nice_agent_add_local_address(pc->agent, &a);
}

/* Left alone, libnice would announce link-local addresses, and the "any" address as it is. */
static void addresses_set(struct nice_pc *pc)
{
    static const struct sl_addr all = { 0 };
    const struct sl_nice *n = pc->nice;
    const struct sl_addr *bind = n->nbind ? n->bind : &all;
    struct sl_addr local[LOCAL_MAX];

    for (size_t i = 0; i < (n->nbind ? n->nbind : 1); i++) {
        int found;

        if (sl_addr_family(&bind[i]) != AF_UNSPEC && !sl_addr_is_any(&bind[i])) {
            address_add(pc, &bind[i]);
            continue;
        }
        found = sl_addr_list_local(sl_addr_family(&bind[i]), false, 0, local, LOCAL_MAX);
        for (int k = 0; k < found && k < LOCAL_MAX; k++)
            address_add(pc, &local[k]);
    }
}

int nice_pc_create(struct sl_nice *n, sl_id id, bool controlling, struct nice_pc **out)
{
    struct nice_pc *pc = calloc(1, sizeof(*pc));
    int err;

    if (!pc)
        return -ENOMEM;
    err = nice_loop_create(n, G_MAIN_CONTEXT_FLAGS_NONE, &pc->loop);
    if (err) {
        free(pc);
        return err;
    }
    pc->id = id;
    pc->nice = n;
    pc->agent =
        nice_agent_new_full(pc->loop->ctx, NICE_COMPATIBILITY_RFC5245,
                            NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_ICE_TRICKLE |
                                NICE_AGENT_OPTION_CONSENT_FRESHNESS);
    g_object_set(pc->agent, "controlling-mode", (gboolean)controlling, "ice-tcp", FALSE, "upnp",
                 FALSE, "stun-pacing-timer", (guint)PACING_MS, NULL);
    addresses_set(pc);
    pc->stream = nice_agent_add_stream(pc->agent, 1);
    if (pc->stream == 0) {
        g_object_unref(pc->agent);
        nice_loop_end(pc->loop);
        free(pc);
        return -EIO;
    }
    if (n->port_high)
        nice_agent_set_port_range(pc->agent, pc->stream, COMPONENT, n->port_low, n->port_high);
    servers_set(pc);
    g_signal_connect(pc->agent, "new-candidate-full", G_CALLBACK(on_candidate), pc);
    g_signal_connect(pc->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), pc);
    g_signal_connect(pc->agent, "component-state-changed", G_CALLBACK(on_state), pc);
    g_signal_connect(pc->agent, "new-selected-pair-full", G_CALLBACK(on_pair), pc);
    g_signal_connect(pc->agent, "new-remote-candidate-full", G_CALLBACK(on_remote), pc);
    (void)nice_agent_attach_recv(pc->agent, pc->stream, COMPONENT, pc->loop->ctx, on_data, pc);
    nice_loop_changed(pc->loop);
    *out = pc;
    return 0;
}

void nice_pc_gather(struct nice_pc *pc)
{
    creds_tell(pc);
    if (nice_agent_gather_candidates(pc->agent, pc->stream))
        return;
    sl_error("ice", "no-candidates", "pc=%" PRIx64 " hint=\"check media.rtp_port_range and bind\"",
             pc->id);
    on_gathered(pc->agent, pc->stream, pc);
    state_set(pc, SL_ICE_FAILED);
}

/* @arg is the loop; the peer connection is gone by now. */
static void on_closed(GObject *agent, GAsyncResult *result, gpointer arg)
{
    struct nice_loop *l = arg;

    SL_ASSUME(ice);
    (void)result;
    g_object_unref(agent);
    l->nice->nclosing--;
    nice_loop_end(l);
}

/* Without any callback libnice would stop reading, the TURN server's goodbye included. */
static void on_late_data(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf,
                         gpointer arg)
{
    (void)agent;
    (void)stream;
    (void)component;
    (void)len;
    (void)buf;
    (void)arg;
}

void nice_pc_destroy(struct nice_pc *pc)
{
    struct sl_nice *n = pc->nice;

    (void)g_signal_handlers_disconnect_by_data(pc->agent, pc);
    (void)nice_agent_attach_recv(pc->agent, pc->stream, COMPONENT, pc->loop->ctx, on_late_data,
                                 NULL);
    n->nclosing++;
    nice_agent_close_async(pc->agent, on_closed, pc->loop);
    nice_loop_changed(pc->loop);
    free(pc->pending);
    free(pc);
}
