/*
 * The files are IVF: a header of 32 bytes, then frames, each behind its length (4 bytes) and time
 * (8 bytes, here microseconds), all little endian. They are played in a loop.
 *
 * Each tick sends the frames whose time has come by the core's clock, so that late ticks delay
 * frames but never shift them: `time_us` of a frame is where it stands in the endless loop.
 */
#include "player.h"

#include <string.h>

#define TICK_MS     20
#define TONE_US     20000  /* of an opus frame: the length of the last one */
#define PICTURE_US  66667  /* of a picture, likewise */
#define PACKETS_MAX 64     /* of one frame */
#define VP8_HEAD    4      /* bytes of its payload descriptor */
#define LATE_US     500000 /* what is older is skipped */

extern const uint8_t _binary_picture_ivf_start[], _binary_picture_ivf_end[];
extern const uint8_t _binary_tone_ivf_start[], _binary_tone_ivf_end[];

struct frame {
    const uint8_t *data;
    size_t len;
    uint64_t time_us; /* in its file */
};

struct file {
    const uint8_t *start, *end, *at; /* frames; the next one */
    uint64_t length_us;              /* of one round */
    uint64_t round_us;               /* when this round began, on the player's clock */
};

static struct {
    sl_hid player;
    uint64_t timer;
    uint64_t begun_us;
    struct file tone, picture;
    uint16_t picture_id;
    bool wants_key;
    unsigned int keyframes;
} self;

/* ---- files ----------------------------------------------------------------------------------- */

static uint64_t le(const uint8_t *p, int n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static struct frame frame_at(const uint8_t *p)
{
    return (struct frame){ p + 12, (size_t)le(p, 4), le(p + 4, 8) };
}

static void file_open(struct file *f, const uint8_t *start, const uint8_t *end, uint64_t last_us)
{
    *f = (struct file){ .start = start + 32, .end = end, .at = start + 32 };
    for (const uint8_t *p = f->start; p < end; p = frame_at(p).data + frame_at(p).len)
        f->length_us = frame_at(p).time_us + last_us;
}

/* The next frame if its time has come, with that time; it is taken. */
static bool frame_take(struct file *f, uint64_t now_us, struct frame *out)
{
    *out = frame_at(f->at);
    out->time_us += f->round_us;
    if (out->time_us > now_us)
        return false;
    f->at = out->data + out->len;
    if (f->at >= f->end) {
        f->at = f->start;
        f->round_us += f->length_us;
    }
    return true;
}

/* RFC 6386 section 9.1: the first bit of a frame is 0 in key frames. */
static bool is_key(const struct frame *f)
{
    return !(f->data[0] & 1);
}

/* Goes on with the next key frame of the file, now. */
static void skip_to_key(struct file *f, uint64_t now_us)
{
    struct frame next = frame_at(f->at);

    while (!is_key(&next)) {
        f->at = next.data + next.len < f->end ? next.data + next.len : f->start;
        next = frame_at(f->at);
    }
    f->round_us = now_us - next.time_us; /* may wrap: only sums are used */
}

/* ---- packets --------------------------------------------------------------------------------- */

/* RFC 7587: a frame is a packet. */
static void tone_send(const struct frame *f)
{
    const struct sl_player_packet p = { f->time_us, false, f->data, f->len };

    (void)player_core->player_send(self.player, LINE_TONE, &p, 1);
}

/* RFC 7741 section 4.2: X and I set, a picture id of 15 bits, S in the first packet. */
static void picture_send(const struct frame *f)
{
    static uint8_t payload[PACKETS_MAX][SL_PLAYER_PACKET_MAX];
    struct sl_player_packet p[PACKETS_MAX];
    const size_t room = SL_PLAYER_PACKET_MAX - VP8_HEAD;
    size_t n = 0;

    for (size_t at = 0; at < f->len && n < PACKETS_MAX; n++) {
        const size_t len = f->len - at < room ? f->len - at : room;
        uint8_t *b = payload[n];

        b[0] = at == 0 ? 0x90 : 0x80;
        b[1] = 0x80;
        b[2] = (uint8_t)(0x80 | self.picture_id >> 8);
        b[3] = (uint8_t)self.picture_id;
        memcpy(b + VP8_HEAD, f->data + at, len);
        at += len;
        p[n] = (struct sl_player_packet){ f->time_us, at == f->len, b, VP8_HEAD + len };
    }
    self.picture_id = (self.picture_id + 1) & 0x7fff;
    (void)player_core->player_send(self.player, LINE_PICTURE, p, n);
}

/* ---- the clock ------------------------------------------------------------------------------- */

static void on_tick(void *arg)
{
    const uint64_t now_us = player_core->now_us() - self.begun_us;
    struct frame f;

    (void)arg;
    if (self.wants_key)
        skip_to_key(&self.picture, now_us);
    self.wants_key = false;
    while (frame_take(&self.tone, now_us, &f))
        if (now_us - f.time_us < LATE_US)
            tone_send(&f);
    while (frame_take(&self.picture, now_us, &f))
        picture_send(&f); /* each is needed by those that follow */
}

static void on_keyframe(void *arg, uint16_t mindex)
{
    (void)arg, (void)mindex;
    self.wants_key = true; /* with the next tick */
    self.keyframes++;
}

/* ---- life ------------------------------------------------------------------------------------ */

const struct sl_mline *media_lines(void)
{
    static const struct sl_mcodec codecs[LINES] = {
        [LINE_TONE] = { .codec = SL_CODEC_OPUS, .pt = 111 },
        [LINE_PICTURE] = { .codec = SL_CODEC_VP8, .pt = 96 },
    };
    static const struct sl_mline lines[LINES] = {
        [LINE_TONE] = { .kind = SL_KIND_AUDIO,
                        .dir = SL_DIR_SEND,
                        .codecs = &codecs[LINE_TONE],
                        .ncodecs = 1 },
        [LINE_PICTURE] = { .kind = SL_KIND_VIDEO,
                           .dir = SL_DIR_SEND,
                           .codecs = &codecs[LINE_PICTURE],
                           .ncodecs = 1,
                           .exts = SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_TWCC) },
    };

    return lines;
}

int media_begin(void)
{
    const struct sl_player player = { .lines = media_lines(),
                                      .nlines = LINES,
                                      .keyframe = on_keyframe };
    int err;

    if (self.player)
        return 0;
    memset(&self, 0, sizeof(self));
    err = player_core->player_add(&player, &self.player);
    if (err)
        return err;
    file_open(&self.tone, _binary_tone_ivf_start, _binary_tone_ivf_end, TONE_US);
    file_open(&self.picture, _binary_picture_ivf_start, _binary_picture_ivf_end, PICTURE_US);
    self.begun_us = player_core->now_us();
    self.timer = player_core->timer_add(TICK_MS, true, on_tick, NULL);
    return 0;
}

void media_end(void)
{
    if (!self.player)
        return;
    player_core->timer_del(self.timer);
    player_core->endpoint_del(self.player);
    self.player = 0;
}

sl_hid media_player(void)
{
    return self.player;
}

unsigned int media_keyframes(void)
{
    return self.keyframes;
}
