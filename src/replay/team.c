#include "replay/team.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/member.h"
#include "kafka/range.h"
#include "replay/job.h"

enum { AT_ONCE = 4, POLL_MS = 100, AGAIN_US = 1000000, LOOK_US = 1000000, TELL_US = 250000 };

struct share {
    int32_t partition;
    struct evs_plan plan;
    struct evs_job *job;
    bool ours, done;
    int64_t again_us; /* not before */
};

struct team {
    const struct evs_replay_opts *opts;
    struct share *shares;
    size_t n;
    struct evs_report report;
    int64_t started_us, looked_us, told_us;
    enum evs_rc rc;
    struct evs_err *err;
};

enum evs_rc evs_team_check(const struct evs_plan *plan, struct evs_err *err)
{
    const struct evs_sink_ops *ops = NULL;
    enum evs_rc rc = evs_sink_find(plan->sink, &ops, err);
    if (rc)
        return rc;
    if (!(ops->shared & 1u << plan->mode)) {
        evs_fail(err, EVS_INVALID, "%s: %s cannot be written by several processes", ops->name,
                 evs_view_mode_name(plan->mode));
        return ops->alone ? evs_hint(err, "%s", ops->alone) : EVS_INVALID;
    }
    if (plan->swap || plan->count)
        return evs_fail(err, EVS_INVALID, "%s is for one process, not for --workers-group",
                        plan->swap ? "--swap" : "--count");
    return EVS_OK;
}

/* --- shares ---------------------------------------------------------------------------------- */
/* The plan of one partition, by way of its own text. */
static enum evs_rc plan_of(const struct evs_plan *whole, int32_t partition, struct evs_plan *ret_p,
                           struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_PLAN_CAP);
    struct evs_plan one = *whole;
    one.partitions = evs_xprintf("%d", (int)partition);
    one.id = evs_xprintf("%s-p%d", whole->id, (int)partition);
    evs_plan_print(&one, &text);
    evs_free(one.partitions);
    evs_free(one.id);
    return evs_plan_parse(ret_p, evs_buf_str(&text), text.len, err);
}

static enum evs_rc make_shares(struct team *t, struct evs_err *err)
{
    struct evs_range_spec spec;
    struct evs_ranges *ranges = NULL;
    evs_plan_range(t->opts->plan, &spec);
    spec.now_ms = evs_clock_wall_ms();
    enum evs_rc rc = evs_range_resolve(t->opts->client, t->opts->plan->topic, &spec, &ranges, err);
    if (rc)
        return rc;
    t->shares = evs_xcalloc(ranges->n + 1, sizeof(*t->shares));
    for (size_t i = 0; !rc && i < ranges->n; i++) {
        t->shares[i].partition = ranges->parts[i].partition;
        rc = plan_of(t->opts->plan, t->shares[i].partition, &t->shares[i].plan, err);
        t->n = i + 1;
    }
    evs_ranges_free(ranges);
    return rc;
}

/* Of a partition that was added since. */
static struct share *add_share(struct team *t, int32_t partition)
{
    struct evs_err err = EVS_ERR_INIT;
    struct share s = {.partition = partition};
    if (plan_of(t->opts->plan, partition, &s.plan, &err)) {
        evs_log(EVS_LOG_WARN, "replay %s: %s", t->opts->plan->id, err.msg);
        return NULL;
    }
    t->shares = evs_xgrow(t->shares, t->n + 1, sizeof(*t->shares));
    t->shares[t->n] = s;
    return &t->shares[t->n++];
}

static struct share *share_of(struct team *t, int32_t partition)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->shares[i].partition == partition)
            return &t->shares[i];
    return NULL;
}

/* --- runs ------------------------------------------------------------------------------------ */
static void note_parts(struct team *t, const struct evs_ckpt *c)
{
    for (size_t i = 0; i < c->n; i++)
        *evs_ckpt_part(&t->report.ckpt, c->parts[i].partition) = c->parts[i];
}

static void fail(struct team *t, struct share *s, const struct evs_err *err)
{
    if (err->code == EVS_EOF)
        return; /* it was stopped before it had begun */
    if (err->domain && !strcmp(err->domain, "fenced")) {
        evs_log(EVS_LOG_WARN, "replay %s: %s", s->plan.id, err->msg);
        s->again_us = evs_clock_mono_us() + AGAIN_US; /* the group will say whose it is */
    } else if (s->ours && !t->rc) {
        *t->err = *err;
        t->rc = err->code;
    }
}

