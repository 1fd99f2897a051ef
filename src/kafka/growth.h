/* growth.h - how many partitions a topic has by now, for whoever follows it.
 *
 * A thread asks for the topic's metadata every few seconds. A partition counts once it and all
 * before it have a leader, so that what counts can be read.
 *
 * Units    partitions.   Threads  its own; start and free from one, the number from any.
 * Owns     a copy of the topic's name; the client must outlive it.
 * Errors   none after start: a request that fails is made again.
 * Cost     one small request every three seconds.
 */
#ifndef EVS_KAFKA_GROWTH_H
#define EVS_KAFKA_GROWTH_H

#include <stdint.h>

#include "core/err.h"

struct evs_client;
struct evs_growth;

/* partitions: as many are known. */
enum evs_rc evs_growth_start(struct evs_client *c, const char *topic, int32_t partitions,
                             struct evs_growth **ret_g, struct evs_err *err) EVS_MUST_USE;
int32_t evs_growth_partitions(const struct evs_growth *g); /* never falls; NULL has 0 */
void evs_growth_free(struct evs_growth *g);                /* NULL is fine */

#endif
