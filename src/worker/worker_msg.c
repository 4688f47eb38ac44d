#include "worker/worker_msg.h"

#include "media/media_tap.h"
#include "net/net_pcap.h"
#include "net/net_tcp.h"
#include "relay/relay.h"

#include <stdlib.h>

static int report_of(enum sl_wmsg_type type)
{
    return type == SL_WMSG_EP_CLOSE                             ? SL_REPORT_CLOSED
           : type == SL_WMSG_PC_OPEN || type == SL_WMSG_EP_OPEN ? SL_REPORT_DOWN
                                                                : -1;
}

struct sl_wmsg *sl_wmsg_new(enum sl_wmsg_type type, sl_id pc, size_t extra)
{
    struct sl_wmsg *m = calloc(1, sizeof(*m) + extra);

    if (!m)
        return NULL;
    m->type = type;
    m->pc = pc;
    if (report_of(type) >= 0) {
        m->report = calloc(1, sizeof(*m->report));
        if (!m->report) {
            free(m);
            return NULL;
        }
        m->report->type = (enum sl_report_type)report_of(type);
        m->report->pc = pc;
    }
    if (type == SL_WMSG_EP_DATA) {
        m->data.bytes = (uint8_t *)(m + 1) + SL_RELAY_DATA_HEAD;
        m->data.len = extra - SL_RELAY_DATA_HEAD - SL_RELAY_DATA_TAIL;
    } else if (type == SL_WMSG_ICE_DATA || type == SL_WMSG_SCTP_OUT ||
               type == SL_WMSG_EP_PLAY) {
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
    else if (m->type == SL_WMSG_EP_OPEN)
        sl_relay_conf_destroy(m->relay);
    else if (m->type == SL_WMSG_TAP && m->tap)
        m->tap->done(m->tap);
    else if (m->type == SL_WMSG_ICE_PATH)
        sl_udp_close(m->path.udp);
    else if (m->type == SL_WMSG_TCP)
        sl_tcp_destroy(m->tcp);
    else if (m->type == SL_WMSG_PC_CAPTURE)
        sl_pcap_close(m->capture);
    free(m->report);
    free(m);
}
