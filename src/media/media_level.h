/*
 * media_level.h - tells from audio levels when somebody begins and stops talking.
 *
 * Two ways: struct sl_level as the control protocol's audio_active_packets and audio_level_average
 * say, decided once per so many packets; struct sl_voice at once, for those who follow speakers.
 *
 * Spec:   RFC 6464
 * Thread: the owner's.  Owner: the source, embedded.
 * Units:  -dBov: 0 is loud, 127 silent.
 */
#ifndef SL_MEDIA_MEDIA_LEVEL_H
#define SL_MEDIA_MEDIA_LEVEL_H

#include <sluice/plugin.h>

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

/* A packet is loud above SL_VOICE_LOUD, or well above the noise, which is followed: downwards
 * within packets, upwards within SL_VOICE_FLOOR_SLOW of them. */
#define SL_VOICE_LOUD       40
#define SL_VOICE_QUIET      70 /* nothing below it is loud */
#define SL_VOICE_ABOVE      12 /* dB above the noise */
#define SL_VOICE_FLOOR_FAST 8
#define SL_VOICE_FLOOR_SLOW 512
#define SL_VOICE_REPORT_US  UINT64_C(100000)
#define SL_VOICE_HANG_US    UINT64_C(1500000) /* words and breaths are no end */

struct sl_voice {
    bool speaks;
    uint32_t floor; /* the noise, in 1/1024 dB */
    uint64_t loud_us, told_us;
    uint32_t sum, n; /* of loud packets since told_us */
};

void sl_voice_init(struct sl_voice *v);
/* A packet with @level came. True: @out is to be told. */
bool sl_voice_add(struct sl_voice *v, uint8_t level, uint64_t now_us, struct sl_voice_report *out);
/* Several times a second, since packets may stay away. True likewise. */
bool sl_voice_tick(struct sl_voice *v, uint64_t now_us, struct sl_voice_report *out);
/* Muted or gone. True likewise. */
bool sl_voice_stop(struct sl_voice *v, uint64_t now_us, struct sl_voice_report *out);

#endif
