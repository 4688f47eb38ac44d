/*
 * vr_id.h - the id of a room or a publisher: an integer, or a string when `string_ids` is on.
 *
 * Either way `s` is its text, which maps, log lines, configuration groups and tokens use.
 * String ids hold 1 to VR_ID_MAX bytes and no control characters (they reach SDP and files).
 */
#ifndef VR_ID_H
#define VR_ID_H

#include <jansson.h>
#include <stdbool.h>

#define VR_ID_MAX 127

struct vr_id {
    char s[VR_ID_MAX + 1];
    json_int_t n; /* integer ids */
};

/* False: @v is not of the kind that is configured (or no id at all). */
bool vr_id_parse(const json_t *v, struct vr_id *out);
/* The same from a text (configuration). */
bool vr_id_from_text(const char *text, struct vr_id *out);
/* A new reference. */
json_t *vr_id_json(const struct vr_id *id);
/* A random id; the caller sees to it that it is free. */
void vr_id_random(struct vr_id *out);
/* How error texts name the kind: "a string". */
const char *vr_id_kind(void);

#endif
