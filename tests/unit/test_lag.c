/* lag: definitions, Burrow's rules with a fixture each, rates, lag in time, ETA. */
#include "test.h"

#include "core/attr.h"
#include "lag/eval.h"
#include "lag/history.h"

/* ---- figures ---- */

static struct evs_lag_figures figures(int64_t committed, int64_t low, int64_t hw, int64_t lso,
                                      bool stable)
{
    struct evs_lag_ends ends = {.low = low, .hw = hw, .lso = lso};
    struct evs_lag_figures f;
    evs_lag_figures(committed, &ends, stable, &f);
    return f;
}

static void a_commit_between_the_ends(void **state)
{
    (void)state;
    struct evs_lag_figures f = figures(40, 10, 100, 100, false);
    assert_int_equal(f.lag, 60);
    assert_int_equal(f.lost, 0);
    assert_int_equal(f.note, EVS_NOTE_NONE);
}

static void no_commit_is_null_not_zero(void **state)
{
    (void)state;
    struct evs_lag_figures f = figures(EVS_LAG_NULL, 0, 100, 100, false);
    assert_int_equal(f.lag, EVS_LAG_NULL);
    assert_int_equal(f.note, EVS_NOTE_NO_COMMIT);
    assert_string_equal(evs_lag_note_text(f.note), "no committed offset");
}

static void a_commit_before_the_log_start_counts_what_is_left(void **state)
{
    (void)state;
    struct evs_lag_figures f = figures(5, 30, 100, 100, false);
    assert_int_equal(f.lag, 70);
    assert_int_equal(f.lost, 25);
    assert_string_equal(evs_lag_note_text(f.note), "offset before log start");
}

static void a_commit_past_the_end_is_null_not_negative(void **state)
{
    (void)state;
    struct evs_lag_figures f = figures(500, 0, 100, 100, false);
    assert_int_equal(f.lag, EVS_LAG_NULL);
    assert_string_equal(evs_lag_note_text(f.note), "offset past log end");
}

static void an_open_transaction_shows_both_ends(void **state)
{
    (void)state;
    struct evs_lag_figures f = figures(200, 0, 1663, 200, false);
    assert_int_equal(f.lag, 1463);
    assert_int_equal(f.open, 1463);
    assert_int_equal(f.note, EVS_NOTE_OPEN_TXN);
    f = figures(200, 0, 1663, 200, true);
    assert_int_equal(f.lag, 0);
    assert_int_equal(f.high, 200);
    f = figures(900, 0, 1663, 200, true); /* a read_uncommitted consumer: past the stable end */
    assert_int_equal(f.lag, 0);
    assert_int_equal(f.note, EVS_NOTE_OPEN_TXN);
}

static void a_later_stable_offset_never_makes_a_transaction(void **state)
{
    (void)state;
    struct evs_lag_figures f = figures(90, 0, 100, 120, false);
    assert_int_equal(f.high, 120);
    assert_int_equal(f.open, 0);
    assert_int_equal(f.note, EVS_NOTE_NONE);
}

static void a_gone_topic_and_a_failed_one_are_unknown(void **state)
{
    (void)state;
    struct evs_lag_ends gone = {.low = EVS_LAG_NULL, .hw = EVS_LAG_NULL, .gone = true};
    struct evs_lag_figures f;
    evs_lag_figures(7, &gone, false, &f);
    assert_int_equal(f.lag, EVS_LAG_NULL);
    assert_string_equal(evs_lag_note_text(f.note), "topic gone");
    struct evs_lag_ends failed = {.low = 0, .hw = 5, .lso = 5, .failed = true};
    evs_lag_figures(3, &failed, false, &f);
    assert_int_equal(f.lag, EVS_LAG_NULL);
    assert_int_equal(f.note, EVS_NOTE_ERROR);
}

/* ---- Burrow's rules: {committed, lag} a reading, one a second ---- */

struct fixture {
    int64_t reading[2 * EVS_LAG_WINDOW]; /* committed, lag, ... */
    int n;
    enum evs_lag_owner owner;
    bool commits;
    int64_t after_ms; /* from the last reading to now */
    int64_t gap_ms;
};

