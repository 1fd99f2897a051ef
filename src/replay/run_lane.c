/* run_lane.c - the reader worker's side of a run: keep, project, fold, hand over. */
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "replay/run_priv.h"

enum {
    AGE_US = 1000000, /* a batch this old goes as soon as the writer is free */
    FOLLOW_AGE_US = 200000,
    WHOLE_ROWS = 20000, /* so many rows of whole partitions go as soon as the writer is free */
    ROWS_MAX = 500000,
    BYTES_MAX = 96 << 20,
    LARGE_AGE_US = 4000000, /* where large batches are worth waiting for */
    LARGE_ROWS_MAX = 1000000,
    LARGE_BYTES_MAX = 128 << 20,
    LOOK_EVERY = 128 /* events between looks at the clock */
};

void batch_free(void *item)
{
    struct batch *b = item;
    if (!b)
        return;
    evs_rows_done(&b->fold);
    evs_rows_done(&b->dead);
    evs_free(b->parts);
    evs_free(b);
}

static struct batch *batch_new(const struct lane *l)
{
    struct batch *b = evs_xcalloc(1, sizeof(*b));
    evs_rows_init(&b->fold, l->run->view.mode, l->run->view.n_columns);
    evs_rows_init(&b->dead, EVS_VIEW_LOG, 0);
    b->started_us = evs_clock_mono_us();
    return b;
}

enum evs_rc lane_init(struct lane *l, struct run *r, struct evs_err *err)
{
    memset(l, 0, sizeof(*l));
    l->run = r;
    l->n_parts = r->ckpt.n;
    l->parts = evs_xmemdup(r->ckpt.parts, r->ckpt.n * sizeof(*r->ckpt.parts));
    l->touched = evs_xcalloc(r->ckpt.n, sizeof(*l->touched));
    l->cur = batch_new(l);
    enum evs_rc rc = evs_plan_filter(r->plan, &l->filter, err);
    return rc ? rc : evs_project_new(r->plan, &l->project, err);
}

/* Both lanes count into one place: not at every event. */
static void tell_read(struct lane *l)
{
    atomic_fetch_add_explicit(&l->run->read, l->read, memory_order_relaxed);
    l->read = 0;
}

void lane_done(struct lane *l)
{
    if (l->run)
        tell_read(l);
    evs_filter_free(l->filter);
    evs_project_free(l->project);
    batch_free(l->cur);
    evs_free(l->parts);
    evs_free(l->touched);
    memset(l, 0, sizeof(*l));
}

struct batch *lane_take(struct lane *l)
{
    tell_read(l);
    struct batch *b = l->cur;
    size_t n = 0;
    for (size_t i = 0; i < l->n_parts; i++)
        n += l->touched[i];
    if (!n)
        return NULL;
    b->parts = evs_xcalloc(n, sizeof(*b->parts));
    for (size_t i = 0; i < l->n_parts; i++)
        if (l->touched[i])
            b->parts[b->n_parts++] = l->parts[i];
    memset(l->touched, 0, l->n_parts * sizeof(*l->touched));
    l->whole = false;
    l->split += (int64_t)b->fold.split;
    l->cur = batch_new(l);
    return b;
}

/* A batch that cannot be handed over becomes the current one again. */
static void put_back(struct lane *l, struct batch *b, bool whole)
{
    for (size_t i = 0; i < b->n_parts; i++)
        for (size_t k = 0; k < l->n_parts; k++)
            if (l->parts[k].partition == b->parts[i].partition)
                l->touched[k] = true;
    l->split -= (int64_t)b->fold.split;
    evs_free(b->parts);
    b->parts = NULL;
    b->n_parts = 0;
    l->whole = whole;
    batch_free(l->cur);
    l->cur = b;
}

static bool full(const struct lane *l)
{
    const struct evs_rows *f = &l->cur->fold;
    bool large = l->run->large;
    int64_t most = atomic_load(&l->run->max_events);
    most = most ? most : large ? LARGE_ROWS_MAX : ROWS_MAX;
    if (l->whole && f->n > (size_t)most / 2) /* another partition would be cut in two */
        return true;
    return f->n >= (size_t)most || f->bytes >= (large ? LARGE_BYTES_MAX : BYTES_MAX);
}

static bool ripe(const struct lane *l)
{
    const struct run *r = l->run;
    int64_t age_us = evs_clock_mono_us() - l->cur->started_us;
    if (r->large)
        return age_us >= LARGE_AGE_US;
    if (l->whole && l->cur->fold.n >= (r->whole_rows ? r->whole_rows : WHOLE_ROWS))
        return true;
    return age_us >= (r->plan->follow ? FOLLOW_AGE_US : r->whole_rows ? LARGE_AGE_US : AGE_US);
}

