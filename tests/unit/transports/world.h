/*
 * world.h - the transports on free loopback ports, a fake core behind them, a folder of files.
 */
#ifndef TRANSPORTS_WORLD_H
#define TRANSPORTS_WORLD_H

#include "../test_cmocka.h"
#include "client.h"
#include "fake_core.h"
#include "transports/http/http.h"
#include "transports/websocket/ws.h"

/* Changed by a test before world_restart; world_setup fills them anew. */
extern struct sl_http_conf world_http, world_admin;
extern struct sl_ws_conf world_ws;
extern char world_cert[64], world_key[64], world_html[64];

int world_setup(void **state);
void world_restart(void);
int world_teardown(void **state);
int world_port(enum sl_http_listener which);
struct reply world_ask(const char *method, const char *path, const char *headers, const char *body);
json_t *world_json(const struct reply *r);
void assert_reply(struct reply r, int status, const char *body);
void assert_ws_text(struct client *c, const char *want);
int64_t world_now_ms(void);
int world_make_files(void **state);
int world_remove_files(void **state);

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

#endif
