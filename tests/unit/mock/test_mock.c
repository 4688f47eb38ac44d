/* The mock core ends tests of plugins that break the contract, and says where and why; it ends
 * handles and connections when the server does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sluice/args.h>
#include <sluice/mock.h>

static const struct sl_core *core;
static char story[256]; /* what the plugin was told, and what it did */
static struct sl_msg *kept;

static void tell(const char *what)
{
    size_t n = strlen(story);

    snprintf(story + n, sizeof(story) - n, "%s ", what);
}

static json_t *ok(void)
{
    return json_pack("{s:s}", "test", "ok");
}

/* ---- a plugin with bad habits ---------------------------------------------------------------- */

static void on_packets(void *arg, const struct sl_tap_packet *p, size_t n)
{
    const sl_hid h = *(sl_hid *)arg;

    (void)p, (void)n;
    core->data_send(h, "label", "", false, "x", 1);
}

static void no_answer(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)h, (void)m, (void)body;
}

static void reply_twice(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)h, (void)body;
    core->reply(m, ok());
    core->reply(m, ok());
}

static void event_first(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)body;
    core->event(h, m, ok(), NULL);
}

static void keep(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)h, (void)body;
    core->ack(m, NULL);
    kept = m;
}

static void answer_kept(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)body;
    core->reply(m, ok());
    core->event(h, kept, ok(), NULL);
}

static void change(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)h;
    json_object_set_new((json_t *)body, "seen", json_true());
    core->reply(m, ok());
}

static void end_twice(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)body;
    core->reply(m, ok());
    core->end_handle(h);
    core->end_handle(h);
}

static void tap(sl_hid h, struct sl_msg *m, const json_t *body)
{
    static sl_hid tapped;
    const struct sl_tap t = { .packets = on_packets, .arg = &tapped };
    uint64_t id;

    (void)body;
    tapped = h;
    assert_int_equal(core->tap_add((struct sl_mref){ h, 0 }, &t, &id), 0);
    core->reply(m, ok());
}

static void end(sl_hid h, struct sl_msg *m, const json_t *body)
{
    (void)body;
    core->end_handle(h);
    tell("asked");
    core->reply(m, ok());
}

static void close_it(sl_hid h, struct sl_msg *m, const json_t *body)
{
    size_t n;

    (void)body;
    core->close_pc(h, "enough");
    tell(core->lines(h, &n) ? "still there" : "gone");
    core->event(h, NULL, ok(), NULL);
    core->reply(m, ok());
}

static void offer(sl_hid h, struct sl_msg *m, const json_t *body)
{
    static const struct sl_mcodec opus = { .codec = SL_CODEC_OPUS };
    static const struct sl_mline line = {
        .kind = SL_KIND_AUDIO, .dir = SL_DIR_SENDRECV, .codecs = &opus, .ncodecs = 1
    };
    const struct sl_jsep_out out = { .type = SL_JSEP_OFFER, .lines = &line, .nlines = 1 };

    (void)body;
    core->ack(m, NULL);
    core->event(h, m, ok(), &out);
}

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    static const struct {
        const char *name;
        void (*run)(sl_hid h, struct sl_msg *m, const json_t *body);
    } rows[] = {
        { "no_answer", no_answer },
        { "reply_twice", reply_twice },
        { "event_first", event_first },
        { "keep", keep },
        { "answer_kept", answer_kept },
        { "change", change },
        { "end_twice", end_twice },
        { "tap", tap },
        { "end", end },
        { "close", close_it },
        { "offer", offer },
    };
    const char *name = sl_arg_str(body, "request", "");

    (void)state, (void)jsep;
    for (size_t i = 0; i < SL_ARG_COUNT(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            rows[i].run(h, m, body);
}

static int on_init(const struct sl_core *c)
{
    core = c;
    return 0;
}

static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    (void)h, (void)opaque_id, (void)state;
    return 0;
}

static void on_detach(sl_hid h, void *state)
{
    (void)h, (void)state;
    tell("detach");
}

static void on_down(sl_hid h, void *state, const char *reason)
{
    (void)h, (void)state, (void)reason;
    tell("down");
}

static const struct sl_plugin plugin = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = "test.plugin.habits",
    .init = on_init,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
    .media_down = on_down,
};

static int setup(void **state)
{
    (void)state;
    story[0] = '\0';
    return mock_start(&plugin, NULL);
}

static int teardown(void **state)
{
    (void)state;
    mock_stop();
    return 0;
}

static sl_hid connected(void)
{
    const sl_hid h = mock_attach();

    mock_request(h, "{'request':'offer'}", NULL, "{'test':'ok'}", SL_JSEP_OFFER);
    mock_up(h);
    return h;
}

/* ---- tests that fail ------------------------------------------------------------------------- */

static int bad_line; /* where the mock is called for the last time */
#define LAST(call) (bad_line = __LINE__, call)

static void leaves_a_request_alone(void **state)
{
    (void)state;
    LAST(mock_call(mock_attach(), "{'request':'no_answer'}", "{}"));
}

