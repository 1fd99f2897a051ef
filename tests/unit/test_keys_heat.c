/* Patterns of the heat map on grids made to have them (EVENTSCOPE_SEED=N sets the first seed). */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/xalloc.h"
#include "keys/boot.h"
#include "keys/heat.h"

static uint64_t seed_base = 1, rng_state;

static uint64_t rnd(uint64_t n)
{
    return evs_boot_rng(&rng_state) % n;
}

static struct evs_heat_grid grid;

static void grid_new(size_t columns, size_t rows, uint64_t base)
{
    grid = (struct evs_heat_grid){
        .start_ms = 1700000000000, .bucket_ms = 60000, .n = columns, .rows = rows};
    grid.cell = evs_xcalloc(columns * rows, sizeof(*grid.cell));
    for (size_t i = 0; i < columns * rows; i++)
        grid.cell[i] = base ? base + rnd(base / 5 + 1) : 0;
}

static void one_pattern(const char *kind, int32_t partition, size_t from)
{
    struct evs_heat_pattern *p;
    size_t n;
    evs_heat_patterns(&grid, 0, &p, &n);
    if (!kind) {
        assert_int_equal(n, 0);
    } else {
        assert_true(n >= 1);
        assert_string_equal(p[0].kind, kind);
        assert_int_equal(p[0].partition, partition);
        assert_int_equal(p[0].from_ts, grid.start_ms + (int64_t)from * 60000);
    }
    evs_heat_patterns_free(p, n);
    evs_heat_grid_done(&grid);
}

/* The end of a band, by its words: the last slice is short, or full. */
static void a_band_and_the_last_slice(void **state)
{
    (void)state;
    rng_state = seed_base;
    for (uint64_t last = 10; last <= 100; last += 90) {
        struct evs_heat_pattern *p;
        size_t n;
        grid_new(60, 12, 100);
        for (size_t c = 20; c < 59; c++)
            grid.cell[c * 12 + 4] *= 9;
        for (size_t r = 0; r < 12; r++)
            grid.cell[59 * 12 + r] = last;
        evs_heat_patterns(&grid, 0, &p, &n);
        assert_true(n >= 1);
        assert_string_equal(p[0].kind, "band");
        assert_int_equal(strstr(p[0].text, "since") != NULL, last < 50);
        evs_heat_patterns_free(p, n);
        evs_heat_grid_done(&grid);
    }
}

static void heat_patterns(void **state)
{
    (void)state;
    for (uint64_t seed = seed_base; seed < seed_base + 10; seed++) {
        rng_state = seed;
        grid_new(60, 12, 100);
        one_pattern(NULL, 0, 0);
        grid_new(60, 12, 100);
        for (size_t c = 20; c < 60; c++)
            grid.cell[c * 12 + 4] *= 9;
        one_pattern("band", 4, 20);
        grid_new(60, 12, 100);
        for (size_t c = 30; c < 34; c++)
            for (size_t r = 0; r < 12; r++)
                grid.cell[c * 12 + r] *= 8;
        one_pattern("burst", -1, 30);
        grid_new(60, 12, 100);
        for (size_t c = 40; c < 45; c++)
            for (size_t r = 0; r < 12; r++)
                grid.cell[c * 12 + r] = 0;
        one_pattern("gap", -1, 40);
        grid_new(60, 12, 100);
        for (size_t c = 0; c < 25; c++)
            for (size_t r = 8; r < 12; r++)
                grid.cell[c * 12 + r] = 0;
        one_pattern("step", 8, 25);
        grid_new(60, 12, 0);
        for (size_t c = 0; c < 60; c++)
            grid.cell[c * 12 + (c * 5) % 12] = 200;
        one_pattern("diagonal", -1, 0);
    }
}

/* The share of a row before and since it jumped. */
static void since(void **state)
{
    (void)state;
    struct evs_heat_since s;
    rng_state = seed_base;
    grid_new(60, 4, 100);
    assert_false(evs_heat_since_of(&grid, 2, &s));
    for (size_t c = 20; c < 60; c++)
        grid.cell[c * 4 + 2] *= 5;
    assert_true(evs_heat_since_of(&grid, 2, &s));
    assert_int_equal(s.ts, grid.start_ms + 20 * 60000);
    assert_true(s.before > 0.2 && s.before < 0.3 && s.since > 0.58 && s.since < 0.67);
    evs_heat_grid_done(&grid);
}

static void rows_by_group(void **state)
{
    (void)state;
    static const int32_t leader[] = {7, 2, -1, 2, 7, 2}, ids[] = {-1, 2, 7};
    struct evs_heat_grid by;
    int32_t *id;
    grid_new(30, 6, 100);
    evs_heat_grid_by(&grid, leader, &by, &id);
    assert_int_equal(by.rows, 3);
    assert_int_equal(by.n, 30);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(id[i], ids[i]);
        for (size_t c = 0; c < 30; c++) {
            uint64_t sum = 0;
            for (size_t r = 0; r < 6; r++)
                sum += leader[r] == id[i] ? grid.cell[c * 6 + r] : 0;
            assert_int_equal(by.cell[c * 3 + i], sum);
        }
    }
    evs_free(id);
    evs_heat_grid_done(&by);
    evs_heat_grid_done(&grid);
}

int main(void)
{
    const char *env = getenv("EVENTSCOPE_SEED");
    seed_base = env ? strtoull(env, NULL, 10) : 1;
    printf("# EVENTSCOPE_SEED=%llu\n", (unsigned long long)seed_base);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_band_and_the_last_slice),
        cmocka_unit_test(heat_patterns),
        cmocka_unit_test(since),
        cmocka_unit_test(rows_by_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
