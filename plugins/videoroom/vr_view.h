/*
 * vr_view.h - what subscribers see of those who speak (vr_speaker.h): slots, m-lines that follow
 * the speakers without a negotiation, and the room's video_last, which rests the videos of others.
 *
 * A slot shows one publisher, other than the subscriber's own (of the same private_id), as long as
 * he is among the first of his kind; then the one who came in his place. First are, of video, who
 * were the speaker last, of audio, who are heard (audio_loudest).
 */
#ifndef VR_VIEW_H
#define VR_VIEW_H

#include "vr_sub.h"

#define VR_SLOTS_MAX 64

/* A subscription that is {"slot": n, "type": "video" or "audio"}. 0, or -1 with the error set. */
int vr_slot_ask(struct vr_req *r, const struct vr_sub *s, const json_t *item,
                struct vr_line_ask *out);
/* What such a line is offered with. */
void vr_slot_codec(const struct vr_room *room, enum sl_kind kind, struct sl_mcodec *codec,
                   bool *red);
/* The line becomes this slot; -1: it is none any more. */
void vr_slot_set(struct vr_line *l, int slot);
struct vr_line *vr_slot_find(const struct vr_sub *s, enum sl_kind kind, int slot);

/* Brings slots and rests in line with the speakers; the client hears what changed. */
void vr_view_update(struct vr_sub *s);
/* The same for all subscribers of the room. */
void vr_views_update(struct vr_room *room);

#endif
