/* struct sl_core of <sluice/plugin.h>: streams to and from other machines. Control thread. */

#include "plugin/plugin_priv.h"
#include "api/api_dns.h"
#include "pc/pc_ep.h"
#include "api/api_priv.h"
#include <errno.h>
#include <stdlib.h>

/* Worker indexes end below: no id of an endpoint, and no handle, has this bit. */
#define HID_ENDPOINT (UINT64_C(1) << 63)
#define LINES_MAX    1024

/* Made with the first name. */
static struct sl_dns *dns;

void sl_plugin_ep_stop(void)
{
    sl_dns_destroy(dns);
    dns = NULL;
}

struct sl_ep *sl_plugin_ep_get(sl_hid hid)
{
    struct sl_api *api = sl_api_get();

    return api && (hid & HID_ENDPOINT) ? sl_ep_find(api->world, hid & ~HID_ENDPOINT) : NULL;
}

int sl_plugin_source_get(struct sl_mref ref, struct sl_pc_source *out)
{
    struct sl_ep *ep = sl_plugin_ep_get(ref.handle);
    struct sl_handle *h;

    if (ep)
        return sl_ep_source(ep, ref.mindex, out);
    h = sl_api_get() ? api_handle_get(sl_api_get(), ref.handle) : NULL;
    if (!h)
        return -ESTALE;
    return h->pc ? sl_pc_source(h->pc, ref.mindex, out) : -ENOENT;
}

void sl_plugin_hold(struct sl_msg *m)
{
    SL_ASSUME(control);
    api_plugin_hold(sl_api_get(), m);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void run_resolved(sl_dns_fn fn, void *arg, int err, const char *ip)
{
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    api_enter(api);
    fn(arg, err, ip);
    api_leave(api);
}

int sl_plugin_resolve(const char *host, int family, sl_resolved_fn fn, void *arg, uint64_t *id)
{
    int err = 0;

    SL_ASSUME(control);
    if (!dns)
        err = sl_dns_create(sl_api_get()->cq, run_resolved, &dns);
    return err ? err
               : sl_dns_resolve(dns, host,
                                family == 4   ? AF_INET
                                : family == 6 ? AF_INET6
                                              : AF_UNSPEC,
                                fn, arg, id);
}

void sl_plugin_resolve_cancel(uint64_t id)
{
    SL_ASSUME(control);
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

int sl_plugin_forward_add(const struct sl_forward *f, sl_hid *out, uint16_t *rtcp_port)
{
    struct sl_ep *ep;
    int err;

    SL_ASSUME(control);
    err = sl_ep_forward(sl_api_get()->world, f, worker_of(f->near), &ep, rtcp_port);
    if (err == 0)
        *out = sl_ep_id(ep) | HID_ENDPOINT;
    return err;
}

int sl_plugin_forward_lines(sl_hid forward, const struct sl_forward_line *lines, size_t n)
{
    struct sl_ep *ep;
    struct sl_pc_source *sources;
    struct sl_ep_line *l;
    int err = -ENOMEM;

    SL_ASSUME(control);
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

    SL_ASSUME(control);
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

int sl_plugin_remote_add(const struct sl_remote *r, sl_hid *out, struct sl_remote_at *at)
{
    static const struct sl_ep_tell tell = {
        .talking = run_talking,
        .voice = run_voice,
        .data = run_data,
    };
    struct sl_ep *ep;
    int err;

    SL_ASSUME(control);
    err = sl_ep_remote(sl_api_get()->world, r, &tell, &ep, at);
    if (err == 0)
        *out = sl_ep_id(ep) | HID_ENDPOINT;
    return err;
}

int sl_plugin_remote_lines(sl_hid remote, const struct sl_remote_line *lines, size_t n)
{
    struct sl_ep *ep;

    SL_ASSUME(control);
    ep = sl_plugin_ep_get(remote);
    if (!ep || n > LINES_MAX)
        return ep ? -EINVAL : -ESTALE;
    return sl_ep_remote_lines(ep, lines, n);
}

void sl_plugin_endpoint_del(sl_hid e)
{
    SL_ASSUME(control);
    sl_ep_destroy(sl_plugin_ep_get(e));
}
