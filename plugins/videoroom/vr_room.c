#include "vr_room.h"
#include "../common/pl_allowed.h"
#include "vr_pub.h"
#include "vr_speaker.h"
#include "vr_sub.h"
#include <errno.h>
#include <stdlib.h>

struct vr_link vr_rooms;
static struct vr_map rooms_by_id;

static int map_init(struct vr_map *m)
{
    return vr_map_init(m, vr_core->random_id() << 12 ^ vr_core->random_id(),
                       vr_core->random_id() << 12 ^ vr_core->random_id());
}

int vr_rooms_init(void)
{
    vr_list_init(&vr_rooms);
    return map_init(&rooms_by_id);
}

void vr_rooms_fini(void)
{
    while (!vr_list_is_empty(&vr_rooms))
        vr_room_destroy(vr_container(vr_rooms.next, struct vr_room, link));
    vr_map_fini(&rooms_by_id);
}

uint64_t vr_room_group(const struct vr_room *room)
{
    return (uint64_t)(uintptr_t)room;
}

struct vr_room *vr_room_find(const struct pl_id *id)
{
    struct vr_node *n = vr_map_get(&rooms_by_id, id->s);

    return n ? vr_container(n, struct vr_room, node) : NULL;
}

static void room_free(struct vr_room *room)
{
    vr_settings_fini(&room->set);
    json_decref(room->allowed);
    vr_map_fini(&room->by_id);
    pl_speakers_fini(&room->speakers);
    free(room);
}

int vr_room_create(const struct pl_id *id, struct vr_settings *set, const json_t *allowed,
                   const json_t *dummy_streams, struct vr_room **out)
{
    const bool can = !vr_room_find(id) && rooms_by_id.n < VR_ROOMS_MAX;
    struct vr_room *room = can ? calloc(1, sizeof(*room)) : NULL;
    char name[PL_ID_MAX + 8];
    int err;

    if (!room) {
        vr_settings_fini(set);
        return vr_room_find(id) ? -EEXIST : can ? -ENOMEM : -E2BIG;
    }
    room->id = *id;
    room->set = *set;
    room->allowed = json_object();
    room->check_allowed = allowed != NULL;
    vr_list_init(&room->members);
    pl_speakers_init(&room->speakers, SIZE_MAX);
    vr_list_init(&room->subs);
    vr_list_init(&room->dirty);
    vr_speakers_apply(room);
    pl_allowed_add(room->allowed, allowed);
    snprintf(name, sizeof(name), "Room %s", id->s);
    if (!room->set.description)
        room->set.description = strdup(name);
    if (map_init(&room->by_id) < 0 || !room->allowed || !room->set.description) {
        room_free(room);
        return -ENOMEM;
    }
    err = room->set.dummy_publisher ? vr_pub_create_dummy(room, dummy_streams) : 0;
    if (err) {
        room_free(room);
        return err;
    }
    vr_list_add(&vr_rooms, &room->link);
    vr_map_add(&rooms_by_id, &room->node, room->id.s);
    *out = room;
    return 0;
}

void vr_room_destroy(struct vr_room *room)
{
    json_t *event = vr_room_event(room, "destroyed");

    vr_list_del(&room->link);
    vr_map_del(&rooms_by_id, &room->node);
    while (!vr_list_is_empty(&room->subs)) {
        struct vr_sub *s = vr_container(room->subs.next, struct vr_sub, in_room);
        const sl_hid h = s->h;

        vr_sub_destroy(s);
        vr_core->event(h, NULL, json_incref(event), NULL);
        vr_core->close_pc(h, NULL);
    }
    while (!vr_list_is_empty(&room->members)) {
        struct vr_pub *p = vr_container(room->members.next, struct vr_pub, link);
        const sl_hid h = p->h;

        vr_pub_destroy(p);
        if (!h)
            continue;
        vr_core->event(h, NULL, json_incref(event), NULL);
        vr_core->close_pc(h, NULL);
    }
    json_decref(event);
    room_free(room);
}

json_t *vr_room_event(const struct vr_room *room, const char *what)
{
    return json_pack("{s:s, s:o}", "videoroom", what, "room", pl_id_json(&room->id));
}

void vr_room_tell(struct vr_room *room, const struct vr_pub *except, json_t *event)
{
    struct vr_link *l;

    vr_list_for_each(l, &room->members)
    {
        const struct vr_pub *p = vr_container(l, struct vr_pub, link);

        if (p != except && p->h)
            vr_core->event(p->h, NULL, json_incref(event), NULL);
    }
    json_decref(event);
}

uint32_t vr_room_slots_used(const struct vr_room *room, const struct vr_pub *except)
{
    const struct vr_link *l;
    uint32_t n = 0;

    vr_list_for_each(l, &room->members)
    {
        const struct vr_pub *p = vr_container(l, struct vr_pub, link);

        n += p != except && p->has_slot;
    }
    return n;
}
