/* Workers without memory: a peer connection still tells its end. */
#include "worker_world.h"

#include "tests/unit/test_oom.h"

static size_t count_reports(enum sl_report_type type, sl_id pc)
{
    size_t n = 0;

    pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.nreports; i++)
        n += world.reports[i].type == type && world.reports[i].pc == pc;
    pthread_mutex_unlock(&world.lock);
    return n;
}

static void a_connection_that_goes_is_told(void **state)
{
    struct rtc_client c;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    id = join(&c, 0, SL_DIR_RECV);
    oom_starve_others(SIZE_MAX);
    sl_dtls_close(c.dtls);
    assert_true(wait_report(SL_REPORT_DOWN, id));
    oom_starve_others(0);
    assert_int_equal(count_reports(SL_REPORT_DOWN, id), 1);
    leave(&c, id);
    assert_int_equal(count_reports(SL_REPORT_DOWN, id), 1);
}

/* Its owner would wait for it for ever. */
static void one_whose_beginning_cannot_be_told_ends(void **state)
{
    struct rtc_client c;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    id = open_pc(&c, 0);
    post_media(id, make_media(SL_DIR_RECV));
    oom_starve_others(sizeof(struct sl_report));
    assert_true(rtc_connect(&c));
    assert_true(wait_report(SL_REPORT_DOWN, id));
    oom_starve_others(0);
    assert_false(has_report(SL_REPORT_UP, id));
    leave(&c, id);
}

static void one_that_cannot_be_opened_is_told(void **state)
{
    struct rtc_client c;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    oom_starve_others(SIZE_MAX);
    id = open_pc(&c, 1);
    assert_true(wait_report(SL_REPORT_DOWN, id));
    oom_starve_others(0);
    leave(&c, id);
    assert_int_equal(count_reports(SL_REPORT_DOWN, id), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_goes_is_told),
        cmocka_unit_test(one_whose_beginning_cannot_be_told_ends),
        cmocka_unit_test(one_that_cannot_be_opened_is_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
