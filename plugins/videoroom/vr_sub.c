#include "vr_sub.h"
#include "vr_data.h"
#include "vr_view.h"
#include <errno.h>
#include <stdlib.h>

struct vr_sub *vr_sub_create(struct vr_room *room, struct vr_handle *h)
{
    struct vr_sub *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->room = room;
    s->handle = h;
    s->h = h->h;
    s->autoupdate = s->paused = true;
    vr_list_init(&s->dirty);
    vr_list_add(&room->subs, &s->in_room);
    h->role = VR_SUBSCRIBER;
    h->sub = s;
    return s;
}

static void lines_free(struct vr_sub *s)
{
    s->is_quiet = true;
    for (size_t i = 0; i < s->nlines; i++)
        vr_slot_set(s->lines[i], -1); /* the last one makes the room look at all lines once more */
    for (size_t i = 0; i < s->nlines; i++) {
        vr_line_detach(s->lines[i]);
        vr_data_fini(s->lines[i]);
        free(s->lines[i]->crossref);
        free(s->lines[i]);
    }
    free(s->lines);
    s->lines = NULL;
    s->nlines = 0;
    s->is_quiet = false;
}

void vr_sub_reset(struct vr_sub *s)
{
    lines_free(s);
    vr_list_del(&s->dirty);
    s->awaits_answer = s->pending = s->pending_restart = s->stale = s->e2ee = false;
    s->paused = true;
}

void vr_sub_destroy(struct vr_sub *s)
{
    lines_free(s);
    vr_list_del(&s->dirty);
    vr_list_del(&s->in_room);
    s->handle->sub = NULL;
    free(s);
}

void vr_sub_flush(struct vr_room *room)
{
    while (!vr_list_is_empty(&room->dirty)) {
        struct vr_sub *s = vr_container(room->dirty.next, struct vr_sub, dirty);

        vr_list_del(&s->dirty);
        if (s->autoupdate)
            (void)vr_sub_renegotiate(s, NULL);
        else
            s->stale = true;
    }
}
