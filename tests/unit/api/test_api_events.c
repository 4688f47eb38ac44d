/* What event handlers are told: every type of the reference (admin and events, section 2.3). */

#include "api_message.h"
#include "event/event_bus.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKAGE "test.eventhandler.one"

/* ---- a handler that keeps everything --------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    char *texts[512];
    size_t n, read;
} R = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int init(const struct sl_event_core *core)
{
    return 0;
}

static void fini(void)
{
}

static size_t deliver(const struct sl_event *events, size_t n)
{
    pthread_mutex_lock(&R.lock);
    for (size_t i = 0; i < n; i++) {
        assert_true(R.n < sizeof(R.texts) / sizeof(R.texts[0]));
        R.texts[R.n++] = strdup(events[i].text);
    }
    pthread_mutex_unlock(&R.lock);
    return 0;
}

static const struct sl_event_handler handler = {
    .abi = SL_EVENT_ABI,
    .size = sizeof(struct sl_event_handler),
    .package = PACKAGE,
    .name = "One",
    .author = "A",
    .description = "D",
    .version_string = "0.0.1",
    .version = 1,
    .init = init,
    .fini = fini,
    .deliver = deliver,
};

static struct sl_events *bus;

static int start(void **state, int64_t stats_period_s, bool combine)
{
    const struct sl_events_conf conf = { .emitter = NULL };
    char err[256];

    sl_role_enter(&sl_role_control);
    assert_int_equal(sl_events_create(&conf, &bus, err, sizeof(err)), 0);
    assert_int_equal(sl_events_add(bus, &handler, err, sizeof(err)), 0);
    sl_role_leave(&sl_role_control);
    t_api_conf.events = bus;
    t_api_conf.admin_secret = "adm";
    t_api_conf.stats_period_s = stats_period_s;
    t_api_conf.combine_media_stats = combine;
    return t_setup(state);
}

static int setup(void **state)
{
    return start(state, 0, false);
}

static int setup_session(void **state)
{
    setup(state);
    t_create(T_CONN, "");
    return 0;
}

static int teardown(void **state)
{
    int rc = t_teardown(state);

    sl_role_enter(&sl_role_control);
    sl_events_destroy(bus);
    sl_role_leave(&sl_role_control);
    while (R.n)
        free(R.texts[--R.n]);
    R.read = 0;
    return rc;
}

/* ---- what was told --------------------------------------------------------------------------- */

