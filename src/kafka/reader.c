#include "kafka/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/xalloc.h"
#include "kafka/reader_int.h"

enum { WORKERS_MAX = 4 };

static int worker_count(const struct evs_reader *r)
{
    int n = r->opts.workers;
    if (n <= 0 && r->opts.profile != EVS_READER_SCAN)
        n = 1;
    if (n <= 0)
        n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    n = n > WORKERS_MAX ? WORKERS_MAX : n;
    if (n > (int)r->n_parts)
        n = (int)r->n_parts;
    return n < 1 ? 1 : n;
}

static int64_t weight(const struct part *p)
{
    return p->to == EVS_RANGE_OPEN ? 1 : p->span;
}

static int by_weight(const void *a, const void *b)
{
    const struct part *const *x = a, *const *y = b;
    int64_t wx = weight(*x), wy = weight(*y);
    return wx != wy ? (wx < wy) - (wx > wy)
                    : ((*x)->partition > (*y)->partition) - ((*x)->partition < (*y)->partition);
}

/* The largest first, each to the worker that has least: within 4/3 of the best (Graham 1969). */
static void deal(struct evs_reader *r)
{
    struct part **order = evs_xcalloc(r->n_parts + 1, sizeof(struct part *));
    int64_t load[WORKERS_MAX] = {0};
    for (size_t i = 0; i < r->n_parts; i++)
        order[i] = &r->parts[i];
    qsort(order, r->n_parts, sizeof(struct part *), by_weight);
    for (size_t i = 0; i < r->n_parts; i++) {
        int least = 0;
        for (int w = 1; w < r->n_workers; w++)
            if (load[w] < load[least])
                least = w;
        struct worker *w = &r->workers[least];
        order[i]->worker = least;
        load[least] += weight(order[i]) + 1;
        w->parts = evs_xgrow(w->parts, w->n_parts + 1, sizeof(struct part *));
        w->parts[w->n_parts++] = order[i];
    }
    evs_free(order);
}

static void take_ranges(struct evs_reader *r)
{
    r->parts = evs_xcalloc(r->ranges->n + 1, sizeof(*r->parts));
    for (size_t i = 0; i < r->ranges->n; i++)
        if (r->ranges->parts[i].partition >= r->numbers)
            r->numbers = r->ranges->parts[i].partition + 1;
    r->by_number = evs_xcalloc((size_t)r->numbers + 1, sizeof(*r->by_number));
    for (int32_t i = 0; i < r->numbers; i++)
        r->by_number[i] = -1;
    for (size_t i = 0; i < r->ranges->n; i++) {
        const struct evs_range *from = &r->ranges->parts[i];
        struct part *p = &r->parts[r->n_parts];
        if (from->error)
            continue;
        int64_t span = from->to == EVS_RANGE_OPEN ? 0 : from->to - from->from;
        if (r->n_parts && p[-1].partition == from->partition) {
            p[-1].more++;
            p[-1].span += span;
            continue;
        }
        p->window = from;
        p->span = span;
        p->partition = from->partition;
        p->from = from->from;
        p->to = from->to;
        atomic_store(&p->base, -from->from);
        atomic_store(&p->next, from->from);
        r->by_number[p->partition] = (int32_t)r->n_parts++;
    }
}

static void tell_errors(struct evs_reader *r)
{
    for (size_t i = 0; r->ops.problem && i < r->ranges->n; i++) {
        const struct evs_range *part = &r->ranges->parts[i];
        struct evs_err err = EVS_ERR_INIT;
        if (!part->error)
            continue;
        (void)!evs_fail(&err, EVS_FATAL, "partition %d of %s: %s", part->partition,
                        r->ranges->topic, part->error);
        r->ops.problem(r->ctx, 0, part->partition, &err);
    }
}

struct opening {
    struct evs_reader *r;
    struct evs_err *err;
    enum evs_rc rc;
};

static void open_workers(void *arg)
{
    struct opening *o = arg;
    for (int i = 0; !o->rc && i < o->r->n_workers; i++)
        o->rc = evs_worker_open(&o->r->workers[i], o->err);
}

