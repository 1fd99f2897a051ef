#include "keys/slices.h"

#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/meta.h"
#include "kafka/peek.h"
#include "kafka/range.h"

enum { PEEKED = 64, NEAR_END = 16, COARSE = 4 };

struct work {
    struct evs_client *c;
    const struct evs_slices_opts *opts;
    struct evs_ranges *ranges;
    size_t rows;
    int64_t start_ms, width_ms;
    size_t n;
    int64_t *edge; /* (n + 1) x rows, -1 not asked yet */
    bool *failed;  /* per row */
    int64_t lookups, from_us;
    int requests;
};

int64_t evs_slices_width(int64_t span_ms, size_t n)
{
    static const int64_t ms[] = {100,     200,      500,      1000,     2000,    5000,
                                 10000,   15000,    20000,    30000,    60000,   120000,
                                 300000,  600000,   900000,   1200000,  1800000, 3600000,
                                 7200000, 10800000, 21600000, 43200000, 86400000};
    for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++)
        if (span_ms / ms[i] + 1 < (int64_t)n)
            return ms[i];
    int64_t days = 2;
    while (span_ms / (days * 86400000) + 1 >= (int64_t)n)
        days *= 2;
    return days * 86400000;
}

void evs_slices_free(struct evs_slices *s)
{
    if (!s)
        return;
    evs_heat_patterns_free(s->pattern, s->n_patterns);
    evs_heat_grid_done(&s->grid);
    evs_free(s->edge);
    evs_free(s->leader);
    evs_free(s->topic);
    evs_free(s);
}

/* One record at the start, or so far back from the end, of some partitions: least and greatest
 * time. */
static enum evs_rc peek_times(struct work *w, int64_t back, int64_t *io_from, int64_t *io_to,
                              struct evs_err *err)
{
    struct evs_peek *peek = NULL;
    struct evs_peek_ask ask[PEEKED];
    size_t n = 0, step = w->ranges->n / PEEKED + 1;
    for (size_t i = 0; i < w->ranges->n && n < PEEKED; i += step) {
        const struct evs_range *r = &w->ranges->parts[i];
        if (r->error || r->to <= r->from)
            continue;
        int64_t near = r->to - back > r->from ? r->to - back : r->from;
        ask[n++] = (struct evs_peek_ask){.topic = w->ranges->topic,
                                         .partition = r->partition,
                                         .offset = back ? near : r->from,
                                         .to = INT64_MAX,
                                         .max = 1};
    }
    if (n == 0)
        return EVS_OK;
    enum evs_rc rc = evs_peek_open(w->c, w->ranges->isolation, &peek, err);
    if (!rc)
        rc = evs_peek_run(peek, ask, n, evs_client_timeout_ms(w->c), err);
    evs_peek_close(peek);
    for (size_t i = 0; i < n && !rc; i++) {
        if (ask[i].first_ts < 0)
            continue;
        if (*io_from < 0 || ask[i].first_ts < *io_from)
            *io_from = ask[i].first_ts;
        if (ask[i].first_ts > *io_to)
            *io_to = ask[i].first_ts;
    }
    return rc;
}

static void outer_edges(struct work *w)
{
    for (size_t i = 0; i < w->ranges->n; i++) {
        const struct evs_range *r = &w->ranges->parts[i];
        if (r->error) {
            w->failed[r->partition] = true;
            continue;
        }
        w->edge[r->partition] = r->from;
        w->edge[w->n * w->rows + (size_t)r->partition] = r->to;
    }
}

/* The offsets of one edge in all partitions. */
static enum evs_rc ask_edge(struct work *w, size_t e, struct evs_err *err)
{
    struct evs_offset_ask *ask = evs_xcalloc(w->ranges->n + 1, sizeof(*ask));
    size_t n = 0;
    int requests = 0;
    for (size_t i = 0; i < w->ranges->n; i++)
        if (!w->failed[w->ranges->parts[i].partition])
            ask[n++] = (struct evs_offset_ask){.topic = w->ranges->topic,
                                               .partition = w->ranges->parts[i].partition,
                                               .ts_ms = w->start_ms + (int64_t)e * w->width_ms};
    enum evs_rc rc = evs_meta_offsets(w->c, ask, n, w->ranges->isolation, &requests, err);
    for (size_t i = 0; i < n && !rc; i++) {
        size_t p = (size_t)ask[i].partition;
        int64_t low = w->edge[p], high = w->edge[w->n * w->rows + p], at = ask[i].offset;
        if (ask[i].native)
            w->failed[p] = true;
        at = at == -1 || at > high ? high : at < low ? low : at;
        w->edge[e * w->rows + p] = at;
    }
    w->requests += requests;
    w->lookups += (int64_t)n;
    evs_free(ask);
    return rc;
}

