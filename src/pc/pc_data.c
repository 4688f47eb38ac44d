/* The data channels of a peer connection: between plugins (control) and the SCTP thread. */
#include "pc/pc_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MTU_LEAST   524
#define MTU_MOST    4096
#define GIVE_BACK   (SL_SCTP_WINDOW / 8) /* charge that is given back at once */
#define WRITABLE_AT (SL_SCTP_QUEUE_MAX / 2)

/* ---- from the SCTP thread -------------------------------------------------------------------- */

enum data_kind { DATA_DOWN, DATA_OPEN, DATA_CLOSE, DATA_MESSAGE, DATA_SENT };

struct data_mail {
    struct sl_cq_mail cq;
    struct sl_pc_world *world;
    sl_id pc;
    enum data_kind kind;
    struct sl_pc_message m;
    size_t charge; /* SENT */
    char bytes[];  /* label, protocol, message; a NUL behind each */
};

static void take_message(struct sl_pc *pc, const struct data_mail *m) SL_ON_CONTROL
{
    struct sl_pc_world *w = pc->world;

    pc->data.count.packets_in++;
    pc->data.count.bytes_in += m->m.len;
    pc->cb.data(pc->arg, &m->m);
    pc = sl_pc_world_find(w, m->pc); /* the plugin may have closed it */
    if (!pc)
        return;
    pc->data.consumed += SL_SCTP_CHARGE(m->m.len);
    if (pc->data.is_paused || pc->data.consumed < GIVE_BACK)
        return;
    sl_sctp_consumed(w->sctp, pc->id, pc->data.consumed);
    pc->data.consumed = 0;
}

static void take_sent(struct sl_pc *pc, const struct data_mail *m) SL_ON_CONTROL
{
    pc->data.waiting -= m->charge < pc->data.waiting ? m->charge : pc->data.waiting;
    if (!pc->data.is_full || pc->data.waiting > WRITABLE_AT)
        return;
    pc->data.is_full = false;
    pc->cb.data_writable(pc->arg);
}

static void update(struct sl_pc *pc) SL_ON_CONTROL;

static void take_down(struct sl_pc *pc) SL_ON_CONTROL
{
    if (pc->data.is_closing) {
        pc->data.is_closing = false;
        update(pc); /* the m-line may have come back */
    } else {
        pc->data.is_down = true;
    }
}

static void take(struct sl_cq_mail *mail)
{
    struct data_mail *m = sl_container(mail, struct data_mail, cq);
    struct sl_pc *pc;

    SL_ASSUME(control);
    pc = sl_pc_world_find(m->world, m->pc);
    /* What opened is told closed also when the association was ended from here. */
    if (pc && m->kind == DATA_OPEN)
        pc->cb.data_open(pc->arg, m->m.label, m->m.protocol);
    else if (pc && m->kind == DATA_CLOSE)
        pc->cb.data_close(pc->arg, m->m.label, m->m.protocol);
    else if (pc && pc->data.is_open && m->kind == DATA_MESSAGE)
        take_message(pc, m);
    else if (pc && pc->data.is_open && m->kind == DATA_SENT)
        take_sent(pc, m);
    else if (pc && m->kind == DATA_DOWN)
        take_down(pc);
    free(m);
}

static struct data_mail *mail_new(void *world, sl_id pc, enum data_kind kind, size_t extra)
{
    struct data_mail *m = malloc(sizeof(*m) + extra);

    if (!m)
        return NULL;
    memset(m, 0, sizeof(*m));
    m->cq.fn = take;
    m->world = world;
    m->pc = pc;
    m->kind = kind;
    return m;
}

static void post(struct data_mail *m)
{
    sl_cq_post(m->world->cq, &m->cq);
}

static char *put(char *at, const void *data, size_t len)
{
    if (len)
        memcpy(at, data, len);
    at[len] = '\0';
    return at + len + 1;
}

static void post_channel(void *arg, sl_id pc, enum data_kind kind, const struct sl_sctp_channel *ch,
                         bool is_binary, const void *data, size_t len)
{
    size_t label = strlen(ch->label), protocol = strlen(ch->protocol);
    struct data_mail *m = mail_new(arg, pc, kind, label + protocol + len + 3);
    char *at;

    if (!m) {
        if (kind == DATA_MESSAGE) /* lost, but the window must not shrink for it */
            sl_sctp_consumed(((struct sl_pc_world *)arg)->sctp, pc, SL_SCTP_CHARGE(len));
        return;
    }
    m->m.label = m->bytes;
    m->m.protocol = at = put(m->bytes, ch->label, label);
    m->m.data = at = put(at, ch->protocol, protocol);
    (void)put(at, data, len);
    m->m.is_binary = is_binary;
    m->m.len = len;
    post(m);
}

static void on_out(void *arg, sl_id pc, const uint8_t *data, size_t len)
{
    struct sl_pc_world *w = arg;
    struct sl_wmsg *m;

    if (sl_id_worker(pc) >= w->nworkers)
        return;
    m = sl_wmsg_new(SL_WMSG_SCTP_OUT, pc, len);
    if (!m)
        return; /* as if the network had lost it */
    memcpy(m->data.bytes, data, len);
    sl_worker_post(w->workers[sl_id_worker(pc)], m);
}

