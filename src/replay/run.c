#include "replay/run.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/growth.h"
#include "replay/audit.h"
#include "replay/run_priv.h"

enum {
    WORKERS = 2,
    TELL_US = 250000,
    BEAT_US = 400000,
    POP_MS = 50,
    CLAIM_US = 10000000,
    TEAM_CLAIM_US = 60000000, /* where others of the team keep the store busy */
    CLAIM_WAIT_MS = 250,
    AHEAD_RECORDS = 4096
};

/* --- progress -------------------------------------------------------------------------------- */
int64_t run_span_left(const struct run *r)
{
    int64_t left = 0;
    for (size_t i = 0; i < r->ckpt.n; i++) {
        const struct evs_ckpt_part *p = &r->ckpt.parts[i];
        if (p->n[EVS_CKPT_END] != EVS_RANGE_OPEN)
            left += p->n[EVS_CKPT_END] - p->n[EVS_CKPT_NEXT];
    }
    return left;
}

void run_update_report(struct run *r)
{
    struct evs_report *rep = &r->report;
    int64_t us = evs_clock_mono_us() - r->started_us;
    evs_ckpt_done(&rep->ckpt);
    evs_ckpt_copy(&rep->ckpt, &r->ckpt);
    rep->run_read = atomic_load(&r->read);
    rep->seconds = (double)us / 1e6;
    rep->rate = us > 0 ? (double)rep->run_read / rep->seconds : 0;
    rep->wait_source = us > 0 ? (double)r->idle_us / (double)us : 0;
    rep->wait_sink = us > 0 ? (double)r->write_us / (double)us : 0;
    rep->sink_seconds = (double)r->write_us / 1e6;
    rep->waiting_ms = r->asked_us ? (evs_clock_mono_us() - r->asked_us) / 1000 : 0;
    int64_t left = run_span_left(r), done = rep->span - left;
    rep->eta_seconds = done > 0 && rep->span > 0 && rep->seconds > 0.5
                           ? rep->seconds * (double)left / (double)done
                           : -1;
}

void tell_progress(struct run *r, bool now)
{
    int64_t now_us = evs_clock_mono_us();
    if (!r->opts->progress || (!now && now_us - r->told_us < TELL_US))
        return;
    r->told_us = now_us;
    run_update_report(r);
    r->opts->progress(r->opts->ctx, &r->report);
}

/* What the checkpoint found and the options say together. */
static enum evs_rc decide(struct run *r, const struct evs_ckpt *have, enum evs_claim *ret_how,
                          struct evs_err *err)
{
    enum evs_replay_how how =
        r->again || r->opts->how == EVS_REPLAY_TAKE_OVER ? EVS_REPLAY_RESUME : r->opts->how;
    const char *id = r->plan->id;
    if (how == EVS_REPLAY_START && r->claim_unsure && have->n && strcmp(have->state, "done"))
        how = EVS_REPLAY_RESUME; /* our claim, whose answer got lost */
    /* A resume that found nothing still resumes: a transaction under way may have hidden it. */
    *ret_how = how == EVS_REPLAY_RESTART  ? EVS_CLAIM_RESTART
               : how == EVS_REPLAY_RESUME ? EVS_CLAIM_RESUME
                                          : EVS_CLAIM_NEW;
    if (!have->n || how == EVS_REPLAY_RESTART)
        return EVS_OK;
    bool done = !strcmp(have->state, "done");
    bool same = !strcmp(have->plan_hash, r->plan->hash);
    bool totals = r->view.mode == EVS_VIEW_COUNT || r->view.mode == EVS_VIEW_SUM;
    if (how == EVS_REPLAY_RESUME) {
        if (!same) {
            evs_fail(err, EVS_INVALID,
                     "replay %s was begun with another plan (hash %.8s, now %.8s)", id,
                     have->plan_hash, r->plan->hash);
            return evs_hint(err, "resume with the plan it had, --restart, or give another --id");
        }
        *ret_how = EVS_CLAIM_RESUME;
        r->report.nothing_to_do = done && !r->plan->follow;
        return EVS_OK;
    }
    if (done && !totals)
        return EVS_OK; /* rows know what is newer: doing it again is harmless */
    if (done)
        evs_fail(err, EVS_INVALID, "replay %s is done; again it would count twice", id);
    else
        evs_fail(err, EVS_INVALID, "replay %s stands half done (%s)", id, have->state);
    return evs_hint(err, done ? "--restart empties the view and counts anew"
                              : "--resume goes on, --restart begins again");
}