/* Hands the batch over: when full it waits for the writer (that is the way to push back), else only
 * if the writer is free. false: the run is ending. */
static bool hand_over(struct lane *l)
{
    bool must = full(l), whole = l->whole;
    struct batch *b = lane_take(l);
    if (!b)
        return true;
    int64_t since_us = evs_clock_mono_us();
    enum evs_rc rc = evs_queue_push(l->run->q, b, b->fold.bytes, 0);
    while (rc == EVS_AGAIN && must && !stopping(l->run))
        rc = evs_queue_push(l->run->q, b, b->fold.bytes, 100);
    if (must)
        atomic_fetch_add(&l->run->blocked_us, evs_clock_mono_us() - since_us);
    if (rc)
        put_back(l, b, whole);
    return rc != EVS_EOF && !(rc && must);
}

static bool look(struct lane *l)
{
    tell_read(l);
    if (stopping(l->run))
        return false;
    return ripe(l) || full(l) ? hand_over(l) : true;
}

/* Waits until this event may pass: events a second, or the pace at which events were written. */
static bool pace(struct lane *l, const struct evs_event *ev)
{
    struct run *r = l->run;
    int64_t rate = atomic_load(&r->opts->control->rate_events);
    if (!rate && r->plan->speed <= 0)
        return true;
    int64_t n = atomic_fetch_add(&r->paced, 1);
    for (;;) {
        int64_t now = evs_clock_mono_us(), due = now;
        int64_t from = atomic_load(&r->pace_from_us);
        rate = atomic_load(&r->opts->control->rate_events);
        if (rate)
            due = from + (int64_t)((double)(n - atomic_load(&r->pace_base)) * 1e6 / (double)rate);
        int64_t first = INT64_MAX;
        if (r->plan->speed > 0) {
            if (!atomic_compare_exchange_strong(&r->first_ts, &first, ev->ts_ms))
                due = from + (int64_t)((double)(ev->ts_ms - first) * 1000 / r->plan->speed);
        }
        if (due <= now)
            return true;
        int64_t wait_ms = (due - now + 999) / 1000;
        if (evs_stop_wait(r->opts->control->stop, wait_ms < 100 ? wait_ms : 100) || !look(l))
            return false;
    }
}

static struct evs_ckpt_part *part_of(struct lane *l, int32_t partition)
{
    if (l->last < l->n_parts && l->parts[l->last].partition == partition)
        return &l->parts[l->last];
    for (size_t i = 0; i < l->n_parts; i++)
        if (l->parts[i].partition == partition) {
            l->last = i;
            return &l->parts[i];
        }
    return NULL;
}

static const char *skipped_why(const struct run *r, const struct evs_event *ev)
{
    for (size_t i = 0; i < r->skips.n; i++)
        if (r->skips.items[i].partition == ev->partition && r->skips.items[i].offset == ev->offset)
            return r->skips.items[i].why;
    return NULL;
}

static void set_aside(struct lane *l, struct evs_ckpt_part *part, struct evs_event *ev,
                      const char *why)
{
    struct evs_err ignored = EVS_ERR_INIT;
    if (l->run->plan->on_error == EVS_ON_ERROR_SKIP) {
        part->n[EVS_CKPT_SKIPPED]++;
        return;
    }
    int n = evs_event_headers(ev);
    struct evs_header *headers = evs_xcalloc((size_t)n + 1, sizeof(*headers));
    if (n)
        memcpy(headers, ev->headers, (size_t)n * sizeof(*headers));
    headers[n] =
        (struct evs_header){"eventscope.error", strlen("eventscope.error"), why, strlen(why)};
    struct evs_row row = {.key = ev->key,
                          .key_len = ev->key_len,
                          .value = ev->value,
                          .value_len = ev->value_len,
                          .headers = headers,
                          .n_headers = n + 1,
                          .partition = ev->partition,
                          .offset = ev->offset,
                          .ts_ms = ev->ts_ms};
    (void)evs_rows_add(&l->cur->dead, &row, &ignored);
    evs_free(headers);
    part->n[EVS_CKPT_DEAD]++;
}