static void wait_until_idle(void)
{
    struct sl_events_stats st = { .waiting = 1 };

    for (int i = 0; i < 1000 && st.waiting; i++) {
        sl_role_enter(&sl_role_control);
        assert_int_equal(sl_events_stats_get(bus, PACKAGE, &st), 0);
        sl_role_leave(&sl_role_control);
        if (st.waiting)
            (void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
    assert_int_equal(st.waiting, 0);
    assert_int_equal(st.lost, 0);
}

/* The next event, or NULL. */
static json_t *next(void)
{
    json_t *j;

    wait_until_idle();
    if (R.read == R.n)
        return NULL;
    j = json_loads(R.texts[R.read++], 0, NULL);
    assert_true(json_is_integer(json_object_get(j, "timestamp")));
    json_object_del(j, "timestamp");
    return j;
}

static void told(const char *text)
{
    json_t *want = t_json(text), *got = next();

    if (!json_equal(want, got))
        print_error("wanted %s\ngot    %s\n", json_dumps(want, JSON_COMPACT),
                    got ? json_dumps(got, JSON_COMPACT) : "(nothing)");
    assert_true(json_equal(want, got));
    json_decref(want);
    json_decref(got);
}

static void told_nothing(void)
{
    wait_until_idle();
    if (R.read < R.n)
        print_error("unexpected %s\n", R.texts[R.read]);
    assert_int_equal(R.read, R.n);
}

static void forget(void)
{
    wait_until_idle();
    R.read = R.n;
}

#define SESSION(body)         "{\"type\":1,\"session_id\":$S,\"event\":" body "}"
#define OWN                   "\"session_id\":$S,\"handle_id\":$H,\"opaque_id\":\"op\""
#define HANDLE(body)          "{\"type\":2," OWN ",\"event\":" body "}"
#define JSEP(body)            "{\"type\":8," OWN ",\"event\":" body "}"
#define STREAM                "\"stream_id\":1,\"component_id\":1"
#define WEBRTC(subtype, body) "{\"type\":16,\"subtype\":" #subtype "," OWN ",\"event\":{" body "}}"
#define ICE(state)            WEBRTC(1, "\"ice\":\"" state "\"," STREAM)
#define MEDIA(subtype, body)  "{\"type\":32,\"subtype\":" #subtype "," OWN ",\"event\":" body "}"

static void attach(void)
{
    const struct t_rec *r;

    t_send("{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":$S,\"opaque_id\":\"op\","
           "\"token\":\"tok\",\"plugin\":\"test.plugin.one\"}");
    r = t_next();
    T.handle =
        (uint64_t)json_integer_value(json_object_get(json_object_get(r->json, "data"), "id"));
    assert_true(T.handle > 0);
}

static void session_and_handle(void)
{
    t_create(T_CONN, "");
    attach();
    forget();
}

static int setup_handle(void **state)
{
    setup(state);
    session_and_handle();
    return 0;
}

/* ---- sessions and handles -------------------------------------------------------------------- */

static void sessions_are_told(void **state)
{
    told(SESSION("{\"name\":\"created\","
                 "\"transport\":{\"transport\":\"test.transport.fake\",\"id\":\"7\"}}"));
    t_send_conn(8, "{\"janus\":\"claim\",\"transaction\":\"t\",\"session_id\":$S}");
    told(SESSION("{\"name\":\"claimed\","
                 "\"transport\":{\"transport\":\"test.transport.fake\",\"id\":\"8\"}}"));
    t_send("{\"janus\":\"destroy\",\"transaction\":\"t\",\"session_id\":$S}");
    told(SESSION("{\"name\":\"destroyed\"}"));
    told_nothing();
}

static void a_timeout_is_the_end_that_is_told(void **state)
{
    forget();
    t_run(61000);
    told(SESSION("{\"name\":\"timeout\"}"));
    told_nothing();
}

static void handles_are_told(void **state)
{
    forget();
    attach();
    told(HANDLE("{\"name\":\"attached\",\"plugin\":\"test.plugin.one\",\"opaque_id\":\"op\","
                "\"token\":\"tok\"}"));
    t_send("{\"janus\":\"detach\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H}");
    told(HANDLE("{\"name\":\"detached\",\"plugin\":\"test.plugin.one\",\"opaque_id\":\"op\"}"));
    T.read = T.nrec;
    t_attach(T_CONN); /* without opaque_id and token */
    told("{\"type\":2,\"session_id\":$S,\"handle_id\":$H,\"event\":{\"name\":\"attached\","
         "\"plugin\":\"test.plugin.one\"}}");
    t_send("{\"janus\":\"destroy\",\"transaction\":\"t\",\"session_id\":$S}");
    told("{\"type\":2,\"session_id\":$S,\"handle_id\":$H,\"event\":{\"name\":\"detached\","
         "\"plugin\":\"test.plugin.one\"}}");
    told(SESSION("{\"name\":\"destroyed\"}"));
}

/* ---- descriptions and connections ------------------------------------------------------------ */

#define SDP_CANDIDATES                                                                             \
    "v=0\\r\\nm=audio 9 x\\r\\na=candidate:1 1 udp 5 192.0.2.1 9 typ host\\r\\n"                   \
    "a=candidate:2 1 udp 4 192.0.2.2 9 typ host\\r\\nm=video 9 x\\r\\n"                            \
    "a=candidate:1 1 udp 5 192.0.2.1 9 typ host\\r\\n"

static void descriptions_and_candidates_are_told(void **state)
{
    t_send(MSG_JSEP("answer", "{\"type\":\"offer\",\"sdp\":\"" SDP_CANDIDATES "\"}"));
    told(JSEP("{\"owner\":\"remote\",\"jsep\":{\"type\":\"offer\",\"sdp\":\"" SDP_CANDIDATES
              "\"}}"));
    told(ICE("gathering"));
    told(WEBRTC(3, "\"remote-candidate\":\"1 1 udp 5 192.0.2.1 9 typ host\"," STREAM));
    told(WEBRTC(3, "\"remote-candidate\":\"2 1 udp 4 192.0.2.2 9 typ host\"," STREAM));
    told(JSEP("{\"owner\":\"local\",\"jsep\":{\"type\":\"answer\",\"sdp\":\"v=0 answer 1\"}}"));
    told(ICE("connecting"));
    t_send("{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"
           "\"candidates\":[{\"sdpMid\":\"0\",\"candidate\":\"candidate:3 1 udp 1 192.0.2.3 9 typ "
           "host\"},{\"completed\":true}]}");
    told(WEBRTC(3, "\"remote-candidate\":\"3 1 udp 1 192.0.2.3 9 typ host\"," STREAM));
    told_nothing();
}

static void our_offer_is_told(void **state)
{
    t_send(MSG("offer"));
    told(ICE("gathering"));
    told(JSEP("{\"owner\":\"local\",\"jsep\":{\"type\":\"offer\",\"sdp\":\"v=0 offer 1\"}}"));
    t_send(MSG_JSEP("sync", ANSWER));
    told(JSEP("{\"owner\":\"remote\",\"jsep\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}"));
    told(ICE("connecting"));
    told_nothing();
}

/* A connection, and its callbacks as the worker would call them. */
static const struct sl_pc_cb *connect_pc(void **arg)
{
    t_send(MSG_JSEP("answer", OFFER));
    forget();
    *arg = mock_pc_arg(mock_pc.last);
    return mock_pc_cb(mock_pc.last);
}

static struct sl_addr addr(const char *ip, uint16_t port)
{
    struct sl_addr a;

    assert_int_equal(sl_addr_from_ip(ip, port, &a), 0);
    return a;
}

static void connections_are_told(void **state)
{
    struct sl_link ice = { .what = SL_LINK_ICE }, dtls = { .what = SL_LINK_DTLS };
    struct sl_link pair = { .what = SL_LINK_PAIR,
                            .pair = { addr("192.0.2.1", 10), addr("2001:db8::1", 11), "host",
                                      "prflx", false } };
    void *arg;
    const struct sl_pc_cb *cb = connect_pc(&arg);

    sl_role_enter(&sl_role_control);
    ice.ice = SL_ICE_CONNECTING;
    cb->link(arg, &ice);
    cb->link(arg, &pair);
    ice.ice = SL_ICE_CONNECTED;
    cb->link(arg, &ice);
    dtls.dtls = SL_DTLS_HANDSHAKE;
    cb->link(arg, &dtls);
    dtls.dtls = SL_DTLS_CONNECTED;
    dtls.retransmissions = 2;
    cb->link(arg, &dtls);
    mock_pc_set_up(mock_pc.last);
    ice.ice = SL_ICE_DISCONNECTED;
    cb->link(arg, &ice);
    ice.ice = SL_ICE_FAILED;
    cb->link(arg, &ice);
    dtls.dtls = SL_DTLS_FAILED;
    cb->link(arg, &dtls);
    cb->down(arg, "DTLS alert");
    sl_role_leave(&sl_role_control);

    told(WEBRTC(4, "\"selected-pair\":\"192.0.2.1:10 [host,udp] <-> [2001:db8::1]:11 [prflx,udp]\","
                   "\"candidates\":{\"local\":{\"address\":\"192.0.2.1\",\"port\":10,"
                   "\"type\":\"host\",\"transport\":\"udp\",\"family\":4},"
                   "\"remote\":{\"address\":\"2001:db8::1\",\"port\":11,\"type\":\"prflx\","
                   "\"transport\":\"udp\",\"family\":6}}," STREAM));
    told(ICE("connected"));
    told(ICE("ready"));
    told(WEBRTC(5, "\"dtls\":\"trying\"," STREAM ",\"retransmissions\":0"));
    told(WEBRTC(5, "\"dtls\":\"connected\"," STREAM ",\"retransmissions\":2"));
    told(WEBRTC(6, "\"connection\":\"webrtcup\""));
    told(ICE("disconnected"));
    told(ICE("failed"));
    told(WEBRTC(5, "\"dtls\":\"failed\"," STREAM ",\"retransmissions\":2"));
    told(WEBRTC(6, "\"connection\":\"hangup\",\"reason\":\"DTLS alert\""));
    told_nothing();
}

/* ---- media ----------------------------------------------------------------------------------- */

static void media_states_and_slow_links_are_told(void **state)
{
    void *arg;
    const struct sl_pc_cb *cb = connect_pc(&arg);

    sl_role_enter(&sl_role_control);
    cb->receiving(arg, 0, -1, true);
    cb->receiving(arg, 1, 2, true);
    cb->receiving(arg, 1, 2, false);
    cb->slow_link(arg, 1, true, 3); /* below the threshold */
    cb->slow_link(arg, 1, true, 4);
    cb->slow_link(arg, 0, false, 5);
    sl_role_leave(&sl_role_control);
    told(MEDIA(1, "{\"media\":\"audio\",\"mid\":\"0\",\"receiving\":true}"));
    told(MEDIA(1, "{\"media\":\"video\",\"mid\":\"1\",\"substream\":2,\"receiving\":true}"));
    told(MEDIA(1, "{\"media\":\"video\",\"mid\":\"1\",\"substream\":2,\"receiving\":false}"));
    told(MEDIA(2, "{\"mid\":\"1\",\"media\":\"video\",\"slow_link\":\"uplink\","
                  "\"lost_lastsec\":4}"));
    told(MEDIA(2, "{\"mid\":\"0\",\"media\":\"audio\",\"slow_link\":\"downlink\","
                  "\"lost_lastsec\":5}"));
    told_nothing();
}

static const struct sl_media_stats first[] = {
    { .mindex = 0, .clock_rate = 48000, .packets_in = 50, .bytes_in = 5000 },
    { .mindex = 1,
      .clock_rate = 90000,
      .rtt_us = 12400,
      .rtt = { 4000000000, 3999999000, 187 },
      .lost = 10,
      .lost_remote = 5,
      .jitter_us = 3999,
      .jitter_remote_us = 1000,
      .packets_in = 90,
      .bytes_in = 90000,
      .packets_out = 100,
      .bytes_out = 1000,
      .nacks_in = 1,
      .nacks_out = 2,
      .repaired = 3,
      .remb_bps = 250000 },
    { .mindex = 1, .layer = 1, .clock_rate = 90000, .packets_in = 7, .bytes_in = 700 },
    { .mindex = 9 }, /* no such m-line */
};

#define STATS_AUDIO(packets, bytes, second)                                                        \
    "{\"mid\":\"0\",\"mindex\":0,\"media\":\"audio\",\"base\":48000,\"rtt\":0,\"lost\":0,"         \
    "\"lost-by-remote\":0,\"jitter-local\":0,\"jitter-remote\":0,\"in-link-quality\":100,"         \
    "\"in-media-link-quality\":100,\"out-link-quality\":100,\"out-media-link-quality\":100,"       \
    "\"packets-received\":" #packets ",\"packets-sent\":0,\"bytes-received\":" #bytes              \
    ",\"bytes-sent\":0,\"bytes-received-lastsec\":" #second ",\"bytes-sent-lastsec\":0,"           \
    "\"nacks-received\":0,\"nacks-sent\":0,\"retransmissions-received\":0,\"remb-bitrate\":0}"
#define STATS_VIDEO                                                                                \
    "{\"mid\":\"1\",\"mindex\":1,\"media\":\"video\",\"base\":90000,\"rtt\":12,"                   \
    "\"rtt-values\":{\"ntp\":4000000000,\"lsr\":3999999000,\"dlsr\":187},\"lost\":10,"             \
    "\"lost-by-remote\":5,\"jitter-local\":3,\"jitter-remote\":1,\"in-link-quality\":90,"          \
    "\"in-media-link-quality\":90,\"out-link-quality\":95,\"out-media-link-quality\":95,"          \
    "\"packets-received\":90,\"packets-sent\":100,\"bytes-received\":90000,\"bytes-sent\":1000,"   \
    "\"bytes-received-lastsec\":90000,\"bytes-sent-lastsec\":1000,\"nacks-received\":1,"           \
    "\"nacks-sent\":2,\"retransmissions-received\":3,\"remb-bitrate\":250000}"
#define STATS_SIM                                                                                  \
    "{\"mid\":\"1\",\"mindex\":1,\"media\":\"video-sim1\",\"base\":90000,\"lost\":0,"              \
    "\"lost-by-remote\":0,\"jitter-local\":0,\"jitter-remote\":0,\"in-link-quality\":100,"         \
    "\"in-media-link-quality\":100,\"out-link-quality\":100,\"out-media-link-quality\":100,"       \
    "\"packets-received\":7,\"packets-sent\":0,\"bytes-received\":700,\"bytes-sent\":0,"           \
    "\"bytes-received-lastsec\":700,\"bytes-sent-lastsec\":0,\"nacks-received\":0,"                \
    "\"nacks-sent\":0,\"retransmissions-received\":0,\"remb-bitrate\":0}"

static void statistics_are_told(void **state)
{
    struct sl_media_stats second = first[0];
    void *arg;
    const struct sl_pc_cb *cb = connect_pc(&arg);

    sl_role_enter(&sl_role_control);
    cb->stats(arg, first, 4);
    sl_role_leave(&sl_role_control);
    told(MEDIA(3, STATS_AUDIO(50, 5000, 5000)));
    told(MEDIA(3, STATS_VIDEO));
    told(MEDIA(3, STATS_SIM));
    told_nothing();

    t_run(2000); /* bytes of a second, whatever the period */
    second.packets_in = 150;
    second.bytes_in = 15000;
    sl_role_enter(&sl_role_control);
    cb->stats(arg, &second, 1);
    sl_role_leave(&sl_role_control);
    told(MEDIA(3, STATS_AUDIO(150, 15000, 5000)));
    t_run(1000);
    second.packets_in = 1; /* it began anew */
    second.bytes_in = 10;
    sl_role_enter(&sl_role_control);
    cb->stats(arg, &second, 1);
    sl_role_leave(&sl_role_control);
    told(MEDIA(3, STATS_AUDIO(1, 10, 0)));
    told_nothing();
}

static int setup_combined(void **state)
{
    start(state, 0, true);
    session_and_handle();
    return 0;
}

static void statistics_may_be_combined(void **state)
{
    void *arg;
    const struct sl_pc_cb *cb;

    cb = connect_pc(&arg);
    sl_role_enter(&sl_role_control);
    cb->stats(arg, first, 2);
    sl_role_leave(&sl_role_control);
    told(MEDIA(3, "[" STATS_AUDIO(50, 5000, 5000) "," STATS_VIDEO "]"));
    told_nothing();
}

/* ---- external, plugins, transports, core ----------------------------------------------------- */

static void administrators_make_events(void **state)
{
    t_send_admin("{\"janus\":\"custom_event\",\"transaction\":\"t\",\"admin_secret\":\"adm\","
                 "\"schema\":\"my.schema\",\"data\":{\"k\":1}}");
    t_answer("{\"janus\":\"success\",\"transaction\":\"t\"}");
    t_send_admin("{\"janus\":\"query_eventhandler\",\"transaction\":\"t\",\"admin_secret\":\"adm\","
                 "\"handler\":\"" PACKAGE "\",\"request\":{\"request\":\"tweak\"}}");
    t_answer("{\"janus\":\"success\",\"transaction\":\"t\",\"response\":{\"result\":200}}");
    t_send_admin("{\"janus\":\"query_eventhandler\",\"transaction\":\"t\",\"admin_secret\":\"adm\","
                 "\"handler\":\"none\"}");
    t_answer("{\"janus\":\"error\",\"transaction\":\"t\",\"error\":{\"code\":460,"
             "\"reason\":\"Invalid event handler\"}}");
    json_decref(next()); /* of the transport */
    told("{\"type\":4,\"event\":{\"schema\":\"my.schema\",\"data\":{\"k\":1}}}");
    forget();
}

static void what_plugins_notify_is_told(void **state)
{
    sl_role_enter(&sl_role_control);
    T.pcore->notify(T.plugin.hid, json_pack("{s:s}", "event", "joined"));
    T.pcore->notify(0, json_pack("{s:s}", "event", "leaving"));
    sl_role_leave(&sl_role_control);
    told("{\"type\":64," OWN ",\"event\":{\"plugin\":\"test.plugin.one\","
         "\"data\":{\"event\":\"joined\"}}}");
    told("{\"type\":64,\"event\":{\"plugin\":\"test.plugin.one\",\"data\":{\"event\":\"leaving\"}}"
         "}");
    told_nothing();
}

#define TRANSPORT(id, data)                                                                        \
    "{\"type\":128,\"event\":{\"transport\":\"test.transport.fake\",\"id\":\"" #id                 \
    "\",\"data\":" data "}}"

static void transports_are_told(void **state)
{
    struct sl_treq ping = { .kind = SL_TREQ_BAD_JSON,
                            .tag = &ping,
                            .peer = &(struct sl_tpeer){ "192.0.2.9", 5, -1 } };

    T.core->connected(31, false, &(struct sl_tpeer){ "192.0.2.9", 53492, -1 });
    T.core->connected(32, true, &(struct sl_tpeer){ NULL, 0, 17 });
    T.core->connected(33, false, NULL);
    T.core->gone(31);
    T.core->request(&ping);
    t_run(0);
    told(TRANSPORT(31, "{\"event\":\"connected\",\"admin_api\":false,\"ip\":\"192.0.2.9\","
                       "\"port\":53492}"));
    told(TRANSPORT(32, "{\"event\":\"connected\",\"admin_api\":true,\"fd\":17}"));
    told(TRANSPORT(33, "{\"event\":\"connected\",\"admin_api\":false}"));
    told(TRANSPORT(31, "{\"event\":\"disconnected\"}"));
    told(TRANSPORT(1, "{\"event\":\"request\",\"admin_api\":false,\"ip\":\"192.0.2.9\","
                      "\"port\":5}"));
    told_nothing();
}

static void the_core_tells_of_itself(void **state)
{
    json_t *j, *info;
    void *arg;

    (void)connect_pc(&arg);
    sl_role_enter(&sl_role_control);
    sl_api_event_started(T.api);
    sl_api_event_shutdown(T.api, 15);
    sl_role_leave(&sl_role_control);
    j = next();
    info = json_object_get(json_object_get(j, "event"), "info");
    assert_int_equal(json_integer_value(json_object_get(j, "type")), 256);
    assert_int_equal(json_integer_value(json_object_get(j, "subtype")), 1);
    assert_string_equal(json_string_value(json_object_get(info, "janus")), "server_info");
    assert_true(json_is_true(json_object_get(info, "event_handlers")));
    assert_non_null(json_object_get(json_object_get(info, "events"), PACKAGE));
    json_decref(j);
    told("{\"type\":256,\"subtype\":2,\"event\":{\"status\":\"shutdown\",\"signum\":15}}");
    told_nothing();
}

static int setup_period(void **state)
{
    start(state, 2, false);
    session_and_handle();
    return 0;
}

static void statistics_are_asked_for_each_period(void **state)
{
    json_t *request = t_json("{\"request\":\"tweak\",\"events\":\"sessions\"}");
    void *arg;

    (void)connect_pc(&arg);
    t_run(2000);
    told("{\"type\":256,\"subtype\":1,\"event\":{\"status\":\"update\",\"info\":{\"sessions\":1,"
         "\"handles\":1,\"peerconnections\":1,\"stats-period\":2}}}");
    assert_int_equal(mock_pc.stats_asked, 0); /* it is not up */
    sl_role_enter(&sl_role_control);
    mock_pc_set_up(mock_pc.last);
    sl_role_leave(&sl_role_control);
    t_run(4000);
    assert_int_equal(mock_pc.stats_asked, 2);
    sl_role_enter(&sl_role_control);
    json_decref(sl_events_query(bus, PACKAGE, request));
    sl_role_leave(&sl_role_control);
    forget();
    t_run(4000);
    assert_int_equal(mock_pc.stats_asked, 2); /* nobody wants them */
    told_nothing();
    json_decref(request);
}

#define E(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        E(sessions_are_told, setup_session),
        E(a_timeout_is_the_end_that_is_told, setup_session),
        E(handles_are_told, setup_session),
        E(descriptions_and_candidates_are_told, setup_handle),
        E(our_offer_is_told, setup_handle),
        E(connections_are_told, setup_handle),
        E(media_states_and_slow_links_are_told, setup_handle),
        E(statistics_are_told, setup_handle),
        E(statistics_may_be_combined, setup_combined),
        E(administrators_make_events, setup),
        E(what_plugins_notify_is_told, setup_handle),
        E(transports_are_told, setup),
        E(the_core_tells_of_itself, setup_handle),
        E(statistics_are_asked_for_each_period, setup_period),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