static struct evs_lag_verdict judge(const struct fixture *x)
{
    static struct evs_lag_reading r[EVS_LAG_WINDOW];
    for (int i = 0; i < x->n; i++)
        r[i] = (struct evs_lag_reading){1000 * (i + 1), x->reading[2 * i], x->reading[2 * i + 1]};
    int64_t committed = x->reading[2 * x->n - 2], lag = x->reading[2 * x->n - 1];
    struct evs_lag_case c = {.readings = r,
                             .n = x->n,
                             .now_ms = 1000 * x->n + x->after_ms,
                             .owner = x->owner,
                             .readings_are_commits = x->commits,
                             .now = {.high = committed + lag, .lag = lag},
                             .committed = committed,
                             .lso = committed + lag,
                             .commit_gap_ms = x->gap_ms,
                             .produce_rate = -1};
    return evs_lag_judge(&c);
}

static void expect(const struct fixture *x, enum evs_lag_status status, enum evs_lag_rule rule)
{
    struct evs_lag_verdict v = judge(x);
    assert_string_equal(evs_lag_status_name(v.status), evs_lag_status_name(status));
    assert_string_equal(evs_lag_rule_text(v.rule), evs_lag_rule_text(rule));
}

static void current_lag_allowed_is_ok(void **state)
{
    (void)state;
    expect(&(struct fixture){.reading = {5, 9, 5, 9, 14, 0}, .n = 3, .owner = EVS_OWNER_HELD},
           EVS_LAG_OK, EVS_RULE_CAUGHT_UP);
}

static void stop_no_commit_for_longer_than_the_window(void **state)
{
    (void)state;
    struct fixture x = {.reading = {5, 1, 6, 2, 7, 3}, .n = 3, .commits = true, .after_ms = 2001};
    expect(&x, EVS_LAG_STOP, EVS_RULE_SILENT);
    x.after_ms = 1999;
    assert_int_not_equal(judge(&x).status, EVS_LAG_STOP);
}

static void stop_nobody_is_there(void **state)
{
    (void)state;
    expect(&(struct fixture){.reading = {5, 9}, .n = 1, .owner = EVS_OWNER_NO_GROUP}, EVS_LAG_STOP,
           EVS_RULE_NO_MEMBER);
    expect(&(struct fixture){.reading = {5, 9}, .n = 1, .owner = EVS_OWNER_NONE}, EVS_LAG_STOP,
           EVS_RULE_NO_OWNER);
}

static void rewind_until_reached_again(void **state)
{
    (void)state;
    struct fixture x = {.reading = {100, 1, 20, 81, 40, 61}, .n = 3, .owner = EVS_OWNER_HELD};
    expect(&x, EVS_LAG_REWIND, EVS_RULE_REWIND);
    struct fixture back = {
        .reading = {100, 1, 20, 81, 100, 5, 104, 1}, .n = 4, .owner = EVS_OWNER_HELD};
    assert_int_not_equal(judge(&back).status, EVS_LAG_REWIND);
}

static void caught_up_lately_is_ok(void **state)
{
    (void)state;
    expect(&(struct fixture){.reading = {1, 4, 5, 0, 5, 3}, .n = 3, .owner = EVS_OWNER_HELD},
           EVS_LAG_OK, EVS_RULE_WAS_CAUGHT_UP);
}

static void stall_all_offsets_equal(void **state)
{
    (void)state;
    struct fixture x = {.reading = {5, 0, 5, 3, 5, 6, 5, 6}, .n = 4, .owner = EVS_OWNER_HELD};
    expect(&x, EVS_LAG_STALL, EVS_RULE_STANDS);
    x.gap_ms = 60000; /* this consumer commits once a minute: nothing to say yet */
    assert_int_not_equal(judge(&x).status, EVS_LAG_STALL);
}

static void warn_lag_never_shrinks(void **state)
{
    (void)state;
    struct fixture x = {
        .reading = {5, 100, 6, 150, 7, 150, 8, 200}, .n = 4, .owner = EVS_OWNER_HELD};
    expect(&x, EVS_LAG_WARN, EVS_RULE_GROWS);
    x.reading[5] = 140;
    expect(&x, EVS_LAG_OK, EVS_RULE_MOVING);
}

