#include "ui/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/xalloc.h"

static const struct evs_cell blank = {" ", 1, 1, EVS_ROLE_TEXT, EVS_ROLE_N};

void evs_surface_init(struct evs_surface *s)
{
    *s = (struct evs_surface){0, 0, NULL, -1, -1};
}

void evs_surface_clear(struct evs_surface *s)
{
    size_t n = (size_t)s->rows * (size_t)s->cols;
    for (size_t i = 0; i < n; i++)
        s->cells[i] = blank;
    s->cursor_row = s->cursor_col = -1;
}

void evs_surface_resize(struct evs_surface *s, int rows, int cols)
{
    s->rows = rows > 0 ? rows : 0;
    s->cols = cols > 0 ? cols : 0;
    s->cells = evs_xgrow(s->cells, (size_t)s->rows * (size_t)s->cols + 1, sizeof(*s->cells));
    evs_surface_clear(s);
}

void evs_surface_done(struct evs_surface *s)
{
    evs_free(s->cells);
    evs_surface_init(s);
}

const struct evs_cell *evs_surface_at(const struct evs_surface *s, int row, int col)
{
    return &s->cells[(size_t)row * (size_t)s->cols + (size_t)col];
}

int evs_surface_text(const struct evs_surface *s, int row, struct evs_buf *out)
{
    int cols = 0;
    size_t keep = out->len;
    for (int c = 0; c < s->cols; c++) {
        const struct evs_cell *cell = evs_surface_at(s, row, c);
        evs_buf_add(out, cell->bytes, cell->len);
        cols += cell->cols;
        if (cell->len != 1 || cell->bytes[0] != ' ')
            keep = out->len;
    }
    out->len = keep;
    if (out->data)
        out->data[keep] = '\0';
    return cols;
}

struct evs_view evs_view_all(struct evs_surface *s)
{
    return (struct evs_view){s, 0, 0, s->rows, s->cols, EVS_ROLE_N};
}

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

struct evs_view evs_view_sub(const struct evs_view *v, int row, int col, int rows, int cols)
{
    struct evs_view sub = *v;
    int top = clamp(row, 0, v->rows), left = clamp(col, 0, v->cols);
    sub.top += top;
    sub.left += left;
    sub.rows = clamp(row + rows, top, v->rows) - top;
    sub.cols = clamp(col + cols, left, v->cols) - left;
    return sub;
}

struct evs_view evs_view_band(const struct evs_view *v, int row, int rows, enum evs_role base)
{
    struct evs_view band = evs_view_sub(v, row, 0, rows, v->cols);
    band.base = (uint8_t)base;
    for (int r = 0; r < band.rows; r++)
        evs_view_fill(&band, r, 0, band.cols, EVS_ROLE_TEXT, NULL);
    return band;
}

static struct evs_cell *cell_at(struct evs_view *v, int row, int col)
{
    return &v->s->cells[(size_t)(v->top + row) * (size_t)v->s->cols + (size_t)(v->left + col)];
}

/* What is drawn over half of a wide character leaves a blank in its other half. */
static void split_wide(struct evs_view *v, int row, int col)
{
    struct evs_cell *c = cell_at(v, row, col);
    int at = v->left + col;
    if (c->cols == 2 && at + 1 < v->s->cols) {
        c[1] = (struct evs_cell){" ", 1, 1, c->role, c->base};
    } else if (c->cols == 0 && at > 0) {
        c[-1] = (struct evs_cell){" ", 1, 1, c->role, c->base};
    }
}

/* One character that is already escaped. Returns false when the row has no more room. */
static bool put(struct evs_view *v, int row, int col, enum evs_role role, const char *p, size_t len,
                int cols)
{
    if (col < 0 || col + cols > v->cols) {
        if (cols == 2 && col >= 0 && col + 1 == v->cols)
            put(v, row, col, role, " ", 1, 1);
        return false;
    }
    split_wide(v, row, col);
    if (cols == 2)
        split_wide(v, row, col + 1);
    struct evs_cell *c = cell_at(v, row, col);
    c->len = (uint8_t)(len < EVS_CELL_BYTES ? len : EVS_CELL_BYTES - 1);
    memcpy(c->bytes, p, c->len);
    c->bytes[c->len] = '\0';
    c->cols = (uint8_t)cols;
    c->role = (uint8_t)role;
    c->base = v->base;
    if (cols == 2)
        c[1] = (struct evs_cell){"", 0, 0, (uint8_t)role, v->base};
    return true;
}

