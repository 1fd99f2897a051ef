/* trace.h - one entity's history: where its key must be, its events in order, over several topics.
 *
 * The partitioner of a topic is told from a small sample (the newest records of each partition):
 * only the partition that the key hashes to is read, with mixed partitioners one for each; the
 * others only when asked. Lanes beyond the first are other topics, found by key, by a header or by
 * a JSON path; but for keys, all their partitions are read.
 *
 * Events of one partition are in offset order; several are merged by (time, lane, partition,
 * offset).
 *
 * Units    records, bytes, epoch ms.   Threads  open, free: one thread; snapshots: any.
 * Owns     events live until evs_trace_free, so a snapshot must not outlive the trace.
 * Errors   in the snapshot.   Cost  reads the candidates' ranges once; keeps at most memory_bytes.
 */
#ifndef EVS_BROWSE_TRACE_H
#define EVS_BROWSE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/event.h"
#include "core/slot.h"
#include "kafka/range.h"

struct evs_client;
struct evs_wake;

enum { EVS_TRACE_LANES = 8, EVS_TRACE_CANDIDATES = 8, EVS_TRACE_MEMORY = 256 << 20 };

enum evs_trace_by {
    EVS_TRACE_BY_KEY,
    EVS_TRACE_BY_HEADER, /* a header of this name has the value */
    EVS_TRACE_BY_JSON    /* this path in the value (or key) has it */
};

struct evs_trace_lane {
    const char *topic;
    enum evs_trace_by by;
    const char *name; /* header name or JSON path; NULL by key */
};

struct evs_trace_opts {
    struct evs_trace_lane lanes[EVS_TRACE_LANES]; /* copied; lane 0 is the trace's own topic */
    int n_lanes;
    const void *key; /* what to look for, copied */
    size_t key_len;
    struct evs_range_spec where; /* partitions NULL: as told by the partitioner. Texts copied. */
    bool all_partitions;
    size_t memory_bytes; /* 0: EVS_TRACE_MEMORY */
};

/* The first lane, and one more as "TOPIC" or "TOPIC,HOW" (cut in place, borrowed like by: key,
 * header:NAME or json:PATH). EVS_INVALID: not so, or too many. */
enum evs_rc evs_trace_lane_first(const char *topic, const char *by, struct evs_trace_opts *o,
                                 struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_trace_lane_add(char *text, const char *by, struct evs_trace_opts *o,
                               struct evs_err *err) EVS_MUST_USE;

struct evs_trace_candidate {
    const char *partitioner; /* "murmur2"; "given" for where.partitions; "all" */
    int32_t partition;
    bool read;
};

struct evs_trace_event {
    struct evs_event *ev; /* headers loaded */
    int lane;
};

enum evs_trace_state {
    EVS_TRACE_LOOKING, /* which partition */
    EVS_TRACE_READING,
    EVS_TRACE_DONE,
    EVS_TRACE_STOPPED,
    EVS_TRACE_FAILED
};

struct evs_trace_sn {
    struct evs_snap snap;
    enum evs_trace_state state;
    const struct evs_trace_event *events;
    size_t n;
    int32_t partitions; /* of lane 0's topic */
    struct evs_trace_candidate candidates[EVS_TRACE_CANDIDATES];
    int n_candidates;
    const char *verdict; /* static: "murmur2", "mixed", "custom", "unknown", "one partition" */
    int64_t sampled;     /* records read to tell the partitioner */
    int64_t read, bytes, passed, span;
    int64_t left_out; /* events found past the memory limit: not kept */
    int found_on;     /* partitions of lane 0 that hold events */
    double seconds;
    int64_t from_ms; /* oldest time of the window, -1 unknown */
    bool complete;
    struct evs_err err; /* FAILED; or a partition that could not be read */
};

struct evs_trace;
enum evs_rc evs_trace_open(struct evs_client *c, const struct evs_trace_opts *opts,
                           const struct evs_wake *wake, struct evs_trace **ret_t,
                           struct evs_err *err) EVS_MUST_USE;
struct evs_trace_sn *evs_trace_take(struct evs_trace *t, uint64_t than); /* or NULL; unref it */
void evs_trace_stop(struct evs_trace *t);
void evs_trace_free(struct evs_trace *t); /* stops it; NULL is fine */

#endif
