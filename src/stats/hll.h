/* hll.h - how many distinct keys, from their hashes.
 *
 * HyperLogLog with byte registers over 64-bit hashes and Ertl's improved estimator, which needs no
 * bias tables and is unbiased from 0 upwards. Relative standard error 1.04 / sqrt(2^p): 0.81 % at
 * p = 14.
 *
 * Units    distinct hashes.   Shape  2^p bytes, p from 4 to 16.   Threads  none.
 * Owns     its registers.     Errors none.   Cost  a few ns per hash.
 * Source   Flajolet et al. 2007; O. Ertl, arXiv 1702.01284, algorithms 5 and 6.
 */
#ifndef EVS_STATS_HLL_H
#define EVS_STATS_HLL_H

#include <stdint.h>

enum { EVS_HLL_P = 14 };

struct evs_hll {
    int p;
    uint8_t *reg;
};

void evs_hll_init(struct evs_hll *h, int p);
void evs_hll_done(struct evs_hll *h);
/* to becomes the sketch of both; the same p is required. */
void evs_hll_merge(struct evs_hll *to, const struct evs_hll *from);
double evs_hll_estimate(const struct evs_hll *h);
/* Relative standard error of the estimate. */
double evs_hll_error(const struct evs_hll *h);

static inline void evs_hll_add(struct evs_hll *h, uint64_t hash)
{
    uint64_t i = hash >> (64 - h->p);
    uint64_t rest = (hash << h->p) | (UINT64_C(1) << (h->p - 1)); /* the guard bit ends the count */
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (rank > h->reg[i])
        h->reg[i] = rank;
}

#endif
