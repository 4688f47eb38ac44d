/* struct sl_core of <sluice/plugin.h>: functions that must know which plugin calls. */

#include "plugin/plugin_priv.h"
#include "api/api_events.h"
#include "base/log.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct sl_plugins *plugins; /* control; what is in it stays as it is while plugins run */

const char *sl_plugin_package(int slot)
{
    return plugins->slot[slot].plugin.package;
}

const char *sl_plugin_at(const void *base)
{
    Dl_info at;

    for (int i = 0; plugins && i < plugins->n; i++)
        if (dladdr((void *)(uintptr_t)plugins->slot[i].plugin.attach, &at) && at.dli_fbase == base)
            return plugins->slot[i].plugin.package;
    return NULL;
}

static const json_t *config_get(int slot)
{
    PLUGIN_CALL("config");
    return plugins->slot[slot].config;
}

static int config_put(int slot, const char *group, const json_t *keys)
{
    struct plugin_slot *s = &plugins->slot[slot];

    PLUGIN_CALL("config_save");
    if (!s->path[0] || !plugins->store)
        return -ENOENT;
    return plugins->store->save(s->path, group, keys);
}

static void log_line(int slot, int level, const char *event, const char *text)
{
    const char *package = plugins->slot[slot].plugin.package;
    const char *dot = strrchr(package, '.');

    SL_LOG_AT((enum sl_log_level)level, dot ? dot + 1 : package, event, "%s", text);
}

/* Its file may say `events = no` in the group [general]. */
static bool is_silent(const struct plugin_slot *s)
{
    const json_t *general = json_object_get(s->config, "general");
    const char *text = json_string_value(json_object_get(general, "events"));

    return text && (!strcmp(text, "no") || !strcmp(text, "false") || !strcmp(text, "0"));
}

static void notify(int slot, sl_hid h, json_t *event)
{
    const struct plugin_slot *s = &plugins->slot[slot];
    char *text = NULL;

    PLUGIN_CALL("notify");
    sl_plugin_check_given(event);
    if (sl_log_wants(SL_LOG_DEBUG) && (text = json_dumps(event, JSON_COMPACT)))
        sl_debug("plugin", "event", "event=%s", text);
    free(text);
    if (is_silent(s) || !sl_api_get())
        json_decref(event);
    else
        api_ev_plugin(sl_api_get(), s->plugin.package, h, event);
}

/* One set per slot. */
#define SLOT(n)                                                                                    \
    static const json_t *config_##n(void)                                                          \
    {                                                                                              \
        return config_get(n);                                                                      \
    }                                                                                              \
    static int config_save_##n(const char *group, const json_t *keys)                              \
    {                                                                                              \
        return config_put(n, group, keys);                                                         \
    }                                                                                              \
    static void notify_##n(sl_hid h, json_t *event)                                                \
    {                                                                                              \
        notify(n, h, event);                                                                       \
    }                                                                                              \
    static void log_##n(int level, const char *event, const char *text)                            \
    {                                                                                              \
        log_line(n, level, event, text);                                                           \
    }                                                                                              \
    static uint64_t timer_add_##n(uint32_t ms, bool repeat, sl_plugin_timer_fn fn, void *arg)      \
    {                                                                                              \
        return sl_plugin_timer_add(n, ms, repeat, fn, arg);                                        \
    }                                                                                              \
    static int post_##n(sl_post_fn fn, void *arg)                                                  \
    {                                                                                              \
        return sl_plugin_post(n, fn, arg);                                                         \
    }                                                                                              \
    static int forward_add_##n(const struct sl_forward *f, sl_hid *out, uint16_t *port)            \
    {                                                                                              \
        return sl_plugin_forward_add(n, f, out, port);                                             \
    }                                                                                              \
    static int remote_add_##n(const struct sl_remote *r, sl_hid *out, struct sl_remote_at *at)     \
    {                                                                                              \
        return sl_plugin_remote_add(n, r, out, at);                                                \
    }                                                                                              \
    static int tap_add_##n(struct sl_mref from, const struct sl_tap *tap, uint64_t *id)            \
    {                                                                                              \
        return sl_plugin_tap_add(n, from, tap, id);                                                \
    }                                                                                              \
    static int player_add_##n(const struct sl_player *p, sl_hid *out)                              \
    {                                                                                              \
        return sl_plugin_player_add(n, p, out);                                                    \
    }
/* clang-format off */
#define SLOTS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) \
                 X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
SLOTS(SLOT)
#define ROW(n) { .config = config_##n, .config_save = config_save_##n, .notify = notify_##n, \
                 .log = log_##n, .timer_add = timer_add_##n, .post = post_##n, \
                 .forward_add = forward_add_##n, .remote_add = remote_add_##n, \
                 .tap_add = tap_add_##n, .player_add = player_add_##n },
static const struct sl_core per_slot[SL_PLUGINS_MAX] = { SLOTS(ROW) };
/* clang-format on */

static struct sl_core cores[SL_PLUGINS_MAX];

const struct sl_core *sl_plugin_core(int slot)
{
    sl_plugin_later_begin(slot);
    return &cores[slot];
}

void sl_plugin_core_start(struct sl_plugins *p)
{
    plugins = p;
    sl_plugin_check_start();
    sl_plugin_later_start();
    sl_plugin_taps_start();
    sl_plugin_ep_start();
    for (int i = 0; i < SL_PLUGINS_MAX; i++) {
        const struct sl_core *own = &per_slot[i];
        struct sl_core *c = &cores[i];

        *c = sl_plugin_common;
        c->config = own->config;
        c->config_save = own->config_save;
        c->notify = own->notify;
        c->log = own->log;
        c->timer_add = own->timer_add;
        c->post = own->post;
        c->forward_add = own->forward_add;
        c->remote_add = own->remote_add;
        c->tap_add = own->tap_add;
        c->player_add = own->player_add;
    }
}

void sl_plugin_core_end(int slot)
{
    sl_plugin_later_end(slot);
    sl_plugin_ep_end(slot);
}

void sl_plugin_core_stop(void)
{
    sl_plugin_check_stop();
    plugins = NULL;
}
