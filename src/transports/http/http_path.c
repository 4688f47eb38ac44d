#include "transports/http/http_path.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Decimal, nothing else, fits. */
static bool id_parse(const char *s, size_t len, uint64_t *out)
{
    uint64_t v = 0;

    if (!len)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned int d = (unsigned int)(s[i] - '0');

        if (d > 9 || v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *out = v;
    return true;
}

static bool is_word(const char *s, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(s, word, len) == 0;
}

static size_t len_without_slashes(const char *s)
{
    size_t n = strlen(s);

    while (n && s[n - 1] == '/')
        n--;
    return n;
}

struct http_path http_path_parse(const char *url, const char *base)
{
    struct http_path p = { HTTP_AT_OUTSIDE, 0, 0 };
    size_t base_len = len_without_slashes(base);
    const char *end = url + len_without_slashes(url);
    const char *part;
    size_t len;

    if (strcmp(url, "/healthz") == 0) {
        p.where = HTTP_AT_HEALTH;
        return p;
    }
    if (strncmp(url, base, base_len) != 0 || (url[base_len] && url[base_len] != '/'))
        return p;
    url += base_len;
    if (url >= end) {
        p.where = HTTP_AT_BASE;
        return p;
    }
    p.where = HTTP_AT_UNKNOWN;
    part = url + 1;
    len = strcspn(part, "/");
    if (part + len == end && is_word(part, len, "info"))
        p.where = HTTP_AT_INFO;
    else if (part + len == end && is_word(part, len, "ping"))
        p.where = HTTP_AT_PING;
    if (!id_parse(part, len, &p.session))
        return p;
    part += len;
    if (part == end) {
        p.where = HTTP_AT_SESSION;
        return p;
    }
    part++;
    if (id_parse(part, (size_t)(end - part), &p.handle))
        p.where = HTTP_AT_HANDLE;
    return p;
}
