#include <stdio.h>

#include "browse/fold.h"
#include "browse/trace.h"
#include "browse/trace_int.h"
#include "decode/kind.h"
#include "filter/jq.h"
#include "test.h"

static const char *state_of(const struct evs_fold *f, struct evs_buf *to)
{
    evs_buf_reset(to);
    if (!evs_fold_state(f))
        return "(none)";
    evs_json_print(evs_fold_state(f), to);
    return evs_buf_str(to);
}

static enum evs_rc step(struct evs_fold *f, const char *value, struct evs_err *err)
{
    struct evs_event ev = {.topic = "t",
                           .key = "k",
                           .key_len = 1,
                           .value = value,
                           .value_len = value ? strlen(value) : 0};
    return evs_fold_step(f, &ev, err);
}

static struct evs_fold *fold(enum evs_fold_rule rule, const char *map)
{
    struct evs_fold *f = NULL;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_fold_new(rule, map, &f, &err))
        fail_msg("%s", err.msg);
    return f;
}

static void last_value(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    struct evs_err err = EVS_ERR_INIT;
    struct evs_fold *f = fold(EVS_FOLD_LAST, NULL);
    assert_int_equal(step(f, "{\"n\":9007199254740993}", &err), EVS_OK);
    assert_string_equal(state_of(f, &b), "{\"n\":9007199254740993}");
    assert_int_equal(step(f, "plain text", &err), EVS_OK);
    assert_string_equal(state_of(f, &b), "\"plain text\"");
    assert_int_equal(step(f, "\xff", &err), EVS_POISON);
    assert_string_equal(state_of(f, &b), "\"plain text\""); /* it stands */
    assert_int_equal(step(f, NULL, &err), EVS_OK);
    assert_string_equal(state_of(f, &b), "(none)");
    evs_fold_free(f);
}

static void merge_patch(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    struct evs_err err = EVS_ERR_INIT;
    struct evs_fold *f = fold(EVS_FOLD_MERGE, NULL);
    assert_int_equal(step(f, "{\"a\":1.50,\"b\":{\"c\":1}}", &err), EVS_OK);
    assert_int_equal(step(f, "{\"b\":{\"d\":2,\"c\":null}}", &err), EVS_OK);
    assert_string_equal(state_of(f, &b), "{\"a\":1.50,\"b\":{\"d\":2}}");
    assert_int_equal(step(f, "{\"a\":", &err), EVS_POISON);
    assert_string_equal(state_of(f, &b), "{\"a\":1.50,\"b\":{\"d\":2}}");
    assert_int_equal(step(f, NULL, &err), EVS_OK);
    assert_int_equal(step(f, "{\"z\":null,\"y\":0}", &err), EVS_OK);
    assert_string_equal(state_of(f, &b), "{\"y\":0}");
    evs_fold_free(f);
}

static void map_by_type(void **state)
{
    (void)state;
    if (!evs_jq_available())
        return;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    struct evs_err err = EVS_ERR_INIT;
    struct evs_fold *f =
        fold(EVS_FOLD_MAP, "if .event.value.type == \"add\" then "
                           "{n: ((.state.n // 0) + .event.value.by)} else null end");
    assert_int_equal(step(f, "{\"type\":\"add\",\"by\":2}", &err), EVS_OK);
    assert_int_equal(step(f, "{\"type\":\"add\",\"by\":3}", &err), EVS_OK);
    assert_string_equal(state_of(f, &b), "{\"n\":5}");
    assert_int_equal(step(f, "{\"type\":\"end\"}", &err), EVS_OK);
    assert_string_equal(state_of(f, &b), "(none)");
    evs_fold_free(f);
}

static void check_changes(const char *before, const char *after, const char *want, const char *word)
{
    struct evs_json *a = NULL, *b = NULL;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_changes c;
    char text[512] = "", said[64];
    if (before)
        assert_int_equal(evs_json_parse(before, strlen(before), &a, &err), EVS_OK);
    if (after)
        assert_int_equal(evs_json_parse(after, strlen(after), &b, &err), EVS_OK);
    evs_changes_of(a, b, &c);
    for (size_t i = 0; i < c.n; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %s %s>%s;",
                 evs_change_op_name(c.list[i].op), c.list[i].path,
                 c.list[i].before ? c.list[i].before : "", c.list[i].after ? c.list[i].after : "");
    evs_changes_word(&c, b, said, sizeof(said));
    assert_string_equal(text, want);
    assert_string_equal(said, word);
    evs_changes_done(&c);
    evs_json_free(a);
    evs_json_free(b);
}

