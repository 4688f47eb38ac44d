/* Full ICE over loopback: two of ours, and ours as a client of our ICE-lite server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "../test_oom.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "ice/ice_lite.h"
#include "nice_net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void connects_two_exchanges_data_and_restarts(void **state)
{
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, true);
    struct side before, after;

    (void)state;
    open_both(t);
    wait_for(t, 1, is_in_state, SL_ICE_CONNECTED);
    wait_for(t, 2, is_in_state, SL_ICE_CONNECTED);
    wait_for(t, 1, has_path, 1);
    wait_for(t, 2, has_path, 1);

    send_direct(t, 1, "\x80 hello");
    wait_for(t, 2, has_data, 1);
    assert_memory_equal(side_get(t, 2).data, "\x80 hello", 7);
    send_direct(t, 2, "\x80 you");
    wait_for(t, 1, has_data, 1);
    sl_nice_send(t->nice, 1, (const uint8_t *)"\x80 agent", 7);
    wait_for(t, 2, has_data, 2);
    assert_memory_equal(side_get(t, 2).data, "\x80 agent", 7);

    before = side_get(t, 2);
    sl_nice_restart(t->nice, 1);
    wait_for(t, 1, has_creds, 2);
    wait_for(t, 2, has_creds, 2); /* 2 saw new credentials of 1, so it restarted as well */
    after = side_get(t, 2);
    assert_string_not_equal(before.creds.ufrag, after.creds.ufrag);
    wait_for(t, 1, has_path, 2); /* the pair of the new generation */
    wait_for(t, 2, has_path, 2);
    assert_int_equal(side_get(t, 1).state, SL_ICE_CONNECTED);
    assert_int_equal(side_get(t, 1).ncreds, 2); /* and that was all: no ping-pong of restarts */
    assert_int_equal(side_get(t, 2).ncreds, 2);
    send_direct(t, 1, "\x80 again");
    wait_for(t, 2, has_data, 3);
    sl_nice_close(t->nice, 1);
    sl_nice_close(t->nice, 1);
    net_close(t); /* 2 is still open */
}

/* ---- take-over ------------------------------------------------------------------------------ */

#define MEDIA_PACKETS 4000

/* Packets of RTP from @pc, in small bursts. */
static void send_media(struct net *t, sl_id pc, unsigned int n)
{
    struct timespec ms = { 0, 1000000 };

    while (n > 0) {
        struct side s = side_get(t, pc);

        for (unsigned int i = 0; i < 10 && n > 0; i++, n--)
            assert_int_equal(sendto(s.path.fd, "\x80 media", 7, 0, &s.path.remote.sa,
                                    sl_addr_len(&s.path.remote)),
                             7);
        (void)nanosleep(&ms, NULL);
    }
}

static void media_comes_to_our_socket_and_stun_to_libnice(void **state)
{
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, true);
    struct side s;

    (void)state;
    open_both(t);
    wait_for(t, 1, has_path, 1);
    wait_for(t, 2, has_path, 1);
    wait_for(t, 2, is_in_state, SL_ICE_CONNECTED);
    send_media(t, 1, MEDIA_PACKETS / 2);
    /* Checks go on while media flows, and a restart needs them. */
    sl_nice_restart(t->nice, 1);
    send_media(t, 1, MEDIA_PACKETS / 2);
    wait_for(t, 1, has_path, 2);
    wait_for(t, 2, has_path, 2);
    wait_for(t, 2, has_data, MEDIA_PACKETS * 99 / 100);
    s = side_get(t, 2);
    assert_in_range(s.ndata, MEDIA_PACKETS * 99 / 100, MEDIA_PACKETS);
    assert_in_range(s.ntaken, MEDIA_PACKETS * 99 / 100, MEDIA_PACKETS);
    assert_int_equal(side_get(t, 1).state, SL_ICE_CONNECTED);
    assert_int_equal(sl_nice_refused(t->nice), 0);
    net_close(t);
}

static void an_address_that_nobody_announced_is_told_when_it_passed_a_check(void **state)
{
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, false);
    struct side one, two;

    (void)state;
    sl_nice_open(t->nice, 1, true);
    sl_nice_open(t->nice, 2, false);
    wait_for(t, 1, has_gathered, 1);
    wait_for(t, 2, has_gathered, 1);
    one = side_get(t, 1);
    two = side_get(t, 2);
    sl_nice_remote(t->nice, 1, &two.creds);
    sl_nice_remote(t->nice, 2, &one.creds);
    sl_nice_candidate(t->nice, 1, two.cands[0]);
    wait_for(t, 2, has_path, 1);
    wait_for(t, 1, has_path, 1);
    two = side_get(t, 2);
    assert_int_equal(two.nchecked, 1);
    assert_true(sl_addr_is_equal(&two.checked, &side_get(t, 1).path.udp->local));
    assert_int_equal(side_get(t, 1).nchecked, 0);
    net_close(t);
}