/* EVS_POISON: this record cannot pass. */
static enum evs_rc into_view(struct lane *l, struct evs_ckpt_part *part, struct evs_event *ev,
                             int64_t rank, struct evs_err *err)
{
    struct run *r = l->run;
    struct evs_row row;
    const char *why = r->skips.n ? skipped_why(r, ev) : NULL;
    if (why)
        return evs_fail(err, EVS_POISON, "%s", why);
    enum evs_rc rc = evs_project_row(l->project, ev, &row, err);
    if (rc == EVS_AGAIN) {
        if (!ev->key)
            l->null_keys++;
        part->n[EVS_CKPT_SKIPPED]++;
        return EVS_OK;
    }
    row.rank = rank;
    if (!rc && r->sink->ops->check)
        rc = r->sink->ops->check(r->sink, &row, err);
    if (!rc)
        rc = evs_rows_add(&l->cur->fold, &row, err);
    if (!rc)
        part->n[EVS_CKPT_APPLIED]++;
    return rc;
}

static bool stop_at(struct lane *l, const struct evs_event *ev, const struct evs_err *err)
{
    char where[EVS_NUM_LEN];
    l->fail = *err;
    evs_wrap(&l->fail, "%s p%d @ %s", ev->topic, ev->partition, evs_num_commas(where, ev->offset));
    if (!l->fail.hint[0])
        evs_hint(&l->fail, "everything before it is in the view; --on-error skip or "
                           "dead-letter:SINK-URL passes it, then --resume");
    atomic_store(&l->run->lane_fail, true);
    return false;
}

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct run *r = ctx;
    struct lane *l = &r->lanes[worker];
    struct evs_ckpt_part *part = part_of(l, ev->partition);
    if (!part || ev->offset < part->n[EVS_CKPT_NEXT])
        return true; /* read before: a fetch that began earlier */
    if (++l->since_look % LOOK_EVERY == 0 && !look(l))
        return false;
    if (!pace(l, ev))
        return false;
    int64_t rank = run_rank(r, part, ev->offset, ev->ts_ms);
    if (!evs_filter_keeps(l->filter, ev)) {
        l->tombstones += !ev->value; /* passed over; its clock counts all the same */
    } else if (r->plan->count_events && atomic_fetch_add(&r->matched, 1) >= r->plan->count_events) {
        atomic_store(&r->enough, true);
        return false;
    } else {
        enum evs_rc rc = into_view(l, part, ev, rank, &l->why);
        if (rc && (rc != EVS_POISON || r->plan->on_error == EVS_ON_ERROR_STOP))
            return stop_at(l, ev, &l->why);
        if (rc)
            set_aside(l, part, ev, l->why.msg);
        part->n[EVS_CKPT_MATCHED]++;
    }
    part->n[EVS_CKPT_CLOCK] = rank;
    part->n[EVS_CKPT_NEXT] = ev->offset + 1;
    part->n[EVS_CKPT_READ]++;
    part->n[EVS_CKPT_BYTES] += (int64_t)(ev->key_len + ev->value_len);
    l->touched[l->last] = true;
    l->read++;
    return true;
}

/* The range is over although its last offsets may be markers or gone: the checkpoint reaches
 * its end. */
static void on_end(void *ctx, int worker, int32_t partition, int64_t next)
{
    struct run *r = ctx;
    struct lane *l = &r->lanes[worker];
    struct evs_ckpt_part *part = part_of(l, partition);
    if (!part)
        return;
    int64_t end = part->n[EVS_CKPT_END] == EVS_RANGE_OPEN ? next : part->n[EVS_CKPT_END];
    if (end > part->n[EVS_CKPT_NEXT]) {
        if (part->n[EVS_CKPT_CLOCK])
            part->n[EVS_CKPT_CLOCK] = run_rank(r, part, end - 1, 0);
        part->n[EVS_CKPT_NEXT] = end;
        l->touched[l->last] = true;
    }
    l->whole = true;
    if (r->large)
        evs_rows_seal(&l->cur->fold);
    (void)look(l);
}

static void on_idle(void *ctx, int worker)
{
    struct run *r = ctx;
    (void)look(&r->lanes[worker]);
}

static void on_problem(void *ctx, int worker, int32_t partition, const struct evs_err *err)
{
    struct run *r = ctx;
    (void)partition;
    if (err->code == EVS_RETRY || worker < 0 || worker >= r->n_lanes)
        return;
    r->lanes[worker].fail = *err;
    atomic_store(&r->lane_fail, true);
}

const struct evs_reader_ops lane_ops = {
    .event = on_event, .end = on_end, .idle = on_idle, .problem = on_problem};
