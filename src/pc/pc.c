/* Offer and answer of one peer connection, and what its worker and ICE tell. */
#include "pc/pc_priv.h"

#include "base/clock.h"
#include "base/rand.h"
#include "ice/ice_nice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATHER_MAX_US UINT64_C(5000000) /* our description waits no longer for candidates */
#define CNAME         "sluice"

/* ---- life ------------------------------------------------------------------------------------ */

static uint32_t jsep_rand(void *arg)
{
    (void)arg;
    return sl_rand32();
}

static void on_gather_timer(struct sl_timer *t, uint64_t now_us);

int sl_pc_create(struct sl_pc_world *w, const struct sl_pc_cb *cb, void *arg, uint64_t group,
                 struct sl_pc **out)
{
    struct sl_jsep_conf jc = { CNAME, sl_rand64() >> 2, jsep_rand, NULL };
    struct sl_pc *pc = calloc(1, sizeof(*pc));
    int err;

    if (!pc)
        return -ENOMEM;
    pc->world = w;
    pc->cb = *cb;
    pc->arg = arg;
    pc->created_us = w->cq->now_us;
    sl_list_init(&pc->told.waits);
    sl_timer_init(&pc->gather_timer, on_gather_timer);
    err = sl_jsep_create(&jc, &pc->jsep);
    if (err == 0)
        err = sl_pc_world_add(w, pc, group);
    if (err < 0) {
        sl_jsep_destroy(pc->jsep);
        free(pc);
        return err;
    }
    *out = pc;
    return 0;
}

void sl_pc_destroy(struct sl_pc *pc)
{
    if (!pc)
        return;
    sl_timer_cancel(&pc->gather_timer);
    sl_pc_data_fini(pc);
    if (pc->is_open && pc->world->nice)
        sl_nice_close(pc->world->nice, pc->id);
    sl_pc_world_del(pc->world, pc->id);
    sl_pc_told_fini(pc);
    sl_jsep_destroy(pc->jsep);
    sl_pc_texts_clear(&pc->local_cands);
    sl_pc_texts_clear(&pc->remote_cands);
    free(pc->session_name);
    free(pc->svc);
    free(pc->routes);
    free(pc);
}

/* Tells the worker, or the ICE thread, that this connection begins. */
static int open_pc(struct sl_pc *pc, bool controlling) SL_ON_CONTROL
{
    struct sl_wmsg *m;

    if (pc->is_open)
        return 0;
    m = sl_wmsg_new(SL_WMSG_PC_OPEN, pc->id, 0);
    if (!m)
        return -ENOMEM;
    m->open.lite = !pc->world->nice;
    if (m->open.lite) {
        sl_ice_creds_make(sl_id_worker(pc->id), &pc->local);
        m->open.local = pc->local;
        pc->has_creds = true;
        pc->gathered = true;
    }
    sl_pc_world_post(pc->world, m);
    if (pc->world->nice)
        sl_nice_open(pc->world->nice, pc->id, controlling);
    pc->is_open = true;
    pc->is_client_offer = !controlling;
    sl_pc_told_open(pc);
    return 0;
}

/* New credentials of ours. */
static void restart_ice(struct sl_pc *pc) SL_ON_CONTROL
{
    struct sl_wmsg *m;

    if (pc->world->nice) {
        pc->has_creds = false;
        pc->gathered = false;
        sl_pc_texts_clear(&pc->local_cands);
        sl_nice_restart(pc->world->nice, pc->id);
        return;
    }
    sl_ice_creds_make(sl_id_worker(pc->id), &pc->local);
    m = sl_wmsg_new(SL_WMSG_PC_RESTART, pc->id, 0);
    if (!m)
        return;
    m->restart = pc->local;
    sl_pc_world_post(pc->world, m);
}

/* ---- what a complete round means for worker and ICE ------------------------------------------ */

static void tell_candidates(struct sl_pc *pc)
{
    if (pc->world->nice) {
        for (size_t i = 0; i < pc->remote_cands.n; i++)
            sl_nice_candidate(pc->world->nice, pc->id, pc->remote_cands.text[i]);
        if (pc->remote_end)
            sl_nice_candidate(pc->world->nice, pc->id, NULL);
    }
    sl_pc_texts_clear(&pc->remote_cands);
    pc->remote_end = false;
}

