/*
 * opt.h - options as tables: each module declares its rows next to the struct they fill; the
 * sample file, --help, range checks and the unknown-key error all come from the same rows.
 *
 *   static const struct sl_opt http_opts[] = {
 *       SL_OPT_INT("port", struct http_conf, port, 8088, 0, 65535, "TCP port"),
 *       ...
 *   };
 *   const struct sl_opt_group http_group = { "http", http_opts, SL_COUNT(http_opts) };
 *
 * Thread: control, at start. Strings are owned by the struct; sl_opt_fini frees them.
 */
#ifndef SL_BASE_OPT_H
#define SL_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum sl_opt_type {
    SL_OPT_T_BOOL,  /* bool;     "yes", "no", "true", "false", "1", "0" */
    SL_OPT_T_INT,   /* int64_t;  decimal */
    SL_OPT_T_STR,   /* char *;   NULL when unset, set to nothing, or without default */
    SL_OPT_T_RANGE, /* struct sl_opt_range; "LOW-HIGH" */
    SL_OPT_T_ENUM,  /* int64_t;  index into @words, NULL terminated */
};

struct sl_opt_range {
    int64_t low, high;
};

struct sl_opt {
    const char *key;
    enum sl_opt_type type;
    size_t offset;
    const char *def; /* as it would stand in the file; NULL: no default */
    int64_t min, max;
    const char *const *words;
    const char *help;
    bool secret; /* never printed */
};

struct sl_opt_group {
    const char *name;
    const struct sl_opt *opts;
    size_t n;
};

#define SL_OPT_BOOL(key, st, field, def, help)                                                     \
    {                                                                                              \
        key, SL_OPT_T_BOOL, offsetof(st, field), def, 0, 0, NULL, help, false                      \
    }
#define SL_OPT_INT(key, st, field, def, min, max, help)                                            \
    {                                                                                              \
        key, SL_OPT_T_INT, offsetof(st, field), #def, min, max, NULL, help, false                  \
    }
#define SL_OPT_STR(key, st, field, def, help)                                                      \
    {                                                                                              \
        key, SL_OPT_T_STR, offsetof(st, field), def, 0, 0, NULL, help, false                       \
    }
#define SL_OPT_SECRET(key, st, field, help)                                                        \
    {                                                                                              \
        key, SL_OPT_T_STR, offsetof(st, field), NULL, 0, 0, NULL, help, true                       \
    }
#define SL_OPT_RANGE(key, st, field, def, min, max, help)                                          \
    {                                                                                              \
        key, SL_OPT_T_RANGE, offsetof(st, field), def, min, max, NULL, help, false                 \
    }
#define SL_OPT_ENUM(key, st, field, def, words, help)                                              \
    {                                                                                              \
        key, SL_OPT_T_ENUM, offsetof(st, field), def, 0, 0, words, help, false                     \
    }

/* Fills @conf with the defaults of @g. 0 or -ENOMEM. */
int sl_opt_defaults(const struct sl_opt_group *g, void *conf);
/* Sets one key from text. 0; -ENOENT: no such key; -EINVAL: @err (size @cap) says what is expected,
 * e.g. "expects a number from 0 to 65535, not 'abc'"; -ENOMEM. */
int sl_opt_set(const struct sl_opt_group *g, void *conf, const char *key, const char *text,
               char *err, size_t cap);
void sl_opt_fini(const struct sl_opt_group *g, void *conf);

#endif
