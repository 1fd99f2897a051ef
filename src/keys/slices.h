/* slices.h - the heat map from offsets alone: where each time slice begins in each partition.
 *
 * ListOffsets at the edges of the slices gives offsets; their differences are the cells. No
 * message is read but the first and one of the last of a few partitions, for the span of time. A
 * cell counts offsets: an upper bound of messages on compacted or transactional topics.
 *
 * Units    epoch ms; offsets.   Threads  blocks; `step` is called on the same thread.
 * Owns     a result owns its grid and edges.
 * Errors   those of kafka/range.h and meta.h; partitions that fail are empty and counted.
 * Cost     one request per leader and edge; 100 edges of 12 partitions take 0.2 to 0.5 s.
 */
#ifndef EVS_KEYS_SLICES_H
#define EVS_KEYS_SLICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "keys/heat.h"

struct evs_client;

struct evs_slices {
    char *topic;
    struct evs_heat_grid grid;
    int64_t *edge; /* edge[column * rows + row]; grid.n + 1 columns of them */
    int32_t *leader; /* per row, -1 unknown */
    struct evs_heat_pattern *pattern;
    size_t n_patterns;
    int64_t lookups, took_us;
    int requests;
    int32_t failed; /* partitions without an answer */
    bool whole;     /* not a coarse first look */
    bool untimed;   /* the brokers do not look times up (old formats, mock clusters): no map */
};
void evs_slices_free(struct evs_slices *s); /* NULL is fine */

struct evs_slices_opts {
    int64_t from_ms, to_ms; /* -1: the topic's own */
    size_t columns;         /* at most */
    /* Takes ownership of a first coarse look and of the result; false stops. */
    bool (*step)(void *ctx, struct evs_slices *s);
    void *ctx;
};
/* EVS_EOF: the topic holds nothing in this time, or its messages carry no time. */
enum evs_rc evs_slices_run(struct evs_client *c, const char *topic,
                           const struct evs_slices_opts *opts, struct evs_err *err) EVS_MUST_USE;

/* The step of the ladder 1 s, 2 s, 5 s ... 1 h ... at which a span needs at most n columns. */
int64_t evs_slices_width(int64_t span_ms, size_t n);

#endif
