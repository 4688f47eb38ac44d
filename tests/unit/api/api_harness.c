#include "api_harness.h"
#include "base/role.h"
#include "plugin/plugin_check.h"
#include "plugin/plugin_loader.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct t T;

#define DEFAULT_CONF                                                                               \
    {                                                                                              \
        .session_timeout_s = 60, .reclaim_timeout_s = 10, .candidates_timeout_s = 45,              \
        .max_sessions = 100, .max_handles = 5, .max_events = 1000, .max_polls = 20,                \
        .max_requests = 10, .max_candidates = 100, .max_sdp_bytes = 2000, .max_mlines = 3,         \
        .no_media_timer_s = 1, .slowlink_threshold = 4, .anonymous = true,                         \
    }
static const struct sl_api_conf default_conf = DEFAULT_CONF;
struct sl_api_conf t_api_conf = DEFAULT_CONF;

/* ---- the plugin ------------------------------------------------------------------------------ */

static const struct sl_mline wanted[2] = {
    { .mid = "0", .kind = SL_KIND_AUDIO, .dir = SL_DIR_SENDRECV },
    { .mid = "1", .kind = SL_KIND_VIDEO, .dir = SL_DIR_SENDRECV },
};

static json_t *data_new(const char *value)
{
    return json_pack("{s:s}", "test", value);
}

static int p_init(const struct sl_core *core)
{
    T.pcore = core;
    return 0;
}

static void p_fini(void)
{
    T.pcore = NULL;
}

static int p_attach(sl_hid h, const char *opaque_id, void **state)
{
    if (T.plugin.attach_err)
        return T.plugin.attach_err;
    T.plugin.attached++;
    T.plugin.hid = h;
    snprintf(T.plugin.opaque, sizeof(T.plugin.opaque), "%s", opaque_id ? opaque_id : "");
    *state = &T;
    return 0;
}

static void p_detach(sl_hid h, void *state)
{
    assert_ptr_equal(state, &T);
    T.plugin.detached++;
    /* Nothing reaches the client any more. */
    assert_int_equal(T.pcore->event(h, NULL, data_new("late"), NULL), -ESTALE);
}

static void describe(sl_hid h, struct sl_msg *m, enum sl_jsep_type type)
{
    struct sl_jsep_out out = { .type = type, .lines = wanted, .nlines = 2 };

    T.plugin.event_err = T.pcore->event(h, m, data_new("described"), &out);
}

static void p_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                      const struct sl_jsep_in *jsep)
{
    const struct sl_core *c = T.pcore;
    const char *r = json_string_value(json_object_get(body, "request"));

    T.plugin.jsep = jsep ? jsep->type : SL_JSEP_NONE;
    T.plugin.may = c->may(h, "room.create");
    if (!strcmp(r, "sync")) {
        c->reply(m, data_new("sync"));
    } else if (!strcmp(r, "async")) {
        c->ack(m, "wait");
        c->ack(m, "again");
        T.plugin.event_err = c->event(h, m, data_new("async"), NULL);
        c->reply(m, data_new("too late"));
    } else if (!strcmp(r, "unacked")) {
        T.plugin.event_err = c->event(h, m, data_new("unacked"), NULL);
    } else if (!strcmp(r, "reply-late")) {
        c->ack(m, NULL);
        c->reply(m, data_new("reply-late"));
    } else if (!strcmp(r, "later")) {
        c->ack(m, NULL);
        T.plugin.kept = m;
    } else if (!strcmp(r, "keep")) {
        c->ack(m, NULL);
        T.plugin.event_err = c->offer_keep(h);
        c->event(h, m, data_new("kept"), NULL);
    } else if (!strcmp(r, "answer-kept")) {
        c->ack(m, NULL);
        describe(h, NULL, SL_JSEP_ANSWER);
        c->event(h, m, data_new("answered"), NULL);
    } else if (!strcmp(r, "answer")) {
        c->ack(m, NULL);
        describe(h, m, SL_JSEP_ANSWER);
    } else if (!strcmp(r, "answer-unacked")) {
        describe(h, m, SL_JSEP_ANSWER);
        if (T.plugin.event_err)
            c->reply(m, data_new("refused"));
    } else if (!strcmp(r, "offer")) {
        describe(h, m, SL_JSEP_OFFER);
    } else if (!strcmp(r, "offer-and-event")) {
        describe(h, m, SL_JSEP_OFFER);
        c->event(h, NULL, data_new("behind"), NULL);
    } else if (!strcmp(r, "close")) {
        c->close_pc(h, NULL);
        c->reply(m, data_new("closed"));
    } else if (!strcmp(r, "end")) {
        c->end_handle(h);
        c->reply(m, data_new("ended"));
    }
}

static json_t *p_admin(const json_t *body)
{
    return json_pack("{s:i}", "members", (int)json_object_size(body));
}

static void p_up(sl_hid h, void *state)
{
    T.plugin.ups++;
}

