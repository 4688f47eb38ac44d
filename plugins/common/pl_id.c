#include "pl_id.h"
#include <stdio.h>
#include <stdlib.h>

static bool string_is_fine(const char *s, size_t len)
{
    if (len < 1 || len > PL_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

static void from_number(json_int_t n, struct pl_id *out)
{
    *out = (struct pl_id){ .n = n };
    snprintf(out->s, sizeof(out->s), "%" JSON_INTEGER_FORMAT, n);
}

bool pl_id_parse(const json_t *v, bool want_string, struct pl_id *out)
{
    if (!want_string) {
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return false;
        from_number(json_integer_value(v), out);
        return true;
    }
    if (!json_is_string(v) || !string_is_fine(json_string_value(v), json_string_length(v)))
        return false;
    *out = (struct pl_id){ .is_string = true };
    snprintf(out->s, sizeof(out->s), "%s", json_string_value(v));
    return true;
}

bool pl_id_from_text(const char *text, bool want_string, struct pl_id *out)
{
    json_t *v = NULL;
    bool ok;

    if (want_string) {
        v = json_string(text);
    } else {
        char *end = NULL;
        const long long n = strtoll(text, &end, 10);

        if (text[0] >= '0' && text[0] <= '9' && !*end)
            v = json_integer(n);
    }
    ok = v && pl_id_parse(v, want_string, out);
    json_decref(v);
    return ok;
}

json_t *pl_id_json(const struct pl_id *id)
{
    return id->is_string ? json_string(id->s) : json_integer(id->n);
}

void pl_id_random(const struct sl_core *core, bool want_string, struct pl_id *out)
{
    if (!want_string) {
        from_number((json_int_t)core->random_id(), out);
        return;
    }
    *out = (struct pl_id){ .is_string = true };
    core->random_uuid(out->s);
}
