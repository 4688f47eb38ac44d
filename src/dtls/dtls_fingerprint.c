#include "dtls/dtls_cert.h"
#include "base/opt.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

static const struct hash_fn {
    const char *name;
    size_t len;
    const EVP_MD *(*md)(void);
} hash_fns[] = {
    { "sha-256", 32, EVP_sha256 },
    { "sha-384", 48, EVP_sha384 },
    { "sha-512", 64, EVP_sha512 },
    { "sha-1", 20, EVP_sha1 },
};

static const struct hash_fn *hash_fn_find(const char *name, size_t len)
{
    for (size_t i = 0; i < SL_COUNT(hash_fns); i++)
        if (strlen(hash_fns[i].name) == len && !strncasecmp(hash_fns[i].name, name, len))
            return &hash_fns[i];
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* fingerprint = hash-func SP 2UHEX *(":" 2UHEX); lower case is met in the wild. */
int sl_fingerprint_parse(const char *text, struct sl_fingerprint *out)
{
    struct sl_fingerprint fp = { 0 };
    size_t name_len = strcspn(text, " ");
    const struct hash_fn *fn = hash_fn_find(text, name_len);
    const char *p = text + name_len;

    if (!fn || *p++ != ' ')
        return -EBADMSG;
    for (; fp.len < fn->len; fp.len++) {
        int hi, lo;

        if (fp.len && *p++ != ':')
            return -EBADMSG;
        hi = hex_digit(p[0]);
        lo = hi < 0 ? -1 : hex_digit(p[1]);
        if (lo < 0)
            return -EBADMSG;
        fp.bytes[fp.len] = (uint8_t)(hi << 4 | lo);
        p += 2;
    }
    if (*p)
        return -EBADMSG;
    memcpy(fp.algorithm, fn->name, strlen(fn->name) + 1);
    *out = fp;
    return 0;
}

int sl_fingerprint_check(const struct sl_fingerprint *fp, const X509 *x)
{
    const struct hash_fn *fn = hash_fn_find(fp->algorithm, strnlen(fp->algorithm, 8));
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    if (!fn || fn->len != fp->len || !X509_digest(x, fn->md(), md, &n) || n != fp->len)
        return -EINVAL;
    return CRYPTO_memcmp(md, fp->bytes, n) ? -EACCES : 0;
}
