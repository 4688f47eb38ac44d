/*
 * control.h - the running server: everything that start makes and stop undoes, and the loop of the
 * control thread, which is the process's main thread.
 *
 * Order: log - queue - plugins' registry - media (workers) - event handlers - api - plugins -
 * transports; stopped in reverse: clients are told first (transports say 1001 and 503, peer
 * connections close_notify).
 */
#ifndef SL_CONTROL_CONTROL_H
#define SL_CONTROL_CONTROL_H

#include "api/api.h"
#include "base/role.h"
#include "control/control_conf.h"
#include "plugin/plugin_loader.h"

struct sl_control {
    const struct sl_conf *conf;
    struct sl_cq cq;
    struct sl_plugins *plugins;
    struct sl_pc_world *world;
    struct sl_events *events; /* NULL: they are off */
    struct sl_api *api;
    json_t *info;
    int signals; /* signalfd of SIGTERM, SIGINT and SIGHUP */
    bool has_transports;
    int signum; /* that ended the loop */
};

/* 0 or -errno, and @err: one sentence. Then nothing runs. @conf outlives the result. */
int sl_control_start(struct sl_control *c, const struct sl_conf *conf, char *err,
                     size_t cap) SL_ON_CONTROL;
/* Turns the loop until SIGTERM or SIGINT. */
void sl_control_run(struct sl_control *c) SL_ON_CONTROL;
void sl_control_stop(struct sl_control *c) SL_ON_CONTROL;

/* Workers, certificate and ICE (control_media.c). */
int sl_control_media_start(struct sl_control *c, char *err, size_t cap) SL_ON_CONTROL;
void sl_control_media_stop(struct sl_control *c) SL_ON_CONTROL;
/* All transports that are enabled (control_transports.c). */
int sl_control_transports_start(struct sl_control *c, char *err, size_t cap) SL_ON_CONTROL;
void sl_control_transports_stop(struct sl_control *c) SL_ON_CONTROL;

#endif
