/* project.h - one event to one row: columns, group and value.
 *
 * An expression is jq on the envelope {topic, partition, offset, timestamp, key, value, headers}.
 * Plain paths (.key, .offset, .value.order.total, .value.items[0].sku) are read from the event's
 * own bytes, so numbers keep their digits; everything else goes through libjq, which calculates
 * with doubles.
 *
 * Threads  one projector, one thread.   Owns  its expressions and a scratch buffer.
 * Errors   EVS_INVALID for texts that do not compile; EVS_POISON for an event an expression fails
 *          on.
 * Cost     a path is one pass over the value for all paths together; jq about 3 us.
 */
#ifndef EVS_REPLAY_PROJECT_H
#define EVS_REPLAY_PROJECT_H

#include "core/err.h"
#include "core/event.h"
#include "replay/plan.h"
#include "sinks/row.h"

struct evs_project;
enum evs_rc evs_project_new(const struct evs_plan *plan, struct evs_project **ret_p,
                            struct evs_err *err) EVS_MUST_USE;
void evs_project_free(struct evs_project *p); /* NULL is fine */
/* The row borrows the event and p's scratch until the next call. EVS_AGAIN: the event has no place
 * in this view (a null key, a tombstone of a count). */
enum evs_rc evs_project_row(struct evs_project *p, struct evs_event *ev, struct evs_row *ret_row,
                            struct evs_err *err) EVS_MUST_USE;

#endif
