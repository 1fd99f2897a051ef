#include "ui/widgets/pager.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/xalloc.h"

void evs_pager_init(struct evs_pager *p)
{
    memset(p, 0, sizeof(*p));
    p->text = (struct evs_buf)EVS_BUF_INIT(EVS_PAGER_CAP);
    p->page = 1;
    p->focused = true;
}

void evs_pager_done(struct evs_pager *p)
{
    evs_free(p->lines);
    evs_buf_done(&p->text);
    p->lines = NULL;
    p->n = p->alloc = 0;
}

void evs_pager_reset(struct evs_pager *p)
{
    evs_buf_reset(&p->text);
    p->text.over = false;
    p->n = p->top = p->cursor = 0;
    p->left = 0;
}

static struct evs_pager_line *new_line(struct evs_pager *p, enum evs_role role)
{
    if (p->n == p->alloc) {
        p->alloc = p->alloc ? p->alloc * 2 : 64;
        p->lines = evs_xgrow(p->lines, p->alloc, sizeof(*p->lines));
    }
    p->lines[p->n] = (struct evs_pager_line){.from = p->text.len, .role = role};
    return &p->lines[p->n++];
}

void evs_pager_add(struct evs_pager *p, enum evs_role role, const void *text, size_t n)
{
    const char *at = text;
    do {
        const char *nl = n ? memchr(at, '\n', n) : NULL;
        size_t len = nl ? (size_t)(nl - at) : n;
        struct evs_pager_line *line = new_line(p, role);
        if (evs_buf_add(&p->text, at, len))
            line->len = len;
        n -= nl ? len + 1 : len;
        at += nl ? len + 1 : len;
    } while (n);
}

void evs_pager_printf(struct evs_pager *p, enum evs_role role, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n >= 0)
        evs_pager_add(p, role, text, strlen(text));
}

size_t evs_pager_hex(struct evs_pager *p, const void *bytes, size_t n, int cols)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = bytes;
    size_t each = cols >= 10 + EVS_PAGER_HEX * 4 + 3 ? EVS_PAGER_HEX : EVS_PAGER_HEX / 2;
    for (size_t at = 0; at < n; at += each) {
        char text[96];
        int len = snprintf(text, sizeof(text), "%08zx  ", at);
        for (size_t i = 0; i < each; i++) {
            bool there = at + i < n;
            text[len++] = there ? digits[b[at + i] >> 4] : ' ';
            text[len++] = there ? digits[b[at + i] & 15] : ' ';
            text[len++] = ' ';
            if (i == EVS_PAGER_HEX / 2 - 1)
                text[len++] = ' ';
        }
        text[len++] = ' ';
        for (size_t i = 0; i < each && at + i < n; i++)
            text[len++] = b[at + i] >= 32 && b[at + i] < 127 ? (char)b[at + i] : '.';
        evs_pager_add(p, EVS_ROLE_TEXT, text, (size_t)len);
    }
    return each;
}

static size_t next_shown(const struct evs_pager *p, size_t line)
{
    const struct evs_pager_line *l = &p->lines[line];
    return l->folded && l->fold_end ? l->fold_end + 1 : line + 1;
}

/* Folds hide runs of lines: going back walks from the start. */
static size_t prev_shown(const struct evs_pager *p, size_t line)
{
    size_t last = 0;
    for (size_t i = 0; i < line; i = next_shown(p, i))
        last = i;
    return last;
}

size_t evs_pager_shown(const struct evs_pager *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i = next_shown(p, i))
        n++;
    return n;
}

static void follow_cursor(struct evs_pager *p)
{
    size_t page = p->page > 0 ? (size_t)p->page : 1, steps = 0;
    if (p->cursor < p->top)
        p->top = p->cursor;
    for (size_t i = p->top; i < p->cursor; i = next_shown(p, i))
        steps++;
    for (; steps >= page; steps--)
        p->top = next_shown(p, p->top);
}

void evs_pager_resize(struct evs_pager *p, int rows)
{
    p->page = rows > 0 ? rows : 1;
    if (p->n)
        follow_cursor(p);
}

