/*
 * pl_id.h - the id of a room or a participant: an integer, or a string when `string_ids` is on.
 *
 * Either way `s` is its text, which maps, log lines, configuration groups and tokens use.
 * String ids hold 1 to PL_ID_MAX bytes and no control characters (they reach SDP and files).
 */
#ifndef PL_ID_H
#define PL_ID_H

#include <sluice/plugin.h>

#define PL_ID_MAX 127

struct pl_id {
    char s[PL_ID_MAX + 1];
    json_int_t n; /* integer ids */
    bool is_string;
};

/* False: @v is not of the kind that is wanted (or no id at all). */
bool pl_id_parse(const json_t *v, bool want_string, struct pl_id *out);
/* The same from a text (configuration). */
bool pl_id_from_text(const char *text, bool want_string, struct pl_id *out);
/* A new reference. */
json_t *pl_id_json(const struct pl_id *id);
/* A random id; the caller sees to it that it is free. */
void pl_id_random(const struct sl_core *core, bool want_string, struct pl_id *out);

#endif
