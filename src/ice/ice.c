#include "ice/ice.h"
#include "base/rand.h"

#define LOCAL_UFRAG_LEN 8
#define LOCAL_PWD_LEN   24

void sl_ice_creds_make(struct sl_ice_creds *out)
{
    sl_rand_ice_chars(out->ufrag, LOCAL_UFRAG_LEN);
    sl_rand_ice_chars(out->pwd, LOCAL_PWD_LEN);
}

const char *sl_ice_state_to_str(enum sl_ice_state s)
{
    static const char *const names[] = {
        [SL_ICE_NEW] = "new",
        [SL_ICE_CONNECTING] = "connecting",
        [SL_ICE_CONNECTED] = "connected",
        [SL_ICE_DISCONNECTED] = "disconnected",
        [SL_ICE_FAILED] = "failed",
    };

    return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "?";
}
