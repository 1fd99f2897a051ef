#include "browse/trace.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browse/trace_int.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/queue.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/reader.h"

enum { QUEUED = 4096, QUEUED_BYTES = 32 << 20, PUBLISH_US = 100000, TAKE = 256 };

struct lane {
    char *topic, *name;
    enum evs_trace_by by;
};

struct evs_trace {
    struct evs_client *client;
    struct lane lanes[EVS_TRACE_LANES];
    int n_lanes;
    uint8_t *key;
    size_t key_len, memory_bytes;
    struct evs_range_spec where;
    char *texts[5]; /* of where */
    bool all_partitions;
    struct evs_slot *slot;
    struct evs_stop stop;
    struct evs_thread *thread;
    struct evs_queue *found, *problems;
    /* the thread's */
    int lane; /* being read */
    struct evs_json_tree tree;
    struct evs_buf plain;
    struct evs_trace_event *events;
    size_t n, alloc, kept_bytes;
    struct evs_trace_guess guess;
    int32_t partitions;
    int64_t left_out, read, bytes, passed, span, start_us;
    struct evs_reader_progress now;
    struct evs_err err;
};

/* --- what belongs to the entity ----------------------------------------------------------------
 * */

static bool is_wanted(const struct evs_trace *t, const void *p, size_t n)
{
    return p && n == t->key_len && !memcmp(p, t->key, n);
}

static bool json_has(struct evs_trace *t, const struct lane *l, const void *p, size_t n)
{
    struct evs_err err = EVS_ERR_INIT;
    if (!p || n < t->key_len || (!memchr(p, '\\', n) && !memmem(p, n, t->key, t->key_len)))
        return false; /* the text is not in it, nor could escapes hide it */
    if (evs_json_tree_read(&t->tree, p, n, &err))
        return false;
    const struct evs_json_node *node = evs_json_path(&t->tree, l->name);
    if (!node || node->type == EVS_JSON_OBJECT || node->type == EVS_JSON_ARRAY)
        return false;
    const char *text = t->tree.text + node->start;
    size_t len = node->end - node->start;
    if (node->type != EVS_JSON_STRING)
        return is_wanted(t, text, len);
    evs_buf_reset(&t->plain);
    evs_json_unquote(&t->plain, text, len);
    return is_wanted(t, evs_buf_str(&t->plain), t->plain.len);
}

static bool belongs(struct evs_trace *t, const struct lane *l, struct evs_event *ev)
{
    if (l->by == EVS_TRACE_BY_KEY)
        return is_wanted(t, ev->key, ev->key_len);
    if (l->by == EVS_TRACE_BY_JSON)
        return json_has(t, l, ev->value, ev->value_len) || json_has(t, l, ev->key, ev->key_len);
    int n = evs_event_headers(ev);
    for (int i = 0; i < n; i++)
        if (ev->headers[i].name_len == strlen(l->name) &&
            !memcmp(ev->headers[i].name, l->name, ev->headers[i].name_len) &&
            is_wanted(t, ev->headers[i].value, ev->headers[i].value_len))
            return true;
    return false;
}

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct evs_trace *t = ctx;
    (void)worker;
    if (evs_stop_raised(&t->stop))
        return false;
    if (!belongs(t, &t->lanes[t->lane], ev))
        return true;
    struct evs_event *copy = evs_event_copy(ev);
    if (!evs_queue_push(t->found, copy, evs_event_bytes(copy), -1))
        return true;
    evs_event_free(copy);
    return false;
}

static void on_problem(void *ctx, int worker, int32_t partition, const struct evs_err *err)
{
    struct evs_trace *t = ctx;
    (void)worker;
    (void)partition;
    if (err->code == EVS_RETRY)
        return;
    struct evs_err *copy = evs_xmemdup(err, sizeof(*err));
    if (evs_queue_push(t->problems, copy, 1, 0))
        evs_free(copy);
}

/* --- snapshots -------------------------------------------------------------------------------- */

static void free_sn(struct evs_snap *snap)
{
    struct evs_trace_sn *sn = (void *)snap;
    evs_free((void *)(uintptr_t)sn->events);
    evs_free(sn);
}