/* @out NULL: nothing new is to be told. */
static int remote_msg(const struct sl_pc *pc, struct sl_wmsg **out) SL_ON_CONTROL
{
    struct sl_wmsg *m;

    *out = NULL;
    if (pc->remote_told && !pc->restart)
        return 0;
    m = sl_wmsg_new(SL_WMSG_PC_REMOTE, pc->id, 0);
    if (!m)
        return -ENOMEM;
    memcpy(m->remote.ufrag, pc->remote.ufrag, sizeof(m->remote.ufrag));
    m->remote.fingerprint = pc->fingerprint;
    m->remote.dtls_server = !sl_jsep_is_dtls_client(pc->jsep);
    *out = m;
    return 0;
}

static void tell_remote(struct sl_pc *pc, struct sl_wmsg *m) SL_ON_CONTROL
{
    sl_pc_world_post(pc->world, m);
    if (pc->world->nice)
        sl_nice_remote(pc->world->nice, pc->id, &pc->remote);
    pc->remote_told = true;
}

static int round_complete(struct sl_pc *pc) SL_ON_CONTROL
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_MEDIA, pc->id, 0), *remote;

    if (!m)
        return -ENOMEM;
    m->media = sl_jsep_media(pc->jsep);
    if (!m->media || remote_msg(pc, &remote) < 0) {
        sl_wmsg_free(m);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->media->n; i++)
        m->media->line[i].is_e2ee = pc->is_e2ee;
    sl_pc_data_agree(pc, m->media);
    /* In this order: with the remote description known, packets may come at once. */
    sl_pc_world_post(pc->world, m);
    if (remote)
        tell_remote(pc, remote);
    tell_candidates(pc);
    pc->restart = false;
    return sl_pc_routes_apply(pc);
}

/* ---- remote descriptions --------------------------------------------------------------------- */

static void take_svc(struct sl_pc *pc, const json_t *svc, struct sl_mline *lines, size_t n)
{
    size_t i;
    json_t *item;

    if (n > pc->nsvc) {
        char(*modes)[16] = realloc(pc->svc, n * sizeof(*modes));

        if (!modes)
            return;
        memset(modes + pc->nsvc, 0, (n - pc->nsvc) * sizeof(*modes));
        pc->svc = modes;
        pc->nsvc = n;
    }
    json_array_foreach(svc, i, item)
    {
        const char *mode = json_string_value(json_object_get(item, "svc"));
        const char *mid = json_string_value(json_object_get(item, "mid"));
        const json_t *index = json_object_get(item, "mindex");

        for (size_t l = 0; mode && l < n; l++)
            if ((json_is_integer(index) && json_integer_value(index) == (json_int_t)l) ||
                (mid && strcmp(mid, lines[l].mid) == 0))
                snprintf(pc->svc[l], sizeof(pc->svc[l]), "%s", mode);
    }
    for (size_t l = 0; l < n; l++)
        memcpy(lines[l].svc, pc->svc[l], sizeof(lines[l].svc));
}

static int set_error(struct sl_pc_error *err, int code, const char *text)
{
    err->code = code;
    snprintf(err->text, sizeof(err->text), "%s", text);
    return -EBADMSG;
}

static int copy_text(char *out, size_t cap, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (!len || len >= cap)
        return -EBADMSG;
    memcpy(out, text, len + 1);
    return 0;
}

static int take_transport(struct sl_pc *pc, const struct sl_jsep_remote *r, struct sl_pc_error *err)
{
    struct sl_ice_creds creds = { .ufrag = "" };
    struct sl_fingerprint fp;
    char text[256];

    snprintf(text, sizeof(text), "%s %s", r->hash ? r->hash : "",
             r->fingerprint ? r->fingerprint : "");
    if (copy_text(creds.ufrag, sizeof(creds.ufrag), r->ufrag) < 0 ||
        copy_text(creds.pwd, sizeof(creds.pwd), r->pwd) < 0 || sl_fingerprint_parse(text, &fp) < 0)
        return set_error(err, 465, "Error processing SDP");
    pc->remote = creds;
    pc->fingerprint = fp;
    if (r->restart) { /* candidates that still waited are of the session before */
        sl_pc_texts_clear(&pc->remote_cands);
        pc->remote_end = false;
    }
    snprintf(pc->transport_mid, sizeof(pc->transport_mid), "%s", r->mid ? r->mid : "");
    for (size_t i = 0; i < r->ncandidates; i++)
        if (sl_pc_texts_add(&pc->remote_cands, r->candidates[i]) < 0)
            break; /* more than anybody can use */
    pc->remote_end |= r->end_of_candidates;
    return 0;
}

