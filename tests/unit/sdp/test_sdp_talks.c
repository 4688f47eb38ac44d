/* Whole talks of real browsers, recorded at an echo test: audio and video; the video transceiver
 * stopped; a new track in its m-line; the audio turned to sendonly. Addresses were taken out. */
#include "jsep_util.h"

#define ROUNDS 4

static void answer_like_an_echo(void) SL_ON_CONTROL
{
    for (size_t i = 0; i < remote.nlines; i++) {
        remote.lines[i].exts &=
            EXT(AUDIO_LEVEL) | EXT(ABS_SEND_TIME) | EXT(TWCC) | EXT(MID) | EXT(VIDEO_ORIENTATION);
        remote.lines[i].red = false;
        remote.lines[i].stream[0] = remote.lines[i].track[0] = '\0';
    }
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, remote.nlines), 0);
}

static void talk(const char *browser) SL_ON_CONTROL
{
    char mids[ROUNDS][SL_MID_MAX + 1];
    char name[64];

    for (int i = 0; i < ROUNDS; i++) {
        (void)snprintf(name, sizeof(name), "%s_talk_%d.sdp", browser, i + 1);
        remote_ok(SL_JSEP_OFFER, golden(name));
        assert_int_equal(remote.update, i > 0);
        assert_false(remote.restart);
        assert_int_equal(remote.nlines, 2);
        assert_int_equal(remote.lines[1].rejected, i == 1);
        strcpy(mids[i], remote.lines[1].mid);
        answer_like_an_echo();
        (void)snprintf(name, sizeof(name), "%s_talk_%d_answer.sdp", browser, i + 1);
        local_is(name);
    }
    assert_string_not_equal(mids[0], mids[2]); /* the m-line came back under another mid */
    assert_string_equal(mids[2], mids[3]);
    assert_int_equal(remote.lines[0].dir, SL_DIR_RECV);
}

static void keeps_up_with_chromium(void **state)
{
    (void)state;
    SL_ASSUME(control);
    talk("chromium");
}

static void keeps_up_with_firefox(void **state)
{
    (void)state;
    SL_ASSUME(control);
    talk("firefox");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_up_with_chromium, jsep_setup, jsep_teardown),
        cmocka_unit_test_setup_teardown(keeps_up_with_firefox, jsep_setup, jsep_teardown),
    };

    sl_role_enter(&sl_role_control);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
