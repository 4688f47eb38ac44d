#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/codec.h>
#include <cmocka.h>
#include "mock/mock_state.h"

/* ---- life ------------------------------------------------------------------------------------ */

static void mock_free(void)
{
    while (mock.msgs) {
        struct sl_msg *m = mock.msgs;

        mock.msgs = m->next;
        json_decref(m->reply);
        free(m);
    }
    mock_later_clear();
    mock_media_clear();
    for (size_t i = 0; i < mock.nhandles; i++)
        free(mock.handles[i]);
    for (size_t i = 0; i < mock.nendpoints; i++)
        free(mock.endpoints[i]);
    json_decref(mock.config);
    json_decref(mock.saved);
    json_decref(mock.notified);
}

int mock_start(const struct sl_plugin *p, const char *config)
{
    int err;

    memset(&mock, 0, sizeof(mock));
    mock.plugin = p;
    mock.config = config ? mock_json(config) : json_object();
    mock.saved = json_object();
    mock.notified = json_object();
    mock.may = mock.config_dir = true;
    mock_later_init();
    mock_media_init();
    mock_check(p->abi == SL_PLUGIN_ABI, "the plugin is of another ABI");
    err = p->init(&mock_core);
    if (err)
        mock_free();
    return err;
}

void mock_stop(void)
{
    mock.depth = 0; /* a failed test left callbacks by a jump */
    for (sl_hid h = 1; h <= mock.nhandles; h++)
        mock_detach(h);
    mock_taps_end(0);
    mock_run(0);
    if (mock.plugin->fini)
        mock.plugin->fini();
    mock_skip(0);
    mock_free();
}

/* ---- clients --------------------------------------------------------------------------------- */

/* Also handles that are gone: what reached them stays to be looked at. */
static struct handle *client_of(sl_hid h)
{
    mock_check(h >= 1 && h <= mock.nhandles, "there never was a handle %u", (unsigned)h);
    return mock.handles[h - 1];
}

static void seen_drop(struct handle *hd)
{
    struct seen *s = hd->first;

    hd->first = s->next;
    if (!hd->first)
        hd->last = &hd->first;
    json_decref(s->data);
    free(s);
}

sl_hid mock_attach(void)
{
    struct handle *hd = calloc(1, sizeof(*hd));
    int err;

    mock_check(hd && mock.nhandles < MOCK_HANDLES, "too many handles");
    mock.handles[mock.nhandles++] = hd;
    hd->attached = true;
    hd->last = &hd->first;
    MOCK_CALLBACK(err = mock.plugin->attach(mock.nhandles, NULL, &hd->state));
    mock_check(!err, "attach failed: %s", strerror(-err));
    return mock.nhandles;
}

void mock_detach(sl_hid h)
{
    mock_handle_end(h);
}

static void answer_enter(struct handle *hd, const struct sl_jsep_in *jsep)
{
    if (!hd->awaits_answer || jsep->nlines != hd->nlines)
        return; /* the core lets none such through, but plugins shall refuse them on their own */
    hd->awaits_answer = false;
    for (size_t i = 0; i < jsep->nlines; i++) {
        struct mock_line *l = &hd->lines[i];

        l->want.dir = jsep->lines[i].dir;
        l->want.rejected = jsep->lines[i].rejected;
        l->want.red = jsep->lines[i].red;
        if (jsep->lines[i].ncodecs)
            l->codec = jsep->lines[i].codecs[0];
    }
}

static void jsep_enter(struct handle *hd, const struct sl_jsep_in *jsep)
{
    if (jsep->type == SL_JSEP_ANSWER) {
        answer_enter(hd, jsep);
        return;
    }
    hd->has_offer = hd->has_pc = true;
    hd->offer_kept = hd->awaits_answer = false;
    hd->noffered = jsep->nlines;
    for (size_t i = 0; i < jsep->nlines; i++) {
        hd->offered[i].kind = jsep->lines[i].kind;
        hd->offered[i].dir = jsep->lines[i].dir;
        hd->offered[i].rejected = jsep->lines[i].rejected;
    }
}

/* What was not answered is rolled back. */
static void offer_drop(struct handle *hd)
{
    hd->has_offer = hd->offer_kept = false;
    hd->has_pc = hd->nlines > 0;
}

/* Takes @body over. */
static struct sl_msg *request_json(sl_hid h, json_t *body, const struct sl_jsep_in *jsep)
{
    static const struct sl_jsep_in none = { .type = SL_JSEP_NONE };
    struct handle *hd = mock_handle(h);
    json_t *lent = json_deep_copy(body);
    struct sl_msg *m = calloc(1, sizeof(*m));

