#include <stdlib.h>

#include "core/glob.h"
#include "filter/bytes.h"
#include "filter/filter.h"
#include "core/thread.h"
#include "filter/jq.h"
#include "test.h"

static struct evs_event event(const char *key, const char *value)
{
    static const struct evs_header headers[] = {
        {"trace-id", 8, "7f3a", 4}, {"source", 6, "web", 3}, {"none", 4, NULL, 0}};
    return (struct evs_event){.topic = "shop.orders.placed",
                              .key = key,
                              .key_len = key ? strlen(key) : 0,
                              .value = value,
                              .value_len = value ? strlen(value) : 0,
                              .offset = 7,
                              .ts_ms = 1700000000123,
                              .partition = 4,
                              .broker = 1,
                              .headers = headers,
                              .n_headers = 3};
}

static bool keeps(enum evs_filter_kind kind, const char *text, bool invert, bool icase,
                  const char *key, const char *value)
{
    struct evs_filter_term term = {kind, text, invert, icase};
    struct evs_filter *f = NULL;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_filter_new(&term, 1, &f, &err))
        fail_msg("%s: %s", text, err.msg);
    struct evs_filter *clone = evs_filter_clone(f);
    evs_filter_free(f);
    struct evs_event ev = event(key, value);
    bool kept = evs_filter_keeps(clone, &ev);
    evs_filter_free(clone);
    return kept;
}

static void globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool hit;
    } v[] = {
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"a*c", "abbc", true},
        {"a*c", "ac", true},
        {"a*c", "acd", false},
        {"*.orders.*", "shop.orders.placed", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"[^a-c]x", "dx", true},
        {"[]]", "]", true},
        {"[abc", "[abc", true},
        {"a\\*", "a*", true},
        {"a\\*", "ab", false},
        {"*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
        {"User:*", "User:123", true},
    };
    for (size_t i = 0; i < EVS_COUNT(v); i++)
        if (evs_glob_match(v[i].pattern, strlen(v[i].pattern), v[i].text, strlen(v[i].text),
                           false) != v[i].hit)
            fail_msg("%s on %s", v[i].pattern, v[i].text);
    assert_true(evs_glob_match("user:*", 6, "USER:9", 6, true));
}

/* Byte search against the plainest possible search, on many random texts. */
static void bytes_equal_the_plain_search(void **state)
{
    (void)state;
    const char *given = getenv("EVS_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 0) : 20261122u;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 20000; round++) {
        char text[40], needle[6];
        seed = seed * 1103515245u + 12345u;
        size_t n = seed >> 16 & 31, len = (seed >> 24) % 5;
        for (size_t i = 0; i < n; i++, seed = seed * 1103515245u + 12345u)
            text[i] = "abAB\0"[(seed >> 16) % 5];
        for (size_t i = 0; i < len; i++, seed = seed * 1103515245u + 12345u)
            needle[i] = "abAB\0"[(seed >> 16) % 5];
        for (int icase = 0; icase < 2; icase++) {
            size_t want = n;
            for (size_t at = 0; len <= n && at + len <= n && want == n; at++) {
                size_t i = 0;
                while (i < len &&
                       (text[at + i] == needle[i] || (icase && (text[at + i] ^ needle[i]) == 0x20)))
                    i++;
                want = i == len ? at : n;
            }
            struct evs_bytes b;
            evs_bytes_init(&b, needle, len, icase);
            size_t got = evs_bytes_find(&b, text, n, 0);
            evs_bytes_done(&b);
            if (got != want)
                fail_msg("round %d: found at %zu, not %zu", round, got, want);
        }
    }
}

