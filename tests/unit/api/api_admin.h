/*
 * api_admin.h - requests of an administrator to the harness, and what comes back, as texts.
 */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api_harness.h"
#include <stdio.h>

#define OK(rest)   "{\"janus\":\"success\",\"transaction\":\"t\"" rest "}"
#define OK_S(rest) "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"" rest "}"
#define FAIL(code, reason)                                                                         \
    "{\"janus\":\"error\",\"transaction\":\"t\",\"error\":{\"code\":" #code                        \
    ",\"reason\":\"" reason "\"}}"
#define FAIL_S(code, reason)                                                                       \
    "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{\"code\":" #code      \
    ",\"reason\":\"" reason "\"}}"
#define S  ",\"session_id\":$S"
#define SH ",\"session_id\":$S,\"handle_id\":$H"

/* A handle, and an administrator who knows the secret. */
static inline int t_admin_handle(void **state)
{
    t_api_conf.admin_secret = "root";
    return t_handle(state);
}

/* @rest are the members beside the envelope; the ids are members, too. */
static inline void admin(const char *rest, const char *want)
{
    char text[768];

    snprintf(text, sizeof(text), "{\"transaction\":\"t\",\"admin_secret\":\"root\",%s}", rest);
    t_send_admin(text);
    if (want)
        t_answer(want);
}

/* Of a client: the handle gets a connection. */
static inline void offer(void)
{
    t_send(
        "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":$S,\"handle_id\":$H,\"body\":"
        "{\"request\":\"answer\"},\"jsep\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}");
    while (t_next())
        continue;
    assert_non_null(mock_pc.last);
}

/* The answer to handle_info. */
static inline const json_t *info_next(void)
{
    const struct t_rec *r = t_next();

    assert_non_null(r);
    assert_string_equal(json_string_value(json_object_get(r->json, "janus")), "success");
    assert_int_equal(json_integer_value(json_object_get(r->json, "handle_id")), T.handle);
    return json_object_get(r->json, "info");
}

#endif
