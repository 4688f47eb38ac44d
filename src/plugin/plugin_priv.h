/*
 * plugin_priv.h - what the loader and the functions of struct sl_core share. Thread: control.
 */
#ifndef SL_PLUGIN_PRIV_H
#define SL_PLUGIN_PRIV_H

#include "plugin/plugin_check.h"
#include "plugin/plugin_loader.h"
#include <limits.h>

struct plugin_slot {
    struct sl_plugin plugin; /* a copy: fields that an older plugin does not have are NULL */
    void *dl;                /* NULL: linked in */
    json_t *config;
    char path[PATH_MAX]; /* of its configuration file; "": none */
};

struct sl_plugins {
    const struct sl_plugin_store *store;
    char *config_dir;
    struct plugin_slot slot[SL_PLUGINS_MAX];
    int n;
    bool stopped;
};

/* The core as plugin @slot sees it; valid from sl_plugin_core_start on. */
const struct sl_core *sl_plugin_core(int slot) SL_ON_CONTROL;
void sl_plugin_core_start(struct sl_plugins *p) SL_ON_CONTROL;
/* Its fini was called, or its init failed: nothing that it left behind calls it any more. */
void sl_plugin_core_end(int slot) SL_ON_CONTROL;
void sl_plugin_core_stop(void) SL_ON_CONTROL;

/* plugin_core.c: what is the same for all. */
extern const struct sl_core sl_plugin_common;

/* plugin_slot.c */
const char *sl_plugin_package(int slot);
/* The plugin whose shared object is mapped there; any thread. NULL: none. */
const char *sl_plugin_at(const void *base);

/* plugin_timer.c: timers and posts. */
void sl_plugin_later_start(void) SL_ON_CONTROL;
void sl_plugin_later_begin(int slot) SL_ON_CONTROL; /* before init: the api is there */
void sl_plugin_later_end(int slot) SL_ON_CONTROL;
bool sl_plugin_is_over(int slot) SL_ON_CONTROL; /* no callbacks any more */
uint64_t sl_plugin_timer_add(int slot, uint32_t ms, bool repeat, sl_plugin_timer_fn fn, void *arg);
void sl_plugin_timer_del(uint64_t id);
int sl_plugin_post(int slot, sl_post_fn fn, void *arg); /* any thread */

/* plugin_media.c: taps and players. */
void sl_plugin_taps_start(void) SL_ON_CONTROL;
/* Ends all and waits for the workers; the plugins are told. */
void sl_plugin_taps_stop(void) SL_ON_CONTROL;
int sl_plugin_tap_add(int slot, struct sl_mref from, const struct sl_tap *tap, uint64_t *id);
void sl_plugin_tap_del(uint64_t id);
int sl_plugin_player_add(int slot, const struct sl_player *p, sl_hid *out);
int sl_plugin_player_send(sl_hid player, uint16_t mindex, const struct sl_player_packet *p,
                          size_t n);

/* plugin_ep.c: forwarders and remote publishers; all endpoints of plugins. */
struct sl_ep;
struct sl_pc_source;
void sl_plugin_ep_start(void) SL_ON_CONTROL;
void sl_plugin_ep_end(int slot) SL_ON_CONTROL;
void sl_plugin_ep_stop(void) SL_ON_CONTROL; /* no names are waited for any more */
/* 0 and its id, or -ENOMEM, and @ep is gone. */
int sl_plugin_ep_own(int slot, struct sl_ep *ep, sl_hid *out) SL_ON_CONTROL;
/* NULL: @hid is no such endpoint, but maybe a handle. */
struct sl_ep *sl_plugin_ep_get(sl_hid hid) SL_ON_CONTROL;
/* A publisher's m-line of either kind. 0, -ESTALE, -ENOENT. */
int sl_plugin_source_get(struct sl_mref ref, struct sl_pc_source *out) SL_ON_CONTROL;
int sl_plugin_resolve(const char *host, int family, sl_resolved_fn fn, void *arg, uint64_t *id);
void sl_plugin_resolve_cancel(uint64_t id);
int sl_plugin_forward_add(int slot, const struct sl_forward *f, sl_hid *out, uint16_t *rtcp_port);
int sl_plugin_forward_lines(sl_hid forward, const struct sl_forward_line *lines, size_t n);
int sl_plugin_remote_add(int slot, const struct sl_remote *r, sl_hid *out, struct sl_remote_at *at);
int sl_plugin_remote_lines(sl_hid remote, const struct sl_remote_line *lines, size_t n);
void sl_plugin_endpoint_del(sl_hid e);
int sl_plugin_forward_data(sl_hid forward, uint32_t ssrc, bool binary, const void *data,
                           size_t len);

#endif
