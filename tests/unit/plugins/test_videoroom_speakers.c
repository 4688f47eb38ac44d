/* Who speaks in a room: events, whose audio is forwarded. */
#include "videoroom_test.h"

#define AV MOCK_OFFER("audio a opus", "video v vp8")

static uint64_t now_us;

static sl_hid room_of(const char *more, sl_hid *pub, int n)
{
    char set[200];

    snprintf(set, sizeof(set), ",'publishers':9%s", more);
    room_make(set);
    now_us = 1000000;
    for (int i = 0; i < n; i++)
        pub[i] = publishing(i + 2, AV);
    mock_skip(0);
    return pub[0];
}

static void speak(sl_hid h, int tenths)
{
    while (tenths-- > 0)
        mock_voice(h, 0, now_us += 100000, 25, true);
    mock_voice(h, 0, now_us += 100000, 127, false);
}

static void the_room_is_told_who_speaks(void **state)
{
    sl_hid p[3], late;
    json_t *got;

    (void)state;
    room_of(",'speaker_event':true", p, 3);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_REPORT);
    speak(p[1], 10);
    for (int i = 0; i < 3; i++) {
        mock_expect(p[i], 0, "{'videoroom':'event','room':1,'speaker':3}", NONE);
        mock_expect_nothing(p[i]);
    }
    speak(p[2], 3); /* a cough */
    mock_expect_nothing(p[0]);
    late = mock_attach();
    mock_send(late, "{'request':'join','ptype':'publisher','room':1,'id':9}", NULL);
    got = mock_take(late);
    assert_int_equal(json_integer_value(json_object_get(got, "speaker")), 3);
    json_decref(got);
    mock_down(p[1], "gone");
    mock_skip(0);
    speak(p[2], 10);
    mock_expect(late, 0, "{'videoroom':'event','room':1,'speaker':4}", NONE);
}

static void a_room_that_did_not_ask_has_no_reports(void **state)
{
    sl_hid p[2];

    (void)state;
    room_of("", p, 2);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_OFF);
    mock_voice(p[0], 0, 1, 20, true);
    mock_expect_nothing(p[1]);
    mock_call(p[0], "{'request':'edit','room':1,'new_speaker_event':true}",
              "{'videoroom':'edited','room':1,'permanent':false}");
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_REPORT);
    speak(p[0], 10);
    mock_expect(p[1], 0, "{'videoroom':'event','room':1,'speaker':2}", NONE);
    mock_call(p[0], "{'request':'edit','room':1,'new_speaker_event':false}",
              "{'videoroom':'edited','room':1,'permanent':false}");
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_OFF);
}

static void the_loudest_are_heard(void **state)
{
    sl_hid p[4];

    (void)state;
    room_of(",'audio_loudest':2", p, 4);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_REPORT);
    assert_int_equal(mock_line(p[1], 0)->voice, SL_VOICE_REPORT);
    assert_int_equal(mock_line(p[2], 0)->voice, SL_VOICE_HOLD);
    assert_int_equal(mock_line(p[3], 0)->voice, SL_VOICE_HOLD);
    assert_int_equal(mock_line(p[0], 1)->voice, SL_VOICE_OFF); /* video */
    speak(p[0], 2);
    mock_voice(p[3], 0, now_us += 100000, 25, true);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_REPORT);
    assert_int_equal(mock_line(p[1], 0)->voice, SL_VOICE_HOLD);
    /* The core opened it by itself; nothing needs to be said. */
    assert_int_equal(mock_line(p[3], 0)->voice, SL_VOICE_HOLD);
    mock_expect_nothing(p[0]); /* nobody asked for events */
    /* Both places are taken by those who speak: what the core opened is closed again. */
    mock_voice(p[0], 0, now_us += 100000, 25, true);
    mock_voice(p[2], 0, now_us += 100000, 25, true);
    assert_int_equal(mock_line(p[2], 0)->voice, SL_VOICE_HOLD);
    mock_down(p[3], "gone"); /* he spoke last of those who wait */
    assert_int_equal(mock_line(p[2], 0)->voice, SL_VOICE_REPORT);
    mock_call(p[0], "{'request':'edit','room':1,'new_audio_loudest':0}",
              "{'videoroom':'edited','room':1,'permanent':false}");
    assert_int_equal(mock_line(p[1], 0)->voice, SL_VOICE_OFF);
}

static void who_has_no_levels_is_heard_always(void **state)
{
    sl_hid p[2], q;

    (void)state;
    room_of(",'audio_loudest':1,'audiolevel_ext':false", p, 2);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_OFF);
    assert_int_equal(mock_line(p[1], 0)->voice, SL_VOICE_OFF);
    q = publishing(9, MOCK_OFFER("video v vp8"));
    mock_voice(q, 0, now_us, 20, true); /* nonsense */
    mock_voice(q, 9, now_us, 20, true);
    mock_skip(0);
    mock_expect_nothing(p[0]);
}

static void two_microphones_are_one_speaker(void **state)
{
    sl_hid p[2];

    (void)state;
    room_make(",'speaker_event':true");
    p[0] = publishing(2, MOCK_OFFER("audio a opus", "audio b opus"));
    p[1] = publishing(3, AV);
    mock_skip(0);
    now_us = 1000000;
    for (int i = 0; i < 10; i++) {
        mock_voice(p[0], i % 2, now_us += 50000, 25, true);
        mock_voice(p[0], 1 - i % 2, now_us += 50000, 127, false);
    }
    mock_expect(p[1], 0, "{'videoroom':'event','room':1,'speaker':2}", NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_room_is_told_who_speaks),     T(a_room_that_did_not_ask_has_no_reports),
        T(the_loudest_are_heard),           T(who_has_no_levels_is_heard_always),
        T(two_microphones_are_one_speaker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
