/* configs.h - topic configuration as the cluster has it.
 *
 * Threads  any; blocks up to the client's timeout.   Owns  results are the caller's.
 * Errors   EVS_RETRY, EVS_FATAL; a topic that may not be described has NULL values.
 * Cost     1 DescribeConfigs for any number of topics.
 */
#ifndef EVS_KAFKA_CONFIGS_H
#define EVS_KAFKA_CONFIGS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct evs_client;

struct evs_topic_config {
    const char *topic;    /* in: borrowed */
    char *cleanup_policy; /* out: "delete", "compact", "compact,delete"; NULL unknown */
    char *error;          /* why it is not known; NULL fine */
    int64_t retention_ms, retention_bytes; /* -1 no limit, INT64_MIN unknown */
    int64_t min_isr;                       /* min.insync.replicas, INT64_MIN unknown */
    int64_t max_message_bytes;             /* of a batch, INT64_MIN unknown */
};

enum evs_rc evs_topic_configs(struct evs_client *c, struct evs_topic_config *configs, size_t n,
                              struct evs_err *err) EVS_MUST_USE;
void evs_topic_configs_done(struct evs_topic_config *configs, size_t n);

#endif