/* --- while it runs --------------------------------------------------------------------------- */
static enum evs_rc beat(struct run *r, struct evs_err *err)
{
    int64_t now_us = evs_clock_mono_us();
    if (now_us - r->beat_us < BEAT_US)
        return EVS_OK;
    r->beat_us = now_us;
    enum evs_rc rc = r->sink->ops->beat(r->sink, err);
    return rc == EVS_FATAL ? rc : EVS_OK; /* a lost connection shows at the next batch */
}

static enum evs_rc drain(struct run *r, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    void *item;
    while (!rc && evs_queue_pop(r->q, 0, &item) == EVS_OK) {
        rc = write_batch(r, item, err);
        batch_free(item);
    }
    return rc ? rc : write_rest(r, err);
}

/* Until the reader is through (EVS_OK), the stop (EVS_EOF), a record to leave out (EVS_AGAIN)
 * or a fault. */
static enum evs_rc pump(struct run *r, struct evs_err *err)
{
    bool paused = false;
    for (;;) {
        void *item = NULL;
        int64_t since_us = evs_clock_mono_us();
        enum evs_rc rc = evs_queue_pop(r->q, POP_MS, &item);
        r->idle_us += evs_clock_mono_us() - since_us;
        if (rc == EVS_OK) {
            rc = write_batch(r, item, err);
            batch_free(item);
            if (rc)
                return rc;
        } else {
            rc = evs_reader_wait(r->reader, 0, err);
            if (rc != EVS_AGAIN)
                return rc == EVS_EOF ? EVS_OK : rc;
            rc = beat(r, err);
            if (rc)
                return rc;
        }
        if (evs_stop_raised(r->opts->control->stop))
            return EVS_EOF;
        r->grown = evs_growth_partitions(r->growth) > (int32_t)r->ckpt.n;
        if (r->grown)
            return EVS_AGAIN;
        if (atomic_load(&r->enough) || atomic_load(&r->lane_fail))
            return EVS_OK;
        if (paused != atomic_load(&r->opts->control->paused))
            evs_reader_pause(r->reader, paused = !paused);
        r->report.state = paused ? "paused" : "running";
        tell_progress(r, false);
    }
}

/* A key lives in one partition: read to its end, it is written once. Not where time decides, and
 * what an operator set a pace or a size for comes in small batches. */
static void plan_batches(struct run *r, struct evs_reader_opts *opts)
{
    const struct evs_sink_ops *ops = r->sink->ops;
    bool swift = !r->plan->follow && r->plan->speed <= 0 && !r->plan->batch_events &&
                 !atomic_load(&r->opts->control->rate_events);
    if (!r->plan->follow && r->plan->speed <= 0)
        opts->ahead_records = AHEAD_RECORDS;
    r->large = swift && ops->caps & EVS_SINK_SORTED && r->view.mode == EVS_VIEW_LATEST;
    r->whole_rows = swift ? ops->rows_min : 0;
}

static enum evs_rc read_once(struct run *r, struct evs_err *err)
{
    struct evs_reader_opts opts = {.profile = r->plan->follow ? EVS_READER_TAIL : EVS_READER_SCAN,
                                   .workers = r->ckpt.n < WORKERS ? (int)r->ckpt.n : WORKERS};
    enum evs_rc rc = EVS_OK;
    plan_batches(r, &opts);
    r->q = evs_queue_new(1, 0, batch_free);
    r->n_lanes = WORKERS;
    for (int i = 0; i < r->n_lanes && !rc; i++)
        rc = lane_init(&r->lanes[i], r, err);
    if (!rc)
        rc = evs_reader_start(r->opts->client, r->ranges, &opts, &lane_ops, r, &r->reader, err);
    if (!rc)
        rc = pump(r, err);
    if (!rc && evs_stop_raised(r->opts->control->stop))
        rc = EVS_EOF; /* a worker saw it first and ended the reader */
    if (rc && r->q)
        evs_queue_close(r->q); /* lets a waiting worker go */
    evs_reader_free(r->reader);
    r->reader = NULL;
    if (!rc)
        rc = drain(r, err);
    for (int i = 0; i < r->n_lanes; i++) {
        r->report.null_keys += r->lanes[i].null_keys;
        r->report.split_keys += r->lanes[i].split;
        if (r->view.mode == EVS_VIEW_LATEST)
            r->report.tombstones_filtered += r->lanes[i].tombstones;
        r->report.filter_faults += (int64_t)evs_filter_faults(r->lanes[i].filter);
        if (!rc && r->lanes[i].fail.code) {
            *err = r->lanes[i].fail;
            rc = err->code == EVS_POISON ? (err->code = EVS_FATAL) : err->code;
        }
        lane_done(&r->lanes[i]);
    }
    evs_queue_free(r->q);
    r->q = NULL;
    return rc;
}

