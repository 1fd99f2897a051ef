/* The bootstrap: known figures, and the same verdict from a tally of counts as from the counts.
 * EVENTSCOPE_SEED=N sets the first seed. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/xalloc.h"
#include "keys/diagnose.h"
#include "stats/partitioner.h"

enum { P = 12 };

static uint64_t seed_base = 1, rng_state;

static void put(struct evs_keytab *t, uint64_t user)
{
    char key[32];
    struct evs_key_rec r = {.key = key, .value_len = 100, .ts_ms = INT64_C(1700000000000)};
    r.key_len = (size_t)snprintf(key, sizeof(key), "user-%llu", (unsigned long long)user);
    r.partition = evs_partitioner_of(&evs_partitioner_murmur2, key, r.key_len, P);
    evs_keytab_add(t, &r);
}

/* The table of the research notes: keys, partitions, mean and 99 % of max / mean. */
static void bootstrap_known(void **state)
{
    (void)state;
    static const struct {
        size_t keys;
        int32_t p;
        double mean, p99;
    } row[] = {{20, 12, 2.42, 3.9},     {100, 12, 1.60, 2.16},   {1000, 12, 1.18, 1.33},
               {10000, 12, 1.06, 1.12}, {100, 50, 2.89, 4.0},    {1000, 50, 1.53, 1.85},
               {10000, 50, 1.17, 1.33}, {100000, 12, 1.02, 1.04}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        double *w = evs_xcalloc(row[i].keys, sizeof(*w));
        for (size_t k = 0; k < row[i].keys; k++)
            w[k] = 3;
        struct evs_boot b;
        evs_boot_run(w, row[i].keys, 0, 0, row[i].p, 0, seed_base, &b);
        assert_true(fabs(b.median - row[i].mean) < 0.07 * row[i].mean);
        assert_true(fabs(b.p99 - row[i].p99) < 0.18 * row[i].p99);
        evs_free(w);
    }
}

/* A topic of many keys is judged from the tally of their counts: as if from the counts themselves,
 * whether most of it lies in few keys or in none. */
static void luck_of_many_keys(void **state)
{
    (void)state;
    for (int slope = 1; slope <= 7; slope += 3) {
        struct evs_keytab *t = evs_keytab_new(P, 64 << 20, 128, 99);
        rng_state = seed_base;
        for (int i = 0; i < 150000; i++) {
            double u = (double)(evs_boot_rng(&rng_state) >> 11) / 9007199254740992.0;
            put(t, (uint64_t)(pow(u, slope) * 400000));
        }
        struct evs_keyset *ks = evs_keyset_new(&t, 1, 20);
        struct evs_report *r = evs_report_new(ks, 0, false);
        struct evs_boot b;
        double *w = evs_xcalloc(ks->n, sizeof(*w));
        for (size_t i = 0; i < ks->n; i++)
            w[i] = (double)ks->sum[i].count;
        assert_true(ks->n > EVS_BOOT_SINGLES);
        evs_boot_run(w, ks->n, 0, 0, P, r->keyed.max_over_mean, seed_base + 1, &b);
        assert_true(fabs(b.median - r->boot.median) < 0.02 * b.median);
        assert_true(fabs(b.p99 - r->boot.p99) < 0.05 * b.p99);
        evs_free(w);
        evs_report_free(r);
        evs_keyset_free(ks);
        evs_keytab_free(t);
    }
}

/* Counts of keys that are estimates prove nothing about the hash. */
static void no_test_of_estimates(void **state)
{
    (void)state;
    struct evs_keytab *t = evs_keytab_new(P, 1 << 20, 128, 99);
    for (uint64_t i = 0; i < 100000; i++)
        put(t, i);
    struct evs_keyset *ks = evs_keyset_new(&t, 1, 20);
    struct evs_report *r = evs_report_new(ks, 0, false);
    assert_false(ks->exact);
    assert_true(isnan(r->chi2) && isnan(r->p_value));
    assert_true(fabs(ks->part_distinct_error - 0.0325) < 1e-6);
    evs_report_free(r);
    evs_keyset_free(ks);
    evs_keytab_free(t);
}

int main(void)
{
    const char *env = getenv("EVENTSCOPE_SEED");
    seed_base = env ? strtoull(env, NULL, 10) : 1;
    printf("# EVENTSCOPE_SEED=%llu\n", (unsigned long long)seed_base);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bootstrap_known),
        cmocka_unit_test(luck_of_many_keys),
        cmocka_unit_test(no_test_of_estimates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
