/*
 * vr_room.h - rooms, and what is told to everybody in them.
 */
#ifndef VR_ROOM_H
#define VR_ROOM_H

#include "vr.h"
#include "../common/pl_id.h"
#include "../common/pl_speakers.h"
#include "vr_list.h"
#include "vr_map.h"
#include "vr_settings.h"

#define VR_ROOMS_MAX 100000

struct vr_room {
    struct pl_id id;
    struct vr_settings set;
    json_t *allowed;    /* tokens, as the keys of an object, in order */
    bool check_allowed; /* joining publishers need one of them */

    struct vr_link members; /* struct vr_pub, owned, in the order of joining */
    struct vr_map by_id;
    size_t nmembers;
    struct pl_speakers speakers; /* members that are up */
    size_t nslots;               /* of all subscribers (vr_view.h) */
    bool has_views;              /* or had, when they were updated last */
    struct vr_link subs;         /* struct vr_sub */
    struct vr_link dirty;        /* struct vr_sub whose sources went away, for vr_sub_flush */

    struct vr_link link; /* vr_rooms */
    struct vr_node node;
};

extern struct vr_link vr_rooms;

int vr_rooms_init(void);
void vr_rooms_fini(void);
struct vr_room *vr_room_find(const struct pl_id *id);
/* Names the room to core->place: its connections share a worker while it has room. Never 0. */
uint64_t vr_room_group(const struct vr_room *room);

/* Takes @set over (also on failure). @allowed: array of strings, or NULL: no check of tokens.
 * @dummy_streams as in `create`, or NULL. 0; -EEXIST; -ENOMEM; -E2BIG: too many
 * rooms; -EINVAL: bad dummy_streams. */
int vr_room_create(const struct pl_id *id, struct vr_settings *set, const json_t *allowed,
                   const json_t *dummy_streams, struct vr_room **out);
/* Tells everybody in it and closes their connections. */
void vr_room_destroy(struct vr_room *room);

/* {"videoroom": @what, "room": id}: a new object. */
json_t *vr_room_event(const struct vr_room *room, const char *what);
/* One object for all participants but @except (NULL: all). Steals @event. */
void vr_room_tell(struct vr_room *room, const struct vr_pub *except, json_t *event);
/* Publishers that hold a slot, @except not counted. */
uint32_t vr_room_slots_used(const struct vr_room *room, const struct vr_pub *except);

/* Writes the room into the configuration file, or removes it: false when that failed. */
bool vr_room_save(const struct vr_room *room);
bool vr_room_unsave(const struct vr_room *room);
/* [general] and [room ...] of the configuration file. 0 or -EINVAL, with a line in the log. */
int vr_conf_load(void);
void vr_conf_free(void);

#endif
