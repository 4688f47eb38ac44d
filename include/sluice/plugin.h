/*
 * plugin.h - the contract between the core and a plugin.
 *
 * A plugin is a shared object that exports one symbol, `sl_plugin` (struct sl_plugin, see
 * SL_PLUGIN_EXPORT). The core refuses another `abi`; new fields are only appended and `size` tells
 * which exist.
 *
 * Threads: every callback below runs on the control thread unless its comment says worker. All
 * functions of struct sl_core are for the control thread, but log, post, random_id, random_uuid and
 * secret_is_equal, which any thread may call. So a plugin needs no locks.
 *
 * What a plugin does: it gets requests (message), answers with JSON, describes which media it wants
 * (struct sl_mline, never SDP text), and declares routes from a published m-line to a subscribed
 * one. The core negotiates and forwards; packets do not pass through the plugin.
 *
 * Ownership: json_t that the core hands in is borrowed for the call (json_incref to keep it); json_t
 * that a plugin hands over is stolen by the core. Strings and arrays handed in are borrowed.
 */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include <sluice/quality.h>
#include <sluice/types.h>
#include <jansson.h>

#define SL_PLUGIN_ABI 2

/* A handle of a client, by id: stale ids are harmless (-ESTALE). */
typedef uint64_t sl_hid;

struct sl_msg; /* one request that waits for its answer; owned by the core */

/* ---- m-lines ------------------------------------------------------------------------------- */

struct sl_mcodec {
    enum sl_codec codec;
    uint8_t pt;
    char fmtp[SL_FMTP_MAX + 1]; /* format parameters, "" when there are none */
    char profile[16];           /* H.264 profile-level-id or VP9 profile-id, "" when none */
};

/*
 * One m-line. `dir` is the server's direction everywhere: in what a client offered it is the most
 * that the server may do, in what the plugin wants it is what the server shall do.
 */
struct sl_mline {
    char mid[SL_MID_MAX + 1]; /* in offers of the server "" lets the core choose (its index) */
    enum sl_kind kind;
    enum sl_dir dir;
    bool rejected; /* port 0 (offered so), or: answer it so */

    /* Codecs, best first. From a client: all that both sides know. Wanted in an answer: the first
     * counts. Wanted in an offer: the client chooses one of them. */
    const struct sl_mcodec *codecs;
    size_t ncodecs;
    bool red;     /* audio: the client can RED; wanted: use it around opus */

    uint32_t exts; /* SL_EXT_BIT()s that were offered / that the plugin accepts or offers */
    uint8_t ext_id[SL_EXT_MAX]; /* filled by the core: ids as offered, 0: none */

    uint8_t nlayers; /* simulcast layers that the client offers; 0: none */
    char svc[16];    /* scalability mode from jsep.svc, "" when none */
    char stream[SL_MSID_MAX + 1]; /* msid: stream and track id, "" lets the core choose */
    char track[SL_MSID_MAX + 1];
    uint32_t max_bitrate; /* wanted: b= lines in our description, bit/s; 0: none */
};

enum sl_jsep_type { SL_JSEP_NONE, SL_JSEP_OFFER, SL_JSEP_ANSWER };

/* What came with a request. */
struct sl_jsep_in {
    enum sl_jsep_type type;
    const struct sl_mline *lines; /* valid for the call of message() */
    size_t nlines;
    bool update;  /* a renegotiation of a connection that exists */
    bool restart; /* ICE credentials changed */
    bool e2ee;
};

/* What shall go with an event. The core writes the SDP, adds ICE and DTLS, and sends the event when
 * it is ready; later events of the same handle wait behind it. */
struct sl_jsep_out {
    enum sl_jsep_type type;       /* SL_JSEP_OFFER or SL_JSEP_ANSWER */
    const struct sl_mline *lines; /* answer: one per offered line; offer: all lines, indexes stable */
    size_t nlines;
    const char *session_name; /* s= line; NULL: "Sluice" */
    bool restart;             /* offer: new ICE credentials */
    bool e2ee;
};

/* ---- routes -------------------------------------------------------------------------------- */

/* One m-line of one handle's peer connection. */
struct sl_mref {
    sl_hid handle;
    uint16_t mindex;
};

