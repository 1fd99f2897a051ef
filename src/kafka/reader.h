/* reader.h - reads ranges of a topic at full speed and hands every record to callbacks.
 *
 * Simple consumers without group.id (rd_kafka_consume_start_queue): no coordinator, no commit path.
 * Partitions are dealt to several handles by range size; each handle has one queue and one thread,
 * drained with rd_kafka_consume_callback_queue, so limits hold per worker. The end of a range is
 * found by the partition-EOF event or by passing `to`, never by "offset == high - 1": transaction
 * markers and compaction leave holes. A record below the expected offset is dropped and counted
 * (librdkafka #4636).
 *
 * Callbacks run on the worker's thread, one at a time per worker, in offset order per partition; a
 * partition belongs to one worker for the whole run. They must not block for long, except that
 * blocking is the way to push back (the reader stops fetching when its queue limits are reached).
 *
 * Units    records, bytes, offsets.
 * Threads  start, stop, wait, free from one thread; progress, position and pause from any.
 * Owns     nothing handed to callbacks outlives them: evs_event_copy what you keep.
 * Errors   a partition's trouble goes to `problem` and is retried where it may pass; EVS_FATAL ends
 *          it.
 * Cost     about 200 ns per record and worker; memory: queue limits (default about 40 MB a worker).
 * Source   research/performance: facts 1, 2, 8, 13, 14.
 */
#ifndef EVS_KAFKA_READER_H
#define EVS_KAFKA_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/event.h"
#include "kafka/range.h"

struct evs_client;
struct evs_reader;

enum evs_reader_profile {
    EVS_READER_SCAN,  /* whole ranges, throughput */
    EVS_READER_BROWSE, /* first records soon, little memory */
    EVS_READER_TAIL   /* low latency at the head */
};

struct evs_reader_opts {
    enum evs_reader_profile profile;
    int workers;         /* 0: by profile, cores and partitions */
    int first_worker;    /* callbacks see workers from this number on */
    bool check_crcs;     /* verify batch checksums */
    size_t memory_bytes; /* librdkafka queues of all workers; 0: default */
    int64_t per_partition; /* end a partition after this many records; 0: no such limit */
    /* Closed ranges one after the other: a worker begins its next partition when the begun ones
     * have fewer records than this left. 0: all at once. */
    int64_t ahead_records;
    bool patient;          /* wait for a lost cluster for ever instead of ending in EVS_FATAL */
};

struct evs_reader_ops {
    /* Each record. false ends the whole reader (enough seen). May not be NULL. */
    bool (*event)(void *ctx, int worker, struct evs_event *ev);
    /* A partition's range is finished: next is the offset after the last one passed. May be NULL.
     * With an open range: called each time the head is reached. */
    void (*end)(void *ctx, int worker, int32_t partition, int64_t next);
    /* After each batch of callbacks and at least every 100 ms: publish what you have. May be NULL.
     * */
    void (*idle)(void *ctx, int worker);
    /* Trouble with a partition (-1: with the connection); EVS_RETRY heals by itself. May be NULL.
     * */
    void (*problem)(void *ctx, int worker, int32_t partition, const struct evs_err *err);
    /* The last callback of this worker, after its last idle(). May be NULL. */
    void (*leave)(void *ctx, int worker);
    /* The last callback of all, on the last worker's thread, before evs_reader_wait says EVS_EOF.
     * May be NULL. */
    void (*done)(void *ctx);
};

/* ranges are copied; several of one partition, in rising order, are read one after the other
 * (samples of a log). Ranges with an error are skipped and reported through problem. */
enum evs_rc evs_reader_start(struct evs_client *c, const struct evs_ranges *ranges,
                             const struct evs_reader_opts *opts, const struct evs_reader_ops *ops,
                             void *ctx, struct evs_reader **ret_r,
                             struct evs_err *err) EVS_MUST_USE;
int evs_reader_workers(const struct evs_reader *r); /* callbacks see first_worker .. + n - 1 */
/* EVS_EOF when all ranges ended or a callback returned false, EVS_AGAIN after wait_ms, else the
 * fatal error. wait_ms -1: for ever. */
enum evs_rc evs_reader_wait(struct evs_reader *r, int64_t wait_ms,
                            struct evs_err *err) EVS_MUST_USE;
/* Asks all workers to end; callbacks stop within 100 ms. */
void evs_reader_stop(struct evs_reader *r);
/* Stops fetching (and the callbacks); resumes where it stood. */
void evs_reader_pause(struct evs_reader *r, bool on);
/* Stops if running, joins, frees. NULL is fine. */
void evs_reader_free(struct evs_reader *r);

struct evs_reader_progress {
    int64_t records, bytes; /* delivered; key + payload */
    int64_t passed, span;   /* offsets passed of the closed ranges' span */
    int64_t dropped_old;    /* below the expected offset, not delivered */
    int ended, partitions;  /* ranges finished, of */
    int troubled;           /* partitions that are in retry now */
    int failed;             /* partitions given up before their end: `problem` said why */
};
void evs_reader_progress(const struct evs_reader *r, struct evs_reader_progress *ret_p);
/* Where a partition stands: the next offset, or -1 when it is not among the ranges. */
int64_t evs_reader_position(const struct evs_reader *r, int32_t partition);

#endif
