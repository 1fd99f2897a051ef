/* table.h - the list with columns: sort, filter, marks, cursor; rows are virtual.
 *
 * The screen supplies callbacks over its snapshot; the table asks only for what is visible, so a
 * million rows cost what twenty do until a sort or filter is asked for. The cursor stays on the
 * same record (by id) when rows come, go or change places. Call evs_table_update after every change
 * of the data, then evs_table_draw. All commands of lists (moving, paging, sorting, filtering,
 * marking, & and !) are handled by evs_table_command.
 *
 * Columns: `min` columns are kept, `want` is the most the contents may ask for, GROW takes what is
 * left. When the width is short, columns go in the order of `drop` (1 first; 0 never), except the
 * focused one.
 *
 * Units    rows of the model from 0; terminal columns.   Threads  UI thread.
 * Owns     its order, marks and filter; the model is borrowed.   Errors  none.
 * Cost     draw O(visible); sort O(n log n), O(n) where little changed its place, filter O(n), a
 * longer one O(shown); only when asked or when data changed under one.
 */
#ifndef EVS_UI_WIDGETS_TABLE_H
#define EVS_UI_WIDGETS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/map.h"
#include "ui/commands.h"
#include "ui/view.h"

enum {
    EVS_COL_RIGHT = 1,    /* numbers */
    EVS_COL_GROW = 2,     /* takes what is left, up to its contents */
    EVS_COL_WIDE = 4,     /* takes what is left without limit: previews, bars */
    EVS_COL_MIDDLE = 8,   /* cut in the middle: topic and group names */
    EVS_COL_CHART = 16,   /* drawn by ops->chart */
    EVS_COL_DESC = 32,    /* the first sort by it is descending */
    EVS_COL_COMPACT = 64, /* kept below 40x10 */
    EVS_COL_NOSORT = 128
};

struct evs_column {
    const char *name;
    int min, want;
    int drop;
    unsigned flags;
    const char *tag;     /* "exact", "span", "~", or NULL */
    const char *meaning; /* one line: status line and help */
};

enum { EVS_FIELD_TEXT = 128, EVS_TABLE_COLS = 24, EVS_TABLE_LIKES = 8 };

struct evs_field {
    bool exact;    /* in: all digits (status line, copy) */
    const char *p; /* text: points into the model, or at `text`; n bytes */
    size_t n;
    enum evs_role role; /* TEXT at first */
    char text[EVS_FIELD_TEXT];
};
/* A number with its thousands. */
void evs_field_count(struct evs_field *f, enum evs_role role, int64_t n);
void evs_field_set(struct evs_field *f, enum evs_role role,
                   const char *text); /* copies into text */
void evs_field_printf(struct evs_field *f, enum evs_role role, const char *fmt, ...)
    EVS_PRINTF(3, 4);

struct evs_table_ops {
    const struct evs_column *cols;
    int n_cols;
    int gap; /* between columns; 0 means 2 */
    size_t (*count)(const void *ctx);
    void (*field)(const void *ctx, size_t row, int col, struct evs_field *f);
    /* The rest may be NULL. */
    void (*chart)(const void *ctx, size_t row, int col, struct evs_view *v);
    int (*compare)(const void *ctx, size_t a, size_t b, int col); /* ascending */
    /* A number by which rows are in order: instead of compare, where there are very many. */
    double (*rank)(const void *ctx, size_t row, int col);
    uint64_t (*id)(const void *ctx, size_t row);  /* the same record, the same id */
    bool (*shown)(const void *ctx, size_t row);   /* a row hidden by the screen */
    bool (*col_hidden)(const void *ctx, int col); /* empty for all rows */
    bool (*full_row)(const void *ctx, size_t row, struct evs_view *v); /* draws the row itself */
    const char *(*heading)(const void *ctx, int col); /* instead of the column's name */
};

struct evs_table {
    const struct evs_table_ops *ops;
    const void *ctx;
    size_t *order; /* model rows shown; NULL: all, as they are */
    size_t n;      /* rows shown */
    size_t cursor, top;
    uint64_t cursor_id;
    int col;      /* focused column */
    int sort_col; /* -1: the model's order */
    bool reverse;
    bool picking;   /* `o` waits for a letter */
    bool stick_end; /* the cursor follows the end */
    bool touched;   /* moved: until then the cursor stays on the first row */
    char filter[128];
    struct evs_table_like {
        int col;
        bool drop;
        char text[EVS_FIELD_TEXT];
    } likes[EVS_TABLE_LIKES];
    int n_likes;
    struct evs_map marks;     /* by id */
    int seen[EVS_TABLE_COLS]; /* widest contents so far: widths only grow */
    int page;                 /* visible rows at the last draw */
    bool focused;
};

/* col: the column focused first; sort_col: -1 for the model's order. */
void evs_table_init(struct evs_table *t, const struct evs_table_ops *ops, const void *ctx, int col,
                    int sort_col, bool reverse);
void evs_table_done(struct evs_table *t);
void evs_table_update(struct evs_table *t); /* the model changed */
/* The model grew at its end and nothing else changed: cheap. */
void evs_table_grown(struct evs_table *t);
/* rows: lines of the table with its heading; before draw. */
void evs_table_resize(struct evs_table *t, int rows);

size_t evs_table_row(const struct evs_table *t); /* model row under the cursor, SIZE_MAX none */
size_t evs_table_model_row(const struct evs_table *t, size_t shown);
void evs_table_go(struct evs_table *t, size_t shown);   /* moves the cursor to the nth shown row */
bool evs_table_go_id(struct evs_table *t, uint64_t id); /* to a record; false when not shown */
void evs_table_filter(struct evs_table *t, const char *text); /* "": none */
bool evs_table_filtered(const struct evs_table *t);           /* by text or likes */
void evs_table_clear_filter(struct evs_table *t);
bool evs_table_marked(const struct evs_table *t, size_t model_row);
size_t evs_table_marks(const struct evs_table *t);
void evs_table_field(const struct evs_table *t, size_t model_row, int col, bool exact,
                     struct evs_field *ret_f);

/* true: the table handled it. */
bool evs_table_command(struct evs_table *t, enum evs_command c);
/* After sort-pick: the key that names a column. true: taken. */
bool evs_table_pick(struct evs_table *t, int key);
/* A click on line `row` of the table's view, column col; true when it hit the row under the
 * cursor. */
bool evs_table_click(struct evs_table *t, const struct evs_view *v, int row, int col);

/* Draws heading and rows. Compact: no heading, only COMPACT columns. */
void evs_table_draw(const struct evs_table *t, struct evs_view *v);

/* Which rows, in what order (table_order.c). narrower: the filter only got longer, and nothing else
 * changed: what did not pass before does not pass now. */
void evs_table_order(struct evs_table *t, bool narrower);

/* The layout of a width: columns shown and where (table_draw.c). */
struct evs_table_layout {
    int n;
    int col[EVS_TABLE_COLS], at[EVS_TABLE_COLS], width[EVS_TABLE_COLS];
};
void evs_table_layout(const struct evs_table *t, int cols, bool compact,
                      struct evs_table_layout *ret_l);

#endif
