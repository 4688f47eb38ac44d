#include "ice/ice_stun.h"
#include "base/bytes.h"
#include <errno.h>
#include <stdlib.h>
#include <stun/stunagent.h>

#define STUN_HDR    20
#define STUN_COOKIE 0x2112A442u

struct sl_stun {
    StunAgent agent;
    StunMessage req;
    bool has_req;
    /* For the callback that libnice makes during validation. */
    sl_stun_pwd_fn pwd;
    void *arg;
    bool asked;
    bool known;
};

/* Comprehension-required attributes of RFC 5389 and RFC 8445; any other in a request means 420. */
static const uint16_t known_attrs[] = {
    STUN_ATTRIBUTE_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_USERNAME,
    STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_ERROR_CODE,
    STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
    STUN_ATTRIBUTE_REALM,
    STUN_ATTRIBUTE_NONCE,
    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_PRIORITY,
    STUN_ATTRIBUTE_USE_CANDIDATE,
    0,
};

/* Lengths that the attributes must have; libnice reads MESSAGE-INTEGRITY without looking. */
static const struct {
    uint16_t type, min, max;
} lengths[] = {
    { STUN_ATTRIBUTE_USERNAME, 1, 513 }, /* RFC 8489 section 14.3 */
    { STUN_ATTRIBUTE_MESSAGE_INTEGRITY, 20, 20 },
    { STUN_ATTRIBUTE_FINGERPRINT, 4, 4 },
    { STUN_ATTRIBUTE_PRIORITY, 4, 4 },
    { STUN_ATTRIBUTE_USE_CANDIDATE, 0, 0 },
    { STUN_ATTRIBUTE_ICE_CONTROLLED, 8, 8 },
    { STUN_ATTRIBUTE_ICE_CONTROLLING, 8, 8 },
};

