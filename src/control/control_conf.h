/*
 * control_conf.h - the configuration of the server: every group and key is a row of a table here or
 * next to the struct it fills; the sample file, --help and all errors come from the rows.
 *
 * Thread: control, at start.  Owner: main; read-only afterwards, strings are borrowed by everybody.
 */
#ifndef SL_CONTROL_CONF_H
#define SL_CONTROL_CONF_H

#include "pc/pc_media_conf.h"
#include "base/opt.h"
#include <stdio.h>

enum sl_conf_anonymous { SL_CONF_ANON_AUTO, SL_CONF_ANON_YES, SL_CONF_ANON_NO };

struct sl_general_conf {
    int64_t workers; /* 0: as many as there are cores */
    bool pin_workers;
    int64_t session_timeout_s, reclaim_timeout_s, candidates_timeout_s;
    int64_t max_sessions, max_handles;                           /* the latter of one session */
    int64_t max_events, max_polls, max_requests, max_candidates; /* that wait, see their rows */
    int64_t max_json_depth;
    char *plugins_dir, *config_dir;
    bool plugin_checks;
    int64_t log_level;  /* enum sl_log_level */
    int64_t log_format; /* enum sl_log_format */
    char *api_secret;
    bool token_auth;
    char *token_auth_secret;
    char *server_name;
    int64_t anonymous; /* enum sl_conf_anonymous */
    bool opaqueid_in_api;
};

struct sl_http_conf_group {
    bool enabled;
    char *bind;
    int64_t port, tls_port;
    char *base_path, *static_dir, *tls_cert, *tls_key, *allowed_origins;
    int64_t max_body, max_connections, max_per_address, idle_timeout_s;
};

struct sl_ws_conf_group {
    bool enabled;
    char *bind;
    int64_t port, tls_port;
    char *tls_cert, *tls_key;
    int64_t max_message, max_queue, ping_interval_s;
};

enum sl_conf_access { SL_CONF_ACCESS_OWNER, SL_CONF_ACCESS_GROUP, SL_CONF_ACCESS_ALL };

struct sl_unix_conf_group {
    bool enabled;
    char *path, *admin_path;
    int64_t type;   /* 0: SOCK_SEQPACKET, 1: SOCK_DGRAM */
    int64_t access; /* enum sl_conf_access */
    int64_t max_message, max_queue, max_connections;
};

struct sl_admin_conf_group {
    bool enabled;
    char *bind;
    int64_t port, tls_port;
    char *base_path, *secret, *tls_cert, *tls_key;
    char *capture_dir;
    int64_t capture_max_mib;
};

struct sl_events_conf_group {
    bool enabled;
    char *handlers, *dir;
    int64_t stats_period_s;
    bool combine_media_stats;
    int64_t max_queue;
};

struct sl_conf {
    struct sl_general_conf general;
    struct sl_http_conf_group http;
    struct sl_ws_conf_group websockets;
    struct sl_unix_conf_group sockets; /* [unix], which is a macro of the compiler */
    struct sl_admin_conf_group admin;
    struct sl_events_conf_group events;
    struct sl_media_conf media;
};

#define SL_CONF_ERROR_MAX 512

/* The defaults, then @path (NULL: no file), then the @n overrides "group.key=value", then the
 * checks that span keys. 0 or -errno; @err is one sentence that names file, group and key. @conf
 * needs sl_conf_fini in both cases. */
int sl_conf_load(struct sl_conf *conf, const char *path, const char *const *overrides, size_t n,
                 char *err, size_t cap);
void sl_conf_fini(struct sl_conf *conf);

/* conf/sluice.conf as it is shipped: every key, commented out, with its default. */
void sl_conf_print_sample(FILE *f);
/* The configuration in force, in the file's format; secrets are not shown. */
void sl_conf_print(FILE *f, const struct sl_conf *conf);
/* The keys for --help. */
void sl_conf_print_keys(FILE *f);

/* Whether who shows no credential may create rooms, "auto" resolved: while HTTP and WebSocket
 * listen on loopback or private addresses only. */
bool sl_conf_allows_anonymous(const struct sl_conf *conf);

#endif
