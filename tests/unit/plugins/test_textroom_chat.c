/* TextRoom: who is in a room, and what is said, over the data channel. */
#include "textroom_test.h"

#define JOIN(name)          "{'textroom':'join','transaction':'t','room':1,'username':'" name "'}"
#define SAY(text)           "{'textroom':'message','transaction':'t','room':1,'text':'" text "'}"
#define MESSAGE(from, text) EVENT("message", "'from':'" from "'," DATE ",'text':'" text "'")

static void members_come_and_go(void **state)
{
    sl_hid alice, bob;

    (void)state;
    room_make("");
    alice = connected();
    bob = connected();
    says(alice, "{'textroom':'join','transaction':'t','room':1,'username':'alice','display':'A'}");
    hears(alice, EVENT("join", "'username':'alice','display':'A'"));
    hears(alice, SUCCESS_("'participants':[]"));
    says(bob, JOIN("bob"));
    hears(bob, EVENT("join", "'username':'bob'"));
    hears(bob, SUCCESS_("'participants':[{'username':'alice','display':'A'}]"));
    hears(alice, EVENT("join", "'username':'bob'"));
    asks(bob, "{'textroom':'listparticipants','transaction':'t','room':1}",
         SUCCESS_(
             "'room':1,'participants':[{'username':'alice','display':'A'},{'username':'bob'}]"));
    mock_query(bob, "{'setup':true,'queued-bytes':0,'rooms':[{'room':1,'username':'bob'}]}");
    says(alice, "{'textroom':'leave','transaction':'t','room':1}");
    hears(alice, EVENT("leave", "'username':'alice'"));
    hears(alice, SUCCESS);
    hears(bob, EVENT("leave", "'username':'alice'"));
    asks(alice, "{'textroom':'leave','transaction':'t','room':1}",
         DATA_ERROR(422, "Not in room 1"));
    hears_nothing(bob);
    assert_int_equal(mock_notified("join"), 2);
    assert_int_equal(mock_notified("leave"), 1);
}

static void the_end_of_a_connection_leaves_all_rooms(void **state)
{
    sl_hid alice, bob;

    (void)state;
    room_make("");
    mock_call(mock_attach(), "{'request':'create','room':2}",
              "{'textroom':'created','room':2,'permanent':false}");
    alice = joined("alice");
    bob = joined("bob");
    says(bob, "{'textroom':'join','transaction':'t','room':2,'username':'bob'}");
    silence(bob);
    mock_down(bob, "DTLS alert");
    hears(alice, EVENT("leave", "'username':'bob'"));
    mock_call(mock_attach(), "{'request':'listparticipants','room':2}",
              "{'textroom':'success','room':2,'participants':[]}");
    bob = joined("bob");
    mock_detach(bob);
    hears(alice, EVENT("leave", "'username':'bob'"));
    hears_nothing(alice);
}

static void everybody_hears_a_message(void **state)
{
    sl_hid alice, bob;

    (void)state;
    room_make("");
    alice = joined("alice");
    bob = joined("bob");
    says(alice, SAY("hi"));
    hears(alice, MESSAGE("alice", "hi")); /* the sender, too */
    hears(alice, SUCCESS);
    hears(bob, MESSAGE("alice", "hi"));
    says(bob, "{'textroom':'message','transaction':'t','room':1,'text':'','ack':false}");
    hears(bob, MESSAGE("bob", ""));
    hears_nothing(bob); /* no answer was wanted */
    hears(alice, MESSAGE("bob", ""));
}

static void dates_are_iso_8601(void **state)
{
    const char *date;
    json_t *event;
    sl_hid alice;

    (void)state;
    room_make("");
    alice = joined("alice");
    says(alice, SAY("hi"));
    event = json_loads(strchr(mock_handle(alice)->data->text, '{'), 0, NULL);
    date = json_string_value(json_object_get(event, "date"));
    assert_int_equal(strlen(date), strlen("2026-11-20T09:15:00+0000"));
    assert_int_equal(date[10], 'T');
    assert_string_equal(date + 19, "+0000");
    json_decref(event);
}

