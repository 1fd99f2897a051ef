/* help.c - the keys of the screen it was called from, then everywhere; generated from the
 * command table. */
#include <string.h>

#include "ui/app.h"
#include "ui/widgets/pager.h"
#include "ui/widgets/table.h"

enum { WORD_COLS = 16 };
enum page { PAGE_KEYS, PAGE_COLUMNS, PAGE_MARKS, PAGE_WORDS, PAGE_N };

struct row {
    enum evs_command command;
    char keys[3 * EVS_KEY_NAME];
    const char *text;
};

struct list {
    struct row rows[EVS_CMD_N];
    size_t n;
    struct evs_table table;
};

struct help {
    const struct evs_screen_ops *about; /* the screen it explains */
    struct list here, everywhere;
    struct evs_pager text;
    enum page page;
    bool right; /* focus */
};

static size_t count(const void *ctx)
{
    return ((const struct list *)ctx)->n;
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct row *r = &((const struct list *)ctx)->rows[row];
    evs_field_set(f, col ? EVS_ROLE_TEXT : EVS_ROLE_FOOTER_KEY, col ? r->text : r->keys);
}

static const struct evs_column here_cols[] = {
    {"HERE", 8, 12, 0, EVS_COL_NOSORT, NULL, NULL},
    {"", 10, 60, 0, EVS_COL_WIDE | EVS_COL_NOSORT, NULL, NULL}};
static const struct evs_column everywhere_cols[] = {
    {"EVERYWHERE", 8, 12, 0, EVS_COL_NOSORT, NULL, NULL},
    {"", 10, 60, 0, EVS_COL_WIDE | EVS_COL_NOSORT, NULL, NULL}};
static const struct evs_table_ops here_ops = {here_cols, 2, 2, count, field, .compare = NULL};
static const struct evs_table_ops everywhere_ops = {everywhere_cols, 2,     2,
                                                    count,           field, .compare = NULL};

static void add_keys(struct evs_ui *ui, const struct help *h, enum evs_command c, struct row *r)
{
    int keys[4];
    char name[EVS_KEY_NAME];
    size_t n = evs_keymap_keys(&ui->keys, h->about->name, h->about->reading, c, keys, 2), at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t left = sizeof(r->keys) - at;
        evs_key_name(keys[i], name);
        if (at + strlen(name) + 2 < sizeof(r->keys))
            strncat(r->keys, i ? " " : "", left - 1);
        strncat(r->keys, name, sizeof(r->keys) - strlen(r->keys) - 1);
        at = strlen(r->keys);
    }
}

static void add(struct evs_ui *ui, const struct help *h, struct list *l, enum evs_command c,
                const char *text)
{
    struct row *r = &l->rows[l->n];
    *r = (struct row){.command = c, .text = text ? text : evs_command_row(c)->text};
    add_keys(ui, h, c, r);
    if (r->keys[0])
        l->n++;
}

static bool is_here(const struct help *h, enum evs_command c)
{
    for (const struct evs_hint *i = h->about->hints; i && i->command != EVS_CMD_NONE; i++)
        if (i->command == c || i->also == c)
            return true;
    return false;
}

static void collect(struct evs_screen *s)
{
    struct help *h = s->state;
    for (const struct evs_hint *i = h->about->hints; i && i->command != EVS_CMD_NONE; i++) {
        add(s->ui, h, &h->here, i->command, i->word);
        if (i->also != EVS_CMD_NONE)
            add(s->ui, h, &h->here, i->also, NULL);
    }
    for (int c = 0; c < EVS_CMD_N; c++)
        if (!is_here(h, (enum evs_command)c))
            add(s->ui, h, &h->everywhere, (enum evs_command)c, NULL);
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct help *h = s->state;
    const struct evs_screen *below = evs_stack_top(s->ui);
    (void)err;
    h->about = below ? below->ops : s->ops;
    evs_pager_init(&h->text);
    collect(s);
    evs_table_init(&h->here.table, &here_ops, &h->here, 1, -1, false);
    evs_table_init(&h->everywhere.table, &everywhere_ops, &h->everywhere, 1, -1, false);
    h->right = !h->here.n;
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    struct help *h = s->state;
    evs_table_done(&h->here.table);
    evs_table_done(&h->everywhere.table);
    evs_pager_done(&h->text);
}

