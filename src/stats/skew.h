/* skew.h - how uneven a load is over P partitions.
 *
 * All over every partition, the empty ones too: max / mean (1 is even, P the worst); the population
 * coefficient of variation; Gini, not normalised (at most (P - 1) / P); entropy over ln P (1 is
 * even); effective partitions, exp of the entropy: "your 48 work as 9".
 *
 * The chi-square test is for distinct keys per partition only: records of one key are not
 * independent, so on records it rejects always.
 *
 * Units    the caller's counts.   Threads  any, pure.   Owns  nothing.   Errors  none: an empty
 *          load is even.
 * Cost     O(P log P).            Source   incomplete gamma: series and continued fraction (Lentz).
 */
#ifndef EVS_STATS_SKEW_H
#define EVS_STATS_SKEW_H

#include <stddef.h>
#include <stdint.h>

struct evs_skew {
    double total;
    double max_over_mean; /* 0 when the load is empty, as are the next four */
    double cv, gini, entropy, effective;
    size_t argmax;
};

void evs_skew_of(const double *load, size_t n, struct evs_skew *ret_skew);
void evs_skew_of_counts(const uint64_t *load, size_t n, struct evs_skew *ret_skew);

/* Even hash of the distinct keys over n partitions: statistic and upper tail probability. p is 1
 * for an empty load or a single partition. */
void evs_skew_chi2(const uint64_t *keys, size_t n, double *ret_chi2, double *ret_p);

/* Q(a, x), the regularised upper incomplete gamma function; a > 0, x >= 0. */
double evs_gamma_q(double a, double x);

#endif
