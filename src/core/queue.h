/* queue.h - bounded queue between threads: every item arrives, or its loss is counted.
 *
 * Bounded by items and by bytes, whichever is first; one item always fits, however large. Closing
 * wakes everybody: pushes fail, pops drain what is left and then say EVS_EOF.
 *
 * Units    items; bytes as told by the pusher.   Threads  many to many.
 * Owns     queued items: ownership moves with a successful push, and is the caller's again after a
 *          failed
 *          one; leftovers are freed by free_item at evs_queue_free.
 * Errors   none but the codes.   Cost  O(1), one lock.
 */
#ifndef EVS_CORE_QUEUE_H
#define EVS_CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/thread.h"

struct evs_queue;

struct evs_queue *evs_queue_new(size_t max_items, size_t max_bytes, void (*free_item)(void *item));
void evs_queue_free(struct evs_queue *q); /* NULL is fine; nobody may be inside */
/* Notified at every push and at close; borrowed, must outlive the queue. */
void evs_queue_set_wake(struct evs_queue *q, const struct evs_wake *wake);

/* Waits while full, up to wait_ms (-1: for ever). EVS_OK, EVS_AGAIN (still full) or EVS_EOF
 * (closed). */
enum evs_rc evs_queue_push(struct evs_queue *q, void *item, size_t bytes,
                           int64_t wait_ms) EVS_MUST_USE;
/* Never waits: frees the oldest items until this one fits, and counts them. EVS_OK or EVS_EOF. */
enum evs_rc evs_queue_push_drop(struct evs_queue *q, void *item, size_t bytes) EVS_MUST_USE;
/* EVS_OK, EVS_AGAIN (nothing within wait_ms) or EVS_EOF (closed and empty). */
enum evs_rc evs_queue_pop(struct evs_queue *q, int64_t wait_ms, void **ret_item) EVS_MUST_USE;
/* Up to max items under one lock; *ret_n > 0 with EVS_OK. */
enum evs_rc evs_queue_pop_many(struct evs_queue *q, int64_t wait_ms, void **ret_items, size_t max,
                               size_t *ret_n) EVS_MUST_USE;
void evs_queue_close(struct evs_queue *q);

struct evs_queue_stats {
    size_t items, bytes;
    uint64_t pushed, dropped;
};
struct evs_queue_stats evs_queue_stats(struct evs_queue *q);

#endif
