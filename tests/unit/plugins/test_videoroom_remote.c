/* Streams from other machines: remote publishers. */
#include "videoroom_test.h"
#include <errno.h>
#include <sluice/codec.h>

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"

#define ADD(more)    "{'request':'add_remote_publisher','room':1" more "}"
#define ONE_AUDIO    ",'streams':[{'mid':'x','mindex':4,'type':'audio','codec':'opus'}]"
#define ITEM(item)   ",'streams':[{" item "}]"
#define UPDATE(more) "{'request':'update_remote_publisher','room':1,'id':3" more "}"

static void remote_publisher_errors(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *text;
    } v[] = {
        { ADD(""), 429, "Missing mandatory element (streams)" },
        { ADD(",'streams':[]"), 430, "Invalid element (streams should not be empty)" },
        { ADD(",'streams':[1]"), 430, "Invalid element type (streams should hold objects)" },
        { ADD(ITEM("")), 429, "Missing mandatory element (mid)" },
        { ADD(ITEM("'mid':'0'")), 429, "Missing mandatory element (mindex)" },
        { ADD(ITEM("'mid':'0','mindex':0")), 429, "Missing mandatory element (type)" },
        { ADD(ITEM("'mid':'0','mindex':256,'type':'audio'")), 430, "Invalid element (mindex)" },
        { ADD(ITEM("'mid':'0','mindex':0,'type':'text'")), 430, "Invalid element (type)" },
        { ADD(ITEM("'mid':'0','mindex':0,'type':'audio'")), 429,
          "Missing mandatory element (codec)" },
        { ADD(ITEM("'mid':'0','mindex':0,'type':'audio','codec':'vp8'")), 430,
          "Invalid element (codec)" },
        { ADD(ITEM("'mid':'0','mindex':0,'type':'audio','codec':'opus','audiolevel_ext_id':256")),
          430, "Invalid element (audiolevel_ext_id)" },
        { ADD(",'streams':[{'mid':'0','mindex':0,'type':'audio','codec':'opus'},"
              "{'mid':'1','mindex':0,'type':'audio','codec':'opus'}]"),
          430, "Invalid element (mindex is there twice)" },
        { ADD(",'id':2" ONE_AUDIO), 436, "User ID 2 already exists" },
        { ADD(",'id':'x'" ONE_AUDIO), 430,
          "Invalid element type (id should be a positive integer)" },
        { ADD(",'port':65536" ONE_AUDIO), 430, "Invalid element (port)" },
        { ADD(",'srtp_suite':1" ONE_AUDIO), 430,
          "Invalid element (srtp_suite should be 32 or 80)" },
        { ADD(",'srtp_suite':80,'srtp_crypto':'x'" ONE_AUDIO), 430,
          "Invalid element (mcast, iface or srtp_crypto)" },
        { ADD(",'display':1" ONE_AUDIO), 430, "Invalid element type (display should be a string)" },
        { "{'request':'remove_remote_publisher','room':1,'id':2}", 428, "No such feed (2)" },
        { "{'request':'remove_remote_publisher','room':1,'id':9}", 428, "No such feed (9)" },
        { "{'request':'update_remote_publisher','room':1,'id':2}", 428, "No such feed (2)" },
        { UPDATE(""), 429, "Missing mandatory element (streams)" },
        { UPDATE(ITEM("'mid':'x','mindex':4,'type':'video'")), 430,
          "Invalid element (type can't change)" },
        { "{'request':'kick','room':1,'id':3}", 428, "No such user 3 in room 1" },
    };
    const sl_hid h = (room_make(""), mock_attach());

    (void)state;
    (void)joined(2);
    mock_call(h, ADD(",'id':3" ONE_AUDIO),
              "{'videoroom':'success','room':1,'id':3,'port':10000,'rtcp_port':10001}");
    for (size_t i = 0; i < COUNT(v); i++)
        call_error(h, v[i].body, v[i].code, v[i].text);
    mock_endpoint_fails(-EADDRINUSE);
    call_error(h, ADD(",'id':8,'port':5" ONE_AUDIO), 499,
               "Could not open UDP socket for remote publisher: in use");
    mock_endpoint_fails(-EMFILE);
    call_error(h, ADD(",'id':8" ONE_AUDIO), 499, "Could not open UDP socket for remote publisher");
    mock_call(h, "{'request':'listparticipants','room':1}",
              "{'videoroom':'participants','room':1,'participants':[{'id':2,'display':'P2',"
              "'publisher':false},{'id':3,'remote':true,'publisher':true}]}");
    assert_int_equal(mock_endpoints_alive(), 1);
}

