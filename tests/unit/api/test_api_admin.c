/* The administrator's requests, but for captures: admin API, sections 1.1 to 1.5. */

#include "api_admin.h"
#include "base/log.h"
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <stun/stunagent.h>
#include <sys/socket.h>
#include <unistd.h>

static int setup(void **state)
{
    sl_log_set_level(SL_LOG_INFO); /* as settings say */
    return t_admin_handle(state);
}

/* ---- paths ----------------------------------------------------------------------------------- */

static void every_verb_has_its_level(void **state)
{
    static const char *const server[] = {
        "list_sessions", "accept_new_sessions", "get_status",      "set_slowlink_threshold",
        "set_log_level", "set_no_media_timer",  "loops_info",      "message_plugin",
        "add_token",     "resolve_address",     "query_transport", "test_stun",
    };
    static const char *const session[] = { "list_handles", "destroy_session" };
    static const char *const handle[] = {
        "handle_info", "hangup_webrtc",   "detach_handle",  "start_pcap",
        "stop_pcap",   "start_text2pcap", "stop_text2pcap",
    };
    char text[128], want[512];

#define WRONG(verb, where, error)                                                                  \
    do {                                                                                           \
        snprintf(text, sizeof(text), "\"janus\":\"%s\"%s", verb, where);                           \
        snprintf(want, sizeof(want), error, verb);                                                 \
        admin(text, want);                                                                         \
    } while (0)
    for (size_t i = 0; i < sizeof(server) / sizeof(server[0]); i++) {
        WRONG(server[i], S, FAIL_S(457, "Unhandled request '%s' at this path"));
        WRONG(server[i], SH, FAIL_S(457, "Unhandled request '%s' at this path"));
    }
    for (size_t i = 0; i < sizeof(session) / sizeof(session[0]); i++) {
        WRONG(session[i], "", FAIL(457, "Unhandled request '%s' at this path"));
        WRONG(session[i], SH, FAIL_S(457, "Unhandled request '%s' at this path"));
    }
    for (size_t i = 0; i < sizeof(handle) / sizeof(handle[0]); i++) {
        WRONG(handle[i], "", FAIL(457, "Unhandled request '%s' at this path"));
        WRONG(handle[i], S, FAIL_S(457, "Unhandled request '%s' at this path"));
    }
}

static void unknown_ids_come_before_the_verb(void **state)
{
    admin("\"janus\":\"nonsense\",\"session_id\":7",
          "{\"janus\":\"error\",\"session_id\":7,\"transaction\":\"t\",\"error\":{\"code\":458,"
          "\"reason\":\"No such session 7\"}}");
    admin("\"janus\":\"nonsense\",\"handle_id\":7" S,
          FAIL_S(459, "No such handle 7 in session $S"));
    t_send_admin("{\"janus\":\"list_handles\",\"transaction\":\"t\",\"session_id\":$S}");
    t_answer(FAIL_S(403, "Unauthorized request (wrong or missing secret/token)"));
    t_send_admin("{\"janus\":\"info\",\"transaction\":\"t\",\"session_id\":$S}");
    t_answer(FAIL_S(403, "Unauthorized request (wrong or missing secret/token)"));
}

/* ---- settings -------------------------------------------------------------------------------- */

