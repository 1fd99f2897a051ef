/* log.c - the ring of core/log: what happened in this session. The example of a screen with one
 * table. */
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/xalloc.h"
#include "ui/app.h"
#include "ui/widgets/table.h"

struct log {
    struct evs_log_line *lines; /* EVS_LOG_RING of them */
    size_t n;
    uint64_t last;
    struct evs_table table;
};

enum { COL_TIME, COL_LEVEL, COL_TEXT };

static const struct evs_column cols[] = {
    {"TIME", 12, 14, 2, 0, "exact", "when it was logged"},
    {"LEVEL", 5, 5, 1, EVS_COL_COMPACT, NULL, "info, warn or error"},
    {"WHAT", 20, 300, 0, EVS_COL_WIDE | EVS_COL_COMPACT, NULL, "secrets are masked"}};

static size_t count(const void *ctx)
{
    return ((const struct log *)ctx)->n;
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct evs_log_line *l = &((const struct log *)ctx)->lines[row];
    static const enum evs_role roles[] = {EVS_ROLE_TEXT_DIM, EVS_ROLE_TEXT, EVS_ROLE_WARN,
                                          EVS_ROLE_BAD};
    char time[EVS_NUM_LEN];
    if (col == COL_TIME) {
        evs_field_set(f, EVS_ROLE_TEXT_DIM, evs_num_clock(time, l->ts_ms, evs_clock_wall_ms()));
    } else if (col == COL_LEVEL) {
        evs_field_set(f, roles[l->level], evs_log_level_name(l->level));
    } else {
        f->p = l->text;
        f->n = strlen(l->text);
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    const struct log *l = ctx;
    return l->last - l->n + row; /* the line's number */
}

static const struct evs_table_ops table_ops = {cols, 3, 2, count, field, .id = id};

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct log *l = s->state;
    (void)err;
    l->lines = evs_xcalloc(EVS_LOG_RING, sizeof(*l->lines));
    evs_table_init(&l->table, &table_ops, l, COL_TEXT, -1, false);
    l->table.stick_end = true;
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    struct log *l = s->state;
    evs_table_done(&l->table);
    evs_free(l->lines);
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)n_cols;
    evs_table_resize(&((struct log *)s->state)->table, rows);
}

static bool refresh(struct evs_screen *s)
{
    struct log *l = s->state;
    uint64_t last;
    struct evs_log_line one;
    if (!evs_log_copy(l->last, &one, 1, &last))
        return false;
    l->n = evs_log_copy(0, l->lines, EVS_LOG_RING, &last);
    l->last = last;
    evs_table_update(&l->table);
    return true;
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct log *l = s->state;
    if (!l->table.n)
        evs_view_text(v, 1, 2, EVS_ROLE_TEXT_DIM,
                      l->n ? "No line matches. Esc clears the filter." : "Nothing was logged yet.");
    evs_table_draw(&l->table, v);
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct log *l = s->state;
    char n[EVS_NUM_LEN];
    evs_bands_say(b->right, sizeof(b->right), "%s lines %s level info %s this session only",
                  evs_num_commas(n, (int64_t)l->n), evs_glyph(EVS_G_DOT), evs_glyph(EVS_G_DOT));
    evs_bands_say(b->left, sizeof(b->left), "%llu errors, %llu warnings in this session",
                  (unsigned long long)evs_log_count(EVS_LOG_ERROR),
                  (unsigned long long)(evs_log_count(EVS_LOG_WARN) - evs_log_count(EVS_LOG_ERROR)));
    if (evs_table_filtered(&l->table))
        evs_bands_say(b->value, sizeof(b->value), "%zu of %s shown", l->table.n, n);
}

static struct evs_table *table(struct evs_screen *s)
{
    return &((struct log *)s->state)->table;
}

static const struct evs_log_line *current(const struct evs_screen *s)
{
    const struct log *l = s->state;
    size_t row = evs_table_row(&l->table);
    return row == SIZE_MAX ? NULL : &l->lines[row];
}

static bool copy(const struct evs_screen *s, char what, struct evs_buf *out)
{
    const struct evs_log_line *l = current(s);
    (void)what;
    if (l)
        evs_buf_adds(out, l->text);
    return l != NULL;
}

static bool save(const struct evs_screen *s, bool all, struct evs_buf *out)
{
    const struct log *l = s->state;
    char time[EVS_NUM_LEN];
    for (size_t i = 0; i < l->table.n; i++) {
        if (!all && i != l->table.cursor)
            continue;
        const struct evs_log_line *line = &l->lines[evs_table_model_row(&l->table, i)];
        evs_buf_printf(out, "%s %-5s %s\n", evs_num_iso(time, line->ts_ms),
                       evs_log_level_name(line->level), line->text);
    }
    return true;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    const struct evs_log_line *l = current(s);
    if (c == EVS_CMD_GO_LOG)
        return EVS_CLOSED;
    if (c != EVS_CMD_OPEN || !l)
        return EVS_IGNORED;
    evs_ui_say(s->ui, l->level >= EVS_LOG_ERROR ? EVS_ROLE_BAD : EVS_ROLE_STATUS, "%s", l->text);
    return EVS_HANDLED;
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    bool row =
        c == EVS_CMD_OPEN || c == EVS_CMD_KEEP_LIKE || c == EVS_CMD_SAVE || c == EVS_CMD_COPY;
    return !row || current(s);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "whole line"), EVS_HINT(KEEP_LIKE, "level"),
                                        EVS_HINT(FILTER, "find"),     EVS_HINT(SAVE_ALL, "save"),
                                        EVS_HINT(COPY, "copy"),       EVS_HINTS_END};

const struct evs_screen_ops evs_screen_log = {
    .name = "log",
    .title = "Log",
    .about = "what happened in this session",
    .state_size = sizeof(struct log),
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
    .copy = copy,
    .copy_at_once = true,
    .save = save,
};
