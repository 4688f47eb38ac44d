/* Captures of a handle's packets (admin API, section 1.4), into files of the folder that the
 * operator configured (admin.capture_dir), and nowhere else. */

#include "api/api_priv.h"
#include "base/clock.h"
#include "net/net_pcap.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Whether @folder, of a request, is the configured one; "" is. */
static bool is_our_folder(const char *folder, const char *dir)
{
    size_t n = strlen(folder), m = strlen(dir);

    while (n > 1 && folder[n - 1] == '/')
        n--;
    while (m > 1 && dir[m - 1] == '/')
        m--;
    return !n || (n == m && !memcmp(folder, dir, n));
}

static void fail_open(struct api_req *r, const char *name, int err) SL_ON_CONTROL;
static void fail_open(struct api_req *r, const char *name, int err)
{
    if (err == -EINVAL)
        api_fail(r, SL_API_INVALID_TYPE,
                 "Invalid element type (filename should be letters, digits, '.', '_' and '-')");
    else if (err == -EAGAIN)
        api_fail(r, SL_API_UNKNOWN, "%d captures are running", SL_PCAP_FILES_MAX);
    else
        api_fail(r, SL_API_UNKNOWN, "Could not open %s: %s", name, strerror(-err));
}

static char *path_new(const char *dir, const char *name)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *path = malloc(n);

    if (path)
        snprintf(path, n, "%s/%s", dir, name);
    return path;
}

static void start(struct api_req *r, bool is_text) SL_ON_CONTROL;
static void start(struct api_req *r, bool is_text)
{
    const struct sl_api_conf *c = &r->api->conf;
    struct api_capture *cap = &r->handle->capture;
    char name[SL_PCAP_NAME_MAX];
    long long snap = sl_arg_int(r->root, "truncate", 0);
    struct sl_pcap_conf conf = { .dir = c->capture_dir,
                                 .name = sl_arg_str(r->root, "filename", ""),
                                 .is_text = is_text,
                                 .snap = snap < SL_PCAP_PACKET_MAX ? (uint32_t)snap : 0,
                                 .max_bytes = (uint64_t)c->capture_max_bytes };
    int err;

    if (cap->is_on) {
        api_fail(r, SL_API_UNKNOWN, "%s already started", is_text ? "text2pcap" : "pcap");
        return;
    }
    if (!c->capture_dir || !is_our_folder(sl_arg_str(r->root, "folder", ""), c->capture_dir)) {
        api_fail(r, SL_API_UNKNOWN, "%s",
                 c->capture_dir ? "Captures go to the folder that is configured, and to no other"
                                : "No folder for captures is configured (admin.capture_dir)");
        return;
    }
    if (!conf.name[0]) {
        snprintf(name, sizeof(name), "sluice-%" PRIu64 ".%s", sl_wall_us(),
                 is_text ? "txt" : "pcap");
        conf.name = name;
    }
    err = sl_pcap_open(&conf, &cap->waiting);
    if (err) {
        fail_open(r, conf.name, err);
        return;
    }
    cap->is_on = true;
    cap->is_text = is_text;
    cap->path = path_new(c->capture_dir, conf.name);
    if (r->handle->pc)
        api_capture_begin(r->handle);
    if (cap->is_on)
        api_ok(r, "success", NULL);
    else
        fail_open(r, conf.name, -ENOMEM);
}

static void stop(struct api_req *r, bool is_text) SL_ON_CONTROL;
static void stop(struct api_req *r, bool is_text)
{
    struct sl_handle *h = r->handle;

    if (!h->capture.is_on || h->capture.is_text != is_text) {
        api_fail(r, SL_API_UNKNOWN, "Capture not started");
        return;
    }
    if (h->pc)
        (void)sl_pc_capture(h->pc, NULL);
    api_capture_end(h);
    api_ok(r, "success", NULL);
}

void api_capture_begin(struct sl_handle *h)
{
    struct sl_pcap *p = h->capture.waiting;

    h->capture.waiting = NULL;
    if (p && sl_pc_capture(h->pc, p))
        api_capture_end(h);
}

void api_capture_end(struct sl_handle *h)
{
    sl_pcap_close(h->capture.waiting);
    free(h->capture.path);
    h->capture = (struct api_capture){ 0 };
}

void api_admin_start_pcap(struct api_req *r)
{
    start(r, false);
}

void api_admin_start_text2pcap(struct api_req *r)
{
    start(r, true);
}

void api_admin_stop_pcap(struct api_req *r)
{
    stop(r, false);
}

void api_admin_stop_text2pcap(struct api_req *r)
{
    stop(r, true);
}
