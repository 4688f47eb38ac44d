#include "../test_cmocka.h"
#include "base/role.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int calls;

static void on_worker(void) SL_ON_WORKER;

static void on_worker(void)
{
    calls++;
}

/* As a callback does. */
static void callback(void)
{
    SL_ASSUME(worker);
    on_worker();
}

static void as_worker(void)
{
    sl_role_enter(&sl_role_worker);
    callback();
    sl_role_leave(&sl_role_worker);
}

static void as_nobody(void)
{
    callback();
}

static void as_control(void)
{
    sl_role_enter(&sl_role_control);
    callback();
    sl_role_leave(&sl_role_control);
}

static void one_after_the_other(void)
{
    as_worker();
    sl_role_enter(&sl_role_ice);
    sl_role_leave(&sl_role_ice);
    sl_role_enter(&sl_role_transport);
    sl_role_leave(&sl_role_transport);
    as_worker();
}

static bool aborts(void (*fn)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (!pid) {
        (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        fn();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void debug_builds_abort_on_the_wrong_thread_only(void **state)
{
    static const struct {
        void (*fn)(void);
        bool wrong;
    } v[] = {
        { as_worker, false },
        { as_nobody, true },
        { as_control, true },
        { one_after_the_other, false },
    };
#ifdef SL_DEBUG
    const bool checks = true;
#else
    const bool checks = false;
#endif

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++)
        assert_int_equal(aborts(v[i].fn), checks && v[i].wrong);
}

static void a_role_does_not_stop_the_call(void **state)
{
    (void)state;
    calls = 0;
    as_worker();
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debug_builds_abort_on_the_wrong_thread_only),
        cmocka_unit_test(a_role_does_not_stop_the_call),
    };

    return cmocka_run_group_tests_name("base/role", tests, NULL, NULL);
}