/* Wishes of a subscriber; -1 means "as high as there is". */
struct sl_layer_wish {
    int8_t substream;   /* simulcast, 0 lowest */
    int8_t temporal;
    int8_t spatial;     /* SVC */
    int8_t svc_temporal;
    uint32_t fallback_us; /* silence before falling to a lower substream; 0: 250000 */
    int32_t min_delay, max_delay; /* playout delay, 10 ms units; -1: unset */
    /* Of the picture as it is shown, in pixels; 0: not told, -1: it is not shown, nothing is sent. */
    int32_t width, height;
    int8_t priority; /* higher is more important, when not all videos of a connection fit */
    uint8_t tell;    /* not 0: what becomes of it is told (on_quality), at once for a new number */
};
#define SL_LAYER_WISH_INIT { -1, -1, -1, -1, 0, -1, -1, 0, 0, 0, 0 }

struct sl_layer_event {
    int8_t substream, temporal, spatial, svc_temporal; /* -1: unchanged */
    int8_t nsubstreams, ntemporal;
};

/* ---- who speaks ------------------------------------------------------------------------------ */

/* From audio levels (RFC 6464). Unlike talk_detect it tells at once, and how loud. */
enum sl_voice_mode {
    SL_VOICE_OFF,
    SL_VOICE_REPORT,
    /* Nothing is forwarded to anybody, either. When somebody begins to speak there, it is, from the
     * first loud packet on, and reported: the mode is SL_VOICE_REPORT then. */
    SL_VOICE_HOLD,
};

/* Comes when somebody begins to speak, every 100 ms while they do, and when they have been silent
 * for 1.5 s. */
struct sl_voice_report {
    uint64_t at_us; /* monotonic, the same clock for all */
    uint8_t level;  /* dBov below full scale of what was loud since the report before; 127: nothing */
    bool speaks;
};

/* ---- streams to and from other machines ------------------------------------------------------ */

/* Forwarders and remote publishers are named like handles; they have no client. A remote publisher
 * stands wherever a publisher does: as `from` of routes, for gate, keyframe, talk_detect and voice. */

/* Where m-lines go as plain RTP or SRTP. A key is for one forwarder: the same key twice with the
 * same SSRC would encrypt different media alike. */
struct sl_forward {
    sl_hid near;     /* the publisher, whose worker it shares; 0: any */
    const char *ip;  /* as text */
    uint16_t port;
    uint16_t rtcp_port;      /* reports go there; 0: none */
    unsigned int srtp_suite; /* 80 or 32 (AES_CM_128_HMAC_SHA1_*); 0: plain RTP */
    const char *srtp_crypto; /* base64 of key and salt */
};

#define SL_FORWARD_DATA_MAX 65479 /* what a datagram has room for beside header and tag */

struct sl_forward_line {
    struct sl_mref from; /* handle 0: the line rests */
    int8_t substream;    /* the one simulcast layer that is sent; -1: as it fits */
    uint8_t pt;          /* SL_PT_NONE: the publisher's */
    uint32_t ssrc;       /* 0: the publisher's */
};

/* A message of a data m-line; a NUL stands behind it. */
typedef void (*sl_remote_data_fn)(void *arg, uint16_t mindex, bool binary, const char *data,
                                  size_t len);

struct sl_remote {
    const char *mcast, *iface; /* group to join; interface or address to listen at; may be NULL */
    uint16_t port, rtcp_port;  /* 0: one of port_low to port_high */
    uint16_t port_low, port_high;
    unsigned int srtp_suite; /* as in struct sl_forward */
    const char *srtp_crypto;
    uint64_t group; /* as of place() */
    void (*talking)(void *arg, uint16_t mindex, bool talking, double level); /* may be NULL */
    sl_remote_data_fn data;                                                  /* may be NULL */
    void *arg;
    void (*voice)(void *arg, uint16_t mindex, const struct sl_voice_report *v); /* may be NULL */
};

/* Where a remote publisher listens. */
struct sl_remote_at {
    char ip[64]; /* "": everywhere */
    uint16_t port, rtcp_port;
};

/* One m-line of a remote publisher. It comes with the SSRC 1000 + 10 * wire_mindex + layer. */
struct sl_remote_line {
    const struct sl_mline *line; /* kind, dir, codecs, red, ext_id, nlayers and svc count */
    uint16_t wire_mindex;        /* 0..255, each once */
};