/* A run that ended: what became of it. */
static void collect(struct team *t, struct share *s)
{
    struct evs_job_sn *sn = evs_job_take(s->job, 0);
    if (sn && sn->ended) {
        const struct evs_report *r = &sn->report;
        if (sn->err.code)
            fail(t, s, &sn->err);
        else if (r->state && !strcmp(r->state, "done"))
            s->done = true;
        t->report.run_read += r->run_read;
        t->report.left += r->left;
        t->report.null_keys += r->null_keys;
        t->report.split_keys += r->split_keys;
        t->report.filter_faults += r->filter_faults;
        t->report.retries += r->retries;
        note_parts(t, &r->ckpt);
    }
    if (sn)
        evs_snap_unref(&sn->snap);
    evs_job_free(s->job);
    s->job = NULL;
}

static bool has_ended(struct team *t, struct share *s, int64_t *reading)
{
    struct evs_job_sn *sn = evs_job_take(s->job, 0);
    if (!sn)
        return false;
    bool ended = sn->ended;
    if (!ended) {
        *reading += sn->report.run_read;
        note_parts(t, &sn->report.ckpt);
    }
    evs_snap_unref(&sn->snap);
    return ended;
}

static void start(struct team *t, struct share *s)
{
    const struct evs_replay_opts *o = t->opts;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_job_start(&s->plan, o->client, EVS_JOB_RUN, EVS_REPLAY_TAKE_OVER, o->timeout_ms, NULL,
                      &s->job, &err))
        fail(t, s, &err);
}

/* --- what the group says --------------------------------------------------------------------- */
static void given(void *ctx, const int32_t *partitions, size_t n)
{
    struct team *t = ctx;
    for (size_t i = 0; i < n; i++) {
        struct share *s = share_of(t, partitions[i]);
        if (!s && t->opts->plan->follow && !t->opts->plan->partitions)
            s = add_share(t, partitions[i]);
        if (s)
            s->ours = true;
    }
}

/* Each is stopped after its batch; when this returns others may have them. */
static void taken(void *ctx, const int32_t *partitions, size_t n)
{
    struct team *t = ctx;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < n; i++) {
            struct share *s = share_of(t, partitions[i]);
            if (!s)
                continue;
            s->ours = false;
            if (s->job && !round)
                evs_job_stop(s->job);
            else if (s->job) {
                evs_job_wait(s->job);
                collect(t, s);
            }
        }
}

/* --- what the sink says ---------------------------------------------------------------------- */
/* The partition's checkpoint, whoever wrote it. */
static enum evs_rc peek(struct team *t, struct share *s, struct evs_ckpt *ret_c,
                        struct evs_err *err)
{
    struct evs_shape view;
    struct evs_sink *sink = NULL;
    struct evs_shape_column *columns = evs_xcalloc(s->plan.n_columns + 1, sizeof(*columns));
    evs_plan_view(&s->plan, columns, &view);
    struct evs_sink_spec spec = {.url = s->plan.sink,
                                 .view = &view,
                                 .id = s->plan.id,
                                 .plan_hash = s->plan.hash,
                                 .timeout_ms = t->opts->timeout_ms,
                                 .cluster = evs_client_conf(t->opts->client),
                                 .stop = t->opts->control->stop};
    memset(ret_c, 0, sizeof(*ret_c));
    enum evs_rc rc = evs_sink_open(&spec, &sink, err);
    if (!rc)
        rc = sink->ops->load(sink, ret_c, err);
    evs_sink_close(sink);
    evs_free(columns);
    return rc;
}

/* What others have done meanwhile. */
static void look(struct team *t)
{
    t->looked_us = evs_clock_mono_us();
    for (size_t i = 0; i < t->n; i++) {
        struct share *s = &t->shares[i];
        struct evs_err ignored = EVS_ERR_INIT;
        struct evs_ckpt c;
        if (s->done || s->job)
            continue;
        if (!peek(t, s, &c, &ignored) && c.n) {
            note_parts(t, &c);
            s->done = !t->opts->plan->follow && !strcmp(c.state, "done") &&
                      !strcmp(c.plan_hash, s->plan.hash);
        }
        evs_ckpt_done(&c);
    }
}

/* --- the loop -------------------------------------------------------------------------------- */
static void tell(struct team *t, int64_t reading, bool now)
{
    int64_t now_us = evs_clock_mono_us();
    struct evs_report *r = &t->report;
    if (!now && now_us - t->told_us < TELL_US)
        return;
    t->told_us = now_us;
    int64_t before = r->run_read;
    r->run_read += reading;
    r->seconds = (double)(now_us - t->started_us) / 1e6;
    r->rate = r->seconds > 0 ? (double)r->run_read / r->seconds : 0;
    r->eta_seconds = -1;
    if (t->opts->progress)
        t->opts->progress(t->opts->ctx, r);
    r->run_read = before;
}