static void changes(void **state)
{
    (void)state;
    check_changes("{\"a\":1}", "{\"a\":1}", "", "same");
    check_changes("{\"a\":1,\"b\":{\"x\":1}}", "{\"a\":1.0,\"b\":{\"x\":2},\"c\":null}",
                  "replace /a 1>1.0;replace /b/x 1>2;add /c >null;", "2 chg 1 new");
    check_changes("{\"a/b\":1,\"c~\":2}", "{}", "remove /a~1b 1>;remove /c~0 2>;", "2 del");
    check_changes("[1,{\"a\":1}]", "[1,{\"a\":2}]", "replace /1/a 1>2;", "1 chg");
    check_changes("[1]", "[1,2]", "replace  [1]>[1,2];", "1 chg");
    check_changes(NULL, "{\"a\":1}", "add  >{\"a\":1};", "first");
    check_changes("{\"a\":1}", NULL, "remove  {\"a\":1}>;", "gone");
    check_changes("{\"a\":1}", "\"x\"", "replace  {\"a\":1}>\"x\";", "1 chg");
}

static void decides(void **state)
{
    (void)state;
    struct evs_trace_guess g;
    struct evs_trace_fit fit = {.pairs = 100, .one = {100, 9, 8, 8}};
    evs_trace_decide(&fit, 12, "User:5504", 9, &g);
    assert_string_equal(g.verdict, "murmur2");
    assert_int_equal(g.n, 1);
    assert_int_equal(g.candidates[0].partition, 7);
    fit = (struct evs_trace_fit){.pairs = 100, .one = {60, 45, 8, 8}, .either = {{60, 100}}};
    evs_trace_decide(&fit, 24, "sku:10077", 9, &g);
    assert_string_equal(g.verdict, "mixed");
    assert_int_equal(g.n, 2);
    assert_int_equal(g.candidates[0].partition, 19);
    assert_int_equal(g.candidates[1].partition, 8);
    fit = (struct evs_trace_fit){.pairs = 100, .one = {9, 8, 7, 8}};
    evs_trace_decide(&fit, 24, "sku:10077", 9, &g);
    assert_string_equal(g.verdict, "custom");
    fit = (struct evs_trace_fit){.pairs = 3, .one = {3, 0, 0, 0}};
    evs_trace_decide(&fit, 24, "sku:10077", 9, &g);
    assert_string_equal(g.verdict, "unknown");
    evs_trace_decide(&fit, 1, "sku:10077", 9, &g);
    assert_string_equal(g.verdict, "one partition");
    assert_int_equal(g.candidates[0].partition, 0);
}

static void kinds(void **state)
{
    (void)state;
    static const struct evs_header headers[] = {{"ce_type", 7, "shop.placed.v1", 14}};
    static const char value[] = "{\"a\":{\"type\":\"inner\"},\"event_type\":\"paid\\u001b\"}";
    char kind[64];
    struct evs_event ev = {.value = value, .value_len = strlen(value)};
    evs_event_kind(&ev, kind, sizeof(kind));
    assert_string_equal(kind, "paid\\x1b");
    ev.headers = headers;
    ev.n_headers = 1;
    evs_event_kind(&ev, kind, sizeof(kind));
    assert_string_equal(kind, "shop.placed.v1");
    ev = (struct evs_event){.value = NULL};
    evs_event_kind(&ev, kind, sizeof(kind));
    assert_string_equal(kind, "(delete)");
    ev = (struct evs_event){.value = "{", .value_len = 1};
    evs_event_kind(&ev, kind, sizeof(kind));
    assert_string_equal(kind, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_value), cmocka_unit_test(merge_patch), cmocka_unit_test(map_by_type),
        cmocka_unit_test(changes),    cmocka_unit_test(decides),     cmocka_unit_test(kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
