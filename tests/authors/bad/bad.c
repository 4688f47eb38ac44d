/* A plugin that breaks its contract, each request in another way: tests/authors/run.mjs. */
#include <pthread.h>
#include <string.h>
#include <sluice/args.h>
#include <sluice/plugin.h>

#ifndef ABI
#define ABI SL_PLUGIN_ABI
#endif

static const struct sl_core *core;
static sl_hid first; /* a handle; it is named after its end */
static sl_hid latest, bystander; /* the one before the latest */
static const json_t *kept;
static sl_hid forgotten; /* a remote publisher that fini leaves behind */

static json_t *ok(void)
{
    return json_pack("{s:s}", "bad", "ok");
}

static void *other_thread(void *arg)
{
    core->event(*(sl_hid *)arg, NULL, ok(), NULL);
    return NULL;
}

static void wrong_thread(sl_hid h, struct sl_msg *m, const json_t *body)
{
    pthread_t t;

    core->reply(m, ok());
    pthread_create(&t, NULL, other_thread, &h);
    pthread_join(t, NULL);
}

static void stale_handle(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->reply(m, ok());
    core->close_pc(first, NULL);
}

static void end_twice(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->reply(m, ok());
    core->end_handle(h);
    core->end_handle(h);
}

static void no_answer(sl_hid h, struct sl_msg *m, const json_t *body)
{
}

static void event_before_ack(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->event(h, m, ok(), NULL);
}

static void event_elsewhere(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->ack(m, NULL);
    core->event(bystander, m, ok(), NULL);
}

static void hold_after_ack(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->ack(m, NULL);
    core->hold(m);
}

static void changes_lent(sl_hid h, struct sl_msg *m, const json_t *body)
{
    json_object_set_new((json_t *)body, "seen", json_true());
    core->reply(m, ok());
}

static void *saves(void *arg)
{
    core->config_save("a", NULL);
    return arg;
}

static void save_elsewhere(sl_hid h, struct sl_msg *m, const json_t *body)
{
    pthread_t t;

    core->reply(m, ok());
    pthread_create(&t, NULL, saves, NULL);
    pthread_join(t, NULL);
}

static void reply_twice(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->reply(m, ok());
    core->reply(m, ok());
}

static void event_after_end(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->ack(m, NULL);
    core->event(h, m, ok(), NULL);
    core->event(h, m, ok(), NULL);
}

static void endpoint_twice(sl_hid h, struct sl_msg *m, const json_t *body)
{
    static const struct sl_mcodec opus = { .codec = SL_CODEC_OPUS };
    static const struct sl_mline line = { .kind = SL_KIND_AUDIO, .codecs = &opus, .ncodecs = 1 };
    const struct sl_player p = { .lines = &line, .nlines = 1 };
    sl_hid e = 0;

    core->reply(m, ok());
    core->player_add(&p, &e);
    core->endpoint_del(e);
    core->endpoint_del(e);
}

/* The answer takes over what was only lent. */
static void gives_lent(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->reply(m, (json_t *)body);
}

static void gives_lent_member(sl_hid h, struct sl_msg *m, const json_t *body)
{
    core->reply(m, json_pack("{s:o}", "echo", json_object_get(body, "member")));
}

static void keeps_lent(sl_hid h, struct sl_msg *m, const json_t *body)
{
    if (!kept) {
        kept = body;
        core->reply(m, ok());
    } else {
        core->reply(m, (json_t *)kept);
    }
}

static void on_data(void *arg, uint16_t mindex, bool binary, const char *data, size_t len)
{
    core->log(2, "data", "came");
}

/* No breach: the core ends what is left behind. */
static void leaves_behind(sl_hid h, struct sl_msg *m, const json_t *body)
{
    struct sl_mline line = { .kind = SL_KIND_DATA, .dir = SL_DIR_RECV };
    const struct sl_remote_line rl = { &line, 0 };
    const struct sl_remote r = {
        .iface = "127.0.0.1", .port_low = 20000, .port_high = 29999, .data = on_data
    };
    struct sl_remote_at at;

    core->remote_add(&r, &forgotten, &at);
    core->remote_lines(forgotten, &rl, 1);
    core->reply(m, json_pack("{s:i}", "port", at.port));
}

static const struct {
    const char *name;
    void (*run)(sl_hid h, struct sl_msg *m, const json_t *body);
} breaches[] = {
    { "wrong_thread", wrong_thread },
    { "stale_handle", stale_handle },
    { "end_twice", end_twice },
    { "no_answer", no_answer },
    { "event_before_ack", event_before_ack },
    { "event_elsewhere", event_elsewhere },
    { "hold_after_ack", hold_after_ack },
    { "changes_lent", changes_lent },
    { "save_elsewhere", save_elsewhere },
    { "reply_twice", reply_twice },
    { "event_after_end", event_after_end },
    { "endpoint_twice", endpoint_twice },
    { "gives_lent", gives_lent },
    { "gives_lent_member", gives_lent_member },
    { "keeps_lent", keeps_lent },
    { "leaves_behind", leaves_behind },
};

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++)
        if (strcmp(sl_arg_str(body, "request", ""), breaches[i].name) == 0) {
            breaches[i].run(h, m, body);
            return;
        }
    core->reply(m, ok());
}

static int on_init(const struct sl_core *c)
{
    core = c;
    return 0;
}

static void on_fini(void)
{
    core->log(2, "fini", "over");
}

static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    if (!first)
        first = h;
    bystander = latest;
    latest = h;
    return 0;
}

static void on_detach(sl_hid h, void *state)
{
}

SL_PLUGIN_EXPORT = {
    .abi = ABI,
    .size = sizeof(struct sl_plugin),
    .package = "test.plugin.bad",
    .name = "Bad",
    .author = "The Sluice authors",
    .description = "Breaks the contract",
    .version_string = "0",
    .init = on_init,
    .fini = on_fini,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
};
