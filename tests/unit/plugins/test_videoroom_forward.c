/* Streams to and from other machines: forwarders, remotizations, remote publishers. */
#include "videoroom_test.h"
#include <errno.h>
#include <sluice/codec.h>

#define KEY       "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define SIM_OFFER MOCK_OFFER("audio a opus", "video v vp8 sim", "video w vp8")

/* ---- forwarders ------------------------------------------------------------------------------ */

static void forward_errors(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *text;
    } v[] = {
        { "{'request':'rtp_forward'}", 429, "Missing mandatory element (room)" },
        { "{'request':'rtp_forward','room':9}", 426, "No such room (9)" },
        { "{'request':'rtp_forward','room':1}", 429, "Missing mandatory element (secret)" },
        { "{'request':'rtp_forward','room':1,'secret':'x'}", 433, "Unauthorized (wrong secret)" },
        { "{'request':'rtp_forward','room':1,'secret':'s'}", 429,
          "Missing mandatory element (publisher_id)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':5}", 428,
          "No such feed (5)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'streams':{}}", 430,
          "Invalid element type (streams should be an array)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'streams':[1]}", 430,
          "Invalid element type (streams should hold objects)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'streams':[{}]}", 429,
          "Missing mandatory element (mid)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,"
          "'streams':[{'mid':'a'}]}",
          429, "Missing mandatory element (port)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,"
          "'streams':[{'mid':'a','port':1}]}",
          429, "Missing mandatory element (host)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'streams':[{'mid':'a','port':0}]}",
          430, "Invalid element (port)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'streams':[{'mid':'a','port':65536}]}",
          430, "Invalid element (port)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'streams':[{'mid':'a','port':1,'rtcp_port':70000}]}",
          430, "Invalid element (rtcp_port)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'streams':[{'mid':'a','port':1,'pt':128}]}",
          430, "Invalid element (pt)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'host_family':'x','streams':[{'mid':'a','port':1}]}",
          430, "Invalid element (host_family should be ipv4 or ipv6)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'host_family':'ipv6','streams':[{'mid':'a','port':1}]}",
          430, "Invalid element (host cannot be resolved)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'srtp_suite':31,'streams':[]}",
          430, "Invalid element (srtp_suite should be 32 or 80)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'srtp_suite':80,'streams':[]}",
          429, "Missing mandatory element (srtp_crypto)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'srtp_suite':80,'srtp_crypto':'x','streams':[{'mid':'a','port':1}]}",
          430, "Invalid element (host, port or srtp_crypto)" },
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2}", 429,
          "Missing mandatory element (host)" },
        { "{'request':'stop_rtp_forward','room':1,'secret':'s','publisher_id':2}", 429,
          "Missing mandatory element (stream_id)" },
        { "{'request':'stop_rtp_forward','room':1,'secret':'s','publisher_id':2,'stream_id':77}",
          428, "No such stream (77)" },
        { "{'request':'stop_rtp_forward','room':1,'secret':'s','publisher_id':2,"
          "'stream_id':4294967297}",
          428, "No such stream (4294967297)" },
        { "{'request':'listforwarders','room':1}", 429, "Missing mandatory element (secret)" },
    };
    sl_hid h;

    (void)state;
    room_make(",'secret':'s','publishers':9");
    (void)publishing(2, SIM_OFFER);
    h = mock_attach();
    for (size_t i = 0; i < COUNT(v); i++)
        call_error(h, v[i].body, v[i].code, v[i].text);
    assert_int_equal(mock_endpoints_alive(), 0);
    mock_endpoint_fails(-EMFILE);
    call_error(h,
               "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
               "'streams':[{'mid':'a','port':1}]}",
               499, "Could not open a forwarder");
}

