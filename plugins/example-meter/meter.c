/*
 * meter - how loud a client is, five times a second: an example of a tap.
 *
 *   {"request": "listen"} with an offer that sends audio  ->  {"meter": "event", "listening": true}
 *   then  {"meter": "level", "dbov": -38.5, "peak": -31, "packets": 10, "voice": true}
 *
 * The tap runs on the worker of the client's connection. It only adds numbers up; when there is
 * something to tell it posts to the control thread, at most one post at a time. What the two
 * threads share is between the atomics `posted` and `report` of struct meter.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/args.h>
#include <sluice/codec.h>
#include <sluice/plugin.h>

#define PERIOD_US UINT64_C(200000)
#define LINES_MAX 16

enum { METER_UNKNOWN = 411, METER_NO_AUDIO };

struct level {
    unsigned int packets, sum, peak; /* dBov below full scale; peak: the smallest */
    bool voice;
};

/* One tap. Lives from tap_add to `ended`, which may be later than the handle. */
struct meter {
    /* Control. */
    sl_hid h; /* 0: the handle is gone */
    uint64_t tap;
    /* Worker. */
    struct level now;
    uint64_t since_us;
    /* The worker writes `report` while `posted` is false, control reads it while it is true. */
    atomic_bool posted;
    struct level report;
};

static const struct sl_core *core;

/* ---- on the worker --------------------------------------------------------------------------- */

static void on_report(void *arg);

static void tell(struct meter *m, uint64_t now_us)
{
    if (m->now.packets && !atomic_load(&m->posted)) {
        m->report = m->now;
        atomic_store(&m->posted, true);
        if (core->post(on_report, m) < 0)
            atomic_store(&m->posted, false); /* told next time */
    }
    m->now = (struct level){ .peak = 127 };
    m->since_us = now_us;
}

static void on_packets(void *arg, const struct sl_tap_packet *p, size_t n)
{
    struct meter *m = arg;

    for (size_t i = 0; i < n; i++) {
        if (p[i].level == SL_TAP_NO_LEVEL)
            continue;
        if (!m->since_us)
            m->since_us = p[i].arrival_us;
        m->now.packets++;
        m->now.sum += p[i].level;
        m->now.peak = p[i].level < m->now.peak ? p[i].level : m->now.peak;
        m->now.voice |= p[i].voice;
        if (p[i].arrival_us - m->since_us >= PERIOD_US)
            tell(m, p[i].arrival_us);
    }
}

/* ---- on the control thread ------------------------------------------------------------------- */

static void on_report(void *arg)
{
    struct meter *m = arg;
    const struct level l = m->report;

    atomic_store(&m->posted, false);
    if (!m->h)
        return;
    core->event(m->h, NULL,
                json_pack("{s:s, s:f, s:i, s:i, s:b}", "meter", "level", "dbov",
                          -(double)l.sum / l.packets, "peak", -(int)l.peak, "packets",
                          (int)l.packets, "voice", l.voice),
                NULL);
}

/* The worker has let go of it, and what it posted was run. */
static void on_ended(void *arg)
{
    free(arg);
}

static int tap_begin(sl_hid h, uint16_t mindex, struct meter **out)
{
    struct meter *m = calloc(1, sizeof(*m));
    const struct sl_tap tap = { .packets = on_packets, .ended = on_ended, .arg = m };
    int err;

    if (!m)
        return -ENOMEM;
    m->h = h;
    m->now.peak = 127;
    err = core->tap_add((struct sl_mref){ h, mindex }, &tap, &m->tap);
    if (err)
        free(m);
    else
        *out = m;
    return err;
}

static void tap_finish(struct meter **at)
{
    struct meter *m = *at;

    *at = NULL;
    if (!m)
        return;
    m->h = 0;
    core->tap_del(m->tap); /* on_ended frees it */
}

/* ---- requests -------------------------------------------------------------------------------- */

