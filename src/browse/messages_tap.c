/* messages_tap.c - a messages session's tail and search: a reader whose records come through a
 * queue. */
#include <stdio.h>
#include <string.h>

#include "browse/messages_int.h"
#include "core/xalloc.h"
#include "kafka/growth.h"

enum { QUEUE_ITEMS = 10000, QUEUE_BYTES = 64 << 20, DRAIN_MAX = 20000 };

/* --- the reader's side: its worker's threads --- */

static size_t part_index(const struct evs_messages *m, int32_t partition)
{
    return (size_t)(messages_part(m, partition) - m->parts);
}

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct tap *t = ctx;
    if (!evs_filter_keeps(t->filters[worker], ev))
        return true;
    struct body *b = body_new(ev, EVS_MESSAGES_PREVIEW);
    enum evs_rc rc = t->lossy ? evs_queue_push_drop(t->events, b, b->bytes)
                              : evs_queue_push(t->events, b, b->bytes, -1);
    if (!rc)
        return true;
    size_t at = part_index(t->m, ev->partition);
    if (t->rejected[at] < 0)
        t->rejected[at] = ev->offset;
    body_unref(b);
    return false;
}

static void on_end(void *ctx, int worker, int32_t partition, int64_t next)
{
    struct tap *t = ctx;
    (void)worker;
    (void)partition;
    (void)next;
    atomic_fetch_add(&t->heads, 1);
}

static void on_problem(void *ctx, int worker, int32_t partition, const struct evs_err *err)
{
    struct tap *t = ctx;
    struct evs_err *copy = evs_xmemdup(err, sizeof(*err));
    (void)worker;
    copy->row = (size_t)(partition + 1); /* travels with it */
    if (evs_queue_push(t->problems, copy, 1, 0))
        evs_free(copy);
}

/* --- the session's side --- */

static void free_body(void *item)
{
    body_unref(item);
}

static struct evs_ranges *tap_ranges(const struct evs_messages *m)
{
    struct evs_ranges *r = evs_xcalloc(1, sizeof(*r));
    r->topic = evs_xstrdup(m->topic);
    r->isolation = m->query->q.isolation;
    r->parts = evs_xcalloc(m->n_parts + 1, sizeof(*r->parts));
    for (size_t i = 0; i < m->n_parts; i++) {
        const struct evs_messages_part *p = &m->parts[i].p;
        int64_t to = m->following ? EVS_RANGE_OPEN : p->to;
        if (!p->error[0])
            r->parts[r->n++] = (struct evs_range){.partition = p->partition,
                                                  .leader = p->leader,
                                                  .from = p->next,
                                                  .to = to,
                                                  .low = p->low,
                                                  .high = p->high,
                                                  .lso = p->lso};
    }
    return r;
}

enum evs_rc tap_open(struct evs_messages *m, struct evs_err *err)
{
    static const struct evs_reader_ops ops = {
        .event = on_event, .end = on_end, .problem = on_problem};
    bool search = messages_is_search(m);
    struct evs_reader_opts opts = {.profile = search ? EVS_READER_SCAN : EVS_READER_TAIL,
                                   .patient = true};
    struct tap *t = evs_xcalloc(1, sizeof(*t));
    t->m = m;
    t->lossy = !search;
    t->events = evs_queue_new(QUEUE_ITEMS, QUEUE_BYTES, free_body);
    t->problems = evs_queue_new(100, 100, evs_free);
    t->rejected = evs_xcalloc(m->n_parts + 1, sizeof(*t->rejected));
    for (size_t i = 0; i < m->n_parts; i++)
        t->rejected[i] = -1;
    for (size_t i = 0; m->filter && i < EVS_COUNT(t->filters); i++)
        t->filters[i] = evs_filter_clone(m->filter);
    struct evs_ranges *r = tap_ranges(m);
    m->tap = t;
    enum evs_rc rc = evs_reader_start(m->c, r, &opts, &ops, t, &t->reader, err);
    evs_ranges_free(r);
    if (rc)
        tap_close(m);
    return rc;
}

void tap_take(struct evs_messages *m, struct body *b, bool lost_some)
{
    messages_append(m, b, lost_some ? "dropped: the tail was too fast" : NULL);
    if (m->rows.n > ROWS_MAX) {
        const struct row *row = rows_at(&m->rows, m->rows.first);
        struct mpart *part = messages_part(m, row->r.partition);
        if (part)
            part->p.first = row->r.kind == EVS_ROW_GAP ? row->r.gap_to : row->r.offset + 1;
        rows_drop_front(&m->rows);
        m->at_begin = false;
    }
    m->dirty = true;
}

