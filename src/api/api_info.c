/* info and ping (control protocol, section 11). */

#include "api/api_priv.h"
#include "event/event_bus.h"
#include "plugin/plugin_loader.h"
#include "config.h"

static json_t *transports_info(const struct sl_api *api)
{
    json_t *all = json_object();

    for (size_t i = 0; i < API_TRANSPORTS_MAX; i++) {
        const struct sl_transport *t = api->tslots[i].t;

        if (t)
            json_object_set_new(all, t->package,
                                json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", t->name, "author",
                                          t->author, "description", t->description,
                                          "version_string", t->version_string, "version",
                                          t->version));
    }
    return all;
}

static int version_number(void)
{
    int major = 0, minor = 0, patch = 0;

    sscanf(PACKAGE_VERSION, "%d.%d.%d", &major, &minor, &patch);
    return major * 1000 + minor * 100 + patch;
}

json_t *api_server_info(struct sl_api *api)
{
    const struct sl_api_conf *c = &api->conf;
    json_t *j = json_object();

    json_object_set_new(j, "name", json_string("Sluice WebRTC Server"));
    json_object_set_new(j, "version", json_integer(version_number()));
    json_object_set_new(j, "version_string", json_string(PACKAGE_VERSION));
    json_object_set_new(j, "author", json_string("The Sluice authors"));
    json_object_set_new(j, "log-to-stdout", json_false());
    json_object_set_new(j, "log-to-file", json_false());
    json_object_set_new(j, "data_channels", json_true());
    json_object_set_new(j, "accepting-new-sessions", json_boolean(api->accepting));
    json_object_set_new(j, "session-timeout", json_integer(c->session_timeout_s));
    json_object_set_new(j, "reclaim-session-timeout", json_integer(c->reclaim_timeout_s));
    json_object_set_new(j, "candidates-timeout", json_integer(c->candidates_timeout_s));
    json_object_set_new(j, "server-name", json_string(c->server_name ? c->server_name : "Sluice"));
    json_object_set_new(j, "api_secret", json_boolean(c->api_secret != NULL));
    json_object_set_new(j, "auth_token", json_boolean(c->token_auth));
    json_object_set_new(j, "event_handlers", json_boolean(c->events != NULL));
    json_object_set_new(j, "opaqueid_in_api", json_boolean(c->opaqueid_in_api));
    if (c->info)
        json_object_update(j, (json_t *)c->info);
    json_object_set_new(j, "transports", transports_info(api));
    json_object_set_new(j, "events", sl_events_info(c->events));
    json_object_set_new(j, "loggers", json_object());
    json_object_set_new(j, "plugins", sl_plugins_info(api->plugins));
    return j;
}

void api_verb_info(struct api_req *r)
{
    api_ok(r, "server_info", api_server_info(r->api));
}

void api_verb_ping(struct api_req *r)
{
    api_ok(r, "pong", NULL);
}