static void null_lags_are_skipped(void **state)
{
    (void)state;
    expect(&(struct fixture){.reading = {5, 100, 6, EVS_LAG_NULL, 7, 150, 8, 200},
                             .n = 4,
                             .owner = EVS_OWNER_HELD},
           EVS_LAG_WARN, EVS_RULE_GROWS);
}

static void an_incomplete_window_is_ok(void **state)
{
    (void)state;
    expect(&(struct fixture){.reading = {5, 9, 5, 12}, .n = 2, .owner = EVS_OWNER_HELD}, EVS_LAG_OK,
           EVS_RULE_INCOMPLETE);
}

static void our_own_rules_come_first(void **state)
{
    (void)state;
    struct evs_lag_reading r[3] = {{1000, 200, 9}, {2000, 200, 9}, {3000, 200, 9}};
    struct evs_lag_case c = {.readings = r,
                             .n = 3,
                             .now_ms = 3000,
                             .owner = EVS_OWNER_HELD,
                             .committed = 200,
                             .produce_rate = -1};
    c.now = figures(200, 0, 1663, 200, false);
    c.lso = 200;
    assert_int_equal(evs_lag_judge(&c).rule, EVS_RULE_OPEN_TXN);
    c.now = figures(200, 0, 201, 201, false);
    c.only_markers = true;
    assert_int_equal(evs_lag_judge(&c).rule, EVS_RULE_MARKERS);
    assert_int_equal(evs_lag_judge(&c).status, EVS_LAG_OK);
    c.only_markers = false;
    c.now = figures(200, 250, 300, 300, false);
    assert_int_equal(evs_lag_judge(&c).rule, EVS_RULE_LOST);
    c.now = figures(200, 0, 150, 150, false);
    assert_int_equal(evs_lag_judge(&c).rule, EVS_RULE_AHEAD);
    c.owner = EVS_OWNER_NO_GROUP;
    c.now = figures(200, 0, 200, 200, false);
    assert_int_equal(evs_lag_judge(&c).status, EVS_LAG_EMPTY);
}

/* ---- groups ---- */

static void a_group_is_as_bad_as_its_worst_partition(void **state)
{
    (void)state;
    struct evs_lag_part_view p[] = {{{EVS_LAG_OK, EVS_RULE_CAUGHT_UP}, 10},
                                    {{EVS_LAG_STALL, EVS_RULE_STANDS}, 990},
                                    {{EVS_LAG_UNKNOWN, EVS_RULE_NO_COMMIT}, EVS_LAG_NULL}};
    struct evs_lag_group_view g;
    evs_lag_judge_group(p, 3, false, &g);
    assert_int_equal(g.verdict.status, EVS_LAG_STALL);
    assert_int_equal(g.total, 1000);
    assert_int_equal(g.worst, 1);
    assert_false(g.partial);
    assert_true(g.top_share > 0.98);
}

static void one_partition_with_most_of_the_lag_is_skew(void **state)
{
    (void)state;
    struct evs_lag_part_view p[] = {{{EVS_LAG_OK, EVS_RULE_MOVING}, 3},
                                    {{EVS_LAG_WARN, EVS_RULE_GROWS}, 500},
                                    {{EVS_LAG_OK, EVS_RULE_MOVING}, 4}};
    struct evs_lag_group_view g;
    evs_lag_judge_group(p, 3, false, &g);
    assert_int_equal(g.verdict.status, EVS_LAG_SKEWED);
    p[0].lag = p[2].lag = 400;
    evs_lag_judge_group(p, 3, false, &g);
    assert_int_equal(g.verdict.status, EVS_LAG_WARN);
    p[1].verdict = (struct evs_lag_verdict){EVS_LAG_UNKNOWN, EVS_RULE_GONE};
    p[1].lag = EVS_LAG_NULL;
    evs_lag_judge_group(p, 3, false, &g);
    assert_true(g.partial);
}

