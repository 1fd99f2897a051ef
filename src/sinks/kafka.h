/* kafka.h - what the files of the Kafka topic sink share.
 *
 * The index is the newest record of each key that the target topic holds, read at the start: with
 * it an older event never follows a newer one, and totals go on from what is there.
 *
 * Threads  one.   Owns  the index's entries.   Errors  as kafka/producer.h.
 * Cost     an index of the keys in memory (latest, count, sum).
 */
#ifndef EVS_SINKS_KAFKA_H
#define EVS_SINKS_KAFKA_H

#include "core/map.h"
#include "sinks/sink.h"

struct evs_producer;

struct evs_topic_entry {
    int32_t partition;
    int64_t offset, ts_ms;
    bool deleted;
    char *value;
    size_t value_len;
};

struct evs_topic {
    struct evs_sink base;
    struct evs_producer *p;
    struct evs_shape view;
    char *topic, *group, *id, *plan_hash;
    bool other;          /* another cluster */
    bool claimed; /* the transactional id is ours */
    int32_t partitions, source_partitions;
    int64_t epoch;
    struct evs_ckpt ckpt;
    struct evs_map index;
};

/* kafka_read.c: the index made anew from the topic. */
enum evs_rc evs_topic_index(struct evs_topic *s, struct evs_err *err);
void evs_topic_index_done(struct evs_topic *s);
enum evs_rc evs_topic_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                          evs_sink_found *found, void *ctx, struct evs_err *err);
enum evs_rc evs_topic_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                           struct evs_err *err);

#endif