static void streams_are_forwarded_listed_and_stopped(void **state)
{
    const sl_hid p = (room_make(",'publishers':9"), publishing(2, SIM_OFFER));
    const struct mock_endpoint *e;
    char body[200];
    json_int_t id;
    json_t *reply;

    (void)state;
    reply = mock_call_json(
        mock_attach(),
        "{'request':'rtp_forward','room':1,'publisher_id':2,'host':'10.0.0.1','streams':["
        "{'mid':'a','port':5000,'pt':100,'ssrc':7,'rtcp_port':5001},{'mid':'nope','port':1},"
        "{'mid':'v','port':6000,'port_2':6002,'port_3':6004,'ssrc_3':9,'host':'10.0.0.2'},"
        "{'mid':'w','port':7000,'port_2':7002,'simulcast':true}]}");
    id = json_integer_value(
        json_object_get(json_array_get(json_object_get(reply, "forwarders"), 0), "stream_id"));
    json_decref(reply);
    assert_true(id > 0 && id <= UINT32_MAX);
    mock_call(mock_attach(), "{'request':'listforwarders','room':1}",
              "{'videoroom':'forwarders','room':1,'publishers':[{'publisher_id':2,'display':'P2',"
              "'forwarders':[{'stream_id':'*','host':'10.0.0.1','port':5000,'type':'audio',"
              "'pt':100,'ssrc':7,'local_rtcp_port':40000,'remote_rtcp_port':5001},"
              "{'stream_id':'*','host':'10.0.0.2','port':6000,'type':'video'},"
              "{'stream_id':'*','host':'10.0.0.2','port':6002,'type':'video','substream':1},"
              "{'stream_id':'*','host':'10.0.0.2','port':6004,'type':'video','ssrc':9,"
              "'substream':2},"
              "{'stream_id':'*','host':'10.0.0.1','port':7000,'type':'video'}]}]}");
    e = mock_endpoint(0);
    assert_string_equal(e->forward.ip, "10.0.0.1");
    assert_int_equal(e->forward.port, 5000);
    assert_int_equal(e->forward.rtcp_port, 5001);
    assert_int_equal(e->forward.near, p);
    assert_int_equal(e->nlines, 1);
    assert_int_equal(e->lines[0].from.handle, p);
    assert_int_equal(e->lines[0].from.mindex, 0);
    assert_int_equal(e->lines[0].pt, 100);
    assert_int_equal(e->lines[0].ssrc, 7);
    assert_int_equal(mock_endpoint(1)->lines[0].pt, SL_PT_NONE);
    assert_int_equal(mock_endpoint(1)->lines[0].substream, 0);
    assert_int_equal(mock_endpoint(3)->lines[0].substream, 2);
    assert_int_equal(mock_endpoint(4)->lines[0].substream, -1);
    assert_null(mock_endpoint(5));
    assert_int_equal(mock_notified("rtp_forward"), 5);
    snprintf(body, sizeof(body),
             "{'request':'stop_rtp_forward','room':1,'publisher_id':2,'stream_id':%lld}",
             (long long)id);
    reply = mock_call_json(mock_attach(), body);
    assert_string_equal(json_string_value(json_object_get(reply, "videoroom")), "stop_rtp_forward");
    assert_int_equal(json_integer_value(json_object_get(reply, "stream_id")), id);
    assert_int_equal(json_integer_value(json_object_get(reply, "publisher_id")), 2);
    json_decref(reply);
    assert_false(mock_endpoint(0)->used);
    assert_int_equal(mock_endpoints_alive(), 4);
    assert_int_equal(mock_notified("stop_rtp_forward"), 1);
    /* The rest ends with the connection. */
    mock_down(p, "test");
    assert_int_equal(mock_endpoints_alive(), 0);
}

static void the_old_form_forwards_the_first_stream_of_each_kind(void **state)
{
    (void)state;
    room_make("");
    (void)publishing(2, SIM_OFFER);
    mock_call(mock_attach(),
              "{'request':'rtp_forward','room':1,'publisher_id':2,'host':'10.0.0.1',"
              "'audio_port':5000,'video_port':6000,'video_rtcp_port':6001,'video_port_2':6002,"
              "'video_pt':99,'video_ssrc_2':8,'data_port':0}",
              "{'videoroom':'rtp_forward','room':1,'publisher_id':2,'rtp_stream':{"
              "'audio_stream_id':'*','audio':5000,'video_stream_id':'*','video':6000,"
              "'video_rtcp':6001,'video_stream_id_2':'*','video_2':6002,"
              "'warning':'deprecated_api','host':'10.0.0.1'}}");
    assert_int_equal(mock_endpoints_alive(), 3);
    assert_int_equal(mock_endpoint(1)->lines[0].pt, 99);
    assert_int_equal(mock_endpoint(1)->lines[0].from.mindex, 1);
    assert_int_equal(mock_endpoint(2)->lines[0].ssrc, 8);
}

