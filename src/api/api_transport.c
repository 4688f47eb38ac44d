/* Requests and ends of connections, from any thread to the control thread. */

#include "api/api_priv.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

struct gone_mail {
    struct sl_cq_mail head;
    int slot;
    sl_conn conn;
};

/* Set before the transport gets its struct sl_tcore and until the api is gone: a transport has no
 * context to hand in, and calls from threads of its own. */
static struct sl_cq *the_cq;

static void in_free(struct api_in *in)
{
    json_decref(in->req.root);
    free((char *)in->req.apisecret);
    free((char *)in->req.token);
    free(in);
}

static void on_in(struct sl_cq_mail *m)
{
    struct api_in *in = sl_container(m, struct api_in, head);
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    if (api) {
        api_enter(api);
        api_request_run(api, in);
        api_leave(api);
    }
    in_free(in);
}

static void on_gone(struct sl_cq_mail *m)
{
    struct gone_mail g = *sl_container(m, struct gone_mail, head);
    struct sl_api *api;

    SL_ASSUME(control);
    free(sl_container(m, struct gone_mail, head));
    api = sl_api_get();
    if (!api)
        return;
    api_enter(api);
    api_conn_gone(api, api->tslots[g.slot].t, g.conn);
    api_leave(api);
}

static void request(int slot, const struct sl_treq *req)
{
    struct api_in *in = calloc(1, sizeof(*in));

    if (!in)
        abort(); /* the transport would wait for its answer for ever */
    in->head.fn = on_in;
    in->slot = slot;
    in->req = *req;
    in->req.apisecret = req->apisecret ? strdup(req->apisecret) : NULL;
    in->req.token = req->token ? strdup(req->token) : NULL;
    sl_cq_post(the_cq, &in->head);
}

static void gone(int slot, sl_conn conn)
{
    struct gone_mail *g = malloc(sizeof(*g));

    if (!g)
        abort(); /* its sessions would never end */
    *g = (struct gone_mail){ .head.fn = on_gone, .slot = slot, .conn = conn };
    sl_cq_post(the_cq, &g->head);
}

static void log_line(int level, const char *mod, const char *event, const char *text)
{
    SL_LOG_AT((enum sl_log_level)level, mod, event, "%s", text);
}

/* One pair of functions per slot: they are how the core knows which transport calls. */
#define SLOT(n)                                                                                    \
    static void request_##n(const struct sl_treq *r)                                               \
    {                                                                                              \
        request(n, r);                                                                             \
    }                                                                                              \
    static void gone_##n(sl_conn c)                                                                \
    {                                                                                              \
        gone(n, c);                                                                                \
    }
SLOT(0)
SLOT(1)
SLOT(2)
SLOT(3)
SLOT(4)
SLOT(5)
SLOT(6)
SLOT(7)

static const struct {
    void (*request)(const struct sl_treq *r);
    void (*gone)(sl_conn c);
} slots[API_TRANSPORTS_MAX] = {
    { request_0, gone_0 }, { request_1, gone_1 }, { request_2, gone_2 }, { request_3, gone_3 },
    { request_4, gone_4 }, { request_5, gone_5 }, { request_6, gone_6 }, { request_7, gone_7 },
};

const struct sl_tcore *sl_api_transport_add(struct sl_api *api, const struct sl_transport *t)
{
    for (int i = 0; i < API_TRANSPORTS_MAX; i++) {
        struct api_tslot *s = &api->tslots[i];

        if (s->t)
            continue;
        s->t = t;
        s->core = (struct sl_tcore){
            .abi = SL_TRANSPORT_ABI,
            .size = sizeof(struct sl_tcore),
            .request = slots[i].request,
            .gone = slots[i].gone,
            .log = log_line,
        };
        the_cq = api->cq;
        return &s->core;
    }
    return NULL;
}
