/* Workers, certificate and ICE. This build has none: every offer is answered with an error. */

#include "control/control.h"

int sl_control_media_start(struct sl_control *c, char *err, size_t cap)
{
    c->world = NULL;
    return 0;
}

void sl_control_media_stop(struct sl_control *c)
{
    c->world = NULL;
}
