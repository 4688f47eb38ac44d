#include "sctp_link.h"
#include "../test_cmocka.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is waited for; under the link's lock ----------------------------------------------- */

/* Bytes that do not repeat soon. */
static void fill(uint8_t *p, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (uint8_t)(seed >> 24);
    }
}

/* @total bytes in messages of @step from @who to the other; all arrive, in order. */
static void transfer(struct link *l, int who, size_t total, size_t step, unsigned int ms)
{
    uint8_t *data = malloc(total);
    size_t had = link_end(l, !who)->messages, log = link_end(l, !who)->log_len, n = 0;

    assert_non_null(data);
    fill(data, total, (uint32_t)(total + step));
    for (size_t at = 0; at < total; at += step, n++) {
        size_t len = total - at < step ? total - at : step;

        assert_int_equal(link_send(l, who, "bulk", true, data + at, len), 0);
        /* Paced by its own account, as control does it. */
        while (SL_SCTP_CHARGE(step) * (n + 2) > link_end(l, who)->sent + SL_SCTP_QUEUE_MAX &&
               at + step < total)
            link_for(l, 1);
    }
    assert_true(link_until(l, has_messages, !who, had + n, ms));
    assert_int_equal(link_end(l, !who)->log_len - log, total);
    assert_memory_equal(link_end(l, !who)->log + log, data, total);
    free(data);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void a_channel_opens_by_its_first_message(void **state)
{
    struct link *l = *state;

    assert_int_equal(link_send(l, ALICE, "chat", false, "hello", 5), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
    assert_true(link_until(l, has_opened, ALICE, 1, 5000)); /* by the acknowledgement */
    assert_string_equal(link_end(l, BOB)->last.label, "chat");
    assert_string_equal(link_end(l, BOB)->last.protocol, "test");
    assert_true(link_end(l, BOB)->last.ordered && link_end(l, BOB)->last.by_peer &&
                !link_end(l, ALICE)->last.by_peer);
    assert_int_equal(link_end(l, BOB)->last.reliability, SL_RELIABLE);
    assert_int_equal(link_end(l, BOB)->last.stream % 2, 0); /* the DTLS client's ids are even */
    assert_false(link_end(l, BOB)->is_binary);
    assert_memory_equal(link_end(l, BOB)->log, "hello", 5);

    /* The answer takes the same channel; a label of its own opens one with an odd id. */
    assert_int_equal(link_send(l, BOB, "chat", true, "back", 4), 0);
    assert_true(link_until(l, has_messages, ALICE, 1, 5000));
    assert_int_equal(link_end(l, ALICE)->last.stream, link_end(l, BOB)->last.stream);
    assert_true(link_end(l, ALICE)->is_binary);
    assert_int_equal(link_send(l, BOB, "other", false, "x", 1), 0);
    assert_true(link_until(l, has_messages, ALICE, 2, 5000));
    assert_int_equal(link_end(l, ALICE)->last.stream % 2, 1);
    assert_true(link_end(l, ALICE)->most <= MTU && link_end(l, BOB)->most <= MTU);
}

static void empty_messages_arrive_empty(void **state)
{
    struct link *l = *state;

    assert_int_equal(link_send(l, ALICE, "e", false, "", 0), 0);
    assert_true(link_until(l, has_messages, BOB, 1, 5000));
    assert_int_equal(link_end(l, BOB)->last_len, 0);
    assert_false(link_end(l, BOB)->is_binary);
    assert_int_equal(link_send(l, ALICE, "e", true, NULL, 0), 0);
    assert_true(link_until(l, has_messages, BOB, 2, 5000));
    assert_int_equal(link_end(l, BOB)->last_len, 0);
    assert_true(link_end(l, BOB)->is_binary);
}

static void a_megabyte_arrives_both_ways(void **state)
{
    struct link *l = *state;

    transfer(l, ALICE, 1 << 20, 16384, 20000);
    transfer(l, BOB, 1 << 20, 60000, 20000);
    assert_in_range(link_end(l, ALICE)->most, MTU / 2, MTU);
    assert_in_range(link_end(l, BOB)->most, MTU / 2, MTU);
}

static void a_megabyte_arrives_over_a_bad_link(void **state)
{
    struct link *l = *state;

    pthread_mutex_lock(&l->lock);
    l->loss = 15;
    l->dup = 20;
    l->late = 30;
    pthread_mutex_unlock(&l->lock);
    transfer(l, ALICE, 1 << 20, 16384, 60000);
}

static void the_largest_message_arrives_whole(void **state)
{
    struct link *l = *state;

    transfer(l, ALICE, SL_SCTP_MESSAGE_MAX, SL_SCTP_MESSAGE_MAX, 20000);
    assert_int_equal(link_end(l, BOB)->messages, 1);
    transfer(l, BOB, SL_SCTP_MESSAGE_MAX, SL_SCTP_MESSAGE_MAX, 20000);
}

#define EACH (SL_SCTP_STREAMS / 2)

static void every_stream_can_be_a_channel(void **state)
{
    struct link *l = *state;
    char label[16];

    for (int i = 0; i < EACH; i++) {
        (void)snprintf(label, sizeof(label), "c%d", i);
        assert_int_equal(link_send(l, ALICE, label, false, label, strlen(label)), 0);
        (void)snprintf(label, sizeof(label), "s%d", i);
        assert_int_equal(link_send(l, BOB, label, false, label, strlen(label)), 0);
    }
    assert_true(link_until(l, has_messages, BOB, EACH, 20000));
    assert_true(link_until(l, has_messages, ALICE, EACH, 20000));
    assert_true(link_until(l, has_opened, ALICE, SL_SCTP_STREAMS, 5000));
    assert_true(link_until(l, has_opened, BOB, SL_SCTP_STREAMS, 5000));
    for (int i = 0; i < SL_SCTP_STREAMS; i++)
        assert_int_equal(link_end(l, i % 2 ? ALICE : BOB)->per_stream[i], 1);
}

static void kinds_of_channels_are_told_and_used(void **state)
{
    static const struct sl_sctp_send kinds[] = {
        { SL_SCTP_BY_LABEL, "rr", "", true, true, SL_RELIABLE, 0 },
        { SL_SCTP_BY_LABEL, "rx", "", true, false, SL_RELIABLE_REXMIT, 3 },
        { SL_SCTP_BY_LABEL, "tm", "", true, true, SL_RELIABLE_TIMED, 2000 },
    };
    struct link *l = *state;

    for (size_t i = 0; i < TEST_COUNT(kinds); i++) {
        assert_int_equal(sl_sctp_send(l->s, l->ends[ALICE].pc, &kinds[i], "m", 1), 0);
        assert_true(link_until(l, has_messages, BOB, i + 1, 5000));
        assert_string_equal(link_end(l, BOB)->last.label, kinds[i].label);
        assert_int_equal(link_end(l, BOB)->last.ordered, !kinds[i].is_unordered);
        assert_int_equal(link_end(l, BOB)->last.reliability, kinds[i].reliability);
        assert_int_equal(link_end(l, BOB)->last.limit, kinds[i].limit);
    }
}

/* Without retransmissions: what the link loses is gone, the rest arrives, and nothing gets stuck.
 */
static void unreliable_messages_are_given_up(void **state)
{
    const struct sl_sctp_send to = { .stream = SL_SCTP_BY_LABEL,
                                     .label = "lossy",
                                     .is_binary = true,
                                     .is_unordered = true,
                                     .reliability = SL_RELIABLE_REXMIT,
                                     .limit = 0 };
    struct link *l = *state;
    uint8_t data[400] = { 0 };

    assert_int_equal(sl_sctp_send(l->s, l->ends[ALICE].pc, &to, data, 1), 0);
    assert_true(link_until(l, has_opened, ALICE, 1, 5000));
    pthread_mutex_lock(&l->lock);
    l->loss = 250;
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(sl_sctp_send(l->s, l->ends[ALICE].pc, &to, data, sizeof(data)), 0);
        link_for(l, 3);
    }
    pthread_mutex_lock(&l->lock);
    l->loss = 0;
    pthread_mutex_unlock(&l->lock);
    link_for(l, 1000);
    assert_in_range(link_end(l, BOB)->messages, 30, 290);
    /* A reliable channel beside it still works. */
    assert_int_equal(link_send(l, ALICE, "sure", false, "end", 3), 0);
    assert_true(link_until(l, has_opened, BOB, 2, 20000));
}

static bool has_dropped(const struct link *l, const void *arg)
{
    struct sl_sctp_stats st;

    (void)arg;
    sl_sctp_stats_get(l->s, &st);
    return st.send_drops > 0;
}

static void closing_a_channel_resets_both_directions(void **state)
{
    struct link *l = *state;
    uint16_t stream;

    for (unsigned int round = 1; round <= 3; round++) {
        assert_int_equal(link_send(l, ALICE, "short", false, "x", 1), 0);
        assert_true(link_until(l, has_opened, ALICE, round, 5000));
        stream = link_end(l, ALICE)->last.stream;
        assert_int_equal(sl_sctp_close_channel(l->s, l->ends[BOB].pc, "short"),
                         0); /* not its own */
        assert_int_equal(sl_sctp_close_channel(l->s, l->ends[ALICE].pc, "none"), 0);
        assert_int_equal(sl_sctp_close_channel(l->s, l->ends[ALICE].pc, "short"), 0);
        assert_true(link_until(l, has_closed, BOB, round, 10000));
        assert_true(link_until(l, has_closed, ALICE, round, 10000));
        assert_int_equal(link_end(l, BOB)->messages, round);
        link_for(l, 100); /* the other direction's reset: the id is free again */
        assert_int_equal(stream, 0);
    }
}

static void what_was_sent_before_the_close_arrives(void **state)
{
    struct link *l = *state;
    static uint8_t data[100000];

    fill(data, sizeof(data), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(link_send(l, ALICE, "last", true, data, sizeof(data)), 0);
    assert_int_equal(sl_sctp_close_channel(l->s, l->ends[ALICE].pc, "last"), 0);
    assert_true(link_until(l, has_closed, BOB, 1, 20000));
    assert_int_equal(link_end(l, BOB)->messages, 5);
    assert_int_equal(link_end(l, BOB)->log_len, 5 * sizeof(data));
}

static void many_channels_close_at_once(void **state)
{
    struct link *l = *state;
    char label[16];

    for (int i = 0; i < 100; i++) {
        (void)snprintf(label, sizeof(label), "m%d", i);
        assert_int_equal(link_send(l, i % 3 ? ALICE : BOB, label, false, "x", 1), 0);
    }
    assert_true(link_until(l, has_opened, ALICE, 100, 10000));
    assert_true(link_until(l, has_opened, BOB, 100, 10000));
    for (int i = 0; i < 100; i++) {
        (void)snprintf(label, sizeof(label), "m%d", i);
        assert_int_equal(sl_sctp_close_channel(l->s, l->ends[i % 3 ? ALICE : BOB].pc, label), 0);
    }
    assert_true(link_until(l, has_closed, ALICE, 100, 10000));
    assert_true(link_until(l, has_closed, BOB, 100, 10000));
}

/* An answer that crosses the peer's close must not open the channel anew. */
static void a_label_that_the_peer_closed_stays_closed(void **state)
{
    struct link *l = *state;
    struct sl_sctp_stats st;

    assert_int_equal(link_send(l, ALICE, "gone", false, "x", 1), 0);
    assert_true(link_until(l, has_opened, ALICE, 1, 5000));
    assert_int_equal(sl_sctp_close_channel(l->s, l->ends[ALICE].pc, "gone"), 0);
    assert_true(link_until(l, has_closed, BOB, 1, 5000));
    assert_int_equal(link_send(l, BOB, "gone", false, "late", 4), 0);
    assert_true(link_until(l, has_dropped, BOB, 1, 5000));
    link_for(l, 50);
    assert_int_equal(link_end(l, ALICE)->messages, 0);
    sl_sctp_stats_get(l->s, &st);
    assert_int_equal(st.send_drops, 1);
    assert_int_equal(link_end(l, BOB)->sent, SL_SCTP_CHARGE(4));

    /* Until the peer opens it again. */
    assert_int_equal(link_send(l, ALICE, "gone", false, "x", 1), 0);
    assert_true(link_until(l, has_opened, BOB, 2, 5000));
    assert_int_equal(link_send(l, BOB, "gone", false, "now", 3), 0);
    assert_true(link_until(l, has_messages, ALICE, 1, 5000));
}

static void closing_while_sending_ends_the_other_side(void **state)
{
    struct link *l = *state;
    static uint8_t data[200000];

    for (int i = 0; i < 4; i++)
        assert_int_equal(link_send(l, ALICE, "big", true, data, sizeof(data)), 0);
    link_for(l, 5);
    sl_sctp_close(l->s, l->ends[ALICE].pc);
    assert_true(link_until(l, is_down, BOB, 1, 5000));
    assert_true(link_end(l, ALICE)->is_down);
    assert_int_equal(link_end(l, ALICE)->sent,
                     4 * SL_SCTP_CHARGE(sizeof(data))); /* sent or dropped */
    assert_int_equal(link_end(l, BOB)->opened, link_end(l, BOB)->closed);

    /* Sends to what is down or gone are dropped and accounted for. */
    assert_int_equal(link_send(l, ALICE, "big", true, data, 10), 0);
    assert_int_equal(link_send(l, BOB, "big", true, data, 10), 0);
    link_for(l, 100);
    assert_int_equal(link_end(l, BOB)->sent, SL_SCTP_CHARGE(10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(a_channel_opens_by_its_first_message),
        LINK_TEST(empty_messages_arrive_empty),
        LINK_TEST(a_megabyte_arrives_both_ways),
        LINK_TEST(a_megabyte_arrives_over_a_bad_link),
        LINK_TEST(the_largest_message_arrives_whole),
        LINK_TEST(every_stream_can_be_a_channel),
        LINK_TEST(kinds_of_channels_are_told_and_used),
        LINK_TEST(unreliable_messages_are_given_up),
        LINK_TEST(closing_a_channel_resets_both_directions),
        LINK_TEST(what_was_sent_before_the_close_arrives),
        LINK_TEST(many_channels_close_at_once),
        LINK_TEST(a_label_that_the_peer_closed_stays_closed),
        LINK_TEST(closing_while_sending_ends_the_other_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
