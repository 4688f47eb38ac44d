/* What a worker drops is told, by reason, once a second. */
#include "tests/unit/worker/worker_world.h"

#include "base/strbuf.h"
#include "worker/worker_drops.h"

#include <fcntl.h>

/* ---- the line -------------------------------------------------------------------------------- */

static void only_what_grew_is_told(void **state)
{
    struct sl_worker_drops now = { 0 }, seen = { 0 };
    struct sl_strbuf b;

    (void)state;
    sl_strbuf_init(&b);
    now.media[SL_DROP_MALFORMED] = seen.media[SL_DROP_MALFORMED] = 7;
    sl_worker_drops_write(&now, &seen, &b);
    assert_int_equal(b.len, 0);
    now.media[SL_DROP_MALFORMED] = 10;
    now.media[SL_DROP_RING_FULL] = 1;
    now.stun[SL_LITE_BAD_INTEGRITY] = 2;
    now.tx[SL_TX_DROP_FULL] = 3;
    now.socket[SL_SOCKET_OVERFLOW] = 4;
    sl_worker_drops_write(&now, &seen, &b);
    assert_string_equal(
        b.text, " malformed=3 ring_full=1 stun_bad_integrity=2 tx_full=3 socket_overflow=4");
    sl_strbuf_fini(&b);
}

static void the_normal_course_of_things_is_not_told(void **state)
{
    static const enum sl_drop normal[] = {
        SL_DROP_NONE,        SL_DROP_NOT_RECEIVING, SL_DROP_DUPLICATE, SL_DROP_OLD,
        SL_DROP_PADDING,     SL_DROP_GATED,         SL_DROP_PAUSED,    SL_DROP_LAYER,
        SL_DROP_NO_KEYFRAME, SL_DROP_NO_PATH,       SL_DROP_BANDWIDTH,
    };
    struct sl_worker_drops now = { 0 }, seen = { 0 };
    struct sl_strbuf b;

    (void)state;
    sl_strbuf_init(&b);
    for (size_t i = 0; i < sizeof(normal) / sizeof(normal[0]); i++)
        now.media[normal[i]] = 1000;
    sl_worker_drops_write(&now, &seen, &b);
    assert_int_equal(b.len, 0);
    sl_strbuf_fini(&b);
}

static void every_reason_has_a_name_of_its_own(void **state)
{
    struct sl_worker_drops now, seen = { 0 };
    struct sl_strbuf b;
    unsigned int words = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(now) / sizeof(uint64_t); i++)
        ((uint64_t *)&now)[i] = 1;
    sl_strbuf_init(&b);
    sl_worker_drops_write(&now, &seen, &b);
    assert_null(strchr(b.text, '?'));
    assert_null(strstr(b.text, "unknown="));
    for (char *w = strtok(b.text, " "); w; w = strtok(NULL, " "))
        words++;
    assert_int_equal(words, SL_DROP_MAX - 11 + SL_LITE_DROP_MAX + SL_TX_DROP_MAX +
                                SL_SOCKET_DROP_MAX + SL_TCP_CLOSED_MAX);
    sl_strbuf_fini(&b);
}

/* ---- of a real worker ------------------------------------------------------------------------ */

static char told[65536];

/* Until worker 0 has logged what it dropped until now; it does so once a second. */
static void wait_told(void)
{
    (void)next_stats(0); /* right before it logs */
    (void)next_stats(0);
}

