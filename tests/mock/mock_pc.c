#include "mock_pc.h"
#include "net/net_pcap.h"
#include "pc/pc_ep.h"
#include "pc/pc_world.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sl_pc {
    const struct sl_pc_cb *cb;
    void *arg;
    bool remote_offer, local_offer; /* open */
    bool negotiated, up, e2ee;
    sl_pc_local_fn done;
    void *done_arg;
    enum sl_jsep_type local_type;
    sl_pc_info_fn info;
    void *info_arg;
    struct sl_pcap *pcap;
};

struct mock_pc_state mock_pc;

static const struct sl_mline lines[] = {
    { .mid = "0", .kind = SL_KIND_AUDIO, .dir = SL_DIR_SENDRECV },
    { .mid = "1", .kind = SL_KIND_VIDEO, .dir = SL_DIR_SENDRECV },
};

void mock_pc_reset(void)
{
    memset(&mock_pc, 0, sizeof(mock_pc));
}

const struct sl_pc_cb *mock_pc_cb(const struct sl_pc *pc)
{
    return pc->cb;
}

void *mock_pc_arg(const struct sl_pc *pc)
{
    return pc->arg;
}

void mock_pc_set_up(struct sl_pc *pc)
{
    pc->up = true;
    pc->cb->up(pc->arg);
}

int sl_pc_create(struct sl_pc_world *w, const struct sl_pc_cb *cb, void *arg, uint64_t group,
                 struct sl_pc **out)
{
    struct sl_pc *pc;

    if (mock_pc.create_err)
        return mock_pc.create_err;
    pc = calloc(1, sizeof(*pc));
    if (!pc)
        return -ENOMEM;
    pc->cb = cb;
    pc->arg = arg;
    mock_pc.created++;
    mock_pc.group = group;
    mock_pc.last = pc;
    *out = pc;
    return 0;
}

void sl_pc_destroy(struct sl_pc *pc)
{
    if (!pc)
        return;
    mock_pc.destroyed++;
    if (pc->info)
        pc->info(pc->info_arg, NULL);
    sl_pcap_close(pc->pcap);
    if (mock_pc.last == pc)
        mock_pc.last = NULL;
    free(pc);
}

int sl_pc_set_remote(struct sl_pc *pc, struct sl_arena *a, const struct sl_pc_remote *in,
                     struct sl_jsep_in *out, struct sl_pc_error *err)
{
    mock_pc.remote = *in;
    mock_pc.remote.sdp = NULL;
    if (mock_pc.remote_err.code) {
        *err = mock_pc.remote_err;
        return -EBADMSG;
    }
    if (in->sdp_len < 2 || strncmp(in->sdp, "v=", 2)) {
        err->code = 465;
        snprintf(err->text, sizeof(err->text), "Invalid SDP (doesn't start with v=)");
        return -EBADMSG;
    }
    if (in->type == SL_JSEP_OFFER) {
        pc->remote_offer = true;
    } else {
        pc->local_offer = false;
        pc->negotiated = true;
    }
    pc->e2ee = in->e2ee;
    *out = (struct sl_jsep_in){
        .type = in->type, .lines = lines, .nlines = 2, .update = pc->negotiated, .e2ee = in->e2ee
    };
    return 0;
}

void sl_pc_rollback(struct sl_pc *pc)
{
    mock_pc.rollbacks++;
    pc->remote_offer = pc->local_offer = false;
}

json_t *sl_pc_flags(const struct sl_pc *pc)
{
    return json_pack("{s:b}", "ready", pc && pc->up);
}

int sl_pc_info(struct sl_pc *pc, sl_pc_info_fn fn, void *arg)
{
    if (mock_pc.local_err)
        return mock_pc.local_err;
    mock_pc.infos++;
    pc->info = fn;
    pc->info_arg = arg;
    return 0;
}

void mock_pc_inform(struct sl_pc *pc)
{
    sl_pc_info_fn fn = pc->info;

    pc->info = NULL;
    fn(pc->info_arg, json_pack("{s:o, s:{}}", "flags", sl_pc_flags(pc), "webrtc"));
}

