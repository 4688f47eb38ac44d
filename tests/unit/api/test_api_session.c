/* Takeover, lifetime and long polls: control protocol, sections 5.2, 6 and 8.2. */

#include "api_harness.h"
#include <stdio.h>
#include <string.h>

#define OTHER     8
#define KEEPALIVE "{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S}"
#define CLAIM     "{\"janus\":\"claim\",\"transaction\":\"t\",\"session_id\":$S}"
#define ACK       "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}"
#define SUCCESS   "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}"
#define EVENT(text)                                                                                \
    "{\"janus\":\"event\",\"session_id\":$S,\"sender\":$H,\"plugindata\":{\"plugin\":"             \
    "\"test.plugin.one\",\"data\":{\"test\":\"" text "\"}}}"
#define GONE                                                                                       \
    "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{\"code\":458,"        \
    "\"reason\":\"No such session $S\"}}"
#define TIMEOUT "{\"janus\":\"timeout\",\"session_id\":$S}"
#define IDLE    "{\"janus\":\"keepalive\"}"

static void emit(const char *text)
{
    sl_role_enter(&sl_role_control);
    T.pcore->event(T.plugin.hid, NULL, json_pack("{s:s}", "test", text), NULL);
    sl_role_leave(&sl_role_control);
}

static int setup_with(void **state, int64_t timeout_s, int64_t reclaim_s)
{
    t_setup(state);
    t_teardown(state);
    t_api_conf.session_timeout_s = timeout_s;
    t_api_conf.reclaim_timeout_s = reclaim_s;
    return t_handle(state);
}

static int setup_no_reclaim(void **state)
{
    return setup_with(state, 60, 0);
}

static int setup_never(void **state)
{
    return setup_with(state, 0, 10);
}

/* A session of HTTP with a handle. */
static int setup_http(void **state)
{
    t_setup(state);
    t_create(0, "");
    t_attach(0);
    return 0;
}

/* ---- claim ----------------------------------------------------------------------------------- */

static void claim_moves_the_events(void **state)
{
    emit("one");
    t_pushed(T_CONN, EVENT("one"));
    t_send_conn(OTHER, CLAIM);
    t_answer(SUCCESS);
    emit("two");
    t_pushed(OTHER, EVENT("two"));
    t_send_conn(OTHER, CLAIM); /* from the owner: nothing changes */
    t_answer(SUCCESS);
    t_gone(T_CONN); /* the old connection ends later */
    emit("three");
    t_pushed(OTHER, EVENT("three"));
    t_expect_none();
}

static void events_wait_for_the_claim(void **state)
{
    t_gone(T_CONN);
    emit("one");
    emit("two");
    t_run(9900);
    t_expect_none();
    t_send_conn(OTHER, CLAIM);
    t_answer(SUCCESS);
    t_pushed(OTHER, EVENT("one"));
    t_pushed(OTHER, EVENT("two"));
    t_run(20000);
    t_send_conn(OTHER, KEEPALIVE);
    t_answer(ACK);
    assert_int_equal(T.plugin.detached, 0);
}

static void events_that_wait_are_bounded(void **state)
{
    char text[16];

    t_gone(T_CONN);
    for (int i = 0; i < 1100; i++) {
        snprintf(text, sizeof(text), "%d", i);
        emit(text);
    }
    t_send_conn(OTHER, CLAIM);
    t_answer(SUCCESS);
    t_pushed(OTHER, EVENT("100")); /* the oldest went */
    assert_int_equal(T.nrec - T.read, 999);
}

static void http_claims_and_polls(void **state)
{
    t_send_http(CLAIM, 0, 0);
    t_answer(SUCCESS);
    emit("one");
    t_expect_none();
    t_poll(T.session, 1, NULL, NULL);
    t_answer(EVENT("one"));
    t_gone(T_CONN);
    t_run(20000);
    t_send_http(KEEPALIVE, 0, 0);
    t_answer(ACK);
}

