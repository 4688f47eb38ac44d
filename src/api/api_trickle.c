/* Trickled candidates (control protocol, section 5.1). */

#include "api/api_events.h"
#include "ice/ice.h"
#include <stdlib.h>
#include <string.h>

static void trickle_free(struct sl_handle *h, struct api_trickle *t)
{
    sl_list_del(&t->link);
    h->ntrickles--;
    free(t->text);
    free(t->mid);
    free(t);
}

void api_trickles_clear(struct sl_handle *h)
{
    while (!sl_list_is_empty(&h->trickles))
        trickle_free(h, sl_container(h->trickles.next, struct api_trickle, link));
}

/* The browser trickles before the request with its description arrives: kept until then. */
static void trickle_keep(struct sl_handle *h, const char *text, const char *mid,
                         int mindex) SL_ON_CONTROL;
static void trickle_keep(struct sl_handle *h, const char *text, const char *mid, int mindex)
{
    struct api_trickle *t;

    if (h->ntrickles >= h->session->api->conf.max_candidates)
        return;
    t = calloc(1, sizeof(*t));
    if (!t)
        return;
    sl_list_init(&t->link);
    t->at_us = h->session->api->cq->now_us;
    t->text = text ? strdup(text) : NULL;
    t->mid = mid ? strdup(mid) : NULL;
    t->mindex = mindex;
    sl_list_add(&h->trickles, &t->link);
    h->ntrickles++;
}

void api_trickles_replay(struct sl_handle *h)
{
    const struct sl_api *api = h->session->api;
    uint64_t age_us = (uint64_t)api->conf.candidates_timeout_s * 1000000;

    while (!sl_list_is_empty(&h->trickles)) {
        struct api_trickle *t = sl_container(h->trickles.next, struct api_trickle, link);

        if (t->at_us + age_us >= api->cq->now_us)
            sl_pc_candidate(h->pc, t->text, t->mid, t->mindex);
        trickle_free(h, t);
    }
}

static void trickle_take(struct sl_handle *h, const char *text, const char *mid,
                         int mindex) SL_ON_CONTROL;
static void trickle_take(struct sl_handle *h, const char *text, const char *mid, int mindex)
{
    if ((text && strlen(text) >= SL_ICE_CAND_MAX) || (mid && strlen(mid) > SL_MID_MAX))
        return; /* none that anybody would understand, and nothing to keep */
    if (h->pc)
        sl_pc_candidate(h->pc, text, mid, mindex);
    else
        trickle_keep(h, text, mid, mindex);
}

/* One candidate. 0, or an error number and its text. */
static int candidate_take(struct sl_handle *h, const json_t *c, char *text,
                          size_t cap) SL_ON_CONTROL;
static int candidate_take(struct sl_handle *h, const json_t *c, char *text, size_t cap)
{
    static const struct sl_arg args[] = {
        { "sdpMid", SL_ARG_STRING, SL_ARG_OPTIONAL },
        { "sdpMLineIndex", SL_ARG_UINT, SL_ARG_OPTIONAL },
        { "candidate", SL_ARG_STRING, SL_ARG_REQUIRED },
    };
    json_int_t mindex;
    const char *cand;
    int err;

    if (!json_is_object(c) || json_object_get(c, "completed")) {
        trickle_take(h, NULL, NULL, 0);
        return 0;
    }
    if (!sl_arg_get(c, "sdpMid") && !sl_arg_get(c, "sdpMLineIndex")) {
        snprintf(text, cap, "Missing mandatory element (sdpMid or sdpMLineIndex)");
        return SL_API_MISSING_ELEMENT;
    }
    err = sl_args_check(c, args, SL_COUNT(args), text, cap);
    if (err)
        return err == -ENOENT ? SL_API_MISSING_ELEMENT : SL_API_INVALID_TYPE;
    cand = sl_arg_str(c, "candidate", "");
    if (!*cand || strstr(cand, "end-of-candidates"))
        cand = NULL;
    if (cand)
        api_ev_candidate(h, "remote", cand);
    mindex = sl_arg_int(c, "sdpMLineIndex", -1);
    trickle_take(h, cand, sl_arg_str(c, "sdpMid", NULL), mindex > 65535 ? 65535 : (int)mindex);
    return 0;
}

void api_verb_trickle(struct api_req *r)
{
    const json_t *one = json_object_get(r->root, "candidate");
    const json_t *many = sl_arg_get(r->root, "candidates");
    char text[SL_ARG_TEXT_MAX];
    const json_t *c;
    size_t i;
    int code;

    if (json_is_null(one) && many)
        one = NULL;
    if (!one && !many) {
        api_fail(r, SL_API_MISSING_ELEMENT, "Missing mandatory element (candidate|candidates)");
        return;
    }
    if (one && many) {
        api_fail(r, SL_API_INVALID_JSON, "Can't have both candidate and candidates");
        return;
    }
    if (many && !json_is_array(many)) {
        api_fail(r, SL_API_INVALID_TYPE, "candidates is not an array");
        return;
    }
    if (one) {
        code = candidate_take(r->handle, one, text, sizeof(text));
        if (code) {
            text[0] |= 0x20; /* "missing ...", "invalid ..." */
            api_fail(r, code, "Trickle error: %s", text);
            return;
        }
    }
    json_array_foreach(many, i, c)
        candidate_take(r->handle, c, text, sizeof(text)); /* one bad item spoils nothing */
    api_ok(r, "ack", NULL);
}
