/* The messages session against the mock cluster: pages both ways, tail, search, details, memory. */
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "browse/messages.h"
#include "core/clock.h"
#include "core/thread.h"
#include "kafka/client.h"
#include "kafka/mock.h"

enum { RECORDS = 600, PARTS = 3, DEADLINE_MS = 30000 };

static struct evs_mock *mock;
static struct evs_client *client;
static struct evs_wake wake;

static void must(enum evs_rc rc, const struct evs_err *err)
{
    if (rc)
        fail_msg("%s", err->msg);
}

static int start(void **state)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_mock_spec spec = {.empty = true, .brokers = 2};
    struct evs_client_conf conf;
    (void)state;
    must(evs_wake_init(&wake, &err), &err);
    must(evs_mock_start(&spec, &mock, &err), &err);
    must(evs_mock_topic(mock, "t", PARTS, &err), &err);
    for (int i = 0; i < RECORDS; i++) {
        char key[16], value[80];
        snprintf(key, sizeof(key), "k%d", i % 7);
        snprintf(value, sizeof(value), "value %d %040d", i, i);
        must(evs_mock_put(mock, "t", i % PARTS, key, value, 1700000000000 + i, &err), &err);
    }
    evs_client_conf_init(&conf);
    evs_client_conf_set(&conf, "bootstrap.servers", evs_mock_brokers(mock), "test");
    must(evs_client_new(&conf, &client, &err), &err);
    evs_client_conf_done(&conf);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    evs_client_free(client);
    evs_mock_free(mock);
    evs_wake_done(&wake);
    return 0;
}

/* --- waiting --- */

typedef bool condition(const struct evs_messages_sn *sn, int64_t arg);

static struct evs_messages_sn *await(struct evs_messages *m, const char *what, condition *yes,
                                     int64_t arg)
{
    int64_t until_us = evs_clock_mono_us() + DEADLINE_MS * 1000LL;
    uint64_t seen = 0;
    while (evs_clock_mono_us() < until_us) {
        struct evs_messages_sn *sn = evs_messages_take(m, seen);
        if (sn) {
            seen = sn->snap.generation;
            if (yes(sn, arg))
                return sn;
            evs_snap_unref(&sn->snap);
            continue;
        }
        struct pollfd p = {.fd = wake.fds[0], .events = POLLIN};
        poll(&p, 1, 100);
        evs_wake_drain(&wake);
    }
    fail_msg("never came: %s", what);
    return NULL;
}

static void settle(struct evs_messages *m, const char *what, condition *yes, int64_t arg)
{
    evs_snap_unref(&await(m, what, yes, arg)->snap);
}

static bool has_rows(const struct evs_messages_sn *sn, int64_t n)
{
    return sn->n_loaded >= n && sn->state != EVS_MESSAGES_LOADING;
}

static bool at_begin(const struct evs_messages_sn *sn, int64_t unused)
{
    (void)unused;
    return sn->at_begin;
}

static bool in_state(const struct evs_messages_sn *sn, int64_t state)
{
    return (int64_t)sn->state == state;
}

static bool shows(const struct evs_messages_sn *sn, int64_t seq)
{
    bool all = sn->n_rows > 0 && sn->rows[0].seq == seq;
    for (int i = 0; i < sn->n_rows; i++)
        all = all && (sn->rows[i].kind == EVS_ROW_GAP || sn->rows[i].ev);
    return all;
}

static bool shows_rows(const struct evs_messages_sn *sn, int64_t n)
{
    return sn->n_rows == n && shows(sn, sn->first_seq);
}

static bool has_error(const struct evs_messages_sn *sn, int64_t unused)
{
    (void)unused;
    return sn->error != NULL;
}

static bool has_detail(const struct evs_messages_sn *sn, int64_t offset)
{
    return sn->detail_offset == offset && (sn->detail || sn->detail_error);
}

static bool has_plan(const struct evs_messages_sn *sn, int64_t unused)
{
    (void)unused;
    return sn->plan != NULL || sn->plan_error;
}

static bool last_value(const struct evs_messages_sn *sn, int64_t number)
{
    char want[32];
    snprintf(want, sizeof(want), "new %lld", (long long)number);
    const struct evs_event *ev = sn->n_rows ? sn->rows[sn->n_rows - 1].ev : NULL;
    return ev && ev->value_len == strlen(want) && !memcmp(ev->value, want, ev->value_len);
}

