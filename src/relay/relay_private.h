/*
 * relay_private.h - the inside of a relay, for src/relay/ only.
 *
 * relay.c: life, what goes out, timers.  relay_forward.c, relay_remote.c and relay_player.c: the
 * kinds.
 */
#ifndef SL_RELAY_PRIVATE_H
#define SL_RELAY_PRIVATE_H

#include "media/media_pkt.h"
#include "media/media_sink.h"
#include "media/media_track.h"
#include "relay/relay.h"
#include "rtcp/rtcp.h"
#include "srtp/srtp.h"

#define RELAY_TICK_US  UINT64_C(50000)
#define RELAY_WIRE_MAX 256 /* m-lines that SSRCs can name */

struct sl_relay;

struct relay_kind {
    int (*set_line)(struct sl_relay *r, const struct sl_media_line *m);
    void (*rtp)(struct sl_relay *r, const struct sl_udp_dgram *d);
    void (*rtcp)(struct sl_relay *r, uint8_t *data, size_t len, const struct sl_addr *from);
    void (*second)(struct sl_relay *r); /* NULL: nothing beside what tracks and sinks do */
};

extern const struct relay_kind sl_relay_forward;
extern const struct relay_kind sl_relay_remote;
extern const struct relay_kind sl_relay_player;

struct sl_relay {
    struct sl_endpoint ep;
    struct sl_relay_env *env;
    const struct relay_kind *kind;
    struct sl_relay_conf *conf;
    struct sl_watch rtp, rtcp;
    struct sl_srtp *srtp; /* NULL: plain */
    struct sl_media *media;
    struct sl_tx tx;
    struct sl_timer tick;
    uint64_t second_us; /* when the next second begins */
    uint32_t own_ssrc;  /* of reports and feedback; not one of SL_RELAY_SSRC */

    /* Remote publisher. */
    struct sl_addr rtp_from; /* whom we listen to */
    uint64_t rtp_heard_us;
    struct sl_addr rtcp_to; /* where its reports came from */
    int rtcp_fd;
    struct sl_ext_map extmap;
    uint16_t by_wire[RELAY_WIRE_MAX]; /* (SSRC - 1000) / 10 -> m-line + 1; 0: none */

    /* Player. */
    struct relay_play *plays; /* by m-line */
    uint64_t play_wall_us;    /* our wall clock at the plugin's time 0; 0: not known */

    /* Data messages. */
    uint16_t data_seq;
    size_t data_sent;  /* charge, not yet told */
    size_t data_taken; /* charge, not yet consumed */
};

/* After authentication, if there is any: is @from the sender that we keep to? */
bool sl_relay_is_sender(struct sl_relay *r, const struct sl_addr *from);
/* A remote publisher's data message; false: it is something else. */
bool sl_relay_data_take(struct sl_relay *r, const struct sl_udp_dgram *d) SL_ON_WORKER;

/* What control gave, @len bytes of it, was sent or dropped. */
void sl_relay_data_done(struct sl_relay *r, size_t len) SL_ON_WORKER;

/* A slot for RTCP, and its end: staged unless nothing was written. */
struct sl_slot *sl_relay_rtcp_begin(struct sl_relay *r, struct sl_writer *w) SL_ON_WORKER;
void sl_relay_rtcp_end(struct sl_relay *r, struct sl_slot *slot, struct sl_writer *w) SL_ON_WORKER;

#endif
