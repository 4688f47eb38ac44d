/* The core's forwarders, remote publishers and names, for tests of plugins. */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mock/mock_state.h"

struct mock_endpoint *mock_endpoint_get(sl_hid h)
{
    const uint64_t n = (h & ~MOCK_ENDPOINT) - 1;
    struct mock_endpoint *e = h & MOCK_ENDPOINT && n < mock.nendpoints ? mock.endpoints[n] : NULL;

    return e && e->used ? e : NULL;
}

struct mock_line *mock_endpoint_line(struct sl_mref r)
{
    struct mock_endpoint *e = mock_endpoint_get(r.handle);

    return e && (e->remote || e->player) && r.mindex < e->nlines ? &e->rlines[r.mindex] : NULL;
}

const struct mock_endpoint *mock_endpoint(size_t n)
{
    return n < mock.nendpoints ? mock.endpoints[n] : NULL;
}

sl_hid mock_endpoint_id(size_t n)
{
    return MOCK_ENDPOINT | (n + 1);
}

size_t mock_endpoints_alive(void)
{
    size_t alive = 0;

    for (size_t i = 0; i < mock.nendpoints; i++)
        alive += mock.endpoints[i]->used;
    return alive;
}

void mock_endpoint_fails(int err)
{
    mock.endpoint_err = err;
}

static bool srtp_is_good(unsigned int suite, const char *crypto)
{
    return suite == 0 || ((suite == 32 || suite == 80) && crypto && strlen(crypto) == 40);
}

struct mock_endpoint *mock_endpoint_new(sl_hid *out)
{
    struct mock_endpoint *e = calloc(1, sizeof(*e));

    mock_check(e && mock.nendpoints < MOCK_ENDPOINTS, "too many endpoints");
    mock.endpoints[mock.nendpoints] = e;
    e->used = true;
    *out = mock_endpoint_id(mock.nendpoints++);
    return e;
}

static struct mock_endpoint *endpoint_new(const char *ip, const char *crypto, sl_hid *out)
{
    struct mock_endpoint *e = mock_endpoint_new(out);

    snprintf(e->ip, sizeof(e->ip), "%s", ip ? ip : "");
    snprintf(e->crypto, sizeof(e->crypto), "%s", crypto ? crypto : "");
    return e;
}

int mock_core_forward_add(const struct sl_forward *f, sl_hid *out, uint16_t *rtcp_port)
{
    struct mock_endpoint *e;

    mock_on_control("forward_add");
    mock_check(f->port > 0, "forward_add: to no port");
    if (mock.endpoint_err)
        return mock.endpoint_err;
    if (!srtp_is_good(f->srtp_suite, f->srtp_crypto))
        return -EINVAL;
    e = endpoint_new(f->ip, f->srtp_crypto, out);
    e->forward = *f;
    e->forward.ip = e->ip;
    e->forward.srtp_crypto = e->crypto;
    *rtcp_port = (uint16_t)(40000 + mock.nendpoints - 1);
    return 0;
}

int mock_core_forward_lines(sl_hid h, const struct sl_forward_line *lines, size_t n)
{
    struct mock_endpoint *e = mock_endpoint_get(h);

    mock_on_control("forward_lines");
    mock_check(e && !e->remote && !e->player, "forward_lines: that is no forwarder");
    mock_check(n <= MOCK_FORWARD_LINES, "forward_lines: too many for the mock");
    memcpy(e->lines, lines, n * sizeof(*lines));
    e->nlines = n;
    return 0;
}

int mock_core_forward_data(sl_hid h, uint32_t ssrc, bool binary, const void *data, size_t len)
{
    struct mock_endpoint *e = mock_endpoint_get(h);

    mock_on_control("forward_data");
    mock_check(e && !e->remote && !e->player, "forward_data: that is no forwarder");
    snprintf(e->data, sizeof(e->data), "%u|%s%.*s", ssrc, binary ? "binary|" : "", (int)len,
             (const char *)data);
    return 0;
}

const char *mock_forwarded(size_t n)
{
    struct mock_endpoint *e = mock.endpoints[n];

    mock_check(e != NULL, "there never was an endpoint %u", (unsigned)n);
    memcpy(e->asked, e->data, sizeof(e->asked));
    e->data[0] = '\0';
    return e->asked[0] ? e->asked : NULL;
}