static void p_down(sl_hid h, void *state, const char *reason)
{
    T.plugin.downs++;
    snprintf(T.plugin.reason, sizeof(T.plugin.reason), "%s", reason);
}

static void p_receiving(sl_hid h, void *state, uint16_t mindex, int substream, bool receiving)
{
    T.plugin.receiving++;
}

static void p_slow(sl_hid h, void *state, uint16_t mindex, bool uplink, uint32_t lost)
{
    T.plugin.slow++;
}

static void p_talking(sl_hid h, void *state, uint16_t mindex, bool talking, double level)
{
    T.plugin.talking++;
}

static void p_layer(sl_hid h, void *state, uint16_t mindex, const struct sl_layer_event *ev)
{
    T.plugin.layers++;
}

static void data_note(const char *what, const char *label, const char *protocol, const char *text)
{
    size_t n = strlen(T.plugin.data);

    snprintf(T.plugin.data + n, sizeof(T.plugin.data) - n, "%s(%s,%s,%s) ", what, label, protocol,
             text);
}

static void p_data_open(sl_hid h, void *state, const char *label, const char *protocol)
{
    data_note("open", label, protocol, "");
}

static void p_data_close(sl_hid h, void *state, const char *label, const char *protocol)
{
    data_note("close", label, protocol, "");
}

static void p_data(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                   const void *data, size_t len)
{
    assert_int_equal(strlen(data), len);
    data_note(binary ? "binary" : "text", label, protocol, data);
}

static void p_data_writable(sl_hid h, void *state)
{
    data_note("writable", "", "", "");
}

static const struct sl_plugin plugin = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = "test.plugin.one",
    .name = "One",
    .author = "A",
    .description = "D",
    .version_string = "0.0.1",
    .version = 1,
    .init = p_init,
    .fini = p_fini,
    .attach = p_attach,
    .detach = p_detach,
    .message = p_message,
    .admin = p_admin,
    .media_up = p_up,
    .media_down = p_down,
    .on_receiving = p_receiving,
    .on_slow_link = p_slow,
    .on_talking = p_talking,
    .on_layer = p_layer,
    .on_data_open = p_data_open,
    .on_data_close = p_data_close,
    .on_data = p_data,
    .on_data_writable = p_data_writable,
};

/* ---- the transport --------------------------------------------------------------------------- */

static void record(struct t_rec r)
{
    assert_true(T.nrec < (int)(sizeof(T.rec) / sizeof(T.rec[0])));
    json_incref(r.json);
    T.rec[T.nrec++] = r;
}

static void x_answer(sl_conn conn, void *tag, enum sl_tstatus status, json_t *json)
{
    record((struct t_rec){ false, conn, (uintptr_t)tag, status, json });
}

static void x_push(sl_conn conn, json_t *json)
{
    record((struct t_rec){ true, conn, 0, SL_TSTATUS_OK, json });
}

/* Says back what it was asked, but nothing to {"mute": true}. */
static json_t *x_query(const json_t *request)
{
    return json_is_true(json_object_get(request, "mute")) ? NULL
                                                          : json_pack("{s:O?}", "asked", request);
}

static const struct sl_transport transport = {
    .abi = SL_TRANSPORT_ABI,
    .size = sizeof(struct sl_transport),
    .package = "test.transport.fake",
    .name = "Fake",
    .author = "A",
    .description = "D",
    .version_string = "0.0.1",
    .version = 1,
    .answer = x_answer,
    .push = x_push,
    .query = x_query,
};

/* ---- setup ----------------------------------------------------------------------------------- */

int t_setup(void **state)
{
    char err[SL_PLUGIN_ERROR_MAX];

    (void)state;
    sl_role_enter(&sl_role_control);
    memset(&T, 0, sizeof(T));
    mock_pc_reset();
    sl_plugin_checks = false; /* some tests show that the core survives what it would find */
    T.now_us = 1000000000;
    assert_int_equal(sl_cq_init(&T.cq, T.now_us), 0);
    assert_int_equal(sl_plugins_create(NULL, NULL, &T.plugins), 0);
    assert_int_equal(sl_api_create(&t_api_conf, &T.cq, T.plugins, NULL, &T.api), 0);
    assert_int_equal(sl_plugins_add(T.plugins, &plugin, err, sizeof(err)), 0);
    T.core = sl_api_transport_add(T.api, &transport);
    assert_non_null(T.core);
    sl_role_leave(&sl_role_control);
    return 0;
}

int t_session(void **state)
{
    t_setup(state);
    t_create(T_CONN, "");
    return 0;
}

int t_handle(void **state)
{
    t_session(state);
    t_attach(T_CONN);
    return 0;
}

int t_teardown(void **state)
{
    (void)state;
    sl_role_enter(&sl_role_control);
    sl_api_close(T.api);
    sl_plugins_destroy(T.plugins);
    sl_api_destroy(T.api);
    sl_cq_fini(&T.cq);
    sl_role_leave(&sl_role_control);
    for (int i = 0; i < T.nrec; i++)
        json_decref(T.rec[i].json);
    T.nrec = 0;
    assert_int_equal(mock_pc.created, mock_pc.destroyed);
    assert_int_equal(T.plugin.attached, T.plugin.detached);
    t_api_conf = default_conf;
    return 0;
}

