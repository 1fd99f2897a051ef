/* pager_draw.c - lines of a pager on the screen; JSON into lines and colours. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ui/widgets/pager.h"

/* --- JSON into lines ------------------------------------------------------------------------ */

enum { JSON_DEPTH = 200, FOLD_LINES = 8 };

struct walk {
    struct evs_pager *p;
    const char *s, *end;
    size_t open[JSON_DEPTH]; /* line that opened each depth */
    size_t items[JSON_DEPTH];
    int depth;
    size_t line_from; /* start of the line being collected, in p->text */
};

static const char *string_end(const char *s, const char *end)
{
    for (s++; s < end && *s != '"'; s++)
        if (*s == '\\' && s + 1 < end)
            s++;
    return s < end ? s + 1 : end;
}

static void end_line(struct walk *w, int indent)
{
    struct evs_pager *p = w->p;
    size_t len = p->text.len - w->line_from;
    if (!len)
        return;
    evs_pager_add(p, EVS_ROLE_TEXT, "", 0);
    struct evs_pager_line *l = &p->lines[p->n - 1];
    l->from = w->line_from;
    l->len = len;
    l->indent = indent;
    l->json = true;
    w->line_from = p->text.len;
}

static void open_value(struct walk *w, char c)
{
    evs_buf_addc(&w->p->text, c);
    end_line(w, w->depth);
    if (w->depth < JSON_DEPTH - 1) {
        w->depth++;
        w->open[w->depth] = w->p->n - 1;
        w->items[w->depth] = 0;
    }
}

static void close_value(struct walk *w, char c)
{
    end_line(w, w->depth);
    int depth = w->depth > 0 ? w->depth - 1 : 0;
    evs_buf_addc(&w->p->text, c);
    if (w->s + 1 < w->end && w->s[1] == ',') {
        evs_buf_addc(&w->p->text, ',');
        w->s++;
    }
    end_line(w, depth);
    struct evs_pager_line *l = &w->p->lines[w->open[w->depth]];
    if (w->depth > 0 && w->p->n - 1 > w->open[w->depth] + 1) {
        l->fold_end = w->p->n - 1;
        l->items = w->items[w->depth] + 1;
        l->folded = w->depth > 1 && l->fold_end - w->open[w->depth] > FOLD_LINES;
    }
    w->depth = depth;
}

/* "{}" and "[]" stay on their line. */
static bool empty_value(struct walk *w)
{
    const char *s = w->s + 1;
    while (s < w->end && strchr(" \t\r\n", *s))
        s++;
    if (s >= w->end || *s != (*w->s == '{' ? '}' : ']'))
        return false;
    evs_buf_addc(&w->p->text, *w->s);
    evs_buf_addc(&w->p->text, *s);
    w->s = s;
    return true;
}

static void step(struct walk *w)
{
    char c = *w->s;
    if (c == '"') {
        const char *to = string_end(w->s, w->end);
        evs_buf_add(&w->p->text, w->s, (size_t)(to - w->s));
        w->s = to - 1;
    } else if (c == '{' || c == '[') {
        if (!empty_value(w))
            open_value(w, c);
    } else if (c == '}' || c == ']') {
        close_value(w, c);
    } else if (c == ',') {
        evs_buf_addc(&w->p->text, c);
        w->items[w->depth]++;
        end_line(w, w->depth);
    } else if (c == ':') {
        evs_buf_adds(&w->p->text, ": ");
    } else if (!strchr(" \t\r\n", c)) {
        evs_buf_addc(&w->p->text, c);
    }
}

void evs_pager_json(struct evs_pager *p, const char *json, size_t n)
{
    struct walk w = {.p = p, .s = json, .end = json + n, .line_from = p->text.len};
    for (; w.s < w.end && !p->text.over; w.s++) {
        bool closed = *w.s == '}' || *w.s == ']';
        step(&w);
        if (closed && w.depth > 0 && w.s < w.end && *w.s == ',')
            w.items[w.depth]++;
    }
    end_line(&w, w.depth);
}

/* --- drawing -------------------------------------------------------------------------------- */

static bool is_key(const char *s, const char *end)
{
    while (s < end && *s == ' ')
        s++;
    return s < end && *s == ':';
}

static enum evs_role token_role(const char *s, const char *to, const char *end)
{
    if (*s == '"')
        return is_key(to, end) ? EVS_ROLE_JSON_KEY : EVS_ROLE_JSON_STRING;
    if (*s == '-' || (*s >= '0' && *s <= '9'))
        return EVS_ROLE_JSON_NUMBER;
    if (*s >= 'a' && *s <= 'z')
        return EVS_ROLE_JSON_WORD;
    return EVS_ROLE_TEXT;
}

