/* A topic made to have each cause, and healthy ones: the right verdict first, no false alarm.
 * EVENTSCOPE_SEED=N sets the first seed. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/xalloc.h"
#include "keys/diagnose.h"
#include "stats/partitioner.h"

static uint64_t seed_base = 1;
static struct evs_keytab *table;
static int32_t P;
static int64_t next_offset[64], clock_ms;
static uint64_t rng_state;

static uint64_t rnd(uint64_t n)
{
    return evs_boot_rng(&rng_state) % n;
}

static void topic(int32_t partitions, uint64_t seed)
{
    P = partitions;
    rng_state = seed * 7919;
    clock_ms = INT64_C(1700000000000);
    memset(next_offset, 0, sizeof(next_offset));
    table = evs_keytab_new(P, 64 << 20, 128, 99);
}

static void put(const char *key, int32_t p, size_t value_len)
{
    struct evs_key_rec r = {.key = key,
                            .key_len = key ? strlen(key) : 0,
                            .value_len = value_len,
                            .partition = p,
                            .offset = next_offset[p]++,
                            .ts_ms = clock_ms};
    evs_keytab_add(table, &r);
}

static int32_t by(const struct evs_partitioner *h, const char *key, int32_t partitions)
{
    return evs_partitioner_of(h, key, strlen(key), partitions);
}

static const char *user(uint64_t n)
{
    static char key[64];
    snprintf(key, sizeof(key), "user-%llu", (unsigned long long)n);
    return key;
}

static void put_user(uint64_t n)
{
    const char *key = user(n);
    put(key, by(&evs_partitioner_murmur2, key, P), 100);
    clock_ms += 3;
}

static struct evs_keyset *ks;

static struct evs_report *judge(void)
{
    ks = evs_keyset_new(&table, 1, 20);
    evs_keytab_free(table);
    return evs_report_new(ks, 0, false);
}

static void done(struct evs_report *r)
{
    evs_report_free(r);
    evs_keyset_free(ks);
}

static void first_is(const char *kind, enum evs_severity at_least)
{
    struct evs_report *r = judge();
    assert_true(r->n > 0);
    if (strcmp(r->finding[0].kind, kind) != 0 || r->finding[0].severity < at_least)
        fail_msg("want %s, got %s (%s): %s", kind, r->finding[0].kind,
                 evs_severity_name(r->finding[0].severity), r->finding[0].text);
    done(r);
}

/* No warning, and nothing that names a culprit. */
static void healthy(const char *what)
{
    struct evs_report *r = judge();
    for (size_t i = 0; i < r->n; i++)
        if (r->finding[i].severity > EVS_SEV_INFO || strcmp(r->finding[i].kind, "hot-key") == 0 ||
            strcmp(r->finding[i].kind, "unlucky-hash") == 0)
            fail_msg("%s: false alarm %s: %s", what, r->finding[i].kind, r->finding[i].text);
    done(r);
}

#define EACH_SEED(n) for (uint64_t seed = seed_base; seed < seed_base + (n); seed++)

static void hot_key(void **state)
{
    (void)state;
    EACH_SEED(10)
    {
        topic(12, seed);
        for (int i = 0; i < 30000; i++)
            put_user(rnd(100) < 38 ? 123 : 1000 + rnd(5000));
        struct evs_report *r = judge();
        assert_string_equal(r->finding[0].kind, "hot-key");
        assert_int_equal(r->finding[0].severity, EVS_SEV_CRITICAL);
        assert_non_null(strstr(r->finding[0].text, "user-123"));
        assert_string_equal(r->placement.verdict, "murmur2");
        assert_true(r->placement.match[0] == 1.0);
        assert_int_equal(r->n_hot, 1);
        done(r);
    }
}

