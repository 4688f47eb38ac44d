/*
 * worker_msg.h - every message that a worker gets or sends; there are no others.
 *
 * control -> worker, ICE and SCTP thread -> worker, worker -> worker: struct sl_wmsg through the
 * worker's mailbox, in order per sender. worker -> control: struct sl_report through the callback
 * of struct sl_worker_conf, which posts. The receiver frees. Nothing crosses by pointer but what a
 * message owns; packets travel in rings (worker_ring.h).
 */
#ifndef SL_WORKER_MSG_H
#define SL_WORKER_MSG_H

#include "base/id.h"
#include "base/mailbox.h"
#include "dtls/dtls.h"
#include "ice/ice.h"
#include "peer/peer.h"
#include "sdp/sdp_media.h"
#include <sluice/plugin.h>

enum sl_wmsg_type {
    /* from control; `pc` is the peer connection, in EP_* any endpoint */
    SL_WMSG_EP_OPEN, /* one that is no peer connection */
    SL_WMSG_PC_OPEN,
    SL_WMSG_PC_REMOTE,
    SL_WMSG_PC_RESTART,
    SL_WMSG_EP_MEDIA,
    SL_WMSG_EP_CLOSE,
    SL_WMSG_ROUTE_ADD, /* `pc` is the subscriber */
    SL_WMSG_ROUTE_DEL,
    SL_WMSG_ROUTE_PAUSE,
    SL_WMSG_ROUTE_LAYERS,
    SL_WMSG_KEYFRAME, /* `pc` is the publisher; from another worker too */
    SL_WMSG_BITRATE,
    SL_WMSG_FIR_INTERVAL,
    SL_WMSG_GATE,
    SL_WMSG_TALK,
    SL_WMSG_VOICE,
    SL_WMSG_TAP,
    SL_WMSG_UNTAP, /* the one with this `id` */
    SL_WMSG_PC_INFO, /* answered by SL_REPORT_INFO, in order; `flag`: for event handlers */
    SL_WMSG_PC_CAPTURE,
    SL_WMSG_EP_DATA,     /* a message for a forwarder to send */
    SL_WMSG_EP_PLAY,     /* packets of a player (relay.h) */
    SL_WMSG_EP_CONSUMED, /* `number` of charge, of a remote publisher's data */
    SL_WMSG_SLOWLINK,    /* to all workers: the threshold; `pc` is none */
    SL_WMSG_NO_MEDIA,    /* likewise: the seconds of silence that are told */
    SL_WMSG_STOP,
    /* from the ICE thread */
    SL_WMSG_ICE_STATE,
    SL_WMSG_ICE_PATH,
    SL_WMSG_ICE_CHECKED,
    SL_WMSG_ICE_DATA,
    /* from the SCTP thread */
    SL_WMSG_SCTP_OUT,
    /* from another worker; `pc` is the publisher */
    SL_WMSG_MIRROR_OPEN,
    SL_WMSG_MIRROR_CLOSE,
    SL_WMSG_WANT,
    SL_WMSG_TCP, /* from the one that listens; `pc` is none */
    SL_WMSG_MAX
};

struct sl_pcap;
struct sl_peer_info;
struct sl_media_tap;
struct sl_relay_conf;