static void a_group_without_commits_has_no_total(void **state)
{
    (void)state;
    struct evs_lag_group_view g;
    evs_lag_judge_group(NULL, 0, true, &g);
    assert_int_equal(g.total, EVS_LAG_NULL);
    assert_int_equal(g.verdict.status, EVS_LAG_EMPTY);
    evs_lag_judge_group(NULL, 0, false, &g);
    assert_int_equal(g.verdict.status, EVS_LAG_UNKNOWN);
}

/* ---- history ---- */

static void rates_come_from_the_readings(void **state)
{
    (void)state;
    struct evs_track t;
    evs_track_init(&t);
    assert_true(evs_track_rate(&t, 60000) < 0);
    evs_track_add(&t, 1000, 0, 100);
    evs_track_add(&t, 3000, 0, 300);
    assert_true(evs_track_rate(&t, 60000) == 100.0);
    evs_track_add(&t, 4000, 0, 50); /* recreated */
    assert_true(evs_track_rate(&t, 60000) < 0);

    struct evs_trail r;
    evs_trail_init(&r);
    evs_trail_add(&r, 1000, 500, 1);
    evs_trail_add(&r, 2000, 100, 1); /* rewound: counts from here */
    evs_trail_add(&r, 4000, 160, 1);
    assert_true(evs_trail_rate(&r) == 30.0);
    assert_int_equal(r.moved_ms, 4000);
    assert_int_equal(r.commit_gap_ms, 2000);
}

static void lag_in_time_between_two_ends(void **state)
{
    (void)state;
    struct evs_track t;
    evs_track_init(&t);
    evs_track_add(&t, 10000, 0, 100);
    evs_track_add(&t, 20000, 0, 200);
    for (int i = 3; i < 90; i++)
        evs_track_add(&t, i * 10000, 0, 200); /* idle: two points */
    evs_track_add(&t, 900000, 0, 300);
    struct evs_lag_time a;
    evs_track_age(&t, 150, 300, 900000, &a);
    assert_int_equal(a.method, EVS_METHOD_INTERPOLATED);
    assert_int_equal(a.lag_ms, 885000);
    assert_int_equal(a.min_ms, 880000);
    assert_int_equal(a.max_ms, 890000);
    evs_track_age(&t, 250, 300, 900000,
                  &a); /* came in the last interval, not during the idle time */
    assert_true(a.max_ms <= 10000);
    evs_track_age(&t, 300, 300, 900000, &a);
    assert_int_equal(a.method, EVS_METHOD_EXACT);
    assert_int_equal(a.lag_ms, 0);
}

static void lag_in_time_from_the_grid(void **state)
{
    (void)state;
    struct evs_track t;
    evs_track_init(&t);
    int64_t now = 100000000;
    struct evs_lag_time a;
    evs_track_age(&t, 5, 300, now, &a);
    assert_int_equal(a.method, EVS_METHOD_NONE);
    evs_track_add(&t, now, 0, 300);
    t.grid_at_ms = now;
    static const int64_t grid[EVS_GRID_STEPS] = {EVS_LAG_NULL, 290, 200, 100, 100, 50};
    memcpy(t.grid, grid, sizeof(grid));
    evs_track_age(&t, 295, 300, now, &a); /* nothing in the last minute: 1 to 5 minutes old */
    assert_int_equal(a.method, EVS_METHOD_INTERPOLATED);
    assert_int_equal(a.min_ms, 60000);
    assert_int_equal(a.max_ms, 300000);
    evs_track_age(&t, 150, 300, now, &a);
    assert_int_equal(a.min_ms, 900000);
    assert_int_equal(a.max_ms, 3600000);
    evs_track_age(&t, 60, 300, now, &a); /* 100 at 1 h and at 6 h: the older step decides */
    assert_int_equal(a.min_ms, 21600000);
    assert_int_equal(a.max_ms, 86400000);
    evs_track_age(&t, 10, 300, now, &a);
    assert_int_equal(a.method, EVS_METHOD_BRACKET);
    assert_int_equal(a.lag_ms, EVS_LAG_NULL);
    assert_int_equal(a.min_ms, 86400000);
}

