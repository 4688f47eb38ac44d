/* Streams to other machines: forwarders and remotizations. */
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
        { "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,'host':'1.1.1.1',"
          "'host_family':'ipv6','audio_port':1}",
          430, "Invalid element (host cannot be resolved)" },
        { "{'request':'stop_rtp_forward','room':1,'secret':'s','publisher_id':2}", 429,
          "Missing mandatory element (stream_id)" },
        { "{'request':'stop_rtp_forward','room':1,'secret':'s','publisher_id':2,'stream_id':77}",
          428, "No such stream (77)" },
        { "{'request':'stop_rtp_forward','room':1,'secret':'s','publisher_id':2,"
          "'stream_id':4294967297}",
          428, "No such stream (4294967297)" },
        { "{'request':'listforwarders','room':1}", 429, "Missing mandatory element (secret)" },
    };
    char many[2000];
    size_t n;
    sl_hid h;

    (void)state;
    room_make(",'secret':'s','publishers':9");
    (void)publishing(2, SIM_OFFER);
    h = mock_attach();
    for (size_t i = 0; i < COUNT(v); i++)
        call_error(h, v[i].body, v[i].code, v[i].text);
    n = (size_t)snprintf(many, sizeof(many), "%s",
                         "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,"
                         "'streams':[{'mid':'a','port':1,'host':'10.0.0.0'}");
    for (int i = 1; i <= 16; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n,
                              ",{'mid':'a','port':1,'host':'10.0.0.%d'}", i);
    snprintf(many + n, sizeof(many) - n, "]}");
    call_error(h, many, 430, "Too many hosts in one request");
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

/* As it is to forwarders, behind a header to other servers; gated as for subscribers. */
static void data_is_forwarded(void **state)
{
    const sl_hid p =
        (room_make(",'secret':'s'"), publishing(2, MOCK_OFFER("audio a opus", "data d")));
    const sl_hid h = mock_attach();

    (void)state;
    mock_call(h,
              "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,"
              "'host':'10.0.0.1','streams':[{'mid':'d','port':5000,'port_2':5002,'pt':9,'ssrc':9,"
              "'rtcp_port':5001}]}",
              "{'videoroom':'rtp_forward','room':1,'publisher_id':2,'forwarders':[{"
              "'stream_id':'*','host':'10.0.0.1','port':5000,'type':'data'}]}");
    mock_call(h,
              "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,"
              "'host':'10.0.0.1','data_port':6000}",
              "{'videoroom':'rtp_forward','room':1,'publisher_id':2,'rtp_stream':{"
              "'data_stream_id':'*','data':6000,'warning':'deprecated_api','host':'10.0.0.1'}}");
    mock_call(h,
              "{'request':'publish_remotely','room':1,'secret':'s','publisher_id':2,"
              "'remote_id':'r','host':'10.0.0.2','port':7000}",
              "{'videoroom':'success','room':1,'id':2,'remote_id':'r','streams':["
              "{'type':'audio','mindex':0,'mid':'a','codec':'opus','audiolevel_ext_id':1},"
              "{'type':'data','mindex':1,'mid':'d'}]}");
    assert_int_equal(mock_endpoint(0)->forward.rtcp_port, 0);
    mock_data(p, "any", "", false, "hello", 5);
    assert_string_equal(mock_forwarded(0), "0|hello");
    assert_string_equal(mock_forwarded(1), "0|hello");
    assert_string_equal(mock_forwarded(2), "1010|hello");
    mock_data(p, "any", "", true, "bytes", 5);
    assert_string_equal(mock_forwarded(0), "0|binary|bytes");
    assert_string_equal(mock_forwarded(2), "1010|binary|bytes");
    mock_call(h, "{'request':'moderate','room':1,'secret':'s','id':2,'mid':'d','mute':true}",
              "{'videoroom':'success'}");
    mock_data(p, "any", "", false, "muted", 5);
    assert_null(mock_forwarded(0));
    assert_null(mock_forwarded(2));
    /* What is asked to be encrypted never leaves in clear text. */
    call_error(h,
               "{'request':'rtp_forward','room':1,'secret':'s','publisher_id':2,"
               "'host':'10.0.0.1','srtp_suite':80,'srtp_crypto':'" KEY "','streams':["
               "{'mid':'a','port':8000},{'mid':'d','port':8001}]}",
               430, "Invalid element (srtp_suite can't be used for data)");
    assert_int_equal(mock_endpoints_alive(), 3); /* all or none */
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
              "{'videoroom':'success','room':1,'id':2,'remote_id':'one','streams':'*'}");
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
              "{'videoroom':'success','room':1,'id':2,'remote_id':'r1','streams':'*'}");
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
              "{'videoroom':'success','room':1,'id':2,'remote_id':'r2','streams':'*'}");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(forward_errors),
        T(streams_are_forwarded_listed_and_stopped),
        T(the_old_form_forwards_the_first_stream_of_each_kind),
        T(data_is_forwarded),
        T(srtp_keys_reach_the_core),
        T(too_many_forwarders_make_none),
        T(names_are_looked_up_and_the_answer_comes_later),
        cmocka_unit_test_setup_teardown(forwarding_can_be_locked_with_the_admin_key, setup_locked,
                                        teardown),
        T(who_may_not_forward_needs_a_secret),
        T(remotization_errors),
        T(present_and_future_streams_go_to_the_recipient),
        T(a_name_of_a_recipient_is_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
