#include "sctp/sctp_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY_NORMAL 256 /* RFC 8831 section 6.4 */

struct sctp_channel *channel_find(const struct sctp_assoc *a, uint16_t stream)
{
    struct sl_hnode *h = sl_hmap_first(&a->by_stream, sl_hash_u64(stream));

    for (; h; h = sl_hmap_next(h)) {
        struct sctp_channel *ch = sl_container(h, struct sctp_channel, node);

        if (ch->info.stream == stream)
            return ch;
    }
    return NULL;
}

static struct sctp_channel *channel_new(struct sctp_assoc *a, uint16_t stream,
                                        const struct sl_dcep_open *o) SL_ON_SCTP
{
    size_t names_len = o->label_len + o->protocol_len + 2;
    struct sctp_channel *ch = calloc(1, sizeof(*ch) + names_len);

    if (!ch)
        return NULL;
    memcpy(ch->names, o->label, o->label_len);
    memcpy(ch->names + o->label_len + 1, o->protocol, o->protocol_len);
    ch->info = (struct sl_sctp_channel){ .stream = stream,
                                         .label = ch->names,
                                         .protocol = ch->names + o->label_len + 1,
                                         .ordered = o->ordered,
                                         .reliability = o->reliability,
                                         .limit = o->limit };
    if (sl_hmap_add(&a->by_stream, &ch->node, sl_hash_u64(stream))) {
        free(ch);
        return NULL;
    }
    sl_list_init(&ch->link);
    sl_list_add(a->channels.next, &ch->link); /* in front */
    return ch;
}

static void tell_open(struct sctp_assoc *a, struct sctp_channel *ch) SL_ON_SCTP
{
    if (ch->is_told)
        return;
    ch->is_told = true;
    if (a->s->cb->channel_open)
        a->s->cb->channel_open(a->s->arg, a->pc, &ch->info);
}

static void tell_closed(struct sctp_assoc *a, struct sctp_channel *ch) SL_ON_SCTP
{
    if (!ch->is_told)
        return;
    ch->is_told = false;
    if (a->s->cb->channel_closed)
        a->s->cb->channel_closed(a->s->arg, a->pc, &ch->info);
}

static void channel_free(struct sctp_assoc *a, struct sctp_channel *ch) SL_ON_SCTP
{
    tell_closed(a, ch);
    sl_hmap_del(&a->by_stream, &ch->node);
    sl_list_del(&ch->link);
    free(ch);
}

void channels_free(struct sctp_assoc *a)
{
    while (!sl_list_is_empty(&a->channels))
        channel_free(a, sl_container(a->channels.next, struct sctp_channel, link));
}

/* ---- labels that the peer closed ------------------------------------------------------------- */

static void label_note_closed(struct sctp_assoc *a, const char *label)
{
    a->closed[a->nclosed++ % FORGET_MAX] = sl_hash_bytes(label, strlen(label));
}

/* @forget: it is open again. */
static bool label_was_closed(struct sctp_assoc *a, const char *label, bool forget)
{
    unsigned int n = a->nclosed < FORGET_MAX ? a->nclosed : FORGET_MAX;
    uint64_t hash = sl_hash_bytes(label, strlen(label));
    bool was = false;

    for (unsigned int i = 0; i < n; i++) {
        if (a->closed[i] != hash)
            continue;
        was = true;
        if (forget)
            a->closed[i] = 0;
    }
    return was;
}

/* ---- opening from here ----------------------------------------------------------------------- */

static struct sctp_channel *find_label(const struct sctp_assoc *a, const char *label)
{
    struct sl_list *l;

    sl_list_for_each (l, &a->channels) {
        struct sctp_channel *ch = sl_container(l, struct sctp_channel, link);

        if (!ch->is_closing && strcmp(ch->info.label, label) == 0)
            return ch;
    }
    return NULL;
}

/* The DTLS client has the even ids (RFC 8832 section 6). -1: none is left. */
static int free_stream(const struct sctp_assoc *a) SL_ON_SCTP
{
    for (unsigned int id = a->conf.is_dtls_client ? 0 : 1; id < a->nstreams; id += 2)
        if (!channel_find(a, (uint16_t)id))
            return (int)id;
    return -1;
}

