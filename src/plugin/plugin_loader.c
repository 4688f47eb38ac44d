#include "plugin/plugin_priv.h"
#include "base/log.h"
#include "base/opt.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sl_plugins_create(const struct sl_plugin_store *store, const char *config_dir,
                      struct sl_plugins **out)
{
    struct sl_plugins *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->store = store;
    if (config_dir && !(p->config_dir = strdup(config_dir))) {
        free(p);
        return -ENOMEM;
    }
    sl_plugin_core_start(p);
    *out = p;
    return 0;
}

static void slot_fini(struct plugin_slot *s)
{
    json_decref(s->config);
#if !defined(__SANITIZE_ADDRESS__) /* leak reports need the symbols */
    if (s->dl)
        dlclose(s->dl);
#endif
    memset(s, 0, sizeof(*s));
}

void sl_plugins_stop(struct sl_plugins *p)
{
    if (!p || p->stopped)
        return;
    p->stopped = true;
    sl_plugin_taps_stop();
    for (int i = p->n; i-- > 0;) {
        if (p->slot[i].plugin.fini)
            p->slot[i].plugin.fini();
        sl_plugin_core_end(i);
    }
    sl_plugin_ep_stop();
}

void sl_plugins_destroy(struct sl_plugins *p)
{
    if (!p)
        return;
    sl_plugins_stop(p);
    sl_plugin_core_stop();
    while (p->n > 0)
        slot_fini(&p->slot[--p->n]);
    free(p->config_dir);
    free(p);
}

/* ---- checks ---------------------------------------------------------------------------------- */

/* What every plugin must have; the other callbacks may be NULL. */
static const char *missing_part(const struct sl_plugin *p)
{
    const struct {
        bool there;
        const char *name;
    } parts[] = {
        { p->package, "package" },
        { p->name, "name" },
        { p->author, "author" },
        { p->description, "description" },
        { p->version_string, "version_string" },
        { p->init, "init" },
        { p->attach, "attach" },
        { p->detach, "detach" },
        { p->message, "message" },
    };

    for (size_t i = 0; i < SL_COUNT(parts); i++) {
        if (!parts[i].there)
            return parts[i].name;
    }
    return NULL;
}

static int slot_check(const struct sl_plugins *p, const struct sl_plugin *plugin, const char *where,
                      char *err, size_t cap) SL_ON_CONTROL;
static int slot_check(const struct sl_plugins *p, const struct sl_plugin *plugin, const char *where,
                      char *err, size_t cap)
{
    struct sl_plugin copy = { 0 };
    const char *missing;

    if (plugin->abi != SL_PLUGIN_ABI) {
        snprintf(err, cap, "plugin %s was built for ABI %u, this server needs %u: rebuild it",
                 where, plugin->abi, (unsigned int)SL_PLUGIN_ABI);
        return -EPROTO;
    }
    /* All that the first version of the struct had must be there. */
    if (plugin->size < offsetof(struct sl_plugin, on_layer) + sizeof(plugin->on_layer)) {
        snprintf(err, cap, "plugin %s says its description has %u bytes, which is too few", where,
                 plugin->size);
        return -EPROTO;
    }
    memcpy(&copy, plugin, plugin->size < sizeof(copy) ? plugin->size : sizeof(copy));
    missing = missing_part(&copy);
    if (missing) {
        snprintf(err, cap, "plugin %s does not set \"%s\"", where, missing);
        return -EPROTO;
    }
    if (sl_plugins_find(p, copy.package)) {
        snprintf(err, cap, "plugin %s: %s is loaded already", where, copy.package);
        return -EEXIST;
    }
    if (p->n == SL_PLUGINS_MAX) {
        snprintf(err, cap, "plugin %s: there are %d plugins already", where, SL_PLUGINS_MAX);
        return -ENOSPC;
    }
    return 0;
}

/* conf/<last part of the package>.conf */
static int slot_config(const struct sl_plugins *p, struct plugin_slot *s, char *err, size_t cap)
{
    const char *dot = strrchr(s->plugin.package, '.');
    int len = 0;

    if (p->config_dir)
        len = snprintf(s->path, sizeof(s->path), "%s/%s.conf", p->config_dir,
                       dot ? dot + 1 : s->plugin.package);
    if (len >= (int)sizeof(s->path)) {
        snprintf(err, cap, "the path of the configuration directory is too long");
        return -ENAMETOOLONG;
    }
    s->config = len && p->store ? p->store->load(s->path, err, cap) : json_object();
    return s->config ? 0 : -EINVAL;
}

