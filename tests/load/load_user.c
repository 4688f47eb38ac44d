#include "load_user.h"

#include "base/clock.h"
#include "base/rand.h"
#include "tests/bench/floor/floor.h"
#include <stdio.h>
#include <stdlib.h>

#define KEEPALIVE_US 20000000
#define ROOM(nr)     (4242u + (nr))

static void send_to(struct load_user *u, const struct load_side *s, json_t *msg) SL_ON_WORKER
{
    if (u->session)
        json_object_set_new(msg, "session_id", json_integer((json_int_t)u->session));
    if (s && s->handle)
        json_object_set_new(msg, "handle_id", json_integer((json_int_t)s->handle));
    if (s)
        json_object_set_new(msg, "transaction", json_string(s == &u->pub ? "pub" : "sub"));
    load_ws_send(u->ws, msg);
}

/* Takes @body; @type and @sdp may be NULL. */
static void message(struct load_user *u, const struct load_side *s, json_t *body, const char *type,
                    const char *sdp) SL_ON_WORKER
{
    json_t *msg = json_pack("{s:s, s:o}", "janus", "message", "body", body);

    if (sdp)
        json_object_set_new(msg, "jsep", json_pack("{s:s, s:s}", "type", type, "sdp", sdp));
    send_to(u, s, msg);
}

static void attach(struct load_user *u, struct load_side *s) SL_ON_WORKER
{
    s->step = LOAD_ATTACHING;
    send_to(u, s, json_pack("{s:s, s:s}", "janus", "attach", "plugin", "janus.plugin.videoroom"));
}

/* @why may be empty. */
static void fail(struct load_user *u, const char *what, const char *why)
{
    if (!u->failed)
        fprintf(stderr, "load: user %zu: %s%s%s\n", u->who.index, what, *why ? ": " : "", why);
    u->failed = true;
}

/* ---- publishing ------------------------------------------------------------------------------ */

static void create_room(struct load_user *u) SL_ON_WORKER
{
    u->pub.step = LOAD_CREATING;
    message(u, &u->pub,
            json_pack("{s:s, s:I, s:i, s:i, s:s, s:i}", "request", "create", "room",
                      (json_int_t)ROOM(u->who.room), "publishers", (int)u->conf->publishers,
                      "bitrate", 0, "videocodec", "vp8", "audio_loudest", (int)u->conf->loudest),
            NULL, NULL);
}

static void join_publisher(struct load_user *u) SL_ON_WORKER
{
    u->pub.step = LOAD_JOINING;
    message(u, &u->pub,
            json_pack("{s:s, s:s, s:I, s:I}", "request", "join", "ptype", "publisher", "room",
                      (json_int_t)ROOM(u->who.room), "id", (json_int_t)LOAD_FEED(u->who.index)),
            NULL, NULL);
}

static uint32_t ssrc_of(const struct load_user *u, uint8_t media)
{
    return floor_ssrc_up((uint16_t)u->who.index, media);
}

static void publish(struct load_user *u) SL_ON_WORKER
{
    struct load_offer o = { ssrc_of(u, 1), ssrc_of(u, 0), u->conf->simulcast,
                            u->conf->peer.data != NULL };
    struct sl_strbuf sdp;

    if (load_peer_create(&u->conf->peer, u->tally, &u->pub.peer) < 0) {
        fail(u, "no socket", "");
        return;
    }
    u->pub.peer->local.twcc = true; /* a browser sends it wherever the server takes it */
    sl_strbuf_init(&sdp);
    load_sdp_offer(&u->pub.peer->local, &o, &sdp);
    u->pub.step = LOAD_NEGOTIATING;
    message(u, &u->pub, json_pack("{s:s}", "request", "publish"), "offer", sdp.text);
    sl_strbuf_fini(&sdp);
}

static const struct load_line *line_of(const struct load_line *lines, size_t n, enum sl_kind kind)
{
    for (size_t i = 0; i < n; i++)
        if (lines[i].kind == kind && lines[i].pt != SL_PT_NONE)
            return &lines[i];
    return NULL;
}

static int start_media(struct load_user *u, const struct load_line *lines, size_t n)
{
    const uint32_t video[] = { ssrc_of(u, 0), ssrc_of(u, 2), ssrc_of(u, 3) };

    return load_tx_create(&u->conf->tx, line_of(lines, n, SL_KIND_AUDIO),
                          line_of(lines, n, SL_KIND_VIDEO), video, u->conf->simulcast ? 3 : 1,
                          ssrc_of(u, 1), sl_now_us(), &u->pub.peer->tx);
}