/* ---- against ICE-lite ----------------------------------------------------------------------- */

struct server {
    struct sl_wheel wheel;
    struct sl_ice_lite *lite;
    struct sl_lite_agent *agent;
    struct sl_ice_creds creds;
    int fd;
    struct sl_addr addr;
    enum sl_ice_state state;
    struct sl_ice_path path;
    unsigned int npaths;
    unsigned int ndata;
};

static void server_on_send(void *arg, const struct sl_ice_path *path, const uint8_t *data,
                           size_t len)
{
    (void)arg;
    (void)!sendto(path->fd, data, len, 0, &path->remote.sa, sl_addr_len(&path->remote));
}

static void server_on_gone(void *arg, struct sl_tcp *tcp)
{
    (void)arg;
    (void)tcp;
}

static void server_on_state(void *user, enum sl_ice_state state)
{
    ((struct server *)user)->state = state;
}

static void server_on_path(void *user, const struct sl_ice_path *path)
{
    struct server *s = user;

    s->path = *path;
    s->npaths++;
}

static void server_open(struct server *s)
{
    SL_ASSUME(worker);
    static const struct sl_ice_lite_cb cb = { server_on_send, server_on_gone, server_on_state,
                                              server_on_path };
    socklen_t len = sizeof(s->addr.in4);

    memset(s, 0, sizeof(*s));
    assert_int_equal(sl_addr_from_ip("127.0.0.1", 0, &s->addr), 0);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, &s->addr.sa, sl_addr_len(&s->addr)), 0);
    assert_int_equal(getsockname(s->fd, &s->addr.sa, &len), 0);
    sl_wheel_init(&s->wheel, sl_now_us());
    sl_ice_creds_make(0, &s->creds);
    assert_int_equal(sl_ice_lite_create(&s->wheel, &cb, s, &s->lite), 0);
    assert_int_equal(sl_lite_agent_create(s->lite, &s->creds, s, &s->agent), 0);
}

static void server_close(struct server *s)
{
    SL_ASSUME(worker);
    sl_lite_agent_destroy(s->agent);
    sl_ice_lite_destroy(s->lite);
    close(s->fd);
}

/* Serves until @is_so; fails the test when it takes too long. */
static void server_run(struct server *s, struct net *t,
                       bool (*is_so)(const struct server *s, struct net *t))
{
    SL_ASSUME(worker);
    uint64_t end = sl_now_us() + WAIT_MS * 1000ull;

    while (!is_so(s, t)) {
        struct pollfd p = { s->fd, POLLIN, 0 };
        struct sockaddr_storage ss;
        socklen_t len = sizeof(ss);
        struct sl_ice_path path = {
            .kind = SL_ICE_PATH_DIRECT, .fd = s->fd, .local = s->addr
        };
        uint8_t buf[2048];
        ssize_t n;

        assert_true(sl_now_us() < end);
        if (poll(&p, 1, 10) > 0) {
            n = recvfrom(s->fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);
            assert_true(n > 0);
            assert_int_equal(sl_addr_from_sockaddr((struct sockaddr *)&ss, len, &path.remote), 0);
            if (buf[0] < 4)
                sl_ice_lite_input(s->lite, &path, buf, (size_t)n, sl_now_us());
            else if (sl_ice_lite_find(s->lite, &path.remote, NULL) == s)
                s->ndata++;
        }
        sl_wheel_run(&s->wheel, sl_now_us());
    }
}

static bool both_are_connected(const struct server *s, struct net *t)
{
    struct side c = side_get(t, 1);

    return s->state == SL_ICE_CONNECTED && c.state == SL_ICE_CONNECTED && c.npaths > 0;
}

static bool client_restarted(const struct server *s, struct net *t)
{
    struct side c = side_get(t, 1);

    (void)s;
    return c.ncreds == 2 && c.npaths >= 2;
}

static bool server_has_data(const struct server *s, struct net *t)
{
    (void)t;
    return s->ndata > 0;
}

