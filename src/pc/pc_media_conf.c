#include "pc/pc_media_conf.h"

static const char *const ice_words[] = { "lite", "full", NULL };

static const struct sl_opt opts[] = {
    SL_OPT_ENUM("ice", struct sl_media_conf, ice, "lite", ice_words,
                "lite: one UDP port per worker; full: libnice with STUN and TURN"),
    SL_OPT_STR("bind", struct sl_media_conf, bind, NULL,
               "comma list of addresses for media; unset: all"),
    SL_OPT_INT("port", struct sl_media_conf, port, 10000, 1, 65535, "worker i uses UDP port + i"),
    SL_OPT_INT("tcp_port", struct sl_media_conf, tcp_port, 0, 0, 65535,
               "TCP port of all workers, for clients whose network blocks UDP, ice = lite; 0: off"),
    SL_OPT_STR("public_ip", struct sl_media_conf, public_ip, NULL,
               "comma list of addresses to announce instead of the local ones"),
    SL_OPT_RANGE("rtp_port_range", struct sl_media_conf, rtp_port_range, "40000-49999", 1024, 65535,
                 "UDP ports for full ICE"),
    SL_OPT_STR("stun_server", struct sl_media_conf, stun_server, NULL, "host:port, full ICE"),
    SL_OPT_STR("turn_server", struct sl_media_conf, turn_server, NULL, "host:port, full ICE"),
    SL_OPT_STR("turn_user", struct sl_media_conf, turn_user, NULL, "user at the TURN server"),
    SL_OPT_SECRET("turn_password", struct sl_media_conf, turn_password,
                  "password at the TURN server"),
    SL_OPT_STR("dtls_cert", struct sl_media_conf, dtls_cert, NULL,
               "PEM certificate; unset: a new ECDSA one at each start"),
    SL_OPT_STR("dtls_key", struct sl_media_conf, dtls_key, NULL, "PEM key of dtls_cert"),
    SL_OPT_INT("mtu", struct sl_media_conf, mtu, 1200, 576, 9000,
               "bytes of a DTLS datagram, IP and UDP headers not counted"),
    SL_OPT_INT("ice_grace", struct sl_media_conf, ice_grace_s, 90, 0, 86400,
               "seconds that a peer connection waits for an ICE restart"),
    SL_OPT_INT("no_media_timer", struct sl_media_conf, no_media_timer_s, 1, 0, 3600,
               "seconds without RTP until a media event says so; 0: never"),
    SL_OPT_INT("slowlink_threshold", struct sl_media_conf, slowlink_threshold, 0, 0, 100000,
               "packets lost in a second that make a slowlink event; 0: none"),
    SL_OPT_INT("twcc_period", struct sl_media_conf, twcc_period_ms, 200, 20, 1000,
               "milliseconds between transport-wide congestion control reports"),
    SL_OPT_BOOL("auto_layers", struct sl_media_conf, auto_layers, "yes",
                "subscribers get the layers that their path carries; no: those they ask for"),
    SL_OPT_INT("busy_limit", struct sl_media_conf, busy_limit, 900, 0, 1000,
               "1/1000 of a core: a worker that is busier takes layers from its subscribed videos, "
               "the least important first, until it is not; 0: never"),
    SL_OPT_INT("burst_wait_us", struct sl_media_conf, burst_wait_us, 0, 0, 20000,
               "microseconds that packets may wait for more of their frame, to be sent as one; 0: "
               "not at all. For publishers that spread a frame's packets, at the cost of latency"),
    SL_OPT_INT(
        "gop_ms", struct sl_media_conf, gop_ms, 1200, 0, 5000,
        "milliseconds that a key frame of a publisher, and what followed it, is kept for new "
        "subscribers, whose first picture then needs no new one; 0: not at all"),
    SL_OPT_INT("gop_bytes", struct sl_media_conf, gop_bytes, 524288, 1024, 16777216,
               "bytes of that at most, of each simulcast layer; what is larger is not kept"),
    SL_OPT_INT("max_peers", struct sl_media_conf, max_peers, 10000, 1, 4000000,
               "peer connections at a time"),
    SL_OPT_INT("max_ssrcs", struct sl_media_conf, max_ssrcs, 128, 1, 128,
               "SSRCs that one peer connection may send; packets of others are dropped"),
    SL_OPT_INT("max_sdp_bytes", struct sl_media_conf, max_sdp_bytes, 65536, 1024, 262144,
               "bytes of a client's offer"),
    SL_OPT_INT("max_mlines", struct sl_media_conf, max_mlines, 256, 1, 256,
               "m-lines of a client's offer"),
};

const struct sl_opt_group sl_media_group = { "media", opts, SL_COUNT(opts) };
