/*
 * media_level.h - tells from audio levels when somebody begins and stops talking.
 *
 * Spec:   RFC 6464; the control protocol's audio_active_packets and audio_level_average
 * Thread: the owner's.  Owner: the source, embedded.
 * Units:  -dBov: 0 is loud, 127 silent.
 */
#ifndef SL_MEDIA_MEDIA_LEVEL_H
#define SL_MEDIA_MEDIA_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

enum sl_talk { SL_TALK_SAME, SL_TALK_BEGAN, SL_TALK_STOPPED };

struct sl_level {
    uint32_t packets; /* per decision */
    uint32_t below;   /* an average below it is talking */
    uint32_t sum, n;
    bool talking;
    double average; /* of the last decision; 127 before the first one */
};

/* Defaults when 0 is given: 100 packets, 25 -dBov. */
void sl_level_init(struct sl_level *l, uint32_t packets, uint32_t below);
/* Changes the parameters; the running interval begins anew. */
void sl_level_set(struct sl_level *l, uint32_t packets, uint32_t below);
/* A packet with @level came. Decides every @packets packets. */
enum sl_talk sl_level_add(struct sl_level *l, uint8_t level);
/* Muted or gone: stops talking. */
enum sl_talk sl_level_stop(struct sl_level *l);

#endif