/* The key comes up a quarter into the topic: the text says since when. */
static void hot_key_since(void **state)
{
    (void)state;
    topic(12, 5);
    int64_t start = clock_ms;
    for (int i = 0; i < 40000; i++) {
        put_user(i > 10000 && rnd(100) < 40 ? 123 : 1000 + rnd(5000));
        clock_ms += 1000;
    }
    struct evs_report *r = judge();
    assert_string_equal(r->finding[0].kind, "hot-key");
    bool found = false;
    for (size_t i = 0; i < r->finding[0].n_facts; i++) {
        const struct evs_fact *f = &r->finding[0].fact[i];
        if (strcmp(f->name, "since_ts") == 0) {
            found = true;
            assert_true(fabs(f->number - (double)(start + 10000 * 1003)) < 60000);
        }
        if (strcmp(f->name, "share_since") == 0)
            assert_true(fabs(f->number - 0.4) < 0.02);
    }
    assert_true(found);
    done(r);
}

static void zipf_hot_key(void **state)
{
    (void)state;
    EACH_SEED(10)
    {
        topic(12, seed);
        for (int i = 0; i < 50000; i++) {
            double u = (double)rnd(1 << 30) / (1 << 30);
            put_user((uint64_t)exp(u * log(2000))); /* exponent 1: the first key has 9 % */
        }
        first_is("hot-key", EVS_SEV_INFO);
    }
}

static void few_keys(void **state)
{
    (void)state;
    EACH_SEED(20)
    {
        topic(12, seed);
        for (int i = 0; i < 5000; i++)
            put_user(seed * 100 + rnd(4));
        first_is("few-keys", EVS_SEV_WARN);
    }
}

/* Thousands of keys, none of them hot, and yet the weights are those of a few dozen. */
static void uneven_keys(void **state)
{
    (void)state;
    topic(12, 3);
    for (int i = 0; i < 60; i++)
        for (int n = 0; n < 500; n++)
            put_user((uint64_t)i);
    for (int i = 0; i < 6000; i++)
        put_user((uint64_t)(1000 + i));
    struct evs_report *r = judge();
    const struct evs_finding *f = &r->finding[0];
    assert_string_equal(f->kind, "few-keys");
    assert_non_null(strstr(f->text, "6,060 distinct keys are so uneven that they spread like 8"));
    assert_in_range((int)r->boot.even_keys, 80, 90); /* 36,000^2 / (60 x 500^2 + 6,000) = 86 */
    done(r);
}

/* Keys chosen so that a third of them falls on one partition. */
static void unlucky_hash(void **state)
{
    (void)state;
    EACH_SEED(10)
    {
        topic(12, seed);
        uint64_t keys[600];
        size_t n = 0;
        for (uint64_t k = seed * 100000; n < 600; k++) {
            bool on_five = by(&evs_partitioner_murmur2, user(k), P) == 5;
            if (on_five || rnd(4) == 0)
                keys[n++] = k;
        }
        for (int i = 0; i < 30000; i++)
            put_user(keys[rnd(600)]);
        first_is("unlucky-hash", EVS_SEV_WARN);
    }
}

/* Few keys, all of them on three partitions: no single load gives it away, their number does. */
static void keys_crowd(void **state)
{
    (void)state;
    EACH_SEED(10)
    {
        topic(12, seed);
        uint64_t keys[24];
        size_t n = 0;
        for (uint64_t k = seed * 100000; n < 24; k++)
            if (by(&evs_partitioner_murmur2, user(k), P) < 3)
                keys[n++] = k;
        for (int i = 0; i < 6000; i++)
            put_user(keys[rnd(24)]);
        first_is("unlucky-hash", EVS_SEV_WARN);
    }
}

static void null_batches(void **state)
{
    (void)state;
    EACH_SEED(10)
    {
        topic(12, seed);
        for (int batch = 0; batch < 2000; batch++) {
            int32_t p = rnd(10) < 4 ? 7 : (int32_t)rnd(12);
            for (int i = 0; i < 15; i++)
                put(NULL, p, 100);
            clock_ms += 10;
        }
        first_is("null-keys", EVS_SEV_WARN);
    }
}