static void a_claim_releases_the_polls_of_the_former_owner(void **state)
{
    t_poll(T.session, 10, NULL, NULL);
    t_send_conn(OTHER, CLAIM);
    t_answer(SUCCESS);
    t_answer("[" IDLE "]");
}

/* ---- lifetime -------------------------------------------------------------------------------- */

static void ends_without_requests(void **state)
{
    t_run(59900);
    t_send(KEEPALIVE);
    t_answer(ACK);
    t_run(59900);
    t_expect_none();
    t_run(200);
    t_pushed(T_CONN, TIMEOUT);
    t_expect_none();
    assert_int_equal(T.plugin.detached, 1);
    t_send(KEEPALIVE);
    t_answer(GONE);
}

static void a_refused_request_keeps_it_alive_too(void **state)
{
    t_run(50000);
    t_send("{\"janus\":\"nonsense\",\"transaction\":\"t\",\"session_id\":$S}");
    t_next();
    t_run(50000);
    t_expect_none();
}

static void never_ends_with_timeout_zero(void **state)
{
    t_run(600000);
    t_send(KEEPALIVE);
    t_answer(ACK);
}

static void counts_the_reclaim_time_from_the_disconnect(void **state)
{
    t_run(30000);
    t_gone(T_CONN);
    t_run(9900);
    assert_int_equal(T.plugin.detached, 0);
    t_send_conn(OTHER, KEEPALIVE); /* a request is no claim */
    t_answer(ACK);
    t_run(200);
    assert_int_equal(T.plugin.detached, 1);
    t_expect_none(); /* nobody to tell */
    t_send_conn(OTHER, CLAIM);
    t_answer(GONE);
}

static void ends_with_its_connection_without_reclaim(void **state)
{
    t_gone(T_CONN);
    assert_int_equal(T.plugin.detached, 1);
    t_expect_none();
    t_send_conn(OTHER, KEEPALIVE);
    t_answer(GONE);
}

static void keeps_sessions_of_other_connections(void **state)
{
    t_gone(OTHER);
    t_gone(OTHER);
    t_send(KEEPALIVE);
    t_answer(ACK);
}

static void stops_listening_to_guesses(void **state)
{
    uint64_t mine;

    for (int i = 0; i < 40; i++) {
        t_send_conn(OTHER, "{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":99}");
        t_next();
    }
    t_send_conn(OTHER, KEEPALIVE); /* right, but too late */
    t_answer(GONE);
    mine = T.session;
    t_create(OTHER, "");
    t_send_conn(OTHER, KEEPALIVE); /* its own it may use */
    t_answer(ACK);
    T.session = mine;
    t_send(KEEPALIVE); /* and others are not bothered */
    t_answer(ACK);
    t_run(25000);
    t_send_conn(OTHER, KEEPALIVE);
    t_answer(ACK);
}

/* ---- long polls ------------------------------------------------------------------------------ */

static void a_poll_returns_what_is_queued(void **state)
{
    emit("one");
    emit("two");
    emit("three");
    t_poll(T.session, 0, NULL, NULL);
    t_answer(EVENT("one"));
    t_poll(T.session, 10, NULL, NULL);
    t_answer("[" EVENT("two") "," EVENT("three") "]");
    emit("four");
    emit("five");
    emit("six");
    t_poll(T.session, 2, NULL, NULL);
    t_answer("[" EVENT("four") "," EVENT("five") "]");
    t_expect_none();
}

static void a_poll_waits_for_an_event(void **state)
{
    uintptr_t tag = t_poll(T.session, 5, NULL, NULL);

    t_run(1000);
    t_expect_none();
    emit("one");
    assert_int_equal(T.rec[T.read].tag, tag);
    t_answer("[" EVENT("one") "]");
    t_expect_none();
}

static void a_poll_ends_after_30_seconds(void **state)
{
    t_poll(T.session, 1, NULL, NULL);
    t_poll(T.session, 10, NULL, NULL);
    t_run(29900);
    t_expect_none();
    t_run(200);
    t_answer(IDLE);
    t_answer("[" IDLE "]");
}

