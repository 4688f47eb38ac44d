/*
 * pc_fix.h - a world of peer connections with real workers on loopback, and a browser's offer.
 */
#ifndef SL_TEST_PC_FIX_H
#define SL_TEST_PC_FIX_H

#include "tests/unit/test_cmocka.h"

#include "pc/pc_priv.h"
#include "base/clock.h"
#include "tests/mock/rtc_client.h"
#include "tests/unit/test_ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef TEST_SRCDIR
#define TEST_SRCDIR "."
#endif

struct fix {
    struct sl_cq cq;
    struct sl_pc_world *world;
    struct sl_cert *client_cert;
    struct sl_arena *arena;
    char *offer;
    char *local; /* our description */
    int ndone, nup, ndown;
};

static struct fix fix;
static unsigned int fix_workers = 1; /* to be set before setup */
static uint16_t fix_port;            /* of worker 0, the others follow; setup finds it */

static inline void on_up(void *arg)
{
    ((struct fix *)arg)->nup++;
}

static inline void on_down(void *arg, const char *reason)
{
    (void)reason;
    ((struct fix *)arg)->ndown++;
}

static inline void on_nothing(void *arg)
{
    (void)arg;
}

static inline void on_receiving(void *arg, uint16_t mindex, int substream, bool receiving)
{
    (void)arg, (void)mindex, (void)substream, (void)receiving;
}

static const struct sl_pc_cb callbacks = {
    .up = on_up, .down = on_down, .ice_failed = on_nothing, .receiving = on_receiving
};

static inline void on_local(void *arg, const char *sdp)
{
    struct fix *f = arg;

    f->ndone++;
    free(f->local);
    f->local = sdp ? strdup(sdp) : NULL;
}

static inline char *read_offer(void)
{
    char path[512];
    const char *dir = getenv("srcdir");
    char *text = calloc(1, 65536);
    FILE *in;

    snprintf(path, sizeof(path), "%s/tests/unit/sdp/golden/chromium_offer.sdp",
             dir ? dir : TEST_SRCDIR);
    in = fopen(path, "r");
    if (!in || !text || !fread(text, 1, 65535, in)) {
        print_error("cannot read %s\n", path);
        abort();
    }
    fclose(in);
    return text;
}

/* Every occurrence, by a text of the same length. */
static inline void patch(char *sdp, const char *what, const char *by)
{
    assert_int_equal(strlen(what), strlen(by));
    for (char *p = sdp; (p = strstr(p, what)); p += strlen(by))
        memcpy(p, by, strlen(by));
}

static inline int setup(void **state)
{
    if (!fix_port && !(fix_port = test_ports()))
        return -1;
    struct sl_media_conf mc = { .ice = SL_MEDIA_ICE_LITE,
                                .bind = (char *)"127.0.0.1",
                                .port = fix_port,
                                .mtu = 1200,
                                .ice_grace_s = 90,
                                .twcc_period_ms = 100,
                                .max_peers = 1000,
                                .max_ssrcs = 64,
                                .max_sdp_bytes = 65536,
                                .max_mlines = 64 };
    struct sl_pc_world_conf wc = {
        .workers = fix_workers, .keep_sdps = true, .media = &mc, .cq = &fix.cq
    };
    char err[160], *fp;

    (void)state;
    sl_role_enter(&sl_role_control);
    memset(&fix, 0, sizeof(fix));
    fix.arena = sl_arena_create();
    if (sl_cq_init(&fix.cq, sl_now_us()) || sl_cert_create(&fix.client_cert))
        return -1;
    if (sl_pc_world_create(&wc, &fix.world, err, sizeof(err)) < 0) {
        print_error("%s\n", err);
        return -1;
    }
    fix.offer = read_offer();
    patch(fix.offer, "YckO", "test");
    fp = strstr(fix.offer, "a=fingerprint:sha-256 ") + 22;
    {
        char old[96] = { 0 };

        memcpy(old, fp, 95);
        patch(fix.offer, old, sl_cert_fingerprint(fix.client_cert));
    }
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    SL_ASSUME(control);
    sl_pc_world_destroy(fix.world);
    sl_cq_fini(&fix.cq);
    sl_arena_destroy(fix.arena);
    sl_cert_destroy(fix.client_cert);
    free(fix.offer);
    free(fix.local);
    sl_role_leave(&sl_role_control);
    return 0;
}

static inline void turn(int ms) SL_ON_CONTROL
{
    for (int i = 0; i < ms; i += 5) {
        usleep(5000);
        sl_cq_run(&fix.cq, sl_now_us());
    }
}

static inline struct sl_pc *create_in(uint64_t group) SL_ON_CONTROL
{
    struct sl_pc *pc = NULL;

    fix.ndone = fix.nup = fix.ndown = 0;
    assert_int_equal(sl_pc_create(fix.world, &callbacks, &fix, group, &pc), 0);
    return pc;
}

static inline struct sl_pc *create(void) SL_ON_CONTROL
{
    return create_in(0);
}

static inline int set_remote(struct sl_pc *pc, const char *sdp, struct sl_jsep_in *in) SL_ON_CONTROL
{
    struct sl_pc_remote r = { .type = SL_JSEP_OFFER, .sdp = sdp, .sdp_len = strlen(sdp) };
    struct sl_pc_error err;

    return sl_pc_set_remote(pc, fix.arena, &r, in, &err);
}

static inline int answer(struct sl_pc *pc, const struct sl_jsep_in *in) SL_ON_CONTROL
{
    struct sl_jsep_out out = { .type = SL_JSEP_ANSWER, .lines = in->lines, .nlines = in->nlines };

    return sl_pc_set_local(pc, &out, on_local, &fix);
}

static inline void attribute(const char *sdp, const char *name, char *out, size_t cap)
{
    const char *p = strstr(sdp, name);
    size_t n;

    assert_non_null(p);
    p += strlen(name);
    n = strcspn(p, "\r\n");
    assert_true(n < cap);
    memcpy(out, p, n);
    out[n] = '\0';
}

/* A client of the peer connection on @worker that fix.local describes. */
static inline void connect_client(struct rtc_client *c, unsigned int worker) SL_ON_CONTROL
{
    struct sl_fingerprint fp;
    struct sl_ice_creds creds;
    struct sl_addr server;
    const int before = fix.nup;
    char text[160];
    bool ok;

    attribute(fix.local, "a=ice-ufrag:", creds.ufrag, sizeof(creds.ufrag));
    attribute(fix.local, "a=ice-pwd:", creds.pwd, sizeof(creds.pwd));
    attribute(fix.local, "a=fingerprint:", text, sizeof(text));
    assert_int_equal(sl_fingerprint_parse(text, &fp), 0);
    (void)sl_addr_from_ip("127.0.0.1", (uint16_t)(fix_port + worker), &server);
    sl_role_leave(&sl_role_control);
    sl_role_enter(&sl_role_worker);
    assert_int_equal(rtc_init(c, &server, &creds, fix.client_cert, &fp), 0);
    ok = rtc_connect(c);
    sl_role_leave(&sl_role_worker);
    sl_role_enter(&sl_role_control);
    assert_true(ok);
    for (int i = 0; i < 6000 && fix.nup == before; i++)
        turn(5);
    assert_int_equal(fix.nup, before + 1);
}

static inline uint32_t nfree(void)
{
    return fix.world->slots[0].nfree;
}

/* The worker gives slots back when it gets to it. */
static inline void wait_free(uint32_t n) SL_ON_CONTROL
{
    for (int i = 0; i < 6000 && nfree() < n; i++)
        turn(5);
    turn(60);
    assert_int_equal(nfree(), n);
}

#endif