/* The reader says it is through: then every range must be. */
static enum evs_rc check_through(const struct run *r, struct evs_err *err)
{
    for (size_t i = 0; i < r->ckpt.n; i++) {
        const struct evs_ckpt_part *p = &r->ckpt.parts[i];
        if (p->n[EVS_CKPT_NEXT] < p->n[EVS_CKPT_END] && !atomic_load(&r->enough))
            return evs_fail(err, EVS_FATAL, "%s p%d: reading ended at %lld, before %lld",
                            r->plan->topic, p->partition, (long long)p->n[EVS_CKPT_NEXT],
                            (long long)p->n[EVS_CKPT_END]);
    }
    return EVS_OK;
}

enum evs_rc run_read_all(struct run *r, struct evs_err *err)
{
    enum evs_rc rc = EVS_AGAIN;
    while (rc == EVS_AGAIN && !r->grown) {
        atomic_store(&r->lane_fail, false);
        rc = run_ranges_left(r, err);
        if (!rc)
            rc = read_once(r, err);
    }
    return rc ? rc : check_through(r, err);
}

/* --- from start to end ----------------------------------------------------------------------- */
static enum evs_rc open_sink(struct run *r, char *built, struct evs_err *err)
{
    struct evs_sink_spec spec = {
        .url = r->plan->sink,
        .view = &r->view,
        .id = r->plan->id,
        .plan_hash = r->plan->hash,
        .write = true,
        .fresh = r->plan->swap,
        .take_over = r->opts->how == EVS_REPLAY_TAKE_OVER,
        .timeout_ms = r->opts->timeout_ms,
        .cluster = evs_client_conf(r->opts->client),
        .stop = r->opts->control->stop,
        .waiting = run_waiting,
        .ctx = r,
    };
    evs_plan_view(r->plan, r->columns, &r->view);
    if (r->plan->swap)
        r->view.target = built;
    return evs_sink_open(&spec, &r->sink, err);
}

static enum evs_rc claim(struct run *r, char *built, struct evs_err *err)
{
    struct evs_ckpt have;
    enum evs_claim how = EVS_CLAIM_NEW;
    enum evs_rc rc = r->sink ? EVS_OK : open_sink(r, built, err);
    if (!rc)
        rc = r->sink->ops->load(r->sink, &have, err);
    if (rc)
        return rc;
    rc = decide(r, &have, &how, err);
    if (rc || r->report.nothing_to_do) {
        r->ckpt = have;
        return rc;
    }
    bool known = how == EVS_CLAIM_RESUME && have.n;
    if (known)
        evs_ckpt_copy(&r->ckpt, &have);
    else
        rc = run_new_ckpt(r, err);
    evs_ckpt_done(&have);
    if (!rc && known)
        rc = run_ranges_left(r, err); /* gone or made anew: say so before anything is touched */
    if (!rc)
        rc = r->sink->ops->prepare ? r->sink->ops->prepare(r->sink, err) : EVS_OK;
    if (!rc)
        rc = r->sink->ops->claim(r->sink, how, &r->ckpt, err);
    r->claim_unsure |= rc == EVS_RETRY;
    return rc ? rc : open_dead_sink(r, err);
}

/* A store that is just starting gets a while; the source's cluster has said its word. */
static enum evs_rc claim_again(struct run *r, char *built, enum evs_rc rc, struct evs_err *err)
{
    bool team = r->opts->how == EVS_REPLAY_TAKE_OVER;
    int64_t until_us = r->started_us + (team ? TEAM_CLAIM_US : CLAIM_US);
    while (rc == EVS_RETRY && !(err->domain && !strcmp(err->domain, "kafka")) &&
           evs_clock_mono_us() < until_us) {
        if (evs_stop_wait(r->opts->control->stop, CLAIM_WAIT_MS))
            return EVS_EOF;
        evs_ckpt_done(&r->ckpt);
        evs_ranges_free(r->ranges);
        r->ranges = NULL;
        rc = claim(r, built, err);
    }
    return rc;
}

static void close_sinks(struct run *r)
{
    evs_sink_close(r->sink);
    evs_sink_close(r->dead_sink);
    r->sink = r->dead_sink = NULL;
}

