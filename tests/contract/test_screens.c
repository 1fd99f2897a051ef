/* test_screens.c - every registered screen, without a terminal: drawn at every size, every footer
 * key pressed, no line wider than the screen, no control byte in a cell. */
#include <ftw.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/test.h"
#include "core/clock.h"
#include "core/log.h"
#include "kafka/client.h"
#include "kafka/mock.h"
#include "ui/app.h"
#include "ui/task.h"
#include "ui/widgets/table.h"

/* A client that never gets an answer: screens show what they do before there is data. */
static struct evs_client *client_of(const char *brokers, int64_t timeout_ms)
{
    struct evs_client_conf conf;
    struct evs_client *c = NULL;
    struct evs_err err = EVS_ERR_INIT;
    evs_client_conf_init(&conf);
    evs_client_conf_set(&conf, "bootstrap.servers", brokers, "test");
    conf.timeout_ms = timeout_ms;
    assert_int_equal(evs_client_new(&conf, &c, &err), EVS_OK);
    evs_client_conf_done(&conf);
    return c;
}

static struct evs_client *lonely_client(void)
{
    return client_of("127.0.0.1:9", 200);
}

static void check_frame(struct evs_ui *ui, const char *name)
{
    const struct evs_surface *s = evs_app_frame(ui);
    for (int row = 0; row < s->rows; row++) {
        int cols = 0;
        for (int col = 0; col < s->cols; col++) {
            const struct evs_cell *c = evs_surface_at(s, row, col);
            cols += c->cols;
            for (int i = 0; i < c->len; i++)
                if ((unsigned char)c->bytes[i] < 32 || c->bytes[i] == 127)
                    fail_msg("%s: control byte in row %d", name, row);
        }
        if (cols != s->cols)
            fail_msg("%s: row %d has %d columns of %d", name, row, cols, s->cols);
    }
}

static void open_at(struct evs_ui *ui, const struct evs_screen_ops *ops)
{
    struct evs_place at = EVS_PLACE_INIT;
    struct evs_err err = EVS_ERR_INIT;
    evs_place_set(&at.topic, "shop.payments.captured");
    evs_place_set(&at.group, "payments-view");
    evs_place_set_key(&at, "User:123", 8);
    at.partition = 3;
    if (evs_stack_push(ui, ops, &at, &err))
        fail_msg("%s: %s", ops->name, err.msg);
    evs_place_done(&at);
}

static struct evs_ui *new_ui(const struct evs_ui_opts *opts)
{
    struct evs_ui *ui = evs_xcalloc(1, sizeof(*ui));
    struct evs_err err = EVS_ERR_INIT;
    if (evs_app_init(ui, opts, &err) || evs_app_start(ui, &err))
        fail_msg("%s", err.msg);
    return ui;
}

static void free_ui(struct evs_ui *ui)
{
    bool done = evs_app_done(ui);
    for (int i = 0; !done && i < 20; i++) /* a second each: a busy machine */
        done = evs_task_reap_all();
    assert_true(done);
    evs_free(ui);
}

static void test_sizes(void **state)
{
    struct evs_client *c = lonely_client();
    struct evs_ui_opts opts = {.client = c};
    struct evs_ui *ui = new_ui(&opts);
    (void)state;
    for (size_t i = 0; evs_screens[i]; i++) {
        evs_app_resize(ui, 24, 80);
        open_at(ui, evs_screens[i]);
        for (int rows = 1; rows <= 60; rows += rows < 12 ? 1 : 7)
            for (int cols = 1; cols <= 200; cols += cols < 24 ? 1 : 11) {
                evs_app_resize(ui, rows, cols);
                (void)evs_app_refresh(ui);
                check_frame(ui, evs_screens[i]->name);
            }
        evs_app_resize(ui, 120, 400);
        check_frame(ui, evs_screens[i]->name);
        evs_stack_pop(ui);
    }
    free_ui(ui);
    evs_client_free(c);
}

static void frame_text(struct evs_ui *ui, struct evs_buf *out)
{
    const struct evs_surface *s = evs_app_frame(ui);
    evs_buf_reset(out);
    for (int row = 0; row < s->rows; row++) {
        (void)evs_surface_text(s, row, out);
        evs_buf_addc(out, '\n');
    }
}

/* What a column of numbers shows is exact, an upper bound, an estimate ...: each says which. TIME
 * LAG does so row by row; # counts rows. */
