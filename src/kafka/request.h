/* request.h - librdkafka's blocking requests, which a stop ends early for whoever waits; for
 * src/kafka only.
 *
 * Threads  any.   Owns  see each.
 * Errors   RD_KAFKA_RESP_ERR__INTR when stop (may be NULL) came first; the handle must then live
 *          until the process ends.
 * Cost     without a stop, that of the request; with one, a thread besides (core/call.h).
 */
#ifndef EVS_KAFKA_REQUEST_H
#define EVS_KAFKA_REQUEST_H

#include <librdkafka/rdkafka.h>

struct evs_stop;

/* Of one topic, or of all with NULL. *ret_md is the caller's. */
rd_kafka_resp_err_t evs_request_metadata(struct evs_stop *stop, rd_kafka_t *rk, const char *topic,
                                         int timeout_ms, const struct rd_kafka_metadata **ret_md);
/* rd_kafka_offsets_for_times: *list is filled, or after __INTR gone and NULL. */
rd_kafka_resp_err_t evs_request_offsets(struct evs_stop *stop, rd_kafka_t *rk,
                                        rd_kafka_topic_partition_list_t **list, int timeout_ms);

#endif
