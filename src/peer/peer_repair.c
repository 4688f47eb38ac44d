/* What transport-wide reports say is lost goes out again before the peer asks: a request may be
 * lost as well, and so may a resend, which browsers that only receive ask for once more after 100
 * ms at the soonest, whatever the round trip is. */
#include "peer/peer_private.h"

#include "rtcp/rtcp_fb_twcc.h"

#include <stdlib.h>

#define SLOTS 512  /* packets that a report may be about; a power of two */
#define LOSSY 0.01 /* from here on it is worth remembering them */

struct sl_peer_repair {
    struct {
        uint16_t number; /* transport-wide */
        uint16_t seq;
        uint16_t line; /* plus 1; 0: empty */
    } sent[SLOTS];
};

void sl_peer_repair_fini(struct sl_peer *p)
{
    free(p->repair);
    p->repair = NULL;
}

void sl_peer_repair_sent(struct sl_peer *p, const struct sl_slot *slot)
{
    struct sl_peer_repair *r = p->repair;
    size_t i = slot->twcc % SLOTS;

    if (!r || !slot->twcc_off)
        return;
    r->sent[i].number = slot->twcc;
    r->sent[i].seq = slot->repair_seq;
    r->sent[i].line = slot->repair_line;
}

static void repair(struct sl_peer *p, uint16_t number) SL_ON_WORKER
{
    struct sl_peer_repair *r = p->repair;
    size_t i = number % SLOTS, line = r->sent[i].line;

    if (r->sent[i].number != number || !line)
        return;
    r->sent[i].line = 0;
    if (line <= p->ep.nlines && p->ep.lines[line - 1].sink)
        sl_sink_repair(p->ep.lines[line - 1].sink, r->sent[i].seq);
}

void sl_peer_repair_on_twcc(struct sl_peer *p, const struct sl_rtcp_pkt *pkt, double loss)
{
    struct sl_twcc_status s;
    struct sl_twcc_it it;

    if (!p->repair) {
        if (loss >= LOSSY)
            p->repair = calloc(1, sizeof(*p->repair)); /* without: the peer asks */
        return;
    }
    if (loss < LOSSY || sl_twcc_begin(pkt, &it) < 0)
        return;
    while (sl_twcc_next(&it, &s))
        if (!s.received)
            repair(p, s.seq);
}
