/* run_collect.c - the window folded in memory: a run whose sink is a fold. */
#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "replay/run_priv.h"

struct memory {
    struct evs_sink base;
    struct evs_rows *fold;
    struct slice *slice;
};

static uint64_t fnv1a(uint64_t h, const void *p, size_t n)
{
    const uint8_t *at = p;
    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * 1099511628211u;
    return h;
}

bool slice_has(const struct slice *s, enum evs_view_mode mode, const struct evs_row *row)
{
    uint64_t h = 14695981039346656037u;
    if (s->of == 1)
        return true;
    if (mode == EVS_VIEW_LOG) {
        h = fnv1a(h, &row->partition, sizeof(row->partition));
        h = fnv1a(h, &row->offset, sizeof(row->offset));
    } else {
        h = fnv1a(h, row->key, row->key ? row->key_len : 0);
    }
    return (h ^ h >> 32) % s->of == s->at;
}

static enum evs_rc take_batch(struct evs_sink *sink, struct evs_sink_batch *b,
                              struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct memory *m = (struct memory *)sink;
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < b->n; i++)
        if (slice_has(m->slice, m->fold->mode, &b->rows[i]))
            rc = evs_rows_add(m->fold, &b->rows[i], err);
    *ret_d = (struct evs_sink_done){0};
    m->slice->over = !rc && m->fold->bytes > m->slice->most;
    if (m->slice->over)
        rc = evs_fail(err, EVS_FATAL, "more than --memory at once");
    return rc ? (err->code = EVS_FATAL) : EVS_OK;
}

static enum evs_rc nothing(struct evs_sink *sink, struct evs_err *err)
{
    (void)sink;
    (void)err;
    return EVS_OK;
}

static enum evs_rc check(struct evs_sink *sink, const struct evs_row *row, struct evs_err *err)
{
    struct evs_sink *taker = ((struct memory *)sink)->slice->taker;
    return taker ? taker->ops->check(taker, row, err) : EVS_OK;
}

static const struct evs_sink_ops memory_ops = {
    .name = "memory", .check = check, .apply = take_batch, .beat = nothing};

enum evs_rc run_collect(const struct evs_replay_opts *opts, const struct evs_ckpt *window,
                        struct slice *slice, struct evs_rows *fold, struct evs_report *ret_r,
                        struct evs_err *err)
{
    struct memory sink = {.base = {.ops = &memory_ops}, .fold = fold, .slice = slice};
    struct evs_plan plan = *opts->plan;
    struct evs_replay_opts quiet = *opts;
    plan.follow = false;
    plan.speed = plan.rate_events = 0;
    quiet.plan = &plan;
    struct run r = {
        .opts = &quiet, .plan = &plan, .sink = &sink.base, .started_us = evs_clock_mono_us()};
    atomic_store(&r.first_ts, INT64_MAX);
    r.columns = evs_xcalloc(plan.n_columns + 1, sizeof(*r.columns));
    evs_plan_view(&plan, r.columns, &r.view);
    evs_rows_init(fold, plan.mode, plan.n_columns);
    r.report.id = evs_xstrdup(plan.id);
    r.report.plan_hash = evs_xstrdup(plan.hash);
    r.report.state = "dry-run";
    enum evs_rc rc = EVS_OK;
    if (window && window->n) {
        evs_ckpt_copy(&r.ckpt, window);
        for (size_t i = 0; i < r.ckpt.n; i++) {
            int64_t *n = r.ckpt.parts[i].n;
            n[EVS_CKPT_END] = n[EVS_CKPT_NEXT];
            n[EVS_CKPT_NEXT] = n[EVS_CKPT_FROM];
            memset(n + EVS_CKPT_CLOCK, 0, (EVS_CKPT_FIELDS - EVS_CKPT_CLOCK) * sizeof(*n));
        }
    } else {
        rc = run_new_ckpt(&r, err);
    }
    if (!rc) {
        r.report.span = run_span_left(&r);
        rc = run_read_all(&r, err);
    }
    run_update_report(&r);
    r.report.state = "dry-run";
    *ret_r = r.report;
    evs_ranges_free(r.ranges);
    evs_ckpt_done(&r.ckpt);
    evs_free(r.columns);
    return rc;
}
