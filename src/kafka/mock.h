/* mock.h - librdkafka's mock cluster in this process, filled with the sample data.
 *
 * For `eventscope demo` and for tests. evs_mock_start returns once the brokers listen and the
 * topics exist; a producer thread then writes the past (about 200,000 records over 36 h) in a
 * burst and, if live, goes on at about 70 records a second. The same seed and start time give the
 * same records at the same offsets.
 *
 * Limits   the mock keeps 5 MiB or 100,000 batches a partition (older go: that is its retention),
 * knows
 *          no ListGroups and no DescribeGroups (hence evs_mock_groups), no transaction markers, and
 *          no offsets by time (times.h reads for them).
 * Threads  its own producer thread; the calls below from one thread.
 * Owns     everything; free after all clients of it are gone.
 * Errors   EVS_FATAL.   Cost  about 0.5 s of one core for the past, 60 MiB.
 */
#ifndef EVS_KAFKA_MOCK_H
#define EVS_KAFKA_MOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct evs_mock;
struct evs_stop;

struct evs_mock_spec {
    uint64_t seed; /* 0 is a seed like any other */
    bool empty;    /* brokers only: no topics, no records, no thread */
    bool live;     /* after the past, go on */
    int brokers;   /* 0: 3 */
};

enum evs_rc evs_mock_start(const struct evs_mock_spec *spec, struct evs_mock **ret_m,
                           struct evs_err *err) EVS_MUST_USE;
/* Until the past is written and the groups' offsets are committed; EVS_AGAIN when stop was raised
 * first. */
enum evs_rc evs_mock_wait(struct evs_mock *m, struct evs_stop *stop,
                          struct evs_err *err) EVS_MUST_USE;
const char *evs_mock_brokers(const struct evs_mock *m);
const char *const *evs_mock_topics(const struct evs_mock *m); /* NULL-terminated */
const char *const *evs_mock_groups(const struct evs_mock *m);
void evs_mock_free(struct evs_mock *m); /* NULL is fine */

/* For tests. native: librdkafka's error codes; api: Kafka's request numbers (1 Fetch, 2
 * ListOffsets, ...). */
enum evs_rc evs_mock_topic(struct evs_mock *m, const char *name, int partitions,
                           struct evs_err *err) EVS_MUST_USE;
/* key or value NULL: null. partition -1: by murmur2 of the key. Waits until it is written. */
enum evs_rc evs_mock_put(struct evs_mock *m, const char *topic, int32_t partition, const char *key,
                         const char *value, int64_t ts_ms, struct evs_err *err) EVS_MUST_USE;
void evs_mock_fail_next(struct evs_mock *m, int16_t api, int native, int times);
void evs_mock_broker_up(struct evs_mock *m, int32_t id, bool up); /* ids from 1 */
void evs_mock_broker_rtt(struct evs_mock *m, int32_t id, int rtt_ms);

#endif