static void check_tags(struct evs_screen *s)
{
    const struct evs_table *t = s->ops->table ? s->ops->table(s) : NULL;
    for (int i = 0; t && t->ops && i < t->ops->n_cols; i++) {
        const struct evs_column *c = &t->ops->cols[i];
        bool own = !strcmp(c->name, "#") || !strcmp(c->name, "TIME LAG");
        if (c->flags & EVS_COL_RIGHT && !own && (!c->tag || !*c->tag))
            fail_msg("%s: column %s has no tag", s->ops->name, c->name);
    }
}

/* At 80x24 a screen has its name, something in its body, and a footer of four keys or more. */
static void check_headlines(struct evs_ui *ui)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(1 << 20);
    const char *name = evs_stack_top(ui)->ops->name, *at;
    int body = 0, row = 0, keys = 0;
    frame_text(ui, &text);
    for (at = text.data; row < 22; row++) {
        size_t n = strcspn(at, "\n"), blank = strspn(at, " ");
        if (row == 1 && blank >= n)
            fail_msg("%s: no name at 80x24", name);
        body += row > 1 && blank < n;
        at += n + 1;
    }
    if (!body)
        fail_msg("%s: empty at 80x24", name);
    at = strchr(at, '\n') + 1; /* past the status line */
    for (bool gap = true; *at && *at != '\n'; at++) {
        keys += *at != ' ' && gap;
        gap = at[0] == ' ' && (gap || at[1] == ' ');
    }
    if (keys < 4)
        fail_msg("%s: %d keys in the footer at 80x24:\n%s", name, keys, text.data);
}

/* Until the screen has drawn the same for a while: what it asked for has come. */
static void settle(struct evs_ui *ui)
{
    EVS_AUTO(evs_buf) struct evs_buf before = EVS_BUF_INIT(1 << 20), now = EVS_BUF_INIT(1 << 20);
    for (int same = 0, i = 0; i < 250 && same < 25; i++) {
        (void)poll(NULL, 0, 20);
        (void)evs_app_refresh(ui);
        frame_text(ui, &now);
        same = before.data && !strcmp(before.data, now.data) ? same + 1 : 0;
        evs_buf_reset(&before);
        evs_buf_add(&before, now.data, now.len);
        evs_buf_str(&before);
    }
}

/* The sample data on every screen, then every size that a terminal may have. */
static void test_sizes_with_data(void **state)
{
    static const int some_rows[] = {1, 2, 3, 4, 5, 6, 8, 11, 17, 24, 40, 66, 120};
    static const int some_cols[] = {1, 2, 4, 7, 12, 19, 20, 33, 59, 80, 109, 110, 118, 200, 400};
    struct evs_mock_spec spec = {.seed = 1};
    struct evs_mock *mock = NULL;
    struct evs_err err = EVS_ERR_INIT;
    (void)state;
    assert_int_equal(evs_mock_start(&spec, &mock, &err), EVS_OK);
    assert_int_equal(evs_mock_wait(mock, NULL, &err), EVS_OK);
    struct evs_client *c = client_of(evs_mock_brokers(mock), 5000);
    struct evs_ui_opts opts = {.client = c, .demo = true, .groups = evs_mock_groups(mock)};
    struct evs_ui *ui = new_ui(&opts);
    for (size_t i = 0; evs_screens[i]; i++) {
        evs_app_resize(ui, 24, 80);
        open_at(ui, evs_screens[i]);
        settle(ui);
        check_headlines(ui);
        check_tags(evs_stack_top(ui));
        for (size_t r = 0; r < EVS_COUNT(some_rows); r++)
            for (size_t k = 0; k < EVS_COUNT(some_cols); k++) {
                evs_app_resize(ui, some_rows[r], some_cols[k]);
                (void)evs_app_refresh(ui);
                check_frame(ui, evs_screens[i]->name);
            }
        evs_stack_pop(ui);
    }
    free_ui(ui);
    evs_client_free(c);
    evs_mock_free(mock);
}

/* A key that the footer shows changes something: the frame, the stack, what is asked or sent. */
static void press_hint(struct evs_ui *ui, const struct evs_screen_ops *ops, enum evs_command c)
{
    EVS_AUTO(evs_buf) struct evs_buf before = EVS_BUF_INIT(1 << 20), after = EVS_BUF_INIT(1 << 20);
    int keys[4], depth = ui->n_stack;
    if (!evs_keymap_keys(&ui->keys, ops->name, evs_app_reading(ui), c, keys, 4))
        fail_msg("%s: no key does %s", ops->name, evs_command_row(c)->name);
    frame_text(ui, &before);
    evs_app_key(ui, keys[0]);
    bool asked = ui->overlay || ui->pending || ui->quit || ui->clipboard.len || ui->spawn;
    frame_text(ui, &after);
    if (ui->n_stack == depth && !asked && !strcmp(before.data, after.data) &&
        c != EVS_CMD_MOVE_LEFT && c != EVS_CMD_MOVE_RIGHT && c != EVS_CMD_REFRESH)
        fail_msg("%s: %s did nothing", ops->name, evs_command_row(c)->name);
    if (strstr(ui->said, "nothing to do here"))
        fail_msg("%s: %s has nothing to do", ops->name, evs_command_row(c)->name);
}

