/* windows.h - answers from evenly spread windows of every partition, with an interval for every
 * share.
 *
 * Each partition is cut into strata of equal length; one window is read at a random place of each.
 * The fraction read is the same in all partitions, so the sample weighs them as the topic does.
 * Records of one window are alike (a batch of one key, an hour of one customer), so windows, not
 * records, are what is counted as independent: the variance of a key's share is that between its
 * partition's windows.
 *
 * Units    offsets; shares 0 to 1.   Threads  pure.   Owns  the ranges are the caller's.
 * Errors   EVS_INVALID for a text that is neither a fraction nor a count.
 * Cost     O(windows).
 * Source   Cochran, Sampling Techniques, chapters 5 and 9 (stratified; clusters).
 */
#ifndef EVS_KEYS_WINDOWS_H
#define EVS_KEYS_WINDOWS_H

#include <stdint.h>

#include "core/err.h"
#include "keys/keyset.h"
#include "keys/scan.h"

struct evs_ranges;

enum { EVS_WINDOWS_EACH = 32, EVS_WINDOWS_MIN = 40 };
#define EVS_WINDOWS_CONFIDENCE 0.95

/* "0.02", "2%": a fraction; a whole number from 1: records; "" or NULL: EVS_SCAN_SAMPLE. */
enum evs_rc evs_windows_fraction(const char *text, int64_t span, double *ret_fraction,
                                 struct evs_err *err) EVS_MUST_USE;

/* Several windows of each partition, in rising order, as evs_reader_start takes them. */
struct evs_ranges *evs_windows_ranges(const struct evs_ranges *whole, double fraction,
                                      uint64_t seed) EVS_MUST_USE;

/* What the intervals need to know of the plan, per partition. */
struct evs_windows_part {
    int64_t whole, read; /* offsets of the partition; of its windows */
    uint32_t windows;
};
/* partitions: entries to fill. */
void evs_windows_parts(const struct evs_ranges *whole, const struct evs_ranges *windows,
                       struct evs_windows_part *ret_parts, int32_t partitions);

/* The share of all offsets that the windows cover. */
double evs_windows_covered(const struct evs_windows_part *parts, int32_t partitions);

/* Reader threads for these ranges: as many as cores, at most 4. */
int evs_scan_workers(const struct evs_ranges *r);

struct evs_interval {
    double low, high;
};
/* The share of the topic that a key has, with at least EVS_WINDOWS_CONFIDENCE. */
struct evs_interval evs_windows_share(const struct evs_keyset *ks, const struct evs_key_detail *k,
                                      const struct evs_windows_part *parts);

/* The estimate of all distinct keys (Chao 1984, a lower bound) from how many were seen once,
 * twice. */
double evs_windows_distinct(const struct evs_keyset *ks);

#endif
