/*
 * ws_json.h - takes a message apart into its JSON texts. Pure.
 */
#ifndef SL_TRANSPORTS_WS_JSON_H
#define SL_TRANSPORTS_WS_JSON_H

#include <jansson.h>
#include <stddef.h>

/* Parses all texts of @buf, with or without blanks between them, into @out: new references, the
 * caller's. Their number (1 .. @max), or -EBADMSG when one does not parse, when there is none or
 * when there are more than @max; then @out holds nothing. */
int sl_ws_json_split(const char *buf, size_t len, json_t **out, size_t max);

#endif