static const struct evs_meaning marks[] = {
    {"exact", "this many, counted or given by the broker"},
    {"span", "high - low: an upper bound on compacted or transactional topics (heading ends in ≤)"},
    {"~", "an estimate; with ± where its error is known"},
    {"–", "unknown, with the reason in the status line; never shown as 0"},
    {"partial 30 %", "stopped early: what was read so far; c goes on"},
    {"▲ ! √", "critical, warning, good; always with the words"},
    {"► *", "the cursor; a marked row (Space)"},
    {"(null) \"\" –", "no key or value; an empty one; not there"},
    {"tombstone", "a record without a value: deletes its key on compacted topics"},
    {"\\x1b U+202E", "bytes that could steer a terminal or mislead, shown escaped"},
    {"● ◌ ○", "connected, connecting, lost"},
    {NULL, NULL}};

static const struct evs_meaning words[] = {
    {"text", "these bytes in key or value; \"quotes\" keep spaces together"},
    {"grep:text", "the same"},
    {"key:GLOB", "keys like this; key:re:PATTERN a regular expression; key:=TEXT exactly"},
    {"header:N=GLOB", "a header of this name (and value)"},
    {"jq:EXPR",
     "true keeps; sees topic partition offset timestamp key value headers; the rest of the line"},
    {"since:2h", "from: 15m 2h 3d back, RFC 3339, YYYY-MM-DD[ HH:MM[:SS]], epoch"},
    {"until:now", "up to, in the same forms"},
    {"p:0,3-5", "partitions; p:key the one the key hashes to; p:all"},
    {"o:-500", "beginning, end, N, -N"},
    {"n:1000", "stop after so many kept"},
    {"!word", "keeps what does not match"},
    {NULL, NULL}};

static void list_meanings(struct evs_pager *p, const struct evs_meaning *m)
{
    for (; m && m->word; m++)
        evs_pager_printf(p, EVS_ROLE_TEXT, "%s%*s%s", m->word,
                         WORD_COLS - (int)evs_text_width(m->word, strlen(m->word)), "", m->text);
}

static void list_columns(struct evs_screen *s)
{
    struct help *h = s->state;
    struct evs_screen *below = s->ui->n_stack > 1 ? s->ui->stack[s->ui->n_stack - 2] : NULL;
    struct evs_table *t = below && below->ops->table ? below->ops->table(below) : NULL;
    for (int i = 0; t && i < t->ops->n_cols; i++) {
        const struct evs_column *c = &t->ops->cols[i];
        if (c->name[0])
            evs_pager_printf(&h->text, EVS_ROLE_TEXT, "%-16s%-7s%s", c->name, c->tag ? c->tag : "",
                             c->meaning ? c->meaning : "");
    }
    list_meanings(&h->text, h->about->meanings);
    if (!h->text.n)
        evs_pager_printf(&h->text, EVS_ROLE_TEXT_DIM, "%s has no columns.", h->about->title);
}

static void turn_page(struct evs_screen *s, int step)
{
    struct help *h = s->state;
    h->page = (enum page)((h->page + PAGE_N + step) % PAGE_N);
    evs_pager_reset(&h->text);
    if (h->page == PAGE_COLUMNS)
        list_columns(s);
    else if (h->page == PAGE_MARKS)
        list_meanings(&h->text, marks);
    else if (h->page == PAGE_WORDS)
        list_meanings(&h->text, words);
}

static bool side_by_side(const struct evs_screen *s)
{
    return s->cols >= 80;
}

static void resize(struct evs_screen *s, int rows, int cols)
{
    struct help *h = s->state;
    (void)cols;
    evs_table_resize(&h->here.table, rows);
    evs_table_resize(&h->everywhere.table, rows);
    evs_pager_resize(&h->text, rows);
}

