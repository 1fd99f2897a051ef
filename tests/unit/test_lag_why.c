/* lag: records of __consumer_offsets, coordinators by name, tables, and the verdicts of Why. */
#include "test.h"

#include <stdio.h>

#include "core/attr.h"
#include "core/xalloc.h"
#include "lag/commits.h"
#include "lag/state.h"
#include "lag/why_judge.h"

/* ---- __consumer_offsets ---- */

/* Key: version, "g1", "topic", partition 3. Values as Kafka's JSON schemas lay them out. */
static const uint8_t key1[] = {0, 1, 0, 2, 'g', '1', 0, 5, 't', 'o', 'p', 'i', 'c', 0, 0, 0, 3};
static const uint8_t value0[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 'm', 0, 0, 1, 0, 0, 0, 0, 0};
static const uint8_t value1[] = {0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1,
                                 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0};
static const uint8_t value3[] = {0, 3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
                                 0, 7, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
static const uint8_t value4[] = {0, 4, 0,   0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
                                 7, 2, 'm', 0, 0, 1, 0, 0, 0, 0, 0, 0};

static void commits_of_every_version(void **state)
{
    static const struct {
        const uint8_t *p;
        size_t n;
    } values[] = {{value0, sizeof(value0)},
                  {value1, sizeof(value1)},
                  {value3, sizeof(value3)},
                  {value4, sizeof(value4)}};
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(values); i++) {
        struct evs_commit c = {0};
        assert_int_equal(evs_commit_decode(key1, sizeof(key1), values[i].p, values[i].n, &c),
                         EVS_COMMIT_OFFSET);
        assert_int_equal(c.group_len, 2);
        assert_memory_equal(c.topic, "topic", 5);
        assert_int_equal(c.partition, 3);
        assert_int_equal(c.offset, 256);
        assert_int_equal(c.ts_ms, INT64_C(0x010000000000));
    }
}

static void tombstones_other_keys_and_garbage(void **state)
{
    static const uint8_t other[] = {0, 2, 0, 1, 'g'}, negative[] = {0, 1, 0xff, 0xff};
    static const uint8_t future[] = {0, 9, 0};
    struct evs_commit c;
    (void)state;
    assert_int_equal(evs_commit_decode(key1, sizeof(key1), NULL, 0, &c), EVS_COMMIT_REMOVED);
    assert_int_equal(evs_commit_decode(other, sizeof(other), value3, 4, &c), EVS_COMMIT_OTHER);
    assert_int_equal(evs_commit_decode(negative, 4, value3, sizeof(value3), &c), EVS_COMMIT_BAD);
    assert_int_equal(evs_commit_decode(key1, sizeof(key1), future, 3, &c), EVS_COMMIT_BAD);
    for (size_t n = 0; n < sizeof(key1); n++)
        assert_int_equal(evs_commit_decode(key1, n, value3, sizeof(value3), &c), EVS_COMMIT_BAD);
    for (size_t n = 0; n < sizeof(value3); n++)
        assert_int_equal(evs_commit_decode(key1, sizeof(key1), value3, n, &c), EVS_COMMIT_BAD);
}

static void the_coordinator_follows_from_the_name(void **state)
{
    (void)state;
    /* "hello".hashCode() is 99162322, "group".hashCode() 98629247; an emoji is two units. */
    assert_int_equal(evs_lag_group_home("hello", 50), 99162322 % 50);
    assert_int_equal(evs_lag_group_home("group", 50), 98629247 % 50);
    assert_int_equal(evs_lag_group_home("\xf0\x9f\x98\x80", 1000000), 1772899 % 1000000);
    /* Integer.MIN_VALUE has no absolute value: Kafka takes 0. */
    assert_int_equal(evs_lag_group_home("polygenelubricants", 50), 0);
    assert_int_equal(evs_lag_group_home("x", 0), -1);
}

