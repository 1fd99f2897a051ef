/* brokers.h - who leads what and what is not in sync: the cluster broker by broker, polled.
 *
 * A poll is one Metadata request and one ListOffsets per leader; rates come from the ends of two.
 * A broker that was known and is gone from the metadata stays, marked lost since then.
 *
 * Units    partitions; records per second, NAN unknown; epoch ms.
 * Threads  the poller has its own; take from any.   Owns  snapshots are counted (core/slot).
 * Errors   a failing poll publishes nothing and is tried again (poller.h).   Cost  above.
 */
#ifndef EVS_BROWSE_BROKERS_H
#define EVS_BROWSE_BROKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "browse/spark.h"
#include "core/err.h"
#include "core/slot.h"

struct evs_client;
struct evs_wake;
struct evs_meta;

struct evs_broker_row {
    int32_t id, port;
    char *host;
    bool controller;
    int leads, replicas, not_in_sync; /* partitions; not_in_sync: replicas it holds and lags in */
    double rate;                      /* arriving in the partitions it leads */
    float spark[EVS_SPARK];
    double reply_ms;       /* of its last answer, -1 unknown */
    int64_t lost_since_ms; /* 0: in the metadata */
};

struct evs_brokers_sn {
    struct evs_snap snap;
    char *cluster_id;
    int32_t controller;
    int topics, partitions;
    struct evs_broker_row *rows; /* by id */
    int n;
    struct evs_meta *meta; /* of this poll: for what is not in sync where; never NULL */
    int64_t at_ms;
};

struct evs_brokers;
enum evs_rc evs_brokers_start(struct evs_client *c, int64_t interval_ms,
                              const struct evs_wake *wake, struct evs_brokers **ret_b,
                              struct evs_err *err) EVS_MUST_USE;
void evs_brokers_free(struct evs_brokers *b); /* stops and joins; NULL is fine */
struct evs_brokers_sn *evs_brokers_take(struct evs_brokers *b, uint64_t than);
void evs_brokers_refresh(struct evs_brokers *b);

#endif
