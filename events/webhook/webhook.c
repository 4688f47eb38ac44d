#include "webhook.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const struct sl_event_core *core;
    struct wh_post *post;
    pthread_mutex_t lock; /* of conf, which administrators change */
    struct wh_conf conf;
} self = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* "[a,b]", with its length; NULL: out of memory. */
static char *group(const struct sl_event *events, size_t n, size_t *len)
{
    size_t size = 3;
    char *text, *p;

    for (size_t i = 0; i < n; i++)
        size += events[i].len + 1;
    text = p = malloc(size);
    if (!text)
        return NULL;
    *p++ = '[';
    for (size_t i = 0; i < n; i++) {
        if (i)
            *p++ = ',';
        memcpy(p, events[i].text, events[i].len);
        p += events[i].len;
    }
    *p++ = ']';
    *p = '\0';
    *len = (size_t)(p - text);
    return text;
}

static size_t deliver_group(const struct wh_conf *c, const struct sl_event *events, size_t n)
{
    size_t len;
    char *body = group(events, n, &len);
    bool taken = body && wh_post_send(self.post, c, body, len);

    free(body);
    return taken ? 0 : n;
}

static size_t deliver(const struct sl_event *events, size_t n)
{
    size_t lost = 0;
    struct wh_conf c;
    int err;

    pthread_mutex_lock(&self.lock);
    err = wh_conf_copy(&self.conf, &c);
    pthread_mutex_unlock(&self.lock);
    if (err)
        return n;
    if (c.grouping)
        lost = deliver_group(&c, events, n);
    for (size_t i = 0; i < n && !c.grouping; i++)
        lost += !wh_post_send(self.post, &c, events[i].text, events[i].len);
    wh_conf_fini(&c);
    return lost;
}

static int init(const struct sl_event_core *core)
{
    int err = wh_conf_load(core, &self.conf);

    if (err)
        return err;
    self.core = core;
    if (wh_post_create(core, &self.post)) {
        wh_conf_fini(&self.conf);
        return -ENOMEM;
    }
    return 0;
}

static void fini(void)
{
    wh_post_destroy(self.post);
    self.post = NULL;
    wh_conf_fini(&self.conf);
}

static json_t *query(const json_t *request)
{
    const char *verb = json_string_value(json_object_get(request, "request"));
    json_t *answer;

    if (!verb || strcmp(verb, "tweak") != 0)
        return NULL;
    pthread_mutex_lock(&self.lock);
    answer = wh_conf_tweak(&self.conf, request);
    pthread_mutex_unlock(&self.lock);
    return answer;
}

SL_EVENT_HANDLER_EXPORT = {
    .abi = SL_EVENT_ABI,
    .size = sizeof(struct sl_event_handler),
    .package = "janus.eventhandler.webhook",
    .name = "Web hook",
    .author = "Sluice",
    .description = "POSTs events as JSON to a web server",
    .version_string = "1.0.0",
    .version = 1,
    .init = init,
    .fini = fini,
    .deliver = deliver,
    .query = query,
};
