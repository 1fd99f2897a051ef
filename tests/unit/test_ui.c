/* test_ui.c - the interface's parts without a terminal: keys, the surface, widgets,
 * clipboard, search words. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"
#include "test.h"
#include "ui/clip.h"
#include "ui/keys.h"
#include "ui/screen.h"
#include "ui/search.h"
#include "ui/view.h"
#include "ui/widgets/pager.h"
#include "ui/widgets/prompt.h"
#include "ui/widgets/table.h"

/* --- keys ------------------------------------------------------------------------------------- */

static void test_keys(void **state)
{
    struct evs_keymap km;
    struct evs_err err = EVS_ERR_INIT;
    char name[EVS_KEY_NAME];
    (void)state;
    evs_keymap_init(&km);
    assert_int_equal(evs_keymap_find(&km, "topics", false, 'q'), EVS_CMD_CLOSE);
    assert_int_equal(evs_keymap_find(&km, "topics", false, ' '), EVS_CMD_MARK);
    assert_int_equal(evs_keymap_find(&km, "log", true, ' '), EVS_CMD_PAGE_DOWN);
    assert_int_equal(evs_keymap_find(&km, "log", false, EVS_KEY_CTRL('d')), EVS_CMD_HALF_DOWN);
    assert_int_equal(evs_keymap_find(&km, "log", false, '['), EVS_CMD_SIBLING_PREV);
    for (int c = 0; c < EVS_CMD_N; c++) { /* every action can be reached, every key's name read */
        int keys[8];
        size_t n = evs_keymap_keys(&km, "topics", false, (enum evs_command)c, keys, 8);
        if (!n)
            fail_msg("no key for %s", evs_command_row((enum evs_command)c)->name);
        for (size_t i = 0; i < n; i++) {
            evs_key_name(keys[i], name);
            bool comma = keys[i] == ',' || keys[i] == '=' || keys[i] == '#';
            if (!comma)
                assert_int_equal(evs_key_parse(name, strlen(name)), keys[i]);
        }
    }
    static const char mine[] = "[global]\nx = none\nC-t, F9 = trace\n[topics]\nx = quit\n";
    assert_int_equal(evs_keymap_parse(&km, mine, strlen(mine), "keys", NULL, &err), EVS_OK);
    assert_int_equal(evs_keymap_find(&km, "keys", false, 'x'), EVS_CMD_NONE);
    assert_int_equal(evs_keymap_find(&km, "topics", false, 'x'), EVS_CMD_QUIT);
    assert_int_equal(evs_keymap_find(&km, "keys", false, EVS_KEY_F1 + 8), EVS_CMD_TRACE);
    static const char *const wrong[] = {"x = trase\n", "Nokey = quit\n", "a, b, c = quit, help\n",
                                        "[nowhere\n", "just words\n"};
    for (size_t i = 0; i < EVS_COUNT(wrong); i++) {
        assert_int_equal(evs_keymap_parse(&km, wrong[i], strlen(wrong[i]), "keys", NULL, &err),
                         EVS_INVALID);
        assert_int_equal(strncmp(err.msg, "keys:1: ", 8), 0);
    }
    evs_keymap_done(&km);
}

/* --- the surface ------------------------------------------------------------------------------ */

static const char *row_text(struct evs_surface *s, int row)
{
    static struct evs_buf text = EVS_BUF_INIT(65536);
    evs_buf_reset(&text);
    assert_int_equal(evs_surface_text(s, row, &text), s->cols);
    return evs_buf_str(&text);
}

static void test_view(void **state)
{
    struct evs_surface s;
    (void)state;
    evs_surface_init(&s);
    evs_surface_resize(&s, 4, 10);
    struct evs_view v = evs_view_all(&s);
    evs_view_text(&v, 0, 0, EVS_ROLE_TEXT, "用户:85 long");
    assert_string_equal(row_text(&s, 0), "用户:85 lo");
    evs_view_text(&v, 0, 1, EVS_ROLE_TEXT, "x"); /* half of a wide one is a blank */
    assert_string_equal(row_text(&s, 0), " x户:85 lo");
    evs_view_text(&v, 1, 9, EVS_ROLE_TEXT, "用"); /* no straddling */
    assert_string_equal(row_text(&s, 1), "");
    evs_view_text(&v, 1, 0, EVS_ROLE_TEXT, "a\x1b[31mb");
    assert_string_equal(row_text(&s, 1), "a\\x1b[31mb");
    assert_int_equal(evs_surface_at(&s, 1, 1)->role, EVS_ROLE_ESCAPE);
    evs_view_fit(&v, 2, 0, 8, EVS_ROLE_TEXT, "shop.orders.placed", 18, EVS_CUT_MIDDLE);
    assert_string_equal(row_text(&s, 2), "sh…laced");
    evs_view_fit(&v, 3, 0, 5, EVS_ROLE_TEXT, "User:123", 8, EVS_CUT_END);
    assert_string_equal(row_text(&s, 3), "User…");
    struct evs_view sub = evs_view_sub(&v, 3, 8, 5, 5);
    evs_view_text(&sub, 0, 0, EVS_ROLE_TEXT, "abcd");
    assert_string_equal(row_text(&s, 3), "User…   ab");
    evs_surface_done(&s);
}

