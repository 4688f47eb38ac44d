/*
 * log.h - one event per line, key=value, to stderr; text or JSON lines.
 *
 * Any thread. A line is written with one write(2), so lines of threads never mix. Keys, tokens and
 * media bytes stay out of logs. The packet path counts instead of logging.
 *
 *   sl_info("dtls", "connected", "pc=%" PRIx64 " ms=%u", id, ms);
 *   2026-11-21T10:00:00.123Z INFO dtls connected pc=2a0000010007 ms=41
 *
 * JSON:
 * {"time":"...","level":"info","mod":"dtls","event":"connected","pc":"2a0000010007","ms":"41"} (the
 * key=value text is split at blanks; a value with blanks is written as key="...").
 */
#ifndef SL_BASE_LOG_H
#define SL_BASE_LOG_H

#include <stdbool.h>

enum sl_log_level { SL_LOG_ERROR, SL_LOG_WARN, SL_LOG_INFO, SL_LOG_DEBUG };
enum sl_log_format { SL_LOG_TEXT, SL_LOG_JSON };

/* Both may be called at any time; take effect for all threads. */
void sl_log_set_level(enum sl_log_level level);
void sl_log_set_format(enum sl_log_format format);
enum sl_log_level sl_log_get_level(void);

bool sl_log_wants(enum sl_log_level level);
void sl_log(enum sl_log_level level, const char *mod, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#define SL_LOG_AT(level, ...)                                                                      \
    do {                                                                                           \
        if (sl_log_wants(level))                                                                   \
            sl_log((level), __VA_ARGS__);                                                          \
    } while (0)
#define sl_error(...) SL_LOG_AT(SL_LOG_ERROR, __VA_ARGS__)
#define sl_warn(...)  SL_LOG_AT(SL_LOG_WARN, __VA_ARGS__)
#define sl_info(...)  SL_LOG_AT(SL_LOG_INFO, __VA_ARGS__)
#define sl_debug(...) SL_LOG_AT(SL_LOG_DEBUG, __VA_ARGS__)

#endif