/* Takes over @dl on success. */
static int slot_start(struct sl_plugins *p, const struct sl_plugin *plugin, void *dl,
                      const char *where, char *err, size_t cap) SL_ON_CONTROL;
static int slot_start(struct sl_plugins *p, const struct sl_plugin *plugin, void *dl,
                      const char *where, char *err, size_t cap)
{
    int rc = slot_check(p, plugin, where, err, cap);
    struct plugin_slot *s;

    if (rc)
        return rc;
    s = &p->slot[p->n];
    memcpy(&s->plugin, plugin, plugin->size < sizeof(s->plugin) ? plugin->size : sizeof(s->plugin));
    rc = slot_config(p, s, err, cap);
    if (rc)
        goto fail;
    p->n++; /* init may use the core */
    rc = s->plugin.init(sl_plugin_core(p->n - 1));
    if (rc) {
        sl_plugin_core_end(--p->n); /* what it began already would call it */
        sl_plugin_ep_stop();
        snprintf(err, cap, "plugin %s refuses to start: %s (see the lines above)", where,
                 strerror(-rc));
        goto fail;
    }
    s->dl = dl;
    sl_info("plugin", "loaded", "package=%s version=%s", s->plugin.package,
            s->plugin.version_string);
    return 0;

fail:
    json_decref(s->config);
    memset(s, 0, sizeof(*s));
    return rc;
}

int sl_plugins_add(struct sl_plugins *p, const struct sl_plugin *plugin, char *err, size_t cap)
{
    return slot_start(p, plugin, NULL, "(linked in)", err, cap);
}

/* ---- the directory --------------------------------------------------------------------------- */

static int load_file(struct sl_plugins *p, const char *path, char *err, size_t cap) SL_ON_CONTROL;
static int load_file(struct sl_plugins *p, const char *path, char *err, size_t cap)
{
    void *dl = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct sl_plugin *plugin;
    int rc;

    if (!dl) {
        snprintf(err, cap, "cannot load plugin: %s", dlerror());
        return -ENOEXEC;
    }
    plugin = dlsym(dl, "sl_plugin");
    if (!plugin) {
        snprintf(err, cap, "%s is not a plugin: it exports no sl_plugin", path);
        rc = -ENOEXEC;
    } else {
        rc = slot_start(p, plugin, dl, path, err, cap);
    }
    if (rc)
        dlclose(dl);
    return rc;
}

static int is_so(const struct dirent *e)
{
    size_t len = strlen(e->d_name);

    return len > 3 && e->d_name[0] != '.' && !strcmp(e->d_name + len - 3, ".so");
}

int sl_plugins_load(struct sl_plugins *p, const char *dir, char *err, size_t cap)
{
    struct dirent **list;
    char path[PATH_MAX];
    int n = scandir(dir, &list, is_so, alphasort);
    int rc = 0;

    if (n < 0) {
        if (errno == ENOENT) {
            sl_warn("plugin", "no plugins directory", "path=%s", dir);
            return 0;
        }
        rc = -errno;
        snprintf(err, cap, "cannot read the plugins directory %s: %s", dir, strerror(-rc));
        return rc;
    }
    for (int i = 0; i < n; i++) {
        if (!rc) {
            snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
            rc = load_file(p, path, err, cap);
        }
        free(list[i]);
    }
    free(list);
    return rc;
}

/* ---- lookup ---------------------------------------------------------------------------------- */

const struct sl_plugin *sl_plugins_find(const struct sl_plugins *p, const char *package)
{
    for (int i = 0; p && i < p->n; i++) {
        if (!strcmp(p->slot[i].plugin.package, package))
            return &p->slot[i].plugin;
    }
    return NULL;
}

size_t sl_plugins_count(const struct sl_plugins *p)
{
    return (size_t)p->n;
}

json_t *sl_plugins_info(const struct sl_plugins *p)
{
    json_t *all = json_object();

    for (int i = 0; p && i < p->n; i++) {
        const struct sl_plugin *q = &p->slot[i].plugin;

        json_object_set_new(all, q->package,
                            json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", q->name, "author",
                                      q->author, "description", q->description, "version_string",
                                      q->version_string, "version", q->version));
    }
    return all;
}
