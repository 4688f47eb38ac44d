/*
 * vc_call.c - two users find each other, and part.
 */
#include "vc.h"

void vc_call_begin(struct vc_user *caller, struct vc_user *callee)
{
    caller->peer = callee;
    callee->peer = caller;
    caller->is_caller = true;
    callee->is_caller = caller->accepted = callee->accepted = false;
    vc_core->place(callee->h, caller->h);
}

/* @u is alone again; its name lives on. */
static void part(struct vc_user *u)
{
    u->peer = NULL;
    u->is_caller = u->accepted = false;
    vc_media_reset(u);
    vc_core->place(u->h, u->h);
}

void vc_call_cancel(struct vc_user *u)
{
    part(u->peer);
    part(u);
}

static void peer_leave(struct vc_user *u, const char *reason)
{
    struct vc_user *peer = u->peer;
    json_t *event = vc_result("hangup", u->name);

    part(u);
    part(peer);
    json_object_set_new(json_object_get(event, "result"), "reason", json_string(reason));
    vc_core->event(peer->h, NULL, event, NULL);
    vc_core->close_pc(peer->h, NULL);
    vc_notify(u, json_pack("{s:s, s:s}", "event", "hangup", "reason", reason));
}

void vc_call_end(struct vc_user *u, const char *reason)
{
    if (u->peer)
        peer_leave(u, reason);
    vc_core->close_pc(u->h, NULL);
}

void vc_call_lost(struct vc_user *u)
{
    if (u->peer)
        peer_leave(u, "Remote WebRTC hangup");
}
