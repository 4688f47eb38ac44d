/*
 * strbuf.h - a growing string. Errors stick: append without checking, look at the end.
 */
#ifndef SL_BASE_STRBUF_H
#define SL_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct sl_strbuf {
    char *text; /* always terminated, or NULL before the first append */
    size_t len;
    size_t cap;
    bool failed; /* out of memory: the content is not to be used */
};

void sl_strbuf_init(struct sl_strbuf *b);
void sl_strbuf_fini(struct sl_strbuf *b);
void sl_strbuf_add(struct sl_strbuf *b, const char *s);
void sl_strbuf_addn(struct sl_strbuf *b, const char *s, size_t n);
void sl_strbuf_addf(struct sl_strbuf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The text, to be freed with free(); NULL when it failed. @b is empty afterwards. */
char *sl_strbuf_take(struct sl_strbuf *b);

#endif
