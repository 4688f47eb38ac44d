/*
 * pc_media_conf.h - group `media` of the configuration: what workers and peer connections are
 * told. The file, --help and the sample come from the rows of sl_media_group (base/opt.h).
 */
#ifndef SL_PC_MEDIA_CONF_H
#define SL_PC_MEDIA_CONF_H

#include "base/opt.h"

enum sl_media_ice { SL_MEDIA_ICE_LITE, SL_MEDIA_ICE_FULL };

struct sl_media_conf {
    int64_t ice; /* enum sl_media_ice */
    char *bind;  /* comma list of addresses; NULL: all */
    int64_t port, tcp_port;
    char *public_ip; /* comma list; NULL: announce local addresses */
    struct sl_opt_range rtp_port_range;
    char *stun_server, *turn_server, *turn_user, *turn_password;
    char *dtls_cert, *dtls_key; /* both or none */
    int64_t mtu;
    int64_t ice_grace_s;
    int64_t no_media_timer_s;
    int64_t slowlink_threshold;
    int64_t twcc_period_ms;
    bool auto_layers;
    int64_t busy_limit;
    int64_t burst_wait_us;
    int64_t gop_ms, gop_bytes;
    int64_t max_peers;
    int64_t max_ssrcs;                 /* of one peer */
    int64_t max_sdp_bytes, max_mlines; /* of a client's offer */
};

extern const struct sl_opt_group sl_media_group;

#endif