static struct evs_messages *open_with(struct evs_messages_opts opts)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_messages *m;
    opts.topic = opts.topic ? opts.topic : "t";
    must(evs_messages_open(client, &opts, &wake, &m, &err), &err);
    return m;
}

/* --- tests --- */

/* Back to the first record: everything once, by (timestamp, partition, offset). */
static void test_back_to_the_begin(void **state)
{
    struct evs_messages *m = open_with((struct evs_messages_opts){.page = 50});
    (void)state;
    struct evs_messages_sn *sn = await(m, "the last page", has_rows, 50);
    assert_int_equal(sn->rows[sn->n_rows - 1].ts_ms, 1700000000000 + RECORDS - 1);
    assert_true(sn->at_end);
    int64_t first = sn->first_seq;
    evs_snap_unref(&sn->snap);
    for (;;) {
        evs_messages_view(m, first, 20);
        sn = await(m, "older rows", shows, first);
        bool done = sn->at_begin;
        first = sn->first_seq;
        evs_snap_unref(&sn->snap);
        if (done)
            break;
    }
    evs_messages_view(m, first, RECORDS + 10);
    settle(m, "the begin", at_begin, 0);
    sn = await(m, "all rows", shows_rows, RECORDS);
    assert_int_equal(sn->n_loaded, RECORDS);
    assert_int_equal(sn->n_rows, RECORDS);
    assert_int_equal(sn->kept, RECORDS);
    for (int i = 0; i < RECORDS; i++) {
        assert_int_equal(sn->rows[i].ts_ms, 1700000000000 + i);
        assert_int_equal(sn->rows[i].partition, i % PARTS);
        assert_int_equal(sn->rows[i].offset, i / PARTS);
    }
    evs_snap_unref(&sn->snap);
    evs_messages_free(m);
}

static void test_from_an_offset(void **state)
{
    struct evs_messages *m = open_with(
        (struct evs_messages_opts){.page = 40, .query = {.partitions = "1", .from = "100"}});
    (void)state;
    evs_messages_view(m, 0, 10);
    struct evs_messages_sn *sn = await(m, "offset 100 on top", shows, 0);
    assert_int_equal(sn->rows[0].partition, 1);
    assert_int_equal(sn->rows[0].offset, 100);
    evs_snap_unref(&sn->snap);
    evs_messages_view(m, -10, 10); /* what stands before it comes too */
    sn = await(m, "the ten before", shows, -10);
    assert_int_equal(sn->rows[0].offset, 90);
    assert_int_equal(sn->rows[9].offset, 99);
    evs_snap_unref(&sn->snap);
    evs_messages_view(m, INT64_MAX, 5); /* the end of what is loaded drags the rest in */
    settle(m, "the rest", has_rows, RECORDS / PARTS - 100);
    evs_messages_free(m);
}

static void test_search(void **state)
{
    struct evs_filter_term term = {.kind = EVS_FILTER_KEY, .text = "=k3"};
    struct evs_messages *m =
        open_with((struct evs_messages_opts){.query = {.terms = &term, .n_terms = 1}});
    int want = 0;
    (void)state;
    for (int i = 0; i < RECORDS; i++)
        want += i % 7 == 3;
    struct evs_messages_sn *sn = await(m, "the end of the search", in_state, EVS_MESSAGES_DONE);
    assert_int_equal(sn->kept, want);
    assert_int_equal(sn->read_records, RECORDS);
    assert_int_equal(sn->passed, sn->span);
    evs_snap_unref(&sn->snap);
    evs_messages_free(m);
}

static void test_stop_and_resume(void **state)
{
    struct evs_filter_term term = {.kind = EVS_FILTER_GREP, .text = "value"};
    struct evs_messages *m =
        open_with((struct evs_messages_opts){.query = {.terms = &term, .n_terms = 1}});
    (void)state;
    evs_messages_stop(m);
    struct evs_messages_sn *sn = await(m, "a first state", has_rows, 0);
    enum evs_messages_state at = sn->state;
    evs_snap_unref(&sn->snap);
    if (at != EVS_MESSAGES_DONE)
        settle(m, "the stop", in_state, EVS_MESSAGES_STOPPED);
    evs_messages_resume(m);
    sn = await(m, "the rest of the search", in_state, EVS_MESSAGES_DONE);
    assert_int_equal(sn->kept, RECORDS); /* nothing twice, nothing lost */
    evs_snap_unref(&sn->snap);
    evs_messages_free(m);
}