static int by_place(const void *a, const void *b)
{
    const struct evs_trace_event *x = a, *y = b;
    if (x->lane == y->lane && x->ev->partition == y->ev->partition)
        return (x->ev->offset > y->ev->offset) - (x->ev->offset < y->ev->offset);
    if (x->ev->ts_ms != y->ev->ts_ms)
        return x->ev->ts_ms < y->ev->ts_ms ? -1 : 1;
    if (x->lane != y->lane)
        return x->lane < y->lane ? -1 : 1;
    return x->ev->partition < y->ev->partition ? -1 : 1;
}

/* Merges runs that are each in offset order; times may run backwards inside one, so a plain sort by
 * time would not do: the smallest head goes first. */
static void merge_runs(struct evs_trace_event *e, size_t n)
{
    struct evs_trace_event *out = evs_xcalloc(n ? n : 1, sizeof(*out));
    size_t *head = evs_xcalloc(n ? n : 1, sizeof(*head)), runs = 0;
    for (size_t i = 0; i < n; i++) /* one head a (lane, partition) */
        if (!i || e[i].lane != e[i - 1].lane || e[i].ev->partition != e[i - 1].ev->partition)
            head[runs++] = i;
    for (size_t k = 0; k < n; k++) {
        size_t best = runs;
        for (size_t r = 0; r < runs; r++)
            if (head[r] < n && (best == runs || by_place(&e[head[r]], &e[head[best]]) < 0))
                best = r;
        size_t at = head[best];
        out[k] = e[at];
        bool last = at + 1 == n || e[at + 1].lane != e[at].lane ||
                    e[at + 1].ev->partition != e[at].ev->partition;
        head[best] = last ? n : at + 1;
    }
    memcpy(e, out, n * sizeof(*e));
    evs_free(out);
    evs_free(head);
}

static int by_run(const void *a, const void *b)
{
    const struct evs_trace_event *x = a, *y = b;
    if (x->lane != y->lane)
        return x->lane < y->lane ? -1 : 1;
    if (x->ev->partition != y->ev->partition)
        return x->ev->partition < y->ev->partition ? -1 : 1;
    return (x->ev->offset > y->ev->offset) - (x->ev->offset < y->ev->offset);
}

static int count_partitions(const struct evs_trace_event *e, size_t n)
{
    int found = 0;
    for (size_t i = 0; i < n; i++)
        found +=
            !e[i].lane && (!i || e[i - 1].lane || e[i].ev->partition != e[i - 1].ev->partition);
    return found;
}

static void publish(struct evs_trace *t, enum evs_trace_state state)
{
    struct evs_trace_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_sn);
    struct evs_trace_event *events = evs_xmemdup(t->events, t->n * sizeof(*events));
    qsort(events, t->n, sizeof(*events), by_run);
    sn->found_on = count_partitions(events, t->n);
    merge_runs(events, t->n);
    sn->events = events;
    sn->n = t->n;
    sn->state = state;
    sn->partitions = t->partitions;
    memcpy(sn->candidates, t->guess.candidates, sizeof(sn->candidates));
    sn->n_candidates = t->guess.n;
    sn->verdict = t->guess.verdict;
    sn->sampled = t->guess.sampled;
    sn->read = t->read + t->now.records;
    sn->bytes = t->bytes + t->now.bytes;
    sn->passed = t->passed + t->now.passed;
    sn->span = t->span;
    sn->left_out = t->left_out;
    sn->seconds = (double)(evs_clock_mono_us() - t->start_us) / 1e6;
    sn->from_ms = t->n ? events[0].ev->ts_ms : -1;
    sn->err = t->err;
    sn->complete = state == EVS_TRACE_DONE && !t->err.msg[0] && !t->left_out;
    evs_slot_publish(t->slot, &sn->snap);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void keep(struct evs_trace *t, struct evs_event *ev)
{
    size_t bytes = sizeof(*ev) + evs_event_bytes(ev);
    if (t->kept_bytes + bytes > t->memory_bytes) {
        t->left_out++;
        evs_event_free(ev);
        return;
    }
    if (t->n == t->alloc) {
        t->alloc = t->alloc ? t->alloc * 2 : 64;
        t->events = evs_xgrow(t->events, t->alloc, sizeof(*t->events));
    }
    t->kept_bytes += bytes;
    t->events[t->n++] = (struct evs_trace_event){ev, t->lane};
}

