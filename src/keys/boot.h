/* boot.h - is a skew bad luck, a bad placement, or in the keys themselves? Parametric bootstrap.
 *
 * The observed key weights are thrown over the partitions many times by even hashes; each throw
 * gives a max / mean. Where the topic's own figure lies among them is the verdict: past the 99.9th
 * percentile the placement is at fault; inside, and the median is high, no hash helps: the weights
 * are at fault.
 *
 * The heaviest keys are thrown one by one; the rest, when it is many, by its normal limit (its
 * variance per partition is the sum of squared weights times (1/P)(1 - 1/P)). Seeded: same input,
 * same output.
 *
 * Units    weights (records or bytes).   Threads  pure.   Owns  nothing kept.   Errors  none.
 * Cost     about EVS_BOOT_BUDGET random numbers: 10 to 30 ms.
 * Source   Raab and Steger 1998 for the theory; the research notes for the simulation that checks
 *          it.
 */
#ifndef EVS_KEYS_BOOT_H
#define EVS_KEYS_BOOT_H

#include <stddef.h>
#include <stdint.h>

enum { EVS_BOOT_BUDGET = 3000000 };

struct evs_boot {
    int throws;
    double median, p99, p999, max; /* of max / mean */
    double rank;                   /* share of throws below the observed figure */
    double even_keys;              /* 1 / sum of squared shares: as many even keys throw alike */
};

/* weights: any order, reordered in place; rest: the weight of rest_keys more keys that are not
 * listed. observed: the topic's max / mean of all these. */
void evs_boot_run(double *weights, size_t n, double rest, double rest_keys, int32_t partitions,
                  double observed, uint64_t seed, struct evs_boot *ret);

/* splitmix64 and what is drawn from it; also for the what-if engine. */
static inline uint64_t evs_boot_rng(uint64_t *s)
{
    uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static inline int32_t evs_boot_pick(uint64_t *s, int32_t n)
{
    return (int32_t)(((evs_boot_rng(s) >> 32) * (uint64_t)n) >> 32);
}
double evs_boot_normal(uint64_t *s);

/* Puts the n largest first, in no order among themselves. */
void evs_boot_largest(double *v, size_t len, size_t n);

/* One or many throws: what is thrown is prepared once. */
struct evs_boot_load {
    const double *head; /* one by one */
    size_t n_head;
    double rest, rest_squares; /* by the normal limit */
};
/* evs_boot_run throws keys one by one when there are no more than this, and what it takes else. */
enum { EVS_BOOT_SINGLES = 40000 };
size_t evs_boot_head(int32_t partitions);
/* The same as evs_boot_run of what is prepared, `total` together. */
void evs_boot_of(const struct evs_boot_load *l, double total, int32_t partitions, double observed,
                 uint64_t seed, struct evs_boot *ret);
/* Adds one throw to load[partitions], which holds what is fixed. */
void evs_boot_throw(const struct evs_boot_load *l, int32_t partitions, double *load, uint64_t *rng);

#endif
