#include "videoroom_test.h"
#include <errno.h>
#include <time.h>

#define CREATED(id) "{'videoroom':'created','room':" id ",'permanent':false}"

static void create_takes_every_member_and_list_shows_it(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_call(h,
              "{'request':'create','room':4321,'description':'live room','bitrate':512000,"
              "'bitrate_cap':true,'audiocodec':'opus','videocodec':'vp8,h264','opus_dtx':true,"
              "'rec_dir':'/rec','notify_joining':true,'audiolevel_event':true,"
              "'audio_active_packets':20,'audio_level_average':100,'threads':2}",
              CREATED("4321"));
    mock_call(h, "{'request':'list'}",
              "{'videoroom':'success','list':[{'room':4321,'description':'live room',"
              "'pin_required':false,'is_private':false,'max_publishers':3,'bitrate':512000,"
              "'bitrate_cap':true,'fir_freq':0,'require_pvtid':false,'require_e2ee':false,"
              "'dummy_publisher':false,'notify_joining':true,'audiocodec':'opus',"
              "'videocodec':'vp8,h264','opus_fec':true,'opus_dtx':true,'record':false,"
              "'rec_dir':'/rec','lock_record':false,'num_participants':0,'audiolevel_ext':true,"
              "'audiolevel_event':true,'audio_active_packets':20,'audio_level_average':100,"
              "'videoorient_ext':true,'playoutdelay_ext':true,'transport_wide_cc_ext':true}]}");
    assert_int_equal(mock_notified("created"), 1);
}

static void defaults_are_those_of_the_protocol(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_call(h, "{'request':'create','room':7,'bitrate':1}", CREATED("7"));
    mock_call(h, "{'request':'list','admin_key':'x'}",
              "{'videoroom':'success','list':[{'room':7,'description':'Room 7',"
              "'pin_required':false,'is_private':false,'max_publishers':3,'bitrate':64000,"
              "'fir_freq':0,'require_pvtid':false,'require_e2ee':false,'dummy_publisher':false,"
              "'notify_joining':false,'audiocodec':'opus','videocodec':'vp8','opus_fec':true,"
              "'record':false,'lock_record':false,'num_participants':0,'audiolevel_ext':true,"
              "'audiolevel_event':false,'videoorient_ext':true,'playoutdelay_ext':true,"
              "'transport_wide_cc_ext':true}]}");
}

static void random_ids_are_chosen_when_none_is_given(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_call(h, "{'request':'create'}", CREATED("'*'"));
    mock_call(h, "{'request':'create','room':0}", CREATED("'*'"));
    mock_call(h, "{'request':'CREATE','room':null}", CREATED("'*'"));
}

