/*
 * mock_pc.h - peer connections without media, for tests of what uses pc/pc.h.
 *
 * They take any SDP that begins with "v=" as one with an audio line (mid "0") and a video line (mid
 * "1"), and write "v=0 offer N" or "v=0 answer N". What they shall do otherwise is set in
 * `mock_pc`, and what happened to them is counted there; `last` is the newest that lives.
 */
#ifndef MOCK_PC_H
#define MOCK_PC_H

#include "pc/pc.h"

#define MOCK_PC_CANDIDATES 200

struct mock_pc_state {
    /* Behaviour. */
    int create_err;                /* sl_pc_create returns it */
    struct sl_pc_error remote_err; /* code not 0: set_remote fails so */
    int local_err;                 /* set_local returns it */
    bool hold_local;               /* set_local calls done in mock_pc_finish */
    bool fail_local;               /* done gets NULL */
    int data_err;                  /* data_send and data_pause return it */
    /* What happened. */
    int created, destroyed, rollbacks, descriptions, routes, stats_asked;
    int ncandidates;
    char candidates[MOCK_PC_CANDIDATES][96]; /* "text|mid|index" */
    struct sl_pc_remote remote;              /* the last one; sdp is not kept */
    uint64_t group;                          /* of the last one created */
    char sent[96];                           /* the last message: "label|protocol|binary|text" */
    bool data_paused;
    int infos;       /* asked for */
    bool captured;   /* sl_pc_capture gave it a capture, and did not end it */
    int capture_err; /* it returns that */
    struct sl_pc *last;
};
extern struct mock_pc_state mock_pc;

void mock_pc_reset(void);
/* Ends a held set_local. */
void mock_pc_finish(struct sl_pc *pc);
/* Its callbacks, to be called by the test. */
const struct sl_pc_cb *mock_pc_cb(const struct sl_pc *pc);
void *mock_pc_arg(const struct sl_pc *pc);
void mock_pc_set_up(struct sl_pc *pc);

/* What sl_pc_world_set_slowlink and set_no_media were told last. */
extern uint32_t mock_pc_slowlink, mock_pc_no_media;
/* The worker of @pc answers what sl_pc_info asked. */
void mock_pc_inform(struct sl_pc *pc) SL_ON_CONTROL;

#endif
