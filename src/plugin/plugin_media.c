/* struct sl_core of <sluice/plugin.h>: taps, and media of a plugin's own. Control thread. */

#include "plugin/plugin_priv.h"
#include "api/api_priv.h"
#include "base/clock.h"
#include "media/media_tap.h"
#include "pc/pc_ep.h"
#include <errno.h>
#include <stdlib.h>

#define STOP_TURNS 200 /* of at most 10 ms, for workers to let go of taps */

struct plugin_tap {
    struct sl_list link;
    struct sl_cq_mail cq;
    struct sl_media_tap at; /* the worker's until it is done */
    struct sl_cq *queue;
    int slot;
    sl_id publisher;
    uint16_t mindex;
};

static struct sl_list taps;
static uint64_t last_tap;
static unsigned int ntaps[SL_PLUGINS_MAX];

/* ---- taps ------------------------------------------------------------------------------------ */

static void on_ended(struct sl_cq_mail *m)
{
    struct plugin_tap *t = sl_container(m, struct plugin_tap, cq);
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    sl_list_del(&t->link);
    ntaps[t->slot]--;
    if (t->at.tap.ended && !sl_plugin_is_over(t->slot)) {
        api_enter(api);
        t->at.tap.ended(t->at.tap.arg);
        api_leave(api);
    }
    free(t);
}

static void on_done(struct sl_media_tap *at)
{
    struct plugin_tap *t = sl_container(at, struct plugin_tap, at);

    sl_cq_post(t->queue, &t->cq);
}

int sl_plugin_tap_add(int slot, struct sl_mref from, const struct sl_tap *tap, uint64_t *id)
{
    struct sl_pc_source source;
    struct plugin_tap *t;
    int err;

    PLUGIN_CALL("tap_add");
    if (!tap->packets)
        return -EINVAL;
    err = sl_plugin_source_get(from, &source);
    if (err)
        return err;
    if (ntaps[slot] >= SL_TAPS_MAX)
        return -EAGAIN;
    t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->cq.fn = on_ended;
    t->queue = sl_api_get()->cq;
    t->slot = slot;
    t->publisher = source.id;
    t->mindex = source.mindex;
    t->at.id = ++last_tap;
    t->at.tap = *tap;
    t->at.owner = sl_plugin_package(slot);
    t->at.done = on_done;
    err = sl_ep_tap(sl_api_get()->world, t->publisher, t->mindex, &t->at);
    if (err) {
        free(t);
        return err;
    }
    sl_list_add(&taps, &t->link);
    ntaps[slot]++;
    *id = last_tap;
    return 0;
}

static void tap_del(const struct plugin_tap *t) SL_ON_CONTROL
{
    (void)sl_ep_untap(sl_api_get()->world, t->publisher, t->mindex, t->at.id);
}

void sl_plugin_tap_del(uint64_t id)
{
    struct sl_list *pos;

    PLUGIN_CALL("tap_del");
    sl_list_for_each (pos, &taps) {
        struct plugin_tap *t = sl_container(pos, struct plugin_tap, link);

        if (t->at.id == id) {
            tap_del(t);
            return;
        }
    }
}

void sl_plugin_taps_start(void)
{
    sl_list_init(&taps);
}

static void on_tick(struct sl_timer *timer, uint64_t now_us)
{
    (void)timer;
    (void)now_us;
}

void sl_plugin_taps_stop(void)
{
    struct sl_api *api = sl_api_get();
    struct sl_timer tick;
    struct sl_list *pos;

    if (!api || sl_list_is_empty(&taps))
        return;
    sl_timer_init(&tick, on_tick);
    sl_list_for_each (pos, &taps)
        tap_del(sl_container(pos, struct plugin_tap, link));
    for (int i = 0; i < STOP_TURNS && !sl_list_is_empty(&taps); i++) {
        sl_timer_set(&api->cq->wheel, &tick, sl_now_us() + 10000);
        (void)sl_cq_wait(api->cq, -1);
        sl_cq_run(api->cq, sl_now_us());
    }
    sl_timer_cancel(&tick);
}

/* ---- players --------------------------------------------------------------------------------- */

static void run_keyframe(sl_ep_keyframe_fn fn, void *arg, uint16_t mindex)
{
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    api_enter(api);
    fn(arg, mindex);
    api_leave(api);
}

int sl_plugin_player_add(int slot, const struct sl_player *p, sl_hid *out)
{
    static const struct sl_ep_tell tell = { .keyframe = run_keyframe };
    struct sl_ep *ep;
    int err;

    PLUGIN_CALL("player_add");
    err = sl_ep_player(sl_api_get()->world, p, &tell, &ep);
    return err ? err : sl_plugin_ep_own(slot, ep, out);
}

int sl_plugin_player_send(sl_hid player, uint16_t mindex, const struct sl_player_packet *p,
                          size_t n)
{
    struct sl_ep *ep;

    PLUGIN_CALL("player_send");
    ep = sl_plugin_ep_get(player);
    return ep ? sl_ep_play(ep, mindex, p, n) : -ESTALE;
}