/* Each cell holds one character with its marks: what a terminal's library can show. */
static void test_view_marks(void **state)
{
    static const char six[] = "Z\u0351\u036b\u0313\u036a\u0302\u036b!";
    static const char wide[] = "\u7528\u0351\u036b\u0313\u036a\u0302!";
    static const char far[] = "\U00010400\U0001e000\U0001e000\U0001e000\U0001e000!";
    struct evs_surface s;
    (void)state;
    evs_surface_init(&s);
    evs_surface_resize(&s, 3, 6);
    struct evs_view v = evs_view_all(&s);
    assert_int_equal(evs_view_text(&v, 0, 0, EVS_ROLE_TEXT, six), 3);
    assert_string_equal(row_text(&s, 0), "Z\u0351\u036b\u0313\u036a\ufffd!");
    assert_int_equal(evs_surface_at(&s, 0, 0)->cols, 1);
    assert_int_equal(evs_surface_at(&s, 0, 1)->cols, 1);
    assert_int_equal(evs_view_text(&v, 1, 0, EVS_ROLE_TEXT, wide), 4);
    assert_string_equal(row_text(&s, 1), "\u7528\u0351\u036b\u0313\u036a\ufffd!");
    assert_int_equal(evs_view_text(&v, 2, 0, EVS_ROLE_TEXT, far), 2);
    assert_true(evs_text_is_utf8(row_text(&s, 2), strlen(row_text(&s, 2))));
    evs_surface_done(&s);
}

/* Any bytes: every row stays as wide as the screen, no control byte in a cell. */
static void test_view_hostile(void **state)
{
    struct evs_surface s;
    uint64_t seed = 42;
    (void)state;
    evs_surface_init(&s);
    evs_surface_resize(&s, 1, 37);
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        for (size_t b = 0; b < sizeof(bytes); b++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[b] = (uint8_t)(seed >> 33);
        }
        struct evs_view v = evs_view_all(&s);
        int col = bytes[0] % 40;
        evs_view_fit(&v, 0, col, bytes[1] % 40, EVS_ROLE_TEXT, bytes, sizeof(bytes),
                     bytes[2] & 1 ? EVS_CUT_END : EVS_CUT_MIDDLE);
        const char *text = row_text(&s, 0);
        assert_true(evs_text_is_utf8(text, strlen(text)));
        for (; *text; text++)
            assert_true((unsigned char)*text >= 32 && *text != 127);
    }
    evs_surface_done(&s);
}

/* --- table ------------------------------------------------------------------------------------ */

struct model {
    size_t n;
    long step; /* value of row i is i * step % 1000003 */
};

static size_t model_count(const void *ctx)
{
    return ((const struct model *)ctx)->n;
}

static long value_of(const void *ctx, size_t row)
{
    return (long)(row * (size_t)((const struct model *)ctx)->step % 1000003);
}

static void model_field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    evs_field_printf(f, EVS_ROLE_TEXT, col ? "%ld" : "row-%ld",
                     col ? value_of(ctx, row) : (long)row);
}

static int model_compare(const void *ctx, size_t a, size_t b, int col)
{
    long va = col ? value_of(ctx, a) : (long)a, vb = col ? value_of(ctx, b) : (long)b;
    return (va > vb) - (va < vb);
}

static uint64_t model_id(const void *ctx, size_t row)
{
    (void)ctx;
    return row + 1000;
}

static const struct evs_column model_cols[] = {
    {"NAME", 6, 20, 0, EVS_COL_GROW, NULL, "a name"},
    {"VALUE", 7, 9, 1, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "a value"}};
static const struct evs_table_ops model_ops = {.cols = model_cols,
                                               .n_cols = 2,
                                               .count = model_count,
                                               .field = model_field,
                                               .compare = model_compare,
                                               .id = model_id};

