#include "ui/widgets/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/num.h"
#include "core/xalloc.h"

void evs_field_count(struct evs_field *f, enum evs_role role, int64_t n)
{
    char text[EVS_NUM_LEN];
    evs_field_set(f, role, evs_num_commas(text, n));
}

void evs_field_set(struct evs_field *f, enum evs_role role, const char *text)
{
    size_t n = strlen(text);
    f->n = n < sizeof(f->text) ? n : sizeof(f->text) - 1;
    memcpy(f->text, text, f->n);
    f->text[f->n] = '\0';
    f->p = f->text;
    f->role = role;
}

void evs_field_printf(struct evs_field *f, enum evs_role role, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, ap);
    va_end(ap);
    f->p = f->text;
    f->n = strlen(f->text);
    f->role = role;
}

void evs_table_init(struct evs_table *t, const struct evs_table_ops *ops, const void *ctx, int col,
                    int sort_col, bool reverse)
{
    *t = (struct evs_table){.ops = ops,
                            .ctx = ctx,
                            .col = col,
                            .sort_col = sort_col,
                            .reverse = reverse,
                            .marks = EVS_MAP_INIT,
                            .page = 1,
                            .focused = true};
    evs_table_update(t);
}

void evs_table_done(struct evs_table *t)
{
    evs_free(t->order);
    evs_map_done(&t->marks, NULL);
    t->order = NULL;
    t->n = 0;
}

size_t evs_table_model_row(const struct evs_table *t, size_t shown)
{
    return t->order ? t->order[shown] : shown;
}

size_t evs_table_row(const struct evs_table *t)
{
    return t->cursor < t->n ? evs_table_model_row(t, t->cursor) : SIZE_MAX;
}

static uint64_t id_of(const struct evs_table *t, size_t row)
{
    return t->ops->id ? t->ops->id(t->ctx, row) : row;
}

void evs_table_field(const struct evs_table *t, size_t model_row, int col, bool exact,
                     struct evs_field *ret_f)
{
    ret_f->exact = exact;
    ret_f->p = ret_f->text;
    ret_f->n = 0;
    ret_f->text[0] = '\0';
    ret_f->role = EVS_ROLE_TEXT;
    t->ops->field(t->ctx, model_row, col, ret_f);
}

bool evs_table_filtered(const struct evs_table *t)
{
    return t->filter[0] || t->n_likes;
}

static void keep_visible(struct evs_table *t)
{
    size_t page = t->page > 0 ? (size_t)t->page : 1;
    if (t->cursor >= t->n)
        t->cursor = t->n ? t->n - 1 : 0;
    if (t->cursor < t->top)
        t->top = t->cursor;
    if (t->cursor >= t->top + page)
        t->top = t->cursor - page + 1;
    if (t->top + page > t->n)
        t->top = t->n > page ? t->n - page : 0;
}

static void settle(struct evs_table *t)
{
    keep_visible(t);
    if (t->n)
        t->cursor_id = id_of(t, evs_table_row(t));
}

bool evs_table_go_id(struct evs_table *t, uint64_t id)
{
    t->touched = true;
    size_t near = t->cursor < t->n ? t->cursor : t->n;
    for (size_t d = 0; d < t->n; d++) { /* most often where it was, or close */
        size_t up = near + d, down = near - d - 1;
        if (up < t->n && id_of(t, evs_table_model_row(t, up)) == id) {
            t->cursor = up;
            settle(t);
            return true;
        }
        if (d < near && id_of(t, evs_table_model_row(t, down)) == id) {
            t->cursor = down;
            settle(t);
            return true;
        }
        if (up >= t->n && d >= near)
            break;
    }
    return false;
}

/* The widest contents of the rows about to be seen; charts have their own width. */
static void measure(struct evs_table *t)
{
    struct evs_field f;
    size_t to = t->top + (size_t)t->page;
    for (size_t i = t->top; i < to && i < t->n; i++)
        for (int c = 0; c < t->ops->n_cols; c++) {
            int want = t->ops->cols[c].want;
            if ((t->ops->cols[c].flags & EVS_COL_CHART) ||
                (t->seen[c] >= want && !(t->ops->cols[c].flags & EVS_COL_GROW)))
                continue;
            evs_table_field(t, evs_table_model_row(t, i), c, false, &f);
            size_t n = f.n < 512 ? f.n : 512;
            int width = (int)evs_text_width(f.p, n);
            if (width > t->seen[c])
                t->seen[c] = width;
        }
}

static void update(struct evs_table *t, bool narrower)
{
    bool first = !t->n, end = t->stick_end;
    evs_table_order(t, narrower);
    if (!t->touched && !end)
        t->cursor = t->top = 0;
    if (end)
        t->cursor = t->n ? t->n - 1 : 0;
    else if (t->touched && !first && t->ops->id && t->n && !evs_table_go_id(t, t->cursor_id))
        keep_visible(t);
    settle(t);
    measure(t);
}

void evs_table_update(struct evs_table *t)
{
    update(t, false);
}

void evs_table_grown(struct evs_table *t)
{
    if (t->order) {
        evs_table_update(t);
        return;
    }
    t->n = t->ops->count(t->ctx);
    if (t->stick_end)
        t->cursor = t->n ? t->n - 1 : 0;
    settle(t);
    measure(t);
}

void evs_table_resize(struct evs_table *t, int rows)
{
    t->page = rows > 1 ? rows - 1 : 1;
    keep_visible(t);
    measure(t);
}

void evs_table_go(struct evs_table *t, size_t shown)
{
    t->touched = true;
    t->cursor = shown;
    settle(t);
    measure(t);
}