static void whispers_reach_their_addressees(void **state)
{
#define WHISPER(text) EVENT("message", "'from':'alice'," DATE ",'text':'" text "','whisper':true")
    sl_hid alice, bob, carol;

    (void)state;
    room_make(",'history':10");
    alice = joined("alice");
    bob = joined("bob");
    carol = joined("carol");
    asks(alice, "{'textroom':'message','transaction':'t','room':1,'text':'psst','to':'bob'}",
         SUCCESS_("'sent':{'bob':true}"));
    hears(bob, WHISPER("psst"));
    asks(alice,
         "{'textroom':'message','transaction':'t','room':1,'text':'hm','tos':['bob','zed','bob',"
         "'carol']}",
         SUCCESS_("'sent':{'bob':true,'zed':false,'carol':true}"));
    hears(bob, WHISPER("hm"));
    hears(carol, WHISPER("hm"));
    hears_nothing(bob);
    asks(alice, "{'textroom':'message','transaction':'t','room':1,'text':'x','to':'zed'}",
         SUCCESS_("'sent':{'zed':false}"));
    asks(alice, "{'textroom':'message','transaction':'t','room':1,'text':'x','to':'b','tos':['c']}",
         DATA_ERROR(414, "Invalid element (to and tos exclude each other)"));
    hears_nothing(carol);
    /* And nobody later. */
    says(connected(), JOIN("dora"));
    hears(5, EVENT("join", "'username':'dora'"));
}

static void history_comes_before_the_joiner(void **state)
{
    sl_hid alice, bob;

    (void)state;
    room_make(",'history':2");
    alice = joined("alice");
    says(alice, SAY("1"));
    says(alice, SAY("2"));
    says(alice, "{'textroom':'announcement','transaction':'t','room':1,'text':'all'}");
    silence(alice);
    bob = connected();
    says(bob, JOIN("bob"));
    hears(bob, EVENT("message", "'from':'alice'," DATE ",'text':'2','display':'D alice'"));
    hears(bob, EVENT("announcement", DATE ",'text':'all'"));
    hears(bob, EVENT("join", "'username':'bob'"));
    hears(bob, SUCCESS_("'participants':'*'"));
    says(bob, "{'textroom':'leave','transaction':'t','room':1}");
    silence(bob);
    says(bob, "{'textroom':'join','transaction':'t','room':1,'username':'bob','history':false}");
    hears(bob, EVENT("join", "'username':'bob'"));
}

static void history_is_bounded_in_bytes(void **state)
{
    const size_t len = 200000;
    char *text = malloc(len + 100);
    sl_hid alice, bob;
    size_t n;

    (void)state;
    room_make(",'history':1000");
    alice = joined("alice");
    n = (size_t)sprintf(text,
                        "{\"textroom\":\"message\",\"transaction\":\"t\",\"room\":1,\"text\":\"");
    memset(text + n, 'x', len);
    strcpy(text + n + len, "\"}");
    for (int i = 0; i < 30; i++) {
        mock_data(alice, "JanusDataChannel", "", false, text, strlen(text));
        silence(alice);
    }
    free(text);
    bob = connected();
    says(bob, JOIN("bob"));
    assert_int_equal(mock_ndata(bob), 20 + 2); /* 4 MiB of 6 */
}

static void announcements_reach_all(void **state)
{
    const sl_hid h = mock_attach();
    sl_hid alice;

    (void)state;
    room_make(",'secret':'s'");
    alice = joined("alice");
    mock_call(h, "{'request':'announcement','room':1,'secret':'s','text':'hear'}",
              "{'textroom':'success'}");
    hears(alice, EVENT("announcement", DATE ",'text':'hear'"));
    asks(alice, "{'textroom':'announcement','transaction':'t','room':1,'text':'x'}",
         DATA_ERROR(413, "Missing mandatory element (secret)"));
}

static void kicked_users_hear_of_it(void **state)
{
    sl_hid alice, bob;

    (void)state;
    room_make("");
    alice = joined("alice");
    bob = joined("bob");
    says(alice, "{'textroom':'kick','transaction':'t','room':1,'username':'bob'}");
    hears(alice, EVENT("kicked", "'username':'bob'"));
    hears(alice, SUCCESS);
    hears(bob, EVENT("kicked", "'username':'bob'"));
    asks(bob, SAY("x"), DATA_ERROR(422, "Not in room 1"));
    hears_nothing(alice);
    says(bob, JOIN("bob")); /* may come back */
    hears(bob, EVENT("join", "'username':'bob'"));
    assert_int_equal(mock_notified("textroom:kicked"), 1);
}

static void destroyed_rooms_tell_members_and_who_asked(void **state)
{
    sl_hid alice, bob;

    (void)state;
    room_make("");
    alice = joined("alice");
    bob = connected();
    says(bob, "{'textroom':'destroy','transaction':'t','room':1}");
    hears(bob, "{'textroom':'destroyed','room':1}");
    hears(bob, SUCCESS_("'room':1,'permanent':false"));
    hears(alice, "{'textroom':'destroyed','room':1}");
    asks(alice, SAY("x"), DATA_ERROR(417, "No such room (1)"));
    mock_query(alice, "{'setup':true,'queued-bytes':0,'rooms':[]}");
    room_make("");
    alice = joined("alice");
    says(alice, "{'textroom':'destroy','transaction':'t','room':1}");
    hears(alice, "{'textroom':'destroyed','room':1}");
    hears(alice, SUCCESS_("'room':1,'permanent':false")); /* once */
}