/* A character with its marks; the U+FFFD for marks too many has a cell of its own. */
static bool put_char(struct evs_view *v, int row, int col, enum evs_role role,
                     const struct evs_text_cell *cell)
{
    static const char more[] = "\xef\xbf\xbd";
    size_t len = cell->len;
    if (!cell->cut)
        return put(v, row, col, role, cell->bytes, len, cell->cols);
    int cols = cell->cols - 1;
    return put(v, row, col, role, cell->bytes, len - strlen(more), cols) &&
           put(v, row, col + cols, role, more, strlen(more), 1);
}

/* Draws at most `limit` columns; returns the columns used. */
static int draw(struct evs_view *v, int row, int col, int limit, enum evs_role role, const void *p,
                size_t n)
{
    if (row < 0 || row >= v->rows || col >= v->cols)
        return 0;
    const uint8_t *at = p;
    int used = 0;
    while (n) {
        struct evs_text_cell cell;
        size_t step = evs_text_next(at, n, &cell);
        at += step;
        n -= step;
        if (used + cell.cols > limit)
            break;
        if (cell.escaped) { /* \x1b: plain characters, one a column */
            for (int i = 0; i < cell.cols; i++)
                if (!put(v, row, col + used + i, EVS_ROLE_ESCAPE, cell.bytes + i, 1, 1))
                    return used + i;
        } else if (!put_char(v, row, col + used, role, &cell)) {
            break;
        }
        used += cell.cols;
    }
    return used;
}

int evs_view_bytes(struct evs_view *v, int row, int col, enum evs_role role, const void *p,
                   size_t n)
{
    return draw(v, row, col, v->cols - col, role, p, n);
}

int evs_view_text(struct evs_view *v, int row, int col, enum evs_role role, const char *s)
{
    return draw(v, row, col, v->cols - col, role, s, strlen(s));
}

static int middle_cut(struct evs_view *v, int row, int col, int cols, enum evs_role role,
                      const uint8_t *p, size_t n, size_t total)
{
    const char *dots = evs_glyph(EVS_G_MORE);
    int dot_cols = (int)evs_text_width(dots, strlen(dots));
    int left = (cols - dot_cols) / 3; /* the telling end is longer */
    size_t skip_cols = total - (size_t)(cols - dot_cols - left);
    int used = draw(v, row, col, left, role, p, n);
    used += draw(v, row, col + used, dot_cols, role, dots, strlen(dots));
    size_t seen = 0;
    while (n && seen < skip_cols) {
        struct evs_text_cell cell;
        size_t step = evs_text_next(p, n, &cell);
        p += step;
        n -= step;
        seen += cell.cols;
    }
    return used + draw(v, row, col + used, cols - used, role, p, n);
}

int evs_view_fit(struct evs_view *v, int row, int col, int cols, enum evs_role role, const void *p,
                 size_t n, enum evs_cut cut)
{
    if (cols > v->cols - col)
        cols = v->cols - col;
    if (cols <= 0)
        return 0;
    /* Only as much as could show is measured: a value may be megabytes long. */
    bool more = cut == EVS_CUT_END && n > (size_t)cols * 24;
    size_t total = evs_text_width(p, more ? (size_t)cols * 24 : n);
    if (!more && total <= (size_t)cols)
        return draw(v, row, col, cols, role, p, n);
    const char *dots = evs_glyph(EVS_G_MORE);
    int dot_cols = (int)evs_text_width(dots, strlen(dots));
    if (cols <= dot_cols + 1)
        return draw(v, row, col, cols, role, p, n);
    if (cut == EVS_CUT_MIDDLE && cols > dot_cols + 3)
        return middle_cut(v, row, col, cols, role, p, n, total);
    int used = draw(v, row, col, cols - dot_cols, role, p, n);
    return used + draw(v, row, col + used, dot_cols, role, dots, strlen(dots));
}

