/* What the administrator may ask of a peer connection is kept here until then: descriptions,
 * candidates, and a capture that waits for the connection to begin. */
#include "pc/pc_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sl_pc_capture(struct sl_pc *pc, struct sl_pcap *pcap)
{
    struct sl_wmsg *m;

    if (!pc->is_open) {
        sl_pcap_close(pc->told.capture);
        pc->told.capture = pcap;
        return 0;
    }
    m = sl_wmsg_new(SL_WMSG_PC_CAPTURE, pc->id, 0);
    if (!m) {
        sl_pcap_close(pcap);
        return -ENOMEM;
    }
    m->capture = pcap;
    sl_pc_world_post(pc->world, m);
    return 0;
}

void sl_pc_told_sdp(struct sl_pc *pc, char **where, const char *sdp, size_t len)
{
    free(*where);
    *where = sdp && pc->world->keep_sdps ? strndup(sdp, len) : NULL;
}

void sl_pc_told_candidate(struct sl_pc *pc, const char *text)
{
    if (pc->world->keep_sdps)
        (void)sl_pc_texts_add(&pc->told.trickled, text);
}

void sl_pc_told_open(struct sl_pc *pc)
{
    struct sl_pcap *pcap = pc->told.capture;

    pc->opened_us = pc->world->cq->now_us;
    if (pc->gathered)
        pc->gathered_us = pc->opened_us; /* a lite agent has nothing to gather */
    pc->told.capture = NULL;
    if (pcap)
        (void)sl_pc_capture(pc, pcap);
}
