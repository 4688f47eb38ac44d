#include "base/log.h"
#include "ice/ice_nice_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STUN_PORT 3478 /* RFC 8489 section 8.1, RFC 8656 section 2 */

static int port_parse(const char *text, size_t len, uint16_t *out)
{
    unsigned int v = 0;

    if (len == 0 || len > 5)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
        v = v * 10 + (unsigned int)(text[i] - '0');
    }
    if (v == 0 || v > UINT16_MAX)
        return -EINVAL;
    *out = (uint16_t)v;
    return 0;
}

static int transport_parse(const char *query, bool *is_tcp)
{
    if (strcmp(query, "?transport=tcp") == 0)
        *is_tcp = true;
    else if (*query && strcmp(query, "?transport=udp") != 0)
        return -EINVAL;
    return 0;
}

int nice_server_init(struct nice_server *s, struct sl_nice *n, const char *text)
{
    size_t len = strcspn(text, "?"), host_len;
    const char *host = text, *colon = NULL;
    struct sl_addr a;

    memset(s, 0, sizeof(*s));
    s->nice = n;
    s->port = STUN_PORT;
    if (transport_parse(text + len, &s->is_tcp))
        return -EINVAL;
    if (*text == '[') {
        const char *close = memchr(text, ']', len);

        if (!close)
            return -EINVAL;
        host++;
        host_len = (size_t)(close - host);
        if (close[1] == ':')
            colon = close + 1;
        else if (close + 1 != text + len)
            return -EINVAL;
    } else {
        colon = memchr(text, ':', len);
        if (colon && memchr(colon + 1, ':', len - (size_t)(colon + 1 - text)))
            colon = NULL; /* an IPv6 address without a port */
        host_len = colon ? (size_t)(colon - text) : len;
    }
    if (host_len == 0 ||
        (colon && port_parse(colon + 1, len - (size_t)(colon + 1 - text), &s->port)))
        return -EINVAL;
    s->host = strndup(host, host_len);
    if (!s->host)
        return -ENOMEM;
    s->is_name = sl_addr_from_ip(s->host, 0, &a) != 0;
    if (!s->is_name && host_len < sizeof(s->ip))
        memcpy(s->ip, s->host, host_len + 1);
    return 0;
}

void nice_server_fini(struct nice_server *s)
{
    free(s->host);
    s->host = NULL;
}

static void ask_done(struct nice_server *s)
{
    if (s->is_asking) {
        s->is_asking = false;
        s->nice->asking--;
    }
}

/* IPv4 first: that is what more peers and relays have in common. */
static void on_answer(GObject *object, GAsyncResult *result, gpointer data)
{
    struct nice_server *s = data;
    GError *error = NULL;
    GList *list = g_resolver_lookup_by_name_finish(G_RESOLVER(object), result, &error);
    GInetAddress *best = NULL;

    if (error) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
            sl_warn("ice", "server-unknown", "host=%s", s->host);
            ask_done(s);
        }
        g_error_free(error);
        return;
    }
    for (GList *i = list; i; i = i->next)
        if (!best || (g_inet_address_get_family(best) != G_SOCKET_FAMILY_IPV4 &&
                      g_inet_address_get_family(i->data) == G_SOCKET_FAMILY_IPV4))
            best = i->data;
    if (best) {
        char *ip = g_inet_address_to_string(best);

        (void)g_strlcpy(s->ip, ip, sizeof(s->ip));
        g_free(ip);
    }
    g_resolver_free_addresses(list);
    ask_done(s);
}

void nice_server_ask(struct nice_server *s)
{
    GResolver *resolver;

    if (!s->host || !s->is_name)
        return;
    if (!s->ip[0] && !s->is_asking) {
        s->is_asking = true;
        s->nice->asking++;
    }
    resolver = g_resolver_get_default();
    g_resolver_lookup_by_name_async(resolver, s->host, s->nice->cancel, on_answer, s);
    g_object_unref(resolver);
}
