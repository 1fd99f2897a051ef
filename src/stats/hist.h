/* hist.h - counts over time, row by row, in a bounded number of buckets.
 *
 * A grid of rows (partitions, key buckets) by time. The bucket width climbs a ladder of which
 * every step divides the next (100 ms, 1 s, ... 1 h, 3 h, 6 h, 12 h, 1 d, then doubling) as soon
 * as the span would need more than `max` buckets; counts are only ever added up, so the totals
 * stay exact. Buckets are aligned to multiples of their width, so grids of any two widths merge.
 *
 * Units    milliseconds since epoch; counts.   Threads  none.   Owns  its cells.
 * Errors   none: times below 0 or past EVS_HIST_TS_MAX count in `untimed`.
 * Cost     the caller keeps the current bucket (evs_hist_at) and counts with one increment.
 */
#ifndef EVS_STATS_HIST_H
#define EVS_STATS_HIST_H

#include <stddef.h>
#include <stdint.h>

#define EVS_HIST_TS_MAX INT64_C(253402300800000) /* the year 10000 */

struct evs_hist {
    size_t rows, max; /* max buckets */
    int step;         /* place on the ladder */
    int64_t width_ms;
    int64_t first;  /* number of the first bucket: its start / width */
    size_t n;       /* buckets in use */
    uint32_t *cell; /* cell[bucket * rows + row], max buckets */
    uint64_t untimed;
    unsigned generation; /* changes whenever cells move: drop what evs_hist_at gave */
};

void evs_hist_init(struct evs_hist *h, size_t rows, size_t max_buckets);
void evs_hist_done(struct evs_hist *h);
/* The cells (one a row) of the bucket that holds ts, made if need be, and its [from, to); NULL
 * when ts is out of range. Borrowed until `generation` changes. */
uint32_t *evs_hist_at(struct evs_hist *h, int64_t ts_ms, int64_t *ret_from, int64_t *ret_to);
void evs_hist_add(struct evs_hist *h, size_t row, int64_t ts_ms, uint32_t count);
/* Climb to at least this width. */
void evs_hist_widen(struct evs_hist *h, int64_t width_ms);
/* from's row r is added to row `row_of[r]` of to, or to r when row_of is NULL. */
void evs_hist_merge(struct evs_hist *to, const struct evs_hist *from, const size_t *row_of);
int64_t evs_hist_start_ms(const struct evs_hist *h);

static inline uint32_t evs_hist_get(const struct evs_hist *h, size_t bucket, size_t row)
{
    return h->cell[bucket * h->rows + row];
}

#endif
