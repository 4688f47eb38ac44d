/*
 * bench_parse.c - one packet from bytes to struct sl_pkt's fields: RTP header, header extensions,
 * payload descriptor.
 */
#include "bench.h"
#include "base/bytes.h"
#include "rtp/rtp_ext.h"
#include "rtp/rtp_payload.h"

struct sample {
    const char *name;
    enum sl_codec codec;
    size_t ext_len, payload_len; /* of the bytes below; filled up to @len */
    size_t len;
    uint8_t ext[16], payload[16];
    /* What must come out. */
    uint32_t present;
    bool key;
};

#define PRESENT                                                                                    \
    (SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_ABS_SEND_TIME) | SL_EXT_BIT(SL_EXT_TWCC))
#define VIDEO_EXT                                                                                  \
    {                                                                                              \
        0xbe, 0xde, 0, 3, 0x40, '0', 0x22, 1, 2, 3, 0x31, 0, 0, 0, 0, 0                            \
    }

static const struct sample samples[] = {
    { "vp8, 15-bit picture id, tl0picidx, tid",
      SL_CODEC_VP8,
      16,
      9,
      1100,
      VIDEO_EXT,
      { 0x90, 0xe0, 0x92, 0x34, 0x11, 0x20, 0x11, 0x02, 0x00 },
      PRESENT,
      false },
    { "vp9, flexible, 1 layer",
      SL_CODEC_VP9,
      16,
      8,
      1100,
      VIDEO_EXT,
      { 0xfc, 0x92, 0x34, 0x00, 0x02, 0x00, 0x11, 0x11 },
      PRESENT,
      false },
    { "h264, FU-A of a key frame",
      SL_CODEC_H264,
      16,
      4,
      1100,
      VIDEO_EXT,
      { 0x7c, 0x85, 0x88, 0x84 },
      PRESENT,
      true },
    { "opus, audio level",
      SL_CODEC_OPUS,
      16,
      0,
      90,
      { 0xbe, 0xde, 0, 3, 0x10, 0x9e, 0x22, 1, 2, 3, 0x31, 0, 0, 0x40, '0', 0 },
      { 0 },
      PRESENT | SL_EXT_BIT(SL_EXT_AUDIO_LEVEL),
      false },
};

static struct {
    const struct sample *s;
    struct sl_ext_map map;
    uint8_t data[1200];
} w;

static void sample_set(const struct sample *s)
{
    static const uint8_t ids[SL_EXT_MAX] = {
        [SL_EXT_MID] = 4, [SL_EXT_ABS_SEND_TIME] = 2, [SL_EXT_TWCC] = 3, [SL_EXT_AUDIO_LEVEL] = 1
    };

    w.s = s;
    sl_ext_map_init(&w.map, ids);
    memset(w.data, 0x11, sizeof(w.data));
    sl_rtp_write_header(w.data, true, 96, 1, 1, 1);
    w.data[0] |= SL_RTP_EXT;
    memcpy(w.data + SL_RTP_HDR, s->ext, s->ext_len);
    memcpy(w.data + SL_RTP_HDR + s->ext_len, s->payload, s->payload_len);
}

static uint64_t parse(void *arg, size_t n)
{
    struct sl_rtp rtp = { 0 };
    struct sl_ext_info ext = { 0 };
    struct sl_payload_info payload = { 0 };
    uint64_t t0 = bench_cpu_ns();

    (void)arg;
    for (size_t i = 0; i < n; i++) {
        sl_put16(w.data + 2, (uint16_t)i);
        bench_must(!sl_rtp_parse(w.data, w.s->len, &rtp));
        bench_must(!sl_ext_parse(w.data, &rtp, &w.map, &ext));
        memset(&payload, 0, sizeof(payload));
        bench_must(
            !sl_payload_parse(w.s->codec, w.data + rtp.payload_off, rtp.payload_len, &payload));
    }
    t0 = bench_cpu_ns() - t0;
    bench_must(ext.present == w.s->present && payload.key == w.s->key);
    return t0;
}

int main(int argc, char **argv)
{
    bench_begin("parse", argc, argv);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        sample_set(&samples[i]);
        bench_run(samples[i].name, 5000000, parse, NULL);
    }
    return bench_end();
}
