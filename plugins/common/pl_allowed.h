/*
 * pl_allowed.h - the tokens that open a room: an object, token -> true, and whether they are asked
 * for.
 */
#ifndef PL_ALLOWED_H
#define PL_ALLOWED_H

#include "pl_error.h"

/* The tokens: a new array. */
json_t *pl_allowed_list(const json_t *allowed);
/* The array of a request, whose elements are strings, into @allowed. */
void pl_allowed_add(json_t *allowed, const json_t *list);
/* As in configuration files: "a,b" (a new string) and "a, b" -> ["a","b"] (a new array). */
json_t *pl_allowed_to_text(const json_t *allowed);
json_t *pl_allowed_from_text(const char *text);

/* The request `allowed` on a room's @allowed and @is_checked. 0 and the list to answer with (a new
 * array), or -1 and nothing has changed. */
int pl_allowed_request(struct pl_error *e, const json_t *body, json_t *allowed, bool *is_checked,
                       json_t **list);

#endif