static const char *token_end(const char *s, const char *end)
{
    if (*s == '"')
        return string_end(s, end);
    const char *word = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
    if (!strchr(word, *s) || !*s)
        return s + 1;
    while (s < end && *s && strchr(word, *s))
        s++;
    return s;
}

static void draw_json(struct evs_view *v, int row, int col, const char *s, size_t n)
{
    const char *end = s + n;
    while (s < end && col < v->cols) {
        const char *to = token_end(s, end);
        col += evs_view_bytes(v, row, col, token_role(s, to, end), s, (size_t)(to - s));
        s = to;
    }
}

static void show_find(const struct evs_pager *p, struct evs_view *v, int row, int col,
                      const char *s, size_t n)
{
    size_t len = strlen(p->find);
    for (size_t i = 0; len && i + len <= n; i++)
        if (!strncasecmp(s + i, p->find, len))
            evs_view_bytes(v, row, col + (int)evs_text_width(s, i), EVS_ROLE_MATCH, s + i, len);
}

/* Bytes of s that fill at most cols columns; at least one character. */
static size_t bytes_for(const char *s, size_t n, int cols)
{
    size_t at = 0;
    int used = 0;
    while (at < n) {
        struct evs_text_cell cell;
        size_t more = evs_text_next((const uint8_t *)s + at, n - at, &cell);
        if (used + cell.cols > cols && at)
            break;
        used += cell.cols;
        at += more;
    }
    return at;
}

static void draw_part(const struct evs_pager *p, const struct evs_pager_line *l, struct evs_view *v,
                      int row, int col, const char *s, size_t n)
{
    if (l->json)
        draw_json(v, row, col, s, n);
    else
        evs_view_bytes(v, row, col, l->role, s, n);
    show_find(p, v, row, col, s, n);
}

/* Returns the rows used. */
static int draw_line(const struct evs_pager *p, size_t line, struct evs_view *v, int row)
{
    const struct evs_pager_line *l = &p->lines[line];
    const char *s = evs_buf_str(&p->text) + l->from;
    size_t n = l->len;
    int col = 1 + 2 * l->indent, rows = 1;
    if (l->folded && l->fold_end) {
        char tail[48];
        bool list = n && s[n - 1] == '[';
        const char *after = evs_buf_str(&p->text) + p->lines[l->fold_end].from;
        bool comma = p->lines[l->fold_end].len == 2 && after[1] == ',';
        snprintf(tail, sizeof(tail), " %zu %s %s%s  +", l->items, l->items == 1 ? "item" : "items",
                 list ? "]" : "}", comma ? "," : "");
        draw_part(p, l, v, row, col, s, n);
        col += (int)evs_text_width(s, n);
        evs_view_text(v, row, col, EVS_ROLE_TEXT_DIM, tail);
    } else if (!p->wrap) {
        size_t skip = p->left > 0 ? bytes_for(s, n, p->left) : 0;
        skip = skip < n ? skip : n;
        draw_part(p, l, v, row, col, s + skip, n - skip);
        bool cut = p->left == 0 && (int)evs_text_width(s, n < 8192 ? n : 8192) > v->cols - col;
        if (cut && v->cols > 3)
            evs_view_right(v, row, v->cols, EVS_ROLE_TEXT_DIM, evs_glyph(EVS_G_MORE));
    } else {
        int width = v->cols - col > 4 ? v->cols - col : 4;
        for (rows = 0; (n || !rows) && row + rows < v->rows; rows++) {
            size_t part = bytes_for(s, n, width);
            draw_part(p, l, v, row + rows, col, s, part);
            s += part;
            n -= part;
        }
        rows = rows ? rows : 1;
    }
    if (line == p->cursor && p->focused && !p->no_cursor)
        evs_view_under(v, row, 0, v->cols, EVS_ROLE_ROW_CURSOR);
    return rows;
}

void evs_pager_draw(const struct evs_pager *p, struct evs_view *v)
{
    int row = 0;
    for (size_t line = p->top; line < p->n && row < v->rows;) {
        row += draw_line(p, line, v, row);
        const struct evs_pager_line *l = &p->lines[line];
        line = l->folded && l->fold_end ? l->fold_end + 1 : line + 1;
    }
}
