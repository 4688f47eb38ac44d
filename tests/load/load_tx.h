/*
 * load_tx.h - what a publisher sends: opus, and VP8 in trains shaped as Chromium's.
 *
 * Measured with Chromium 156: a frame's packets leave back to back, about six of nearly equal size
 * at 1.5 Mbit/s and 30 frames/s. A frame is split into equal parts, the last ones a byte longer
 * where it does not divide (83 % of neighbours are of equal size). MID and RID are there in the
 * first second only.
 *
 * Each payload ends with a stamp: when it was sent, CLOCK_REALTIME, so that receivers on the same
 * host know how long it took. It is at the end because servers may rewrite payload descriptors.
 *
 * Spec:   RFC 3550, RFC 7741 (VP8), RFC 7587 (opus), RFC 8853 (simulcast)
 * Thread: the loop's.  Owner: struct load_peer.
 */
#ifndef TESTS_LOAD_TX_H
#define TESTS_LOAD_TX_H

#include "base/bytes.h"
#include "load_sdp.h"
#include "load_stats.h"
#include "srtp/srtp.h"

#define LOAD_STAMP_LEN 12 /* magic, nanoseconds */
#define LOAD_PKT_MAX   1400
#define LOAD_TRAIN_MAX 64 /* packets of one call */
#define LOAD_GROUPS    2  /* groups of receivers, each with a tally of its own */

/* A payload of any server: 0 bytes of stamp are never left out. */
bool load_stamp_read(const uint8_t *payload, size_t len, uint64_t *sent_ns);

struct load_tx_conf {
    unsigned int fps;         /* 30 */
    unsigned int video_kbps;  /* 1500; of the best layer */
    unsigned int audio_bytes; /* 100 per packet, 50 packets/s; 0: no audio */
    unsigned int spread_us;   /* between the packets of a frame; 0: back to back */
};

struct load_pkt {
    size_t len;
    uint8_t data[LOAD_PKT_MAX + SL_SRTP_OVERHEAD];
};

struct load_tx;

/* @audio, @video: lines of the negotiated description, NULL: do not send. @nlayers: 1, or 3 with
 * simulcast. 0 or -ENOMEM. */
int load_tx_create(const struct load_tx_conf *conf, const struct load_line *audio,
                   const struct load_line *video, const uint32_t *video_ssrc, size_t nlayers,
                   uint32_t audio_ssrc, uint64_t now_us, struct load_tx **out);
void load_tx_destroy(struct load_tx *tx);

/* How many receivers of group @group are to get what is sent. */
void load_tx_set_audience(struct load_tx *tx, size_t group, struct load_tally *tally, size_t n);

/* The packets that are due, stamped; at most LOAD_TRAIN_MAX: call until 0. */
size_t load_tx_take(struct load_tx *tx, uint64_t now_us, struct load_pkt *out);
uint64_t load_tx_due_us(const struct load_tx *tx);

/* Sender reports, when due. */
void load_tx_reports(struct load_tx *tx, uint64_t now_us, struct sl_writer *w);
/* RTCP of the server: key frames that it asks for. */
void load_tx_feedback(struct load_tx *tx, const uint8_t *rtcp, size_t len);

/* Requests for key frames, of the layer that got most of them: how many, and the least time between
 * two (UINT64_MAX: there were no two). */
struct load_asks {
    size_t n;
    uint64_t least_us;
};
struct load_asks load_tx_asks(const struct load_tx *tx);
/* Counts from now on. */
void load_tx_forget_asks(struct load_tx *tx);

/* Sends nothing from now on: an idle publisher. */
void load_tx_pause(struct load_tx *tx);

#endif
