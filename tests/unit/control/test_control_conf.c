/* The configuration: files, tables, errors, the sample. */

#include "test_cmocka.h"
#include "control/config_file.h"
#include "control/control_conf.h"
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];

static int make_file(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "test_control.XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void put(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static char *slurp(const char *name)
{
    static char text[65536];
    FILE *f = fopen(name, "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void refuses_files_that_mislead(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "[a]\nx = 1\n[b]\n[a]\n", "line 4: group [a] is there twice, first in line 1" },
        { "[a]\nx = 1\ny = 2\n x=3\n",
          "line 4: group [a], key \"x\" is there twice, first in line 2" },
        { "x = 1\n", "line 1: a key before the first [group]" },
        { "[a]\nrubbish\n", "line 2: expects [group], key = value or # comment" },
        { "[a] # c\n", "line 1: a group is written as [name], alone on its line" },
        { "[a\n", "line 1: a group is written as [name], alone on its line" },
        { "[a]\nx = 1 # one\n", "group [a], key \"x\": a comment needs a line of its own" },
        { "[a]\nx = 1\t#one\n", "group [a], key \"x\": a comment needs a line of its own" },
        { "[a]\nx = \\q\n", "group [a], key \"x\": expects a backslash to be written twice" },
        { "[a]\nx = \xff\n", "not a text file in UTF-8" },
    };
    char err[512];

    for (size_t i = 0; i < TEST_COUNT(rows); i++) {
        put(rows[i].text);
        assert_null(sl_config_file_load(path, false, err, sizeof(err)));
        if (!strstr(err, rows[i].want))
            fail_msg("wanted '%s' in '%s'", rows[i].want, err);
        assert_non_null(strstr(err, path)); /* names the file */
    }
    assert_null(sl_config_file_load("no-such-file", false, err, sizeof(err)));
    assert_string_equal(err, "cannot read no-such-file: there is no such file");
}

static void reads_groups_in_order(void **state)
{
    char err[512], *text;
    json_t *j;

    put("# c\n[b]\n x = 1 \ny=a#b\n\n[a]\nz=\\s\\\\ \n[room 12]\n");
    j = sl_config_file_load(path, false, err, sizeof(err));
    text = json_dumps(j, JSON_COMPACT);
    assert_string_equal(
        text, "{\"b\":{\"x\":\"1\",\"y\":\"a#b\"},\"a\":{\"z\":\" \\\\\"},\"room 12\":{}}");
    free(text);
    json_decref(j);
    j = sl_config_file_load("no-such-file", true, err, sizeof(err));
    assert_int_equal(json_object_size(j), 0);
    json_decref(j);
}

static void what_is_saved_is_read_back(void **state)
{
    static const char *const values[] = { "",         " ",    " a ",       "a # b",     "#",
                                          " #",       "a\\b", "a\nb\tc\r", "[x]",       "=",
                                          "\xc3\xa4", "a;b",  "\\s",       "[a]\nx = 1" };
    char err[512];
    json_t *keys, *all;
    struct stat st;

    put("# top\n\n[keep]\n# comment\nx = 1\n\n[mine]\nold = 1\n");
    assert_int_equal(chmod(path, 0640), 0);
    for (size_t i = 0; i < TEST_COUNT(values); i++) {
        keys = json_pack("{s:s, s:s}", "a key", values[i], "other", "1");
        assert_int_equal(sl_config_file_save(path, "mine", keys), 0);
        all = sl_config_file_load(path, false, err, sizeof(err));
        if (!all || !json_equal(json_object_get(all, "mine"), keys))
            fail_msg("value '%s' is not read back (%s)", values[i], err);
        json_decref(keys);
        json_decref(all);
    }
    assert_int_equal(sl_config_file_save(path, "mine", NULL), 0);
    assert_int_equal(sl_config_file_save(path, "mine", NULL), 0);
    assert_non_null(strstr(slurp(path), "# top\n\n[keep]\n# comment\nx=1\n"));
    assert_null(strstr(slurp(path), "mine"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

/* Saves one and the other for ever. */
static _Noreturn void save_without_end(void)
{
    char text[30001];
    json_t *keys;

    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (;;) {
        keys = json_pack("{s:s}", "description", text);
        (void)sl_config_file_save(path, "room 1", keys);
        json_decref(keys);
        (void)sl_config_file_save(path, "room 1", NULL);
    }
}

static void remove_what_was_cut_off(void)
{
    char pattern[80];
    glob_t g;

    snprintf(pattern, sizeof(pattern), "%s.*", path);
    if (glob(pattern, 0, NULL, &g))
        return;
    for (size_t i = 0; i < g.gl_pathc; i++)
        (void)unlink(g.gl_pathv[i]);
    globfree(&g);
}

static void a_crash_while_saving_loses_nothing(void **state)
{
    char err[512];
    json_t *all, *room;

    (void)state;
    put("[keep]\nx = 1\n");
    for (unsigned int i = 0; i < 40; i++) {
        const pid_t child = fork();

        assert_true(child >= 0);
        if (!child)
            save_without_end();
        usleep(1000 + 333 * i);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        all = sl_config_file_load(path, false, err, sizeof(err));
        if (!all)
            fail_msg("%s", err);
        assert_string_equal(json_string_value(json_object_get(json_object_get(all, "keep"), "x")),
                            "1");
        room = json_object_get(all, "room 1");
        if (room)
            assert_int_equal(json_string_length(json_object_get(room, "description")), 30000);
        json_decref(all);
    }
    remove_what_was_cut_off();
}

static void refuses_to_save_what_cannot_be_read(void **state)
{
    static const char *const groups[] = { "", "a]", "[a", "a\nb", " a", "a " };
    json_t *keys = json_pack("{s:i, s:f}", "x", 1, "y", 1.5);
    json_t *bad;

    for (size_t i = 0; i < TEST_COUNT(groups); i++)
        assert_int_equal(sl_config_file_save(path, groups[i], keys), -EINVAL);
    assert_int_equal(sl_config_file_save(path, "a", keys), 0);
    bad = json_pack("{s:[]}", "x");
    assert_int_equal(sl_config_file_save(path, "a", bad), -EINVAL);
    json_decref(bad);
    bad = json_pack("{s:s}", "x=y", "1");
    assert_int_equal(sl_config_file_save(path, "a", bad), -EINVAL);
    json_decref(bad);
    put("[a]\n[a]\n");
    assert_int_equal(sl_config_file_save(path, "b", keys), -EBADMSG);
    assert_int_equal(sl_config_file_save("no-such-directory/x", "b", keys), -ENOENT);
    json_decref(keys);
}

/* ---- the server's configuration -------------------------------------------------------------- */

static void has_the_promised_defaults(void **state)
{
    struct sl_conf c;
    char err[SL_CONF_ERROR_MAX];

    assert_int_equal(sl_conf_load(&c, NULL, NULL, 0, err, sizeof(err)), 0);
    assert_int_equal(c.general.workers, 0);
    assert_int_equal(c.general.session_timeout_s, 60);
    assert_int_equal(c.general.reclaim_timeout_s, 10);
    assert_false(c.general.token_auth);
    assert_null(c.general.api_secret);
    assert_true(c.http.enabled);
    assert_int_equal(c.http.port, 8088);
    assert_string_equal(c.http.base_path, "/janus");
    assert_int_equal(c.http.tls_port, 0);
    assert_true(c.websockets.enabled);
    assert_int_equal(c.websockets.port, 8188);
    assert_false(c.admin.enabled);
    assert_string_equal(c.admin.bind, "127.0.0.1");
    assert_int_equal(c.admin.port, 7088);
    assert_string_equal(c.admin.base_path, "/admin");
    assert_null(c.admin.secret);
    assert_int_equal(c.media.ice, SL_MEDIA_ICE_LITE);
    assert_int_equal(c.media.port, 10000);
    assert_int_equal(c.media.mtu, 1200);
    assert_int_equal(c.media.ice_grace_s, 90);
    sl_conf_fini(&c);
}

static void options_win_over_the_file(void **state)
{
    const char *over[] = { "http.port=1", "media.ice=full", "http.port=2",
                           "general.server_name=a=b.c" };
    struct sl_conf c;
    char err[SL_CONF_ERROR_MAX];

    put("[http]\nport = 3\nbase_path = /x\n");
    assert_int_equal(sl_conf_load(&c, path, over, 4, err, sizeof(err)), 0);
    assert_int_equal(c.http.port, 2);
    assert_string_equal(c.http.base_path, "/x");
    assert_int_equal(c.media.ice, SL_MEDIA_ICE_FULL);
    assert_string_equal(c.general.server_name, "a=b.c");
    assert_string_equal(c.general.config_dir, ".");
    sl_conf_fini(&c);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *option, *want;
    } rows[] = {
        { "http.port=abc", "option -o, group [http], key \"port\": expects a number from 0 to "
                           "65535, not 'abc'" },
        { "http.prot=1", "group [http]: there is no key \"prot\"" },
        { "htp.port=1", "there is no group [htp]" },
        { "http.port", "option -o expects group.key=value, not 'http.port'" },
        { "port=1", "option -o expects group.key=value, not 'port=1'" },
        { "general.log_level=loud", "expects one of error, warn, info, debug, not 'loud'" },
        { "general.api_secret=", "key \"api_secret\": expects a secret" },
        { "admin.enabled=yes", "group [admin], key \"secret\": expects a secret" },
        { "admin.secret=", "group [admin], key \"secret\": expects a secret" },
        { "http.base_path=janus", "expects a path that begins with /" },
        { "http.base_path=", "expects a path that begins with /" },
        { "http.tls_port=443", "key \"tls_port\": expects tls_cert and tls_key" },
        { "websockets.tls_port=443", "key \"tls_port\": expects tls_cert and tls_key" },
        { "media.dtls_cert=x", "expects dtls_cert and dtls_key to be set both or none" },
        { "media.public_ip=example.org", "expects IP addresses between commas" },
        { "http.bind=localhost", "key \"bind\": expects an IP address" },
        { "media.sctp_port=1", "there is no key \"sctp_port\"" },
        { "unix.enabled=yes", "expects path or admin_path" },
        { "unix.type=stream", "group [unix], key \"type\": expects" },
        { "unix.access=0600", "group [unix], key \"access\": expects" },
        { "media.max_peers=0", "expects a number from 1 to" },
        { "media.rtp_port_range=9-1", "expects LOW-HIGH" },
    };
    struct sl_conf c;
    char err[SL_CONF_ERROR_MAX];

    for (size_t i = 0; i < TEST_COUNT(rows); i++) {
        int rc = sl_conf_load(&c, NULL, &rows[i].option, 1, err, sizeof(err));

        if (rc >= 0 || !strstr(err, rows[i].want))
            fail_msg("%s: wanted '%s' in '%s' (%d)", rows[i].option, rows[i].want, err, rc);
        sl_conf_fini(&c);
    }
    put("[http]\nprot = 1\n");
    assert_true(sl_conf_load(&c, path, NULL, 0, err, sizeof(err)) < 0);
    assert_non_null(strstr(err, path));
    assert_non_null(strstr(err, "group [http]: there is no key \"prot\""));
    sl_conf_fini(&c);
    put("[media]\nice = full\ntcp_port = 443\n");
    assert_true(sl_conf_load(&c, path, NULL, 0, err, sizeof(err)) < 0);
    assert_non_null(strstr(err, "\"tcp_port\": expects 0, since ice = full has no ICE-TCP"));
    sl_conf_fini(&c);
    put("[nonsense]\n");
    assert_true(sl_conf_load(&c, path, NULL, 0, err, sizeof(err)) < 0);
    assert_non_null(strstr(err, "there is no group [nonsense]"));
    sl_conf_fini(&c);
}

static void print_to(void (*print)(FILE *f))
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    print(f);
    fclose(f);
}

static void the_sample_is_what_the_tables_say(void **state)
{
    const char *top = getenv("top_srcdir");
    char name[512], *want;

    snprintf(name, sizeof(name), "%s/conf/sluice.conf", top ? top : ".");
    want = strdup(slurp(name));
    print_to(sl_conf_print_sample);
    assert_string_equal(slurp(path), want); /* else: sluice --sample-config > conf/sluice.conf */
    free(want);
}

/* Every key of the sample, enabled, is accepted. */
static void the_sample_can_be_used(void **state)
{
    struct sl_conf c;
    char err[SL_CONF_ERROR_MAX], *text;
    int keys = 0;
    FILE *f;

    print_to(sl_conf_print_sample);
    text = strdup(slurp(path));
    f = fopen(path, "w");
    for (char *save = NULL, *p = strtok_r(text, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
        bool is_key = p[0] == '#' && p[1] != ' ' && p[strlen(p) - 1] != '=';

        fprintf(f, "%s\n", is_key ? p + 1 : p);
        keys += is_key;
    }
    fclose(f);
    free(text);
    assert_true(keys > 25);
    if (sl_conf_load(&c, path, NULL, 0, err, sizeof(err)))
        fail_msg("%s", err);
    sl_conf_fini(&c);
}

static void prints_all_but_secrets(void **state)
{
    const char *over[] = { "general.api_secret=hush", "http.port=4", "media.turn_password=hush2" };
    struct sl_conf c;
    char err[SL_CONF_ERROR_MAX];
    FILE *f;

    assert_int_equal(sl_conf_load(&c, NULL, over, 3, err, sizeof(err)), 0);
    f = fopen(path, "w");
    sl_conf_print(f, &c);
    fclose(f);
    sl_conf_fini(&c);
    assert_null(strstr(slurp(path), "hush"));
    assert_non_null(strstr(slurp(path), "\n# api_secret is set\n"));
    if (sl_conf_load(&c, path, NULL, 0, err, sizeof(err))) /* and it is a configuration */
        fail_msg("%s", err);
    assert_int_equal(c.http.port, 4);
    sl_conf_fini(&c);
}

static void decides_about_anonymous_rooms(void **state)
{
    static const struct {
        const char *http, *ws, *anonymous;
        bool may;
    } rows[] = {
        { "http.bind=127.0.0.1", "websockets.bind=::1", "general.anonymous=auto", true },
        { "http.bind=10.1.2.3", "websockets.bind=192.168.0.1", "general.anonymous=auto", true },
        { "http.bind=127.0.0.1", "websockets.bind=8.8.8.8", "general.anonymous=auto", false },
        { "http.bind=8.8.8.8", "websockets.bind=127.0.0.1", "general.anonymous=auto", false },
        { "http.bind=127.0.0.1,8.8.8.8", "websockets.bind=::1", "general.anonymous=auto", false },
        { "http.bind=8.8.8.8", "websockets.enabled=no", "general.anonymous=auto", false },
        { "http.enabled=no", "websockets.bind=127.0.0.1", "general.anonymous=auto", true },
        { "http.bind=8.8.8.8", "websockets.bind=8.8.8.8", "general.anonymous=yes", true },
        { "http.bind=127.0.0.1", "websockets.bind=::1", "general.anonymous=no", false },
    };
    struct sl_conf c;
    char err[SL_CONF_ERROR_MAX];

    for (size_t i = 0; i < TEST_COUNT(rows); i++) {
        assert_int_equal(sl_conf_load(&c, NULL, &rows[i].http, 3, err, sizeof(err)), 0);
        assert_int_equal(sl_conf_allows_anonymous(&c), rows[i].may);
        sl_conf_fini(&c);
    }
}

#define T_F(f) cmocka_unit_test_setup_teardown(f, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_F(refuses_files_that_mislead),
        T_F(reads_groups_in_order),
        T_F(what_is_saved_is_read_back),
        T_F(a_crash_while_saving_loses_nothing),
        T_F(refuses_to_save_what_cannot_be_read),
        cmocka_unit_test(has_the_promised_defaults),
        T_F(options_win_over_the_file),
        T_F(says_what_is_wrong),
        T_F(the_sample_is_what_the_tables_say),
        T_F(the_sample_can_be_used),
        T_F(prints_all_but_secrets),
        cmocka_unit_test(decides_about_anonymous_rooms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