static int channel_open(struct sctp_assoc *a, const struct sctp_item *it,
                        struct sctp_channel **out) SL_ON_SCTP
{
    const struct sl_dcep_open o = { .ordered = !it->is_unordered,
                                    .reliability = it->reliability,
                                    .limit = it->limit,
                                    .priority = PRIORITY_NORMAL,
                                    .label = it->label,
                                    .label_len = strlen(it->label),
                                    .protocol = it->protocol,
                                    .protocol_len = strlen(it->protocol) };
    uint8_t buf[SL_DCEP_OPEN_MAX];
    struct sctp_channel *ch;
    int stream = free_stream(a), len, err;

    len = sl_dcep_open_write(&o, buf, sizeof(buf));
    if (stream < 0 || len < 0)
        return -ENOSPC;
    ch = channel_new(a, (uint16_t)stream, &o);
    if (!ch)
        return -ENOMEM;
    /* At once, and not through the queue: the message that wants it comes next. */
    err = stack_send(a, ch, SL_PPID_DCEP, buf, (size_t)len);
    if (err)
        channel_free(a, ch);
    else
        *out = ch;
    return err;
}

int channel_for(struct sctp_assoc *a, const struct sctp_item *it, struct sctp_channel **out)
{
    struct sctp_channel *ch = it->stream == SL_SCTP_BY_LABEL
                                  ? find_label(a, it->label)
                                  : channel_find(a, (uint16_t)it->stream);

    if (ch && !ch->is_closing) {
        *out = ch;
        return 0;
    }
    if (it->stream != SL_SCTP_BY_LABEL || label_was_closed(a, it->label, false))
        return -ENOENT;
    return channel_open(a, it, out);
}

/* ---- closing --------------------------------------------------------------------------------- */

static void settle(struct sctp_assoc *a, struct sctp_channel *ch) SL_ON_SCTP
{
    if (ch->is_reset && ch->is_deaf)
        channel_free(a, ch);
}

void channel_close(struct sctp_assoc *a, struct sctp_channel *ch)
{
    if (ch->is_closing)
        return;
    ch->is_closing = true;
    tell_closed(a, ch);
    ch->wants_reset = a->wants_reset = true;
    assoc_mark(a);
}

void channel_close_label(struct sctp_assoc *a, const char *label)
{
    struct sl_list *l;

    sl_list_for_each (l, &a->channels) {
        struct sctp_channel *ch = sl_container(l, struct sctp_channel, link);

        if (!ch->info.by_peer && !ch->is_closing && strcmp(ch->info.label, label) == 0) {
            channel_close(a, ch);
            return;
        }
    }
}

static void on_reset_in(struct sctp_assoc *a, struct sctp_channel *ch) SL_ON_SCTP
{
    ch->is_deaf = true;
    if (!ch->is_closing)
        label_note_closed(a, ch->info.label);
    channel_close(a, ch);
    settle(a, ch);
}

static void on_reset_out(struct sctp_assoc *a, struct sctp_channel *ch) SL_ON_SCTP
{
    if (!ch->is_closing || ch->wants_reset)
        return;
    ch->is_reset = true;
    settle(a, ch);
}

static void on_reset(struct sctp_assoc *a, struct sctp_channel *ch, bool is_ours) SL_ON_SCTP
{
    if (is_ours)
        on_reset_out(a, ch);
    else
        on_reset_in(a, ch);
}

void channel_on_reset(struct sctp_assoc *a, const struct stack_read *r, bool is_ours)
{
    struct sl_list *l, *next;

    for (size_t i = 0; i < r->nresets; i++) {
        struct sctp_channel *ch = channel_find(a, stack_read_stream(r, i));

        if (ch)
            on_reset(a, ch, is_ours);
    }
    if (r->nresets)
        return;
    sl_list_for_each_safe (l, next, &a->channels)
        on_reset(a, sl_container(l, struct sctp_channel, link), is_ours);
}

void channels_reset(struct sctp_assoc *a)
{
    struct sctp_channel *asked[RESETS_MAX];
    uint16_t streams[RESETS_MAX];
    struct sl_list *l;
    size_t n = 0;
    int err;

    if (!a->wants_reset || a->state != ASSOC_UP)
        return;
    sl_list_for_each (l, &a->channels) {
        struct sctp_channel *ch = sl_container(l, struct sctp_channel, link);

        if (ch->wants_reset && n < RESETS_MAX) {
            asked[n] = ch;
            streams[n++] = ch->info.stream;
        }
    }
    err = n ? stack_reset(a, streams, n) : 0;
    if (err == -EAGAIN)
        return; /* one request at a time; we come again */
    a->wants_reset = n == RESETS_MAX;
    for (size_t i = 0; i < n; i++) {
        asked[i]->wants_reset = false;
        if (err)
            on_reset_out(a, asked[i]); /* the peer cannot do it: half closed for ever */
    }
}

