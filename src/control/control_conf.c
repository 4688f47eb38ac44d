#include "control/control_conf.h"
#include "control/config_file.h"
#include "net/net_addr.h"
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the rows -------------------------------------------------------------------------------- */

static const char *const level_words[] = { "error", "warn", "info", "debug", NULL };
static const char *const format_words[] = { "text", "json", NULL };
static const char *const type_words[] = { "seqpacket", "dgram", NULL };
static const char *const access_words[] = { "owner", "group", "all", NULL };
static const char *const anonymous_words[] = { "auto", "yes", "no", NULL };

#define G struct sl_general_conf
static const struct sl_opt general_opts[] = {
    SL_OPT_INT("workers", G, workers, 0, 0, 64, "media threads; 0: as many as cores"),
    SL_OPT_BOOL("pin_workers", G, pin_workers, "no",
                "each media thread stays on a core of its own"),
    SL_OPT_INT("session_timeout", G, session_timeout_s, 60, 0, 86400,
               "seconds without a request that end a session; 0: never"),
    SL_OPT_INT("reclaim_session_timeout", G, reclaim_timeout_s, 10, 0, 86400,
               "seconds that a session waits to be claimed when its connection is gone"),
    SL_OPT_INT("candidates_timeout", G, candidates_timeout_s, 45, 1, 3600,
               "seconds that trickled candidates wait for their description"),
    SL_OPT_INT("max_sessions", G, max_sessions, 10000, 1, 10000000, "sessions at a time"),
    SL_OPT_INT("max_handles", G, max_handles, 100, 1, 100000, "handles of one session"),
    SL_OPT_INT("max_events", G, max_events, 1000, 1, 100000,
               "events of a session that wait for a poll or a claim; beyond it the oldest is lost"),
    SL_OPT_INT("max_polls", G, max_polls, 20, 1, 1000,
               "long polls of a session that wait; beyond it the oldest is answered"),
    SL_OPT_INT("max_requests", G, max_requests, 1000, 1, 100000,
               "requests of a handle that wait for their event"),
    SL_OPT_INT("max_candidates", G, max_candidates, 100, 1, 10000,
               "trickled candidates of a handle that wait for their description"),
    SL_OPT_INT("max_json_depth", G, max_json_depth, 32, 4, 1000,
               "objects and arrays inside each other in a request"),
    SL_OPT_STR("plugins_dir", G, plugins_dir, NULL,
               "where plugins (*.so) are; unset: where they were installed"),
    SL_OPT_BOOL("plugin_checks", G, plugin_checks, "no",
                "end the server with a line that names plugin and call when a plugin breaks its "
                "contract; for authors of plugins, debug builds always do"),
    SL_OPT_STR("config_dir", G, config_dir, NULL,
               "where plugins read their <plugin>.conf; unset: the directory of the file given by "
               "-c, else sluice/ below the system's configuration"),
    SL_OPT_ENUM("log_level", G, log_level, "info", level_words, "least level that is logged"),
    SL_OPT_ENUM("log_format", G, log_format, "text", format_words, "lines of text or of JSON"),
    SL_OPT_SECRET("api_secret", G, api_secret, "requests must show it as apisecret"),
    SL_OPT_BOOL("token_auth", G, token_auth, "no", "requests must show a token"),
    SL_OPT_SECRET("token_auth_secret", G, token_auth_secret,
                  "tokens are signed with it; unset: they are stored by the administrator"),
    SL_OPT_STR("server_name", G, server_name, NULL, "name told by the request info"),
    SL_OPT_ENUM("anonymous", G, anonymous, "auto", anonymous_words,
                "whether requests without any credential may create rooms; auto: yes while HTTP "
                "and WebSocket listen on loopback or private addresses only"),
    SL_OPT_BOOL("opaqueid_in_api", G, opaqueid_in_api, "no",
                "events carry the opaque_id of their handle"),
};
#undef G

