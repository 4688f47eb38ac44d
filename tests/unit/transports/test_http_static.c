/* Files over HTTP. */
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void files_are_served_with_their_types(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *type, *body;
    } v[] = {
        { "/", 200, "text/html; charset=utf-8", "<p>root</p>" },
        { "/index.html", 200, "text/html; charset=utf-8", "<p>root</p>" },
        { "/a.mjs", 200, "text/javascript; charset=utf-8", "export {}" },
        { "/a%2emjs?x=1", 200, "text/javascript; charset=utf-8", "export {}" },
        { "/sub/", 200, "text/html; charset=utf-8", "<p>sub</p>" },
        { "/sub", 301, NULL, "" },
        { "/inside.mjs", 200, "text/javascript; charset=utf-8", "export {}" },
        { "/none", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/.hidden", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/empty/", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/outside", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/fifo", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/../cert.pem", 404, NULL, "Not found.\n" },
        { "/sub/../../cert.pem", 404, NULL, "Not found.\n" },
        { "/%2e%2e/cert.pem", 404, NULL, "Not found.\n" },
        { "/..%2fcert.pem", 404, NULL, "Not found.\n" },
        { "//etc/passwd", 404, NULL, "Not found.\n" },
        { "/index.html/", 404, NULL, "Not found.\n" },
    };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct reply r = world_ask("GET", v[i].path, NULL, NULL);

        if (r.status != v[i].status || strcmp(r.body ? r.body : "", v[i].body) != 0 ||
            (v[i].type && strcmp(reply_header(&r, "Content-Type"), v[i].type) != 0))
            fail_msg("GET %s: %d '%s'\n%s", v[i].path, r.status, r.body ? r.body : "", r.head);
        if (r.status == 200)
            assert_string_equal(reply_header(&r, "X-Content-Type-Options"), "nosniff");
        reply_free(&r);
    }
}

static void unchanged_files_are_not_sent_again(void **state)
{
    struct reply r = world_ask("GET", "/a.mjs", NULL, NULL);
    char etag[256], date[256];

    assert_string_equal(reply_header(&r, "Cache-Control"), "no-cache");
    snprintf(etag, sizeof(etag), "If-None-Match: \"x\", W/%s\r\n", reply_header(&r, "ETag"));
    snprintf(date, sizeof(date), "If-Modified-Since: %s\r\n", reply_header(&r, "Last-Modified"));
    reply_free(&r);
    r = world_ask("GET", "/a.mjs", etag, NULL);
    assert_int_equal(r.status, 304);
    reply_free(&r);
    r = world_ask("GET", "/a.mjs", date, NULL);
    assert_int_equal(r.status, 304);
    reply_free(&r);
    r = world_ask("GET", "/a.mjs", "If-None-Match: \"other\"\r\n", NULL);
    assert_int_equal(r.status, 200);
    reply_free(&r);
    r = world_ask("GET", "/a.mjs", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", NULL);
    assert_int_equal(r.status, 200);
    reply_free(&r);
    r = world_ask("HEAD", "/a.mjs", NULL, NULL);
    assert_int_equal(r.status, 200);
    assert_string_equal(reply_header(&r, "Content-Length"), "9");
    reply_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(files_are_served_with_their_types),
        WORLD_TEST(unchanged_files_are_not_sent_again),
    };

    return cmocka_run_group_tests(tests, world_make_files, world_remove_files);
}
