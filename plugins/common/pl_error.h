/*
 * pl_error.h - why a request is refused, and the checks that refuse it.
 *
 * A request embeds a struct pl_error. Checks return 0, or -1 with code and text set, so that they
 * chain: `if (pl_args(e, ...) < 0 || pl_arg_id(e, ...) < 0) return -1;`.
 */
#ifndef PL_ERROR_H
#define PL_ERROR_H

#include "pl_id.h"
#include <sluice/args.h>

/* What all plugins refuse for, by their own numbers. */
struct pl_codes {
    int missing, invalid, unauthorized;
};

struct pl_error {
    const struct pl_codes *codes;
    int code;
    char text[SL_ARG_TEXT_MAX];
};

/* Sets the error and returns -1. */
int pl_fail(struct pl_error *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* {@plugin:@word,"error_code":..,"error":..}, a new object. */
json_t *pl_error_json(const struct pl_error *e, const char *plugin, const char *word);

int pl_args(struct pl_error *e, const json_t *obj, const struct sl_arg *args, size_t n);
/* Member @name, when there, must be an array of strings. */
int pl_arg_strings(struct pl_error *e, const json_t *obj, const char *name);
/* The id in member @name, which must be there. */
int pl_arg_id(struct pl_error *e, const json_t *obj, const char *name, bool want_string,
              struct pl_id *out);
/* Member @name must be equal to @secret, unless that is NULL. */
int pl_arg_secret(struct pl_error *e, const struct sl_core *core, const json_t *obj,
                  const char *name, const char *secret);

#endif
