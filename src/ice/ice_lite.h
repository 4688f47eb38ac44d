/*
 * ice_lite.h - ICE-lite for all peer connections of one worker (RFC 8445 section 2.5, 7.3).
 *
 * Thread: worker.  Owner: the worker.  Sans I/O: datagrams in, answers out through a callback.
 * STUN coding is libnice's (ice_stun.h).
 *
 * A peer is found by the local ufrag in the USERNAME of a check, and after an authenticated check
 * by its exact remote address (and connection, if it came by TCP). Addresses that passed no check
 * lead nowhere. Consent: an authenticated Binding request within 30 s (RFC 7675 from the answering
 * side; a lite agent sends none itself).
 */
#ifndef SL_ICE_LITE_H
#define SL_ICE_LITE_H

#include "base/role.h"
#include "base/timer.h"
#include "ice/ice.h"

struct sl_ice_lite;
struct sl_lite_agent;

struct sl_ice_lite_cb {
    /* Answer @data the way that the request came. */
    void (*send)(void *arg, const struct sl_ice_path *path, const uint8_t *data, size_t len);
    /* A TCP connection serves nobody any more: close it, but not inside. */
    void (*gone)(void *arg, struct sl_tcp *tcp);
    /* Of one agent; @user is what sl_lite_agent_create got. The agent must not be destroyed inside.
     */
    void (*state)(void *user, enum sl_ice_state state);
    /* The path changed: the first address that passed a check (so that DTLS may be answered at
     * once), then the nominated one, then migrations (nominated checks from elsewhere). */
    void (*path)(void *user, const struct sl_ice_path *path);
};

/* Named reasons why a STUN message led nowhere. */
enum sl_lite_drop {
    SL_LITE_MALFORMED,
    SL_LITE_UNKNOWN_UFRAG,
    SL_LITE_BAD_INTEGRITY,
    SL_LITE_NOT_A_REQUEST,
    SL_LITE_TOO_MANY_ADDRESSES,
    SL_LITE_DROP_MAX
};
const char *sl_lite_drop_to_str(enum sl_lite_drop why);

int sl_ice_lite_create(struct sl_wheel *wheel, const struct sl_ice_lite_cb *cb, void *arg,
                       struct sl_ice_lite **out) SL_ON_WORKER;
void sl_ice_lite_destroy(struct sl_ice_lite *l) SL_ON_WORKER;
const uint64_t *sl_ice_lite_drops(const struct sl_ice_lite *l); /* [SL_LITE_DROP_MAX] */

int sl_lite_agent_create(struct sl_ice_lite *l, const struct sl_ice_creds *local, void *user,
                         struct sl_lite_agent **out) SL_ON_WORKER;
void sl_lite_agent_destroy(struct sl_lite_agent *a) SL_ON_WORKER;
/* New local credentials (ICE restart): checks with the new ones take over the path when they
 * succeed; the old ones are honoured until then, so that media goes on. */
int sl_lite_agent_restart(struct sl_lite_agent *a, const struct sl_ice_creds *local) SL_ON_WORKER;
/* The peer's ufrag, which USERNAME must name after ours. Before it is known any is taken. */
void sl_lite_agent_set_remote(struct sl_lite_agent *a, const char *ufrag) SL_ON_WORKER;

/* One packet that RFC 7983 says is STUN, and the way back: DIRECT or TCP, with both addresses. */
void sl_ice_lite_input(struct sl_ice_lite *l, const struct sl_ice_path *path, const uint8_t *data,
                       size_t len, uint64_t now_us) SL_ON_WORKER;
/* Whose is a packet from @remote that came on @tcp (NULL: UDP)? The agent's @user, or NULL. */
void *sl_ice_lite_find(const struct sl_ice_lite *l, const struct sl_addr *remote,
                       const struct sl_tcp *tcp) SL_ON_WORKER;
/* @tcp from @remote is broken: nothing goes to it from here on. */
void sl_ice_lite_lost(struct sl_ice_lite *l, const struct sl_addr *remote,
                      const struct sl_tcp *tcp) SL_ON_WORKER;
/* Which worker a request is for, by what it says: nothing is proven by it. -EBADMSG: it is no
 * request for one of ours. */
int sl_ice_lite_worker_of(struct sl_ice_lite *l, const uint8_t *data, size_t len) SL_ON_WORKER;

#endif
