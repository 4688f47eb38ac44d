/* Captures that the administrator asks for: what may be named, when they begin and end. */

#include "api_admin.h"
#include "net/net_pcap.h"
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sluice-admin-XXXXXX";

static int setup_with(char *capture_dir, void **state)
{
    t_api_conf.capture_dir = capture_dir;
    t_api_conf.capture_max_bytes = 1 << 20;
    return t_admin_handle(state);
}

static int setup(void **state)
{
    return setup_with(folder, state);
}

static int setup_without_folder(void **state)
{
    return setup_with(NULL, state);
}

static long size_of(const char *name)
{
    char path[128];
    struct stat st;

    sl_pcap_wait();
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return stat(path, &st) ? -1 : (long)st.st_size;
}

static void captures_begin_and_end(void **state)
{
    char text[256];
    const json_t *i;

    offer();
    admin("\"janus\":\"stop_pcap\"" SH, FAIL_S(490, "Capture not started"));
    admin("\"janus\":\"stop_text2pcap\"" SH, FAIL_S(490, "Capture not started"));
    snprintf(text, sizeof(text),
             "\"janus\":\"start_pcap\",\"folder\":\"%s/\",\"filename\":\"a.pcap\"" SH, folder);
    admin(text, OK_S(""));
    assert_true(mock_pc.captured);
    admin("\"janus\":\"start_pcap\"" SH, FAIL_S(490, "pcap already started"));
    admin("\"janus\":\"start_text2pcap\"" SH, FAIL_S(490, "text2pcap already started"));
    admin("\"janus\":\"stop_text2pcap\"" SH, FAIL_S(490, "Capture not started"));
    admin("\"janus\":\"handle_info\"" SH, NULL);
    sl_role_enter(&sl_role_control);
    mock_pc_inform(mock_pc.last);
    sl_role_leave(&sl_role_control);
    i = info_next();
    assert_true(json_is_true(json_object_get(i, "dump-to-pcap")));
    snprintf(text, sizeof(text), "%s/a.pcap", folder);
    assert_string_equal(json_string_value(json_object_get(i, "pcap-file")), text);
    admin("\"janus\":\"stop_pcap\"" SH, OK_S(""));
    assert_false(mock_pc.captured);
    assert_int_equal(size_of("a.pcap"), 24);
    admin("\"janus\":\"start_pcap\",\"filename\":\"a.pcap\"" SH,
          FAIL_S(490, "Could not open a.pcap: File exists"));
    admin("\"janus\":\"start_text2pcap\",\"filename\":\"a.txt\",\"truncate\":20" SH, OK_S(""));
    admin("\"janus\":\"stop_text2pcap\"" SH, OK_S(""));
    assert_int_equal(size_of("a.txt"), 0);
}

static void a_capture_waits_for_the_connection_and_ends_with_it(void **state)
{
    admin("\"janus\":\"start_pcap\"" SH, OK_S("")); /* a name of the server's choice */
    assert_false(mock_pc.captured);
    offer();
    assert_true(mock_pc.captured);
    admin("\"janus\":\"hangup_webrtc\"" SH, OK_S(""));
    assert_non_null(t_next());
    admin("\"janus\":\"stop_pcap\"" SH, FAIL_S(490, "Capture not started"));
    admin("\"janus\":\"start_pcap\"" SH, OK_S("")); /* and ends with the handle */
    admin("\"janus\":\"detach_handle\"" SH, OK_S(""));
    sl_pcap_wait();
}

static void captures_stay_in_their_folder(void **state)
{
    static const char *const names[] = { "../x", "/etc/x", "a/b", ".x",     "..",
                                         "a b",  "a\\\\b", "%00", "\\u00e4" };
    char text[256];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(text, sizeof(text), "\"janus\":\"start_pcap\",\"filename\":\"%s\"" SH, names[i]);
        admin(text, FAIL_S(467, "Invalid element type (filename should be letters, digits, '.', "
                                "'_' and '-')"));
    }
    admin("\"janus\":\"start_pcap\",\"folder\":\"/tmp\",\"filename\":\"x\"" SH,
          FAIL_S(490, "Captures go to the folder that is configured, and to no other"));
    admin("\"janus\":\"start_pcap\",\"folder\":7" SH,
          FAIL_S(467, "Invalid element type (folder should be a string)"));
    admin("\"janus\":\"start_pcap\",\"truncate\":-1" SH,
          FAIL_S(467, "Invalid element type (truncate should be a positive integer)"));
    admin("\"janus\":\"stop_pcap\"" SH, FAIL_S(490, "Capture not started"));
}

static void a_link_is_not_followed(void **state)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/link", folder);
    assert_int_equal(symlink("/tmp/sluice-admin-target", path), 0);
    admin("\"janus\":\"start_pcap\",\"filename\":\"link\"" SH,
          FAIL_S(490, "Could not open link: File exists"));
    assert_int_equal(access("/tmp/sluice-admin-target", F_OK), -1);
}

static void without_a_folder_nothing_is_captured(void **state)
{
    admin("\"janus\":\"start_pcap\",\"filename\":\"x\"" SH,
          FAIL_S(490, "No folder for captures is configured (admin.capture_dir)"));
}

static void a_capture_that_cannot_begin_is_over(void **state)
{
    offer();
    mock_pc.capture_err = -12;
    admin("\"janus\":\"start_pcap\",\"filename\":\"oom.pcap\"" SH,
          FAIL_S(490, "Could not open oom.pcap: Cannot allocate memory"));
    admin("\"janus\":\"stop_pcap\"" SH, FAIL_S(490, "Capture not started"));
}

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    sl_pcap_wait();
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    return rmdir(folder);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, setup, t_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(captures_begin_and_end),
        T_(a_capture_waits_for_the_connection_and_ends_with_it),
        T_(captures_stay_in_their_folder),
        T_(a_link_is_not_followed),
        cmocka_unit_test_setup_teardown(without_a_folder_nothing_is_captured, setup_without_folder,
                                        t_teardown),
        T_(a_capture_that_cannot_begin_is_over),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