static const struct evs_column wide_cols[] = {
    {"NAME", 12, 60, 0, EVS_COL_GROW | EVS_COL_MIDDLE, NULL, "a name"},
    {"GROUP", 12, 40, 3, EVS_COL_GROW | EVS_COL_MIDDLE, NULL, "another"},
    {"LESS", 10, 10, 4, EVS_COL_RIGHT, NULL, "less needed"},
    {"STATE", 8, 8, 0, 0, NULL, "the state"}};

static void long_field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    (void)ctx;
    evs_field_printf(f, EVS_ROLE_TEXT, "the.longest.name.of.column.%d.row.%zu", col, row);
}

/* The first name shrinks last, and to less than 20 columns only when nothing is left to drop. */
static void test_table_names_last(void **state)
{
    static const struct evs_table_ops ops = {
        .cols = wide_cols, .n_cols = 4, .count = model_count, .field = long_field};
    static const struct {
        int cols, n, name, last;
    } want[] = {{90, 4, 34, 8}, {70, 3, 34, 8}, {50, 3, 26, 8},
                {45, 3, 21, 8}, {43, 2, 31, 8}, {25, 2, 13, 8}};
    struct model m = {.n = 3};
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(want); i++) {
        struct evs_table t;
        struct evs_table_layout l;
        evs_table_init(&t, &ops, &m, 0, -1, false);
        evs_table_resize(&t, 11);
        evs_table_layout(&t, want[i].cols, false, &l);
        if (l.n != want[i].n || l.width[0] != want[i].name)
            fail_msg("%d columns: %d shown, the name in %d", want[i].cols, l.n, l.width[0]);
        assert_int_equal(l.width[l.n - 1], want[i].last);
        evs_table_done(&t);
    }
}

static void test_table(void **state)
{
    struct model m = {.n = 1000, .step = 7919};
    struct evs_table t;
    (void)state;
    evs_table_init(&t, &model_ops, &m, 0, -1, false);
    evs_table_resize(&t, 11);
    assert_true(evs_table_command(&t, EVS_CMD_END));
    assert_int_equal(evs_table_row(&t), 999);
    evs_table_go(&t, 500);
    assert_true(evs_table_command(&t, EVS_CMD_SORT_NEXT)); /* by NAME */
    assert_true(evs_table_command(&t, EVS_CMD_SORT_NEXT)); /* by VALUE, the most first */
    assert_int_equal(t.sort_col, 1);
    assert_int_equal(evs_table_row(&t), 500); /* the same record stays under the cursor */
    assert_true(t.cursor >= t.top && t.cursor < t.top + (size_t)t.page);
    for (size_t i = 1; i < t.n; i++)
        assert_true(value_of(&m, evs_table_model_row(&t, i - 1)) >=
                    value_of(&m, evs_table_model_row(&t, i)));
    evs_table_filter(&t, "ROW-99");
    assert_int_equal(t.n, 11); /* 99 and 990..999 */
    evs_table_clear_filter(&t);
    assert_int_equal(t.n, 1000);
    evs_table_command(&t, EVS_CMD_MARK);
    assert_int_equal(evs_table_marks(&t), 1);
    t.col = 0;
    size_t row = evs_table_row(&t);
    evs_table_command(&t, EVS_CMD_DROP_LIKE);
    assert_int_equal(t.n, 999);
    evs_table_clear_filter(&t);
    assert_true(evs_table_go_id(&t, row + 1000));
    m.n = 100; /* rows went away */
    evs_table_update(&t);
    assert_true(t.cursor < t.n && t.n == 100);
    m.n = 0;
    evs_table_update(&t);
    assert_int_equal(evs_table_row(&t), SIZE_MAX);
    evs_table_command(&t, EVS_CMD_MOVE_DOWN);
    evs_table_done(&t);
}

static double model_rank(const void *ctx, size_t row, int col)
{
    return col ? (double)value_of(ctx, row) : (double)row;
}

/* Rows by rank or by compare, sorted anew or from the order before, filtered at once or letter by
 * letter, while rows change, come and go: always the same list. */
static void test_table_order(void **state)
{
    struct model m = {.n = 997, .step = 7919};
    struct evs_table_ops ranked = model_ops;
    struct evs_table kept, fresh;
    (void)state;
    ranked.compare = NULL;
    ranked.rank = model_rank;
    evs_table_init(&kept, &ranked, &m, 0, 1, true);
    for (int turn = 0; turn < 40; turn++) {
        static const char *const filters[] = {"", "row-9", "row-99", "ow-9", ""};
        m.n = turn % 7 == 3 ? 640 : 997;
        m.step = 7919 + turn / 5 * 13;
        kept.reverse = turn % 11 > 4;
        evs_table_update(&kept);
        evs_table_filter(&kept, filters[turn % EVS_COUNT(filters)]);
        evs_table_init(&fresh, &model_ops, &m, 0, 1, kept.reverse);
        evs_table_filter(&fresh, kept.filter);
        assert_int_equal(kept.n, fresh.n);
        for (size_t i = 0; i < kept.n; i++)
            assert_int_equal(evs_table_model_row(&kept, i), evs_table_model_row(&fresh, i));
        evs_table_done(&fresh);
    }
    evs_table_done(&kept);
}

