#include "base/log.h"
#include "sctp/sctp_priv.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <usrsctp.h>

#define BUFFER_LEN   (2 * SL_SCTP_MESSAGE_MAX) /* each direction, bytes */
#define CHUNKS_MAX   1024                      /* that wait per association */
#define RTO_MIN_MS   400 /* above the 200 ms that an acknowledgement may take */
#define RTO_START_MS 500
#define RTO_MAX_MS   10000
#define INIT_TRIES   20
#define INIT_MAX_MS  2000
#define FINISH_TRIES 100

/* The library knows one output function and no argument to it. */
static struct sl_sctp *the_one;

/* ---- from the library, in the middle of its work --------------------------------------------- */

static int on_out(void *addr, void *buffer, size_t len, uint8_t tos, uint8_t set_df)
{
    SL_ASSUME(sctp);
    struct sctp_assoc *a = the_one ? assoc_find_token(the_one, (uintptr_t)addr) : NULL;

    (void)tos;
    (void)set_df;
    if (a && a->s->cb->out)
        a->s->cb->out(a->s->arg, a->pc, buffer, len);
    return 0;
}

static void on_event(struct socket *so, void *arg, int flags)
{
    SL_ASSUME(sctp);
    struct sctp_assoc *a = the_one ? assoc_find_token(the_one, (uintptr_t)arg) : NULL;

    (void)so;
    (void)flags;
    if (a)
        assoc_mark(a);
}

/* ---- process wide ---------------------------------------------------------------------------- */

void stack_init(struct sl_sctp *s)
{
    the_one = s;
    usrsctp_init_nothreads(0, on_out, NULL);
    /* What we do not use must not be spoken: each feature is code that a peer can reach. */
    (void)usrsctp_sysctl_set_sctp_asconf_enable(0);
    (void)usrsctp_sysctl_set_sctp_auto_asconf(0);
    (void)usrsctp_sysctl_set_sctp_auth_enable(0);
    (void)usrsctp_sysctl_set_sctp_ecn_enable(0);
    (void)usrsctp_sysctl_set_sctp_nrsack_enable(0);
    (void)usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    (void)usrsctp_sysctl_set_sctp_pr_enable(1);
    (void)usrsctp_sysctl_set_sctp_reconfig_enable(1);
    (void)usrsctp_sysctl_set_sctp_blackhole(2); /* no answer to what belongs to nobody */
    (void)usrsctp_sysctl_set_sctp_max_chunks_on_queue(CHUNKS_MAX);
    (void)usrsctp_sysctl_set_sctp_initial_cwnd(10); /* RFC 6928; 3 packets otherwise */
    (void)usrsctp_sysctl_set_sctp_rto_min_default(RTO_MIN_MS);
    (void)usrsctp_sysctl_set_sctp_rto_initial_default(RTO_START_MS);
    (void)usrsctp_sysctl_set_sctp_rto_max_default(RTO_MAX_MS);
    (void)usrsctp_sysctl_set_sctp_init_rto_max_default(INIT_MAX_MS);
    (void)usrsctp_sysctl_set_sctp_init_rtx_max_default(INIT_TRIES);
}

void stack_fini(struct sl_sctp *s)
{
    int i;

    (void)s;
    /* Closed sockets go with a timer of the library's: its clock is ours to turn. */
    for (i = 0; i < FINISH_TRIES && usrsctp_finish(); i++)
        usrsctp_handle_timers(100);
    if (i == FINISH_TRIES)
        sl_warn("sctp", "library-stays", "reason=\"it still holds sockets\"");
    the_one = NULL;
}

void stack_timers(uint32_t ms)
{
    usrsctp_handle_timers(ms);
}

/* ---- one association ------------------------------------------------------------------------- */

static struct sockaddr_conn address(const struct sctp_assoc *a, uint16_t port)
{
    return (struct sockaddr_conn){ .sconn_family = AF_CONN,
                                   .sconn_port = htons(port),
                                   .sconn_addr = (void *)(uintptr_t)a->token };
}

static int option(struct socket *so, int level, int name, const void *value, socklen_t len)
{
    return usrsctp_setsockopt(so, level, name, value, len) ? -errno : 0;
}