#define STATUS(timeout, level, silence, lost)                                                      \
    OK(",\"status\":{\"token_auth\":false,\"session_timeout\":" #timeout                           \
       ",\"reclaim_session_timeout\":10,\"candidates_timeout\":45,\"log_level\":" #level           \
       ",\"log_timestamps\":true,\"log_colors\":false,\"log_rotate_sig\":0,"                       \
       "\"locking_debug\":false,\"refcount_debug\":false,\"min_nack_queue\":1500,"                 \
       "\"nack-optimizations\":false,\"no_media_timer\":" #silence                                 \
       ",\"slowlink_threshold\":" #lost "}")

static void settings_are_told_as_they_are(void **state)
{
    admin("\"janus\":\"get_status\"", STATUS(60, 4, 1, 4));
    admin("\"janus\":\"set_no_media_timer\",\"no_media_timer\":3", OK(",\"no_media_timer\":3"));
    assert_int_equal(mock_pc_no_media, 3); /* the workers were told */
    admin("\"janus\":\"set_slowlink_threshold\",\"slowlink_threshold\":0",
          OK(",\"slowlink_threshold\":0"));
    admin("\"janus\":\"set_session_timeout\",\"timeout\":0", OK(",\"timeout\":0"));
    admin("\"janus\":\"set_log_level\",\"level\":7", OK(",\"level\":7"));
    assert_int_equal(sl_log_get_level(), SL_LOG_DEBUG);
    admin("\"janus\":\"set_log_level\",\"level\":0", OK(",\"level\":0"));
    assert_int_equal(sl_log_get_level(), SL_LOG_ERROR);
    admin("\"janus\":\"get_status\"", STATUS(0, 0, 3, 0));
    admin("\"janus\":\"set_log_level\",\"level\":4", OK(",\"level\":4"));
    assert_int_equal(sl_log_get_level(), SL_LOG_INFO);
}

static void what_cannot_be_set_is_told(void **state)
{
    static const struct {
        const char *request, *want;
    } rows[] = {
        { "\"janus\":\"set_locking_debug\",\"debug\":true", OK(",\"locking_debug\":false") },
        { "\"janus\":\"set_refcount_debug\",\"debug\":true", OK(",\"refcount_debug\":false") },
        { "\"janus\":\"set_log_timestamps\",\"timestamps\":false", OK(",\"log_timestamps\":true") },
        { "\"janus\":\"set_log_colors\",\"colors\":true", OK(",\"log_colors\":false") },
        { "\"janus\":\"set_min_nack_queue\",\"min_nack_queue\":5", OK(",\"min_nack_queue\":1500") },
        { "\"janus\":\"set_nack_optimizations\",\"nack_optimizations\":true",
          OK(",\"nack-optimizations\":false") },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        admin(rows[i].request, rows[i].want);
}

static void members_are_checked(void **state)
{
    static const struct {
        const char *request, *want;
    } rows[] = {
        { "\"janus\":\"set_log_level\"", FAIL(456, "Missing mandatory element (level)") },
        { "\"janus\":\"set_log_level\",\"level\":8",
          FAIL(467, "Invalid element type (level should be between 0 and 7)") },
        { "\"janus\":\"set_log_level\",\"level\":-1",
          FAIL(467, "Invalid element type (level should be a positive integer)") },
        { "\"janus\":\"set_session_timeout\",\"timeout\":18446744073710",
          FAIL(467, "Invalid element (timeout is larger than 3153600000)") },
        { "\"janus\":\"set_no_media_timer\",\"no_media_timer\":4294967296",
          FAIL(467, "Invalid element (no_media_timer is larger than 4294967295)") },
        { "\"janus\":\"set_slowlink_threshold\",\"slowlink_threshold\":4294967296",
          FAIL(467, "Invalid element (slowlink_threshold is larger than 4294967295)") },
        { "\"janus\":\"set_no_media_timer\"",
          FAIL(456, "Missing mandatory element (no_media_timer)") },
        { "\"janus\":\"set_log_colors\"", FAIL(456, "Missing mandatory element (colors)") },
        { "\"janus\":\"set_log_timestamps\",\"timestamps\":1",
          FAIL(467, "Invalid element type (timestamps should be a boolean)") },
        { "\"janus\":\"set_locking_debug\"", FAIL(456, "Missing mandatory element (debug)") },
        { "\"janus\":\"set_refcount_debug\"", FAIL(456, "Missing mandatory element (debug)") },
        { "\"janus\":\"set_min_nack_queue\"",
          FAIL(456, "Missing mandatory element (min_nack_queue)") },
        { "\"janus\":\"set_nack_optimizations\"",
          FAIL(456, "Missing mandatory element (nack_optimizations)") },
        { "\"janus\":\"custom_logline\"", FAIL(456, "Missing mandatory element (line)") },
        { "\"janus\":\"custom_logline\",\"line\":\"x\",\"level\":9",
          FAIL(467, "Invalid element type (level should be between 0 and 7)") },
        { "\"janus\":\"custom_logline\",\"line\":\"a\\nb\"", OK("") },
        { "\"janus\":\"query_transport\"", FAIL(456, "Missing mandatory element (transport)") },
        { "\"janus\":\"query_transport\",\"transport\":\"none\"", FAIL(460, "Invalid transport") },
        { "\"janus\":\"query_transport\",\"transport\":\"test.transport.fake\"",
          OK(",\"response\":{\"asked\":null}") },
        { "\"janus\":\"query_transport\",\"transport\":\"test.transport.fake\","
          "\"request\":{\"a\":1}",
          OK(",\"response\":{\"asked\":{\"a\":1}}") },
        { "\"janus\":\"query_transport\",\"transport\":\"test.transport.fake\","
          "\"request\":{\"mute\":true}",
          FAIL(490, "Transport doesn't support queries") },
        { "\"janus\":\"query_logger\",\"logger\":\"none\"", FAIL(460, "Invalid logger") },
        { "\"janus\":\"message_plugin\"", FAIL(456, "Missing mandatory element (plugin)") },
        { "\"janus\":\"loops_info\"", OK(",\"loops\":[]") },
        { "\"janus\":\"resolve_address\"", FAIL(456, "Missing mandatory element (address)") },
        { "\"janus\":\"test_stun\",\"address\":\"x\"",
          FAIL(456, "Missing mandatory element (port)") },
        { "\"janus\":\"test_stun\",\"address\":\"x\",\"port\":65536",
          FAIL(467, "Invalid element type (port should be from 1 to 65535, localport up to "
                    "65535)") },
        { "\"janus\":\"test_stun\",\"address\":\"x\",\"port\":1,\"localport\":65536",
          FAIL(467, "Invalid element type (port should be from 1 to 65535, localport up to "
                    "65535)") },
        { "\"janus\":\"test_stun\",\"address\":\"\",\"port\":1", FAIL(490, "STUN request failed") },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        admin(rows[i].request, rows[i].want);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void lists_handles(void **state)
{
    admin("\"janus\":\"list_handles\"" S, OK_S(",\"handles\":[$H]"));
    t_create(T_CONN, "");
    admin("\"janus\":\"list_handles\"" S, OK_S(",\"handles\":[]"));
}

static void a_session_has_its_own_timeout(void **state)
{
    admin("\"janus\":\"set_session_timeout\"" S,
          FAIL_S(456, "Missing mandatory element (timeout)"));
    admin("\"janus\":\"set_session_timeout\",\"timeout\":-2" S,
          FAIL_S(467, "Invalid element type (timeout should be a non-negative integer or -1)"));
    admin("\"janus\":\"set_session_timeout\",\"timeout\":3153600001" S,
          FAIL_S(467, "Invalid element (timeout is larger than 3153600000)"));
    admin("\"janus\":\"set_session_timeout\",\"timeout\":0" S, OK_S(",\"timeout\":0"));
    t_run(70000);
    t_expect_none();
    admin("\"janus\":\"set_session_timeout\",\"timeout\":75" S, OK_S(",\"timeout\":75"));
    t_run(4000);
    t_expect_none();
    t_run(2000);
    t_pushed(T_CONN, "{\"janus\":\"timeout\",\"session_id\":$S}");
}

static void a_session_goes_back_to_the_timeout_of_all(void **state)
{
    admin("\"janus\":\"set_session_timeout\",\"timeout\":0" S, OK_S(",\"timeout\":0"));
    admin("\"janus\":\"set_session_timeout\",\"timeout\":-1" S, OK_S(",\"timeout\":-1"));
    admin("\"janus\":\"set_session_timeout\",\"timeout\":5", OK(",\"timeout\":5"));
    t_run(5100);
    t_pushed(T_CONN, "{\"janus\":\"timeout\",\"session_id\":$S}");
}

static void destroys_a_session_silently(void **state)
{
    admin("\"janus\":\"destroy_session\"" S, OK_S(""));
    t_expect_none();
    assert_int_equal(T.plugin.detached, 1);
    admin("\"janus\":\"list_sessions\"", OK(",\"sessions\":[]"));
}

/* ---- handles --------------------------------------------------------------------------------- */

static void detaches_a_handle(void **state)
{
    admin("\"janus\":\"detach_handle\"" SH, OK_S(""));
    t_pushed(T_CONN, "{\"janus\":\"detached\",\"session_id\":$S,\"sender\":$H}");
    admin("\"janus\":\"detach_handle\"" SH, FAIL_S(459, "No such handle $H in session $S"));
}

static void hangs_up(void **state)
{
    offer();
    admin("\"janus\":\"hangup_webrtc\"" SH, OK_S(""));
    t_pushed(T_CONN, "{\"janus\":\"hangup\",\"session_id\":$S,\"sender\":$H,\"reason\":\"Admin "
                     "API\"}");
    assert_int_equal(T.plugin.downs, 1);
    admin("\"janus\":\"hangup_webrtc\"" SH, OK_S("")); /* no connection: the plugin's part alone */
    assert_int_equal(T.plugin.downs, 2);
    assert_string_equal(T.plugin.reason, "Admin API");
    t_expect_none();
}

static void shows_a_handle_without_connection(void **state)
{
    const json_t *i;

    admin("\"janus\":\"handle_info\",\"plugin_only\":true" SH, NULL);
    i = info_next();
    assert_int_equal(json_object_size(i), 10);
    assert_int_equal(json_integer_value(json_object_get(i, "session_id")), T.session);
    assert_int_equal(json_integer_value(json_object_get(i, "session_timeout")), 60);
    assert_string_equal(json_string_value(json_object_get(i, "session_transport")),
                        "test.transport.fake");
    assert_string_equal(json_string_value(json_object_get(i, "plugin")), "test.plugin.one");
    assert_true(json_is_object(json_object_get(i, "plugin_specific")));
    t_run(1000);
    admin("\"janus\":\"handle_info\"" SH, NULL);
    i = info_next();
    assert_int_equal(json_object_size(i), 13);
    assert_true(json_is_false(json_object_get(json_object_get(i, "flags"), "ready")));
    assert_int_equal(json_integer_value(json_object_get(i, "current_time")) -
                         json_integer_value(json_object_get(i, "created")),
                     1000000);
    admin("\"janus\":\"handle_info\",\"plugin_only\":1" SH,
          FAIL_S(467, "Invalid element type (plugin_only should be a boolean)"));
}

static void waits_for_the_worker(void **state)
{
    const json_t *i;

    offer();
    admin("\"janus\":\"handle_info\"" SH, NULL);
    t_expect_none();
    t_send("{\"janus\":\"keepalive\",\"transaction\":\"k\",\"session_id\":$S}");
    t_answer(
        "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"k\"}"); /* nothing is held up */
    sl_role_enter(&sl_role_control);
    mock_pc_set_up(mock_pc.last);
    mock_pc_inform(mock_pc.last);
    sl_role_leave(&sl_role_control);
    t_pushed(T_CONN, "{\"janus\":\"webrtcup\",\"session_id\":$S,\"sender\":$H}");
    i = info_next();
    assert_true(json_is_object(json_object_get(i, "webrtc")));
    assert_true(json_is_true(json_object_get(json_object_get(i, "flags"), "ready")));
}

static void answers_when_the_connection_ends_first(void **state)
{
    const json_t *i;

    offer();
    admin("\"janus\":\"handle_info\"" SH, NULL);
    t_expect_none();
    admin("\"janus\":\"destroy_session\"" S, OK_S(""));
    i = info_next();
    assert_null(json_object_get(i, "webrtc"));
    assert_true(json_is_object(json_object_get(i, "flags")));
    t_expect_none();
}

static void waits_end_with_the_server(void **state)
{
    const struct t_rec *r;

    offer();
    admin("\"janus\":\"test_stun\",\"address\":\"127.0.0.1\",\"port\":9,\"localport\":0", NULL);
    sl_role_enter(&sl_role_control);
    sl_api_close(T.api);
    sl_role_leave(&sl_role_control);
    while ((r = t_next()) && !r->json)
        if (r->tag == T.last_tag)
            break;
    assert_non_null(r);
    assert_int_equal(r->status, SL_TSTATUS_CLOSING);
}

/* ---- the network ----------------------------------------------------------------------------- */

/* The queue's answer of another thread. */
static const json_t *answer_wait(void)
{
    const struct t_rec *r = NULL;

    for (int i = 0; i < 1000 && !(r = t_next()); i++) {
        (void)poll(NULL, 0, 10);
        t_run(0);
    }
    assert_non_null(r);
    return r->json;
}

static void resolves_addresses(void **state)
{
    const json_t *j;

    admin("\"janus\":\"resolve_address\",\"address\":\"192.0.2.7\"", NULL);
    j = answer_wait();
    assert_string_equal(json_string_value(json_object_get(j, "ip")), "192.0.2.7");
    assert_true(json_is_integer(json_object_get(j, "elapsed")));
    admin("\"janus\":\"resolve_address\",\"address\":\"localhost\"", NULL);
    j = answer_wait();
    assert_non_null(json_object_get(j, "ip"));
    assert_in_range(json_integer_value(json_object_get(j, "elapsed")), 1, 60000000);
    admin("\"janus\":\"resolve_address\",\"address\":\"\"", FAIL(490, "Could not resolve address"));
}

struct server {
    int fd;
    bool answers;
};

/* Answers one Binding request. */
static void *stun_server(void *arg)
{
    struct server *s = arg;
    uint8_t in[1280], out[1280];
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(s->fd, in, sizeof(in), 0, (struct sockaddr *)&from, &len);
    StunAgent agent;
    StunMessage request, reply;

    stun_agent_init(&agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389, 0);
    if (n <= 0 ||
        stun_agent_validate(&agent, &request, in, (size_t)n, NULL, NULL) != STUN_VALIDATION_SUCCESS)
        return NULL;
    if (s->answers) {
        stun_agent_init_response(&agent, &reply, out, sizeof(out), &request);
        stun_message_append_xor_addr(&reply, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &from, len);
    } else {
        stun_agent_init_error(&agent, &reply, out, sizeof(out), &request, STUN_ERROR_BAD_REQUEST);
    }
    n = (ssize_t)stun_agent_finish_message(&agent, &reply, NULL, 0);
    (void)!sendto(s->fd, "junk", 4, 0, (struct sockaddr *)&from, len);
    (void)!sendto(s->fd, out, (size_t)n, 0, (struct sockaddr *)&from, len);
    return s;
}

static void asks_stun_servers(void **state)
{
    for (int answers = 0; answers < 2; answers++) {
        struct server s = { socket(AF_INET, SOCK_DGRAM, 0), answers != 0 };
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(a);
        pthread_t thread;
        const json_t *j;
        char text[160];
        void *done;

        assert_int_equal(bind(s.fd, (struct sockaddr *)&a, len), 0);
        assert_int_equal(getsockname(s.fd, (struct sockaddr *)&a, &len), 0);
        assert_int_equal(pthread_create(&thread, NULL, stun_server, &s), 0);
        snprintf(text, sizeof(text),
                 "\"janus\":\"test_stun\",\"address\":\"127.0.0.1\",\"port\":%d",
                 ntohs(a.sin_port));
        admin(text, NULL);
        j = answer_wait();
        assert_int_equal(pthread_join(thread, &done), 0);
        assert_non_null(done);
        if (answers) {
            assert_string_equal(json_string_value(json_object_get(j, "public_ip")), "127.0.0.1");
            assert_in_range(json_integer_value(json_object_get(j, "public_port")), 1, 65535);
            assert_in_range(json_integer_value(json_object_get(j, "elapsed")), 1, 60000000);
        } else {
            assert_int_equal(
                json_integer_value(json_object_get(json_object_get(j, "error"), "code")), 490);
        }
        close(s.fd);
    }
}

/* ---------------------------------------------------------------------------------------------- */

#define T_(f) cmocka_unit_test_setup_teardown(f, setup, t_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(every_verb_has_its_level),
        T_(unknown_ids_come_before_the_verb),
        T_(settings_are_told_as_they_are),
        T_(what_cannot_be_set_is_told),
        T_(members_are_checked),
        T_(lists_handles),
        T_(a_session_has_its_own_timeout),
        T_(a_session_goes_back_to_the_timeout_of_all),
        T_(destroys_a_session_silently),
        T_(detaches_a_handle),
        T_(hangs_up),
        T_(shows_a_handle_without_connection),
        T_(waits_for_the_worker),
        T_(answers_when_the_connection_ends_first),
        T_(waits_end_with_the_server),
        T_(resolves_addresses),
        T_(asks_stun_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