/* A million rows: what is visible is cheap, sorting all of them is possible. */
static void test_table_million(void **state)
{
    struct model m = {.n = 1000000, .step = 7919};
    struct evs_surface s;
    struct evs_table t;
    (void)state;
    evs_surface_init(&s);
    evs_surface_resize(&s, 40, 100);
    evs_table_init(&t, &model_ops, &m, 0, -1, false);
    evs_table_resize(&t, 40);
    evs_table_command(&t, EVS_CMD_END);
    struct evs_view v = evs_view_all(&s);
    evs_table_draw(&t, &v);
    assert_non_null(strstr(row_text(&s, 39), "row-999999"));
    t.sort_col = 1;
    evs_table_update(&t);
    assert_int_equal(t.n, 1000000);
    evs_table_done(&t);
    evs_surface_done(&s);
}

/* --- pager, editor, clipboard, search --------------------------------------------------------- */

static void test_pager_json(void **state)
{
    static const char json[] = "{\"id\":9007199254740993,\"total\":184.90,\"items\":[{\"a\":1,"
                               "\"b\":\"x,]}\\\"\"},{\"a\":2},{}],"
                               "\"none\":null,\"e\":[]}";
    struct evs_pager p;
    struct evs_surface s;
    (void)state;
    evs_pager_init(&p);
    evs_surface_init(&s);
    evs_surface_resize(&s, 20, 60);
    evs_pager_json(&p, json, sizeof(json) - 1);
    evs_pager_resize(&p, 20);
    struct evs_view v = evs_view_all(&s);
    evs_pager_draw(&p, &v);
    assert_string_equal(row_text(&s, 1), "   \"id\": 9007199254740993,");
    assert_string_equal(row_text(&s, 2), "   \"total\": 184.90,");
    assert_int_equal(evs_pager_find(&p, "\"a\": 2"), 1);
    size_t open = evs_pager_shown(&p); /* finding opened the fold */
    p.cursor = 3;                      /* "items": [ */
    p.find[0] = '\0';
    evs_pager_command(&p, EVS_CMD_MOVE_LEFT);
    assert_true(evs_pager_shown(&p) < open);
    evs_surface_clear(&s);
    evs_pager_draw(&p, &v);
    assert_string_equal(row_text(&s, 3), "   \"items\": [ 3 items ],  +");
    assert_string_equal(row_text(&s, 4), "   \"none\": null,");
    assert_string_equal(row_text(&s, 5), "   \"e\": []");
    assert_string_equal(row_text(&s, 6), " }");
    evs_pager_command(&p, EVS_CMD_END);
    assert_int_equal(p.cursor, p.n - 1);
    evs_pager_done(&p);
    evs_surface_done(&s);
}

static void test_editor(void **state)
{
    struct evs_edit *e = evs_xcalloc(1, sizeof(*e));
    struct evs_history h = {.n = 0};
    (void)state;
    evs_history_add(&h, "first");
    evs_history_add(&h, "second");
    evs_history_add(&h, "first");
    assert_int_equal(h.n, 2);
    evs_edit_init(e, "one two", &h);
    evs_edit_key(e, EVS_KEY_CTRL('w'));
    assert_string_equal(e->text, "one ");
    evs_edit_key(e, 0x7528); /* a wide character */
    evs_edit_key(e, EVS_KEY_LEFT);
    evs_edit_key(e, 'x');
    assert_string_equal(e->text, "one x用");
    evs_edit_key(e, EVS_KEY_DELETE);
    assert_string_equal(e->text, "one x");
    evs_edit_key(e, EVS_KEY_UP);
    assert_string_equal(e->text, "first");
    evs_edit_key(e, EVS_KEY_UP);
    assert_string_equal(e->text, "second");
    evs_edit_key(e, EVS_KEY_DOWN);
    evs_edit_key(e, EVS_KEY_DOWN);
    assert_string_equal(e->text, "one x");
    evs_edit_key(e, EVS_KEY_CTRL('u'));
    assert_int_equal(e->len, 0);
    for (size_t i = 0; i < h.n; i++)
        evs_free(h.line[i]);
    evs_free(e);
}

