#include "../common/pl_conf.h"
#include "vr_room.h"
#include <errno.h>
#include <stdlib.h>

struct vr_conf vr_conf;

/* "LOW-HIGH" */
static int ports_read(const char *text, void *to)
{
    struct vr_ports *ports = to;
    unsigned int low, high;
    int n = 0;

    if (sscanf(text, "%5u-%5u%n", &low, &high, &n) != 2 || text[n] || !low || low > high ||
        high > 65535)
        return -EINVAL;
    *ports = (struct vr_ports){ (uint16_t)low, (uint16_t)high };
    return 0;
}

static const struct pl_key general[] = {
    { "admin_key", "text", pl_read_text, &vr_conf.admin_key },
    { "string_ids", "yes or no", pl_read_bool, &vr_conf.string_ids },
    { "lock_rtp_forward", "yes or no", pl_read_bool, &vr_conf.lock_rtp_forward },
    { "events", "yes or no", pl_read_bool, &vr_conf.events },
    { "rtp_port_range", "a range of ports like 10000-60000", ports_read, &vr_conf.ports },
};

static int room_make(const struct pl_id *id, const json_t *body, char *why)
{
    struct vr_settings set;
    struct vr_room *room;
    int err = vr_settings_init(&set, body, why);

    if (err)
        return err;
    if (set.record) {
        vr_settings_fini(&set);
        snprintf(why, SL_ARG_TEXT_MAX, "recording is not available");
        return -EINVAL;
    }
    return vr_room_create(id, &set, json_object_get(body, "allowed"), NULL, &room);
}

int vr_conf_load(void)
{
    const struct pl_conf conf = { vr_core,
                                  "videoroom.conf",
                                  general,
                                  SL_ARG_COUNT(general),
                                  &vr_conf.string_ids,
                                  vr_setting_from_text,
                                  room_make };

    vr_conf = (struct vr_conf){ .events = true, .ports = { 10000, 60000 } };
    return pl_conf_load(&conf);
}

void vr_conf_free(void)
{
    free(vr_conf.admin_key);
    vr_conf = (struct vr_conf){ .events = false };
}

bool vr_room_save(const struct vr_room *room)
{
    return pl_room_save(vr_core, &room->id, vr_settings_to_config(&room->set),
                        room->check_allowed ? room->allowed : NULL);
}

bool vr_room_unsave(const struct vr_room *room)
{
    return pl_room_unsave(vr_core, &room->id);
}
