#include "pl_error.h"
#include <stdarg.h>

int pl_fail(struct pl_error *e, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    e->code = code;
    return -1;
}

json_t *pl_error_json(const struct pl_error *e, const char *plugin, const char *word)
{
    json_t *text = json_string(e->text);

    /* A text that was cut inside of a character is not UTF-8 any more. */
    return json_pack("{s:s, s:i, s:o}", plugin, word, "error_code", e->code, "error",
                     text ? text : json_string("Invalid element"));
}

int pl_args(struct pl_error *e, const json_t *obj, const struct sl_arg *args, size_t n)
{
    const int err = sl_args_check(obj, args, n, e->text, sizeof(e->text));

    if (err)
        e->code = err == -ENOENT ? e->codes->missing : e->codes->invalid;
    return err ? -1 : 0;
}

int pl_arg_strings(struct pl_error *e, const json_t *obj, const char *name)
{
    const struct sl_arg arg = { name, SL_ARG_ARRAY, SL_ARG_OPTIONAL };
    const json_t *v;
    size_t i;

    if (pl_args(e, obj, &arg, 1) < 0)
        return -1;
    json_array_foreach(sl_arg_get(obj, name), i, v)
    {
        if (!json_is_string(v))
            return pl_fail(e, e->codes->invalid, "Invalid element type (%s should hold strings)",
                           name);
    }
    return 0;
}

int pl_arg_id(struct pl_error *e, const json_t *obj, const char *name, bool want_string,
              struct pl_id *out)
{
    const json_t *v = sl_arg_get(obj, name);

    if (!v)
        return pl_fail(e, e->codes->missing, "Missing mandatory element (%s)", name);
    if (!pl_id_parse(v, want_string, out))
        return pl_fail(e, e->codes->invalid, "Invalid element type (%s should be %s)", name,
                       sl_arg_type_to_str(want_string ? SL_ARG_STRING : SL_ARG_UINT));
    return 0;
}

int pl_arg_secret(struct pl_error *e, const struct sl_core *core, const json_t *obj,
                  const char *name, const char *secret)
{
    const struct sl_arg arg = { name, SL_ARG_STRING, SL_ARG_REQUIRED };

    if (!secret)
        return 0;
    if (pl_args(e, obj, &arg, 1) < 0)
        return -1;
    if (!core->secret_is_equal(sl_arg_str(obj, name, NULL), secret))
        return pl_fail(e, e->codes->unauthorized, "Unauthorized (wrong %s)", name);
    return 0;
}
