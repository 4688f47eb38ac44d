/* Validation, errors and verbs: control protocol, sections 3 to 5. */

#include "api_harness.h"
#include "api/api_error.h"
#include <string.h>

#define ERR(code, reason)                                                                          \
    "{\"janus\":\"error\",\"transaction\":\"t\",\"error\":{\"code\":" #code                        \
    ",\"reason\":\"" reason "\"}}"
#define ERR_S(code, reason)                                                                        \
    "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{\"code\":" #code      \
    ",\"reason\":\"" reason "\"}}"
#define ERR_NO_T(code, reason)                                                                     \
    "{\"janus\":\"error\",\"error\":{\"code\":" #code ",\"reason\":\"" reason "\"}}"

struct row {
    const char *send, *want;
};

static void run_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        t_exchange(rows[i].send, rows[i].want);
        t_expect_none();
    }
}
#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void checks_the_envelope_in_order(void **state)
{
    static const struct row rows[] = {
        { "[]", ERR_NO_T(456, "Missing mandatory element (transaction)") },
        { "7", ERR_NO_T(456, "Missing mandatory element (transaction)") },
        { "{}", ERR_NO_T(456, "Missing mandatory element (transaction)") },
        { "{\"transaction\":7}",
          ERR_NO_T(467, "Invalid element type (transaction should be a string)") },
        { "{\"transaction\":null,\"janus\":\"ping\"}",
          ERR_NO_T(467, "Invalid element type (transaction should be a string)") },
        { "{\"transaction\":\"t\"}", ERR(456, "Missing mandatory element (janus)") },
        { "{\"transaction\":\"t\",\"janus\":true}",
          ERR(467, "Invalid element type (janus should be a string)") },
        { "{\"transaction\":\"t\",\"janus\":\"create\",\"id\":\"5\"}",
          ERR(467, "Invalid element type (id should be a positive integer)") },
        { "{\"transaction\":\"t\",\"janus\":\"create\",\"id\":5.0}",
          ERR(467, "Invalid element type (id should be a positive integer)") },
        { "{\"transaction\":\"t\",\"janus\":\"create\",\"id\":-1}",
          ERR(467, "Invalid element type (id should be a positive integer)") },
        { "{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":\"5\"}",
          ERR(467, "Invalid element type (session_id should be an integer)") },
        { "{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":-5}",
          ERR(458, "Invalid session ID -5") },
        { "{\"transaction\":\"t\",\"janus\":\"message\",\"session_id\":null,\"handle_id\":5}",
          ERR(458, "Invalid session ID 0") },
        { "{\"transaction\":\"t\",\"janus\":\"message\",\"session_id\":$S,\"handle_id\":0}",
          ERR_S(459, "Invalid handle ID 0") },
        { "{\"transaction\":\"t\",\"janus\":\"message\",\"session_id\":$S,\"handle_id\":-1}",
          ERR_S(459, "Invalid handle ID -1") },
    };

    RUN(rows);
}

static void answers_unparsable_json(void **state)
{
    t_bad_json(T_CONN);
    t_answer(ERR_NO_T(454, "Invalid JSON"));
    t_bad_json(0);
    t_answer(ERR_NO_T(454, "Invalid JSON"));
}

static void tells_http_that_a_payload_is_no_object(void **state)
{
    t_send_http("[]", 0, 0);
    t_answer(ERR_NO_T(455, "Invalid JSON Object"));
}

static void compares_ids_of_path_and_payload(void **state)
{
    t_send_http("{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":12}", 13, 0);
    t_answer(ERR(457, "Conflicting session ID (payload and path)"));
    t_send_http("{\"transaction\":\"t\",\"janus\":\"hangup\",\"handle_id\":12}", T.session, 13);
    t_answer(ERR(457, "Conflicting handle ID (payload and path)"));
    t_send_http("{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":$S}", T.session, 0);
    t_answer("{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}");
    t_send_http("{\"transaction\":\"t\",\"janus\":\"keepalive\"}", T.session, 0);
    t_answer("{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}");
}

