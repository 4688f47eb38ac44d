/* TextRoom: the connection, and requests over the message API. */
#include "textroom_test.h"

/* ---- the connection -------------------------------------------------------------------------- */

static void the_server_offers_a_data_line(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'request':'restart'}", NULL, ERROR(416, "PeerConnection not setup"), NONE);
    mock_request(h, "{'request':'setup'}", NULL, OK, OFFER);
    assert_string_equal(mock_session_name(h), "Janus TextRoom plugin");
    assert_int_equal(mock_nlines(h), 1);
    assert_int_equal(mock_line(h, 0)->want.kind, SL_KIND_DATA);
    mock_request(h, "{'request':'setup'}", NULL, ERROR(416, "PeerConnection already setup"), NONE);
    mock_request(h, "{'request':'restart'}", NULL, ERROR(416, "The last offer is not answered yet"),
                 NONE);
    mock_request(h, "{'request':'ack'}", mock_answer(h), OK, NONE);
    mock_up(h);
    mock_request(h, "{'request':'restart'}", NULL, OK, OFFER);
    assert_true(mock_restart(h));
    mock_request(h, "{'request':'ack'}", mock_answer(h), OK, NONE);
    mock_query(h, "{'setup':true,'queued-bytes':0,'rooms':[]}");
    mock_down(h, "DTLS alert");
    mock_skip(h);
    mock_request(h, "{'request':'setup'}", NULL, OK, OFFER); /* again */
}

static void clients_do_not_offer(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'request':'setup'}", MOCK_OFFER("data 0"),
                 ERROR(414, "Invalid element (jsep: the server offers)"), NONE);
    mock_request(h, "{'request':'ack'}", MOCK_OFFER("data 0"),
                 ERROR(414, "Invalid element (jsep: ack takes an answer)"), NONE);
}

/* ---- rooms ----------------------------------------------------------------------------------- */

static void rooms_come_change_and_go(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_call(h, "{'request':'list'}", "{'textroom':'success','list':[]}");
    mock_call(h, "{'request':'list','admin_key':1}", /* there is none to compare it with */
              "{'textroom':'success','list':[]}");
    room_make(",'description':'One','pin':'p','history':7,'secret':'s'");
    mock_call(h, "{'request':'list'}",
              "{'textroom':'success','list':[{'room':1,'description':'One','pin_required':true,"
              "'num_participants':0,'history':7}]}");
    mock_call(h, "{'request':'create'}", "{'textroom':'created','room':'*','permanent':false}");
    mock_call(h, "{'request':'exists','room':1}", "{'textroom':'success','room':1,'exists':true}");
    mock_call(h, "{'request':'exists','room':2}", "{'textroom':'success','room':2,'exists':false}");
    mock_call(h,
              "{'request':'edit','room':1,'secret':'s','new_description':'Two','new_secret':'z',"
              "'new_pin':'q','new_is_private':true}",
              "{'textroom':'edited','room':1,'permanent':false}");
    mock_call(h, "{'request':'edit','room':1,'secret':'s'}",
              ERROR(419, "Unauthorized (wrong secret)"));
    mock_call(h, "{'request':'listparticipants','room':1}",
              "{'textroom':'success','room':1,'participants':[]}");
    mock_call(h, "{'request':'destroy','room':1,'secret':'z'}",
              "{'textroom':'destroyed','room':1,'permanent':false}");
    mock_call(h, "{'request':'exists','room':1}", "{'textroom':'success','room':1,'exists':false}");
    assert_int_equal(mock_notified("created"), 2);
    assert_int_equal(mock_notified("edited"), 1);
    assert_int_equal(mock_notified("destroyed"), 1);
}

static void the_administrator_may_ask_too(void **state)
{
    (void)state;
    mock_set_may(false);
    mock_admin("{'request':'create','room':1}", CREATED);
    mock_admin("{'request':'destroy','room':1}",
               "{'textroom':'destroyed','room':1,'permanent':false}");
    mock_admin("{'request':'join','room':1}", EVENT_ERROR(415, "Unsupported request join"));
    mock_admin("{}", EVENT_ERROR(413, "Missing mandatory element (request)"));
}