static void on_down(void *arg, sl_id pc, const char *reason)
{
    struct data_mail *m = mail_new(arg, pc, DATA_DOWN, 0);

    (void)reason; /* src/sctp/ logged it */
    if (m)
        post(m);
}

static void on_channel_open(void *arg, sl_id pc, const struct sl_sctp_channel *ch)
{
    post_channel(arg, pc, DATA_OPEN, ch, false, NULL, 0);
}

static void on_channel_closed(void *arg, sl_id pc, const struct sl_sctp_channel *ch)
{
    post_channel(arg, pc, DATA_CLOSE, ch, false, NULL, 0);
}

static void on_message(void *arg, sl_id pc, const struct sl_sctp_channel *ch, bool is_binary,
                       const uint8_t *data, size_t len)
{
    post_channel(arg, pc, DATA_MESSAGE, ch, is_binary, data, len);
}

static void on_sent(void *arg, sl_id pc, size_t charge)
{
    struct data_mail *m = mail_new(arg, pc, DATA_SENT, 0);

    if (!m)
        return;
    m->charge = charge;
    post(m);
}

int sl_pc_data_start(struct sl_pc_world *w, size_t mtu)
{
    static const struct sl_sctp_cb cb = { .out = on_out,
                                          .down = on_down,
                                          .channel_open = on_channel_open,
                                          .channel_closed = on_channel_closed,
                                          .message = on_message,
                                          .sent = on_sent };
    struct sl_sctp_conf conf = { .mtu = mtu };

    if (conf.mtu < MTU_LEAST)
        conf.mtu = MTU_LEAST;
    if (conf.mtu > MTU_MOST)
        conf.mtu = MTU_MOST;
    return sl_sctp_create(&conf, &cb, w, &w->sctp);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* DTLS and the agreement are both there: the handshake of SCTP begins, once for as long as an
 * m-line stands. A later one has an association of its own (RFC 8841). */
static void update(struct sl_pc *pc)
{
    struct sl_pc_data *d = &pc->data;
    const struct sl_sctp_open o = {
        .is_dtls_client = sl_jsep_is_dtls_client(pc->jsep),
        .local_port = SL_SCTP_PORT,
        .remote_port = d->port,
        .message_max = d->message_max,
    };

    if (d->is_agreed && pc->is_up && !d->is_open && !d->is_closing) {
        d->is_open = true;
        d->is_down = d->is_full = d->is_paused = false;
        d->waiting = d->consumed = 0;
        sl_sctp_open(pc->world->sctp, pc->id, &o);
    } else if (!d->is_agreed && d->is_open) {
        sl_sctp_close(pc->world->sctp, pc->id);
        d->is_open = false;
        d->is_closing = !d->is_down;
    }
}

void sl_pc_data_agree(struct sl_pc *pc, const struct sl_media *media)
{
    pc->data.is_agreed = false;
    for (size_t i = 0; i < media->n; i++) {
        const struct sl_media_line *l = &media->line[i];

        if (l->kind != SL_KIND_DATA || !l->sctp_port)
            continue;
        pc->data.is_agreed = true;
        pc->data.port = l->sctp_port;
        pc->data.message_max = l->sctp_message_max;
    }
    update(pc);
}

void sl_pc_data_up(struct sl_pc *pc)
{
    update(pc);
}

void sl_pc_data_fini(struct sl_pc *pc)
{
    if (pc->data.is_open)
        sl_sctp_close(pc->world->sctp, pc->id);
}

/* ---- plugins --------------------------------------------------------------------------------- */

const struct sl_pc_data_count *sl_pc_data_count(const struct sl_pc *pc)
{
    return &pc->data.count;
}

int sl_pc_data_send(struct sl_pc *pc, const struct sl_pc_message *m)
{
    struct sl_pc_data *d = &pc->data;
    const struct sl_sctp_send to = { .stream = SL_SCTP_BY_LABEL,
                                     .label = m->label,
                                     .protocol = m->protocol,
                                     .is_binary = m->is_binary };
    size_t charge = SL_SCTP_CHARGE(m->len);
    int err;

    if (!d->is_open || d->is_down)
        return -ENOTCONN;
    if (d->message_max && m->len > d->message_max)
        return -EMSGSIZE;
    if (d->waiting && d->waiting + charge > SL_SCTP_QUEUE_MAX) {
        d->is_full = true;
        return -EAGAIN;
    }
    err = sl_sctp_send(pc->world->sctp, pc->id, &to, m->data, m->len);
    if (err)
        return err;
    d->waiting += charge;
    d->count.packets_out++;
    d->count.bytes_out += m->len;
    return 0;
}

int sl_pc_data_close(struct sl_pc *pc, const char *label)
{
    if (!pc->data.is_open || pc->data.is_down)
        return -ENOTCONN;
    return sl_sctp_close_channel(pc->world->sctp, pc->id, label);
}

int sl_pc_data_pause(struct sl_pc *pc, bool is_paused)
{
    struct sl_pc_data *d = &pc->data;

    if (!d->is_open || d->is_down)
        return -ENOTCONN;
    d->is_paused = is_paused;
    if (!is_paused && d->consumed) {
        sl_sctp_consumed(pc->world->sctp, pc->id, d->consumed);
        d->consumed = 0;
    }
    return 0;
}
