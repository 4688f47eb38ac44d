/*
 * textroom_test.h - what the tests of TextRoom begin with.
 */
#ifndef TEXTROOM_TEST_H
#define TEXTROOM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sluice/mock.h>
#include "mock/mock_state.h"

extern const struct sl_plugin sl_plugin;

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONE     SL_JSEP_NONE
#define OFFER    SL_JSEP_OFFER

#define OK                      "{'textroom':'event','result':'ok'}"
#define ERROR_(w, code, text)   "{'textroom':'" w "','error_code':" #code ",'error':'" text "'}"
#define ERROR(code, text)       ERROR_("error", code, text)
#define EVENT_ERROR(code, text) ERROR_("event", code, text)
/* The same as an answer over the data channel. */
#define DATA_ERROR(code, text)                                                                     \
    "{'textroom':'error','transaction':'t','error_code':" #code ",'error':'" text "'}"
#define SUCCESS              "{'textroom':'success','transaction':'t'}"
#define SUCCESS_(members)    "{'textroom':'success','transaction':'t'," members "}"
#define EVENT(what, members) "{'textroom':'" what "','room':1," members "}"
#define CREATED              "{'textroom':'created','room':1,'permanent':false}"
#define DATE                 "'date':'*'"

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

/* A client with a data channel. */
static inline sl_hid connected(void)
{
    const sl_hid h = mock_attach();

    mock_request(h, "{'request':'setup'}", NULL, OK, OFFER);
    mock_request(h, "{'request':'ack'}", mock_answer(h), OK, NONE);
    mock_up(h);
    mock_data_open(h, "JanusDataChannel", "");
    return h;
}

/* Sends @text over the data channel. */
static inline void says(sl_hid h, const char *text)
{
    char *copy = strdup(text);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    mock_data(h, "JanusDataChannel", "", false, copy, strlen(copy));
    free(copy);
}

/* The next message on the data channel of @h. */
static inline void hears(sl_hid h, const char *want)
{
    static const char head[] = "JanusDataChannel||";
    const struct mock_data *d = mock_handle(h)->data;
    json_t *got;

    if (!d)
        fail_msg("client %u hears nothing, wanted %s", (unsigned)h, want);
    assert_memory_equal(d->text, head, sizeof(head) - 1);
    got = json_loads(d->text + sizeof(head) - 1, 0, NULL);
    mock_data_check(got, want);
    json_decref(got);
    mock_expect_data(h, d->text);
}

static inline void hears_nothing(sl_hid h)
{
    if (mock_ndata(h))
        fail_msg("client %u hears %s", (unsigned)h, mock_handle(h)->data->text);
}

/* A request and its answer, with nothing between. */
static inline void asks(sl_hid h, const char *text, const char *want)
{
    says(h, text);
    hears(h, want);
}

static inline void silence(sl_hid h)
{
    while (mock_ndata(h))
        mock_expect_data(h, mock_handle(h)->data->text);
}

/* Room 1 with the members @more (", 'x':1", or ""). */
static inline void room_make(const char *more)
{
    char body[400];

    snprintf(body, sizeof(body), "{'request':'create','room':1%s}", more);
    mock_call(mock_attach(), body, CREATED);
}

/* A member of room 1; what anybody has heard so far is forgotten. */
static inline sl_hid joined(const char *username)
{
    const sl_hid h = connected();
    char text[200];

    snprintf(text, sizeof(text),
             "{'textroom':'join','transaction':'j','room':1,'username':'%s','display':'D %s'}",
             username, username);
    says(h, text);
    for (sl_hid i = 1; i <= h; i++)
        if (mock_handle(i) && mock_handle(i)->has_pc)
            silence(i);
    return h;
}

#endif
