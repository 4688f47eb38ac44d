#include "base/log.h"
#include "sctp/sctp_priv.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PARTIAL_START 16384 /* bytes of the first block that a message in parts gets */

struct sctp_assoc *assoc_find(const struct sl_sctp *s, sl_id pc)
{
    struct sl_hnode *h = sl_hmap_first(&s->by_pc, sl_hash_u64(pc));

    for (; h; h = sl_hmap_next(h)) {
        struct sctp_assoc *a = sl_container(h, struct sctp_assoc, by_pc);

        if (a->pc == pc)
            return a;
    }
    return NULL;
}

struct sctp_assoc *assoc_find_token(const struct sl_sctp *s, uint64_t token)
{
    struct sl_hnode *h = sl_hmap_first(&s->by_token, sl_hash_u64(token));

    for (; h; h = sl_hmap_next(h)) {
        struct sctp_assoc *a = sl_container(h, struct sctp_assoc, by_token);

        if (a->token == token)
            return a;
    }
    return NULL;
}

void assoc_mark(struct sctp_assoc *a)
{
    sl_list_del(&a->busy);
    sl_list_add(&a->s->busy, &a->busy);
}

/* ---- life ------------------------------------------------------------------------------------ */

void assoc_open(struct sl_sctp *s, sl_id pc, const struct sl_sctp_open *o)
{
    struct sctp_assoc *a;

    if (assoc_find(s, pc))
        return;
    a = calloc(1, sizeof(*a));
    if (!a)
        goto fail;
    a->s = s;
    a->pc = pc;
    a->conf = *o;
    a->token = ++s->next_token;
    sl_list_init(&a->busy);
    sl_list_init(&a->queue);
    sl_list_init(&a->channels);
    sl_hmap_init(&a->by_stream);
    if (sl_hmap_add(&s->by_pc, &a->by_pc, sl_hash_u64(pc)))
        goto fail;
    if (sl_hmap_add(&s->by_token, &a->by_token, sl_hash_u64(a->token))) {
        sl_hmap_del(&s->by_pc, &a->by_pc);
        goto fail;
    }
    atomic_fetch_add(&s->nassocs, 1);
    a->so = stack_connect(a);
    if (!a->so)
        assoc_down(a, "SCTP association could not be set up");
    return;

fail:
    free(a);
    sl_error("sctp", "open-failed", "pc=%" PRIx64 " err=%d", pc, ENOMEM);
    if (s->cb->down)
        s->cb->down(s->arg, pc, "out of memory");
}

static void partial_clear(struct sctp_assoc *a)
{
    free(a->partial);
    a->partial = NULL;
    a->partial_len = a->partial_cap = 0;
}

static void assoc_end(struct sctp_assoc *a) SL_ON_SCTP
{
    a->state = ASSOC_DOWN;
    stack_abort(a);
    partial_clear(a);
    channels_free(a);
    send_drop_all(a);
}

void assoc_down(struct sctp_assoc *a, const char *reason)
{
    if (a->state == ASSOC_DOWN)
        return;
    assoc_end(a);
    sl_info("sctp", "down", "pc=%" PRIx64 " reason=\"%s\"", a->pc, reason);
    if (a->s->cb->down)
        a->s->cb->down(a->s->arg, a->pc, reason);
}

void assoc_destroy(struct sctp_assoc *a)
{
    struct sl_sctp *s = a->s;

    assoc_end(a);
    sl_list_del(&a->busy);
    sl_hmap_del(&s->by_pc, &a->by_pc);
    sl_hmap_del(&s->by_token, &a->by_token);
    sl_hmap_fini(&a->by_stream);
    atomic_fetch_sub(&s->nassocs, 1);
    free(a);
}

void assoc_close(struct sctp_assoc *a)
{
    const struct sl_sctp *s = a->s;
    bool was_down = a->state == ASSOC_DOWN;
    sl_id pc = a->pc;

    assoc_destroy(a);
    if (!was_down && s->cb->down)
        s->cb->down(s->arg, pc, "closed");
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Appends to the message in parts. 0; -EMSGSIZE; -ENOMEM; -EBADMSG: another message in between,
 * which the library does not do. */
static int partial_add(struct sctp_assoc *a, const struct stack_read *r)
{
    size_t len = a->partial_len + r->len, cap = a->partial_cap ? a->partial_cap : PARTIAL_START;
    uint8_t *p;

    if (len > SL_SCTP_MESSAGE_MAX)
        return -EMSGSIZE;
    if (a->partial_len && (r->stream != a->partial_stream || r->ppid != a->partial_ppid))
        return -EBADMSG;
    while (cap < len)
        cap *= 2;
    if (cap != a->partial_cap) {
        p = realloc(a->partial, cap);
        if (!p)
            return -ENOMEM;
        a->partial = p;
        a->partial_cap = cap;
    }
    memcpy(a->partial + a->partial_len, r->data, r->len);
    a->partial_len = len;
    a->partial_stream = r->stream;
    a->partial_ppid = r->ppid;
    return 0;
}

static void on_data(struct sctp_assoc *a, const struct stack_read *r) SL_ON_SCTP
{
    int err = r->len > SL_SCTP_MESSAGE_MAX ? -EMSGSIZE : 0;

    if (!err && r->is_end && !a->partial_len) {
        channel_message(a, r->stream, r->ppid, r->data, r->len);
        return;
    }
    if (!err)
        err = partial_add(a, r);
    if (err == -EMSGSIZE)
        atomic_fetch_add(&a->s->oversized, 1);
    if (err) {
        assoc_down(a, err == -EMSGSIZE ? "message above max-message-size" : "SCTP message broken");
        return;
    }
    if (!r->is_end)
        return;
    channel_message(a, r->stream, r->ppid, a->partial, a->partial_len);
    partial_clear(a);
}

static void on_up(struct sctp_assoc *a, const struct stack_read *r) SL_ON_SCTP
{
    if (a->state != ASSOC_CONNECTING)
        return;
    a->state = ASSOC_UP;
    a->nstreams = r->nstreams < SL_SCTP_STREAMS ? r->nstreams : SL_SCTP_STREAMS;
    sl_debug("sctp", "up", "pc=%" PRIx64 " streams=%u", a->pc, a->nstreams);
    if (a->s->cb->up)
        a->s->cb->up(a->s->arg, a->pc);
}

/* Reads while the reader keeps up: beyond, the library's buffer fills and the peer's window
 * closes. */
static void receive(struct sctp_assoc *a) SL_ON_SCTP
{
    while (a->so && a->unconsumed < SL_SCTP_WINDOW) {
        struct stack_read r;

        switch (stack_read(a, &r)) {
        case STACK_NONE:
            return;
        case STACK_DATA:
            on_data(a, &r);
            break;
        case STACK_UP:
            on_up(a, &r);
            break;
        case STACK_DOWN:
            assoc_down(a, r.reason);
            return;
        case STACK_RESET_IN:
            channel_on_reset(a, &r, false);
            break;
        case STACK_RESET_OUT:
            channel_on_reset(a, &r, true);
            break;
        case STACK_PARTIAL_LOST:
            partial_clear(a);
            break;
        case STACK_OTHER:
            break;
        }
    }
}

void assoc_serve(struct sctp_assoc *a)
{
    receive(a);
    send_flush(a);
    channels_reset(a);
    if (a->state == ASSOC_UP && sl_list_is_empty(&a->busy) &&
        (a->wants_reset || !sl_list_is_empty(&a->queue)))
        sl_list_add(&a->s->waiting, &a->busy);
}
