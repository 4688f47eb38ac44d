/* Secrets, tokens, principals and the administrator: control protocol, section 7; admin API. */

#include "api_harness.h"
#include "api/api_auth.h"
#include "base/clock.h"
#include "base/secret.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECRET "key"
#define UNAUTHORIZED                                                                               \
    "{\"janus\":\"error\",\"transaction\":\"t\",\"error\":{\"code\":403,\"reason\":"               \
    "\"Unauthorized request (wrong or missing secret/token)\"}}"
#define UNAUTHORIZED_S                                                                             \
    "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{\"code\":403,"        \
    "\"reason\":\"Unauthorized request (wrong or missing secret/token)\"}}"
#define GONE                                                                                       \
    "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{\"code\":458,"        \
    "\"reason\":\"No such session $S\"}}"
#define ACK "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}"

static void sign(const char *data, const char *key, char *out, size_t cap)
{
    uint8_t mac[20];
    char sig[32];

    assert_int_equal(sl_hmac_sha1(key, strlen(key), data, strlen(data), mac), 0);
    sl_base64_encode(mac, sizeof(mac), sig);
    snprintf(out, cap, "%s:%s", data, sig);
}

/* A token that expires in @s seconds. */
static const char *token_new(int64_t s, const char *rest)
{
    static char out[4][512];
    static int n;
    char data[400];

    n = (n + 1) % 4;
    snprintf(data, sizeof(data), "%" PRId64 ",%s", (int64_t)(sl_wall_us() / 1000000) + s, rest);
    sign(data, SECRET, out[n], sizeof(out[n]));
    return out[n];
}

/* ---- signed tokens, alone -------------------------------------------------------------------- */

static void checks_signed_tokens(void **state)
{
    static const struct {
        const char *data, *key, *realm, *desc;
        int64_t now;
        bool valid;
    } rows[] = {
        { "100,janus,a,b", SECRET, "janus", NULL, 100, true },
        { "100,janus", SECRET, "janus", NULL, 100, true },
        { "100,janus,a,b", SECRET, "janus", "b", 99, true },
        { "100,janus,a,b", SECRET, "janus", "c", 99, false },
        { "100,janus,a,b", SECRET, "janus", "janus", 99, false },
        { "100,janus,a,b", SECRET, "janus", "a,b", 99, false },
        { "100,janus,a,b", SECRET, "janus", NULL, 101, false },
        { "100,janus,a,b", "other", "janus", NULL, 99, false },
        { "100,janusx,a", SECRET, "janus", NULL, 99, false },
        { "100", SECRET, "janus", NULL, 99, false },
        { "100,", SECRET, "janus", NULL, 99, false },
        { "-1,janus", SECRET, "janus", NULL, -5, false },
        { "x,janus", SECRET, "janus", NULL, 99, false },
        { "99999999999999999999999,janus", SECRET, "janus", NULL, 99, false },
        { "", SECRET, "janus", NULL, 99, false },
        { "1:00,janus", SECRET, "janus", NULL, 0, false },
    };
    char token[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sign(rows[i].data, rows[i].key, token, sizeof(token));
        assert_int_equal(sl_token_is_valid(token, SECRET, rows[i].realm, rows[i].desc, rows[i].now),
                         rows[i].valid);
    }
    assert_false(sl_token_is_valid(NULL, SECRET, "janus", NULL, 0));
    assert_false(sl_token_is_valid("100,janus", SECRET, "janus", NULL, 0));
    assert_false(sl_token_is_valid("100,janus:AAAA", NULL, "janus", NULL, 0));
}

/* ---- the api --------------------------------------------------------------------------------- */

static int setup_conf(void **state, const char *secret, bool tokens, const char *token_secret)
{
    t_setup(state);
    t_teardown(state);
    t_api_conf.api_secret = secret;
    t_api_conf.token_auth = tokens;
    t_api_conf.token_secret = token_secret;
    t_api_conf.admin_secret = "root";
    t_api_conf.anonymous = false;
    return t_setup(state);
}

static int setup_secret(void **state)
{
    return setup_conf(state, "s3", false, NULL);
}

static int setup_stored(void **state)
{
    return setup_conf(state, "s3", true, NULL);
}

static int setup_signed(void **state)
{
    return setup_conf(state, NULL, true, SECRET);
}

static int setup_open(void **state)
{
    return setup_conf(state, NULL, false, NULL);
}