/* ---- messages -------------------------------------------------------------------------------- */

static void bad_message(struct sctp_assoc *a)
{
    atomic_fetch_add(&a->s->bad_messages, 1);
}

static struct sctp_channel *channel_nameless(struct sctp_assoc *a, uint16_t stream) SL_ON_SCTP
{
    static const struct sl_dcep_open o = { .ordered = true, .label = "", .protocol = "" };

    return stream < a->nstreams ? channel_new(a, stream, &o) : NULL;
}

/* A stream that we will not have: it stays taken, nameless, until both directions are reset. */
static void refuse(struct sctp_assoc *a, uint16_t stream) SL_ON_SCTP
{
    struct sctp_channel *ch = channel_find(a, stream);

    bad_message(a);
    if (!ch)
        ch = channel_nameless(a, stream);
    if (ch)
        channel_close(a, ch);
}

static void on_open(struct sctp_assoc *a, uint16_t stream, const uint8_t *data,
                    size_t len) SL_ON_SCTP
{
    struct sctp_channel *ch = channel_find(a, stream);
    bool is_even = stream % 2 == 0;
    struct sl_dcep_open o;

    /* Ids of the peer's parity, and free ones (RFC 8832 section 6). */
    if (sl_dcep_open_parse(data, len, &o) || is_even == a->conf.is_dtls_client ||
        stream >= a->nstreams || (ch && (!ch->is_negotiated || ch->is_closing))) {
        refuse(a, stream);
        return;
    }
    if (ch) /* an unordered message was faster */
        channel_free(a, ch);
    ch = channel_new(a, stream, &o);
    if (!ch) {
        bad_message(a);
        return;
    }
    ch->is_acked = ch->info.by_peer = true;
    (void)label_was_closed(a, ch->info.label, true);
    send_control(a, stream, &sl_dcep_ack, 1);
    tell_open(a, ch);
}

static void on_dcep(struct sctp_assoc *a, uint16_t stream, const uint8_t *data,
                    size_t len) SL_ON_SCTP
{
    struct sctp_channel *ch;

    if (sl_dcep_is_open(data, len)) {
        on_open(a, stream, data, len);
        return;
    }
    ch = channel_find(a, stream);
    if (!ch || ch->is_closing || !sl_dcep_is_ack(data, len)) {
        bad_message(a);
        return;
    }
    ch->is_acked = true;
    tell_open(a, ch);
}

/* Whoever sends on a stream that nobody opened agreed on it elsewhere (RFC 8831 section 6.4). */
static struct sctp_channel *channel_negotiated(struct sctp_assoc *a, uint16_t stream) SL_ON_SCTP
{
    struct sctp_channel *ch = channel_nameless(a, stream);

    if (!ch)
        return NULL;
    ch->is_negotiated = ch->info.by_peer = true;
    (void)label_was_closed(a, "", true);
    return ch;
}

void channel_message(struct sctp_assoc *a, uint16_t stream, uint32_t ppid, const uint8_t *data,
                     size_t len)
{
    bool is_binary = ppid == SL_PPID_BINARY || ppid == SL_PPID_BINARY_EMPTY;
    bool is_message = is_binary || ppid == SL_PPID_STRING || ppid == SL_PPID_STRING_EMPTY;
    struct sctp_channel *ch;

    if (ppid == SL_PPID_DCEP) {
        on_dcep(a, stream, data, len);
        return;
    }
    ch = channel_find(a, stream);
    if (!ch && is_message)
        ch = channel_negotiated(a, stream);
    if (!ch || ch->is_deaf || !is_message) {
        bad_message(a);
        return;
    }
    if (ch->is_closing)
        return;          /* what was under way when we closed */
    ch->is_acked = true; /* whoever uses it knows it */
    tell_open(a, ch);
    sl_list_del(&ch->link);
    sl_list_add(a->channels.next, &ch->link);
    if (ppid == SL_PPID_STRING_EMPTY || ppid == SL_PPID_BINARY_EMPTY)
        len = 0;
    a->unconsumed += SL_SCTP_CHARGE(len);
    if (a->s->cb->message)
        a->s->cb->message(a->s->arg, a->pc, &ch->info, is_binary, data, len);
}
