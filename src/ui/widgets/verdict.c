#include "ui/widgets/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LEFT = 2, TEXT = 4, APART = 2 };

void evs_verdict_say(struct evs_verdict *to, enum evs_verdict_level level, const char *fmt, ...)
{
    va_list ap;
    to->level = level;
    va_start(ap, fmt);
    if (vsnprintf(to->text, sizeof(to->text), fmt, ap) < 0)
        to->text[0] = '\0';
    va_end(ap);
}

static const char *mark_of(enum evs_verdict_level level, enum evs_role *ret_role)
{
    switch (level) {
    case EVS_VERDICT_CRITICAL: *ret_role = EVS_ROLE_BAD; return evs_glyph(EVS_G_ALERT);
    case EVS_VERDICT_WARN: *ret_role = EVS_ROLE_WARN; return "!";
    case EVS_VERDICT_GOOD: *ret_role = EVS_ROLE_OK; return evs_glyph(EVS_G_OK);
    default: *ret_role = EVS_ROLE_TEXT; return "";
    }
}

static int width_of(const struct evs_verdict *d)
{
    enum evs_role role;
    const char *mark = mark_of(d->level, &role);
    int mark_cols = (int)evs_text_width(mark, strlen(mark));
    return (mark_cols ? mark_cols + 1 : 0) + (int)evs_text_width(d->text, strlen(d->text));
}

static void draw_one(struct evs_view *v, int row, int col, int rows, const struct evs_verdict *d)
{
    enum evs_role role;
    const char *mark = mark_of(d->level, &role);
    int at = col + evs_view_text(v, row, col, role, mark);
    at += at > col;
    enum evs_role words = d->level == EVS_VERDICT_CRITICAL ? EVS_ROLE_TEXT_STRONG : EVS_ROLE_TEXT;
    if (rows == 1) {
        evs_view_fit(v, row, at, v->cols - at - 1, words, d->text, strlen(d->text), EVS_CUT_END);
        return;
    }
    struct evs_view text = evs_view_sub(v, row, at, rows, v->cols - at - 1);
    evs_view_wrap(&text, 0, 0, rows, words, d->text);
}

/* Rows that one verdict needs alone; counted on a scratch width without drawing. */
static int rows_of(const struct evs_verdict *d, int cols)
{
    int room = cols - TEXT - 1;
    int width = (int)evs_text_width(d->text, strlen(d->text));
    return room < 8 ? 1 : 1 + (width - 1) / room + (width > room && width % room > room * 3 / 4);
}

int evs_verdict_draw(struct evs_view *v, int row, int max_rows, int cols,
                     const struct evs_verdict *list, size_t n)
{
    int used = 0, col = LEFT;
    for (size_t i = 0; i < n; i++) {
        int width = width_of(&list[i]);
        if (col > LEFT && col + width > cols - 1) {
            used++;
            col = LEFT;
        }
        if (used >= max_rows)
            return max_rows;
        int rows = col == LEFT && LEFT + width > cols - 1 ? rows_of(&list[i], cols) : 1;
        rows = rows > max_rows - used ? max_rows - used : rows;
        if (v)
            draw_one(v, row + used, col, rows, &list[i]);
        if (rows > 1) {
            used += rows;
            col = LEFT;
        } else {
            col += width + APART;
        }
    }
    return used + (col > LEFT);
}
