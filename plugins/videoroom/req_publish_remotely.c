/* publish_remotely, unpublish_remotely, listremotes: all streams of a publisher for another server.
 */
#include "vr_forward.h"
#include "vr_host.h"
#include <errno.h>
#include <stdlib.h>

static const struct sl_arg remote_id[] = { { "remote_id", SL_ARG_TEXT, SL_ARG_REQUIRED } };

static int recipient_add(struct vr_req *r, struct vr_pub *p, const char *ip)
{
    const struct vr_link *l;
    struct vr_recipient *c;
    unsigned int suite, n = 0;
    const char *crypto;
    uint16_t local;
    struct sl_forward conf = {
        .near = p->media,
        .ip = ip,
        .port = (uint16_t)sl_arg_int(r->body, "port", 0),
        .rtcp_port = (uint16_t)sl_arg_int(r->body, "rtcp_port", 0),
    };
    int err;

    vr_list_for_each(l, &p->recipients) n++;
    if (vr_arg_srtp(r, &suite, &crypto) < 0)
        return -1;
    if (n >= VR_RECIPIENTS_MAX)
        return vr_fail(r, VR_ERR_UNKNOWN, "Too many remotizations of one publisher");
    c = calloc(1, sizeof(*c));
    if (!c)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    conf.srtp_suite = suite;
    conf.srtp_crypto = crypto;
    c->id = strdup(sl_arg_str(r->body, "remote_id", ""));
    err = c->id ? vr_core->forward_add(&conf, &c->ep, &local) : -ENOMEM;
    if (err) {
        free(c->id);
        free(c);
        return err == -EINVAL
                   ? vr_fail(r, VR_ERR_INVALID, "Invalid element (host, port or srtp_crypto)")
                   : vr_fail(r, VR_ERR_UNKNOWN, "Could not open a forwarder");
    }
    snprintf(c->host, sizeof(c->host), "%s", ip);
    c->port = conf.port;
    c->rtcp_port = conf.rtcp_port;
    vr_list_add(&p->recipients, &c->link);
    vr_recipient_apply(p, c);
    return 0;
}

/* Host and ports. 0: the address is in @ip; 1: later; -1: error. */
static int where(struct vr_req *r, const char **ip)
{
    const int port = vr_arg_port(r, r->body, "port");
    json_t *hosts;
    int err;

    if (port < 0 || vr_arg_port(r, r->body, "rtcp_port") < 0)
        return -1;
    if (!sl_arg_get(r->body, "port"))
        return vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (port)");
    if (port == 0)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (port)");
    hosts = json_object();
    if (vr_host_add(r, hosts, r->body, NULL) < 0) {
        json_decref(hosts);
        return -1;
    }
    err = vr_hosts_need(r, hosts);
    if (err)
        return err;
    *ip = vr_host_ip(r, r->body, NULL);
    return *ip ? 0 : vr_fail(r, VR_ERR_INVALID, "Invalid element (host cannot be resolved)");
}

int req_publish_remotely(struct vr_req *r)
{
    const char *ip, *crypto, *id = sl_arg_str(r->body, "remote_id", "");
    unsigned int suite;
    struct vr_pub *p;
    int err;

    if (vr_arg_publisher(r, &p) < 0 || vr_arg_forward_key(r, p->room) < 0 ||
        VR_ARGS(r, r->body, remote_id) < 0 || vr_arg_srtp(r, &suite, &crypto) < 0)
        return -1;
    if (p->remote || p->dummy)
        return vr_fail(r, VR_ERR_INVALID, "Can't remotize a %s publisher",
                       p->remote ? "remote" : "dummy");
    if (vr_recipient_find(p, id))
        return vr_fail(r, VR_ERR_ID_EXISTS, "Remotization %.64s already exists", id);
    err = where(r, &ip);
    if (err)
        return err < 0 ? -1 : 0;
    if (recipient_add(r, p, ip) < 0)
        return -1;
    r->reply = vr_room_event(p->room, "success");
    json_object_set_new(r->reply, "id", pl_id_json(&p->id));
    json_object_set_new(r->reply, "remote_id", json_string(id));
    /* For add_remote_publisher, by whoever was not told `configured`. */
    json_object_set_new(r->reply, "streams", vr_pub_own_streams(p));
    return 0;
}

int req_unpublish_remotely(struct vr_req *r)
{
    const char *id = sl_arg_str(r->body, "remote_id", "");
    struct vr_recipient *c;
    struct vr_pub *p;

    if (vr_arg_publisher(r, &p) < 0 || VR_ARGS(r, r->body, remote_id) < 0)
        return -1;
    c = vr_recipient_find(p, id);
    if (!c)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such remotization (%.64s)", id);
    vr_recipient_destroy(c);
    r->reply = vr_room_event(p->room, "success");
    json_object_set_new(r->reply, "id", pl_id_json(&p->id));
    return 0;
}

int req_listremotes(struct vr_req *r)
{
    const struct vr_link *l;
    struct vr_pub *p;
    json_t *list;

    if (vr_arg_publisher(r, &p) < 0)
        return -1;
    list = json_array();
    vr_list_for_each(l, &p->recipients)
    {
        const struct vr_recipient *c = vr_container(l, struct vr_recipient, link);
        json_t *o =
            json_pack("{s:s, s:s, s:i}", "remote_id", c->id, "host", c->host, "port", c->port);

        if (c->rtcp_port)
            json_object_set_new(o, "rtcp_port", json_integer(c->rtcp_port));
        json_array_append_new(list, o);
    }
    r->reply = vr_room_event(p->room, "success");
    json_object_set_new(r->reply, "id", pl_id_json(&p->id));
    json_object_set_new(r->reply, "list", list);
    return 0;
}
