/* peek.h - the first records at given offsets of many partitions, in one go.
 *
 * For each ask: is there a record from `offset` on, which, and (up to `max`) how many before
 * `to`. It tells transaction markers and compacted gaps from records, and gives the time stamp
 * of the record at a committed offset. A simple consumer with small fetches: no group, no commit.
 *
 * Units    offsets, [offset, to).   Threads  one at a time per peek; evs_peek_run blocks.
 * Owns     `first` of an ask is the caller's (evs_event_free).
 * Errors   per ask: `done` stays false and native says why. As a whole: those of client.h.
 * Cost     one Fetch or two a partition; asks of one partition go one after the other.
 */
#ifndef EVS_KAFKA_PEEK_H
#define EVS_KAFKA_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/event.h"
#include "kafka/meta.h"

struct evs_client;
struct evs_peek;

struct evs_peek_ask {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t offset, to; /* to INT64_MAX: the end */
    int64_t max;        /* stop after so many records; at least 1 */
    bool keep;          /* give the first record itself */
    /* Answers: */
    bool done;            /* read until max, to or the end of the log */
    int64_t records;      /* seen before `to`; exact when below max */
    int64_t bytes;        /* of their keys and values */
    int64_t first_offset; /* -1 none */
    int64_t first_ts;     /* -1 none or unknown */
    int64_t last_ts;      /* of the last one seen, likewise */
    struct evs_event *first;
    int32_t native; /* librdkafka's error, 0 fine */
};

enum evs_rc evs_peek_open(struct evs_client *c, enum evs_isolation isolation,
                          struct evs_peek **ret_p, struct evs_err *err) EVS_MUST_USE;
void evs_peek_close(struct evs_peek *p); /* NULL is fine */
/* All asks, within wait_ms in all. */
enum evs_rc evs_peek_run(struct evs_peek *p, struct evs_peek_ask *asks, size_t n, int64_t wait_ms,
                         struct evs_err *err) EVS_MUST_USE;

#endif
