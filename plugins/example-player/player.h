/*
 * player.h - a source that plays a tone and a moving picture: an example of media of a plugin's
 * own.
 *
 * player.c: requests and viewers.  player_media.c: the files, their packets and their clock.
 * One player of the core serves all viewers; it plays while there are any. Thread: control.
 */
#ifndef PLAYER_H
#define PLAYER_H

#include <sluice/args.h>
#include <sluice/plugin.h>

enum { LINE_TONE, LINE_PICTURE, LINES };

extern const struct sl_core *player_core;

/* The m-lines of the player, with what it sends. */
const struct sl_mline *media_lines(void);

/* 0, also when it plays already; or what player_add said. */
int media_begin(void);
void media_end(void);
/* The publisher that viewers are routed from; 0: none. */
sl_hid media_player(void);
/* How often somebody wanted a key frame. */
unsigned int media_keyframes(void);

#endif