static void server_tell(struct server *s, struct net *t)
{
    char text[SL_ICE_CAND_MAX];

    assert_true(sl_ice_candidate_write_host(&s->addr, true, 0, text, sizeof(text)) > 0);
    sl_nice_remote(t->nice, 1, &s->creds);
    sl_nice_candidate(t->nice, 1, text);
    sl_nice_candidate(t->nice, 1, NULL);
}

static void connects_to_ice_lite_exchanges_data_and_restarts(void **state)
{
    SL_ASSUME(worker);
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, false);
    struct server s;
    const uint64_t *drops;

    (void)state;
    server_open(&s);
    sl_nice_open(t->nice, 1, true);
    server_tell(&s, t);
    server_run(&s, t, both_are_connected);
    assert_int_equal(s.path.kind, SL_ICE_PATH_DIRECT);
    sl_lite_agent_set_remote(s.agent, side_get(t, 1).creds.ufrag);

    send_direct(t, 1, "\x80 up");
    server_run(&s, t, server_has_data);
    assert_int_equal(
        sendto(s.path.fd, "\x80 down", 6, 0, &s.path.remote.sa, sl_addr_len(&s.path.remote)), 6);
    wait_for(t, 1, has_data, 1);
    assert_memory_equal(side_get(t, 1).data, "\x80 down", 6);

    sl_ice_creds_make(0, &s.creds);
    assert_int_equal(sl_lite_agent_restart(s.agent, &s.creds), 0);
    server_tell(&s, t);
    server_run(&s, t, client_restarted);
    server_run(&s, t, both_are_connected);
    s.ndata = 0;
    send_direct(t, 1, "\x80 up");
    server_run(&s, t, server_has_data);
    drops = sl_ice_lite_drops(s.lite);
    assert_int_equal(drops[SL_LITE_MALFORMED], 0);
    assert_int_equal(drops[SL_LITE_BAD_INTEGRITY], 0);
    net_close(t);
    server_close(&s);
}

static void changes_its_role_when_both_are_controlled(void **state)
{
    SL_ASSUME(worker);
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, false);
    struct server s;

    (void)state;
    server_open(&s);
    sl_nice_open(t->nice, 1, false); /* 487 makes it the controlling one */
    server_tell(&s, t);
    server_run(&s, t, both_are_connected);
    net_close(t);
    server_close(&s);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void announces_public_addresses_within_the_port_range(void **state)
{
    static const char *const publics[] = { "203.0.113.7", "2001:db8::7" };
    struct sl_nice_conf conf = {
        .public_ip = publics, .npublic = 2, .port_low = 42100, .port_high = 42199
    };
    struct net *t = net_open(&conf, false);
    struct sl_ice_candidate c;
    struct side s;

    (void)state;
    sl_nice_open(t->nice, 1, true);
    wait_for(t, 1, has_gathered, 1);
    s = side_get(t, 1);
    assert_int_equal(s.ncands, 1); /* none of IPv6, which we are not bound to */
    assert_int_equal(strncmp(s.cands[0], "candidate:", 10), 0);
    assert_int_equal(sl_ice_candidate_parse(s.cands[0], &c), 0);
    assert_string_equal(c.address, "203.0.113.7");
    assert_true(c.port >= 42100 && c.port <= 42199);
    assert_string_equal(c.type, "host");
    assert_true(c.is_udp);
    net_close(t);
}

static void fails_when_no_port_is_free(void **state)
{
    struct sl_nice_conf conf = { 0 };
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);
    struct net *t;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)state;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    conf.port_low = conf.port_high = ntohs(a.sin_port);
    t = net_open(&conf, false);
    sl_nice_open(t->nice, 1, true);
    wait_for(t, 1, is_in_state, SL_ICE_FAILED);
    assert_int_equal(side_get(t, 1).ncands, 0);
    assert_int_equal(side_get(t, 1).ndone, 1);
    net_close(t);
    close(fd);
}

static void takes_early_and_odd_candidates(void **state)
{
    SL_ASSUME(worker);
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, false);
    char text[SL_ICE_CAND_MAX], longest[2000];
    struct server s;

    (void)state;
    server_open(&s);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    sl_nice_candidate(t->nice, 77, "candidate:1 1 udp 1 127.0.0.1 9 typ host"); /* nobody's */
    sl_nice_open(t->nice, 1, true);
    sl_nice_candidate(t->nice, 1, "nonsense");
    sl_nice_candidate(t->nice, 1, longest);
    sl_nice_candidate(t->nice, 1, "candidate:1 1 udp 1 b2c4.local 9 typ host");
    sl_nice_candidate(t->nice, 1, "candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active");
    sl_nice_candidate(t->nice, 1, "candidate:1 2 udp 1 127.0.0.1 9 typ host");
    for (int i = 0; i < 200; i++)
        sl_nice_candidate(t->nice, 1, "candidate:1 1 tcp 1 127.0.0.1 9 typ host");
    assert_true(sl_ice_candidate_write_host(&s.addr, true, 0, text, sizeof(text)) > 0);
    sl_nice_candidate(t->nice, 1, text);
    sl_nice_candidate(t->nice, 1, NULL);
    sl_nice_remote(t->nice, 1, &s.creds); /* the last to come */
    server_run(&s, t, both_are_connected);
    net_close(t);
    server_close(&s);
}

