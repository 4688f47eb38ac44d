#include "sdp/sdp_priv.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int sdp_fail(struct sdp_parser *p, const char *what)
{
    (void)snprintf(p->err, SL_SDP_ERROR_MAX, "Invalid SDP (line %u: %s)", p->line, what);
    return -EBADMSG;
}

bool sdp_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (!text || !*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (digit > 9 || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

char *sdp_word(char **text)
{
    char *word = *text + strspn(*text, " \t");
    char *end = word + strcspn(word, " \t");

    if (!*word)
        return NULL;
    *text = end;
    if (*end) {
        *end = '\0';
        *text = end + 1;
    }
    return word;
}

void *sl_sdp_push(struct sl_arena *a, void **items, size_t *n, size_t size)
{
    if ((*n & (*n - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
        void *p = sl_arena_grow(a, *items, *n * size, (*n ? *n * 2 : 1) * size);

        if (!p)
            return NULL;
        *items = p;
    }
    return (char *)*items + (*n)++ * size;
}

const struct sl_sdp_rtpmap *sl_sdp_rtpmap_get(const struct sl_sdp_section *s, uint8_t pt)
{
    for (size_t i = 0; i < s->nrtpmaps; i++) {
        if (s->rtpmaps[i].pt == pt)
            return &s->rtpmaps[i];
    }
    return NULL;
}

const char *sl_sdp_fmtp_get(const struct sl_sdp_section *s, uint8_t pt)
{
    for (size_t i = 0; i < s->nfmtps; i++) {
        if (s->fmtps[i].pt == pt)
            return s->fmtps[i].params;
    }
    return NULL;
}

bool sl_sdp_has_fb(const struct sl_sdp_section *s, uint8_t pt, const char *type)
{
    for (size_t i = 0; i < s->nfbs; i++) {
        if ((s->fbs[i].pt == pt || s->fbs[i].pt == SL_PT_NONE) && !strcmp(s->fbs[i].type, type))
            return true;
    }
    return false;
}

uint8_t sl_sdp_fmt_pt(const struct sl_sdp_section *s, size_t i)
{
    uint64_t pt;

    return i < s->nfmts && sdp_number(s->fmts[i], 127, &pt) ? (uint8_t)pt : SL_PT_NONE;
}

bool sl_sdp_is_bundled(const struct sl_sdp *sdp, const char *mid, bool *has_group)
{
    bool found = false;

    *has_group = false;
    for (size_t i = 0; i < sdp->session.ngroups; i++) {
        const struct sl_sdp_group *g = &sdp->session.groups[i];

        if (strcmp(g->semantics, "BUNDLE") != 0)
            continue;
        *has_group = true;
        for (size_t k = 0; k < g->n; k++)
            found = found || (mid && !strcmp(g->mids[k], mid));
    }
    return found;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static int parse_version(struct sdp_parser *p, char *text)
{
    return strcmp(text, "0") ? sdp_fail(p, "unknown version") : 0;
}

static int parse_origin(struct sdp_parser *p, char *text)
{
    struct sl_sdp *s = p->sdp;
    const char *user = sdp_word(&text);
    const char *id = sdp_word(&text);
    const char *version = sdp_word(&text);
    const char *net = sdp_word(&text);
    const char *type = sdp_word(&text);
    const char *addr = sdp_word(&text);

    if (!addr || *text)
        return sdp_fail(p, "bad o= line");
    s->origin.user = user;
    s->origin.id = id;
    s->origin.version = version;
    s->origin.addr = sl_arena_printf(p->arena, "%s %s %s", net, type, addr);
    return s->origin.addr ? 0 : -ENOMEM;
}

static int parse_name(struct sdp_parser *p, char *text)
{
    p->sdp->name = text;
    return 0;
}

static int parse_conn(struct sdp_parser *p, char *text)
{
    p->section->conn = text;
    return 0;
}

static int parse_bw(struct sdp_parser *p, char *text)
{
    struct sl_sdp_bw *b;
    char *colon = strchr(text, ':');
    uint64_t value;

    if (!colon || colon == text || !sdp_number(colon + 1, UINT64_MAX, &value))
        return sdp_fail(p, "bad b= line");
    if (p->section->nbws >= SL_SDP_FMTS_MAX)
        return sdp_fail(p, "too many b= lines");
    b = SL_SDP_PUSH(p->arena, p->section->bws, p->section->nbws);
    if (!b)
        return -ENOMEM;
    *colon = '\0';
    b->type = text;
    b->value = value;
    return 0;
}

static int parse_media(struct sdp_parser *p, char *text)
{
    struct sl_sdp *sdp = p->sdp;
    struct sl_sdp_section *s;
    const char *type = sdp_word(&text);
    char *port = sdp_word(&text);
    const char *proto = sdp_word(&text);
    char *slash = port ? strchr(port, '/') : NULL;
    uint64_t number, nports = 0;
    const char *fmt;

    if (slash)
        *slash++ = '\0';
    if (!proto || !sdp_number(port, 65535, &number) ||
        (slash && (!sdp_number(slash, 65535, &nports) || !nports)))
        return sdp_fail(p, "bad m= line");
    if (sdp->nmedia >= SL_SDP_MLINES_MAX)
        return sdp_fail(p, "too many m-lines");
    s = SL_SDP_PUSH(p->arena, sdp->media, sdp->nmedia);
    if (!s)
        return -ENOMEM;
    memset(s, 0, sizeof(*s));
    s->dir = SL_SDP_DIR_NONE;
    s->type = type;
    s->port = (uint16_t)number;
    s->nports = (uint16_t)nports;
    s->proto = proto;
    while ((fmt = sdp_word(&text))) {
        const char **slot;

        if (s->nfmts >= SL_SDP_FMTS_MAX)
            return sdp_fail(p, "too many payload types");
        slot = SL_SDP_PUSH(p->arena, s->fmts, s->nfmts);
        if (!slot)
            return -ENOMEM;
        *slot = fmt;
    }
    if (!s->nfmts)
        return sdp_fail(p, "bad m= line");
    p->section = s;
    p->nattrs = 0;
    return 0;
}

static int parse_attr(struct sdp_parser *p, char *text)
{
    if (++p->nattrs > SL_SDP_ATTRS_MAX)
        return sdp_fail(p, "too many attributes");
    return sdp_attr_parse(p, text);
}

static int parse_other(struct sdp_parser *p, char *text)
{
    struct sl_sdp_line *l;

    if (p->section->nlines >= SL_SDP_FMTS_MAX)
        return sdp_fail(p, "too many lines");
    l = SL_SDP_PUSH(p->arena, p->section->lines, p->section->nlines);
    if (!l)
        return -ENOMEM;
    l->type = text[-2];
    l->text = text;
    return 0;
}

static const struct {
    char type;
    bool in_session, in_media;
    int (*parse)(struct sdp_parser *p, char *text);
} line_types[] = {
    { 'a', true, true, parse_attr },     { 'm', true, true, parse_media },
    { 'c', true, true, parse_conn },     { 'b', true, true, parse_bw },
    { 'v', true, false, parse_version }, { 'o', true, false, parse_origin },
    { 's', true, false, parse_name },    { 't', true, false, parse_other },
    { 'i', true, true, parse_other },    { 'k', true, true, parse_other },
    { 'u', true, false, parse_other },   { 'e', true, false, parse_other },
    { 'p', true, false, parse_other },   { 'r', true, false, parse_other },
    { 'z', true, false, parse_other },
};

static int parse_line(struct sdp_parser *p, char *line)
{
    bool is_media = p->section != &p->sdp->session;

    if (line[0] && line[1] == '=') {
        for (size_t i = 0; i < sizeof(line_types) / sizeof(line_types[0]); i++) {
            if (line_types[i].type != line[0])
                continue;
            if (!(is_media ? line_types[i].in_media : line_types[i].in_session))
                return sdp_fail(p, "in the wrong place");
            return line_types[i].parse(p, line + 2);
        }
    }
    return sdp_fail(p, "not a known type=value");
}

static int parse_lines(struct sdp_parser *p, char *text, size_t len)
{
    char *end = text + len;

    while (text < end) {
        char *nl = memchr(text, '\n', (size_t)(end - text));
        char *eol = nl ? nl : end;
        char *next = nl ? nl + 1 : end;
        int err;

        if (eol > text && eol[-1] == '\r')
            eol--;
        *eol = '\0';
        p->line++;
        for (const char *c = text; c < eol; c++) {
            if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
                return sdp_fail(p, "control character");
        }
        if (*text) {
            err = parse_line(p, text);
            if (err)
                return err;
        }
        text = next;
    }
    return 0;
}

int sl_sdp_parse(struct sl_arena *a, const char *text, size_t len, size_t bytes_max,
                 struct sl_sdp **out, char *err)
{
    struct sdp_parser p = { .arena = a, .err = err };
    char *copy;
    int rc;

    if (len > (bytes_max ? bytes_max : SL_SDP_BYTES_MAX)) {
        (void)snprintf(err, SL_SDP_ERROR_MAX, "Invalid SDP (longer than %zu bytes)",
                       bytes_max ? bytes_max : SL_SDP_BYTES_MAX);
        return -EBADMSG;
    }
    if (len < 2 || memcmp(text, "v=", 2) != 0) {
        (void)snprintf(err, SL_SDP_ERROR_MAX, "Invalid SDP (doesn't start with v=)");
        return -EBADMSG;
    }
    p.sdp = sl_arena_alloc(a, sizeof(*p.sdp));
    copy = sl_arena_alloc(a, len + 1);
    if (!p.sdp || !copy)
        return -ENOMEM;
    memcpy(copy, text, len);
    p.section = &p.sdp->session;
    p.section->dir = SL_SDP_DIR_NONE;
    rc = parse_lines(&p, copy, len);
    if (rc)
        return rc;
    if (!p.sdp->origin.id || !p.sdp->name || !p.sdp->nmedia) {
        (void)snprintf(err, SL_SDP_ERROR_MAX, "Missing mandatory lines (o=, s= or m=)");
        return -EBADMSG;
    }
    *out = p.sdp;
    return 0;
}
