/* VideoCall: names, calls, and every error. */
#include "videocall_test.h"

/* ---- names ----------------------------------------------------------------------------------- */

static void lists_who_is_registered(void **state)
{
    const sl_hid h = mock_attach();
    sl_hid alice;

    (void)state;
    mock_request(h, "{'request':'list'}", NULL, RESULT("'list':[]"), NONE);
    alice = registered("alice");
    registered("bob");
    mock_request(h, "{'request':'LIST'}", NULL, RESULT("'list':['alice','bob']"), NONE);
    mock_detach(alice); /* frees the name */
    mock_request(h, "{'request':'list'}", NULL, RESULT("'list':['bob']"), NONE);
    registered("alice");
    assert_int_equal(mock_notified("registered"), 3);
}

static void refuses_requests_that_make_no_sense(void **state)
{
    static const struct {
        const char *body, *want;
    } v[] = {
        { "{}", ERROR(475, "Missing mandatory element (request)") },
        { "{'request':7}", ERROR(474, "Invalid element type (request should be a string)") },
        { "{'request':'dance'}", ERROR(472, "Unknown request (dance)") },
        { "{'request':'register','username':'alice'}", ERROR(477, "Already registered (alice)") },
        { "{'request':'call'}", ERROR(475, "Missing mandatory element (username)") },
        { "{'request':'call','username':1}",
          ERROR(474, "Invalid element type (username should be a string)") },
        { "{'request':'call','username':''}",
          ERROR(478, "Username \\u0027\\u0027 doesn\\u0027t exist") },
        { "{'request':'call','username':'zed'}",
          ERROR(478, "Username \\u0027zed\\u0027 doesn\\u0027t exist") },
        { "{'request':'accept'}", ERROR(481, "No incoming call to accept") },
        { "{'request':'set','audio':1}",
          ERROR(474, "Invalid element type (audio should be a boolean)") },
        { "{'request':'set','video':'x'}",
          ERROR(474, "Invalid element type (video should be a boolean)") },
        { "{'request':'set','bitrate':-1}",
          ERROR(474, "Invalid element type (bitrate should be a positive integer)") },
        { "{'request':'set','filename':1}",
          ERROR(474, "Invalid element type (filename should be a string)") },
        { "{'request':'set','fallback':1.5}",
          ERROR(474, "Invalid element type (fallback should be a positive integer)") },
        { "{'request':'set','restart':1}",
          ERROR(474, "Invalid element type (restart should be a boolean)") },
        { "{'request':'set','substream':3}",
          ERROR(474, "Invalid value (substream should be 0, 1 or 2)") },
        { "{'request':'set','temporal':3}",
          ERROR(474, "Invalid value (temporal should be 0, 1 or 2)") },
        { "{'request':'set','record':true}", ERROR(499, "recording is not available") },
        { "{'request':'set','filename':'x'}", ERROR(499, "recording is not available") },
    };
    const sl_hid h = registered("alice");

    (void)state;
    for (size_t i = 0; i < COUNT(v); i++)
        mock_request(h, v[i].body, NULL, v[i].want, NONE);
    mock_expect_nothing(h);
}