static void wants_the_api_secret(void **state)
{
    const struct t_rec *r;

    t_send("{\"janus\":\"ping\",\"transaction\":\"t\"}"); /* needs none */
    t_answer("{\"janus\":\"pong\",\"transaction\":\"t\"}");
    t_exchange("{\"janus\":\"create\",\"transaction\":\"t\"}", UNAUTHORIZED);
    t_exchange("{\"janus\":\"create\",\"transaction\":\"t\",\"apisecret\":\"no\"}", UNAUTHORIZED);
    t_exchange("{\"janus\":\"create\",\"transaction\":\"t\",\"apisecret\":7}", UNAUTHORIZED);
    t_exchange("{\"janus\":\"create\",\"transaction\":\"t\",\"apisecret\":null}", UNAUTHORIZED);
    t_exchange("{\"janus\":\"create\",\"transaction\":\"t\",\"token\":\"s3\"}", UNAUTHORIZED);
    t_create(T_CONN, ",\"apisecret\":\"s3\"");
    t_exchange("{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S}", UNAUTHORIZED_S);
    t_exchange("{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S,"
               "\"apisecret\":\"s3\"}",
               ACK);
    t_poll(T.session, 1, NULL, NULL);
    r = t_next();
    assert_int_equal(r->status, SL_TSTATUS_FORBIDDEN);
    assert_null(r->json);
    t_poll(T.session, 1, "s3", NULL);
    t_expect_none();
}

static void admin(const char *rest, const char *want)
{
    char text[512];

    snprintf(text, sizeof(text), "{\"transaction\":\"t\",\"admin_secret\":\"root\",%s}", rest);
    t_send_admin(text);
    t_answer(want);
}

#define OK(rest) "{\"janus\":\"success\",\"transaction\":\"t\"" rest "}"

static void stored_tokens_open_their_plugins(void **state)
{
    t_exchange("{\"janus\":\"create\",\"transaction\":\"t\",\"token\":\"one\"}", UNAUTHORIZED);
    admin("\"janus\":\"add_token\",\"token\":\"one\"",
          OK(",\"data\":{\"plugins\":[\"test.plugin.one\"]}"));
    t_create(T_CONN, ",\"token\":\"one\"");
    t_send("{\"janus\":\"attach\",\"transaction\":\"t\",\"session_id\":$S,\"token\":\"one\","
           "\"plugin\":\"test.plugin.one\"}");
    assert_string_equal(json_string_value(json_object_get(t_next()->json, "janus")), "success");
    admin("\"janus\":\"disallow_token\",\"token\":\"one\",\"plugins\":[\"test.plugin.one\"]",
          OK(",\"data\":{\"plugins\":[]}"));
    t_exchange("{\"janus\":\"attach\",\"transaction\":\"t\",\"session_id\":$S,\"token\":\"one\","
               "\"plugin\":\"test.plugin.one\"}",
               "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{"
               "\"code\":405,\"reason\":\"Provided token can't access plugin "
               "'test.plugin.one'\"}}");
    admin("\"janus\":\"list_tokens\"", OK(",\"data\":{\"tokens\":[]}"));
    admin("\"janus\":\"allow_token\",\"token\":\"one\",\"plugins\":[\"test.plugin.one\"]",
          OK(",\"data\":{\"plugins\":[\"test.plugin.one\"]}"));
    admin("\"janus\":\"list_tokens\"",
          OK(",\"data\":{\"tokens\":[{\"token\":\"one\",\"allowed_plugins\":["
             "\"test.plugin.one\"]}]}"));
    admin("\"janus\":\"remove_token\",\"token\":\"one\"", OK(""));
    t_exchange("{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S,"
               "\"token\":\"one\"}",
               UNAUTHORIZED_S);
    t_exchange("{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S,"
               "\"apisecret\":\"s3\"}",
               ACK); /* either of both is enough */
}

static void a_session_belongs_to_its_token(void **state)
{
    admin("\"janus\":\"add_token\",\"token\":\"one\"",
          OK(",\"data\":{\"plugins\":[\"test.plugin.one\"]}"));
    admin("\"janus\":\"add_token\",\"token\":\"two\"",
          OK(",\"data\":{\"plugins\":[\"test.plugin.one\"]}"));
    t_create(T_CONN, ",\"token\":\"one\"");
    t_send_conn(9, "{\"janus\":\"claim\",\"transaction\":\"t\",\"session_id\":$S,"
                   "\"token\":\"two\"}");
    t_answer(GONE);
    t_exchange("{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S,"
               "\"token\":\"two\"}",
               GONE);
    t_send_conn(9, "{\"janus\":\"claim\",\"transaction\":\"t\",\"session_id\":$S,"
                   "\"token\":\"one\"}");
    t_answer("{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}");
}

