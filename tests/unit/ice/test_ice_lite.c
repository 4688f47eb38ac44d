#include "tests/unit/test_cmocka.h"

#include "../test_oom.h"
#include "lite_world.h"
#include <errno.h>

struct fixture {
    struct world w;
    struct world_peer a, b;
};

static int setup(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(world_init(&f->w), 0);
    assert_int_equal(world_peer_init(&f->w, &f->a, "ufragAAA", "password-of-agent-aaaaaa"), 0);
    assert_int_equal(world_peer_init(&f->w, &f->b, "ufragBBB", "password-of-agent-bbbbbb"), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;

    sl_lite_agent_destroy(f->a.agent);
    sl_lite_agent_destroy(f->b.agent);
    sl_ice_lite_destroy(f->w.lite);
    free(f);
    return 0;
}

static void assert_path(const struct world_peer *p, const struct sl_addr *remote)
{
    assert_int_equal(p->path.kind, SL_ICE_PATH_DIRECT);
    assert_int_equal(p->path.fd, WORLD_FD);
    assert_true(sl_addr_is_equal(&p->path.remote, remote));
}

static void offers_a_path_at_the_first_check_and_connects_at_nomination(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);

    assert_null(sl_ice_lite_find(f->w.lite, &x, NULL));
    assert_int_equal(world_check(&f->w, &f->a, &x, 100, false), 200);
    assert_int_equal(f->a.state, SL_ICE_CONNECTING);
    assert_path(&f->a, &x);
    assert_ptr_equal(sl_ice_lite_find(f->w.lite, &x, NULL), &f->a);
    assert_true(raw_is_sealed(f->w.out, f->w.out_len, f->a.creds.pwd));
    assert_true(sl_addr_is_equal(&f->w.to, &x));
    assert_int_equal(sl_addr_port(&f->w.from), 10000);

    assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 200);
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    assert_int_equal(f->a.npaths, 1); /* it did not change */
    assert_int_equal(f->a.nstates, 2);
}

static void follows_regular_nomination(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000), y = world_addr("2001:db8::1", 4001);

    world_check(&f->w, &f->a, &x, 100, false);
    world_check(&f->w, &f->a, &y, 50, false);
    assert_path(&f->a, &x); /* without nomination the first one stays */
    world_check(&f->w, &f->a, &y, 50, true);
    assert_path(&f->a, &y);
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    world_check(&f->w, &f->a, &x, 100, false); /* keeps its NAT binding alive, nothing more */
    assert_path(&f->a, &y);
    assert_int_equal(f->a.npaths, 2);
}

static void picks_the_highest_priority_of_aggressive_nomination(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000), y = world_addr("198.51.100.2", 4001),
                   z = world_addr("198.51.100.3", 4002);

    world_check(&f->w, &f->a, &x, 100, true);
    world_run(&f->w, 20000);
    world_check(&f->w, &f->a, &y, 50, true);
    assert_path(&f->a, &x);
    world_run(&f->w, 20000);
    world_check(&f->w, &f->a, &z, 200, true);
    assert_path(&f->a, &z);
    world_run(&f->w, 20000);
    world_check(&f->w, &f->a, &x, 100, true);
    assert_path(&f->a, &z);
}

static void migrates_to_a_lower_priority_when_the_old_address_went_quiet(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000), y = world_addr("203.0.113.2", 4001);

    world_check(&f->w, &f->a, &x, 100, true);
    world_run(&f->w, 2000000);
    world_check(&f->w, &f->a, &y, 50, true);
    assert_path(&f->a, &y);
    /* And at once when the old one is checked without a nomination. */
    world_check(&f->w, &f->a, &y, 50, false);
    world_check(&f->w, &f->a, &x, 10, true);
    assert_path(&f->a, &x);
}

static void gives_nothing_to_who_does_not_know_the_password(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    const uint64_t *drops = sl_ice_lite_drops(f->w.lite);
    struct raw_check c = { "ufragAAA:them", "wrong", 100, true, false };
    static const uint8_t junk[] = { 0, 1, 0, 0 };
    uint8_t tid[12] = { 0 };
    struct raw r;

    raw_check_write(&r, &c, 1);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 0);
    assert_int_equal(drops[SL_LITE_BAD_INTEGRITY], 1);
    c.user = "ufragXXX:them";
    raw_check_write(&r, &c, 2);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 0);
    c.user = "ufragAAA"; /* no colon */
    raw_check_write(&r, &c, 3);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 0);
    assert_int_equal(drops[SL_LITE_UNKNOWN_UFRAG], 2);
    assert_int_equal(world_input(&f->w, &x, junk, sizeof(junk)), 0);
    assert_int_equal(drops[SL_LITE_MALFORMED], 1);
    raw_init(&r, RAW_BINDING_INDICATION, tid);
    raw_fingerprint(&r);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 0);
    assert_int_equal(drops[SL_LITE_NOT_A_REQUEST], 1);
    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "ufragAAA:them", 13);
    raw_attr32(&r, RAW_PRIORITY, 1);
    raw_fingerprint(&r);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 0);
    assert_int_equal(drops[SL_LITE_BAD_INTEGRITY], 2);

    assert_int_equal(f->w.nsent, 0);
    assert_int_equal(f->a.nstates, 0);
    assert_null(sl_ice_lite_find(f->w.lite, &x, NULL));
}