static void take_found(struct evs_trace *t, int64_t wait_ms)
{
    void *items[TAKE];
    size_t n = 0;
    while (!evs_queue_pop_many(t->found, wait_ms, items, TAKE, &n)) {
        for (size_t i = 0; i < n; i++)
            keep(t, items[i]);
        wait_ms = 0;
    }
    void *problem;
    while (!evs_queue_pop(t->problems, 0, &problem)) {
        t->err = *(struct evs_err *)problem;
        evs_free(problem);
    }
}

static enum evs_rc read_ranges(struct evs_trace *t, const struct evs_ranges *ranges,
                               struct evs_err *err)
{
    static const struct evs_reader_ops ops = {.event = on_event, .problem = on_problem};
    /* What is found by JSON path shares one tree: one worker. */
    bool shares = t->lanes[t->lane].by == EVS_TRACE_BY_JSON;
    struct evs_reader_opts ro = {.profile = EVS_READER_SCAN, .workers = shares ? 1 : 0};
    struct evs_reader *r = NULL;
    int64_t next_us = 0;
    enum evs_rc rc = evs_reader_start(t->client, ranges, &ro, &ops, t, &r, err);
    if (rc)
        return rc;
    do {
        take_found(t, 20);
        evs_reader_progress(r, &t->now);
        if (evs_clock_mono_us() >= next_us) {
            publish(t, EVS_TRACE_READING);
            next_us = evs_clock_mono_us() + PUBLISH_US;
        }
        rc = evs_reader_wait(r, 0, err);
    } while (rc == EVS_AGAIN && !evs_stop_raised(&t->stop));
    evs_reader_stop(r);
    while (evs_reader_wait(r, 20, &(struct evs_err)EVS_ERR_INIT) == EVS_AGAIN)
        take_found(t, 0); /* a worker may wait for room in the queue */
    take_found(t, 0);
    evs_reader_progress(r, &t->now);
    t->read += t->now.records;
    t->bytes += t->now.bytes;
    t->passed += t->now.passed;
    memset(&t->now, 0, sizeof(t->now));
    evs_reader_free(r);
    return rc == EVS_EOF || rc == EVS_AGAIN ? EVS_OK : rc;
}

static bool is_candidate(const struct evs_trace *t, int32_t partition)
{
    for (int i = 0; i < t->guess.n; i++)
        if (t->guess.candidates[i].partition == partition)
            return true;
    return false;
}

static void keep_candidates(const struct evs_trace *t, struct evs_ranges *ranges)
{
    size_t n = 0;
    for (size_t i = 0; i < ranges->n; i++) {
        struct evs_range part = ranges->parts[i];
        if (!is_candidate(t, part.partition))
            continue;
        ranges->parts[i] = ranges->parts[n];
        ranges->parts[n++] = part;
    }
    for (size_t i = n; i < ranges->n; i++)
        evs_free(ranges->parts[i].error);
    ranges->n = n;
}

static enum evs_rc read_lane(struct evs_trace *t, int lane, struct evs_err *err)
{
    struct evs_ranges *ranges = NULL;
    struct evs_range_spec where = t->where;
    const struct lane *l = &t->lanes[lane];
    bool guess =
        l->by == EVS_TRACE_BY_KEY && !t->all_partitions && !(lane == 0 && where.partitions);
    if (lane)
        where.partitions = NULL;
    enum evs_rc rc = evs_range_resolve(t->client, l->topic, &where, &ranges, err);
    if (rc)
        return rc;
    struct evs_trace_guess first = t->guess;
    if (!lane)
        t->partitions = ranges->topic_partitions;
    if (guess)
        rc = evs_trace_guess_of(t->client, ranges, t->key, t->key_len, &t->guess, err);
    if (!rc && guess)
        keep_candidates(t, ranges);
    if (lane)
        t->guess = first; /* the first lane's is what is told */
    t->span += evs_ranges_span(ranges);
    t->lane = lane;
    if (!rc)
        rc = read_ranges(t, ranges, err);
    evs_ranges_free(ranges);
    return rc;
}