static void keepalive_with(const char *token, const char *want)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S,\"token\":\"%s\"}",
             token);
    t_exchange(text, want);
}

static void signed_tokens_open_what_they_list(void **state)
{
    char text[1024];

    snprintf(text, sizeof(text), ",\"token\":\"%s\"", token_new(60, "janus,sub=ann"));
    t_create(T_CONN, text);
    snprintf(text, sizeof(text),
             "{\"janus\":\"attach\",\"transaction\":\"t\",\"session_id\":$S,\"token\":\"%s\","
             "\"plugin\":\"test.plugin.one\"}",
             token_new(60, "janus,sub=ann"));
    t_send(text);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(t_next()->json, "error"), "code")), 405);
    snprintf(text, sizeof(text),
             "{\"janus\":\"attach\",\"transaction\":\"t\",\"session_id\":$S,\"token\":\"%s\","
             "\"plugin\":\"test.plugin.one\"}",
             token_new(70, "janus,test.plugin.one,sub=ann"));
    t_send(text);
    assert_string_equal(json_string_value(json_object_get(t_next()->json, "janus")), "success");
    keepalive_with(token_new(90, "janus,sub=ann"), ACK);
    keepalive_with(token_new(90, "janus,sub=bob"), GONE);
    keepalive_with(token_new(90, "janus"), GONE);
    keepalive_with(token_new(-5, "janus,sub=ann"), UNAUTHORIZED_S);
    keepalive_with(token_new(90, "other,sub=ann"), UNAUTHORIZED_S);
    keepalive_with("", UNAUTHORIZED_S);
    sl_role_enter(&sl_role_control);
    assert_true(T.pcore->signed_tokens());
    assert_true(T.pcore->token_is_valid(token_new(9, "p,room=1"), "p", "room=1"));
    assert_false(T.pcore->token_is_valid(token_new(9, "p,room=1"), "p", "room=2"));
    sl_role_leave(&sl_role_control);
}

static void without_descriptors_a_renewed_token_still_owns(void **state)
{
    char text[1024];

    snprintf(text, sizeof(text), ",\"token\":\"%s\"", token_new(60, "janus,test.plugin.one"));
    t_create(T_CONN, text);
    keepalive_with(token_new(500, "janus,test.plugin.one"), ACK);
    keepalive_with(token_new(500, "janus,test.plugin.two"), GONE);
}

static void who_has_no_credential_creates_no_rooms(void **state)
{
    t_create(T_CONN, "");
    t_attach(T_CONN);
    t_send("{\"janus\":\"message\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"
           "\"body\":{\"request\":\"sync\"}}");
    assert_false(T.plugin.may);
    sl_role_enter(&sl_role_control);
    assert_false(T.pcore->may(T.plugin.hid, "a plugin's own name"));
    assert_false(T.pcore->may(12345, "room.create"));
    sl_role_leave(&sl_role_control);
}

static void who_knows_the_secret_creates_rooms(void **state)
{
    t_create(T_CONN, ",\"apisecret\":\"s3\"");
    t_send("{\"janus\":\"attach\",\"transaction\":\"t\",\"session_id\":$S,\"apisecret\":\"s3\","
           "\"plugin\":\"test.plugin.one\"}");
    T.handle = (uint64_t)json_integer_value(
        json_object_get(json_object_get(t_next()->json, "data"), "id"));
    t_send("{\"janus\":\"message\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"
           "\"apisecret\":\"s3\",\"body\":{\"request\":\"sync\"}}");
    assert_true(T.plugin.may);
}

/* ---- the administrator ----------------------------------------------------------------------- */

#define FAIL(code, reason)                                                                         \
    "{\"janus\":\"error\",\"transaction\":\"t\",\"error\":{\"code\":" #code                        \
    ",\"reason\":\"" reason "\"}}"

