/* run_ranges.c - what a run has to read: by the plan at first, later by the checkpoint. */
#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/meta.h"
#include "replay/run_priv.h"

/* --- rank ------------------------------------------------------------------------------------ */
enum { MS_BITS = 41, IN_MS_BITS = 22 };

static int64_t rank_step(const struct run *r)
{
    return r->ranges->topic_partitions > 0 ? r->ranges->topic_partitions : 1;
}

/* The time as a rank: within one millisecond the partition, then room for events. No two partitions
 * share a number. 41 bits of milliseconds reach to 2039; times outside are clamped, and what is
 * left above them is for events that follow. */
static int64_t rank_of_time(const struct run *r, int32_t partition, int64_t ts_ms)
{
    int64_t step = rank_step(r), most = ((int64_t)1 << MS_BITS) - ((int64_t)1 << 30);
    int64_t room = ((int64_t)1 << IN_MS_BITS) / step / step * step;
    int64_t ts = ts_ms < 0 ? 0 : ts_ms > most ? most : ts_ms;
    return (ts << IN_MS_BITS) / step * step + partition * room + partition;
}

/* The time, or one step an offset above the highest before it: of the log alone, so the same in
 * each window that knows the highest time before its first offset. */
int64_t run_rank(const struct run *r, const struct evs_ckpt_part *p, int64_t offset, int64_t ts_ms)
{
    int64_t step = rank_step(r), clock = p->n[EVS_CKPT_CLOCK];
    int64_t by_time = rank_of_time(r, p->partition, ts_ms);
    int64_t after =
        clock > 0 ? clock + step * (offset + 1 - p->n[EVS_CKPT_NEXT]) : p->partition + step;
    return by_time > after ? by_time : after;
}

/* Asks where times at or after these are first found; an answer at or behind a window's begin is
 * none. */
static enum evs_rc ask_times(const struct run *r, struct evs_offset_ask *asks, size_t n,
                             enum evs_isolation isolation, struct evs_err *err)
{
    enum evs_rc rc = evs_meta_offsets(r->opts->client, asks, n, isolation, NULL, err);
    for (size_t i = 0; !rc && i < n; i++)
        if (asks[i].native)
            rc = evs_fail(err, EVS_RETRY, "%s p%d: %s", asks[i].topic, asks[i].partition,
                          evs_meta_error_text(asks[i].native));
    return rc;
}

/* The highest time before each window's begin, bit by bit: the largest that is found before it. */
static enum evs_rc clocks_before(struct run *r, enum evs_isolation isolation, struct evs_err *err)
{
    struct evs_offset_ask *asks = evs_xcalloc(r->ranges->n + 1, sizeof(*asks));
    int64_t *times = evs_xcalloc(r->ranges->n + 1, sizeof(*times));
    int64_t *found = evs_xcalloc(r->ranges->n + 1, sizeof(*found));
    const struct evs_range **of = evs_xcalloc(r->ranges->n + 1, sizeof(*of));
    size_t n = 0;
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; i < r->ranges->n; i++)
        if (r->ranges->parts[i].from > r->ranges->parts[i].low) {
            found[n] = -1;
            of[n] = &r->ranges->parts[i];
            asks[n].topic = r->ranges->topic;
            asks[n++].partition = r->ranges->parts[i].partition;
        }
    for (int bit = MS_BITS; !rc && n && bit >= 0; bit--) {
        for (size_t i = 0; i < n; i++)
            asks[i].ts_ms = bit == MS_BITS ? 0 : times[i] | (int64_t)1 << bit;
        rc = ask_times(r, asks, n, isolation, err);
        for (size_t i = 0; !rc && i < n; i++)
            if (asks[i].offset >= 0 && asks[i].offset < of[i]->from) {
                times[i] = asks[i].ts_ms;
                found[i] = asks[i].offset;
            }
    }
    for (size_t i = 0; !rc && i < n; i++)
        if (found[i] >= 0)
            evs_ckpt_part(&r->ckpt, of[i]->partition)->n[EVS_CKPT_CLOCK] =
                rank_of_time(r, of[i]->partition, times[i]) +
                rank_step(r) * (of[i]->from - 1 - found[i]);
    evs_free(asks);
    evs_free(times);
    evs_free(found);
    evs_free(of);
    return rc;
}

static bool wants_rank(const struct run *r)
{
    struct evs_err ignored = EVS_ERR_INIT;
    const struct evs_sink_ops *ops = NULL;
    return r->plan->sink && !evs_sink_find(r->plan->sink, &ops, &ignored) &&
           (ops->caps & EVS_SINK_RANK);
}

