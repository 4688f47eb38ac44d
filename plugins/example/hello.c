/* hello - the plugin of docs/plugins.md: answers, events, timers. */
#include "hello.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELLO_UNKNOWN = 411, HELLO_ARGUMENT, HELLO_BUSY };

const struct sl_core *hello_core;

void hello_fail(struct hello *c, struct sl_msg *m, int code, const char *text)
{
    (void)c;
    hello_core->reply(
        m, json_pack("{s:s, s:i, s:s}", "hello", "event", "error_code", code, "error", text));
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Answered at once. */
static void req_greet(struct hello *c, struct sl_msg *m, const json_t *body)
{
    char text[SL_ARG_NAME_MAX + 16];

    (void)c;
    snprintf(text, sizeof(text), "Hello, %s!", sl_arg_str(body, "name", ""));
    hello_core->reply(m, json_pack("{s:s, s:s}", "hello", "greeting", "text", text));
}

static void on_remind(void *arg)
{
    struct hello *c = arg;

    c->timer = 0;
    c->reminders++;
    hello_core->event(c->h, c->asked, json_pack("{s:s, s:s}", "hello", "reminder", "text", c->text),
                      NULL);
}

/* Acknowledged now, answered by an event later. */
static void req_remind(struct hello *c, struct sl_msg *m, const json_t *body)
{
    if (c->timer) {
        hello_fail(c, m, HELLO_BUSY, "There is a reminder already");
        return;
    }
    /* @body is lent for this call: what is needed later is copied. */
    snprintf(c->text, sizeof(c->text), "%s", sl_arg_str(body, "text", ""));
    c->asked = m;
    hello_core->ack(m, NULL);
    c->timer =
        hello_core->timer_add((uint32_t)sl_arg_int(body, "after_ms", 0), false, on_remind, c);
}

static const struct sl_arg greet_args[] = {
    { "name", SL_ARG_TEXT, SL_ARG_REQUIRED, SL_ARG_NAME_MAX },
};
static const struct sl_arg remind_args[] = {
    { "after_ms", SL_ARG_UINT, SL_ARG_REQUIRED, 3600 * 1000 },
    { "text", SL_ARG_STRING, SL_ARG_REQUIRED, SL_ARG_NAME_MAX },
};

static const struct {
    const char *name;
    void (*run)(struct hello *c, struct sl_msg *m, const json_t *body);
    const struct sl_arg *args;
    size_t nargs;
} requests[] = {
    { "greet", req_greet, greet_args, SL_ARG_COUNT(greet_args) },
    { "remind", req_remind, remind_args, SL_ARG_COUNT(remind_args) },
};

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    const char *name = sl_arg_str(body, "request", "");
    char text[SL_ARG_TEXT_MAX];

    (void)h;
    if (strcmp(name, "echo") == 0) {
        hello_echo(state, m, jsep);
        return;
    }
    for (size_t i = 0; i < SL_ARG_COUNT(requests); i++) {
        if (strcmp(name, requests[i].name) != 0)
            continue;
        if (sl_args_check(body, requests[i].args, requests[i].nargs, text, sizeof(text)) < 0)
            hello_fail(state, m, HELLO_ARGUMENT, text);
        else
            requests[i].run(state, m, body);
        return;
    }
    hello_fail(state, m, HELLO_UNKNOWN, "No such request");
}

/* ---- life ------------------------------------------------------------------------------------ */

static int on_init(const struct sl_core *core)
{
    hello_core = core;
    return 0;
}

static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    struct hello *c = calloc(1, sizeof(*c));

    (void)opaque_id;
    if (!c)
        return -ENOMEM;
    c->h = h;
    *state = c;
    return 0;
}

static void on_detach(sl_hid h, void *state)
{
    struct hello *c = state;

    (void)h;
    if (c->timer)
        hello_core->timer_del(c->timer); /* it would find no client any more */
    free(c);
}

/* For the administrator's handle_info. */
static json_t *on_query(sl_hid h, void *state)
{
    const struct hello *c = state;

    (void)h;
    return json_pack("{s:b, s:i}", "waiting", c->timer != 0, "reminders", (int)c->reminders);
}

SL_PLUGIN_EXPORT = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = "example.plugin.hello",
    .name = "Hello",
    .author = "A. U. Thor",
    .description = "The plugin of the tutorial",
    .version_string = "0.0.1",
    .version = 1,
    .init = on_init,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
    .query = on_query,
    .on_data = hello_on_data,
};