static void the_administrator_needs_the_secret(void **state)
{
    t_send_admin("{\"janus\":\"ping\",\"transaction\":\"t\"}");
    t_answer("{\"janus\":\"pong\",\"transaction\":\"t\"}");
    t_send_admin("{\"janus\":\"list_sessions\",\"transaction\":\"t\"}");
    t_answer(UNAUTHORIZED);
    t_send_admin("{\"janus\":\"list_sessions\",\"transaction\":\"t\",\"admin_secret\":\"x\"}");
    t_answer(UNAUTHORIZED);
    t_send("{\"janus\":\"list_sessions\",\"transaction\":\"t\",\"admin_secret\":\"root\"}");
    t_answer(FAIL(457, "Unhandled request 'list_sessions' at this path"));
}

static void the_administrator_sees_and_changes(void **state)
{
    t_create(T_CONN, "");
    admin("\"janus\":\"list_sessions\"", OK(",\"sessions\":[$S]"));
    admin("\"janus\":\"accept_new_sessions\"", FAIL(456, "Missing mandatory element (accept)"));
    admin("\"janus\":\"accept_new_sessions\",\"accept\":false", OK(",\"accept\":false"));
    t_exchange("{\"janus\":\"create\",\"transaction\":\"t\"}",
               FAIL(472, "Currently not accepting new sessions"));
    admin("\"janus\":\"accept_new_sessions\",\"accept\":true", OK(",\"accept\":true"));
    admin("\"janus\":\"set_session_timeout\",\"timeout\":5", OK(",\"timeout\":5"));
    t_run(5100); /* it holds for the session that there is, too */
    t_pushed(T_CONN, "{\"janus\":\"timeout\",\"session_id\":$S}");
    admin("\"janus\":\"set_slowlink_threshold\",\"slowlink_threshold\":9",
          OK(",\"slowlink_threshold\":9"));
    assert_int_equal(mock_pc_slowlink, 9); /* the workers were told */
    admin("\"janus\":\"message_plugin\",\"plugin\":\"none\"", FAIL(460, "Invalid plugin"));
    admin("\"janus\":\"message_plugin\",\"plugin\":\"test.plugin.one\",\"request\":{\"a\":1}",
          OK(",\"response\":{\"members\":1}"));
    admin("\"janus\":\"message_plugin\",\"plugin\":\"test.plugin.one\"",
          OK(",\"response\":{\"members\":0}"));
    admin("\"janus\":\"add_token\",\"token\":\"x\"",
          FAIL(490, "Stored-Token based authentication disabled"));
    admin("\"janus\":\"nonsense\"", FAIL(457, "Unhandled request 'nonsense' at this path"));
}

static void unknown_tokens_are_told(void **state)
{
    admin("\"janus\":\"remove_token\",\"token\":\"x\"", FAIL(470, "Token x not found"));
    admin("\"janus\":\"allow_token\",\"token\":\"x\",\"plugins\":[\"test.plugin.one\"]",
          FAIL(470, "Token x not found"));
    admin("\"janus\":\"add_token\",\"token\":\"x\",\"plugins\":[7,\"none\",\"test.plugin.one\"]",
          OK(",\"data\":{\"plugins\":[\"test.plugin.one\"]}"));
    admin("\"janus\":\"add_token\",\"token\":\"y\",\"plugins\":[\"none\"]",
          OK(",\"data\":{\"plugins\":[]}")); /* not all of them */
    admin("\"janus\":\"allow_token\",\"token\":\"x\",\"plugins\":[\"none\"]",
          FAIL(467, "Invalid element type (plugins should be a non-empty array of plugin "
                    "packages)"));
    admin("\"janus\":\"allow_token\",\"token\":\"x\",\"plugins\":[]",
          FAIL(467, "Invalid element type (plugins should be a non-empty array of plugin "
                    "packages)"));
}

#define T_S(f, setup) cmocka_unit_test_setup_teardown(f, setup, t_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_signed_tokens),
        T_S(wants_the_api_secret, setup_secret),
        T_S(stored_tokens_open_their_plugins, setup_stored),
        T_S(a_session_belongs_to_its_token, setup_stored),
        T_S(signed_tokens_open_what_they_list, setup_signed),
        T_S(without_descriptors_a_renewed_token_still_owns, setup_signed),
        T_S(who_has_no_credential_creates_no_rooms, setup_open),
        T_S(who_knows_the_secret_creates_rooms, setup_secret),
        T_S(the_administrator_needs_the_secret, setup_open),
        T_S(the_administrator_sees_and_changes, setup_open),
        T_S(unknown_tokens_are_told, setup_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
