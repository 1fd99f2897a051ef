/* cands.h - the heaviest keys met so far, by a total order: the same keys give the same answer.
 *
 * Units    weights (records or bytes).   Shape  a min-heap of at most max; or a short sorted row.
 * Threads  none.   Owns  its heap; entries are the tables'.   Errors  none.
 * Cost     a comparison for what is too light; O(log max) else.
 */
#ifndef EVS_KEYS_CANDS_H
#define EVS_KEYS_CANDS_H

#include <stddef.h>
#include <stdint.h>

#include "keys/table.h"

struct evs_key_cand {
    uint64_t weight;
    const struct evs_key_entry *e;
};

struct evs_key_cands {
    struct evs_key_cand *heap; /* free with evs_free */
    size_t n, max;
};

void evs_key_cands_init(struct evs_key_cands *c, size_t max);
void evs_key_cand_add(struct evs_key_cands *c, uint64_t weight, const struct evs_key_entry *e);
void evs_key_cands_merge(struct evs_key_cands *to, const struct evs_key_cands *from);

/* Into a row of n, heaviest first; an entry of NULL is a free place. */
void evs_key_cands_first(struct evs_key_cand *row, int n, uint64_t weight,
                         const struct evs_key_entry *e);

#endif
