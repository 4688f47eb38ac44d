#include "media/media_vp8.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define MASK     (SL_VP8_WINDOW - 1)
#define PID_MASK 0x7fff
#define KEY_MASK 0x1f

void sl_vp8_munge_init(struct sl_vp8_munge *m)
{
    memset(m, 0, sizeof(*m));
}

void sl_vp8_munge_switch(struct sl_vp8_munge *m)
{
    m->resync = true;
}

/* The picture id nearest to the newest one, extended; slots hold it plus one. */
static uint32_t extend(const struct sl_vp8_munge *m, uint16_t pid, uint8_t bits)
{
    uint32_t size = 1u << bits;
    uint32_t d = (pid - m->in_max) & (size - 1);

    return d < size / 2 ? m->in_max + d : m->in_max - (size - d);
}

/* First picture of a source: its ids follow the last ones that went out. */
static void resync(struct sl_vp8_munge *m, const struct sl_payload_info *in)
{
    uint16_t next_pid = m->started ? (m->last.pid + 1) & PID_MASK : in->pid;
    uint8_t next_tl0 = m->started ? (uint8_t)(m->last.tl0 + 1) : in->tl0;
    uint8_t next_key = m->started ? (m->last.keyidx + 1) & KEY_MASK : in->keyidx;

    memset(m->pic, 0, sizeof(m->pic));
    m->width = in->pid_bits;
    /* Two cycles up: ids from just before the first one stay positive. */
    m->in_max = (2u << in->pid_bits) + in->pid;
    m->pid_off = (uint16_t)(next_pid - m->in_max) & PID_MASK;
    m->tl0_off = (uint8_t)(next_tl0 - in->tl0);
    m->key_off = (next_key - in->keyidx) & KEY_MASK;
    m->started = true;
    m->resync = false;
}

static void remember(struct sl_vp8_munge *m, uint32_t ext, const struct sl_payload_info *in,
                     bool dropped)
{
    struct sl_vp8_ids ids = {
        .pid = (uint16_t)(ext + m->pid_off) & PID_MASK,
        .tl0 = (uint8_t)(in->tl0 + m->tl0_off),
        .keyidx = (in->keyidx + m->key_off) & KEY_MASK,
    };

    m->pic[ext & MASK].in = ext + 1;
    m->pic[ext & MASK].dropped = dropped;
    m->pic[ext & MASK].out = ids;
    if (dropped)
        return;
    m->last.pid = ids.pid;
    m->last.tl0 = in->has_tl0 ? ids.tl0 : m->last.tl0;
    m->last.keyidx = in->has_keyidx ? ids.keyidx : m->last.keyidx;
}

int sl_vp8_munge_map(struct sl_vp8_munge *m, const struct sl_payload_info *in,
                     struct sl_vp8_ids *out)
{
    uint32_t ext;

    if (in->pid_bits == 0) { /* nothing to be kept continuous */
        *out = (struct sl_vp8_ids){ 0, in->tl0, in->keyidx };
        return 0;
    }
    if (!m->started || m->resync || in->pid_bits != m->width)
        resync(m, in);
    ext = extend(m, in->pid, in->pid_bits);
    if (m->pic[ext & MASK].in == ext + 1) {
        if (m->pic[ext & MASK].dropped)
            return -EAGAIN;
        *out = m->pic[ext & MASK].out;
        return 0;
    }
    if (ext < m->in_max) { /* a late picture of which nothing was seen yet */
        struct sl_vp8_ids last = m->last;

        if (m->in_max - ext >= SL_VP8_WINDOW)
            return -EAGAIN;
        remember(m, ext, in, false);
        m->last = last;
    } else {
        m->in_max = ext;
        remember(m, ext, in, false);
    }
    *out = m->pic[ext & MASK].out;
    return 0;
}

void sl_vp8_munge_drop(struct sl_vp8_munge *m, const struct sl_payload_info *in)
{
    uint32_t ext;

    if (in->pid_bits == 0 || !m->started || m->resync || in->pid_bits != m->width)
        return;
    ext = extend(m, in->pid, in->pid_bits);
    if (ext <= m->in_max)
        return; /* told before, or late: its id stays a gap */
    m->in_max = ext;
    remember(m, ext, in, true);
    m->pid_off = (m->pid_off - 1) & PID_MASK;
}

int sl_vp8_munge_find(const struct sl_vp8_munge *m, const struct sl_payload_info *in,
                      struct sl_vp8_ids *out)
{
    uint32_t ext;

    if (in->pid_bits == 0) {
        *out = (struct sl_vp8_ids){ 0, in->tl0, in->keyidx };
        return 0;
    }
    if (!m->started || in->pid_bits != m->width)
        return -ENOENT;
    ext = extend(m, in->pid, in->pid_bits);
    if (m->pic[ext & MASK].in != ext + 1 || m->pic[ext & MASK].dropped)
        return -ENOENT;
    *out = m->pic[ext & MASK].out;
    return 0;
}

void sl_vp8_munge_write(uint8_t *payload, const struct sl_payload_info *in,
                        const struct sl_vp8_ids *ids)
{
    if (in->pid_bits == 15)
        sl_put16(payload + in->pid_off, 0x8000 | ids->pid);
    else if (in->pid_bits == 7)
        payload[in->pid_off] = ids->pid & 0x7f;
    if (in->has_tl0)
        payload[in->tl0_off] = ids->tl0;
    if (in->has_keyidx)
        payload[in->keyidx_off] =
            (uint8_t)((payload[in->keyidx_off] & ~KEY_MASK) | (ids->keyidx & KEY_MASK));
}
