/*
 * videocall_test.h - what the tests of VideoCall begin with.
 */
#ifndef VIDEOCALL_TEST_H
#define VIDEOCALL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sluice/mock.h>

extern const struct sl_plugin sl_plugin;

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONE     SL_JSEP_NONE
#define OFFER    SL_JSEP_OFFER
#define ANSWER   SL_JSEP_ANSWER

#define RESULT(members)      "{'videocall':'event','result':{" members "}}"
#define EVENT(name)          RESULT("'event':'" name "'")
#define EVENT_BY(name, user) RESULT("'event':'" name "','username':'" user "'")
#define HANGUP(user, reason) RESULT("'event':'hangup','username':'" user "','reason':'" reason "'")
#define ERROR(code, text)    "{'videocall':'event','error_code':" #code ",'error':'" text "'}"

#define AV MOCK_OFFER("audio 0 opus?useinbandfec=1 pcmu", "video 1 vp8 h264/42e01f")

static inline int setup(void **state)
{
    (void)state;
    return mock_start(&sl_plugin, NULL);
}

static inline int teardown(void **state)
{
    (void)state;
    mock_stop();
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static inline sl_hid registered(const char *name)
{
    const sl_hid h = mock_attach();
    char body[400], want[400];

    snprintf(body, sizeof(body), "{'request':'register','username':'%s'}", name);
    snprintf(want, sizeof(want), EVENT_BY("registered", "%s"), name);
    mock_request(h, body, NULL, want, NONE);
    return h;
}

/* alice has called bob with @offer, and both heard of it. */
static inline void rings(sl_hid *alice, sl_hid *bob, const struct sl_jsep_in *offer)
{
    *alice = registered("alice");
    *bob = registered("bob");
    mock_request(*alice, "{'request':'call','username':'bob'}", offer, EVENT("calling"), NONE);
    mock_expect(*bob, 0, EVENT_BY("incomingcall", "alice"), OFFER);
}

/* And bob has accepted. */
static inline void talks(sl_hid *alice, sl_hid *bob, const struct sl_jsep_in *offer)
{
    rings(alice, bob, offer);
    mock_request(*bob, "{'request':'accept'}", mock_answer(*bob), EVENT("accepted"), NONE);
    mock_expect(*alice, 0, EVENT_BY("accepted", "bob"), ANSWER);
    mock_up(*alice);
    mock_up(*bob);
}

#endif
