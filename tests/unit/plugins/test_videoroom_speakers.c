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

static void the_speakers_video_matters_more(void **state)
{
    sl_hid p[3], s;

    (void)state;
    room_of("", p, 3); /* it takes no option, but three of them */
    s = subscribed("[{'feed':2,'mid':'v','priority':5},{'feed':3,'mid':'v'}]");
    assert_int_equal(mock_route(s, 0)->wish.priority, 5);
    speak(p[0], 10);
    assert_int_equal(mock_route(s, 0)->wish.priority, 25);
    assert_int_equal(mock_route(s, 1)->wish.priority, 0);
    speak(p[1], 10);
    assert_int_equal(mock_route(s, 0)->wish.priority, 5);
    assert_int_equal(mock_route(s, 1)->wish.priority, 20);
    mock_expect_nothing(p[0]);
    mock_expect_nothing(s);
    mock_detach(p[2]);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_OFF); /* two need no choice */
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
    assert_int_equal(mock_line(p[1], 0)->voice, SL_VOICE_REPORT); /* they are three */
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

/* ---- slots ----------------------------------------------------------------------------------- */

#define SLOT(n, mid, feed)                                                                         \
    "{'type':'video','mid':'" mid "','slot':" #n ",'feed_id':" #feed ",'feed_display':'P" #feed    \
    "','feed_mid':'v','codec':'vp8'}"
#define VIEW(list) "{'videoroom':'event','room':1,'view':[" list "]}"

static uint32_t private_id_of(int id, sl_hid *out)
{
    char body[200];
    uint32_t private_id;
    json_t *got;

    *out = mock_attach();
    snprintf(body, sizeof(body),
             "{'request':'join','ptype':'publisher','room':1,'id':%d,'display':'P%d'}", id, id);
    mock_send(*out, body, NULL);
    got = mock_take(*out);
    private_id = (uint32_t)json_integer_value(json_object_get(got, "private_id"));
    json_decref(got);
    mock_send(*out, "{'request':'publish'}", AV);
    mock_up(*out);
    mock_skip(0);
    return private_id;
}

static sl_hid slots_of(uint32_t private_id, const char *streams)
{
    const sl_hid h = mock_attach();
    char body[400];

    snprintf(body, sizeof(body),
             "{'request':'join','ptype':'subscriber','room':1,'private_id':%u,'streams':%s}",
             private_id, streams);
    mock_send(h, body, NULL);
    mock_skip(h);
    mock_request(h, "{'request':'start'}", mock_answer(h), STARTED, NONE);
    mock_up(h);
    mock_skip(h);
    return h;
}

static sl_hid shown(sl_hid sub, uint16_t mindex)
{
    const struct mock_route *r = mock_route(sub, mindex);

    return r->active && !r->paused ? r->from.handle : 0;
}

static void slots_follow_the_speakers(void **state)
{
    sl_hid p[5], s, own;
    uint32_t private_id;

    (void)state;
    room_of("", p, 4); /* 2 3 4 5 */
    private_id = private_id_of(9, &own);
    s = slots_of(private_id, "[{'slot':0},{'slot':1},{'slot':1}]");
    assert_int_equal(mock_nlines(s), 2);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_REPORT); /* now somebody asks */
    assert_int_equal(shown(s, 0), p[0]);
    assert_int_equal(shown(s, 1), p[1]);
    assert_int_equal(mock_route(s, 0)->from.mindex, 1);

    speak(p[3], 10); /* in the place of the last */
    mock_expect(s, 0, VIEW(SLOT(1, "1", 5)), NONE);
    speak(own, 10); /* not himself */
    speak(p[3], 10);
    mock_expect_nothing(s);
    speak(p[2], 10);
    mock_expect(s, 0, VIEW(SLOT(0, "0", 4)), NONE);
    mock_expect_nothing(s); /* neither was moved */
    assert_int_equal(shown(s, 0), p[2]);
    assert_int_equal(shown(s, 1), p[3]);

    /* His camera goes off, and on again; then he goes. No offer is made. */
    mock_send(p[2], "{'request':'configure','streams':[{'mid':'v','send':false}]}", NULL);
    mock_expect(s, 0, VIEW(SLOT(0, "0", 2)), NONE);
    mock_send(p[2], "{'request':'configure','streams':[{'mid':'v','send':true}]}", NULL);
    mock_expect(s, 0, VIEW(SLOT(0, "0", 4)), NONE);
    mock_detach(p[2]);
    mock_expect(s, 0, VIEW(SLOT(0, "0", 2)), NONE);
    mock_detach(p[0]);
    mock_expect(s, 0, VIEW(SLOT(0, "0", 3)), NONE);
    mock_detach(p[1]);
    mock_expect(s, 0, VIEW("{'type':'video','mid':'0','slot':0}"), NONE);
    mock_expect_nothing(s);
    assert_int_equal(shown(s, 0), 0);
    p[4] = publishing(8, AV);
    assert_int_equal(shown(s, 0), p[4]);
    assert_int_equal(mock_line(p[4], 0)->voice, SL_VOICE_REPORT);

    mock_detach(own);
    mock_detach(s);
    assert_int_equal(mock_line(p[4], 0)->voice, SL_VOICE_OFF); /* nobody asks any more */
}