static void terms(void **state)
{
    (void)state;
    assert_true(keeps(EVS_FILTER_KEY, "User:*", false, false, "User:123", NULL));
    assert_false(keeps(EVS_FILTER_KEY, "User:*", true, false, "User:123", NULL));
    assert_false(keeps(EVS_FILTER_KEY, "*", false, false, NULL, "x"));
    assert_true(keeps(EVS_FILTER_KEY, "*", true, false, NULL, "x"));
    assert_true(keeps(EVS_FILTER_KEY, "=User:*", false, false, "User:*", NULL));
    assert_false(keeps(EVS_FILTER_KEY, "=User:*", false, false, "User:1", NULL));
    assert_true(keeps(EVS_FILTER_KEY, "=user:1", false, true, "USER:1", NULL));
    assert_false(keeps(EVS_FILTER_KEY, "=user:1", false, true, "USER:12", NULL));
    assert_true(keeps(EVS_FILTER_KEY, "re:^User:\\d+$", false, false, "User:123", NULL));
    assert_false(keeps(EVS_FILTER_KEY, "re:^User:\\d+$", false, false, "User:x", NULL));
    assert_true(keeps(EVS_FILTER_KEY, "re:user", false, true,
                      "\xff"
                      "USER",
                      NULL));
    assert_true(keeps(EVS_FILTER_GREP, "refund", false, false, "k", "{\"a\":\"refund\"}"));
    assert_true(keeps(EVS_FILTER_GREP, "User", false, false, "User:1", NULL));
    assert_false(keeps(EVS_FILTER_GREP, "Refund", false, false, "k", "refund"));
    assert_true(keeps(EVS_FILTER_GREP, "Refund", false, true, "k", "xREFUNDx"));
    assert_true(keeps(EVS_FILTER_HEADER, "source", false, false, NULL, NULL));
    assert_true(keeps(EVS_FILTER_HEADER, "source=w*", false, false, NULL, NULL));
    assert_false(keeps(EVS_FILTER_HEADER, "source=x*", false, false, NULL, NULL));
    assert_true(keeps(EVS_FILTER_HEADER, "none", false, false, NULL, NULL));
    assert_false(keeps(EVS_FILTER_HEADER, "none=*", false, false, NULL, NULL));
    assert_true(keeps(EVS_FILTER_HEADER, "other", true, false, NULL, NULL));
}

static void terms_are_anded(void **state)
{
    (void)state;
    struct evs_filter_term t[] = {{EVS_FILTER_GREP, "total", false, false},
                                  {EVS_FILTER_KEY, "=User:1", false, false},
                                  {EVS_FILTER_HEADER, "source=mobile", true, false}};
    struct evs_filter *f = NULL;
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_filter_new(t, 3, &f, &err), EVS_OK);
    size_t len;
    assert_string_equal(evs_filter_exact_key(f, &len), "User:1");
    assert_int_equal(len, 6);
    struct evs_event ev = event("User:1", "{\"total\":1}");
    assert_true(evs_filter_keeps(f, &ev));
    ev = event("User:2", "{\"total\":1}");
    assert_false(evs_filter_keeps(f, &ev));
    evs_filter_free(f);
    ev = event(NULL, NULL);
    assert_true(evs_filter_keeps(NULL, &ev));
    assert_int_equal(evs_filter_new(NULL, 0, &f, &err), EVS_OK);
    assert_true(evs_filter_keeps(f, &ev));
    assert_null(evs_filter_exact_key(f, &len));
    evs_filter_free(f);
}

static void wrong_terms(void **state)
{
    (void)state;
    static const struct evs_filter_term v[] = {{EVS_FILTER_KEY, "re:a(b", false, false},
                                               {EVS_FILTER_HEADER, "=x", false, false},
                                               {EVS_FILTER_GREP, "", false, false},
                                               {EVS_FILTER_JQ, ".a )", false, false}};
    for (size_t i = 0; i < EVS_COUNT(v); i++) {
        struct evs_filter *f = NULL;
        struct evs_err err = EVS_ERR_INIT;
        assert_int_equal(evs_filter_new(&v[i], 1, &f, &err), EVS_INVALID);
        assert_null(f);
        if (!i)
            assert_string_equal(err.msg, "key re:a(b: at 3: missing closing parenthesis");
    }
}