static void srtp_keys_reach_the_core(void **state)
{
    (void)state;
    room_make("");
    (void)publishing(2, SIM_OFFER);
    mock_call(mock_attach(),
              "{'request':'rtp_forward','room':1,'publisher_id':2,'host':'::1','srtp_suite':32,"
              "'srtp_crypto':'" KEY "','streams':[{'mid':'a','port':5000}]}",
              "{'videoroom':'rtp_forward','room':1,'publisher_id':2,'forwarders':[{"
              "'stream_id':'*','host':'::1','port':5000,'type':'audio','srtp':true}]}");
    assert_int_equal(mock_endpoint(0)->forward.srtp_suite, 32);
    assert_string_equal(mock_endpoint(0)->forward.srtp_crypto, KEY);
}

static void too_many_forwarders_make_none(void **state)
{
    char body[4000];
    size_t n;

    (void)state;
    room_make("");
    (void)publishing(2, SIM_OFFER);
    n = (size_t)snprintf(body, sizeof(body),
                         "{'request':'rtp_forward','room':1,'publisher_id':2,"
                         "'host':'10.0.0.1','streams':[");
    for (int i = 0; i < 33; i++)
        n += (size_t)snprintf(body + n, sizeof(body) - n, "%s{'mid':'v','port':1,'port_2':2}",
                              i ? "," : "");
    snprintf(body + n, sizeof(body) - n, "]}");
    call_error(mock_attach(), body, 499, "Too many forwarders of one publisher");
    assert_int_equal(mock_endpoints_alive(), 0);
}

static void names_are_looked_up_and_the_answer_comes_later(void **state)
{
    static const char body[] = "{'request':'rtp_forward','room':1,'publisher_id':2,'host':'cam',"
                               "'streams':[{'mid':'a','port':5000},"
                               "{'mid':'a','port':5002,'host':'two'}]}";
    const sl_hid p = (room_make(""), publishing(2, SIM_OFFER)), h = mock_attach();
    uint64_t tx = mock_call_late(h, body);
    json_t *reply;

    (void)state;
    assert_true(mock_resolved("cam", "10.0.0.9"));
    assert_int_equal(mock_endpoints_alive(), 0);
    assert_true(mock_resolved("two", "10.0.0.8"));
    reply = mock_late(tx);
    assert_int_equal(json_array_size(json_object_get(reply, "forwarders")), 2);
    json_decref(reply);
    assert_string_equal(mock_endpoint(0)->forward.ip, "10.0.0.9");
    assert_string_equal(mock_endpoint(1)->forward.ip, "10.0.0.8");
    /* No such name; the publisher left meanwhile; the server ends meanwhile. */
    tx = mock_call_late(h, body);
    assert_true(mock_resolved("cam", NULL));
    assert_true(mock_resolved("two", "10.0.0.8"));
    error_check(mock_late(tx), 430, "Invalid element (host cannot be resolved)");
    tx = mock_call_late(h, body);
    mock_detach(p);
    assert_true(mock_resolved("cam", "10.0.0.9"));
    assert_true(mock_resolved("two", "10.0.0.8"));
    error_check(mock_late(tx), 428, "No such feed (2)");
    (void)publishing(2, SIM_OFFER);
    (void)mock_call_late(h, body);
    mock_admin("{'request':'rtp_forward','room':1,'publisher_id':2,'host':'cam',"
               "'streams':[{'mid':'a','port':5000}]}",
               "{'videoroom':'event','error_code':499,'error':'Names are not looked up for the "
               "administrator: give an address'}");
    mock_admin("{'request':'rtp_forward','room':1,'publisher_id':2,'host':'10.1.1.1',"
               "'streams':[{'mid':'a','port':5000}]}",
               "{'videoroom':'rtp_forward','room':1,'publisher_id':2,'forwarders':[{"
               "'stream_id':'*','host':'10.1.1.1','port':5000,'type':'audio'}]}");
}

static int setup_locked(void **state)
{
    (void)state;
    return mock_start(&sl_plugin, "{'general':{'admin_key':'k','lock_rtp_forward':'yes',"
                                  "'rtp_port_range':'20000-20100'},'room 1':{'secret':'s'}}");
}

