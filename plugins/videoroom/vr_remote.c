#include "vr_remote.h"
#include "vr_sub.h"
#include <errno.h>
#include <stdlib.h>

#define WIRE_MAX 255

static bool kind_parse(const char *text, enum sl_kind *out)
{
    for (int k = 0; k < SL_KIND_MAX; k++)
        if (strcmp(sl_kind_to_str((enum sl_kind)k), text) == 0) {
            *out = (enum sl_kind)k;
            return true;
        }
    return false;
}

static struct vr_stream *stream_by_wire(const struct vr_pub *p, long long wire)
{
    for (size_t i = 0; p && i < p->nstreams; i++)
        if (p->streams[i]->wire == wire)
            return p->streams[i];
    return NULL;
}

/* ---- checking -------------------------------------------------------------------------------- */

static int codec_check(struct vr_req *r, const json_t *item, enum sl_kind kind)
{
    static const struct sl_arg arg[] = { { "codec", SL_ARG_STRING, SL_ARG_REQUIRED } };

    if (kind == SL_KIND_DATA || sl_arg_bool(item, "disabled", false))
        return 0;
    if (VR_ARGS(r, item, arg) < 0)
        return -1;
    return sl_codec_from_str(kind, sl_arg_str(item, "codec", "")) != SL_CODEC_NONE
               ? 0
               : vr_fail(r, VR_ERR_INVALID, "Invalid element (codec)");
}

