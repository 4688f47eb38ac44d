/*
 * unix.h - the Unix socket transport: JSON of the session protocol between processes of one
 * machine.
 *
 * Spec:   control protocol, section 8.3; client expectation N3 (datagrams).
 * Thread: one thread of its own (role transport) that owns all sockets and clients; answer and push
 *         post to it and never block.
 * Owner:  src/control/.
 *
 * One message is one JSON text. With SOCK_SEQPACKET a client is a connection. With SOCK_DGRAM it is
 * the address that it bound: it is gone when that address takes no more datagrams, which is looked
 * for when something is to be sent and every SL_UNIX_PROBE_MS. Datagrams without an address cannot
 * be answered and are dropped.
 *
 * Who may connect is said by the permissions of the socket's file. A file that a dead server left
 * is replaced; one that somebody listens on, or that is no socket, is a start error.
 */
#ifndef SL_TRANSPORTS_UNIX_H
#define SL_TRANSPORTS_UNIX_H

#include <sluice/transport.h>

#define SL_UNIX_MAX_MESSAGE (1024 * 1024)     /* bytes of one message; more: answered as bad JSON */
#define SL_UNIX_MAX_QUEUE   (4 * 1024 * 1024) /* bytes that wait for a client that does not read */
#define SL_UNIX_MAX_CLIENTS 1000
#define SL_UNIX_MAX_DEPTH   32 /* objects and arrays inside each other */
#define SL_UNIX_INFLIGHT    64 /* unanswered requests of one client */
#define SL_UNIX_PROBE_MS    5000

/* Group `unix`. Zero takes the default. Strings are borrowed while the transport runs. */
struct sl_unix_conf {
    const char *path;       /* NULL: no socket for the session protocol */
    const char *admin_path; /* NULL: none for the administrator */
    bool datagrams;         /* SOCK_DGRAM instead of SOCK_SEQPACKET */
    unsigned int mode;      /* permissions of the files, as of chmod */
    size_t max_message, max_queue;
    unsigned int max_clients, max_json_depth;
    unsigned int probe_ms; /* tests */
};

struct sl_unix_stats {
    uint64_t open;        /* clients now */
    uint64_t opened;      /* ever */
    uint64_t refused;     /* there were too many clients */
    uint64_t slow_closed; /* closed since they did not read */
    uint64_t dropped;     /* datagrams without address or beyond SL_UNIX_INFLIGHT */
    uint64_t bad_json;    /* messages refused */
};

extern const struct sl_transport sl_unix_transport;

/* 0 or -errno, and @err is one sentence. @conf is copied, @core outlives the transport. */
int sl_unix_start(const struct sl_unix_conf *conf, const struct sl_tcore *core, char *err,
                  size_t cap);
/* Sends what is queued for up to half a second, removes the files, ends the thread. Every client
 * got its core->gone by then. Control thread, like answer and push, which do nothing from here on.
 */
void sl_unix_stop(void);

void sl_unix_stats_get(struct sl_unix_stats *out); /* any thread */

#endif