static void sparks_keep_half_an_hour(void **state)
{
    (void)state;
    struct evs_cells s;
    evs_cells_init(&s);
    int64_t now = 1000 * EVS_CELL_MS;
    double v[4];
    evs_cells_get(&s, now, 4, v);
    assert_true(v[0] < 0 && v[3] < 0);
    evs_cells_put(&s, now - 2 * EVS_CELL_MS, 7);
    evs_cells_put(&s, now, 9);
    evs_cells_put(&s, now, 10);
    evs_cells_get(&s, now, 4, v);
    assert_true(v[0] < 0 && v[1] == 7 && v[2] < 0 && v[3] == 10);
    evs_cells_put(&s, now + 100 * EVS_CELL_MS, 1);
    evs_cells_get(&s, now + 100 * EVS_CELL_MS, 4, v);
    assert_true(v[2] < 0 && v[3] == 1);
}

static void the_slowest_partition_rules_the_eta(void **state)
{
    (void)state;
    struct evs_lag_eta fast = evs_lag_eta(100, 60, 10, false);
    struct evs_lag_eta slow = evs_lag_eta(100, 11, 10, false);
    assert_int_equal(fast.kind, EVS_ETA_TIME);
    assert_true(fast.seconds == 2.0);
    assert_true(evs_lag_eta_slower(fast, slow).seconds == 100.0);
    struct evs_lag_eta grows = evs_lag_eta(100, 10, 10, false);
    assert_int_equal(evs_lag_eta_slower(slow, grows).kind, EVS_ETA_GROWS);
    assert_int_equal(evs_lag_eta(100, 0, 0, true).kind, EVS_ETA_NEVER);
    assert_int_equal(evs_lag_eta(0, -1, -1, true).kind, EVS_ETA_DONE);
    assert_int_equal(evs_lag_eta(5, -1, 3, false).kind, EVS_ETA_UNKNOWN);
    assert_int_equal(evs_lag_eta(5, 0, 0, false).kind, EVS_ETA_NEVER); /* it stands */
}

static void retention_left_from_how_the_log_start_moves(void **state)
{
    (void)state;
    struct evs_track t;
    evs_track_init(&t);
    evs_track_add(&t, 1000, 100, 1000);
    assert_true(evs_retention_left_s(&t, 1000, 100, 500) < 0);
    evs_track_add(&t, 11000, 200, 1000);
    assert_true(evs_retention_left_s(&t, 11000, 200, 500) == 30.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_between_the_ends),
        cmocka_unit_test(no_commit_is_null_not_zero),
        cmocka_unit_test(a_commit_before_the_log_start_counts_what_is_left),
        cmocka_unit_test(a_commit_past_the_end_is_null_not_negative),
        cmocka_unit_test(an_open_transaction_shows_both_ends),
        cmocka_unit_test(a_later_stable_offset_never_makes_a_transaction),
        cmocka_unit_test(a_gone_topic_and_a_failed_one_are_unknown),
        cmocka_unit_test(current_lag_allowed_is_ok),
        cmocka_unit_test(stop_no_commit_for_longer_than_the_window),
        cmocka_unit_test(stop_nobody_is_there),
        cmocka_unit_test(rewind_until_reached_again),
        cmocka_unit_test(caught_up_lately_is_ok),
        cmocka_unit_test(stall_all_offsets_equal),
        cmocka_unit_test(warn_lag_never_shrinks),
        cmocka_unit_test(null_lags_are_skipped),
        cmocka_unit_test(an_incomplete_window_is_ok),
        cmocka_unit_test(our_own_rules_come_first),
        cmocka_unit_test(a_group_is_as_bad_as_its_worst_partition),
        cmocka_unit_test(one_partition_with_most_of_the_lag_is_skew),
        cmocka_unit_test(a_group_without_commits_has_no_total),
        cmocka_unit_test(rates_come_from_the_readings),
        cmocka_unit_test(lag_in_time_between_two_ends),
        cmocka_unit_test(lag_in_time_from_the_grid),
        cmocka_unit_test(sparks_keep_half_an_hour),
        cmocka_unit_test(the_slowest_partition_rules_the_eta),
        cmocka_unit_test(retention_left_from_how_the_log_start_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
