/* What a worker dropped, told once a second. */
#include "worker/worker_drops.h"

#include "base/log.h"
#include "base/strbuf.h"
#include "worker/worker_private.h"

#include <inttypes.h>
#include <string.h>

static const bool is_told[SL_DROP_MAX] = {
    [SL_DROP_MALFORMED] = true,    [SL_DROP_TOO_LONG] = true,   [SL_DROP_NO_MEMORY] = true,
    [SL_DROP_NO_KEYS] = true,      [SL_DROP_AUTH] = true,       [SL_DROP_REPLAY] = true,
    [SL_DROP_UNKNOWN_SSRC] = true, [SL_DROP_SSRC_LIMIT] = true, [SL_DROP_UNKNOWN_ADDRESS] = true,
    [SL_DROP_WRONG_PT] = true,     [SL_DROP_CODEC] = true,      [SL_DROP_RING_FULL] = true,
    [SL_DROP_TCP_FULL] = true,     [SL_DROP_PROTECT] = true,    [SL_DROP_DATA_FULL] = true,
};

static const char *socket_drop_to_str(enum sl_socket_drop why)
{
    static const char *const names[SL_SOCKET_DROP_MAX] = {
        [SL_SOCKET_OVERFLOW] = "overflow",
        [SL_SOCKET_TRUNCATED] = "truncated",
        [SL_SOCKET_SURPLUS] = "surplus",
    };

    return names[why];
}

static const char *tcp_closed_to_str(enum sl_tcp_closed why)
{
    static const char *const names[SL_TCP_CLOSED_MAX] = {
        [SL_TCP_BAD_FRAME] = "bad_frame",
        [SL_TCP_UNPROVEN] = "unproven",
        [SL_TCP_CROWDED] = "crowded",
    };

    return names[why];
}

static void add(struct sl_strbuf *out, const char *prefix, const char *name, uint64_t n)
{
    if (n)
        sl_strbuf_addf(out, " %s%s=%" PRIu64, prefix, name, n);
}

void sl_worker_drops_write(const struct sl_worker_drops *now, const struct sl_worker_drops *seen,
                           struct sl_strbuf *out)
{
    for (unsigned int i = 0; i < SL_DROP_MAX; i++)
        if (is_told[i])
            add(out, "", sl_drop_to_str(i), now->media[i] - seen->media[i]);
    for (unsigned int i = 0; i < SL_LITE_DROP_MAX; i++)
        add(out, "stun_", sl_lite_drop_to_str(i), now->stun[i] - seen->stun[i]);
    for (unsigned int i = 0; i < SL_TX_DROP_MAX; i++)
        add(out, "tx_", sl_tx_drop_to_str(i), now->tx[i] - seen->tx[i]);
    for (unsigned int i = 0; i < SL_SOCKET_DROP_MAX; i++)
        add(out, "socket_", socket_drop_to_str(i), now->socket[i] - seen->socket[i]);
    for (unsigned int i = 0; i < SL_TCP_CLOSED_MAX; i++)
        add(out, "tcp_", tcp_closed_to_str(i), now->tcp[i] - seen->tcp[i]);
}

static void collect(const struct sl_worker *w, struct sl_worker_drops *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->media, w->ctx.drops, sizeof(out->media));
    memcpy(out->stun, sl_ice_lite_drops(w->lite), sizeof(out->stun));
    memcpy(out->tx, sl_txq_stats_get(w->txq)->drops, sizeof(out->tx));
    out->socket[SL_SOCKET_OVERFLOW] = w->overflows;
    out->socket[SL_SOCKET_TRUNCATED] = w->batch->truncated;
    out->socket[SL_SOCKET_SURPLUS] = w->batch->surplus;
    memcpy(out->tcp, w->tcp.closed, sizeof(out->tcp));
}

void sl_worker_drops_tell(struct sl_worker *w)
{
    struct sl_worker_drops now;
    struct sl_strbuf text;

    collect(w, &now);
    if (memcmp(&now, &w->drops_told, sizeof(now)) == 0)
        return;
    sl_strbuf_init(&text);
    sl_worker_drops_write(&now, &w->drops_told, &text);
    if (text.len && !text.failed)
        sl_info("worker", "dropped", "worker=%u%s", w->conf.index, text.text);
    sl_strbuf_fini(&text);
    w->drops_told = now;
}