static void wrong_requests_are_refused(void **state)
{
#define TYPE(name, what) "Invalid element type (" name " should be " what ")"
    static const struct {
        const char *body, *want;
    } v[] = {
        { "{}", EVENT_ERROR(413, "Missing mandatory element (request)") },
        { "{'request':1}", EVENT_ERROR(414, TYPE("request", "a string")) },
        { "{'request':'dance'}", EVENT_ERROR(415, "Unsupported request dance") },
        { "{'request':'join','room':1,'username':'x'}",
          EVENT_ERROR(415, "Unsupported request join") },
        { "{'request':'leave','room':1}", EVENT_ERROR(415, "Unsupported request leave") },
        { "{'request':'message','room':1,'text':'x'}",
          EVENT_ERROR(415, "Unsupported request message") },
        { "{'request':'exists'}", ERROR(413, "Missing mandatory element (room)") },
        { "{'request':'exists','room':'1'}", ERROR(414, TYPE("room", "a positive integer")) },
        { "{'request':'kick','room':9}", ERROR(413, "Missing mandatory element (username)") },
        { "{'request':'announcement','room':9}", ERROR(413, "Missing mandatory element (text)") },
        { "{'request':'listparticipants','room':9}", ERROR(417, "No such room (9)") },
        { "{'request':'create','room':1}", ERROR(418, "Room 1 already exists") },
        { "{'request':'create','description':1}", ERROR(414, TYPE("description", "a string")) },
        { "{'request':'create','history':-1}", ERROR(414, TYPE("history", "a positive integer")) },
        { "{'request':'create','history':10001}",
          ERROR(414, "Invalid value (history should not be above 10000)") },
        { "{'request':'create','allowed':'x'}", ERROR(414, TYPE("allowed", "an array")) },
        { "{'request':'create','allowed':[1]}",
          ERROR(414, "Invalid element type (allowed should hold strings)") },
        { "{'request':'create','post':'http://127.0.0.1/'}",
          ERROR(499, "posting of messages is not available") },
        { "{'request':'create','post':1}", ERROR(414, TYPE("post", "a string")) },
        { "{'request':'edit','room':9}", ERROR(417, "No such room (9)") },
        { "{'request':'edit','room':1}", ERROR(413, "Missing mandatory element (secret)") },
        { "{'request':'edit','room':1,'secret':1}", ERROR(414, TYPE("secret", "a string")) },
        { "{'request':'edit','room':1,'secret':'x'}", ERROR(419, "Unauthorized (wrong secret)") },
        { "{'request':'edit','room':1,'secret':'s','new_pin':1}",
          ERROR(414, TYPE("new_pin", "a string")) },
        { "{'request':'edit','room':1,'secret':'s','new_post':'x'}",
          ERROR(499, "posting of messages is not available") },
        { "{'request':'destroy','room':1,'secret':'x'}",
          ERROR(419, "Unauthorized (wrong secret)") },
        { "{'request':'destroy','room':9}", ERROR(417, "No such room (9)") },
        { "{'request':'destroy','room':1,'secret':'s','permanent':1}",
          ERROR(414, TYPE("permanent", "a boolean")) },
        { "{'request':'announcement','room':1,'secret':'s'}",
          ERROR(413, "Missing mandatory element (text)") },
        { "{'request':'announcement','room':1,'text':'x'}",
          ERROR(413, "Missing mandatory element (secret)") },
        { "{'request':'announcement','room':9,'text':'x'}", ERROR(417, "No such room (9)") },
        { "{'request':'allowed','room':1,'secret':'s'}",
          ERROR(413, "Missing mandatory element (action)") },
        { "{'request':'allowed','room':1,'secret':'s','action':'dance'}",
          ERROR(414, "Unsupported action \\u0027dance\\u0027 (allowed)") },
        { "{'request':'allowed','room':1,'secret':'s','action':'add'}",
          ERROR(413, "Missing mandatory element (allowed)") },
        { "{'request':'allowed','room':1,'secret':'s','action':'add','allowed':[1]}",
          ERROR(414, "Invalid element type (allowed should hold strings)") },
        { "{'request':'allowed','room':1,'secret':'x','action':'enable'}",
          ERROR(419, "Unauthorized (wrong secret)") },
        { "{'request':'kick','room':1,'secret':'s'}",
          ERROR(413, "Missing mandatory element (username)") },
        { "{'request':'kick','room':1,'secret':'s','username':'bob'}",
          ERROR(423, "No such user bob in room 1") },
        { "{'request':'kick','room':1,'username':'bob'}",
          ERROR(413, "Missing mandatory element (secret)") },
    };
    const sl_hid h = mock_attach();

    (void)state;
    room_make(",'secret':'s'");
    for (size_t i = 0; i < COUNT(v); i++)
        mock_call(h, v[i].body, v[i].want);
}

static void creating_needs_a_credential(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_set_may(false);
    mock_call(h, "{'request':'create','room':1}",
              ERROR(419, "Unauthorized (creating rooms needs a credential)"));
}

static void tokens_are_listed(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    room_make(",'allowed':['a']");
    mock_call(h, "{'request':'allowed','room':1,'action':'add','allowed':['b','c']}",
              "{'textroom':'success','room':1,'allowed':['a','b','c']}");
    mock_call(h, "{'request':'allowed','room':1,'action':'remove','allowed':['a']}",
              "{'textroom':'success','room':1,'allowed':['b','c']}");
    mock_call(h, "{'request':'allowed','room':1,'action':'disable'}",
              "{'textroom':'success','room':1,'allowed':[]}");
    mock_call(h, "{'request':'allowed','room':1,'action':'enable'}",
              "{'textroom':'success','room':1,'allowed':['b','c']}");
}

/* ---- configuration --------------------------------------------------------------------------- */

