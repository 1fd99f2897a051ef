/* chart.h - sparklines, bars on a track with the fair-share tick, heat cells, progress.
 *
 * Threads  UI thread.   Owns  nothing.   Errors  none: clipped to the view.   Cost  O(columns).
 */
#ifndef EVS_UI_WIDGETS_CHART_H
#define EVS_UI_WIDGETS_CHART_H

#include <stddef.h>

#include "ui/view.h"

struct evs_progress;

/* The last `cols` of n values, the newest at the right end; negative or NaN: unknown, blank. Scaled
 * from 0 to `top`, or to the highest value when top is 0. */
void evs_chart_spark(struct evs_view *v, int row, int col, int cols, const double *values, size_t n,
                     double top, enum evs_role role);

struct evs_bar {
    double value;       /* filled part */
    double hot;         /* its end is drawn as hot: the part of one key; 0: none */
    double top;         /* value of a full track */
    double tick;        /* fair share, drawn where the bar does not reach; negative: none */
    enum evs_role role; /* BAR, BAR_AFTER */
};
void evs_chart_bar(struct evs_view *v, int row, int col, int cols, const struct evs_bar *b);

/* One cell of level 0..9 (negative: unknown, blank). */
void evs_chart_heat(struct evs_view *v, int row, int col, int level);

/* "search  ████▌    62 %  792,832 of 1,278,762  1.17 M/s  ETA 0.4 s      1,204 found  Esc stop" */
void evs_chart_progress(struct evs_view *v, int row, const struct evs_progress *p);

#endif
