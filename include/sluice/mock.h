/*
 * mock.h - the core as a plugin sees it (struct sl_core), without a server.
 *
 * For unit tests of plugins with cmocka, linked with what `pkg-config --libs sluice-mock` says
 * (docs/ plugins.md shows one): it keeps handles, m-lines and routes, checks the contract of
 * <sluice/plugin.h> as far as a plugin can break it (one answer per request, answers that fit the
 * offer, stable m-line indexes), and records what reaches each client. Time stands still but in
 * mock_run.
 *
 * One mock at a time, one thread. Failed expectations, and breaches of the contract, end the cmocka
 * test with what is wrong and the line of the test. As in the server, a handle or connection that the
 * plugin ends in a callback goes when that has returned.
 * JSON texts in tests are written with ' for ", and "*" in an expected text matches any value.
 */
#ifndef SLUICE_MOCK_H
#define SLUICE_MOCK_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MOCK_HANDLES 1200
#define MOCK_LINES   64
#define MOCK_CODECS  8

/* Starts @p with @config (a text, NULL: no configuration file). Returns what init returned. */
int mock_start(const struct sl_plugin *p, const char *config);
/* Detaches all handles and calls fini. */
void mock_stop(void);

/* ---- clients --------------------------------------------------------------------------------- */

sl_hid mock_attach(void);
void mock_detach(sl_hid h);

/* A synchronous request: fails the test unless it is answered at once, and with @want. */
void mock_call(sl_hid h, const char *body, const char *want);
/* The same; returns the answer, to be released by the caller. */
json_t *mock_call_json(sl_hid h, const char *body);
/* The administrator's request. */
void mock_admin(const char *body, const char *want);
/* plugin_specific of the handle dump. */
void mock_query(sl_hid h, const char *want);
/* An asynchronous request: fails the test unless it is acknowledged. The event that ends it carries
 * the transaction that is returned. */
uint64_t mock_send(sl_hid h, const char *body, const struct sl_jsep_in *jsep);
/* The next thing that the client of @h sees is an event with @data, for the request @tx (0: for
 * none), and with a description of the type @jsep. */
void mock_expect(sl_hid h, uint64_t tx, const char *data, enum sl_jsep_type jsep);
/* mock_send, then mock_expect of its end. */
void mock_request(sl_hid h, const char *body, const struct sl_jsep_in *jsep, const char *data,
                  enum sl_jsep_type answer);
/* The client sees a hangup with @reason next. */
void mock_expect_hangup(sl_hid h, const char *reason);
/* Nothing more reached the client. */
void mock_expect_nothing(sl_hid h);
/* @got is what the text @want says. */
void mock_data_check(const json_t *got, const char *want);
/* Forgets what reached clients so far: one, or everybody (0). */
void mock_skip(sl_hid h);
/* The data of the next event, taken; NULL: there is none. */
json_t *mock_take(sl_hid h);
/* When the next event of @h was sent, in the order of all; UINT64_MAX: there is none. */
uint64_t mock_order(sl_hid h);

/* ---- peer connections ------------------------------------------------------------------------ */

/* An offer with these m-lines that lives until the next call. "audio a opus recv" is kind, mid,
 * codecs and the server's direction (sendrecv when it says nothing); more words: "sim" (3 layers),
 * "svc=L3T3", "red", "rejected". A codec may carry "/profile" and "?fmtp". */
