#include "sdp/sdp_priv.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A new element in an array of the current section. */
#define PUSH(p, array) SL_SDP_PUSH((p)->arena, (p)->section->array, (p)->section->n##array)

static bool has_text(const char *value)
{
    return value && *value;
}

/* "<pt> <rest>", or "* <rest>" when @star: SL_PT_NONE. */
static bool take_pt(char **value, bool star, uint8_t *pt)
{
    char *word = *value ? sdp_word(value) : NULL;
    uint64_t n;

    if (!word)
        return false;
    if (star && !strcmp(word, "*")) {
        *pt = SL_PT_NONE;
    } else {
        if (!sdp_number(word, 127, &n))
            return false;
        *pt = (uint8_t)n;
    }
    *value += strspn(*value, " \t");
    return **value != '\0';
}

static int attr_rtpmap(struct sdp_parser *p, char *value)
{
    struct sl_sdp_rtpmap *m;
    uint64_t clock, channels = 0;
    char *rate, *ch;
    uint8_t pt;

    if (!take_pt(&value, false, &pt))
        return sdp_fail(p, "bad rtpmap");
    value = sdp_word(&value);
    rate = strchr(value, '/');
    if (!rate || rate == value)
        return sdp_fail(p, "bad rtpmap");
    *rate++ = '\0';
    ch = strchr(rate, '/');
    if (ch)
        *ch++ = '\0';
    if (!sdp_number(rate, UINT32_MAX, &clock) || !clock ||
        (ch && (!sdp_number(ch, 255, &channels) || !channels)))
        return sdp_fail(p, "bad rtpmap");
    m = PUSH(p, rtpmaps);
    if (!m)
        return -ENOMEM;
    *m = (struct sl_sdp_rtpmap){ pt, value, (uint32_t)clock, (uint8_t)channels };
    return 0;
}

static int attr_fmtp(struct sdp_parser *p, char *value)
{
    struct sl_sdp_fmtp *f;
    uint8_t pt;

    if (!take_pt(&value, false, &pt))
        return sdp_fail(p, "bad fmtp");
    f = PUSH(p, fmtps);
    if (!f)
        return -ENOMEM;
    *f = (struct sl_sdp_fmtp){ pt, value };
    return 0;
}

static int attr_fb(struct sdp_parser *p, char *value)
{
    struct sl_sdp_fb *f;
    uint8_t pt;

    if (!take_pt(&value, true, &pt))
        return sdp_fail(p, "bad rtcp-fb");
    f = PUSH(p, fbs);
    if (!f)
        return -ENOMEM;
    *f = (struct sl_sdp_fb){ pt, value };
    return 0;
}

static const char *const dir_names[] = { "inactive", "sendonly", "recvonly", "sendrecv" };

static int dir_from_name(const char *name)
{
    for (int i = 0; i < 4; i++) {
        if (!strcmp(name, dir_names[i]))
            return i;
    }
    return SL_SDP_DIR_NONE;
}

static int attr_extmap(struct sdp_parser *p, char *value)
{
    struct sl_sdp_extmap *e;
    char *word = value ? sdp_word(&value) : NULL;
    char *uri = word ? sdp_word(&value) : NULL;
    char *slash = uri ? strchr(word, '/') : NULL;
    int dir = SL_SDP_DIR_NONE;
    uint64_t id;

    if (slash) {
        *slash++ = '\0';
        dir = dir_from_name(slash);
    }
    /* 4096 to 4351 are ids of an offerer that has more than it can number (RFC 8285, 7). */
    if (!uri || !sdp_number(word, 4351, &id) || !id || (slash && dir < 0))
        return sdp_fail(p, "bad extmap");
    e = PUSH(p, extmaps);
    if (!e)
        return -ENOMEM;
    value += strspn(value, " \t");
    *e = (struct sl_sdp_extmap){ (uint16_t)id, dir, uri, *value ? value : NULL };
    return 0;
}

static int attr_group(struct sdp_parser *p, char *value)
{
    const char *semantics = value ? sdp_word(&value) : NULL;
    struct sl_sdp_group *g;
    const char *mid;

    if (!semantics)
        return sdp_fail(p, "bad group");
    g = PUSH(p, groups);
    if (!g)
        return -ENOMEM;
    *g = (struct sl_sdp_group){ .semantics = semantics };
    while ((mid = sdp_word(&value))) {
        const char **slot;

        if (g->n >= SL_SDP_WORDS_MAX)
            return sdp_fail(p, "group has too many members");
        slot = SL_SDP_PUSH(p->arena, g->mids, g->n);
        if (!slot)
            return -ENOMEM;
        *slot = mid;
    }
    return 0;
}