static void entries_stay_in_order_however_they_come(void **state)
{
    struct evs_lag_state st;
    (void)state;
    evs_lag_state_init(&st);
    struct evs_lag_group *g = evs_lag_state_group(&st, "g");
    struct evs_lag_topic *b = evs_lag_state_topic(&st, "b"), *a = evs_lag_state_topic(&st, "a");
    static const int32_t order[] = {5, 1, 3, 0, 4, 2, 3};
    for (size_t i = 0; i < EVS_COUNT(order); i++) {
        assert_non_null(evs_lag_state_entry(g, b, order[i]));
        assert_non_null(evs_lag_state_entry(g, a, order[i]));
    }
    assert_null(evs_lag_state_entry(g, a, -1));
    assert_int_equal(g->n, 12);
    for (size_t i = 0; i < g->n; i++) {
        assert_ptr_equal(g->entries[i]->topic, i < 6 ? a : b);
        assert_int_equal(g->entries[i]->partition, (int32_t)(i % 6));
    }
    evs_lag_state_forget(&st, "g");
    assert_int_equal(st.groups.n, 0);
    evs_lag_state_done(&st);
}

/* ---- why ---- */

static struct evs_lag_row rows[3];
static struct evs_lag_member_view members[1] = {{"m-1", "client", "10.0.0.1", NULL, 3}};
static struct evs_lag_group_row group;
static struct evs_lag_sn sn;

/* A group of one member; p0 lags by 100, the others keep up. */
static int reset(void **state)
{
    (void)state;
    memset(rows, 0, sizeof(rows));
    for (int i = 0; i < 3; i++)
        rows[i] = (struct evs_lag_row){.topic = "t",
                                       .partition = i,
                                       .committed = 1000,
                                       .hw = 1000,
                                       .lso = 1000,
                                       .f = {.high = 1000},
                                       .consume = 50,
                                       .produce = 50,
                                       .retention_left_s = -1};
    rows[0].f = (struct evs_lag_figures){.high = 1100, .lag = 100};
    rows[0].hw = rows[0].lso = 1100;
    rows[0].behind = EVS_LAG_NULL;
    rows[0].verdict = (struct evs_lag_verdict){EVS_LAG_STALL, EVS_RULE_STANDS};
    group = (struct evs_lag_group_row){.name = "g",
                                       .state = EVS_GROUP_STABLE,
                                       .described = true,
                                       .members = members,
                                       .n_members = 1,
                                       .rows = rows,
                                       .n_rows = 3};
    sn = (struct evs_lag_sn){.at_ms = 1700000000000, .groups = &group, .n_groups = 1};
    return 0;
}

static struct evs_why *judged(struct evs_event *record, double mean, int checked, int json)
{
    struct evs_why *w = evs_lag_why_start(&sn, &group, &rows[0]);
    struct evs_why_read read = {checked, json, "", ""};
    w->record = record ? evs_event_copy(record) : NULL;
    w->mean_bytes = mean;
    w->read = 100;
    evs_why_judge_records(w, &read);
    evs_why_conclude(w, &group, &rows[0]);
    return w;
}

static void expect_found(struct evs_why *w, int kind, const char *words)
{
    for (int k = 0; k < EVS_SUSPECT_N; k++)
        if ((w->suspects[k].found == EVS_FOUND) != (k == kind))
            fail_msg("%s: %s", evs_suspect_name((enum evs_suspect_kind)k), w->suspects[k].text);
    if (!strstr(w->verdict, words))
        fail_msg("verdict: %s", w->verdict);
    evs_snap_unref(&w->snap);
}

static void a_broken_record_is_named_only_when_the_others_are_whole(void **state)
{
    static const char value[] = "{\"a\": 1, \"b\": \"cut";
    struct evs_event ev = {
        .topic = "t", .offset = 1000, .value = value, .value_len = sizeof(value) - 1};
    (void)state;
    expect_found(judged(&ev, 20, 50, 50), EVS_SUSPECT_RECORD, "not valid JSON from byte");
    expect_found(judged(&ev, 20, 50, 0), -1, "slow processing is likely");
    rows[0].verdict = (struct evs_lag_verdict){EVS_LAG_WARN, EVS_RULE_GROWS};
    expect_found(judged(&ev, 20, 50, 50), -1, "slow processing is likely");
}

static void a_huge_record_is_named(void **state)
{
    static char value[200000];
    struct evs_event ev = {
        .topic = "t", .offset = 1000, .value = value, .value_len = sizeof(value)};
    (void)state;
    expect_found(judged(&ev, 1000, 0, 0), EVS_SUSPECT_RECORD, "the mean size");
    expect_found(judged(&ev, 100000, 0, 0), -1, "The commit stands still at 1,000");
}

