/* topics_int.h - what the files of browse/topics share; nobody else includes it.
 *
 * Threads, ownership, errors, units, cost: see topics.h.
 */
#ifndef EVS_BROWSE_TOPICS_INT_H
#define EVS_BROWSE_TOPICS_INT_H

#include "browse/spark.h"
#include "browse/times.h"
#include "browse/topics.h"
#include "core/map.h"
#include "stats/rate.h"

/* What is remembered of a topic between polls. */
struct past {
    struct evs_rate rate;
    struct evs_spark spark;
    char *cleanup_policy;
    int64_t retention_ms;
    int64_t config_at_ms; /* 0 never */
    struct evs_time_ask *parts; /* what the partitions held at the last poll */
    size_t n_parts;
    int64_t end, end_before; /* as rows' end, at the last two polls; -1 unknown */
    int64_t timed_end, last_ts_ms; /* the time of the newest record, read when end was timed_end */
};

struct evs_topics {
    struct evs_client *c;
    struct evs_map past; /* by topic */
};

struct past *topics_past(struct evs_topics *t, const char *topic);
void topics_set_status(struct evs_topic_row *row);
void topics_free_sn(struct evs_snap *snap);

#endif
