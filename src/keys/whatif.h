/* whatif.h - what another key, partitioner or partition count would do to the load, and its price.
 *
 *   partitions:N         every key hashed again over N partitions: exact
 *   partitioner:NAME     every key hashed again: exact
 *   shards:N             the hot keys over N partitions: placed (home + i), exact; random
 * suffixes, a range
 *   shards:N:K           the same for the K heaviest keys
 *   shards-all:N         every key over N partitions, placed: exact
 *   composite:minute|hour|day   the time in the key: each (key, time) goes its own way, a range
 *
 * What is random is thrown EVS_WHATIF_THROWS times by seeded even hashes: the figure is the
 * median, `low` and `high` hold 99 % of the throws. Records without a key are spread evenly when
 * the count changes.
 *
 * Units    shares 0 to 1; records.   Threads  pure.   Owns  a result owns its texts and loads.
 * Errors   EVS_INVALID for a strategy that is none.   Cost  1 to 30 ms; grows with keys and throws.
 */
#ifndef EVS_KEYS_WHATIF_H
#define EVS_KEYS_WHATIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "keys/diagnose.h"

enum { EVS_WHATIF_THROWS = 400, EVS_WHATIF_MAX_PARTITIONS = 100000 };
#define EVS_WHATIF_TARGET 1.25

struct evs_whatif {
    char *strategy;                  /* "shards:8" */
    const char *placement;           /* "placed", "random" or NULL */
    double max_over_mean, low, high; /* low = high where exact */
    double peak;                     /* max / mean of the worst time slice; NAN unknown */
    bool peak_estimate;              /* keys/peak.h says from what */
    const char *peak_unknown;        /* why there is none; NULL where there is */
    double hot_key_share;            /* of the heaviest (key, partition) after the change */
    double partitions_per_hot_key;
    const char *ordering;     /* in words */
    uint64_t broken_pairs;    /* successive records of a key that would part */
    double broken_pair_share; /* of all such pairs */
    uint64_t keys_changed;
    bool estimate;
    bool smallest; /* the least change that meets the target */
    int32_t partitions;
    double *after; /* share per partition; medians where random */
};

/* Is this a strategy at all? */
enum evs_rc evs_whatif_check(const char *strategy, struct evs_err *err) EVS_MUST_USE;
/* One strategy in the contract's words. "shards:N" gives the placed form, "shards:N:random" the
 * other. */
enum evs_rc evs_whatif_one(const struct evs_keyset *ks, const struct evs_report *r,
                           const char *strategy, struct evs_whatif *ret,
                           struct evs_err *err) EVS_MUST_USE;
/* The same without `peak`: for trying many. */
enum evs_rc evs_whatif_load(const struct evs_keyset *ks, const struct evs_report *r,
                            const char *strategy, struct evs_whatif *ret,
                            struct evs_err *err) EVS_MUST_USE;
void evs_whatif_done(struct evs_whatif *w);

struct evs_whatifs {
    double target;
    struct evs_whatif now; /* "as it is" */
    struct evs_whatif *w;  /* least change first */
    size_t n;
    char *advice; /* the smallest change in words, or why there is none or no need */
};
/* The usual strategies and the extra ones (texts as above, checked before). */
struct evs_whatifs *evs_whatif_all(const struct evs_keyset *ks, const struct evs_report *r,
                                   double target, const char *const *extra, size_t n_extra);
void evs_whatifs_free(struct evs_whatifs *w); /* NULL is fine */

#endif
