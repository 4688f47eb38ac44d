#include "impair_link.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64 /* packets read of one device before the other has its turn */

static const struct sim_link_conf no_harm = { .bps = 1e9, .queue_us = 100000 };

struct unit {
    const char *name;
    double factor;
};

static const struct unit rates[] = { { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { NULL, 0 } };
static const struct unit times[] = { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { NULL, 0 } };
static const struct unit shares[] = { { "", 1 }, { "%", 0.01 }, { NULL, 0 } };
static const struct unit numbers[] = { { "", 1 }, { NULL, 0 } };

#define FIELD(f) offsetof(struct sim_link_conf, f)

static const struct {
    const char *name;
    const struct unit *units;
    double min, max;
    size_t at;
} fields[] = {
    { "rate", rates, 8e3, 1e10, FIELD(bps) },
    { "queue", times, 0, 10e6, FIELD(queue_us) },
    { "delay", times, 0, 10e6, FIELD(delay_us) },
    { "jitter", times, 0, 10e6, FIELD(jitter_us) },
    { "loss", shares, 0, 1, FIELD(loss) },
    { "burst", shares, 0, 1, FIELD(burst) },
    { "burst_length", numbers, 0, 1000, FIELD(burst_length) },
    { "reorder", shares, 0, 1, FIELD(reorder) },
    { "reorder_delay", times, 0, 10e6, FIELD(reorder_us) },
};

static bool read_value(const char *text, const struct unit *units, double *out)
{
    char *end;
    double x = strtod(text, &end);

    if (end == text)
        return false;
    for (; units->name; units++)
        if (!strcmp(end, units->name)) {
            *out = x * units->factor;
            return true;
        }
    return false;
}

/* @word: name=value. */
static bool set_field(struct sim_link_conf *conf, char *word)
{
    char *value = strchr(word, '=');
    double x;

    if (!value)
        return false;
    *value++ = '\0';
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        void *field = (char *)conf + fields[i].at;

        if (strcmp(fields[i].name, word) != 0)
            continue;
        if (!read_value(value, fields[i].units, &x) || !(x >= fields[i].min && x <= fields[i].max))
            return false;
        if (fields[i].units == times)
            *(uint64_t *)field = (uint64_t)x;
        else
            *(double *)field = x;
        return true;
    }
    return false;
}

static int way_stats(struct impair_way *w, const char *name, char *out, size_t size)
{
    int n =
        snprintf(out, size,
                 "\"%s\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"dropped\":%" PRIu64
                 ",\"lost\":%" PRIu64 ",\"queue_us\":{\"p50\":%" PRIu64 ",\"p95\":%" PRIu64 "}}",
                 name, w->packets, w->bytes, w->link.dropped, w->link.lost,
                 sl_hist_quantile(&w->queue_us, 500), sl_hist_quantile(&w->queue_us, 950));

    memset(&w->queue_us, 0, sizeof(w->queue_us));
    return n;
}

static void tell_stats(struct impair_link *l, char reply[IMPAIR_REPLY_MAX])
{
    int n = snprintf(reply, IMPAIR_REPLY_MAX, "{");

    n += way_stats(&l->down, "down", reply + n, IMPAIR_REPLY_MAX - (size_t)n);
    n += snprintf(reply + n, IMPAIR_REPLY_MAX - (size_t)n, ",");
    n += way_stats(&l->up, "up", reply + n, IMPAIR_REPLY_MAX - (size_t)n);
    snprintf(reply + n, IMPAIR_REPLY_MAX - (size_t)n, "}\n");
}

void impair_link_obey(struct impair_link *l, char *line, char reply[IMPAIR_REPLY_MAX])
{
    struct sim_link_conf down = l->down.link.conf, up = l->up.link.conf;
    char *rest, *which = strtok_r(line, " \r\n", &rest);
    bool both = which && !strcmp(which, "both");
    bool is_down = which && (both || !strcmp(which, "down"));
    bool is_up = which && (both || !strcmp(which, "up"));
    uint64_t now_us = sl_now_us();

    if (which && !strcmp(which, "stats")) {
        tell_stats(l, reply);
        return;
    }
    if (!is_down && !is_up) {
        snprintf(reply, IMPAIR_REPLY_MAX, "error down, up, both or stats\n");
        return;
    }
    for (char *word; (word = strtok_r(NULL, " \r\n", &rest));) {
        char copy[64];

        snprintf(copy, sizeof(copy), "%s", word);
        if (!set_field(&down, word) || !set_field(&up, copy)) {
            snprintf(reply, IMPAIR_REPLY_MAX, "error %s\n", word);
            return;
        }
    }
    if (is_down)
        sim_link_set(&l->down.link, &down, now_us);
    if (is_up)
        sim_link_set(&l->up.link, &up, now_us);
    snprintf(reply, IMPAIR_REPLY_MAX, "ok\n");
}

