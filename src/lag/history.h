/* history.h - what the poller remembers between refreshes: trend, rates, lag in time, ETA.
 *
 * Two kinds: one track a topic partition (its end, shared by all groups that read it) and one trace
 * a group's partition (its commits and lag). A flat run of ends is kept as its two outer points, so
 * an idle producer costs no memory and bends no line.
 *
 * Lag in time is the age of the record at the committed offset. Three ways, from best to worst: the
 * record itself was read (exact); the offset lies between two ends that we saw, or between two
 * answers of the grid (offsets at now - 1 m, 5 m, 15 m, 1 h, 6 h, 1 d), and is put on the line
 * between them (interpolated); it is older than the oldest answer (bracket: at least so old).
 *
 * Units    offsets, ms, records per second.   Threads  none: owned by the poller.
 * Owns     everything inline.   Errors  none: unknown is EVS_LAG_NULL, or < 0 for rates.
 * Cost     O(1) to add, O(EVS_TRACK_POINTS) to ask; 760 and 560 bytes each.
 */
#ifndef EVS_LAG_HISTORY_H
#define EVS_LAG_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lag/eval.h"

enum {
    EVS_TRACK_POINTS = 32,
    EVS_CELLS = 30, /* of EVS_CELL_MS: 30 minutes */
    EVS_CELL_MS = 60000,
    EVS_GRID_STEPS = 6
};

/* Half-hour of one figure; -1 is unknown. Cells are numbered by wall time / EVS_CELL_MS. */
struct evs_cells {
    int64_t newest; /* cell number; 0 is empty */
    float cell[EVS_CELLS];
};
void evs_cells_init(struct evs_cells *s);
void evs_cells_put(struct evs_cells *s, int64_t at_ms, double v); /* the last of a cell counts */
/* The newest n cells, oldest first, -1 where unknown. */
void evs_cells_get(const struct evs_cells *s, int64_t now_ms, int n, double *ret_v);

extern const int64_t evs_grid_back_ms[EVS_GRID_STEPS]; /* newest first: 1 m ... 1 d */

struct evs_track {
    int n;
    int64_t at_ms[EVS_TRACK_POINTS], end[EVS_TRACK_POINTS]; /* oldest first */
    int64_t grid_at_ms;                                     /* when the grid was asked; 0 never */
    int64_t grid[EVS_GRID_STEPS]; /* first offset at or after; EVS_LAG_NULL none that late */
    int64_t low_at_ms, low_first; /* since when the log start is watched */
    struct evs_cells ends;        /* end - ends_base */
    int64_t ends_base;
};
void evs_track_init(struct evs_track *t);
/* An end went back (topic recreated): starts afresh. */
void evs_track_add(struct evs_track *t, int64_t at_ms, int64_t low, int64_t end);
double evs_track_rate(const struct evs_track *t,
                      int64_t window_ms); /* produced a second; < 0 unknown */

enum evs_lag_method {
    EVS_METHOD_NONE,
    EVS_METHOD_EXACT,
    EVS_METHOD_INTERPOLATED,
    EVS_METHOD_BRACKET
};
const char *evs_lag_method_name(enum evs_lag_method m); /* NULL for none */

struct evs_lag_time {
    enum evs_lag_method method;
    int64_t lag_ms;         /* EVS_LAG_NULL with bracket */
    int64_t min_ms, max_ms; /* it lies between; max EVS_LAG_NULL: open */
};
/* The age of the record at offset; end is the present end of the same log. */
void evs_track_age(const struct evs_track *t, int64_t offset, int64_t end, int64_t now_ms,
                   struct evs_lag_time *ret_t);

struct evs_trail {
    int n;
    struct evs_lag_reading readings[EVS_LAG_WINDOW]; /* oldest first */
    int64_t moved_ms;      /* when the commit last moved; 0: not while watched */
    int64_t commit_gap_ms; /* longest time between two moves seen */
    int64_t first_ms;      /* first reading ever */
    struct evs_cells lags;
};
void evs_trail_init(struct evs_trail *t);
void evs_trail_add(struct evs_trail *t, int64_t at_ms, int64_t committed, int64_t lag);
double
evs_trail_rate(const struct evs_trail *t); /* consumed a second over the window; < 0 unknown */

enum evs_eta {
    EVS_ETA_UNKNOWN, /* no rates yet */
    EVS_ETA_DONE,    /* nothing waits */
    EVS_ETA_TIME,
    EVS_ETA_GROWS, /* as much or more arrives as is read */
    EVS_ETA_NEVER  /* nobody reads, or what waits stands still */
};
struct evs_lag_eta {
    enum evs_eta kind;
    double seconds; /* of EVS_ETA_TIME */
};
struct evs_lag_eta evs_lag_eta(int64_t lag, double consume, double produce, bool nobody);
/* A group is done when its slowest partition is. */
struct evs_lag_eta evs_lag_eta_slower(struct evs_lag_eta a, struct evs_lag_eta b);

/* Time until what is unread starts to be deleted, from how fast the log start moves; < 0 when it
 * does not move, or nothing is known. */
double evs_retention_left_s(const struct evs_track *t, int64_t at_ms, int64_t low,
                            int64_t committed);

#endif
