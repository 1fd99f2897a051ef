/* producer.h - records into a topic, in transactions that hold the source's offsets too.
 *
 * Opening reads nothing and writes nothing. evs_producer_init aborts what a dead process with the
 * same transactional id left open and fences it; only after that do committed offsets tell the
 * truth (else an open transaction reads as "no offset"). No group is joined: offsets go into the
 * transaction with the group's name alone (KIP-447).
 *
 * Units    offsets; ts_ms epoch milliseconds; partition -1: anywhere.
 * Threads  one.   Owns  its handle; records are copied by the library.
 * Errors   EVS_FATAL fenced or denied; EVS_RETRY: the transaction was aborted, nothing of it stays;
 *          EVS_POISON: the record is larger than the cluster takes.
 * Cost     a transaction is 5 to 100 ms whatever its size.
 * Source   KIP-98, KIP-447; research/performance-reliability 5.2 and 5.3.
 */
#ifndef EVS_KAFKA_PRODUCER_H
#define EVS_KAFKA_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/event.h"

struct evs_client_conf;
struct evs_producer;

struct evs_commit {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t offset; /* -1: none committed */
    char *metadata; /* to commit: borrowed; as read: the caller's to evs_free */
};

/* brokers: another cluster's, or NULL for the conf's. txn_id NULL: no transactions. topic: what
 * will be written to, or NULL: batches are then no larger than it takes. */
enum evs_rc evs_producer_open(const struct evs_client_conf *conf, const char *brokers,
                              const char *txn_id, const char *topic, int64_t timeout_ms,
                              struct evs_producer **ret_p, struct evs_err *err) EVS_MUST_USE;
/* Whether the topic is compacted, and so takes no record without a key; false where unknown. */
bool evs_producer_compacted(const struct evs_producer *p);
void evs_producer_close(struct evs_producer *p); /* NULL is fine; an open transaction is aborted */
/* How many partitions the topic has; EVS_FATAL when it does not exist: none is created. */
enum evs_rc evs_producer_partitions(struct evs_producer *p, const char *topic, int32_t *ret_n,
                                    struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_producer_init(struct evs_producer *p, struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_producer_begin(struct evs_producer *p, struct evs_err *err) EVS_MUST_USE;
/* Where Java puts the key, the empty one included (librdkafka's own scatters it). */
int32_t evs_producer_place(const void *key, size_t len, int32_t partitions);
/* Waits while the library's queue is full. A commit that fails because the broker takes no record
 * of that size is EVS_POISON, err->row the mark of that record. */
enum evs_rc evs_producer_send(struct evs_producer *p, const char *topic, int32_t partition,
                              const struct evs_event *ev, size_t mark,
                              struct evs_err *err) EVS_MUST_USE;
/* Offsets and everything sent since begin, at once. */
enum evs_rc evs_producer_commit(struct evs_producer *p, const char *group,
                                const struct evs_commit *offsets, size_t n,
                                struct evs_err *err) EVS_MUST_USE;
void evs_producer_abort(struct evs_producer *p);
/* Fills offset and metadata of each. stable: a transaction under way is waited for (EVS_RETRY: too
 * long); else what was committed before it is the answer. */
enum evs_rc evs_producer_committed(struct evs_producer *p, const char *group, bool stable,
                                   struct evs_commit *offsets, size_t n,
                                   struct evs_err *err) EVS_MUST_USE;
/* Every committed record of the topic up to now; false from take ends. */
enum evs_rc evs_producer_scan(struct evs_producer *p, const char *topic,
                              bool (*take)(void *ctx, struct evs_event *ev), void *ctx,
                              struct evs_err *err) EVS_MUST_USE;

#endif
