/* struct sl_core of <sluice/plugin.h>: streams to and from other machines. Control thread. */

#include "plugin/plugin_priv.h"
#include "api/api_dns.h"
#include "pc/pc_ep.h"
#include "api/api_priv.h"
#include "base/log.h"
#include <errno.h>
#include <stdlib.h>

/* Worker indexes end below: no id of an endpoint, and no handle, has this bit. */
#define HID_ENDPOINT (UINT64_C(1) << 63)
#define LINES_MAX    1024

/* An endpoint of a plugin. */
struct owned {
    struct sl_list link;
    struct sl_ep *ep;
    sl_hid hid;
    int slot;
};

static struct sl_list owned;

/* Made with the first name. */
static struct sl_dns *dns;

void sl_plugin_ep_start(void)
{
    sl_list_init(&owned);
}

int sl_plugin_ep_own(int slot, struct sl_ep *ep, sl_hid *out)
{
    struct owned *o = calloc(1, sizeof(*o));

    if (!o) {
        sl_ep_destroy(ep);
        return -ENOMEM;
    }
    o->ep = ep;
    o->hid = sl_ep_id(ep) | HID_ENDPOINT;
    o->slot = slot;
    sl_list_add(&owned, &o->link);
    *out = o->hid;
    return 0;
}

static void owned_end(struct owned *o) SL_ON_CONTROL
{
    sl_list_del(&o->link);
    sl_ep_destroy(o->ep);
    free(o);
}

void sl_plugin_ep_end(int slot)
{
    struct sl_list *pos, *tmp;
    unsigned int n = 0;

    sl_list_for_each_safe (pos, tmp, &owned) {
        struct owned *o = sl_container(pos, struct owned, link);

        if (o->slot != slot)
            continue;
        owned_end(o);
        n++;
    }
    if (n)
        sl_warn("plugin", "left endpoints behind", "plugin=%s n=%u", sl_plugin_package(slot), n);
}

void sl_plugin_ep_stop(void)
{
    sl_dns_destroy(dns);
    dns = NULL;
}

struct sl_ep *sl_plugin_ep_get(sl_hid hid)
{
    struct sl_api *api = sl_api_get();
    struct sl_ep *ep;

    if (!api || !(hid & HID_ENDPOINT))
        return NULL;
    ep = sl_ep_find(api->world, hid & ~HID_ENDPOINT);
    if (!ep)
        sl_plugin_check_gone(SL_PLUGIN_ENDPOINT, hid);
    return ep;
}

int sl_plugin_source_get(struct sl_mref ref, struct sl_pc_source *out)
{
    struct sl_ep *ep = sl_plugin_ep_get(ref.handle);
    struct sl_handle *h;

    if (ep)
        return sl_ep_source(ep, ref.mindex, out);
    h = sl_api_get() ? api_handle_get(sl_api_get(), ref.handle) : NULL;
    if (!h) {
        sl_plugin_check_gone(SL_PLUGIN_HANDLE, ref.handle);
        return -ESTALE;
    }
    return h->pc ? sl_pc_source(h->pc, ref.mindex, out) : -ENOENT;
}

/* ---- names ----------------------------------------------------------------------------------- */

int sl_plugin_resolve(const char *host, int family, sl_resolved_fn fn, void *arg, uint64_t *id)
{
    int err = 0;

    PLUGIN_CALL("resolve");
    if (!dns)
        err = sl_dns_create(sl_api_get()->cq, api_run_resolved, &dns);
    return err ? err
               : sl_dns_resolve(dns, host,
                                family == 4   ? AF_INET
                                : family == 6 ? AF_INET6
                                              : AF_UNSPEC,
                                fn, arg, id);
}

void sl_plugin_resolve_cancel(uint64_t id)
{
    PLUGIN_CALL("resolve_cancel");
    if (dns && id)
        sl_dns_cancel(dns, id);
}

/* ---- endpoints ------------------------------------------------------------------------------- */

