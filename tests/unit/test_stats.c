/* Sketches and skew figures against exact oracles, over many seeds (EVENTSCOPE_SEED=N runs one). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

#include "core/attr.h"
#include "stats/hist.h"
#include "stats/hll.h"
#include "stats/quantile.h"
#include "stats/rate.h"
#include "stats/skew.h"
#include "stats/topk.h"

static uint64_t seed_base = 1;

static uint64_t rng(uint64_t *s) /* splitmix64 */
{
    uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double rng01(uint64_t *s)
{
    return (double)(rng(s) >> 11) / 9007199254740992.0;
}

/* --- Space-Saving --- */

enum { KEYS = 3000 };

struct oracle {
    struct evs_topk t;
    uint64_t truth[KEYS], total;
};

static uint64_t key_hash(uint32_t key)
{
    return XXH3_64bits(&key, sizeof(key));
}

static void feed(struct oracle *o, uint32_t key, uint64_t weight)
{
    evs_topk_add(&o->t, key_hash(key), &key, sizeof(key), weight);
    o->truth[key] += weight;
    o->total += weight;
}

static void check_bounds(const struct oracle *o, bool sums)
{
    uint64_t sum = 0;
    assert_int_equal(o->t.total, o->total);
    for (size_t i = 0; i < o->t.n; i++) {
        const struct evs_topk_item *it = &o->t.item[i];
        uint32_t key;
        memcpy(&key, it->key, sizeof(key));
        assert_true(it->count >= o->truth[key]);
        assert_true(it->count - it->error <= o->truth[key]);
        sum += it->count;
    }
    if (sums)
        assert_int_equal(sum, o->total);
    for (uint32_t key = 0; key < KEYS; key++) {
        bool present = evs_topk_get(&o->t, key_hash(key), sizeof(key)) != NULL;
        if (o->truth[key] * o->t.m > o->total * (sums ? 1 : 2))
            assert_true(present);
        if (!present)
            assert_true(o->truth[key] <= evs_topk_floor(&o->t));
    }
}

static uint32_t draw(int shape, uint64_t i, size_t m, uint64_t *s)
{
    static const double exponent[] = {0, 0.5, 0.8, 1.0, 1.2, 2.0};
    if (shape < 6) { /* Zipf by inversion of the continuous law */
        double a = exponent[shape], u = rng01(s), x;
        if (fabs(a - 1.0) < 1e-9)
            x = exp(u * log(KEYS));
        else
            x = pow(u * (pow(KEYS, 1 - a) - 1) + 1, 1 / (1 - a));
        return (uint32_t)fmin(x - 1, KEYS - 1);
    }
    switch (shape) {
    case 6: return (uint32_t)(i % KEYS);         /* all distinct */
    case 7: return 7;                            /* one key */
    case 8: return (uint32_t)(i * KEYS / 20000); /* sorted */
    case 9: return (uint32_t)(i % (m + 1));      /* the worst case: m + 1 in turn */
    default:
        return i < 10000 ? (uint32_t)(rng(s) % KEYS) : rng(s) % 3 ? 11 : (uint32_t)(rng(s) % KEYS);
    }
}

static void topk_bounds(void **state)
{
    (void)state;
    for (int shape = 0; shape <= 10; shape++)
        for (uint64_t seed = seed_base; seed < seed_base + 6; seed++) {
            struct oracle o = {.total = 0};
            uint64_t s = seed * 1000 + (uint64_t)shape;
            evs_topk_init(&o.t, 64 << (seed % 3));
            for (uint64_t i = 0; i < 20000; i++) {
                feed(&o, draw(shape, i, o.t.m, &s), seed % 2 ? 1 : rng(&s) % 900);
                if (i % 1000 == 999)
                    check_bounds(&o, true);
            }
            evs_topk_done(&o.t);
        }
}

static void topk_merge(void **state)
{
    (void)state;
    for (uint64_t seed = seed_base; seed < seed_base + 20; seed++) {
        struct oracle o = {.total = 0};
        struct evs_topk other;
        uint64_t s = seed;
        evs_topk_init(&o.t, 128);
        evs_topk_init(&other, 128);
        for (uint64_t i = 0; i < 20000; i++) {
            uint32_t key = draw((int)(seed % 6), i, 128, &s);
            evs_topk_add(i % 3 ? &o.t : &other, key_hash(key), &key, sizeof(key), 1);
            o.truth[key]++;
            o.total++;
        }
        evs_topk_merge(&o.t, &other);
        check_bounds(&o, false);
        evs_topk_done(&other);
        evs_topk_done(&o.t);
    }
}

static void topk_order_and_exactness(void **state)
{
    (void)state;
    struct oracle o = {.total = 0};
    const struct evs_topk_item *best[4];
    evs_topk_init(&o.t, 16);
    for (uint32_t k = 0; k < 10; k++)
        feed(&o, k, k < 5 ? 5 : k);
    assert_int_equal(evs_topk_sorted(&o.t, best, 4), 4);
    assert_int_equal(best[0]->key[0], 9);
    assert_int_equal(best[3]->count, 6);
    for (size_t i = 0; i < o.t.n; i++)
        assert_int_equal(o.t.item[i].error, 0);
    evs_topk_done(&o.t);
}

/* --- HyperLogLog --- */

static void hll_error_as_stated(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 10, 100, 1000, 10000, 100000};
    for (size_t k = 0; k < EVS_COUNT(sizes); k++) {
        int runs = sizes[k] > 10000 ? 40 : 120;
        double sum = 0, squares = 0;
        for (int run = 0; run < runs; run++) {
            struct evs_hll h;
            uint64_t s = (seed_base + (uint64_t)run) * 7919 + sizes[k];
            evs_hll_init(&h, EVS_HLL_P);
            for (size_t i = 0; i < sizes[k]; i++)
                evs_hll_add(&h, rng(&s));
            double e = evs_hll_estimate(&h) / (double)sizes[k] - 1.0;
            sum += e;
            squares += e * e;
            assert_true(fabs(e) <= 5 * evs_hll_error(&h));
            evs_hll_done(&h);
        }
        double sigma = 1.04 / 128.0;
        assert_true(sqrt(squares / runs) < 1.25 * sigma);
        assert_true(fabs(sum / runs) < 3.5 * sigma / sqrt(runs) + 1e-4);
    }
}