/* What the workers log while @play runs and for the second after it. */
static void listen_to(void (*play)(struct rtc_client *c), struct rtc_client *c) SL_ON_WORKER
{
    int fd[2], err = dup(STDERR_FILENO);
    ssize_t n;

    assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
    assert_int_equal(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
    play(c);
    wait_told();
    (void)dup2(err, STDERR_FILENO);
    n = read(fd[0], told, sizeof(told) - 1);
    told[n > 0 ? n : 0] = '\0';
    (void)close(fd[0]);
    (void)close(fd[1]);
    (void)close(err);
}

/* The sum of all " name=" of worker 0. */
static unsigned long sum(const char *name)
{
    char key[64];
    unsigned long n = 0;

    snprintf(key, sizeof(key), " %s=", name);
    for (const char *l = strstr(told, "worker dropped worker=0"); l;
         l = strstr(l + 1, "worker dropped worker=0")) {
        const char *end = strchr(l, '\n'), *at = strstr(l, key);

        if (at && (!end || at < end))
            n += strtoul(at + strlen(key), NULL, 10);
    }
    return n;
}

static void play_unproven(struct rtc_client *c)
{
    uint8_t rtp[60] = { 0x80, 96 }, stun[20] = { 0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42 };

    SL_ASSUME(worker);
    for (int i = 0; i < 3; i++)
        rtc_send_raw(c, rtp, sizeof(rtp));
    rtc_send_raw(c, stun, sizeof(stun)); /* says it is longer */
    for (int i = 0; i < 2; i++)
        rtc_check(c);
}

static void what_comes_from_unproven_addresses_is_told(void **state)
{
    struct rtc_client c;
    struct sl_ice_creds creds;

    (void)state;
    SL_ASSUME(worker);
    sl_ice_creds_make(0, &creds); /* nobody's */
    client_init(&c, 0, &creds);
    listen_to(play_unproven, &c);
    assert_non_null(strstr(told, " INFO worker dropped worker=0 "));
    assert_int_equal(sum("unknown_address"), 3);
    assert_int_equal(sum("stun_malformed"), 1);
    assert_int_equal(sum("stun_unknown_ufrag"), 2);
    rtc_fini(&c);
}

static void send_twice(struct rtc_client *c, const uint8_t *pkt, size_t len) SL_ON_WORKER
{
    uint8_t buf[300];

    memcpy(buf, pkt, len);
    assert_int_equal(sl_srtp_protect(c->srtp, buf, &len), 0);
    rtc_send_raw(c, buf, len);
    rtc_send_raw(c, buf, len);
}

static void play_member(struct rtc_client *c)
{
    uint8_t p[100] = { 0 }, bad_nack[] = { 0x81, 205, 0, 1, 0, 0, 0, 1 };

    SL_ASSUME(worker);
    sl_rtp_write_header(p, false, VIDEO_PT, 1, 0, SSRC_IN);
    rtc_send_raw(c, p, sizeof(p)); /* auth: not encrypted */
    p[12] = 0x90;
    p[13] = 0x80;
    send_twice(c, p, sizeof(p)); /* replay */
    sl_rtp_write_header(p, false, VIDEO_PT, 2, 0, SSRC_IN + 1);
    rtc_send_rtp(c, p, sizeof(p)); /* unknown_ssrc */
    sl_rtp_write_header(p, false, 33, 3, 0, SSRC_IN);
    rtc_send_rtp(c, p, sizeof(p)); /* wrong_pt */
    sl_rtp_write_header(p, false, VIDEO_PT, 4, 0, SSRC_IN);
    p[0] |= 0x20;
    p[sizeof(p) - 1] = 255; /* malformed: more padding than packet */
    rtc_send_rtp(c, p, sizeof(p));
    rtc_send_rtcp(c, bad_nack, sizeof(bad_nack)); /* malformed: half of it is missing */
}

static void what_a_member_sends_wrong_is_told(void **state)
{
    struct rtc_client c;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    id = join(&c, 0, SL_DIR_RECV);
    listen_to(play_member, &c);
    assert_int_equal(sum("auth"), 1);
    assert_int_equal(sum("replay"), 1);
    assert_int_equal(sum("unknown_ssrc"), 1);
    assert_int_equal(sum("wrong_pt"), 1);
    assert_int_equal(sum("malformed"), 2);
    leave(&c, id);
}

static void play_nothing(struct rtc_client *c)
{
    (void)c;
}

static void a_quiet_worker_has_nothing_to_tell(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    wait_told(); /* what was before */
    listen_to(play_nothing, NULL);
    assert_null(strstr(told, "dropped"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_grew_is_told),
        cmocka_unit_test(the_normal_course_of_things_is_not_told),
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
        cmocka_unit_test(what_comes_from_unproven_addresses_is_told),
        cmocka_unit_test(what_a_member_sends_wrong_is_told),
        cmocka_unit_test(a_quiet_worker_has_nothing_to_tell),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