static void bad_requests_get_their_error(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *text;
    } v[] = {
        { "{}", 429, "Missing mandatory element (request)" },
        { "{'request':1}", 430, "Invalid element type (request should be a string)" },
        { "{'request':'fly'}", 423, "Unknown request 'fly'" },
        { "{'request':'keyframe'}", 423, "Unknown request 'keyframe'" },
        { "{'request':'create','room':1}", 427, "Room 1 already exists" },
        { "{'request':'create','room':'1'}", 430,
          "Invalid element type (room should be a positive integer)" },
        { "{'request':'create','room':-1}", 430,
          "Invalid element type (room should be a positive integer)" },
        { "{'request':'create','secret':1}", 430,
          "Invalid element type (secret should be a string)" },
        { "{'request':'create','publishers':-1}", 430,
          "Invalid element type (publishers should be a positive integer)" },
        { "{'request':'create','is_private':1}", 430,
          "Invalid element type (is_private should be a boolean)" },
        { "{'request':'create','permanent':1}", 430,
          "Invalid element type (permanent should be a boolean)" },
        { "{'request':'create','allowed':'a'}", 430,
          "Invalid element type (allowed should be an array)" },
        { "{'request':'create','allowed':[1]}", 430,
          "Invalid element type (allowed should hold strings)" },
        { "{'request':'create','audiocodec':'vp8'}", 430,
          "Invalid element (audiocodec can't contain 'vp8')" },
        { "{'request':'create','videocodec':'vp8,theora'}", 430,
          "Invalid element (videocodec can't contain 'theora')" },
        { "{'request':'create','audio_level_average':128}", 430,
          "Invalid element (audio_level_average should be 0..127)" },
        { "{'request':'create','record':true}", 499, "recording is not available" },
        { "{'request':'create','dummy_publisher':true,'dummy_streams':[{'codec':'h264'}]}", 430,
          "Invalid element (dummy_streams: codec of the room?)" },
        { "{'request':'edit'}", 429, "Missing mandatory element (room)" },
        { "{'request':'edit','room':9}", 426, "No such room (9)" },
        { "{'request':'edit','room':1}", 429, "Missing mandatory element (secret)" },
        { "{'request':'edit','room':1,'secret':1}", 430,
          "Invalid element type (secret should be a string)" },
        { "{'request':'edit','room':1,'secret':'x'}", 433, "Unauthorized (wrong secret)" },
        { "{'request':'edit','room':1,'secret':'s','new_bitrate':'x'}", 430,
          "Invalid element type (new_bitrate should be a positive integer)" },
        { "{'request':'destroy','room':1}", 429, "Missing mandatory element (secret)" },
        { "{'request':'destroy','room':1,'secret':'x'}", 433, "Unauthorized (wrong secret)" },
        { "{'request':'destroy','room':2}", 426, "No such room (2)" },
        { "{'request':'exists'}", 429, "Missing mandatory element (room)" },
        { "{'request':'exists','room':'a'}", 430,
          "Invalid element type (room should be a positive integer)" },
        { "{'request':'listparticipants','room':2}", 426, "No such room (2)" },
        { "{'request':'allowed','room':1,'secret':'s'}", 429,
          "Missing mandatory element (action)" },
        { "{'request':'allowed','room':1,'secret':'s','action':'x'}", 430,
          "Unsupported action 'x' (allowed)" },
        { "{'request':'allowed','room':1,'secret':'s','action':'add'}", 429,
          "Missing mandatory element (allowed)" },
        { "{'request':'allowed','room':1,'secret':'s','action':'add','allowed':[1]}", 430,
          "Invalid element type (allowed should hold strings)" },
        { "{'request':'allowed','room':1,'secret':'x','action':'enable'}", 433,
          "Unauthorized (wrong secret)" },
        { "{'request':'kick','room':1,'secret':'x','id':5}", 433, "Unauthorized (wrong secret)" },
        { "{'request':'kick','room':1,'secret':'s'}", 429, "Missing mandatory element (id)" },
        { "{'request':'kick','room':1,'secret':'s','id':5}", 428, "No such user 5 in room 1" },
        { "{'request':'moderate','room':1,'secret':'s','id':5,'mid':'0','mute':true}", 428,
          "No such user 5 in room 1" },
        { "{'request':'moderate','room':1,'secret':'s','id':5,'mid':'0'}", 429,
          "Missing mandatory element (mute)" },
        { "{'request':'enable_recording','room':1,'secret':'s','record':true}", 499,
          "recording is not available" },
        { "{'request':'enable_recording','room':1,'secret':'s'}", 429,
          "Missing mandatory element (record)" },
    };
    const sl_hid h = mock_attach();

    (void)state;
    room_make(",'secret':'s'");
    for (size_t i = 0; i < COUNT(v); i++)
        call_error(h, v[i].body, v[i].code, v[i].text);
    mock_call(h, "{'request':'exists','room':1}", "{'videoroom':'success','room':1,'exists':true}");
    mock_call(h, "{'request':'exists','room':2}",
              "{'videoroom':'success','room':2,'exists':false}");
}

static json_t *listed(sl_hid h)
{
    json_t *reply = mock_call_json(h, "{'request':'list'}");
    json_t *room = json_incref(json_array_get(json_object_get(reply, "list"), 0));

    json_decref(reply);
    return room;
}

