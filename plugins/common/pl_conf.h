/*
 * pl_conf.h - the configuration of a plugin that has rooms: [general], and a group per room.
 *
 * A room is written as the members of its `create`, with text for values:
 *
 *   [room 1234]
 *   description = Demo
 *   allowed = one, two
 *
 * Rooms that are `permanent` are written back; the core replaces the file as a whole.
 */
#ifndef PL_CONF_H
#define PL_CONF_H

#include "pl_id.h"
#include <sluice/args.h>

/* A key of [general]. */
struct pl_key {
    const char *name;
    const char *wanted;                      /* "yes or no": what the complaint says */
    int (*read)(const char *text, void *to); /* 0; -EINVAL: not what is wanted; -errno */
    void *to;
};

struct pl_conf {
    const struct sl_core *core;
    const char *file; /* as complaints name it */
    const struct pl_key *general;
    size_t ngeneral;
    const bool *string_ids; /* read with [general] */
    /* A key of a room as a member of `create`; `allowed` is not asked for. NULL: no such key, or
     * not a value for it. */
    json_t *(*room_value)(const char *key, const char *text);
    /* Makes a room. 0; -errno, with the reason in @why (SL_ARG_TEXT_MAX) unless that is known from
     * the number: -EEXIST, -E2BIG, -ENOMEM. */
    int (*room_make)(const struct pl_id *id, const json_t *body, char *why);
};

/* Readers for struct pl_key. */
int pl_read_bool(const char *text, void *to); /* bool */
int pl_read_text(const char *text, void *to); /* char *, owned; NULL for an empty one */

/* "yes", "off", ...: a new boolean; NULL: none of them. */
json_t *pl_bool_from_text(const char *text);

/* Reads [general], then makes the rooms. 0 or -errno, after having said why. */
int pl_conf_load(const struct pl_conf *c);

/* Writes a room: @keys, which it steals, and the tokens, unless @allowed is NULL. Or removes it.
 * False: that did not work. */
bool pl_room_save(const struct sl_core *core, const struct pl_id *id, json_t *keys,
                  const json_t *allowed);
bool pl_room_unsave(const struct sl_core *core, const struct pl_id *id);

#endif
