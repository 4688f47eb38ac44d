#include "net/net_pcap.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/door.h"
#include "base/log.h"
#include "base/ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RING_PACKETS 1024
#define HEADERS_MAX  48 /* IPv6 and UDP */
#define IP4_BYTES    20
#define IP6_BYTES    40
#define UDP_BYTES    8
#define LINKTYPE_RAW 101

struct entry {
    uint64_t wall_us;
    struct sl_addr local, remote;
    bool is_in;
    uint16_t len, kept;
    uint8_t data[SL_PCAP_PACKET_MAX];
};

struct sl_pcap {
    /* The producer's. */
    struct sl_pcap_counts counts;
    /* Both. */
    struct sl_ring ring;
    struct sl_door door;
    atomic_bool is_closed;
    /* The writer's. */
    struct sl_pcap_conf conf; /* its strings are not kept */
    char name[SL_PCAP_NAME_MAX + 1];
    FILE *file;
    uint64_t written, bytes, over; /* @over: beyond max_bytes, or the disk refused */
};

/* Captures whose file is not complete. */
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t open_less = PTHREAD_COND_INITIALIZER;
static unsigned int nopen;

/* ---- the writer ------------------------------------------------------------------------------ */

static void write_u16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t sum(uint32_t s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        s += (uint32_t)(p[i] << 8 | p[i + 1]);
    return n & 1 ? s + (uint32_t)(p[n - 1] << 8) : s;
}

