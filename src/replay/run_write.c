/* run_write.c - the writer's side of a run: a batch into the sink, again if need be, exactly
 * once. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "replay/run_priv.h"

enum { BACKOFF_MS = 100, BACKOFF_MAX_MS = 5000, RETRY_MS = 60000, SKIP_EVENTS = 5000 };

void run_waiting(void *ctx)
{
    tell_progress(ctx, false);
}

bool stopping(const struct run *r)
{
    return evs_stop_raised(r->opts->control->stop) || atomic_load(&r->enough) ||
           atomic_load(&r->lane_fail);
}

/* The committed state of the batch's partitions, as the sink tells it after an unknown outcome. */
static enum evs_rc was_written(struct run *r, const struct evs_sink_batch *b, bool *ret_done,
                               struct evs_err *err)
{
    struct evs_ckpt now;
    enum evs_rc rc = r->sink->ops->load(r->sink, &now, err);
    if (rc)
        return rc;
    *ret_done = true;
    for (size_t i = 0; i < b->n_parts; i++) {
        struct evs_ckpt_part *p = evs_ckpt_part(&now, b->parts[i].partition);
        if (p->n[EVS_CKPT_NEXT] != b->parts[i].n[EVS_CKPT_NEXT])
            *ret_done = false;
        else
            b->parts[i] = *p;
    }
    if (now.epoch != r->ckpt.epoch)
        rc = evs_sink_fenced(err, r->plan->id);
    evs_ckpt_done(&now);
    return rc;
}

static enum evs_rc wait_again(struct run *r, int attempt, int64_t first_us, struct evs_err *err)
{
    int64_t most_ms = r->opts->retry_ms ? r->opts->retry_ms : RETRY_MS;
    int64_t tried_ms = (evs_clock_mono_us() - first_us) / 1000;
    if (tried_ms > most_ms) {
        evs_wrap(err, "gave up after %lld s", (long long)(tried_ms / 1000));
        evs_hint(err, "what was committed stays; --resume goes on from there");
        return err->code = EVS_FATAL;
    }
    int64_t wait_ms = (int64_t)BACKOFF_MS << (attempt < 6 ? attempt : 6);
    if (wait_ms > BACKOFF_MAX_MS)
        wait_ms = BACKOFF_MAX_MS;
    wait_ms -= evs_clock_mono_us() % (wait_ms / 2 + 1); /* jitter */
    r->report.retries++;
    evs_log(EVS_LOG_WARN, "replay %s: %s; again in %lld ms", r->plan->id, err->msg,
            (long long)wait_ms);
    if (evs_stop_wait(r->opts->control->stop, wait_ms))
        return EVS_EOF;
    return EVS_OK;
}

/* The record that a row stands for, as words and as a skip. */
static enum evs_rc refused(struct run *r, const struct evs_sink_batch *b, struct evs_err *err)
{
    char where[EVS_NUM_LEN];
    const struct evs_row *row = err->row < b->n ? &b->rows[err->row] : NULL;
    if (!row)
        return err->code = EVS_FATAL;
    evs_num_commas(where, row->offset);
    if (r->plan->on_error == EVS_ON_ERROR_STOP) {
        evs_wrap(err, "%s p%d @ %s: %s", r->plan->topic, row->partition, where, r->sink->ops->name);
        evs_hint(err, "this batch is not in the view; mend the target, or --on-error skip or "
                      "dead-letter:SINK-URL, then --resume");
        return err->code = EVS_FATAL;
    }
    r->skips.items = evs_xgrow(r->skips.items, r->skips.n + 1, sizeof(*r->skips.items));
    r->skips.items[r->skips.n].partition = row->partition;
    r->skips.items[r->skips.n].offset = row->offset;
    r->skips.items[r->skips.n++].why = evs_xstrdup(err->msg);
    evs_log(EVS_LOG_WARN, "replay %s: %s p%d @ %s: %s", r->plan->id, r->plan->topic, row->partition,
            where, err->msg);
    int64_t most = atomic_load(&r->max_events);
    if (!most || most > SKIP_EVENTS) /* where one is there are more: each costs its batch again */
        atomic_store(&r->max_events, SKIP_EVENTS);
    return EVS_AGAIN; /* read again without it */
}

/* Applies until it is in, or cannot be. */
static enum evs_rc apply(struct run *r, struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *d, struct evs_err *err)
{
    int64_t first_us = evs_clock_mono_us();
    r->asked_us = first_us;
    enum evs_rc rc = sink->ops->apply(sink, b, d, err);
    for (int attempt = 0; rc == EVS_RETRY; attempt++) {
        bool done = false;
        rc = wait_again(r, attempt, first_us, err);
        if (rc)
            return rc;
        if (sink == r->sink)
            rc = was_written(r, b, &done, err);
        if (!rc && done)
            return EVS_OK;
        if (!rc)
            rc = sink->ops->apply(sink, b, d, err);
        tell_progress(r, false);
    }
    return rc;
}

/* Everything is in; the last word may be said again. */
enum evs_rc finish_sink(struct run *r, struct evs_err *err)
{
    int64_t first_us = evs_clock_mono_us();
    enum evs_rc rc = r->sink->ops->finish(r->sink, "done", err);
    for (int attempt = 0; rc == EVS_RETRY; attempt++) {
        rc = wait_again(r, attempt, first_us, err);
        if (!rc)
            rc = r->sink->ops->finish(r->sink, "done", err);
    }
    return rc;
}