static void slots_stand_beside_feeds(void **state)
{
    sl_hid p[2], s;

    (void)state;
    room_of("", p, 2);
    s = mock_attach();
    mock_send(s,
              "{'request':'join','ptype':'subscriber','room':1,'streams':["
              "{'feed':2,'mid':'a'},{'slot':3,'crossrefid':'x','substream':0}]}",
              NULL);
    mock_skip(s);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    mock_up(s);
    assert_int_equal(shown(s, 1), p[0]);
    assert_int_equal(mock_route(s, 1)->wish.substream, 0);
    /* What a slot shows can be subscribed to as well, and is switched by nobody else. */
    mock_send(s, "{'request':'subscribe','streams':[{'feed':2,'mid':'v'}]}", NULL);
    mock_skip(s);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    assert_int_equal(mock_nlines(s), 3);
    json_decref(
        (mock_send(s, "{'request':'switch','streams':[{'feed':3,'mid':'v','sub_mid':'1'}]}", NULL),
         mock_take(s)));
    assert_int_equal(shown(s, 1), p[0]);
    mock_send(s, "{'request':'unsubscribe','streams':[{'feed':2}]}", NULL);
    mock_skip(s);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    assert_int_equal(shown(s, 0), 0);
    assert_int_equal(shown(s, 1), p[0]);
    mock_send(s, "{'request':'unsubscribe','streams':[{'sub_mid':'1'}]}", NULL);
    mock_skip(s);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    assert_int_equal(shown(s, 1), 0);
    assert_int_equal(mock_line(p[0], 0)->voice, SL_VOICE_OFF);
    /* The line is used again. */
    mock_send(s, "{'request':'subscribe','streams':[{'slot':0}]}", NULL);
    mock_skip(s);
    assert_int_equal(mock_nlines(s), 3);
}

static void slots_of_audio_carry_who_is_heard(void **state)
{
    sl_hid p[4], s;

    (void)state;
    room_of(",'audio_loudest':2", p, 4);
    s = slots_of(0, "[{'slot':0,'type':'audio'},{'slot':1,'type':'audio'}]");
    assert_int_equal(shown(s, 0), p[0]);
    assert_int_equal(shown(s, 1), p[1]);
    speak(p[1], 2);
    mock_voice(p[3], 0, now_us += 100000, 25, true); /* at once */
    assert_int_equal(shown(s, 0), p[3]);
    assert_int_equal(shown(s, 1), p[1]);
}

static void requests_for_slots_are_checked(void **state)
{
    static const struct {
        const char *item;
        const char *text;
    } v[] = {
        { "{'slot':64}", "Invalid element (slot should be below 64)" },
        { "{'slot':'a'}", "Invalid element type (slot should be a positive integer)" },
        { "{'slot':0,'type':'data'}", "Invalid element (type)" },
        { "{'slot':0,'substream':3}", "Invalid value (substream should be 0, 1 or 2)" },
        { "{'slot':0,'type':'audio'}",
          "Invalid element (slots of audio need a room with audio_loudest)" },
    };
    char body[200];

    (void)state;
    room_make("");
    for (size_t i = 0; i < COUNT(v); i++) {
        snprintf(body, sizeof(body),
                 "{'request':'join','ptype':'subscriber','room':1,'streams':[%s]}", v[i].item);
        expect_error(mock_attach(), body, NULL, 430, v[i].text);
    }
}