static uint16_t fold(uint32_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static size_t ip4_write(uint8_t *h, const struct sl_addr *src, const struct sl_addr *dst,
                        size_t len)
{
    h[0] = 0x45;
    write_u16(h + 2, IP4_BYTES + UDP_BYTES + len);
    h[8] = 64;
    h[9] = IPPROTO_UDP;
    memcpy(h + 12, &src->in4.sin_addr, 4);
    memcpy(h + 16, &dst->in4.sin_addr, 4);
    write_u16(h + 10, fold(sum(0, h, IP4_BYTES)));
    return IP4_BYTES;
}

static size_t ip6_write(uint8_t *h, const struct sl_addr *src, const struct sl_addr *dst,
                        size_t len)
{
    h[0] = 0x60;
    write_u16(h + 4, UDP_BYTES + len);
    h[6] = IPPROTO_UDP;
    h[7] = 64;
    memcpy(h + 8, &src->in6.sin6_addr, 16);
    memcpy(h + 24, &dst->in6.sin6_addr, 16);
    return IP6_BYTES;
}

/* Two addresses of one family, whatever is known of them. */
static void complete(struct sl_addr *local, struct sl_addr *remote)
{
    if (!sl_addr_family(remote))
        (void)sl_addr_from_ip("192.0.2.1", 9, remote);
    if (sl_addr_family(local) != sl_addr_family(remote))
        (void)sl_addr_from_ip(sl_addr_family(remote) == AF_INET6 ? "::1" : "127.0.0.1",
                              sl_addr_port(local), local);
    if (!sl_addr_port(local))
        sl_addr_set_port(local, 9);
}

/* Bytes of the headers. */
static size_t headers_write(uint8_t h[HEADERS_MAX], struct entry *e)
{
    const struct sl_addr *src = e->is_in ? &e->remote : &e->local;
    const struct sl_addr *dst = e->is_in ? &e->local : &e->remote;
    size_t n;
    bool is_v6;

    complete(&e->local, &e->remote);
    is_v6 = sl_addr_family(src) == AF_INET6;
    memset(h, 0, HEADERS_MAX);
    n = is_v6 ? ip6_write(h, src, dst, e->len) : ip4_write(h, src, dst, e->len);
    write_u16(h + n, sl_addr_port(src));
    write_u16(h + n + 2, sl_addr_port(dst));
    write_u16(h + n + 4, UDP_BYTES + e->len);
    if (is_v6 && e->kept == e->len) { /* IPv4 may go without (RFC 768) */
        uint32_t s = sum(IPPROTO_UDP + UDP_BYTES + (uint32_t)e->len, h + 8, 32);
        uint16_t c = fold(sum(sum(s, h + n, UDP_BYTES), e->data, e->len));

        write_u16(h + n + 6, c ? c : 0xffff);
    }
    return n + UDP_BYTES;
}

static size_t binary_write(struct sl_pcap *p, struct entry *e)
{
    uint8_t h[HEADERS_MAX];
    size_t n = headers_write(h, e);
    const uint32_t record[4] = { (uint32_t)(e->wall_us / 1000000), (uint32_t)(e->wall_us % 1000000),
                                 (uint32_t)(n + e->kept), (uint32_t)(n + e->len) };

    (void)fwrite(record, sizeof(record), 1, p->file);
    (void)fwrite(h, n, 1, p->file);
    (void)fwrite(e->data, e->kept, 1, p->file);
    return sizeof(record) + n + e->kept;
}

/* "I 15:04:05.678901 000000 80 60 ..." */
static size_t text_write(struct sl_pcap *p, const struct entry *e)
{
    time_t at = (time_t)(e->wall_us / 1000000);
    struct tm tm;
    int n;

    gmtime_r(&at, &tm);
    n = fprintf(p->file, "%c %02d:%02d:%02d.%06u 000000", e->is_in ? 'I' : 'O', tm.tm_hour,
                tm.tm_min, tm.tm_sec, (unsigned int)(e->wall_us % 1000000));
    for (size_t i = 0; i < e->kept; i++)
        n += fprintf(p->file, " %02x", e->data[i]);
    n += fprintf(p->file, "\n");
    return n > 0 ? (size_t)n : 0;
}

static void write_entry(struct sl_pcap *p, struct entry *e)
{
    if (ferror(p->file) || (p->conf.max_bytes && p->bytes >= p->conf.max_bytes)) {
        p->over++;
        return;
    }
    p->bytes += p->conf.is_text ? text_write(p, e) : binary_write(p, e);
    p->written++;
}

/* False: there was nothing. */
static bool drain(struct sl_pcap *p)
{
    struct entry *e = sl_ring_peek(&p->ring);

    if (!e)
        return false;
    for (; e; e = sl_ring_peek(&p->ring)) {
        write_entry(p, e);
        sl_ring_pop(&p->ring);
    }
    return true;
}

static void pcap_free(struct sl_pcap *p)
{
    sl_ring_fini(&p->ring);
    sl_door_fini(&p->door);
    if (p->file)
        fclose(p->file);
    free(p);
}

static void end(struct sl_pcap *p)
{
    bool failed = fflush(p->file) != 0 || ferror(p->file);

    sl_info("pcap", "closed",
            "file=%s packets=%" PRIu64 " dropped=%" PRIu64 " beyond_limit=%" PRIu64 " failed=%s",
            p->name, p->written, p->counts.dropped, p->over, failed ? "yes" : "no");
    pthread_mutex_lock(&open_lock);
    pcap_free(p);
    nopen--;
    pthread_cond_broadcast(&open_less);
    pthread_mutex_unlock(&open_lock);
}

static void *writer_main(void *arg)
{
    struct sl_pcap *p = arg;
    struct pollfd fd = { .fd = p->door.efd, .events = POLLIN };
    bool last = false;

    /* Once more after it was closed: what was put before is there then. */
    while (!last) {
        last = atomic_load(&p->is_closed);
        if (drain(p) || last)
            continue;
        fflush(p->file); /* a quiet moment: who reads the file sees all of it */
        sl_door_will_sleep(&p->door);
        if (!sl_ring_peek(&p->ring) && !atomic_load(&p->is_closed))
            (void)poll(&fd, 1, -1);
        sl_door_woke(&p->door);
    }
    end(p);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

bool sl_pcap_name_is_sound(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return n && !name[n] && n <= SL_PCAP_NAME_MAX && name[0] != '.';
}

static int file_open(struct sl_pcap *p)
{
    static const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snap, link;
    } head = { 0xa1b2c3d4, 2, 4, 0, 0, 65535, LINKTYPE_RAW };
    int dir = open(p->conf.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, err;

    if (dir < 0)
        return -errno;
    fd = openat(dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    err = fd < 0 ? -errno : 0;
    close(dir);
    if (err)
        return err;
    p->file = fdopen(fd, "w");
    if (!p->file) {
        close(fd);
        return -ENOMEM;
    }
    if (!p->conf.is_text) {
        (void)fwrite(&head, sizeof(head), 1, p->file);
        p->bytes = sizeof(head);
    }
    return 0;
}

static int writer_start(struct sl_pcap *p)
{
    pthread_attr_t attr;
    pthread_t thread;
    int err;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    err = pthread_create(&thread, &attr, writer_main, p);
    pthread_attr_destroy(&attr);
    return -err;
}

static bool count_take(void)
{
    bool taken;

    pthread_mutex_lock(&open_lock);
    taken = nopen < SL_PCAP_FILES_MAX;
    nopen += taken;
    pthread_mutex_unlock(&open_lock);
    return taken;
}

static void count_put(void)
{
    pthread_mutex_lock(&open_lock);
    nopen--;
    pthread_mutex_unlock(&open_lock);
}

int sl_pcap_open(const struct sl_pcap_conf *conf, struct sl_pcap **out)
{
    struct sl_pcap *p;
    int err;

    if (!sl_pcap_name_is_sound(conf->name))
        return -EINVAL;
    if (!count_take())
        return -EAGAIN;
    p = calloc(1, sizeof(*p));
    if (!p) {
        count_put();
        return -ENOMEM;
    }
    p->conf = *conf;
    if (!p->conf.snap || p->conf.snap > SL_PCAP_PACKET_MAX)
        p->conf.snap = SL_PCAP_PACKET_MAX;
    snprintf(p->name, sizeof(p->name), "%s", conf->name);
    err = sl_door_init(&p->door);
    if (err) {
        count_put();
        free(p);
        return err;
    }
    err = sl_ring_init(&p->ring, RING_PACKETS, sizeof(struct entry));
    if (!err)
        err = file_open(p);
    p->conf.dir = p->conf.name = NULL;
    if (!err)
        err = writer_start(p);
    if (err) {
        count_put();
        pcap_free(p);
        return err;
    }
    *out = p;
    return 0;
}

void sl_pcap_put(struct sl_pcap *p, const struct sl_pcap_packet *pkt)
{
    struct entry *e = sl_ring_stage(&p->ring);
    size_t len = pkt->len < UINT16_MAX - HEADERS_MAX ? pkt->len : UINT16_MAX - HEADERS_MAX;

    p->counts.packets++;
    if (!e) {
        p->counts.dropped++;
        return;
    }
    e->wall_us = sl_wall_us();
    e->local = pkt->local;
    e->remote = pkt->remote;
    e->is_in = pkt->is_in;
    e->len = (uint16_t)len;
    e->kept = (uint16_t)(len < p->conf.snap ? len : p->conf.snap);
    memcpy(e->data, pkt->data, e->kept);
    (void)sl_ring_publish(&p->ring);
    (void)sl_door_ring(&p->door);
}

struct sl_pcap_counts sl_pcap_counts(const struct sl_pcap *p)
{
    return p->counts;
}

void sl_pcap_close(struct sl_pcap *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&open_lock); /* or its thread could free it before the door rings */
    atomic_store(&p->is_closed, true);
    (void)sl_door_ring(&p->door);
    pthread_mutex_unlock(&open_lock);
}

void sl_pcap_wait(void)
{
    pthread_mutex_lock(&open_lock);
    while (nopen)
        pthread_cond_wait(&open_less, &open_lock);
    pthread_mutex_unlock(&open_lock);
}