#define G struct sl_http_conf_group
static const struct sl_opt http_opts[] = {
    SL_OPT_BOOL("enabled", G, enabled, "yes", "REST, long poll and WebSocket on one port"),
    SL_OPT_STR("bind", G, bind, NULL, "address to listen on; unset: all"),
    SL_OPT_INT("port", G, port, 8088, 0, 65535, "TCP port; 0: off"),
    SL_OPT_STR("base_path", G, base_path, "/janus", "where the session protocol is"),
    SL_OPT_STR("static_dir", G, static_dir, NULL, "directory of files to serve"),
    SL_OPT_INT("tls_port", G, tls_port, 0, 0, 65535, "TCP port for HTTPS; 0: off"),
    SL_OPT_STR("tls_cert", G, tls_cert, NULL, "PEM certificate chain"),
    SL_OPT_STR("tls_key", G, tls_key, NULL, "PEM key of tls_cert"),
    SL_OPT_STR("allowed_origins", G, allowed_origins, NULL,
               "comma list of origins of pages that may connect; unset: all"),
    SL_OPT_INT("max_body", G, max_body, 1048576, 1024, 67108864, "bytes of a request"),
    SL_OPT_INT("max_connections", G, max_connections, 10000, 1, 1000000,
               "connections at a time on each address and port, WebSockets included; holds for "
               "groups websockets and admin, too"),
    SL_OPT_INT("max_per_address", G, max_per_address, 0, 0, 1000000,
               "of these, connections of one client address; 0: no limit"),
    SL_OPT_INT("idle_timeout", G, idle_timeout_s, 60, 1, 3600,
               "seconds after which a connection without progress is closed (long polls and "
               "WebSockets are not)"),
};
#undef G

#define G struct sl_ws_conf_group
static const struct sl_opt ws_opts[] = {
    SL_OPT_BOOL("enabled", G, enabled, "yes", "a WebSocket listener beside the HTTP port"),
    SL_OPT_STR("bind", G, bind, NULL, "address to listen on; unset: all"),
    SL_OPT_INT("port", G, port, 8188, 0, 65535, "TCP port; 0: off"),
    SL_OPT_INT("tls_port", G, tls_port, 0, 0, 65535, "TCP port with TLS; 0: off"),
    SL_OPT_STR("tls_cert", G, tls_cert, NULL, "PEM certificate chain"),
    SL_OPT_STR("tls_key", G, tls_key, NULL, "PEM key of tls_cert"),
    SL_OPT_INT("max_message", G, max_message, 1048576, 1024, 67108864,
               "bytes of a message of a client; this and the following hold for all WebSockets"),
    SL_OPT_INT("max_queue", G, max_queue, 4194304, 65536, 1073741824,
               "bytes that wait for a client that does not read; beyond it it is disconnected"),
    SL_OPT_INT("ping_interval", G, ping_interval_s, 30, 0, 3600,
               "seconds between pings; a client that is silent for two is disconnected; 0: none"),
};
#undef G

#define G struct sl_unix_conf_group
static const struct sl_opt unix_opts[] = {
    SL_OPT_BOOL("enabled", G, enabled, "no", "Unix sockets, for programs on this machine"),
    SL_OPT_STR("path", G, path, NULL, "the socket of the session protocol; unset: none"),
    SL_OPT_STR("admin_path", G, admin_path, NULL,
               "the socket of the admin protocol, which asks for the secret of group admin; unset: "
               "none"),
    SL_OPT_ENUM("type", G, type, "seqpacket", type_words,
                "connections, or datagrams between sockets that are both bound to a path"),
    SL_OPT_ENUM("access", G, access, "owner", access_words,
                "who may connect: the user that the server runs as, its group too, or everybody"),
    SL_OPT_INT("max_message", G, max_message, 1048576, 65536, 67108864,
               "bytes of a message of a client"),
    SL_OPT_INT("max_queue", G, max_queue, 4194304, 65536, 1073741824,
               "bytes that wait for a client that does not read; beyond it it is disconnected"),
    SL_OPT_INT("max_connections", G, max_connections, 1000, 1, 1000000,
               "clients at a time, of both sockets together"),
};
#undef G