/* ---- taps ------------------------------------------------------------------------------------ */

#define SL_TAP_NO_LEVEL 255

/* One packet of a publisher, decrypted, as it is forwarded to subscribers. Valid for the call. */
struct sl_tap_packet {
    uint64_t arrival_us; /* on the clock of core->now_us */
    uint64_t seq;        /* the publisher's numbers, extended: they never wrap; gaps are losses */
    uint64_t ts;         /* likewise, in ticks of the codec's clock */
    const uint8_t *payload;
    size_t len; /* 0: padding only */
    enum sl_codec codec;
    uint8_t substream; /* simulcast layer */
    uint8_t level;     /* audio: 0 loud .. 127 silent (RFC 6464); SL_TAP_NO_LEVEL: not told */
    bool voice;        /* audio: the client says that somebody speaks */
    bool marker;       /* video: the last packet of a frame; audio: the first after silence */
    bool keyframe;     /* video: a key frame begins here */
    bool is_opaque;    /* encrypted end to end: the payload says nothing */
};

#define SL_TAP_BATCH 32

struct sl_tap {
    /* Worker, the publisher's: up to SL_TAP_BATCH packets, in the order in which they came, at
     * least once per turn of the worker. All media of that worker waits meanwhile: look, count,
     * copy, and do the rest elsewhere (core->post). Only functions of struct sl_core for any thread
     * may be called. What the control thread writes must be atomic for it, and the other way round.
     */
    void (*packets)(void *arg, const struct sl_tap_packet *p, size_t n);
    /* Control: packets is not called any more and @arg is the plugin's alone. Comes once for each
     * tap, when tap_del was called, the publisher is gone, or its m-line has no media; and for all
     * that are left before fini. May be NULL. */
    void (*ended)(void *arg);
    void *arg;
};

/* ---- media of a plugin's own ----------------------------------------------------------------- */

#define SL_PLAYER_PACKET_MAX 1200 /* bytes of a payload: what goes through every network */
#define SL_PLAYER_LINES_MAX  64

/* A player is a publisher whose packets the plugin makes. It stands wherever a publisher does: as
 * `from` of routes, for gate, keyframe and tap_add. */
struct sl_player {
    const struct sl_mline *lines; /* kind and the first codec count; no data */
    size_t nlines;
    uint64_t group; /* as of place() */
    /* Somebody needs a key frame of this m-line; throttled and merged. The plugin goes on with one
     * as soon as it can. May be NULL. */
    void (*keyframe)(void *arg, uint16_t mindex);
    void *arg;
};

struct sl_player_packet {
    /* When it is to be heard or seen, on a clock of the plugin's own that all m-lines share. The
     * core makes timestamps of it, and tells subscribers what belongs together. */
    uint64_t time_us;
    bool marker;         /* video: the last packet of a frame; audio: the first after silence */
    const void *payload; /* as the codec's RTP format says (RFC 7587 opus, RFC 7741 VP8, ...) */
    size_t len;          /* 1 .. SL_PLAYER_PACKET_MAX */
};

/* @err: 0 and @ip; -ENOENT: the name has no such address. */
typedef void (*sl_resolved_fn)(void *arg, int err, const char *ip);

/* ---- the core's functions (control thread) --------------------------------------------------- */

typedef void (*sl_plugin_timer_fn)(void *arg);
typedef void (*sl_post_fn)(void *arg);

#define SL_POSTS_MAX 4096 /* that wait, per plugin */
#define SL_TAPS_MAX  4096 /* per plugin */

struct sl_core {
    uint32_t abi;
    uint32_t size;

    /* Answers of a request. Exactly one of reply / ack comes first; after ack, an event that names
     * the message ends it. All ignore a message that ended because its client is gone. */
    void (*reply)(struct sl_msg *m, json_t *data);       /* synchronous success; ends @m */
    void (*ack)(struct sl_msg *m, const char *hint);     /* @hint may be NULL; @m lives on */