static void mixed(void **state)
{
    (void)state;
    EACH_SEED(10)
    {
        topic(12, seed);
        for (int i = 0; i < 20000; i++) {
            const char *key = user(rnd(3000));
            put(key, by(rnd(10) < 6 ? &evs_partitioner_murmur2 : &evs_partitioner_crc32, key, P),
                50);
        }
        struct evs_report *r = judge();
        assert_string_equal(r->finding[0].kind, "mixed-partitioners");
        assert_int_equal(r->finding[0].severity, EVS_SEV_CRITICAL);
        assert_string_equal(r->placement.verdict, "mixed");
        assert_string_equal(r->placement.main->name, "murmur2");
        assert_string_equal(r->placement.second->name, "crc32");
        assert_true(fabs(r->placement.main_records - 0.6) < 0.02);
        assert_int_equal(r->placement.unexplained, 0);
        done(r);
    }
}

static void grown(void **state)
{
    (void)state;
    static const int32_t before[] = {4, 6, 9, 11};
    for (int k = 0; k < 4; k++)
        for (int h = 0; h < 3; h++) {
            topic(12, (uint64_t)k);
            for (int i = 0; i < 20000; i++) {
                const char *key = user(rnd(2000));
                put(key, by(evs_partitioners[h], key, i < 9000 ? before[k] : 12), 50);
                clock_ms += 100;
            }
            struct evs_report *r = judge();
            assert_string_equal(r->finding[0].kind, "partition-count-changed");
            assert_int_equal(r->placement.previous_partitions, before[k]);
            assert_string_equal(r->placement.verdict, evs_partitioners[h]->name);
            assert_int_equal(r->placement.unexplained, 0);
            done(r);
        }
}

/* The count grew, and nothing was written since. */
static void grown_and_quiet(void **state)
{
    (void)state;
    topic(13, 3);
    for (int i = 0; i < 20000; i++) {
        const char *key = user(rnd(2000));
        put(key, by(&evs_partitioner_crc32, key, 8), 50);
    }
    struct evs_report *r = judge();
    assert_string_equal(r->finding[0].kind, "partition-count-changed");
    assert_int_equal(r->placement.previous_partitions, 8);
    assert_string_equal(r->placement.verdict, "crc32");
    done(r);
}

static void fat_records(void **state)
{
    (void)state;
    topic(12, 1);
    for (int i = 0; i < 30000; i++) {
        const char *key = user(i % 40 ? 10 + rnd(5000) : 7);
        put(key, by(&evs_partitioner_murmur2, key, P), i % 40 ? 100 : 20000);
    }
    first_is("byte-skew", EVS_SEV_WARN);
}

static void split(void **state)
{
    (void)state;
    topic(6, 1);
    for (int i = 0; i < 12000; i++) {
        const char *key = user(rnd(2000));
        bool stray = i % 40 == 0;
        put(key, stray ? (int32_t)rnd(6) : by(&evs_partitioner_murmur2, key, P), 50);
    }
    struct evs_report *r = judge();
    assert_true(r->finding[0].severity >= EVS_SEV_WARN);
    assert_true(ks->split_keys > 100);
    done(r);
}

static void mutable_keys(void **state)
{
    (void)state;
    topic(6, 1);
    for (int i = 0; i < 12000; i++) {
        char key[64];
        snprintf(key, sizeof(key), "user%d@example.com", (int)rnd(3000));
        put(key, by(&evs_partitioner_murmur2, key, P), 50);
    }
    first_is("mutable-key", EVS_SEV_WARN);
}

static void custom_partitioner(void **state)
{
    (void)state;
    topic(6, 1);
    for (int i = 0; i < 12000; i++) {
        uint64_t k = rnd(3000);
        put(user(k), (int32_t)(k % 6), 50);
    }
    struct evs_report *r = judge();
    assert_string_equal(r->placement.verdict, "custom");
    assert_string_equal(r->finding[0].kind, "balanced");
    done(r);
}

