/* core: buffers, text, numbers, maps, queues, snapshots, options, JSON output. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/call.h"
#include "core/event.h"
#include "core/jsonw.h"
#include "core/map.h"
#include "core/num.h"
#include "core/opt.h"
#include "core/queue.h"
#include "core/slot.h"
#include "core/text.h"
#include "core/thread.h"
#include "core/xalloc.h"

static void buf_stops_at_its_cap(void **state)
{
    (void)state;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_buf b = EVS_BUF_INIT(8);
    assert_true(evs_buf_adds(&b, "12345678"));
    assert_int_equal(evs_buf_check(&b, "x", &err), EVS_OK);
    assert_false(evs_buf_addc(&b, '9'));
    assert_string_equal(b.data, "12345678");
    assert_int_equal(evs_buf_check(&b, "x", &err), EVS_INVALID);
    assert_string_equal(err.msg, "x: longer than 8 bytes");
    evs_buf_done(&b);
}

static void base64_matches_rfc4648(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < EVS_COUNT(pairs); i++) {
        EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(100);
        evs_buf_base64(&b, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(evs_buf_str(&b), pairs[i][1]);
    }
}

static void check_escape(const char *in, size_t n, const char *want)
{
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    evs_text_escape(&b, in, n);
    assert_string_equal(evs_buf_str(&b), want);
    assert_int_equal(evs_text_width(in, n), evs_text_width(want, strlen(want)));
}

static void text_escapes_what_could_steer_a_terminal(void **state)
{
    (void)state;
    check_escape("a\x1b[2Jb", 6, "a\\x1b[2Jb");
    check_escape("\0", 1, "\\x00");
    check_escape("\t\n\r\x7f", 4, "\\t\\n\\r\\x7f");
    check_escape("\xc2\x9b"
                 "1m",
                 4, "\\x9b1m");
    check_escape("\xe2\x80\xae", 3, "U+202E");
    check_escape("\xff\xfe", 2, "\\xff\\xfe");
    check_escape("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* a surrogate */
    check_escape("\xc0\x80", 2, "\\xc0\\x80");          /* overlong */
    check_escape("\xe7\x94\xa8\xe6\x88\xb7", 6, "\xe7\x94\xa8\xe6\x88\xb7");
    check_escape("e\xcc\x81", 3, "e\xcc\x81");
}

static void text_never_lets_a_control_byte_through(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++)
        for (int d = 0; d < 256; d++) {
            char in[2] = {(char)c, (char)d};
            EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(64);
            evs_text_escape(&b, in, 2);
            assert_true(evs_text_is_utf8(b.data, b.len));
            for (size_t i = 0; i < b.len; i++)
                assert_true((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7f);
            assert_null(strstr(b.data, "\xc2\x9b"));
        }
}

static void text_limits_combining_marks(void **state)
{
    (void)state;
    char in[64] = "a";
    for (int i = 0; i < 10; i++)
        memcpy(in + 1 + 2 * i, "\xcc\x81", 3);
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    evs_text_escape(&b, in, strlen(in));
    assert_int_equal(b.len, 1 + 4 * 2 + 3);
}

static void text_fits_columns(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t cols;
        enum evs_cut cut;
        const char *want;
    } rows[] = {
        {"User:123", 8, EVS_CUT_END, "User:123"},
        {"User:123", 7, EVS_CUT_END, "User:1\xe2\x80\xa6"},
        {"shop.orders.placed", 11, EVS_CUT_MIDDLE, "shop.\xe2\x80\xa6laced"},
        {"\xe7\x94\xa8\xe6\x88\xb7", 3, EVS_CUT_END, "\xe7\x94\xa8\xe2\x80\xa6"},
        {"\xe7\x94\xa8\xe6\x88\xb7", 2, EVS_CUT_END, "\xe2\x80\xa6"},
        {"abc", 1, EVS_CUT_END, "\xe2\x80\xa6"},
        {"abc", 0, EVS_CUT_END, ""},
        {"\x1b\x1b", 5, EVS_CUT_END, "\\x1b\xe2\x80\xa6"},
    };
    for (size_t i = 0; i < EVS_COUNT(rows); i++) {
        EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
        size_t used = evs_text_fit(&b, rows[i].in, strlen(rows[i].in), rows[i].cols, rows[i].cut);
        assert_string_equal(evs_buf_str(&b), rows[i].want);
        assert_true(used <= rows[i].cols);
        assert_int_equal(used, evs_text_width(evs_buf_str(&b), b.len));
    }
}