    /* Sends `event` to the client of @h, with the transaction of @m when given (which ends @m).
     * 0; -ESTALE: no such handle; -EINVAL: @jsep does not fit what was offered (nothing is sent, @m
     * lives on and @data is released); -EBUSY: an offer while an answer is outstanding. */
    int (*event)(sl_hid h, struct sl_msg *m, json_t *data, const struct sl_jsep_out *jsep);

    /* Closes the peer connection of @h, if any: the client gets `hangup` with @reason ("Close PC"
     * when NULL), the plugin its media_down. */
    void (*close_pc)(sl_hid h, const char *reason);
    /* Ends the handle: `detached` to the client, and the plugin's detach is called. */
    void (*end_handle)(sl_hid h);

    /* Routes. A sink has one source at most: adding replaces. The subscriber sees one continuous
     * stream; a key frame is asked for. */
    int (*route_add)(struct sl_mref from, struct sl_mref to, const struct sl_layer_wish *wish);
    int (*route_del)(struct sl_mref to);
    int (*route_pause)(struct sl_mref to, bool paused);
    int (*route_layers)(struct sl_mref to, const struct sl_layer_wish *wish);

    /* Publishers. */
    int (*keyframe)(struct sl_mref from);           /* asks for one, throttled and merged */
    int (*bitrate)(sl_hid h, uint32_t bps);         /* REMB cap; 0: none */
    int (*gate)(struct sl_mref from, bool closed);  /* closed: nothing is forwarded to anybody */
    int (*fir_interval)(sl_hid h, uint32_t seconds); /* a key frame at least that often; 0: off */
    /* Talk detection: an average over @packets below @threshold (dBov below full scale, 0 loud, 127
     * silent) is talking. packets 0: off. Reports come as on_talking. */
    int (*talk_detect)(struct sl_mref from, uint32_t packets, uint8_t threshold);

    /* Current m-lines as negotiated. NULL when @h has no peer connection; valid until the next
     * negotiation of @h. */
    const struct sl_mline *(*lines)(sl_hid h, size_t *n);
    bool (*is_up)(sl_hid h);

    /* Peer connections of one group (a room) share a worker while it has room: @group is a hash of
     * its name, 0 for none. Counts for connections of @h that begin later. */
    void (*place)(sl_hid h, uint64_t group);

    /* Timers; the id is never 0. A repeat of 0 fires once. */
    uint64_t (*timer_add)(uint32_t ms, bool repeat, sl_plugin_timer_fn fn, void *arg);
    void (*timer_del)(uint64_t id);

    /* Helpers. */
    uint64_t (*random_id)(void);     /* 1 .. 2^52-1 */
    void (*random_uuid)(char out[37]);
    bool (*secret_is_equal)(const char *a, const char *b); /* constant time; NULL equals nothing */
    /* Signed token (HMAC) for @realm that lists @descriptor; false when signed tokens are off. */
    bool (*token_is_valid)(const char *token, const char *realm, const char *descriptor);
    bool (*signed_tokens)(void); /* token_auth_secret is set */
    /* Whether the principal behind @h may do @what ("room.create", or a name of your own): what
     * makes something lasting or costs others something. Clients without a credential may not,
     * unless general.anonymous says so. */
    bool (*may)(sl_hid h, const char *what);
    void (*log)(int level, const char *event, const char *text); /* 0 error 1 warn 2 info 3 debug */
    /* To event handlers, event stream and webhooks. Steals @event. */
    void (*notify)(sl_hid h, json_t *event);

    /* conf/<plugin>.conf as JSON: {"group": {"key": "value", ...}, ...}, groups and keys in file
     * order, with duplicates refused at start. Borrowed, valid while the plugin is loaded; an empty
     * object when there is no file. */
    const json_t *(*config)(void);
    /* Replaces one group of the plugin's file, atomically and durably; NULL @keys removes it.
     * 0 or -errno (-ENOENT: there is no configuration directory). */
    int (*config_save)(const char *group, const json_t *keys);

    /* The client's offer that came with the request of @h that is being handled is answered later
     * than the request: it stays open when the request ends, until an answer goes out with any
     * event, the client offers again (the last offer wins), or the connection is closed.
     * 0; -ESTALE; -ENOENT: there is no open offer. */
    int (*offer_keep)(sl_hid h);

