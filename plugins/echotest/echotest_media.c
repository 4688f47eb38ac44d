#include "echotest.h"
#include <errno.h>

#define ECHO_EXTS                                                                                  \
    (SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_RID) | SL_EXT_BIT(SL_EXT_RRID) |                   \
     SL_EXT_BIT(SL_EXT_AUDIO_LEVEL) | SL_EXT_BIT(SL_EXT_VIDEO_ORIENTATION) |                       \
     SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY) | SL_EXT_BIT(SL_EXT_TWCC) |                                  \
     SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR) | SL_EXT_BIT(SL_EXT_ABS_SEND_TIME) |                 \
     SL_EXT_BIT(SL_EXT_ABS_CAPTURE_TIME) | SL_EXT_BIT(SL_EXT_VIDEO_LAYERS_ALLOCATION) |            \
     SL_EXT_BIT(SL_EXT_COLOR_SPACE) | SL_EXT_BIT(SL_EXT_CSRC_AUDIO_LEVEL))

static const enum sl_codec audio_order[] = { SL_CODEC_OPUS,      SL_CODEC_PCMU,   SL_CODEC_PCMA,
                                             SL_CODEC_G722,      SL_CODEC_ISAC32, SL_CODEC_ISAC16,
                                             SL_CODEC_MULTIOPUS, SL_CODEC_L16_48, SL_CODEC_L16 };
static const enum sl_codec video_order[] = { SL_CODEC_VP8, SL_CODEC_VP9, SL_CODEC_H264,
                                             SL_CODEC_AV1, SL_CODEC_H265 };

static const struct sl_mcodec *codec_pick(const struct echo_wish *w, const struct sl_mline *in)
{
    const bool audio = in->kind == SL_KIND_AUDIO;
    const enum sl_codec forced = audio ? w->audiocodec : w->videocodec;
    const enum sl_codec *order = audio ? audio_order : video_order;
    const size_t n =
        audio ? sizeof(audio_order) / sizeof(*order) : sizeof(video_order) / sizeof(*order);

    if (forced != SL_CODEC_NONE)
        return sl_mline_codec_find(in, forced, w->videoprofile);
    for (size_t i = 0; i < n; i++) {
        const struct sl_mcodec *c = sl_mline_codec_find(in, order[i], w->videoprofile);

        if (c)
            return c;
    }
    return NULL;
}

/* One line of the answer; @codec is where its one codec lives. */
static void line_answer(const struct echo_wish *w, const struct sl_mline *in,
                        struct sl_mcodec *codec, struct sl_mline *out)
{
    const struct sl_mcodec *pick = codec_pick(w, in);

    *out = *in;
    out->exts = in->exts & ECHO_EXTS;
    out->red = w->opusred && in->red && pick && pick->codec == SL_CODEC_OPUS;
    out->stream[0] = out->track[0] = '\0';
    if (in->kind == SL_KIND_DATA && !in->rejected) {
        out->codecs = NULL;
        out->ncodecs = 0;
        return;
    }
    if (in->rejected || (!pick && in->ncodecs == 0)) {
        out->rejected = true;
        out->dir = SL_DIR_INACTIVE;
        out->ncodecs = 0;
        return;
    }
    /* Nothing to echo where the client does not send. */
    if (!pick || !(in->dir & SL_DIR_RECV))
        out->dir = SL_DIR_INACTIVE;
    *codec = pick ? *pick : in->codecs[0];
    if (codec->codec == SL_CODEC_OPUS)
        sl_fmtp_opus_answer(pick ? pick->fmtp : "", true, true, true, codec->fmtp);
    out->codecs = codec;
    out->ncodecs = 1;
}

static struct sl_mref ref(const struct echo *e, size_t i)
{
    return (struct sl_mref){ e->h, (uint16_t)i };
}

static bool line_is_paused(const struct echo *e, const struct echo_line *l)
{
    return l->kind == SL_KIND_AUDIO ? !e->wish.audio : !e->wish.video;
}

/* Routes follow what was agreed on. */
static void lines_commit(struct echo *e, const struct sl_mline *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct echo_line *l = &e->lines[i];
        const bool wanted =
            !lines[i].rejected && lines[i].kind != SL_KIND_DATA && lines[i].dir == SL_DIR_SENDRECV;

        l->kind = lines[i].kind;
        l->codec = lines[i].ncodecs ? lines[i].codecs[0].codec : SL_CODEC_NONE;
        l->red = lines[i].red;
        l->simulcast = lines[i].nlayers > 1;
        l->svc =
            !l->simulcast && lines[i].kind == SL_KIND_VIDEO && (e->wish.svc || lines[i].svc[0]);
        if (i >= e->nlines)
            l->now = (struct sl_layer_event){ -1, -1, -1, -1, 0, 0 };
        if (wanted) {
            echo_core->route_add(ref(e, i), ref(e, i), &e->wish.layers);
            echo_core->route_pause(ref(e, i), line_is_paused(e, l));
        } else if (l->routed) {
            echo_core->route_del(ref(e, i));
        }
        l->routed = wanted;
    }
    e->nlines = n;
}

int echo_answer(struct echo *e, struct sl_msg *m, const struct sl_jsep_in *offer, json_t *data,
                const char **text)
{
    struct sl_mcodec codecs[ECHO_LINES_MAX];
    struct sl_mline lines[ECHO_LINES_MAX];
    const struct sl_jsep_out out = {
        .type = SL_JSEP_ANSWER,
        .lines = lines,
        .nlines = offer->nlines,
        .session_name = "EchoTest",
        .e2ee = offer->e2ee,
    };

    if (offer->type != SL_JSEP_OFFER || offer->nlines > ECHO_LINES_MAX) {
        *text = offer->type == SL_JSEP_OFFER ? "Error parsing offer: too many m-lines"
                                             : "Error parsing answer: EchoTest takes offers only";
        json_decref(data);
        return -EINVAL;
    }
    for (size_t i = 0; i < offer->nlines; i++)
        line_answer(&e->wish, &offer->lines[i], &codecs[i], &lines[i]);
    if (echo_core->event(e->h, m, data, &out) < 0) {
        *text = "Error parsing offer: no answer fits it";
        return -EINVAL;
    }
    e->has_pc = true;
    e->e2ee = offer->e2ee;
    echo_core->bitrate(e->h, e->wish.bitrate);
    lines_commit(e, lines, offer->nlines);
    return 0;
}

void echo_apply(struct echo *e, const struct echo_wish *old)
{
    const bool layers_changed = memcmp(&old->layers, &e->wish.layers, sizeof(old->layers)) != 0;

    if (!e->has_pc)
        return;
    if (old->bitrate != e->wish.bitrate)
        echo_core->bitrate(e->h, e->wish.bitrate);
    for (size_t i = 0; i < e->nlines; i++) {
        const struct echo_line *l = &e->lines[i];

        if (!l->routed)
            continue;
        if (old->audio != e->wish.audio || old->video != e->wish.video)
            echo_core->route_pause(ref(e, i), line_is_paused(e, l));
        if (l->kind == SL_KIND_VIDEO && !old->video && e->wish.video)
            echo_core->keyframe(ref(e, i));
        if (l->kind == SL_KIND_VIDEO && layers_changed)
            echo_core->route_layers(ref(e, i), &e->wish.layers);
    }
}

void echo_media_reset(struct echo *e)
{
    e->nlines = 0;
    e->has_pc = e->e2ee = false;
    memset(e->lines, 0, sizeof(e->lines));
}
