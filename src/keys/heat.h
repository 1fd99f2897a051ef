/* heat.h - time x partition: the grid and the patterns in it, named in words.
 *
 *   band      one partition far above the others for a stretch of time
 *   burst     all partitions far above their usual at once
 *   gap       nothing anywhere, between times with messages
 *   step      partitions that begin later than the rest and then go on
 *   diagonal  each time slice belongs to one partition, and they take turns: batches going round
 *
 * Units    epoch ms; records (or offsets, where the grid comes from offsets).   Threads  pure.
 * Owns     grids and patterns own what they hold.   Errors  none.   Cost  O(cells log rows).
 */
#ifndef EVS_KEYS_HEAT_H
#define EVS_KEYS_HEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "stats/hist.h"

enum { EVS_HEAT_SAID = 5 }; /* patterns that texts list; JSON has all */

struct evs_heat_grid {
    int64_t start_ms, bucket_ms;
    size_t n, rows; /* columns of time; partitions */
    uint64_t *cell; /* cell[column * rows + row] */
};

struct evs_heat_pattern {
    const char *kind;
    int32_t partition, last_partition; /* -1: all; a step may concern a run of them */
    int64_t from_ts, to_ts;
    double factor; /* band, burst: how many times the others, the usual; else 0 */
    char *text;
};

/* Rows [from, from + rows) of a histogram. */
void evs_heat_grid_of(const struct evs_hist *h, size_t from, size_t rows,
                      struct evs_heat_grid *ret);
void evs_heat_grid_done(struct evs_heat_grid *g);

/* Rows of one group added up, groups in rising order: group[row] of g, *ret_ids of the result (the
 * caller's). */
void evs_heat_grid_by(const struct evs_heat_grid *g, const int32_t *group,
                      struct evs_heat_grid *ret, int32_t **ret_ids);

/* Worst first. now_ms is for the words only. */
void evs_heat_patterns(const struct evs_heat_grid *g, int64_t now_ms, struct evs_heat_pattern **ret,
                       size_t *ret_n);
void evs_heat_patterns_free(struct evs_heat_pattern *p, size_t n);
/* The worst EVS_HEAT_SAID, a line each behind the indent, and how many more there are. */
void evs_heat_say(const struct evs_heat_pattern *p, size_t n, const char *indent,
                  struct evs_buf *out);

/* The moment from which row p took a clearly larger share of all than before: true, its start, and
 * the shares before and since. */
struct evs_heat_since {
    int64_t ts;
    double before, since;
};
bool evs_heat_since_of(const struct evs_heat_grid *g, size_t row, struct evs_heat_since *ret);

#endif