    /* Data channels; there is an association where a data m-line was agreed on.
     * Sends one message, text (UTF-8) or binary, on the channel of this label that the client used
     * last. If there is none, the core opens one, reliable and ordered, with @protocol; but not one
     * that the client has closed: such a message is dropped. The label "" names what the client uses
     * without having opened it here (`negotiated`), too.
     * 0; -ESTALE; -ENOTCONN: no association; -EAGAIN: too much waits already, on_data_writable will
     * tell; -EMSGSIZE: longer than the client (or anybody, 256 KiB) takes; -EINVAL: a name above
     * 1023 bytes; -ENOMEM. */
    int (*data_send)(sl_hid h, const char *label, const char *protocol, bool binary,
                     const void *data, size_t len);
    /* Stops on_data after what is under way, at most 1 MiB and a message; the client's window
     * closes then. For plugins that pass data on and got -EAGAIN. 0, -ESTALE or -ENOTCONN. */
    int (*data_pause)(sl_hid h, bool paused);

    /* The synchronous answer of @m comes later than message() returns, by reply. */
    void (*hold)(struct sl_msg *m);
    /* The address of @host, @family 4, 6 or 0 (either). Calls @fn once: for addresses before it
     * returns (then @id is 0), for names later. 0; -EAGAIN: too many lookups; -ENOMEM. */
    int (*resolve)(const char *host, int family, sl_resolved_fn fn, void *arg, uint64_t *id);
    void (*resolve_cancel)(uint64_t id);

    /* @rtcp_port: where the receiver's PLI and FIR are taken. 0; -EINVAL: address or key; -errno. */
    int (*forward_add)(const struct sl_forward *f, sl_hid *out, uint16_t *rtcp_port);
    /* What it sends from now on. Lines whose publisher has no such m-line rest. */
    int (*forward_lines)(sl_hid forward, const struct sl_forward_line *lines, size_t n);
    /* 0; -EINVAL: addresses or key; -EADDRINUSE: the port, or all of the range; -errno. */
    int (*remote_add)(const struct sl_remote *r, sl_hid *out, struct sl_remote_at *at);
    int (*remote_lines)(sl_hid remote, const struct sl_remote_line *lines, size_t n);
    /* Ends a forwarder or a remote publisher. */
    void (*endpoint_del)(sl_hid e);

    /* Closes the channel of this label that data_send opened, after what was sent before. A channel
     * costs one of 128 stream ids until it is closed. 0; -ESTALE; -ENOTCONN; -EINVAL; -ENOMEM. */
    int (*data_close)(sl_hid h, const char *label);

    /* A forwarder sends one data message as one UDP datagram: with @ssrc 0 as it is, else behind an
     * RTP header with this SSRC and payload type 0 (text) or 1 (binary), which remote publishers
     * take for the data m-line 1000 + 10 * wire_mindex. 0; -ESTALE; -EINVAL: no forwarder, or as it
     * is over SRTP; -EMSGSIZE: above SL_FORWARD_DATA_MAX bytes; -EAGAIN: the network's fault or
     * ours, it is lost; -ENOMEM. */
    int (*forward_data)(sl_hid forward, uint32_t ssrc, bool binary, const void *data, size_t len);

    /* Of an m-line with audio levels: reports come as on_voice. 0 or -ESTALE. */
    int (*voice)(struct sl_mref from, enum sl_voice_mode mode);

    /* The time of this turn of the control thread; it only grows. */
    uint64_t (*now_us)(void);
    /* Any thread: has @fn(@arg) called on the control thread, in the order of the calls of one
     * thread. 0; -EAGAIN: SL_POSTS_MAX wait already; -ENOMEM. What fini finds waiting is not
     * called: @arg is lost then, unless the plugin finds it elsewhere. Threads of a plugin's own
     * end in fini. */
    int (*post)(sl_post_fn fn, void *arg);

    /* Has the packets of a publisher's audio or video m-line handed to the plugin, until tap_del or
     * the end of the connection; what gate holds back is not among them. 0; -EINVAL: no `packets`;
     * -ESTALE; -ENOENT: no such m-line; -EAGAIN: SL_TAPS_MAX; -ENOMEM. After 0, @tap->ended comes in any case. */
    int (*tap_add)(struct sl_mref from, const struct sl_tap *tap, uint64_t *id);
    void (*tap_del)(uint64_t id); /* one that ended already: harmless */

