/* Names of the types of events, as configurations and administrators write them. */

#include "base/opt.h"
#include "event/event_bus.h"
#include <errno.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned int types;
} names[] = {
    { "none", 0 },
    { "all", SL_EVENT_ALL },
    { "sessions", SL_EVENT_SESSION },
    { "handles", SL_EVENT_HANDLE },
    { "external", SL_EVENT_EXTERNAL },
    { "jsep", SL_EVENT_JSEP },
    { "webrtc", SL_EVENT_WEBRTC },
    { "media", SL_EVENT_MEDIA },
    { "plugins", SL_EVENT_PLUGIN },
    { "transports", SL_EVENT_TRANSPORT },
    { "core", SL_EVENT_CORE },
};

int sl_event_types_parse(const char *list, unsigned int *out)
{
    unsigned int types = 0;
    size_t words = 0;

    for (const char *p = list + strspn(list, ", \t"); *p; words++) {
        size_t len = strcspn(p, ", \t"), i = 0;

        while (i < SL_COUNT(names) &&
               (strlen(names[i].name) != len || strncmp(names[i].name, p, len) != 0))
            i++;
        if (i == SL_COUNT(names))
            return -EINVAL;
        types |= names[i].types;
        p += len;
        p += strspn(p, ", \t");
    }
    if (!words)
        return -EINVAL;
    *out = types;
    return 0;
}