static void fail(struct sl_msg *m, int code, const char *text)
{
    core->reply(m,
                json_pack("{s:s, s:i, s:s}", "meter", "event", "error_code", code, "error", text));
}

/* Audio is received, with levels if the client can say them; all else is refused. The m-line, or
 * -1. */
static int answer(const struct sl_jsep_in *offer, struct sl_mcodec *codecs, struct sl_mline *lines)
{
    int audio = -1;

    for (size_t i = 0; i < offer->nlines; i++) {
        const struct sl_mcodec *opus = sl_mline_codec_find(&offer->lines[i], SL_CODEC_OPUS, NULL);

        lines[i] = offer->lines[i];
        lines[i].red = false;
        lines[i].rejected |= audio >= 0 || !opus || !(lines[i].dir & SL_DIR_RECV);
        lines[i].dir = lines[i].rejected ? SL_DIR_INACTIVE : SL_DIR_RECV;
        lines[i].exts &= SL_EXT_BIT(SL_EXT_AUDIO_LEVEL) | SL_EXT_BIT(SL_EXT_MID);
        if (lines[i].rejected)
            continue;
        codecs[i] = *opus;
        lines[i].codecs = &codecs[i];
        lines[i].ncodecs = 1;
        audio = (int)i;
    }
    return audio;
}

static void listen(sl_hid h, struct meter **at, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    struct sl_mcodec codecs[LINES_MAX];
    struct sl_mline lines[LINES_MAX];
    struct sl_jsep_out out = { .type = SL_JSEP_ANSWER, .lines = lines };
    int audio = -1;

    if (jsep && jsep->type == SL_JSEP_OFFER && jsep->nlines <= LINES_MAX)
        audio = answer(jsep, codecs, lines);
    if (audio < 0) {
        fail(m, METER_NO_AUDIO, "An offer that sends opus is needed");
        return;
    }
    out.nlines = jsep->nlines;
    core->ack(m, NULL);
    if (core->event(h, m, json_pack("{s:s, s:b}", "meter", "event", "listening", 1), &out) < 0) {
        core->event(h, m, json_pack("{s:s, s:b}", "meter", "event", "listening", 0), NULL);
        return;
    }
    tap_finish(at);
}

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    if (strcmp(sl_arg_str(body, "request", ""), "listen") == 0)
        listen(h, state, m, jsep);
    else
        fail(m, METER_UNKNOWN, "No such request");
}

/* ---- life ------------------------------------------------------------------------------------ */

static int on_init(const struct sl_core *c)
{
    /* Functions that were added later are beyond the `size` of an older server. */
    if (c->size <= offsetof(struct sl_core, tap_add)) {
        c->log(0, "too old", "this server has no taps");
        return -ENOTSUP;
    }
    core = c;
    return 0;
}

/* The state of a handle is where its tap is, or NULL. */
static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    (void)h, (void)opaque_id;
    *state = calloc(1, sizeof(struct meter *));
    return *state ? 0 : -ENOMEM;
}

static void on_detach(sl_hid h, void *state)
{
    (void)h;
    tap_finish(state);
    free(state);
}

/* The m-lines stand and packets may come. */
static void on_media_up(sl_hid h, void *state)
{
    size_t n;
    const struct sl_mline *lines = core->lines(h, &n);

    for (size_t i = 0; lines && i < n; i++)
        if (lines[i].kind == SL_KIND_AUDIO && !lines[i].rejected && !*(struct meter **)state)
            (void)tap_begin(h, (uint16_t)i, state);
}

static void on_media_down(sl_hid h, void *state, const char *reason)
{
    (void)h, (void)reason;
    tap_finish(state);
}

SL_PLUGIN_EXPORT = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = "example.plugin.meter",
    .name = "Meter",
    .author = "The Sluice authors",
    .description = "An example: a tap that measures how loud a client is",
    .version_string = "0.0.1",
    .version = 1,
    .init = on_init,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
    .media_up = on_media_up,
    .media_down = on_media_down,
};