int evs_view_right(struct evs_view *v, int row, int end, enum evs_role role, const char *s)
{
    int width = (int)evs_text_width(s, strlen(s));
    if (width <= end)
        return draw(v, row, end - width, width, role, s, strlen(s));
    return evs_view_fit(v, row, 0, end, role, s, strlen(s), EVS_CUT_END);
}

int evs_view_printf(struct evs_view *v, int row, int col, enum evs_role role, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return n < 0 ? 0 : evs_view_text(v, row, col, role, text);
}

int evs_view_glyph(struct evs_view *v, int row, int col, enum evs_role role, enum evs_glyph g)
{
    return evs_view_text(v, row, col, role, evs_glyph(g));
}

void evs_view_fill(struct evs_view *v, int row, int col, int cols, enum evs_role role,
                   const char *glyph)
{
    if (!glyph || !*glyph)
        glyph = " ";
    if (row < 0 || row >= v->rows)
        return;
    size_t len = strlen(glyph);
    for (int c = col < 0 ? 0 : col; c < col + cols && c < v->cols; c++)
        put(v, row, c, role, glyph, len, 1);
}

void evs_view_rule(struct evs_view *v, int row, const char *title, const char *extra, bool focused)
{
    const char *line = evs_glyph(EVS_G_RULE);
    evs_view_fill(v, row, 0, v->cols, EVS_ROLE_PANE_RULE, line);
    if (!title || !*title)
        return;
    enum evs_role role = focused ? EVS_ROLE_PANE_FOCUS : EVS_ROLE_TEXT_STRONG;
    int at = 2;
    evs_view_fill(v, row, at++, 1, role, NULL);
    at += evs_view_fit(v, row, at, v->cols - at - 2, role, title, strlen(title), EVS_CUT_END);
    if (extra && *extra) {
        evs_view_fill(v, row, at, 2, role, NULL);
        at += 2;
        at += evs_view_fit(v, row, at, v->cols - at - 2, EVS_ROLE_TEXT, extra, strlen(extra),
                           EVS_CUT_END);
    }
    evs_view_fill(v, row, at, 1, role, NULL);
}

void evs_view_under(struct evs_view *v, int row, int col, int cols, enum evs_role base)
{
    if (row < 0 || row >= v->rows)
        return;
    for (int c = col < 0 ? 0 : col; c < col + cols && c < v->cols; c++)
        cell_at(v, row, c)->base = (uint8_t)base;
}

int evs_view_wrap(struct evs_view *v, int row, int col, int max_rows, enum evs_role role,
                  const char *s)
{
    int width = v->cols - col, used = 0;
    size_t n = strlen(s);
    while (n && used < max_rows && width > 0) {
        size_t fits = 0, cut = 0, at = 0;
        while (at < n) {
            struct evs_text_cell cell;
            size_t step = evs_text_next((const uint8_t *)s + at, n - at, &cell);
            if (fits + cell.cols > (size_t)width)
                break;
            fits += cell.cols;
            at += step;
            if (at == n || s[at] == ' ')
                cut = at;
        }
        if (!at)
            break; /* narrower than one character */
        size_t take = cut ? cut : at;
        bool last = used + 1 == max_rows && take < n;
        evs_view_fit(v, row + used, col, width, role, s, last ? n : take, EVS_CUT_END);
        used++;
        s += take;
        n -= take;
        while (n && *s == ' ')
            s++, n--;
    }
    return used;
}

void evs_view_cursor(struct evs_view *v, int row, int col)
{
    if (row < 0 || row >= v->rows || col < 0 || col >= v->cols)
        return;
    v->s->cursor_row = v->top + row;
    v->s->cursor_col = v->left + col;
}
