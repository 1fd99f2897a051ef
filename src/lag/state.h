/* state.h - the poller's tables between refreshes: topics, groups, what each group committed.
 *
 * Nothing is forgotten while a poller lives but groups that are listed no more: a commit that
 * vanishes (expired, deleted) leaves a row without one, which is a finding.
 *
 * Units    offsets; ms.   Threads  none: the poller's own.   Owns  everything below it.
 * Errors   none.          Cost     about 600 bytes a row, 1.1 kB a topic partition.
 */
#ifndef EVS_LAG_STATE_H
#define EVS_LAG_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/map.h"
#include "kafka/groups.h"
#include "kafka/meta.h"
#include "lag/eval.h"
#include "lag/history.h"

struct evs_lag_part {
    int64_t low, hw, lso; /* EVS_LAG_NULL unknown */
    int32_t native;       /* of the last offsets request, 0 fine */
    bool wanted;          /* some row of this refresh needs it */
    bool grid_wanted;
    struct evs_track *track; /* NULL until first used */
};

struct evs_lag_topic {
    char *name;
    bool gone;
    bool asked;     /* gone, and asked for by name: `native` says whether it is only hidden */
    int32_t native; /* why it may not be seen; 0 */
    bool configured;      /* its configuration was asked for */
    int compacted;        /* cleanup.policy has compact: 1, not: 0, unknown: -1 */
    int64_t retention_ms; /* EVS_LAG_NULL: unknown, unlimited or not deleted by time */
    int32_t n;
    struct evs_lag_part *parts;
};

struct evs_lag_entry { /* one partition of a group */
    struct evs_lag_topic *topic;
    int32_t partition, member; /* member -1 none */
    int64_t committed, commit_ms;
    int32_t native;
    /* What was read at the commit, valid while `committed` is peek_at: */
    int64_t peek_at, peek_ts, peek_hw;
    int64_t peek_behind; /* records up to peek_hw; EVS_LAG_NULL not counted */
    bool peek_empty;     /* no record from the commit to peek_hw */
    struct evs_trail trace;
};

struct evs_lag_group {
    char *name;
    enum evs_group_state state;
    bool listed, simple, described, dead_described;
    bool absent; /* named, and not among the listed */
    bool in_run;            /* answered in this refresh */
    bool from_topic, fresh; /* its commits come from the offsets topic; since this refresh */
    int64_t offsets_ms;     /* when its offsets were read; 0 never */
    char *assignor, *error;
    int32_t coordinator;
    struct evs_lag_member *members;
    size_t n_members;
    struct evs_lag_entry **entries; /* by topic name, then partition */
    size_t n, alloc;
    struct evs_cells spark;
};

struct evs_lag_member {
    char *id, *client, *host, *instance;
    size_t places;
};

struct evs_lag_state {
    struct evs_map topics;    /* name -> struct evs_lag_topic */
    struct evs_map groups;    /* name -> struct evs_lag_group */
    int32_t *offsets_leaders; /* leaders of __consumer_offsets, by partition */
    int32_t n_offsets_leaders;
};

void evs_lag_state_init(struct evs_lag_state *st);
void evs_lag_state_done(struct evs_lag_state *st);
struct evs_lag_topic *evs_lag_state_topic(struct evs_lag_state *st, const char *name);
struct evs_lag_group *evs_lag_state_group(struct evs_lag_state *st, const char *name);
void evs_lag_state_forget(struct evs_lag_state *st, const char *group);
/* The entry, made when missing; partition numbers below 0 give NULL. */
struct evs_lag_entry *evs_lag_state_entry(struct evs_lag_group *g, struct evs_lag_topic *t,
                                          int32_t partition);
void evs_lag_group_clear_members(struct evs_lag_group *g);
/* Takes the cluster's topics: partition counts, what is gone, leaders of the offsets topic. */
void evs_lag_state_meta(struct evs_lag_state *st, const struct evs_meta *meta);
/* The partition with its track; NULL when the topic has no such partition. */
struct evs_lag_part *evs_lag_part_of(struct evs_lag_topic *t, int32_t partition);
/* Java's String.hashCode over UTF-16, made positive, modulo: the partition of __consumer_offsets
 * whose leader coordinates the group. Invalid UTF-8 counts as the replacement character. */
int32_t evs_lag_group_home(const char *group, int32_t partitions);

#endif