static void forwarding_can_be_locked_with_the_admin_key(void **state)
{
    static const char *const requests[] = { "rtp_forward", "stop_rtp_forward", "publish_remotely" };
    const sl_hid h = mock_attach();
    char body[300];

    (void)state;
    (void)publishing(2, SIM_OFFER);
    for (size_t i = 0; i < COUNT(requests); i++) {
        snprintf(body, sizeof(body),
                 "{'request':'%s','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1'}",
                 requests[i]);
        call_error(h, body, 429, "Missing mandatory element (admin_key)");
        snprintf(body, sizeof(body),
                 "{'request':'%s','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
                 "'admin_key':'x'}",
                 requests[i]);
        call_error(h, body, 433, "Unauthorized (wrong admin_key)");
    }
    mock_call(h,
              "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'admin_key':'k',"
              "'host':'1.1.1.1','streams':[]}",
              "{'videoroom':'rtp_forward','room':1,'publisher_id':2,'forwarders':[]}");
    /* The range of the file serves remote publishers. */
    mock_call(h,
              "{'request':'add_remote_publisher','room':1,'secret':'s','id':3,'streams':["
              "{'mid':'0','mindex':0,'type':'audio','codec':'opus'}]}",
              "{'videoroom':'success','room':1,'id':3,'port':20000,'rtcp_port':20001}");
}

static void who_may_not_forward_needs_a_secret(void **state)
{
    static const char *const v[] = {
        "{'request':'rtp_forward','room':1,'publisher_id':2,'host':'1.1.1.1'}",
        "{'request':'publish_remotely','room':1,'publisher_id':2,'host':'1.1.1.1'}",
        "{'request':'add_remote_publisher','room':1}",
    };

    (void)state;
    room_make("");
    (void)publishing(2, SIM_OFFER);
    mock_set_may(false);
    for (size_t i = 0; i < COUNT(v); i++)
        call_error(mock_attach(), v[i], 433,
                   "Unauthorized (a credential or a room secret is needed)");
}

/* ---- remotization ---------------------------------------------------------------------------- */

#define REMOTELY(more) "{'request':'publish_remotely','room':1,'publisher_id':2" more "}"

static void remotization_errors(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *text;
    } v[] = {
        { REMOTELY(""), 429, "Missing mandatory element (remote_id)" },
        { REMOTELY(",'remote_id':''"), 430,
          "Invalid element type (remote_id should be a non-empty string)" },
        { REMOTELY(",'remote_id':'r'"), 429, "Missing mandatory element (port)" },
        { REMOTELY(",'remote_id':'r','port':0"), 430, "Invalid element (port)" },
        { REMOTELY(",'remote_id':'r','port':1"), 429, "Missing mandatory element (host)" },
        { REMOTELY(",'remote_id':'r','port':1,'host':'1.1.1.1','rtcp_port':66666"), 430,
          "Invalid element (rtcp_port)" },
        { REMOTELY(",'remote_id':'r','port':1,'host':'1.1.1.1','srtp_suite':80,'srtp_crypto':''"),
          430, "Invalid element (host, port or srtp_crypto)" },
        { REMOTELY(",'remote_id':'one','port':1,'host':'1.1.1.1'"), 436,
          "Remotization one already exists" },
        { "{'request':'unpublish_remotely','room':1,'publisher_id':2,'remote_id':'x'}", 428,
          "No such remotization (x)" },
        { "{'request':'unpublish_remotely','room':1,'publisher_id':2}", 429,
          "Missing mandatory element (remote_id)" },
        { "{'request':'listremotes','room':1,'publisher_id':9}", 428, "No such feed (9)" },
        { "{'request':'publish_remotely','room':1,'publisher_id':3,'remote_id':'r','port':1,"
          "'host':'1.1.1.1'}",
          430, "Can't remotize a remote publisher" },
    };
    const sl_hid h = (room_make(""), mock_attach());

    (void)state;
    (void)joined(2);
    mock_call(h, REMOTELY(",'remote_id':'one','port':1,'host':'1.1.1.1'"),
              "{'videoroom':'success','room':1,'id':2,'remote_id':'one'}");
    mock_call(h,
              "{'request':'add_remote_publisher','room':1,'id':3,'streams':["
              "{'mid':'0','mindex':0,'type':'audio','codec':'opus'}]}",
              "{'videoroom':'success','room':1,'id':3,'port':'*','rtcp_port':'*'}");
    for (size_t i = 0; i < COUNT(v); i++)
        call_error(h, v[i].body, v[i].code, v[i].text);
    assert_int_equal(mock_endpoints_alive(), 2);
}