    mock_check(hd, "client %u is gone", (unsigned)h);
    m->tx = ++mock.next_tx;
    m->h = h;
    m->next = mock.msgs;
    mock.msgs = m;
    if (jsep)
        jsep_enter(hd, jsep);
    mock_enter();
    mock.plugin->message(h, hd->state, m, body, jsep ? jsep : &none);
    mock_check(json_equal(body, lent), "message: the body, which was lent, is changed: %s",
               json_dumps(lent, 0));
    if (!m->acked && !m->ended && !m->held)
        mock_fail("neither reply nor ack for %s", json_dumps(lent, 0));
    json_decref(lent);
    json_decref(body);
    if (hd->has_offer && !hd->offer_kept)
        offer_drop(hd);
    mock_leave();
    return m;
}

static struct sl_msg *request(sl_hid h, const char *text, const struct sl_jsep_in *jsep)
{
    return request_json(h, mock_json(text), jsep);
}

static json_t *reply_take(struct sl_msg *m)
{
    json_t *reply = m->reply;

    m->reply = NULL;
    return reply;
}

json_t *mock_call_json(sl_hid h, const char *body)
{
    struct sl_msg *m = request(h, body, NULL);

    if (m->acked || m->held)
        mock_fail("not synchronous: %s", body);
    return reply_take(m);
}

uint64_t mock_call_late(sl_hid h, const char *body)
{
    struct sl_msg *m = request(h, body, NULL);

    if (!m->held || m->ended)
        mock_fail("not held: %s", body);
    return m->tx;
}

json_t *mock_late(uint64_t tx)
{
    struct sl_msg *m = mock.msgs;

    while (m && m->tx != tx)
        m = m->next;
    mock_check(m && m->held && m->ended, "request %u is not answered", (unsigned)tx);
    return reply_take(m);
}

void mock_call(sl_hid h, const char *body, const char *want)
{
    json_t *reply = mock_call_json(h, body);

    mock_data_check(reply, want);
    json_decref(reply);
}

void mock_admin(const char *body, const char *want)
{
    json_t *b = mock_json(body), *reply;

    MOCK_CALLBACK(reply = mock.plugin->admin(b));
    mock_data_check(reply, want);
    json_decref(reply);
    json_decref(b);
}

void mock_query(sl_hid h, const char *want)
{
    json_t *q;

    MOCK_CALLBACK(q = mock.plugin->query(h, client_of(h)->state));
    mock_data_check(q, want);
    json_decref(q);
}

uint64_t mock_send(sl_hid h, const char *body, const struct sl_jsep_in *jsep)
{
    struct sl_msg *m = request(h, body, jsep);

    if (!m->acked)
        mock_fail("not asynchronous: %s", body);
    return m->tx;
}

void mock_try(sl_hid h, json_t *body, const struct sl_jsep_in *jsep)
{
    (void)request_json(h, body, jsep);
}

void mock_expect(sl_hid h, uint64_t tx, const char *data, enum sl_jsep_type jsep)
{
    struct handle *hd = client_of(h);
    struct seen *s = hd->first;

    if (!s)
        mock_fail("client %u sees nothing, wanted %s", (unsigned)h, data);
    if (s->type != SEEN_EVENT)
        mock_fail("client %u sees hangup '%s', wanted %s", (unsigned)h, s->reason, data);
    mock_data_check(s->data, data);
    if (s->tx != tx || s->jsep != jsep)
        mock_fail("%s came with transaction %u, jsep %d", data, (unsigned)s->tx, (int)s->jsep);
    seen_drop(hd);
}

void mock_request(sl_hid h, const char *body, const struct sl_jsep_in *jsep, const char *data,
                  enum sl_jsep_type answer)
{
    mock_expect(h, mock_send(h, body, jsep), data, answer);
}

void mock_expect_hangup(sl_hid h, const char *reason)
{
    struct handle *hd = client_of(h);

    mock_check(hd->first, "client %u sees nothing, wanted hangup '%s'", (unsigned)h, reason);
    mock_check(hd->first->type == SEEN_HANGUP && strcmp(hd->first->reason, reason) == 0,
               "client %u sees %s, wanted hangup '%s'", (unsigned)h,
               hd->first->type == SEEN_HANGUP ? hd->first->reason : json_dumps(hd->first->data, 0),
               reason);
    seen_drop(hd);
}

