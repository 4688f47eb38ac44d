/* Workers, certificate and ICE. */
#include "control/control.h"

#include "pc/pc_world.h"

int sl_control_media_start(struct sl_control *c, char *err, size_t cap)
{
    struct sl_pc_world_conf conf = {
        .workers = (unsigned int)c->conf->general.workers,
        .pin_workers = c->conf->general.pin_workers,
        .keep_sdps = c->conf->admin.secret, /* else nobody may ask for them */
        .media = &c->conf->media,
        .cq = &c->cq,
    };

    return sl_pc_world_create(&conf, &c->world, err, cap);
}

void sl_control_media_stop(struct sl_control *c)
{
    sl_pc_world_destroy(c->world);
    c->world = NULL;
}
