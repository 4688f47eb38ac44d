/* What an association costs while nothing is sent. A program of its own: it watches the heap. */
#include "sctp/sctp.h"
#include "../test_cmocka.h"
#include <malloc.h>
#include <stdatomic.h>
#include <unistd.h>

#define PAIRS       100
#define MTU         1150
#define FIRST_PC    0x1000
#define COST_MAX    (44 * 1024) /* bytes; 38 KiB when this was written */
#define WAIT_MS_MAX 10000

static struct sl_sctp *sctp;
static atomic_uint ups;

/* Two associations are each other's peer: their ids differ in the last bit. */
static void on_out(void *arg, sl_id pc, const uint8_t *data, size_t len)
{
    (void)arg;
    sl_sctp_input(sctp, pc ^ 1, data, len);
}

static void on_up(void *arg, sl_id pc)
{
    (void)arg;
    (void)pc;
    atomic_fetch_add(&ups, 1);
}

static size_t heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void an_idle_association_is_small(void **state)
{
    static const struct sl_sctp_conf conf = { .mtu = MTU };
    static const struct sl_sctp_cb cb = { .out = on_out, .up = on_up };
    struct sl_sctp_open o = { .local_port = SL_SCTP_PORT, .remote_port = SL_SCTP_PORT };
    size_t before, cost;

    (void)state;
    assert_int_equal(sl_sctp_create(&conf, &cb, NULL, &sctp), 0);
    before = heap();
    for (unsigned int i = 0; i < 2 * PAIRS; i++) {
        o.is_dtls_client = i & 1;
        sl_sctp_open(sctp, FIRST_PC + i, &o);
    }
    for (int ms = 0; ms < WAIT_MS_MAX && atomic_load(&ups) < 2 * PAIRS; ms++)
        usleep(1000);
    assert_int_equal(atomic_load(&ups), 2 * PAIRS);
    cost = (heap() - before) / (2 * PAIRS);
    print_message("%zu bytes per association\n", cost);
    /* A sanitizer's heap does not tell mallinfo. */
    assert_in_range(cost, before ? 1 : 0, COST_MAX);
    sl_sctp_destroy(sctp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_association_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
