/* times.h - offsets by time where the broker cannot tell them: librdkafka's mock answers "none" to
 * every time. The partitions asked for are read once and the answers looked up. Private to kafka/.
 *
 * Units    as meta.h.   Threads  any; blocks.   Owns  nothing.   Errors  those of meta.h and
 *          reader.h.
 * Cost     reads the partitions whole: for embedded clusters only.
 */
#ifndef EVS_KAFKA_TIMES_H
#define EVS_KAFKA_TIMES_H

#include <stdbool.h>

#include "kafka/handle.h"
#include "kafka/meta.h"

bool evs_times_needed(rd_kafka_t *rk);
/* Fills the offsets of the asks by time (ts_ms >= 0); the others stay. */
enum evs_rc evs_times_fill(struct evs_client *c, struct evs_offset_ask *asks, size_t n,
                           enum evs_isolation isolation, struct evs_err *err) EVS_MUST_USE;

#endif