    /* 0; -EINVAL: its lines; -EAGAIN; -ENOMEM. endpoint_del ends it. */
    int (*player_add)(const struct sl_player *p, sl_hid *out);
    /* Sends packets now, in this order; whose times lie ahead are not kept back. All or none are
     * taken. 0; -ESTALE; -EINVAL: no such m-line, or a length; -EAGAIN: 1 MiB waits for the worker
     * already, which is far behind: leave these out; -ENOMEM. */
    int (*player_send)(sl_hid player, uint16_t mindex, const struct sl_player_packet *p, size_t n);
};

/* ---- the plugin ------------------------------------------------------------------------------ */

struct sl_plugin {
    uint32_t abi;  /* SL_PLUGIN_ABI */
    uint32_t size; /* sizeof(struct sl_plugin) */

    const char *package; /* "janus.plugin.echotest" */
    const char *name, *author, *description, *version_string;
    int version;

    /* Once, at load and unload. init: 0 or -errno, which keeps the server from starting; @core stays
     * valid until fini returned. */
    int (*init)(const struct sl_core *core);
    void (*fini)(void);

    /* A handle begins and ends. @state is the plugin's own pointer for the handle, handed back in
     * all callbacks. attach: 0 or -errno (error 461). No callback comes after detach. */
    int (*attach)(sl_hid h, const char *opaque_id, void **state);
    void (*detach)(sl_hid h, void *state);

    /* A request. @body is an object. The plugin calls core->reply, or core->ack and (now or later)
     * core->event with @m. A plugin that does neither before returning makes error 462, and a line
     * in the log. */
    void (*message)(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                    const struct sl_jsep_in *jsep);
    /* The same synchronous requests from the administrator; returns a new object, or NULL when the
     * plugin has no such thing. */
    json_t *(*admin)(const json_t *body);
    /* plugin_specific of the handle dump: a new object. */
    json_t *(*query)(sl_hid h, void *state);

    /* The peer connection: up once per connection; down once, for whatever reason, also when it
     * never was up. An administrator's hangup_webrtc calls media_down even where there is none. */
    void (*media_up)(sl_hid h, void *state);
    void (*media_down)(sl_hid h, void *state, const char *reason);

    /* Reports about media; any may be NULL. */
    void (*on_receiving)(sl_hid h, void *state, uint16_t mindex, int substream, bool receiving);
    void (*on_slow_link)(sl_hid h, void *state, uint16_t mindex, bool uplink, uint32_t lost);
    void (*on_talking)(sl_hid h, void *state, uint16_t mindex, bool talking, double level);
    void (*on_layer)(sl_hid h, void *state, uint16_t mindex, const struct sl_layer_event *ev);

    /* Data channels; any may be NULL. Whoever opened it, a channel is told once when it carries
     * messages both ways, and once when it is gone, unless the connection ends (media_down). */
    void (*on_data_open)(sl_hid h, void *state, const char *label, const char *protocol);
    void (*on_data_close)(sl_hid h, void *state, const char *label, const char *protocol);
    /* One message, whole: text (UTF-8, as the client says) or binary; a NUL stands behind it. */
    void (*on_data)(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                    const void *data, size_t len);
    /* data_send takes messages again, after it said -EAGAIN. */
    void (*on_data_writable)(sl_hid h, void *state);

    /* As asked for by core->voice; may be NULL. */
    void (*on_voice)(sl_hid h, void *state, uint16_t mindex, const struct sl_voice_report *v);

    /* What a sink gets changed, or why; for wishes with `tell`, at most once a second and m-line. */
    void (*on_quality)(sl_hid h, void *state, uint16_t mindex, const struct sl_quality *q);
    /* Of an m-line that comes in several simulcast or spatial layers: the highest one that anybody
     * wants, 0 at least. All, to begin with; less is told after 5 s, more at once. */
    void (*on_watched)(sl_hid h, void *state, uint16_t mindex, int layer);
};

#define SL_PLUGIN_EXPORT SL_EXPORT extern const struct sl_plugin sl_plugin; \
    const struct sl_plugin sl_plugin

#endif
