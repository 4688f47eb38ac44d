/*
 * http_path.h - what a request path means. Pure.
 */
#ifndef SL_TRANSPORTS_HTTP_PATH_H
#define SL_TRANSPORTS_HTTP_PATH_H

#include <stdint.h>

enum http_where {
    HTTP_AT_BASE,    /* base_path */
    HTTP_AT_SESSION, /* base_path/<session> */
    HTTP_AT_HANDLE,  /* base_path/<session>/<handle> */
    HTTP_AT_INFO,    /* base_path/info */
    HTTP_AT_PING,
    HTTP_AT_UNKNOWN, /* anything else under base_path */
    HTTP_AT_HEALTH,  /* /healthz */
    HTTP_AT_OUTSIDE, /* not under base_path */
    HTTP_AT_MAX
};

struct http_path {
    enum http_where where;
    uint64_t session, handle;
};

/* @base as configured; slashes at its end and at that of @url do not count. */
struct http_path http_path_parse(const char *url, const char *base);

#endif
