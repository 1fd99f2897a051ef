/* model.h - one picture of all groups: what screens draw and commands print.
 *
 * A snapshot is immutable once published (core/slot.h) and holds everything it points to, texts
 * in one arena. Rows are the partitions of a group: all of the topics it committed to or its
 * members own, in order of topic and partition.
 *
 * Units    offsets and records; ms; per second. EVS_LAG_NULL and rates < 0 are "not known".
 * Threads  any, read only.   Owns  itself.   Errors  none.
 * Cost     about 200 bytes a row.
 */
#ifndef EVS_LAG_MODEL_H
#define EVS_LAG_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slot.h"
#include "kafka/groups.h"
#include "lag/eval.h"
#include "lag/history.h"

enum { EVS_LAG_SPARK = 30 };

struct evs_lag_row {
    const char *topic;
    int32_t partition;
    int32_t member; /* index into the group's members; -1 none or unknown */
    int64_t committed, low, hw, lso;
    struct evs_lag_figures f; /* high, lag, lost, open, note */
    int64_t behind;           /* records a consumer would still receive; EVS_LAG_NULL unknown */
    struct evs_lag_time age;
    int64_t commit_ms; /* wall time of the commit, where the offsets topic is read */
    int64_t moved_ms;  /* when the commit was last seen to move; 0 never */
    double consume, produce;
    struct evs_lag_eta eta;
    int compacted;           /* lag is an upper bound of records: 1, it is not: 0, unknown: -1 */
    double retention_left_s; /* until the oldest unread may be deleted; < 0 unknown, or never */
    struct evs_lag_verdict verdict;
    const char *error; /* the broker's words; NULL fine */
};

struct evs_lag_member_view {
    const char *id, *client, *host, *instance; /* instance NULL: dynamic */
    size_t partitions;                         /* how many it owns */
};

struct evs_lag_group_row {
    const char *name;
    enum evs_group_state state;
    bool new_protocol; /* KIP-848: members unknown to this library */
    bool described;    /* members are known */
    const char *assignor;
    int32_t coordinator; /* -1 unknown */
    const struct evs_lag_member_view *members;
    size_t n_members;
    const char *const *topics;
    size_t n_topics;
    const struct evs_lag_row *rows;
    size_t n_rows;
    struct evs_lag_group_view v; /* total, worst, top, status */
    struct evs_lag_time age;     /* of the oldest unread record of all rows */
    bool age_partial;            /* a row with lag has no age */
    double consume, produce;     /* of all rows */
    struct evs_lag_eta eta;
    int64_t moved_ms; /* newest move of any commit; 0 not seen */
    int64_t commit_ms;
    const char *error;          /* why offsets or members are missing; NULL fine */
    int64_t as_of_ms;           /* when its offsets were read; older than the snapshot: stale */
    float spark[EVS_LAG_SPARK]; /* total lag, a cell a minute, oldest first; -1 unknown */
};

struct evs_lag_sn {
    struct evs_snap snap;
    int64_t at_ms;
    const struct evs_lag_group_row *groups; /* by name */
    size_t n_groups, n_rows;
    bool stable;         /* counts to the last stable offset */
    bool complete;       /* false: something could not be read; warning says what */
    bool partial;        /* only the rows in view are of this refresh, the rest follows */
    bool from_topic;     /* commits come from __consumer_offsets */
    const char *warning; /* NULL fine */
    int requests;
    double seconds;
    uint64_t refresh; /* 1, 2, ... */
    struct evs_lag_arena *arena;
};

/* Building: memory that lives as long as the snapshot. */
struct evs_lag_arena;
struct evs_lag_sn *evs_lag_sn_new(void) EVS_MUST_USE;
void *evs_lag_alloc(struct evs_lag_sn *sn, size_t count, size_t size) EVS_MUST_USE;
const char *evs_lag_text(struct evs_lag_sn *sn, const char *s); /* a copy; NULL gives NULL */

const struct evs_lag_group_row *evs_lag_find(const struct evs_lag_sn *sn, const char *group);
const struct evs_lag_row *evs_lag_find_row(const struct evs_lag_group_row *g, const char *topic,
                                           int32_t partition);
/* The row to look at first: the largest lag, or what decided where none is known; NULL of none. */
const struct evs_lag_row *evs_lag_main_row(const struct evs_lag_group_row *g);
/* The rule of a group in words, with the partition that decided: "p3 of orders: the committed
 * ...". */
void evs_lag_rule_words(const struct evs_lag_group_row *g, char *to, size_t size);

#endif
