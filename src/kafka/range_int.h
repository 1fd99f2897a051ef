/* range_int.h - what range.c and range_group.c share; nobody else includes it.
 *
 * Threads  the caller's.   Owns  nothing.   Errors, units  see range.h.   Cost  two requests.
 */
#ifndef EVS_KAFKA_RANGE_INT_H
#define EVS_KAFKA_RANGE_INT_H

#include "kafka/client.h"
#include "kafka/range.h"

/* Sets `from` of every part without error to the group's commit there, -1 where it has none.
 * EVS_INVALID when it has none at all. */
enum evs_rc evs_range_from_group(struct evs_client *c, const char *group, struct evs_ranges *r,
                                 struct evs_err *err) EVS_MUST_USE;

#endif