static void numbers_parse_strictly(void **state)
{
    (void)state;
    struct evs_err err = EVS_ERR_INIT;
    int64_t v;
    assert_int_equal(evs_num_i64("-12", -100, 100, &v, &err), EVS_OK);
    assert_int_equal(v, -12);
    static const char *const bad[] = {"", "-", "1x", " 1", "1 ", "0x1", "99999999999999999999"};
    for (size_t i = 0; i < EVS_COUNT(bad); i++)
        assert_int_equal(evs_num_i64(bad[i], INT64_MIN, INT64_MAX, &v, &err), EVS_INVALID);
    assert_int_equal(evs_num_size("256M", &v, &err), EVS_OK);
    assert_int_equal(v, 256 << 20);
    assert_int_equal(evs_num_size("64kB", &v, &err), EVS_OK);
    assert_int_equal(v, 65536);
    assert_int_equal(evs_num_size("M", &v, &err), EVS_INVALID);
}

struct time_case {
    const char *in;
    int64_t ms;
};
static const struct time_case good_durations[] = {
    {"500ms", 500},    {"10s", 10000},     {"15m", 900000}, {"2h", 7200000},
    {"3d", 259200000}, {"1h30m", 5400000}, {"7", 7000},     {"1.5s", 1500}};
static const struct time_case good_times[] = {{"now", 1700000000000},
                                              {"15m", 1700000000000 - 900000},
                                              {"2h ago", 1700000000000 - 7200000},
                                              {"1700000000", 1700000000000},
                                              {"1700000000123", 1700000000123},
                                              {"2023-11-14T22:13:20Z", 1700000000000},
                                              {"2023-11-14T23:13:20.5+01:00", 1700000000500}};

static void durations_and_times(void **state)
{
    (void)state;
    struct evs_err err = EVS_ERR_INIT;
    int64_t v;
    for (size_t i = 0; i < EVS_COUNT(good_durations); i++) {
        assert_int_equal(evs_num_duration(good_durations[i].in, &v, &err), EVS_OK);
        assert_int_equal(v, good_durations[i].ms);
    }
    static const char *const bad[] = {"", "x", "1x", "-1s", "1h7", "ms", "1..2s"};
    for (size_t i = 0; i < EVS_COUNT(bad); i++)
        assert_int_equal(evs_num_duration(bad[i], &v, &err), EVS_INVALID);
    for (size_t i = 0; i < EVS_COUNT(good_times); i++) {
        assert_int_equal(evs_num_time(good_times[i].in, 1700000000000, &v, &err), EVS_OK);
        assert_true(v == good_times[i].ms);
    }
    static const char *const wrong[] = {"", "2023-13-01", "2023-02-30", "2023-11-14T25:00Z",
                                        "soon"};
    for (size_t i = 0; i < EVS_COUNT(wrong); i++)
        assert_int_equal(evs_num_time(wrong[i], 1700000000000, &v, &err), EVS_INVALID);
}

