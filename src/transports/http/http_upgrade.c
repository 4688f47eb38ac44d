#include "transports/http/http_int.h"
#include "transports/websocket/ws.h"
#include "transports/websocket/ws_handshake.h"
#include <fcntl.h>
#include <string.h>
#include <strings.h>

bool http_is_upgrade(struct http_req *r)
{
    const char *upgrade = http_request_header(r, "Upgrade");

    return upgrade && strcasecmp(upgrade, "websocket") == 0;
}

static enum MHD_Result each_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    sl_ws_handshake_header(cls, name, value);
    return MHD_YES;
}

static void upgraded_close(void *arg)
{
    (void)MHD_upgrade_action(arg, MHD_UPGRADE_ACTION_CLOSE);
}

static void on_upgraded(void *cls, struct MHD_Connection *mc, void *req, const char *extra,
                        size_t extra_len, MHD_socket fd, struct MHD_UpgradeResponseHandle *urh)
{
    const struct http_listener *l = cls;
    const union MHD_ConnectionInfo *sock =
        MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_req *r = req;

    r->upgraded = true;
    atomic_fetch_sub(&http.live, 1);
    sl_ws_adopt(&(struct sl_ws_adopt){
        .fd = fd,
        .tls = l->tls,
        .admin = l->admin,
        .tls_fd = l->tls && sock ? fcntl(sock->connect_fd, F_DUPFD_CLOEXEC, 0) : -1,
        .local = r->local,
        .extra = extra,
        .extra_len = extra_len,
        .close = upgraded_close,
        .arg = urh,
    });
}

static enum MHD_Result refuse(struct http_req *r, unsigned int status, const char *why)
{
    struct MHD_Response *resp;

    if (status != MHD_HTTP_UPGRADE_REQUIRED)
        return http_reply_text(r, status, why);
    resp =
        MHD_create_response_from_buffer(strlen(why), (void *)(uintptr_t)why, MHD_RESPMEM_MUST_COPY);
    if (resp) {
        http_header(resp, "Content-Type", "text/plain; charset=utf-8");
        http_header(resp, "Sec-WebSocket-Version", "13");
    }
    return http_reply(r, status, resp);
}

enum MHD_Result http_upgrade(struct http_req *r, const char *method, const char *version)
{
    const char *protocol = r->l->admin ? SL_WS_ADMIN_PROTOCOL : SL_WS_PROTOCOL;
    struct sl_ws_handshake h;
    char accept[SL_WS_ACCEPT_SIZE];
    struct MHD_Response *resp;
    const char *why;
    int status;

    if (!http_is_upgrade(r))
        return http_reply_text(r, MHD_HTTP_FORBIDDEN,
                               "This port speaks WebSocket, subprotocol 'janus-protocol'.\n");
    if (!http_origin_is_allowed(r->l->conf->allowed_origins, http_request_header(r, "Origin"),
                                NULL))
        return http_reply_text(r, MHD_HTTP_FORBIDDEN, "This origin is not allowed.\n");
    sl_ws_handshake_init(&h, protocol);
    (void)MHD_get_connection_values(r->mc, MHD_HEADER_KIND, each_header, &h);
    status = sl_ws_handshake_check(&h, method, version, accept, &why);
    if (status != 101)
        return refuse(r, (unsigned int)status, why);
    resp = MHD_create_response_for_upgrade(on_upgraded, (void *)(uintptr_t)r->l);
    if (resp) {
        http_header(resp, "Upgrade", "websocket");
        http_header(resp, "Sec-WebSocket-Accept", accept);
        http_header(resp, "Sec-WebSocket-Protocol", protocol);
    }
    return http_reply(r, MHD_HTTP_SWITCHING_PROTOCOLS, resp);
}
