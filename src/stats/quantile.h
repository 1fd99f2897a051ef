/* quantile.h - quantiles of sizes and delays with a relative error.
 *
 * DDSketch: logarithmic buckets of ratio gamma = (1 + a) / (1 - a) with a = 1 %. Every quantile is
 * within 1 % of the exact one whatever the data; sketches merge by addition. Count, sum, min and
 * max are exact.
 *
 * Units    the caller's (bytes, ms); values are >= 0.
 * Shape    EVS_QUANTILE_BUCKETS counters cover 1 .. 10^15.   Threads  none.
 * Owns     its counters, inline.   Errors  none.   Cost  2 ns below EVS_QUANTILE_DIRECT, 15 ns
 *          above.
 * Source   Masson, Rim, Lee, VLDB 2019.
 */
#ifndef EVS_STATS_QUANTILE_H
#define EVS_STATS_QUANTILE_H

#include <stdint.h>

enum { EVS_QUANTILE_BUCKETS = 1730, EVS_QUANTILE_DIRECT = 2048 };

struct evs_quantile {
    uint64_t large, large_sum, large_min, large_max; /* of values >= EVS_QUANTILE_DIRECT */
    uint64_t direct[EVS_QUANTILE_DIRECT];            /* small values are counted as they are */
    uint64_t bucket[EVS_QUANTILE_BUCKETS];
};

void evs_quantile_init(struct evs_quantile *q);
void evs_quantile_add_large(struct evs_quantile *q, uint64_t v);
void evs_quantile_merge(struct evs_quantile *to, const struct evs_quantile *from);
uint64_t evs_quantile_count(const struct evs_quantile *q);
uint64_t evs_quantile_sum(const struct evs_quantile *q);
/* Exact; 0 when empty. */
uint64_t evs_quantile_min(const struct evs_quantile *q);
uint64_t evs_quantile_max(const struct evs_quantile *q);
/* p from 0 to 1; within 1 % of the value at rank floor(p * (count - 1)). 0 when empty. */
double evs_quantile_at(const struct evs_quantile *q, double p);

static inline void evs_quantile_add(struct evs_quantile *q, uint64_t v)
{
    if (v < EVS_QUANTILE_DIRECT)
        q->direct[v]++;
    else
        evs_quantile_add_large(q, v);
}

#endif
