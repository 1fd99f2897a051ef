/* Sampling by windows: the stated interval holds the truth at least as often as it says, over many
 * seeds, also where keys come in bursts (EVENTSCOPE_SEED=N sets the first seed). */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/xalloc.h"
#include "kafka/range.h"
#include "keys/boot.h"
#include "keys/windows.h"
#include "stats/partitioner.h"

enum { P = 6, RECORDS = 300000, KEYS = 3000, RUNS = 100 };

static uint64_t seed_base = 1, rng_state;
static uint32_t *log_of[P];
static int64_t len[P];
static uint64_t truth[KEYS];

static uint64_t rnd(uint64_t n)
{
    return evs_boot_rng(&rng_state) % n;
}

static size_t key_of(uint32_t k, char *to)
{
    return (size_t)snprintf(to, 40, "key-%u", k);
}

/* bursts: a key comes back to back in runs of this mean length. */
static void write_topic(uint64_t seed, unsigned bursts)
{
    uint32_t last = 0;
    rng_state = seed;
    memset(truth, 0, sizeof(truth));
    memset(len, 0, sizeof(len));
    for (int p = 0; p < P; p++)
        log_of[p] = evs_xcalloc(RECORDS, sizeof(uint32_t));
    for (int i = 0; i < RECORDS; i++) {
        if (bursts == 0 || rnd(bursts) == 0)
            last = (uint32_t)fmin(KEYS - 1, exp((double)rnd(1 << 24) / (1 << 24) * log(KEYS)) - 1);
        char key[40];
        size_t n = key_of(last, key);
        int32_t p = evs_partitioner_of(&evs_partitioner_murmur2, key, n, P);
        log_of[p][len[p]++] = last;
        truth[last]++;
    }
}

static void topic_done(void)
{
    for (int p = 0; p < P; p++)
        evs_free(log_of[p]);
}

static struct evs_ranges whole_topic(struct evs_range *parts)
{
    for (int32_t p = 0; p < P; p++)
        parts[p] = (struct evs_range){.partition = p, .to = len[p], .high = len[p], .lso = len[p]};
    return (struct evs_ranges){.topic = "t", .parts = parts, .n = P, .topic_partitions = P};
}

static struct evs_keyset *read_windows(const struct evs_ranges *w)
{
    struct evs_keytab *t = evs_keytab_new(P, 64 << 20, 64, 11);
    t->sampling = true;
    for (size_t i = 0; i < w->n; i++) {
        t->window = (uint32_t)i;
        for (int64_t o = w->parts[i].from; o < w->parts[i].to; o++) {
            char key[40];
            struct evs_key_rec r = {.key = key,
                                    .partition = w->parts[i].partition,
                                    .offset = o,
                                    .ts_ms = 1700000000000 + o,
                                    .value_len = 5};
            r.key_len = key_of(log_of[r.partition][o], key);
            evs_keytab_add(t, &r);
        }
    }
    struct evs_keyset *ks = evs_keyset_new(&t, 1, KEYS);
    evs_keytab_free(t);
    return ks;
}

/* How many of the top 10's true shares lie in their intervals. A key that was not seen at all is
 * not. */
static int covered(const struct evs_keyset *ks, const struct evs_windows_part *parts, int *stated)
{
    int inside = 0;
    for (uint32_t k = 0; k < 10; k++) /* keys are numbered by weight */
        for (size_t i = 0; i < ks->n_top; i++) {
            char key[40];
            size_t n = key_of(k, key);
            if (ks->top[i].key_len != n || memcmp(ks->top[i].key, key, n) != 0)
                continue;
            struct evs_interval in = evs_windows_share(ks, &ks->top[i], parts);
            double share = (double)truth[k] / RECORDS;
            ++*stated;
            inside += in.low <= share && share <= in.high;
            assert_true(in.high - in.low < 1);
        }
    return inside;
}

static void coverage(unsigned bursts, double fraction)
{
    int inside = 0, stated = 0;
    struct evs_range parts[P];
    write_topic(seed_base, bursts);
    struct evs_ranges whole = whole_topic(parts);
    for (uint64_t seed = seed_base; seed < seed_base + RUNS; seed++) {
        struct evs_windows_part plan[P];
        struct evs_ranges *w = evs_windows_ranges(&whole, fraction, seed);
        evs_windows_parts(&whole, w, plan, P);
        struct evs_keyset *ks = read_windows(w);
        inside += covered(ks, plan, &stated);
        evs_keyset_free(ks);
        evs_free(w->parts);
        evs_free(w->topic);
        evs_free(w);
    }
    topic_done();
    assert_true(stated >= RUNS * 8);
    if (inside < stated * EVS_WINDOWS_CONFIDENCE)
        fail_msg("bursts %u, fraction %g: %d of %d inside", bursts, fraction, inside, stated);
}

static void intervals_hold_their_word(void **state)
{
    (void)state;
    coverage(0, 0.02);
    coverage(0, 0.1);
    coverage(50, 0.02);
    coverage(500, 0.05);
}

static void windows_are_spread_and_sized(void **state)
{
    (void)state;
    struct evs_range parts[P];
    write_topic(seed_base, 0);
    struct evs_ranges whole = whole_topic(parts);
    for (uint64_t seed = seed_base; seed < seed_base + 50; seed++) {
        struct evs_windows_part plan[P];
        struct evs_ranges *w = evs_windows_ranges(&whole, 0.04, seed);
        evs_windows_parts(&whole, w, plan, P);
        for (size_t i = 0; i < w->n; i++) {
            assert_true(w->parts[i].from < w->parts[i].to);
            assert_true(w->parts[i].to <= len[w->parts[i].partition]);
            if (i > 0 && w->parts[i - 1].partition == w->parts[i].partition)
                assert_true(w->parts[i - 1].to <= w->parts[i].from);
        }
        for (int p = 0; p < P; p++) { /* the same fraction of each, over its whole length */
            assert_int_equal(plan[p].windows, EVS_WINDOWS_EACH);
            assert_true(fabs((double)plan[p].read / (double)plan[p].whole - 0.04) < 0.002);
        }
        evs_free(w->parts);
        evs_free(w->topic);
        evs_free(w);
    }
    topic_done();
}

static void fractions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want;
    } good[] = {{"0.25", 0.25}, {"5%", 0.05}, {"100%", 1},   {"1000", 0.001},
                {"", 0.4},      {"1.0", 1},   {"5000000", 1}};
    struct evs_err err = EVS_ERR_INIT;
    double f;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(evs_windows_fraction(good[i].text, 1000000, &f, &err), EVS_OK);
        assert_true(fabs(f - good[i].want) < 1e-12);
    }
    static const char *const wrong[] = {"0", "-1", "101%", "1.5", "x", "%", "0%"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(evs_windows_fraction(wrong[i], 1000000, &f, &err), EVS_INVALID);
}

int main(void)
{
    const char *env = getenv("EVENTSCOPE_SEED");
    seed_base = env ? strtoull(env, NULL, 10) : 1;
    printf("# EVENTSCOPE_SEED=%llu\n", (unsigned long long)seed_base);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_hold_their_word),
        cmocka_unit_test(windows_are_spread_and_sized),
        cmocka_unit_test(fractions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