const struct sl_jsep_in *mock_offer(const char *const *lines, size_t n);
#define MOCK_OFFER(...)                                                                            \
    mock_offer((const char *const[]){ __VA_ARGS__ },                                               \
               sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
/* The same offer with jsep.e2ee. */
const struct sl_jsep_in *mock_e2ee(const struct sl_jsep_in *offer);
/* An answer to the server's last offer to @h that takes everything. */
const struct sl_jsep_in *mock_answer(sl_hid h);
/* The m-lines of mock_offer as an answer to the server's offer. */
const struct sl_jsep_in *mock_answer_with(const struct sl_jsep_in *offer);
/* The same description from a client that was connected before; @restart: with new credentials. */
const struct sl_jsep_in *mock_update(const struct sl_jsep_in *offer, bool restart);

/* Our last offer is dropped, as the core does when the client offers meanwhile. */
void mock_roll_back(sl_hid h);

void mock_up(sl_hid h);
void mock_down(sl_hid h, const char *reason);
/* Reports of the core about media. */
void mock_watched(sl_hid h, uint16_t mindex, int layer);
void mock_quality(sl_hid h, uint16_t mindex, const struct sl_quality *q);
void mock_layer(sl_hid h, uint16_t mindex, const struct sl_layer_event *ev);
void mock_talking(sl_hid h, uint16_t mindex, bool talking, double level);
void mock_voice(sl_hid h, uint16_t mindex, uint64_t at_us, uint8_t level, bool speaks);
void mock_slow_link(sl_hid h, uint16_t mindex, bool uplink, uint32_t lost);

/* Data channels: messages of the client, and what the plugin sent back. */
void mock_data_open(sl_hid h, const char *label, const char *protocol);
void mock_data_close(sl_hid h, const char *label, const char *protocol);
void mock_data(sl_hid h, const char *label, const char *protocol, bool binary, const void *data,
               size_t len);
/* The association's queue is full (data_send says -EAGAIN), or has room again. */
void mock_data_full(sl_hid h, bool is_full);
bool mock_data_paused(sl_hid h);
/* The next message that reached the client is this one: "label|protocol|text" or, binary,
 * "label|protocol|binary|bytes" (of text that has no NUL). A channel that was closed is
 * "label|closed". */
void mock_expect_data(sl_hid h, const char *want);
/* How many messages reached the client and were not expected yet. */
size_t mock_ndata(sl_hid h);

/* What the plugin asked for. */
struct mock_route {
    bool active, paused;
    struct sl_mref from;
    struct sl_layer_wish wish;
};
const struct mock_route *mock_route(sl_hid to, uint16_t mindex);
struct mock_line {
    struct sl_mline want; /* as the plugin wanted it in the last description */
    struct sl_mcodec codec;
    struct sl_mcodec offered[MOCK_CODECS]; /* in an offer of ours: what there was to choose from */
    size_t noffered;
    bool closed;        /* gate */
    unsigned keyframes; /* asked for by name, not by new routes */
    uint32_t talk_packets;
    uint8_t talk_threshold;
    enum sl_voice_mode voice;
};
const struct mock_line *mock_line(sl_hid h, uint16_t mindex);
size_t mock_nlines(sl_hid h);
const char *mock_session_name(sl_hid h);
bool mock_restart(sl_hid h); /* the last offer had new ICE credentials */
bool mock_is_e2ee(sl_hid h);
uint32_t mock_bitrate(sl_hid h);
uint32_t mock_fir(sl_hid h);
uint64_t mock_group(sl_hid h); /* where its connections are placed */
bool mock_has_offer(sl_hid h); /* the client's offer was kept and waits for its answer */

/* ---- streams to and from other machines ------------------------------------------------------ */

#define MOCK_FORWARD_LINES 32

struct mock_endpoint {
    bool used, remote, player;
    struct sl_forward forward; /* strings point into the next members */
    struct sl_remote conf;
    struct sl_player played; /* without its lines, which are in rlines */
    char ip[64], crypto[64];
    size_t nlines;
    struct sl_forward_line lines[MOCK_FORWARD_LINES];
    char data[128], asked[128];
    struct mock_line rlines[MOCK_FORWARD_LINES]; /* remote publisher, player */
    uint16_t wire[MOCK_FORWARD_LINES];
};
/* The endpoint that was made as the @n-th (from 0), alive or not; NULL: there were less. A
 * forwarder's feedback port is 40000 + n; a remote publisher's ports, where the plugin leaves the
 * choice, port_low + 2 * n and one more. */
const struct mock_endpoint *mock_endpoint(size_t n);
sl_hid mock_endpoint_id(size_t n);
size_t mock_endpoints_alive(void);
/* forward_add and remote_add fail so from now on; 0: they do not. */
void mock_endpoint_fails(int err);
/* What forward_data was given last for the endpoint: "ssrc|text", "ssrc|binary|bytes"; NULL:
 * nothing since it was asked. */
const char *mock_forwarded(size_t n);
/* A remote publisher's message, and report. */
void mock_remote_data(size_t n, uint16_t mindex, bool binary, const char *text);
void mock_remote_talking(size_t n, uint16_t mindex, bool talking, double level);
/* Ends the lookup of @host ("names" are what begins with a letter): @ip NULL: there is none. False:
 * nobody looks it up. */
bool mock_resolved(const char *host, const char *ip);
/* A request whose answer may be any, for tests that make requests up (fuzzing). Takes @body over,
 * which is an object, since the core lets no other through. */
void mock_try(sl_hid h, json_t *body, const struct sl_jsep_in *jsep);
/* A synchronous request that is to be answered later; mock_late takes the answer. */
uint64_t mock_call_late(sl_hid h, const char *body);
json_t *mock_late(uint64_t tx);

/* ---- time ------------------------------------------------------------------------------------ */

/* Lets so many milliseconds pass: runs what was posted, then timers as they fall due. 0: only what
 * was posted, and taps that ended. */
void mock_run(uint32_t ms);
size_t mock_timers(void); /* that are set */

/* ---- taps and players ------------------------------------------------------------------------ */

/* The publisher sent this: all taps of the m-line see it, in one call. Fails when there is none,
 * and when a tap calls what is not for its thread. */
void mock_tap(struct sl_mref from, const struct sl_tap_packet *p, size_t n);
size_t mock_taps(void); /* that did not end */

struct mock_packet {
    uint16_t mindex;
    uint64_t time_us;
    bool marker;
    size_t len;
    uint8_t payload[SL_PLAYER_PACKET_MAX];
};
/* What the @n-th endpoint, a player, sent next; false: nothing more. */
bool mock_played(size_t n, struct mock_packet *out);
/* A subscriber of it needs a key frame. */
void mock_player_keyframe(size_t n, uint16_t mindex);
/* player_send says -EAGAIN, or no longer. */
void mock_player_full(bool is_full);

/* ---- the rest -------------------------------------------------------------------------------- */

/* Whether core->may says yes (default: yes), whether the core takes signed tokens (default: no; the
 * valid one is "good/<realm>/<descriptor>"), whether there is a configuration directory (yes). */
void mock_set_may(bool yes);
void mock_set_signed_tokens(bool on);
void mock_set_config_dir(bool there);
/* The group as it was saved last; NULL: it was not, or was removed. Borrowed. */
const json_t *mock_saved(const char *group);
/* How many handler events of this name were sent: "created" counts {"event": "created"}, and of a
 * plugin "my.plugin.lobby" "lobby:created" counts {"lobby": "created"}. */
unsigned mock_notified(const char *event);

/* ---- places of failures ---------------------------------------------------------------------- */

void mock_at(const char *file, int line);

#ifndef MOCK_PLACELESS
#define MOCK_AT(call) (mock_at(__FILE__, __LINE__), call)
#define mock_start(...)             MOCK_AT(mock_start(__VA_ARGS__))
#define mock_stop(...)              MOCK_AT(mock_stop(__VA_ARGS__))
#define mock_attach(...)            MOCK_AT(mock_attach(__VA_ARGS__))
#define mock_detach(...)            MOCK_AT(mock_detach(__VA_ARGS__))
#define mock_call(...)              MOCK_AT(mock_call(__VA_ARGS__))
#define mock_call_json(...)         MOCK_AT(mock_call_json(__VA_ARGS__))
#define mock_admin(...)             MOCK_AT(mock_admin(__VA_ARGS__))
#define mock_query(...)             MOCK_AT(mock_query(__VA_ARGS__))
#define mock_send(...)              MOCK_AT(mock_send(__VA_ARGS__))
#define mock_expect(...)            MOCK_AT(mock_expect(__VA_ARGS__))
#define mock_request(...)           MOCK_AT(mock_request(__VA_ARGS__))
#define mock_expect_hangup(...)     MOCK_AT(mock_expect_hangup(__VA_ARGS__))
#define mock_expect_nothing(...)    MOCK_AT(mock_expect_nothing(__VA_ARGS__))
#define mock_data_check(...)        MOCK_AT(mock_data_check(__VA_ARGS__))
#define mock_take(...)              MOCK_AT(mock_take(__VA_ARGS__))
#define mock_order(...)             MOCK_AT(mock_order(__VA_ARGS__))
#define mock_answer(...)            MOCK_AT(mock_answer(__VA_ARGS__))
#define mock_up(...)                MOCK_AT(mock_up(__VA_ARGS__))
#define mock_down(...)              MOCK_AT(mock_down(__VA_ARGS__))
#define mock_watched(...)           MOCK_AT(mock_watched(__VA_ARGS__))
#define mock_quality(...)           MOCK_AT(mock_quality(__VA_ARGS__))
#define mock_layer(...)             MOCK_AT(mock_layer(__VA_ARGS__))
#define mock_talking(...)           MOCK_AT(mock_talking(__VA_ARGS__))
#define mock_voice(...)             MOCK_AT(mock_voice(__VA_ARGS__))
#define mock_slow_link(...)         MOCK_AT(mock_slow_link(__VA_ARGS__))
#define mock_data_open(...)         MOCK_AT(mock_data_open(__VA_ARGS__))
#define mock_data_close(...)        MOCK_AT(mock_data_close(__VA_ARGS__))
#define mock_data(...)              MOCK_AT(mock_data(__VA_ARGS__))
#define mock_data_full(...)         MOCK_AT(mock_data_full(__VA_ARGS__))
#define mock_data_paused(...)       MOCK_AT(mock_data_paused(__VA_ARGS__))
#define mock_expect_data(...)       MOCK_AT(mock_expect_data(__VA_ARGS__))
#define mock_ndata(...)             MOCK_AT(mock_ndata(__VA_ARGS__))
#define mock_route(...)             MOCK_AT(mock_route(__VA_ARGS__))
#define mock_line(...)              MOCK_AT(mock_line(__VA_ARGS__))
#define mock_nlines(...)            MOCK_AT(mock_nlines(__VA_ARGS__))
#define mock_remote_data(...)       MOCK_AT(mock_remote_data(__VA_ARGS__))
#define mock_remote_talking(...)    MOCK_AT(mock_remote_talking(__VA_ARGS__))
#define mock_resolved(...)          MOCK_AT(mock_resolved(__VA_ARGS__))
#define mock_call_late(...)         MOCK_AT(mock_call_late(__VA_ARGS__))
#define mock_try(...)               MOCK_AT(mock_try(__VA_ARGS__))
#define mock_late(...)              MOCK_AT(mock_late(__VA_ARGS__))
#define mock_run(...)               MOCK_AT(mock_run(__VA_ARGS__))
#define mock_tap(...)               MOCK_AT(mock_tap(__VA_ARGS__))
#define mock_played(...)            MOCK_AT(mock_played(__VA_ARGS__))
#define mock_player_keyframe(...)   MOCK_AT(mock_player_keyframe(__VA_ARGS__))
#endif

#ifdef __cplusplus
}
#endif

#endif
