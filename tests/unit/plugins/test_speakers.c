/* Who speaks: scenes in steps of 100 ms. */
#include "../test_cmocka.h"
#include "../../../plugins/common/pl_speakers.h"
#include <string.h>

#define MAX 6

static struct pl_speakers s;
static struct pl_voice v[MAX];
static uint64_t now_us;

static void scene(size_t members, size_t open_max)
{
    memset(v, 0, sizeof(v));
    now_us = 50000000;
    pl_speakers_init(&s, open_max);
    for (size_t i = 0; i < members; i++)
        assert_true(pl_speakers_add(&s, &v[i], true) & PL_CHANGED_ORDER);
}

/* One character per 100 ms for each: '.' silent, '1' to '9' louder and louder, '-' a pause in
 * speech. Reports come as the worker makes them: nothing of those who are silent, but one when they
 * end. */
static unsigned int play(const char *const *who, size_t n)
{
    unsigned int changed = 0;

    for (size_t t = 0; who[0][t]; t++) {
        now_us += 100000;
        for (size_t i = 0; i < n; i++) {
            const char c = who[i][t];
            struct sl_voice_report r = { now_us, 127, c != '.' };

            if (c >= '1' && c <= '9')
                r.level = (uint8_t)(55 - 5 * (c - '0'));
            if (r.speaks || v[i].speaks)
                changed |= pl_speakers_hear(&s, &v[i], &r);
        }
    }
    return changed;
}
#define PLAY(...)                                                                                  \
    play((const char *const[]){ __VA_ARGS__ },                                                     \
         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void who_talks_for_a_second_is_the_speaker(void **state)
{
    (void)state;
    scene(3, SIZE_MAX);
    PLAY("5555555555");
    assert_ptr_equal(s.speaker, &v[0]);
    PLAY(".............", "...5555555555"); /* one ends, another begins */
    assert_ptr_equal(s.speaker, &v[1]);
    assert_int_equal(v[1].rank, 0);
    assert_int_equal(v[0].rank, 1);
    PLAY("......................"); /* nobody: it stays */
    assert_ptr_equal(s.speaker, &v[1]);
    pl_speakers_fini(&s);
}

static void coughs_and_doors_change_nothing(void **state)
{
    (void)state;
    scene(3, SIZE_MAX);
    PLAY("5555555555");
    PLAY("--5-55--55---55-5555", "..999...............", "............999.....");
    assert_ptr_equal(s.speaker, &v[0]);
    PLAY("....................", "..999...............", "............999.....");
    assert_ptr_equal(s.speaker, &v[0]); /* nor in silence */
    assert_int_equal(v[1].rank, 1);
    pl_speakers_fini(&s);
}

static void of_two_who_talk_at_once_it_stays_the_first(void **state)
{
    (void)state;
    scene(2, SIZE_MAX);
    PLAY("5555555555");
    assert_int_equal(PLAY("5555-5555-55555-555", "666666-666-66666666") & PL_CHANGED_SPEAKER, 0);
    assert_ptr_equal(s.speaker, &v[0]);
    PLAY("--------------------", "66666666-666-6666666"); /* until he ends */
    assert_ptr_equal(s.speaker, &v[1]);
    pl_speakers_fini(&s);
}

static void a_word_in_between_does_not_end_a_speech(void **state)
{
    (void)state;
    scene(2, SIZE_MAX);
    PLAY("5555555555");
    PLAY("55--555--5555--555--5555", "..88....88.....88....88.");
    assert_ptr_equal(s.speaker, &v[0]);
    pl_speakers_fini(&s);
}

static void who_begins_takes_the_place_of_who_is_silent_for_longest(void **state)
{
    (void)state;
    scene(4, 2);
    assert_true(v[0].is_open && v[1].is_open && !v[2].is_open && !v[3].is_open);
    PLAY("5555.", ".....", ".....");                    /* he has spoken, the other never */
    assert_true(PLAY(".", ".", "5") & PL_CHANGED_OPEN); /* at once */
    assert_true(v[0].is_open && !v[1].is_open && v[2].is_open);
    PLAY("....", "....", "55..", "..5.");
    assert_true(v[2].is_open && v[3].is_open && !v[0].is_open);
    pl_speakers_fini(&s);
}

static void when_all_are_taken_only_clearly_louder_counts(void **state)
{
    (void)state;
    scene(3, 2);
    PLAY("5555555555", "4444444444");
    PLAY("5555555555", "4444444444", "5555555555");
    assert_true(v[0].is_open && v[1].is_open && !v[2].is_open);
    PLAY("5555555555", "4---4---4-", "5555555555");
    assert_true(v[0].is_open && !v[1].is_open && v[2].is_open);
    pl_speakers_fini(&s);
}

static void places_are_filled_when_somebody_goes_or_there_are_more(void **state)
{
    (void)state;
    scene(5, 2);
    PLAY(".....", ".....", ".....", "..55.", "....."); /* v[3] for v[1], who never spoke */
    assert_int_equal(v[3].is_open + v[0].is_open + v[1].is_open, 2);
    assert_true(pl_speakers_del(&s, &v[3]) & PL_CHANGED_OPEN);
    assert_int_equal(v[0].is_open + v[1].is_open + v[2].is_open + v[4].is_open, 2);
    assert_int_equal(pl_speakers_del(&s, &v[3]), 0); /* he is gone */
    assert_int_equal(pl_speakers_hear(&s, &v[3], &(struct sl_voice_report){ now_us, 20, true }), 0);
    assert_true(pl_speakers_set_open_max(&s, 3) & PL_CHANGED_OPEN);
    assert_int_equal(v[0].is_open + v[1].is_open + v[2].is_open + v[4].is_open, 3);
    assert_true(pl_speakers_set_open_max(&s, 1) & PL_CHANGED_OPEN);
    assert_int_equal(v[0].is_open + v[1].is_open + v[2].is_open + v[4].is_open, 1);
    assert_true(pl_speakers_add(&s, &v[3], false) >= 0); /* no levels: heard, and not counted */
    assert_true(v[3].is_open);
    assert_int_equal(v[0].is_open + v[1].is_open + v[2].is_open + v[4].is_open, 1);
    for (size_t i = 0; i < s.n; i++)
        assert_int_equal(s.order[i]->rank, i);
    pl_speakers_fini(&s);
}

static void the_speaker_who_goes_is_followed_by_the_next_who_speaks(void **state)
{
    (void)state;
    scene(3, SIZE_MAX);
    PLAY("5555555555");
    (void)pl_speakers_del(&s, &v[0]);
    assert_null(s.speaker);
    PLAY("..........", "..........", "3333333333");
    assert_ptr_equal(s.speaker, &v[2]);
    pl_speakers_fini(&s);
}

static void a_long_silence_and_old_reports_do_no_harm(void **state)
{
    struct sl_voice_report r = { 100000, 20, true };

    (void)state;
    scene(2, SIZE_MAX);
    PLAY("555.");
    now_us += UINT64_C(3600) * 1000000;
    PLAY("555.");
    assert_null(s.speaker); /* three and three are not six */
    (void)pl_speakers_hear(&s, &v[1], &r);
    r.at_us = UINT64_MAX;
    (void)pl_speakers_hear(&s, &v[1], &r);
    assert_null(s.speaker);
    pl_speakers_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_talks_for_a_second_is_the_speaker),
        cmocka_unit_test(coughs_and_doors_change_nothing),
        cmocka_unit_test(of_two_who_talk_at_once_it_stays_the_first),
        cmocka_unit_test(a_word_in_between_does_not_end_a_speech),
        cmocka_unit_test(who_begins_takes_the_place_of_who_is_silent_for_longest),
        cmocka_unit_test(when_all_are_taken_only_clearly_louder_counts),
        cmocka_unit_test(places_are_filled_when_somebody_goes_or_there_are_more),
        cmocka_unit_test(the_speaker_who_goes_is_followed_by_the_next_who_speaks),
        cmocka_unit_test(a_long_silence_and_old_reports_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
