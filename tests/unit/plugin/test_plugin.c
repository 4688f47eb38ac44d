/* Loading of plugins, and the core's functions that need no client. */

#include "api_harness.h"
#include "control/config_file.h"
#include "plugin/plugin_loader.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "test_plugin.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const names[] = { "a.so", "b.so", ".c.so", "d.txt", "two.conf" };
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void link_file(const char *name, const char *target)
{
    char path[128], *real = realpath(target, NULL);

    assert_non_null(real);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(symlink(real, path), 0);
    free(real);
}

/* ---- plugins that are linked in -------------------------------------------------------------- */

static int init_result;
static const struct sl_core *core;

static int p_init(const struct sl_core *c)
{
    core = c;
    return init_result;
}

static int p_attach(sl_hid h, const char *opaque_id, void **state)
{
    return 0;
}

static void p_detach(sl_hid h, void *state)
{
}

static void p_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                      const struct sl_jsep_in *jsep)
{
}

static const struct sl_plugin good = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = "test.plugin.two",
    .name = "Two",
    .author = "A",
    .description = "D",
    .version_string = "0.0.2",
    .version = 2,
    .init = p_init,
    .attach = p_attach,
    .detach = p_detach,
    .message = p_message,
};

static struct sl_plugins *plugins_new(const char *conf_dir)
{
    struct sl_plugins *p = NULL;

    SL_ASSUME(control);
    assert_int_equal(sl_plugins_create(&sl_config_file_store, conf_dir, &p), 0);
    init_result = 0;
    return p;
}

static int add(struct sl_plugins *p, const struct sl_plugin *plugin, char *err)
{
    SL_ASSUME(control);
    err[0] = '\0';
    return sl_plugins_add(p, plugin, err, SL_PLUGIN_ERROR_MAX);
}

static int load(struct sl_plugins *p, const char *from, char *err)
{
    SL_ASSUME(control);
    err[0] = '\0';
    return sl_plugins_load(p, from, err, SL_PLUGIN_ERROR_MAX);
}

static void refuses_plugins_that_do_not_fit(void **state)
{
    char err[SL_PLUGIN_ERROR_MAX];
    struct sl_plugins *p;
    struct sl_plugin bad;

    sl_role_enter(&sl_role_control);
    p = plugins_new(NULL);
    bad = good;
    bad.abi = SL_PLUGIN_ABI + 1;
    assert_int_equal(add(p, &bad, err), -EPROTO);
    assert_string_equal(err,
                        "plugin (linked in) was built for ABI 3, this server needs 2: rebuild it");
    bad = good;
    bad.size = 40;
    assert_int_equal(add(p, &bad, err), -EPROTO);
    assert_non_null(strstr(err, "40 bytes"));
    bad = good;
    bad.message = NULL;
    assert_int_equal(add(p, &bad, err), -EPROTO);
    assert_string_equal(err, "plugin (linked in) does not set \"message\"");
    init_result = -ENOENT;
    assert_int_equal(add(p, &good, err), -ENOENT);
    assert_non_null(strstr(err, "refuses to start: No such file or directory"));
    init_result = 0;
    assert_int_equal(sl_plugins_count(p), 0);
    assert_int_equal(add(p, &good, err), 0);
    assert_int_equal(add(p, &good, err), -EEXIST);
    assert_string_equal(err, "plugin (linked in): test.plugin.two is loaded already");
    assert_non_null(sl_plugins_find(p, "test.plugin.two"));
    assert_null(sl_plugins_find(p, "test.plugin.three"));
    sl_plugins_destroy(p);
    sl_role_leave(&sl_role_control);
}

static void a_newer_plugin_may_have_more_fields(void **state)
{
    struct {
        struct sl_plugin known;
        void *more[4];
    } newer = { good, { NULL } };
    char err[SL_PLUGIN_ERROR_MAX];
    struct sl_plugins *p;

    sl_role_enter(&sl_role_control);
    p = plugins_new(NULL);
    newer.known.size = sizeof(newer);
    assert_int_equal(add(p, &newer.known, err), 0);
    sl_plugins_destroy(p);
    sl_role_leave(&sl_role_control);
}

/* ---- shared objects -------------------------------------------------------------------------- */

