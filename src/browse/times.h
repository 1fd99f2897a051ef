/* times.h - the timestamp of the first or last visible record of partitions, by reading as little
 * as can be.
 *
 * Units    epoch ms, -1 where there is no visible record, or it could not be read.
 * Threads  any; blocks up to EVS_TIMES_MS.   Owns  nothing.   Errors  those of kafka/peek.h.
 * Cost     one Fetch a partition, a few more where its end is markers.
 */
#ifndef EVS_BROWSE_TIMES_H
#define EVS_BROWSE_TIMES_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "kafka/meta.h"

enum { EVS_TIMES_MS = 10000 };

struct evs_time_ask {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t from, to; /* offsets */
    int64_t ts_ms;    /* the answer */
};

enum evs_rc evs_times_first(struct evs_client *c, enum evs_isolation isolation,
                            struct evs_time_ask *asks, size_t n,
                            struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_times_last(struct evs_client *c, enum evs_isolation isolation,
                           struct evs_time_ask *asks, size_t n,
                           struct evs_err *err) EVS_MUST_USE;

#endif
