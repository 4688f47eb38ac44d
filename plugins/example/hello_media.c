/* The echo: what a client sends comes back, and what it says on a data channel in capitals. */
#include "hello.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/codec.h>

enum { HELLO_NO_OFFER = 421, HELLO_BAD_OFFER };

#define EXTS (SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_TWCC) | SL_EXT_BIT(SL_EXT_AUDIO_LEVEL))

/* Our answer to one m-line: the first codec that we know, both ways. */
static void line_answer(const struct sl_mline *offered, struct sl_mcodec *codec,
                        struct sl_mline *out)
{
    const enum sl_codec want = offered->kind == SL_KIND_AUDIO ? SL_CODEC_OPUS : SL_CODEC_VP8;
    const struct sl_mcodec *found = sl_mline_codec_find(offered, want, NULL);

    *out = *offered;
    out->exts &= EXTS;
    out->red = false;
    out->nlayers = 0;
    if (offered->kind == SL_KIND_DATA)
        return;
    if (!found || offered->rejected) {
        out->rejected = true;
        return;
    }
    *codec = *found;
    out->codecs = codec;
    out->ncodecs = 1;
}

void hello_echo(struct hello *c, struct sl_msg *m, const struct sl_jsep_in *jsep)
{
    static const struct sl_layer_wish wish = SL_LAYER_WISH_INIT;
    struct sl_mcodec codecs[HELLO_LINES_MAX];
    struct sl_mline lines[HELLO_LINES_MAX];
    struct sl_jsep_out answer = { .type = SL_JSEP_ANSWER, .lines = lines };

    if (!jsep || jsep->type != SL_JSEP_OFFER || jsep->nlines > HELLO_LINES_MAX) {
        hello_fail(c, m, HELLO_NO_OFFER, "An echo needs an offer");
        return;
    }
    for (size_t i = 0; i < jsep->nlines; i++)
        line_answer(&jsep->lines[i], &codecs[i], &lines[i]);
    answer.nlines = jsep->nlines;
    hello_core->ack(m, NULL);
    if (hello_core->event(c->h, m, json_pack("{s:s, s:s}", "hello", "event", "echo", "started"),
                          &answer) < 0) {
        hello_core->event(c->h, m,
                          json_pack("{s:s, s:i, s:s}", "hello", "event", "error_code",
                                    HELLO_BAD_OFFER, "error", "No answer fits the offer"),
                          NULL);
        return;
    }
    for (size_t i = 0; i < answer.nlines; i++) {
        const struct sl_mref line = { c->h, (uint16_t)i };

        if (!lines[i].rejected && lines[i].kind != SL_KIND_DATA && lines[i].dir == SL_DIR_SENDRECV)
            hello_core->route_add(line, line, &wish);
    }
}

void hello_on_data(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                   const void *data, size_t len)
{
    const unsigned char *in = data;
    char *text = binary ? NULL : malloc(len + 1);

    (void)state;
    if (!text)
        return;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)toupper(in[i]);
    /* -EAGAIN: the client reads too slowly. An echo is not worth keeping. */
    (void)hello_core->data_send(h, label, protocol, false, text, len);
    free(text);
}