static void loads_shared_objects_of_a_directory(void **state)
{
    const char *top = getenv("top_builddir");
    char err[SL_PLUGIN_ERROR_MAX], so[512];
    struct sl_plugins *p;
    Dl_info jansson;

    snprintf(so, sizeof(so), "%s/plugins/echotest/.libs/echotest.so", top ? top : ".");
    sl_role_enter(&sl_role_control);
    p = plugins_new(NULL);
    assert_int_equal(load(p, "there-is-no-such-directory", err),
                     0); /* test_sluice.sh: it is told */
    assert_int_equal(sl_plugins_count(p), 0);
    write_file("d.txt", "not looked at");
    write_file(".c.so", "not looked at");
    link_file("a.so", so);
    assert_int_equal(load(p, dir, err), 0);
    assert_non_null(sl_plugins_find(p, "janus.plugin.echotest"));
    sl_plugins_destroy(p);

    p = plugins_new(NULL);
    write_file("b.so", "rubbish");
    assert_int_equal(load(p, dir, err), -ENOEXEC);
    assert_non_null(strstr(err, "cannot load plugin: "));
    sl_plugins_destroy(p);

    remove_dir(NULL);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_not_equal(dladdr((void *)(uintptr_t)json_object, &jansson), 0);
    link_file("b.so", jansson.dli_fname); /* dlopen knows a.so by its name */
    p = plugins_new(NULL);
    assert_int_equal(load(p, dir, err), -ENOEXEC);
    assert_non_null(strstr(err, "is not a plugin: it exports no sl_plugin"));
    sl_plugins_destroy(p);
    p = plugins_new(NULL);
    assert_int_equal(load(p, "/dev/null", err), -ENOTDIR);
    sl_plugins_destroy(p);
    sl_role_leave(&sl_role_control);
}

/* ---- configuration --------------------------------------------------------------------------- */

static void gives_each_plugin_its_file(void **state)
{
    char err[SL_PLUGIN_ERROR_MAX];
    struct sl_plugins *p;
    const json_t *c;
    json_t *keys;

    write_file("two.conf", "# top\n[general]\nkey = value\n\n[room 7]\nname = Seven\n");
    sl_role_enter(&sl_role_control);
    p = plugins_new(dir);
    assert_int_equal(add(p, &good, err), 0);
    c = core->config();
    assert_string_equal(json_string_value(json_object_get(json_object_get(c, "room 7"), "name")),
                        "Seven");
    keys = json_pack("{s:s, s:b, s:i}", "name", "Room # 8", "private", 1, "bitrate", 128);
    assert_int_equal(core->config_save("room 8", keys), 0);
    assert_int_equal(core->config_save("room 7", NULL), 0);
    assert_int_equal(core->config_save("bad]", keys), -EINVAL);
    json_decref(keys);
    sl_plugins_destroy(p);

    p = plugins_new(dir);
    assert_int_equal(add(p, &good, err), 0);
    c = core->config();
    assert_null(json_object_get(c, "room 7"));
    keys = json_pack("{s:s, s:s, s:s}", "name", "Room # 8", "private", "true", "bitrate", "128");
    assert_true(json_equal(json_object_get(c, "room 8"), keys));
    json_decref(keys);
    sl_plugins_destroy(p);

    write_file("two.conf", "[a]\nx = 1\n[a]\n");
    p = plugins_new(dir);
    assert_int_equal(add(p, &good, err), -EINVAL);
    assert_non_null(strstr(err, "two.conf, line 3: group [a] is there twice, first in line 1"));
    sl_plugins_destroy(p);

    p = plugins_new(NULL);
    assert_int_equal(add(p, &good, err), 0);
    assert_int_equal(json_object_size(core->config()), 0);
    assert_int_equal(core->config_save("a", NULL), -ENOENT);
    sl_plugins_destroy(p);
    p = plugins_new("there-is-no-such-directory");
    assert_int_equal(add(p, &good, err), 0);
    keys = json_object();
    assert_int_equal(core->config_save("a", keys), -ENOENT);
    json_decref(keys);
    sl_plugins_destroy(p);
    sl_role_leave(&sl_role_control);
}

/* ---- functions of the core ------------------------------------------------------------------- */

static void on_timer(void *arg)
{
    (void)arg;
    T.plugin.timers++;
    if (T.plugin.timers == 3)
        T.pcore->timer_del(T.plugin.timer); /* itself */
}

static uint64_t timer(uint32_t ms, bool repeat)
{
    return T.pcore->timer_add(ms, repeat, on_timer, NULL);
}

static void timers_fire_once_or_often(void **state)
{
    uint64_t id;

    sl_role_enter(&sl_role_control);
    id = timer(500, false);
    assert_int_not_equal(id, 0);
    assert_int_not_equal(timer(100000, false), id); /* freed at the end */
    sl_role_leave(&sl_role_control);
    t_run(400);
    assert_int_equal(T.plugin.timers, 0);
    t_run(1000);
    assert_int_equal(T.plugin.timers, 1);
    sl_role_enter(&sl_role_control);
    T.pcore->timer_del(id); /* gone: harmless */
    T.plugin.timer = timer(1000, true);
    T.pcore->timer_del(timer(10, true));
    sl_role_leave(&sl_role_control);
    t_run(10000);
    assert_int_equal(T.plugin.timers, 3);
}

static void on_resolved(void *arg, int err, const char *ip)
{
    T.plugin.timers++;
}

/* All ways to be called later. */
static void begin_much(const struct sl_core *c)
{
    uint64_t id;

    (void)c->timer_add(10, false, on_timer, NULL);
    assert_int_equal(c->post(on_timer, NULL), 0);
    assert_int_equal(c->resolve("localhost", 0, on_resolved, NULL, &id), 0);
    assert_int_not_equal(id, 0);
}

static int init_late_failure(const struct sl_core *c)
{
    begin_much(c);
    return -EINVAL;
}

