#include "sctp_link.h"
#include "base/bytes.h"
#include "sctp/sctp_check.h"
#include "../test_cmocka.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t block[SL_SCTP_MESSAGE_MAX + 1];

static bool has_sent(const struct link *l, const void *arg)
{
    const struct want *w = arg;

    return l->ends[w->who].sent >= w->n;
}

static struct sl_sctp_stats stats(const struct link *l)
{
    struct sl_sctp_stats st;

    sl_sctp_stats_get(l->s, &st);
    return st;
}

static bool has_dropped(const struct link *l, const void *arg)
{
    const struct want *w = arg;

    return stats(l).send_drops >= w->n;
}

static bool has_judged(const struct link *l, const void *arg)
{
    const struct want *w = arg;
    struct sl_sctp_stats st = stats(l);

    return st.bad_packets + st.input_drops + st.bad_messages >= w->n;
}

static bool has_no_associations(const struct link *l, const void *arg)
{
    (void)arg;
    return stats(l).associations == 0;
}

/* All that was asked for before has been done: one thread does one thing after the other. */
static void wait_for_thread(struct link *l)
{
    sl_sctp_input(l->s, l->ends[ALICE].pc, block, 20);
    assert_true(link_until(l, has_judged, 0, 1, 20000));
}

static void there_is_one_stack_per_process(void **state)
{
    static const struct sl_sctp_cb none = { 0 };
    const struct sl_sctp_conf conf = { .mtu = MTU }, small = { .mtu = 100 };
    struct sl_sctp *s;

    (void)state;
    assert_int_equal(sl_sctp_create(&conf, &none, NULL, &s), -EBUSY);
    assert_int_equal(sl_sctp_create(&small, &none, NULL, &s), -EINVAL);
}

static void a_message_too_long_is_not_sent(void **state)
{
    struct link *l = *state;
    char name[SL_DCEP_NAME_MAX + 2];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(link_send(l, ALICE, "x", true, block, SL_SCTP_MESSAGE_MAX + 1), -EMSGSIZE);
    assert_int_equal(link_send(l, ALICE, name, true, block, 1), -EINVAL);
}

static bool both_up(const struct link *l, const void *arg)
{
    (void)arg;
    return l->ends[0].is_up && l->ends[1].is_up;
}

