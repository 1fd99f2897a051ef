/* times.h - the timestamp of the first or last visible record of ranges, by reading as little as
 * can be.
 *
 * Units    epoch ms, -1 where a range holds no visible record.   Threads  any; blocks.   Owns 
 *          nothing.
 * Errors   those of kafka/reader.h.   Cost  one fetch a partition, a few more where the end is
 *          markers.
 */
#ifndef EVS_BROWSE_TIMES_H
#define EVS_BROWSE_TIMES_H

#include <stdint.h>

#include "core/err.h"
#include "kafka/range.h"

/* ret_ts has ranges->n places, in their order. */
enum evs_rc evs_times_first(struct evs_client *c, const struct evs_ranges *ranges, int64_t *ret_ts,
                           struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_times_last(struct evs_client *c, const struct evs_ranges *ranges, int64_t *ret_ts,
                          struct evs_err *err) EVS_MUST_USE;

#endif