static int item_check(struct vr_req *r, const struct vr_pub *p, const json_t *item)
{
    static const struct sl_arg args[] = {
        { "mid", SL_ARG_STRING, SL_ARG_REQUIRED },
        { "mindex", SL_ARG_UINT, SL_ARG_REQUIRED },
        { "type", SL_ARG_STRING, SL_ARG_REQUIRED },
        { "codec", SL_ARG_STRING },
        { "description", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "disabled", SL_ARG_BOOL },
        { "stereo", SL_ARG_BOOL },
        { "fec", SL_ARG_BOOL },
        { "dtx", SL_ARG_BOOL },
        { "h264_profile", SL_ARG_STRING },
        { "vp9_profile", SL_ARG_STRING },
        { "simulcast", SL_ARG_BOOL },
        { "svc", SL_ARG_BOOL },
    };
    const struct vr_stream *s;
    enum sl_kind kind;

    if (VR_ARGS(r, item, args) < 0)
        return -1;
    if (sl_arg_int(item, "mindex", 0) > WIRE_MAX)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (mindex)");
    if (!kind_parse(sl_arg_str(item, "type", ""), &kind))
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (type)");
    for (size_t i = 0; i < VR_EXT_IDS; i++) {
        const struct sl_arg id = { vr_ext_ids[i].name, SL_ARG_UINT, SL_ARG_OPTIONAL };

        if (vr_args(r, item, &id, 1) < 0)
            return -1;
        if (sl_arg_int(item, id.name, 0) > 255)
            return vr_fail(r, VR_ERR_INVALID, "Invalid element (%s)", id.name);
    }
    s = stream_by_wire(p, sl_arg_int(item, "mindex", 0));
    if (s && s->kind != kind)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (type can't change)");
    return s && s->codec.codec ? 0 : codec_check(r, item, kind);
}

int vr_remote_check(struct vr_req *r, const struct vr_pub *p)
{
    static const struct sl_arg arg[] = { { "streams", SL_ARG_ARRAY, SL_ARG_REQUIRED } };
    const json_t *list = sl_arg_get(r->body, "streams"), *item;
    bool seen[WIRE_MAX + 1] = { false };
    size_t i;

    if (VR_ARGS(r, r->body, arg) < 0 || vr_arg_objects(r, r->body, "streams", VR_STREAMS_MAX) < 0)
        return -1;
    if (json_array_size(list) == 0)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (streams should not be empty)");
    json_array_foreach(list, i, item)
    {
        if (item_check(r, p, item) < 0)
            return -1;
        if (seen[sl_arg_int(item, "mindex", 0)])
            return vr_fail(r, VR_ERR_INVALID, "Invalid element (mindex is there twice)");
        seen[sl_arg_int(item, "mindex", 0)] = true;
    }
    return 0;
}

/* ---- taking over ----------------------------------------------------------------------------- */

/* What subscribers are offered: nobody told the format parameters. */
static void fmtp_make(struct vr_stream *s, const json_t *item)
{
    struct sl_mcodec *c = &s->codec;
    const char *profile = NULL;

    if (c->codec == SL_CODEC_OPUS)
        snprintf(c->fmtp, sizeof(c->fmtp), "%s%s%s", s->fec ? "useinbandfec=1;" : "",
                 s->dtx ? "usedtx=1;" : "", s->stereo ? "stereo=1;" : "");
    else if (c->codec == SL_CODEC_H264)
        profile = sl_arg_str(item, "h264_profile", "42e01f");
    else if (c->codec == SL_CODEC_VP9)
        profile = sl_arg_str(item, "vp9_profile", "");
    if (c->fmtp[0])
        c->fmtp[strlen(c->fmtp) - 1] = '\0';
    if (!profile || !*profile || strlen(profile) >= sizeof(c->profile) ||
        strspn(profile, "0123456789abcdefABCDEF") != strlen(profile))
        return;
    snprintf(c->profile, sizeof(c->profile), "%s", profile);
    snprintf(c->fmtp, sizeof(c->fmtp),
             c->codec == SL_CODEC_H264
                 ? "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=%s"
                 : "profile-id=%s",
             profile);
}

static void codec_take(struct vr_stream *s, const json_t *item)
{
    enum sl_codec c = sl_codec_from_str(s->kind, sl_arg_str(item, "codec", ""));

    s->red = c == SL_CODEC_RED;
    s->codec = (struct sl_mcodec){ .codec = s->red ? SL_CODEC_OPUS : c };
    s->codec.pt = sl_codec_info_get(s->codec.codec)->pt;
    s->stereo = sl_arg_bool(item, "stereo", false);
    s->fec = sl_arg_bool(item, "fec", false);
    s->dtx = sl_arg_bool(item, "dtx", false);
    s->simulcast = s->kind == SL_KIND_VIDEO && sl_arg_bool(item, "simulcast", false);
    s->svc = s->kind == SL_KIND_VIDEO && !s->simulcast && sl_arg_bool(item, "svc", false);
    fmtp_make(s, item);
    for (size_t i = 0; i < VR_EXT_IDS; i++)
        s->ext_id[vr_ext_ids[i].ext] = (uint8_t)sl_arg_int(item, vr_ext_ids[i].name, 0);
}

static bool description_take(struct vr_stream *s, const char *text)
{
    if (!text || (s->description && strcmp(s->description, text) == 0))
        return false;
    free(s->description);
    s->description = *text ? strdup(text) : NULL;
    return true;
}

static bool item_take(struct vr_pub *p, const json_t *item)
{
    const long long wire = sl_arg_int(item, "mindex", 0);
    struct vr_stream *s = stream_by_wire(p, wire);
    const bool disabled = sl_arg_bool(item, "disabled", false);
    bool changed = false;

    if (!s) {
        s = vr_pub_stream_make(p, (uint16_t)p->nstreams);
        if (!s)
            return false;
        s->wire = (uint16_t)wire;
        (void)kind_parse(sl_arg_str(item, "type", ""), &s->kind);
        snprintf(s->mid, sizeof(s->mid), "%u", s->mindex);
        s->disabled = true;
        changed = true;
    }
    if (!disabled && s->kind != SL_KIND_DATA && s->codec.codec == SL_CODEC_NONE)
        codec_take(s, item);
    if (s->disabled != disabled)
        changed = true;
    s->disabled = disabled;
    return description_take(s, sl_arg_str(item, "description", NULL)) || changed;
}

bool vr_remote_take(struct vr_pub *p, const json_t *streams)
{
    const json_t *item;
    bool changed = false;
    size_t i;

    json_array_foreach(streams, i, item) changed |= item_take(p, item);
    return changed;
}

int vr_remote_apply(struct vr_pub *p)
{
    const size_t n = p->nstreams;
    struct sl_remote_line *lines = calloc(n ? n : 1, sizeof(*lines));
    struct sl_mline *mlines = calloc(n ? n : 1, sizeof(*mlines));
    int err = lines && mlines ? 0 : -ENOMEM;

    for (size_t i = 0; !err && i < n; i++) {
        const struct vr_stream *s = p->streams[i];
        struct sl_mline *m = &mlines[i];

        m->kind = s->kind;
        m->dir = s->disabled ? SL_DIR_INACTIVE : SL_DIR_RECV;
        m->codecs = &s->codec;
        m->ncodecs = s->codec.codec != SL_CODEC_NONE;
        m->red = s->red;
        m->nlayers = s->simulcast ? SL_LAYERS_MAX : 0;
        memcpy(m->ext_id, s->ext_id, sizeof(m->ext_id));
        snprintf(m->svc, sizeof(m->svc), "%s", s->svc ? "yes" : "");
        lines[i] = (struct sl_remote_line){ m, s->wire };
    }
    if (!err)
        err = vr_core->remote_lines(p->media, lines, n);
    free(lines);
    free(mlines);
    if (!err)
        vr_pub_apply(p);
    return err;
}

int vr_arg_remote(struct vr_req *r, struct vr_pub **out)
{
    struct vr_room *room;
    struct pl_id id;

    if (vr_arg_room_secret(r, &room) < 0 || vr_arg_id(r, r->body, "id", &id) < 0)
        return -1;
    *out = vr_pub_find(room, &id);
    return *out && (*out)->remote ? 0 : vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such feed (%s)", id.s);
}
