/* topics.h - what is there: every topic with its size, rate, skew and state; once, or polled.
 *
 * A poll is one Metadata request and two ListOffsets per leader for all partitions of all topics,
 * and (seldom) one DescribeConfigs. Rates and sparklines come from polls, so they are unknown
 * after the first. When a poll fails, the last good rows are published again with the failure in
 * `error`: nothing that was known is taken away.
 *
 * Units    records (messages = high - low, an upper bound on compacted and transactional topics);
 *          records per second; epoch ms. NAN and -1 are "unknown".
 * Threads  evs_topics: one. The poller has its own thread; take from any.
 * Owns     snapshots are counted (core/slot); rows are immutable and live as long as the snapshot.
 * Errors   those of kafka/meta.h.   Cost  above; 10,000 topics take about 10 MB.
 */
#ifndef EVS_BROWSE_TOPICS_H
#define EVS_BROWSE_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include "browse/spark.h"
#include "core/err.h"
#include "core/slot.h"

struct evs_client;
struct evs_wake;

enum evs_topic_status { /* worst first: the order of the STATE column */
    EVS_TOPIC_ERROR,
    EVS_TOPIC_NO_LEADER,
    EVS_TOPIC_UNDER_REPLICATED,
    EVS_TOPIC_HOT,    /* skew at least 3 */
    EVS_TOPIC_SKEWED, /* at least 1.5 */
    EVS_TOPIC_SILENT, /* the last record is older than EVS_TOPIC_SILENT_MS */
    EVS_TOPIC_OK,
    EVS_TOPIC_EMPTY,
    EVS_TOPIC_UNKNOWN /* not asked yet */
};
enum { EVS_TOPIC_SILENT_MS = 3 * 3600 * 1000 };
const char *evs_topic_status_name(enum evs_topic_status s); /* "no-leader", "hot", ... */

struct evs_topic_row {
    char *name;
    bool internal;
    int partitions, replicas; /* replicas: the most of any partition */
    int under_replicated, leaderless;
    int64_t messages, end;  /* -1 unknown; end is the sum of high watermarks, a counter */
    double rate;            /* NAN unknown */
    int heaviest;           /* the partition with the most messages */
    double max_over_mean;   /* of messages per partition; NAN unknown or empty or one partition */
    int64_t last_ts_ms;     /* of the newest visible record; -1 unknown, or none */
    char *cleanup_policy;   /* NULL unknown */
    int64_t retention_ms;   /* -1 for ever, INT64_MIN unknown */
    char *error;            /* NULL fine */
    enum evs_topic_status status;
    char reason[80];        /* "2 under-replicated", "p4 holds 5.2 times its share" */
    float spark[EVS_SPARK];
};

struct evs_topics_broker {
    int32_t id, port;
    char *host;
};

struct evs_topics_sn {
    struct evs_snap snap;
    char *cluster_id; /* NULL unknown */
    int32_t controller;
    struct evs_topics_broker *brokers;
    int n_brokers;
    struct evs_topic_row *rows; /* sorted by name */
    int n;
    int64_t at_ms;     /* when the rows were good */
    bool offsets;      /* false: names only, offsets are still being asked */
    bool complete;     /* every partition's offsets are known */
    int requests;      /* about, of this poll */
    double seconds;
    char *error;       /* why the newest poll failed; NULL fine */
    char *hint;        /* what to do about it, or NULL */
    int failures;      /* polls failed in a row */
    struct evs_topics_sn *base; /* owner of the rows, when not this snapshot */
};

struct evs_topics;
struct evs_topics *evs_topics_new(struct evs_client *c);
void evs_topics_free(struct evs_topics *t); /* NULL is fine */
/* One poll. The caller owns the reference. `early`, when not NULL, gets names before offsets are
 * known. */
enum evs_rc evs_topics_poll(struct evs_topics *t, struct evs_slot *early,
                            struct evs_topics_sn **ret_sn, struct evs_err *err) EVS_MUST_USE;
/* Reads the newest records' times of the topics in sn that have changed since that was done, into
 * sn (before it is published); `still`: only of topics that did not grow between the last two
 * polls. The poller does that by itself. */
enum evs_rc evs_topics_times(struct evs_topics *t, struct evs_topics_sn *sn, bool still,
                             struct evs_err *err) EVS_MUST_USE;
const struct evs_topic_row *evs_topics_find(const struct evs_topics_sn *sn, const char *name);

/* The same on its own thread, every interval_ms; failing polls are retried after 1, 2, 4 ... 30 s.
 * */
struct evs_topics_poller;
enum evs_rc evs_topics_poller_start(struct evs_client *c, int64_t interval_ms,
                                    const struct evs_wake *wake,
                                    struct evs_topics_poller **ret_p,
                                    struct evs_err *err) EVS_MUST_USE;
void evs_topics_poller_free(struct evs_topics_poller *p); /* stops and joins; NULL is fine */
/* A reference to the latest snapshot above generation `than`, else NULL. */
struct evs_topics_sn *evs_topics_take(struct evs_topics_poller *p, uint64_t than);
void evs_topics_refresh(struct evs_topics_poller *p);           /* poll now */
void evs_topics_pause(struct evs_topics_poller *p, bool on);    /* stop polling */
void evs_topics_interval(struct evs_topics_poller *p, int64_t interval_ms);

#endif
