#include "echotest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX     "Janus EchoTest here! You wrote: " /* clients look for it */
#define PREFIX_LEN (sizeof(PREFIX) - 1)

/* An answer that waits for room. The core stops handing messages over while some wait, so these are
 * few: what was under way. */
struct echo_held {
    struct echo_held *next;
    char *label, *protocol; /* behind the data */
    bool binary;
    size_t len;
    char data[];
};

static struct echo_held *held_new(const char *label, const char *protocol, bool binary,
                                  const void *data, size_t len)
{
    const size_t prefix = binary ? 0 : PREFIX_LEN;
    const size_t label_size = strlen(label) + 1, protocol_size = strlen(protocol) + 1;
    struct echo_held *m = malloc(sizeof(*m) + prefix + len + label_size + protocol_size);

    if (!m)
        return NULL;
    m->next = NULL;
    m->binary = binary;
    m->len = prefix + len;
    memcpy(m->data, PREFIX, prefix);
    if (len)
        memcpy(m->data + prefix, data, len);
    m->label = m->data + m->len;
    m->protocol = m->label + label_size;
    memcpy(m->label, label, label_size);
    memcpy(m->protocol, protocol, protocol_size);
    return m;
}

void echo_data_flush(struct echo *e)
{
    while (e->held) {
        struct echo_held *m = e->held;

        if (echo_core->data_send(e->h, m->label, m->protocol, m->binary, m->data, m->len) ==
            -EAGAIN)
            break;
        e->held = m->next;
        if (!e->held)
            e->held_last = NULL;
        free(m);
    }
    if (e->data_paused != (e->held != NULL)) {
        e->data_paused = e->held != NULL;
        echo_core->data_pause(e->h, e->data_paused);
    }
}

void echo_data(struct echo *e, const char *label, const char *protocol, bool binary,
               const void *data, size_t len)
{
    struct echo_held *m = held_new(label, protocol, binary, data, len);

    if (!m)
        return;
    if (e->held)
        e->held_last->next = m;
    else
        e->held = m;
    e->held_last = m;
    if (e->held == m)
        echo_data_flush(e);
}

void echo_data_reset(struct echo *e)
{
    while (e->held) {
        struct echo_held *m = e->held;

        e->held = m->next;
        free(m);
    }
    e->held_last = NULL;
    e->data_paused = false;
}
