#include "base/log.h"
#include "base/clock.h"
#include "base/opt.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define LOG_BODY_MAX 2048
/* JSON makes at most six characters of two ("= "), and two of one that it escapes. */
#define LOG_LINE_MAX (LOG_BODY_MAX * 3 + 512)

static const struct {
    const char *name, *title;
} levels[] = {
    [SL_LOG_ERROR] = { "error", "ERROR" },
    [SL_LOG_WARN] = { "warn", "WARN" },
    [SL_LOG_INFO] = { "info", "INFO" },
    [SL_LOG_DEBUG] = { "debug", "DEBUG" },
};

static atomic_int log_level = SL_LOG_INFO;
static atomic_int log_format = SL_LOG_TEXT;

void sl_log_set_level(enum sl_log_level level)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

enum sl_log_level sl_log_get_level(void)
{
    return (enum sl_log_level)atomic_load_explicit(&log_level, memory_order_relaxed);
}

void sl_log_set_format(enum sl_log_format format)
{
    atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
}

bool sl_log_wants(enum sl_log_level level)
{
    return level <= sl_log_get_level();
}

struct line {
    char text[LOG_LINE_MAX];
    size_t len;
};

/* What does not fit (long names of modules and events) is left out; the line still gets its end. */
static void line_addn(struct line *l, const char *s, size_t n)
{
    size_t room = sizeof(l->text) - 8 - l->len;

    if (n > room)
        n = room;
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

static void line_add(struct line *l, const char *s)
{
    line_addn(l, s, strlen(s));
}

/* Length of the UTF-8 sequence at @s (RFC 3629), 0 when it is none. */
static size_t utf8_len(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Peers choose some of what is logged: they get neither line breaks nor control characters in. */
static void clean(char *s)
{
    while (*s) {
        size_t n = utf8_len(s);

        if (n == 0 || (unsigned char)*s < 0x20 || *s == 0x7f) {
            *s++ = '?';
            continue;
        }
        s += n;
    }
}

static void json_string(struct line *l, const char *s, size_t n)
{
    line_add(l, "\"");
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || s[i] == '\\')
            line_add(l, "\\");
        line_addn(l, s + i, 1);
    }
    line_add(l, "\"");
}

/* One "key=value" or "key=\"va lue\"" of @s; the length of what was used. */
static size_t json_pair(struct line *l, const char *s)
{
    size_t key = strcspn(s, "= "), end;

    line_add(l, ",");
    if (s[key] != '=') {
        json_string(l, "msg", 3);
        line_add(l, ":");
        end = strlen(s);
        json_string(l, s, end);
        return end;
    }
    json_string(l, s, key);
    line_add(l, ":");
    s += key + 1;
    if (*s == '"') {
        const char *q = strchr(s + 1, '"');

        while (q && q[1] && q[1] != ' ')
            q = strchr(q + 1, '"');
        if (q) {
            json_string(l, s + 1, (size_t)(q - s) - 1);
            return key + 2 + (size_t)(q - s);
        }
    }
    end = strcspn(s, " ");
    json_string(l, s, end);
    return key + 1 + end;
}

static void line_json(struct line *l, const char *when, enum sl_log_level level, const char *mod,
                      const char *event, const char *body)
{
    line_add(l, "{\"time\":");
    json_string(l, when, strlen(when));
    line_add(l, ",\"level\":");
    json_string(l, levels[level].name, strlen(levels[level].name));
    line_add(l, ",\"mod\":");
    json_string(l, mod, strlen(mod));
    line_add(l, ",\"event\":");
    json_string(l, event, strlen(event));
    for (;;) {
        body += strspn(body, " ");
        if (!*body)
            break;
        body += json_pair(l, body);
    }
    line_add(l, "}");
}

static void line_text(struct line *l, const char *when, enum sl_log_level level, const char *mod,
                      const char *event, const char *body)
{
    const char *parts[] = { when, levels[level].title, mod, event, body };

    for (size_t i = 0; i < SL_COUNT(parts); i++) {
        if (!*parts[i])
            continue;
        if (i)
            line_add(l, " ");
        line_add(l, parts[i]);
    }
}

void sl_log(enum sl_log_level level, const char *mod, const char *event, const char *fmt, ...)
{
    uint64_t now = sl_wall_us();
    time_t seconds = (time_t)(now / 1000000);
    char body[LOG_BODY_MAX], day[32], when[48];
    struct line l = { .len = 0 };
    struct tm tm;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(body, sizeof(body), fmt, ap);
    va_end(ap);
    if (n < 0)
        body[0] = '\0';
    else if ((size_t)n >= sizeof(body))
        memcpy(body + sizeof(body) - 4, "...", 4);
    clean(body);
    gmtime_r(&seconds, &tm);
    (void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(when, sizeof(when), "%s.%03uZ", day, (unsigned int)(now / 1000 % 1000));
    if (atomic_load_explicit(&log_format, memory_order_relaxed) == SL_LOG_JSON)
        line_json(&l, when, level, mod, event, body);
    else
        line_text(&l, when, level, mod, event, body);
    l.text[l.len++] = '\n';
    while (write(STDERR_FILENO, l.text, l.len) < 0 && errno == EINTR)
        ;
}
