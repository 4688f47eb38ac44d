#include "../common/pl_layers.h"
#include "vr_speaker.h"
#include "vr_sub.h"
#include <stdlib.h>
#include <strings.h>

static int token_check(struct vr_req *r, const struct vr_room *room, bool publisher)
{
    static const struct sl_arg args[] = { { "token", SL_ARG_STRING } };
    const char *token;
    char what[PL_ID_MAX + 8];

    if (VR_ARGS(r, r->body, args) < 0)
        return -1;
    token = sl_arg_str(r->body, "token", NULL);
    snprintf(what, sizeof(what), "room=%s", room->id.s);
    if (room->set.signed_tokens && (!token || !vr_core->token_is_valid(token, VR_PACKAGE, what)))
        return vr_fail(r, VR_ERR_UNAUTHORIZED, "Unauthorized (wrong token)");
    if (publisher && room->check_allowed && (!token || !json_object_get(room->allowed, token)))
        return vr_fail(r, VR_ERR_UNAUTHORIZED, "Unauthorized (not in the allowed list)");
    return 0;
}

/* What both kinds of participants need to enter. */
static int enter_check(struct vr_req *r, bool publisher, struct vr_room **room)
{
    if (vr_arg_room(r, room) < 0 || token_check(r, *room, publisher) < 0)
        return -1;
    if (vr_arg_secret(r, "pin", (*room)->set.pin) < 0)
        return -1;
    vr_core->place(r->handle->h, vr_room_group(*room));
    return 0;
}

static int id_choose(struct vr_req *r, const struct vr_room *room, struct pl_id *id)
{
    const json_t *v = sl_arg_get(r->body, "id");

    if (v && vr_arg_id(r, r->body, "id", id) < 0)
        return -1;
    if (!v || (!vr_conf.string_ids && id->n == 0))
        do
            pl_id_random(vr_core, vr_conf.string_ids, id);
        while (vr_pub_find(room, id));
    if (vr_pub_find(room, id))
        return vr_fail(r, VR_ERR_ID_EXISTS, "User ID %s already exists", id->s);
    return 0;
}

int vr_join_publisher(struct vr_req *r, struct vr_pub **out)
{
    static const struct sl_arg args[] = {
        { "display", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "metadata", SL_ARG_OBJECT, SL_ARG_OPTIONAL, SL_ARG_META_MAX },
        { "audio_active_packets", SL_ARG_UINT },
        { "audio_level_average", SL_ARG_UINT }
    };
    const char *display = sl_arg_str(r->body, "display", NULL);
    struct vr_room *room;
    struct vr_pub *p;
    struct pl_id id;

    if (enter_check(r, true, &room) < 0 || VR_ARGS(r, r->body, args) < 0 ||
        vr_arg_no_recording(r, r->body) < 0 || id_choose(r, room, &id) < 0)
        return -1;
    p = vr_pub_create(room, r->handle, &id);
    if (!p)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    p->display = display ? strdup(display) : NULL;
    p->metadata = json_incref(sl_arg_get(r->body, "metadata"));
    p->audio_active_packets = vr_arg_u32(r->body, "audio_active_packets", p->audio_active_packets);
    p->audio_level_average = vr_arg_u32(r->body, "audio_level_average", p->audio_level_average);
    if (p->audio_level_average > 127)
        p->audio_level_average = 127;
    *out = p;
    return 0;
}

json_t *vr_pub_joined(struct vr_pub *p)
{
    json_t *event = vr_room_event(p->room, "joined");
    json_t *publishers = json_array(), *attendees = json_array();
    struct vr_link *l;

    vr_list_for_each(l, &p->room->members)
    {
        struct vr_pub *other = vr_container(l, struct vr_pub, link);
        json_t *o;

        if (other == p)
            continue;
        if (other->up) {
            json_array_append(publishers, vr_pub_info(other));
        } else if (p->room->set.notify_joining) {
            o = json_pack("{s:o}", "id", pl_id_json(&other->id));
            vr_pub_name(other, o);
            json_array_append_new(attendees, o);
        }
    }
    json_object_set_new(event, "description", json_string(p->room->set.description));
    json_object_set_new(event, "id", pl_id_json(&p->id));
    json_object_set_new(event, "private_id", json_integer(p->private_id));
    json_object_set_new(event, "publishers", publishers);
    vr_speaker_json(p->room, event);
    if (p->room->set.notify_joining)
        json_object_set_new(event, "attendees", attendees);
    else
        json_decref(attendees);
    return event;
}

void vr_pub_entered(struct vr_pub *p)
{
    json_t *who, *event;

    vr_notify(p->h, json_pack("{s:s, s:o, s:o, s:I, s:s*}", "event", "joined", "room",
                              pl_id_json(&p->room->id), "id", pl_id_json(&p->id), "private_id",
                              (json_int_t)p->private_id, "display", p->display));
    if (!p->room->set.notify_joining)
        return;
    who = json_pack("{s:o}", "id", pl_id_json(&p->id));
    vr_pub_name(p, who);
    event = vr_room_event(p->room, "event");
    json_object_set_new(event, "joining", who);
    vr_room_tell(p->room, p, event);
}

/* ---- subscribers ----------------------------------------------------------------------------- */