void evs_table_filter(struct evs_table *t, const char *text)
{
    bool narrower = t->filter[0] && strstr(text, t->filter);
    snprintf(t->filter, sizeof(t->filter), "%s", text);
    update(t, narrower);
}

void evs_table_clear_filter(struct evs_table *t)
{
    t->n_likes = 0;
    evs_table_filter(t, "");
}

bool evs_table_marked(const struct evs_table *t, size_t model_row)
{
    uint64_t id = id_of(t, model_row);
    return t->marks.n && evs_map_get(&t->marks, &id, sizeof(id));
}

size_t evs_table_marks(const struct evs_table *t)
{
    return t->marks.n;
}

static void toggle_mark(struct evs_table *t)
{
    static char yes;
    if (!t->n)
        return;
    t->touched = true;
    uint64_t id = id_of(t, evs_table_row(t));
    if (evs_map_get(&t->marks, &id, sizeof(id)))
        (void)evs_map_remove(&t->marks, &id, sizeof(id));
    else
        *evs_map_put(&t->marks, &id, sizeof(id)) = &yes;
    evs_table_go(t, t->cursor + 1 < t->n ? t->cursor + 1 : t->cursor);
}

static bool sortable(const struct evs_table *t, int col)
{
    return !(t->ops->cols[col].flags & (EVS_COL_NOSORT | EVS_COL_CHART)) &&
           !(t->ops->col_hidden && t->ops->col_hidden(t->ctx, col));
}

static void sort_by(struct evs_table *t, int col)
{
    t->sort_col = col;
    t->reverse = (t->ops->cols[col].flags & EVS_COL_DESC) != 0;
    t->col = col;
    evs_table_update(t);
}

static bool sort_step(struct evs_table *t, int step)
{
    int n = t->ops->n_cols, col = t->sort_col;
    for (int i = 0; i < n; i++) {
        col = (col + step + n) % n;
        if (sortable(t, col)) {
            sort_by(t, col);
            return true;
        }
    }
    return false;
}

bool evs_table_pick(struct evs_table *t, int key)
{
    if (!t->picking)
        return false;
    t->picking = false;
    int letter = key >= 'A' && key <= 'Z' ? key + 32 : key;
    for (int c = 0; c < t->ops->n_cols; c++) {
        int first = (unsigned char)t->ops->cols[c].name[0];
        first = first >= 'A' && first <= 'Z' ? first + 32 : first;
        if (sortable(t, c) && first == letter) {
            sort_by(t, c);
            break;
        }
    }
    return true;
}

static void add_like(struct evs_table *t, bool drop)
{
    if (!t->n || t->n_likes == EVS_TABLE_LIKES)
        return;
    struct evs_field f;
    evs_table_field(t, evs_table_row(t), t->col, true, &f);
    struct evs_table_like *like = &t->likes[t->n_likes++];
    like->col = t->col;
    like->drop = drop;
    size_t n = f.n < sizeof(like->text) - 1 ? f.n : sizeof(like->text) - 1;
    memcpy(like->text, f.p, n);
    like->text[n] = '\0';
    evs_table_update(t);
}

static bool step_col(struct evs_table *t, int step)
{
    for (int c = t->col + step; c >= 0 && c < t->ops->n_cols; c += step)
        if (!(t->ops->col_hidden && t->ops->col_hidden(t->ctx, c))) {
            t->col = c;
            return true;
        }
    return true;
}

static bool move_by(struct evs_table *t, int64_t by)
{
    int64_t to = (int64_t)t->cursor + by;
    int64_t last = t->n ? (int64_t)t->n - 1 : 0;
    t->stick_end = t->stick_end && to >= last;
    t->touched = true;
    evs_table_go(t, (size_t)(to < 0 ? 0 : to > last ? last : to));
    return true;
}

static bool sort_command(struct evs_table *t, enum evs_command c)
{
    switch (c) {
    case EVS_CMD_SORT_NEXT: return sort_step(t, 1);
    case EVS_CMD_SORT_PREV: return sort_step(t, -1);
    case EVS_CMD_SORT_PICK: t->picking = true; return true;
    case EVS_CMD_SORT_REVERSE:
        t->reverse = !t->reverse;
        evs_table_update(t);
        return true;
    case EVS_CMD_MARK: toggle_mark(t); return true;
    case EVS_CMD_UNMARK_ALL: evs_map_done(&t->marks, NULL); return true;
    case EVS_CMD_KEEP_LIKE: add_like(t, false); return true;
    case EVS_CMD_DROP_LIKE: add_like(t, true); return true;
    default: return false;
    }
}

bool evs_table_command(struct evs_table *t, enum evs_command c)
{
    switch (c) {
    case EVS_CMD_MOVE_UP: return move_by(t, -1);
    case EVS_CMD_MOVE_DOWN: return move_by(t, 1);
    case EVS_CMD_MOVE_LEFT: return step_col(t, -1);
    case EVS_CMD_MOVE_RIGHT: return step_col(t, 1);
    case EVS_CMD_PAGE_UP: return move_by(t, -t->page);
    case EVS_CMD_PAGE_DOWN: return move_by(t, t->page);
    case EVS_CMD_HALF_UP: return move_by(t, -(t->page + 1) / 2);
    case EVS_CMD_HALF_DOWN: return move_by(t, (t->page + 1) / 2);
    case EVS_CMD_TOP: return move_by(t, INT32_MIN);
    case EVS_CMD_END: return move_by(t, INT32_MAX);
    default: return sort_command(t, c);
    }
}
