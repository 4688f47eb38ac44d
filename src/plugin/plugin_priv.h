/*
 * plugin_priv.h - what the loader and the functions of struct sl_core share. Thread: control.
 */
#ifndef SL_PLUGIN_PRIV_H
#define SL_PLUGIN_PRIV_H

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
};

/* The core as plugin @slot sees it; valid from sl_plugin_core_start on. */
const struct sl_core *sl_plugin_core(int slot) SL_ON_CONTROL;
void sl_plugin_core_start(struct sl_plugins *p) SL_ON_CONTROL;
void sl_plugin_core_stop(void) SL_ON_CONTROL; /* cancels all timers of plugins */

#endif
