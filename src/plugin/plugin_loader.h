/*
 * plugin_loader.h - finds, checks, starts and stops plugins.
 *
 * A plugin is a shared object `*.so` in the plugins directory that exports `sl_plugin`
 * (<sluice/plugin.h>). A file that cannot be used keeps the server from starting: @err says in one
 * sentence which and why.
 *
 * Thread: control.  Owner: src/control/.  Plugins live from start to the end of the process.
 */
#ifndef SL_PLUGIN_LOADER_H
#define SL_PLUGIN_LOADER_H

#include "base/role.h"
#include <sluice/plugin.h>

#define SL_PLUGINS_MAX      16
#define SL_PLUGIN_ERROR_MAX 512

struct sl_plugins;

/* How configuration files are read and written; the file format is src/control/'s. */
struct sl_plugin_store {
    /* The file as {"group": {"key": "value"}}, new; an empty object when there is none. NULL: @err
     * says why. */
    json_t *(*load)(const char *path, char *err, size_t cap);
    /* See config_save in <sluice/plugin.h>. */
    int (*save)(const char *path, const char *group, const json_t *keys);
};

/* @config_dir NULL: plugins have no configuration and save none. @store outlives the result.
 * 0 or -ENOMEM. */
int sl_plugins_create(const struct sl_plugin_store *store, const char *config_dir,
                      struct sl_plugins **out) SL_ON_CONTROL;
/* Stops all plugins, last started first, and ends what they left behind. No callback of theirs runs
 * any more, but their code stays until workers are gone that may still be in it. NULL is fine. */
void sl_plugins_stop(struct sl_plugins *p) SL_ON_CONTROL;
/* Unloads them, stopped or not. NULL is fine. */
void sl_plugins_destroy(struct sl_plugins *p) SL_ON_CONTROL;

/* Loads and starts all of @dir, in the order of their names; a directory that does not exist holds
 * none. The api exists already. 0 or -errno and @err. */
int sl_plugins_load(struct sl_plugins *p, const char *dir, char *err, size_t cap) SL_ON_CONTROL;
/* Starts one that is linked in (tests). */
int sl_plugins_add(struct sl_plugins *p, const struct sl_plugin *plugin, char *err,
                   size_t cap) SL_ON_CONTROL;

/* By package; NULL: none. */
const struct sl_plugin *sl_plugins_find(const struct sl_plugins *p,
                                        const char *package) SL_ON_CONTROL;
size_t sl_plugins_count(const struct sl_plugins *p);
/* {package: {"name", "author", "description", "version_string", "version"}}, new. */
json_t *sl_plugins_info(const struct sl_plugins *p);

#endif
