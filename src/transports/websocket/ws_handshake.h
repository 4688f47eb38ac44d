/*
 * ws_handshake.h - checks the request that opens a WebSocket. Pure.
 *
 * Spec: RFC 6455 section 4.2. Feed every header of the request, then check.
 */
#ifndef SL_TRANSPORTS_WS_HANDSHAKE_H
#define SL_TRANSPORTS_WS_HANDSHAKE_H

#include <stdbool.h>

#define SL_WS_PROTOCOL       "janus-protocol"
#define SL_WS_ADMIN_PROTOCOL "janus-admin-protocol"
#define SL_WS_ACCEPT_SIZE    29 /* base64 of a SHA-1, and the terminator */

struct sl_ws_handshake {
    const char *protocol; /* the one that must be offered */
    const char *key;      /* borrowed from the header */
    bool upgrade;         /* Upgrade: websocket */
    bool connection;      /* Connection: upgrade */
    bool version;         /* Sec-WebSocket-Version: 13 */
    bool offered;         /* Sec-WebSocket-Protocol lists @protocol */
    bool two_keys;
};

void sl_ws_handshake_init(struct sl_ws_handshake *h, const char *protocol);
/* @value may be NULL (a header without one). Strings are borrowed until the check. */
void sl_ws_handshake_header(struct sl_ws_handshake *h, const char *name, const char *value);
/* 101 and @accept, or the HTTP status to refuse with (400, 403, 426) and @why, one sentence. */
int sl_ws_handshake_check(const struct sl_ws_handshake *h, const char *method, const char *version,
                          char accept[SL_WS_ACCEPT_SIZE], const char **why);

#endif