int sl_stun_create(struct sl_stun **out)
{
    struct sl_stun *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    stun_agent_init(&s->agent, known_attrs, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    *out = s;
    return 0;
}

void sl_stun_destroy(struct sl_stun *s)
{
    free(s);
}

static bool length_is_right(uint16_t type, uint16_t len)
{
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        if (lengths[i].type == type)
            return len >= lengths[i].min && len <= lengths[i].max;
    return true;
}

/* Header and attribute lengths; FINGERPRINT last (RFC 5389 section 15.5). */
static bool is_well_formed(const uint8_t *data, size_t len)
{
    struct sl_reader r;
    bool at_end = false;

    if (len < STUN_HDR || len > SL_STUN_MSG_MAX || len % 4 || data[0] & 0xc0 ||
        sl_get16(data + 2) != len - STUN_HDR || sl_get32(data + 4) != STUN_COOKIE)
        return false;
    r = sl_reader_make(data + STUN_HDR, len - STUN_HDR);
    while (sl_reader_left(&r) > 0) {
        uint16_t type = sl_read16(&r);
        uint16_t alen = sl_read16(&r);

        (void)sl_read_bytes(&r, ((size_t)alen + 3) & ~(size_t)3);
        if (r.failed || at_end || !length_is_right(type, alen))
            return false;
        at_end = type == STUN_ATTRIBUTE_FINGERPRINT;
    }
    return at_end;
}

static bool on_password(StunAgent *agent, StunMessage *msg, uint8_t *username, uint16_t len,
                        uint8_t **password, size_t *password_len, void *arg)
{
    struct sl_stun *s = arg;
    const char *pwd = username ? s->pwd(s->arg, (const char *)username, len) : NULL;

    (void)agent;
    (void)msg;
    s->asked = true;
    s->known = pwd && *pwd;
    if (!s->known)
        return false;
    *password = (uint8_t *)(uintptr_t)pwd; /* libnice only reads it */
    *password_len = strlen(pwd);
    return true;
}

static enum sl_stun_result check_read(const StunMessage *msg, struct sl_stun_check *out)
{
    struct sl_stun_check c = { 0 };
    StunMessage *m = (StunMessage *)(uintptr_t)msg;
    bool has_priority;

    has_priority =
        stun_message_find32(m, STUN_ATTRIBUTE_PRIORITY, &c.priority) == STUN_MESSAGE_RETURN_SUCCESS;
    c.use_candidate =
        stun_message_find_flag(m, STUN_ATTRIBUTE_USE_CANDIDATE) == STUN_MESSAGE_RETURN_SUCCESS;
    if (stun_message_find64(m, STUN_ATTRIBUTE_ICE_CONTROLLED, &c.tie) ==
        STUN_MESSAGE_RETURN_SUCCESS)
        c.role = SL_STUN_CONTROLLED;
    else if (stun_message_find64(m, STUN_ATTRIBUTE_ICE_CONTROLLING, &c.tie) ==
             STUN_MESSAGE_RETURN_SUCCESS)
        c.role = SL_STUN_CONTROLLING;
    *out = c;
    return has_priority ? SL_STUN_OK : SL_STUN_NO_PRIORITY;
}

enum sl_stun_result sl_stun_read(struct sl_stun *s, const uint8_t *data, size_t len,
                                 sl_stun_pwd_fn pwd, void *arg, struct sl_stun_check *out)
{
    StunValidationStatus v;

    s->has_req = false;
    if (!is_well_formed(data, len))
        return SL_STUN_MALFORMED;
    /* Class and method are in the first two bytes (RFC 5389 figure 3); nothing else is for us, and
     * libnice would look for a transaction of its own behind a response. */
    if (sl_get16(data) != STUN_BINDING)
        return SL_STUN_NOT_REQUEST;
    s->pwd = pwd;
    s->arg = arg;
    s->asked = false;
    s->known = false;
    v = stun_agent_validate(&s->agent, &s->req, data, len, on_password, s);
    switch (v) {
    case STUN_VALIDATION_SUCCESS:
    case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE:
        if (!s->req.key) /* never true while short-term credentials are demanded */
            return SL_STUN_NO_CREDS;
        s->has_req = true;
        if (v == STUN_VALIDATION_SUCCESS)
            return check_read(&s->req, out);
        (void)check_read(&s->req, out);
        return SL_STUN_UNKNOWN_ATTR;
    case STUN_VALIDATION_UNAUTHORIZED_BAD_REQUEST:
        s->has_req = true;
        return SL_STUN_NO_CREDS;
    case STUN_VALIDATION_UNAUTHORIZED:
        s->has_req = true;
        return s->asked && !s->known ? SL_STUN_UNKNOWN_USER : SL_STUN_BAD_INTEGRITY;
    default:
        return SL_STUN_MALFORMED;
    }
}

int sl_stun_write_success(struct sl_stun *s, const struct sl_addr *mapped, uint8_t *out, size_t cap)
{
    struct sockaddr_storage ss = { 0 };
    struct sl_addr to = *mapped;
    StunMessage msg;
    size_t n;

    if (!s->has_req || !stun_agent_init_response(&s->agent, &msg, out, cap, &s->req))
        return -EINVAL;
    sl_addr_unmap(&to);
    memcpy(&ss, &to, sizeof(to));
    if (stun_message_append_xor_addr(&msg, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &ss,
                                     sl_addr_len(&to)) != STUN_MESSAGE_RETURN_SUCCESS)
        return -EINVAL;
    n = stun_agent_finish_message(&s->agent, &msg, s->req.key, s->req.key_len);
    return n ? (int)n : -EINVAL;
}

int sl_stun_write_error(struct sl_stun *s, int code, uint8_t *out, size_t cap)
{
    StunMessage msg;
    size_t n;

    if (!s->has_req)
        return -EINVAL;
    if (code == STUN_ERROR_UNKNOWN_ATTRIBUTE) {
        n = stun_agent_build_unknown_attributes_error(&s->agent, &msg, out, cap, &s->req);
    } else {
        if (!stun_agent_init_error(&s->agent, &msg, out, cap, &s->req, (StunError)code))
            return -EINVAL;
        n = stun_agent_finish_message(&s->agent, &msg, s->req.key, s->req.key_len);
    }
    return n ? (int)n : -EINVAL;
}
