/* run_ranges.c - what a run has to read: by the plan at first, later by the checkpoint. */
#include "core/clock.h"
#include "core/xalloc.h"
#include "replay/run_priv.h"

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
    return EVS_OK;
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
