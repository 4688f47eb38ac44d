/* What our plugins share: ids, configured rooms, tokens, messages that wait. */
#include "../test_cmocka.h"
#include "../../../plugins/common/pl_allowed.h"
#include "../../../plugins/common/pl_conf.h"
#include "../../../plugins/common/pl_queue.h"
#include <stdlib.h>
#include <string.h>

/* ---- a core of a few functions --------------------------------------------------------------- */

static json_t *config, *saved; /* saved: group -> keys */
static char complaint[512];
static size_t room; /* bytes that the data channel takes still */
static char heard[256];

static void on_log(int level, const char *event, const char *text)
{
    assert_int_equal(level, 0);
    assert_string_equal(event, "configuration");
    snprintf(complaint, sizeof(complaint), "%s", text);
}

static const json_t *get_config(void)
{
    return config;
}

static int save(const char *group, const json_t *keys)
{
    return json_object_set_new(saved, group, keys ? json_deep_copy(keys) : json_null());
}

static uint64_t random_id(void)
{
    return 4711;
}

static void random_uuid(char out[37])
{
    strcpy(out, "01234567-89ab-cdef-0123-456789abcdef");
}

static int data_send(sl_hid h, const char *label, const char *protocol, bool binary,
                     const void *data, size_t len)
{
    assert_int_equal(h, 5);
    assert_string_equal(label, "chat");
    assert_string_equal(protocol, "p");
    assert_false(binary);
    if (len > room)
        return -EAGAIN;
    room -= len;
    strncat(heard, data, len);
    return 0;
}

static const struct sl_core core = {
    .log = on_log,
    .config = get_config,
    .config_save = save,
    .random_id = random_id,
    .random_uuid = random_uuid,
    .data_send = data_send,
};

/* ---- ids ------------------------------------------------------------------------------------- */

static void ids_are_of_the_kind_that_is_wanted(void **state)
{
    static const struct {
        const char *json;
        const char *number, *string; /* the id as text; NULL: none */
    } v[] = {
        { "1234", "1234", NULL },
        { "0", "0", NULL },
        { "9007199254740993", "9007199254740993", NULL },
        { "-1", NULL, NULL },
        { "5.0", NULL, NULL },
        { "true", NULL, NULL },
        { "\"1234\"", NULL, "1234" },
        { "\"a b\"", NULL, "a b" },
        { "\"\"", NULL, NULL },
        { "\"a\\nb\"", NULL, NULL },
        { "\"a\\u007fb\"", NULL, NULL },
    };

    for (size_t i = 0; i < TEST_COUNT(v); i++)
        for (int strings = 0; strings < 2; strings++) {
            json_t *j = json_loads(v[i].json, JSON_DECODE_ANY, NULL), *back;
            const char *want = strings ? v[i].string : v[i].number;
            struct pl_id id;

            assert_int_equal(pl_id_parse(j, strings, &id), want != NULL);
            if (want) {
                assert_string_equal(id.s, want);
                back = pl_id_json(&id);
                assert_true(json_equal(back, j));
                json_decref(back);
            }
            json_decref(j);
        }
    assert_false(pl_id_parse(NULL, true, &(struct pl_id){ .n = 0 }));
}

static void a_long_id_is_none(void **state)
{
    char text[PL_ID_MAX + 2];
    struct pl_id id;

    memset(text, 'x', sizeof(text));
    text[PL_ID_MAX + 1] = '\0';
    assert_false(pl_id_from_text(text, true, &id));
    text[PL_ID_MAX] = '\0';
    assert_true(pl_id_from_text(text, true, &id));
    assert_string_equal(id.s, text);
    assert_false(pl_id_from_text("12x", false, &id));
    assert_false(pl_id_from_text(" 12", false, &id));
    assert_false(pl_id_from_text("", false, &id));
    pl_id_random(&core, false, &id);
    assert_string_equal(id.s, "4711");
    pl_id_random(&core, true, &id);
    assert_int_equal(strlen(id.s), 36);
}

/* ---- configuration --------------------------------------------------------------------------- */

static bool string_ids, events;
static char *admin_key;
static char made[256];

static json_t *room_value(const char *key, const char *text)
{
    return strcmp(key, "pin") == 0 ? json_string(text) : NULL;
}

static int room_make(const struct pl_id *id, const json_t *body, char *why)
{
    char *text = json_dumps(body, JSON_COMPACT);

    snprintf(made, sizeof(made), "%s %s", id->s, text);
    free(text);
    if (strcmp(sl_arg_str(body, "pin", ""), "bad") != 0)
        return strcmp(sl_arg_str(body, "pin", ""), "twice") == 0 ? -EEXIST : 0;
    snprintf(why, SL_ARG_TEXT_MAX, "a bad pin");
    return -EINVAL;
}

