/* Event handlers: found, checked, configured. */

#include "base/log.h"
#include "base/opt.h"
#include "event/event_priv.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What every handler must have. */
static const char *missing_part(const struct sl_event_handler *h)
{
    const struct {
        bool there;
        const char *name;
    } parts[] = {
        { h->package, "package" },
        { h->name, "name" },
        { h->author, "author" },
        { h->description, "description" },
        { h->version_string, "version_string" },
        { h->init, "init" },
        { h->fini, "fini" },
        { h->deliver, "deliver" },
    };

    for (size_t i = 0; i < SL_COUNT(parts); i++) {
        if (!parts[i].there)
            return parts[i].name;
    }
    return NULL;
}

static int check(const struct sl_events *e, const struct sl_event_handler *h, const char *where,
                 char *err, size_t cap)
{
    const char *missing;

    if (h->abi != SL_EVENT_ABI) {
        snprintf(err, cap,
                 "event handler %s was built for ABI %u, this server needs %u: rebuild it", where,
                 h->abi, (unsigned int)SL_EVENT_ABI);
        return -EPROTO;
    }
    /* All that the first version of the struct had must be there. */
    if (h->size < offsetof(struct sl_event_handler, query) + sizeof(h->query)) {
        snprintf(err, cap, "event handler %s says its description has %u bytes, which is too few",
                 where, h->size);
        return -EPROTO;
    }
    missing = missing_part(h);
    if (missing) {
        snprintf(err, cap, "event handler %s does not set \"%s\"", where, missing);
        return -EPROTO;
    }
    for (int i = 0; i < e->n; i++) {
        if (!strcmp(e->slot[i]->handler.package, h->package)) {
            snprintf(err, cap, "event handler %s: %s is loaded already", where, h->package);
            return -EEXIST;
        }
    }
    if (e->n == EVENT_HANDLERS_MAX) {
        snprintf(err, cap, "event handler %s: there are %d already", where, EVENT_HANDLERS_MAX);
        return -ENOSPC;
    }
    return 0;
}

/* conf/<last part of the package>.conf, and which events it asks for. */
static int configure(struct event_slot *s, char *err, size_t cap)
{
    const struct sl_events_conf *conf = &s->bus->conf;
    const char *dot = strrchr(s->handler.package, '.');
    const char *list;
    char path[PATH_MAX];
    int len = 0;

    if (conf->config_dir && conf->load)
        len = snprintf(path, sizeof(path), "%s/%s.conf", conf->config_dir,
                       dot ? dot + 1 : s->handler.package);
    if (len >= (int)sizeof(path)) {
        snprintf(err, cap, "the path of the configuration directory is too long");
        return -ENAMETOOLONG;
    }
    s->config = len ? conf->load(path, err, cap) : json_object();
    if (!s->config)
        return -EINVAL;
    list = json_string_value(json_object_get(json_object_get(s->config, "general"), "events"));
    s->types = SL_EVENT_ALL;
    if (!list || !sl_event_types_parse(list, &s->types))
        return 0;
    snprintf(err, cap,
             "%s, group [general], key \"events\": expects a comma list of none, all, sessions, "
             "handles, external, jsep, webrtc, media, plugins, transports, core",
             path);
    return -EINVAL;
}

void event_slot_free(struct event_slot *s)
{
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    json_decref(s->config);
#if !defined(__SANITIZE_ADDRESS__) /* leak reports need the symbols */
    if (s->dl)
        dlclose(s->dl);
#endif
    free(s);
}

int event_slot_add(struct sl_events *e, const struct sl_event_handler *h, void *dl,
                   const char *where, char *err, size_t cap)
{
    int rc = check(e, h, where, err, cap);
    struct event_slot *s;

    if (rc)
        return rc;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    memcpy(&s->handler, h, h->size < sizeof(s->handler) ? h->size : sizeof(s->handler));
    s->bus = e;
    event_core_init(s);
    rc = configure(s, err, cap);
    if (!rc) {
        rc = s->handler.init(&s->core);
        if (rc)
            snprintf(err, cap, "event handler %s refuses to start: %s (see the lines above)", where,
                     strerror(-rc));
    }
    if (!rc) {
        rc = event_slot_start(s);
        if (rc)
            s->handler.fini();
    }
    if (rc) {
        event_slot_free(s); /* without @dl, which stays the caller's */
        return rc;
    }
    s->dl = dl;
    e->slot[e->n++] = s;
    event_types_update(e);
    sl_info("events", "loaded", "package=%s version=%s", s->handler.package,
            s->handler.version_string);
    return 0;
}

static int load_file(struct sl_events *e, const char *path, char *err, size_t cap) SL_ON_CONTROL;
static int load_file(struct sl_events *e, const char *path, char *err, size_t cap)
{
    void *dl = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct sl_event_handler *h;
    int rc;

    if (!dl) {
        snprintf(err, cap, "cannot load event handler: %s", dlerror());
        return -ENOEXEC;
    }
    h = dlsym(dl, "sl_event_handler");
    if (!h) {
        snprintf(err, cap, "%s is not an event handler: it exports no sl_event_handler", path);
        rc = -ENOEXEC;
    } else {
        rc = event_slot_add(e, h, dl, path, err, cap);
    }
    if (rc)
        dlclose(dl);
    return rc;
}

int event_load(struct sl_events *e, char *err, size_t cap)
{
    const char *p = e->conf.handlers ? e->conf.handlers : "";
    char path[PATH_MAX];
    int rc = 0;

    for (p += strspn(p, ", \t"); *p && !rc; p += strspn(p, ", \t")) {
        int len = (int)strcspn(p, ", \t");

        if (snprintf(path, sizeof(path), "%s/%.*s.so", e->conf.dir, len, p) >= (int)sizeof(path)) {
            snprintf(err, cap, "the path of the event handler %.*s is too long", len, p);
            return -ENAMETOOLONG;
        }
        rc = load_file(e, path, err, cap);
        p += len;
    }
    return rc;
}