#define G struct sl_admin_conf_group
static const struct sl_opt admin_opts[] = {
    SL_OPT_BOOL("enabled", G, enabled, "no", "the administrator's listener"),
    SL_OPT_STR("bind", G, bind, "127.0.0.1", "address to listen on"),
    SL_OPT_INT("port", G, port, 7088, 0, 65535, "TCP port; 0: off"),
    SL_OPT_STR("base_path", G, base_path, "/admin", "where the admin protocol is"),
    SL_OPT_INT("tls_port", G, tls_port, 0, 0, 65535, "TCP port for HTTPS; 0: off"),
    SL_OPT_STR("tls_cert", G, tls_cert, NULL, "PEM certificate chain"),
    SL_OPT_STR("tls_key", G, tls_key, NULL, "PEM key of tls_cert"),
    SL_OPT_SECRET("secret", G, secret, "requests must show it as admin_secret; has no default"),
    SL_OPT_STR("capture_dir", G, capture_dir, NULL,
               "the folder of packet captures (start_pcap), which hold media in clear text; unset: "
               "none are made"),
    SL_OPT_INT("capture_max", G, capture_max_mib, 1024, 1, 1048576,
               "MiB of a capture; packets beyond are not written"),
};
#undef G

#define G struct sl_events_conf_group
static const struct sl_opt events_opts[] = {
    SL_OPT_BOOL("enabled", G, enabled, "no", "what happens is told to event handlers"),
    SL_OPT_STR("handlers", G, handlers, NULL,
               "comma list of those that are loaded, as jsonlines; each reads its <handler>.conf"),
    SL_OPT_STR("dir", G, dir, NULL,
               "where event handlers (*.so) are; unset: where they were installed"),
    SL_OPT_INT("stats_period", G, stats_period_s, 1, 0, 3600,
               "seconds between media statistics, and updates of the core; 0: none"),
    SL_OPT_BOOL("combine_media_stats", G, combine_media_stats, "no",
                "the media statistics of a handle are one event"),
    SL_OPT_INT("max_queue", G, max_queue, 16777216, 65536, 1073741824,
               "bytes of events that wait for a handler; beyond it events are lost and counted"),
};
#undef G

static const struct sl_opt_group general_group = { "general", general_opts,
                                                   SL_COUNT(general_opts) };
static const struct sl_opt_group http_group = { "http", http_opts, SL_COUNT(http_opts) };
static const struct sl_opt_group ws_group = { "websockets", ws_opts, SL_COUNT(ws_opts) };
static const struct sl_opt_group unix_group = { "unix", unix_opts, SL_COUNT(unix_opts) };
static const struct sl_opt_group events_group = { "events", events_opts, SL_COUNT(events_opts) };
static const struct sl_opt_group admin_group = { "admin", admin_opts, SL_COUNT(admin_opts) };

static const struct {
    const struct sl_opt_group *g;
    size_t offset;
} groups[] = {
    { &general_group, offsetof(struct sl_conf, general) },
    { &http_group, offsetof(struct sl_conf, http) },
    { &ws_group, offsetof(struct sl_conf, websockets) },
    { &unix_group, offsetof(struct sl_conf, sockets) },
    { &admin_group, offsetof(struct sl_conf, admin) },
    { &events_group, offsetof(struct sl_conf, events) },
    { &sl_media_group, offsetof(struct sl_conf, media) },
};

static void *group_part(struct sl_conf *conf, size_t i)
{
    return (char *)conf + groups[i].offset;
}

/* ---- loading --------------------------------------------------------------------------------- */

/* An empty secret is a slip (a template without its value), and must not switch checks off. */
static bool is_empty_secret(const struct sl_opt_group *g, const char *key, const char *value)
{
    for (size_t i = 0; i < g->n; i++) {
        if (!strcmp(g->opts[i].key, key))
            return g->opts[i].secret && !*value;
    }
    return false;
}

/* Sets one key; @where is how errors begin. */
static int set_key(struct sl_conf *conf, const char *where, const char *group, const char *key,
                   const char *value, char *err, size_t cap)
{
    char why[256] = "";

    for (size_t i = 0; i < SL_COUNT(groups); i++) {
        int rc;

        if (strcmp(groups[i].g->name, group) != 0)
            continue;
        if (is_empty_secret(groups[i].g, key, value)) {
            snprintf(err, cap,
                     "%s, group [%s], key \"%s\": expects a secret; remove the key to have none",
                     where, group, key);
            return -EINVAL;
        }
        rc = sl_opt_set(groups[i].g, group_part(conf, i), key, value, why, sizeof(why));
        if (rc == -ENOENT)
            snprintf(err, cap, "%s, group [%s]: there is no key \"%s\" (sluice --help lists all)",
                     where, group, key);
        else if (rc)
            snprintf(err, cap, "%s, group [%s], key \"%s\": %s", where, group, key,
                     why[0] ? why : strerror(-rc));
        return rc;
    }
    snprintf(err, cap,
             "%s: there is no group [%s]; it expects general, http, websockets, unix, admin, "
             "events, media",
             where, group);
    return -ENOENT;
}

