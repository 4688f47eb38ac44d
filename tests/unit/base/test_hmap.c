#include "../test_cmocka.h"
#include "../test_oom.h"
#include "base/hmap.h"
#include "base/list.h"
#include <errno.h>
#include <string.h>

struct entry {
    struct sl_hnode node;
    uint64_t key;
};

static struct entry *find(const struct sl_hmap *m, uint64_t key)
{
    struct sl_hnode *n = sl_hmap_first(m, sl_hash_u64(key));

    while (n && sl_container(n, struct entry, node)->key != key)
        n = sl_hmap_next(n);
    return n ? sl_container(n, struct entry, node) : NULL;
}

static void what_was_added_is_found_until_it_is_deleted(void **state)
{
    static struct entry e[5000];
    struct sl_hmap m;

    (void)state;
    sl_hmap_init(&m);
    assert_null(find(&m, 1));
    for (size_t i = 0; i < TEST_COUNT(e); i++) {
        e[i].key = i * 65536;
        assert_int_equal(sl_hmap_add(&m, &e[i].node, sl_hash_u64(e[i].key)), 0);
    }
    assert_int_equal(m.count, TEST_COUNT(e));
    for (size_t i = 0; i < TEST_COUNT(e); i += 2)
        sl_hmap_del(&m, &e[i].node);
    for (size_t i = 0; i < TEST_COUNT(e); i++)
        assert_ptr_equal(find(&m, e[i].key), i % 2 ? &e[i] : NULL);
    assert_int_equal(m.count, TEST_COUNT(e) / 2);
    sl_hmap_fini(&m);
}

static void entries_of_one_hash_are_all_found(void **state)
{
    struct entry e[3] = { { .key = 1 }, { .key = 2 }, { .key = 3 } };
    struct sl_hmap m;
    uint64_t sum = 0;

    (void)state;
    sl_hmap_init(&m);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sl_hmap_add(&m, &e[i].node, 7), 0);
    for (struct sl_hnode *n = sl_hmap_first(&m, 7); n; n = sl_hmap_next(n))
        sum += sl_container(n, struct entry, node)->key;
    assert_int_equal(sum, 6);
    assert_null(sl_hmap_first(&m, 7 + m.nbuckets));
    sl_hmap_fini(&m);
}

static void hashes_spread_over_the_low_bits(void **state)
{
    unsigned int by_u64[256] = { 0 }, by_bytes[256] = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 25600; i++) {
        uint64_t v = i << 32;

        by_u64[sl_hash_u64(v) & 255]++;
        by_bytes[sl_hash_bytes(&v, sizeof(v)) & 255]++;
    }
    for (size_t i = 0; i < 256; i++) { /* 100 expected, 10 the standard deviation */
        assert_in_range(by_u64[i], 30, 200);
        assert_in_range(by_bytes[i], 30, 200);
    }
}

static void every_byte_and_the_length_count(void **state)
{
    uint8_t data[40] = { 0 };
    uint64_t h[41];

    (void)state;
    for (size_t n = 0; n <= sizeof(data); n++) {
        h[n] = sl_hash_bytes(data, n);
        assert_int_equal(h[n], sl_hash_bytes(data, n));
        for (size_t k = 0; k < n; k++)
            assert_int_not_equal(h[n], h[k]);
    }
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = 1;
        assert_int_not_equal(sl_hash_bytes(data, sizeof(data)), h[40]);
        data[i] = 0;
    }
}

static void without_memory_only_the_first_entry_is_refused(void **state)
{
    struct entry e[17];
    struct sl_hmap m;

    (void)state;
    memset(e, 0, sizeof(e));
    sl_hmap_init(&m);
    oom_fail_at(1);
    assert_int_equal(sl_hmap_add(&m, &e[0].node, 1), -ENOMEM);
    assert_true(oom_happened());
    assert_int_equal(m.count, 0);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(sl_hmap_add(&m, &e[i].node, i), 0);
    oom_fail_at(1); /* it wants to grow now */
    assert_int_equal(sl_hmap_add(&m, &e[16].node, 16), 0);
    assert_true(oom_happened());
    for (size_t i = 0; i < 17; i++)
        assert_ptr_equal(sl_hmap_first(&m, i), &e[i].node);
    sl_hmap_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_until_it_is_deleted),
        cmocka_unit_test(entries_of_one_hash_are_all_found),
        cmocka_unit_test(hashes_spread_over_the_low_bits),
        cmocka_unit_test(every_byte_and_the_length_count),
        cmocka_unit_test(without_memory_only_the_first_entry_is_refused),
    };

    return cmocka_run_group_tests_name("base/hmap", tests, NULL, NULL);
}