static void takes_only_the_peer_s_ufrag_once_it_is_known(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    struct raw_check c = { "ufragAAA:other", f->a.creds.pwd, 100, true, false };
    struct raw r;

    raw_check_write(&r, &c, 1);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 200);
    sl_lite_agent_set_remote(f->a.agent, "them");
    raw_check_write(&r, &c, 2);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 0);
    assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 200);
}

static void answers_errors_only_to_who_is_authenticated(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    struct raw_check c = { "ufragAAA:them", f->a.creds.pwd, 100, true, true };
    uint8_t tid[12] = { 0 };
    struct raw r;

    raw_check_write(&r, &c, 1); /* ICE-CONTROLLED: both would be controlled */
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 487);
    assert_true(raw_is_sealed(f->w.out, f->w.out_len, f->a.creds.pwd));
    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "ufragAAA:them", 13);
    raw_integrity(&r, f->a.creds.pwd);
    raw_fingerprint(&r);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 400);
    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "ufragAAA:them", 13);
    raw_attr32(&r, RAW_PRIORITY, 1);
    raw_attr32(&r, 0x0666, 1);
    raw_integrity(&r, f->a.creds.pwd);
    raw_fingerprint(&r);
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 420);
    assert_null(sl_ice_lite_find(f->w.lite, &x, NULL));
    assert_int_equal(f->a.state, SL_ICE_NEW);
}

static void moves_an_address_to_another_agent_only_by_a_check(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    struct raw_check c = { "ufragBBB:them", f->a.creds.pwd, 100, true, false };
    struct raw r;

    world_check(&f->w, &f->a, &x, 100, true);
    raw_check_write(&r, &c, 1); /* the password of the wrong agent */
    assert_int_equal(world_input(&f->w, &x, r.b, r.n), 0);
    assert_ptr_equal(sl_ice_lite_find(f->w.lite, &x, NULL), &f->a);
    assert_int_equal(world_check(&f->w, &f->b, &x, 100, true), 200);
    assert_ptr_equal(sl_ice_lite_find(f->w.lite, &x, NULL), &f->b);
    assert_int_equal(f->a.path.kind, SL_ICE_PATH_NONE);
    assert_int_equal(f->a.state, SL_ICE_DISCONNECTED);
    assert_path(&f->b, &x);
    world_check(&f->w, &f->a, &x, 100, true);
    assert_path(&f->a, &x);
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    assert_int_equal(f->b.state, SL_ICE_DISCONNECTED);
}

/* Behind one NAT, the same address and port may be of two clients, one by UDP and one by TCP. */
static void a_connection_is_another_way_than_its_address(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    struct sl_tcp *tcp = (struct sl_tcp *)(void *)f; /* only its name counts */

    world_check(&f->w, &f->a, &x, 100, true);
    f->w.tcp = tcp;
    assert_int_equal(world_check(&f->w, &f->b, &x, 100, true), 200);
    assert_ptr_equal(sl_ice_lite_find(f->w.lite, &x, NULL), &f->a);
    assert_ptr_equal(sl_ice_lite_find(f->w.lite, &x, tcp), &f->b);
    assert_path(&f->a, &x);
    assert_int_equal(f->b.path.kind, SL_ICE_PATH_TCP);
    assert_ptr_equal(f->b.path.tcp, tcp);

    /* The connection breaks: it may come back. */
    sl_ice_lite_lost(f->w.lite, &x, tcp);
    sl_ice_lite_lost(f->w.lite, &x, tcp);
    assert_int_equal(f->b.state, SL_ICE_DISCONNECTED);
    assert_int_equal(f->b.path.kind, SL_ICE_PATH_NONE);
    assert_null(sl_ice_lite_find(f->w.lite, &x, tcp));
    assert_path(&f->a, &x);
    world_check(&f->w, &f->b, &x, 100, true);
    assert_int_equal(f->b.state, SL_ICE_CONNECTED);

    /* Without consent it leads to nobody any more. */
    f->w.ngone = 0;
    world_run(&f->w, 31000000);
    assert_int_equal(f->w.ngone, 1);
    assert_ptr_equal(f->w.gone, tcp);
}

