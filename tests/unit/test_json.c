/* RFC 8259 (accept and refuse as in the published JSON test suites), RFC 7386 appendix A. */
#include <stdlib.h>

#include "core/json.h"
#include "test.h"

static const char *text_of(struct evs_buf *b)
{
    return evs_buf_str(b);
}

static void accepts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "[]",
        "{}",
        "[[]   ]",
        "[\"\"]",
        "[null, 1, \"1\", {}]",
        "[123e65]",
        "[0e+1]",
        "[0e1]",
        "[ 4]",
        "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]\n",
        "[20e1]",
        "[-0]",
        "[-123]",
        "[-1]",
        "[1E22]",
        "[1E-2]",
        "[1E+2]",
        "[123.456e78]",
        "{\"a\":\"b\",\"a\":\"c\"}",
        "{\"\":0}",
        "{\"foo\\u0000bar\": 42}",
        "[\"\\u0060\\u012a\\u12AB\"]",
        "[\"\\uD801\\udc37\"]",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
        "[\"\\u0000\"]",
        "[\"a/*b*/c/*d//e\"]",
        "[\"\xc2\x80\"]",
        "[\"\x7f\"]",
        "[\"\\uDADA\"]",
        " null ",
        "\"asd\"",
        "42",
        "-0.1",
        "false",
        "[true]",
        "[\"\xf4\x8f\xbf\xbf\"]",
        "[100000000000000000000000000000000000000]",
    };
    for (size_t i = 0; i < EVS_COUNT(good); i++) {
        struct evs_json_fault f = {0, ""};
        if (!evs_json_check(good[i], strlen(good[i]), &f))
            fail_msg("%s refused at %zu: %s", good[i], f.at, f.why);
    }
}

static const struct {
    const char *text;
    size_t at;
} wrong[] = {
    {"", 0},
    {" ", 1},
    {"[", 1},
    {"{", 1},
    {"]", 0},
    {"[1,]", 3},
    {"[,1]", 1},
    {"[1,,2]", 3},
    {"[1 true]", 3},
    {"[1", 2},
    {"[\"a\"", 4},
    {"[\"a", 3},
    {"[\"a\\", 4},
    {"{\"a\"", 4},
    {"{\"a\":", 5},
    {"{\"a\":1", 6},
    {"{\"a\":1,", 7},
    {"{\"a\":1,}", 7},
    {"{a:1}", 1},
    {"{'a':1}", 1},
    {"{1:1}", 1},
    {"{\"a\" 1}", 5},
    {"[1}", 2},
    {"{\"a\":1]", 6},
    {"[nul]", 4},
    {"[tru]", 4},
    {"nan", 1},
    {"[-]", 2},
    {"[+1]", 1},
    {"[01]", 2},
    {"[-01]", 3},
    {"[1.]", 3},
    {"[.1]", 1},
    {"[1e]", 3},
    {"[1e+]", 4},
    {"[0x1]", 2},
    {"[1]x", 3},
    {"[][]", 2},
    {"1 2", 2},
    {"[\"\\x00\"]", 3},
    {"[\"\\u12\"]", 6},
    {"[\"\\uqqqq\"]", 4},
    {"[\"\t\"]", 2},
    {"[\"\n\"]", 2},
    {"[\"\xff\"]", 2},
    {"[\"\xc0\xaf\"]", 2},
    {"[\"\xed\xa0\x80\"]", 2},
    {"[\"\xe2\x82\"]", 2},
    {"\xef\xbb\xbf{}", 0},
    {"[1]//c", 3},
    {"/**/[]", 0},
    {"[\f]", 1},
    {"True", 0},
    {"\"", 1},
    {"[\"a\":1]", 4},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(wrong); i++) {
        struct evs_json_fault f = {99, NULL};
        if (evs_json_check(wrong[i].text, strlen(wrong[i].text), &f))
            fail_msg("%s accepted", wrong[i].text);
        if (f.at != wrong[i].at)
            fail_msg("%s: fault at %zu, not %zu", wrong[i].text, f.at, wrong[i].at);
    }
    assert_false(evs_json_check("1\0", 2, NULL));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    evs_buf_addn(&b, '[', EVS_JSON_DEPTH);
    evs_buf_addn(&b, ']', EVS_JSON_DEPTH);
    assert_true(evs_json_check(b.data, b.len, NULL));
    evs_buf_reset(&b);
    evs_buf_addn(&b, '[', EVS_JSON_DEPTH + 1);
    struct evs_json_fault f;
    assert_false(evs_json_check(b.data, b.len, &f));
    assert_int_equal(f.at, EVS_JSON_DEPTH);
}

static void lays_out(void **state)
{
    (void)state;
    static const char in[] = " { \"a\" : [ 1.10 , {} , [ ] ], \"b\":{\"c\":9007199254740993}} ";
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_json_compact(&b, in, strlen(in), &err), EVS_OK);
    assert_string_equal(text_of(&b), "{\"a\":[1.10,{},[]],\"b\":{\"c\":9007199254740993}}");
    evs_buf_reset(&b);
    assert_int_equal(evs_json_pretty(&b, in, strlen(in), &err), EVS_OK);
    assert_string_equal(text_of(&b), "{\n  \"a\": [\n    1.10,\n    {},\n    []\n  ],\n  \"b\": {\n"
                                     "    \"c\": 9007199254740993\n  }\n}");
    evs_buf_reset(&b);
    evs_buf_adds(&b, "kept");
    assert_int_equal(evs_json_pretty(&b, "[1,", 3, &err), EVS_INVALID);
    assert_string_equal(text_of(&b), "kept");
    assert_string_equal(err.msg, "not JSON at byte 3: text ends early");
}