static void hll_union(void **state)
{
    (void)state;
    struct evs_hll a, b, both;
    uint64_t s = seed_base;
    evs_hll_init(&a, 12);
    evs_hll_init(&b, 12);
    evs_hll_init(&both, 12);
    assert_true(evs_hll_estimate(&a) < 0.5);
    for (int i = 0; i < 50000; i++) {
        uint64_t h = rng(&s);
        evs_hll_add(i % 3 ? &a : &b, h);
        evs_hll_add(&both, h);
    }
    evs_hll_merge(&a, &b);
    assert_memory_equal(a.reg, both.reg, 1 << 12);
    evs_hll_done(&a);
    evs_hll_done(&b);
    evs_hll_done(&both);
}

/* --- quantiles --- */

static int cmp_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void quantile_within_one_percent(void **state)
{
    (void)state;
    enum { N = 5000 };
    static struct evs_quantile q, half;
    static uint64_t v[N];
    for (uint64_t seed = seed_base; seed < seed_base + 100; seed++) {
        uint64_t s = seed, sum = 0;
        evs_quantile_init(&q);
        evs_quantile_init(&half);
        for (int i = 0; i < N; i++) {
            double u = rng01(&s);
            v[i] = seed % 3 == 0   ? (uint64_t)pow(10, 12 * u)
                   : seed % 3 == 1 ? (uint64_t)(u * 500)
                                   : rng(&s) % 100000;
            evs_quantile_add(i % 2 ? &q : &half, v[i]);
            sum += v[i];
        }
        evs_quantile_merge(&q, &half);
        qsort(v, N, sizeof(v[0]), cmp_u64);
        assert_int_equal(evs_quantile_count(&q), N);
        assert_int_equal(evs_quantile_sum(&q), sum);
        assert_int_equal(evs_quantile_min(&q), v[0]);
        assert_int_equal(evs_quantile_max(&q), v[N - 1]);
        for (int p = 0; p <= 100; p++) {
            double exact = (double)v[(size_t)(p / 100.0 * (N - 1))];
            assert_true(fabs(evs_quantile_at(&q, p / 100.0) - exact) <= exact * 0.0100001);
        }
    }
    evs_quantile_init(&q);
    assert_true(evs_quantile_at(&q, 0.5) == 0);
}

/* --- skew --- */

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void skew_by_definition(void **state)
{
    (void)state;
    for (uint64_t seed = seed_base; seed < seed_base + 200; seed++) {
        uint64_t s = seed;
        size_t n = 1 + rng(&s) % 60;
        uint64_t x[60];
        double sum = 0, max = 0, squares = 0, pairs = 0, h = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = rng(&s) % 4 ? rng(&s) % 100000 : 0;
            sum += (double)x[i];
            max = fmax(max, (double)x[i]);
        }
        struct evs_skew sk;
        evs_skew_of_counts(x, n, &sk);
        if (sum == 0) {
            near(sk.max_over_mean, 0);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            double p = (double)x[i] / sum, d = (double)x[i] - sum / (double)n;
            squares += d * d;
            h -= p > 0 ? p * log(p) : 0;
            for (size_t j = 0; j < n; j++)
                pairs += fabs((double)x[i] - (double)x[j]);
        }
        double dn = (double)n;
        near(sk.max_over_mean, max * dn / sum);
        near(sk.cv, sqrt(squares / dn) * dn / sum);
        near(sk.gini, pairs / (2 * dn * sum)); /* mean absolute difference over twice the mean */
        near(sk.entropy, n > 1 ? h / log(dn) : 1);
        near(sk.effective, exp(h));
    }
}