static void take_answer(struct load_user *u, const char *sdp) SL_ON_WORKER
{
    struct load_remote r;

    if (load_sdp_take(sdp, &u->pub.peer->local, &r, NULL) < 0 ||
        load_peer_start(u->pub.peer, &r, true) < 0 || start_media(u, r.line, r.nlines) < 0)
        fail(u, "the answer is of no use", "");
    u->pub.step = LOAD_NEGOTIATED;
}

/* ---- subscribing ----------------------------------------------------------------------------- */

static void join_subscriber(struct load_user *u) SL_ON_WORKER
{
    json_t *streams = json_array();

    for (size_t i = u->first_feed; i < u->first_feed + u->nfeeds; i++)
        if (!u->who.publishes || i != u->who.index)
            json_array_append_new(streams, json_pack("{s:I}", "feed", (json_int_t)LOAD_FEED(i)));
    u->sub.step = LOAD_JOINING;
    message(u, &u->sub,
            json_pack("{s:s, s:s, s:I, s:o}", "request", "join", "ptype", "subscriber", "room",
                      (json_int_t)ROOM(u->who.room), "streams", streams),
            NULL, NULL);
}

static void take_offer(struct load_user *u, const char *sdp) SL_ON_WORKER
{
    struct sl_strbuf answer;
    struct load_remote r;

    sl_strbuf_init(&answer);
    if (load_peer_create(&u->conf->peer, u->tally, &u->sub.peer) < 0 ||
        load_sdp_take(sdp, &u->sub.peer->local, &r, &answer) < 0) {
        fail(u, "the offer is of no use", "");
    } else {
        u->sub.step = LOAD_NEGOTIATED;
        message(u, &u->sub, json_pack("{s:s}", "request", "start"), "answer", answer.text);
        /* Who offers controls, unless it is lite (RFC 8445 section 6.1.1). */
        if (load_peer_start(u->sub.peer, &r, r.is_lite) < 0)
            fail(u, "the peer connection cannot start", "");
    }
    sl_strbuf_fini(&answer);
}

void load_user_subscribe(struct load_user *u, size_t first, size_t n)
{
    u->first_feed = first;
    u->nfeeds = n;
    if (u->session)
        attach(u, &u->sub);
}

/* ---- what the server says -------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static void on_side(struct load_user *u, struct load_side *s, const json_t *msg) SL_ON_WORKER
{
    bool publisher = s == &u->pub;
    const char *sdp = text_of(json_object_get(msg, "jsep"), "sdp");
    json_int_t id = json_integer_value(json_object_get(json_object_get(msg, "data"), "id"));

    switch (s->step) {
    case LOAD_ATTACHING:
        s->handle = (uint64_t)id;
        if (!publisher)
            join_subscriber(u);
        else if (u->who.creates)
            create_room(u);
        else
            join_publisher(u);
        return;
    case LOAD_CREATING:
        join_publisher(u);
        return;
    case LOAD_JOINING:
        if (publisher)
            publish(u);
        else if (*sdp)
            take_offer(u, sdp);
        return;
    case LOAD_NEGOTIATING:
        if (*sdp)
            take_answer(u, sdp);
        return;
    default:
        return;
    }
}

static void on_session(struct load_user *u, const json_t *msg) SL_ON_WORKER
{
    u->session = (uint64_t)json_integer_value(json_object_get(json_object_get(msg, "data"), "id"));
    if (u->who.publishes)
        attach(u, &u->pub);
    if (u->nfeeds)
        attach(u, &u->sub);
}

/* Errors of the protocol and of the plugin. */
static const char *error_of(const json_t *msg)
{
    const char *plugin =
        text_of(json_object_get(json_object_get(msg, "plugindata"), "data"), "error");

    return *plugin ? plugin : text_of(json_object_get(msg, "error"), "reason");
}

static void on_text(void *arg, const json_t *msg)
{
    struct load_user *u = arg;
    const char *kind = text_of(msg, "janus"), *transaction = text_of(msg, "transaction");
    uint64_t sender = (uint64_t)json_integer_value(json_object_get(msg, "sender"));
    struct load_side *s;

    SL_ASSUME(worker);
    if (*error_of(msg)) {
        fail(u, "refused", error_of(msg));
        return;
    }
    if (strcmp(kind, "ack") == 0)
        return;
    if (strcmp(transaction, "create") == 0) {
        on_session(u, msg);
        return;
    }
    if (strcmp(transaction, "destroy") == 0) {
        u->left = true;
        return;
    }
    s = sender && sender == u->pub.handle   ? &u->pub
        : sender && sender == u->sub.handle ? &u->sub
                                            : NULL;
    if (s && strcmp(kind, "webrtcup") == 0)
        s->up = true;
    if (s && strcmp(kind, "hangup") == 0)
        fail(u, "the server hung up", text_of(msg, "reason"));
    if (strcmp(transaction, "pub") == 0)
        on_side(u, &u->pub, msg);
    if (strcmp(transaction, "sub") == 0)
        on_side(u, &u->sub, msg);
}

