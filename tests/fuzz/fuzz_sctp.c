/*
 * fuzz_sctp.c - the check of SCTP packets and DCEP stay in their bounds. The first byte's lowest
 * bit says which. A packet that passes has its chunks where their lengths say; an OPEN that is read
 * is written and read back equal.
 */
#include "fuzz.h"
#include "base/bytes.h"
#include "sctp/sctp_check.h"
#include "sctp/sctp_dcep.h"
#include <errno.h>
#include <string.h>

static void check(const uint8_t *data, size_t size)
{
    int err = sl_sctp_check(data, size);
    size_t at = 12;

    FUZZ_CHECK(err == 0 || err == -EBADMSG);
    if (err)
        return;
    while (at < size) {
        size_t len = sl_get16(data + at + 2);

        FUZZ_CHECK(len >= 4 && len <= size - at);
        at += (len + 3) & ~(size_t)3;
    }
    FUZZ_CHECK(at == size);
}

static void dcep(const uint8_t *data, size_t size)
{
    uint8_t buf[SL_DCEP_OPEN_MAX];
    struct sl_dcep_open o, again;
    int len, err = sl_dcep_open_parse(data, size, &o);

    FUZZ_CHECK(err == 0 || err == -EBADMSG || err == -E2BIG || err == -EILSEQ);
    FUZZ_CHECK(err || sl_dcep_is_open(data, size));
    FUZZ_CHECK(!sl_dcep_is_ack(data, size) || !sl_dcep_is_open(data, size));
    if (err)
        return;
    FUZZ_CHECK(!memchr(o.label, '\0', o.label_len) && !memchr(o.protocol, '\0', o.protocol_len));
    len = sl_dcep_open_write(&o, buf, sizeof(buf));
    FUZZ_CHECK(len > 0 && (size_t)len <= size);
    FUZZ_CHECK(sl_dcep_open_parse(buf, (size_t)len, &again) == 0);
    FUZZ_CHECK(again.ordered == o.ordered && again.reliability == o.reliability);
    FUZZ_CHECK(again.limit == o.limit && again.priority == o.priority);
    FUZZ_CHECK(again.label_len == o.label_len && again.protocol_len == o.protocol_len);
    FUZZ_CHECK(!memcmp(again.label, o.label, o.label_len + o.protocol_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        check(data + 1, size - 1);
    else
        dcep(data + 1, size - 1);
    return 0;
}