static void endless_backtracking_ends(void **state)
{
    (void)state;
    struct evs_filter_term t = {EVS_FILTER_KEY, "re:^(a+)+$", false, false};
    struct evs_filter *f = NULL;
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_filter_new(&t, 1, &f, &err), EVS_OK);
    struct evs_event ev = event("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", NULL);
    assert_false(evs_filter_keeps(f, &ev));
    assert_int_equal(evs_filter_faults(f), 1);
    evs_filter_free(f);
}

static void jq_terms(void **state)
{
    (void)state;
    if (!evs_jq_available())
        return;
    assert_true(
        keeps(EVS_FILTER_JQ, ".value.total > 100", false, false, "k", "{\"total\":184.90}"));
    assert_false(
        keeps(EVS_FILTER_JQ, ".value.total > 100", true, false, "k", "{\"total\":184.90}"));
    assert_true(keeps(EVS_FILTER_JQ, ".key == \"42\"", false, false, "42", NULL));
    assert_true(keeps(EVS_FILTER_JQ, ".headers.source == \"web\"", false, false, "42", NULL));
    assert_true(keeps(EVS_FILTER_JQ, ".partition == 4 and .offset == 7", false, false, "k", "x"));
    assert_true(keeps(EVS_FILTER_JQ, ".value == null", false, false, "k", NULL));
    assert_false(keeps(EVS_FILTER_JQ, "empty", false, false, "k", NULL));
    /* What it fails on is not kept, either way round, and counted. */
    assert_false(keeps(EVS_FILTER_JQ, ".value.a", false, false, "k", "text"));
    assert_false(keeps(EVS_FILTER_JQ, ".value.a", true, false, "k", "text"));
    struct evs_jq *jq = NULL;
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(4096);
    struct evs_event ev = event("k", "{\"a\":{\"b\":[1,2]}}");
    assert_int_equal(evs_jq_new(".value.a.b", &jq, &err), EVS_OK);
    assert_int_equal(evs_jq_eval(jq, &ev, &out, &err), EVS_OK);
    assert_string_equal(evs_buf_str(&out), "[1,2]");
    ev = event("k", "[]");
    assert_int_equal(evs_jq_eval(jq, &ev, &out, &err), EVS_POISON);
    evs_jq_free(jq);
}

/* What does not end is ended: by the time it takes, by the stop, and then given up; what ends is
 * not touched. */
static void jq_endless(void **state)
{
    (void)state;
    static const char *const endless[] = {"def f: f; f", "last(repeat(.))", "[repeat(1)]",
                                          "def f: [f]; f",
                                          "first(range(1; infinite) | select(. < 0))"};
    struct evs_stop stop;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_jq *jq = NULL;
    bool failed;
    if (!evs_jq_available())
        return;
    assert_int_equal(evs_stop_init(&stop, &err), EVS_OK);
    struct evs_event ev = event("k", "{}");
    for (size_t i = 0; i < EVS_COUNT(endless); i++) {
        evs_jq_limits(&stop, 20);
        assert_int_equal(evs_jq_new(endless[i], &jq, &err), EVS_OK);
        for (int k = 0; k < 100; k++) { /* as many as a batch holds: given up after three */
            assert_false(evs_jq_keeps(jq, &ev, &failed));
            assert_true(failed);
        }
        evs_jq_free(jq);
    }
    evs_jq_limits(&stop, 3600000);
    assert_int_equal(evs_jq_new("if .offset == 7 then true else last(repeat(.)) end", &jq, &err),
                     EVS_OK);
    assert_true(evs_jq_keeps(jq, &ev, &failed) && !failed);
    ev.offset = 8;
    evs_stop_raise(&stop);
    assert_false(evs_jq_keeps(jq, &ev, &failed));
    evs_jq_free(jq);
    evs_jq_limits(NULL, 10000);
    evs_stop_done(&stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs),       cmocka_unit_test(bytes_equal_the_plain_search),
        cmocka_unit_test(terms),       cmocka_unit_test(terms_are_anded),
        cmocka_unit_test(wrong_terms), cmocka_unit_test(endless_backtracking_ends),
        cmocka_unit_test(jq_terms),    cmocka_unit_test(jq_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