static void a_remote_publisher_is_a_publisher_like_others(void **state)
{
    const sl_hid a = (room_make(",'audiolevel_event':true"), joined(2));
    const struct mock_endpoint *e;
    sl_hid s;

    (void)state;
    mock_call(mock_attach(),
              ADD(",'id':3,'display':'Far','metadata':{'k':1},'iface':'127.0.0.1','port':7000,"
                  "'rtcp_port':7001,'srtp_suite':80,'srtp_crypto':'" KEY "','streams':["
                  "{'mid':'x','mindex':4,'type':'audio','codec':'opus','fec':true,'stereo':true,"
                  "'description':'mic','audiolevel_ext_id':1},"
                  "{'mid':'y','mindex':6,'type':'video','codec':'h264','h264_profile':'42e01f',"
                  "'simulcast':true,'videoorient_ext_id':3,'playoutdelay_ext_id':6},"
                  "{'mid':'z','mindex':7,'type':'video','disabled':true},"
                  "{'mid':'d','mindex':8,'type':'data'}]"),
              "{'videoroom':'success','room':1,'id':3,'ip':'127.0.0.1','port':7000,"
              "'rtcp_port':7001}");
    mock_expect(a, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':3,'display':'Far',"
                "'metadata':{'k':1},'audio_codec':'opus','video_codec':'h264','streams':["
                "{'type':'audio','mindex':0,'mid':'0','description':'mic','codec':'opus',"
                "'stereo':true,'fec':true,'talking':false},"
                "{'type':'video','mindex':1,'mid':'1','codec':'h264','h264_profile':'42e01f',"
                "'simulcast':true},"
                "{'type':'video','mindex':2,'mid':'2','disabled':true},"
                "{'type':'data','mindex':3,'mid':'3'}],'talking':false}]}",
                NONE);
    e = mock_endpoint(0);
    assert_int_equal(e->conf.srtp_suite, 80);
    assert_int_equal(e->nlines, 4);
    assert_int_equal(e->wire[0], 4);
    assert_int_equal(e->wire[1], 6);
    assert_int_equal(e->rlines[1].want.nlayers, 3);
    assert_int_equal(e->rlines[1].want.ext_id[SL_EXT_VIDEO_ORIENTATION], 3);
    assert_int_equal(e->rlines[2].want.dir, SL_DIR_INACTIVE);
    assert_int_equal(e->rlines[0].talk_packets, 100);
    assert_true(sl_fmtp_has(e->rlines[0].codec.fmtp, "stereo", "1"));
    assert_true(sl_fmtp_has(e->rlines[1].codec.fmtp, "profile-level-id", "42e01f"));
    /* Subscribed to, moderated, heard talking, forwarded on. */
    s = subscribed("[{'feed':3,'mid':'0'}]");
    assert_true(mock_route(s, 0)->active);
    assert_int_equal(mock_route(s, 0)->from.handle, mock_endpoint_id(0));
    mock_call(mock_attach(), "{'request':'moderate','room':1,'id':3,'mid':'0','mute':true}",
              "{'videoroom':'success'}");
    assert_true(e->rlines[0].closed);
    mock_skip(a);
    mock_remote_talking(0, 0, true, 12.5);
    mock_expect(a, 0,
                "{'videoroom':'talking','room':1,'id':3,'mindex':0,'mid':'0',"
                "'audio-level-dBov-avg':12.5}",
                NONE);
    mock_call(mock_attach(),
              "{'request':'rtp_forward','room':1,'publisher_id':3,'host':'10.0.0.1','streams':["
              "{'mid':'1','port':5000,'simulcast':true}]}",
              "{'videoroom':'rtp_forward','room':1,'publisher_id':3,'forwarders':[{"
              "'stream_id':'*','host':'10.0.0.1','port':5000,'type':'video'}]}");
    assert_int_equal(mock_endpoint(1)->lines[0].from.handle, mock_endpoint_id(0));
    mock_skip(0);
    mock_call(mock_attach(), "{'request':'remove_remote_publisher','room':1,'id':3}",
              "{'videoroom':'success'}");
    mock_expect(a, 0,
                "{'videoroom':'event','room':1,'unpublished':3,'display':'Far',"
                "'metadata':{'k':1}}",
                NONE);
    mock_expect(a, 0,
                "{'videoroom':'event','room':1,'leaving':3,'display':'Far','metadata':{'k':1}}",
                NONE);
    assert_int_equal(mock_endpoints_alive(), 0);
    assert_false(mock_route(s, 0)->active);
}

