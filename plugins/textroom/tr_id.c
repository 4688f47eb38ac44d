#include "tr.h"
#include <stdlib.h>
#include <string.h>

struct tr_conf tr_conf;

static bool string_is_fine(const char *s, size_t len)
{
    if (len < 1 || len > TR_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

static void from_number(json_int_t n, struct tr_id *out)
{
    out->n = n;
    snprintf(out->s, sizeof(out->s), "%" JSON_INTEGER_FORMAT, n);
}

bool tr_id_parse(const json_t *v, struct tr_id *out)
{
    if (!tr_conf.string_ids) {
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return false;
        from_number(json_integer_value(v), out);
        return true;
    }
    if (!json_is_string(v) || !string_is_fine(json_string_value(v), json_string_length(v)))
        return false;
    out->n = 0;
    snprintf(out->s, sizeof(out->s), "%s", json_string_value(v));
    return true;
}

bool tr_id_from_text(const char *text, struct tr_id *out)
{
    json_t *v = NULL;
    bool ok;

    if (tr_conf.string_ids) {
        v = json_string(text);
    } else {
        char *end = NULL;
        const long long n = strtoll(text, &end, 10);

        if (text[0] >= '0' && text[0] <= '9' && !*end)
            v = json_integer(n);
    }
    ok = v && tr_id_parse(v, out);
    json_decref(v);
    return ok;
}

json_t *tr_id_json(const struct tr_id *id)
{
    return tr_conf.string_ids ? json_string(id->s) : json_integer(id->n);
}

void tr_id_random(struct tr_id *out)
{
    do {
        out->n = 0;
        if (tr_conf.string_ids)
            tr_core->random_uuid(out->s);
        else
            from_number((json_int_t)tr_core->random_id(), out);
    } while (tr_room_find(out));
}

const char *tr_id_kind(void)
{
    return tr_conf.string_ids ? "a string" : "a positive integer";
}
