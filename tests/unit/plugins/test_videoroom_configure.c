#include "videoroom_test.h"

static void configure_errors(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *text;
    } v[] = {
        { "{'request':'publish'}", 434, "Can't publish, already published" },
        { "{'request':'configure','watched':1}", 430,
          "Invalid element type (watched should be a boolean)" },
        { "{'request':'configure','bitrate':-1}", 430,
          "Invalid element type (bitrate should be a positive integer)" },
        { "{'request':'configure','record':true}", 499, "recording is not available" },
        { "{'request':'configure','filename':'x'}", 499, "recording is not available" },
        { "{'request':'configure','keyframe':1}", 430,
          "Invalid element type (keyframe should be a boolean)" },
        { "{'request':'configure','streams':[{'mid':'x'}]}", 428, "No such mid 'x'" },
        { "{'request':'configure','streams':[{},{}]}", 429, "Missing mandatory element (mid)" },
        { "{'request':'configure','streams':[1]}", 430,
          "Invalid element type (streams should hold objects)" },
        { "{'request':'configure','streams':[{'mid':'a','send':1}]}", 430,
          "Invalid element type (send should be a boolean)" },
        { "{'request':'configure','mid':'x','keyframe':true}", 428, "No such mid 'x'" },
        { "{'request':'configure','descriptions':[{'mid':'a'}]}", 429,
          "Missing mandatory element (description)" },
        { "{'request':'configure','descriptions':['a']}", 430,
          "Invalid element type (descriptions should hold objects)" },
        { "{'request':'configure','audio':1}", 430,
          "Invalid element type (audio should be a boolean)" },
    };
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8")));

    (void)state;
    for (size_t i = 0; i < COUNT(v); i++)
        expect_error(p, v[i].body, NULL, v[i].code, v[i].text);
    expect_error(p, "{'request':'configure','audiocodec':'pcmu'}", MOCK_OFFER("audio a opus"), 430,
                 "Audio codec unavailable in this room");
    expect_error(p, "{'request':'configure','videocodec':'x'}", MOCK_OFFER("audio a opus"), 430,
                 "Video codec unavailable in this room");
    mock_request(p, "{'request':'configure','audiocodec':'pcmu'}", NULL, CONFIGURED, NONE);
    expect_error(p, "{'request':'configure'}", &(struct sl_jsep_in){ .type = SL_JSEP_ANSWER }, 431,
                 "Invalid SDP type: publishers send offers");
    expect_error(p, "{'request':'configure'}", &(struct sl_jsep_in){ .type = SL_JSEP_OFFER }, 437,
                 "Invalid SDP: 0 m-lines");
    /* A line that comes with the request can be meant by it. */
    mock_request(p, "{'request':'configure','streams':[{'mid':'z','send':false}]}",
                 MOCK_OFFER("audio a opus", "video v vp8", "video z vp8"),
                 "{'videoroom':'event','room':1,'configured':'ok','audio_codec':'opus',"
                 "'video_codec':'vp8','streams':'*'}",
                 ANSWER);
    assert_true(mock_line(p, 2)->closed);
}

static void configure_gates_streams_and_asks_for_key_frames(void **state)
{
    static const struct {
        const char *body;
        bool a, v, w; /* closed */
        unsigned keys_v, keys_w;
    } v[] = {
        { "'audio':false", true, false, false, 0, 0 },
        { "'audio':true,'video':false", false, true, true, 0, 0 },
        { "'video':true", false, false, false, 0, 0 },
        { "'mid':'v','send':false", false, true, false, 0, 0 },
        { "'streams':[{'mid':'v','send':true},{'mid':'w','send':false}]", false, false, true, 0,
          0 },
        { "'streams':[{'mid':'w','send':true,'keyframe':true}]", false, false, false, 0, 1 },
        { "'keyframe':true", false, false, false, 1, 2 },
        { "'keyframe':true,'mid':'v'", false, false, false, 2, 2 },
    };
    const sl_hid p =
        (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8", "video w vp8")));
    const sl_hid s = subscribed("[{'feed':1,'mid':'v'}]");
    char body[200];

    (void)state;
    for (size_t i = 0; i < COUNT(v); i++) {
        snprintf(body, sizeof(body), "{'request':'configure',%s}", v[i].body);
        mock_request(p, body, NULL, CONFIGURED, NONE);
        assert_int_equal(mock_line(p, 0)->closed, v[i].a);
        assert_int_equal(mock_line(p, 1)->closed, v[i].v);
        assert_int_equal(mock_line(p, 2)->closed, v[i].w);
        assert_int_equal(mock_line(p, 1)->keyframes, v[i].keys_v);
        assert_int_equal(mock_line(p, 2)->keyframes, v[i].keys_w);
    }
    mock_request(p, "{'request':'configure','min_delay':2,'max_delay':9}", NULL, CONFIGURED, NONE);
    assert_int_equal(mock_route(s, 0)->wish.min_delay, 2);
    assert_int_equal(mock_route(s, 0)->wish.max_delay, 9);
    mock_request(p, "{'request':'configure','bitrate':1000}", NULL, CONFIGURED, NONE);
    assert_int_equal(mock_bitrate(p), 1000);
}

static void changes_of_name_are_told_to_others(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus")));
    const sl_hid q = joined(2);

    (void)state;
    mock_request(p, "{'request':'configure','display':'Alice2'}", NULL, CONFIGURED, NONE);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'id':1,'display':'Alice2'}", NONE);
    mock_request(p, "{'request':'configure','display':'Alice2'}", NULL, CONFIGURED, NONE);
    mock_request(p, "{'request':'configure','metadata':{'x':1}}", NULL, CONFIGURED, NONE);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'id':1,'metadata':{'x':1}}", NONE);
    mock_request(p, "{'request':'configure','descriptions':[{'mid':'a','description':'mic'}]}",
                 NULL, CONFIGURED, NONE);
    mock_expect(q, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':1,'display':'Alice2',"
                "'metadata':{'x':1},'audio_codec':'opus','talking':false,'streams':["
                "{'type':'audio','mindex':0,'mid':'a','description':'mic','codec':'opus',"
                "'talking':false}]}]}",
                NONE);
    mock_expect_nothing(q);
    mock_expect_nothing(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(configure_errors),
        T(configure_gates_streams_and_asks_for_key_frames),
        T(changes_of_name_are_told_to_others),
    };

    return cmocka_run_group_tests_name("videoroom, what publishers configure", tests, NULL, NULL);
}