int sl_pc_capture(struct sl_pc *pc, struct sl_pcap *pcap)
{
    sl_pcap_close(pc->pcap);
    pc->pcap = mock_pc.capture_err ? NULL : pcap;
    if (mock_pc.capture_err)
        sl_pcap_close(pcap);
    mock_pc.captured = pc->pcap != NULL;
    return mock_pc.capture_err;
}

bool sl_pc_is_negotiated(const struct sl_pc *pc)
{
    return pc->negotiated;
}

bool sl_pc_is_up(const struct sl_pc *pc)
{
    return pc->up;
}

bool sl_pc_awaits_answer(const struct sl_pc *pc)
{
    return pc->local_offer;
}

void mock_pc_finish(struct sl_pc *pc)
{
    char sdp[64];
    sl_pc_local_fn done = pc->done;

    snprintf(sdp, sizeof(sdp), "v=0 %s %d", pc->local_type == SL_JSEP_OFFER ? "offer" : "answer",
             ++mock_pc.descriptions);
    pc->done = NULL;
    done(pc->done_arg, mock_pc.fail_local ? NULL : sdp);
}

int sl_pc_set_local(struct sl_pc *pc, const struct sl_jsep_out *out, sl_pc_local_fn done, void *arg)
{
    if (mock_pc.local_err)
        return mock_pc.local_err;
    if (out->type == SL_JSEP_OFFER && (pc->local_offer || pc->remote_offer))
        return -EBUSY;
    if (out->type == SL_JSEP_ANSWER) {
        pc->remote_offer = false;
        pc->negotiated = true;
    } else {
        pc->local_offer = true;
    }
    pc->done = done;
    pc->done_arg = arg;
    pc->local_type = out->type;
    if (!mock_pc.hold_local)
        mock_pc_finish(pc);
    return 0;
}

void sl_pc_candidate(struct sl_pc *pc, const char *text, const char *mid, int mindex)
{
    if (mock_pc.ncandidates < MOCK_PC_CANDIDATES)
        snprintf(mock_pc.candidates[mock_pc.ncandidates++], sizeof(mock_pc.candidates[0]),
                 "%s|%s|%d", text ? text : "-", mid ? mid : "-", mindex);
}

const struct sl_mline *sl_pc_lines(const struct sl_pc *pc, size_t *n)
{
    *n = 2;
    return lines;
}

bool sl_pc_is_e2ee(const struct sl_pc *pc)
{
    return pc->e2ee;
}

int sl_pc_source(const struct sl_pc *pc, uint16_t mindex, struct sl_pc_source *out)
{
    *out = (struct sl_pc_source){ .mindex = mindex, .nlayers = 1 };
    return mindex < 2 ? 0 : -ENOENT;
}

sl_id sl_pc_id(const struct sl_pc *pc)
{
    return SL_ID_NONE;
}

int sl_pc_route_add(const struct sl_pc_source *from, struct sl_pc *to, uint16_t to_mindex,
                    const struct sl_layer_wish *wish)
{
    mock_pc.routes++;
    return 0;
}

int sl_pc_route_del(struct sl_pc *to, uint16_t mindex)
{
    mock_pc.routes--;
    return 0;
}

int sl_pc_route_pause(struct sl_pc *to, uint16_t mindex, bool paused)
{
    return mindex < 2 ? 0 : -ENOENT;
}

int sl_pc_route_layers(struct sl_pc *to, uint16_t mindex, const struct sl_layer_wish *wish)
{
    return mindex < 2 ? 0 : -ENOENT;
}

int sl_pc_keyframe(struct sl_pc *from, uint16_t mindex)
{
    return mindex < 2 ? 0 : -ENOENT;
}

int sl_pc_bitrate(struct sl_pc *pc, uint32_t bps)
{
    return 0;
}

int sl_pc_fir_interval(struct sl_pc *pc, uint32_t seconds)
{
    return 0;
}

int sl_pc_gate(struct sl_pc *from, uint16_t mindex, bool closed)
{
    return mindex < 2 ? 0 : -ENOENT;
}

int sl_pc_talk_detect(struct sl_pc *from, uint16_t mindex, uint32_t packets, uint8_t threshold)
{
    return mindex < 2 ? 0 : -ENOENT;
}

