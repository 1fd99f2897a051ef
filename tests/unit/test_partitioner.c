/* Vectors: Kafka's UtilsTest.testMurmur2, librdkafka's unit tests of rdmurmur2.c and rdfnv1a.c,
 * and the check value of CRC-32. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/attr.h"
#include "stats/partitioner.h"

static const char unaligned[] = "PreAmbleWillBeRemoved,ThePrePartThatIs";

static void murmur2_java(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } v[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < EVS_COUNT(v); i++)
        assert_int_equal((int32_t)evs_murmur2(v[i].key, strlen(v[i].key)), v[i].hash);
}

static void rdkafka_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t murmur2, fnv1a; /* fnv1a made positive, as librdkafka's own table */
    } v[] = {
        {"kafka", 0xd067cf64, 0xd33c4e1},
        {"giberish123456789", 0x8f552b0c, 0x77a58295},
        {"1234", 0x9fc97b14, 0x23bdd03},
        {"234", 0xe7c009ca, 0x2dea3cd2},
        {"34", 0x873930da, 0x740fa83e},
        {"4", 0x5a4b5ca1, 0x310ca263},
        {unaligned, 0x78424f1c, 0x65cbd69c},
        {unaligned + 1, 0x4a62b377, 0x6e49c79a},
        {unaligned + 2, 0xe0e4e09e, 0x69eed356},
        {unaligned + 3, 0x62b8b43f, 0x6abcc023},
        {"", 0x106e08d9, 0x7ee3623b},
    };
    for (size_t i = 0; i < EVS_COUNT(v); i++) {
        size_t n = strlen(v[i].key);
        assert_int_equal(evs_murmur2(v[i].key, n), v[i].murmur2);
        uint32_t f = evs_fnv1a(v[i].key, n);
        assert_int_equal(f & 0x80000000 ? 0u - f : f, v[i].fnv1a);
        for (int32_t p = 1; p < 300; p++) {
            assert_int_equal(evs_partitioner_of(&evs_partitioner_fnv1a, v[i].key, n, p),
                             v[i].fnv1a % (uint32_t)p);
            assert_int_equal(evs_partitioner_of(&evs_partitioner_murmur2, v[i].key, n, p),
                             (v[i].murmur2 & 0x7fffffff) % (uint32_t)p);
        }
    }
    assert_int_equal(evs_murmur2(NULL, 0), 0x106e08d9);
}

static void crc32_check(void **state)
{
    (void)state;
    assert_int_equal(evs_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(evs_crc32(NULL, 0), 0);
    assert_int_equal(evs_partitioner_of(&evs_partitioner_crc32, "123456789", 9, 12),
                     0xcbf43926u % 12);
}

/* Sarama: int32(h) % n, negated when below zero; the reference form clears the sign bit first. */
static void fnv1a_signs(void **state)
{
    (void)state;
    static const uint32_t h[] = {0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0xd33c4e1};
    for (size_t i = 0; i < EVS_COUNT(h); i++)
        for (int32_t p = 1; p < 100; p++) {
            int32_t want = (int32_t)h[i] % p;
            assert_int_equal(evs_partitioner_fnv1a.place(h[i], p), want < 0 ? -want : want);
            assert_int_equal(evs_partitioner_fnv1a_reference.place(h[i], p),
                             (int32_t)(h[i] & 0x7fffffff) % p);
        }
}

static void registry(void **state)
{
    (void)state;
    int n = 0;
    for (; evs_partitioners[n]; n++) {
        assert_ptr_equal(evs_partitioner_find(evs_partitioners[n]->name), evs_partitioners[n]);
        assert_true(strlen(evs_partitioners[n]->used_by) > 0);
    }
    assert_int_equal(n, EVS_PARTITIONERS);
    assert_null(evs_partitioner_find("md5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2_java), cmocka_unit_test(rdkafka_vectors),
        cmocka_unit_test(crc32_check),  cmocka_unit_test(fnv1a_signs),
        cmocka_unit_test(registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
