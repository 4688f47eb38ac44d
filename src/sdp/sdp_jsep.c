#include "sdp/sdp_jsep_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SSRCS_MAX 65536 /* of one peer connection in its whole life */

int sl_jsep_create(const struct sl_jsep_conf *conf, struct sl_jsep **out)
{
    struct sl_jsep *j = calloc(1, sizeof(*j));

    if (!j)
        return -ENOMEM;
    j->cname = strdup(conf->cname);
    if (!j->cname) {
        free(j);
        return -ENOMEM;
    }
    j->conf = *conf;
    j->conf.cname = j->cname;
    *out = j;
    return 0;
}

void sl_jsep_destroy(struct sl_jsep *j)
{
    if (!j)
        return;
    jsep_round_destroy(j->next);
    jsep_round_destroy(j->cur);
    free(j->used);
    free(j->cname);
    free(j);
}

struct jsep_round *jsep_round_create(bool ours)
{
    struct sl_arena *a = sl_arena_create();
    struct jsep_round *r = a ? sl_arena_alloc(a, sizeof(*r)) : NULL;

    if (!r) {
        sl_arena_destroy(a);
        return NULL;
    }
    r->arena = a;
    r->ours = ours;
    return r;
}

void jsep_round_destroy(struct jsep_round *r)
{
    if (r)
        sl_arena_destroy(r->arena);
}

void jsep_round_complete(struct sl_jsep *j, struct jsep_line *lines, struct sl_mline *views)
{
    j->next->lines = lines;
    j->next->views = views;
    jsep_round_destroy(j->cur);
    j->cur = j->next;
    j->next = NULL;
}

const struct jsep_line *jsep_line_before(const struct sl_jsep *j, size_t i, const char *mid)
{
    if (!j->cur || i >= j->cur->n || strcmp(j->cur->lines[i].mid, mid) != 0)
        return NULL;
    return &j->cur->lines[i];
}

void jsep_view(const struct jsep_line *l, struct sl_mline *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->mid, l->mid, sizeof(out->mid));
    out->kind = l->kind;
    out->dir = l->refused ? SL_DIR_INACTIVE : l->dir;
    out->rejected = l->refused;
    if (!l->refused && l->codec.codec != SL_CODEC_NONE) {
        out->codecs = &l->codec;
        out->ncodecs = 1;
    }
    out->red = l->red_pt != SL_PT_NONE;
    out->exts = jsep_exts(l);
    memcpy(out->ext_id, l->ext_id, sizeof(out->ext_id));
    out->nlayers = l->nlayers;
    memcpy(out->stream, l->stream, sizeof(out->stream));
    memcpy(out->track, l->track, sizeof(out->track));
    out->max_bitrate = l->max_bitrate;
}

struct sl_mline *jsep_views(struct sl_arena *a, const struct jsep_line *lines, size_t n)
{
    struct sl_mline *views = sl_arena_alloc(a, n * sizeof(*views));

    for (size_t i = 0; views && i < n; i++)
        jsep_view(&lines[i], &views[i]);
    return views;
}

/* ---- SSRCs ----------------------------------------------------------------------------------- */

static bool ssrc_is_remote(const struct sl_sdp *sdp, uint32_t ssrc)
{
    for (size_t i = 0; sdp && i < sdp->nmedia; i++) {
        for (size_t k = 0; k < sdp->media[i].nssrcs; k++) {
            if (sdp->media[i].ssrcs[k].ssrc == ssrc)
                return true;
        }
    }
    return false;
}

static bool ssrc_is_used(const struct sl_jsep *j, uint32_t ssrc)
{
    for (size_t i = 0; i < j->nused; i++) {
        if (j->used[i] == ssrc)
            return true;
    }
    return false;
}

/* A new one; 0: out of memory. */
static uint32_t ssrc_new(struct sl_jsep *j, const struct jsep_round *r)
{
    uint32_t ssrc = j->conf.rand32(j->conf.rand_arg);
    uint32_t *used;

    if (j->nused >= SSRCS_MAX)
        return 0;
    used = realloc(j->used, (j->nused + 1) * sizeof(*used));
    if (!used)
        return 0;
    j->used = used;
    while (!ssrc || ssrc_is_used(j, ssrc) || ssrc_is_remote(r->remote, ssrc))
        ssrc++;
    j->used[j->nused++] = ssrc;
    return ssrc;
}

int jsep_ssrcs(struct sl_jsep *j, const struct jsep_round *r, struct jsep_line *l, bool recv_too)
{
    if (l->refused || l->kind == SL_KIND_DATA || l->dir == SL_DIR_INACTIVE ||
        (!(l->dir & SL_DIR_SEND) && !recv_too))
        return 0;
    if (!l->ssrc)
        l->ssrc = ssrc_new(j, r);
    if (!l->rtx_ssrc && l->rtx_pt != SL_PT_NONE && (l->dir & SL_DIR_SEND))
        l->rtx_ssrc = l->ssrc ? ssrc_new(j, r) : 0;
    if (!l->ssrc || (!l->rtx_ssrc && l->rtx_pt != SL_PT_NONE && (l->dir & SL_DIR_SEND)))
        return -ENOMEM;
    return 0;
}

/* ---- the four ways, and questions ------------------------------------------------------------ */

int sl_jsep_set_remote(struct sl_jsep *j, struct sl_arena *a, enum sl_jsep_type type,
                       const char *sdp, size_t len, bool rid_lmh, struct sl_jsep_remote *out)
{
    memset(out, 0, sizeof(*out));
    return type == SL_JSEP_ANSWER ? jsep_remote_answer(j, a, sdp, len, rid_lmh, out)
                                  : jsep_remote_offer(j, a, sdp, len, rid_lmh, out);
}

int sl_jsep_set_local(struct sl_jsep *j, enum sl_jsep_type type, const struct sl_mline *lines,
                      size_t n)
{
    if (!n || n > SL_SDP_MLINES_MAX)
        return -EINVAL;
    return type == SL_JSEP_ANSWER ? jsep_local_answer(j, lines, n) : jsep_local_offer(j, lines, n);
}

void sl_jsep_rollback(struct sl_jsep *j)
{
    jsep_round_destroy(j->next);
    j->next = NULL;
}

const struct sl_mline *sl_jsep_lines(const struct sl_jsep *j, size_t *n)
{
    *n = j->cur ? j->cur->n : 0;
    return j->cur ? j->cur->views : NULL;
}

const struct sl_mline *sl_jsep_offered(const struct sl_jsep *j, size_t *n)
{
    bool open = sl_jsep_awaits_answer(j);

    *n = open ? j->next->n : 0;
    return open ? j->next->views : NULL;
}

bool sl_jsep_is_negotiated(const struct sl_jsep *j)
{
    return j->cur != NULL;
}

bool sl_jsep_awaits_answer(const struct sl_jsep *j)
{
    return j->next && j->next->ours;
}

bool sl_jsep_owes_answer(const struct sl_jsep *j)
{
    return j->next && !j->next->ours;
}

bool sl_jsep_is_dtls_client(const struct sl_jsep *j)
{
    return j->dtls_client;
}
