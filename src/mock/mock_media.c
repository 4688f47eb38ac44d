/* The core's taps and players, for tests of plugins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sluice/codec.h>
#include "mock/mock_state.h"

struct mock_tap {
    struct mock_tap *next;
    uint64_t id;
    struct sl_mref from;
    struct sl_tap tap;
};

struct mock_sent {
    struct mock_sent *next;
    sl_hid player;
    struct mock_packet packet;
};

/* ---- taps ------------------------------------------------------------------------------------ */

int mock_core_tap_add(struct sl_mref from, const struct sl_tap *tap, uint64_t *id)
{
    const struct mock_line *l = mock_line_get(from);
    struct mock_tap *t;

    mock_on_control("tap_add");
    if (!tap->packets)
        return -EINVAL;
    if (!l || l->want.kind == SL_KIND_DATA)
        return -ENOENT;
    t = calloc(1, sizeof(*t));
    mock_check(t, "out of memory");
    t->id = *id = ++mock.next_id;
    t->from = from;
    t->tap = *tap;
    t->next = mock.taps;
    mock.taps = t;
    return 0;
}

/* It is told later, as by a worker. */
static void tap_end(struct mock_tap **at)
{
    struct mock_tap *t = *at;

    *at = t->next;
    if (t->tap.ended)
        (void)mock_core_post(t->tap.ended, t->tap.arg);
    free(t);
}

void mock_core_tap_del(uint64_t id)
{
    struct mock_tap **at = &mock.taps;

    mock_on_control("tap_del");
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    if (*at)
        tap_end(at);
}

void mock_taps_end(sl_hid publisher)
{
    struct mock_tap **at = &mock.taps;

    while (*at) {
        if (!publisher || (*at)->from.handle == publisher)
            tap_end(at);
        else
            at = &(*at)->next;
    }
}

size_t mock_taps(void)
{
    size_t n = 0;

    for (const struct mock_tap *t = mock.taps; t; t = t->next)
        n++;
    return n;
}

void mock_tap(struct sl_mref from, const struct sl_tap_packet *p, size_t n)
{
    size_t heard = 0;

    mock_check(n > 0 && n <= SL_TAP_BATCH, "a tap gets 1 to %d packets", SL_TAP_BATCH);
    mock.in_tap = true;
    for (const struct mock_tap *t = mock.taps; t; t = t->next) {
        if (t->from.handle != from.handle || t->from.mindex != from.mindex)
            continue;
        t->tap.packets(t->tap.arg, p, n);
        heard++;
    }
    mock.in_tap = false;
    if (!heard)
        mock_fail("nobody taps m-line %u", from.mindex);
}

/* ---- players --------------------------------------------------------------------------------- */

int mock_core_player_add(const struct sl_player *p, sl_hid *out)
{
    struct mock_endpoint *e;

    mock_on_control("player_add");
    if (!p->nlines || p->nlines > MOCK_FORWARD_LINES)
        return -EINVAL;
    for (size_t i = 0; i < p->nlines; i++)
        if (!p->lines[i].ncodecs ||
            sl_codec_info_get(p->lines[i].codecs[0].codec)->kind != p->lines[i].kind)
            return -EINVAL;
    if (mock.endpoint_err)
        return mock.endpoint_err;
    e = mock_endpoint_new(out);
    e->player = true;
    e->played = *p;
    e->played.lines = NULL;
    e->nlines = p->nlines;
    for (size_t i = 0; i < p->nlines; i++) {
        struct mock_line *l = &e->rlines[i];

        l->want = p->lines[i];
        l->want.dir = SL_DIR_RECV;
        l->codec = p->lines[i].codecs[0];
        l->want.codecs = &l->codec;
        l->want.ncodecs = 1;
    }
    return 0;
}

int mock_core_player_send(sl_hid player, uint16_t mindex, const struct sl_player_packet *p,
                          size_t n)
{
    const struct mock_endpoint *e = mock_endpoint_get(player);

    mock_on_control("player_send");
    if (!e)
        return -ESTALE;
    if (!e->player || mindex >= e->nlines)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (!p[i].len || p[i].len > SL_PLAYER_PACKET_MAX)
            return -EINVAL;
    if (mock.player_full)
        return -EAGAIN;
    for (size_t i = 0; i < n; i++) {
        struct mock_sent *s = calloc(1, sizeof(*s));

        mock_check(s, "out of memory");
        s->player = player;
        s->packet.mindex = mindex;
        s->packet.time_us = p[i].time_us;
        s->packet.marker = p[i].marker;
        s->packet.len = p[i].len;
        memcpy(s->packet.payload, p[i].payload, p[i].len);
        *mock.last_sent = s;
        mock.last_sent = &s->next;
    }
    return 0;
}

bool mock_played(size_t n, struct mock_packet *out)
{
    struct mock_sent **at = &mock.sent, *s;

    while (*at && (*at)->player != mock_endpoint_id(n))
        at = &(*at)->next;
    s = *at;
    if (!s)
        return false;
    *at = s->next;
    if (mock.last_sent == &s->next)
        mock.last_sent = at;
    *out = s->packet;
    free(s);
    return true;
}

void mock_player_keyframe(size_t n, uint16_t mindex)
{
    const struct mock_endpoint *e = mock_endpoint(n);

    mock_check(e && e->used && e->player && mindex < e->nlines, "endpoint %u is no such player",
               (unsigned)n);
    if (e->played.keyframe)
        MOCK_CALLBACK(e->played.keyframe(e->played.arg, mindex));
}

void mock_player_full(bool is_full)
{
    mock.player_full = is_full;
}

/* ---- life ------------------------------------------------------------------------------------ */

void mock_media_init(void)
{
    mock.last_sent = &mock.sent;
}

void mock_media_clear(void)
{
    while (mock.sent) {
        struct mock_sent *s = mock.sent;

        mock.sent = s->next;
        free(s);
    }
}