static void edit_changes_what_can_be_changed(void **state)
{
    const sl_hid h = mock_attach();
    json_t *room;

    (void)state;
    room_make(",'secret':'s'");
    mock_call(h,
              "{'request':'edit','room':1,'secret':'s','new_description':'d','new_pin':'p',"
              "'new_secret':'','new_bitrate':100,'new_fir_freq':5,'new_publishers':9,"
              "'new_require_pvtid':true,'new_lock_record':true,'new_rec_dir':'/r',"
              "'new_videocodec':'vp9'}",
              "{'videoroom':'edited','room':1,'permanent':false}");
    room = listed(h);
    assert_string_equal(json_string_value(json_object_get(room, "description")), "d");
    assert_true(json_is_true(json_object_get(room, "pin_required")));
    assert_int_equal(json_integer_value(json_object_get(room, "bitrate")), 64000);
    assert_int_equal(json_integer_value(json_object_get(room, "fir_freq")), 5);
    assert_int_equal(json_integer_value(json_object_get(room, "max_publishers")), 9);
    assert_true(json_is_true(json_object_get(room, "require_pvtid")));
    assert_true(json_is_true(json_object_get(room, "lock_record")));
    assert_string_equal(json_string_value(json_object_get(room, "rec_dir")), "/r");
    assert_string_equal(json_string_value(json_object_get(room, "videocodec")), "vp8");
    json_decref(room);
    call_error(h, "{'request':'edit','room':1}", 429, "Missing mandatory element (secret)");
    mock_call(h, "{'request':'edit','room':1,'secret':'s','new_is_private':true}",
              "{'videoroom':'edited','room':1,'permanent':false}");
    mock_call(h, "{'request':'list'}", "{'videoroom':'success','list':[]}");
    mock_call(h, "{'request':'list','admin_key':'x'}", "{'videoroom':'success','list':[]}");
}

static void permanent_rooms_are_written_and_read(void **state)
{
    const sl_hid h = mock_attach();
    const json_t *keys;

    (void)state;
    mock_call(h,
              "{'request':'create','room':5,'permanent':true,'secret':'s','publishers':9,"
              "'opus_fec':false,'allowed':['a','b']}",
              "{'videoroom':'created','room':5,'permanent':true}");
    keys = mock_saved("room 5");
    assert_non_null(keys);
    assert_string_equal(json_string_value(json_object_get(keys, "secret")), "s");
    assert_string_equal(json_string_value(json_object_get(keys, "publishers")), "9");
    assert_string_equal(json_string_value(json_object_get(keys, "opus_fec")), "false");
    assert_string_equal(json_string_value(json_object_get(keys, "allowed")), "a,b");
    assert_null(json_object_get(keys, "is_private")); /* the default */
    mock_call(h, "{'request':'edit','room':5,'secret':'s','new_publishers':4,'permanent':true}",
              "{'videoroom':'edited','room':5,'permanent':true}");
    assert_string_equal(json_string_value(json_object_get(mock_saved("room 5"), "publishers")),
                        "4");
    mock_set_config_dir(false);
    mock_call(h, "{'request':'create','room':6,'permanent':true}", CREATED("6"));
    mock_set_config_dir(true);
    mock_call(h, "{'request':'destroy','room':5,'secret':'s','permanent':true}",
              "{'videoroom':'destroyed','room':5,'permanent':true}");
    assert_null(mock_saved("room 5"));
    mock_call(h, "{'request':'destroy','room':6}",
              "{'videoroom':'destroyed','room':6,'permanent':false}");
}

static void rooms_of_the_file_are_there_from_the_start(void **state)
{
    sl_hid h;
    json_t *room;

    (void)state;
    assert_int_equal(mock_start(&sl_plugin,
                                "{'general':{'events':'no','lock_rtp_forward':'yes'},"
                                "'room 1234':{'description':'Demo room','publishers':'6',"
                                "'notify_joining':'yes','allowed':'x, y'}}"),
                     0);
    h = mock_attach();
    room = listed(h);
    assert_int_equal(json_integer_value(json_object_get(room, "room")), 1234);
    assert_int_equal(json_integer_value(json_object_get(room, "max_publishers")), 6);
    assert_true(json_is_true(json_object_get(room, "notify_joining")));
    json_decref(room);
    mock_call(h, "{'request':'allowed','room':1234,'action':'enable'}",
              "{'videoroom':'success','room':1234,'allowed':['x','y']}");
    mock_call(h, "{'request':'create','room':1}", CREATED("1"));
    assert_int_equal(mock_notified("created"), 0); /* events = no */
    mock_stop();
}