static void updates_change_and_append_streams(void **state)
{
    const sl_hid a = (room_make(""), joined(2)), h = mock_attach();
    const struct mock_endpoint *e;

    (void)state;
    mock_call(h, ADD(",'id':3,'display':'Far'" ONE_AUDIO),
              "{'videoroom':'success','room':1,'id':3,'port':'*','rtcp_port':'*'}");
    mock_skip(0);
    e = mock_endpoint(0);
    mock_call(h, UPDATE(",'display':'Near'" ITEM("'mid':'x','mindex':4,'type':'audio'")),
              "{'videoroom':'success'}");
    mock_expect_nothing(a);
    mock_call(h,
              UPDATE(",'streams':[{'mid':'x','mindex':4,'type':'audio','description':'new'},"
                     "{'mid':'y','mindex':5,'type':'video','codec':'vp9','vp9_profile':'2',"
                     "'svc':true}]"),
              "{'videoroom':'success'}");
    mock_expect(a, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':3,'display':'Near',"
                "'audio_codec':'opus','video_codec':'vp9','streams':["
                "{'type':'audio','mindex':0,'mid':'0','description':'new','codec':'opus'},"
                "{'type':'video','mindex':1,'mid':'1','codec':'vp9','vp9_profile':'2',"
                "'svc':true}]}]}",
                NONE);
    assert_int_equal(e->nlines, 2);
    assert_int_equal(e->wire[1], 5);
    assert_true(e->rlines[1].want.svc[0] != '\0');
    mock_call(h, UPDATE(ITEM("'mid':'y','mindex':5,'type':'video','disabled':true")),
              "{'videoroom':'success'}");
    mock_expect(a, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':3,'display':'Near',"
                "'audio_codec':'opus','streams':["
                "{'type':'audio','mindex':0,'mid':'0','description':'new','codec':'opus'},"
                "{'type':'video','mindex':1,'mid':'1','disabled':true}]}]}",
                NONE);
    assert_int_equal(e->rlines[1].want.dir, SL_DIR_INACTIVE);
    mock_call(h,
              UPDATE(",'metadata':{'k':2}" ITEM("'mid':'y','mindex':5,'type':'video',"
                                                "'codec':'vp9','disabled':false")),
              "{'videoroom':'success'}");
    mock_expect(a, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':3,'display':'Near',"
                "'metadata':{'k':2},'audio_codec':'opus','video_codec':'vp9','streams':'*'}]}",
                NONE);
    mock_call(h, "{'request':'destroy','room':1}",
              "{'videoroom':'destroyed','room':1,'permanent':false}");
    assert_int_equal(mock_endpoints_alive(), 0);
}