static void chi2_known_values(void **state)
{
    (void)state;
    near(evs_gamma_q(0.5, 0.5 * 3.841458820694124), 0.05);  /* df 1 */
    near(evs_gamma_q(5.5, 0.5 * 19.675137572682498), 0.05); /* df 11 */
    near(evs_gamma_q(1.0, 2.0), exp(-2.0));
    near(evs_gamma_q(3.0, 30.0), exp(-30.0) * (1 + 30.0 + 450.0));
    near(evs_gamma_q(2.0, 0), 1);
    double chi2, p;
    evs_skew_chi2((const uint64_t[]){10, 20, 30}, 3, &chi2, &p);
    near(chi2, 10);
    near(p, exp(-5.0));
    evs_skew_chi2((const uint64_t[]){0, 0}, 2, &chi2, &p);
    near(p, 1);
}

/* --- hist, rate --- */

static void hist_keeps_totals(void **state)
{
    (void)state;
    for (uint64_t seed = seed_base; seed < seed_base + 50; seed++) {
        uint64_t s = seed, row[3] = {0}, got[3] = {0};
        struct evs_hist h, other;
        evs_hist_init(&h, 3, 64);
        evs_hist_init(&other, 3, 64);
        int64_t span = INT64_C(1000) << (seed % 24), start = (int64_t)(rng(&s) % 2000000000000);
        for (int i = 0; i < 3000; i++) {
            size_t r = rng(&s) % 3;
            evs_hist_add(i % 4 ? &h : &other, r, start + (int64_t)(rng(&s) % (uint64_t)span), 1);
            row[r]++;
        }
        evs_hist_add(&h, 0, -1, 5);
        evs_hist_merge(&h, &other, NULL);
        assert_int_equal(h.untimed, 5);
        assert_true(h.n <= 64 && (int64_t)h.n * h.width_ms >= span / 2);
        assert_true(evs_hist_start_ms(&h) <= start + span);
        for (size_t b = 0; b < h.n; b++)
            for (size_t r = 0; r < 3; r++)
                got[r] += evs_hist_get(&h, b, r);
        assert_memory_equal(got, row, sizeof(row));
        evs_hist_done(&h);
        evs_hist_done(&other);
    }
}

static void hist_places_by_time(void **state)
{
    (void)state;
    struct evs_hist h;
    evs_hist_init(&h, 1, 100);
    evs_hist_add(&h, 0, 3600000, 1);
    evs_hist_add(&h, 0, 7200000, 2); /* an hour later: 36 s do not fit 100 buckets, 1 min does */
    assert_int_equal(h.width_ms, 60000);
    assert_int_equal(h.n, 61);
    assert_int_equal(evs_hist_start_ms(&h), 3600000);
    assert_int_equal(evs_hist_get(&h, 0, 0), 1);
    assert_int_equal(evs_hist_get(&h, 60, 0), 2);
    evs_hist_add(&h, 0, 3540000, 4); /* one bucket earlier */
    assert_int_equal(evs_hist_get(&h, 0, 0), 4);
    assert_int_equal(evs_hist_get(&h, 61, 0), 2);
    evs_hist_done(&h);
}

static void rate_window(void **state)
{
    (void)state;
    struct evs_rate r;
    double per_second = -1;
    evs_rate_init(&r);
    evs_rate_add(&r, 1000, 10);
    assert_false(evs_rate_get(&r, 5000, &per_second));
    evs_rate_add(&r, 2000, 110);
    evs_rate_add(&r, 3000, 130);
    assert_true(evs_rate_get(&r, 5000, &per_second));
    near(per_second, 60);
    assert_true(evs_rate_get(&r, 1000, &per_second));
    near(per_second, 20);
    evs_rate_add(&r, 4000, 5); /* went back: afresh */
    assert_false(evs_rate_get(&r, 5000, &per_second));
    for (int i = 0; i < 200; i++)
        evs_rate_add(&r, 5000 + i * 10, 5 + i);
    assert_true(evs_rate_get(&r, 100000, &per_second));
    near(per_second, 100);
}

int main(void)
{
    const char *env = getenv("EVENTSCOPE_SEED");
    seed_base = env ? strtoull(env, NULL, 10) : 1;
    printf("# EVENTSCOPE_SEED=%llu\n", (unsigned long long)seed_base);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topk_bounds),
        cmocka_unit_test(topk_merge),
        cmocka_unit_test(topk_order_and_exactness),
        cmocka_unit_test(hll_error_as_stated),
        cmocka_unit_test(hll_union),
        cmocka_unit_test(quantile_within_one_percent),
        cmocka_unit_test(skew_by_definition),
        cmocka_unit_test(chi2_known_values),
        cmocka_unit_test(hist_keeps_totals),
        cmocka_unit_test(hist_places_by_time),
        cmocka_unit_test(rate_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
