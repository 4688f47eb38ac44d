/*
 * vr_speaker.h - who speaks in a room, and what follows from it: `speaker` events, and whose audio
 * is forwarded (audio_loudest). How it is found out: pl_speakers.h.
 *
 * Publishers take part while they are up. There are reports of levels where somebody asked, and in
 * rooms of more than two: the video of who speaks matters more than others, when not all fit.
 */
#ifndef VR_SPEAKER_H
#define VR_SPEAKER_H

#include "vr_pub.h"

void vr_speaker_join(struct vr_pub *p);
/* Harmless when it did not join. */
void vr_speaker_leave(struct vr_pub *p);
/* Its streams were negotiated again. */
void vr_speaker_apply(struct vr_pub *p);
void vr_speaker_heard(struct vr_pub *p, uint16_t mindex, const struct sl_voice_report *v);

bool vr_speakers_wanted(const struct vr_room *room);
/* The room's settings changed. */
void vr_speakers_apply(struct vr_room *room);
/* Adds `speaker` to @event, if the room tells and there is one. */
void vr_speaker_json(const struct vr_room *room, json_t *event);

#endif
