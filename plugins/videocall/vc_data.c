/*
 * vc_data.c - data channels of a call: what one says, the other hears.
 */
#include "vc.h"
#include <errno.h>
#include <stdlib.h>

struct vc_held {
    struct vc_held *next;
    char *label, *protocol; /* behind the data */
    bool binary;
    size_t len;
    char data[];
};

static struct vc_held *held_create(const char *label, const char *protocol, bool binary,
                                   const void *data, size_t len)
{
    const size_t nlabel = strlen(label) + 1, nprotocol = strlen(protocol) + 1;
    struct vc_held *m = malloc(sizeof(*m) + len + nlabel + nprotocol);

    if (!m)
        return NULL;
    m->next = NULL;
    m->binary = binary;
    m->len = len;
    m->label = m->data + len;
    m->protocol = m->label + nlabel;
    if (len)
        memcpy(m->data, data, len);
    memcpy(m->label, label, nlabel);
    memcpy(m->protocol, protocol, nprotocol);
    return m;
}

static void held_shift(struct vc_user *u)
{
    struct vc_held *m = u->held;

    u->held = m->next;
    if (!u->held)
        u->held_last = NULL;
    free(m);
}

void vc_data_flush(struct vc_user *u)
{
    struct vc_user *peer = u->peer;

    while (u->held) {
        const struct vc_held *m = u->held;

        if (vc_core->data_send(u->h, m->label, m->protocol, m->binary, m->data, m->len) == -EAGAIN)
            break;
        held_shift(u);
    }
    if (peer && peer->paused != (u->held != NULL)) {
        peer->paused = u->held != NULL;
        vc_core->data_pause(peer->h, peer->paused);
    }
}

void vc_data_pass(struct vc_user *u, const char *label, const char *protocol, bool binary,
                  const void *data, size_t len)
{
    struct vc_user *peer = u->peer;
    struct vc_held *m;

    if (!peer || !u->accepted)
        return;
    if (!peer->held && vc_core->data_send(peer->h, label, protocol, binary, data, len) != -EAGAIN)
        return;
    m = held_create(label, protocol, binary, data, len);
    if (!m)
        return;
    if (peer->held)
        peer->held_last->next = m;
    else
        peer->held = m;
    peer->held_last = m;
    vc_data_flush(peer);
}

void vc_data_reset(struct vc_user *u)
{
    while (u->held)
        held_shift(u);
    u->paused = false;
}
