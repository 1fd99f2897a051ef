/* meta.h - topics, partitions, leaders and offsets as plain structs.
 *
 * Metadata never creates topics. Offsets are asked in one request per leader for any number of
 * partitions (ListOffsets through rd_kafka_offsets_for_times: -1 end, -2 beginning, else a time;
 * librdkafka 2.0.2 fails the whole call for one bad partition: those are taken out and the rest
 * repeated, in chunks of 2,000 because it merges in O(P^2)).
 *
 * Units    offsets; epoch ms.   Threads  any; each call blocks up to the client's timeout.
 * Owns     results are the caller's, freed with evs_meta_free.
 * Errors   EVS_RETRY unreachable or timed out, EVS_FATAL denied or refused; per topic and partition
 *          in `error` (owned text, NULL is fine).
 * Cost     1 Metadata request; 1 ListOffsets per leader and isolation.
 */
#ifndef EVS_KAFKA_META_H
#define EVS_KAFKA_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct evs_client;

struct evs_meta_broker {
    int32_t id, port;
    char *host;
};

struct evs_meta_partition {
    int32_t partition, leader; /* leader -1: none */
    int32_t *replicas, *isr;
    int n_replicas, n_isr;
    char *error;
};

struct evs_meta_topic {
    char *name;
    bool internal;
    struct evs_meta_partition *partitions; /* sorted by number */
    int n_partitions;
    char *error; /* NULL, or why there are no partitions */
};

struct evs_meta {
    char *cluster_id;   /* NULL unknown */
    int32_t controller; /* -1 unknown */
    struct evs_meta_broker *brokers;
    int n_brokers;
    struct evs_meta_topic *topics; /* sorted by name */
    int n_topics;
    int64_t at_ms;
};

/* All topics, or only `topic` (then an unknown one is EVS_FATAL "topic X does not exist" with a
 * hint). */
enum evs_rc evs_meta_fetch(struct evs_client *c, const char *topic, struct evs_meta **ret_meta,
                           struct evs_err *err) EVS_MUST_USE;
/* What a call on a topic failed with: the topic does not exist. */
bool evs_meta_no_topic(const struct evs_err *err);
void evs_meta_free(struct evs_meta *m); /* NULL is fine */
const struct evs_meta_topic *evs_meta_topic(const struct evs_meta *m, const char *name);

enum evs_isolation {
    EVS_READ_COMMITTED,  /* end is the last stable offset */
    EVS_READ_UNCOMMITTED /* end is the high watermark */
};

enum {
    EVS_TS_END = -1,
    EVS_TS_BEGINNING = -2
};

struct evs_offset_ask {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t ts_ms;  /* EVS_TS_END, EVS_TS_BEGINNING or a time */
    int64_t
        offset; /* answer: first offset at or after ts_ms; -1 none that late; INT64_MIN on error */
    int32_t native; /* librdkafka's error of this partition, 0 fine */
};

/* Fills `offset` of every ask; a partition's own error only marks that one. *ret_requests (may be
 * NULL) counts the requests sent, about. */
enum evs_rc evs_meta_offsets(struct evs_client *c, struct evs_offset_ask *asks, size_t n,
                             enum evs_isolation isolation, int *ret_requests,
                             struct evs_err *err) EVS_MUST_USE;
/* Words for a partition's native error: "not authorized", "leader not available", ... */
const char *evs_meta_error_text(int32_t native);
bool evs_meta_denied(int32_t native); /* not authorized for the topic, group or cluster */

#endif
