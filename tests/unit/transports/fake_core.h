/*
 * fake_core.h - a core for transport tests: a control thread that answers requests in order.
 *
 * janus "hold" is kept until fake_release; "push" sends `count` events of `size` bytes after its
 * answer; anything else is answered with what arrived: {"janus":"echo","root":...,"session":...,
 * "handle":...,"local":...,"admin":...,"conn":bool}. Polls: session 403 and 404 get that status, 30
 * is kept, any other gets {"janus":"keepalive"}, in an array when maxev > 1.
 */
#ifndef FAKE_CORE_H
#define FAKE_CORE_H

#include <sluice/transport.h>

extern const struct sl_tcore fake_core;
/* Whose the lasting connections are; WebSocket unless a test says otherwise. */
extern const struct sl_transport *fake_lasting;

void fake_start(void);
void fake_stop(void); /* answers nothing any more; late answers come through fake_release */

/* Answers all that is kept, on the control thread; returns how many there were. */
int fake_release(enum sl_tstatus status);
int fake_held(void);
int fake_gone(void);      /* calls of gone, ever */
int fake_bad_order(void); /* requests after gone, second gone */
int fake_bad_json(void);  /* SL_TREQ_BAD_JSON, ever */
int fake_messages(void);  /* SL_TREQ_MESSAGE, ever */
/* Waits up to 5 s until @count() is at least @n; whether it is. */
bool fake_wait(int (*count)(void), int n);

#endif
