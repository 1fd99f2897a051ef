/* topk.h - the heaviest keys of a stream in bounded memory.
 *
 * Weighted Space-Saving: m counters. Every key whose weight is above W / m is present; each count
 * is too high by at most its own error, so the true weight lies in [count - error, count]; the
 * counts add up to W until sketches are merged.
 * With weight 1 it is Space-Saving for records, with sizes the variant for bytes.
 *
 * Units    weights.   Keys  bytes; past EVS_TOPK_KEY only the prefix is kept, identity is hash and
 *          length.
 * Shape    m counters in a 4-ary heap on count, an open index on the hash.
 * Threads  none.      Owns  copies of keys.   Errors  none.
 * Cost     one probe and O(log m) per update.
 * Source   Metwally, Agrawal, El Abbadi 2005; merge: Agarwal et al., Mergeable Summaries, 2012.
 */
#ifndef EVS_STATS_TOPK_H
#define EVS_STATS_TOPK_H

#include <stddef.h>
#include <stdint.h>

enum { EVS_TOPK_KEY = 64 };

struct evs_topk_item {
    uint64_t hash, count, error;
    uint32_t key_len; /* of the whole key; min(key_len, EVS_TOPK_KEY) bytes are kept */
    uint32_t heap;    /* place in the heap, private */
    uint8_t key[EVS_TOPK_KEY];
};

struct evs_topk {
    size_t m, n;
    uint64_t total;
    struct evs_topk_item *item;
    uint32_t *heap;  /* item numbers, least count first */
    uint32_t *index; /* item number + 1, 0 empty; linear probing, backward-shift deletion */
    size_t mask;
};

void evs_topk_init(struct evs_topk *t, size_t m);
void evs_topk_done(struct evs_topk *t);
void evs_topk_add(struct evs_topk *t, uint64_t hash, const void *key, size_t n, uint64_t weight);
/* An upper bound for any key that is not present. */
uint64_t evs_topk_floor(const struct evs_topk *t);
/* The item, or NULL. */
const struct evs_topk_item *evs_topk_get(const struct evs_topk *t, uint64_t hash, size_t n);
/* to summarises both streams; errors add up. */
void evs_topk_merge(struct evs_topk *to, const struct evs_topk *from);
/* Up to max items by count, then key; returns how many. */
size_t evs_topk_sorted(const struct evs_topk *t, const struct evs_topk_item **ret_items,
                       size_t max);

#endif
