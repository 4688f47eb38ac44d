/* The plugin without a server: <sluice/mock.h>. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sluice/mock.h>

extern const struct sl_plugin sl_plugin;

static int setup(void **state)
{
    (void)state;
    return mock_start(&sl_plugin, NULL);
}

static int teardown(void **state)
{
    (void)state;
    mock_stop();
    return 0;
}

static void greets_by_name(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_call(h, "{'request':'greet','name':'Ada'}", "{'hello':'greeting','text':'Hello, Ada!'}");
    mock_call(h, "{'request':'greet'}",
              "{'hello':'event','error_code':412,'error':'Missing mandatory element (name)'}");
    mock_call(h, "{'request':'sing'}",
              "{'hello':'event','error_code':411,'error':'No such request'}");
}

static void reminds_after_a_while(void **state)
{
    const sl_hid h = mock_attach(), gone = mock_attach();
    const uint64_t tx = mock_send(h, "{'request':'remind','after_ms':500,'text':'tea'}", NULL);

    (void)state;
    mock_send(gone, "{'request':'remind','after_ms':500,'text':'cake'}", NULL);
    mock_detach(gone);
    mock_run(499);
    mock_expect_nothing(h);
    mock_query(h, "{'waiting':true,'reminders':0}");
    mock_run(1);
    mock_expect(h, tx, "{'hello':'reminder','text':'tea'}", SL_JSEP_NONE);
    mock_query(h, "{'waiting':false,'reminders':1}");
    mock_call(h, "{'request':'remind','after_ms':4294967296,'text':'now?'}",
              "{'hello':'event','error_code':412,"
              "'error':'Invalid element (after_ms is larger than 3600000)'}");
}

static void sends_back_what_comes(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'request':'echo'}",
                 MOCK_OFFER("audio 0 opus", "video 1 h264/42e01f", "video 2 vp8", "data 3"),
                 "{'hello':'event','echo':'started'}", SL_JSEP_ANSWER);
    mock_up(h);
    assert_true(mock_route(h, 0)->active);
    assert_true(mock_line(h, 1)->want.rejected);
    assert_true(mock_route(h, 2)->active);
    mock_data(h, "chat", "", false, "psst", 4);
    mock_expect_data(h, "chat||PSST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(greets_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(reminds_after_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(sends_back_what_comes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