static int options_set(struct socket *so)
{
    static const uint16_t events[] = { SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT,
                                       SCTP_PARTIAL_DELIVERY_EVENT };
    const struct linger abort_at_close = { .l_onoff = 1, .l_linger = 0 };
    const struct sctp_initmsg init = { .sinit_num_ostreams = SL_SCTP_STREAMS,
                                       .sinit_max_instreams = SL_SCTP_STREAMS };
    const struct sctp_assoc_value resets = { .assoc_id = SCTP_ALL_ASSOC,
                                             .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ |
                                                            SCTP_ENABLE_CHANGE_ASSOC_REQ };
    const int on = 1, buffer = BUFFER_LEN;
    int err;

    err = usrsctp_set_non_blocking(so, 1) ? -errno : 0;
    if (!err)
        err = option(so, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof(abort_at_close));
    if (!err)
        err = option(so, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    if (!err)
        err = option(so, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    if (!err)
        err = option(so, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on));
    if (!err)
        err = option(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on));
    if (!err)
        err = option(so, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init));
    if (!err)
        err = option(so, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets, sizeof(resets));
    for (size_t i = 0; !err && i < sizeof(events) / sizeof(events[0]); i++) {
        const struct sctp_event ev = { .se_assoc_id = SCTP_ALL_ASSOC,
                                       .se_type = events[i],
                                       .se_on = 1 };

        err = option(so, IPPROTO_SCTP, SCTP_EVENT, &ev, sizeof(ev));
    }
    return err;
}

/* The path does not tell its MTU, the DTLS layer does. On AF_CONN the library does not count the
 * common header. */
static int mtu_set(struct socket *so, const struct sockaddr_conn *remote, size_t mtu)
{
    struct sctp_paddrparams p = {
        .spp_flags = SPP_PMTUD_DISABLE,
        .spp_pathmtu = (uint32_t)(mtu - sizeof(struct sctp_common_header)),
    };

    memcpy(&p.spp_address, remote, sizeof(*remote));
    return option(so, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &p, sizeof(p));
}

struct socket *stack_connect(struct sctp_assoc *a)
{
    struct sockaddr_conn local = address(a, a->conf.local_port);
    struct sockaddr_conn remote = address(a, a->conf.remote_port);
    void *token = (void *)(uintptr_t)a->token;
    struct socket *so;
    int err;

    usrsctp_register_address(token);
    so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (!so) {
        usrsctp_deregister_address(token);
        return NULL;
    }
    err = options_set(so);
    if (!err && usrsctp_set_upcall(so, on_event, token))
        err = -errno;
    if (!err && usrsctp_bind(so, (struct sockaddr *)&local, sizeof(local)))
        err = -errno;
    if (!err && usrsctp_connect(so, (struct sockaddr *)&remote, sizeof(remote)) &&
        errno != EINPROGRESS)
        err = -errno;
    if (!err)
        err = mtu_set(so, &remote, a->s->mtu);
    if (!err)
        return so;
    sl_error("sctp", "socket-failed", "pc=%llx err=%d", (unsigned long long)a->pc, -err);
    usrsctp_close(so);
    usrsctp_deregister_address(token);
    return NULL;
}

void stack_abort(struct sctp_assoc *a)
{
    if (!a->so)
        return;
    usrsctp_close(a->so);
    usrsctp_deregister_address((void *)(uintptr_t)a->token);
    a->so = NULL;
}

void stack_input(struct sctp_assoc *a, const uint8_t *data, size_t len)
{
    usrsctp_conninput((void *)(uintptr_t)a->token, data, len, 0);
}

int stack_send(struct sctp_assoc *a, const struct sctp_channel *ch, uint32_t ppid,
               const uint8_t *data, size_t len)
{
    static const uint16_t policy[] = { [SL_RELIABLE] = SCTP_PR_SCTP_NONE,
                                       [SL_RELIABLE_REXMIT] = SCTP_PR_SCTP_RTX,
                                       [SL_RELIABLE_TIMED] = SCTP_PR_SCTP_TTL };
    struct sctp_sendv_spa spa = { .sendv_flags = SCTP_SEND_SNDINFO_VALID };

    spa.sendv_sndinfo.snd_sid = ch->info.stream;
    spa.sendv_sndinfo.snd_ppid = htonl(ppid);
    if (ppid != SL_PPID_DCEP) {
        if (!ch->info.ordered && ch->is_acked)
            spa.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
        if (ch->info.reliability != SL_RELIABLE) {
            spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
            spa.sendv_prinfo.pr_policy = policy[ch->info.reliability];
            spa.sendv_prinfo.pr_value = ch->info.limit;
        }
    }
    if (usrsctp_sendv(a->so, data, len, NULL, 0, &spa, sizeof(spa), SCTP_SENDV_SPA, 0) < 0)
        return errno == EWOULDBLOCK || errno == EINPROGRESS || errno == ENOBUFS ? -EAGAIN : -errno;
    return 0;
}