static void management_works_over_the_channel(void **state)
{
    const sl_hid h = connected();

    (void)state;
    asks(h, "{'textroom':'create','transaction':'t','room':3,'description':'D'}",
         SUCCESS_("'room':3,'permanent':false"));
    asks(h, "{'textroom':'edit','transaction':'t','room':3,'new_description':'E'}",
         SUCCESS_("'room':3,'permanent':false"));
    asks(h, "{'textroom':'list','transaction':'t'}",
         SUCCESS_("'list':[{'room':3,'description':'E','pin_required':false,'num_participants':0,"
                  "'history':0}]"));
    asks(h, "{'textroom':'exists','transaction':'t','room':3}", SUCCESS_("'room':3,'exists':true"));
    asks(h, "{'textroom':'allowed','transaction':'t','room':3,'action':'enable'}",
         SUCCESS_("'room':3,'allowed':[]"));
}

static void doors_have_pins_and_lists(void **state)
{
    static const struct {
        const char *more, *want;
    } v[] = {
        { "", DATA_ERROR(413, "Missing mandatory element (pin)") },
        { ",'pin':1", DATA_ERROR(414, "Invalid element type (pin should be a string)") },
        { ",'pin':'x'", DATA_ERROR(419, "Unauthorized (wrong pin)") },
        { ",'pin':'p'", DATA_ERROR(419, "Unauthorized (not in the allowed list)") },
        { ",'pin':'p','token':'x'", DATA_ERROR(419, "Unauthorized (not in the allowed list)") },
        { ",'pin':'p','token':1",
          DATA_ERROR(414, "Invalid element type (token should be a string)") },
        { ",'pin':'p','token':'a'", EVENT("join", "'username':'al'") },
    };
    const sl_hid h = connected();

    (void)state;
    room_make(",'pin':'p','allowed':['a']");
    for (size_t i = 0; i < COUNT(v); i++) {
        char text[200];

        snprintf(text, sizeof(text),
                 "{'textroom':'join','transaction':'t','room':1,'username':'al'%s}", v[i].more);
        asks(h, text, v[i].want);
    }
}

static void wrong_requests_are_refused(void **state)
{
    static const struct {
        const char *text, *want;
    } v[] = {
        { "{'textroom':'list'}",
          ERROR(413, "Missing mandatory element (transaction)") }, /* has no transaction */
        { "[]", ERROR(413, "Missing mandatory element (transaction)") },
        { "{'textroom':'list','transaction':1}",
          ERROR(414, "Invalid element type (transaction should be a string)") },
        { "{'transaction':'t'}", DATA_ERROR(413, "Missing mandatory element (textroom)") },
        { "{'textroom':1,'transaction':'t'}",
          DATA_ERROR(414, "Invalid element type (textroom should be a string)") },
        { "{'textroom':'dance','transaction':'t'}", DATA_ERROR(415, "Unsupported request dance") },
        { "{'textroom':'join','transaction':'t'}",
          DATA_ERROR(413, "Missing mandatory element (room)") },
        { "{'textroom':'join','transaction':'t','room':9}", DATA_ERROR(417, "No such room (9)") },
        { "{'textroom':'join','transaction':'t','room':1}",
          DATA_ERROR(413, "Missing mandatory element (username)") },
        { "{'textroom':'join','transaction':'t','room':1,'username':''}",
          DATA_ERROR(414, "Invalid element (username should have 1 to 255 bytes)") },
        { "{'textroom':'join','transaction':'t','room':1,'username':'x','pin':1}",
          DATA_ERROR(414, "Invalid element type (pin should be a string)") },
        { "{'textroom':'join','transaction':'t','room':1,'username':'x','display':1}",
          DATA_ERROR(414, "Invalid element type (display should be a string)") },
        { "{'textroom':'join','transaction':'t','room':1,'username':'x','history':1}",
          DATA_ERROR(414, "Invalid element type (history should be a boolean)") },
        { "{'textroom':'join','transaction':'t','room':1,'username':'bob'}",
          DATA_ERROR(420, "Username already taken") },
        { SAY("x"), DATA_ERROR(422, "Not in room 1") },
        { "{'textroom':'message','transaction':'t','room':1}",
          DATA_ERROR(413, "Missing mandatory element (text)") },
        { "{'textroom':'message','transaction':'t','room':1,'text':1}",
          DATA_ERROR(414, "Invalid element type (text should be a string)") },
        { "{'textroom':'message','transaction':'t','room':1,'text':'x','to':1}",
          DATA_ERROR(414, "Invalid element type (to should be a string)") },
        { "{'textroom':'message','transaction':'t','room':1,'text':'x','tos':[1]}",
          DATA_ERROR(414, "Invalid element type (tos should hold strings)") },
        { "{'textroom':'message','transaction':'t','room':1,'text':'x','ack':1}",
          DATA_ERROR(414, "Invalid element type (ack should be a boolean)") },
        { "{'textroom':'message','transaction':'t','room':9,'text':'x'}",
          DATA_ERROR(417, "No such room (9)") },
        { "{'textroom':'kick','transaction':'t','room':1,'username':'zed'}",
          DATA_ERROR(423, "No such user zed in room 1") },
    };
    char many[2000];
    size_t n;
    sl_hid h, bob;

    (void)state;
    room_make("");
    bob = joined("bob");
    h = connected();
    for (size_t i = 0; i < COUNT(v); i++)
        asks(h, v[i].text, v[i].want);
    asks(bob, JOIN("other"), DATA_ERROR(421, "Already in room 1"));
    hears_nothing(h);
    n = (size_t)snprintf(many, sizeof(many), "%s",
                         "{'textroom':'message','transaction':'t',"
                         "'room':2,'text':'x','tos':['a'");
    for (int k = 1; k <= 256; k++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, ",'a'");
    snprintf(many + n, sizeof(many) - n, "]}");
    mock_call(mock_attach(), "{'request':'create','room':2}",
              "{'textroom':'created','room':2,'permanent':false}");
    asks(h, "{'textroom':'join','transaction':'t','room':2,'username':'al'}",
         "{'textroom':'join','room':2,'username':'al'}");
    silence(h);
    asks(h, many, DATA_ERROR(414, "Invalid element (tos should not hold more than 256)"));
}

