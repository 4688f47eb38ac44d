#include "plugin/plugin_check.h"

#include "base/log.h"
#include "media/media_tap.h"
#include "plugin/plugin_priv.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdlib.h>

#define OVER_MAX 4096 /* of all things together that are remembered */
#define LENT_MAX 64
#define FRAMES   32

#if defined(SL_DEBUG)
bool sl_plugin_checks = true;
#else
bool sl_plugin_checks;
#endif

struct lent {
    const char *package;
    json_t *root, *original; /* the copy that the plugin has; what it is a copy of */
    json_t **values;         /* all that are counted, with a reference of ours */
    size_t n;
};

static struct {
    pthread_t thread;
    bool has_thread;
    const char *call; /* of now */
    struct {
        enum sl_plugin_thing thing;
        uint64_t id;
        const char *package;
    } over[OVER_MAX];
    size_t nover; /* ever */
    struct lent lent[LENT_MAX];
    size_t nlent; /* ever */
} self;

static _Noreturn void breach(const char *package, const char *call, const char *what)
{
    sl_error("plugin", "contract broken", "plugin=%s call=%s what=\"%s\"", package, call, what);
    abort();
}

/* ---- threads --------------------------------------------------------------------------------- */

/* The plugin whose code is nearest on the stack. */
static const char *caller(void)
{
    void *frame[FRAMES];
    int n = backtrace(frame, FRAMES);

    for (int i = 0; i < n; i++) {
        Dl_info at;
        const char *package = dladdr(frame[i], &at) ? sl_plugin_at(at.dli_fbase) : NULL;

        if (package)
            return package;
    }
    return "unknown";
}

void sl_plugin_check_call(const char *call)
{
    if (self.has_thread && !pthread_equal(self.thread, pthread_self())) {
        const char *tap = sl_media_tap_running();

        breach(tap ? tap : caller(), call,
               tap ? "called by a tap, on a worker: post gets you to the control thread"
                   : "called on another thread than the control thread: use post");
    }
    self.call = call;
}

void sl_plugin_check_start(void)
{
    self.thread = pthread_self();
    self.has_thread = true;
}

/* ---- what is over ---------------------------------------------------------------------------- */

void sl_plugin_check_over(enum sl_plugin_thing thing, uint64_t id, const char *package)
{
    if (!sl_plugin_checks)
        return;
    self.over[self.nover % OVER_MAX].thing = thing;
    self.over[self.nover % OVER_MAX].id = id;
    self.over[self.nover++ % OVER_MAX].package = package;
}

void sl_plugin_check_gone(enum sl_plugin_thing thing, uint64_t id)
{
    static const char *const what[SL_PLUGIN_THINGS] = {
        [SL_PLUGIN_HANDLE] = "names a handle whose detach was called",
        [SL_PLUGIN_MESSAGE] = ("answers a request that it has answered already, or left "
                               "unanswered without ack or hold"),
        [SL_PLUGIN_ENDPOINT] = "names a forwarder, remote publisher or player that it has deleted",
    };

    for (size_t i = 0; sl_plugin_checks && i < OVER_MAX && i < self.nover; i++)
        if (self.over[i].thing == thing && self.over[i].id == id)
            breach(self.over[i].package, self.call, what[thing]);
}

void sl_plugin_check_failed(const char *package, const char *what)
{
    if (sl_plugin_checks)
        breach(package, self.call, what);
}

void sl_plugin_check_callback(const char *package, const char *callback, const char *what)
{
    if (sl_plugin_checks)
        breach(package, callback, what);
}

/* ---- JSON that is lent ----------------------------------------------------------------------- */

static bool is_counted(const json_t *v)
{
    return v->refcount != (size_t)-1; /* true, false and null are everybody's */
}

static size_t count(json_t *v)
{
    const char *key;
    json_t *member;
    size_t i, n = is_counted(v);

    json_object_foreach(v, key, member) n += count(member);
    json_array_foreach(v, i, member) n += count(member);
    return n;
}

static void collect(struct lent *l, json_t *v)
{
    const char *key;
    json_t *member;
    size_t i;

    if (is_counted(v))
        l->values[l->n++] = json_incref(v);
    json_object_foreach(v, key, member) collect(l, member);
    json_array_foreach(v, i, member) collect(l, member);
}

/* One reference is its parent's, or the first one; one is ours. */
static void check(const struct lent *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->values[i]->refcount < 2)
            breach(l->package, "message",
                   "gave away JSON that it was lent: json_incref what is handed on or kept");
}

static void check_same(const struct lent *l)
{
    if (!json_equal(l->root, l->original))
        breach(l->package, "message", "changed JSON that it was lent: json_deep_copy it");
}

static void forget(struct lent *l)
{
    if (!l->root)
        return;
    check(l);
    check_same(l);
    for (size_t i = 0; i < l->n; i++)
        json_decref(l->values[i]);
    free(l->values);
    json_decref(l->root);
    json_decref(l->original);
    *l = (struct lent){ 0 };
}

const json_t *sl_plugin_check_lend(const json_t *json, const char *package)
{
    struct lent *l = &self.lent[self.nlent++ % LENT_MAX];
    json_t *root = json_deep_copy(json);

    forget(l);
    if (!root)
        return NULL;
    l->values = calloc(count(root), sizeof(json_t *));
    if (!l->values) {
        json_decref(root);
        return NULL;
    }
    l->package = package;
    l->root = root;
    l->original = json_incref((json_t *)(uintptr_t)json);
    collect(l, root);
    return root;
}

static struct lent *lent_find(const json_t *json)
{
    for (size_t i = 0; i < LENT_MAX; i++)
        for (size_t k = 0; k < self.lent[i].n; k++)
            if (self.lent[i].values[k] == json)
                return &self.lent[i];
    return NULL;
}

void sl_plugin_check_lent_back(void)
{
    for (size_t i = 0; i < LENT_MAX; i++)
        check(&self.lent[i]); /* of earlier ones as well: answers go out when they can */
    check_same(&self.lent[(self.nlent - 1) % LENT_MAX]); /* these later, it takes longer */
}

void sl_plugin_check_given(const json_t *json)
{
    const struct lent *l = sl_plugin_checks && json ? lent_find(json) : NULL;

    if (l && json->refcount < 3)
        breach(l->package, self.call,
               "is given JSON that was lent to message: json_incref it, or give a copy");
}

void sl_plugin_check_stop(void)
{
    for (size_t i = 0; i < LENT_MAX; i++)
        forget(&self.lent[i]);
    self.nover = self.nlent = 0;
    self.has_thread = false;
}
