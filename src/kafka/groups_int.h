/* groups_int.h - what the files of groups share: groups.c (asking for many) and groups_list.c.
 *
 * Threads, ownership, errors: groups.h.
 */
#ifndef EVS_KAFKA_GROUPS_INT_H
#define EVS_KAFKA_GROUPS_INT_H

#include "core/thread.h"
#include "kafka/groups.h"
#include "kafka/handle.h"

enum { EVS_GROUPS_HANDLES = 8, EVS_ADMIN_MS = 3600000 };

struct pool_handle {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *offsets, *members;
};

struct evs_groups {
    struct evs_client *c;
    struct pool_handle handles[EVS_GROUPS_HANDLES];
    int n;
    char *first; /* the group first asked for: see open_handle */
    struct evs_wake wake;
    uint32_t run; /* of evs_groups_ask: an answer that outlived its run is dropped */
    bool spoiled; /* a request was not answered: see retire() */
    /* A broker without ListGroups (librdkafka's mock) knows no "all partitions" either, and
     * librdkafka 2.0.2 waits for ever on its empty answer: then these are asked for by name. */
    rd_kafka_topic_partition_list_t *places;
};

enum evs_group_state evs_group_state_of(rd_kafka_consumer_group_state_t s);
rd_kafka_AdminOptions_t *evs_groups_options(rd_kafka_t *rk, rd_kafka_admin_op_t op, int64_t ms);

#endif
