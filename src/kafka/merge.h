/* merge.h - partitions read as one stream, by (timestamp, partition, offset).
 *
 * A k-way merge of the partitions' own orders: of all partitions' next records the oldest comes.
 * Nothing comes while a partition that is not at its end has not shown its next record, so what
 * came never has to be put in order again. Within a partition the order is its own: a record older
 * than its predecessor (`disorder` counts those) comes in its place all the same. In an open range
 * a partition at its head holds the others back for EVS_MERGE_HOLD_MS of the record's age, no
 * longer.
 *
 * Each partition has its own queue in one handle, so that a full one holds up nobody else.
 *
 * Units    as core/event.h.   Threads  one.   Owns  the event until the next call.
 * Errors   a partition's: EVS_FATAL naming it; passing trouble is retried up to the client's
 *          timeout.
 * Cost     O(partitions) per record; memory about 40 MB in all queues.
 */
#ifndef EVS_KAFKA_MERGE_H
#define EVS_KAFKA_MERGE_H

#include <stdint.h>

#include "core/err.h"
#include "core/event.h"
#include "kafka/range.h"

enum { EVS_MERGE_HOLD_MS = 500 };

struct evs_client;
struct evs_merge;

/* ranges are copied; those with an error are left out. */
enum evs_rc evs_merge_open(struct evs_client *c, const struct evs_ranges *ranges,
                           struct evs_merge **ret_m, struct evs_err *err) EVS_MUST_USE;
void evs_merge_close(struct evs_merge *m); /* NULL is fine */
/* One partition more, above all that are there; not while an event is borrowed. */
void evs_merge_add(struct evs_merge *m, int32_t partition, int64_t from, int64_t to);
/* EVS_OK, EVS_AGAIN (nothing within wait_ms), EVS_EOF (all ranges ended). */
enum evs_rc evs_merge_next(struct evs_merge *m, int64_t wait_ms, struct evs_event **ret_ev,
                           struct evs_err *err) EVS_MUST_USE;
/* The partition goes on at this offset, up to its range's end; before its range's begin is fine. */
void evs_merge_seek(struct evs_merge *m, int32_t partition, int64_t offset);
/* The offset after the last one that came or was passed over; -1 not among the ranges. */
int64_t evs_merge_position(const struct evs_merge *m, int32_t partition);
int64_t evs_merge_disorder(const struct evs_merge *m);

#endif