static void udp_is_preferred_to_tcp_while_both_work(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000), y = world_addr("198.51.100.1", 4001);
    struct sl_tcp *tcp = (struct sl_tcp *)(void *)f;

    f->w.tcp = tcp;
    world_check(&f->w, &f->a, &y, 50, true);
    f->w.tcp = NULL;
    world_check(&f->w, &f->a, &x, 100, true);
    assert_path(&f->a, &x);
    f->w.tcp = tcp;
    world_check(&f->w, &f->a, &y, 50, true);
    assert_path(&f->a, &x);
    f->w.ngone = 0;
    sl_lite_agent_destroy(f->a.agent);
    f->a.agent = NULL;
    assert_int_equal(f->w.ngone, 1);
}

static void a_request_tells_its_worker_but_proves_nothing(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    struct raw_check c = { NULL, "a password that is not known here", 100, true, false };
    struct sl_ice_creds creds;
    char user[SL_ICE_UFRAG_MAX + 8];
    struct raw r;

    sl_ice_creds_make(5, &creds);
    (void)snprintf(user, sizeof(user), "%s:them", creds.ufrag);
    c.user = user;
    raw_check_write(&r, &c, 1);
    assert_int_equal(sl_ice_lite_worker_of(f->w.lite, r.b, r.n), 5);
    assert_int_equal(f->w.nsent, 0);
    assert_null(sl_ice_lite_find(f->w.lite, &x, NULL));
    assert_int_equal(sl_ice_lite_worker_of(f->w.lite, r.b, r.n - 1), -EBADMSG);
    c.user = "ufragAAA"; /* names nobody */
    raw_check_write(&r, &c, 2);
    assert_int_equal(sl_ice_lite_worker_of(f->w.lite, r.b, r.n), -EBADMSG);
}

static void keeps_sixteen_addresses_and_replaces_the_oldest(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr first = world_addr("198.51.100.1", 4000), x;

    world_check(&f->w, &f->a, &first, 100, true);
    for (uint16_t i = 1; i <= 20; i++) {
        world_run(&f->w, 1000);
        x = world_addr("198.51.100.1", (uint16_t)(4000 + i));
        assert_int_equal(world_check(&f->w, &f->a, &x, 100, false), 200);
    }
    assert_non_null(sl_ice_lite_find(f->w.lite, &first, NULL)); /* selected */
    for (uint16_t i = 1; i <= 20; i++) {
        x = world_addr("198.51.100.1", (uint16_t)(4000 + i));
        assert_int_equal(sl_ice_lite_find(f->w.lite, &x, NULL) != NULL, i > 5);
    }
    assert_path(&f->a, &first);
}

static void refuses_more_fresh_nominations_than_it_can_keep(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x;

    for (uint16_t i = 0; i < 16; i++) {
        x = world_addr("198.51.100.1", (uint16_t)(4000 + i));
        assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 200);
    }
    x = world_addr("198.51.100.1", 5000);
    assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 0);
    assert_int_equal(sl_ice_lite_drops(f->w.lite)[SL_LITE_TOO_MANY_ADDRESSES], 1);
    world_run(&f->w, 6000000);
    assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 200);
    assert_path(&f->a, &x);
}

static void restarts_without_an_interruption(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000), y = world_addr("198.51.100.2", 4001);
    struct sl_ice_creds second = { "ufragA22", "password-of-agent-a22222" };
    struct sl_ice_creds third = { "ufragA33", "password-of-agent-a33333" };
    struct world_peer old = f->a;

    world_check(&f->w, &f->a, &x, 100, true);
    assert_int_equal(sl_lite_agent_restart(f->a.agent, &f->b.creds), -EEXIST);
    assert_int_equal(sl_lite_agent_restart(f->a.agent, &second), 0);
    assert_int_equal(world_check(&f->w, &old, &x, 100, true), 200); /* the old ones still hold */
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    assert_path(&f->a, &x);

    /* A second restart before a check with the first: the set that works is the one kept. */
    assert_int_equal(sl_lite_agent_restart(f->a.agent, &third), 0);
    assert_int_equal(world_check(&f->w, &old, &x, 100, true), 200);
    f->a.creds = second;
    assert_int_equal(world_check(&f->w, &f->a, &y, 1, false), 0);
    f->a.creds = third;
    assert_int_equal(world_check(&f->w, &f->a, &y, 1, false), 200);
    assert_path(&f->a, &y); /* takes over, whatever its priority */
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    assert_int_equal(world_check(&f->w, &old, &x, 100, true), 0); /* gone */
    assert_ptr_equal(sl_ice_lite_find(f->w.lite, &x, NULL),
                     &f->a); /* media in flight is still taken */
    assert_path(&f->a, &y);
}