static bool is_group(const char *name)
{
    for (size_t i = 0; i < SL_COUNT(groups); i++) {
        if (!strcmp(groups[i].g->name, name))
            return true;
    }
    return false;
}

static int load_file(struct sl_conf *conf, const char *path, char *err, size_t cap)
{
    json_t *all = sl_config_file_load(path, false, err, cap);
    const char *group, *key;
    json_t *keys, *v;
    int rc = all ? 0 : -EINVAL;

    json_object_foreach(all, group, keys)
    {
        json_object_foreach(keys, key, v)
        {
            if (!rc)
                rc = set_key(conf, path, group, key, json_string_value(v), err, cap);
        }
        if (!rc && !is_group(group)) /* empty, but unknown all the same */
            rc = set_key(conf, path, group, "", "", err, cap);
    }
    json_decref(all);
    return rc;
}

static int load_override(struct sl_conf *conf, const char *text, char *err, size_t cap)
{
    char *copy = strdup(text);
    char *dot, *eq;
    int rc = -EINVAL;

    if (!copy)
        return -ENOMEM;
    eq = strchr(copy, '=');
    if (eq)
        *eq = '\0';
    dot = strchr(copy, '.');
    if (!eq || !dot) {
        snprintf(err, cap, "option -o expects group.key=value, not '%s'", text);
    } else {
        *dot = '\0';
        rc = set_key(conf, "option -o", copy, dot + 1, eq + 1, err, cap);
    }
    free(copy);
    return rc;
}

/* ---- checks that span keys ------------------------------------------------------------------- */

static bool is_path(const char *s)
{
    return s && *s == '/';
}

/* Each of a comma list is an IP address or "all". */
static bool are_addresses(const char *list)
{
    char *copy = list ? strdup(list) : NULL, *save = NULL;
    struct sl_addr a;
    bool ok = true;

    for (char *p = copy ? strtok_r(copy, ", ", &save) : NULL; p; p = strtok_r(NULL, ", ", &save))
        ok = ok && (!strcmp(p, "all") || !sl_addr_from_ip(p, 0, &a));
    free(copy);
    return ok;
}

static int64_t workers(const struct sl_conf *c)
{
    return c->general.workers ? c->general.workers : sysconf(_SC_NPROCESSORS_ONLN);
}