static int load(const char *json)
{
    static const struct pl_key general[] = {
        { "string_ids", "yes or no", pl_read_bool, &string_ids },
        { "events", "yes or no", pl_read_bool, &events },
        { "admin_key", "text", pl_read_text, &admin_key },
    };
    const struct pl_conf conf = { &core,       "x.conf",   general,  TEST_COUNT(general),
                                  &string_ids, room_value, room_make };
    int err;

    string_ids = events = false;
    complaint[0] = made[0] = '\0';
    config = json_loads(json, 0, NULL);
    assert_non_null(config);
    err = pl_conf_load(&conf);
    json_decref(config);
    return err;
}

static void what_is_configured_is_read(void **state)
{
    assert_int_equal(load("{}"), 0);
    assert_int_equal(load("{\"general\":{\"string_ids\":\"ON\",\"admin_key\":\"k\"},"
                          "\"room a b\":{\"pin\":\"1\",\"allowed\":\"x, y\"}}"),
                     0);
    assert_string_equal(admin_key, "k");
    assert_true(string_ids);
    assert_string_equal(made, "a b {\"pin\":\"1\",\"allowed\":[\"x\",\"y\"]}");
    free(admin_key);
    assert_int_equal(load("{\"general\":{\"admin_key\":\"\"},\"room 7\":{}}"), 0);
    assert_null(admin_key);
    assert_string_equal(made, "7 {}");
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *json, *want;
    } v[] = {
        { "{\"general\":{\"nonsense\":\"1\"}}", "group=\"general\" key=nonsense: no such key" },
        { "{\"general\":{\"events\":\"maybe\"}}",
          "group=\"general\" key=events: yes or no is wanted" },
        { "{\"rooms\":{}}", "group=\"rooms\" key=-: no such group" },
        { "{\"room x\":{}}", "group=\"room x\" key=-: not an id for a room" },
        { "{\"room 1\":{\"colour\":\"red\"}}", "group=\"room 1\" key=colour: no such key" },
        { "{\"room 1\":{\"pin\":\"bad\"}}", "group=\"room 1\" key=-: a bad pin" },
        { "{\"room 1\":{\"pin\":\"twice\"}}", "key=-: there is such a room already" },
    };

    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        assert_true(load(v[i].json) < 0);
        assert_non_null(strstr(complaint, "file=x.conf "));
        if (!strstr(complaint, v[i].want))
            fail_msg("'%s' does not say '%s'", complaint, v[i].want);
    }
}

static void rooms_are_saved_under_names_that_can_be_read(void **state)
{
    static const struct {
        const char *id;
        bool ok;
    } v[] = { { "a b", true }, { "[a", false }, { "a]", false }, { " a", false }, { "a ", false } };
    json_t *allowed = json_pack("{s:b, s:b}", "x", 1, "y", 1), *want;
    struct pl_id id;

    saved = json_object();
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        assert_true(pl_id_from_text(v[i].id, true, &id));
        assert_int_equal(pl_room_save(&core, &id, json_pack("{s:s}", "pin", "1"), allowed),
                         v[i].ok);
        assert_int_equal(json_object_size(saved), 1);
    }
    want = json_pack("{s:{s:s, s:s}}", "room a b", "pin", "1", "allowed", "x,y");
    assert_true(json_equal(saved, want));
    json_decref(want);
    assert_true(pl_id_from_text("a b", true, &id));
    assert_true(pl_room_unsave(&core, &id));
    assert_true(json_is_null(json_object_get(saved, "room a b")));
    json_decref(allowed);
    json_decref(saved);
}

/* ---- messages that wait ---------------------------------------------------------------------- */

static void messages_wait_in_order_and_within_a_limit(void **state)
{
    struct pl_queue q = { .max = 6 };
    char text[8] = "one";
    struct pl_message m = { "chat", "p", false, text, 3 };

    room = 4;
    heard[0] = '\0';
    assert_int_equal(pl_queue_send(&q, &core, 5, &m), 0);
    assert_string_equal(heard, "one");
    strcpy(text, "two");
    assert_int_equal(pl_queue_send(&q, &core, 5, &m), 0);
    strcpy(text, "t"); /* there would be room for it, but it is not its turn */
    m.len = 1;
    assert_int_equal(pl_queue_send(&q, &core, 5, &m), 0);
    assert_int_equal(q.bytes, 4);
    m.len = 3;
    assert_int_equal(pl_queue_send(&q, &core, 5, &m), -ENOBUFS);
    pl_queue_flush(&q, &core, 5);
    assert_string_equal(heard, "one");
    room = 3;
    pl_queue_flush(&q, &core, 5);
    assert_string_equal(heard, "onetwo");
    assert_int_equal(q.bytes, 1);
    room = 100;
    pl_queue_flush(&q, &core, 5);
    assert_string_equal(heard, "onetwot");
    assert_null(q.first);
    room = 0;
    assert_int_equal(pl_queue_send(&q, &core, 5, &m), 0);
    pl_queue_clear(&q);
    assert_int_equal(q.bytes, 0);
    assert_null(q.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_of_the_kind_that_is_wanted),
        cmocka_unit_test(a_long_id_is_none),
        cmocka_unit_test(what_is_configured_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(rooms_are_saved_under_names_that_can_be_read),
        cmocka_unit_test(messages_wait_in_order_and_within_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
