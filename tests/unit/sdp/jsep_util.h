/*
 * jsep_util.h - a negotiator with known random numbers, and its descriptions against golden files.
 *
 * A test run with SL_GOLDEN_WRITE=1 writes the golden files of our descriptions instead of
 * comparing (look at the difference before committing).
 */
#ifndef TEST_JSEP_UTIL_H
#define TEST_JSEP_UTIL_H

#include "sdp_util.h"
#include "base/role.h"
#include "sdp/sdp_jsep.h"
#include <errno.h>

#define EXT(name) SL_EXT_BIT(SL_EXT_##name)

static struct sl_arena *arena;
static struct sl_jsep *jsep;
static struct sl_jsep_remote remote;
static uint32_t next_ssrc;

static uint32_t test_rand(void *arg)
{
    (void)arg;
    return next_ssrc++;
}

static inline int jsep_setup(void **state)
{
    static const struct sl_jsep_conf conf = { .cname = "sluice",
                                              .session_id = 1700000000000000,
                                              .rand32 = test_rand };

    (void)state;
    SL_ASSUME(control);
    next_ssrc = 1001;
    arena = sl_arena_create();
    return arena && !sl_jsep_create(&conf, &jsep) ? 0 : -1;
}

static inline int jsep_teardown(void **state)
{
    (void)state;
    SL_ASSUME(control);
    sl_jsep_destroy(jsep);
    sl_arena_destroy(arena);
    return 0;
}

/* @text with the first @from replaced by @to, in the arena. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    if (!at)
        fail_msg("\"%s\" is not there", from);
    return sl_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* The same for all of them. */
static inline char *replaced_all(const char *text, const char *from, const char *to)
{
    struct sl_strbuf b;
    const char *at;
    char *out;

    if (!strstr(text, from))
        fail_msg("\"%s\" is not there", from);
    sl_strbuf_init(&b);
    for (; (at = strstr(text, from)); text = at + strlen(from)) {
        sl_strbuf_addn(&b, text, (size_t)(at - text));
        sl_strbuf_add(&b, to);
    }
    sl_strbuf_add(&b, text);
    assert_false(b.failed);
    out = sl_arena_strdup(arena, b.text);
    assert_non_null(out);
    sl_strbuf_fini(&b);
    return out;
}

static inline const char *golden(const char *name)
{
    char *text = golden_read(name);
    const char *copy = sl_arena_strdup(arena, text);

    free(text);
    return copy;
}

static inline int remote_set(enum sl_jsep_type type, const char *text) SL_ON_CONTROL
{
    return sl_jsep_set_remote(jsep, arena, type, text, strlen(text), false, &remote);
}

static inline void remote_ok(enum sl_jsep_type type, const char *text) SL_ON_CONTROL
{
    int rc = remote_set(type, text);

    if (rc)
        fail_msg("%d: %s", rc, remote.error);
}

/* Our description as text, in the arena. */
static inline const char *local_text(void) SL_ON_CONTROL
{
    static const char *const candidates[] = {
        "1 1 udp 2015363327 198.51.100.7 10000 typ host",
    };
    static const struct sl_sdp_transport t = {
        .ufrag = "sluf",
        .pwd = "slpwslpwslpwslpwslpwsl",
        .ice_lite = true,
        .candidates = candidates,
        .ncandidates = 1,
        .end_of_candidates = true,
        .hash = "sha-256",
        .fingerprint = "00:11:22",
        .address = "198.51.100.7",
    };
    struct sl_strbuf b;
    const char *text;

    sl_strbuf_init(&b);
    assert_int_equal(sl_jsep_write_local(jsep, &t, &b), 0);
    text = sl_arena_strdup(arena, b.text);
    sl_strbuf_fini(&b);
    return text;
}

/* Our description is what the golden file says, and parses back to itself. */
static inline void local_is(const char *name) SL_ON_CONTROL
{
    const char *text = local_text();
    char err[SL_SDP_ERROR_MAX] = "", path[4096];
    struct sl_strbuf again;
    struct sl_sdp *sdp;

    if (sl_sdp_parse(arena, text, strlen(text), 0, &sdp, err))
        fail_msg("%s: %s", name, err);
    sl_strbuf_init(&again);
    sl_sdp_write(sdp, &again);
    assert_string_equal(again.text, text);
    sl_strbuf_fini(&again);
    if (getenv("SL_GOLDEN_WRITE")) {
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/tests/unit/sdp/golden/%s", getenv("top_srcdir"),
                       name);
        f = fopen(path, "wb");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    }
    assert_string_equal(text, golden(name));
}

static inline const struct sl_mcodec *offered_codec(const struct sl_mline *l, enum sl_codec codec,
                                                    const char *profile)
{
    for (size_t i = 0; i < l->ncodecs; i++) {
        if (l->codecs[i].codec == codec && (!profile || !strcmp(l->codecs[i].profile, profile)))
            return &l->codecs[i];
    }
    fail_msg("codec %d was not offered", (int)codec);
    return NULL;
}

/* A wish for a line of an offer of ours. */
static inline struct sl_mline wish(enum sl_kind kind, enum sl_dir dir,
                                   const struct sl_mcodec *codec, uint32_t exts)
{
    return (struct sl_mline){
        .kind = kind, .dir = dir, .codecs = codec, .ncodecs = codec ? 1 : 0, .exts = exts
    };
}

#endif
