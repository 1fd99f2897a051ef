/* table_draw.c - columns that fit, headings, rows. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ui/widgets/table.h"

enum {
    MARGIN = 2,      /* cursor and mark */
    NAME_COLS = 26,  /* a name that still reads well */
    SHORT_COLS = 20, /* one that can still be told from others */
    EASY_DROPS = 3
};

static int text_cols(const char *s)
{
    return (int)evs_text_width(s, strlen(s));
}

static const char *heading_of(const struct evs_table *t, int col)
{
    const char *own = t->ops->heading ? t->ops->heading(t->ctx, col) : NULL;
    return own ? own : t->ops->cols[col].name;
}

static int natural(const struct evs_table *t, int col)
{
    const struct evs_column *c = &t->ops->cols[col];
    int want = c->flags & EVS_COL_CHART ? c->want : t->seen[col];
    int head = text_cols(heading_of(t, col)) + (t->sort_col == col ? 2 : 0);
    if (want > c->want)
        want = c->want;
    if (want < c->min)
        want = c->min;
    return want > head ? want : head;
}

static int total(const struct evs_table_layout *l, int gap)
{
    int sum = MARGIN;
    for (int i = 0; i < l->n; i++)
        sum += l->width[i] + (i ? gap : 0);
    return sum;
}

static void take_out(struct evs_table_layout *l, int i)
{
    for (; i + 1 < l->n; i++) {
        l->col[i] = l->col[i + 1];
        l->width[i] = l->width[i + 1];
    }
    l->n--;
}

/* Takes up to `over` columns from those of a kind, the last ones first, down to `floor` or their
 * minimum. */
static int shrink(const struct evs_table *t, struct evs_table_layout *l, int over, unsigned kind,
                  int floor)
{
    for (int i = l->n - 1; i >= 0 && over > 0; i--) {
        const struct evs_column *c = &t->ops->cols[l->col[i]];
        int least = c->min > floor ? c->min : floor;
        int give = c->flags & kind ? l->width[i] - least : 0;
        give = give < over ? give : over;
        if (give > 0) {
            l->width[i] -= give;
            over -= give;
        }
    }
    return over;
}

/* The column to drop next, or -1; the focused one only when `all`. */
static int next_out(const struct evs_table *t, const struct evs_table_layout *l, int most, bool all)
{
    int out = -1;
    for (int i = 0; i < l->n; i++) {
        const struct evs_column *c = &t->ops->cols[l->col[i]];
        if (!c->drop || (l->col[i] == t->col && !all) ||
            (!(c->flags & EVS_COL_CHART) && c->drop > most))
            continue;
        if (out < 0 || c->drop < t->ops->cols[l->col[out]].drop)
            out = i;
    }
    return out;
}

/* Keys and the like to their minimum, names of topics and groups to what still tells them apart. */
static int shorten(const struct evs_table *t, struct evs_table_layout *l, int over)
{
    for (int i = l->n - 1; i >= 0 && over > 0; i--) {
        const struct evs_column *c = &t->ops->cols[l->col[i]];
        int least = c->flags & EVS_COL_MIDDLE && c->min < SHORT_COLS ? SHORT_COLS : c->min;
        int give = c->flags & EVS_COL_GROW && l->width[i] > least ? l->width[i] - least : 0;
        give = give < over ? give : over;
        l->width[i] -= give;
        over -= give;
    }
    return over;
}

/* In this order: previews and bars shrink, names down to what still reads well; charts and the
 * first three columns by their number go; names shrink to what tells them apart; the other columns
 * go; names shrink to their minimum. */
