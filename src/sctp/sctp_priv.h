/*
 * sctp_priv.h - what the files of data channels share: the thread and its commands (sctp.c), the
 * library's process-wide half (sctp_stack.c), one association (sctp_assoc.c), its channels
 * (sctp_channel.c) and its send queue (sctp_send.c).
 *
 * Thread: SCTP. Nobody else looks into these structs, but for the mailbox and the counters.
 *
 * The library calls back in the middle of its own work. Such callbacks only mark the association
 * busy; assoc_serve then reads, sends and resets once the library has returned.
 */
#ifndef SL_SCTP_PRIV_H
#define SL_SCTP_PRIV_H

#include "base/hmap.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "sctp/sctp.h"
#include <pthread.h>
#include <stdatomic.h>

/* From the library's header, which defines more than we like. */
struct socket;

struct sl_sctp {
    /* Given. */
    const struct sl_sctp_cb *cb;
    void *arg;
    size_t mtu;
    /* The thread. */
    pthread_t thread;
    bool has_thread;
    atomic_bool ends;
    struct sl_door door;
    struct sl_mailbox box;
    struct sl_hmap by_pc, by_token;
    struct sl_list busy;    /* associations to be served before the thread sleeps */
    struct sl_list waiting; /* for room, or for the turn of a reset: served at the next tick */
    uint64_t next_token;
    uint64_t tick_us; /* when the library's timers ran last */
    uint64_t idle_us; /* they run until then, even with no association */
    uint8_t *scratch; /* one read, SCRATCH_LEN */
    /* Any thread. */
    atomic_uint inputs_waiting;
    atomic_ullong bad_packets, input_drops, send_drops, oversized, bad_messages, nassocs;
};

#define SCRATCH_LEN (SL_SCTP_MESSAGE_MAX + 1)

/* A message that waits, or the request to close a channel (which waits behind messages). */
struct sctp_item {
    struct sl_list link;
    uint32_t ppid;
    int stream; /* or SL_SCTP_BY_LABEL */
    bool is_close;
    bool is_unordered; /* of a channel to be opened, as the next four */
    enum sl_reliability reliability;
    uint32_t limit;
    const char *label, *protocol; /* behind the data */
    size_t charge;                /* what cb.sent will tell; 0: our own protocol's messages */
    size_t len;
    uint8_t data[];
};

enum assoc_state { ASSOC_CONNECTING, ASSOC_UP, ASSOC_DOWN };

#define FORGET_MAX 64 /* labels that the peer closed and that we remember */

struct sctp_assoc {
    struct sl_hnode by_pc, by_token;
    struct sl_list busy; /* in one of the two lists, or in none */
    struct sl_sctp *s;
    sl_id pc;
    uint64_t token; /* what the library takes for our address */
    struct socket *so;
    enum assoc_state state;
    struct sl_sctp_open conf;
    unsigned int nstreams; /* we may send on */
    /* Receiving. */
    size_t unconsumed;
    uint8_t *partial; /* a message whose end is to come */
    size_t partial_len, partial_cap;
    uint16_t partial_stream;
    uint32_t partial_ppid;
    /* Sending. */
    struct sl_list queue; /* struct sctp_item */
    size_t queued;        /* charge */
    /* Channels, heard last first. */
    struct sl_list channels;
    struct sl_hmap by_stream;
    uint64_t closed[FORGET_MAX]; /* hashes of labels; a ring */
    unsigned int nclosed;
    bool wants_reset; /* some channel's reset is still to be asked for */
};

struct sctp_channel {
    struct sl_list link;
    struct sl_hnode node; /* by stream */
    struct sl_sctp_channel info;
    bool is_acked;      /* or opened by the peer: unordered messages may overtake OPEN no more */
    bool is_negotiated; /* nobody opened it here; nameless */
    bool is_told;       /* channel_open was called, channel_closed is owed */
    bool is_closing;
    bool wants_reset; /* of our direction, not yet asked for */
    bool is_reset;    /* our direction */
    bool is_deaf;     /* the peer's direction was reset */
    char names[];
};