/* What another server sends reaches subscribers and forwarders here. */
static void data_of_a_remote_publisher_is_relayed(void **state)
{
    const sl_hid h = (room_make(""), mock_attach());
    sl_hid s;

    (void)state;
    mock_call(h,
              ADD(",'id':3,'streams':[{'mid':'a','mindex':0,'type':'audio','codec':'opus'},"
                  "{'mid':'d','mindex':7,'type':'data'}]"),
              "{'videoroom':'success','room':1,'id':3,'port':'*','rtcp_port':'*'}");
    assert_int_equal(mock_endpoint(0)->wire[1], 7);
    assert_int_equal(mock_endpoint(0)->rlines[1].want.kind, SL_KIND_DATA);
    assert_int_equal(mock_endpoint(0)->rlines[1].want.dir, SL_DIR_RECV);
    s = subscribed("[{'feed':3}]");
    mock_call(h,
              "{'request':'rtp_forward','room':1,'publisher_id':3,'host':'10.0.0.1','streams':["
              "{'mid':'1','port':5000}]}",
              "{'videoroom':'rtp_forward','room':1,'publisher_id':3,'forwarders':[{"
              "'stream_id':'*','host':'10.0.0.1','port':5000,'type':'data'}]}");
    mock_remote_data(0, 1, false, "far");
    mock_expect_data(s, "3||far");
    assert_string_equal(mock_forwarded(1), "0|far");
    mock_remote_data(0, 1, true, "bytes");
    mock_expect_data(s, "3||binary|bytes");
    mock_call(h, UPDATE(ITEM("'mid':'d','mindex':7,'type':'data','disabled':true")),
              "{'videoroom':'success'}");
    mock_remote_data(0, 1, false, "off");
    assert_int_equal(mock_ndata(s), 0);
    assert_int_equal(mock_endpoint(0)->rlines[1].want.dir, SL_DIR_INACTIVE);
}

/* What the sending server tells can be handed in at the other one. */
static void layers_are_read_at_both_servers(void **state)
{
    static const char streams[] =
        "'streams':[{'type':'video','mindex':0,'mid':'v','codec':'av1','svc':true,"
        "'videoorient_ext_id':9,'playoutdelay_ext_id':8,'depdesc_ext_id':11}]";
    const sl_hid h = (room_make(",'videocodec':'av1'"), mock_attach());
    const struct mock_endpoint *e;
    char body[512], want[512];

    (void)state;
    (void)publishing(2, MOCK_OFFER("video v av1 svc=L3T3"));
    snprintf(want, sizeof(want), "{'videoroom':'success','room':1,'id':2,'remote_id':'r',%s}",
             streams);
    mock_call(h,
              "{'request':'publish_remotely','room':1,'publisher_id':2,'remote_id':'r',"
              "'port':5000,'host':'10.0.0.2'}",
              want);
    snprintf(body, sizeof(body), ADD(",'id':3,%s"), streams);
    mock_call(h, body, "{'videoroom':'success','room':1,'id':3,'port':'*','rtcp_port':'*'}");
    e = mock_endpoint(1);
    assert_int_equal(e->rlines[0].want.ext_id[SL_EXT_DEPENDENCY_DESCRIPTOR], 11);
    assert_true(e->rlines[0].want.svc[0] != '\0');
}

static void a_publisher_has_sixteen_recipients_at_most(void **state)
{
    const sl_hid h = (room_make(""), mock_attach());
    char body[200];

    (void)state;
    (void)publishing(2, MOCK_OFFER("audio a opus"));
    for (int i = 0; i <= 16; i++) {
        snprintf(body, sizeof(body),
                 "{'request':'publish_remotely','room':1,'publisher_id':2,'remote_id':'r%d',"
                 "'host':'10.0.0.2','port':5000}",
                 i);
        if (i < 16)
            json_decref(mock_call_json(h, body));
    }
    call_error(h, body, 499, "Too many remotizations of one publisher");
    assert_int_equal(mock_endpoints_alive(), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(remote_publisher_errors),           T(a_remote_publisher_is_a_publisher_like_others),
        T(updates_change_and_append_streams), T(data_of_a_remote_publisher_is_relayed),
        T(layers_are_read_at_both_servers),   T(a_publisher_has_sixteen_recipients_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
