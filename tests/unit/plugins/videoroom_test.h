/*
 * videoroom_test.h - what the tests of VideoRoom begin with.
 */
#ifndef VIDEOROOM_TEST_H
#define VIDEOROOM_TEST_H

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

#define CONFIGURED "{'videoroom':'event','room':1,'configured':'ok'}"
#define STARTED    "{'videoroom':'event','room':1,'started':'ok'}"

#define LINE_AUDIO(i, mid, feed, fmid, ready)                                                      \
    "{'type':'audio','active':true,'mindex':" #i ",'mid':'" mid "','ready':" ready                 \
    ",'send':true,'feed_id':" #feed ",'feed_display':'P" #feed "','feed_mid':'" fmid               \
    "','codec':'opus'}"
#define LINE_VIDEO(i, mid, feed, fmid, ready)                                                      \
    "{'type':'video','active':true,'mindex':" #i ",'mid':'" mid "','ready':" ready                 \
    ",'send':true,'feed_id':" #feed ",'feed_display':'P" #feed "','feed_mid':'" fmid               \
    "','codec':'vp8'}"
#define SWITCHED(n, streams)                                                                       \
    "{'videoroom':'event','switched':'ok','room':1,'changes':" n ",'streams':[" streams "]}"

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

static inline void error_check(json_t *got, int code, const char *text)
{
    const json_t *v = json_object_get(got, "error");

    if (!v || strcmp(json_string_value(v), text) != 0)
        fail_msg("got %s, wanted %d %s", json_dumps(got, JSON_ENCODE_ANY), code, text);
    assert_int_equal(json_integer_value(json_object_get(got, "error_code")), code);
    assert_string_equal(json_string_value(json_object_get(got, "videoroom")), "event");
    assert_int_equal(json_object_size(got), 3);
    json_decref(got);
}

/* The request's end is this error. */
static inline void expect_error(sl_hid h, const char *body, const struct sl_jsep_in *jsep, int code,
                                const char *text)
{
    mock_send(h, body, jsep);
    error_check(mock_take(h), code, text);
}

static inline void call_error(sl_hid h, const char *body, int code, const char *text)
{
    error_check(mock_call_json(h, body), code, text);
}

/* Room 1 with the members @more (", 'x':1", or ""). */
static inline void room_make(const char *more)
{
    char body[400];

    snprintf(body, sizeof(body), "{'request':'create','room':1%s}", more);
    mock_call(mock_attach(), body, "{'videoroom':'created','room':1,'permanent':false}");
}

/* A participant of room 1 with this id; what it sees so far is skipped. */
static inline sl_hid joined(int id)
{
    const sl_hid h = mock_attach();
    char body[200];

    snprintf(body, sizeof(body),
             "{'request':'join','ptype':'publisher','room':1,'id':%d,'display':'P%d'}", id, id);
    mock_send(h, body, NULL);
    mock_skip(0);
    return h;
}

/* The same, publishing these m-lines. */
static inline sl_hid publishing(int id, const struct sl_jsep_in *offer)
{
    const sl_hid h = joined(id);

    mock_send(h, "{'request':'publish'}", offer);
    mock_up(h);
    mock_skip(0);
    return h;
}

/* A subscriber with these `streams`, started. */
static inline sl_hid subscribed(const char *streams)
{
    const sl_hid h = mock_attach();
    char body[400];

    snprintf(body, sizeof(body), "{'request':'join','ptype':'subscriber','room':1,'streams':%s}",
             streams);
    mock_send(h, body, NULL);
    mock_skip(h);
    mock_request(h, "{'request':'start'}", mock_answer(h), STARTED, NONE);
    mock_up(h);
    mock_skip(h);
    return h;
}

#endif
