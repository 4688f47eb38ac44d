/*
 * vc_data.c - data channels of a call: what one says, the other hears.
 */
#include "vc.h"

/* Who sends waits while something waits for @u. */
static void pause_apply(const struct vc_user *u)
{
    const bool paused = u->held.first != NULL;
    struct vc_user *peer = u->peer;

    if (!peer || peer->paused == paused)
        return;
    peer->paused = paused;
    vc_core->data_pause(peer->h, paused);
}

void vc_data_flush(struct vc_user *u)
{
    pl_queue_flush(&u->held, vc_core, u->h);
    pause_apply(u);
}

void vc_data_pass(struct vc_user *u, const struct pl_message *m)
{
    struct vc_user *peer = u->peer;

    if (!peer || !u->accepted)
        return;
    (void)pl_queue_send(&peer->held, vc_core, peer->h, m);
    pause_apply(peer);
}

void vc_data_reset(struct vc_user *u)
{
    pl_queue_clear(&u->held);
    u->paused = false;
}