static enum evs_rc start_workers(struct evs_reader *r, struct evs_err *err)
{
    struct opening o = {.r = r, .err = err, .rc = EVS_OK};
    struct evs_thread *opener = NULL;
    /* librdkafka's threads inherit the niceness of the one that makes them. */
    enum evs_rc rc = evs_thread_start("evs-open", open_workers, &o, &opener, err);
    evs_thread_join(opener);
    rc = rc ? rc : o.rc;
    atomic_store(&r->running, r->n_workers);
    for (int i = 0; !rc && i < r->n_workers; i++) {
        char name[24];
        snprintf(name, sizeof(name), "evs-read-%d", i);
        rc = evs_thread_start(name, evs_worker_run, &r->workers[i], &r->workers[i].thread, err);
    }
    return rc;
}

enum evs_rc evs_reader_start(struct evs_client *c, const struct evs_ranges *ranges,
                             const struct evs_reader_opts *opts, const struct evs_reader_ops *ops,
                             void *ctx, struct evs_reader **ret_r, struct evs_err *err)
{
    struct evs_reader *r = evs_xcalloc(1, sizeof(*r));
    r->c = c;
    r->ranges = evs_ranges_copy(ranges);
    r->opts = *opts;
    r->ops = *ops;
    r->ctx = ctx;
    enum evs_rc rc = evs_stop_init(&r->stop, err);
    if (!rc && (rc = evs_stop_init(&r->done, err)) != EVS_OK)
        evs_stop_done(&r->stop);
    if (rc) {
        evs_ranges_free(r->ranges);
        evs_free(r);
        return rc;
    }
    take_ranges(r);
    r->n_workers = worker_count(r);
    r->workers = evs_xcalloc((size_t)r->n_workers, sizeof(*r->workers));
    for (int i = 0; i < r->n_workers; i++) {
        r->workers[i].r = r;
        r->workers[i].index = opts->first_worker + i;
    }
    deal(r);
    tell_errors(r);
    rc = start_workers(r, err);
    if (rc) {
        evs_reader_free(r);
        return rc;
    }
    *ret_r = r;
    return EVS_OK;
}

int evs_reader_workers(const struct evs_reader *r)
{
    return r->n_workers;
}

enum evs_rc evs_reader_wait(struct evs_reader *r, int64_t wait_ms, struct evs_err *err)
{
    if (!evs_stop_wait(&r->done, wait_ms < 0 ? INT32_MAX * 1000LL : wait_ms))
        return EVS_AGAIN;
    if (!atomic_load(&r->failed))
        return EVS_EOF;
    *err = r->err;
    return err->code;
}

void evs_reader_stop(struct evs_reader *r)
{
    evs_stop_raise(&r->stop);
}

void evs_reader_pause(struct evs_reader *r, bool on)
{
    atomic_store(&r->paused, on);
}

void evs_reader_free(struct evs_reader *r)
{
    if (!r)
        return;
    evs_reader_stop(r);
    for (int i = 0; i < r->n_workers; i++)
        evs_thread_join(r->workers[i].thread);
    for (int i = 0; i < r->n_workers; i++) {
        evs_worker_close(&r->workers[i]);
        evs_free(r->workers[i].parts);
        evs_record_done(&r->workers[i].record);
    }
    evs_stop_done(&r->stop);
    evs_stop_done(&r->done);
    evs_ranges_free(r->ranges);
    evs_free(r->workers);
    evs_free(r->parts);
    evs_free(r->by_number);
    evs_free(r);
}

void evs_reader_progress(const struct evs_reader *r, struct evs_reader_progress *ret_p)
{
    struct evs_reader_progress p = {.partitions = (int)r->n_parts};
    for (int i = 0; i < r->n_workers; i++) {
        p.records += atomic_load(&r->workers[i].records);
        p.bytes += atomic_load(&r->workers[i].bytes);
        p.dropped_old += atomic_load(&r->workers[i].dropped_old);
    }
    for (size_t i = 0; i < r->n_parts; i++) {
        const struct part *part = &r->parts[i];
        int state = atomic_load(&part->state);
        int64_t next = atomic_load(&part->next);
        p.ended += state == PART_ENDED;
        p.failed += state == PART_FAILED;
        p.troubled += atomic_load(&part->troubled);
        int64_t passed = state == PART_ENDED ? part->span : next + atomic_load(&part->base);
        p.span += part->span;
        p.passed += passed < 0 ? 0 : passed > part->span ? part->span : passed;
    }
    *ret_p = p;
}

int64_t evs_reader_position(const struct evs_reader *r, int32_t partition)
{
    if (partition < 0 || partition >= r->numbers || r->by_number[partition] < 0)
        return -1;
    return atomic_load(&r->parts[r->by_number[partition]].next);
}
