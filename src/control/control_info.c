#include "control/control_info.h"
#include "net/net_addr.h"
#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* What we would announce first, or the loopback address. */
static json_t *local_ip(void)
{
    char text[SL_ADDR_TEXT_MAX];
    struct sl_addr a;

    if (sl_addr_list_local(AF_UNSPEC, false, 0, &a, 1) < 1)
        return json_string("127.0.0.1");
    return json_string(sl_addr_format_ip(&a, text));
}

static void add_public_ips(json_t *j, const char *list)
{
    char *copy = list ? strdup(list) : NULL, *save = NULL;
    json_t *ips = json_array();

    for (char *p = copy ? strtok_r(copy, ", ", &save) : NULL; p; p = strtok_r(NULL, ", ", &save))
        json_array_append_new(ips, json_string(p));
    if (json_array_size(ips))
        json_object_set(j, "public-ip", json_array_get(ips, 0));
    if (json_array_size(ips) > 1)
        json_object_set(j, "public-ips", ips);
    json_decref(ips);
    free(copy);
}

json_t *sl_control_info(const struct sl_conf *conf)
{
    const struct sl_media_conf *m = &conf->media;
    json_t *j = json_object();
    char glib[32];

    json_object_set_new(j, "local-ip", local_ip());
    add_public_ips(j, m->public_ip);
    json_object_set_new(j, "ipv6", json_boolean(!m->bind || strchr(m->bind, ':')));
    json_object_set_new(j, "ice-lite", json_boolean(m->ice == SL_MEDIA_ICE_LITE));
    json_object_set_new(j, "ice-tcp", json_boolean(m->tcp_port != 0));
    json_object_set_new(j, "full-trickle", json_false());
    json_object_set_new(j, "twcc-period", json_integer(m->twcc_period_ms));
    json_object_set_new(j, "dtls-mtu", json_integer(m->mtu));
    json_object_set_new(j, "static-event-loops", json_integer(conf->general.workers));
    if (m->stun_server)
        json_object_set_new(j, "stun-server", json_string(m->stun_server));
    if (m->turn_server)
        json_object_set_new(j, "turn-server", json_string(m->turn_server));
    snprintf(glib, sizeof(glib), "%u.%u.%u", glib_major_version, glib_minor_version,
             glib_micro_version);
    json_object_set_new(j, "dependencies",
                        json_pack("{s:s, s:s}", "glib2", glib, "jansson", jansson_version_str()));
    return j;
}