static void numbers_print_in_one_style(void **state)
{
    (void)state;
    char t[EVS_NUM_LEN];
    assert_string_equal(evs_num_commas(t, -48123406), "-48,123,406");
    assert_string_equal(evs_num_commas(t, 0), "0");
    assert_string_equal(evs_num_commas(t, 100), "100");
    assert_string_equal(evs_num_human(t, 48123406), "48.1 M");
    assert_string_equal(evs_num_human(t, 9999), "9,999");
    assert_string_equal(evs_num_human(t, 999999), "1.00 M");
    assert_string_equal(evs_num_bytes(t, 214), "214 B");
    assert_string_equal(evs_num_bytes(t, 1920000), "1.92 MB");
    assert_string_equal(evs_num_ago(t, 1325000), "22 m 05 s");
    assert_string_equal(evs_num_ago(t, 300), "0.3 s");
    assert_string_equal(evs_num_width(t, 36 * 3600000LL), "36 h");
    assert_string_equal(evs_num_width(t, 20 * 60000LL), "20 m");
    assert_string_equal(evs_num_width(t, 80 * 60000LL), "1 h 20 m");
    assert_string_equal(evs_num_width(t, 500), "0.5 s");
    assert_string_equal(evs_num_took(t, 12), "12 ms");
    assert_string_equal(evs_num_took(t, 1021), "1.02 s");
    assert_string_equal(evs_num_took(t, 9996), "10.0 s");
    assert_string_equal(evs_num_took(t, 59766), "59.8 s");
    assert_string_equal(evs_num_took(t, 101000), "1 m 41 s");
    assert_string_equal(evs_num_share(t, 0.384), "38.4 %");
}

static void map_keeps_what_was_put(void **state)
{
    (void)state;
    struct evs_map m = EVS_MAP_INIT;
    for (int i = 0; i < 5000; i++)
        *evs_map_put(&m, &i, sizeof(i)) = (void *)(intptr_t)(i + 1);
    for (int i = 0; i < 5000; i++)
        assert_int_equal((intptr_t)evs_map_get(&m, &i, sizeof(i)), i + 1);
    int gone = 17;
    assert_int_equal((intptr_t)evs_map_remove(&m, &gone, sizeof(gone)), 18);
    assert_null(evs_map_get(&m, &gone, sizeof(gone)));
    assert_int_equal(m.n, 4999);
    evs_map_done(&m, NULL);
}

static void queue_bounds_and_counts(void **state)
{
    (void)state;
    struct evs_queue *q = evs_queue_new(3, 100, evs_free);
    for (int i = 0; i < 3; i++)
        assert_int_equal(evs_queue_push(q, evs_xstrdup("x"), 10, 0), EVS_OK);
    void *extra = evs_xstrdup("y");
    assert_int_equal(evs_queue_push(q, extra, 10, 0), EVS_AGAIN);
    assert_int_equal(evs_queue_push_drop(q, extra, 10), EVS_OK);
    assert_int_equal(evs_queue_stats(q).dropped, 1);
    void *item;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(evs_queue_pop(q, 0, &item), EVS_OK);
        evs_free(item);
    }
    assert_int_equal(evs_queue_pop(q, 1, &item), EVS_AGAIN);
    assert_int_equal(evs_queue_push(q, evs_xstrdup("big"), 1000, 0), EVS_OK); /* one always fits */
    evs_queue_close(q);
    assert_int_equal(evs_queue_pop(q, 0, &item), EVS_OK);
    evs_free(item);
    assert_int_equal(evs_queue_pop(q, -1, &item), EVS_EOF);
    evs_queue_free(q);
}

struct num_sn {
    struct evs_snap snap;
    int *freed;
};

static void num_free(struct evs_snap *sn)
{
    struct num_sn *own = (void *)sn;
    (*own->freed)++;
    evs_free(own);
}

static void slot_keeps_the_latest(void **state)
{
    (void)state;
    int freed = 0;
    struct evs_slot *s = evs_slot_new(NULL);
    assert_null(evs_slot_take(s, 0));
    for (int i = 0; i < 3; i++) {
        struct num_sn *sn = evs_xcalloc(1, sizeof(*sn));
        evs_snap_init(&sn->snap, num_free);
        sn->freed = &freed;
        evs_slot_publish(s, &sn->snap);
    }
    assert_int_equal(freed, 2);
    struct evs_snap *have = evs_slot_take(s, 0);
    assert_int_equal(have->generation, 3);
    assert_null(evs_slot_take(s, 3));
    evs_slot_free(s);
    assert_int_equal(freed, 2);
    evs_snap_unref(have);
    assert_int_equal(freed, 3);
}