/* --- ranges ---------------------------------------------------------------------------------- */

enum evs_rc run_new_ckpt(struct run *r, struct evs_err *err)
{
    struct evs_range_spec spec;
    evs_plan_range(r->plan, &spec);
    spec.now_ms = evs_clock_wall_ms();
    enum evs_rc rc = evs_range_resolve(r->opts->client, r->plan->topic, &spec, &r->ranges, err);
    if (rc)
        return rc;
    evs_ckpt_done(&r->ckpt);
    for (size_t i = 0; i < r->ranges->n; i++) {
        const struct evs_range *g = &r->ranges->parts[i];
        if (g->error)
            return evs_fail(err, EVS_FATAL, "%s p%d: %s", r->plan->topic, g->partition, g->error);
        struct evs_ckpt_part *p = evs_ckpt_part(&r->ckpt, g->partition);
        p->n[EVS_CKPT_FROM] = p->n[EVS_CKPT_NEXT] = g->from;
        p->n[EVS_CKPT_END] = g->to > g->from ? g->to : g->from;
    }
    /* A window that begins at a time has only earlier ones before it. */
    return wants_rank(r) && !spec.since ? clocks_before(r, spec.isolation, err) : EVS_OK;
}

/* Whether what the checkpoint wants next is still there. */
static enum evs_rc check_range(const struct run *r, const struct evs_range *g,
                               const struct evs_ckpt_part *p, struct evs_err *err)
{
    int64_t next = p->n[EVS_CKPT_NEXT], end = p->n[EVS_CKPT_END];
    if (g->error)
        return evs_fail(err, EVS_FATAL, "%s p%d: %s", r->plan->topic, g->partition, g->error);
    if (next < g->low && next < end) {
        evs_fail(err, EVS_FATAL,
                 "%s p%d: the checkpoint stands at %lld, the log now starts at %lld",
                 r->plan->topic, g->partition, (long long)next, (long long)g->low);
        return evs_hint(err,
                        "the events between are gone; --restart begins again with what is left");
    }
    if (end != EVS_RANGE_OPEN ? end > g->high : next > g->high) {
        evs_fail(err, EVS_FATAL, "%s p%d: the checkpoint reaches to %lld, the log ends at %lld",
                 r->plan->topic, g->partition, (long long)(end != EVS_RANGE_OPEN ? end : next),
                 (long long)g->high);
        return evs_hint(err, "was the topic made anew? --restart begins again");
    }
    return EVS_OK;
}

/* Then partitions that are added to the topic belong to the window. */
bool run_follows_all(const struct run *r)
{
    return r->plan->follow && !r->plan->partitions;
}

/* While a partition is new, the handle that asks for offsets may not know of it (2.0.2 asks its
 * cache): then it begins at 0, as new ones do. */
static void begin_added(const struct run *r, struct evs_range *g, struct evs_ckpt_part *p,
                        bool known)
{
    if (g->error && r->again && !p->n[EVS_CKPT_NEXT]) {
        evs_free(g->error);
        g->error = NULL;
        g->low = g->high = 0;
    }
    if (!known)
        p->n[EVS_CKPT_FROM] = p->n[EVS_CKPT_NEXT] = g->low;
}

/* The ranges that are left to read by the checkpoint. */
enum evs_rc run_ranges_left(struct run *r, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf list = EVS_BUF_INIT(1 << 20);
    struct evs_range_spec spec;
    evs_plan_range(r->plan, &spec);
    for (size_t i = 0; i < r->ckpt.n; i++)
        evs_buf_printf(&list, "%s%d", i ? "," : "", r->ckpt.parts[i].partition);
    if (!run_follows_all(r))
        spec.partitions = evs_buf_str(&list);
    spec.from = spec.to = spec.since = spec.until = NULL;
    spec.now_ms = evs_clock_wall_ms();
    evs_ranges_free(r->ranges);
    r->ranges = NULL;
    enum evs_rc rc = evs_range_resolve(r->opts->client, r->plan->topic, &spec, &r->ranges, err);
    for (size_t i = 0; !rc && i < r->ranges->n; i++) {
        struct evs_range *g = &r->ranges->parts[i];
        size_t had = r->ckpt.n;
        struct evs_ckpt_part *p = evs_ckpt_part(&r->ckpt, g->partition);
        begin_added(r, g, p, r->ckpt.n == had);
        if (r->plan->follow)
            p->n[EVS_CKPT_END] = EVS_RANGE_OPEN;
        rc = check_range(r, g, p, err);
        g->from = p->n[EVS_CKPT_NEXT];
        g->to = p->n[EVS_CKPT_END];
    }
    return rc;
}
