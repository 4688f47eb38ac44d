#include "transports/websocket/ws_json.h"
#include <errno.h>
#include <string.h>

static size_t skip_blanks(const char *buf, size_t len)
{
    size_t n = 0;

    while (n < len && memchr(" \t\r\n", buf[n], 4))
        n++;
    return n;
}

int sl_ws_json_split(const char *buf, size_t len, json_t **out, size_t max)
{
    size_t n = 0, at = skip_blanks(buf, len);

    while (at < len) {
        json_error_t error;
        json_t *root = NULL;

        if (n < max)
            root = json_loadb(buf + at, len - at, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &error);
        if (!root || error.position <= 0) {
            json_decref(root);
            goto bad;
        }
        out[n++] = root;
        at += (size_t)error.position;
        at += skip_blanks(buf + at, len - at);
    }
    if (n)
        return (int)n;

bad:
    while (n)
        json_decref(out[--n]);
    return -EBADMSG;
}
