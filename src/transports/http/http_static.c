/* Files of http.static_dir. Nothing outside of it is ever opened, whatever the path or the links
 * say; names that begin with a dot do not exist. */
#include "transports/http/http_int.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *type_of(const char *path)
{
    static const struct {
        const char *ext, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".mjs", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },
        { ".map", "application/json" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".jpg", "image/jpeg" },
        { ".webp", "image/webp" },
        { ".ico", "image/x-icon" },
        { ".txt", "text/plain; charset=utf-8" },
        { ".md", "text/plain; charset=utf-8" },
        { ".wasm", "application/wasm" },
        { ".woff2", "font/woff2" },
        { ".mp3", "audio/mpeg" },
        { ".mp4", "video/mp4" },
        { ".webm", "video/webm" },
        { ".yaml", "application/yaml" },
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcasecmp(dot, types[i].ext))
            return types[i].type;
    return "application/octet-stream";
}

/* Opens what @url names below the root; a descriptor or -errno. */
static int open_below(const char *url, const char *name, char real[PATH_MAX])
{
    char path[PATH_MAX];
    size_t root = strlen(http.static_root);
    int n = snprintf(path, sizeof(path), "%s%s%s", http.static_root, url, name);
    int fd;

    if (n < 0 || (size_t)n >= sizeof(path) || strstr(url, "/."))
        return -ENOENT;
    if (!realpath(path, real))
        return -errno;
    if (strncmp(real, http.static_root, root) != 0 || (real[root] && real[root] != '/'))
        return -ENOENT;
    fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static enum MHD_Result redirect_to_folder(struct http_req *r)
{
    struct MHD_Response *resp =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    const char *last = strrchr(r->url, '/');
    char to[NAME_MAX + 4];

    /* Relative, so that no path (//host) can lead elsewhere. */
    snprintf(to, sizeof(to), "./%.*s/", NAME_MAX, last ? last + 1 : "");
    if (resp)
        http_header(resp, "Location", to);
    return http_reply(r, MHD_HTTP_MOVED_PERMANENTLY, resp);
}

static bool is_unchanged(const struct http_req *r, const char *etag, time_t mtime)
{
    const char *match = http_request_header(r, "If-None-Match");
    const char *since = http_request_header(r, "If-Modified-Since");
    struct tm tm = { 0 };

    if (match) /* the other one does not count then (RFC 9110 section 13.2.2) */
        return strcmp(match, "*") == 0 || strstr(match, etag) != NULL;
    return since && strptime(since, "%a, %d %b %Y %H:%M:%S GMT", &tm) && mtime <= timegm(&tm);
}

/* Owns @fd. */
static enum MHD_Result send_file(struct http_req *r, int fd, const struct stat *st,
                                 const char *path)
{
    unsigned int status = MHD_HTTP_OK;
    struct MHD_Response *resp;
    char etag[48], date[40];
    struct tm tm;

    snprintf(etag, sizeof(etag), "\"%" PRIx64 ".%lx-%" PRIx64 "\"", (uint64_t)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (uint64_t)st->st_size);
    gmtime_r(&st->st_mtim.tv_sec, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (is_unchanged(r, etag, st->st_mtim.tv_sec)) {
        close(fd);
        status = MHD_HTTP_NOT_MODIFIED;
        resp = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    } else {
        resp = MHD_create_response_from_fd64((uint64_t)st->st_size, fd);
        if (!resp)
            close(fd);
    }
    if (resp) {
        http_header(resp, "Content-Type", type_of(path));
        http_header(resp, "X-Content-Type-Options", "nosniff");
        http_header(resp, "Cache-Control", "no-cache");
        http_header(resp, "ETag", etag);
        http_header(resp, "Last-Modified", date);
    }
    return http_reply(r, status, resp);
}

enum MHD_Result http_static(struct http_req *r)
{
    char real[PATH_MAX];
    struct stat st;
    int fd = -ENOENT;

    if (http.static_root && r->url[0] == '/')
        fd = open_below(r->url, "", real);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        if (r->url[strlen(r->url) - 1] != '/')
            return redirect_to_folder(r);
        fd = open_below(r->url, "index.html", real);
    }
    if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -ENOENT;
    }
    if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
        return http_reply_text(r, MHD_HTTP_SERVICE_UNAVAILABLE, "Busy.\n");
    if (fd < 0)
        return http_reply_text(r, MHD_HTTP_NOT_FOUND, "Not found.\n");
    return send_file(r, fd, &st, real);
}
