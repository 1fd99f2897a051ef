/* pager.h - text to read: a cursor line, folds, find, wrap, coloured JSON.
 *
 * Fill with evs_pager_reset and the add functions; lines are copied. Folds come from JSON: objects
 * and arrays; digits of numbers stay as written. Commands of reading panes are handled by
 * evs_pager_command.
 *
 * Units    lines from 0, terminal columns.   Threads  UI thread.   Owns  its text.
 * Errors   past EVS_PAGER_CAP bytes nothing is added (`over`).
 * Cost     draw O(lines above + visible): details of records, not whole logs of millions.
 */
#ifndef EVS_UI_WIDGETS_PAGER_H
#define EVS_UI_WIDGETS_PAGER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "ui/commands.h"
#include "ui/view.h"

enum { EVS_PAGER_CAP = 64 << 20, EVS_PAGER_HEX = 16 };

struct evs_pager_line {
    size_t from, len; /* in text */
    int indent;
    enum evs_role role;
    bool json; /* coloured by its tokens */
    bool folded;
    size_t fold_end; /* index of the line that closes what this one opens; 0: no fold */
    size_t items;    /* inside the fold */
};

struct evs_pager {
    struct evs_pager_line *lines;
    size_t n, alloc;
    struct evs_buf text;
    size_t top, cursor;
    int left, page;
    bool wrap, focused, no_cursor;
    char find[128];
};

void evs_pager_init(struct evs_pager *p);
void evs_pager_done(struct evs_pager *p);
void evs_pager_reset(struct evs_pager *p); /* empty; find and wrap stay */
void evs_pager_add(struct evs_pager *p, enum evs_role role, const void *text, size_t n);
void evs_pager_printf(struct evs_pager *p, enum evs_role role, const char *fmt, ...)
    EVS_PRINTF(3, 4);
/* A valid JSON document, one line a member; large inner values are folded at first. */
void evs_pager_json(struct evs_pager *p, const char *json, size_t n);
/* Offset, bytes and text: EVS_PAGER_HEX a line, or half of that where cols are few. Returns how
 * many. */
size_t evs_pager_hex(struct evs_pager *p, const void *bytes, size_t n, int cols);
size_t evs_pager_find(struct evs_pager *p,
                      const char *text); /* lines that hold it; goes to the first */
bool evs_pager_command(struct evs_pager *p, enum evs_command c);
bool evs_pager_click(struct evs_pager *p, int row);
void evs_pager_draw(const struct evs_pager *p, struct evs_view *v);
/* Lines shown for the state of the folds, and the line n-th shown. */
size_t evs_pager_shown(const struct evs_pager *p);
void evs_pager_resize(struct evs_pager *p, int rows);

#endif
