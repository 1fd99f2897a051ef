#include "ui/widgets/prompt.h"

#include <stdio.h>
#include <string.h>

#include "ui/keys.h"

void evs_edit_init(struct evs_edit *e, const char *text, struct evs_history *history)
{
    *e = (struct evs_edit){.history = history};
    evs_edit_set(e, text ? text : "");
}

void evs_edit_set(struct evs_edit *e, const char *text)
{
    snprintf(e->text, sizeof(e->text), "%s", text);
    e->len = e->at = strlen(e->text);
}

static size_t prev_char(const struct evs_edit *e, size_t at)
{
    if (at)
        at--;
    while (at && (e->text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static size_t next_char(const struct evs_edit *e, size_t at)
{
    if (at < e->len)
        at++;
    while (at < e->len && (e->text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static size_t prev_word(const struct evs_edit *e, size_t at)
{
    while (at && e->text[at - 1] == ' ')
        at--;
    while (at && e->text[at - 1] != ' ')
        at--;
    return at;
}

static bool cut(struct evs_edit *e, size_t from, size_t to)
{
    if (from == to)
        return false;
    memmove(e->text + from, e->text + to, e->len - to + 1);
    e->len -= to - from;
    e->at = from;
    return true;
}

static bool insert(struct evs_edit *e, int cp)
{
    char bytes[EVS_KEY_NAME];
    if (cp == ' ') {
        bytes[0] = ' ';
        bytes[1] = '\0';
    } else if (cp < 32 || cp >= EVS_KEY_UP || cp == EVS_KEY_BACKSPACE) {
        return false;
    } else {
        evs_key_name(cp, bytes);
    }
    size_t n = strlen(bytes);
    if (e->len + n >= sizeof(e->text))
        return false;
    memmove(e->text + e->at + n, e->text + e->at, e->len - e->at + 1);
    memcpy(e->text + e->at, bytes, n);
    e->len += n;
    e->at += n;
    return true;
}

static bool recall(struct evs_edit *e, int step)
{
    size_t n = e->history ? e->history->n : 0;
    size_t back = e->back;
    if (step > 0 && back < n)
        back++;
    else if (step < 0 && back)
        back--;
    if (back == e->back)
        return false;
    if (!e->back)
        memcpy(e->kept, e->text, e->len + 1);
    e->back = back;
    evs_edit_set(e, back ? e->history->line[n - back] : e->kept);
    return true;
}

bool evs_edit_key(struct evs_edit *e, int key)
{
    size_t was = e->at;
    switch (key) {
    case EVS_KEY_LEFT: e->at = prev_char(e, e->at); break;
    case EVS_KEY_RIGHT: e->at = next_char(e, e->at); break;
    case EVS_KEY_HOME:
    case EVS_KEY_CTRL('a'): e->at = 0; break;
    case EVS_KEY_END:
    case EVS_KEY_CTRL('e'): e->at = e->len; break;
    case EVS_KEY_UP: return recall(e, 1);
    case EVS_KEY_DOWN: return recall(e, -1);
    case EVS_KEY_BACKSPACE:
    case EVS_KEY_CTRL('h'): return cut(e, prev_char(e, e->at), e->at);
    case EVS_KEY_DELETE: return cut(e, e->at, next_char(e, e->at));
    case EVS_KEY_CTRL('w'): return cut(e, prev_word(e, e->at), e->at);
    case EVS_KEY_CTRL('u'): return cut(e, 0, e->at);
    default: return insert(e, key);
    }
    return was != e->at;
}

void evs_edit_draw(const struct evs_edit *e, struct evs_view *v, int row, int col, int cols,
                   enum evs_role role, bool focused)
{
    size_t from = 0;
    while (from < e->at && (int)evs_text_width(e->text + from, e->at - from) >= cols)
        from = next_char(e, from);
    struct evs_view at = evs_view_sub(v, row, col, 1, cols);
    evs_view_bytes(&at, 0, 0, role, e->text + from, e->len - from);
    if (focused)
        evs_view_cursor(&at, 0, (int)evs_text_width(e->text + from, e->at - from));
}
