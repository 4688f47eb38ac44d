#include "vr_data.h"
#include "vr_forward.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A message that waits for one subscriber or more. */
struct message {
    size_t refs;
    char label[PL_ID_MAX + 1]; /* the publisher may be gone by then */
    bool binary, closes;       /* closes: the channel, and nothing is sent */
    size_t len;
    char data[];
};

struct vr_data_held {
    struct vr_data_held *next;
    struct message *m;
};

static struct message *message_new(const char *label, bool binary, const void *data, size_t len)
{
    struct message *m = malloc(sizeof(*m) + len);

    if (!m)
        return NULL;
    m->refs = 1;
    m->closes = false;
    snprintf(m->label, sizeof(m->label), "%s", label);
    m->binary = binary;
    m->len = len;
    if (len)
        memcpy(m->data, data, len);
    return m;
}

static void message_unref(struct message *m)
{
    if (m && --m->refs == 0)
        free(m);
}

/* ---- what waits ------------------------------------------------------------------------------ */

static void held_shift(struct vr_data *d)
{
    struct vr_data_held *w = d->first;

    d->first = w->next;
    if (!d->first)
        d->last = &d->first;
    d->waiting -= w->m->len + VR_DATA_COST;
    message_unref(w->m);
    free(w);
}

static bool held_push(struct vr_data *d, struct message *m)
{
    struct vr_data_held *w;

    if (!m->closes && d->waiting + m->len + VR_DATA_COST > VR_DATA_WAIT_MAX)
        return false;
    w = malloc(sizeof(*w));
    if (!w)
        return false;
    w->next = NULL;
    w->m = m;
    m->refs++;
    *d->last = w;
    d->last = &w->next;
    d->waiting += m->len + VR_DATA_COST;
    return true;
}

static void held_clear(struct vr_line *l)
{
    while (l->data->first) {
        if (l->data->first->m->closes)
            (void)vr_core->data_close(l->sub->h, l->data->first->m->label);
        held_shift(l->data);
    }
}

void vr_data_writable(const struct vr_sub *s)
{
    const struct vr_line *l = vr_data_line(s);
    struct vr_data *d = l ? l->data : NULL;

    while (d && d->first) {
        const struct message *m = d->first->m;
        const int err =
            m->closes ? 0 : vr_core->data_send(s->h, m->label, "", m->binary, m->data, m->len);

        if (err == -EAGAIN)
            return;
        if (m->closes)
            (void)vr_core->data_close(s->h, m->label);
        d->dropped += err != 0;
        held_shift(d);
    }
}

/* ---- lines and feeds ------------------------------------------------------------------------- */

int vr_data_init(struct vr_line *l)
{
    struct vr_data *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    vr_list_init(&d->feeds);
    d->last = &d->first;
    l->data = d;
    return 0;
}

void vr_data_fini(struct vr_line *l)
{
    if (!l->data)
        return;
    vr_data_remove(l, NULL, NULL);
    held_clear(l);
    free(l->data);
    l->data = NULL;
}

struct vr_line *vr_data_line(const struct vr_sub *s)
{
    for (size_t i = 0; i < s->nlines; i++)
        if (s->lines[i]->data)
            return s->lines[i];
    return NULL;
}

bool vr_data_has_feeds(const struct vr_line *l)
{
    return l->data && l->data->nfeeds > 0;
}

bool vr_data_takes(const struct vr_line *l, const struct vr_stream *src)
{
    const struct vr_link *i;

    vr_list_for_each(i, &l->data->feeds)
    {
        if (vr_container(i, struct vr_feed, in_line)->src == src)
            return true;
    }
    return false;
}

int vr_data_add(struct vr_line *l, struct vr_stream *src)
{
    struct vr_feed *f = malloc(sizeof(*f));

    if (!f)
        return -ENOMEM;
    f->line = l;
    f->src = src;
    vr_list_add(&l->data->feeds, &f->in_line);
    vr_list_add(&src->feeds, &f->in_stream);
    l->data->nfeeds++;
    return 0;
}

/* The channel of a publisher that is heard no more: it holds one of the connection's few streams.
 */