static int check(const struct sl_conf *c, char *err, size_t cap)
{
    const struct {
        bool wrong;
        const char *text;
    } rules[] = {
        { c->admin.enabled && !c->admin.secret,
          "group [admin], key \"secret\": expects a secret, since the admin listener is enabled" },
        { c->admin.enabled && !c->admin.bind,
          "group [admin], key \"bind\": expects an IP address" },
        { c->sockets.enabled && !c->sockets.path && !c->sockets.admin_path,
          "group [unix]: expects path or admin_path to be set, since it is enabled" },
        { c->sockets.enabled && c->sockets.admin_path && !c->admin.secret,
          "group [admin], key \"secret\": expects a secret, since unix.admin_path is set" },
        { c->events.enabled && !c->events.handlers,
          "group [events], key \"handlers\": expects names of handlers, since events are enabled" },
        { !is_path(c->http.base_path) || !is_path(c->admin.base_path),
          "groups [http] and [admin], key \"base_path\": expects a path that begins with /" },
        { c->http.enabled && c->http.tls_port && (!c->http.tls_cert || !c->http.tls_key),
          "group [http], key \"tls_port\": expects tls_cert and tls_key to be set, too" },
        { c->websockets.enabled && c->websockets.tls_port &&
              (!c->websockets.tls_cert || !c->websockets.tls_key),
          "group [websockets], key \"tls_port\": expects tls_cert and tls_key to be set, too" },
        { !c->media.dtls_cert != !c->media.dtls_key,
          "group [media]: expects dtls_cert and dtls_key to be set both or none" },
        { c->admin.enabled && c->admin.tls_port && (!c->admin.tls_cert || !c->admin.tls_key),
          "group [admin], key \"tls_port\": expects tls_cert and tls_key to be set, too" },
        { c->admin.enabled && !c->admin.port && !c->admin.tls_port,
          "group [admin]: expects port or tls_port to be set, since the listener is enabled" },
        { c->media.ice == SL_MEDIA_ICE_LITE && c->media.port + workers(c) - 1 > 65535,
          "group [media], key \"port\": expects room for one port per worker below 65536" },
        { c->media.ice == SL_MEDIA_ICE_FULL && c->media.tcp_port,
          "group [media], key \"tcp_port\": expects 0, since ice = full has no ICE-TCP" },
        { !are_addresses(c->http.bind) || !are_addresses(c->websockets.bind) ||
              !are_addresses(c->admin.bind),
          "groups [http], [websockets] and [admin], key \"bind\": expects an IP address" },
        { !are_addresses(c->media.bind) || !are_addresses(c->media.public_ip),
          "group [media], keys \"bind\" and \"public_ip\": expects IP addresses between commas" },
    };

    for (size_t i = 0; i < SL_COUNT(rules); i++) {
        if (rules[i].wrong) {
            snprintf(err, cap, "configuration, %s", rules[i].text);
            return -EINVAL;
        }
    }
    return 0;
}

/* Where plugins are installed, and their files beside the one of the server. */
static int default_dirs(struct sl_conf *conf, const char *path)
{
    struct sl_general_conf *g = &conf->general;
    char *copy = path ? strdup(path) : NULL;

    if (!g->plugins_dir)
        g->plugins_dir = strdup(SL_PLUGINS_DIR);
    if (!g->config_dir)
        g->config_dir = strdup(copy ? dirname(copy) : SL_CONFIG_DIR);
    if (!conf->events.dir)
        conf->events.dir = strdup(SL_EVENTS_DIR);
    free(copy);
    return g->plugins_dir && g->config_dir && conf->events.dir ? 0 : -ENOMEM;
}

int sl_conf_load(struct sl_conf *conf, const char *path, const char *const *overrides, size_t n,
                 char *err, size_t cap)
{
    int rc = 0;

    memset(conf, 0, sizeof(*conf));
    snprintf(err, cap, "out of memory");
    for (size_t i = 0; !rc && i < SL_COUNT(groups); i++)
        rc = sl_opt_defaults(groups[i].g, group_part(conf, i));
    if (!rc && path)
        rc = load_file(conf, path, err, cap);
    for (size_t i = 0; !rc && i < n; i++)
        rc = load_override(conf, overrides[i], err, cap);
    if (!rc)
        rc = default_dirs(conf, path);
    return rc ? rc : check(conf, err, cap);
}

void sl_conf_fini(struct sl_conf *conf)
{
    for (size_t i = 0; i < SL_COUNT(groups); i++)
        sl_opt_fini(groups[i].g, group_part(conf, i));
}

/* ---- printing -------------------------------------------------------------------------------- */

static void print_expects(FILE *f, const struct sl_opt *o)
{
    switch (o->type) {
    case SL_OPT_T_BOOL:
        fputs("yes or no", f);
        break;
    case SL_OPT_T_INT:
        fprintf(f, "%lld to %lld", (long long)o->min, (long long)o->max);
        break;
    case SL_OPT_T_RANGE:
        fprintf(f, "LOW-HIGH, %lld to %lld", (long long)o->min, (long long)o->max);
        break;
    case SL_OPT_T_ENUM:
        for (size_t i = 0; o->words[i]; i++)
            fprintf(f, "%s%s", i ? ", " : "", o->words[i]);
        break;
    case SL_OPT_T_STR:
        fputs("text", f);
        break;
    }
}

