/* Requests and ends of connections, from any thread to the control thread. */

#include "api/api_events.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

struct gone_mail {
    struct sl_cq_mail head;
    int slot;
    sl_conn conn;
};

struct connected_mail {
    struct sl_cq_mail head;
    int slot;
    sl_conn conn;
    struct api_peer peer;
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
    api_ev_transport(api, &(struct api_from){ .t = api->tslots[g.slot].t, .conn = g.conn },
                     "disconnected", NULL);
    api_conn_gone(api, api->tslots[g.slot].t, g.conn);
    api_leave(api);
}

static struct api_peer peer_copy(bool admin, const struct sl_tpeer *peer)
{
    struct api_peer p = { .admin = admin, .fd = -1 };

    if (!peer)
        return p;
    if (peer->ip)
        snprintf(p.ip, sizeof(p.ip), "%s", peer->ip);
    else
        p.fd = peer->fd;
    p.port = peer->port;
    return p;
}

static void on_connected(struct sl_cq_mail *m)
{
    struct connected_mail *c = sl_container(m, struct connected_mail, head);
    struct sl_api *api;

    SL_ASSUME(control);
    api = sl_api_get();
    if (api)
        api_ev_transport(api, &(struct api_from){ .t = api->tslots[c->slot].t, .conn = c->conn },
                         "connected", &c->peer);
    free(c);
}

static void connected(int slot, sl_conn conn, bool admin, const struct sl_tpeer *peer)
{
    struct connected_mail *c = malloc(sizeof(*c));

    if (!c)
        return; /* for event handlers only */
    *c = (struct connected_mail){
        .head.fn = on_connected, .slot = slot, .conn = conn, .peer = peer_copy(admin, peer)
    };
    sl_cq_post(the_cq, &c->head);
}

static void request(int slot, const struct sl_treq *req)
{
    struct api_in *in = calloc(1, sizeof(*in));

    if (!in)
        abort(); /* the transport would wait for its answer for ever */
    in->head.fn = on_in;
    in->slot = slot;
    in->req = *req;
    in->peer = peer_copy(req->admin, req->peer);
    in->req.peer = NULL;
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
    }                                                                                              \
    static void connected_##n(sl_conn c, bool admin, const struct sl_tpeer *peer)                  \
    {                                                                                              \
        connected(n, c, admin, peer);                                                              \
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
    void (*connected)(sl_conn c, bool admin, const struct sl_tpeer *peer);
} slots[API_TRANSPORTS_MAX] = {
#define ROW(n)                                                                                     \
    {                                                                                              \
        request_##n, gone_##n, connected_##n                                                       \
    }
    ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7),
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
            .connected = slots[i].connected,
        };
        the_cq = api->cq;
        return &s->core;
    }
    return NULL;
}
