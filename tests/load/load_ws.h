/*
 * load_ws.h - a WebSocket client that talks JSON texts (RFC 6455, subprotocol janus-protocol).
 *
 * Thread: the loop's.  Owner: the user it signals for.
 */
#ifndef TESTS_LOAD_WS_H
#define TESTS_LOAD_WS_H

#include "load_loop.h"
#include "net/net_addr.h"
#include <jansson.h>

struct load_ws;

struct load_ws_cb {
    void (*open)(void *arg); /* the server upgraded the connection */
    void (*text)(void *arg, const json_t *msg);
    void (*closed)(void *arg); /* by the server, or never opened; destroy it after the turn */
};

/* Connects to @to. 0 or -errno. */
int load_ws_create(struct load_loop *l, const struct sl_addr *to, const struct load_ws_cb *cb,
                   void *arg, struct load_ws **out) SL_ON_WORKER;
void load_ws_destroy(struct load_ws *w) SL_ON_WORKER;

/* Takes the reference to @msg. */
void load_ws_send(struct load_ws *w, json_t *msg) SL_ON_WORKER;

#endif
