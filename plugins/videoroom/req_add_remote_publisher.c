#include "vr_data.h"
#include "vr_forward.h"
#include "vr_host.h"
#include "vr_remote.h"
#include "vr_speaker.h"
#include <errno.h>
#include <stdlib.h>

static int open_fail(struct vr_req *r, int err)
{
    if (err == -EINVAL)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (mcast, iface or srtp_crypto)");
    if (err == -EADDRINUSE)
        return vr_fail(r, VR_ERR_UNKNOWN, "Could not open UDP socket for remote publisher: in use");
    return vr_fail(r, VR_ERR_UNKNOWN, "Could not open UDP socket for remote publisher");
}

static void on_talking(void *arg, uint16_t mindex, bool talking, double level)
{
    vr_pub_talking(arg, mindex, talking, level);
}

static void on_voice(void *arg, uint16_t mindex, const struct sl_voice_report *v)
{
    vr_speaker_heard(arg, mindex, v);
}

static void on_data(void *arg, uint16_t mindex, bool binary, const char *data, size_t len)
{
    (void)mindex; /* they are all one to subscribers */
    vr_data_publish(arg, binary, data, len);
}

/* Placed as its other publishers are. */
static int remote_open(struct vr_req *r, struct vr_pub *p, struct sl_remote_at *at)
{
    unsigned int suite;
    const char *crypto;
    struct sl_remote conf = {
        .mcast = sl_arg_str(r->body, "mcast", NULL),
        .iface = sl_arg_str(r->body, "iface", NULL),
        .port = (uint16_t)sl_arg_int(r->body, "port", 0),
        .rtcp_port = (uint16_t)sl_arg_int(r->body, "rtcp_port", 0),
        .port_low = vr_conf.ports.low,
        .port_high = vr_conf.ports.high,
        .group = vr_room_group(p->room),
        .talking = on_talking,
        .voice = on_voice,
        .data = on_data,
        .arg = p,
    };
    int err;

    if (vr_arg_srtp(r, &suite, &crypto) < 0)
        return -1;
    conf.srtp_suite = suite;
    conf.srtp_crypto = crypto;
    err = vr_core->remote_add(&conf, &p->media, at);
    return err ? open_fail(r, err) : 0;
}

static int id_choose(struct vr_req *r, const struct vr_room *room, struct pl_id *id)
{
    if (sl_arg_get(r->body, "id") && vr_arg_id(r, r->body, "id", id) < 0)
        return -1;
    if (!sl_arg_get(r->body, "id") || (!vr_conf.string_ids && id->n == 0))
        do
            pl_id_random(vr_core, vr_conf.string_ids, id);
        while (vr_pub_find(room, id));
    if (vr_pub_find(room, id))
        return vr_fail(r, VR_ERR_ID_EXISTS, "User ID %s already exists", id->s);
    return 0;
}

static int check(struct vr_req *r, struct vr_room **room, struct pl_id *id)
{
    static const struct sl_arg args[] = {
        { "display", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "metadata", SL_ARG_OBJECT, SL_ARG_OPTIONAL, SL_ARG_META_MAX },
        { "mcast", SL_ARG_TEXT },
        { "iface", SL_ARG_TEXT }
    };
    const struct vr_link *l;
    unsigned int suite, n = 0;
    const char *crypto;

    if (vr_arg_room_secret(r, room) < 0 || vr_may_forward(r, *room) < 0 ||
        VR_ARGS(r, r->body, args) < 0 || vr_arg_port(r, r->body, "port") < 0 ||
        vr_arg_port(r, r->body, "rtcp_port") < 0 || vr_arg_srtp(r, &suite, &crypto) < 0 ||
        vr_remote_check(r, NULL) < 0 || id_choose(r, *room, id) < 0)
        return -1;
    vr_list_for_each(l, &(*room)->members) n += vr_container(l, struct vr_pub, link)->remote;
    if (n >= VR_REMOTES_MAX)
        return vr_fail(r, VR_ERR_UNKNOWN, "Too many remote publishers in this room");
    return 0;
}

int req_add_remote_publisher(struct vr_req *r)
{
    const char *display = sl_arg_str(r->body, "display", NULL);
    struct sl_remote_at at;
    struct vr_room *room;
    struct vr_pub *p;
    struct pl_id id;

    if (check(r, &room, &id) < 0)
        return -1;
    p = vr_pub_create(room, NULL, &id);
    if (!p)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    p->remote = true;
    p->display = display ? strdup(display) : NULL;
    p->metadata = json_incref(sl_arg_get(r->body, "metadata"));
    vr_remote_take(p, sl_arg_get(r->body, "streams"));
    if (remote_open(r, p, &at) < 0) {
        vr_pub_destroy(p);
        return -1;
    }
    if (vr_remote_apply(p) < 0) {
        vr_pub_destroy(p);
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    }
    p->up = true;
    vr_speaker_join(p);
    vr_pub_announce(p);
    r->reply = vr_room_event(room, "success");
    json_object_set_new(r->reply, "id", pl_id_json(&p->id));
    if (at.ip[0])
        json_object_set_new(r->reply, "ip", json_string(at.ip));
    json_object_set_new(r->reply, "port", json_integer(at.port));
    json_object_set_new(r->reply, "rtcp_port", json_integer(at.rtcp_port));
    return 0;
}
