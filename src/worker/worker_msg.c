#include "worker/worker_msg.h"

#include "net/net_pcap.h"
#include "net/net_tcp.h"
#include "relay/relay.h"

#include <stdlib.h>

struct sl_wmsg *sl_wmsg_new(enum sl_wmsg_type type, sl_id pc, size_t extra)
{
    struct sl_wmsg *m = calloc(1, sizeof(*m) + extra);

    if (!m)
        return NULL;
    m->type = type;
    m->pc = pc;
    if (type == SL_WMSG_EP_CLOSE) {
        m->closed = calloc(1, sizeof(*m->closed));
        if (!m->closed) {
            free(m);
            return NULL;
        }
        m->closed->type = SL_REPORT_CLOSED;
    } else if (type == SL_WMSG_EP_DATA) {
        m->data.bytes = (uint8_t *)(m + 1) + SL_RELAY_DATA_HEAD;
        m->data.len = extra - SL_RELAY_DATA_HEAD - SL_RELAY_DATA_TAIL;
    } else if (type == SL_WMSG_ICE_DATA || type == SL_WMSG_SCTP_OUT) {
        m->data.bytes = (uint8_t *)(m + 1);
        m->data.len = extra;
    }
    return m;
}

void sl_wmsg_free(struct sl_wmsg *m)
{
    if (!m)
        return;
    if (m->type == SL_WMSG_EP_MEDIA)
        free(m->media);
    else if (m->type == SL_WMSG_EP_CLOSE)
        free(m->closed);
    else if (m->type == SL_WMSG_EP_OPEN)
        sl_relay_conf_destroy(m->relay);
    else if (m->type == SL_WMSG_ICE_PATH)
        sl_udp_close(m->path.udp);
    else if (m->type == SL_WMSG_TCP)
        sl_tcp_destroy(m->tcp);
    else if (m->type == SL_WMSG_PC_CAPTURE)
        sl_pcap_close(m->capture);
    free(m);
}
