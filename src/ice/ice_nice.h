/*
 * ice_nice.h - full ICE with libnice: a NiceAgent per peer connection, all in one ICE thread with
 * its own GMainContext (GLib's loop costs linear time in its sources: it must never carry media
 * sockets of a worker, and no worker iterates it).
 *
 * Thread: the functions below may be called from any thread; they post to the ICE thread and
 * return. Callbacks run on the ICE thread and only post. A pc id that is unknown there is ignored.
 */
#ifndef SL_ICE_NICE_H
#define SL_ICE_NICE_H

#include "base/role.h"
#include "ice/ice.h"

struct sl_nice;

struct sl_nice_conf {
    const char *stun_server; /* "host:port", NULL: none */
    const char *turn_server; /* "host:port" or "host:port?transport=tcp", NULL: none */
    const char *turn_user, *turn_password;
    uint16_t port_low, port_high; /* 0: any */
    const struct sl_addr *bind;   /* addresses to gather on; n 0: all local ones */
    size_t nbind;
    const char *const *public_ip; /* announced instead of host addresses; n 0: none */
    size_t npublic;
};

struct sl_nice_cb {
    /* The agent exists: its credentials (again after a restart). */
    void (*creds)(void *arg, sl_id pc, const struct sl_ice_creds *creds);
    /* A local candidate as a candidate-attribute; NULL: gathering is complete. */
    void (*candidate)(void *arg, sl_id pc, const char *text);
    void (*state)(void *arg, sl_id pc, enum sl_ice_state state);
    /* The selected pair. Where its datagrams are UDP on the wire, our own socket takes over from
     * libnice, which keeps STUN (checks, consent). */
    void (*path)(void *arg, sl_id pc, const struct sl_ice_path *path);
    /* Another address than the selected one passed an authenticated check. */
    void (*checked)(void *arg, sl_id pc, const struct sl_addr *remote);
    /* A datagram of the peer (DTLS, SRTP, SRTCP) that libnice received: before a pair is selected,
     * or from a relay. */
    void (*data)(void *arg, sl_id pc, const uint8_t *data, size_t len);
};

/* @cb stays the caller's and must outlive the thread; @conf is copied. 0; -EINVAL: a server or
 * public address does not parse, or the port range is upside down; -ENOMEM; -EAGAIN: no thread.
 * Names of servers are looked up in the background, again every ten minutes. */
int sl_nice_create(const struct sl_nice_conf *conf, const struct sl_nice_cb *cb, void *arg,
                   struct sl_nice **out);
void sl_nice_destroy(struct sl_nice *n); /* ends the thread; no callback afterwards */

/* Starts gathering at once. */
void sl_nice_open(struct sl_nice *n, sl_id pc, bool controlling);
void sl_nice_close(struct sl_nice *n, sl_id pc);
/* The peer's credentials. Different ones than before mean that the peer restarted ICE: unless a
 * restart of ours waits for just these, ours restarts as well and new credentials come through
 * cb.creds (so do not call sl_nice_restart besides). */
void sl_nice_remote(struct sl_nice *n, sl_id pc, const struct sl_ice_creds *creds);
/* A remote candidate-attribute. mDNS names (.local) are ignored without delay: the peer's checks
 * make it known as peer reflexive. NULL: end of candidates. */
void sl_nice_candidate(struct sl_nice *n, sl_id pc, const char *text);
/* ICE restart from our side: new credentials come through cb.creds, candidates again, DTLS stays;
 * the old path serves until the peer's answer (sl_nice_remote) and a new pair are there. */
void sl_nice_restart(struct sl_nice *n, sl_id pc);
/* One datagram over a path of kind SL_ICE_PATH_AGENT; copied. Beyond 4096 waiting ones, and above
 * 2048 bytes, it is dropped and counted. */
void sl_nice_send(struct sl_nice *n, sl_id pc, const uint8_t *data, size_t len);
/* Datagrams that went nowhere: too many, too long, or refused by libnice. */
uint64_t sl_nice_drops(const struct sl_nice *n);
/* Selected pairs whose socket the kernel would not let us share; their media goes through libnice.
 */
uint64_t sl_nice_refused(const struct sl_nice *n);

#endif
