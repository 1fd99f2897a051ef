/* reader_int.h - what reader.c and reader_worker.c share; nobody else includes it.
 *
 * Threads  each worker alone writes its parts and counters; others read the atomics.
 * Owns     the reader owns workers and parts.   Errors, units, cost  see reader.h.
 */
#ifndef EVS_KAFKA_READER_INT_H
#define EVS_KAFKA_READER_INT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "core/thread.h"
#include "kafka/patience.h"
#include "kafka/reader.h"
#include "kafka/record.h"

enum part_state {
    PART_IDLE,   /* not fetching: not started, paused or waiting for its retry */
    PART_ACTIVE, /* fetching */
    PART_ENDED,  /* the range is finished */
    PART_FAILED  /* given up */
};

struct part {
    int32_t partition;
    int64_t from, to; /* the present window; to may be EVS_RANGE_OPEN */
    /* of the reader's ranges, followed by `more` of this partition */
    const struct evs_range *window;
    size_t more;
    int64_t span;      /* offsets of all windows; 0 with an open one */
    atomic_llong base; /* next + base offsets are passed */
    bool jump;         /* to the next window, when the loop comes by */
    atomic_llong next;
    atomic_int state;
    atomic_bool troubled;
    bool started; /* rd_kafka_consume_start_queue was called */
    int worker;
    int64_t given;                /* records delivered */
    int64_t short_us;             /* since when the log ends before `to`; 0 it does not */
    rd_kafka_resp_err_t native;   /* trouble waiting for the worker's loop, or the last one told */
    int64_t trouble_us, retry_us; /* since when; when to try again */
    int tries;
};

struct worker {
    struct evs_reader *r;
    int index;
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    rd_kafka_queue_t *q;
    struct evs_thread *thread;
    struct part **parts;
    size_t n_parts, active;
    int64_t kick_messages, kick_bytes; /* served in a turn: wake the fetcher */
    int64_t turn_messages, turn_bytes; /* served in this one */
    size_t kicks;
    unsigned silent; /* turns without a record */
    struct evs_record record;
    int64_t idle_us; /* when the idle callback ran last */
    struct evs_patience patience;
    bool kicked, lost; /* the fetcher was woken in this turn; the trouble was told */
    atomic_llong records, bytes, dropped_old;
};

struct evs_reader {
    struct evs_client *c;
    struct evs_ranges *ranges;
    struct evs_reader_opts opts;
    struct evs_reader_ops ops;
    void *ctx;
    struct part *parts;
    size_t n_parts;
    int32_t *by_number; /* partition -> index in parts, -1 none */
    int32_t numbers;
    struct worker *workers;
    int n_workers;
    struct evs_stop stop, done;
    atomic_bool paused, enough, failed;
    atomic_int running;
    struct evs_err err; /* written by the worker that set `failed` first */
};

/* Opens the worker's handle and queue. */
enum evs_rc evs_worker_open(struct worker *w, struct evs_err *err);
void evs_worker_run(void *arg);
void evs_worker_close(struct worker *w);

#endif