static void run(void *arg)
{
    struct evs_trace *t = arg;
    struct evs_err err = EVS_ERR_INIT;
    enum evs_rc rc = EVS_OK;
    t->start_us = evs_clock_mono_us();
    publish(t, EVS_TRACE_LOOKING);
    for (int i = 0; !rc && i < t->n_lanes && !evs_stop_raised(&t->stop); i++)
        rc = read_lane(t, i, &err);
    if (rc)
        t->err = err;
    publish(t, rc                          ? EVS_TRACE_FAILED
               : evs_stop_raised(&t->stop) ? EVS_TRACE_STOPPED
                                           : EVS_TRACE_DONE);
}

/* --- life ------------------------------------------------------------------------------------- */

static const char *keep_text(struct evs_trace *t, int i, const char *text)
{
    t->texts[i] = evs_xstrdup(text);
    return t->texts[i];
}

static void copy_opts(struct evs_trace *t, const struct evs_trace_opts *o)
{
    t->n_lanes = o->n_lanes < EVS_TRACE_LANES ? o->n_lanes : EVS_TRACE_LANES;
    for (int i = 0; i < t->n_lanes; i++)
        t->lanes[i] = (struct lane){evs_xstrdup(o->lanes[i].topic), evs_xstrdup(o->lanes[i].name),
                                    o->lanes[i].by};
    t->key = evs_xmemdup(o->key, o->key_len);
    t->key_len = o->key_len;
    t->memory_bytes = o->memory_bytes ? o->memory_bytes : EVS_TRACE_MEMORY;
    t->all_partitions = o->all_partitions;
    t->where = o->where;
    t->where.partitions = keep_text(t, 0, o->where.partitions);
    t->where.from = keep_text(t, 1, o->where.from);
    t->where.to = keep_text(t, 2, o->where.to);
    t->where.since = keep_text(t, 3, o->where.since);
    t->where.until = keep_text(t, 4, o->where.until);
    t->where.follow = false;
    t->guess.verdict = o->where.partitions ? "given" : "all";
}

static void free_event(void *item)
{
    evs_event_free(item);
}

enum evs_rc evs_trace_open(struct evs_client *c, const struct evs_trace_opts *opts,
                           const struct evs_wake *wake, struct evs_trace **ret_t,
                           struct evs_err *err)
{
    struct evs_trace *t = evs_xcalloc(1, sizeof(*t));
    t->client = c;
    copy_opts(t, opts);
    t->plain = (struct evs_buf)EVS_BUF_INIT(1 << 20);
    t->found = evs_queue_new(QUEUED, QUEUED_BYTES, free_event);
    t->problems = evs_queue_new(16, 16, evs_free);
    t->slot = evs_slot_new(wake);
    if (evs_stop_init(&t->stop, err) || evs_thread_start("evs-trace", run, t, &t->thread, err)) {
        evs_trace_free(t);
        return err->code;
    }
    *ret_t = t;
    return EVS_OK;
}

struct evs_trace_sn *evs_trace_take(struct evs_trace *t, uint64_t than)
{
    return (void *)evs_slot_take(t->slot, than);
}

void evs_trace_stop(struct evs_trace *t)
{
    evs_stop_raise(&t->stop);
}

void evs_trace_free(struct evs_trace *t)
{
    if (!t)
        return;
    evs_stop_raise(&t->stop);
    evs_thread_join(t->thread);
    evs_slot_free(t->slot);
    evs_queue_free(t->found);
    evs_queue_free(t->problems);
    for (size_t i = 0; i < t->n; i++)
        evs_event_free(t->events[i].ev);
    for (int i = 0; i < t->n_lanes; i++) {
        evs_free(t->lanes[i].topic);
        evs_free(t->lanes[i].name);
    }
    for (size_t i = 0; i < EVS_COUNT(t->texts); i++)
        evs_free(t->texts[i]);
    evs_json_tree_done(&t->tree);
    evs_buf_done(&t->plain);
    evs_free(t->events);
    evs_free(t->key);
    evs_stop_done(&t->stop);
    evs_free(t);
}