static enum evs_rc write_dead(struct run *r, struct batch *b, struct evs_err *err)
{
    if (!b->dead.n || !r->dead_sink)
        return EVS_OK;
    evs_rows_finish(&b->dead, false);
    struct evs_sink_done done = {0};
    struct evs_ckpt_part *parts = evs_xmemdup(b->parts, b->n_parts * sizeof(*b->parts));
    struct evs_sink_batch sb = {b->dead.rows, b->dead.n, parts, b->n_parts};
    enum evs_rc rc = apply(r, r->dead_sink, &sb, &done, err);
    evs_free(parts);
    if (rc && rc != EVS_EOF)
        evs_wrap(err, "dead letters");
    return rc == EVS_POISON ? (err->code = EVS_FATAL) : rc;
}

enum evs_rc write_batch(struct run *r, struct batch *b, struct evs_err *err)
{
    int64_t since_us = evs_clock_mono_us();
    uint64_t split = b->fold.split;
    evs_rows_finish(&b->fold, r->sink->ops->caps & EVS_SINK_SORTED);
    r->report.split_keys += (int64_t)(b->fold.split - split);
    enum evs_rc rc = write_dead(r, b, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < b->n_parts; i++) {
        const struct evs_ckpt_part *was = evs_ckpt_part(&r->ckpt, b->parts[i].partition);
        b->parts[i].n[EVS_CKPT_WRITTEN] = was->n[EVS_CKPT_WRITTEN];
        b->parts[i].n[EVS_CKPT_DELETED] = was->n[EVS_CKPT_DELETED];
    }
    struct evs_sink_done done = {0};
    struct evs_sink_batch sb = {b->fold.rows, b->fold.n, b->parts, b->n_parts};
    rc = apply(r, r->sink, &sb, &done, err);
    if (rc == EVS_POISON)
        rc = refused(r, &sb, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < b->n_parts; i++)
        *evs_ckpt_part(&r->ckpt, b->parts[i].partition) = b->parts[i];
    r->report.left += done.left;
    int64_t now_us = evs_clock_mono_us();
    r->report.batch_ms = (now_us - since_us) / 1000;
    r->write_us += now_us - since_us;
    r->beat_us = now_us;
    r->asked_us = 0;
    return EVS_OK;
}

/* b's rows and partitions into a, which borrows them. */
static bool join(const struct run *r, struct batch *a, struct batch *b)
{
    if (!r->large || a->dead.n || b->dead.n)
        return false;
    evs_rows_join(&a->fold, &b->fold);
    a->parts = evs_xgrow(a->parts, a->n_parts + b->n_parts, sizeof(*a->parts));
    memcpy(a->parts + a->n_parts, b->parts, b->n_parts * sizeof(*b->parts));
    a->n_parts += b->n_parts;
    return true;
}

enum evs_rc write_rest(struct run *r, struct evs_err *err)
{
    struct batch *left[LANES_MAX] = {NULL};
    bool joined[LANES_MAX] = {false};
    enum evs_rc rc = EVS_OK;
    int n = 0;
    for (int i = 0; i < r->n_lanes; i++) {
        left[n] = lane_take(&r->lanes[i]);
        joined[n] = left[n] && n && join(r, left[0], left[n]);
        n += left[n] != NULL;
    }
    for (int i = 0; !rc && i < n; i++)
        if (!joined[i])
            rc = write_batch(r, left[i], err);
    for (int i = 0; i < n; i++)
        batch_free(left[i]);
    return rc;
}

enum evs_rc open_dead_sink(struct run *r, struct evs_err *err)
{
    if (!r->plan->dead_letter)
        return EVS_OK;
    char *id = evs_xprintf("%s.dead-letter", r->plan->id);
    char *target = evs_xprintf(
        "%s_dead_letter", r->plan->target && *r->plan->target ? r->plan->target : r->plan->topic);
    struct evs_shape view = {.mode = EVS_VIEW_LOG, .topic = r->plan->topic, .target = target};
    struct evs_sink_spec spec = {.url = r->plan->dead_letter,
                                 .view = &view,
                                 .id = id,
                                 .plan_hash = r->plan->hash,
                                 .write = true,
                                 .timeout_ms = r->opts->timeout_ms,
                                 .cluster = evs_client_conf(r->opts->client),
                                 .stop = r->opts->control->stop};
    struct evs_ckpt ckpt;
    evs_ckpt_copy(&ckpt, &r->ckpt);
    enum evs_rc rc = evs_sink_open(&spec, &r->dead_sink, err);
    if (!rc && r->dead_sink->ops->prepare)
        rc = r->dead_sink->ops->prepare(r->dead_sink, err);
    if (!rc)
        rc = r->dead_sink->ops->claim(r->dead_sink, EVS_CLAIM_RESUME, &ckpt, err);
    evs_ckpt_done(&ckpt);
    evs_free(id);
    evs_free(target);
    return rc ? evs_wrap(err, "dead letters") : EVS_OK;
}
