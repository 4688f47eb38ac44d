/* What the administrator asks of the network (admin API, section 1.2): answered by other threads.
 */

#include "api/api_dns.h"
#include "api/api_priv.h"
#include "base/clock.h"

void api_run_resolved(sl_dns_fn fn, void *arg, int err, const char *ip)
{
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    api_enter(api);
    fn(arg, err, ip);
    api_leave(api);
}

static struct sl_dns *dns_get(struct sl_api *api) SL_ON_CONTROL;
static struct sl_dns *dns_get(struct sl_api *api)
{
    if (!api->dns)
        (void)sl_dns_create(api->cq, api_run_resolved, &api->dns);
    return api->dns;
}

/* With the body's members and the time that it took. */
static void answer(struct api_wait *w, json_t *body) SL_ON_CONTROL;
static void answer(struct api_wait *w, json_t *body)
{
    json_object_set_new(body, "elapsed", json_integer((json_int_t)(sl_now_us() - w->since_us)));
    w->body = body;
    api_wait_ok(w);
}

static void on_resolved(void *arg, int err, const char *ip)
{
    SL_ASSUME(control);
    if (err)
        api_wait_fail(arg, SL_API_UNKNOWN, "Could not resolve address");
    else
        answer(arg, json_pack("{s:s}", "ip", ip));
}

static void on_stun(void *arg, int err, const char *text)
{
    char ip[SL_ADDR_TEXT_MAX];
    struct sl_addr a;

    SL_ASSUME(control);
    if (err || sl_addr_parse(text, &a))
        api_wait_fail(arg, SL_API_UNKNOWN, "STUN request failed");
    else
        answer(arg, json_pack("{s:s, s:i}", "public_ip", sl_addr_format_ip(&a, ip), "public_port",
                              (int)sl_addr_port(&a)));
}

/* A wait that counts from now: the queue's time is that of its turn. */
static struct api_wait *wait_new(struct api_req *r) SL_ON_CONTROL;
static struct api_wait *wait_new(struct api_req *r)
{
    struct api_wait *w = api_wait_new(r, NULL);

    if (w)
        w->since_us = sl_now_us();
    return w;
}

void api_admin_resolve_address(struct api_req *r)
{
    struct sl_dns *dns = dns_get(r->api);
    struct api_wait *w = wait_new(r);
    uint64_t id;

    if (w && (!dns || sl_dns_resolve(dns, sl_arg_str(r->root, "address", ""), AF_UNSPEC,
                                     on_resolved, w, &id)))
        api_wait_fail(w, SL_API_UNKNOWN, "Too many lookups are running");
}

void api_admin_test_stun(struct api_req *r)
{
    const char *host = sl_arg_str(r->root, "address", "");
    long long port = sl_arg_int(r->root, "port", 0);
    long long local = sl_arg_int(r->root, "localport", 0);
    struct sl_dns *dns = dns_get(r->api);
    struct api_wait *w;
    uint64_t id;

    if (port < 1 || port > UINT16_MAX || local > UINT16_MAX) {
        api_fail(r, SL_API_INVALID_TYPE,
                 "Invalid element type (port should be from 1 to 65535, localport up to 65535)");
        return;
    }
    w = wait_new(r);
    if (w && (!dns || sl_dns_ask_stun(dns, host, (uint16_t)port, (uint16_t)local, on_stun, w, &id)))
        api_wait_fail(w, SL_API_UNKNOWN, "STUN request failed");
}