static void a_bad_file_keeps_the_server_from_starting(void **state)
{
    static const char *const v[] = {
        "{'general':{'no_such_key':'1'}}",
        "{'general':{'string_ids':'maybe'}}",
        "{'general':{'events':'maybe'}}",
        "{'general':{'lock_rtp_forward':'2'}}",
        "{'rooms':{}}",
        "{'room 1':{'no_such_key':'1'}}",
        "{'room 1':{'publishers':'many'}}",
        "{'room 1':{'publishers':'-1'}}",
        "{'room 1':{'is_private':'perhaps'}}",
        "{'room 1':{'videocodec':'theora'}}",
        "{'room 1':{'record':'yes'}}",
        "{'room one':{}}",
        "{'room ':{}}",
        "{'room 1':{},'room 01':{}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(v); i++)
        if (mock_start(&sl_plugin, v[i]) == 0)
            fail_msg("started with %s", v[i]);
}

static void the_admin_key_guards_creation_and_private_rooms(void **state)
{
    sl_hid h;

    (void)state;
    assert_int_equal(mock_start(&sl_plugin, "{'general':{'admin_key':'k'}}"), 0);
    h = mock_attach();
    mock_set_may(false);
    call_error(h, "{'request':'create','room':1}", 429, "Missing mandatory element (admin_key)");
    call_error(h, "{'request':'create','room':1,'admin_key':'x'}", 433,
               "Unauthorized (wrong admin_key)");
    mock_call(h, "{'request':'create','room':1,'is_private':true,'admin_key':'k'}", CREATED("1"));
    mock_call(h, "{'request':'list'}", "{'videoroom':'success','list':[]}");
    call_error(h, "{'request':'list','admin_key':'x'}", 433, "Unauthorized (wrong admin_key)");
    mock_call(h, "{'request':'list','admin_key':'k'}", "{'videoroom':'success','list':['*']}");
    mock_stop();
}

static void clients_without_credential_may_be_refused(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_set_may(false);
    call_error(h, "{'request':'create','room':1}", 433,
               "Unauthorized (creating rooms needs a credential)");
    mock_admin("{'request':'create','room':1}", CREATED("1"));
    mock_admin("{'request':'join'}", "{'videoroom':'event','error_code':423,'error':'*'}");
    mock_admin("{}", "{'videoroom':'event','error_code':429,"
                     "'error':'Missing mandatory element (request)'}");
}

static void allowed_lists_and_switches_the_check(void **state)
{
    const sl_hid h = mock_attach(), p = mock_attach();

    (void)state;
    room_make(",'allowed':[]");
    expect_error(p, "{'request':'join','ptype':'publisher','room':1}", NULL, 433,
                 "Unauthorized (not in the allowed list)");
    mock_call(h, "{'request':'allowed','room':1,'action':'add','allowed':['t1','t2','t1']}",
              "{'videoroom':'success','room':1,'allowed':['t1','t2']}");
    mock_call(h, "{'request':'allowed','room':1,'action':'remove','allowed':['t1','t9']}",
              "{'videoroom':'success','room':1,'allowed':['t2']}");
    expect_error(p, "{'request':'join','ptype':'publisher','room':1,'token':'t1'}", NULL, 433,
                 "Unauthorized (not in the allowed list)");
    mock_call(h, "{'request':'allowed','room':1,'action':'disable'}",
              "{'videoroom':'success','room':1,'allowed':[]}");
    mock_send(p, "{'request':'join','ptype':'publisher','room':1}", NULL);
    mock_call(h, "{'request':'allowed','room':1,'action':'ENABLE'}",
              "{'videoroom':'success','room':1,'allowed':['t2']}");
    mock_send(mock_attach(), "{'request':'join','ptype':'publisher','room':1,'token':'t2'}", NULL);
    mock_call(h, "{'request':'listparticipants','room':1}",
              "{'videoroom':'participants','room':1,'participants':["
              "{'id':'*','publisher':false},{'id':'*','publisher':false}]}");
}

static void string_ids_are_strings_everywhere(void **state)
{
    sl_hid h, p;

    (void)state;
    assert_int_equal(mock_start(&sl_plugin, "{'general':{'string_ids':'yes'},'room a b':{}}"), 0);
    h = mock_attach();
    p = mock_attach();
    mock_call(h, "{'request':'exists','room':'a b'}",
              "{'videoroom':'success','room':'a b','exists':true}");
    mock_call(h, "{'request':'create','room':'x','permanent':true}",
              "{'videoroom':'created','room':'x','permanent':true}");
    assert_non_null(mock_saved("room x"));
    mock_call(h, "{'request':'create','room':'y]','permanent':true}",
              "{'videoroom':'created','room':'y]','permanent':false}");
    call_error(h, "{'request':'create','room':5}", 430,
               "Invalid element type (room should be a string)");
    call_error(h, "{'request':'create','room':''}", 430,
               "Invalid element type (room should be a string)");
    call_error(h, "{'request':'create','room':'a\\nb'}", 430,
               "Invalid element type (room should be a string)");
    mock_request(p, "{'request':'join','ptype':'publisher','room':'x','id':'me'}", NULL,
                 "{'videoroom':'joined','room':'x','description':'Room x','id':'me',"
                 "'private_id':'*','publishers':[]}",
                 NONE);
    expect_error(mock_attach(), "{'request':'join','ptype':'publisher','room':'x','id':'me'}", NULL,
                 436, "User ID me already exists");
    mock_stop();
}

static void destroy_tells_everybody_and_closes(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio 0 opus")));
    const sl_hid q = joined(2), s = subscribed("[{'feed':1}]"), h = mock_attach();

    (void)state;
    mock_call(h, "{'request':'destroy','room':1}",
              "{'videoroom':'destroyed','room':1,'permanent':false}");
    mock_expect(p, 0, "{'videoroom':'destroyed','room':1}", NONE);
    mock_expect_hangup(p, "Close PC");
    mock_expect_nothing(p);
    mock_expect(q, 0, "{'videoroom':'destroyed','room':1}", NONE);
    mock_expect_nothing(q);
    mock_expect(s, 0, "{'videoroom':'destroyed','room':1}", NONE);
    mock_expect_hangup(s, "Close PC");
    mock_expect_nothing(s);
    expect_error(p, "{'request':'configure'}", NULL, 426, "No such room");
    expect_error(s, "{'request':'start'}", NULL, 426, "No such room");
    expect_error(q, "{'request':'join','ptype':'publisher','room':1}", NULL, 425,
                 "Not in a room (create a new handle)");
}

static void kick_has_the_order_of_the_protocol(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("video 0 vp8")));
    const sl_hid q = joined(2), s = subscribed("[{'feed':1}]"), h = mock_attach();

    (void)state;
    mock_call(h, "{'request':'kick','room':1,'id':1}", "{'videoroom':'success'}");
    assert_true(mock_order(p) < mock_order(q));
    mock_expect(p, 0, "{'videoroom':'event','room':1,'leaving':'ok','reason':'kicked'}", NONE);
    mock_expect_hangup(p, "Close PC");
    mock_expect_nothing(p);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'display':'P1','kicked':1}", NONE);
    mock_expect_nothing(q);
    mock_expect(s, 0,
                "{'videoroom':'updated','room':1,'streams':[{'type':'video','active':false,"
                "'mindex':0,'mid':'0','ready':true,'send':true}]}",
                OFFER);
    expect_error(p, "{'request':'publish'}", NULL, 426, "No such room");
    expect_error(p, "{'request':'join','ptype':'publisher','room':1}", NULL, 425,
                 "Not in a room (create a new handle)");
}

