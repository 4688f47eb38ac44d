#include "tests/unit/test_cmocka.h"

#include "net/net_pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sluice-pcap-XXXXXX";
static char path[128];

static struct sl_pcap *begin(struct sl_pcap_conf conf)
{
    struct sl_pcap *p = NULL;

    conf.dir = folder;
    conf.name = "x";
    snprintf(path, sizeof(path), "%s/x", folder);
    (void)unlink(path);
    assert_int_equal(sl_pcap_open(&conf, &p), 0);
    return p;
}

static void put(struct sl_pcap *p, bool is_in, const char *local, const char *remote,
                const void *data, size_t len)
{
    struct sl_pcap_packet k = { .is_in = is_in, .data = data, .len = len };

    if (local)
        assert_int_equal(sl_addr_parse(local, &k.local), 0);
    if (remote)
        assert_int_equal(sl_addr_parse(remote, &k.remote), 0);
    sl_pcap_put(p, &k);
}

/* Bytes of the file once it is complete. */
static size_t end(struct sl_pcap *p, uint8_t *out, size_t cap)
{
    FILE *f;
    size_t n;

    sl_pcap_close(p);
    sl_pcap_wait();
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static unsigned int ones_sum(const uint8_t *p, size_t n, unsigned int s)
{
    for (size_t i = 0; i < n; i++)
        s += i & 1 ? p[i] : (unsigned int)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static void writes_what_wireshark_reads(void **state)
{
    struct sl_pcap *p = begin((struct sl_pcap_conf){ 0 });
    static const uint8_t v4[] = { 0xc0, 0, 2, 5, 127, 0, 0, 1, 0x04, 0xd2, 0x27, 0x10, 0, 12 };
    uint8_t b[512];
    const uint8_t *r;
    size_t n;

    put(p, true, "127.0.0.1:10000", "192.0.2.5:1234", "abcd", 4);
    put(p, false, "127.0.0.1:10000", "192.0.2.5:1234", "efghi", 5);
    put(p, false, "[::1]:7", "[2001:db8::1]:8", "xyz", 3);
    put(p, true, NULL, NULL, "q", 1);
    n = end(p, b, sizeof(b));
    assert_int_equal(n, 24 + 16 + 32 + 16 + 33 + 16 + 51 + 16 + 29);
    assert_int_equal(u32(b), 0xa1b2c3d4);
    assert_int_equal(u32(b + 20), 101); /* LINKTYPE_RAW */
    r = b + 24;
    assert_int_equal(u32(r + 8), 32);
    assert_int_equal(u32(r + 12), 32);
    assert_memory_equal(r + 16 + 12, v4, sizeof(v4));
    assert_int_equal(ones_sum(r + 16, 20, 0), 0xffff);
    assert_memory_equal(r + 16 + 28, "abcd", 4);
    r += 16 + 32;
    assert_memory_equal(r + 16 + 12, v4 + 4, 4); /* the other way */
    assert_memory_equal(r + 16 + 28, "efghi", 5);
    r += 16 + 33 + 16;
    assert_int_equal(r[0], 0x60);
    assert_int_equal(r[6], 17);
    assert_int_equal(ones_sum(r + 8, 32 + 8 + 3, 17 + 8 + 3), 0xffff); /* RFC 8200 section 8.1 */
    assert_memory_equal(r + 48, "xyz", 3);
}

static void keeps_the_beginning_of_packets(void **state)
{
    struct sl_pcap *p = begin((struct sl_pcap_conf){ .snap = 3 });
    uint8_t b[256];

    put(p, true, "127.0.0.1:1", "127.0.0.1:2", "abcdef", 6);
    assert_int_equal(end(p, b, sizeof(b)), 24 + 16 + 31);
    assert_int_equal(u32(b + 24 + 8), 31);
    assert_int_equal(u32(b + 24 + 12), 34); /* as long as it was */
}

static void writes_text(void **state)
{
    struct sl_pcap *p = begin((struct sl_pcap_conf){ .is_text = true });
    unsigned int h, m, s, us;
    char b[256] = "";
    int at = 0;

    put(p, true, NULL, NULL, "\x80\x60\x01", 3);
    put(p, false, NULL, NULL, "\x81", 1);
    b[end(p, (uint8_t *)b, sizeof(b) - 1)] = '\0';
    assert_int_equal(sscanf(b, "I %2u:%2u:%2u.%6u 000000 80 60 01\n%n", &h, &m, &s, &us, &at), 4);
    assert_true(at > 0 && h < 24 && m < 60 && s < 61);
    assert_int_equal(b[at], 'O');
    assert_string_equal(b + strlen(b) - 11, " 000000 81\n");
}

static void stops_at_the_limit(void **state)
{
    struct sl_pcap *p = begin((struct sl_pcap_conf){ .max_bytes = 100 });
    uint8_t b[512];

    for (int i = 0; i < 5; i++)
        put(p, true, NULL, NULL, "abcd", 4);
    assert_int_equal(end(p, b, sizeof(b)), 24 + 2 * (16 + 32)); /* the last one crossed it */
}

/* The producer never waits: what the ring has no room for is counted. */
static void counts_what_the_ring_has_no_room_for(void **state)
{
    struct sl_pcap *p = begin((struct sl_pcap_conf){ 0 });
    static uint8_t big[1400];
    static uint8_t b[64 << 20];
    struct sl_pcap_counts c;
    size_t n;

    for (int i = 0; i < 20000; i++)
        put(p, true, "127.0.0.1:1", "127.0.0.1:2", big, sizeof(big));
    c = sl_pcap_counts(p);
    n = end(p, b, sizeof(b));
    assert_int_equal(c.packets, 20000);
    assert_int_equal((n - 24) % (16 + 28 + sizeof(big)), 0);
    assert_int_equal((n - 24) / (16 + 28 + sizeof(big)) + c.dropped, c.packets);
    assert_true(c.packets - c.dropped >= 1024);
}

static void knows_sound_names(void **state)
{
    static const struct {
        const char *name;
        bool sound;
    } rows[] = {
        { "a", true },    { "A-b_c.9.pcap", true }, { "", false },    { ".a", false },
        { "..", false },  { "a/b", false },         { "/a", false },  { "a\n", false },
        { "a b", false }, { "\xc3\xa4", false },    { "a\\", false },
    };
    char name[SL_PCAP_NAME_MAX + 2];

    for (size_t i = 0; i < TEST_COUNT(rows); i++)
        assert_int_equal(sl_pcap_name_is_sound(rows[i].name), rows[i].sound);
    memset(name, 'a', sizeof(name) - 1);
    name[SL_PCAP_NAME_MAX + 1] = '\0';
    assert_false(sl_pcap_name_is_sound(name));
    name[SL_PCAP_NAME_MAX] = '\0';
    assert_true(sl_pcap_name_is_sound(name));
}

static void opens_so_many_and_no_more(void **state)
{
    struct sl_pcap *p[SL_PCAP_FILES_MAX + 1];
    struct sl_pcap_conf conf = { .dir = folder };
    char name[8];

    conf.name = "../x";
    assert_int_equal(sl_pcap_open(&conf, &p[0]), -EINVAL);
    for (int i = 0; i < SL_PCAP_FILES_MAX; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        conf.name = name;
        assert_int_equal(sl_pcap_open(&conf, &p[i]), 0);
    }
    conf.name = "more";
    assert_int_equal(sl_pcap_open(&conf, &p[SL_PCAP_FILES_MAX]), -EAGAIN);
    for (int i = 0; i < SL_PCAP_FILES_MAX; i++) {
        sl_pcap_close(p[i]);
        snprintf(path, sizeof(path), "%s/n%d", folder, i);
        assert_int_equal(unlink(path), 0);
    }
    sl_pcap_wait();
    conf.dir = "/nonexistent";
    for (int i = 0; i <= SL_PCAP_FILES_MAX; i++) /* a failure takes no place */
        assert_int_equal(sl_pcap_open(&conf, &p[0]), -ENOENT);
    sl_pcap_close(NULL);
}

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    snprintf(path, sizeof(path), "%s/x", folder);
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_wireshark_reads),
        cmocka_unit_test(keeps_the_beginning_of_packets),
        cmocka_unit_test(writes_text),
        cmocka_unit_test(stops_at_the_limit),
        cmocka_unit_test(counts_what_the_ring_has_no_room_for),
        cmocka_unit_test(knows_sound_names),
        cmocka_unit_test(opens_so_many_and_no_more),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
