/* Handshakes wait behind the media of a turn, and a storm of them is spread over turns. The inside
 * of a peer is looked at: what waits shows nowhere else. */
#include "../test_cmocka.h"
#include "peer/peer_private.h"
#include <sys/socket.h>
#include <unistd.h>

#define PEERS 4
#define MTU   1200

static struct world {
    struct sl_cert *cert;
    struct sl_wheel wheel;
    struct sl_mctx ctx;
    struct sl_peer_env env;
    struct sl_peer *peers[PEERS];
    unsigned int downs;
} W;

static void on_down(void *arg, sl_id pc, const char *reason)
{
    (void)arg;
    (void)pc;
    (void)reason;
    W.downs++;
}

static void on_up(void *arg, sl_id pc)
{
    (void)arg;
    (void)pc;
    fail_msg("nobody finished a handshake");
}

static void flush(void *arg)
{
    (void)arg;
    sl_txq_flush(W.env.txq);
}

static int setup(void **state)
{
    static const struct sl_media_cb cb = { .flush = flush };

    (void)state;
    memset(&W, 0, sizeof(W));
    sl_role_enter(&sl_role_worker);
    sl_mctx_init(&W.ctx, 0, &cb, NULL);
    sl_pkt_thread_init(&W.ctx.pkts);
    sl_wheel_init(&W.wheel, 0);
    sl_list_init(&W.env.handshakes);
    W.env.ctx = &W.ctx;
    W.env.wheel = &W.wheel;
    W.env.mtu = MTU;
    W.env.cb = (struct sl_peer_cb){ .up = on_up, .down = on_down, .ice_failed = NULL };
    return sl_cert_create(&W.cert) || sl_txq_create(64, &W.env.txq);
}

static void end(size_t i)
{
    struct sl_endpoint *e = W.peers[i] ? sl_peer_endpoint(W.peers[i]) : NULL;

    if (e)
        e->ops->destroy(e);
    W.peers[i] = NULL;
}

static int teardown(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < PEERS; i++)
        end(i);
    W.env.cert = NULL;
    sl_txq_destroy(W.env.txq);
    sl_cert_destroy(W.cert);
    sl_pkt_thread_init(NULL);
    sl_mctx_fini(&W.ctx);
    sl_role_leave(&sl_role_worker);
    return 0;
}

/* With a path and a remote description. */
static void join(size_t i) SL_ON_WORKER;
static void join(size_t i)
{
    static const struct sl_fingerprint fp = { 0 };
    struct sl_ice_path path = { .kind = SL_ICE_PATH_DIRECT };

    W.env.cert = W.cert;
    assert_int_equal(sl_peer_create(&W.env, i + 1, NULL, &W.peers[i]), 0);
    assert_int_equal(sl_peer_set_remote(W.peers[i], "ufrag", &fp, true), 0);
    path.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(path.fd >= 0);
    sl_peer_on_ice_path(W.peers[i], &path);
}

/* A fragment of a ClientHello, whose rest never comes. */
static void hello(size_t i) SL_ON_WORKER;
static void hello(size_t i)
{
    uint8_t record[] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 13, /* record */
                         1,  0,    1,    0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfe /* message, fragment */ };

    sl_peer_input(W.peers[i], record, sizeof(record));
}

static void a_turn_makes_one_step_and_as_many_as_the_budget_allows(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    assert_false(sl_peer_env_handshakes(&W.env, 0));
    for (size_t i = 0; i < PEERS; i++) {
        join(i);
        hello(i);
        hello(i);
        assert_int_equal(W.peers[i]->nearly, 2);
        assert_false(W.peers[i]->dtls_started);
    }
    /* First come, first served. */
    assert_true(sl_peer_env_handshakes(&W.env, 0));
    assert_true(W.peers[0]->dtls_started);
    assert_int_equal(W.peers[0]->nearly, 0);
    assert_false(W.peers[1]->dtls_started);
    /* Who has more to say waits behind the others. */
    hello(0);
    assert_true(sl_peer_env_handshakes(&W.env, 0));
    assert_true(W.peers[1]->dtls_started);
    assert_int_equal(W.peers[0]->nearly, 1);
    assert_false(sl_peer_env_handshakes(&W.env, 60000000));
    for (size_t i = 0; i < PEERS; i++) {
        assert_true(W.peers[i]->dtls_started);
        assert_int_equal(W.peers[i]->nearly, 0);
    }
}

static void who_ends_waits_no_more(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    join(0);
    hello(0);
    join(1);
    hello(1);
    end(0);
    assert_false(sl_peer_env_handshakes(&W.env, 0));
    assert_true(W.peers[1]->dtls_started);
}

static void what_waits_is_bounded(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    join(0);
    for (int i = 0; i < 1000; i++)
        hello(0);
    assert_int_equal(W.peers[0]->nearly, SL_PEER_EARLY_MAX);
    assert_false(sl_peer_env_handshakes(&W.env, 60000000));
    assert_int_equal(W.peers[0]->nearly, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_makes_one_step_and_as_many_as_the_budget_allows,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(who_ends_waits_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