static void what_the_peer_does_not_take_is_not_sent(void **state)
{
    struct link *l = *state;

    link_open(l, ALICE, 1000);
    link_open(l, BOB, 0); /* any */
    assert_true(link_run(l, both_up, NULL, 5000));
    assert_int_equal(link_send(l, ALICE, "x", true, block, 1001), 0);
    assert_int_equal(link_send(l, ALICE, "x", true, block, 1000), 0);
    assert_int_equal(link_send(l, BOB, "y", true, block, 100000), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
    assert_true(link_until(l, has_messages, ALICE, 1, 5000));
    assert_int_equal(link_end(l, BOB)->last_len, 1000);
    assert_int_equal(link_end(l, ALICE)->last_len, 100000);
    assert_int_equal(stats(l).send_drops, 1);
}

/* What waited for the association is sent when it is up. */
static void sends_wait_for_the_association(void **state)
{
    struct link *l = *state;

    link_open(l, ALICE, 0);
    assert_int_equal(link_send(l, ALICE, "early", false, "bird", 4), 0);
    link_for(l, 50);
    assert_int_equal(link_end(l, ALICE)->sent, 0);
    link_open(l, BOB, 0);
    assert_true(link_until(l, has_messages, BOB, 1, 10000));
    assert_memory_equal(link_end(l, BOB)->log, "bird", 4);
}

/* ---- too long a message from the peer -------------------------------------------------------- */

/* Makes one message without an end out of all that come: first fragment once, last one never. */
static void merge(struct link *l, int to, uint8_t *data, size_t len)
{
    if (to != BOB)
        return;
    for (size_t at = 12; at + 16 <= len; at += (sl_get16(data + at + 2) + 3u) & ~3u) {
        if (data[at] != 0 || sl_get32(data + at + 12) != SL_PPID_BINARY)
            continue;
        data[at + 1] = l->is_merging ? 4 : 6; /* unordered, beginning */
        l->is_merging = true;
    }
    link_sum(data, len);
}

static void a_message_without_end_ends_the_association(void **state)
{
    struct link *l = *state;

    assert_int_equal(link_send(l, ALICE, "x", false, "open", 4), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
    pthread_mutex_lock(&l->lock);
    l->mangle = merge;
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < 8; i++)
        assert_int_equal(link_send(l, ALICE, "x", true, block, 100000), 0);
    assert_true(link_until(l, is_down, BOB, 1, 20000));
    assert_string_equal(link_end(l, BOB)->reason, "message above max-message-size");
    assert_int_equal(stats(l).oversized, 1);
    assert_int_equal(link_end(l, BOB)->messages, 1);
    assert_int_equal(link_end(l, BOB)->opened, link_end(l, BOB)->closed);
    assert_true(link_until(l, is_down, ALICE, 1, 5000)); /* by the abort */
}

/* ---- back-pressure --------------------------------------------------------------------------- */

static void a_full_queue_drops_and_counts(void **state)
{
    const size_t n = 40, len = 60000;
    struct link *l = *state;
    size_t dropped;

    assert_int_equal(link_send(l, ALICE, "x", false, "open", 4), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
    pthread_mutex_lock(&l->lock);
    l->is_cut = true;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(link_send(l, ALICE, "x", true, block, len), 0);
    wait_for_thread(l);
    dropped = stats(l).send_drops;
    /* Up to the limit in the queue, and what the library's own buffer takes (512 KiB). */
    assert_in_range(dropped, n - (SL_SCTP_QUEUE_MAX + 2 * SL_SCTP_MESSAGE_MAX) / len - 1, n - 17);
    assert_in_range(link_end(l, ALICE)->sent, dropped * len, n * SL_SCTP_CHARGE(len));
    pthread_mutex_lock(&l->lock);
    l->is_cut = false;
    pthread_mutex_unlock(&l->lock);
    assert_true(link_until(l, has_messages, BOB, 1 + n - dropped, 30000));
    assert_true(link_until(l, has_sent, ALICE, SL_SCTP_CHARGE(4) + n * SL_SCTP_CHARGE(len), 5000));
}

static void a_slow_reader_stops_the_sender(void **state)
{
    const size_t len = 50000, window = SL_SCTP_WINDOW / SL_SCTP_CHARGE(len);
    struct link *l = *state;
    unsigned int had, n = 0;

    pthread_mutex_lock(&l->lock);
    l->ends[BOB].is_slow = true;
    pthread_mutex_unlock(&l->lock);
    for (int i = 0, idle = 0; i < 1000 && idle < 20; i++) {
        if (SL_SCTP_CHARGE(len) * (n + 1) <= link_end(l, ALICE)->sent + SL_SCTP_QUEUE_MAX) {
            assert_int_equal(link_send(l, ALICE, "x", true, block, len), 0);
            n++;
            idle = 0;
        } else if (link_end(l, BOB)->messages >= window) {
            idle++;
        }
        link_for(l, 20);
    }
    had = link_end(l, BOB)->messages;
    assert_in_range(had, window, window + 1);
    assert_true(n > had && n < 60);
    link_consume(l, BOB);
    assert_true(link_until(l, has_messages, BOB, n, 20000));
    assert_int_equal(stats(l).send_drops, 0);
}

/* ---- garbage --------------------------------------------------------------------------------- */

static void noise(struct link *l, uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)link_dice(l);
}

static void garbage_is_counted(void **state)
{
    struct link *l = *state;
    uint8_t data[1500];

    for (size_t i = 0; i < 2000; i++) {
        noise(l, data, sizeof(data));
        sl_sctp_input(l->s, l->ends[i % 2].pc, data, i % sizeof(data));
    }
    sl_sctp_input(l->s, l->ends[0].pc, block, sizeof(block));
    sl_sctp_input(l->s, 12345, data, 100); /* nobody */
    assert_true(link_until(l, has_judged, 0, 2002, 5000));
    assert_int_equal(stats(l).bad_packets + stats(l).input_drops, 2002);
    assert_int_equal(link_send(l, ALICE, "still", false, "here", 4), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
}

/* Before each packet goes one that differs in some bytes, with the checksum of an honest one. */
static void mutate(struct link *l, int to, uint8_t *data, size_t len)
{
    uint8_t copy[SL_SCTP_PACKET_MAX];

    if (len > sizeof(copy))
        return;
    memcpy(copy, data, len);
    for (unsigned int i = 0; i <= link_dice(l) % 4; i++) {
        size_t at = 12 + link_dice(l) % (len - 12);

        if (at > 40 && link_dice(l) < 800)
            at = 12 + at % 28; /* headers rather than user data */
        copy[at] = (uint8_t)(link_dice(l) < 500 ? copy[at] ^ 1u << link_dice(l) % 8 : link_dice(l));
    }
    link_sum(copy, len);
    sl_sctp_input(l->s, l->ends[to].pc, copy, len);
}

/* Whatever a peer with the right keys and checksums says, it ends its own association at most. */
static void forged_packets_harm_nobody_else(void **state)
{
    struct link *l = *state;

    for (uint32_t round = 0; round < 40; round++) {
        pthread_mutex_lock(&l->lock);
        for (int i = 0; i < 2; i++)
            l->ends[i].is_up = l->ends[i].is_down = false;
        memset(l->ends[0].is_open, 0, sizeof(l->ends[0].is_open));
        memset(l->ends[1].is_open, 0, sizeof(l->ends[1].is_open));
        l->seed = round;
        l->mangle = mutate;
        pthread_mutex_unlock(&l->lock);
        link_open(l, ALICE, 0);
        link_open(l, BOB, 0);
        for (int i = 0; i < 10; i++) {
            (void)link_send(l, ALICE, "a", false, block, 3000);
            (void)link_send(l, BOB, i % 2 ? "b" : "a", true, block, 20000);
            (void)sl_sctp_close_channel(l->s, l->ends[i % 2].pc, i % 4 < 2 ? "a" : "b");
            link_for(l, 4);
        }
        sl_sctp_close(l->s, l->ends[ALICE].pc);
        sl_sctp_close(l->s, l->ends[BOB].pc);
        assert_true(link_run(l, has_no_associations, NULL, 20000)); /* the next has the same ids */
    }
    pthread_mutex_lock(&l->lock);
    l->mangle = NULL;
    l->ends[0].messages = l->ends[1].messages = 0;
    pthread_mutex_unlock(&l->lock);
    link_open(l, ALICE, 0);
    link_open(l, BOB, 0);
    assert_int_equal(link_send(l, ALICE, "still", false, "here", 4), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 10000));
}

/* ---- DCEP that breaks the rules -------------------------------------------------------------- */

static void turn_even(struct link *l, int to, uint8_t *data, size_t len)
{
    for (size_t at = 12; at + 17 <= len; at += (sl_get16(data + at + 2) + 3u) & ~3u)
        if (to == BOB && data[at] == 0 && sl_get32(data + at + 12) == SL_PPID_DCEP)
            data[at + 16] = 0x55; /* neither OPEN nor ACK */
    (void)l;
    link_sum(data, len);
}

static void an_open_that_is_none_is_counted(void **state)
{
    struct link *l = *state;

    pthread_mutex_lock(&l->lock);
    l->mangle = turn_even;
    pthread_mutex_unlock(&l->lock);
    assert_int_equal(link_send(l, ALICE, "x", false, "text", 4), 0);
    assert_true(link_until(l, has_judged, 0, 1, 5000));
    link_for(l, 50);
    assert_int_equal(stats(l).bad_messages, 1);
    assert_string_equal(link_end(l, BOB)->last.label, ""); /* nobody said its name */
    assert_false(link_end(l, BOB)->is_down);
}

/* ---- channels without DCEP ------------------------------------------------------------------- */

/* The payload type @from becomes @to, on the way to Bob. */
static struct {
    uint32_t from, to;
} ppid;

static void change_ppid(struct link *l, int to, uint8_t *data, size_t len)
{
    for (size_t at = 12; at + 17 <= len; at += (sl_get16(data + at + 2) + 3u) & ~3u)
        if (to == BOB && data[at] == 0 && sl_get32(data + at + 12) == ppid.from)
            sl_put32(data + at + 12, ppid.to);
    (void)l;
    link_sum(data, len);
}

static void change(struct link *l, uint32_t from, uint32_t to)
{
    pthread_mutex_lock(&l->lock);
    ppid.from = from;
    ppid.to = to;
    l->mangle = change_ppid;
    pthread_mutex_unlock(&l->lock);
}

static void a_stream_that_nobody_opened_is_a_nameless_channel(void **state)
{
    struct link *l = *state;

    change(l, SL_PPID_DCEP, 999); /* so that Bob hears no OPEN */
    assert_int_equal(link_send(l, ALICE, "x", false, "hello", 5), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
    assert_string_equal(link_end(l, BOB)->last.label, "");
    assert_true(link_end(l, BOB)->last.by_peer && link_end(l, BOB)->last.ordered);
    assert_int_equal(link_end(l, BOB)->opened, 1);
    assert_memory_equal(link_end(l, BOB)->log, "hello", 5);

    /* The answer takes the one that was heard last. */
    assert_int_equal(link_send(l, ALICE, "y", true, "2", 1), 0);
    assert_true(link_until(l, has_messages, BOB, 2, 5000));
    assert_int_equal(link_send(l, BOB, "", false, "to y", 4), 0);
    assert_true(link_until(l, has_messages, ALICE, 1, 5000));
    assert_string_equal(link_end(l, ALICE)->last.label, "y");
    assert_int_equal(link_send(l, ALICE, "x", true, "3", 1), 0);
    assert_true(link_until(l, has_messages, BOB, 3, 5000));
    assert_int_equal(link_send(l, BOB, "", false, "to x", 4), 0);
    assert_true(link_until(l, has_messages, ALICE, 2, 5000));
    assert_string_equal(link_end(l, ALICE)->last.label, "x");

    /* Closed by the peer, it is not opened from here; until it is used again. */
    assert_int_equal(sl_sctp_close_channel(l->s, l->ends[ALICE].pc, "x"), 0);
    assert_int_equal(sl_sctp_close_channel(l->s, l->ends[ALICE].pc, "y"), 0);
    assert_true(link_until(l, has_closed, BOB, 2, 5000));
    assert_int_equal(link_send(l, BOB, "", false, "lost", 4), 0);
    assert_true(link_until(l, has_dropped, BOB, 1, 5000));
    assert_int_equal(link_send(l, ALICE, "z", false, "4", 1), 0);
    assert_true(link_until(l, has_messages, BOB, 4, 5000));
    assert_int_equal(link_send(l, BOB, "", false, "to z", 4), 0);
    assert_true(link_until(l, has_messages, ALICE, 3, 5000));
}

/* A message may be faster than the OPEN that it follows, when it is unordered. */
static void an_open_that_comes_late_gives_the_channel_its_name(void **state)
{
    static const struct sl_dcep_open o = {
        .ordered = true, .label = "late", .label_len = 4, .protocol = ""
    };
    struct link *l = *state;
    uint8_t open[64];
    int len = sl_dcep_open_write(&o, open, sizeof(open));

    assert_true(len > 0);
    change(l, SL_PPID_DCEP, 999);
    assert_int_equal(link_send(l, ALICE, "x", false, "early", 5), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
    change(l, SL_PPID_BINARY, SL_PPID_DCEP);
    assert_int_equal(link_send(l, ALICE, "x", true, open, (size_t)len), 0);
    assert_true(link_until(l, has_closed, BOB, 1, 5000)); /* the nameless one */
    assert_true(link_until(l, has_opened, BOB, 2, 5000));
    assert_string_equal(link_end(l, BOB)->last.label, "late");
    assert_int_equal(link_send(l, BOB, "late", false, "hi", 2), 0);
    assert_true(link_until(l, has_messages, ALICE, 1, 5000));
    /* Once only. */
    assert_int_equal(link_send(l, ALICE, "x", true, open, (size_t)len), 0);
    assert_true(link_until(l, has_closed, BOB, 2, 5000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST_RAW(there_is_one_stack_per_process),
        LINK_TEST(a_message_too_long_is_not_sent),
        LINK_TEST_RAW(what_the_peer_does_not_take_is_not_sent),
        LINK_TEST_RAW(sends_wait_for_the_association),
        LINK_TEST(a_message_without_end_ends_the_association),
        LINK_TEST(a_full_queue_drops_and_counts),
        LINK_TEST(a_slow_reader_stops_the_sender),
        LINK_TEST(garbage_is_counted),
        LINK_TEST_RAW(forged_packets_harm_nobody_else),
        LINK_TEST(an_open_that_is_none_is_counted),
        LINK_TEST(a_stream_that_nobody_opened_is_a_nameless_channel),
        LINK_TEST(an_open_that_comes_late_gives_the_channel_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