static int attr_mid(struct sdp_parser *p, char *value)
{
    if (!has_text(value) || strpbrk(value, " \t"))
        return sdp_fail(p, "bad mid");
    if (strlen(value) > SL_MID_MAX)
        return sdp_fail(p, "mid has more than 16 characters");
    p->section->mid = value;
    return 0;
}

static int attr_fingerprint(struct sdp_parser *p, char *value)
{
    struct sl_sdp_fingerprint *f;
    char *hash = value ? sdp_word(&value) : NULL;
    char *hex = hash ? sdp_word(&value) : NULL;

    if (!hex || strspn(hex, "0123456789abcdefABCDEF:") != strlen(hex))
        return sdp_fail(p, "bad fingerprint");
    f = PUSH(p, fingerprints);
    if (!f)
        return -ENOMEM;
    for (char *c = hash; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    for (char *c = hex; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    *f = (struct sl_sdp_fingerprint){ hash, hex };
    return 0;
}

static int attr_setup(struct sdp_parser *p, char *value)
{
    static const char *const names[] = { "", "actpass", "active", "passive", "holdconn" };

    for (int i = SL_SETUP_ACTPASS; i <= SL_SETUP_HOLDCONN; i++) {
        if (value && !strcmp(value, names[i])) {
            p->section->setup = (enum sl_sdp_setup)i;
            return 0;
        }
    }
    return sdp_fail(p, "bad setup");
}

static int attr_candidate(struct sdp_parser *p, char *value)
{
    const char **slot;

    if (!has_text(value))
        return sdp_fail(p, "bad candidate");
    slot = PUSH(p, candidates);
    if (!slot)
        return -ENOMEM;
    *slot = value;
    return 0;
}

static int attr_msid(struct sdp_parser *p, char *value)
{
    const char *stream = value ? sdp_word(&value) : NULL;
    struct sl_sdp_msid *m;

    if (!stream)
        return sdp_fail(p, "bad msid");
    m = PUSH(p, msids);
    if (!m)
        return -ENOMEM;
    *m = (struct sl_sdp_msid){ stream, sdp_word(&value) };
    return 0;
}

static int attr_ssrc(struct sdp_parser *p, char *value)
{
    struct sl_sdp_ssrc *s;
    char *id = value ? sdp_word(&value) : NULL;
    char *colon;
    uint64_t ssrc;

    if (!id || !sdp_number(id, UINT32_MAX, &ssrc))
        return sdp_fail(p, "bad ssrc");
    value += strspn(value, " \t");
    if (!*value)
        return sdp_fail(p, "bad ssrc");
    s = PUSH(p, ssrcs);
    if (!s)
        return -ENOMEM;
    colon = strchr(value, ':');
    if (colon)
        *colon++ = '\0';
    *s = (struct sl_sdp_ssrc){ (uint32_t)ssrc, value, colon };
    return 0;
}

static int attr_ssrc_group(struct sdp_parser *p, char *value)
{
    const char *semantics = value ? sdp_word(&value) : NULL;
    struct sl_sdp_ssrc_group *g;
    const char *word;

    if (!semantics)
        return sdp_fail(p, "bad ssrc-group");
    g = PUSH(p, ssrc_groups);
    if (!g)
        return -ENOMEM;
    *g = (struct sl_sdp_ssrc_group){ .semantics = semantics };
    while ((word = sdp_word(&value))) {
        uint64_t ssrc;
        uint32_t *slot;

        if (!sdp_number(word, UINT32_MAX, &ssrc) || g->n >= SL_SDP_WORDS_MAX)
            return sdp_fail(p, "bad ssrc-group");
        slot = SL_SDP_PUSH(p->arena, g->ssrcs, g->n);
        if (!slot)
            return -ENOMEM;
        *slot = (uint32_t)ssrc;
    }
    return 0;
}

static bool is_rid(const char *id)
{
    size_t n = strlen(id);

    if (!n || n > SL_RID_MAX)
        return false;
    for (; *id; id++) {
        if (!isalnum((unsigned char)*id) && *id != '-' && *id != '_')
            return false;
    }
    return true;
}

static int attr_rid(struct sdp_parser *p, char *value)
{
    struct sl_sdp_rid *r;
    const char *id = value ? sdp_word(&value) : NULL;
    const char *dir = id ? sdp_word(&value) : NULL;

    if (!dir || !is_rid(id) || (strcmp(dir, "send") != 0 && strcmp(dir, "recv") != 0))
        return sdp_fail(p, "bad rid");
    r = PUSH(p, rids);
    if (!r)
        return -ENOMEM;
    value += strspn(value, " \t");
    *r = (struct sl_sdp_rid){ id, !strcmp(dir, "send"), *value ? value : NULL };
    return 0;
}

/* "h;~m,m2;l" */
static int simulcast_list(struct sdp_parser *p, char *list, struct sl_sdp_simulcast *out)
{
    bool alternative = false;

    for (;;) {
        struct sl_sdp_stream *s;
        size_t len = strcspn(list, ";,");
        char sep = list[len];
        bool paused = *list == '~';

        list[len] = '\0';
        if (!is_rid(list + paused) || out->n >= SL_SDP_WORDS_MAX)
            return sdp_fail(p, "bad simulcast");
        s = SL_SDP_PUSH(p->arena, out->streams, out->n);
        if (!s)
            return -ENOMEM;
        *s = (struct sl_sdp_stream){ list + paused, paused, alternative };
        if (!sep)
            return 0;
        alternative = sep == ',';
        list += len + 1;
    }
}

static int attr_simulcast(struct sdp_parser *p, char *value)
{
    const char *dir;

    if (!has_text(value))
        return sdp_fail(p, "bad simulcast");
    while ((dir = sdp_word(&value))) {
        char *list = sdp_word(&value);
        struct sl_sdp_simulcast *out = !strcmp(dir, "send")   ? &p->section->sim_send
                                       : !strcmp(dir, "recv") ? &p->section->sim_recv
                                                              : NULL;
        int err;

        if (!list || !out || out->n)
            return sdp_fail(p, "bad simulcast");
        err = simulcast_list(p, list, out);
        if (err)
            return err;
    }
    return 0;
}

static int attr_sctp_port(struct sdp_parser *p, char *value)
{
    uint64_t port;

    if (!sdp_number(value, 65535, &port))
        return sdp_fail(p, "bad sctp-port");
    p->section->has_sctp_port = true;
    p->section->sctp_port = (uint16_t)port;
    return 0;
}

static int attr_max_message(struct sdp_parser *p, char *value)
{
    uint64_t size;

    if (!sdp_number(value, UINT64_MAX, &size))
        return sdp_fail(p, "bad max-message-size");
    p->section->has_max_message = true;
    p->section->max_message = size;
    return 0;
}

/* ---- those whose value is kept as it is, and flags ------------------------------------------- */

#define OFFSET(field) offsetof(struct sl_sdp_section, field)

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    { "ice-ufrag", OFFSET(ufrag) },
    { "ice-pwd", OFFSET(pwd) },
    { "ice-options", OFFSET(ice_options) },
    { "sctpmap", OFFSET(sctpmap) },
}, flags[] = {
    { "rtcp-mux", OFFSET(rtcp_mux) },
    { "rtcp-rsize", OFFSET(rtcp_rsize) },
    { "bundle-only", OFFSET(bundle_only) },
    { "extmap-allow-mixed", OFFSET(ext_mixed) },
    { "end-of-candidates", OFFSET(end_of_candidates) },
    { "ice-lite", OFFSET(ice_lite) },
};

static const struct {
    const char *name;
    int (*parse)(struct sdp_parser *p, char *value);
} attrs[] = {
    { "rtpmap", attr_rtpmap },
    { "fmtp", attr_fmtp },
    { "rtcp-fb", attr_fb },
    { "extmap", attr_extmap },
    { "group", attr_group },
    { "mid", attr_mid },
    { "fingerprint", attr_fingerprint },
    { "setup", attr_setup },
    { "candidate", attr_candidate },
    { "msid", attr_msid },
    { "ssrc", attr_ssrc },
    { "ssrc-group", attr_ssrc_group },
    { "rid", attr_rid },
    { "simulcast", attr_simulcast },
    { "sctp-port", attr_sctp_port },
    { "max-message-size", attr_max_message },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int attr_keep(struct sdp_parser *p, const char *name, const char *value)
{
    struct sl_sdp_attr *a;

    for (size_t i = 0; i < COUNT(texts); i++) {
        if (!strcmp(name, texts[i].name)) {
            if (!has_text(value))
                return sdp_fail(p, "attribute without a value");
            *(const char **)((char *)p->section + texts[i].offset) = value;
            return 0;
        }
    }
    a = PUSH(p, attrs);
    if (!a)
        return -ENOMEM;
    *a = (struct sl_sdp_attr){ name, value };
    return 0;
}

int sdp_attr_parse(struct sdp_parser *p, char *text)
{
    char *value = strchr(text, ':');

    if (value)
        *value++ = '\0';
    if (!*text)
        return sdp_fail(p, "attribute without a name");
    for (size_t i = 0; i < COUNT(attrs); i++) {
        if (!strcmp(text, attrs[i].name))
            return attrs[i].parse(p, value);
    }
    if (!value) {
        int dir = dir_from_name(text);

        if (dir >= 0) {
            p->section->dir = dir;
            return 0;
        }
        for (size_t i = 0; i < COUNT(flags); i++) {
            if (!strcmp(text, flags[i].name)) {
                *(bool *)((char *)p->section + flags[i].offset) = true;
                return 0;
            }
        }
    }
    return attr_keep(p, text, value);
}