static void answers_twice(void **state)
{
    (void)state;
    LAST(mock_call(mock_attach(), "{'request':'reply_twice'}", "{}"));
}

static void forgets_the_ack(void **state)
{
    (void)state;
    LAST(mock_send(mock_attach(), "{'request':'event_first'}", NULL));
}

static void answers_another(void **state)
{
    const sl_hid a = mock_attach(), b = mock_attach();

    (void)state;
    mock_send(a, "{'request':'keep'}", NULL);
    LAST(mock_call(b, "{'request':'answer_kept'}", "{'test':'ok'}"));
}

static void changes_the_body(void **state)
{
    (void)state;
    LAST(mock_call(mock_attach(), "{'request':'change'}", "{'test':'ok'}"));
}

static void ends_twice(void **state)
{
    (void)state;
    LAST(mock_call(mock_attach(), "{'request':'end_twice'}", "{'test':'ok'}"));
}

static void calls_from_a_tap(void **state)
{
    const struct sl_tap_packet p = { .len = 0 };
    const sl_hid h = connected();

    (void)state;
    mock_call(h, "{'request':'tap'}", "{'test':'ok'}");
    LAST(mock_tap((struct sl_mref){ h, 0 }, &p, 1));
}

static void expects_too_much(void **state)
{
    (void)state;
    LAST(mock_expect(mock_attach(), 0, "{'test':'ok'}", SL_JSEP_NONE));
}

static void expects_something_else(void **state)
{
    const sl_hid h = mock_attach();
    const uint64_t tx = mock_send(h, "{'request':'keep'}", NULL);

    (void)state;
    core->event(h, kept, ok(), NULL);
    LAST(mock_expect(h, tx, "{'test':'good'}", SL_JSEP_NONE));
}

/* What the test @t prints, as one that is run alone; it fails. */
static void output_of(const struct CMUnitTest *t, char *out, size_t cap)
{
    int fd[2], status;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fd[1], STDOUT_FILENO);
        dup2(fd[1], STDERR_FILENO);
        close(fd[0]);
        status = _cmocka_run_group_tests("one", t, 1, NULL, NULL);
        printf("line %d\n", bad_line);
        fflush(stdout);
        _exit(status);
    }
    close(fd[1]);
    while (n < cap - 1 && (got = read(fd[0], out + n, cap - 1 - n)) > 0)
        n += (size_t)got;
    out[n] = '\0';
    close(fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void says_where_and_why(void **state)
{
    static const struct {
        struct CMUnitTest test;
        const char *why;
    } v[] = {
        { cmocka_unit_test_setup_teardown(leaves_a_request_alone, setup, teardown),
          "neither reply nor ack" },
        { cmocka_unit_test_setup_teardown(answers_twice, setup, teardown), "reply: the request" },
        { cmocka_unit_test_setup_teardown(forgets_the_ack, setup, teardown),
          "event: the request is not acknowledged" },
        { cmocka_unit_test_setup_teardown(answers_another, setup, teardown),
          "event: the request is one of another handle" },
        { cmocka_unit_test_setup_teardown(changes_the_body, setup, teardown),
          "the body, which was lent, is changed" },
        { cmocka_unit_test_setup_teardown(ends_twice, setup, teardown),
          "end_handle: the handle has been ended already" },
        { cmocka_unit_test_setup_teardown(calls_from_a_tap, setup, teardown),
          "data_send is called by a tap" },
        { cmocka_unit_test_setup_teardown(expects_too_much, setup, teardown),
          "client 1 sees nothing" },
        { cmocka_unit_test_setup_teardown(expects_something_else, setup, teardown),
          "wanted {\"test\": \"good\"}" },
    };
    char out[4096], where[64], *line;

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        output_of(&v[i].test, out, sizeof(out));
        if (!strstr(out, v[i].why))
            fail_msg("%s: no \"%s\" in %s", v[i].test.name, v[i].why, out);
        line = strstr(out, "line ");
        assert_non_null(line);
        snprintf(where, sizeof(where), "test_mock.c:%ld: error", strtol(line + 5, NULL, 10));
        if (!strstr(out, where))
            fail_msg("%s: no \"%s\" in %s", v[i].test.name, where, out);
    }
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void what_ends_goes_when_the_callback_returned(void **state)
{
    const sl_hid h = connected();

    (void)state;
    mock_call(h, "{'request':'close'}", "{'test':'ok'}");
    assert_string_equal(story, "gone down ");
    mock_expect(h, 0, "{'test':'ok'}", SL_JSEP_NONE);
    mock_expect_hangup(h, "enough");
    mock_call(h, "{'request':'end'}", "{'test':'ok'}");
    assert_string_equal(story, "gone down asked detach ");
    assert_int_equal(core->keyframe((struct sl_mref){ h, 0 }), -ESTALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_where_and_why),
        cmocka_unit_test_setup_teardown(what_ends_goes_when_the_callback_returned, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
