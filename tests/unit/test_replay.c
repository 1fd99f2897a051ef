/* Plans, folds and exact sums. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "replay/rows.h"
#include "replay/plan.h"
#include "sinks/decimal.h"
#include "sinks/sink.h"

/* --- sums ------------------------------------------------------------------------------------ */
static void check_sum(const char *a, const char *b, const char *want)
{
    struct evs_decimal x, y;
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    assert_true(evs_decimal_read(&x, a, strlen(a)));
    assert_true(evs_decimal_read(&y, b, strlen(b)));
    assert_true(evs_decimal_add(&x, &y));
    evs_decimal_print(&x, &out);
    assert_string_equal(evs_buf_str(&out), want);
}

static void test_sums(void **state)
{
    (void)state;
    check_sum("0.1", "0.2", "0.3");
    check_sum("184.90", "0.1", "185.00");
    check_sum("9007199254740993", "1", "9007199254740994");
    check_sum("9223372036854775807", "1", "9223372036854775808");
    check_sum("-1", "1", "0");
    check_sum("-0.05", "0.02", "-0.03");
    check_sum("1e3", "1.5E-2", "1000.015");
    check_sum("99999999999999999999", "1", "100000000000000000000");
    check_sum("100000000000000000000", "-1", "99999999999999999999");
    check_sum("-5", "100000000000000000000", "99999999999999999995");
}

static void test_numbers_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-",   ".",  "1.2.3", "0x1",       "1e",
                                      "1e+", "nan", "1 ", "--1",   "1e99999999"};
    struct evs_decimal v;
    for (size_t i = 0; i < EVS_COUNT(bad); i++)
        assert_false(evs_decimal_read(&v, bad[i], strlen(bad[i])));
    assert_false(evs_decimal_read(&v, "1e500", 5)); /* more digits than fit */
    assert_true(evs_decimal_same("1.50", 4, "1.5", 3));
    assert_true(evs_decimal_same("1e2", 3, "100", 3));
    assert_false(evs_decimal_same("1", 1, "-1", 2));
    assert_true(evs_decimal_same("0", 1, "-0.0", 4));
}

/* --- folds ----------------------------------------------------------------------------------- */
static void add(struct evs_rows *f, const char *key, const char *value, int32_t partition,
                int64_t offset, int64_t ts)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_row r = {.key = key,
                        .key_len = strlen(key),
                        .value = value,
                        .value_len = value ? strlen(value) : 0,
                        .partition = partition,
                        .offset = offset,
                        .ts_ms = ts,
                        .deleted = !value,
                        .count = 1,
                        .sum = value};
    assert_int_equal(evs_rows_add(f, &r, &err), EVS_OK);
}

static void test_latest_keeps_the_newest(void **state)
{
    (void)state;
    struct evs_rows f;
    evs_rows_init(&f, EVS_VIEW_LATEST, 0);
    add(&f, "a", "1", 0, 10, 500);
    add(&f, "a", "longer than before", 0, 11, 400); /* the offset decides, not the time */
    add(&f, "b", "x", 0, 12, 100);
    add(&f, "b", "y", 1, 3, 90); /* two partitions: the time decides */
    add(&f, "c", "z", 0, 13, 1);
    add(&f, "c", NULL, 0, 14, 1);
    add(&f, "", "empty key", 0, 15, 1);
    evs_rows_finish(&f, false);
    assert_int_equal(f.n, 4);
    assert_int_equal(f.split, 1);
    const struct evs_row *a = evs_rows_find(&f, "a", 1), *b = evs_rows_find(&f, "b", 1);
    assert_memory_equal(a->value, "longer than before", a->value_len);
    assert_int_equal(b->offset, 12);
    assert_true(evs_rows_find(&f, "c", 1)->deleted);
    evs_rows_done(&f);
    evs_rows_init(&f, EVS_VIEW_LATEST, 0);
    add(&f, "c", "1", 0, 1, 1);
    add(&f, "", "empty key", 0, 2, 1);
    add(&f, "b", "2", 0, 3, 1);
    evs_rows_finish(&f, true);
    assert_int_equal(f.rows[0].key_len, 0); /* sorted by key */
    assert_memory_equal(f.rows[2].key, "c", 1);
    evs_rows_done(&f);
}

/* Short events wait for others before they are folded, long ones do not: none may overtake another
 * of its key. Against the last value of each key, kept beside it. */
