#include "transports/http/http_int.h"
#include <string.h>
#include <strings.h>

static const char *next(const char *p, size_t *len)
{
    p += strspn(p, ", \t");
    *len = strcspn(p, ",");
    while (*len && (p[*len - 1] == ' ' || p[*len - 1] == '\t' || p[*len - 1] == '/'))
        (*len)--;
    return *p ? p : NULL;
}

static const char *find(const char *list, const char *text, bool whole, size_t *len)
{
    for (const char *p = next(list, len); p; p = next(p + strcspn(p, ","), len)) {
        if (!*len || strncasecmp(p, text, *len) != 0)
            continue;
        /* An origin ends where the path of a Referer begins. */
        if (text[*len] == '\0' || (!whole && text[*len] == '/'))
            return p;
    }
    return NULL;
}

bool http_origin_is_allowed(const char *list, const char *origin, const char *referer)
{
    size_t len;

    if (!list || !*list)
        return true;
    if (origin)
        return find(list, origin, true, &len) != NULL;
    return !referer || find(list, referer, false, &len) != NULL;
}

const char *http_origin_pick(const char *list, const char *origin, size_t *len)
{
    const char *p = NULL;

    if (!list || !*list)
        return NULL;
    if (origin)
        p = find(list, origin, true, len);
    return p ? p : next(list, len);
}
