#include "base/strbuf.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_strbuf_init(struct sl_strbuf *b)
{
    *b = (struct sl_strbuf){ 0 };
}

void sl_strbuf_fini(struct sl_strbuf *b)
{
    free(b->text);
    sl_strbuf_init(b);
}

/* Room for @n more characters and the terminator. */
static bool strbuf_reserve(struct sl_strbuf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 128;
    char *text;

    if (b->failed)
        return false;
    if (n > SIZE_MAX / 4 - b->len) {
        b->failed = true;
        return false;
    }
    while (cap < b->len + n + 1)
        cap *= 2;
    if (cap == b->cap)
        return true;
    text = realloc(b->text, cap);
    if (!text) {
        b->failed = true;
        return false;
    }
    b->text = text;
    b->cap = cap;
    return true;
}

void sl_strbuf_addn(struct sl_strbuf *b, const char *s, size_t n)
{
    if (!strbuf_reserve(b, n))
        return;
    if (n)
        memcpy(b->text + b->len, s, n);
    b->len += n;
    b->text[b->len] = '\0';
}

void sl_strbuf_add(struct sl_strbuf *b, const char *s)
{
    sl_strbuf_addn(b, s, strlen(s));
}

void sl_strbuf_addf(struct sl_strbuf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if (!strbuf_reserve(b, (size_t)n))
        return;
    va_start(ap, fmt);
    (void)vsnprintf(b->text + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

char *sl_strbuf_take(struct sl_strbuf *b)
{
    char *text;

    sl_strbuf_addn(b, "", 0); /* an empty text, too, is a text */
    text = b->failed ? NULL : b->text;
    if (text)
        b->text = NULL;
    sl_strbuf_fini(b);
    return text;
}