static bool move_by(struct evs_pager *p, int by)
{
    size_t last = p->n ? prev_shown(p, p->n) : 0;
    for (; by > 0 && p->cursor < last; by--)
        p->cursor = next_shown(p, p->cursor);
    if (by < 0) { /* one walk: remember the last -by lines */
        size_t back = (size_t)-by, n = 0;
        for (size_t i = 0; i < p->cursor; i = next_shown(p, i))
            n++;
        size_t to = n > back ? n - back : 0, i = 0;
        for (; to > 0; to--)
            i = next_shown(p, i);
        p->cursor = i;
    }
    if (p->n)
        follow_cursor(p);
    return true;
}

static size_t enclosing(const struct evs_pager *p, size_t line)
{
    for (size_t i = line; i > 0; i--)
        if (p->lines[i - 1].fold_end && p->lines[i - 1].fold_end >= line)
            return i - 1;
    return line;
}

static bool fold(struct evs_pager *p, bool close)
{
    if (!p->n)
        return true;
    struct evs_pager_line *l = &p->lines[p->cursor];
    if (close && (!l->fold_end || l->folded)) { /* to what encloses it, else scroll */
        size_t up = enclosing(p, p->cursor);
        if (p->left > 0)
            p->left -= 8;
        else
            p->cursor = up;
    } else if (l->fold_end && l->folded != close) {
        l->folded = close;
    } else if (!close && !p->wrap) {
        p->left += 8;
    }
    follow_cursor(p);
    return true;
}

static bool line_holds(const struct evs_pager *p, size_t line, const char *what)
{
    const struct evs_pager_line *l = &p->lines[line];
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= l->len; i++)
        if (!strncasecmp(evs_buf_str(&p->text) + l->from + i, what, len))
            return true;
    return false;
}

static void unfold_to(struct evs_pager *p, size_t line)
{
    for (size_t i = 0; i < line; i++)
        if (p->lines[i].folded && p->lines[i].fold_end >= line)
            p->lines[i].folded = false;
    p->cursor = line;
    follow_cursor(p);
}

static bool step_match(struct evs_pager *p, int step)
{
    if (!p->find[0] || !p->n)
        return false;
    for (size_t i = 1; i <= p->n; i++) {
        size_t line = (p->cursor + (step > 0 ? i : p->n - i)) % p->n;
        if (line_holds(p, line, p->find)) {
            unfold_to(p, line);
            return true;
        }
    }
    return true;
}

size_t evs_pager_find(struct evs_pager *p, const char *text)
{
    size_t found = 0;
    snprintf(p->find, sizeof(p->find), "%s", text);
    for (size_t i = 0; *text && i < p->n; i++)
        found += line_holds(p, i, text);
    if (found && !line_holds(p, p->cursor, text))
        (void)step_match(p, 1);
    return found;
}

bool evs_pager_command(struct evs_pager *p, enum evs_command c)
{
    switch (c) {
    case EVS_CMD_MOVE_UP: return move_by(p, -1);
    case EVS_CMD_MOVE_DOWN: return move_by(p, 1);
    case EVS_CMD_PAGE_UP: return move_by(p, -p->page);
    case EVS_CMD_PAGE_DOWN: return move_by(p, p->page);
    case EVS_CMD_HALF_UP: return move_by(p, -(p->page + 1) / 2);
    case EVS_CMD_HALF_DOWN: return move_by(p, (p->page + 1) / 2);
    case EVS_CMD_TOP: return move_by(p, -0x3fffffff);
    case EVS_CMD_END: return move_by(p, 0x3fffffff);
    case EVS_CMD_MOVE_LEFT: return fold(p, true);
    case EVS_CMD_MOVE_RIGHT: return fold(p, false);
    case EVS_CMD_MATCH_NEXT: return step_match(p, 1);
    case EVS_CMD_MATCH_PREV: return step_match(p, -1);
    case EVS_CMD_WRAP:
        p->wrap = !p->wrap;
        p->left = 0;
        return true;
    default: return false;
    }
}

bool evs_pager_click(struct evs_pager *p, int row)
{
    size_t line = p->top;
    for (; row > 0 && line < p->n; row--)
        line = next_shown(p, line);
    if (line >= p->n)
        return false;
    p->cursor = line;
    if (p->lines[line].fold_end)
        p->lines[line].folded = !p->lines[line].folded;
    return false;
}
