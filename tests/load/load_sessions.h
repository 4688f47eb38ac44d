/*
 * load_sessions.h - the case `sessions`: what idle sessions and handles cost in memory.
 */
#ifndef TESTS_LOAD_SESSIONS_H
#define TESTS_LOAD_SESSIONS_H

#include "load_run.h"

/* --sockets WebSockets with --sessions sessions in all, each with a handle in the end. 0 or
 * -errno; -EDQUOT: with --strict, more memory than is allowed, and that was printed. */
int load_sessions(struct load_run *r) SL_ON_WORKER;

#endif
