/* Time as tests have it pass: timers, and calls from other threads. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mock/mock_state.h"

struct mock_timer {
    struct mock_timer *next;
    uint64_t id, due_us, repeat_us;
    sl_plugin_timer_fn fn;
    void *arg;
};

struct mock_post {
    struct mock_post *next;
    sl_post_fn fn;
    void *arg;
};

void mock_on_control(const char *call)
{
    if (mock.in_tap)
        mock_fail("%s is called by a tap, which runs on a worker: use post", call);
}

uint64_t mock_core_now_us(void)
{
    mock_on_control("now_us");
    return mock.now_us;
}

/* ---- timers ---------------------------------------------------------------------------------- */

uint64_t mock_core_timer_add(uint32_t ms, bool repeat, sl_plugin_timer_fn fn, void *arg)
{
    struct mock_timer *t = calloc(1, sizeof(*t));

    mock_on_control("timer_add");
    mock_check(t, "out of memory");
    t->id = ++mock.next_id;
    t->due_us = mock.now_us + (uint64_t)ms * 1000;
    t->repeat_us = repeat ? (uint64_t)ms * 1000 : 0;
    t->fn = fn;
    t->arg = arg;
    t->next = mock.timers;
    mock.timers = t;
    return t->id;
}

void mock_core_timer_del(uint64_t id)
{
    struct mock_timer **at = &mock.timers, *t;

    mock_on_control("timer_del");
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    t = *at;
    if (!t)
        return;
    *at = t->next;
    free(t);
}

size_t mock_timers(void)
{
    size_t n = 0;

    for (const struct mock_timer *t = mock.timers; t; t = t->next)
        n++;
    return n;
}

/* The one that is due first, not later than @end_us; of several the oldest. */
static struct mock_timer *next_due(uint64_t end_us)
{
    struct mock_timer *due = NULL;

    for (struct mock_timer *t = mock.timers; t; t = t->next)
        if (t->due_us <= end_us && (!due || t->due_us <= due->due_us))
            due = t;
    return due;
}

/* ---- posts ----------------------------------------------------------------------------------- */

int mock_core_post(sl_post_fn fn, void *arg)
{
    struct mock_post *p = calloc(1, sizeof(*p));

    mock_check(p, "out of memory");
    p->fn = fn;
    p->arg = arg;
    *mock.last_post = p;
    mock.last_post = &p->next;
    return 0;
}

static void run_posts(void)
{
    while (mock.posts) {
        struct mock_post *p = mock.posts;

        mock.posts = p->next;
        if (!mock.posts)
            mock.last_post = &mock.posts;
        MOCK_CALLBACK(p->fn(p->arg));
        free(p);
    }
}

void mock_run(uint32_t ms)
{
    const uint64_t end_us = mock.now_us + (uint64_t)ms * 1000;
    struct mock_timer *t;

    run_posts();
    while ((t = next_due(end_us))) {
        sl_plugin_timer_fn fn = t->fn;
        void *arg = t->arg;

        mock.now_us = t->due_us > mock.now_us ? t->due_us : mock.now_us;
        if (t->repeat_us)
            t->due_us += t->repeat_us;
        else
            mock_core_timer_del(t->id);
        MOCK_CALLBACK(fn(arg)); /* may delete the timer */
        run_posts();
    }
    mock.now_us = end_us;
}

/* ---- life ------------------------------------------------------------------------------------ */

void mock_later_init(void)
{
    mock.now_us = 1000000000;
    mock.last_post = &mock.posts;
}

void mock_later_clear(void)
{
    while (mock.timers)
        mock_core_timer_del(mock.timers->id);
    while (mock.posts) { /* as after fini: not called */
        struct mock_post *p = mock.posts;

        mock.posts = p->next;
        free(p);
    }
}