static void test_clipboard(void **state)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(1 << 20);
    char *big = evs_xcalloc(1, EVS_CLIP_MAX + 1);
    (void)state;
    assert_true(evs_clip_sequence("hi", 2, EVS_CLIP_PLAIN, &out));
    assert_string_equal(out.data, "\033]52;c;aGk=\a");
    evs_buf_reset(&out);
    assert_true(evs_clip_sequence("hi", 2, EVS_CLIP_TMUX, &out));
    assert_string_equal(out.data, "\033Ptmux;\033\033]52;c;aGk=\a\033\\");
    evs_buf_reset(&out);
    assert_false(evs_clip_sequence(big, EVS_CLIP_MAX + 1, EVS_CLIP_PLAIN, &out));
    assert_true(evs_clip_sequence(big, EVS_CLIP_MAX, EVS_CLIP_SCREEN, &out));
    for (size_t at = 0; at < out.len;) { /* no string is longer than screen takes */
        const char *end = strstr(out.data + at, "\033\\");
        assert_non_null(end);
        assert_true((size_t)(end - out.data) - at <= EVS_CLIP_CHUNK + 2);
        at = (size_t)(end - out.data) + 2;
    }
    evs_free(big);
}

static void test_search_words(void **state)
{
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    struct evs_err err = EVS_ERR_INIT;
    (void)state;
    evs_search_init(s);
    assert_int_equal(evs_search_parse(s,
                                      "refund \"two words\" key:=User:123 !header:src=web since:2h "
                                      "p:0,3-5 n:50 jq:.value.total > 100 and .key == \"a b\" ",
                                      &err),
                     EVS_OK);
    assert_int_equal(s->n_terms, 5);
    assert_string_equal(s->terms[0].text, "refund");
    assert_string_equal(s->terms[1].text, "two words");
    assert_string_equal(s->terms[2].text, "=User:123");
    assert_true(s->terms[3].invert && s->terms[3].kind == EVS_FILTER_HEADER);
    assert_string_equal(s->terms[4].text, ".value.total > 100 and .key == \"a b\"");
    assert_string_equal(s->since, "2h");
    assert_string_equal(s->partitions, "0,3-5");
    assert_int_equal(s->count, 50);
    assert_string_equal(evs_search_key(s), "User:123");
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(4096);
    evs_search_options(s, &line);
    assert_non_null(strstr(line.data, " -k =User:123 "));
    assert_non_null(strstr(line.data, " --grep 'two words'"));
    evs_search_init(s);
    evs_buf_reset(&line);
    assert_int_equal(
        evs_search_parse(s, "grep:\"type\":\"placed\" {\"a\":\"b\\\"c\"} !\"say \\\"hi\\\"\" -i",
                         &err),
        EVS_OK);
    assert_string_equal(s->terms[0].text, "\"type\":\"placed\""); /* its own */
    assert_string_equal(s->terms[1].text, "{\"a\":\"b\\\"c\"}");
    assert_string_equal(s->terms[2].text, "say \"hi\"");
    assert_true(s->terms[0].ignore_case && s->terms[2].ignore_case && s->terms[2].invert);
    evs_search_options(s, &line);
    assert_non_null(strstr(line.data, " --not-grep 'say \"hi\"' -i"));
    static const char *const values[] = {"plain", "two words", "\"", "a\"b", "\\", "a \\\"", ""};
    for (size_t i = 0; i < EVS_COUNT(values); i++) { /* what was quoted comes back */
        evs_search_init(s);
        evs_buf_reset(&line);
        evs_buf_adds(&line, "n:1 key:");
        evs_text_word(&line, values[i]);
        evs_buf_adds(&line, " x");
        if (*values[i]) {
            assert_int_equal(evs_search_parse(s, line.data, &err), EVS_OK);
            assert_string_equal(s->terms[0].text, values[i]);
            assert_int_equal(s->n_terms, 2);
        }
    }
    evs_search_init(s);
    assert_int_equal(evs_search_parse(s, "since:soon", &err), EVS_INVALID);
    evs_search_init(s);
    assert_int_equal(evs_search_parse(s, "key:", &err), EVS_INVALID);
    evs_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),        cmocka_unit_test(test_view),
        cmocka_unit_test(test_view_marks),  cmocka_unit_test(test_view_hostile),
        cmocka_unit_test(test_table),       cmocka_unit_test(test_table_names_last),
        cmocka_unit_test(test_table_order), cmocka_unit_test(test_table_million),
        cmocka_unit_test(test_pager_json),  cmocka_unit_test(test_editor),
        cmocka_unit_test(test_clipboard),   cmocka_unit_test(test_search_words),
    };
    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
