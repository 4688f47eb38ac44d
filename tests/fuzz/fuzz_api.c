/*
 * fuzz_api.c - any JSON as a request: every request with a tag gets exactly one answer, answers and
 * events are objects with `janus`, and what a request made can be ended.
 *
 * The input is JSON texts, one per line. "$S" and "$H" (as strings, anywhere) stand for a session
 * and a handle that exist. A line that does not parse is handed in as such. Peer connections are
 * those of tests/mock; the plugin answers an offer when the body says so.
 */
#include "fuzz.h"
#include "api/api.h"
#include "base/log.h"
#include "base/role.h"
#include "mock_pc.h"
#include "plugin/plugin_check.h"
#include "plugin/plugin_loader.h"
#include <string.h>

#define CONN    ((sl_conn)3)
#define LINES   64
#define NOW     1000000
#define STEP_US 700000

static const struct sl_core *core;
static int answers;
static json_int_t last_id;

/* ---- the plugin and the transport ------------------------------------------------------------ */

static int p_init(const struct sl_core *c)
{
    core = c;
    return 0;
}

static int p_attach(sl_hid h, const char *opaque_id, void **state)
{
    return 0;
}

static void p_detach(sl_hid h, void *state)
{
}

static void p_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                      const struct sl_jsep_in *jsep)
{
    struct sl_jsep_out out = { .type = jsep && jsep->type == SL_JSEP_OFFER ? SL_JSEP_ANSWER
                                                                           : SL_JSEP_OFFER };
    size_t members = json_object_size(body);

    if (members & 1)
        core->ack(m, NULL);
    if (members & 2)
        core->event(h, m, json_object(), json_object_get(body, "sdp") ? &out : NULL);
    if (members & 4)
        core->close_pc(h, NULL);
    if (json_object_get(body, "end"))
        core->end_handle(h);
    if (!(members & 1))
        core->reply(m, json_object());
}

static const struct sl_plugin plugin = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = "p",
    .name = "p",
    .author = "p",
    .description = "p",
    .version_string = "1",
    .init = p_init,
    .attach = p_attach,
    .detach = p_detach,
    .message = p_message,
};

static void x_answer(sl_conn conn, void *tag, enum sl_tstatus status, json_t *json)
{
    answers++;
    FUZZ_CHECK(status != SL_TSTATUS_OK || json_is_string(json_object_get(json, "janus")));
    last_id = json_integer_value(json_object_get(json_object_get(json, "data"), "id"));
}

static void x_push(sl_conn conn, json_t *json)
{
    FUZZ_CHECK(conn == CONN && json_is_string(json_object_get(json, "janus")));
}

static const struct sl_transport transport = {
    .abi = SL_TRANSPORT_ABI,
    .size = sizeof(struct sl_transport),
    .package = "x",
    .name = "x",
    .author = "x",
    .description = "x",
    .version_string = "1",
    .answer = x_answer,
    .push = x_push,
};

/* ---- one input ------------------------------------------------------------------------------- */

struct run {
    struct sl_cq cq;
    struct sl_plugins *plugins;
    struct sl_api *api;
    const struct sl_tcore *tcore;
    uint64_t now_us;
    json_int_t session, handle;
};

static void hand_in(struct run *r, enum sl_treq_kind kind, json_t *root) SL_ON_CONTROL;
static void hand_in(struct run *r, enum sl_treq_kind kind, json_t *root)
{
    struct sl_treq req = { .kind = kind, .conn = CONN, .tag = r, .root = root };
    int before = answers;

    r->tcore->request(&req);
    sl_cq_run(&r->cq, r->now_us);
    FUZZ_CHECK(answers == before + 1);
    r->now_us += STEP_US;
    sl_cq_run(&r->cq, r->now_us);
}

static void one_line(struct run *r, const char *text, size_t len) SL_ON_CONTROL;
static void one_line(struct run *r, const char *text, size_t len)
{
    json_t *j = json_loadb(text, len, JSON_DECODE_ANY, NULL);
    const char *s;

    if (!j) {
        hand_in(r, SL_TREQ_BAD_JSON, NULL);
        return;
    }
    s = json_string_value(json_object_get(j, "session_id"));
    if (s && !strcmp(s, "$S"))
        json_object_set_new(j, "session_id", json_integer(r->session));
    s = json_string_value(json_object_get(j, "handle_id"));
    if (s && !strcmp(s, "$H"))
        json_object_set_new(j, "handle_id", json_integer(r->handle));
    hand_in(r, SL_TREQ_MESSAGE, j);
}

static void start(struct run *r) SL_ON_CONTROL;
static void start(struct run *r)
{
    static const struct sl_api_conf conf = {
        .session_timeout_s = 5,
        .reclaim_timeout_s = 2,
        .candidates_timeout_s = 2,
        .max_sessions = 5,
        .max_handles = 3,
        .max_events = 1000,
        .max_polls = 20,
        .max_requests = 1000,
        .max_candidates = 100,
        .max_sdp_bytes = 65536,
        .max_mlines = 256,
    };
    char err[SL_PLUGIN_ERROR_MAX];

    sl_log_set_level(SL_LOG_ERROR);
    mock_pc_reset();
    r->now_us = NOW;
    FUZZ_CHECK(!sl_cq_init(&r->cq, NOW));
    sl_plugin_checks = false; /* this plugin answers twice, and the core survives it */
    FUZZ_CHECK(!sl_plugins_create(NULL, NULL, &r->plugins));
    FUZZ_CHECK(!sl_api_create(&conf, &r->cq, r->plugins, NULL, &r->api));
    FUZZ_CHECK(!sl_plugins_add(r->plugins, &plugin, err, sizeof(err)));
    r->tcore = sl_api_transport_add(r->api, &transport);
    hand_in(r, SL_TREQ_MESSAGE, json_pack("{s:s, s:s}", "janus", "create", "transaction", "c"));
    r->session = last_id;
    hand_in(r, SL_TREQ_MESSAGE,
            json_pack("{s:s, s:s, s:I, s:s}", "janus", "attach", "transaction", "a", "session_id",
                      r->session, "plugin", "p"));
    r->handle = last_id;
    FUZZ_CHECK(r->session && r->handle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *end = p + size;
    struct run r = { .session = 0 };

    sl_role_enter(&sl_role_control);
    start(&r);
    for (int i = 0; p < end && i < LINES; i++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));

        one_line(&r, p, (size_t)((nl ? nl : end) - p));
        p = nl ? nl + 1 : end;
    }
    r.tcore->gone(CONN);
    sl_cq_run(&r.cq, r.now_us);
    sl_api_close(r.api);
    sl_plugins_destroy(r.plugins);
    sl_api_destroy(r.api);
    sl_cq_fini(&r.cq);
    sl_role_leave(&sl_role_control);
    FUZZ_CHECK(mock_pc.created == mock_pc.destroyed);
    return 0;
}