/* Whose worker @hid lives on. */
static sl_id worker_of(sl_hid hid) SL_ON_CONTROL
{
    struct sl_ep *ep = sl_plugin_ep_get(hid);
    struct sl_handle *h;

    if (ep)
        return sl_ep_id(ep);
    h = api_handle_get(sl_api_get(), hid);
    return h && h->pc ? sl_pc_id(h->pc) : SL_ID_NONE;
}

int sl_plugin_forward_add(int slot, const struct sl_forward *f, sl_hid *out, uint16_t *rtcp_port)
{
    struct sl_ep *ep;
    int err;

    PLUGIN_CALL("forward_add");
    err = sl_ep_forward(sl_api_get()->world, f, worker_of(f->near), &ep, rtcp_port);
    return err ? err : sl_plugin_ep_own(slot, ep, out);
}

int sl_plugin_forward_lines(sl_hid forward, const struct sl_forward_line *lines, size_t n)
{
    struct sl_ep *ep;
    struct sl_pc_source *sources;
    struct sl_ep_line *l;
    int err = -ENOMEM;

    PLUGIN_CALL("forward_lines");
    ep = sl_plugin_ep_get(forward);
    if (!ep || n > LINES_MAX)
        return ep ? -EINVAL : -ESTALE;
    sources = calloc(n ? n : 1, sizeof(*sources));
    l = calloc(n ? n : 1, sizeof(*l));
    for (size_t i = 0; sources && l && i < n; i++) {
        l[i].line = &lines[i];
        if (lines[i].from.handle && sl_plugin_source_get(lines[i].from, &sources[i]) == 0)
            l[i].source = &sources[i];
    }
    if (sources && l)
        err = sl_ep_forward_lines(ep, l, n);
    free(sources);
    free(l);
    return err;
}

int sl_plugin_forward_data(sl_hid forward, uint32_t ssrc, bool binary, const void *data, size_t len)
{
    struct sl_ep *ep;

    PLUGIN_CALL("forward_data");
    ep = sl_plugin_ep_get(forward);
    return ep ? sl_ep_send_data(ep, ssrc, binary, data, len) : -ESTALE;
}

static void run_talking(sl_ep_talking_fn fn, void *arg, uint16_t mindex, bool talking, double level)
{
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    api_enter(api);
    fn(arg, mindex, talking, level);
    api_leave(api);
}

static void run_voice(sl_ep_voice_fn fn, void *arg, uint16_t mindex,
                      const struct sl_voice_report *v)
{
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    api_enter(api);
    fn(arg, mindex, v);
    api_leave(api);
}

static void run_data(sl_remote_data_fn fn, void *arg, uint16_t mindex, bool binary,
                     const char *data, size_t len)
{
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    api_enter(api);
    fn(arg, mindex, binary, data, len);
    api_leave(api);
}

int sl_plugin_remote_add(int slot, const struct sl_remote *r, sl_hid *out, struct sl_remote_at *at)
{
    static const struct sl_ep_tell tell = {
        .talking = run_talking,
        .voice = run_voice,
        .data = run_data,
    };
    struct sl_ep *ep;
    int err;

    PLUGIN_CALL("remote_add");
    err = sl_ep_remote(sl_api_get()->world, r, &tell, &ep, at);
    return err ? err : sl_plugin_ep_own(slot, ep, out);
}

int sl_plugin_remote_lines(sl_hid remote, const struct sl_remote_line *lines, size_t n)
{
    struct sl_ep *ep;

    PLUGIN_CALL("remote_lines");
    ep = sl_plugin_ep_get(remote);
    if (!ep || n > LINES_MAX)
        return ep ? -EINVAL : -ESTALE;
    return sl_ep_remote_lines(ep, lines, n);
}

void sl_plugin_endpoint_del(sl_hid e)
{
    struct sl_list *pos;

    PLUGIN_CALL("endpoint_del");
    sl_list_for_each (pos, &owned) {
        struct owned *o = sl_container(pos, struct owned, link);

        if (o->hid == e) {
            sl_plugin_check_over(SL_PLUGIN_ENDPOINT, e, sl_plugin_package(o->slot));
            owned_end(o);
            return;
        }
    }
    sl_plugin_check_gone(SL_PLUGIN_ENDPOINT, e);
}