int stack_reset(struct sctp_assoc *a, const uint16_t *streams, size_t n)
{
    uint32_t buf[sizeof(struct sctp_reset_streams) / 4 + RESETS_MAX / 2]; /* aligned */
    struct sctp_reset_streams *r = (struct sctp_reset_streams *)(void *)buf;
    size_t len = sizeof(*r) + n * sizeof(*streams);
    int err;

    memset(r, 0, sizeof(*r));
    r->srs_assoc_id = SCTP_ALL_ASSOC;
    r->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    r->srs_number_streams = (uint16_t)n;
    memcpy(r->srs_stream_list, streams, n * sizeof(*streams));
    err = option(a->so, IPPROTO_SCTP, SCTP_RESET_STREAMS, r, (socklen_t)len);
    return err == -EALREADY || err == -EWOULDBLOCK || err == -ENOBUFS ? -EAGAIN : err;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum stack_event change_read(const struct sctp_assoc_change *c, struct stack_read *out)
{
    static const struct {
        uint16_t state;
        const char *reason;
    } ends[] = {
        { SCTP_COMM_LOST, "SCTP association lost" },
        { SCTP_RESTART, "SCTP association restarted by the peer" },
        { SCTP_SHUTDOWN_COMP, "SCTP association shut down by the peer" },
        { SCTP_CANT_STR_ASSOC, "SCTP association could not be set up" },
    };

    if (c->sac_state == SCTP_COMM_UP) {
        out->nstreams = c->sac_outbound_streams;
        return STACK_UP;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (ends[i].state == c->sac_state) {
            out->reason = ends[i].reason;
            return STACK_DOWN;
        }
    }
    return STACK_OTHER;
}

static enum stack_event reset_read(const struct sctp_stream_reset_event *r, size_t len,
                                   struct stack_read *out)
{
    size_t n = len > sizeof(*r) ? (len - sizeof(*r)) / sizeof(uint16_t) : 0;

    out->nresets = n;
    if (r->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN)
        return STACK_RESET_IN;
    if (r->strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN)
        return STACK_RESET_OUT; /* done, denied or failed: we will not ask again */
    return STACK_OTHER;
}

static enum stack_event notification_read(struct stack_read *out)
{
    const union sctp_notification *n = (const union sctp_notification *)(void *)out->data;

    if (out->len < sizeof(n->sn_header) || out->len < n->sn_header.sn_length)
        return STACK_OTHER;
    switch (n->sn_header.sn_type) {
    case SCTP_ASSOC_CHANGE:
        return change_read(&n->sn_assoc_change, out);
    case SCTP_STREAM_RESET_EVENT:
        return reset_read(&n->sn_strreset_event, n->sn_header.sn_length, out);
    case SCTP_PARTIAL_DELIVERY_EVENT:
        return STACK_PARTIAL_LOST;
    default:
        return STACK_OTHER;
    }
}

uint16_t stack_read_stream(const struct stack_read *r, size_t i)
{
    const union sctp_notification *n = (const union sctp_notification *)(void *)r->data;

    return n->sn_strreset_event.strreset_stream_list[i];
}

enum stack_event stack_read(struct sctp_assoc *a, struct stack_read *out)
{
    struct sctp_rcvinfo info = { 0 };
    socklen_t info_len = sizeof(info);
    struct sockaddr_conn from;
    socklen_t from_len = sizeof(from);
    unsigned int info_type = SCTP_RECVV_NOINFO;
    int flags = 0;
    ssize_t n;

    memset(out, 0, sizeof(*out));
    n = usrsctp_recvv(a->so, a->s->scratch, SCRATCH_LEN, (struct sockaddr *)&from, &from_len, &info,
                      &info_len, &info_type, &flags);
    if (n < 0) {
        if (errno == EWOULDBLOCK || (errno == ENOTCONN && a->state == ASSOC_CONNECTING))
            return STACK_NONE;
        out->reason = "SCTP association lost";
        return STACK_DOWN;
    }
    if (n == 0) {
        out->reason = "SCTP association shut down by the peer";
        return STACK_DOWN;
    }
    out->data = a->s->scratch;
    out->len = (size_t)n;
    out->is_end = flags & MSG_EOR;
    if (flags & MSG_NOTIFICATION)
        return notification_read(out);
    if (info_type != SCTP_RECVV_RCVINFO)
        return STACK_OTHER;
    out->stream = info.rcv_sid;
    out->ppid = ntohl(info.rcv_ppid);
    return STACK_DATA;
}