/* A checkpoint has its partitions from a claim: the sink is claimed anew, with those that came. */
static enum evs_rc read_grown(struct run *r, char *built, struct evs_err *err)
{
    close_sinks(r);
    evs_ranges_free(r->ranges);
    r->ranges = NULL;
    evs_ckpt_done(&r->ckpt);
    r->again = true;
    r->grown = false;
    evs_log(EVS_LOG_INFO, "replay %s: %s has %d partitions now", r->plan->id, r->plan->topic,
            (int)evs_growth_partitions(r->growth));
    enum evs_rc rc = claim_again(r, built, claim(r, built, err), err);
    return rc ? rc : run_read_all(r, err);
}

static enum evs_rc read_to_end(struct run *r, char *built, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    if (run_follows_all(r))
        rc = evs_growth_start(r->opts->client, r->plan->topic, r->ranges->topic_partitions,
                              &r->growth, err);
    if (!rc)
        rc = run_read_all(r, err);
    while (rc == EVS_AGAIN && r->grown)
        rc = read_grown(r, built, err);
    evs_growth_free(r->growth);
    r->growth = NULL;
    return rc;
}

static enum evs_rc finish(struct run *r, enum evs_rc rc, struct evs_err *err)
{
    struct evs_err second = EVS_ERR_INIT;
    r->report.state = rc == EVS_OK ? "done" : rc == EVS_EOF ? "stopped" : "failed";
    if (rc == EVS_OK) {
        rc =
            r->plan->swap ? r->sink->ops->swap(r->sink, r->plan->target, err) : finish_sink(r, err);
        if (rc)
            r->report.state = rc == EVS_EOF ? "stopped" : "failed";
    } else if (!r->sink) {
        return rc == EVS_EOF ? EVS_OK : rc;
    } else if (rc == EVS_EOF && r->sink->ops->beat(r->sink, &second) == EVS_FATAL) {
        evs_log(EVS_LOG_WARN, "replay %s: %s", r->plan->id, second.msg); /* told to stop as well */
    } else {
        (void)!r->sink->ops->finish(r->sink, r->report.state, &second);
        /* where that failed the rows are safe all the same; only the word is missing */
    }
    if (r->dead_sink)
        (void)!r->dead_sink->ops->finish(r->dead_sink, r->report.state, &second);
    return rc == EVS_EOF ? EVS_OK : rc;
}

static void run_done(struct run *r)
{
    close_sinks(r);
    evs_ranges_free(r->ranges);
    evs_ckpt_done(&r->ckpt);
    for (size_t i = 0; i < r->skips.n; i++)
        evs_free(r->skips.items[i].why);
    evs_free(r->skips.items);
    evs_free(r->columns);
}

enum evs_rc evs_replay_run(const struct evs_replay_opts *opts, struct evs_report *ret_r,
                           struct evs_err *err)
{
    const struct evs_sink_ops *ops = NULL;
    struct run r = {.opts = opts, .plan = opts->plan, .started_us = evs_clock_mono_us()};
    char *built = evs_xprintf("%s__new", opts->plan->target ? opts->plan->target : "");
    atomic_store(&r.first_ts, INT64_MAX);
    atomic_store(&r.max_events, opts->plan->batch_events);
    atomic_store(&r.pace_from_us, r.started_us);
    r.columns = evs_xcalloc(opts->plan->n_columns + 1, sizeof(*r.columns));
    enum evs_rc rc = evs_sink_find(opts->plan->sink, &ops, err);
    r.report.id = evs_xstrdup(opts->plan->id);
    r.report.plan_hash = evs_xstrdup(opts->plan->hash);
    r.report.guarantee = evs_xstrdup(ops ? evs_sink_guarantee(ops) : "");
    if (!rc && ops->rows_max && !opts->plan->batch_events)
        atomic_store(&r.max_events, (int64_t)ops->rows_max);
    if (!rc)
        rc = claim_again(&r, built, claim(&r, built, err), err);
    if (!rc && r.report.nothing_to_do) {
        r.report.state = "done";
    } else if (!rc) {
        struct evs_err unlogged = EVS_ERR_INIT; /* said at the end */
        r.report.state = "running";
        r.report.span = run_span_left(&r);
        run_update_report(&r);
        (void)!evs_audit_write(r.plan, &r.report, opts->client, &unlogged);
        tell_progress(&r, true);
        rc = finish(&r, read_to_end(&r, built, err), err);
    }
    run_update_report(&r);
    if (rc)
        r.report.error = evs_xstrdup(err->msg);
    *ret_r = r.report;
    run_done(&r);
    evs_free(built);
    return rc;
}
