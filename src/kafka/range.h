/* range.h - "where to read": partitions, offsets and times resolved to half-open offset ranges.
 *
 * One spec for browse, search, keys, trace and replay. Resolving asks low, high and last stable
 * offset of every wanted partition in one request per leader each, and times likewise.
 *
 * Units    offsets, [from, to).   Threads  any; blocks.   Owns  ranges are the caller's.
 * Errors   EVS_INVALID for wrong texts, unknown partitions, offsets out of range (naming what there
 *          is); those of meta.h.
 * Cost     at most 5 requests per leader.
 */
#ifndef EVS_KAFKA_RANGE_H
#define EVS_KAFKA_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "kafka/meta.h"

struct evs_range_spec {
    const char *partitions; /* "0,3-5"; NULL: all */
    const char *from;       /* beginning, end, N, -N, s@MS, group:NAME; NULL: beginning */
    const char *to;         /* e@MS or N; NULL: the end as of now */
    const char *since, *until; /* T of the contract; NULL: none */
    int64_t now_ms;            /* for durations back */
    enum evs_isolation isolation;
    bool follow; /* to = EVS_RANGE_OPEN */
};

#define EVS_RANGE_OPEN INT64_MAX

struct evs_range {
    int32_t partition, leader;
    int64_t from, to;       /* what to read */
    int64_t low, high, lso; /* as resolved; lso = high when none is open */
    char *error;            /* this partition cannot be read: why; NULL fine */
};

struct evs_ranges {
    char *topic;
    struct evs_range *parts; /* sorted by partition */
    size_t n;
    int32_t topic_partitions; /* all of the topic */
    enum evs_isolation isolation;
    int64_t at_ms;
};

enum evs_rc evs_range_resolve(struct evs_client *c, const char *topic,
                              const struct evs_range_spec *spec, struct evs_ranges **ret_ranges,
                              struct evs_err *err) EVS_MUST_USE;
void evs_ranges_free(struct evs_ranges *r); /* NULL is fine */
struct evs_ranges *evs_ranges_copy(const struct evs_ranges *r) EVS_MUST_USE;
/* Offsets in all ranges together: an upper bound of records. Open ranges count to high. */
int64_t evs_ranges_span(const struct evs_ranges *r);
/* Parses "0,3-5" against a partition count into a sorted, unique list the caller frees. */
enum evs_rc evs_range_partitions(const char *text, int32_t count, int32_t **ret_list, size_t *ret_n,
                                 struct evs_err *err) EVS_MUST_USE;

#endif
