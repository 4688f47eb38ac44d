#include "control/control.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/config_file.h"
#include "control/control_info.h"
#include "event/event_bus.h"
#include "plugin/plugin_check.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Blocked in all threads, since they inherit the mask of the one that starts them. */
static int signals_open(void)
{
    struct sigaction hup;
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* The terminal went away. Blocked, it would come even where nohup ignores it. */
    if (!sigaction(SIGHUP, NULL, &hup) && hup.sa_handler != SIG_IGN)
        sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL))
        return -errno;
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Each connection, and with full ICE each candidate, is a descriptor. */
static void descriptors_raise(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r))
        sl_warn("control", "descriptors", "error=\"%s\"", strerror(errno));
}

static int events_start(struct sl_control *c, char *err, size_t cap) SL_ON_CONTROL;
static int events_start(struct sl_control *c, char *err, size_t cap)
{
    const struct sl_conf *conf = c->conf;
    const struct sl_events_conf ec = {
        .dir = conf->events.dir,
        .handlers = conf->events.handlers,
        .config_dir = conf->general.config_dir,
        .load = sl_config_file_store.load,
        .emitter = conf->general.server_name,
        .max_queue = (size_t)conf->events.max_queue,
    };

    return conf->events.enabled ? sl_events_create(&ec, &c->events, err, cap) : 0;
}

static int api_start(struct sl_control *c) SL_ON_CONTROL;
static int api_start(struct sl_control *c)
{
    const struct sl_general_conf *g = &c->conf->general;
    struct sl_api_conf conf = {
        .session_timeout_s = g->session_timeout_s,
        .reclaim_timeout_s = g->reclaim_timeout_s,
        .candidates_timeout_s = g->candidates_timeout_s,
        .max_sessions = g->max_sessions,
        .max_handles = g->max_handles,
        .max_events = g->max_events,
        .max_polls = g->max_polls,
        .max_requests = g->max_requests,
        .max_candidates = g->max_candidates,
        .max_sdp_bytes = c->conf->media.max_sdp_bytes,
        .max_mlines = c->conf->media.max_mlines,
        .no_media_timer_s = c->conf->media.no_media_timer_s,
        .slowlink_threshold = c->conf->media.slowlink_threshold,
        .server_name = g->server_name,
        .api_secret = g->api_secret,
        .token_secret = g->token_auth_secret,
        .admin_secret = c->conf->admin.secret,
        .capture_dir = c->conf->admin.capture_dir,
        .capture_max_bytes = c->conf->admin.capture_max_mib << 20,
        .token_auth = g->token_auth,
        .anonymous = sl_conf_allows_anonymous(c->conf),
        .opaqueid_in_api = g->opaqueid_in_api,
        .events = c->events,
        .stats_period_s = c->conf->events.stats_period_s,
        .combine_media_stats = c->conf->events.combine_media_stats,
    };

    c->info = sl_control_info(c->conf);
    conf.info = c->info;
    sl_info("control", "access", "anonymous_rooms=%s api_secret=%s tokens=%s",
            conf.anonymous ? "yes" : "no", g->api_secret ? "yes" : "no",
            g->token_auth ? "yes" : "no");
    return sl_api_create(&conf, &c->cq, c->plugins, c->world, &c->api);
}

int sl_control_start(struct sl_control *c, const struct sl_conf *conf, char *err, size_t cap)
{
    int rc;

    memset(c, 0, sizeof(*c));
    c->conf = conf;
    sl_log_set_level((enum sl_log_level)conf->general.log_level);
    sl_log_set_format((enum sl_log_format)conf->general.log_format);
    err[0] = '\0';
    descriptors_raise();
    c->signals = signals_open();
    if (c->signals < 0) {
        snprintf(err, cap, "cannot watch signals: %s", strerror(-c->signals));
        return c->signals;
    }
    rc = sl_cq_init(&c->cq, sl_now_us());
    if (rc) {
        snprintf(err, cap, "cannot make the control queue: %s", strerror(-rc));
        close(c->signals);
        return rc;
    }
    sl_plugin_checks |= conf->general.plugin_checks;
    rc = sl_plugins_create(&sl_config_file_store, conf->general.config_dir, &c->plugins);
    if (!rc)
        rc = sl_control_media_start(c, err, cap);
    if (!rc)
        rc = events_start(c, err, cap);
    if (!rc)
        rc = api_start(c);
    if (!rc)
        rc = sl_plugins_load(c->plugins, conf->general.plugins_dir, err, cap);
    if (!rc)
        rc = sl_control_transports_start(c, err, cap);
    if (!rc) {
        sl_api_event_started(c->api);
        sl_info("control", "ready", "plugins=%zu", sl_plugins_count(c->plugins));
        return 0;
    }
    if (!err[0])
        snprintf(err, cap, "cannot start: %s", strerror(-rc));
    sl_control_stop(c);
    return rc;
}

void sl_control_run(struct sl_control *c)
{
    struct signalfd_siginfo si;

    for (;;) {
        bool rang = sl_cq_wait(&c->cq, c->signals);

        sl_cq_run(&c->cq, sl_now_us());
        if (rang && read(c->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
            sl_info("control", "stopping", "signal=%u", si.ssi_signo);
            c->signum = (int)si.ssi_signo;
            return;
        }
    }
}

void sl_control_stop(struct sl_control *c)
{
    if (c->api && c->signum)
        sl_api_event_shutdown(c->api, c->signum);
    if (c->api)
        sl_api_close(c->api);
    sl_cq_run(&c->cq, sl_now_us()); /* requests that came meanwhile are told, too */
    sl_control_transports_stop(c);
    sl_cq_run(&c->cq, sl_now_us());
    sl_plugins_stop(c->plugins); /* they end what they have among the media */
    sl_control_media_stop(c);
    sl_cq_run(&c->cq, sl_now_us());
    sl_plugins_destroy(c->plugins);
    sl_api_destroy(c->api);
    sl_events_destroy(c->events);
    sl_cq_fini(&c->cq);
    json_decref(c->info);
    close(c->signals);
}