int sl_pc_set_remote(struct sl_pc *pc, struct sl_arena *a, const struct sl_pc_remote *in,
                     struct sl_jsep_in *out, struct sl_pc_error *err)
{
    bool again = sl_jsep_is_negotiated(pc->jsep);
    struct sl_jsep_remote *r = sl_arena_alloc(a, sizeof(*r));
    int e;

    if (!r)
        return set_error(err, 490, "Out of memory");
    e = sl_jsep_set_remote(pc->jsep, a, in->type, in->sdp, in->sdp_len, in->rid_lmh, r);
    if (e == -EPROTO)
        return set_error(err, 469, "Unexpected ANSWER (no OFFER)");
    if (e < 0)
        return set_error(err, again ? 469 : 465, e == -EBADMSG ? r->error : "Out of memory");
    e = take_transport(pc, r, err);
    if (e == 0 && open_pc(pc, in->type == SL_JSEP_ANSWER) < 0)
        e = set_error(err, 490, "Out of memory");
    if (e < 0) {
        sl_pc_rollback(pc);
        return e;
    }
    take_svc(pc, in->svc, r->lines, r->nlines);
    sl_pc_told_sdp(pc, &pc->told.remote, in->sdp, in->sdp_len);
    pc->is_e2ee = in->e2ee;
    if (in->type == SL_JSEP_OFFER)
        pc->restart = r->restart;
    else if (round_complete(pc) < 0)
        return set_error(err, 490, "Out of memory");
    *out = (struct sl_jsep_in){ in->type, r->lines, r->nlines, r->update, r->restart, in->e2ee };
    return 0;
}

void sl_pc_rollback(struct sl_pc *pc)
{
    sl_jsep_rollback(pc->jsep);
    pc->restart = false;
    sl_pc_texts_clear(&pc->remote_cands); /* of the description that is dropped */
    pc->remote_end = false;
}

/* ---- local descriptions ---------------------------------------------------------------------- */

static size_t lite_candidates(const struct sl_pc *pc, char (*texts)[SL_ICE_CAND_MAX],
                              const char **out)
{
    const struct sl_pc_world *w = pc->world;
    size_t all = w->tcp_port ? 2 * w->nannounced : w->nannounced; /* UDP, then TCP */
    size_t n = 0;

    for (size_t i = 0; i < all; i++) {
        struct sl_addr a = w->announced[i % w->nannounced];
        bool is_udp = i < w->nannounced;

        sl_addr_set_port(&a, is_udp ? (uint16_t)(sl_addr_port(&a) + sl_id_worker(pc->id))
                                    : w->tcp_port);
        if (sl_ice_candidate_write_host(&a, is_udp, (unsigned int)i, texts[n], SL_ICE_CAND_MAX) >=
            0) {
            out[n] = texts[n];
            n++;
        }
    }
    return n;
}

static char *write_local(const struct sl_pc *pc) SL_ON_CONTROL
{
    char texts[2 * SL_PC_ADDRS_MAX][SL_ICE_CAND_MAX];
    const char *lite[2 * SL_PC_ADDRS_MAX];
    struct sl_sdp_transport t = {
        .ufrag = pc->local.ufrag,
        .pwd = pc->local.pwd,
        .ice_lite = !pc->world->nice,
        .hash = "sha-256",
        .fingerprint = sl_cert_fingerprint(pc->world->cert),
        .address = pc->world->address,
        .session_name = pc->session_name,
        .end_of_candidates = pc->gathered,
    };
    struct sl_strbuf b;

    if (pc->world->nice) {
        t.candidates = (const char *const *)pc->local_cands.text;
        t.ncandidates = pc->local_cands.n;
    } else {
        t.ncandidates = lite_candidates(pc, texts, lite);
        t.candidates = lite;
    }
    sl_strbuf_init(&b);
    if (sl_jsep_write_local(pc->jsep, &t, &b) < 0) {
        sl_strbuf_fini(&b);
        return NULL;
    }
    return sl_strbuf_take(&b);
}

