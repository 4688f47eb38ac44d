/*
 * load_opt.h - the command line of the load generator.
 */
#ifndef TESTS_LOAD_OPT_H
#define TESTS_LOAD_OPT_H

#include "load_server.h"
#include "load_user.h"

struct load_opts {
    const char *name; /* of the case */
    /* Who is there. */
    unsigned int viewers, peers, capped;
    unsigned int sockets, sessions; /* of the case `sessions` */
    unsigned int rooms;   /* of --peers each; --viewers and --capped are spread over them */
    unsigned int loudest; /* of a room: whose audio is forwarded; 0: all */
    /* How long, in seconds. */
    double seconds, settle, stay;
    double rate;            /* joins per second (churn) */
    unsigned int in_flight; /* joins at a time */
    /* What is sent, and what happens to it. */
    struct load_tx_conf tx;
    bool nack, twcc, data;
    double loss_percent;
    unsigned int cap_kbps;
    enum sl_srtp_profile profile;
    /* Against whom. */
    struct load_server_conf server; /* program NULL: an existing one */
    const char *url;                /* ADDRESS:PORT of its WebSocket */
    pid_t pid;
    const char *bind; /* address of the peers; NULL: where the server's candidates are likely */
    bool guests;      /* of a publisher who is not ours (instant) */
    bool is_strict;   /* --strict: fail unless packets arrived, and all of them */
};

/* 0, or the exit status: usage and errors were printed. */
int load_opts_parse(struct load_opts *o, int argc, char **argv);

#endif
