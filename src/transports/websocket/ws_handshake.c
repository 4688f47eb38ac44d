#include "transports/websocket/ws_handshake.h"
#include "base/secret.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GUID    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LEN 24 /* base64 of 16 bytes */

/* Whether the comma list @list has the element @word. */
static bool has_token(const char *list, const char *word,
                      int (*cmp)(const char *, const char *, size_t))
{
    size_t len = strlen(word);

    for (const char *p = list; *p;) {
        const char *end;

        p += strspn(p, ", \t");
        end = p + strcspn(p, ",");
        while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if ((size_t)(end - p) == len && cmp(p, word, len) == 0)
            return true;
        p += strcspn(p, ",");
    }
    return false;
}

void sl_ws_handshake_init(struct sl_ws_handshake *h, const char *protocol)
{
    *h = (struct sl_ws_handshake){ .protocol = protocol };
}

void sl_ws_handshake_header(struct sl_ws_handshake *h, const char *name, const char *value)
{
    if (!value)
        return;
    if (!strcasecmp(name, "Upgrade")) {
        h->upgrade |= has_token(value, "websocket", strncasecmp);
    } else if (!strcasecmp(name, "Connection")) {
        h->connection |= has_token(value, "upgrade", strncasecmp);
    } else if (!strcasecmp(name, "Sec-WebSocket-Version")) {
        h->version |= has_token(value, "13", strncmp);
    } else if (!strcasecmp(name, "Sec-WebSocket-Protocol")) {
        h->offered |= has_token(value, h->protocol, strncmp);
    } else if (!strcasecmp(name, "Sec-WebSocket-Key")) {
        h->two_keys = h->key != NULL;
        h->key = value;
    }
}

static bool key_is_good(const struct sl_ws_handshake *h)
{
    uint8_t raw[18];

    return h->key && !h->two_keys && strlen(h->key) == KEY_LEN &&
           sl_base64_decode(h->key, raw, sizeof(raw)) == 16;
}

int sl_ws_handshake_check(const struct sl_ws_handshake *h, const char *method, const char *version,
                          char accept[SL_WS_ACCEPT_SIZE], const char **why)
{
    char text[KEY_LEN + sizeof(GUID)];
    uint8_t digest[20];

    *why = NULL;
    if (strcmp(method, "GET") != 0 || strcmp(version, "HTTP/1.1") != 0)
        *why = "A WebSocket is opened with GET and HTTP/1.1.\n";
    else if (!h->upgrade || !h->connection)
        *why = "The headers 'Upgrade: websocket' and 'Connection: Upgrade' are both needed.\n";
    if (*why)
        return 400;
    if (!h->version) {
        *why = "Only version 13 of the WebSocket protocol is spoken here.\n";
        return 426;
    }
    if (!key_is_good(h)) {
        *why = "Sec-WebSocket-Key is not 16 bytes in base64.\n";
        return 400;
    }
    if (!h->offered) {
        *why = strcmp(h->protocol, SL_WS_PROTOCOL) == 0
                   ? "The subprotocol 'janus-protocol' must be offered.\n"
                   : "The subprotocol 'janus-admin-protocol' must be offered.\n";
        return 403;
    }
    snprintf(text, sizeof(text), "%s" GUID, h->key);
    if (sl_sha1(text, strlen(text), digest)) {
        *why = "SHA-1 is not available.\n";
        return 500;
    }
    sl_base64_encode(digest, sizeof(digest), accept);
    return 101;
}