static const struct evs_opt rows[] = {
    {'n', "top", EVS_OPT_INT, "N", "20", "how many", .min = 1},
    {0, "sample", EVS_OPT_MAYBE, "X", NULL, "sample"},
    {0, "watch", EVS_OPT_MAYBE_NEXT, "T", NULL, "watch"},
    {'X', "property", EVS_OPT_STR, "P=V", NULL, "property", .many = true},
    {'J', NULL, EVS_OPT_FLAG, NULL, NULL, NULL, .same_as = "json"},
    {0, "json", EVS_OPT_FLAG, NULL, NULL, "json"},
    {'o', "offset", EVS_OPT_STR, "O", NULL, "offset"},
    {0},
};
static const struct evs_opt *const tables[] = {rows, NULL};

static void options_parse(void **state)
{
    (void)state;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_opts o = {.tables = tables};
    char *argv[] = {"t1",  "-Jn5",  "-o",      "-500", "--sample=0.1", "-X",
                    "a=b", "-Xc=d", "--watch", "2s",   "--",           "-x"};
    char *args[12];
    int n_args, used;
    assert_int_equal(evs_opts_parse(&o, 12, argv, false, args, &n_args, &used, &err), EVS_OK);
    assert_int_equal(n_args, 2);
    assert_string_equal(args[1], "-x");
    assert_int_equal(evs_opts_int(&o, "top"), 5);
    assert_true(evs_opts_given(&o, "json"));
    assert_string_equal(evs_opts_str(&o, "offset"), "-500");
    assert_string_equal(evs_opts_str(&o, "sample"), "0.1");
    assert_string_equal(evs_opts_str(&o, "watch"), "2s");
    assert_string_equal(evs_opts_nth(&o, "property", 1), "c=d");
    assert_null(evs_opts_nth(&o, "property", 2));
    evs_opts_done(&o);
}

static void options_refuse(void **state)
{
    (void)state;
    static const char *const bad[] = {"--sampel", "--top=x", "--top=0", "--json=1", "-z", "--top"};
    for (size_t i = 0; i < EVS_COUNT(bad); i++) {
        struct evs_err err = EVS_ERR_INIT;
        struct evs_opts o = {.tables = tables};
        char *argv[1] = {(char *)(uintptr_t)bad[i]};
        char *args[1];
        int n_args, used;
        assert_int_equal(evs_opts_parse(&o, 1, argv, false, args, &n_args, &used, &err),
                         EVS_INVALID);
        if (i == 0)
            assert_string_equal(err.hint, "did you mean --sample?");
        evs_opts_done(&o);
    }
}

static void json_is_valid_and_lossless(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &b);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_bytes(&w, "key", "a\"\n\x1b", 4);
    evs_jsonw_bytes(&w, "payload", "\xff", 1);
    evs_jsonw_bytes(&w, "none", NULL, 0);
    evs_jsonw_bytes(&w, "bidi", "\xe2\x80\xae\xf3\xa0\x80\x81\x7f", 8);
    evs_jsonw_raw(&w, "raw", "{\"\xc2\x9b\":1}", 8);
    evs_jsonw_arr(&w, "rows");
    evs_jsonw_i64(&w, NULL, INT64_MIN);
    evs_jsonw_double(&w, NULL, 0.1);
    evs_jsonw_bytes(&w, NULL, "\xff", 1);
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    assert_string_equal(b.data,
                        "{\"key\":\"a\\\"\\n\\u001b\",\"payload_base64\":\"/w==\",\"none\":null,"
                        "\"bidi\":\"\\u202e\\udb40\\udc01\\u007f\",\"raw\":{\"\\u009b\":1},"
                        "\"rows\":[-9223372036854775808,0.1,{\"base64\":\"/w==\"}]}");
}

