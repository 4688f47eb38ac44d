#include "vr_host.h"
#include "vr_list.h"
#include <errno.h>
#include <stdlib.h>

#define KEY_MAX 280

/* A request that waits for names. */
struct job {
    struct vr_link link;
    struct vr_req r;
    json_t *ips; /* key -> address, or null */
    size_t n, waiting;
    struct job_host {
        struct job *job;
        char key[KEY_MAX];
        uint64_t id;
    } hosts[VR_HOSTS_MAX];
};

static struct vr_link jobs = { &jobs, &jobs };

static int family_of(const json_t *item, const json_t *def)
{
    const char *f = sl_arg_str(item, "host_family", NULL);

    if (!f)
        f = sl_arg_str(def, "host_family", "");
    return strcmp(f, "ipv4") == 0 ? 4 : strcmp(f, "ipv6") == 0 ? 6 : *f ? -1 : 0;
}

static void key_of(const json_t *item, const json_t *def, char out[KEY_MAX])
{
    const char *host = sl_arg_str(item, "host", NULL);

    snprintf(out, KEY_MAX, "%d %s", family_of(item, def),
             host ? host : sl_arg_str(def, "host", ""));
}

int vr_host_add(struct vr_req *r, json_t *hosts, const json_t *item, const json_t *def)
{
    static const struct sl_arg optional[] = { { "host", SL_ARG_TEXT },
                                              { "host_family", SL_ARG_STRING } };
    static const struct sl_arg required[] = { { "host", SL_ARG_TEXT, SL_ARG_REQUIRED } };
    char key[KEY_MAX];

    if (VR_ARGS(r, item, optional) < 0 || (def && VR_ARGS(r, def, optional) < 0))
        return -1;
    if (!sl_arg_get(item, "host") && VR_ARGS(r, def ? def : item, required) < 0)
        return -1;
    if (family_of(item, def) < 0)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (host_family should be ipv4 or ipv6)");
    key_of(item, def, key);
    json_object_set_new(hosts, key, json_null());
    if (json_object_size(hosts) > VR_HOSTS_MAX)
        return vr_fail(r, VR_ERR_INVALID, "Too many hosts in one request");
    return 0;
}

const char *vr_host_ip(const struct vr_req *r, const json_t *item, const json_t *def)
{
    char key[KEY_MAX];

    key_of(item, def, key);
    return json_string_value(json_object_get(r->ips, key));
}

static void job_free(struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->hosts[i].id)
            vr_core->resolve_cancel(j->hosts[i].id);
    vr_list_del(&j->link);
    json_decref((json_t *)j->r.body);
    json_decref(j->ips);
    free(j);
}

static void on_resolved(void *arg, int err, const char *ip)
{
    struct job_host *h = arg;
    struct job *j = h->job;
    struct vr_req r;

    h->id = 0;
    json_object_set_new(j->ips, h->key, err ? json_null() : json_string(ip));
    if (--j->waiting > 0)
        return;
    r = (struct vr_req){ .body = json_incref((json_t *)j->r.body),
                         .msg = j->r.msg,
                         .ips = json_incref(j->ips),
                         .error = VR_ERROR_INIT };
    job_free(j);
    vr_request_resume(&r);
    json_decref((json_t *)r.body);
}

static int lookups_start(struct vr_req *r, struct job *j, const json_t *hosts)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)hosts, key, v)
    {
        struct job_host *h = &j->hosts[j->n++];

        h->job = j;
        snprintf(h->key, sizeof(h->key), "%s", key);
        j->waiting++;
        if (vr_core->resolve(key + 2, key[0] - '0', on_resolved, h, &h->id) < 0)
            return vr_fail(r, VR_ERR_UNKNOWN, "Too many names are being looked up");
    }
    return 0;
}

int vr_hosts_need(struct vr_req *r, json_t *hosts)
{
    struct job *j = r->ips ? NULL : calloc(1, sizeof(*j));
    int err;

    if (r->ips || !j) {
        json_decref(hosts);
        return r->ips ? 0 : vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    }
    vr_list_init(&j->link);
    j->ips = json_object();
    j->waiting = 1; /* so that answers that come at once do not end it */
    err = lookups_start(r, j, hosts);
    json_decref(hosts);
    if (!err && --j->waiting > 0 && !r->msg)
        err = vr_fail(r, VR_ERR_UNKNOWN,
                      "Names are not looked up for the administrator: give an address");
    if (!err && j->waiting > 0) {
        j->r = (struct vr_req){ .body = json_incref((json_t *)r->body), .msg = r->msg };
        vr_list_add(&jobs, &j->link);
        r->later = true;
        return 1;
    }
    if (!err)
        r->ips = json_incref(j->ips);
    job_free(j);
    return err;
}

void vr_hosts_fini(void)
{
    while (!vr_list_is_empty(&jobs))
        job_free(vr_container(jobs.next, struct job, link));
}

/* ---- other members that go with hosts -------------------------------------------------------- */

int vr_arg_srtp(struct vr_req *r, unsigned int *suite, const char **crypto)
{
    static const struct sl_arg args[] = { { "srtp_suite", SL_ARG_UINT },
                                          { "srtp_crypto", SL_ARG_STRING } };
    long long n;

    if (VR_ARGS(r, r->body, args) < 0)
        return -1;
    n = sl_arg_int(r->body, "srtp_suite", 0);
    *crypto = sl_arg_str(r->body, "srtp_crypto", NULL);
    *suite = 0;
    if (!n && !*crypto)
        return 0;
    if (n != 32 && n != 80)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (srtp_suite should be 32 or 80)");
    if (!*crypto)
        return vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (srtp_crypto)");
    *suite = (unsigned int)n;
    return 0;
}

int vr_arg_port(struct vr_req *r, const json_t *obj, const char *name)
{
    const struct sl_arg arg = { name, SL_ARG_UINT, SL_ARG_OPTIONAL };
    long long n;

    if (vr_args(r, obj, &arg, 1) < 0)
        return -1;
    n = sl_arg_int(obj, name, 0);
    return n <= 65535 ? (int)n : vr_fail(r, VR_ERR_INVALID, "Invalid element (%s)", name);
}