static void make_fit(const struct evs_table *t, struct evs_table_layout *l, int cols, int gap,
                     bool compact)
{
    for (;;) {
        int over = shrink(t, l, total(l, gap) - cols, EVS_COL_WIDE, 0);
        over = shrink(t, l, over, EVS_COL_GROW, NAME_COLS);
        if (over <= 0)
            return;
        if (compact) { /* the two or three that are left stay */
            (void)shrink(t, l, over, EVS_COL_GROW, 0);
            return;
        }
        int out = next_out(t, l, EASY_DROPS, false);
        if (out < 0 && shorten(t, l, over) <= 0)
            return;
        if (out < 0)
            out = next_out(t, l, INT_MAX, false);
        if (out < 0 && shrink(t, l, total(l, gap) - cols, EVS_COL_GROW, 0) <= 0)
            return;
        if (out < 0)
            out = next_out(t, l, INT_MAX, true);
        if (out < 0)
            return;
        take_out(l, out);
        for (int i = 0; i < l->n; i++)
            l->width[i] = natural(t, l->col[i]);
    }
}

static void grow(const struct evs_table *t, struct evs_table_layout *l, int cols, int gap)
{
    int spare = cols - total(l, gap);
    for (int i = 0; i < l->n && spare > 0; i++) {
        int col = l->col[i];
        if (!(t->ops->cols[col].flags & EVS_COL_GROW) || t->seen[col] <= l->width[i])
            continue;
        int more = t->seen[col] - l->width[i];
        more = more < spare ? more : spare;
        l->width[i] += more;
        spare -= more;
    }
    for (int i = 0; i < l->n && spare > 0; i++)
        if (t->ops->cols[l->col[i]].flags & EVS_COL_WIDE) {
            l->width[i] += spare;
            spare = 0;
        }
}

void evs_table_layout(const struct evs_table *t, int cols, bool compact,
                      struct evs_table_layout *ret_l)
{
    int gap = compact ? 1 : t->ops->gap ? t->ops->gap : 2;
    *ret_l = (struct evs_table_layout){.n = 0};
    for (int c = 0; c < t->ops->n_cols && ret_l->n < EVS_TABLE_COLS; c++) {
        if (t->ops->col_hidden && t->ops->col_hidden(t->ctx, c))
            continue;
        if (compact && !(t->ops->cols[c].flags & EVS_COL_COMPACT))
            continue;
        ret_l->col[ret_l->n] = c;
        ret_l->width[ret_l->n++] = natural(t, c);
    }
    make_fit(t, ret_l, cols, gap, compact);
    grow(t, ret_l, cols, gap);
    int at = MARGIN;
    for (int i = 0; i < ret_l->n; i++) {
        ret_l->at[i] = at;
        at += ret_l->width[i] + gap;
    }
}

static void draw_heading(const struct evs_table *t, const struct evs_table_layout *l,
                         struct evs_view *v)
{
    for (int i = 0; i < l->n; i++) {
        int col = l->col[i];
        bool sorted = t->sort_col == col;
        enum evs_role role = sorted ? EVS_ROLE_TABLE_SORT : EVS_ROLE_TABLE_HEAD;
        char text[80];
        enum evs_glyph arrow = t->reverse ? EVS_G_SORT_DOWN : EVS_G_SORT_UP;
        snprintf(text, sizeof(text), "%s%s%s", heading_of(t, col), sorted ? " " : "",
                 sorted ? evs_glyph(arrow) : "");
        struct evs_view cell = evs_view_sub(v, 0, l->at[i], 1, l->width[i]);
        if (t->ops->cols[col].flags & EVS_COL_RIGHT)
            evs_view_right(&cell, 0, cell.cols, role, text);
        else
            evs_view_text(&cell, 0, 0, role, text);
        if (t->picking && !(t->ops->cols[col].flags & (EVS_COL_NOSORT | EVS_COL_CHART))) {
            char letter[2] = {t->ops->cols[col].name[0], '\0'};
            int width = text_cols(text);
            int at = t->ops->cols[col].flags & EVS_COL_RIGHT ? cell.cols - width : 0;
            evs_view_text(&cell, 0, at < 0 ? 0 : at, EVS_ROLE_MATCH, letter);
        }
    }
}

/* The filtered text is shown where it was found, unless the cell is cut. */
static void show_match(const struct evs_table *t, struct evs_view *cell, int at,
                       const struct evs_field *f)
{
    size_t len = strlen(t->filter);
    for (size_t i = 0; len && i + len <= f->n; i++)
        if (!strncasecmp(f->p + i, t->filter, len)) {
            int before = (int)evs_text_width(f->p, i);
            evs_view_bytes(cell, 0, at + before, EVS_ROLE_MATCH, f->p + i, len);
            return;
        }
}

