/* fold_priv.h - what fold.c and fold_order.c share: the runs of rows and their order.
 *
 * Units    rows.   Threads  as fold.h.   Cost  O(n log n) a run. */
#ifndef EVS_REPLAY_FOLD_PRIV_H
#define EVS_REPLAY_FOLD_PRIV_H

#include "replay/fold.h"

/* Where the run under way begins. */
static inline size_t fold_run_begin(const struct evs_fold *f)
{
    return f->n_runs ? f->runs[f->n_runs - 1] : 0;
}

/* The rows of the run under way, by key; a row's extra is of no use any more. */
void fold_sort_run(struct evs_fold *f);
/* A new run begins at this row. */
void fold_add_run(struct evs_fold *f, size_t begin);
/* All rows by key; of a key in several runs the newest stays. */
void fold_sort(struct evs_fold *f);

#endif
