/*
 * vc.h - VideoCall: two registered users call each other; what one sends goes to the other.
 *
 * Spec:   VideoCall of the control protocol (docs/compatibility.md, "VideoCall").
 * Thread: control.  Owner: the core's handle, one struct vc_user each.
 * A call is two users that point at each other. Each has a peer connection with the server; routes
 * join their m-lines, packets never come here.
 */
#ifndef VC_H
#define VC_H

#include "../common/pl_queue.h"
#include <sluice/args.h>
#include <sluice/codec.h>
#include <sluice/plugin.h>

#define VC_PACKAGE     "janus.plugin.videocall"
#define VC_LINES_MAX   64
#define VC_NAME_MAX    255 /* bytes */
#define VC_FALLBACK_US 250000

enum vc_error {
    VC_ERR_UNKNOWN_REQUEST = 472,
    VC_ERR_REGISTER_FIRST = 473,
    VC_ERR_INVALID = 474,
    VC_ERR_MISSING = 475,
    VC_ERR_NAME_TAKEN = 476,
    VC_ERR_ALREADY_REGISTERED = 477,
    VC_ERR_NO_SUCH_NAME = 478,
    VC_ERR_SELF = 479,
    VC_ERR_ALREADY_IN_CALL = 480,
    VC_ERR_NO_CALL = 481,
    VC_ERR_MISSING_SDP = 482,
    VC_ERR_INVALID_SDP = 483,
    VC_ERR_UNKNOWN = 499,
};

struct vc_desc; /* an offer of a client that has no answer yet */

/* An m-line of a user's connection. */
struct vc_line {
    enum sl_kind kind;
    int peer;                  /* the m-line of the other user that it is joined with; -1: none */
    bool routed;               /* something comes from there */
    struct sl_layer_event now; /* layers that come; -1: none yet */
};

struct vc_user {
    sl_hid h;
    char *name; /* NULL: not registered */

    /* The call. */
    struct vc_user *peer; /* points back at us; NULL: none */
    bool is_caller;       /* of this call */
    bool accepted;        /* on both ends */

    /* What the client asked for; back to the defaults when its connection ends. */
    struct vc_wish {
        bool audio, video; /* may go to the other */
        uint32_t bitrate;
        struct sl_layer_wish layers; /* of what comes from the other */
    } wish;

    /* Negotiation. */
    struct vc_desc *offer; /* the client's, open until the other answered ours; NULL: none */
    bool offered;          /* ours to the client is open */
    bool stale;            /* it was made of an offer that is not the other's last one */
    struct vc_line lines[VC_LINES_MAX];
    size_t nlines;
    uint32_t slow_links;

    /* Data channels. */
    struct pl_queue held; /* from the other, for this user; few: the other is paused */
    bool paused;          /* this user may not send */
};

extern const struct sl_core *vc_core;

/* ---- vc_user.c ------------------------------------------------------------------------------- */

int vc_users_init(void);
void vc_users_fini(void);
struct vc_user *vc_user_create(sl_hid h);
/* Ends its call and frees its name. */
void vc_user_destroy(struct vc_user *u);
/* NULL: nobody is registered as @name. */
struct vc_user *vc_user_find(const char *name);
/* @name is free and @u has none. 0 or -ENOMEM. */
int vc_user_register(struct vc_user *u, const char *name);
json_t *vc_user_list(void); /* names: a new array */
void vc_wish_reset(struct vc_user *u);

/* {"videocall":"event","result":{"event":@event}} and, unless NULL, the name in it. */
json_t *vc_result(const char *event, const char *username);
/* To event handlers. Steals @event. */
void vc_notify(const struct vc_user *u, json_t *event);

/* ---- vc_call.c ------------------------------------------------------------------------------- */

/* Both are without a call. */
void vc_call_begin(struct vc_user *caller, struct vc_user *callee);
/* Takes that back: nobody heard of it. */
void vc_call_cancel(struct vc_user *u);
/* Ends the call of @u, if any, and closes both connections. The other is told that @u hung up. */
void vc_call_end(struct vc_user *u, const char *reason);
/* The connection of @u is gone. */
void vc_call_lost(struct vc_user *u);

/* ---- vc_media.c ------------------------------------------------------------------------------ */

/* Keeps a client's offer, and offers the same to the other user with @event (stolen): now, or when
 * the answer to the last offer is there. 0, or -errno and nothing changed. */
int vc_offer_pass(struct vc_user *u, const struct sl_jsep_in *offer, json_t *event, bool restart);
/* @u has answered our offer: its other user gets the answer it waits for, with @event (stolen). */
int vc_answer_pass(struct vc_user *u, const struct sl_jsep_in *answer, json_t *event);
/* Forgets everything about the connection. */
void vc_media_reset(struct vc_user *u);
/* Tells the client which layers come on its m-line @i; -1: nothing about that one. */
void vc_layers_tell(const struct vc_user *u, size_t i, const struct sl_layer_event *ev);
/* Brings gates, bitrate and layers in line with the wishes. */
void vc_media_apply(struct vc_user *u, const struct vc_wish *old);

/* ---- vc_data.c ------------------------------------------------------------------------------- */

/* @u sends a message on a data channel: to the other, on a channel of the same name. */
void vc_data_pass(struct vc_user *u, const struct pl_message *m);
/* There is room again for what goes to @u. */
void vc_data_flush(struct vc_user *u);
void vc_data_reset(struct vc_user *u);

#endif
