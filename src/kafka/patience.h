/* patience.h - how long a reader that hears nothing goes on waiting; for src/kafka only.
 *
 * Silence alone says little: what was fetched may hold nothing for us (aborted records, compacted
 * offsets). So after half the client's timeout the partition's leader is asked for something else;
 * an answer makes it patient again, none within the timeout ends the reading.
 *
 * Units    microseconds of evs_clock_mono_us.   Threads  the owner's.   Owns  nothing.
 * Errors   those of evs_kafka_fail.
 * Cost     nothing before half the timeout; then a request of at most a second, twice a second.
 */
#ifndef EVS_KAFKA_PATIENCE_H
#define EVS_KAFKA_PATIENCE_H

#include <stdint.h>

#include "core/err.h"

struct evs_client;
struct evs_stop;

struct evs_patience {
    int64_t heard_us; /* when the cluster last said something; the owner sets it */
    int64_t asked_us;
};

/* partition: one that is being fetched, -1 none; stop (may be NULL) ends the asking. */
enum evs_rc evs_patience_check(struct evs_patience *p, struct evs_client *c, const char *topic,
                               int32_t partition, struct evs_stop *stop,
                               struct evs_err *err) EVS_MUST_USE;

#endif
