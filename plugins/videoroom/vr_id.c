#include "vr_id.h"
#include "vr.h"
#include <stdlib.h>

static bool string_is_fine(const char *s, size_t len)
{
    if (len < 1 || len > VR_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

static void from_number(json_int_t n, struct vr_id *out)
{
    out->n = n;
    snprintf(out->s, sizeof(out->s), "%" JSON_INTEGER_FORMAT, n);
}

bool vr_id_parse(const json_t *v, struct vr_id *out)
{
    if (!vr_conf.string_ids) {
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

bool vr_id_from_text(const char *text, struct vr_id *out)
{
    json_t *v = NULL;
    bool ok;

    if (vr_conf.string_ids) {
        v = json_string(text);
    } else {
        char *end = NULL;
        const long long n = strtoll(text, &end, 10);

        if (text[0] >= '0' && text[0] <= '9' && !*end)
            v = json_integer(n);
    }
    ok = v && vr_id_parse(v, out);
    json_decref(v);
    return ok;
}

json_t *vr_id_json(const struct vr_id *id)
{
    return vr_conf.string_ids ? json_string(id->s) : json_integer(id->n);
}

void vr_id_random(struct vr_id *out)
{
    if (!vr_conf.string_ids) {
        from_number((json_int_t)vr_core->random_id(), out);
        return;
    }
    out->n = 0;
    vr_core->random_uuid(out->s);
}

const char *vr_id_kind(void)
{
    return vr_conf.string_ids ? "a string" : "a positive integer";
}
