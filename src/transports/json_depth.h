/*
 * json_depth.h - how deep a JSON text is nested, before a recursive parser looks at it.
 *
 * Thread: any; pure.
 */
#ifndef SL_TRANSPORTS_JSON_DEPTH_H
#define SL_TRANSPORTS_JSON_DEPTH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether no more than @max objects and arrays are inside each other in @text, which may be
 * anything and may hold several JSON texts. Says nothing about what is no JSON. */
bool sl_json_depth_is_ok(const char *text, size_t len, unsigned int max);

#endif