struct sl_wmsg {
    struct sl_mail mail;
    enum sl_wmsg_type type;
    sl_id pc;
    uint16_t mindex;
    /* Of what must be told even without memory: *_OPEN: SL_REPORT_DOWN, which the slot keeps;
     * EP_CLOSE: SL_REPORT_CLOSED. Owned. */
    struct sl_report *report;
    union {
        struct {
            bool lite; /* false: ICE is the ICE thread's */
            struct sl_ice_creds local;
        } open;
        struct {
            char ufrag[SL_ICE_UFRAG_MAX + 1];
            struct sl_fingerprint fingerprint;
            bool dtls_server; /* our role */
        } remote;
        struct sl_ice_creds restart;
        struct sl_relay_conf *relay; /* EP_OPEN; owned */
        struct sl_media *media;      /* owned */
        struct {
            sl_id from;
            uint16_t from_mindex;
            uint8_t nlayers; /* simulcast layers of the source; 1: none */
            bool svc;
            struct sl_layer_wish wish;
        } route;
        bool flag;           /* ROUTE_PAUSE, GATE, PC_INFO */
        int layer;           /* KEYFRAME; -1: all */
        uint32_t number;     /* BITRATE bit/s, FIR_INTERVAL s, SLOWLINK packets per second,
                              * NO_MEDIA s */
        unsigned int worker; /* MIRROR_*: who asks */
        struct {
            unsigned int worker; /* who says so */
            int layer;
        } want;
        struct {
            uint32_t packets;
            uint8_t threshold;
        } talk;
        enum sl_voice_mode voice;
        enum sl_ice_state ice_state;
        struct sl_media_tap *tap; /* owned */
        uint64_t id;              /* UNTAP */
        struct sl_ice_path path;  /* its udp is owned */
        struct sl_addr checked;
        struct sl_tcp *tcp;      /* owned, with what was read */
        struct sl_pcap *capture; /* owned; NULL: ends it */
        struct {
            size_t len;
            uint8_t *bytes; /* behind the struct, same block; EP_DATA: see sl_relay_data_send */
            uint32_t ssrc;  /* EP_DATA, and next */
            bool is_binary;
        } data;
    };
};

/* malloc'd and zeroed; NULL: out of memory. @extra bytes behind the struct, of EP_DATA with the
 * room around the message. *_OPEN and EP_CLOSE come with their report. */
struct sl_wmsg *sl_wmsg_new(enum sl_wmsg_type type, sl_id pc, size_t extra);
/* Frees the message and what it owns. */
void sl_wmsg_free(struct sl_wmsg *m);

enum sl_report_type {
    SL_REPORT_UP,         /* ICE and DTLS done */
    SL_REPORT_DOWN,       /* gone from the other side: `reason`; EP_CLOSE must still be sent */
    SL_REPORT_ICE_FAILED, /* consent lost */
    SL_REPORT_CLOSED,     /* EP_CLOSE done: the slot may be used again */
    SL_REPORT_RECEIVING,
    SL_REPORT_SLOW_LINK,
    SL_REPORT_TALKING,
    SL_REPORT_VOICE,
    SL_REPORT_LAYER,
    SL_REPORT_QUALITY,
    SL_REPORT_WATCHED,   /* `watched`: the highest layer that somebody wants */
    SL_REPORT_LINK,      /* news of ICE and DTLS */
    SL_REPORT_DATA,      /* a remote publisher's message */
    SL_REPORT_DATA_SENT, /* `charge` of what a forwarder or player was given */
    SL_REPORT_KEYFRAME,  /* wanted of a player */
    SL_REPORT_INFO,      /* asked for, and before DOWN for event handlers */
    SL_REPORT_MAX
};

struct sl_report {
    /* For whom the callback posts it to. */
    struct sl_cq_mail cq;
    void *to;

    enum sl_report_type type;
    sl_id pc;
    uint16_t mindex;
    union {
        const char *reason; /* a literal */
        struct {
            int substream; /* -1: no simulcast */
            bool on;
        } receiving;
        struct {
            bool uplink;
            uint32_t lost;
        } slow;
        struct {
            bool on;
            double level;
        } talking;
        struct sl_voice_report voice;
        struct sl_layer_event layer;
        struct sl_quality quality;
        int watched;
        struct {
            const char *bytes; /* behind the struct, same block; a NUL follows */
            size_t len;
            bool is_binary;
        } data;
        struct sl_link link;
        size_t charge;
        struct {
            struct sl_peer_info *is; /* owned; NULL: out of memory */
            bool for_events;         /* else for the administrator */
        } info;
    };
};

#endif
