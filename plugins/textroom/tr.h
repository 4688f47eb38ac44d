/*
 * tr.h - TextRoom: chat rooms over data channels.
 *
 * Spec:   TextRoom of the control protocol (docs/compatibility.md, "TextRoom").
 * Thread: control.  Owners: the plugin owns rooms, rooms their history; the core's handle owns a
 *         struct tr_handle, which owns its memberships.
 * A membership ends with leave, kick, the room, or the connection.
 */
#ifndef TR_H
#define TR_H

#include "../common/pl_id.h"
#include "../common/pl_queue.h"
#include <sluice/args.h>
#include <sluice/plugin.h>

#define TR_PACKAGE "janus.plugin.textroom"
#define TR_LABEL   "JanusDataChannel" /* clients open it; all that we send goes there */

#define TR_NAME_MAX          255 /* bytes of a username */
#define TR_ROOMS_MAX         100000
#define TR_JOINED_MAX        1000       /* rooms that one handle is in */
#define TR_HISTORY_MAX       10000      /* messages */
#define TR_HISTORY_BYTES_MAX (4u << 20) /* the oldest go first */
#define TR_QUEUE_BYTES_MAX   (8u << 20) /* of a client that does not read; then it is closed */
#define TR_TO_MAX            256        /* names in `tos` */

enum tr_error {
    TR_ERR_MISSING = 413,
    TR_ERR_INVALID = 414,
    TR_ERR_REQUEST = 415,
    TR_ERR_SETUP = 416,
    TR_ERR_NO_SUCH_ROOM = 417,
    TR_ERR_ROOM_EXISTS = 418,
    TR_ERR_UNAUTHORIZED = 419,
    TR_ERR_NAME_TAKEN = 420,
    TR_ERR_ALREADY_IN = 421,
    TR_ERR_NOT_IN = 422,
    TR_ERR_NO_SUCH_USER = 423,
    TR_ERR_UNKNOWN = 499,
};

struct tr_conf {
    char *admin_key; /* NULL: none */
    char *post_to;   /* what URLs begin with that clients may name for `post`; NULL: none may */
    bool string_ids, events;
};
extern struct tr_conf tr_conf;
extern const struct sl_core *tr_core;

struct tr_room {
    struct pl_id id;
    char *description, *secret, *pin; /* secret, pin: NULL when there is none */
    char *post;                       /* URL that gets all public messages; NULL: none */
    bool is_private, check_allowed;
    json_t *allowed; /* token -> true */
    json_t *members; /* username -> address of struct tr_member, in the order of joining */
    uint32_t history_max;
    json_t *history; /* texts, oldest first */
    size_t history_bytes;
};

struct tr_member {
    struct tr_member *next; /* of the handle */
    struct tr_room *room;
    struct tr_handle *handle;
    char *username, *display; /* display: NULL when there is none */
};

struct tr_handle {
    sl_hid h;
    bool is_setup; /* a connection was offered */
    struct tr_member *members;
    size_t nmembers;
    struct pl_queue queue;
    bool is_closing;
};

/* ---- tr_room.c ------------------------------------------------------------------------------- */

int tr_rooms_init(void);
void tr_rooms_fini(void);
/* NULL: there is none. */
struct tr_room *tr_room_find(const struct pl_id *id);
/* All of them: id as text -> address. Borrowed. */
const json_t *tr_rooms(void);
struct tr_room *tr_room_of(const json_t *address);
/* A room with description, secret, pin, is_private, history, post and allowed of @body, whose types
 * were checked. 0; -EEXIST; -E2BIG: too many; -ENOMEM. */
int tr_room_create(const struct pl_id *id, const json_t *body, struct tr_room **out);
/* Members are told and out of it. */
void tr_room_destroy(struct tr_room *room);
/* {"textroom":@what,"room":id} */
json_t *tr_room_event(const struct tr_room *room, const char *what);
/* A public message or announcement: to everybody in the room, and to its `post`. Steals @event. */
void tr_room_say(const struct tr_room *room, json_t *event);
/* To everybody in the room. Steals @event. */
void tr_room_tell(const struct tr_room *room, json_t *event);
/* To be told to those who join later. */
void tr_room_remember(struct tr_room *room, const json_t *event);

/* NULL: nobody of that name is in the room. */
struct tr_member *tr_member_find(const struct tr_room *room, const char *username);
/* NULL: the handle is not in the room. */
struct tr_member *tr_member_of(const struct tr_handle *h, const struct tr_room *room);
/* The name is free. 0 or -ENOMEM. */
int tr_member_create(struct tr_room *room, struct tr_handle *h, const char *username,
                     const char *display, struct tr_member **out);
/* Silently. */
void tr_member_destroy(struct tr_member *m);
/* Everybody is told, the leaver too. */
void tr_member_leave(struct tr_member *m);

/* ---- tr_conf.c ------------------------------------------------------------------------------- */

/* Reads the configuration and makes its rooms. 0 or -errno, after having said why. */
int tr_conf_load(void);
void tr_conf_free(void);
/* Writes the room to the configuration, or removes it. False: that did not work. */
bool tr_room_save(const struct tr_room *room);
bool tr_room_unsave(const struct tr_room *room);

/* Whether @url is HTTP(S), names a host and is nothing but printable ASCII. */
bool tr_url_is_sound(const char *url);

/* ---- tr_post.c, or tr_nopost.c ----------------------------------------------------------------
 */

#define TR_POST_URL_MAX 1024

bool tr_post_is_there(void);
/* POSTs @event to @url; whether that worked is not told. */
void tr_post(const char *url, const json_t *event);
/* What waits is lost. */
void tr_post_fini(void);

/* ---- tr_data.c ------------------------------------------------------------------------------- */

struct tr_handle *tr_handle_create(sl_hid h);
/* Leaves all rooms. */
void tr_handle_destroy(struct tr_handle *h);
/* The connection is gone: it leaves all rooms. */
void tr_handle_reset(struct tr_handle *h);
/* Sends @text, or queues it. A client that does not read is closed. */
void tr_send_text(struct tr_handle *h, const char *text, size_t len);
/* Steals @json. */
void tr_send(struct tr_handle *h, json_t *json);
/* There is room again. */
void tr_send_queued(struct tr_handle *h);
/* To event handlers, when they are told. Steals @event. */
void tr_notify(sl_hid h, json_t *event);

#endif
