/* rows_priv.h - what rows.c and rows_order.c share: the runs of rows and their order.
 *
 * Units    rows.   Threads  as rows.h.   Cost  O(n log n) a run. */
#ifndef EVS_REPLAY_ROWS_PRIV_H
#define EVS_REPLAY_ROWS_PRIV_H

#include "replay/rows.h"

/* Where the run under way begins. */
static inline size_t rows_run_begin(const struct evs_rows *f)
{
    return f->n_runs ? f->runs[f->n_runs - 1] : 0;
}

/* The rows of the run under way, by key; a row's extra is of no use any more. */
void rows_sort_run(struct evs_rows *f);
/* A new run begins at this row. */
void rows_add_run(struct evs_rows *f, size_t begin);
/* All rows by key; of a key in several runs the newest stays. */
void rows_sort(struct evs_rows *f);

#endif
