/*
 * fuzz_frames.c - RFC 4571 frames out of a stream that comes in pieces: the packets are those that
 * one look at the whole stream finds, whatever the pieces; and what we send, we read back equal.
 *
 * The input: one byte how the stream is cut, the rest is the stream.
 */
#include "base/bytes.h"
#include "fuzz.h"
#include "net/net_tcp.h"
#include <errno.h>
#include <string.h>

static struct sl_frames frames;

/* The next packet of the whole stream: its length, -1: not complete, -2: too long. */
static int whole_next(const uint8_t *data, size_t size, size_t at)
{
    size_t n;

    if (size - at < 2)
        return -1;
    n = sl_get16(data + at);
    if (n > SL_FRAME_MAX)
        return -2;
    return size - at - 2 < n ? -1 : (int)n;
}

static void take(const uint8_t *data, size_t size, uint8_t cut)
{
    size_t at = 0, fed = 0, piece = 1 + (size_t)cut * cut % 5000;

    frames.start = frames.end = 0;
    while (fed < size) {
        size_t room, len, n = piece < size - fed ? piece : size - fed;
        uint8_t *to = sl_frames_room(&frames, &room), *got;
        int r;

        FUZZ_CHECK(room > 0);
        n = n < room ? n : room;
        memcpy(to, data + fed, n);
        sl_frames_add(&frames, n);
        fed += n;
        while ((r = sl_frames_next(&frames, &got, &len)) == 1) {
            FUZZ_CHECK(whole_next(data, size, at) == (int)len);
            FUZZ_CHECK(memcmp(got, data + at + 2, len) == 0);
            at += 2 + len;
        }
        if (r < 0) {
            FUZZ_CHECK(r == -EBADMSG && whole_next(data, size, at) == -2);
            return;
        }
        FUZZ_CHECK(whole_next(data, fed, at) == -1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t own[2 + SL_FRAME_MAX];
    size_t n;

    if (size == 0)
        return 0;
    take(data + 1, size - 1, data[0]);
    n = size - 1 < SL_FRAME_MAX ? size - 1 : SL_FRAME_MAX;
    sl_put16(own, (uint16_t)n);
    memcpy(own + 2, data + 1, n);
    take(own, 2 + n, data[0]);
    return 0;
}