static void kick_takes_what_private_ids_watch(void **state)
{
    const sl_hid p = (room_make(",'require_pvtid':true"), publishing(1, MOCK_OFFER("video 0 vp8")));
    const sl_hid q = mock_attach(), s = mock_attach();
    char body[200];
    json_t *me;

    (void)state;
    (void)p;
    mock_send(q, "{'request':'join','ptype':'publisher','room':1,'id':2}", NULL);
    me = mock_take(q);
    snprintf(body, sizeof(body),
             "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}],"
             "'private_id':%d}",
             (int)json_integer_value(json_object_get(me, "private_id")) & 0);
    expect_error(s, body, NULL, 433, "Unauthorized (this room requires a valid private_id)");
    snprintf(body, sizeof(body),
             "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}],"
             "'private_id':%lld}",
             (long long)json_integer_value(json_object_get(me, "private_id")));
    json_decref(me);
    mock_send(s, body, NULL);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    assert_false(mock_route(s, 0)->paused);
    mock_call(mock_attach(), "{'request':'kick','room':1,'id':2}", "{'videoroom':'success'}");
    assert_true(mock_route(s, 0)->paused);
}

static void moderate_closes_one_stream(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8")));
    const sl_hid q = joined(2), h = mock_attach();

    (void)state;
    call_error(h, "{'request':'moderate','room':1,'id':1,'mid':'x','mute':true}", 428,
               "No such mid 'x'");
    mock_call(h, "{'request':'moderate','room':1,'id':1,'mid':'a','mute':true}",
              "{'videoroom':'success'}");
    assert_true(mock_line(p, 0)->closed);
    assert_false(mock_line(p, 1)->closed);
    mock_expect(p, 0, "{'videoroom':'event','room':1,'id':1,'mid':'a','moderation':'muted'}", NONE);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'id':1,'mid':'a','moderation':'muted'}", NONE);
    mock_request(mock_attach(), "{'request':'join','ptype':'publisher','room':1,'id':3}", NULL,
                 "{'videoroom':'joined','room':1,'description':'Room 1','id':3,'private_id':'*',"
                 "'publishers':[{'id':1,'display':'P1','audio_codec':'opus','video_codec':'vp8',"
                 "'talking':false,'streams':[{'type':'audio','mindex':0,'mid':'a','codec':'opus',"
                 "'moderated':true,'talking':false},"
                 "{'type':'video','mindex':1,'mid':'v','codec':'vp8'}]}]}",
                 NONE);
    mock_request(p, "{'request':'configure','audio':true}", NULL, CONFIGURED, NONE);
    assert_true(mock_line(p, 0)->closed); /* the publisher can not undo it */
    mock_call(h, "{'request':'moderate','room':1,'id':1,'mid':'a','mute':false}",
              "{'videoroom':'success'}");
    assert_false(mock_line(p, 0)->closed);
    mock_skip(p);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'id':1,'mid':'a','moderation':'unmuted'}",
                NONE);
}

