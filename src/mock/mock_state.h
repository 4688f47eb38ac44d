/*
 * mock_state.h - what mock_core.c (struct sl_core) and mock_client.c (the tests' side) share.
 */
#ifndef MOCK_STATE_H
#define MOCK_STATE_H

#define MOCK_PLACELESS /* here the functions of the tests are themselves */
#include <sluice/mock.h>

enum seen_type { SEEN_EVENT, SEEN_HANGUP };

/* Something that reached a client. */
struct seen {
    struct seen *next;
    enum seen_type type;
    uint64_t order, tx;
    json_t *data;
    enum sl_jsep_type jsep;
    char reason[64];
};

struct handle {
    bool attached, has_pc, up, awaits_answer, has_offer, offer_kept, restart, e2ee;
    bool end_wanted, down_wanted; /* when the plugin's callback has returned */
    char reason[64];              /* of the latter */
    void *state;
    struct seen *first, **last;
    char session_name[160];
    uint32_t bitrate, fir;
    uint64_t group;
    size_t nlines, noffered;
    struct {
        enum sl_kind kind;
        enum sl_dir dir;
        bool rejected;
    } offered[MOCK_LINES];
    struct mock_line lines[MOCK_LINES];
    struct mock_route routes[MOCK_LINES];
    struct mock_data *data; /* that reached the client, oldest first */
    size_t ndata;
    bool data_full, data_owed, data_paused;
};

struct mock_data {
    struct mock_data *next;
    size_t cap;
    char text[]; /* as in mock_expect_data */
};

struct sl_msg {
    uint64_t tx;
    sl_hid h;
    bool acked, ended, held;
    json_t *reply;
    struct sl_msg *next;
};

#define MOCK_ENDPOINTS 256
#define MOCK_ENDPOINT  (1ull << 63) /* in their ids */

struct mock {
    const struct sl_plugin *plugin;
    unsigned int depth;                   /* of the plugin's callbacks that run */
    struct handle *handles[MOCK_HANDLES]; /* by id - 1; large, so made with the first use */
    size_t nhandles;
    struct sl_msg *msgs;
    uint64_t next_tx, next_order, next_id;
    struct mock_endpoint *endpoints[MOCK_ENDPOINTS]; /* by id - MOCK_ENDPOINT - 1 */
    size_t nendpoints;
    int endpoint_err; /* forward_add and remote_add return it */
    struct {
        sl_resolved_fn fn;
        void *arg;
        uint64_t id;
        char host[64];
        int family;
    } lookup[32]; /* of names; id 0: none */
    uint64_t now_us;
    bool in_tap, player_full;
    struct mock_timer *timers; /* unordered */
    struct mock_post *posts, **last_post;
    struct mock_tap *taps;
    struct mock_sent *sent, **last_sent;
    json_t *config, *saved, *notified;
    bool may, config_dir, signed_tokens;
};

extern struct mock mock;
extern const struct sl_core mock_core;

/* Ends the test, at the line from which it last called the mock. */
_Noreturn void mock_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define mock_check(is_true, ...) ((is_true) ? (void)0 : mock_fail(__VA_ARGS__))

/* mock_json.c: the text of a test, new. */
json_t *mock_json(const char *text);

/* Around each callback of the plugin. What it ends meanwhile, a handle or a connection, goes with
 * the outermost mock_leave. */
void mock_enter(void);
void mock_leave(void);
#define MOCK_CALLBACK(call)                                                                        \
    do {                                                                                           \
        mock_enter();                                                                              \
        call;                                                                                      \
        mock_leave();                                                                              \
    } while (0)

/* NULL: no such handle any more. */
struct handle *mock_handle(sl_hid h);
struct seen *mock_seen_add(struct handle *hd, enum seen_type type);
struct mock_line *mock_endpoint_line(struct sl_mref r);
int mock_core_forward_add(const struct sl_forward *f, sl_hid *out, uint16_t *rtcp_port);
int mock_core_forward_lines(sl_hid h, const struct sl_forward_line *lines, size_t n);
int mock_core_forward_data(sl_hid h, uint32_t ssrc, bool binary, const void *data, size_t len);
int mock_core_remote_add(const struct sl_remote *r, sl_hid *out, struct sl_remote_at *at);
int mock_core_remote_lines(sl_hid h, const struct sl_remote_line *lines, size_t n);
void mock_core_endpoint_del(sl_hid h);
int mock_core_resolve(const char *host, int family, sl_resolved_fn fn, void *arg, uint64_t *id);
void mock_core_resolve_cancel(uint64_t id);
void mock_core_hold(struct sl_msg *m);
void mock_pc_close(sl_hid h, const char *reason); /* of a client; media_down is called at once */
void mock_handle_end(sl_hid h);

/* mock_data.c */
int mock_core_data_send(sl_hid h, const char *label, const char *protocol, bool binary,
                        const void *data, size_t len);
int mock_core_data_close(sl_hid h, const char *label);
int mock_core_data_pause(sl_hid h, bool paused);
void mock_data_clear(struct handle *hd);

/* mock_later.c */
uint64_t mock_core_timer_add(uint32_t ms, bool repeat, sl_plugin_timer_fn fn, void *arg);
void mock_core_timer_del(uint64_t id);
uint64_t mock_core_now_us(void);
int mock_core_post(sl_post_fn fn, void *arg);
void mock_later_init(void);
void mock_later_clear(void);
/* Fails inside a tap. */
void mock_on_control(const char *call);

/* mock_media.c; an endpoint's part is in mock_endpoint.c */
struct mock_line *mock_line_get(struct sl_mref r);
struct mock_endpoint *mock_endpoint_new(sl_hid *out);
struct mock_endpoint *mock_endpoint_get(sl_hid h);
int mock_core_tap_add(struct sl_mref from, const struct sl_tap *tap, uint64_t *id);
void mock_core_tap_del(uint64_t id);
void mock_taps_end(sl_hid publisher); /* 0: of all */
int mock_core_player_add(const struct sl_player *p, sl_hid *out);
int mock_core_player_send(sl_hid player, uint16_t mindex, const struct sl_player_packet *p,
                          size_t n);
void mock_media_init(void);
void mock_media_clear(void);

#endif
