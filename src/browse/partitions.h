/* partitions.h - one topic's partitions: leaders, offsets, shares, rates, time span; once, or
 * polled.
 *
 * A poll is one Metadata request and three ListOffsets per leader. First and last timestamps are
 * read from records (ListOffsets has none in librdkafka 2.0.2), as is the time an open transaction
 * began: only when asked for, and by the poller seldom.
 *
 * Units    records (messages = high - low, an upper bound); per second; epoch ms. NAN, -1: unknown.
 * Threads  evs_partitions: one. The poller has its own thread; take from any.
 * Owns     snapshots are counted (core/slot).
 * Errors   those of kafka/meta.h; a partition's own in its row.   Cost  above.
 */
#ifndef EVS_BROWSE_PARTITIONS_H
#define EVS_BROWSE_PARTITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "browse/spark.h"
#include "core/err.h"
#include "core/slot.h"
#include "stats/skew.h"

struct evs_client;
struct evs_wake;

enum evs_partition_status { /* worst first */
    EVS_PARTITION_ERROR,
    EVS_PARTITION_NO_LEADER,
    EVS_PARTITION_UNDER_REPLICATED,
    EVS_PARTITION_OPEN_TXN, /* records wait behind an open transaction */
    EVS_PARTITION_OK,
    EVS_PARTITION_EMPTY
};
const char *evs_partition_status_name(enum evs_partition_status s);

struct evs_partition_row {
    int32_t partition, leader; /* -1 none */
    int32_t *replicas, *isr;
    int n_replicas, n_isr;
    int64_t low, high, lso;    /* -1 unknown */
    int64_t messages;          /* -1 unknown */
    double share;              /* of the topic's messages; NAN unknown or none */
    double rate;               /* NAN unknown */
    int64_t first_ts_ms, last_ts_ms; /* of the first and last visible record; -1 unknown or none */
    int64_t open_txn_since_ms; /* -1: none open, or unknown */
    char *error;
    enum evs_partition_status status;
    float spark[EVS_SPARK];
};

struct evs_partitions_sn {
    struct evs_snap snap;
    char *topic;
    struct evs_partition_row *rows; /* by number */
    int n;
    char *cleanup_policy; /* NULL unknown */
    int64_t retention_ms; /* -1 for ever, INT64_MIN unknown */
    int replicas;
    struct evs_skew skew; /* of messages */
    bool skew_known;
    int64_t messages;     /* sum of what is known */
    bool offsets, times;  /* false: not asked yet */
    bool complete;
    int64_t at_ms;
    char *error, *hint;   /* why the newest poll failed; NULL fine */
    int failures;
    struct evs_partitions_sn *base; /* owner of the rows, when not this snapshot */
};

struct evs_partitions;
struct evs_partitions *evs_partitions_new(struct evs_client *c, const char *topic);
void evs_partitions_free(struct evs_partitions *t); /* NULL is fine */
/* One poll; with `times` the time spans are read too. `early` gets rows before the offsets are
 * known. */
enum evs_rc evs_partitions_poll(struct evs_partitions *t, bool times, struct evs_slot *early,
                                struct evs_partitions_sn **ret_sn,
                                struct evs_err *err) EVS_MUST_USE;

struct evs_partitions_poller;
enum evs_rc evs_partitions_poller_start(struct evs_client *c, const char *topic,
                                        int64_t interval_ms, const struct evs_wake *wake,
                                        struct evs_partitions_poller **ret_p,
                                        struct evs_err *err) EVS_MUST_USE;
void evs_partitions_poller_free(struct evs_partitions_poller *p); /* NULL is fine */
struct evs_partitions_sn *evs_partitions_take(struct evs_partitions_poller *p, uint64_t than);
void evs_partitions_refresh(struct evs_partitions_poller *p);
void evs_partitions_pause(struct evs_partitions_poller *p, bool on);
void evs_partitions_interval(struct evs_partitions_poller *p, int64_t interval_ms);

#endif