static void channel_close(const struct vr_line *l, const char *label)
{
    struct message *m;

    if (!l->data->first) {
        (void)vr_core->data_close(l->sub->h, label);
        return;
    }
    m = message_new(label, false, NULL, 0); /* after what waits */
    if (m) {
        m->closes = true;
        (void)held_push(l->data, m);
    }
    message_unref(m);
}

static void feed_free(struct vr_feed *f)
{
    channel_close(f->line, f->src->pub->id.s);
    vr_list_del(&f->in_line);
    vr_list_del(&f->in_stream);
    f->line->data->nfeeds--;
    free(f);
}

int vr_data_remove(struct vr_line *l, const char *id, const char *mid)
{
    struct vr_link *i = l->data->feeds.next;
    int n = 0;

    while (i != &l->data->feeds) {
        struct vr_feed *f = vr_container(i, struct vr_feed, in_line);

        i = i->next;
        if ((id && strcmp(id, f->src->pub->id.s) != 0) || (mid && strcmp(mid, f->src->mid) != 0))
            continue;
        feed_free(f);
        n++;
    }
    return n;
}

int vr_data_only(struct vr_line *l, struct vr_stream *src)
{
    struct vr_link *i = l->data->feeds.next;
    const int err = vr_data_takes(l, src) ? 0 : vr_data_add(l, src);

    while (!err && i != &l->data->feeds) {
        struct vr_feed *f = vr_container(i, struct vr_feed, in_line);

        i = i->next;
        if (f->src != src)
            feed_free(f);
    }
    return err;
}

void vr_data_lost(struct vr_stream *src)
{
    while (!vr_list_is_empty(&src->feeds))
        feed_free(vr_container(src->feeds.next, struct vr_feed, in_stream));
}

static bool is_open(const struct vr_line *l)
{
    return l->accepted && l->send && !l->sub->paused && !l->sub->revoked;
}

void vr_data_apply(struct vr_line *l)
{
    if (!is_open(l))
        held_clear(l);
}

void vr_data_json(const struct vr_line *l, json_t *o)
{
    json_t *ids = json_array();
    const struct vr_link *i;

    vr_list_for_each(i, &l->data->feeds)
    {
        const struct vr_feed *f = vr_container(i, struct vr_feed, in_line);

        json_array_append_new(ids, pl_id_json(&f->src->pub->id));
    }
    json_object_set_new(o, "sources", json_integer((json_int_t)l->data->nfeeds));
    json_object_set_new(o, "source_ids", ids);
}

/* ---- messages -------------------------------------------------------------------------------- */

static struct vr_stream *data_stream(const struct vr_pub *p)
{
    for (size_t i = 0; i < p->nstreams; i++)
        if (p->streams[i]->kind == SL_KIND_DATA && !p->streams[i]->disabled)
            return p->streams[i];
    return NULL;
}

/* @kept: the message as it waits, made for the first subscriber that cannot take it now. */
static void relay(const struct vr_line *l, const char *label, bool binary, const void *data,
                  size_t len, struct message **kept)
{
    struct vr_data *d = l->data;
    int err = -EAGAIN;

    if (!d->first) /* else those before it come first */
        err = vr_core->data_send(l->sub->h, label, "", binary, data, len);
    if (err == -EAGAIN && d->waiting + len + VR_DATA_COST <= VR_DATA_WAIT_MAX) {
        if (!*kept)
            *kept = message_new(label, binary, data, len);
        if (*kept && held_push(d, *kept))
            return;
    }
    d->dropped += err != 0;
}

void vr_data_publish(const struct vr_pub *p, bool binary, const void *data, size_t len)
{
    const struct vr_stream *s = data_stream(p);
    struct message *kept = NULL;
    const struct vr_link *i;

    if (!s || s->moderated || s->unsent)
        return;
    vr_forwards_data(s, binary, data, len);
    vr_list_for_each(i, &s->feeds)
    {
        const struct vr_line *l = vr_container(i, struct vr_feed, in_stream)->line;

        if (is_open(l))
            relay(l, p->id.s, binary, data, len, &kept);
    }
    message_unref(kept);
}