void mock_expect_nothing(sl_hid h)
{
    struct seen *s = client_of(h)->first;

    if (s)
        mock_fail("client %u sees %s", (unsigned)h, s->data ? json_dumps(s->data, 0) : s->reason);
}

void mock_skip(sl_hid h)
{
    for (sl_hid i = 1; i <= mock.nhandles; i++)
        while ((!h || h == i) && mock.handles[i - 1]->first)
            seen_drop(mock.handles[i - 1]);
}

json_t *mock_take(sl_hid h)
{
    struct handle *hd = client_of(h);
    json_t *data = NULL;

    if (hd->first) {
        data = json_incref(hd->first->data);
        seen_drop(hd);
    }
    return data;
}

uint64_t mock_order(sl_hid h)
{
    struct seen *s = client_of(h)->first;

    return s ? s->order : UINT64_MAX;
}

/* ---- peer connections ------------------------------------------------------------------------ */

static void codec_take(struct sl_mline *l, struct sl_mcodec *codecs, const char *word)
{
    struct sl_mcodec *c = &codecs[l->ncodecs];
    size_t n = strcspn(word, "/?");
    char name[32];

    snprintf(name, sizeof(name), "%.*s", (int)n, word);
    *c = (struct sl_mcodec){ .codec = sl_codec_from_str(l->kind, name),
                             .pt = (uint8_t)(96 + l->ncodecs) };
    if (c->codec == SL_CODEC_NONE)
        mock_fail("no word of an m-line: %s", word);
    if (word[n] == '/') {
        const size_t len = strcspn(word + n + 1, "?");

        snprintf(c->profile, sizeof(c->profile), "%.*s", (int)len, word + n + 1);
        n += 1 + len;
    }
    if (word[n] == '?')
        snprintf(c->fmtp, sizeof(c->fmtp), "%s", word + n + 1);
    l->ncodecs++;
}

static void word_take(struct sl_mline *l, struct sl_mcodec *codecs, const char *word)
{
    static const char *const dirs[] = { "inactive", "send", "recv", "sendrecv" };

    for (int d = SL_DIR_INACTIVE; d <= SL_DIR_SENDRECV; d++)
        if (strcmp(word, dirs[d]) == 0) {
            l->dir = (enum sl_dir)d;
            return;
        }
    if (strcmp(word, "sim") == 0)
        l->nlayers = 3;
    else if (strncmp(word, "svc=", 4) == 0)
        snprintf(l->svc, sizeof(l->svc), "%s", word + 4);
    else if (strcmp(word, "red") == 0)
        l->red = true;
    else if (strcmp(word, "rejected") == 0)
        l->rejected = true;
    else
        codec_take(l, codecs, word);
}

static enum sl_kind kind_of(const char *word)
{
    for (int k = 0; k < SL_KIND_MAX; k++)
        if (strcmp(word, sl_kind_to_str((enum sl_kind)k)) == 0)
            return (enum sl_kind)k;
    mock_fail("no kind: %s", word);
    return SL_KIND_MAX;
}

const struct sl_jsep_in *mock_offer(const char *const *texts, size_t n)
{
    static struct sl_jsep_in in;
    static struct sl_mline lines[MOCK_LINES];
    static struct sl_mcodec codecs[MOCK_LINES][8];

    memset(lines, 0, sizeof(lines));
    for (size_t i = 0; i < n; i++) {
        struct sl_mline *l = &lines[i];
        char *copy = strdup(texts[i]), *save = NULL;

        l->kind = kind_of(strtok_r(copy, " ", &save));
        snprintf(l->mid, sizeof(l->mid), "%s", strtok_r(NULL, " ", &save));
        l->codecs = codecs[i];
        l->dir = SL_DIR_SENDRECV;
        l->exts = (1u << SL_EXT_MAX) - 1;
        for (const char *w; (w = strtok_r(NULL, " ", &save)) != NULL;)
            word_take(l, codecs[i], w);
        for (int e = 0; e < SL_EXT_MAX; e++)
            l->ext_id[e] = (uint8_t)(e + 1);
        free(copy);
    }
    in = (struct sl_jsep_in){ .type = SL_JSEP_OFFER, .lines = lines, .nlines = n };
    return &in;
}

const struct sl_jsep_in *mock_e2ee(const struct sl_jsep_in *offer)
{
    static struct sl_jsep_in in;

    in = *offer;
    in.e2ee = true;
    return &in;
}

