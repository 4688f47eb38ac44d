/*
 *   {"request": "watch"}                      ->  {"player": "event", "watching": true} with an
 * offer
 *   {"request": "start"} with the answer      ->  {"player": "event", "started": true}
 *   {"request": "stop"}                       ->  {"player": "event", "stopped": true}
 */
#include "player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PLAYER_UNKNOWN = 411, PLAYER_STATE, PLAYER_RESOURCES };

const struct sl_core *player_core;
static unsigned int nviewers; /* that play */

struct viewer {
    sl_hid h;
    bool offered, plays;
};

static void say(struct viewer *v, struct sl_msg *m, const char *what,
                const struct sl_jsep_out *jsep)
{
    player_core->ack(m, NULL);
    player_core->event(v->h, m, json_pack("{s:s, s:b}", "player", "event", what, 1), jsep);
}

static void fail(struct sl_msg *m, int code, const char *text)
{
    player_core->reply(
        m, json_pack("{s:s, s:i, s:s}", "player", "event", "error_code", code, "error", text));
}

static void leave(struct viewer *v)
{
    if (v->plays && --nviewers == 0)
        media_end();
    v->plays = v->offered = false;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void req_watch(struct viewer *v, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    const struct sl_jsep_out offer = {
        .type = SL_JSEP_OFFER, .lines = media_lines(), .nlines = LINES, .session_name = "Player"
    };

    (void)jsep;
    if (v->offered) {
        fail(m, PLAYER_STATE, "Watching already");
        return;
    }
    v->offered = true;
    say(v, m, "watching", &offer);
}

static void req_start(struct viewer *v, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    static const struct sl_layer_wish wish = SL_LAYER_WISH_INIT;

    if (!v->offered || v->plays || !jsep || jsep->type != SL_JSEP_ANSWER) {
        fail(m, PLAYER_STATE, "An answer to the offer of `watch` is needed");
        return;
    }
    if (media_begin() < 0) {
        fail(m, PLAYER_RESOURCES, "Cannot play");
        return;
    }
    v->plays = true;
    nviewers++;
    for (uint16_t i = 0; i < LINES && i < jsep->nlines; i++)
        if (!jsep->lines[i].rejected)
            (void)player_core->route_add((struct sl_mref){ media_player(), i },
                                         (struct sl_mref){ v->h, i }, &wish);
    say(v, m, "started", NULL);
}

static void req_stop(struct viewer *v, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    (void)jsep;
    leave(v);
    say(v, m, "stopped", NULL);
    player_core->close_pc(v->h, NULL);
}

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    static const struct {
        const char *name;
        void (*run)(struct viewer *v, struct sl_msg *m, const struct sl_jsep_in *jsep);
    } requests[] = { { "watch", req_watch }, { "start", req_start }, { "stop", req_stop } };
    const char *name = sl_arg_str(body, "request", "");

    (void)h;
    for (size_t i = 0; i < SL_ARG_COUNT(requests); i++) {
        if (strcmp(name, requests[i].name) == 0) {
            requests[i].run(state, m, jsep);
            return;
        }
    }
    fail(m, PLAYER_UNKNOWN, "No such request");
}

/* ---- life ------------------------------------------------------------------------------------ */

static int on_init(const struct sl_core *core)
{
    player_core = core;
    return 0;
}

static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    struct viewer *v = calloc(1, sizeof(*v));

    (void)opaque_id;
    if (!v)
        return -ENOMEM;
    v->h = h;
    *state = v;
    return 0;
}

static void on_detach(sl_hid h, void *state)
{
    (void)h;
    leave(state);
    free(state);
}

static void on_media_down(sl_hid h, void *state, const char *reason)
{
    (void)h, (void)reason;
    leave(state);
}

static json_t *on_query(sl_hid h, void *state)
{
    const struct viewer *v = state;

    (void)h;
    return json_pack("{s:b, s:i, s:i}", "plays", v->plays, "viewers", (int)nviewers, "keyframes",
                     (int)media_keyframes());
}

SL_PLUGIN_EXPORT = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = "example.plugin.player",
    .name = "Player",
    .author = "The Sluice authors",
    .description = "An example: plays a tone and a moving picture",
    .version_string = "0.0.1",
    .version = 1,
    .init = on_init,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
    .query = on_query,
    .media_down = on_media_down,
};