static void present_and_future_streams_go_to_the_recipient(void **state)
{
    const sl_hid p = (room_make(""), joined(2)), h = mock_attach();
    const struct mock_endpoint *e;

    (void)state;
    mock_call(h, REMOTELY(",'remote_id':'r1','port':5000,'rtcp_port':5001,'host':'10.0.0.2'"),
              "{'videoroom':'success','room':1,'id':2,'remote_id':'r1'}");
    mock_call(h, "{'request':'listremotes','room':1,'publisher_id':2}",
              "{'videoroom':'success','room':1,'id':2,'list':[{'remote_id':'r1',"
              "'host':'10.0.0.2','port':5000,'rtcp_port':5001}]}");
    mock_call(h, "{'request':'listforwarders','room':1}",
              "{'videoroom':'forwarders','room':1,'publishers':[]}");
    e = mock_endpoint(0);
    assert_int_equal(e->nlines, 0);
    mock_send(p, "{'request':'publish'}", SIM_OFFER);
    assert_int_equal(e->nlines, 9);
    for (uint16_t i = 0; i < 9; i++) {
        const bool on = i == 0 || (i >= 3 && i <= 5) || i == 6;

        assert_int_equal(e->lines[i].ssrc, 1000 + 10 * (i / 3) + i % 3);
        assert_int_equal(e->lines[i].substream, i % 3);
        assert_int_equal(e->lines[i].pt, SL_PT_NONE);
        assert_int_equal(e->lines[i].from.handle, on ? p : 0);
        if (on)
            assert_int_equal(e->lines[i].from.mindex, i / 3);
    }
    mock_up(p);
    mock_down(p, "test"); /* it stays, and rests */
    assert_int_equal(e->nlines, 9);
    assert_int_equal(e->lines[0].from.handle, 0);
    mock_send(p, "{'request':'publish'}", MOCK_OFFER("audio a opus"));
    assert_int_equal(e->lines[0].from.handle, p);
    assert_int_equal(e->lines[3].from.handle, 0);
    mock_call(h, "{'request':'unpublish_remotely','room':1,'publisher_id':2,'remote_id':'r1'}",
              "{'videoroom':'success','room':1,'id':2}");
    assert_false(e->used);
    mock_call(h, REMOTELY(",'remote_id':'r2','port':5000,'host':'10.0.0.2'"),
              "{'videoroom':'success','room':1,'id':2,'remote_id':'r2'}");
    mock_detach(p);
    assert_int_equal(mock_endpoints_alive(), 0);
}

static void a_name_of_a_recipient_is_looked_up(void **state)
{
    const sl_hid h = (room_make(""), mock_attach());
    uint64_t a, b;

    (void)state;
    (void)joined(2);
    a = mock_call_late(h, REMOTELY(",'remote_id':'r','port':5000,'host':'b.example'"));
    b = mock_call_late(h, REMOTELY(",'remote_id':'r','port':5000,'host':'b.example'"));
    assert_true(mock_resolved("b.example", "10.0.0.3"));
    json_decref(mock_late(a));
    assert_string_equal(mock_endpoint(0)->forward.ip, "10.0.0.3");
    assert_true(mock_resolved("b.example", "10.0.0.3"));
    error_check(mock_late(b), 436, "Remotization r already exists");
}

/* ---- remote publishers ----------------------------------------------------------------------- */

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
                "{'type':'data','mindex':3,'mid':'3','disabled':true}],'talking':false}]}",
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
    mock_call(h, "{'request':'destroy','room':1}",
              "{'videoroom':'destroyed','room':1,'permanent':false}");
    assert_int_equal(mock_endpoints_alive(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(forward_errors),
        T(streams_are_forwarded_listed_and_stopped),
        T(the_old_form_forwards_the_first_stream_of_each_kind),
        T(srtp_keys_reach_the_core),
        T(too_many_forwarders_make_none),
        T(names_are_looked_up_and_the_answer_comes_later),
        cmocka_unit_test_setup_teardown(forwarding_can_be_locked_with_the_admin_key, setup_locked,
                                        teardown),
        T(who_may_not_forward_needs_a_secret),
        T(remotization_errors),
        T(present_and_future_streams_go_to_the_recipient),
        T(a_name_of_a_recipient_is_looked_up),
        T(remote_publisher_errors),
        T(a_remote_publisher_is_a_publisher_like_others),
        T(updates_change_and_append_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