static void gives_a_name_once(void **state)
{
    const sl_hid h = mock_attach();
    char body[400];

    (void)state;
    registered("bob");
    mock_request(h, "{'request':'register','username':'bob'}", NULL,
                 ERROR(476, "Username \\u0027bob\\u0027 already taken"), NONE);
    snprintf(body, sizeof(body), "{'request':'register','username':'%0256d'}", 0);
    mock_request(h, body, NULL, ERROR(474, "Invalid element (username should have 1 to 255 bytes)"),
                 NONE);
    mock_request(h, "{'request':'register','username':''}", NULL,
                 ERROR(474, "Invalid element (username should have 1 to 255 bytes)"), NONE);
    mock_request(h, "{'request':'register'}", NULL,
                 ERROR(475, "Missing mandatory element (username)"), NONE);
    snprintf(body, sizeof(body), "{'request':'register','username':'%0255d'}", 0);
    mock_send(h, body, NULL);
    mock_query(h, "{'state':'idle','audio_active':true,'video_active':true,'bitrate':0,"
                  "'slowlink_count':0,'username':'*'}");
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void two_users_talk_and_part(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    assert_int_equal(mock_group(alice), alice); /* on the worker of the caller */
    assert_int_equal(mock_group(bob), alice);
    mock_query(alice, "{'state':'incall','audio_active':true,'video_active':true,'bitrate':0,"
                      "'slowlink_count':0,'username':'alice','peer':'bob'}");
    mock_request(bob, "{'request':'hangup','reason':'bye bye'}", NULL,
                 HANGUP("bob", "Explicit hangup"), NONE);
    mock_expect(alice, 0, HANGUP("bob", "bye bye"), NONE);
    mock_expect_hangup(alice, "Close PC");
    mock_expect_hangup(bob, "Close PC");
    mock_expect_nothing(alice); /* and no second hangup event */
    mock_expect_nothing(bob);
    assert_int_equal(mock_group(bob), bob);
    mock_query(bob, "{'state':'idle','audio_active':true,'video_active':true,'bitrate':0,"
                    "'slowlink_count':0,'username':'bob'}");
    /* They can again, the other way. */
    mock_request(bob, "{'request':'call','username':'alice'}", AV, EVENT("calling"), NONE);
    mock_expect(alice, 0, EVENT_BY("incomingcall", "bob"), OFFER);
    assert_int_equal(mock_notified("accepted"), 1);
    assert_int_equal(mock_notified("hangup"), 1);
}

static void hangs_up_before_it_is_accepted(void **state)
{
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob, AV);
    assert_true(mock_has_offer(alice)); /* it waits */
    mock_query(bob, "{'state':'calling','audio_active':true,'video_active':true,'bitrate':0,"
                    "'slowlink_count':0,'username':'bob','peer':'alice'}");
    mock_request(alice, "{'request':'hangup'}", NULL, HANGUP("alice", "Explicit hangup"), NONE);
    mock_expect(bob, 0, HANGUP("alice", "We did the hangup"), NONE);
    mock_expect_hangup(bob, "Close PC");
    mock_expect_hangup(alice, "Close PC");
    mock_request(bob, "{'request':'accept'}", NULL, ERROR(481, "No incoming call to accept"), NONE);
    mock_request(alice, "{'request':'hangup'}", NULL, HANGUP("alice", "Explicit hangup"), NONE);
    mock_expect_nothing(alice);
}

static void a_call_is_declined(void **state)
{
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob, AV);
    mock_request(bob, "{'request':'hangup','reason':'no'}", NULL, HANGUP("bob", "Explicit hangup"),
                 NONE);
    mock_expect(alice, 0, HANGUP("bob", "no"), NONE);
    mock_expect_hangup(alice, "Close PC");
}

static void hangs_up_without_a_call_or_a_name(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'request':'hangup'}", NULL,
                 RESULT("'event':'hangup','reason':'Explicit hangup'"), NONE);
    mock_expect_nothing(h);
}

static void a_busy_user_is_not_called(void **state)
{
    const sl_hid carol = registered("carol");
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob, AV);
    mock_request(carol, "{'request':'call','username':'bob'}", AV, HANGUP("carol", "User busy"),
                 NONE);
    mock_expect_hangup(carol, "Close PC");
    mock_request(carol, "{'request':'call','username':'alice'}", AV, HANGUP("carol", "User busy"),
                 NONE);
    mock_expect_hangup(carol, "Close PC");
    mock_expect_nothing(bob);
    mock_expect_nothing(alice);
}

static void the_loss_of_one_ends_the_call_of_both(void **state)
{
    sl_hid alice, bob, carol;

    (void)state;
    talks(&alice, &bob, AV);
    mock_down(alice, "DTLS alert");
    mock_expect_hangup(alice, "DTLS alert");
    mock_expect(bob, 0, HANGUP("alice", "Remote WebRTC hangup"), NONE);
    mock_expect_hangup(bob, "Close PC");
    mock_expect_nothing(alice);
    mock_expect_nothing(bob);

    mock_request(alice, "{'request':'call','username':'bob'}", AV, EVENT("calling"), NONE);
    mock_skip(0);
    mock_detach(bob);
    mock_expect(alice, 0, HANGUP("bob", "Remote WebRTC hangup"), NONE);
    mock_expect_hangup(alice, "Close PC");
    carol = registered("bob");
    mock_request(alice, "{'request':'call','username':'bob'}", AV, EVENT("calling"), NONE);
    mock_expect(carol, 0, EVENT_BY("incomingcall", "alice"), OFFER);
}

/* ---- calls that fail ------------------------------------------------------------------------- */

