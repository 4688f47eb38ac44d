/*
 * api_harness.h - the api with a fake transport, a plugin of its own, peer connections of
 * tests/mock and a virtual clock.
 *
 * Texts may have $S and $H for the ids of the current session and handle; JSON is compared whole.
 */
#ifndef API_HARNESS_H
#define API_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api.h"
#include "mock_pc.h"

#define T_CONN 7 /* the connection that t_send uses */

struct t_rec {
    bool pushed; /* else an answer */
    sl_conn conn;
    uintptr_t tag;
    enum sl_tstatus status;
    json_t *json;
};

/* What the plugin saw. */
struct t_plugin {
    int attached, detached, ups, downs;
    char reason[64];
    struct sl_msg *kept; /* of request "later" */
    sl_hid hid;
    enum sl_jsep_type jsep;
    int attach_err;
    int event_err; /* what the last core->event returned */
    bool may;
    int receiving, slow, talking, layers, timers;
    uint64_t timer;
    char data[160]; /* what data callbacks told, one behind the other */
    char opaque[64];
};

struct t {
    struct sl_cq cq;
    struct sl_plugins *plugins;
    struct sl_api *api;
    const struct sl_tcore *core;
    uint64_t now_us;
    struct t_rec rec[2048];
    int nrec, read; /* @read: how many were looked at */
    uint64_t session, handle;
    uintptr_t last_tag;
    struct t_plugin plugin;
    const struct sl_core *pcore;
};
extern struct t T;

/* Setup and teardown of cmocka. @t_api_conf is what t_setup starts with; reset by teardown. */
extern struct sl_api_conf t_api_conf;
int t_setup(void **state);   /* the api alone */
int t_session(void **state); /* and a session of T_CONN */
int t_handle(void **state);  /* and a handle */
int t_teardown(void **state);

/* Time goes on by @ms in steps, the queue runs. */
void t_run(uint64_t ms);
/* Hands in a request, with placeholders, and runs the queue. @path: ids in the path (HTTP). */
void t_send(const char *text);
void t_send_conn(sl_conn conn, const char *text);
void t_send_http(const char *text, uint64_t session, uint64_t handle);
void t_send_admin(const char *text);
void t_bad_json(sl_conn conn);
uintptr_t t_poll(uint64_t session, int maxev, const char *secret, const char *token);
void t_gone(sl_conn conn);

/* A new value of a text with placeholders. */
json_t *t_json(const char *text);

/* The next record that nobody looked at; NULL: none. */
const struct t_rec *t_next(void);
void t_expect_none(void);
/* The next record is an answer / pushed to @conn, and equals @text. */
void t_answer(const char *text);
void t_pushed(sl_conn conn, const char *text);
/* Sends and looks at the answer. */
void t_exchange(const char *text, const char *want);
/* Makes a session or handle current. */
void t_create(sl_conn conn, const char *extra);
void t_attach(sl_conn conn);

#endif