static void event_copy_owns_everything(void **state)
{
    (void)state;
    struct evs_header h[2] = {{"a", 1, "1", 1}, {"b", 1, NULL, 0}};
    struct evs_event ev = {.topic = "t",
                           .key = "k",
                           .key_len = 1,
                           .value = NULL,
                           .headers = h,
                           .n_headers = 2,
                           .offset = 7};
    struct evs_event *own = evs_event_copy(&ev);
    assert_ptr_not_equal(own->key, ev.key);
    assert_memory_equal(own->key, "k", 2);
    assert_null(own->value);
    assert_int_equal(own->n_headers, 2);
    assert_string_equal(own->headers[0].value, "1");
    assert_null(own->headers[1].value);
    evs_event_free(own);
}

static void big_memory_is_zeroed_and_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4096, 2097151, 2097152, 2097153, 5000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *p = evs_xbig(sizes[i]);
        for (size_t k = 0; k < sizes[i]; k += k + 1 < sizes[i] ? 1 + k / 16 : 1)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, sizes[i]);
        evs_big_free(p, sizes[i]);
    }
    evs_big_free(NULL, 1);
    evs_big_free(NULL, 5000000);
}

struct slow {
    struct evs_stop go, freed;
    int result;
};

static void run_slow(void *arg)
{
    struct slow *s = arg;
    (void)evs_stop_wait(&s->go, 60000);
    s->result = 42;
}

static void free_slow(void *arg)
{
    evs_stop_raise(&((struct slow *)arg)->freed);
}

static void slow_init(struct slow *s)
{
    struct evs_err err = EVS_ERR_INIT;
    memset(s, 0, sizeof(*s));
    assert_int_equal(evs_stop_init(&s->go, &err), EVS_OK);
    assert_int_equal(evs_stop_init(&s->freed, &err), EVS_OK);
}

static void calls_end_or_are_left_behind(void **state)
{
    (void)state;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_stop stop;
    static struct slow s;
    assert_int_equal(evs_stop_init(&stop, &err), EVS_OK);
    slow_init(&s);
    evs_stop_raise(&s.go);
    assert_int_equal(evs_call("slow", run_slow, &s, free_slow, &stop), EVS_OK);
    assert_int_equal(s.result, 42);
    s.result = 0;
    assert_int_equal(evs_call("slow", run_slow, &s, free_slow, NULL), EVS_OK);
    assert_int_equal(s.result, 42);
    assert_false(evs_call_left());
    evs_stop_done(&s.go);
    evs_stop_done(&s.freed);

    slow_init(&s);
    evs_stop_raise(&stop);
    assert_int_equal(evs_call("slow", run_slow, &s, free_slow, &stop), EVS_AGAIN);
    assert_true(evs_call_left());
    assert_false(evs_stop_raised(&s.freed)); /* it still uses what it was given */
    evs_stop_raise(&s.go);
    assert_true(evs_stop_wait(&s.freed, 60000));
    evs_stop_done(&stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_stops_at_its_cap),
        cmocka_unit_test(base64_matches_rfc4648),
        cmocka_unit_test(text_escapes_what_could_steer_a_terminal),
        cmocka_unit_test(text_never_lets_a_control_byte_through),
        cmocka_unit_test(text_limits_combining_marks),
        cmocka_unit_test(text_fits_columns),
        cmocka_unit_test(numbers_parse_strictly),
        cmocka_unit_test(durations_and_times),
        cmocka_unit_test(numbers_print_in_one_style),
        cmocka_unit_test(map_keeps_what_was_put),
        cmocka_unit_test(queue_bounds_and_counts),
        cmocka_unit_test(slot_keeps_the_latest),
        cmocka_unit_test(options_parse),
        cmocka_unit_test(options_refuse),
        cmocka_unit_test(json_is_valid_and_lossless),
        cmocka_unit_test(event_copy_owns_everything),
        cmocka_unit_test(big_memory_is_zeroed_and_whole),
        cmocka_unit_test(calls_end_or_are_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