/* ---- sctp_stack.c ---- */
void stack_init(struct sl_sctp *s) SL_ON_SCTP;
void stack_fini(struct sl_sctp *s) SL_ON_SCTP;
/* A socket that is connecting, or NULL. */
struct socket *stack_connect(struct sctp_assoc *a) SL_ON_SCTP;
void stack_abort(struct sctp_assoc *a) SL_ON_SCTP;
void stack_input(struct sctp_assoc *a, const uint8_t *data, size_t len) SL_ON_SCTP;
void stack_timers(uint32_t ms) SL_ON_SCTP;
/* One message. 0; -EAGAIN: no room yet; -errno: never. */
int stack_send(struct sctp_assoc *a, const struct sctp_channel *ch, uint32_t ppid,
               const uint8_t *data, size_t len) SL_ON_SCTP;
#define RESETS_MAX 64 /* streams of one request */
/* 0; -EAGAIN: another reset is under way; -errno: never. */
int stack_reset(struct sctp_assoc *a, const uint16_t *streams, size_t n) SL_ON_SCTP;

enum stack_event {
    STACK_NONE, /* nothing to be read now */
    STACK_DATA,
    STACK_UP,
    STACK_DOWN,
    STACK_RESET_IN,
    STACK_RESET_OUT,
    STACK_PARTIAL_LOST,
    STACK_OTHER,
};

struct stack_read {
    uint8_t *data; /* in the scratch */
    size_t len;
    bool is_end;
    uint16_t stream;
    uint32_t ppid;
    unsigned int nstreams; /* UP */
    size_t nresets;        /* 0: all streams */
    const char *reason;    /* DOWN */
};
enum stack_event stack_read(struct sctp_assoc *a, struct stack_read *out) SL_ON_SCTP;
uint16_t stack_read_stream(const struct stack_read *r, size_t i); /* of RESET_* */

/* ---- sctp_assoc.c ---- */
struct sctp_assoc *assoc_find(const struct sl_sctp *s, sl_id pc) SL_ON_SCTP;
struct sctp_assoc *assoc_find_token(const struct sl_sctp *s, uint64_t token) SL_ON_SCTP;
void assoc_open(struct sl_sctp *s, sl_id pc, const struct sl_sctp_open *o) SL_ON_SCTP;
void assoc_destroy(struct sctp_assoc *a) SL_ON_SCTP;
/* The same from outside: tells that it is down, unless that was told. */
void assoc_close(struct sctp_assoc *a) SL_ON_SCTP;
void assoc_mark(struct sctp_assoc *a) SL_ON_SCTP;
void assoc_serve(struct sctp_assoc *a) SL_ON_SCTP;
/* Ends it, but keeps its entry until it is closed. */
void assoc_down(struct sctp_assoc *a, const char *reason) SL_ON_SCTP;

/* ---- sctp_channel.c ---- */
struct sctp_channel *channel_find(const struct sctp_assoc *a, uint16_t stream) SL_ON_SCTP;
/* A message from the peer, whole. */
void channel_message(struct sctp_assoc *a, uint16_t stream, uint32_t ppid, const uint8_t *data,
                     size_t len) SL_ON_SCTP;
/* The channel that @it is for; by label a new one if there is none. 0; -EAGAIN: no room to open one
 * yet; -errno: there is none, or none any more. */
int channel_for(struct sctp_assoc *a, const struct sctp_item *it,
                struct sctp_channel **out) SL_ON_SCTP;
void channel_close(struct sctp_assoc *a, struct sctp_channel *ch) SL_ON_SCTP;
/* That we opened with this label, if there is one. */
void channel_close_label(struct sctp_assoc *a, const char *label) SL_ON_SCTP;
void channel_on_reset(struct sctp_assoc *a, const struct stack_read *r, bool is_ours) SL_ON_SCTP;
/* Asks for the resets that wait. */
void channels_reset(struct sctp_assoc *a) SL_ON_SCTP;
void channels_free(struct sctp_assoc *a) SL_ON_SCTP; /* tells channel_closed */

/* ---- sctp_send.c ---- */
struct sctp_item *item_new(const void *data, size_t len, size_t extra);
/* Takes @it over. */
void send_add(struct sctp_assoc *a, struct sctp_item *it) SL_ON_SCTP;
/* A message of DCEP, before all others: an acknowledgement. */
void send_control(struct sctp_assoc *a, uint16_t stream, const uint8_t *data,
                  size_t len) SL_ON_SCTP;
void send_flush(struct sctp_assoc *a) SL_ON_SCTP;
void send_drop_all(struct sctp_assoc *a) SL_ON_SCTP;

#endif
