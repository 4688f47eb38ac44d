/*
 * media_source.h - one encoded stream of a publisher (one per simulcast layer): numbering, loss,
 * reception statistics, its clock.
 *
 * Thread: worker.  Owner: the track, embedded.
 */
#ifndef SL_MEDIA_SOURCE_H
#define SL_MEDIA_SOURCE_H

#include "media/media_ctx.h"
#include "media/media_nack.h"
#include "media/media_pkt.h"
#include "media/media_rr.h"
#include "media/media_sr.h"
#include "rtp/rtp_seq.h"

#define SL_SOURCE_WINDOW 1024 /* packets in which duplicates are told; a power of two */

struct sl_source {
    uint32_t ssrc; /* 0: nothing came yet */
    uint32_t clock_rate;
    bool wants_nack;
    struct sl_seq seq;
    struct sl_ts ts;
    struct sl_nack nack;
    struct sl_rr rr;
    struct sl_sr_src sr;
    uint64_t seen[SL_SOURCE_WINDOW / 64];

    bool receiving; /* as told to control */
    uint64_t last_us;
    uint64_t packets, bytes;
    uint64_t bytes_told, bytes_second; /* until the last full second, and in it */
    uint64_t lost_told;                /* nack.lost at the last slow-link check */

    uint64_t key_wanted_us; /* wanted while throttled, since then; 0: not */
    uint64_t key_asked_us;
    uint64_t key_since_us;  /* first request that no key frame answered; 0: none */
    uint64_t key_answer_us; /* how long answers take, smoothed; 0: not known */
    uint64_t key_budget_us; /* when all that was asked is paid for, see SL_KEY_PACE_US */
    uint64_t key_us;        /* newest key frame */
    uint8_t fir_seq;
};

void sl_source_init(struct sl_source *s, uint32_t clock_rate, bool wants_nack);
/* Another SSRC takes the place of the current one: numbering starts anew. */
void sl_source_restart(struct sl_source *s, uint32_t ssrc);

/* Fills seq, ts, capture_us and arrival of @pkt (rtp and payload are parsed) and counts it.
 * @is_rtx: it came as a retransmission. SL_DROP_NONE: forward it; SL_DROP_DUPLICATE, SL_DROP_OLD.
 */
enum sl_drop sl_source_push(struct sl_source *s, struct sl_pkt *pkt, bool is_rtx,
                            uint64_t now_us) SL_ON_WORKER;

#endif