/* Starts, ends and counts; true while there is something left for anybody. */
static bool turn(struct team *t)
{
    int64_t now_us = evs_clock_mono_us(), reading = 0;
    size_t most = t->opts->plan->follow ? t->n : AT_ONCE, busy = 0, undone = 0, waiting = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct share *s = &t->shares[i];
        if (s->job && has_ended(t, s, &reading))
            collect(t, s);
        busy += s->job != NULL;
    }
    for (size_t i = 0; !t->rc && i < t->n; i++) {
        struct share *s = &t->shares[i];
        undone += !s->done;
        if (s->done || s->job || !s->ours)
            continue;
        if (busy < most && now_us >= s->again_us) {
            start(t, s);
            busy++;
        } else {
            waiting++;
        }
    }
    tell(t, reading, false);
    if (undone && !busy && !waiting && now_us - t->looked_us >= LOOK_US)
        look(t);
    return undone > 0;
}

static enum evs_rc work(struct team *t, const char *group, struct evs_err *err)
{
    static const struct evs_member_ops ops = {given, taken};
    struct evs_member *m = NULL;
    struct evs_stop *stop = t->opts->control->stop;
    look(t);
    t->report.nothing_to_do = true;
    for (size_t i = 0; i < t->n; i++)
        t->report.nothing_to_do = t->report.nothing_to_do && t->shares[i].done;
    if (t->report.nothing_to_do)
        return EVS_OK;
    enum evs_rc rc =
        evs_member_join(t->opts->client, group, t->opts->plan->topic, &ops, t, &m, err);
    while (!rc && !evs_stop_raised(stop) && turn(t) && !t->rc)
        rc = evs_member_poll(m, POLL_MS, err);
    for (size_t i = 0; i < t->n; i++)
        if (t->shares[i].job)
            evs_job_stop(t->shares[i].job);
    for (size_t i = 0; i < t->n; i++)
        if (t->shares[i].job) {
            evs_job_wait(t->shares[i].job);
            collect(t, &t->shares[i]);
        }
    evs_member_leave(m);
    return rc ? rc : t->rc;
}

enum evs_rc evs_team_run(const struct evs_replay_opts *opts, const char *group,
                         struct evs_report *ret_r, struct evs_err *err)
{
    const struct evs_sink_ops *sink = NULL;
    struct team t = {.opts = opts, .started_us = evs_clock_mono_us(), .err = err};
    enum evs_rc rc = evs_team_check(opts->plan, err);
    if (!rc)
        rc = evs_sink_find(opts->plan->sink, &sink, err);
    t.report.id = evs_xstrdup(opts->plan->id);
    t.report.plan_hash = evs_xstrdup(opts->plan->hash);
    t.report.guarantee = evs_xstrdup(sink ? evs_sink_guarantee(sink) : "");
    if (!rc)
        rc = make_shares(&t, err);
    if (!rc) {
        t.report.state = "running";
        rc = work(&t, group, err);
        rc = rc == EVS_EOF ? EVS_OK : rc;
        bool all = true;
        for (size_t i = 0; i < t.n; i++)
            all = all && t.shares[i].done;
        t.report.state = rc ? "failed" : all ? "done" : "stopped";
        for (size_t i = 0; i < t.n; i++)
            t.shares[i].done = false;
        look(&t); /* the whole, whoever did it */
    }
    tell(&t, 0, true);
    if (rc)
        t.report.error = evs_xstrdup(err->msg);
    *ret_r = t.report;
    for (size_t i = 0; i < t.n; i++)
        evs_plan_done(&t.shares[i].plan);
    evs_free(t.shares);
    return rc;
}

/* Partitions that nobody has begun yet are in it as empty ranges. */
enum evs_rc evs_team_window(const struct evs_replay_opts *opts, struct evs_ckpt *ret_c,
                            struct evs_err *err)
{
    struct team t = {.opts = opts, .err = err};
    memset(ret_c, 0, sizeof(*ret_c));
    enum evs_rc rc = evs_team_check(opts->plan, err);
    rc = rc ? EVS_OK : make_shares(&t, err); /* what no team can write, none has written */
    bool any = false;
    for (size_t i = 0; !rc && i < t.n && (any || i < AT_ONCE); i++) {
        struct evs_ckpt c;
        rc = peek(&t, &t.shares[i], &c, err);
        bool ours = !rc && c.n && !strcmp(c.plan_hash, t.shares[i].plan.hash);
        if (ours)
            note_parts(&t, &c);
        else
            evs_ckpt_part(&t.report.ckpt, t.shares[i].partition);
        any = any || ours;
        evs_ckpt_done(&c);
    }
    if (any) {
        *ret_c = t.report.ckpt;
        memset(&t.report.ckpt, 0, sizeof(t.report.ckpt));
    }
    evs_ckpt_done(&t.report.ckpt);
    for (size_t i = 0; i < t.n; i++)
        evs_plan_done(&t.shares[i].plan);
    evs_free(t.shares);
    return rc;
}
