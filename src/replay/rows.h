/* rows.h - a batch of events folded to what a view needs of them.
 *
 * latest keeps the newest event of each key (row.h says which is newer), count and sum one total a
 * group, log every event. Folding before writing is worth more than any trick of a sink: a hot key
 * costs one row a batch. The rows are then written in one transaction with the partitions' new
 * checkpoint.
 *
 * Units    rows; bytes of keys, values and cells.   Shape  map of keys over an arena.
 * Threads  one at a time: built by a reader's worker, then owned by the writer.
 * Owns     copies of everything put into it.
 * Errors   evs_rows_add: EVS_POISON when a sum gets too long.   Cost  O(bytes) an event.
 */
#ifndef EVS_REPLAY_ROWS_H
#define EVS_REPLAY_ROWS_H

#include "core/err.h"
#include "sinks/decimal.h"
#include "sinks/row.h"

struct evs_rows_ahead;
struct evs_rows_chunk;
struct evs_rows_extra;
struct evs_rows_slot;

struct evs_rows {
    enum evs_view_mode mode;
    size_t n_cells;
    struct evs_rows_slot *slots; /* key to row of the run under way; unused by log */
    size_t n_slots;
    size_t *runs, n_runs; /* where each run begins in rows; the last is under way */
    struct evs_row *rows;
    struct evs_rows_extra *extra; /* beside each row: room for its bytes, its sum */
    size_t n, alloc, bytes;
    struct evs_rows_chunk *chunks;
    struct evs_rows_ahead *ahead; /* latest: the last few events wait here, in none of the above */
    uint64_t split; /* keys met on two partitions within the batch */
    bool final;     /* evs_rows_finish was called */
};

void evs_rows_init(struct evs_rows *f, enum evs_view_mode mode, size_t n_cells);
void evs_rows_done(struct evs_rows *f);
/* Copies what it keeps. row->count and ->sum hold what the event adds. */
enum evs_rc evs_rows_add(struct evs_rows *f, const struct evs_row *row, struct evs_err *err);
/* Puts the totals into the rows; sorted: by key. Of a key in several runs the newest row stays.
 * Nothing may be added after it. */
void evs_rows_finish(struct evs_rows *f, bool sorted);
/* latest: the keys so far are not expected again (a partition is read to its end). Their rows are
 * sorted as a run of their own, and the index starts anew: a small one is a fast one. */
void evs_rows_seal(struct evs_rows *f);
/* latest: the rows of another batch too. They stay the other's, which must live as long. Before
 * evs_rows_finish; nothing may be added after it. */
void evs_rows_join(struct evs_rows *f, struct evs_rows *other);
/* The row of a key, or NULL. After evs_rows_finish(f, false): sorting moves rows; without seals. */
/* A copy that lives as long as the fold. */
const char *evs_rows_keep(struct evs_rows *f, const char *p, size_t n);
const struct evs_row *evs_rows_find(const struct evs_rows *f, const void *key, size_t len);

#endif