/* ---- the last N ------------------------------------------------------------------------------ */

#define RESTS(mid, feed, b)                                                                        \
    "{'type':'video','mid':'" mid "','rests':" b ",'feed_id':" #feed ",'feed_display':'P" #feed    \
    "','feed_mid':'v','codec':'vp8'}"

static void videos_of_those_who_were_silent_rest(void **state)
{
    sl_hid p[4], s, screen;

    (void)state;
    room_of(",'video_last':2", p, 4);
    screen = publishing(9, MOCK_OFFER("video v vp8")); /* no microphone: always shown */
    s = slots_of(0, "[{'feed':2},{'feed':3},{'feed':4},{'feed':5},{'feed':9}]");
    assert_int_equal(shown(s, 1), p[0]);
    assert_int_equal(shown(s, 3), p[1]);
    assert_int_equal(shown(s, 5), 0);
    assert_int_equal(shown(s, 7), 0);
    assert_int_equal(shown(s, 8), screen);
    assert_int_equal(shown(s, 4), p[2]); /* audio */
    speak(p[3], 10);
    mock_expect(s, 0, VIEW(RESTS("3", 3, "true") "," RESTS("7", 5, "false")), NONE);
    assert_int_equal(shown(s, 7), p[3]);
    assert_int_equal(shown(s, 3), 0);
    mock_detach(p[0]); /* the next moves up, and there is an offer for the rest */
    assert_int_equal(shown(s, 3), p[1]);
    mock_skip(s);
    mock_call(p[1], "{'request':'edit','room':1,'new_video_last':0}",
              "{'videoroom':'edited','room':1,'permanent':false}");
    assert_int_equal(shown(s, 5), p[2]);
}

static void a_line_that_is_switched_rests_as_its_new_publisher_does(void **state)
{
    sl_hid p[3], s;

    (void)state;
    room_of(",'video_last':1", p, 3);
    s = slots_of(0, "[{'feed':2,'mid':'v'},{'feed':3,'mid':'v'}]");
    assert_int_equal(shown(s, 0), p[0]);
    assert_int_equal(shown(s, 1), 0);
    mock_send(s,
              "{'request':'switch','streams':[{'feed':4,'mid':'v','sub_mid':'0'},"
              "{'feed':2,'mid':'v','sub_mid':'1'}]}",
              NULL);
    assert_int_equal(shown(s, 0), 0);
    assert_int_equal(shown(s, 1), p[0]);
}

static void ones_own_voice_takes_nobodys_place(void **state)
{
    sl_hid p[3], s, own;
    uint32_t private_id;

    (void)state;
    room_of(",'video_last':1", p, 3);
    private_id = private_id_of(9, &own);
    s = slots_of(private_id, "[{'feed':2,'mid':'v'},{'feed':3,'mid':'v'}]");
    speak(p[1], 10);
    assert_int_equal(shown(s, 1), p[1]);
    mock_skip(s);
    speak(own, 10);
    mock_expect_nothing(s);
    assert_int_equal(shown(s, 1), p[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_room_is_told_who_speaks),
        T(a_room_that_did_not_ask_has_no_reports),
        T(the_speakers_video_matters_more),
        T(the_loudest_are_heard),
        T(who_has_no_levels_is_heard_always),
        T(two_microphones_are_one_speaker),
        T(slots_follow_the_speakers),
        T(slots_stand_beside_feeds),
        T(slots_of_audio_carry_who_is_heard),
        T(requests_for_slots_are_checked),
        T(videos_of_those_who_were_silent_rest),
        T(a_line_that_is_switched_rests_as_its_new_publisher_does),
        T(ones_own_voice_takes_nobodys_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