/* Long enough for a name of this machine. */
static void run_for_a_while(void)
{
    for (int i = 0; i < 40; i++) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        t_run(5);
    }
}

static void a_plugin_that_did_not_start_is_called_no_more(void **state)
{
    struct sl_plugin late = good;
    char err[SL_PLUGIN_ERROR_MAX];

    late.init = init_late_failure;
    sl_role_enter(&sl_role_control);
    assert_int_equal(add(T.plugins, &late, err), -EINVAL);
    sl_role_leave(&sl_role_control);
    run_for_a_while();
    assert_int_equal(T.plugin.timers, 0);
}

static void a_plugin_that_ended_is_called_no_more(void **state)
{
    sl_role_enter(&sl_role_control);
    begin_much(T.pcore);
    sl_plugins_stop(T.plugins);
    sl_role_leave(&sl_role_control);
    run_for_a_while();
    assert_int_equal(T.plugin.timers, 0);
}

static void routes_need_connections(void **state)
{
    struct sl_mref a = { T.plugin.hid, 0 }, none = { 424242, 0 };
    const struct sl_tap deaf = { .packets = NULL };
    uint64_t id;
    size_t n = 7;

    sl_role_enter(&sl_role_control);
    assert_int_equal(T.pcore->tap_add(a, &deaf, &id), -EINVAL);
    assert_int_equal(T.pcore->route_add(none, a, NULL), -ESTALE);
    assert_int_equal(T.pcore->route_add(a, a, NULL), -ENOENT);
    assert_int_equal(T.pcore->keyframe(a), -ENOENT);
    assert_null(T.pcore->lines(a.handle, &n));
    assert_int_equal(n, 0);
    assert_false(T.pcore->is_up(a.handle));
    assert_int_equal(T.pcore->data_send(none.handle, "l", "p", true, "x", 1), -ESTALE);
    assert_int_equal(T.pcore->data_send(a.handle, "l", "p", true, "x", 1), -ENOTCONN);
    assert_int_equal(T.pcore->data_pause(a.handle, true), -ENOTCONN);
    assert_int_equal(T.pcore->data_close(a.handle, "l"), -ENOTCONN);
    T.pcore->place(a.handle, 77);
    sl_role_leave(&sl_role_control);
    t_send("{\"janus\":\"message\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"
           "\"body\":{\"request\":\"answer\"},\"jsep\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}");
    sl_role_enter(&sl_role_control);
    assert_int_equal(mock_pc.group, 77);
    assert_int_equal(T.pcore->route_add(a, a, NULL), 0);
    assert_int_equal(mock_pc.routes, 1);
    assert_int_equal(T.pcore->route_pause(a, true), 0);
    assert_int_equal(T.pcore->route_layers(a, NULL), 0);
    assert_int_equal(T.pcore->route_del(a), 0);
    assert_int_equal(T.pcore->route_del(none), -ESTALE);
    assert_int_equal(T.pcore->keyframe(a), 0);
    assert_int_equal(T.pcore->gate(a, true), 0);
    assert_int_equal(T.pcore->bitrate(a.handle, 64000), 0);
    assert_int_equal(T.pcore->fir_interval(a.handle, 5), 0);
    assert_int_equal(T.pcore->data_send(a.handle, "l", "p", true, "xy", 2), 0);
    assert_string_equal(mock_pc.sent, "l|p|1|xy");
    mock_pc.data_err = -EAGAIN;
    assert_int_equal(T.pcore->data_send(a.handle, "l", "p", false, "z", 1), -EAGAIN);
    mock_pc.data_err = 0;
    assert_int_equal(T.pcore->data_pause(a.handle, true), 0);
    assert_true(mock_pc.data_paused);
    assert_int_equal(T.pcore->data_close(a.handle, "l"), 0);
    assert_string_equal(mock_pc.sent, "l closed");
    assert_int_equal(T.pcore->talk_detect((struct sl_mref){ a.handle, 9 }, 50, 30), -ENOENT);
    assert_non_null(T.pcore->lines(a.handle, &n));
    assert_int_equal(n, 2);
    sl_role_leave(&sl_role_control);
}

static void random_uuids_are_of_version_4(void **state)
{
    char a[37], b[37];

    T.pcore->random_uuid(a);
    T.pcore->random_uuid(b);
    assert_int_equal(strlen(a), 36);
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_int_equal(a[8], '-');
    assert_int_equal(a[23], '-');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_plugins_that_do_not_fit),
        cmocka_unit_test(a_newer_plugin_may_have_more_fields),
        cmocka_unit_test_setup_teardown(loads_shared_objects_of_a_directory, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(gives_each_plugin_its_file, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(timers_fire_once_or_often, t_handle, t_teardown),
        cmocka_unit_test_setup_teardown(a_plugin_that_did_not_start_is_called_no_more, t_handle,
                                        t_teardown),
        cmocka_unit_test_setup_teardown(a_plugin_that_ended_is_called_no_more, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(routes_need_connections, t_handle, t_teardown),
        cmocka_unit_test_setup_teardown(random_uuids_are_of_version_4, t_setup, t_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