static void test_memory_is_bounded(void **state)
{
    struct evs_messages *m = open_with((struct evs_messages_opts){
        .memory_bytes = 20000, .page = 100, .query = {.from = "beginning"}});
    (void)state;
    for (int64_t top = 0; top + 20 <= RECORDS; top += 20) {
        evs_messages_view(m, top, 20);
        evs_snap_unref(&await(m, "rows further down", shows, top)->snap);
    }
    evs_messages_view(m, 0, 20); /* evicted long since: read again by offset */
    struct evs_messages_sn *sn = await(m, "the first rows again", shows, 0);
    for (int i = 0; i < 20; i++) {
        char want[80];
        snprintf(want, sizeof(want), "value %d %040d", i, i);
        assert_int_equal(sn->rows[i].ev->value_len, strlen(want));
        assert_memory_equal(sn->rows[i].ev->value, want, strlen(want));
    }
    assert_true(sn->memory_bytes < 20000 + 1024 * 200 + 20 * 600);
    evs_snap_unref(&sn->snap);
    evs_messages_free(m);
}

static void test_detail_and_plan(void **state)
{
    struct evs_messages *m = open_with((struct evs_messages_opts){0});
    (void)state;
    evs_messages_fetch(m, 2, 7);
    struct evs_messages_sn *sn = await(m, "the detail", has_detail, 7);
    assert_non_null(sn->detail);
    assert_memory_equal(sn->detail->value, "value 23 ", 9);
    evs_snap_unref(&sn->snap);
    struct evs_messages_query q = {.partitions = "0-1", .from = "-20"};
    evs_messages_plan(m, &q);
    sn = await(m, "the plan", has_plan, 0);
    assert_int_equal(sn->plan_span, 40);
    assert_null(sn->plan_error);
    evs_snap_unref(&sn->snap);
    evs_messages_free(m);
}

static void test_follow_and_pause(void **state)
{
    struct evs_err err = EVS_ERR_INIT;
    (void)state;
    must(evs_mock_topic(mock, "live", 2, &err), &err);
    struct evs_messages *m =
        open_with((struct evs_messages_opts){.topic = "live", .query = {.follow = true}});
    settle(m, "the tail", in_state, EVS_MESSAGES_LIVE);
    for (int i = 0; i < 5; i++) {
        char value[32];
        snprintf(value, sizeof(value), "new %d", i);
        must(evs_mock_put(mock, "live", i % 2, "k", value, -1, &err), &err);
        settle(m, "a new record", last_value, i);
    }
    evs_messages_pause(m, true);
    settle(m, "the pause", in_state, EVS_MESSAGES_PAUSED);
    must(evs_mock_put(mock, "live", 0, "k", "new 5", -1, &err), &err);
    evs_messages_pause(m, false);
    settle(m, "what came meanwhile", last_value, 5);
    evs_messages_follow(m, false);
    settle(m, "no tail", in_state, EVS_MESSAGES_READY);
    evs_messages_free(m);
}

static void test_a_bad_place_says_so(void **state)
{
    struct evs_messages *m = open_with((struct evs_messages_opts){.query = {.partitions = "9"}});
    (void)state;
    struct evs_messages_sn *sn = await(m, "the error", has_error, 0);
    assert_non_null(strstr(sn->error, "partition 9"));
    evs_snap_unref(&sn->snap);
    evs_messages_query(m, &(struct evs_messages_query){.partitions = "1"}); /* and heals */
    settle(m, "rows", has_rows, RECORDS / PARTS);
    evs_messages_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_back_to_the_begin),
        cmocka_unit_test(test_from_an_offset),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_stop_and_resume),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_detail_and_plan),
        cmocka_unit_test(test_follow_and_pause),
        cmocka_unit_test(test_a_bad_place_says_so),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