void t_run(uint64_t ms)
{
    sl_role_enter(&sl_role_control);
    for (uint64_t end = T.now_us + ms * 1000; T.now_us < end;) {
        T.now_us = end - T.now_us > 100000 ? T.now_us + 100000 : end;
        sl_cq_run(&T.cq, T.now_us);
    }
    sl_cq_run(&T.cq, T.now_us);
    sl_role_leave(&sl_role_control);
}

/* ---- requests -------------------------------------------------------------------------------- */

static char *expand(const char *text)
{
    size_t cap = strlen(text) * 12 + 1;
    char *out = malloc(cap), *p = out;

    assert_non_null(out);
    for (; *text; text++) {
        if (text[0] == '$' && text[1] == 'S')
            p += sprintf(p, "%" PRIu64, T.session), text++;
        else if (text[0] == '$' && text[1] == 'H')
            p += sprintf(p, "%" PRIu64, T.handle), text++;
        else
            *p++ = *text;
    }
    *p = '\0';
    return out;
}

json_t *t_json(const char *text)
{
    char *full = expand(text);
    json_error_t e;
    json_t *j = json_loads(full, JSON_DECODE_ANY, &e);

    if (!j)
        fail_msg("bad JSON in the test: %s: %s", e.text, full);
    free(full);
    return j;
}

static void request(struct sl_treq req)
{
    req.tag = (void *)++T.last_tag;
    T.core->request(&req);
    t_run(0);
}

void t_send_conn(sl_conn conn, const char *text)
{
    request((struct sl_treq){ .kind = SL_TREQ_MESSAGE, .conn = conn, .root = t_json(text) });
}

void t_send(const char *text)
{
    t_send_conn(T_CONN, text);
}

void t_send_http(const char *text, uint64_t session, uint64_t handle)
{
    request((struct sl_treq){
        .kind = SL_TREQ_MESSAGE, .root = t_json(text), .session = session, .handle = handle });
}

void t_send_admin(const char *text)
{
    request((struct sl_treq){ .kind = SL_TREQ_MESSAGE, .root = t_json(text), .admin = true });
}

void t_bad_json(sl_conn conn)
{
    request((struct sl_treq){ .kind = SL_TREQ_BAD_JSON, .conn = conn });
}

uintptr_t t_poll(uint64_t session, int maxev, const char *secret, const char *token)
{
    request((struct sl_treq){ .kind = SL_TREQ_POLL,
                              .session = session,
                              .maxev = maxev,
                              .apisecret = secret,
                              .token = token });
    return T.last_tag;
}

void t_gone(sl_conn conn)
{
    T.core->gone(conn);
    t_run(0);
}

/* ---- what came back -------------------------------------------------------------------------- */

const struct t_rec *t_next(void)
{
    return T.read < T.nrec ? &T.rec[T.read++] : NULL;
}

static void show(const char *what, const json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    print_error("%s: %s\n", what, text ? text : "(none)");
    free(text);
}

void t_expect_none(void)
{
    const struct t_rec *r = t_next();

    if (r)
        show("unexpected", r->json);
    assert_null(r);
}

static void compare(const struct t_rec *r, const char *text)
{
    json_t *want = t_json(text);
    bool same = r && json_equal(want, r->json);

    if (!same) {
        show("wanted", want);
        show("got   ", r ? r->json : NULL);
    }
    json_decref(want);
    assert_true(same);
}

void t_answer(const char *text)
{
    const struct t_rec *r = t_next();

    compare(r, text);
    assert_false(r->pushed);
}

void t_pushed(sl_conn conn, const char *text)
{
    const struct t_rec *r = t_next();

    compare(r, text);
    assert_true(r->pushed);
    assert_int_equal(r->conn, conn);
}

void t_exchange(const char *text, const char *want)
{
    t_send(text);
    t_answer(want);
}

static uint64_t take_id(void)
{
    const struct t_rec *r = t_next();
    const json_t *id;

    assert_non_null(r);
    id = json_object_get(json_object_get(r->json, "data"), "id");
    if (!json_is_integer(id))
        show("no id in", r->json);
    assert_true(json_is_integer(id));
    assert_in_range(json_integer_value(id), 1, (UINT64_C(1) << 53) - 1);
    return (uint64_t)json_integer_value(id);
}

void t_create(sl_conn conn, const char *extra)
{
    char text[512];

    snprintf(text, sizeof(text), "{\"janus\":\"create\",\"transaction\":\"c\"%s}", extra);
    t_send_conn(conn, text);
    T.session = take_id();
}

void t_attach(sl_conn conn)
{
    t_send_conn(conn, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":$S,"
                      "\"plugin\":\"test.plugin.one\"}");
    T.handle = take_id();
}