static bool refresh(struct evs_screen *s)
{
    (void)s;
    return false;
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    struct help *h = s->state;
    if (h->page != PAGE_KEYS) {
        evs_pager_draw(&h->text, v);
        return;
    }
    struct evs_table here = h->here.table, everywhere = h->everywhere.table;
    here.focused = !h->right;
    everywhere.focused = h->right;
    if (!side_by_side(s)) {
        evs_table_draw(h->right ? &everywhere : &here, v);
        return;
    }
    int left = v->cols / 3;
    struct evs_view a = evs_view_sub(v, 0, 0, v->rows, left);
    struct evs_view b = evs_view_sub(v, 0, left + 2, v->rows, v->cols - left - 2);
    evs_table_draw(&here, &a);
    evs_table_draw(&everywhere, &b);
    for (int r = 0; r < v->rows; r++)
        evs_view_glyph(v, r, left, EVS_ROLE_PANE_RULE, EVS_G_SPLIT);
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    static const char *const pages[PAGE_N] = {"Keys", "Columns", "Marks", "Search words"};
    struct help *h = s->state;
    evs_bands_crumb(b, "Help", h->about->title, pages[h->page]);
    evs_bands_say(b->right, sizeof(b->right), "generated from the keymap %s / finds %s Esc closes",
                  evs_glyph(EVS_G_DOT), evs_glyph(EVS_G_DOT));
    const struct list *l = h->right ? &h->everywhere : &h->here;
    size_t row = evs_table_row(&l->table);
    if (h->page == PAGE_KEYS && row != SIZE_MAX)
        evs_bands_say(b->left, sizeof(b->left), "action %s",
                      evs_command_row(l->rows[row].command)->name);
}

static struct evs_table *table(struct evs_screen *s)
{
    struct help *h = s->state;
    if (h->page != PAGE_KEYS)
        return NULL;
    return h->right ? &h->everywhere.table : &h->here.table;
}

static struct evs_pager *pager(struct evs_screen *s)
{
    struct help *h = s->state;
    return h->page == PAGE_KEYS ? NULL : &h->text;
}

static enum evs_handled run_row(struct evs_screen *s)
{
    struct help *h = s->state;
    const struct list *l = h->right ? &h->everywhere : &h->here;
    size_t row = evs_table_row(&l->table);
    if (h->page != PAGE_KEYS || row == SIZE_MAX)
        return EVS_HANDLED;
    enum evs_command c = l->rows[row].command;
    struct evs_ui *ui = s->ui;
    evs_stack_pop(ui); /* s is gone */
    if (c != EVS_CMD_HELP)
        evs_app_command(ui, c);
    return EVS_HANDLED;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct help *h = s->state;
    switch (c) {
    case EVS_CMD_HELP: return EVS_CLOSED;
    case EVS_CMD_OPEN: return run_row(s);
    case EVS_CMD_PANE_NEXT: turn_page(s, 1); return EVS_HANDLED;
    case EVS_CMD_PANE_PREV: turn_page(s, -1); return EVS_HANDLED;
    case EVS_CMD_MOVE_LEFT:
    case EVS_CMD_MOVE_RIGHT:
        if (h->page != PAGE_KEYS)
            return EVS_IGNORED;
        h->right = c == EVS_CMD_MOVE_RIGHT || !h->here.n;
        return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct help *h = s->state;
    return c != EVS_CMD_OPEN || h->page == PAGE_KEYS;
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "run it"), EVS_HINT(FILTER, "find"),
                                        EVS_HINT(PANE_NEXT, "columns, marks, words"),
                                        EVS_HINT2(MOVE_LEFT, MOVE_RIGHT, "here, everywhere"),
                                        EVS_HINTS_END};

const struct evs_screen_ops evs_screen_help = {
    .name = "help",
    .title = "Help",
    .about = "keys, columns, marks, search words",
    .state_size = sizeof(struct help),
    .offline = true,
    .hints = hints,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = draw,
    .leave = leave,
    .bands = bands,
    .command = command,
    .can = can,
    .table = table,
    .pager = pager,
};