void sl_conf_print_sample(FILE *f)
{
    fputs(
        "# Configuration of sluice. Every key stands here with its default; remove the # to "
        "change\n"
        "# it. A comment needs a line of its own. Any key can be overridden on the command line:\n"
        "# sluice -o group.key=value\n",
        f);
    for (size_t i = 0; i < SL_COUNT(groups); i++) {
        const struct sl_opt_group *g = groups[i].g;

        fprintf(f, "\n[%s]\n", g->name);
        for (size_t k = 0; k < g->n; k++) {
            const struct sl_opt *o = &g->opts[k];

            fprintf(f, "\n# %s (", o->help);
            print_expects(f, o);
            fprintf(f, ")\n#%s =%s%s\n", o->key, o->def ? " " : "", o->def ? o->def : "");
        }
    }
}

void sl_conf_print_keys(FILE *f)
{
    for (size_t i = 0; i < SL_COUNT(groups); i++) {
        const struct sl_opt_group *g = groups[i].g;

        for (size_t k = 0; k < g->n; k++) {
            const struct sl_opt *o = &g->opts[k];

            fprintf(f, "  %s.%s (", g->name, o->key);
            print_expects(f, o);
            fprintf(f, "%s%s)\n      %s\n", o->def ? "; " : "", o->def ? o->def : "", o->help);
        }
    }
}

static void print_value(FILE *f, const struct sl_opt *o, const void *field)
{
    const struct sl_opt_range *r = field;
    const int64_t *num = field;
    char *const *str = field;

    switch (o->type) {
    case SL_OPT_T_BOOL:
        fputs(*(const bool *)field ? "yes" : "no", f);
        break;
    case SL_OPT_T_INT:
        fprintf(f, "%lld", (long long)*num);
        break;
    case SL_OPT_T_RANGE:
        fprintf(f, "%lld-%lld", (long long)r->low, (long long)r->high);
        break;
    case SL_OPT_T_ENUM:
        fputs(o->words[*num], f);
        break;
    case SL_OPT_T_STR:
        fputs(*str, f);
        break;
    }
}

void sl_conf_print(FILE *f, const struct sl_conf *conf)
{
    for (size_t i = 0; i < SL_COUNT(groups); i++) {
        const struct sl_opt_group *g = groups[i].g;
        const char *part = (const char *)conf + groups[i].offset;

        fprintf(f, "%s[%s]\n", i ? "\n" : "", g->name);
        for (size_t k = 0; k < g->n; k++) {
            const struct sl_opt *o = &g->opts[k];
            const void *field = part + o->offset;

            if (o->type == SL_OPT_T_STR && !*(char *const *)field)
                continue;
            if (o->secret) {
                fprintf(f, "# %s is set\n", o->key);
                continue;
            }
            fprintf(f, "%s = ", o->key);
            print_value(f, o, field);
            fputc('\n', f);
        }
    }
}

/* ---- anonymous ------------------------------------------------------------------------------- */

static bool is_inside(const struct sl_addr *a)
{
    return sl_addr_is_loopback(a) || sl_addr_is_private(a) || sl_addr_is_link_local(a);
}

/* All of this machine's addresses. */
static bool machine_is_inside(void)
{
    struct sl_addr list[64];
    int n = sl_addr_list_local(AF_UNSPEC, true, 0, list, SL_COUNT(list));

    if (n < 0 || n > (int)SL_COUNT(list))
        return false;
    for (int i = 0; i < n; i++) {
        if (!is_inside(&list[i]))
            return false;
    }
    return true;
}

static bool listens_inside(const char *bind)
{
    char *copy = strdup(bind ? bind : "all"), *save = NULL;
    bool ok = copy != NULL;
    struct sl_addr a;

    for (char *p = copy ? strtok_r(copy, ", ", &save) : NULL; p; p = strtok_r(NULL, ", ", &save)) {
        if (sl_addr_from_ip(p, 0, &a) || sl_addr_is_any(&a))
            ok = ok && machine_is_inside();
        else
            ok = ok && is_inside(&a);
    }
    free(copy);
    return ok;
}

bool sl_conf_allows_anonymous(const struct sl_conf *conf)
{
    if (conf->general.anonymous != SL_CONF_ANON_AUTO)
        return conf->general.anonymous == SL_CONF_ANON_YES;
    return (!conf->http.enabled || listens_inside(conf->http.bind)) &&
           (!conf->websockets.enabled || listens_inside(conf->websockets.bind));
}