int sl_pc_data_send(struct sl_pc *pc, const struct sl_pc_message *m)
{
    snprintf(mock_pc.sent, sizeof(mock_pc.sent), "%s|%s|%d|%.*s", m->label, m->protocol,
             m->is_binary, (int)m->len, (const char *)m->data);
    return mock_pc.data_err;
}

int sl_pc_data_close(struct sl_pc *pc, const char *label)
{
    snprintf(mock_pc.sent, sizeof(mock_pc.sent), "%s closed", label);
    return mock_pc.data_err;
}

int sl_pc_data_pause(struct sl_pc *pc, bool is_paused)
{
    mock_pc.data_paused = is_paused;
    return mock_pc.data_err;
}

/* ---- other endpoints: there are none --------------------------------------------------------- */

int sl_ep_forward(struct sl_pc_world *w, const struct sl_forward *f, sl_id near, struct sl_ep **out,
                  uint16_t *port)
{
    return -EAGAIN;
}

int sl_ep_forward_lines(struct sl_ep *ep, const struct sl_ep_line *l, size_t n)
{
    return -EAGAIN;
}

int sl_ep_remote(struct sl_pc_world *w, const struct sl_remote *r, const struct sl_ep_tell *tell,
                 struct sl_ep **out, struct sl_remote_at *at)
{
    return -EAGAIN;
}

int sl_ep_player(struct sl_pc_world *w, const struct sl_player *p, const struct sl_ep_tell *tell,
                 struct sl_ep **out)
{
    return -EAGAIN;
}

int sl_ep_play(struct sl_ep *ep, uint16_t mindex, const struct sl_player_packet *packets, size_t n)
{
    return -EAGAIN;
}

int sl_ep_tap(struct sl_pc_world *w, sl_id id, uint16_t mindex, struct sl_media_tap *tap)
{
    return -ENOMEM;
}

int sl_ep_untap(struct sl_pc_world *w, sl_id id, uint16_t mindex, uint64_t tap)
{
    return -ENOMEM;
}

int sl_ep_send_data(struct sl_ep *ep, uint32_t ssrc, bool is_binary, const void *data, size_t len)
{
    return -EAGAIN;
}

int sl_ep_remote_lines(struct sl_ep *ep, const struct sl_remote_line *l, size_t n)
{
    return -EAGAIN;
}

void sl_ep_destroy(struct sl_ep *ep)
{
}

sl_id sl_ep_id(const struct sl_ep *ep)
{
    return SL_ID_NONE;
}

struct sl_ep *sl_ep_find(const struct sl_pc_world *w, sl_id id)
{
    return NULL;
}

int sl_ep_source(const struct sl_ep *ep, uint16_t mindex, struct sl_pc_source *out)
{
    return -ENOENT;
}

int sl_pc_voice(struct sl_pc *from, uint16_t mindex, enum sl_voice_mode mode)
{
    return mindex < 2 ? 0 : -ENOENT;
}

int sl_ep_voice(struct sl_ep *ep, uint16_t mindex, enum sl_voice_mode mode)
{
    return -ENOENT;
}

int sl_ep_keyframe(struct sl_ep *ep, uint16_t mindex)
{
    return -ENOENT;
}

int sl_ep_gate(struct sl_ep *ep, uint16_t mindex, bool closed)
{
    return -ENOENT;
}

int sl_ep_talk_detect(struct sl_ep *ep, uint16_t mindex, uint32_t packets, uint8_t threshold)
{
    return -ENOENT;
}

uint32_t mock_pc_slowlink, mock_pc_no_media; /* as last set */

void sl_pc_world_set_no_media(struct sl_pc_world *w, uint32_t seconds)
{
    (void)w;
    mock_pc_no_media = seconds;
}

json_t *sl_pc_world_loops(const struct sl_pc_world *w)
{
    (void)w;
    return json_array();
}

void sl_pc_world_set_slowlink(struct sl_pc_world *w, uint32_t packets)
{
    (void)w;
    mock_pc_slowlink = packets;
}

void sl_pc_stats_ask(struct sl_pc *pc)
{
    (void)pc;
    mock_pc.stats_asked++;
}

const struct sl_pc_data_count *sl_pc_data_count(const struct sl_pc *pc)
{
    static const struct sl_pc_data_count count = { 1, 10, 2, 20 };

    (void)pc;
    return &count;
}