static void draw_field(const struct evs_table *t, size_t row, int col, struct evs_view *cell)
{
    const struct evs_column *c = &t->ops->cols[col];
    if (c->flags & EVS_COL_CHART) {
        if (t->ops->chart)
            t->ops->chart(t->ctx, row, col, cell);
        return;
    }
    struct evs_field f;
    evs_table_field(t, row, col, false, &f);
    size_t probe = f.n < (size_t)cell->cols * 24 ? f.n : (size_t)cell->cols * 24;
    int width = (int)evs_text_width(f.p, probe);
    bool fits = probe == f.n && width <= cell->cols;
    int at = fits && (c->flags & EVS_COL_RIGHT) ? cell->cols - width : 0;
    enum evs_cut cut = c->flags & EVS_COL_MIDDLE ? EVS_CUT_MIDDLE : EVS_CUT_END;
    evs_view_fit(cell, 0, at, cell->cols - at, f.role, f.p, f.n, cut);
    if (fits)
        show_match(t, cell, at, &f);
}

static void draw_row(const struct evs_table *t, const struct evs_table_layout *l, size_t shown,
                     int line, struct evs_view *v)
{
    size_t row = evs_table_model_row(t, shown);
    bool here = shown == t->cursor, marked = evs_table_marked(t, row);
    struct evs_view at = evs_view_sub(v, line, 0, 1, v->cols);
    if (!t->ops->full_row || !t->ops->full_row(t->ctx, row, &at))
        for (int i = 0; i < l->n; i++) {
            struct evs_view cell = evs_view_sub(v, line, l->at[i], 1, l->width[i]);
            draw_field(t, row, l->col[i], &cell);
        }
    if (here && t->focused)
        evs_view_glyph(v, line, 0, EVS_ROLE_TEXT_STRONG, EVS_G_CURSOR);
    if (marked)
        evs_view_text(v, line, 1, EVS_ROLE_ROW_MARK, "*");
    if (here)
        evs_view_under(v, line, 0, v->cols, t->focused ? EVS_ROLE_ROW_CURSOR : EVS_ROLE_ROW_IDLE);
    else if (marked)
        evs_view_under(v, line, 0, v->cols, EVS_ROLE_ROW_MARK);
}

void evs_table_draw(const struct evs_table *t, struct evs_view *v)
{
    bool compact = v->s->cols < 40 || v->s->rows < 10;
    struct evs_table_layout l;
    evs_table_layout(t, v->cols, compact, &l);
    int line = 0;
    if (!compact && v->rows > 1)
        draw_heading(t, &l, &(struct evs_view){v->s, v->top, v->left, 1, v->cols, v->base}),
            line = 1;
    size_t top = t->top, lines = (size_t)(v->rows - line);
    if (t->cursor >= top + lines) /* the view is smaller than the last page */
        top = t->cursor - lines + 1;
    for (size_t i = top; i < t->n && line < v->rows; i++)
        draw_row(t, &l, i, line++, v);
}

bool evs_table_click(struct evs_table *t, const struct evs_view *v, int row, int col)
{
    bool compact = v->s->cols < 40 || v->s->rows < 10;
    struct evs_table_layout l;
    evs_table_layout(t, v->cols, compact, &l);
    if (!compact && row == 0) {
        for (int i = 0; i < l.n; i++)
            if (col >= l.at[i] && col < l.at[i] + l.width[i]) {
                bool again = t->sort_col == l.col[i];
                t->sort_col = l.col[i];
                t->reverse =
                    again ? !t->reverse : (t->ops->cols[l.col[i]].flags & EVS_COL_DESC) != 0;
                evs_table_update(t);
            }
        return false;
    }
    size_t shown = t->top + (size_t)(row - !compact);
    if (row < 0 || shown >= t->n)
        return false;
    bool same = shown == t->cursor;
    t->stick_end = false;
    t->touched = true;
    evs_table_go(t, shown);
    return same;
}