static void one_key_needs_a_third_of_what_waits(void **state)
{
    (void)state;
    struct evs_why *w = evs_lag_why_start(&sn, &group, &rows[0]);
    struct evs_why_read read = {0, 0, "", ""};
    w->read = 100;
    w->whole = true;
    w->n_keys = 1;
    w->keys[0] = (struct evs_why_key){.key = "User:123", .len = 8, .count = 60, .error = 0};
    evs_why_judge_records(w, &read);
    evs_why_conclude(w, &group, &rows[0]);
    expect_found(w, EVS_SUSPECT_HOT_KEY, "User:123 has 60");
    w = evs_lag_why_start(&sn, &group, &rows[0]);
    w->read = 100;
    w->n_keys = 1;
    w->keys[0] = (struct evs_why_key){.key = "k", .len = 1, .count = 60, .error = 50};
    evs_why_judge_records(w, &read); /* its true count may be as low as 10 */
    evs_why_conclude(w, &group, &rows[0]);
    expect_found(w, -1, "slow processing is likely");
}

static void transactions_owners_retention_and_slow_groups(void **state)
{
    (void)state;
    rows[0].lso = 1000;
    rows[0].f.open = 100;
    expect_found(judged(NULL, -1, 0, 0), EVS_SUSPECT_OPEN_TXN, "Behind an open transaction");
    reset(state);
    rows[0].member = -1;
    expect_found(judged(NULL, -1, 0, 0), EVS_SUSPECT_NO_OWNER, "Nobody reads it");
    reset(state);
    rows[0].f.lost = 7;
    expect_found(judged(NULL, -1, 0, 0), EVS_SUSPECT_RETENTION, "7 offsets after the commit");
    reset(state);
    for (int i = 1; i < 3; i++) {
        rows[i].f = (struct evs_lag_figures){.high = 2000, .lag = 1000};
        rows[i].behind = EVS_LAG_NULL;
        rows[i].consume = 5;
    }
    expect_found(judged(NULL, -1, 0, 0), EVS_SUSPECT_ALL_SLOW, "whole group is slow");
}

static void the_trend_is_said_first(void **state)
{
    (void)state;
    rows[0].verdict = (struct evs_lag_verdict){EVS_LAG_REWIND, EVS_RULE_REWIND};
    expect_found(judged(NULL, -1, 0, 0), -1, "went back: what was read is read again");
    rows[0].verdict = (struct evs_lag_verdict){EVS_LAG_WARN, EVS_RULE_GROWS};
    rows[0].consume = 20;
    expect_found(judged(NULL, -1, 0, 0), -1, "20 messages/s are read while 50 arrive");
}

static void what_cannot_be_known_is_not_cleared(void **state)
{
    (void)state;
    group.described = false;
    group.n_members = 0;
    rows[0].lso = EVS_LAG_NULL;
    rows[1].consume = rows[2].consume = -1;
    struct evs_why *w = judged(NULL, -1, 0, 0);
    assert_int_equal(w->suspects[EVS_SUSPECT_NO_OWNER].found, EVS_UNKNOWN);
    assert_int_equal(w->suspects[EVS_SUSPECT_OPEN_TXN].found, EVS_UNKNOWN);
    assert_int_equal(w->suspects[EVS_SUSPECT_ALL_SLOW].found, EVS_UNKNOWN);
    evs_snap_unref(&w->snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_of_every_version),
        cmocka_unit_test(tombstones_other_keys_and_garbage),
        cmocka_unit_test(the_coordinator_follows_from_the_name),
        cmocka_unit_test(entries_stay_in_order_however_they_come),
        cmocka_unit_test_setup(a_broken_record_is_named_only_when_the_others_are_whole, reset),
        cmocka_unit_test_setup(a_huge_record_is_named, reset),
        cmocka_unit_test_setup(one_key_needs_a_third_of_what_waits, reset),
        cmocka_unit_test_setup(transactions_owners_retention_and_slow_groups, reset),
        cmocka_unit_test_setup(the_trend_is_said_first, reset),
        cmocka_unit_test_setup(what_cannot_be_known_is_not_cleared, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