static void a_call_that_fails_closes_what_its_offer_made(void **state)
{
    static const struct {
        const char *name, *want;
    } v[] = {
        { "zed", ERROR(478, "Username \\u0027zed\\u0027 doesn\\u0027t exist") },
        { "alice", ERROR(479, "You can\\u0027t call yourself... use the EchoTest for that") },
    };
    const sl_hid h = mock_attach(), alice = registered("alice"), bob = registered("bob");

    (void)state;
    mock_request(h, "{'request':'call','username':'bob'}", AV,
                 ERROR(473, "Register a username first"), NONE);
    mock_expect_hangup(h, "Close PC");
    for (size_t i = 0; i < COUNT(v); i++) {
        char body[100];

        snprintf(body, sizeof(body), "{'request':'call','username':'%s'}", v[i].name);
        mock_request(alice, body, AV, v[i].want, NONE);
        mock_expect_hangup(alice, "Close PC");
    }
    mock_request(alice, "{'request':'call','username':'bob'}",
                 &(struct sl_jsep_in){ .type = SL_JSEP_ANSWER },
                 ERROR(483, "Invalid SDP: callers send offers"), NONE);
    mock_request(alice, "{'request':'call','username':'bob'}", NULL, ERROR(482, "Missing SDP"),
                 NONE);
    mock_request(alice, "{'request':'call','username':'bob'}", MOCK_OFFER("video 0"),
                 ERROR(483, "Invalid SDP: there is nothing to call with"), NONE);
    mock_expect_hangup(alice, "Close PC");
    mock_expect_nothing(bob);
    /* At once: */
    mock_request(alice, "{'request':'call','username':'bob'}", AV, EVENT("calling"), NONE);
    mock_expect(bob, 0, EVENT_BY("incomingcall", "alice"), OFFER);
}

static void a_second_call_leaves_the_first_alone(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(alice, "{'request':'call','username':'bob'}", mock_update(AV, false),
                 ERROR(480, "Already in a call"), NONE);
    mock_expect_nothing(alice);
    mock_expect_nothing(bob);
    assert_true(mock_route(bob, 0)->active);
}

/* The core has dropped the first offer for the second one. */
static void a_second_offer_ends_a_call_that_rings(void **state)
{
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob, AV);
    mock_request(alice, "{'request':'call','username':'bob'}", AV, ERROR(480, "Already in a call"),
                 NONE);
    mock_expect_hangup(alice, "Close PC");
    mock_expect(bob, 0, HANGUP("alice", "Remote WebRTC hangup"), NONE);
    mock_expect_hangup(bob, "Close PC");

    mock_request(alice, "{'request':'call','username':'bob'}", AV, EVENT("calling"), NONE);
    mock_skip(0);
    mock_request(alice, "{'request':'set'}", AV,
                 ERROR(483, "Invalid SDP: the call is not accepted yet"), NONE);
    mock_expect_hangup(alice, "Close PC");
    mock_expect(bob, 0, HANGUP("alice", "Remote WebRTC hangup"), NONE);
}

static void accepts_with_an_answer_only(void **state)
{
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob, AV);
    mock_request(alice, "{'request':'accept'}", NULL, ERROR(482, "Missing SDP"), NONE);
    mock_request(bob, "{'request':'accept'}", NULL, ERROR(482, "Missing SDP"), NONE);
    mock_expect_nothing(alice); /* bob can try again */
    mock_request(bob, "{'request':'accept'}", AV, ERROR(483, "Invalid SDP: accept takes an answer"),
                 NONE);
    mock_expect_hangup(bob, "Close PC");
    mock_expect(alice, 0, HANGUP("bob", "Remote WebRTC hangup"), NONE);
    mock_expect_hangup(alice, "Close PC");

    mock_request(alice, "{'request':'call','username':'bob'}", AV, EVENT("calling"), NONE);
    mock_request(alice, "{'request':'accept'}", AV, ERROR(481, "No incoming call to accept"), NONE);
    mock_request(alice, "{'request':'hangup'}", NULL, HANGUP("alice", "Explicit hangup"), NONE);
}

static void accepts_once(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(bob, "{'request':'accept'}", NULL, ERROR(482, "Missing SDP"), NONE);
    mock_request(bob, "{'request':'accept'}", AV, ERROR(481, "No incoming call to accept"), NONE);
    /* Whatever the reason is, the call ends. */
    mock_request(bob, "{'request':'hangup','reason':1}", NULL, HANGUP("bob", "Explicit hangup"),
                 NONE);
    mock_expect(alice, 0, HANGUP("bob", "We did the hangup"), NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lists_who_is_registered),
        T(refuses_requests_that_make_no_sense),
        T(gives_a_name_once),
        T(two_users_talk_and_part),
        T(hangs_up_before_it_is_accepted),
        T(a_call_is_declined),
        T(hangs_up_without_a_call_or_a_name),
        T(a_busy_user_is_not_called),
        T(the_loss_of_one_ends_the_call_of_both),
        T(a_call_that_fails_closes_what_its_offer_made),
        T(a_second_call_leaves_the_first_alone),
        T(a_second_offer_ends_a_call_that_rings),
        T(accepts_with_an_answer_only),
        T(accepts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
