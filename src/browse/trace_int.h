/* trace_int.h - trace's own: from a sample to the partitions worth reading.
 *
 * Threads  the trace's.   Owns  nothing.   Errors  those of reader.h.   Cost  some dozen records a
 * partition.
 */
#ifndef EVS_BROWSE_TRACE_INT_H
#define EVS_BROWSE_TRACE_INT_H

#include "browse/trace.h"
#include "stats/partitioner.h"

struct evs_stop;

struct evs_trace_guess {
    struct evs_trace_candidate candidates[EVS_TRACE_CANDIDATES];
    int n;
    const char *verdict;
    int64_t sampled;
};

/* ranges: of all partitions. */
enum evs_rc evs_trace_guess_of(struct evs_client *c, const struct evs_ranges *ranges,
                               const void *key, size_t key_len, struct evs_trace_guess *ret_guess,
                               struct evs_err *err) EVS_MUST_USE;
/* (key, partition) pairs, each counted once: how many there are, fit a partitioner, fit one of
 * two. */
struct evs_trace_fit {
    int64_t pairs, one[EVS_PARTITIONERS], either[EVS_PARTITIONERS][EVS_PARTITIONERS];
};
void evs_trace_decide(const struct evs_trace_fit *fit, int32_t partitions, const void *key,
                      size_t key_len, struct evs_trace_guess *ret_guess);

#endif
