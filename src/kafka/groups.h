/* groups.h - consumer groups: names and states, members, committed offsets.
 *
 * librdkafka's admin calls, asynchronous: a pool of handles with a queue each (a broker answers one
 * request at a time per connection), at most EVS_GROUPS_INFLIGHT requests on the way. Nothing
 * here joins a group or commits.
 *
 * A group of the new protocol (KIP-848) is listed with its state, but librdkafka 2.0.2 describes
 * it as dead: then `members` is -1 and `error` says so. A cluster that cannot list groups
 * (librdkafka's mock) or may not (no permission) still answers for groups by name.
 *
 * Units    offsets; -1 is "none".   Threads  one at a time per pool; evs_groups_ask blocks.
 * Owns     lists are the caller's; what a callback gets is borrowed for the call.
 * Errors   evs_groups_list: those of meta.h. Per group: in the answer, `retry` when it may pass.
 * Cost     1 ListGroups a broker; FindCoordinator and OffsetFetch, or FindCoordinator and
 *          DescribeGroups, a group: 3 to 8 thousand groups a second.
 * Source   research/performance 4.2; KIP-88, KIP-222, KIP-345 (static members), KIP-848.
 */
#ifndef EVS_KAFKA_GROUPS_H
#define EVS_KAFKA_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/thread.h"

struct evs_client;
struct evs_groups;

enum { EVS_GROUPS_INFLIGHT = 256 };

enum evs_group_state {
    EVS_GROUP_UNKNOWN, /* also states this library has no name for */
    EVS_GROUP_PREPARING,
    EVS_GROUP_COMPLETING,
    EVS_GROUP_STABLE,
    EVS_GROUP_DEAD,
    EVS_GROUP_EMPTY
};
const char *evs_group_state_name(enum evs_group_state s); /* "PreparingRebalance", ... */

struct evs_group_name {
    char *name;
    enum evs_group_state state;
    bool simple; /* offsets without membership */
};

struct evs_group_list {
    struct evs_group_name *groups; /* sorted by name, each once */
    size_t n;
    char *warning; /* a broker that did not answer: the list may lack groups; NULL fine */
};

struct evs_group_offset {
    const char *topic;
    int32_t partition;
    int64_t committed; /* -1 none */
    int32_t native;    /* librdkafka's error of this partition, 0 fine */
};

struct evs_group_place {
    const char *topic;
    int32_t partition;
};

struct evs_group_member {
    const char *id, *client, *host, *instance; /* instance NULL: dynamic */
    struct evs_group_place *places;
    size_t n_places;
};

struct evs_group_desc {
    enum evs_group_state state;
    const char *assignor; /* "range"; "" when there is none */
    int32_t coordinator;  /* -1 unknown */
    const struct evs_group_member *members;
    size_t n_members;
    bool dead; /* the broker has no classic group of this name */
};

struct evs_group_ask {
    const char *name;
    bool offsets, members;
};

/* The cluster has no such request, as librdkafka's mock has no ListGroups and DescribeGroups. */
bool evs_groups_unsupported(const struct evs_err *err);

struct evs_groups_ops {
    /* Exactly one of these two for each ask with `offsets`. */
    void (*offsets)(void *ctx, size_t ask, const struct evs_group_offset *o, size_t n);
    void (*offsets_failed)(void *ctx, size_t ask, const struct evs_err *err);
    /* And of these for each with `members`. */
    void (*members)(void *ctx, size_t ask, const struct evs_group_desc *d);
    void (*members_failed)(void *ctx, size_t ask, const struct evs_err *err);
};

/* handles 0: four. Connects at the first request. */
enum evs_rc evs_groups_open(struct evs_client *c, int handles, struct evs_groups **ret_g,
                            struct evs_err *err) EVS_MUST_USE;
void evs_groups_close(struct evs_groups *g); /* NULL is fine */

enum evs_rc evs_groups_list(struct evs_groups *g, struct evs_group_list *ret_list,
                            struct evs_err *err) EVS_MUST_USE;
void evs_group_list_done(struct evs_group_list *l);

/* Answers in any order, all before it returns; stop (may be NULL) ends it early with EVS_AGAIN.
 * *ret_requests (may be NULL) grows by the requests sent, about. */
enum evs_rc evs_groups_ask(struct evs_groups *g, const struct evs_group_ask *asks, size_t n,
                           const struct evs_groups_ops *ops, void *ctx, struct evs_stop *stop,
                           int *ret_requests, struct evs_err *err) EVS_MUST_USE;

#endif
