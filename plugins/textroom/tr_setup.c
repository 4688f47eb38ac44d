/*
 * tr_setup.c - the connection: the server offers one data m-line.
 */
#include "tr_request.h"
#include <strings.h>

static void fail(struct tr_handle *h, struct sl_msg *m, enum tr_error code, const char *text)
{
    tr_core->event(
        h->h, m,
        json_pack("{s:s, s:i, s:s}", "textroom", "error", "error_code", (int)code, "error", text),
        NULL);
}

static json_t *ok(void)
{
    return json_pack("{s:s, s:s}", "textroom", "event", "result", "ok");
}

static void offer(struct tr_handle *h, struct sl_msg *m, bool restart)
{
    const struct sl_mline line = { .kind = SL_KIND_DATA, .dir = SL_DIR_SENDRECV };
    const struct sl_jsep_out out = {
        .type = SL_JSEP_OFFER,
        .lines = &line,
        .nlines = 1,
        .session_name = "Janus TextRoom plugin",
        .restart = restart,
    };

    if (tr_core->event(h->h, m, ok(), &out) < 0)
        fail(h, m, TR_ERR_SETUP, "The last offer is not answered yet");
    else
        h->is_setup = true;
}

static void setup(struct tr_handle *h, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    if (h->is_setup)
        fail(h, m, TR_ERR_SETUP, "PeerConnection already setup");
    else if (jsep)
        fail(h, m, TR_ERR_INVALID, "Invalid element (jsep: the server offers)");
    else
        offer(h, m, false);
}

static void take_answer(struct tr_handle *h, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    if (jsep && jsep->type == SL_JSEP_OFFER)
        fail(h, m, TR_ERR_INVALID, "Invalid element (jsep: ack takes an answer)");
    else
        tr_core->event(h->h, m, ok(), NULL);
}

static void restart(struct tr_handle *h, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    (void)jsep;
    if (!h->is_setup)
        fail(h, m, TR_ERR_SETUP, "PeerConnection not setup");
    else
        offer(h, m, true);
}

bool tr_setup_request(struct tr_handle *h, struct sl_msg *m, const char *name,
                      const struct sl_jsep_in *jsep)
{
    static const struct {
        const char *name;
        void (*fn)(struct tr_handle *h, struct sl_msg *m, const struct sl_jsep_in *jsep);
    } verbs[] = { { "setup", setup }, { "ack", take_answer }, { "restart", restart } };

    for (size_t i = 0; i < SL_ARG_COUNT(verbs); i++) {
        if (strcasecmp(verbs[i].name, name) != 0)
            continue;
        tr_core->ack(m, NULL);
        verbs[i].fn(h, m, jsep && jsep->type != SL_JSEP_NONE ? jsep : NULL);
        return true;
    }
    return false;
}