static void test_long_and_short_events_keep_their_order(void **state)
{
    (void)state;
    enum { EVENTS = 20000, KEYS = 700, LONG = 3000 };
    struct evs_rows f;
    char *last[KEYS] = {NULL};
    uint32_t random = 20261122;
    evs_rows_init(&f, EVS_VIEW_LATEST, 0);
    for (int i = 0; i < EVENTS; i++) {
        char key[24], *value = test_calloc(LONG + 16, 1);
        random = random * 1664525 + 1013904223;
        unsigned n = (random >> 8) % KEYS;
        n = n % 3 ? n % 10 : n; /* some keys come again and again */
        snprintf(key, sizeof(key), "k%u", n);
        memset(value, 'a' + i % 26, random >> 28 ? random >> 24 & 63 : LONG);
        snprintf(value + strlen(value), 12, "%d", i);
        add(&f, key, value, 0, i, 0);
        test_free(last[n]);
        last[n] = value;
    }
    evs_rows_finish(&f, false);
    size_t known = 0;
    for (unsigned n = 0; n < KEYS; n++) {
        char key[24];
        snprintf(key, sizeof(key), "k%u", n);
        const struct evs_row *r = evs_rows_find(&f, key, strlen(key));
        assert_int_equal(!r, !last[n]);
        known += r != NULL;
        if (r) {
            assert_int_equal(r->value_len, strlen(last[n]));
            assert_memory_equal(r->value, last[n], r->value_len);
        }
        test_free(last[n]);
    }
    assert_int_equal(f.n, known);
    evs_rows_done(&f);
}

/* Whatever way the events of a key are spread over runs and batches, sorting them together gives
 * each key once, with its newest row: against a plain fold of the same events. */
static void test_runs_join_to_one_fold(void **state)
{
    (void)state;
    enum { EVENTS = 4000, KEYS = 300, RUNS = 7 };
    struct evs_rows plain, f[2];
    uint32_t seed = 20260104, random = seed;
    evs_rows_init(&plain, EVS_VIEW_LATEST, 0);
    evs_rows_init(&f[0], EVS_VIEW_LATEST, 0);
    evs_rows_init(&f[1], EVS_VIEW_LATEST, 0);
    for (int i = 0; i < EVENTS; i++) {
        char key[24], value[24];
        random = random * 1664525 + 1013904223;
        unsigned n = random >> 8;
        /* some are each other's beginning, and they differ late */
        snprintf(key, sizeof(key), n & 1 ? "key-%u" : "key-%05u-behind", n / 2 % KEYS);
        snprintf(value, sizeof(value), "%d", i);
        int run = i / (EVENTS / RUNS);
        add(&plain, key, n % 9 ? value : NULL, run, i, i % (EVENTS / RUNS));
        add(&f[run & 1], key, n % 9 ? value : NULL, run, i, i % (EVENTS / RUNS));
        if (i % (EVENTS / RUNS) == EVENTS / RUNS - 1 && run < 5)
            evs_rows_seal(&f[run & 1]); /* the last ones stay under way */
    }
    evs_rows_join(&f[0], &f[1]);
    evs_rows_finish(&f[0], true);
    evs_rows_finish(&plain, true);
    assert_true(f[0].split > 0);
    assert_int_equal(f[0].n, plain.n);
    for (size_t i = 0; i < plain.n; i++) {
        const struct evs_row *a = &plain.rows[i], *b = &f[0].rows[i];
        assert_int_equal(a->key_len, b->key_len);
        assert_memory_equal(a->key, b->key, a->key_len);
        assert_int_equal(a->offset, b->offset);
        assert_int_equal(a->deleted, b->deleted);
        if (a->value)
            assert_memory_equal(a->value, b->value, a->value_len);
        assert_true(!i || strcmp(plain.rows[i - 1].key, a->key) < 0);
    }
    evs_rows_done(&f[0]);
    evs_rows_done(&f[1]);
    evs_rows_done(&plain);
}

static void test_totals_and_log(void **state)
{
    (void)state;
    struct evs_rows f;
    evs_rows_init(&f, EVS_VIEW_SUM, 0);
    add(&f, "a", "0.1", 0, 1, 1);
    add(&f, "a", "0.2", 0, 2, 1);
    evs_rows_finish(&f, false);
    assert_string_equal(f.rows[0].sum, "0.3");
    assert_int_equal(f.rows[0].count, 2);
    evs_rows_done(&f);
    evs_rows_init(&f, EVS_VIEW_LOG, 0);
    add(&f, "a", "1", 0, 1, 1);
    add(&f, "a", "2", 0, 2, 1);
    assert_int_equal(f.n, 2);
    evs_rows_done(&f);
}