static void test_footer_keys(void **state)
{
    struct evs_client *c = lonely_client();
    struct evs_ui_opts opts = {.client = c};
    (void)state;
    for (size_t i = 0; evs_screens[i]; i++) {
        const struct evs_screen_ops *ops = evs_screens[i];
        for (const struct evs_hint *h = ops->hints; h && h->command != EVS_CMD_NONE; h++) {
            struct evs_ui *ui = new_ui(&opts);
            evs_app_resize(ui, 40, 120);
            open_at(ui, ops);
            evs_app_frame(ui);
            if (evs_app_can(ui, h->command))
                press_hint(ui, ops, h->command);
            free_ui(ui);
        }
    }
    evs_client_free(c);
}

/* Any key, in any order, at any size: nothing breaks. */
static void test_random_keys(void **state)
{
    struct evs_client *c = lonely_client();
    struct evs_ui_opts opts = {.client = c};
    struct evs_ui *ui = new_ui(&opts);
    uint64_t seed = (uint64_t)evs_clock_wall_ms();
    const char *given = getenv("EVENTSCOPE_TEST_SEED");
    if (given)
        seed = strtoull(given, NULL, 10);
    print_message("seed %llu (EVENTSCOPE_TEST_SEED)\n", (unsigned long long)seed);
    (void)state;
    /* Saving writes files wherever the keys happen to say, so it is not among them. */
    static const char unbound[] = "[global]\ns, S, : = none\n";
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_keymap_parse(&ui->keys, unbound, strlen(unbound), "keys", NULL, &err), 0);
    evs_app_resize(ui, 24, 80);
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int r = (int)(seed >> 40);
        int key = r % 3 ? 33 + r / 3 % 94 : r / 3 % 2 ? EVS_KEY_UP + r / 6 % 20 : 1 + r / 6 % 32;
        evs_app_key(ui, key);
        evs_buf_reset(&ui->clipboard);
        evs_place_set(&ui->spawn, NULL);
        if (r % 50 == 0)
            evs_app_resize(ui, 1 + r / 50 % 50, 1 + r / 2500 % 150);
        if (r % 10 == 0) {
            (void)evs_app_refresh(ui);
            check_frame(ui, "random keys");
        }
    }
    free_ui(ui);
    evs_client_free(c);
}

static void test_hints_and_help_agree(void **state)
{
    struct evs_client *c = lonely_client();
    struct evs_ui_opts opts = {.client = c};
    struct evs_ui *ui = new_ui(&opts);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(1 << 20);
    struct evs_err err = EVS_ERR_INIT;
    static const char rebound[] = "[global]\nQ = go-log\nD = none\n";
    (void)state;
    evs_app_resize(ui, 120, 120);
    assert_int_equal(evs_keymap_parse(&ui->keys, rebound, strlen(rebound), "keys", NULL, &err), 0);
    open_at(ui, evs_screen_find("log"));
    evs_app_key(ui, '?');
    frame_text(ui, &text);
    assert_non_null(strstr(text.data, "Q           log"));
    assert_null(strstr(text.data, "D           log"));
    evs_app_key(ui, '?');
    evs_stack_pop(ui);
    evs_app_key(ui, 'Q');
    assert_string_equal(evs_stack_top(ui)->ops->name, "log");
    free_ui(ui);
    evs_client_free(c);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sizes_with_data),
        cmocka_unit_test(test_footer_keys),
        cmocka_unit_test(test_random_keys),
        cmocka_unit_test(test_hints_and_help_agree),
    };
    setlocale(LC_ALL, "C.UTF-8");
    evs_log(EVS_LOG_INFO, "a line");
    char dir[] = "/tmp/eventscope-screens-XXXXXX"; /* random keys may save files */
    if (!mkdtemp(dir) || chdir(dir) || setenv("XDG_STATE_HOME", dir, 1)) /* nobody's own jobs */
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) || failed;
}
