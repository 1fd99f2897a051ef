/* fold.h - a batch of events folded to what a view needs of them.
 *
 * latest keeps the newest event of each key (row.h says which is newer), count and sum one total a
 * group, log every event. Folding before writing is worth more than any trick of a sink: a hot key
 * costs one row a batch. The rows are then written in one transaction with the partitions' new
 * checkpoint.
 *
 * Units    rows; bytes of keys, values and cells.   Shape  map of keys over an arena.
 * Threads  one at a time: built by a reader's worker, then owned by the writer.
 * Owns     copies of everything put into it.
 * Errors   evs_fold_add: EVS_POISON when a sum gets too long.   Cost  O(bytes) an event.
 */
#ifndef EVS_REPLAY_FOLD_H
#define EVS_REPLAY_FOLD_H

#include "core/err.h"
#include "sinks/decimal.h"
#include "sinks/row.h"

struct evs_fold_ahead;
struct evs_fold_chunk;
struct evs_fold_extra;
struct evs_fold_slot;

struct evs_fold {
    enum evs_view_mode mode;
    size_t n_cells;
    struct evs_fold_slot *slots; /* key to row of the run under way; unused by log */
    size_t n_slots;
    size_t *runs, n_runs; /* where each run begins in rows; the last is under way */
    struct evs_row *rows;
    struct evs_fold_extra *extra; /* beside each row: room for its bytes, its sum */
    size_t n, alloc, bytes;
    struct evs_fold_chunk *chunks;
    struct evs_fold_ahead *ahead; /* latest: the last few events wait here, in none of the above */
    uint64_t split; /* keys met on two partitions within the batch */
    bool final;     /* evs_fold_finish was called */
};

void evs_fold_init(struct evs_fold *f, enum evs_view_mode mode, size_t n_cells);
void evs_fold_done(struct evs_fold *f);
/* Copies what it keeps. row->count and ->sum hold what the event adds. */
enum evs_rc evs_fold_add(struct evs_fold *f, const struct evs_row *row, struct evs_err *err);
/* Puts the totals into the rows; sorted: by key. Of a key in several runs the newest row stays.
 * Nothing may be added after it. */
void evs_fold_finish(struct evs_fold *f, bool sorted);
/* latest: the keys so far are not expected again (a partition is read to its end). Their rows are
 * sorted as a run of their own, and the index starts anew: a small one is a fast one. */
void evs_fold_seal(struct evs_fold *f);
/* latest: the rows of another batch too. They stay the other's, which must live as long. Before
 * evs_fold_finish; nothing may be added after it. */
void evs_fold_join(struct evs_fold *f, struct evs_fold *other);
/* The row of a key, or NULL. After evs_fold_finish(f, false): sorting moves rows; without seals. */
/* A copy that lives as long as the fold. */
const char *evs_fold_keep(struct evs_fold *f, const char *p, size_t n);
const struct evs_row *evs_fold_find(const struct evs_fold *f, const void *key, size_t len);

#endif