static void counts_what_it_cannot_send(void **state)
{
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, false);
    uint8_t big[4000] = { 0 };

    (void)state;
    sl_nice_send(t->nice, 1, big, sizeof(big));
    assert_int_equal(sl_nice_drops(t->nice), 1);
    sl_nice_open(t->nice, 1, true);
    sl_nice_send(t->nice, 1, big, 100); /* no pair yet */
    sl_nice_close(t->nice, 1);
    sl_nice_open(t->nice, 2, true);
    wait_for(t, 2, has_gathered, 1); /* so the send has been tried */
    assert_int_equal(sl_nice_drops(t->nice), 2);
    net_close(t);
}

static void refuses_a_configuration_that_makes_no_sense(void **state)
{
    static const char *const bad_ip[] = { "example.org" };
    static const struct sl_nice_conf v[] = {
        { .stun_server = "" },
        { .stun_server = "host:0" },
        { .stun_server = "host:70000" },
        { .stun_server = "host:12x" },
        { .turn_server = "[::1" },
        { .turn_server = "[::1]x" },
        { .turn_server = "host?transport=tls" },
        { .port_low = 2, .port_high = 1 },
        { .public_ip = bad_ip, .npublic = 1 },
    };
    struct sl_nice *n = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        assert_int_equal(sl_nice_create(&v[i], &callbacks, NULL, &n), -EINVAL);
    assert_null(n);
}

static void survives_every_failing_allocation(void **state)
{
    static const char *const publics[] = { "203.0.113.7" };
    struct sl_nice_conf conf = { .stun_server = "127.0.0.1:9",
                                 .turn_server = "[::1]:9",
                                 .turn_user = "u",
                                 .turn_password = "p",
                                 .public_ip = publics,
                                 .npublic = 1 };
    struct sl_addr lo;
    struct sl_nice *nice;

    (void)state;
    assert_int_equal(sl_addr_from_ip("127.0.0.1", 0, &lo), 0);
    conf.bind = &lo;
    conf.nbind = 1;
    for (unsigned int n = 1;; n++) {
        int err;

        oom_fail_at(n);
        err = sl_nice_create(&conf, &callbacks, NULL, &nice);
        if (!oom_happened()) {
            assert_int_equal(err, 0);
            assert_true(n > 5);
            break;
        }
        assert_int_equal(err, -ENOMEM);
    }
    sl_nice_destroy(nice);
}

static void lives_with_servers_that_do_not_answer(void **state)
{
    struct sl_nice_conf conf = { .stun_server = "127.0.0.1:9",
                                 .turn_server = "localhost:9?transport=udp",
                                 .turn_user = "u",
                                 .turn_password = "p" };
    struct net *t = net_open(&conf, true);

    (void)state;
    open_both(t);
    wait_for(t, 1, is_in_state, SL_ICE_CONNECTED);
    wait_for(t, 2, is_in_state, SL_ICE_CONNECTED);
    net_close(t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_two_exchanges_data_and_restarts),
        cmocka_unit_test(media_comes_to_our_socket_and_stun_to_libnice),
        cmocka_unit_test(an_address_that_nobody_announced_is_told_when_it_passed_a_check),
        cmocka_unit_test(connects_to_ice_lite_exchanges_data_and_restarts),
        cmocka_unit_test(changes_its_role_when_both_are_controlled),
        cmocka_unit_test(announces_public_addresses_within_the_port_range),
        cmocka_unit_test(fails_when_no_port_is_free),
        cmocka_unit_test(takes_early_and_odd_candidates),
        cmocka_unit_test(counts_what_it_cannot_send),
        cmocka_unit_test(refuses_a_configuration_that_makes_no_sense),
        cmocka_unit_test(survives_every_failing_allocation),
        cmocka_unit_test(lives_with_servers_that_do_not_answer),
    };
    int failed;

    sl_role_enter(&sl_role_worker);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sl_role_leave(&sl_role_worker);
    return failed;
}