static void permanent_rooms_are_saved(void **state)
{
    const sl_hid h = mock_attach();
    const json_t *keys;

    (void)state;
    mock_call(h,
              "{'request':'create','room':5,'permanent':true,'pin':'p','secret':'s','history':3,"
              "'allowed':['a','b']}",
              "{'textroom':'created','room':5,'permanent':true}");
    keys = mock_saved("room 5");
    assert_string_equal(json_string_value(json_object_get(keys, "description")), "Room 5");
    assert_string_equal(json_string_value(json_object_get(keys, "history")), "3");
    assert_string_equal(json_string_value(json_object_get(keys, "pin")), "p");
    assert_string_equal(json_string_value(json_object_get(keys, "secret")), "s");
    assert_string_equal(json_string_value(json_object_get(keys, "is_private")), "no");
    assert_string_equal(json_string_value(json_object_get(keys, "allowed")), "a,b");
    mock_call(h,
              "{'request':'edit','room':5,'secret':'s','permanent':true,'new_description':'Five'}",
              "{'textroom':'edited','room':5,'permanent':true}");
    assert_string_equal(json_string_value(json_object_get(mock_saved("room 5"), "description")),
                        "Five");
    mock_call(h, "{'request':'destroy','room':5,'secret':'s','permanent':true}",
              "{'textroom':'destroyed','room':5,'permanent':true}");
    assert_null(mock_saved("room 5"));
    mock_set_config_dir(false);
    mock_call(h, "{'request':'create','room':6,'permanent':true}",
              "{'textroom':'created','room':6,'permanent':false}");
}

static void rooms_are_there_from_the_start(void **state)
{
    sl_hid h;

    (void)state;
    mock_stop();
    assert_int_equal(
        mock_start(&sl_plugin, "{'general':{'admin_key':'k','events':'no'},"
                               "'room 1234':{'description':'Demo','history':'50','allowed':'a, b'},"
                               "'room 7':{'is_private':'yes','pin':'p','secret':'s'}}"),
        0);
    h = mock_attach();
    mock_call(
        h, "{'request':'list'}",
        "{'textroom':'success','list':[{'room':1234,'description':'Demo','pin_required':false,"
        "'num_participants':0,'history':50}]}");
    mock_call(
        h, "{'request':'list','admin_key':'k'}",
        "{'textroom':'success','list':[{'room':1234,'description':'Demo','pin_required':false,"
        "'num_participants':0,'history':50},{'room':7,'description':'Room 7','pin_required':"
        "true,'num_participants':0,'history':0}]}");
    mock_call(h, "{'request':'list','admin_key':'x'}",
              ERROR(419, "Unauthorized (wrong admin_key)"));
    mock_call(h, "{'request':'create','room':1}",
              ERROR(413, "Missing mandatory element (admin_key)"));
    mock_call(h, "{'request':'create','room':1,'admin_key':'x'}",
              ERROR(419, "Unauthorized (wrong admin_key)"));
    mock_call(h, "{'request':'create','room':1,'admin_key':'k'}", CREATED);
    mock_call(h, "{'request':'allowed','room':1234,'action':'add','allowed':[]}",
              "{'textroom':'success','room':1234,'allowed':['a','b']}");
    assert_int_equal(mock_notified("created"), 0);
}

static void bad_configuration_keeps_the_server_from_starting(void **state)
{
    static const char *const v[] = {
        "{'general':{'colour':'red'}}",
        "{'general':{'string_ids':'maybe'}}",
        "{'lobby':{}}",
        "{'room x':{}}",
        "{'room 1':{'colour':'red'}}",
        "{'room 1':{'history':'many'}}",
        "{'room 1':{'history':'10001'}}",
        "{'room 1':{'is_private':'maybe'}}",
        "{'room 1':{'post':'here'}}",
        "{'room 1':{},'room 01':{}}",
    };

    (void)state;
    mock_stop();
    for (size_t i = 0; i < COUNT(v); i++)
        assert_int_not_equal(mock_start(&sl_plugin, v[i]), 0);
    assert_int_equal(mock_start(&sl_plugin, NULL), 0);
}

static void ids_can_be_strings(void **state)
{
    sl_hid h;

    (void)state;
    mock_stop();
    assert_int_equal(
        mock_start(&sl_plugin, "{'general':{'string_ids':'yes'},'room lobby':{'description':'L'}}"),
        0);
    h = mock_attach();
    mock_call(h, "{'request':'exists','room':'lobby'}",
              "{'textroom':'success','room':'lobby','exists':true}");
    mock_call(h, "{'request':'exists','room':1}",
              ERROR(414, "Invalid element type (room should be a string)"));
    mock_call(h, "{'request':'exists','room':''}",
              ERROR(414, "Invalid element type (room should be a string)"));
    mock_call(h, "{'request':'create','room':'a]b','permanent':true}",
              "{'textroom':'created','room':'a]b','permanent':false}");
    mock_call(h, "{'request':'create'}", "{'textroom':'created','room':'*','permanent':false}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_server_offers_a_data_line),
        T(clients_do_not_offer),
        T(rooms_come_change_and_go),
        T(the_administrator_may_ask_too),
        T(wrong_requests_are_refused),
        T(creating_needs_a_credential),
        T(tokens_are_listed),
        T(permanent_rooms_are_saved),
        T(rooms_are_there_from_the_start),
        T(bad_configuration_keeps_the_server_from_starting),
        T(ids_can_be_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