static void unquotes(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    static const char in[] = "\"a\\n\\u00e9\\ud83d\\ude00\\u0000z\\/\"";
    assert_true(evs_json_unquote(&b, in, strlen(in)));
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.data, "a\n\xc3\xa9\xf0\x9f\x98\x80\0z/", 11);
    evs_buf_reset(&b);
    assert_false(evs_json_unquote(&b, "\"\\ud83dx\"", 9));
    assert_string_equal(text_of(&b), "\xef\xbf\xbdx");
}

static void tree_finds(void **state)
{
    (void)state;
    static const char in[] =
        "{\"a\":[10,{\"b.c\":1,\"d\":2}],\"\\u0065\":\"x\",\"a2\":null,\"e\":3}";
    struct evs_json_tree t = {0};
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_json_tree_read(&t, in, strlen(in), &err), EVS_OK);
    assert_int_equal(t.nodes[0].size, 4);
    const struct evs_json_node *n = evs_json_path(&t, ".a[1].d");
    assert_non_null(n);
    assert_memory_equal(t.text + n->start, "2", 1);
    assert_int_equal(n->depth, 3);
    n = evs_json_path(&t, "e"); /* the last of two that are one name */
    assert_non_null(n);
    assert_int_equal(n->type, EVS_JSON_NUMBER);
    assert_null(evs_json_path(&t, ".a[2]"));
    assert_null(evs_json_path(&t, ".a[x]"));
    assert_null(evs_json_path(&t, ".a2.b"));
    assert_ptr_equal(evs_json_path(&t, "."), t.nodes);
    n = evs_json_path(&t, ".a");
    assert_int_equal(n->end - n->start, strlen("[10,{\"b.c\":1,\"d\":2}]"));
    assert_int_equal(evs_json_tree_read(&t, "[", 1, &err), EVS_INVALID);
    evs_json_tree_done(&t);
}

static struct evs_json *doc(const char *text)
{
    struct evs_json *j = NULL;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_json_parse(text, strlen(text), &j, &err))
        fail_msg("%s: %s", text, err.msg);
    return j;
}

static void document_keeps_text(void **state)
{
    (void)state;
    static const char in[] =
        "{\"n\":9007199254740993,\"m\":184.90,\"s\":\"a\\u0000b\",\"t\":\"\\ud800\","
        "\"u\":\"\xc3\xa9\",\"e\":1E400,\"o\":{},\"l\":[true,false,null]}";
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    struct evs_json *j = doc(in);
    evs_json_print(j, &b);
    assert_string_equal(text_of(&b), in);
    assert_int_equal(evs_json_type(evs_json_get(j, "n")), EVS_JSON_NUMBER);
    assert_int_equal(evs_json_type(evs_json_get(j, "s")), EVS_JSON_STRING);
    assert_string_equal(evs_json_text(evs_json_get(j, "m")), "184.90");
    assert_null(evs_json_get(j, "x"));
    evs_json_free(j);
    j = doc("{\"a\":1,\"b\":2,\"a\":3}");
    evs_buf_reset(&b);
    evs_json_print(j, &b);
    assert_string_equal(text_of(&b), "{\"b\":2,\"a\":3}");
    evs_json_free(j);
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_json_parse("{\"a\\u0000\":1}", 13, &j, &err), EVS_INVALID);
    assert_int_equal(evs_json_parse("{\"a\":[{", 7, &j, &err), EVS_INVALID);
}

static void merges(void **state)
{
    (void)state;
    static const char *const v[][3] = {
        /* RFC 7386, appendix A: original, patch, result */
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        {"{\"a\":1}", "{\"a\":{\"b\":{\"c\":1,\"d\":null}}}", "{\"a\":{\"b\":{\"c\":1}}}"},
    };
    for (size_t i = 0; i < EVS_COUNT(v); i++) {
        EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
        struct evs_json *patch = doc(v[i][1]), *want = doc(v[i][2]);
        struct evs_json *got = evs_json_merge(doc(v[i][0]), patch);
        evs_json_print(got, &b);
        if (!evs_json_equal(got, want))
            fail_msg("%s + %s = %s", v[i][0], v[i][1], text_of(&b));
        assert_string_equal(text_of(&b), v[i][2]);
        evs_json_free(got);
        evs_json_free(patch);
        evs_json_free(want);
    }
    struct evs_json *patch = doc("{\"a\":{\"b\":null}}"), *got = evs_json_merge(NULL, patch);
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    evs_json_print(got, &b);
    assert_string_equal(text_of(&b), "{\"a\":{}}");
    evs_json_free(patch);
    evs_json_free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(lays_out),
        cmocka_unit_test(unquotes),
        cmocka_unit_test(tree_finds),
        cmocka_unit_test(document_keeps_text),
        cmocka_unit_test(merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