static void what_is_no_request_is_ignored(void **state)
{
    const sl_hid h = connected();
    static const char list[] = "{\"textroom\":\"list\",\"transaction\":\"t\"}";

    (void)state;
    mock_data(h, "JanusDataChannel", "", true, list, sizeof(list) - 1); /* binary */
    says(h, "hello");
    says(h, "{");
    says(h, "");
    mock_data(h, "JanusDataChannel", "", false, "{\"a\":\"\xff\"}", 9);
    hears_nothing(h);
    /* On any channel; the answer comes on the known one. */
    mock_data(h, "other", "p", false, list, sizeof(list) - 1);
    hears(h, SUCCESS_("'list':[]"));
}

static void messages_wait_for_a_slow_client(void **state)
{
    sl_hid alice, bob;

    (void)state;
    room_make("");
    alice = joined("alice");
    bob = joined("bob");
    mock_data_full(bob, true);
    says(alice, SAY("1"));
    says(alice, SAY("2"));
    hears_nothing(bob);
    mock_data_full(bob, false);
    hears(bob, MESSAGE("alice", "1"));
    hears(bob, MESSAGE("alice", "2"));
    mock_query(bob, "{'setup':true,'queued-bytes':0,'rooms':'*'}");
}

static void a_client_that_does_not_read_is_closed(void **state)
{
    const size_t len = 200000;
    char *text = malloc(len + 100);
    sl_hid alice, bob;
    size_t n;

    (void)state;
    room_make("");
    alice = joined("alice");
    bob = joined("bob");
    mock_data_full(bob, true);
    n = (size_t)sprintf(text,
                        "{\"textroom\":\"message\",\"transaction\":\"t\",\"room\":1,\"text\":\"");
    memset(text + n, 'x', len);
    strcpy(text + n + len, "\"}");
    for (int i = 0; i < 50; i++)
        mock_data(alice, "JanusDataChannel", "", false, text, strlen(text));
    free(text);
    mock_expect_hangup(bob, "Too many messages wait for the client");
    mock_expect_nothing(bob);
    silence(alice);
    asks(alice, "{'textroom':'listparticipants','transaction':'t','room':1}",
         SUCCESS_("'room':1,'participants':[{'username':'alice','display':'D alice'}]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(members_come_and_go),
        T(the_end_of_a_connection_leaves_all_rooms),
        T(everybody_hears_a_message),
        T(dates_are_iso_8601),
        T(whispers_reach_their_addressees),
        T(history_comes_before_the_joiner),
        T(history_is_bounded_in_bytes),
        T(announcements_reach_all),
        T(kicked_users_hear_of_it),
        T(destroyed_rooms_tell_members_and_who_asked),
        T(management_works_over_the_channel),
        T(doors_have_pins_and_lists),
        T(wrong_requests_are_refused),
        T(what_is_no_request_is_ignored),
        T(messages_wait_for_a_slow_client),
        T(a_client_that_does_not_read_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
