/*
 * media_pad.h - makes the packets of one burst equal in size, so that the kernel takes them as one
 * message (UDP_SEGMENT: all of one size, the last may be shorter).
 *
 * Spec:   RFC 3550 section 5.1 (padding).
 * Thread: worker.  Pure; works on staged slots, before encryption: what is encrypted never changes.
 *
 * An encoder cuts a frame into packets of nearly equal size; a few bytes at the end of some make
 * them one train instead of several. Depacketizers never see padding of RTP.
 */
#ifndef SL_MEDIA_PAD_H
#define SL_MEDIA_PAD_H

#include "media/media_ctx.h"

#define SL_PAD_MAX 16 /* bytes of one packet */

/* Whether receivers of @codec are known to do well with it (tests/e2e/cases/padding.mjs), and there
 * is something to gain: packets of AV1 are as long as the path allows, but for the last of a frame.
 * Audio is never padded: its packets are small, and come alone. */
bool sl_pad_suits(enum sl_codec codec);

/* Pads those of @first and the slots behind it (by next) that may be padded and have neighbours of
 * nearly equal size. Counts in @ctx. */
void sl_pad_even_out(struct sl_mctx *ctx, struct sl_slot *first) SL_ON_WORKER;

#endif