/* Hands our description over as soon as ICE has what it needs. */
static void finish_local(struct sl_pc *pc, bool force) SL_ON_CONTROL
{
    sl_pc_local_fn done = pc->done;
    char *sdp;

    if (!done || !(pc->has_creds && (pc->gathered || force)))
        return;
    sdp = write_local(pc);
    sl_pc_told_sdp(pc, &pc->told.local, sdp, sdp ? strlen(sdp) : 0);
    pc->done = NULL;
    sl_timer_cancel(&pc->gather_timer);
    done(pc->done_arg, sdp); /* may destroy pc */
    free(sdp);
}

static void on_gather_timer(struct sl_timer *t, uint64_t now_us)
{
    struct sl_pc *pc = sl_container(t, struct sl_pc, gather_timer);
    sl_pc_local_fn done = pc->done;

    SL_ASSUME(control);
    (void)now_us;
    if (pc->has_creds) {
        finish_local(pc, true);
    } else if (done) {
        pc->done = NULL;
        done(pc->done_arg, NULL);
    }
}

/* Candidates of the client may come before its answer. */
static void offered_mid(struct sl_pc *pc) SL_ON_CONTROL
{
    size_t n;
    const struct sl_mline *lines = sl_jsep_offered(pc->jsep, &n);

    if (!pc->transport_mid[0] && lines && n)
        memcpy(pc->transport_mid, lines[0].mid, sizeof(pc->transport_mid));
}

int sl_pc_set_local(struct sl_pc *pc, const struct sl_jsep_out *out, sl_pc_local_fn done, void *arg)
{
    bool restart = out->restart && sl_jsep_is_negotiated(pc->jsep);
    int err;

    if (pc->done)
        return -EBUSY;
    err = sl_jsep_set_local(pc->jsep, out->type, out->lines, out->nlines);
    if (err < 0)
        return err;
    err = open_pc(pc, out->type == SL_JSEP_OFFER);
    if (err < 0) {
        sl_pc_rollback(pc);
        return err;
    }
    free(pc->session_name);
    pc->session_name = out->session_name ? strdup(out->session_name) : NULL;
    if (restart || (out->type == SL_JSEP_ANSWER && pc->restart))
        restart_ice(pc);
    if (out->type == SL_JSEP_OFFER) {
        pc->restart = restart;
        offered_mid(pc);
    }
    /* Our offer says anew what it is about; an answer is about what was offered. */
    pc->is_e2ee = out->e2ee || (pc->is_e2ee && out->type == SL_JSEP_ANSWER);
    if (out->type == SL_JSEP_ANSWER) {
        err = round_complete(pc);
        if (err < 0)
            return err;
    }
    pc->done = done;
    pc->done_arg = arg;
    sl_timer_set(&pc->world->cq->wheel, &pc->gather_timer, pc->world->cq->now_us + GATHER_MAX_US);
    finish_local(pc, false);
    return 0;
}

/* ---- candidates ------------------------------------------------------------------------------ */

void sl_pc_candidate(struct sl_pc *pc, const char *text, const char *mid, int mindex)
{
    bool is_end = !text || !text[0];

    if (!is_end && ((mid && strcmp(mid, pc->transport_mid) != 0) || (!mid && mindex > 0)))
        return; /* everything is bundled on the first m-line */
    if (!is_end)
        sl_pc_told_candidate(pc, text);
    if (!pc->world->nice)
        return; /* a lite agent needs none */
    if (is_end)
        pc->remote_end = true;
    else
        (void)sl_pc_texts_add(&pc->remote_cands, text);
    if (pc->remote_told && !sl_jsep_owes_answer(pc->jsep) && !sl_jsep_awaits_answer(pc->jsep))
        tell_candidates(pc);
}

/* ---- from the worker and the ICE thread ------------------------------------------------------ */

