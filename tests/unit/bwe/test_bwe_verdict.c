/* Whose fault it is. */
#include "../test_cmocka.h"
#include "bwe/bwe_verdict.h"
#include <stdlib.h>

static void the_nearest_cause_counts(void **state)
{
    enum { ALL = SL_ALLOC_WANTED, LESS = SL_ALLOC_NOT_SENT };
    static const struct {
        enum sl_reason want;
        bool paused, hidden, known;
        uint8_t sent, seen;
        int8_t max, size, load, max_tid;
        int alloc;
        double loss, sender_loss;
    } t[] = {
        { SL_REASON_ALL, 0, 0, 1, 7, 7, 2, 2, 2, 2, ALL, 4.9, 0 },
        { SL_REASON_PAUSED, 1, 1, 1, 0, 7, 2, 2, 2, 2, ALL, 0, 0 },
        { SL_REASON_HIDDEN, 0, 1, 1, 7, 7, 2, 2, 2, 2, ALL, 50, 0 },
        { SL_REASON_SILENT, 0, 0, 1, 0, 7, 2, 2, 2, 2, LESS, 0, 0 },
        { SL_REASON_ALL, 0, 0, 0, 0, 0, 2, 2, 2, 2, LESS, 0, 0 }, /* it begins */
        { SL_REASON_BANDWIDTH, 0, 0, 1, 7, 7, 2, 2, 1, 2, SL_ALLOC_BANDWIDTH, 50, 0 },
        { SL_REASON_HOLDING, 0, 0, 1, 7, 7, 2, 2, 2, 2, SL_ALLOC_HOLDING, 0, 0 },
        { SL_REASON_NO_ROOM, 0, 0, 1, 7, 7, 2, 2, 2, 2, SL_ALLOC_NO_ROOM, 0, 0 },
        { SL_REASON_LOAD, 0, 0, 1, 3, 7, 2, 2, 1, 2, LESS, 0, 0 },
        { SL_REASON_MAXIMUM, 0, 0, 1, 7, 7, 1, 2, 1, 2, ALL, 0, 0 }, /* the load takes nothing */
        { SL_REASON_LOSS, 0, 0, 1, 7, 7, 2, 2, 2, 2, ALL, 5, 5 },
        { SL_REASON_SENDER_LOSS, 0, 0, 1, 7, 7, 2, 2, 2, 2, ALL, 4.9, 2 },
        { SL_REASON_LAYER_ENDED, 0, 0, 1, 3, 7, 2, 2, 2, 2, LESS, 0, 0 },
        { SL_REASON_NOT_SENT, 0, 0, 1, 3, 3, 2, 2, 2, 2, LESS, 0, 0 },
        { SL_REASON_MAXIMUM, 0, 0, 1, 3, 3, 1, 1, 2, 2, ALL, 0, 0 },
        { SL_REASON_MAXIMUM, 0, 0, 1, 7, 7, 2, 2, 2, 1, ALL, 0, 0 },
        { SL_REASON_SIZE, 0, 0, 1, 7, 7, 1, 0, 2, 2, ALL, 0, 0 },
        { SL_REASON_LAYER_ENDED, 0, 0, 1, 5, 7, 1, 2, 2, 2, LESS, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct sl_verdict_in in = { .paused = t[i].paused,
                                    .hidden = t[i].hidden,
                                    .known = t[i].known,
                                    .top = 2,
                                    .sent = t[i].sent,
                                    .seen = t[i].seen,
                                    .max = t[i].max,
                                    .size = t[i].size,
                                    .load = t[i].load,
                                    .max_tid = t[i].max_tid,
                                    .alloc = (enum sl_alloc_reason)t[i].alloc,
                                    .loss = t[i].loss,
                                    .sender_loss = t[i].sender_loss };

        assert_string_equal(sl_reason_to_str(sl_verdict_reason(&in)), sl_reason_to_str(t[i].want));
    }
}

static void what_is_wanted_is_the_receivers_own(void **state)
{
    struct sl_verdict_in in = { .top = 2, .max = 2, .size = 2 };

    (void)state;
    in.load = 0;
    assert_int_equal(sl_verdict_wanted(&in), 2);
    in.max = 1;
    assert_int_equal(sl_verdict_wanted(&in), 1);
    in.size = 0;
    assert_int_equal(sl_verdict_wanted(&in), 0);
}

static void every_reason_has_a_name_and_a_verdict(void **state)
{
    bool used[SL_VERDICT_MAX] = { false };

    (void)state;
    for (int r = 0; r < SL_REASON_MAX; r++) {
        used[sl_reason_verdict((enum sl_reason)r)] = true;
        assert_non_null(sl_reason_to_str((enum sl_reason)r));
        assert_true((r == SL_REASON_ALL) ==
                    (sl_reason_verdict((enum sl_reason)r) == SL_VERDICT_GOOD));
        for (int k = 0; k < r; k++)
            assert_string_not_equal(sl_reason_to_str((enum sl_reason)r),
                                    sl_reason_to_str((enum sl_reason)k));
    }
    for (int v = 0; v < SL_VERDICT_MAX; v++)
        assert_true(used[v] && sl_verdict_to_str((enum sl_verdict)v));
}

static void the_json_names_layers_as_the_protocol_does(void **state)
{
    static const struct {
        bool has_layers, svc;
        const char *want;
    } t[] = {
        { true, false,
          "{\"verdict\":\"receiver\",\"reason\":\"bandwidth\",\"substream\":0,\"temporal\":1,"
          "\"wanted\":{\"substream\":2,\"temporal\":2},\"estimate\":600000,\"target\":500000,"
          "\"rtt\":40,\"queue\":7,\"loss\":0.5,\"sender_loss\":0.0}" },
        { true, true,
          "{\"verdict\":\"receiver\",\"reason\":\"bandwidth\",\"spatial_layer\":0,"
          "\"temporal_layer\":1,\"wanted\":{\"spatial_layer\":2,\"temporal_layer\":2},"
          "\"estimate\":600000,\"target\":500000,\"rtt\":40,\"queue\":7,\"loss\":0.5,"
          "\"sender_loss\":0.0}" },
        { false, false,
          "{\"verdict\":\"receiver\",\"reason\":\"bandwidth\",\"estimate\":600000,"
          "\"target\":500000,\"rtt\":40,\"queue\":7,\"loss\":0.5,\"sender_loss\":0.0}" },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct sl_quality q = { SL_REASON_BANDWIDTH,
                                t[i].has_layers,
                                t[i].svc,
                                0,
                                1,
                                2,
                                2,
                                600000,
                                500000,
                                40,
                                7,
                                0.5,
                                0 };
        json_t *j = sl_quality_json(&q);
        char *text = json_dumps(j, JSON_COMPACT);

        assert_string_equal(text, t[i].want);
        free(text);
        json_decref(j);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_cause_counts),
        cmocka_unit_test(what_is_wanted_is_the_receivers_own),
        cmocka_unit_test(every_reason_has_a_name_and_a_verdict),
        cmocka_unit_test(the_json_names_layers_as_the_protocol_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
