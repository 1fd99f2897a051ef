/* One record as a line: JSON envelope, format strings, text. And the sparkline's counters. */
#include "test.h"

#include <math.h>

#include "browse/envelope.h"
#include "browse/spark.h"

static struct evs_event sample(void)
{
    static const struct evs_header headers[] = {{"a", 1, "1", 1}, {"n", 1, NULL, 0}};
    return (struct evs_event){.topic = "t", .key = "k\x1b", .key_len = 2, .value = "v\xff",
                              .value_len = 2, .offset = 9007199254740993, .ts_ms = 1700000000123,
                              .partition = 3, .broker = 1, .tstype = EVS_TS_CREATE,
                              .headers = headers, .n_headers = 2};
}

static void test_json(void **state)
{
    struct evs_event ev = sample();
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(4096);
    (void)state;
    evs_envelope_json(&out, &ev, false);
    assert_string_equal(out.data,
                        "{\"topic\":\"t\",\"partition\":3,\"offset\":9007199254740993,"
                        "\"tstype\":\"create\",\"ts\":1700000000123,\"broker\":1,"
                        "\"headers\":[\"a\",\"1\",\"n\",null],\"key\":\"k\\u001b\","
                        "\"payload_base64\":\"dv8=\"}");
    evs_buf_reset(&out);
    ev.key = NULL;
    ev.value = "{\"big\":9007199254740993}";
    ev.value_len = strlen(ev.value);
    ev.n_headers = 0;
    evs_envelope_json(&out, &ev, true);
    assert_non_null(strstr(out.data, "\"key\":null"));
    assert_non_null(strstr(out.data, "\"value\":{\"big\":9007199254740993},\"decoder\":\"json\""));
    assert_null(strstr(out.data, "headers"));
}

static void test_format(void **state)
{
    static const struct {
        const char *format, *want;
        bool raw;
    } rows[] = {
        {"%t %p %o %K %S %T", "t 3 9007199254740993 2 2 1700000000123", false},
        {"%k|%s", "k\\x1b|v\\xff", false},
        {"%k|%s", "k\x1b|v\xff", true},
        {"%h", "a=1,n=NULL", false},
        {"100%%\\n\\t\\x41\\q\\", "100%\n\tA\\q\\", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct evs_event ev = sample();
        struct evs_format *f = NULL;
        struct evs_err err = EVS_ERR_INIT;
        EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(4096);
        assert_int_equal(evs_format_new(rows[i].format, &f, &err), EVS_OK);
        evs_format_put(f, &out, &ev, rows[i].raw);
        assert_string_equal(evs_buf_str(&out), rows[i].want);
        evs_format_free(f);
    }
}

static void test_nulls_and_bad_formats(void **state)
{
    struct evs_event ev = {.topic = "t", .n_headers = 0};
    struct evs_format *f = NULL;
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(4096);
    (void)state;
    assert_int_equal(evs_format_new("[%k%s%h] %K %S %R", &f, &err), EVS_OK);
    evs_format_put(f, &out, &ev, false);
    assert_memory_equal(out.data, "[] -1 -1 \xff\xff\xff\xff", out.len);
    evs_format_free(f);
    assert_int_equal(evs_format_new("ab%", &f, &err), EVS_INVALID);
    assert_non_null(strstr(err.msg, "character 3"));
    assert_int_equal(evs_format_new("%x", &f, &err), EVS_INVALID);
}

static void test_text(void **state)
{
    struct evs_event ev = sample();
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(4096);
    (void)state;
    evs_envelope_text(&out, &ev, false);
    assert_non_null(strstr(out.data, "k\\x1b"));
    assert_non_null(strstr(out.data, "v\\xff"));
    evs_buf_reset(&out);
    ev.key = ev.value = NULL;
    evs_envelope_text(&out, &ev, false);
    assert_non_null(strstr(out.data, "(null)"));
    assert_non_null(strstr(out.data, "(tombstone)"));
    evs_buf_reset(&out);
    ev.value = "";
    ev.value_len = 0;
    evs_envelope_text(&out, &ev, false);
    assert_non_null(strstr(out.data, "\"\""));
}

static void test_spark(void **state)
{
    struct evs_spark s = {0};
    float bars[EVS_SPARK];
    int64_t minute = EVS_SPARK_MS, start = 1000 * minute;
    (void)state;
    evs_spark_get(&s, start, bars);
    for (int i = 0; i < EVS_SPARK; i++)
        assert_true(isnan(bars[i]));
    for (int i = 0; i < 5; i++) /* 60 a minute, then 120 */
        evs_spark_add(&s, start + i * minute, i < 3 ? i * 60 : 120 + (i - 2) * 120);
    evs_spark_get(&s, start + 4 * minute, bars);
    assert_true(isnan(bars[EVS_SPARK - 5]));
    assert_true(fabsf(bars[EVS_SPARK - 4] - 1) < 0.01f);
    assert_true(fabsf(bars[EVS_SPARK - 3] - 1) < 0.01f);
    assert_true(fabsf(bars[EVS_SPARK - 1] - 2) < 0.01f);
    evs_spark_add(&s, start + 5 * minute, 3); /* made anew: starts afresh */
    evs_spark_get(&s, start + 5 * minute, bars);
    for (int i = 0; i < EVS_SPARK; i++)
        assert_true(isnan(bars[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_nulls_and_bad_formats),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_spark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
