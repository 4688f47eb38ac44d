/* Rounds in both directions with the 1st, 2nd, 3rd ... allocation failing. */
#include "jsep_util.h"
#include "../test_oom.h"

static const struct sl_sdp_transport transport = {
    .ufrag = "sluf",
    .pwd = "slpwslpwslpwslpwslpwsl",
    .hash = "sha-256",
    .fingerprint = "00:11:22",
    .address = "198.51.100.7",
};

static const char *chromium, *answer;

static int create(void)
{
    static const struct sl_jsep_conf conf = { .cname = "sluice",
                                              .session_id = 1,
                                              .rand32 = test_rand };

    SL_ASSUME(control);
    return sl_jsep_create(&conf, &jsep);
}

static int write_text(void) SL_ON_CONTROL
{
    struct sl_strbuf b;
    int err;

    sl_strbuf_init(&b);
    err = sl_jsep_write_local(jsep, &transport, &b);
    sl_strbuf_fini(&b);
    return err;
}

static int media(void) SL_ON_CONTROL
{
    struct sl_media *m = sl_jsep_media(jsep);

    free(m);
    return m ? 0 : -ENOMEM;
}

/* The peer offers. */
static int answers(void)
{
    int err;

    SL_ASSUME(control);
    err = create();
    if (!err)
        err = remote_set(SL_JSEP_OFFER, chromium);
    if (!err)
        err = sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, remote.nlines);
    if (!err)
        err = write_text();
    return err ? err : media();
}

/* We offer. */
static int offers(void)
{
    static const struct sl_mcodec opus = { SL_CODEC_OPUS, 0, "", "" };
    static const struct sl_mcodec vp8 = { SL_CODEC_VP8, 0, "", "" };
    struct sl_mline lines[2] = {
        wish(SL_KIND_AUDIO, SL_DIR_SEND, &opus, EXT(MID)),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, EXT(MID)),
    };
    int err;

    SL_ASSUME(control);
    lines[0].red = true;
    err = create();
    if (!err)
        err = sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, 2);
    if (!err)
        err = write_text();
    if (!err)
        err = remote_set(SL_JSEP_ANSWER, answer);
    return err ? err : media();
}

static void survives(int (*run)(void), unsigned at_least)
{
    struct sl_arena *texts = arena;
    unsigned n;

    SL_ASSUME(control);
    for (n = 1;; n++) {
        int err;

        jsep = NULL;
        next_ssrc = 1;
        arena = sl_arena_create();
        assert_non_null(arena);
        oom_fail_at(n);
        err = run();
        if (!oom_happened()) {
            assert_int_equal(err, 0);
            assert_true(sl_jsep_is_negotiated(jsep));
        } else {
            assert_int_equal(err, -ENOMEM);
        }
        sl_jsep_destroy(jsep);
        sl_arena_destroy(arena);
        if (!err)
            break;
    }
    arena = texts;
    jsep = NULL;
    assert_true(n > at_least);
}

static void survives_want_of_memory_when_it_answers(void **state)
{
    (void)state;
    chromium = golden("chromium_offer.sdp");
    survives(answers, 20);
}

static void survives_want_of_memory_when_it_offers(void **state)
{
    const char *text = golden("subscriber_offer.sdp");

    (void)state;
    text = replaced(text, "m=application", "m=x-application");
    text = sl_arena_strndup(arena, text, (size_t)(strstr(text, "m=x-") - text));
    text = replaced_all(text, "a=setup:actpass", "a=setup:active");
    answer = replaced_all(text, "a=sendonly", "a=recvonly");
    survives(offers, 15);
}

static int arena_setup(void **state)
{
    (void)state;
    arena = sl_arena_create();
    return arena ? 0 : -1;
}

static int arena_teardown(void **state)
{
    (void)state;
    sl_arena_destroy(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(survives_want_of_memory_when_it_answers, arena_setup,
                                        arena_teardown),
        cmocka_unit_test_setup_teardown(survives_want_of_memory_when_it_offers, arena_setup,
                                        arena_teardown),
    };

    sl_role_enter(&sl_role_control);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
