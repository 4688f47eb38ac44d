#include "videoroom_test.h"

#define LINE_AUDIO(i, mid, feed, fmid, ready)                                                      \
    "{'type':'audio','active':true,'mindex':" #i ",'mid':'" mid "','ready':" ready                 \
    ",'send':true,'feed_id':" #feed ",'feed_display':'P" #feed "','feed_mid':'" fmid               \
    "','codec':'opus'}"
#define LINE_VIDEO(i, mid, feed, fmid, ready)                                                      \
    "{'type':'video','active':true,'mindex':" #i ",'mid':'" mid "','ready':" ready                 \
    ",'send':true,'feed_id':" #feed ",'feed_display':'P" #feed "','feed_mid':'" fmid               \
    "','codec':'vp8'}"

static void the_happy_path_has_the_order_of_the_protocol(void **state)
{
    const sl_hid p = mock_attach(), other = mock_attach(), s = mock_attach();

    (void)state;
    room_make("");
    mock_request(p, "{'request':'join','ptype':'publisher','room':1,'id':10,'display':'P10'}", NULL,
                 "{'videoroom':'joined','room':1,'description':'Room 1','id':10,'private_id':'*',"
                 "'publishers':[]}",
                 NONE);
    mock_send(other, "{'request':'join','ptype':'publisher','room':1,'id':20}", NULL);
    mock_skip(other);
    mock_request(p, "{'request':'publish'}", MOCK_OFFER("audio a opus", "video v vp8"),
                 "{'videoroom':'event','room':1,'configured':'ok','audio_codec':'opus',"
                 "'video_codec':'vp8','streams':["
                 "{'type':'audio','mindex':0,'mid':'a','codec':'opus','audiolevel_ext_id':1},"
                 "{'type':'video','mindex':1,'mid':'v','codec':'vp8','videoorient_ext_id':9,"
                 "'playoutdelay_ext_id':8}]}",
                 ANSWER);
    assert_string_equal(mock_session_name(p), "VideoRoom 1");
    mock_expect_nothing(other);
    mock_up(p);
    mock_expect(other, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':10,'display':'P10',"
                "'audio_codec':'opus','video_codec':'vp8','talking':false,'streams':["
                "{'type':'audio','mindex':0,'mid':'a','codec':'opus','talking':false},"
                "{'type':'video','mindex':1,'mid':'v','codec':'vp8'}]}]}",
                NONE);
    mock_expect_nothing(p);

    mock_request(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':10}]}",
                 NULL,
                 "{'videoroom':'attached','room':1,'streams':[" LINE_AUDIO(
                     0, "0", 10, "a", "false") "," LINE_VIDEO(1, "1", 10, "v", "false") "]}",
                 OFFER);
    assert_int_equal(mock_line(s, 0)->codec.pt, 111);
    assert_int_equal(mock_line(s, 1)->codec.pt, 96);
    assert_int_equal(mock_line(s, 1)->want.dir, SL_DIR_SEND);
    assert_false(mock_route(s, 0)->active);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    assert_true(mock_route(s, 0)->active && !mock_route(s, 0)->paused);
    assert_int_equal(mock_route(s, 1)->from.handle, p);
    assert_int_equal(mock_route(s, 1)->from.mindex, 1);
    mock_up(s);
    assert_int_equal(mock_line(p, 1)->keyframes, 1);
    mock_expect_nothing(s);

    mock_request(p, "{'request':'unpublish'}", NULL,
                 "{'videoroom':'event','room':1,'unpublished':'ok'}", NONE);
    mock_expect_hangup(p, "Close PC");
    mock_expect_nothing(p);
    mock_expect(other, 0, "{'videoroom':'event','room':1,'unpublished':10,'display':'P10'}", NONE);
    mock_expect_nothing(other); /* once */
    mock_expect(s, 0,
                "{'videoroom':'updated','room':1,'streams':["
                "{'type':'audio','active':false,'mindex':0,'mid':'0','ready':true,'send':true},"
                "{'type':'video','active':false,'mindex':1,'mid':'1','ready':true,'send':true}]}",
                OFFER);
    assert_int_equal(mock_line(s, 0)->want.dir, SL_DIR_INACTIVE);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    mock_expect_nothing(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_happy_path_has_the_order_of_the_protocol),
    };

    return cmocka_run_group_tests_name("videoroom, subscribers", tests, NULL, NULL);
}
