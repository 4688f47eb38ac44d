#include "ice/ice.h"
#include "base/rand.h"
#include <errno.h>
#include <string.h>

#define LOCAL_UFRAG_LEN 8 /* random ones */
#define LOCAL_PWD_LEN   24

/* ice-char (RFC 8839 section 5.4), as many as there may be workers. */
static const char worker_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sl_ice_creds_make(unsigned int worker, struct sl_ice_creds *out)
{
    out->ufrag[0] = worker_chars[worker % (sizeof(worker_chars) - 1)];
    sl_rand_ice_chars(out->ufrag + 1, LOCAL_UFRAG_LEN);
    sl_rand_ice_chars(out->pwd, LOCAL_PWD_LEN);
}

int sl_ice_ufrag_worker(const char *ufrag, size_t len)
{
    const char *at = len == LOCAL_UFRAG_LEN + 1 && ufrag[0] ? strchr(worker_chars, ufrag[0]) : NULL;

    return at ? (int)(at - worker_chars) : -EBADMSG;
}
