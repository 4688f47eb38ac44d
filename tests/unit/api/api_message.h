/*
 * api_message.h - requests to a handle of the harness, and what comes back, as texts.
 */
#ifndef API_MESSAGE_H
#define API_MESSAGE_H

#include "api_harness.h"

#define MSG(request)                                                                               \
    "{\"janus\":\"message\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"             \
    "\"body\":{\"request\":\"" request "\"}}"
#define MSG_JSEP(request, jsep)                                                                    \
    "{\"janus\":\"message\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"             \
    "\"body\":{\"request\":\"" request "\"},\"jsep\":" jsep "}"
#define OFFER  "{\"type\":\"offer\",\"sdp\":\"v=0\"}"
#define ANSWER "{\"type\":\"answer\",\"sdp\":\"v=0\"}"
#define DATA(text)                                                                                 \
    "\"plugindata\":{\"plugin\":\"test.plugin.one\",\"data\":{\"test\":\"" text "\"}}"
#define SYNC(text)                                                                                 \
    "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H," DATA(text) "}"
#define ACK "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}"
#define EVENT(text)                                                                                \
    "{\"janus\":\"event\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H," DATA(text) "}"
#define EVENT_JSEP(text, type, sdp)                                                                \
    "{\"janus\":\"event\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H," DATA(            \
        text) ",\"jsep\":{\"type\":\"" type "\",\"sdp\":\"" sdp "\"}}"
#define FREE_EVENT(text) "{\"janus\":\"event\",\"session_id\":$S,\"sender\":$H," DATA(text) "}"
#define HANGUP(reason)                                                                             \
    "{\"janus\":\"hangup\",\"session_id\":$S,\"sender\":$H,\"reason\":\"" reason "\"}"
#define ERR(code, reason)                                                                          \
    "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{\"code\":" #code      \
    ",\"reason\":\"" reason "\"}}"

#define T_H(f) cmocka_unit_test_setup_teardown(f, t_handle, t_teardown)

#endif
