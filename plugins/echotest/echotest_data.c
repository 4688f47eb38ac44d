#include "echotest.h"
#include <stdlib.h>
#include <string.h>

#define PREFIX     "Janus EchoTest here! You wrote: " /* clients look for it */
#define PREFIX_LEN (sizeof(PREFIX) - 1)

/* The core stops handing messages over while answers wait, so these are few: what was under way. */
static void pause_apply(struct echo *e)
{
    if (e->data_paused == (e->held.first != NULL))
        return;
    e->data_paused = e->held.first != NULL;
    echo_core->data_pause(e->h, e->data_paused);
}

void echo_data_flush(struct echo *e)
{
    pl_queue_flush(&e->held, echo_core, e->h);
    pause_apply(e);
}

void echo_data(struct echo *e, const char *label, const char *protocol, bool binary,
               const void *data, size_t len)
{
    struct pl_message m = { label, protocol, binary, data, len };
    char *text = NULL;

    if (!binary) {
        text = malloc(PREFIX_LEN + len);
        if (!text)
            return;
        memcpy(text, PREFIX, PREFIX_LEN);
        if (len)
            memcpy(text + PREFIX_LEN, data, len);
        m.data = text;
        m.len = PREFIX_LEN + len;
    }
    (void)pl_queue_send(&e->held, echo_core, e->h, &m);
    pause_apply(e);
    free(text);
}

void echo_data_reset(struct echo *e)
{
    pl_queue_clear(&e->held);
    e->data_paused = false;
}