/* --- plans ----------------------------------------------------------------------------------- */
static enum evs_rc parse(const char *text, struct evs_plan *p, struct evs_err *err)
{
    memset(p, 0, sizeof(*p));
    return evs_plan_parse(p, text, strlen(text), err);
}

static void test_a_plan_round_trips(void **state)
{
    (void)state;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_plan p, q;
    assert_int_equal(
        parse(
            "{\"source\":{\"topic\":\"t\",\"since\":\"2h\"},\"keep\":{\"key\":[\"a*\",\"=b\"]},"
            "\"view\":{\"mode\":\"latest\",\"columns\":[\"n:numeric(10,2)=.value.n, s=.value.s\"]},"
            "\"sink\":{\"url\":\"jsonl:x\"},\"run\":{\"batch\":500,\"on_error\":\"skip\"}}",
            &p, &err),
        EVS_OK);
    assert_int_equal(p.n_columns, 2);
    assert_string_equal(p.columns[0].type, "numeric(10,2)");
    assert_string_equal(p.columns[1].expr, ".value.s");
    assert_int_equal(p.batch_events, 500);
    assert_int_equal(p.on_error, EVS_ON_ERROR_SKIP);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_PLAN_CAP);
    evs_plan_print(&p, &text);
    assert_int_equal(parse(evs_buf_str(&text), &q, &err), EVS_OK);
    assert_string_equal(p.hash, q.hash);
    assert_string_equal(p.id, q.id);
    evs_plan_set(&q.rate, "100"); /* how, not what */
    assert_int_equal(evs_plan_check(&q, &err), EVS_OK);
    assert_string_equal(p.hash, q.hash);
    evs_plan_set(&q.since, "3h");
    assert_int_equal(evs_plan_check(&q, &err), EVS_OK);
    assert_string_not_equal(p.hash, q.hash);
    evs_plan_done(&p);
    evs_plan_done(&q);
}

static void check_wrong(const char *text, const char *words)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_plan p;
    assert_int_equal(parse(text, &p, &err), EVS_INVALID);
    if (!strstr(err.msg, words))
        fail_msg("'%s' is not in '%s'", words, err.msg);
    evs_plan_done(&p);
}

static void test_wrong_plans_name_line_and_field(void **state)
{
    (void)state;
    check_wrong("[]", "JSON object");
    check_wrong("{\n\"source\": 5}", "line 2: source must be an object");
    check_wrong("{\n\n\"sauce\": {}}", "line 3: unknown field sauce");
    check_wrong("{\"source\":{\"topic\":\"t\"},\n\"sink\":{\"url\":\"nope:x\"}}",
                "line 2: sink.url");
    check_wrong("{\"source\":{\"topic\":\"t\"},\"sink\":{\"url\":\"jsonl:x\"},\n\n"
                "\"view\":{\"mode\":\"most\"}}",
                "line 3: view.mode");
    check_wrong("{\"source\":{\"topic\":\"t\"},\"sink\":{\"url\":\"jsonl:x\"},"
                "\"run\":{\"rate\":\"fast\"}}",
                "run.rate");
    check_wrong("{\"keep\":{\"key\":\"k\"}}", "keep.key: must be a list");
}

static void check_mask(const char *url, const char *want)
{
    char *got = evs_sink_mask(url);
    assert_string_equal(got, want);
    free(got);
}

static void test_passwords_are_masked(void **state)
{
    (void)state;
    check_mask("postgresql://u:secret@h/db", "postgresql://u:***@h/db");
    check_mask("postgresql://u@h:5432/db", "postgresql://u@h:5432/db");
    check_mask("redis://:secret@h:6379/0", "redis://:***@h:6379/0");
    check_mask("postgresql://h/db?password=secret&x=1", "postgresql://h/db?password=******&x=1");
    check_mask("sqlite:a:b@c", "sqlite:a:b@c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_latest_keeps_the_newest),
        cmocka_unit_test(test_long_and_short_events_keep_their_order),
        cmocka_unit_test(test_runs_join_to_one_fold),
        cmocka_unit_test(test_totals_and_log),
        cmocka_unit_test(test_a_plan_round_trips),
        cmocka_unit_test(test_wrong_plans_name_line_and_field),
        cmocka_unit_test(test_passwords_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
