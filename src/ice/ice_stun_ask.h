/*
 * ice_stun_ask.h - asks a STUN server how it sees us, for administrators (admin API, `test_stun`).
 *
 * Spec:   RFC 5389 section 7.2.1 (retransmission; shorter here). Coded by libnice's STUN library.
 * Thread: one of its own, since it waits: 3.5 s at most.
 */
#ifndef SL_ICE_STUN_ASK_H
#define SL_ICE_STUN_ASK_H

#include "net/net_addr.h"

/* @local_port 0: any. 0 and our address in @out; -ETIMEDOUT; -EBADMSG: it answered with an error;
 * or what the socket said. */
int sl_stun_ask(const struct sl_addr *server, uint16_t local_port, struct sl_addr *out);

#endif
