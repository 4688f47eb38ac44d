#include "media/media_nack.h"

#include <string.h>

#define REORDER_US 12000
#define MAX_AGE_US 1000000
#define RTT_US     100000
#define RETRY_MIN  45000 /* senders do not repeat a packet within 40 ms */

void sl_nack_init(struct sl_nack *n)
{
    memset(n, 0, sizeof(*n));
    n->reorder_us = REORDER_US;
    n->max_age_us = MAX_AGE_US;
    n->rtt_us = RTT_US;
}

void sl_nack_restart(struct sl_nack *n)
{
    const uint64_t rtt_us = n->rtt_us, least_us = n->least_us;

    sl_nack_init(n);
    if (least_us)
        n->rtt_us = rtt_us;
    n->least_us = least_us;
}

/* Removes the first @k entries. */
static void shift(struct sl_nack *n, size_t k)
{
    n->n = (uint16_t)(n->n - k);
    memmove(n->e, n->e + k, n->n * sizeof(n->e[0]));
}

/* Index of @seq, or n->n. */
static size_t find(const struct sl_nack *n, uint64_t seq)
{
    size_t lo = 0, hi = n->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (n->e[mid].seq < seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n->n && n->e[lo].seq == seq ? lo : n->n;
}

static void add_gap(struct sl_nack *n, uint64_t from, uint64_t to, uint64_t now_us)
{
    uint64_t count = to - from;

    if (count == 0)
        return;
    n->missing += count;
    if (count > SL_NACK_MAX) { /* only the newest are worth asking for */
        n->lost += count - SL_NACK_MAX;
        from = to - SL_NACK_MAX;
        count = SL_NACK_MAX;
    }
    if (n->n + count > SL_NACK_MAX) {
        size_t k = n->n + count - SL_NACK_MAX;

        n->lost += k;
        shift(n, k);
    }
    for (; from < to; from++)
        n->e[n->n++] = (struct sl_nack_entry){ from, now_us + n->reorder_us, now_us, 0, 0 };
}

bool sl_nack_on_packet(struct sl_nack *n, uint64_t seq, bool key, uint64_t now_us)
{
    bool was_missing = false;

    if (!n->started || (seq > n->max && seq - n->max > SL_NACK_GAP)) {
        n->lost += n->n;
        n->n = 0;
        n->started = true;
        n->max = seq;
        return false;
    }
    if (seq > n->max) {
        add_gap(n, n->max + 1, seq, now_us);
        n->max = seq;
    } else {
        size_t i = find(n, seq);

        if (i < n->n) {
            n->n--;
            memmove(n->e + i, n->e + i + 1, (n->n - i) * sizeof(n->e[0]));
            n->recovered++;
            was_missing = true;
        }
    }
    if (key) {
        size_t k = 0;

        while (k < n->n && n->e[k].seq < seq)
            k++;
        n->cleared += k;
        shift(n, k);
    }
    return was_missing;
}

uint64_t sl_nack_next_us(const struct sl_nack *n)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < n->n; i++)
        if (n->e[i].due_us < next)
            next = n->e[i].due_us;
    return next;
}

/* Time until the next request after @tries of them: a round trip and a quarter, longer only after
 * five. Tries and age bound the traffic; under heavy loss both ways longer pauses cost packets. */
static uint64_t pause_us(const struct sl_nack *n, unsigned tries)
{
    uint64_t t = n->rtt_us + n->rtt_us / 4;

    t = t < RETRY_MIN ? RETRY_MIN : t;
    return tries <= 5 ? t : t + t * (tries - 5) / 2;
}

/* One request, one answer: a round trip. After more of them, what comes sooner after the last one
 * than ever answers the one before. 0: it tells nothing. */
static uint64_t measured_us(struct sl_nack *n, const struct sl_nack_entry *e, uint64_t now_us)
{
    uint64_t us = now_us - e->asked_us;

    if (e->tries > 1 && !n->least_us)
        us = now_us - e->seen_us - n->reorder_us;
    else if (e->tries > 1)
        return us < n->least_us * 3 / 4 ? us + pause_us(n, e->tries - 1u) : 0;
    n->least_us = !n->least_us || us < n->least_us ? us : n->least_us + (us - n->least_us) / 8;
    return us;
}

/* Up at once, so that nothing is asked for that is on its way; down slowly. */
void sl_nack_on_resent(struct sl_nack *n, uint64_t seq, uint64_t now_us)
{
    size_t i = find(n, seq);
    bool is_first = !n->least_us;
    uint64_t us = i < n->n && n->e[i].tries ? measured_us(n, &n->e[i], now_us) : 0;

    if (!us)
        return;
    if (is_first || us > n->rtt_us)
        n->rtt_us = us < MAX_AGE_US ? us : MAX_AGE_US;
    else
        n->rtt_us -= (n->rtt_us - us) / 8;
}

size_t sl_nack_due(struct sl_nack *n, uint64_t now_us, uint16_t *seqs, size_t max)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < n->n; i++) {
        struct sl_nack_entry *e = &n->e[i];

        if (e->due_us <= now_us &&
            (e->tries >= SL_NACK_TRIES || now_us - e->seen_us >= n->max_age_us)) {
            n->lost++;
            continue;
        }
        if (e->due_us <= now_us && count < max) {
            seqs[count++] = (uint16_t)e->seq;
            e->tries++;
            e->asked_us = now_us;
            e->due_us = now_us + pause_us(n, e->tries);
            n->asked++;
        }
        n->e[kept++] = *e;
    }
    n->n = (uint16_t)kept;
    return count;
}