static void each_partitioner(void **state)
{
    (void)state;
    for (int h = 0; h < EVS_PARTITIONERS; h++) {
        topic(12, (uint64_t)h);
        for (int i = 0; i < 3000; i++) {
            const char *key = user(rnd(300));
            put(key, by(evs_partitioners[h], key, P), 50);
        }
        struct evs_report *r = judge();
        assert_string_equal(r->placement.verdict, evs_partitioners[h]->name);
        assert_true(r->placement.match[h] == 1.0);
        assert_int_equal(r->placement.previous_partitions, 0);
        done(r);
    }
    topic(12, 1); /* two keys prove nothing */
    for (int i = 0; i < 1000; i++)
        put_user(rnd(2));
    struct evs_report *r = judge();
    assert_string_equal(r->placement.verdict, "unknown");
    done(r);
}

static void healthy_topics(void **state)
{
    (void)state;
    EACH_SEED(30)
    {
        topic(12, seed);
        for (int i = 0; i < 5000; i++)
            put_user(seed * 1000 + rnd(20));
        healthy("20 keys on 12 partitions");
        topic(12, seed);
        for (int i = 0; i < 150; i++)
            put_user(seed * 1000 + rnd(100));
        healthy("seconds old");
        topic(12, seed);
        for (int i = 0; i < 40; i++)
            put(NULL, (int32_t)rnd(2), 100);
        healthy("seconds old, no keys");
        topic(12, seed);
        for (int i = 0; i < 20000; i++)
            put_user(seed * 100000 + rnd(10000));
        healthy("many even keys");
        topic(12, seed);
        for (int i = 0; i < 20000; i++)
            put_user(seed * 100000 + (uint64_t)i);
        healthy("all distinct");
        topic(50, seed);
        for (int i = 0; i < 30000; i++)
            put_user(seed * 100000 + rnd(1000));
        healthy("1000 keys on 50 partitions");
        topic(1, seed);
        for (int i = 0; i < 5000; i++)
            put_user(rnd(50));
        healthy("one partition");
        topic(6, seed);
        for (int i = 0; i < 12000; i++)
            put(NULL, (int32_t)((i / 20) % 6), 100);
        healthy("no keys, round robin");
        topic(3, seed);
        for (int i = 0; i < 20000; i++)
            put_user(seed * 1000 + (uint64_t)(sqrt((double)rnd(90000))));
        healthy("300 sloping keys");
        topic(24, seed);
        for (int i = 0; i < 40000; i++)
            put_user(seed * 100000 +
                     (uint64_t)(pow((double)rnd(1 << 20) / (1 << 20), 1.5) * 20000));
        healthy("a gentle slope");
    }
}

static void nothing(void **state)
{
    (void)state;
    topic(3, 1);
    struct evs_report *r = judge();
    assert_int_equal(r->n, 0);
    assert_string_equal(r->placement.verdict, "unknown");
    done(r);
}

int main(void)
{
    const char *env = getenv("EVENTSCOPE_SEED");
    seed_base = env ? strtoull(env, NULL, 10) : 1;
    printf("# EVENTSCOPE_SEED=%llu\n", (unsigned long long)seed_base);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hot_key),
        cmocka_unit_test(hot_key_since),
        cmocka_unit_test(zipf_hot_key),
        cmocka_unit_test(few_keys),
        cmocka_unit_test(uneven_keys),
        cmocka_unit_test(unlucky_hash),
        cmocka_unit_test(keys_crowd),
        cmocka_unit_test(null_batches),
        cmocka_unit_test(mixed),
        cmocka_unit_test(grown),
        cmocka_unit_test(grown_and_quiet),
        cmocka_unit_test(fat_records),
        cmocka_unit_test(split),
        cmocka_unit_test(mutable_keys),
        cmocka_unit_test(custom_partitioner),
        cmocka_unit_test(each_partitioner),
        cmocka_unit_test(healthy_topics),
        cmocka_unit_test(nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
