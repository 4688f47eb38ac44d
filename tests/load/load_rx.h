/*
 * load_rx.h - what one peer receives: tells streams apart, counts, measures latency, asks for what
 * is missing and reports (RR, NACK, transport-cc).
 *
 * Spec:   RFC 3550 section 6.4 (reports), RFC 4585 (NACK), RFC 4588 (RTX)
 * Thread: the loop's; pure.  Owner: struct load_peer, embedded.
 */
#ifndef TESTS_LOAD_RX_H
#define TESTS_LOAD_RX_H

#include "load_sdp.h"
#include "load_stats.h"
#include "rtcp/rtcp_twcc.h"
#include "rtp/rtp_ext.h"

#define LOAD_RX_WINDOW  1024 /* numbers remembered of each stream; power of two */
#define LOAD_RX_MISSING 128  /* numbers asked for at a time */

struct load_missing {
    uint64_t seq;
    uint64_t due_us; /* of the next request */
    unsigned int tries;
};

struct load_stream {
    uint32_t ssrc;
    struct sl_seq seq;
    uint64_t first;
    uint64_t seen[LOAD_RX_WINDOW / 64]; /* bit by seq */
    uint64_t received;
    uint64_t told_max, told_received; /* at the last report */
    struct load_missing missing[LOAD_RX_MISSING];
    size_t nmissing;
};

struct load_rx_conf {
    bool nack; /* ask for what is missing */
    bool twcc; /* report arrivals, where negotiated */
};

struct load_rx {
    /* Given, outlive us. */
    struct load_tally *tally;
    const struct load_rx_conf *conf;
    /* Owned. */
    struct load_stream **streams;
    size_t nstreams, last;
    struct load_line *lines;
    size_t nlines;
    struct sl_ext_map exts;
    struct sl_twcc_rx *twcc;
    uint32_t ssrc; /* ours, in reports */
    uint64_t report_due_us;
    uint64_t first_us; /* monotonic time of the first; 0: none yet */
    /* The first VP8 key frame of which all packets came, in order. */
    uint64_t key_us; /* its last packet; 0: none yet */
    bool in_key;
    uint16_t key_seq; /* newest packet of the one that is coming */
};

int load_rx_init(struct load_rx *rx, const struct load_rx_conf *conf, struct load_tally *tally);
void load_rx_fini(struct load_rx *rx);

/* What the server's description says of its streams. 0 or -ENOMEM. */
int load_rx_describe(struct load_rx *rx, const struct load_line *lines, size_t n);

/* One RTP packet in clear; @at_ns: the kernel's receive timestamp. */
void load_rx_packet(struct load_rx *rx, const uint8_t *pkt, size_t len, uint64_t at_ns,
                    uint64_t now_us);

/* Appends the RTCP that is due; nothing where nothing is. */
void load_rx_feedback(struct load_rx *rx, uint64_t now_us, struct sl_writer *w);
uint64_t load_rx_due_us(const struct load_rx *rx);

#endif