/* ---- packets ---- */

static void deliver(struct impair_way *w, uint64_t now_us)
{
    struct sim_packet p;

    while (sim_link_take(&w->link, now_us, &p)) {
        if (write(w->to, p.data, p.bytes) == (ssize_t)p.bytes) {
            w->packets++;
            w->bytes += p.bytes;
        }
        sl_hist_add(&w->queue_us, p.queued_us);
        free(p.data);
    }
}

static int collect(struct impair_way *w)
{
    char data[IMPAIR_MTU];

    for (int i = 0; i < BATCH; i++) {
        struct sim_packet p = { 0 };
        ssize_t n = read(w->from, data, sizeof(data));

        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        p.bytes = (uint32_t)n;
        p.data = malloc((size_t)n);
        if (!p.data)
            return -ENOMEM;
        memcpy(p.data, data, (size_t)n);
        sim_link_send(&w->link, &p, sl_now_us());
    }
    return 0;
}

/* ---- lines ---- */

/* -EPIPE: there will be no more. */
static int read_lines(struct impair_link *l)
{
    ssize_t n = recv(l->control, l->line + l->len, sizeof(l->line) - l->len, MSG_DONTWAIT);
    char reply[IMPAIR_REPLY_MAX], *end;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -EPIPE;
    l->len += (size_t)n;
    while ((end = memchr(l->line, '\n', l->len))) {
        size_t used = (size_t)(end + 1 - l->line);

        *end = '\0';
        impair_link_obey(l, l->line, reply);
        if (send(l->control, reply, strlen(reply), MSG_NOSIGNAL) < 0)
            return -errno;
        memmove(l->line, l->line + used, l->len - used);
        l->len -= used;
    }
    return l->len == sizeof(l->line) ? -EMSGSIZE : 0;
}

static struct timespec until(const struct impair_link *l)
{
    uint64_t down = sim_link_next_us(&l->down.link), up = sim_link_next_us(&l->up.link);
    uint64_t next = down < up ? down : up, now = sl_now_us();
    uint64_t wait = next <= now ? 0 : next - now;

    if (wait > 1000000)
        wait = 1000000;
    return (struct timespec){ .tv_sec = (time_t)(wait / 1000000),
                              .tv_nsec = (long)(wait % 1000000) * 1000 };
}

int impair_link_run(struct impair_link *l)
{
    int err = 0;

    while (!err) {
        struct pollfd fds[] = {
            { .fd = l->down.from, .events = POLLIN },
            { .fd = l->up.from, .events = POLLIN },
            { .fd = l->control, .events = POLLIN },
        };
        struct timespec wait = until(l);

        if (ppoll(fds, 3, &wait, NULL) < 0 && errno != EINTR)
            return -errno;
        err = collect(&l->down);
        if (!err)
            err = collect(&l->up);
        deliver(&l->down, sl_now_us());
        deliver(&l->up, sl_now_us());
        if (!err && fds[2].revents)
            err = read_lines(l);
    }
    return err == -EPIPE ? 0 : err;
}

/* ---- life ---- */

static void way_init(struct impair_way *w, int from, int to, uint32_t seed)
{
    w->from = from;
    w->to = to;
    sim_link_init(&w->link, &no_harm, seed);
    w->link.on_gone = free;
}

static void way_fini(struct impair_way *w)
{
    struct sim_packet p;

    sim_link_set_bps(&w->link, 1e12, sl_now_us()); /* whatever waits, arrives */
    while (sim_link_take(&w->link, UINT64_MAX, &p))
        free(p.data);
}

struct impair_link *impair_link_create(const struct impair_net *n, int control)
{
    struct impair_link *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    way_init(&l->down, n->far.tun, n->near.tun, 1);
    way_init(&l->up, n->near.tun, n->far.tun, 2);
    l->control = control;
    return l;
}

void impair_link_destroy(struct impair_link *l)
{
    if (!l)
        return;
    way_fini(&l->down);
    way_fini(&l->up);
    free(l);
}