static void on_open(void *arg)
{
    struct load_user *u = arg;

    SL_ASSUME(worker);
    load_ws_send(u->ws, json_pack("{s:s, s:s}", "janus", "create", "transaction", "create"));
}

static void on_closed(void *arg)
{
    struct load_user *u = arg;

    if (!u->left)
        fail(u, "the WebSocket was closed", "");
    u->left = true;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int start_floor(struct load_user *u) SL_ON_WORKER
{
    struct floor_reg reg = { u->who.publishes ? FLOOR_PUBLISH : 0, u->conf->profile,
                             (uint16_t)u->who.index, (uint16_t)u->who.room };
    struct load_line lines[2] = { { .kind = SL_KIND_AUDIO, .mid = "0", .pt = 111 },
                                  { .kind = SL_KIND_VIDEO, .mid = "1", .pt = 96 } };
    int err = load_peer_create(&u->conf->peer, u->tally, &u->pub.peer);

    lines[0].rtx_pt = lines[1].rtx_pt = SL_PT_NONE;
    for (size_t i = 0; i < 2; i++) {
        lines[i].ext[SL_EXT_ABS_SEND_TIME] = 2;
        lines[i].ext[SL_EXT_MID] = 4;
    }
    lines[0].ext[SL_EXT_AUDIO_LEVEL] = 1;
    if (!u->who.publishes || u->conf->publishers > 1)
        reg.flags |= FLOOR_SUBSCRIBE;
    if (!err)
        err = load_rx_describe(&u->pub.peer->rx, lines, 2);
    if (!err)
        err = load_peer_start_floor(u->pub.peer, &u->conf->server, &reg);
    if (!err && u->who.publishes)
        err = start_media(u, lines, 2);
    return err;
}

int load_user_create(const struct load_user_conf *conf, struct load_tally *tally,
                     const struct load_who *who, struct load_user **out)
{
    static const struct load_ws_cb cb = { on_open, on_text, on_closed };
    struct load_user *u = calloc(1, sizeof(*u));
    int err;

    if (!u)
        return -ENOMEM;
    u->conf = conf;
    u->tally = tally;
    u->who = *who;
    u->started_us = sl_now_us();
    u->keepalive_us = u->started_us + KEEPALIVE_US;
    err = conf->is_floor ? start_floor(u)
                         : load_ws_create(conf->peer.loop, &conf->server, &cb, u, &u->ws);
    if (err) {
        load_user_destroy(u);
        return err;
    }
    *out = u;
    return 0;
}

void load_user_destroy(struct load_user *u)
{
    if (!u)
        return;
    load_peer_destroy(u->pub.peer);
    load_peer_destroy(u->sub.peer);
    load_ws_destroy(u->ws);
    free(u);
}

void load_user_leave(struct load_user *u)
{
    if (!u->session) {
        u->left = true;
        return;
    }
    send_to(u, NULL, json_pack("{s:s, s:s}", "janus", "destroy", "transaction", "destroy"));
}

void load_user_turn(struct load_user *u, uint64_t now_us)
{
    if (u->pub.peer && u->pub.peer->due_us <= now_us)
        load_peer_turn(u->pub.peer, now_us);
    if (u->sub.peer && u->sub.peer->due_us <= now_us)
        load_peer_turn(u->sub.peer, now_us);
    if (u->session && u->keepalive_us <= now_us) {
        u->keepalive_us = now_us + KEEPALIVE_US;
        send_to(u, NULL, json_pack("{s:s, s:s}", "janus", "keepalive", "transaction", "alive"));
    }
}

struct load_peer *load_user_sender(const struct load_user *u)
{
    return u->who.publishes ? u->pub.peer : NULL;
}

struct load_peer *load_user_receiver(const struct load_user *u)
{
    return u->conf->is_floor ? u->pub.peer : u->sub.peer;
}

bool load_user_has_session(const struct load_user *u)
{
    return u->session != 0;
}

bool load_user_is_publishing(const struct load_user *u)
{
    return u->pub.peer && u->pub.peer->connected_us && (u->pub.up || u->conf->is_floor);
}

bool load_user_is_connected(const struct load_user *u)
{
    const struct load_peer *p = load_user_receiver(u);

    return p && p->connected_us;
}
