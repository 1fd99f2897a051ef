#include "core/queue.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "core/xalloc.h"

struct entry {
    void *item;
    size_t bytes;
};

struct evs_queue {
    pthread_mutex_t lock;
    pthread_cond_t readable, writable;
    struct entry *ring; /* grows up to max_items */
    size_t slots, head, items, bytes;
    size_t max_items, max_bytes;
    uint64_t pushed, dropped;
    bool closed;
    const struct evs_wake *wake;
    void (*free_item)(void *);
};

struct evs_queue *evs_queue_new(size_t max_items, size_t max_bytes, void (*free_item)(void *item))
{
    struct evs_queue *q = evs_xcalloc(1, sizeof(*q));
    q->max_items = max_items ? max_items : 1;
    q->max_bytes = max_bytes;
    q->free_item = free_item;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->readable, &attr);
    pthread_cond_init(&q->writable, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

static struct entry take(struct evs_queue *q)
{
    struct entry e = q->ring[q->head];
    q->head = (q->head + 1) % q->slots;
    q->items--;
    q->bytes -= e.bytes;
    return e;
}

void evs_queue_free(struct evs_queue *q)
{
    if (!q)
        return;
    while (q->items) {
        struct entry e = take(q);
        if (q->free_item)
            q->free_item(e.item);
    }
    pthread_cond_destroy(&q->readable);
    pthread_cond_destroy(&q->writable);
    pthread_mutex_destroy(&q->lock);
    evs_free(q->ring);
    evs_free(q);
}

void evs_queue_set_wake(struct evs_queue *q, const struct evs_wake *wake)
{
    pthread_mutex_lock(&q->lock);
    q->wake = wake;
    pthread_mutex_unlock(&q->lock);
}

static struct timespec deadline_in(int64_t wait_ms)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += (time_t)(wait_ms / 1000);
    ts.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

/* false when the deadline passed. */
static bool wait_on(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t wait_ms,
                    const struct timespec *until)
{
    if (wait_ms < 0)
        return pthread_cond_wait(cond, lock) == 0;
    return wait_ms > 0 && pthread_cond_timedwait(cond, lock, until) != ETIMEDOUT;
}

static bool full(const struct evs_queue *q, size_t bytes)
{
    if (!q->items)
        return false;
    return q->items >= q->max_items || bytes > q->max_bytes || q->bytes > q->max_bytes - bytes;
}

static void append(struct evs_queue *q, void *item, size_t bytes)
{
    if (q->items == q->slots) {
        size_t slots = q->slots ? q->slots * 2 : 64;
        struct entry *ring = evs_xcalloc(slots, sizeof(*ring));
        for (size_t i = 0; i < q->items; i++)
            ring[i] = q->ring[(q->head + i) % q->slots];
        evs_free(q->ring);
        q->ring = ring;
        q->slots = slots;
        q->head = 0;
    }
    q->ring[(q->head + q->items) % q->slots] = (struct entry){item, bytes};
    q->items++;
    q->bytes += bytes;
    q->pushed++;
    pthread_cond_signal(&q->readable);
    evs_wake_notify(q->wake);
}

enum evs_rc evs_queue_push(struct evs_queue *q, void *item, size_t bytes, int64_t wait_ms)
{
    struct timespec until = deadline_in(wait_ms > 0 ? wait_ms : 0);
    enum evs_rc rc = EVS_OK;
    pthread_mutex_lock(&q->lock);
    while (!q->closed && full(q, bytes))
        if (!wait_on(&q->writable, &q->lock, wait_ms, &until) && !q->closed && full(q, bytes)) {
            rc = EVS_AGAIN;
            break;
        }
    if (q->closed)
        rc = EVS_EOF;
    if (!rc)
        append(q, item, bytes);
    pthread_mutex_unlock(&q->lock);
    return rc;
}

enum evs_rc evs_queue_push_drop(struct evs_queue *q, void *item, size_t bytes)
{
    pthread_mutex_lock(&q->lock);
    enum evs_rc rc = q->closed ? EVS_EOF : EVS_OK;
    while (!rc && full(q, bytes)) {
        struct entry e = take(q);
        q->dropped++;
        if (q->free_item)
            q->free_item(e.item);
    }
    if (!rc)
        append(q, item, bytes);
    pthread_mutex_unlock(&q->lock);
    return rc;
}

enum evs_rc evs_queue_pop_many(struct evs_queue *q, int64_t wait_ms, void **ret_items, size_t max,
                               size_t *ret_n)
{
    struct timespec until = deadline_in(wait_ms > 0 ? wait_ms : 0);
    enum evs_rc rc = EVS_OK;
    size_t n = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->items && !q->closed)
        if (!wait_on(&q->readable, &q->lock, wait_ms, &until) && !q->items && !q->closed) {
            rc = EVS_AGAIN;
            break;
        }
    if (!rc && !q->items)
        rc = EVS_EOF;
    while (!rc && n < max && q->items)
        ret_items[n++] = take(q).item;
    if (n)
        pthread_cond_broadcast(&q->writable);
    pthread_mutex_unlock(&q->lock);
    if (!rc)
        *ret_n = n;
    return rc;
}

enum evs_rc evs_queue_pop(struct evs_queue *q, int64_t wait_ms, void **ret_item)
{
    size_t n;
    return evs_queue_pop_many(q, wait_ms, ret_item, 1, &n);
}

void evs_queue_close(struct evs_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->readable);
    pthread_cond_broadcast(&q->writable);
    evs_wake_notify(q->wake);
    pthread_mutex_unlock(&q->lock);
}

struct evs_queue_stats evs_queue_stats(struct evs_queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct evs_queue_stats st = {q->items, q->bytes, q->pushed, q->dropped};
    pthread_mutex_unlock(&q->lock);
    return st;
}
