/* heat_int.h - what heat.c and heat_draw.c share; nobody else includes it.
 *
 * Threads  UI thread.   Owns  the state: the task, its snapshot, the sampled cell.   Errors  none.
 */
#ifndef EVS_UI_SCREENS_HEAT_INT_H
#define EVS_UI_SCREENS_HEAT_INT_H

#include "core/slot.h"
#include "keys/slices.h"
#include "ui/scans.h"
#include "ui/screen.h"
#include "ui/task.h"

struct heat_sn {
    struct evs_snap snap;
    struct evs_slices *s; /* NULL: see error */
    char error[800];
};

struct cell_sn { /* what lies in one cell, from its first records */
    struct evs_snap snap;
    size_t col, row;
    int64_t read;
    double share;
    char key[80]; /* escaped; "" none */
};

struct heat {
    struct evs_ui *ui;
    struct evs_task *task, *cell_task;
    struct heat_sn *sn;
    struct cell_sn *cell;
    struct evs_ui_scan *scan; /* key buckets: mode m */
    struct evs_ui_scan_seen seen;
    struct evs_heat_grid by_key, by_leader;
    int32_t *leader_id; /* per row of by_leader */
    /* The brokers look no times up: the map is made of the messages read. */
    bool fallback;
    bool keys;         /* rows are hash buckets of the keys */
    bool leaders;      /* rows are the brokers that lead the partitions */
    size_t col, row;   /* the cursor */
    size_t first, top; /* scrolled */
    size_t mark;       /* other end of a range; SIZE_MAX none */
    size_t pattern;    /* the last jumped to */
    int bright;
    int64_t moved_ms;   /* when the cursor moved last */
    bool asked, placed; /* the cell was asked for; the cursor was put on a pattern */
    int map_rows, map_cols;
    size_t held; /* the column where the button went down; SIZE_MAX none */
    bool again;  /* on the cell that had the cursor */
};

enum { HEAT_LABEL = 6, HEAT_LEADERS_OVER = 64 };

const struct evs_heat_grid *evs_heat_grid_shown(const struct heat *h); /* or NULL */
bool evs_heat_by_partition(const struct heat *h); /* are the rows shown partitions? */
uint64_t evs_heat_cell(const struct heat *h, size_t col, size_t row);
void evs_heat_range(const struct heat *h, size_t *ret_from, size_t *ret_to); /* columns */
const struct evs_heat_pattern *evs_heat_patterns_shown(const struct heat *h, size_t *ret_n);
int64_t evs_heat_edge(const struct heat *h, size_t col, size_t row); /* not in fallback */
void evs_heat_ask_cell(struct evs_screen *s);                        /* heat_cell.c */
void evs_heat_moved(struct heat *h);                                 /* the cursor was */
/* A click puts the cursor, a second opens; a drag marks its range. */
bool evs_heat_click(struct evs_screen *s, int row, int col);
bool evs_heat_let_go(struct evs_screen *s, int row, int col);
void evs_heat_draw(const struct evs_screen *s, struct evs_view *v);
void evs_heat_bands(const struct evs_screen *s, struct evs_bands *b);

#endif