/* Every `stride` edges make the columns. */
static struct evs_slices *result(const struct work *w, size_t stride)
{
    struct evs_slices *s = evs_xcalloc(1, sizeof(*s));
    size_t n = (w->n + stride - 1) / stride;
    s->topic = evs_xstrdup(w->ranges->topic);
    s->grid = (struct evs_heat_grid){.start_ms = w->start_ms,
                                     .n = n,
                                     .rows = w->rows,
                                     .bucket_ms = w->width_ms * (int64_t)stride};
    s->grid.cell = evs_xcalloc(n * w->rows + 1, sizeof(*s->grid.cell));
    s->edge = evs_xcalloc((n + 1) * w->rows + 1, sizeof(*s->edge));
    s->leader = evs_xcalloc(w->rows + 1, sizeof(*s->leader));
    for (size_t r = 0; r < w->rows; r++)
        s->leader[r] = -1;
    for (size_t i = 0; i < w->ranges->n; i++)
        s->leader[w->ranges->parts[i].partition] = w->ranges->parts[i].leader;
    for (size_t c = 0; c <= n; c++) {
        size_t e = c * stride < w->n ? c * stride : w->n;
        memcpy(s->edge + c * w->rows, w->edge + e * w->rows, w->rows * sizeof(*s->edge));
    }
    for (size_t c = 0; c < n; c++)
        for (size_t r = 0; r < w->rows; r++) {
            int64_t d = s->edge[(c + 1) * w->rows + r] - s->edge[c * w->rows + r];
            s->grid.cell[c * w->rows + r] = d > 0 && !w->failed[r] ? (uint64_t)d : 0;
        }
    for (size_t r = 0; r < w->rows; r++)
        s->failed += w->failed[r];
    s->lookups = w->lookups;
    s->requests = w->requests;
    s->took_us = evs_clock_mono_us() - w->from_us;
    s->whole = stride == 1;
    evs_heat_patterns(&s->grid, evs_clock_wall_ms(), &s->pattern, &s->n_patterns);
    return s;
}

/* Everything before the second edge although the messages are spread: the answers are not by time.
 * */
static bool answered_by_time(const struct work *w)
{
    if (w->n < 3)
        return true;
    for (size_t e = 1; e < w->n; e++)
        for (size_t r = 0; r < w->rows; r++) {
            int64_t at = w->edge[e * w->rows + r];
            if (at > w->edge[r] && at < w->edge[w->n * w->rows + r])
                return true;
        }
    return false;
}

static enum evs_rc fill(struct work *w, struct evs_err *err)
{
    size_t stride = w->n > 3 * COARSE ? COARSE : 1;
    for (size_t level = stride; level >= 1; level = level > 1 ? 1 : 0) {
        for (size_t e = 1; e < w->n; e++) {
            if (e % level || (level == 1 && stride > 1 && e % stride == 0))
                continue;
            enum evs_rc rc = ask_edge(w, e, err);
            if (rc)
                return rc;
        }
        struct evs_slices *s = result(w, level);
        s->untimed = level == 1 && !answered_by_time(w);
        if (!w->opts->step(w->opts->ctx, s))
            break;
    }
    return EVS_OK;
}

enum evs_rc evs_slices_run(struct evs_client *c, const char *topic,
                           const struct evs_slices_opts *opts, struct evs_err *err)
{
    struct work w = {.c = c, .opts = opts, .from_us = evs_clock_mono_us()};
    struct evs_range_spec spec = {.now_ms = evs_clock_wall_ms()};
    int64_t from = -1, to = -1;
    enum evs_rc rc = evs_range_resolve(c, topic, &spec, &w.ranges, err);
    if (!rc)
        rc = peek_times(&w, 0, &from, &to, err);
    for (int64_t back = NEAR_END; !rc && back >= 1; back -= NEAR_END - 1)
        rc = peek_times(&w, back, &from, &to, err); /* the last may be a transaction's marker */
    if (rc)
        goto out;
    from = opts->from_ms >= 0 ? opts->from_ms : from;
    to = opts->to_ms >= 0 ? opts->to_ms : to;
    if (from < 0 || to < from) {
        rc = EVS_EOF;
        goto out;
    }
    w.rows = (size_t)w.ranges->topic_partitions;
    w.width_ms = evs_slices_width(to - from, opts->columns);
    w.start_ms = from / w.width_ms * w.width_ms;
    w.n = (size_t)((to - w.start_ms) / w.width_ms) + 1;
    w.edge = evs_xcalloc((w.n + 1) * w.rows + 1, sizeof(*w.edge));
    w.failed = evs_xcalloc(w.rows + 1, sizeof(*w.failed));
    outer_edges(&w);
    if (opts->from_ms >= 0)
        rc = ask_edge(&w, 0, err);
    if (!rc && opts->to_ms >= 0)
        rc = ask_edge(&w, w.n, err);
    if (!rc)
        rc = fill(&w, err);
out:
    evs_free(w.edge);
    evs_free(w.failed);
    evs_ranges_free(w.ranges);
    return rc;
}
