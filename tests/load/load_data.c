#include "load_data.h"

#include "load_peer.h"
#include "sctp/sctp.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PACKET_MAX 1150 /* leaves room for the DTLS record */

/* One SCTP packet on its way from the SCTP thread to the loop. */
struct packet {
    struct packet *next;
    sl_id peer;
    size_t len;
    uint8_t data[];
};

struct load_data {
    struct load_io io;
    /* Owned. */
    struct sl_sctp *sctp;
    int efd;
    struct load_peer **peers; /* by slot - 1; NULL: gone */
    size_t npeers;
    atomic_size_t nup;
    pthread_mutex_t lock;
    struct packet *first, **last; /* under the lock */
};

static void on_out(void *arg, sl_id pc, const uint8_t *data, size_t len)
{
    struct packet *p = malloc(sizeof(*p) + len);
    struct load_data *d = arg;

    if (!p)
        return;
    p->next = NULL;
    p->peer = pc;
    p->len = len;
    memcpy(p->data, data, len);
    pthread_mutex_lock(&d->lock);
    *d->last = p;
    d->last = &p->next;
    pthread_mutex_unlock(&d->lock);
    (void)!write(d->efd, &(uint64_t){ 1 }, 8);
}

static void on_up(void *arg, sl_id pc)
{
    struct load_data *d = arg;

    (void)pc;
    d->nup++;
}

static void on_down(void *arg, sl_id pc, const char *reason)
{
    (void)arg;
    (void)pc;
    (void)reason;
}

static void on_channel(void *arg, sl_id pc, const struct sl_sctp_channel *ch)
{
    (void)arg;
    (void)pc;
    (void)ch;
}

static void on_message(void *arg, sl_id pc, const struct sl_sctp_channel *ch, bool is_binary,
                       const uint8_t *data, size_t len)
{
    struct load_data *d = arg;

    (void)ch;
    (void)is_binary;
    (void)data;
    sl_sctp_consumed(d->sctp, pc, SL_SCTP_CHARGE(len));
}

static void on_sent(void *arg, sl_id pc, size_t charge)
{
    (void)arg;
    (void)pc;
    (void)charge;
}

static struct packet *take_all(struct load_data *d)
{
    struct packet *list;

    pthread_mutex_lock(&d->lock);
    list = d->first;
    d->first = NULL;
    d->last = &d->first;
    pthread_mutex_unlock(&d->lock);
    return list;
}

static void on_ready(struct load_io *io, uint32_t events)
{
    struct load_data *d = (struct load_data *)io;
    struct packet *p, *next;
    uint64_t n;

    (void)events;
    SL_ASSUME(worker);
    (void)!read(d->efd, &n, sizeof(n));
    for (p = take_all(d); p; p = next) {
        struct load_peer *peer = d->peers[sl_id_slot(p->peer) - 1];

        next = p->next;
        if (peer)
            (void)sl_dtls_send(peer->dtls, p->data, p->len);
        free(p);
    }
}

int load_data_create(struct load_loop *l, struct load_data **out)
{
    static const struct sl_sctp_cb cb = { on_out,     on_up,      on_down, on_channel,
                                          on_channel, on_message, on_sent };
    static const struct sl_sctp_conf conf = { PACKET_MAX };
    struct load_data *d = calloc(1, sizeof(*d));
    int err;

    if (!d)
        return -ENOMEM;
    d->io.ready = on_ready;
    d->last = &d->first;
    pthread_mutex_init(&d->lock, NULL);
    d->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    err = d->efd < 0 ? -errno : load_loop_add(l, d->efd, &d->io, EPOLLIN);
    if (!err)
        err = sl_sctp_create(&conf, &cb, d, &d->sctp);
    if (err) {
        load_data_destroy(d);
        return err;
    }
    *out = d;
    return 0;
}

void load_data_destroy(struct load_data *d)
{
    struct packet *p, *next;

    if (!d)
        return;
    if (d->sctp)
        sl_sctp_destroy(d->sctp);
    for (p = take_all(d); p; p = next) {
        next = p->next;
        free(p);
    }
    if (d->efd >= 0)
        close(d->efd);
    pthread_mutex_destroy(&d->lock);
    free(d->peers);
    free(d);
}

int load_data_open(struct load_data *d, struct load_peer *p)
{
    struct sl_sctp_open o = { true, SL_SCTP_PORT, SL_SCTP_PORT, 0 };
    struct load_peer **grown = realloc(d->peers, (d->npeers + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    d->peers = grown;
    d->peers[d->npeers++] = p;
    p->data_id = sl_id_make(0, (uint32_t)d->npeers, 1);
    sl_sctp_open(d->sctp, p->data_id, &o);
    return 0;
}

void load_data_close(struct load_data *d, struct load_peer *p)
{
    if (p->data_id == SL_ID_NONE)
        return;
    sl_sctp_close(d->sctp, p->data_id);
    d->peers[sl_id_slot(p->data_id) - 1] = NULL;
    p->data_id = SL_ID_NONE;
}

void load_data_input(struct load_data *d, const struct load_peer *p, const uint8_t *data,
                     size_t len)
{
    sl_sctp_input(d->sctp, p->data_id, data, len);
}

size_t load_data_count(const struct load_data *d)
{
    return d->nup;
}
