/* What a WebSocket client sends: the first byte chooses the headers of the handshake or a message.
 * Properties: a refused handshake says why; a message's texts, written one after the other, come
 * apart into equal ones. */
#include "fuzz.h"
#include "transports/websocket/ws_handshake.h"
#include "transports/websocket/ws_json.h"
#include <string.h>

#define TEXTS 16

static void handshake(char *text)
{
    struct sl_ws_handshake h;
    char accept[SL_WS_ACCEPT_SIZE] = "", *save = NULL;
    const char *why;
    int status;

    sl_ws_handshake_init(&h, SL_WS_PROTOCOL);
    for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
        char *colon = strchr(line, ':');

        if (colon)
            *colon++ = '\0';
        sl_ws_handshake_header(&h, line, colon ? colon + strspn(colon, " ") : NULL);
    }
    status = sl_ws_handshake_check(&h, "GET", "HTTP/1.1", accept, &why);
    FUZZ_CHECK((status == 101) == (why == NULL));
    FUZZ_CHECK(strlen(accept) == (status == 101 ? SL_WS_ACCEPT_SIZE - 1 : 0));
}

static void message(const char *text, size_t len)
{
    json_t *a[TEXTS], *b[TEXTS];
    char *all = NULL;
    size_t all_len = 0;
    FILE *f;
    int n = sl_ws_json_split(text, len, a, TEXTS);

    if (n < 0)
        return;
    FUZZ_CHECK(n > 0 && n <= TEXTS);
    f = open_memstream(&all, &all_len);
    FUZZ_CHECK(f);
    for (int i = 0; i < n; i++) {
        FUZZ_CHECK(json_dumpf(a[i], f, JSON_ENCODE_ANY | JSON_COMPACT) == 0);
        FUZZ_CHECK(fputc(' ', f) != EOF);
    }
    FUZZ_CHECK(fclose(f) == 0);
    FUZZ_CHECK(sl_ws_json_split(all, all_len, b, TEXTS) == n);
    for (int i = 0; i < n; i++) {
        FUZZ_CHECK(json_equal(a[i], b[i]));
        json_decref(a[i]);
        json_decref(b[i]);
    }
    free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size ? malloc(size) : NULL;

    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] == 'H')
        handshake(text);
    else
        message(text, size - 1);
    free(text);
    return 0;
}