static void polls_keep_the_session_alive(void **state)
{
    for (int i = 0; i < 5; i++) {
        t_poll(T.session, 1, NULL, NULL);
        t_run(30100);
        t_answer(IDLE);
    }
    assert_int_equal(T.plugin.detached, 0);
}

static void an_event_releases_all_polls(void **state)
{
    uintptr_t newest;

    t_poll(T.session, 1, NULL, NULL);
    t_poll(T.session, 10, NULL, NULL);
    newest = t_poll(T.session, 1, NULL, NULL);
    emit("one");
    assert_int_equal(T.rec[T.read].tag, newest); /* the others may be of lost connections */
    t_answer(EVENT("one"));
    t_answer("[" IDLE "]");
    t_answer(IDLE);
    t_expect_none();
}

static void polls_of_a_session_are_bounded(void **state)
{
    for (int i = 0; i < 21; i++)
        t_poll(T.session, 1, NULL, NULL);
    t_answer(IDLE);
    t_expect_none();
}

static void polls_end_with_the_session(void **state)
{
    const struct t_rec *r;

    t_poll(T.session, 1, NULL, NULL);
    t_poll(T.session, 10, NULL, NULL);
    t_send_http("{\"janus\":\"destroy\",\"transaction\":\"t\",\"session_id\":$S}", 0, 0);
    t_answer(SUCCESS);
    t_answer("[" IDLE "]");
    t_answer(IDLE);
    t_poll(T.session, 1, NULL, NULL);
    r = t_next();
    assert_int_equal(r->status, SL_TSTATUS_NOT_FOUND);
    assert_null(r->json);
}

static void a_poll_gets_the_timeout(void **state)
{
    t_run(50000);
    t_poll(T.session, 1, NULL, NULL);
    t_run(29900);
    t_poll(T.session, 1, NULL, NULL);
    t_run(200);
    t_answer(IDLE);
    t_run(29900);
    t_answer(IDLE);
    t_run(30100);
    t_expect_none(); /* nobody polls when it ends */
    assert_int_equal(T.plugin.detached, 1);
}

static int setup_http_short(void **state)
{
    t_setup(state);
    t_teardown(state);
    t_api_conf.session_timeout_s = 20;
    return setup_http(state);
}

static void a_waiting_poll_is_told_of_the_timeout(void **state)
{
    t_poll(T.session, 10, NULL, NULL);
    t_run(20100);
    t_answer("[" TIMEOUT "]");
    t_expect_none();
}

#define T_S(f, setup) cmocka_unit_test_setup_teardown(f, setup, t_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_S(claim_moves_the_events, t_handle),
        T_S(events_wait_for_the_claim, t_handle),
        T_S(events_that_wait_are_bounded, t_handle),
        T_S(http_claims_and_polls, t_handle),
        T_S(a_claim_releases_the_polls_of_the_former_owner, setup_http),
        T_S(ends_without_requests, t_handle),
        T_S(a_refused_request_keeps_it_alive_too, t_handle),
        T_S(never_ends_with_timeout_zero, setup_never),
        T_S(counts_the_reclaim_time_from_the_disconnect, t_handle),
        T_S(ends_with_its_connection_without_reclaim, setup_no_reclaim),
        T_S(keeps_sessions_of_other_connections, t_handle),
        T_S(stops_listening_to_guesses, t_handle),
        T_S(a_poll_returns_what_is_queued, setup_http),
        T_S(a_poll_waits_for_an_event, setup_http),
        T_S(a_poll_ends_after_30_seconds, setup_http),
        T_S(polls_keep_the_session_alive, setup_http),
        T_S(an_event_releases_all_polls, setup_http),
        T_S(polls_of_a_session_are_bounded, setup_http),
        T_S(polls_end_with_the_session, setup_http),
        T_S(a_poll_gets_the_timeout, setup_http),
        T_S(a_waiting_poll_is_told_of_the_timeout, setup_http_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