static void dummies_hold_places_for_switching(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    room_make(",'videocodec':'vp8,h264','dummy_publisher':true,'publishers':1");
    mock_call(h, "{'request':'listparticipants','room':1}",
              "{'videoroom':'participants','room':1,'participants':[{'id':'*',"
              "'display':'Dummy publisher','dummy':true,'publisher':true}]}");
    mock_request(h, "{'request':'join','ptype':'publisher','room':1,'id':2}", NULL,
                 "{'videoroom':'joined','room':1,'description':'Room 1','id':2,'private_id':'*',"
                 "'publishers':[{'id':'*','display':'Dummy publisher','dummy':true,"
                 "'audio_codec':'opus','video_codec':'vp8','streams':["
                 "{'type':'audio','mindex':0,'mid':'0','codec':'opus'},"
                 "{'type':'video','mindex':1,'mid':'1','codec':'vp8'},"
                 "{'type':'video','mindex':2,'mid':'2','codec':'h264'}]}]}",
                 NONE);
    mock_send(h, "{'request':'publish'}", MOCK_OFFER("video 0 vp8")); /* takes the one slot */
    mock_up(h);
}

static void many_rooms_are_quick(void **state)
{
    const sl_hid h = mock_attach();
    struct timespec a, b;
    json_t *reply;
    char body[80];

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 1; i <= 1000; i++) {
        snprintf(body, sizeof(body), "{'request':'create','room':%d}", i);
        json_decref(mock_call_json(h, body));
    }
    reply = mock_call_json(h, "{'request':'list'}");
    assert_int_equal(json_array_size(json_object_get(reply, "list")), 1000);
    json_decref(reply);
    for (int i = 1; i <= 1000; i++) {
        snprintf(body, sizeof(body), "{'request':'destroy','room':%d}", i);
        json_decref(mock_call_json(h, body));
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true((b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9 < 2.0);
    mock_call(h, "{'request':'list'}", "{'videoroom':'success','list':[]}");
}

static void bad_port_ranges_are_refused_at_start(void **state)
{
    static const char *const ranges[] = { "", "1", "5-4", "0-9", "1-65536", "1-2x", "a-b" };
    char config[100];

    (void)state;
    for (size_t i = 0; i < COUNT(ranges); i++) {
        snprintf(config, sizeof(config), "{'general':{'rtp_port_range':'%s'}}", ranges[i]);
        assert_int_equal(mock_start(&sl_plugin, config), -EINVAL);
    }
}

/* Whatever is kept of a request and told to others is bounded. */
static void long_texts_are_refused(void **state)
{
    static const struct {
        const char *head, *tail, *text;
        size_t longest;
    } v[] = {
        { "{'request':'create','description':'", "'}",
          "Invalid element (description is longer than 1024 bytes)", 1024 },
        { "{'request':'create','secret':'", "'}",
          "Invalid element (secret is longer than 1024 bytes)", 1024 },
        { "{'request':'join','ptype':'publisher','room':1,'display':'", "'}",
          "Invalid element (display is longer than 1024 bytes)", 1024 },
        { "{'request':'join','ptype':'publisher','room':1,'metadata':{'a':'", "'}}",
          "Invalid element (metadata is longer than 16384 bytes)", 16384 - 8 },
    };
    const sl_hid h = mock_attach();
    char body[20000];

    (void)state;
    room_make("");
    for (size_t i = 0; i < COUNT(v); i++) {
        size_t n = strlen(v[i].head);

        strcpy(body, v[i].head);
        memset(body + n, 'x', v[i].longest + 1);
        strcpy(body + n + v[i].longest + 1, v[i].tail);
        if (strstr(body, "'create'"))
            call_error(h, body, 430, v[i].text);
        else
            expect_error(h, body, NULL, 430, v[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(create_takes_every_member_and_list_shows_it),
        T(defaults_are_those_of_the_protocol),
        T(random_ids_are_chosen_when_none_is_given),
        T(bad_requests_get_their_error),
        T(long_texts_are_refused),
        T(edit_changes_what_can_be_changed),
        T(permanent_rooms_are_written_and_read),
        cmocka_unit_test(rooms_of_the_file_are_there_from_the_start),
        cmocka_unit_test(a_bad_file_keeps_the_server_from_starting),
        cmocka_unit_test(the_admin_key_guards_creation_and_private_rooms),
        T(clients_without_credential_may_be_refused),
        T(allowed_lists_and_switches_the_check),
        cmocka_unit_test(string_ids_are_strings_everywhere),
        T(destroy_tells_everybody_and_closes),
        T(kick_has_the_order_of_the_protocol),
        T(kick_takes_what_private_ids_watch),
        T(moderate_closes_one_stream),
        T(dummies_hold_places_for_switching),
        T(many_rooms_are_quick),
        cmocka_unit_test(bad_port_ranges_are_refused_at_start),
    };

    return cmocka_run_group_tests_name("videoroom, rooms", tests, NULL, NULL);
}
