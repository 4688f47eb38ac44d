/*
 * api_auth.h - who asks, and what they may do.
 *
 * Spec: control protocol, section 7. Thread: control.
 *
 * Every request and every session carries a principal. With tokens a session belongs to the
 * subject of the token that created it: of a stored token that is the token itself; of a signed
 * one its descriptor `sub=...` when there is one, else all that follows the expiry, so that a
 * renewed token still reaches its sessions.
 */
#ifndef SL_API_AUTH_H
#define SL_API_AUTH_H

#include "base/role.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum sl_principal_kind {
    SL_PRINCIPAL_ANONYMOUS, /* no credential, and none was needed */
    SL_PRINCIPAL_SECRET,    /* knows the API secret */
    SL_PRINCIPAL_TOKEN,
};

struct sl_principal {
    enum sl_principal_kind kind;
    uint8_t subject[20]; /* MAC of the token's subject under a key of this process */
    bool local;          /* the client's address is loopback or private */
};

struct sl_auth {
    /* Given, outlive us; NULL: not configured. */
    const char *api_secret;
    const char *token_secret;
    bool token_auth;
    bool anonymous; /* a principal without credential may create rooms */
    /* Owned. */
    json_t *tokens; /* stored ones: {token: true or [package, ...]} */
    uint8_t key[20];
};

int sl_auth_init(struct sl_auth *a); /* after the given part was filled; 0 or -ENOMEM */
void sl_auth_fini(struct sl_auth *a);

/* Finds the principal of a request with these credentials (NULL: absent). 0 or -EACCES. */
int sl_auth_check(const struct sl_auth *a, const char *secret, const char *token,
                  struct sl_principal *out) SL_ON_CONTROL;
/* Whether the request with @token may attach to @package; @who is its principal. */
bool sl_auth_may_attach(const struct sl_auth *a, const struct sl_principal *who, const char *token,
                        const char *package) SL_ON_CONTROL;
/* Whether @who may use what @owner created. */
bool sl_principal_owns(const struct sl_principal *who, const struct sl_principal *owner);
/* The one place that answers "may they": "room.create", and what plugins call theirs. */
bool sl_may(const struct sl_auth *a, const struct sl_principal *who, const char *what);

/* A signed token, `<expiry>,<realm>,<descriptor>...:<base64 of HMAC-SHA1>`, that is for @realm,
 * lists
 * @descriptor (NULL: any) and is valid at @now_s (Unix seconds). */
bool sl_token_is_valid(const char *token, const char *secret, const char *realm,
                       const char *descriptor, int64_t now_s);

/* Stored tokens. Steals @plugins, an array of packages; NULL: all. 0 or -ENOMEM. */
int sl_auth_token_add(struct sl_auth *a, const char *token, json_t *plugins) SL_ON_CONTROL;
int sl_auth_token_del(struct sl_auth *a, const char *token) SL_ON_CONTROL; /* 0 or -ENOENT */

#endif