static void take_problems(struct evs_messages *m, struct tap *t)
{
    void *item;
    while (!evs_queue_pop(t->problems, 0, &item)) {
        struct evs_err *e = item;
        struct mpart *part = e->row ? messages_part(m, (int32_t)e->row - 1) : NULL;
        if (part && e->code != EVS_POISON)
            snprintf(part->p.error, sizeof(part->p.error), "%.100s", e->msg);
        else
            messages_fail(m, e);
        m->dirty = true;
        evs_free(e);
    }
}

static void heal(struct evs_messages *m, const struct evs_reader_progress *p)
{
    for (size_t i = 0; p->troubled + p->failed == 0 && i < m->n_parts; i++)
        m->parts[i].p.error[0] = '\0';
}

static void take_figures(struct evs_messages *m, struct tap *t)
{
    struct evs_reader_progress p;
    evs_reader_progress(t->reader, &p);
    m->dirty = m->dirty || p.records != m->tap_records;
    m->read_records += p.records - m->tap_records;
    m->read_bytes += p.bytes - m->tap_bytes;
    m->tap_records = p.records;
    m->tap_bytes = p.bytes;
    if (messages_is_search(m))
        m->passed = m->passed_before + p.passed;
    heal(m, &p);
}

void tap_drain(struct evs_messages *m)
{
    struct tap *t = m->tap;
    void *items[256];
    size_t n, total = 0;
    uint64_t dropped = evs_queue_stats(t->events).dropped;
    bool lost_some = (int64_t)dropped > m->tap_dropped;
    m->dropped += (int64_t)dropped - m->tap_dropped;
    m->tap_dropped = (int64_t)dropped;
    while (total < DRAIN_MAX && !evs_queue_pop_many(t->events, 0, items, EVS_COUNT(items), &n)) {
        for (size_t i = 0; i < n; i++)
            m->merged && t->lossy ? hold_add(m, items[i], lost_some)
            : messages_is_full(m) ? body_unref(items[i])
                                  : tap_take(m, items[i], lost_some);
        total += n;
    }
    hold_release(m, !m->merged || m->paused);
    take_problems(m, t);
    take_figures(m, t);
}

void tap_close(struct evs_messages *m)
{
    struct tap *t = m->tap;
    if (!t)
        return;
    evs_queue_close(t->events); /* workers that wait to push give up, and say where */
    if (t->reader) {
        evs_reader_stop(t->reader);
        struct evs_err unused = EVS_ERR_INIT;
        (void)!evs_reader_wait(t->reader, -1, &unused);
        tap_drain(m);
        while (evs_queue_stats(t->events).items)
            tap_drain(m);
        hold_release(m, true);
        for (size_t i = 0; i < m->n_parts; i++) {
            int64_t at = evs_reader_position(t->reader, m->parts[i].p.partition);
            if (at > m->parts[i].p.next)
                m->parts[i].p.next = at;
            if (t->rejected[i] >= 0)
                m->parts[i].p.next = t->rejected[i];
        }
    }
    evs_reader_free(t->reader);
    for (size_t i = 0; i < EVS_COUNT(t->filters); i++)
        evs_filter_free(t->filters[i]);
    evs_queue_free(t->events);
    evs_queue_free(t->problems);
    evs_free(t->rejected);
    evs_free(t);
    m->tap = NULL;
    m->tap_records = m->tap_bytes = m->tap_dropped = 0;
    m->passed_before = m->passed;
}

/* --- partitions that are added while we follow --- */

static void add_parts(struct evs_messages *m, int32_t n)
{
    m->parts = evs_xgrow(m->parts, (size_t)n + 1, sizeof(*m->parts));
    for (int32_t p = (int32_t)m->n_parts; p < n; p++) {
        m->parts[p] =
            (struct mpart){.p = {.partition = p, .leader = -1, .to = EVS_RANGE_OPEN}};
        m->parts[p].back_step = 1;
    }
    m->n_parts = (size_t)n;
}

void tap_grow_end(struct evs_messages *m)
{
    evs_growth_free(m->growth);
    m->growth = NULL;
}

void tap_grow(struct evs_messages *m)
{
    struct evs_err err = EVS_ERR_INIT;
    if (!m->following || !m->tap || m->query->q.partitions)
        return;
    if (!m->growth) {
        if (evs_growth_start(m->c, m->topic, (int32_t)m->n_parts, &m->growth, &err))
            messages_fail(m, &err);
        return;
    }
    int32_t n = evs_growth_partitions(m->growth);
    if (n <= (int32_t)m->n_parts)
        return;
    tap_close(m);
    add_parts(m, n);
    if (tap_open(m, &err))
        messages_fail(m, &err);
    else if (m->paused)
        evs_reader_pause(m->tap->reader, true);
    m->dirty = true;
}