static void restarts_on_the_same_address(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    struct sl_ice_creds second = { "ufragA22", "password-of-agent-a22222" };

    world_check(&f->w, &f->a, &x, 100, true);
    assert_int_equal(sl_lite_agent_restart(f->a.agent, &second), 0);
    assert_int_equal(sl_lite_agent_restart(f->a.agent, &second), 0); /* said twice */
    f->a.creds = second;
    assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 200);
    assert_path(&f->a, &x);
    assert_int_equal(f->a.npaths, 1);
}

static void refuses_credentials_that_are_taken_or_empty(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_ice_creds empty = { "", "" }, open = { "ufrag", "" };
    struct sl_lite_agent *agent = NULL;

    assert_int_equal(sl_lite_agent_create(f->w.lite, &f->a.creds, NULL, &agent), -EEXIST);
    assert_int_equal(sl_lite_agent_create(f->w.lite, &empty, NULL, &agent), -EINVAL);
    assert_int_equal(sl_lite_agent_create(f->w.lite, &open, NULL, &agent), -EINVAL);
    assert_null(agent);
}

static void knows_a_mapped_address_as_it_came(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("::ffff:198.51.100.1", 4000);
    const uint8_t *v;
    size_t len;

    assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 200);
    assert_path(&f->a, &x); /* so that the answer leaves through the socket it came to */
    v = raw_find(f->w.out, f->w.out_len, RAW_XOR_MAPPED, &len);
    assert_non_null(v);
    assert_int_equal(len, 8); /* but the browser has an IPv4 candidate */
    assert_int_equal(sl_get32(v + 4) ^ 0x2112A442, 0xc6336401);
}

static void forgets_a_destroyed_agent(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct sl_addr x = world_addr("198.51.100.1", 4000);

    world_check(&f->w, &f->a, &x, 100, true);
    sl_lite_agent_destroy(f->a.agent);
    f->a.agent = NULL;
    assert_null(sl_ice_lite_find(f->w.lite, &x, NULL));
    assert_int_equal(world_check(&f->w, &f->a, &x, 100, true), 0);
    world_run(&f->w, 60000000); /* no timer of it is left */
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
}

/* Creates, restarts, takes a check; whatever fails, nothing is left behind (the sanitizer looks).
 */
static bool lives_once(unsigned int n)
{
    SL_ASSUME(worker);
    struct sl_ice_creds second = { "ufragA22", "password-of-agent-a22222" };
    struct sl_addr x = world_addr("198.51.100.1", 4000);
    struct world w = { 0 };
    struct world_peer a = { 0 };
    int err, code = 0;

    oom_fail_at(n);
    err = world_init(&w);
    if (!err)
        err = world_peer_init(&w, &a, "ufragAAA", "password-of-agent-aaaaaa");
    if (!err)
        err = sl_lite_agent_restart(a.agent, &second);
    if (!err)
        code = world_check(&w, &a, &x, 100, true);
    if (oom_happened()) {
        assert_true(err == -ENOMEM || (err == 0 && code == 0 && w.nsent == 0));
        if (!err) /* and the next check of the same peer finds everything in order */
            assert_int_equal(world_check(&w, &a, &x, 100, true), 200);
        err = -ENOMEM;
    } else {
        assert_int_equal(err, 0);
        assert_int_equal(code, 200);
    }
    sl_lite_agent_destroy(a.agent);
    sl_ice_lite_destroy(w.lite);
    return err == 0;
}

static void survives_every_failing_allocation(void **state)
{
    unsigned int n = 1;

    (void)state;
    while (!lives_once(n))
        n++;
    assert_true(n > 4); /* server, STUN, agent, maps and address */
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(offers_a_path_at_the_first_check_and_connects_at_nomination),
        T(follows_regular_nomination),
        T(picks_the_highest_priority_of_aggressive_nomination),
        T(migrates_to_a_lower_priority_when_the_old_address_went_quiet),
        T(gives_nothing_to_who_does_not_know_the_password),
        T(takes_only_the_peer_s_ufrag_once_it_is_known),
        T(answers_errors_only_to_who_is_authenticated),
        T(moves_an_address_to_another_agent_only_by_a_check),
        T(a_connection_is_another_way_than_its_address),
        T(udp_is_preferred_to_tcp_while_both_work),
        T(a_request_tells_its_worker_but_proves_nothing),
        T(keeps_sixteen_addresses_and_replaces_the_oldest),
        T(refuses_more_fresh_nominations_than_it_can_keep),
        T(restarts_without_an_interruption),
        T(restarts_on_the_same_address),
        T(refuses_credentials_that_are_taken_or_empty),
        T(knows_a_mapped_address_as_it_came),
        T(forgets_a_destroyed_agent),
        T(survives_every_failing_allocation),
    };
    int failed;

    sl_role_enter(&sl_role_worker);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sl_role_leave(&sl_role_worker);
    return failed;
}