int mock_core_remote_add(const struct sl_remote *r, sl_hid *out, struct sl_remote_at *at)
{
    struct mock_endpoint *e;

    mock_on_control("remote_add");
    if (mock.endpoint_err)
        return mock.endpoint_err;
    if (!srtp_is_good(r->srtp_suite, r->srtp_crypto))
        return -EINVAL;
    e = endpoint_new(r->mcast ? r->mcast : r->iface, r->srtp_crypto, out);
    e->remote = true;
    e->conf = *r;
    snprintf(at->ip, sizeof(at->ip), "%s", e->ip);
    at->port = r->port ? r->port : (uint16_t)(r->port_low + 2 * (mock.nendpoints - 1));
    at->rtcp_port = r->rtcp_port ? r->rtcp_port : (uint16_t)(at->port + 1);
    return 0;
}

int mock_core_remote_lines(sl_hid h, const struct sl_remote_line *lines, size_t n)
{
    struct mock_endpoint *e = mock_endpoint_get(h);

    mock_on_control("remote_lines");
    mock_check(e && e->remote, "remote_lines: that is no remote publisher");
    mock_check(n <= MOCK_FORWARD_LINES, "remote_lines: too many for the mock");
    for (size_t i = 0; i < n; i++) {
        struct mock_line *ml = &e->rlines[i];

        mock_check(lines[i].wire_mindex <= 255, "remote_lines: a wire_mindex above 255");
        for (size_t k = 0; k < i; k++)
            mock_check(lines[k].wire_mindex != lines[i].wire_mindex,
                       "remote_lines: a wire_mindex is there twice");
        ml->want = *lines[i].line;
        if (ml->want.ncodecs)
            ml->codec = ml->want.codecs[0];
        ml->want.codecs = &ml->codec;
        e->wire[i] = lines[i].wire_mindex;
    }
    e->nlines = n;
    return 0;
}

void mock_core_endpoint_del(sl_hid h)
{
    struct mock_endpoint *e = mock_endpoint_get(h);

    mock_on_control("endpoint_del");
    mock_check(e, "endpoint_del: there is no such endpoint any more");
    e->used = false;
    mock_taps_end(h);
}

void mock_remote_data(size_t n, uint16_t mindex, bool binary, const char *text)
{
    const struct mock_endpoint *e = mock.endpoints[n];

    mock_check(e && e->used && e->remote, "endpoint %u is no remote publisher", (unsigned)n);
    MOCK_CALLBACK(e->conf.data(e->conf.arg, mindex, binary, text, strlen(text)));
}

void mock_remote_talking(size_t n, uint16_t mindex, bool talking, double level)
{
    const struct mock_endpoint *e = mock.endpoints[n];

    mock_check(e && e->used && e->remote, "endpoint %u is no remote publisher", (unsigned)n);
    MOCK_CALLBACK(e->conf.talking(e->conf.arg, mindex, talking, level));
}

/* ---- names ----------------------------------------------------------------------------------- */

int mock_core_resolve(const char *host, int family, sl_resolved_fn fn, void *arg, uint64_t *id)
{
    size_t i = 0;

    mock_on_control("resolve");
    *id = 0;
    if (!isalpha((unsigned char)host[0])) {
        const bool fits = family == 0 || (family == 6) == (strchr(host, ':') != NULL);

        fn(arg, fits ? 0 : -ENOENT, fits ? host : NULL);
        return 0;
    }
    while (i < sizeof(mock.lookup) / sizeof(mock.lookup[0]) && mock.lookup[i].id)
        i++;
    if (i == sizeof(mock.lookup) / sizeof(mock.lookup[0]))
        return -EAGAIN;
    mock.lookup[i].fn = fn;
    mock.lookup[i].arg = arg;
    mock.lookup[i].family = family;
    mock.lookup[i].id = ++mock.next_id;
    snprintf(mock.lookup[i].host, sizeof(mock.lookup[i].host), "%s", host);
    *id = mock.lookup[i].id;
    return 0;
}

void mock_core_resolve_cancel(uint64_t id)
{
    mock_on_control("resolve_cancel");
    for (size_t i = 0; i < sizeof(mock.lookup) / sizeof(mock.lookup[0]); i++)
        if (mock.lookup[i].id == id)
            mock.lookup[i].id = 0;
}

bool mock_resolved(const char *host, const char *ip)
{
    for (size_t i = 0; i < sizeof(mock.lookup) / sizeof(mock.lookup[0]); i++) {
        if (!mock.lookup[i].id || strcmp(mock.lookup[i].host, host) != 0)
            continue;
        mock.lookup[i].id = 0;
        MOCK_CALLBACK(mock.lookup[i].fn(mock.lookup[i].arg, ip ? 0 : -ENOENT, ip));
        return true;
    }
    return false;
}

void mock_core_hold(struct sl_msg *m)
{
    mock_on_control("hold");
    mock_check(!m->acked && !m->ended && !m->held, "hold: the request is held or answered already");
    m->held = true;
}
