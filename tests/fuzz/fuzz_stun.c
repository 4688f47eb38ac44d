/*
 * fuzz_stun.c - STUN messages into an ICE-lite server: bytes as they come, and attributes of the
 * fuzzer's within a message that has the right password. Nobody without it gets an answer or a
 * place, and every answer is sealed with it and echoes the transaction.
 *
 * The input is a list of steps: one byte what to do, one byte from which address, two bytes length
 * (network order), then that many bytes.
 */
#include "../unit/ice/lite_world.h"
#include "fuzz.h"

#define NADDRS 32

enum { STEP_BYTES, STEP_SEALED, STEP_TIME, STEP_RESTART, STEP_KINDS };

static const char *const passwords[] = { "password-of-agent-aaaaaa", "password-of-agent-bbbbbb",
                                         "password-of-agent-c33333" };

static bool is_sealed_by_any(const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < 3; i++)
        if (raw_is_sealed(b, n, passwords[i]))
            return true;
    return false;
}

static void step_input(struct world *w, const struct sl_addr *from, const uint8_t *data, size_t len)
{
    SL_ASSUME(worker);
    bool was_known = sl_ice_lite_find(w->lite, from, NULL) != NULL;
    unsigned int before = w->nsent;
    uint8_t *exact = malloc(len ? len : 1); /* so that one byte too far is seen */

    FUZZ_CHECK(exact);
    memcpy(exact, data, len);
    (void)world_input(w, from, exact, len);
    if (!is_sealed_by_any(data, len)) {
        FUZZ_CHECK(w->nsent == before);
        FUZZ_CHECK(was_known == (sl_ice_lite_find(w->lite, from, NULL) != NULL));
    }
    if (w->nsent != before) {
        FUZZ_CHECK(w->nsent == before + 1);
        FUZZ_CHECK(is_sealed_by_any(w->out, w->out_len));
        FUZZ_CHECK(memcmp(w->out + 4, data + 4, 16) == 0);
        FUZZ_CHECK(sl_addr_is_equal(&w->to, from));
    }
    free(exact);
}

/* The fuzzer's bytes as attributes of a Binding request that @p's peer could have made. */
static void step_sealed(struct world *w, const struct world_peer *p, const struct sl_addr *from,
                        const uint8_t *attrs, size_t len)
{
    uint8_t tid[12] = { 0 };
    char user[2 * SL_ICE_UFRAG_MAX + 2];
    struct raw r;

    raw_init(&r, RAW_BINDING, tid);
    (void)snprintf(user, sizeof(user), "%s:them", p->creds.ufrag);
    raw_attr(&r, RAW_USERNAME, user, strlen(user));
    if (len > 1400)
        len = 1400;
    memcpy(r.b + r.n, attrs, len);
    memset(r.b + r.n + len, 0, 4);
    r.n += (len + 3) & ~(size_t)3;
    sl_put16(r.b + 2, (uint16_t)(r.n - 20));
    raw_integrity(&r, p->creds.pwd);
    raw_fingerprint(&r);
    step_input(w, from, r.b, r.n);
}

static void steps_run(struct world *w, struct world_peer peer[2], struct sl_reader *in)
{
    SL_ASSUME(worker);

    while (sl_reader_left(in) >= 4) {
        uint8_t what = sl_read8(in), where = sl_read8(in);
        size_t len = sl_read16(in);
        struct world_peer *p = &peer[what >> 7];
        struct sl_addr from = world_addr(where & 1 ? "2001:db8::1" : "198.51.100.1",
                                         (uint16_t)(4000 + where % NADDRS));
        const uint8_t *data;

        if (len > sl_reader_left(in))
            len = sl_reader_left(in);
        data = sl_read_bytes(in, len);
        switch (what % STEP_KINDS) {
        case STEP_BYTES:
            step_input(w, &from, data, len);
            break;
        case STEP_SEALED:
            step_sealed(w, p, &from, data, len);
            break;
        case STEP_TIME:
            world_run(w, (uint64_t)where * 200000);
            break;
        case STEP_RESTART: {
            struct sl_ice_creds c = { .ufrag = "ufragCCC" };

            (void)snprintf(c.pwd, sizeof(c.pwd), "%s", passwords[2]);
            if (sl_lite_agent_restart(p->agent, &c) == 0)
                p->creds = c;
            if (where & 1)
                sl_lite_agent_set_remote(p->agent, where & 2 ? "them" : "other");
            break;
        }
        }
        for (size_t i = 0; i < 2; i++)
            FUZZ_CHECK((peer[i].path.kind == SL_ICE_PATH_DIRECT) ==
                       (peer[i].state == SL_ICE_CONNECTING || peer[i].state == SL_ICE_CONNECTED));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_reader in = sl_reader_make(data, size);
    struct world_peer peer[2];
    struct world w;

    sl_role_enter(&sl_role_worker);
    FUZZ_CHECK(world_init(&w) == 0);
    FUZZ_CHECK(world_peer_init(&w, &peer[0], "ufragAAA", passwords[0]) == 0);
    FUZZ_CHECK(world_peer_init(&w, &peer[1], "ufragBBB", passwords[1]) == 0);
    steps_run(&w, peer, &in);
    sl_lite_agent_destroy(peer[0].agent);
    sl_lite_agent_destroy(peer[1].agent);
    sl_ice_lite_destroy(w.lite);
    sl_role_leave(&sl_role_worker);
    return 0;
}
