/* struct sl_core of <sluice/plugin.h>: calls that come later, by timers and from other threads. */

#include "plugin/plugin_priv.h"
#include "api/api_priv.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct plugin_timer {
    struct sl_list link;
    struct sl_timer timer;
    int slot;
    uint64_t id;
    uint64_t repeat_us; /* 0: once */
    sl_plugin_timer_fn fn;
    void *arg;
};

struct post {
    struct sl_cq_mail cq;
    int slot;
    sl_post_fn fn;
    void *arg;
};

static struct sl_list timers; /* control */
static uint64_t last_timer;
static struct sl_cq *queue;                /* set before any plugin runs */
static atomic_uint nposts[SL_PLUGINS_MAX]; /* that wait */
static bool is_over[SL_PLUGINS_MAX];       /* control: fini was called, or init failed */

/* ---- timers ---------------------------------------------------------------------------------- */

static void timer_free(struct plugin_timer *t)
{
    sl_timer_cancel(&t->timer);
    sl_list_del(&t->link);
    free(t);
}

static void on_timer(struct sl_timer *timer, uint64_t now_us)
{
    struct plugin_timer *t = sl_container(timer, struct plugin_timer, timer);
    sl_plugin_timer_fn fn = t->fn;
    struct sl_api *api;
    void *arg = t->arg;

    SL_ASSUME(control);
    api = sl_api_get();
    if (t->repeat_us)
        sl_timer_set(&api->cq->wheel, timer, now_us + t->repeat_us);
    else
        timer_free(t);
    api_enter(api);
    fn(arg); /* may delete the timer */
    api_leave(api);
}

uint64_t sl_plugin_timer_add(int slot, uint32_t ms, bool repeat, sl_plugin_timer_fn fn, void *arg)
{
    struct plugin_timer *t = calloc(1, sizeof(*t));
    struct sl_cq *cq;

    PLUGIN_CALL("timer_add");
    if (!t)
        abort(); /* the contract knows no failure */
    cq = sl_api_get()->cq;
    t->slot = slot;
    t->id = ++last_timer;
    t->repeat_us = repeat ? (uint64_t)ms * 1000 : 0;
    t->fn = fn;
    t->arg = arg;
    sl_timer_init(&t->timer, on_timer);
    sl_list_add(&timers, &t->link);
    sl_timer_set(&cq->wheel, &t->timer, cq->now_us + (uint64_t)ms * 1000);
    return t->id;
}

void sl_plugin_timer_del(uint64_t id)
{
    struct sl_list *pos;

    PLUGIN_CALL("timer_del");
    sl_list_for_each (pos, &timers) {
        struct plugin_timer *t = sl_container(pos, struct plugin_timer, link);

        if (t->id == id) {
            timer_free(t);
            return;
        }
    }
}

/* ---- posts ----------------------------------------------------------------------------------- */

static void on_post(struct sl_cq_mail *m)
{
    struct post *p = sl_container(m, struct post, cq);
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    atomic_fetch_sub(&nposts[p->slot], 1);
    if (api && !is_over[p->slot]) {
        api_enter(api);
        p->fn(p->arg);
        api_leave(api);
    }
    free(p);
}

int sl_plugin_post(int slot, sl_post_fn fn, void *arg)
{
    struct post *p;

    if (atomic_fetch_add(&nposts[slot], 1) >= SL_POSTS_MAX) {
        atomic_fetch_sub(&nposts[slot], 1);
        return -EAGAIN;
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        atomic_fetch_sub(&nposts[slot], 1);
        return -ENOMEM;
    }
    p->cq.fn = on_post;
    p->slot = slot;
    p->fn = fn;
    p->arg = arg;
    sl_cq_post(queue, &p->cq);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

void sl_plugin_later_start(void)
{
    sl_list_init(&timers);
}

bool sl_plugin_is_over(int slot)
{
    return is_over[slot];
}

void sl_plugin_later_begin(int slot)
{
    queue = sl_api_get() ? sl_api_get()->cq : NULL;
    is_over[slot] = false;
}

void sl_plugin_later_end(int slot)
{
    struct sl_list *pos, *tmp;

    is_over[slot] = true;
    sl_list_for_each_safe (pos, tmp, &timers) {
        struct plugin_timer *t = sl_container(pos, struct plugin_timer, link);

        if (t->slot == slot)
            timer_free(t);
    }
}