const struct sl_jsep_in *mock_answer(sl_hid h)
{
    static struct sl_jsep_in in;
    static struct sl_mline lines[MOCK_LINES];
    struct handle *hd = client_of(h);

    mock_check(hd->awaits_answer, "client %u was made no offer", (unsigned)h);
    for (size_t i = 0; i < hd->nlines; i++)
        lines[i] = hd->lines[i].want;
    in = (struct sl_jsep_in){ .type = SL_JSEP_ANSWER, .lines = lines, .nlines = hd->nlines };
    return &in;
}

const struct sl_jsep_in *mock_answer_with(const struct sl_jsep_in *offer)
{
    static struct sl_jsep_in in;

    in = *offer;
    in.type = SL_JSEP_ANSWER;
    return &in;
}

const struct sl_jsep_in *mock_update(const struct sl_jsep_in *offer, bool restart)
{
    static struct sl_jsep_in in;

    in = *offer;
    in.update = true;
    in.restart = restart;
    return &in;
}

void mock_roll_back(sl_hid h)
{
    client_of(h)->awaits_answer = false;
}

void mock_up(sl_hid h)
{
    struct handle *hd = client_of(h);

    mock_check(hd->has_pc && !hd->up, "client %u has no connection that could come up",
               (unsigned)h);
    hd->up = true;
    if (mock.plugin->media_up)
        MOCK_CALLBACK(mock.plugin->media_up(h, hd->state));
}

void mock_down(sl_hid h, const char *reason)
{
    mock_pc_close(h, reason);
}

void mock_layer(sl_hid h, uint16_t mindex, const struct sl_layer_event *ev)
{
    MOCK_CALLBACK(mock.plugin->on_layer(h, client_of(h)->state, mindex, ev));
}

void mock_watched(sl_hid h, uint16_t mindex, int layer)
{
    MOCK_CALLBACK(mock.plugin->on_watched(h, client_of(h)->state, mindex, layer));
}

void mock_quality(sl_hid h, uint16_t mindex, const struct sl_quality *q)
{
    MOCK_CALLBACK(mock.plugin->on_quality(h, client_of(h)->state, mindex, q));
}

void mock_talking(sl_hid h, uint16_t mindex, bool talking, double level)
{
    MOCK_CALLBACK(mock.plugin->on_talking(h, client_of(h)->state, mindex, talking, level));
}

void mock_voice(sl_hid h, uint16_t mindex, uint64_t at_us, uint8_t level, bool speaks)
{
    const struct sl_voice_report v = { at_us, level, speaks };

    MOCK_CALLBACK(mock.plugin->on_voice(h, client_of(h)->state, mindex, &v));
}

void mock_slow_link(sl_hid h, uint16_t mindex, bool uplink, uint32_t lost)
{
    MOCK_CALLBACK(mock.plugin->on_slow_link(h, client_of(h)->state, mindex, uplink, lost));
}

const struct mock_route *mock_route(sl_hid to, uint16_t mindex)
{
    return &client_of(to)->routes[mindex];
}

const struct mock_line *mock_line(sl_hid h, uint16_t mindex)
{
    mock_check(mindex < client_of(h)->nlines, "client %u has no m-line %u", (unsigned)h, mindex);
    return &client_of(h)->lines[mindex];
}

size_t mock_nlines(sl_hid h)
{
    return client_of(h)->nlines;
}

const char *mock_session_name(sl_hid h)
{
    return client_of(h)->session_name;
}

bool mock_restart(sl_hid h)
{
    return client_of(h)->restart;
}

bool mock_is_e2ee(sl_hid h)
{
    return client_of(h)->e2ee;
}

uint32_t mock_bitrate(sl_hid h)
{
    return client_of(h)->bitrate;
}

uint64_t mock_group(sl_hid h)
{
    return client_of(h)->group;
}

bool mock_has_offer(sl_hid h)
{
    return client_of(h)->has_offer;
}

uint32_t mock_fir(sl_hid h)
{
    return client_of(h)->fir;
}

/* ---- the rest -------------------------------------------------------------------------------- */

void mock_set_may(bool yes)
{
    mock.may = yes;
}

void mock_set_signed_tokens(bool on)
{
    mock.signed_tokens = on;
}

void mock_set_config_dir(bool there)
{
    mock.config_dir = there;
}

const json_t *mock_saved(const char *group)
{
    return json_object_get(mock.saved, group);
}

unsigned mock_notified(const char *event)
{
    char text[128];

    snprintf(text, sizeof(text), strchr(event, ':') ? "%s" : "event:%s", event);
    return (unsigned)json_integer_value(json_object_get(mock.notified, text));
}
