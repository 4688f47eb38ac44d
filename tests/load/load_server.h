/*
 * load_server.h - starts the server that is measured, on loopback ports below the ephemeral ones,
 * and ends it.
 *
 * A server that was started dies with the load generator, however that ends.
 */
#ifndef TESTS_LOAD_SERVER_H
#define TESTS_LOAD_SERVER_H

#include "net/net_addr.h"
#include <sys/types.h>

#define LOAD_ARGS_MAX 32

enum load_kind { LOAD_SLUICE, LOAD_JANUS, LOAD_FLOOR };

struct load_server_conf {
    enum load_kind kind;
    const char *program;
    const char *options[LOAD_ARGS_MAX]; /* sluice: -o each */
    size_t noptions;
    int event_loops;     /* janus; 0: as it is by default */
    const char *method;  /* floor */
    const char *profile; /* floor */
};

struct load_server {
    pid_t pid;
    bool is_child;
    struct sl_addr addr; /* where signalling goes, or the floor's packets */
    char dir[64];        /* its configuration, removed at the end; "": none */
};

/* Returns when it listens. 0 or -errno; the reason was printed. */
int load_server_start(const struct load_server_conf *conf, struct load_server *out);
void load_server_stop(struct load_server *s);

#endif
