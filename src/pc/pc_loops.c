/* What the administrator sees of the workers (admin API, `loops_info`): id and handles as the
 * protocol has them, and what each did. */
#include "pc/pc_priv.h"
#include "worker/worker_shed.h"

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *receiving(const struct sl_worker_stats *s)
{
    return json_pack("{s:o, s:o}", "packets", number(s->rx_datagrams), "messages",
                     number(s->rx_messages));
}

static json_t *sending(const struct sl_worker_stats *s)
{
    const struct sl_txq_stats *t = &s->tx;
    json_t *drops = json_object();

    for (unsigned int i = 0; i < SL_TX_DROP_MAX; i++)
        json_object_set_new(drops, sl_tx_drop_to_str((enum sl_tx_drop)i), number(t->drops[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:o, s:o, s:o}", "packets",
                     number(t->packets), "bytes", number(t->bytes), "calls", number(t->calls),
                     "messages", number(t->messages), "trains", number(t->trains),
                     "packets_per_call", ratio(t->packets, t->calls), "packets_per_message",
                     ratio(t->packets, t->messages), "trains_refused", number(t->gso_refused),
                     "padded_packets", number(s->padded_packets), "padded_bytes",
                     number(s->padded_bytes), "drops", drops);
}

static json_t *dropped(const struct sl_worker_stats *s)
{
    json_t *j = json_object();

    for (unsigned int i = SL_DROP_NONE + 1; i < SL_DROP_MAX; i++)
        if (s->drops[i])
            json_object_set_new(j, sl_drop_to_str((enum sl_drop)i), number(s->drops[i]));
    return j;
}

/* Of the last 10 to 20 seconds. */
static json_t *latency(const struct sl_worker_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "packets", number(s->recent.count), "p50_us",
                     number(sl_hist_quantile(&s->recent, 500)), "p99_us",
                     number(sl_hist_quantile(&s->recent, 990)), "max_us",
                     number(sl_hist_quantile(&s->recent, 1000)));
}

/* Peer connections: with full ICE, those that are taken over from libnice and those that are not.
 */
static json_t *paths(const struct sl_worker_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "none", number(s->paths[SL_ICE_PATH_NONE]), "direct",
                     number(s->paths[SL_ICE_PATH_DIRECT]), "tcp", number(s->paths[SL_ICE_PATH_TCP]),
                     "agent", number(s->paths[SL_ICE_PATH_AGENT]));
}

static json_t *loop_info(const struct sl_pc_world *w, unsigned int i)
{
    struct sl_worker_stats s;

    sl_worker_stats_get(w->workers[i], &s);
    return json_pack(
        "{s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:{s:i, s:i, s:i}}",
        "id", (int)i, "handles", (int)w->slots[i].live, "busy_permille",
        (int)sl_worker_load(w->workers[i]).busy_permille, "cpu_us", number(s.cpu_us), "turns",
        number(s.turns), "receive", receiving(&s), "send", sending(&s), "rings", "in",
        number(s.ring_in), "out", number(s.ring_out), "wakes", number(s.wakes), "dropped",
        dropped(&s), "latency", latency(&s), "paths", paths(&s), "reduced", "step",
        (int)s.shed_step, "of", SL_SHED_STEPS, "videos", (int)s.shed_videos);
}

json_t *sl_pc_world_loops(const struct sl_pc_world *w)
{
    json_t *loops = json_array();

    for (unsigned int i = 0; i < w->nworkers; i++)
        json_array_append_new(loops, loop_info(w, i));
    return loops;
}