static void knows_the_level_of_every_verb(void **state)
{
    static const struct row rows[] = {
        { "{\"transaction\":\"t\",\"janus\":\"keepalive\"}",
          ERR(457, "Unhandled request 'keepalive' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"nonsense\"}",
          ERR(457, "Unhandled request 'nonsense' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":0}",
          ERR(457, "Unhandled request 'keepalive' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":1234}",
          "{\"janus\":\"error\",\"session_id\":1234,\"transaction\":\"t\",\"error\":{\"code\":458,"
          "\"reason\":\"No such session 1234\"}}" },
        { "{\"transaction\":\"t\",\"janus\":\"hangup\",\"session_id\":$S,\"handle_id\":9}",
          ERR_S(459, "No such handle 9 in session $S") },
        { "{\"transaction\":\"t\",\"janus\":\"nonsense\",\"session_id\":$S}",
          ERR_S(453, "Unknown request 'nonsense'") },
        { "{\"transaction\":\"t\",\"janus\":\"create\",\"session_id\":$S}",
          ERR_S(453, "Unknown request 'create'") },
        { "{\"transaction\":\"t\",\"janus\":\"nonsense\",\"session_id\":$S,\"handle_id\":$H}",
          ERR_S(453, "Unknown request 'nonsense'") },
        { "{\"transaction\":\"t\",\"janus\":\"destroy\",\"session_id\":$S,\"handle_id\":$H}",
          ERR_S(457, "Unhandled request 'destroy' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,\"handle_id\":$H,"
          "\"plugin\":\"test.plugin.one\"}",
          ERR_S(457, "Unhandled request 'attach' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"detach\",\"session_id\":$S}",
          ERR_S(457, "Unhandled request 'detach' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"hangup\",\"session_id\":$S}",
          ERR_S(457, "Unhandled request 'hangup' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"message\",\"session_id\":$S}",
          ERR_S(457, "Unhandled request 'message' at this path") },
        { "{\"transaction\":\"t\",\"janus\":\"trickle\",\"session_id\":$S}",
          ERR_S(457, "Unhandled request 'trickle' at this path") },
    };

    RUN(rows);
}

/* Both are kept as long as the handle, or the request, lives. */
static void keeps_no_long_texts(void **state)
{
    char text[2048], want[2048], longest[1026];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    snprintf(text, sizeof(text),
             "{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,"
             "\"plugin\":\"test.plugin.one\",\"opaque_id\":\"%s\"}",
             longest);
    t_exchange(text, ERR_S(467, "Invalid element (opaque_id is longer than 1024 bytes)"));
    snprintf(text, sizeof(text), "{\"transaction\":\"%s\",\"janus\":\"ping\"}", longest);
    snprintf(want, sizeof(want),
             "{\"janus\":\"error\",\"transaction\":\"%s\",\"error\":{\"code\":467,\"reason\":"
             "\"Invalid element (transaction is longer than 1024 bytes)\"}}",
             longest);
    t_exchange(text, want);
    longest[sizeof(longest) - 2] = '\0';
    snprintf(text, sizeof(text), "{\"transaction\":\"%s\",\"janus\":\"ping\"}", longest);
    snprintf(want, sizeof(want), "{\"janus\":\"pong\",\"transaction\":\"%s\"}", longest);
    t_exchange(text, want);
}

static void answers_every_verb(void **state)
{
    static const struct row rows[] = {
        { "{\"transaction\":\"t\",\"janus\":\"ping\"}",
          "{\"janus\":\"pong\",\"transaction\":\"t\"}" },
        { "{\"transaction\":\"t\",\"janus\":\"create\",\"id\":4711}",
          "{\"janus\":\"success\",\"transaction\":\"t\",\"data\":{\"id\":4711}}" },
        { "{\"transaction\":\"t\",\"janus\":\"create\",\"id\":4711}",
          ERR(468, "Session ID already in use") },
        { "{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":$S}",
          "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}" },
        { "{\"transaction\":\"t\",\"janus\":\"KeepAlive\",\"session_id\":$S,\"handle_id\":$H}",
          "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}" },
        { "{\"transaction\":\"t\",\"janus\":\"claim\",\"session_id\":$S}",
          "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}" },
        { "{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S}",
          ERR_S(456, "Missing mandatory element (plugin)") },
        { "{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,\"plugin\":1}",
          ERR_S(467, "Invalid element type (plugin should be a string)") },
        { "{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,\"plugin\":\"none\"}",
          ERR_S(460, "No such plugin 'none'") },
        { "{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,"
          "\"plugin\":\"test.plugin.one\",\"opaque_id\":3}",
          ERR_S(467, "Invalid element type (opaque_id should be a string)") },
        { "{\"transaction\":\"t\",\"janus\":\"hangup\",\"session_id\":$S,\"handle_id\":$H}",
          "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}" },
        { "{\"transaction\":\"t\",\"janus\":\"message\",\"session_id\":$S,\"handle_id\":$H}",
          ERR_S(456, "Missing mandatory element (body)") },
        { "{\"transaction\":\"t\",\"janus\":\"message\",\"session_id\":$S,\"handle_id\":$H,"
          "\"body\":\"x\"}",
          ERR_S(467, "Invalid element type (body should be an object)") },
    };

    RUN(rows);
}

static void takes_null_for_absent(void **state)
{
    t_exchange("{\"transaction\":\"t\",\"janus\":\"ping\",\"session_id\":null,\"handle_id\":null,"
               "\"apisecret\":null,\"token\":null,\"id\":null}",
               "{\"janus\":\"pong\",\"transaction\":\"t\"}");
    t_send("{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,\"opaque_id\":null,"
           "\"loop_index\":null,\"plugin\":\"test.plugin.one\",\"handle_id\":null}");
    assert_string_equal(json_string_value(json_object_get(t_next()->json, "janus")), "success");
    t_exchange("{\"transaction\":\"t\",\"janus\":\"message\",\"session_id\":$S,\"handle_id\":$H,"
               "\"body\":{\"request\":\"sync\"},\"jsep\":null}",
               "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H,"
               "\"plugindata\":{\"plugin\":\"test.plugin.one\",\"data\":{\"test\":\"sync\"}}}");
}

static void create_has_no_session_id_and_attach_has(void **state)
{
    const struct t_rec *r;

    t_send("{\"transaction\":\"t\",\"janus\":\"create\"}");
    r = t_next();
    assert_null(json_object_get(r->json, "session_id"));
    assert_true(json_is_integer(json_object_get(json_object_get(r->json, "data"), "id")));
    t_send("{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,"
           "\"plugin\":\"test.plugin.one\",\"opaque_id\":\"me\"}");
    r = t_next();
    assert_int_equal(json_integer_value(json_object_get(r->json, "session_id")), T.session);
    assert_string_equal(T.plugin.opaque, "me");
}

static void bounds_sessions_and_handles(void **state)
{
    for (int i = 1; i < 5; i++)
        t_attach(T_CONN);
    t_exchange("{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,"
               "\"plugin\":\"test.plugin.one\"}",
               ERR_S(461, "Couldn't attach to plugin: too many handles in this session"));
    for (int i = 1; i < 100; i++)
        t_create(T_CONN, "");
    t_exchange("{\"transaction\":\"t\",\"janus\":\"create\"}",
               ERR(472, "Currently not accepting new sessions"));
}

static void tells_that_a_plugin_refused(void **state)
{
    T.plugin.attach_err = -13;
    t_exchange("{\"transaction\":\"t\",\"janus\":\"attach\",\"session_id\":$S,"
               "\"plugin\":\"test.plugin.one\"}",
               ERR_S(461, "Couldn't attach to plugin: Permission denied"));
}

static void gives_information_about_itself(void **state)
{
    const struct t_rec *r;

    t_send("{\"transaction\":\"t\",\"janus\":\"info\"}");
    r = t_next();
    assert_string_equal(json_string_value(json_object_get(r->json, "janus")), "server_info");
    assert_string_equal(json_string_value(json_object_get(r->json, "transaction")), "t");
    assert_int_equal(json_integer_value(json_object_get(r->json, "session-timeout")), 60);
    assert_true(json_is_false(json_object_get(r->json, "api_secret")));
    assert_non_null(json_object_get(json_object_get(r->json, "plugins"), "test.plugin.one"));
    assert_non_null(json_object_get(json_object_get(r->json, "transports"), "test.transport.fake"));
}

static void same_transaction_for_all_requests(void **state)
{
    for (int i = 0; i < 5; i++)
        t_send("{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":$S}");
    for (int i = 0; i < 5; i++)
        t_answer("{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}");
    t_expect_none();
}

static void detach_answers_then_tells(void **state)
{
    t_exchange("{\"transaction\":\"t\",\"janus\":\"detach\",\"session_id\":$S,\"handle_id\":$H}",
               "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}");
    t_pushed(T_CONN, "{\"janus\":\"detached\",\"session_id\":$S,\"sender\":$H}");
    assert_int_equal(T.plugin.detached, 1);
    t_exchange("{\"transaction\":\"t\",\"janus\":\"detach\",\"session_id\":$S,\"handle_id\":$H}",
               ERR_S(459, "No such handle $H in session $S"));
}

static void destroy_is_silent(void **state)
{
    t_exchange("{\"transaction\":\"t\",\"janus\":\"destroy\",\"session_id\":$S}",
               "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}");
    t_expect_none();
    assert_int_equal(T.plugin.detached, 1);
    t_exchange("{\"transaction\":\"t\",\"janus\":\"keepalive\",\"session_id\":$S}",
               ERR_S(458, "No such session $S"));
}

static void every_error_has_its_text(void **state)
{
    static const int codes[] = { 403, 405, 450, 452, 453, 454, 455, 456, 457, 458, 459, 460,
                                 461, 462, 463, 464, 465, 466, 467, 468, 469, 470, 471, 472 };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_string_not_equal(sl_api_error_to_str(codes[i]), "Unknown error");
    assert_string_equal(sl_api_error_to_str(490), "Unknown error");
}

static void closing_answers_everybody(void **state)
{
    const struct t_rec *r;

    t_poll(T.session, 1, NULL, NULL);
    sl_role_enter(&sl_role_control);
    sl_api_close(T.api);
    sl_role_leave(&sl_role_control);
    r = t_next();
    assert_int_equal(r->status, SL_TSTATUS_CLOSING);
    assert_int_equal(T.plugin.detached, 1);
    t_send("{\"transaction\":\"t\",\"janus\":\"ping\"}");
    r = t_next();
    assert_int_equal(r->status, SL_TSTATUS_CLOSING);
    assert_null(r->json);
    t_expect_none();
}

#define T_H(f) cmocka_unit_test_setup_teardown(f, t_handle, t_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_H(checks_the_envelope_in_order),
        T_H(answers_unparsable_json),
        T_H(tells_http_that_a_payload_is_no_object),
        T_H(compares_ids_of_path_and_payload),
        T_H(knows_the_level_of_every_verb),
        T_H(answers_every_verb),
        T_H(keeps_no_long_texts),
        T_H(takes_null_for_absent),
        T_H(create_has_no_session_id_and_attach_has),
        T_H(bounds_sessions_and_handles),
        T_H(tells_that_a_plugin_refused),
        T_H(gives_information_about_itself),
        T_H(same_transaction_for_all_requests),
        T_H(detach_answers_then_tells),
        T_H(destroy_is_silent),
        T_H(every_error_has_its_text),
        T_H(closing_answers_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
