/*
 * floor.h - how peers talk to tests/bench/floor/floor, the bare forwarder that results are compared
 * with.
 *
 * Owner: tests/bench/floor; the load generator includes it to play the floor's peers.
 * Thread: any; pure.
 *
 * There is no signalling, ICE or DTLS: every peer has a UDP socket of its own, by whose address the
 * floor knows it, and sends the floor a registration until that comes back with FLOOR_ACK set:
 *
 *     0                   1                   2                   3
 *    | magic "SLFL"                                                  |
 *    | flags         | profile       | peer index                    |
 *    | room                          | 0                             |
 *
 * A registration with the same content from the same address is only answered; from another address
 * or with other flags it makes the peer anew, with fresh SRTP contexts. So a conference of N is N
 * peers of one room, all of them FLOOR_PUBLISH | FLOOR_SUBSCRIBE, and a webinar 1 x N is a peer
 * with FLOOR_PUBLISH and N with FLOOR_SUBSCRIBE. The floor answers in the profile that it was
 * started with (--profile), whatever was asked: read it from the answer.
 *
 * From then on what a publisher sends as SRTP under floor_ssrc_up(peer, media) reaches every other
 * subscriber of its room as SRTP under floor_ssrc_down(peer, media), same payload, timestamp,
 * marker and header extensions; the sequence number is moved by floor_seq_offset(subscriber). RTCP
 * is ignored. Keys are fixed (floor_keys), one master key per peer and direction: for loopback
 * only.
 */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include "base/bytes.h"
#include "dtls/dtls.h"
#include <errno.h>

#define FLOOR_MAGIC    UINT32_C(0x534c464c) /* neither STUN, DTLS, RTP nor RTCP (RFC 7983) */
#define FLOOR_REG_LEN  12
#define FLOOR_PEER_MAX 4096 /* peer indexes are below */

enum { FLOOR_PUBLISH = 1, FLOOR_SUBSCRIBE = 2, FLOOR_ACK = 0x80 };

struct floor_reg {
    uint8_t flags;
    enum sl_srtp_profile profile; /* AEAD_AES_128_GCM or AES128_CM_SHA1_80 */
    uint16_t peer, room;
};

/* @buf has FLOOR_REG_LEN bytes. */
static inline void floor_reg_write(const struct floor_reg *r, uint8_t *buf)
{
    memset(buf, 0, FLOOR_REG_LEN);
    sl_put32(buf, FLOOR_MAGIC);
    buf[4] = r->flags;
    buf[5] = (uint8_t)r->profile;
    sl_put16(buf + 6, r->peer);
    sl_put16(buf + 8, r->room);
}

/* 0 or -EBADMSG. */
static inline int floor_reg_parse(const uint8_t *buf, size_t len, struct floor_reg *out)
{
    if (len != FLOOR_REG_LEN || sl_get32(buf) != FLOOR_MAGIC ||
        sl_get16(buf + 6) >= FLOOR_PEER_MAX ||
        (buf[5] != SL_SRTP_AEAD_AES_128_GCM && buf[5] != SL_SRTP_AES128_CM_SHA1_80))
        return -EBADMSG;
    out->flags = buf[4];
    out->profile = (enum sl_srtp_profile)buf[5];
    out->peer = sl_get16(buf + 6);
    out->room = sl_get16(buf + 8);
    return 0;
}

static inline void floor_key_fill(uint16_t peer, bool uplink, uint8_t key[32 + 14])
{
    for (size_t i = 0; i < 32 + 14; i++)
        key[i] = (uint8_t)(0x5a + 7 * i);
    key[0] ^= (uint8_t)(peer >> 8);
    key[1] ^= (uint8_t)peer;
    key[2] ^= uplink ? 1 : 2;
}

/* For sl_srtp_create: the contexts of @peer itself, or (@at_floor) those that the floor has for it.
 */
static inline void floor_keys(enum sl_srtp_profile profile, uint16_t peer, bool at_floor,
                              struct sl_srtp_keys *out)
{
    memset(out, 0, sizeof(*out));
    out->profile = profile;
    out->key_len = 16;
    out->salt_len = profile == SL_SRTP_AES128_CM_SHA1_80 ? 14 : 12;
    floor_key_fill(peer, !at_floor, out->local);
    floor_key_fill(peer, at_floor, out->remote);
}

/* @media: the publisher's stream, 0..255 (say 0 video, 1 audio, 2.. more layers). */
static inline uint32_t floor_ssrc_up(uint16_t peer, uint8_t media)
{
    return UINT32_C(0x11000000) | (uint32_t)media << 16 | peer;
}

static inline uint32_t floor_ssrc_down(uint16_t publisher, uint8_t media)
{
    return UINT32_C(0x22000000) | (uint32_t)media << 16 | publisher;
}

static inline uint8_t floor_ssrc_media(uint32_t ssrc)
{
    return (uint8_t)(ssrc >> 16);
}

/* Sequence number at the subscriber = the publisher's plus this, modulo 2^16. */
static inline uint16_t floor_seq_offset(uint16_t subscriber)
{
    return (uint16_t)(subscriber * 7 + 1);
}

#endif