void sl_pc_on_creds(struct sl_pc *pc, const struct sl_ice_creds *creds)
{
    pc->local = *creds;
    pc->has_creds = true;
    finish_local(pc, false);
}

void sl_pc_on_candidate(struct sl_pc *pc, const char *text)
{
    if (text) {
        (void)sl_pc_texts_add(&pc->local_cands, text);
        return;
    }
    pc->gathered = true;
    pc->gathered_us = pc->world->cq->now_us;
    finish_local(pc, false);
}

static void on_up(struct sl_pc *pc, const struct sl_report *r) SL_ON_CONTROL
{
    (void)r;
    pc->is_up = true;
    sl_pc_data_up(pc);
    pc->cb.up(pc->arg);
}

static void on_down(struct sl_pc *pc, const struct sl_report *r)
{
    if (pc->is_down)
        return;
    pc->is_down = true;
    pc->is_up = false;
    pc->cb.down(pc->arg, r->reason);
}

static void on_ice_failed(struct sl_pc *pc, const struct sl_report *r)
{
    (void)r;
    pc->cb.ice_failed(pc->arg);
}

static void on_receiving(struct sl_pc *pc, const struct sl_report *r)
{
    pc->cb.receiving(pc->arg, r->mindex, r->receiving.substream, r->receiving.on);
}

static void on_slow_link(struct sl_pc *pc, const struct sl_report *r)
{
    pc->cb.slow_link(pc->arg, r->mindex, r->slow.uplink, r->slow.lost);
}

static void on_talking(struct sl_pc *pc, const struct sl_report *r)
{
    pc->cb.talking(pc->arg, r->mindex, r->talking.on, r->talking.level);
}

static void on_voice(struct sl_pc *pc, const struct sl_report *r)
{
    pc->cb.voice(pc->arg, r->mindex, &r->voice);
}

static void on_layer(struct sl_pc *pc, const struct sl_report *r)
{
    pc->cb.layer(pc->arg, r->mindex, &r->layer);
}

static void on_quality(struct sl_pc *pc, const struct sl_report *r)
{
    if (pc->cb.quality)
        pc->cb.quality(pc->arg, r->mindex, &r->quality);
}

static void on_watched(struct sl_pc *pc, const struct sl_report *r)
{
    if (pc->cb.watched)
        pc->cb.watched(pc->arg, r->mindex, r->watched);
}

static void on_link(struct sl_pc *pc, const struct sl_report *r)
{
    if (pc->cb.link)
        pc->cb.link(pc->arg, &r->link);
}

void sl_pc_on_report(struct sl_pc *pc, const struct sl_report *r)
{
    static void (*const handlers[SL_REPORT_MAX])(struct sl_pc *, const struct sl_report *) = {
        [SL_REPORT_UP] = on_up,
        [SL_REPORT_DOWN] = on_down,
        [SL_REPORT_ICE_FAILED] = on_ice_failed,
        [SL_REPORT_RECEIVING] = on_receiving,
        [SL_REPORT_SLOW_LINK] = on_slow_link,
        [SL_REPORT_TALKING] = on_talking,
        [SL_REPORT_VOICE] = on_voice,
        [SL_REPORT_LAYER] = on_layer,
        [SL_REPORT_QUALITY] = on_quality,
        [SL_REPORT_WATCHED] = on_watched,
        [SL_REPORT_LINK] = on_link,
        [SL_REPORT_INFO] = sl_pc_on_info,
    };

    if (handlers[r->type])
        handlers[r->type](pc, r);
}

/* ---- state ----------------------------------------------------------------------------------- */

bool sl_pc_is_negotiated(const struct sl_pc *pc)
{
    return sl_jsep_is_negotiated(pc->jsep);
}

bool sl_pc_is_up(const struct sl_pc *pc)
{
    return pc->is_up;
}

bool sl_pc_awaits_answer(const struct sl_pc *pc)
{
    return sl_jsep_awaits_answer(pc->jsep);
}

bool sl_pc_is_e2ee(const struct sl_pc *pc)
{
    return pc->is_e2ee;
}

const struct sl_mline *sl_pc_lines(const struct sl_pc *pc, size_t *n)
{
    return sl_jsep_lines(pc->jsep, n);
}
