/* view.h - the grid of cells a frame is made of, and the clipped drawing surface handed to draw().
 *
 * A surface knows no terminal: tests read it, term.c shows it. A view is a rectangle of a surface;
 * nothing drawn through it leaves the rectangle. All text passes core/text: what could steer a
 * terminal is drawn escaped in role `escape`; a wide character never straddles an edge, half of one
 * is a blank.
 *
 * Units    rows and columns from 0, relative to the view.   Threads  UI thread.
 * Owns     a surface its cells; a view borrows the surface.   Errors  none: what does not fit is
 * cut.
 * Cost     O(characters).
 */
#ifndef EVS_UI_VIEW_H
#define EVS_UI_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attr.h"
#include "core/text.h"
#include "ui/glyph.h"
#include "ui/theme.h"

enum { EVS_CELL_BYTES = 21 };
struct evs_cell {
    char bytes[EVS_CELL_BYTES]; /* UTF-8: a character with at most four marks */
    uint8_t len;
    uint8_t cols; /* 1, 2, or 0: the right half of the wide one before it */
    uint8_t role, base;
};

struct evs_surface {
    int rows, cols;
    struct evs_cell *cells;
    int cursor_row, cursor_col; /* the text cursor; -1: hidden */
};
void evs_surface_init(struct evs_surface *s);
void evs_surface_resize(struct evs_surface *s, int rows, int cols); /* and clear */
void evs_surface_clear(struct evs_surface *s);
void evs_surface_done(struct evs_surface *s);
const struct evs_cell *evs_surface_at(const struct evs_surface *s, int row, int col);
/* A row as UTF-8 text without trailing blanks (tests, :dump). Returns its columns with blanks. */
int evs_surface_text(const struct evs_surface *s, int row, struct evs_buf *out);

struct evs_view {
    struct evs_surface *s;
    int top, left, rows, cols;
    uint8_t base; /* role of the band or row under the text; EVS_ROLE_N none */
};
struct evs_view evs_view_all(struct evs_surface *s);
/* The part of v from row, col on, clipped to v. */
struct evs_view evs_view_sub(const struct evs_view *v, int row, int col, int rows, int cols);
/* The same rectangle whose text lies on a band: fills its background. */
struct evs_view evs_view_band(const struct evs_view *v, int row, int rows, enum evs_role base);

/* Draws and returns the columns used. Text is any bytes. */
int evs_view_text(struct evs_view *v, int row, int col, enum evs_role role, const char *s);
int evs_view_bytes(struct evs_view *v, int row, int col, enum evs_role role, const void *p,
                   size_t n);
/* Cut to at most cols columns with an ellipsis. */
int evs_view_fit(struct evs_view *v, int row, int col, int cols, enum evs_role role, const void *p,
                 size_t n, enum evs_cut cut);
/* Ends at column `end` (exclusive), cut at its start when longer than end columns. */
int evs_view_right(struct evs_view *v, int row, int end, enum evs_role role, const char *s);
int evs_view_printf(struct evs_view *v, int row, int col, enum evs_role role, const char *fmt, ...)
    EVS_PRINTF(5, 6);
int evs_view_glyph(struct evs_view *v, int row, int col, enum evs_role role, enum evs_glyph g);
/* cols times the glyph text; "" or NULL is a blank. */
void evs_view_fill(struct evs_view *v, int row, int col, int cols, enum evs_role role,
                   const char *glyph);
/* "── title ─────" over the view's width. */
void evs_view_rule(struct evs_view *v, int row, const char *title, const char *extra, bool focused);
/* Puts the base role under a row's cells that are already drawn. */
void evs_view_under(struct evs_view *v, int row, int col, int cols, enum evs_role base);
/* Text over several rows by words; returns rows used, at most max_rows. */
int evs_view_wrap(struct evs_view *v, int row, int col, int max_rows, enum evs_role role,
                  const char *s);
void evs_view_cursor(struct evs_view *v, int row, int col); /* where text is typed */

#endif