static int private_id_check(struct vr_req *r, const struct vr_room *room, uint32_t *private_id)
{
    static const struct sl_arg args[] = { { "private_id", SL_ARG_UINT } };
    const struct vr_link *l;

    if (VR_ARGS(r, r->body, args) < 0)
        return -1;
    *private_id = vr_arg_u32(r->body, "private_id", 0);
    if (!room->set.require_pvtid)
        return 0;
    vr_list_for_each(l, &room->members) if (*private_id &&
                                            vr_container(l, struct vr_pub, link)->private_id ==
                                                *private_id) return 0;
    return vr_fail(r, VR_ERR_UNAUTHORIZED, "Unauthorized (this room requires a valid private_id)");
}

/* The old form: one feed, all its streams. */
static int legacy_asks(struct vr_req *r, struct vr_sub *s, struct vr_pub **feed,
                       struct vr_line_ask **asks, size_t *n)
{
    static const struct sl_arg args[] = {
        { "offer_audio", SL_ARG_BOOL }, { "offer_video", SL_ARG_BOOL },
        { "offer_data", SL_ARG_BOOL },  { "audio", SL_ARG_BOOL },
        { "video", SL_ARG_BOOL },       { "data", SL_ARG_BOOL },
    };
    struct pl_id id;

    if (vr_arg_id(r, r->body, "feed", &id) < 0 || VR_ARGS(r, r->body, args) < 0 ||
        vr_arg_layers(r, r->body) < 0)
        return -1;
    *feed = vr_pub_find(s->room, &id);
    if (!*feed || !(*feed)->up)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such feed (%s)", id.s);
    return vr_sub_asks_legacy(r, s, *feed, asks, n);
}

static int subscribe_first(struct vr_req *r, struct vr_sub *s, struct vr_pub **feed)
{
    const json_t *streams = sl_arg_get(r->body, "streams");
    struct vr_line_ask *asks = NULL;
    size_t n = 0;
    int err;

    *feed = NULL;
    if (streams || !sl_arg_get(r->body, "feed"))
        err = streams ? vr_sub_asks(r, s, streams, &asks, &n)
                      : vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (streams)");
    else
        err = legacy_asks(r, s, feed, &asks, &n);
    if (!err && n == 0)
        err = vr_fail(r, VR_ERR_INVALID_SDP, "Can't offer an SDP with no stream");
    if (!err && vr_sub_add(s, asks, n) < 0)
        err = vr_fail(r, VR_ERR_UNKNOWN, "Too many streams in one subscription");
    for (size_t i = 0; !err && *feed && i < s->nlines; i++)
        pl_view_read(r->body, &s->lines[i]->wish);
    free(asks);
    return err;
}

static json_t *attached_event(const struct vr_sub *s, const struct vr_pub *feed)
{
    json_t *event = vr_room_event(s->room, "attached");

    json_object_set_new(event, "streams", vr_sub_streams(s));
    if (feed) {
        json_object_set_new(event, "id", pl_id_json(&feed->id));
        vr_pub_name(feed, event);
        json_object_set_new(event, "warning", json_string("deprecated_api"));
    }
    return event;
}

static int join_subscriber(struct vr_req *r)
{
    static const struct sl_arg args[] = {
        { "use_msid", SL_ARG_BOOL },
        { "autoupdate", SL_ARG_BOOL },
        { "quality", SL_ARG_BOOL },
    };
    struct vr_handle *h = r->handle;
    uint32_t private_id = 0;
    struct vr_room *room;
    struct vr_pub *feed;
    struct vr_sub *s;
    int err;

    if (r->jsep)
        return vr_fail(r, VR_ERR_INVALID_REQUEST, "Subscribers do not send an offer with join");
    if (enter_check(r, false, &room) < 0 || VR_ARGS(r, r->body, args) < 0 ||
        vr_arg_objects(r, r->body, "streams", VR_LINES_MAX) < 0 ||
        private_id_check(r, room, &private_id) < 0)
        return -1;
    s = vr_sub_create(room, h);
    if (!s)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    s->private_id = private_id;
    s->use_msid = sl_arg_bool(r->body, "use_msid", false);
    s->autoupdate = sl_arg_bool(r->body, "autoupdate", true);
    vr_sub_tell_read(s, r->body);
    err = subscribe_first(r, s, &feed);
    if (!err && vr_sub_offer(s, r->msg, attached_event(s, feed), false) < 0)
        err = vr_fail(r, VR_ERR_UNKNOWN, "Could not make an offer");
    if (err) {
        vr_sub_destroy(s);
        h->role = VR_NONE;
        return -1;
    }
    vr_notify(h->h, json_pack("{s:s, s:o, s:o, s:I}", "event", "subscribing", "room",
                              pl_id_json(&room->id), "streams", vr_sub_streams(s), "private_id",
                              (json_int_t)private_id));
    return 0;
}

static int join_publisher(struct vr_req *r)
{
    struct vr_pub *p;

    if (vr_join_publisher(r, &p) < 0)
        return -1;
    vr_answer(r, vr_pub_joined(p));
    vr_pub_entered(p);
    return 0;
}

int req_join_none(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "ptype", SL_ARG_STRING, SL_ARG_REQUIRED } };
    static const struct {
        const char *ptype;
        vr_handler fn;
    } kinds[] = {
        { "publisher", join_publisher },
        { "subscriber", join_subscriber },
    };

    if (VR_ARGS(r, r->body, args) < 0)
        return -1;
    for (size_t i = 0; i < SL_ARG_COUNT(kinds); i++)
        if (strcasecmp(sl_arg_str(r->body, "ptype", ""), kinds[i].ptype) == 0)
            return kinds[i].fn(r);
    return vr_fail(r, VR_ERR_INVALID, "Invalid element (ptype)");
}
