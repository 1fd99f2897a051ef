#include "replay/job.h"

#include <string.h>

#include "core/clock.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "replay/audit.h"

enum { EXAMPLES = 100 };

struct evs_job {
    struct evs_plan plan;
    struct evs_client *client;
    enum evs_job_kind kind;
    enum evs_replay_how how;
    struct evs_stop stop;
    struct evs_replay_control control;
    struct evs_slot *slot;
    struct evs_thread *thread;
    int64_t timeout_ms, started_ms;
};

static void free_snap(struct evs_snap *snap)
{
    struct evs_job_sn *sn = (struct evs_job_sn *)snap;
    evs_report_done(&sn->report);
    evs_comparison_done(&sn->cmp);
    evs_free(sn);
}

static struct evs_job_sn *new_snap(void)
{
    struct evs_job_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_snap);
    return sn;
}

static void progress(void *ctx, const struct evs_report *r)
{
    struct evs_job *j = ctx;
    struct evs_job_sn *sn = new_snap();
    evs_report_copy(&sn->report, r);
    evs_slot_publish(j->slot, &sn->snap);
}

static void work(void *ctx)
{
    struct evs_job *j = ctx;
    struct evs_job_sn *sn = new_snap();
    struct evs_err err = EVS_ERR_INIT, unlogged = EVS_ERR_INIT;
    enum evs_rc rc;
    if (j->kind == EVS_JOB_RUN) {
        struct evs_replay_opts o = {.plan = &j->plan,
                                    .client = j->client,
                                    .how = j->how,
                                    .control = &j->control,
                                    .timeout_ms = j->timeout_ms,
                                    .progress = progress,
                                    .ctx = j};
        rc = evs_replay_run(&o, &sn->report, &err);
        if (sn->report.state)
            (void)!evs_audit_write(&j->plan, &sn->report, j->client, &unlogged);
    } else {
        struct evs_compare_opts o = {.plan = &j->plan,
                                     .client = j->client,
                                     .control = &j->control,
                                     .timeout_ms = j->timeout_ms,
                                     .examples = EXAMPLES,
                                     .progress = progress,
                                     .ctx = j};
        rc = j->kind == EVS_JOB_DIFF ? evs_replay_diff(&o, &sn->cmp, &err)
                                     : evs_replay_verify(&o, &sn->cmp, &err);
        sn->compared = !rc;
        evs_report_copy(&sn->report, &sn->cmp.report);
        sn->report.state = rc ? "stopped" : "done";
    }
    sn->err = err;
    sn->err.code = rc;
    sn->ended = true;
    evs_slot_publish(j->slot, &sn->snap);
}

/* By way of its own text: every field that a plan has. */
static enum evs_rc copy_plan(struct evs_plan *to, const struct evs_plan *from, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_PLAN_CAP);
    evs_plan_print(from, &text);
    return evs_plan_parse(to, evs_buf_str(&text), text.len, err);
}

enum evs_rc evs_job_start(const struct evs_plan *plan, struct evs_client *client,
                          enum evs_job_kind kind, enum evs_replay_how how, int64_t timeout_ms,
                          const struct evs_wake *wake, struct evs_job **ret_j, struct evs_err *err)
{
    struct evs_job *j = evs_xcalloc(1, sizeof(*j));
    j->client = client;
    j->kind = kind;
    j->how = how;
    j->timeout_ms = timeout_ms;
    j->started_ms = evs_clock_wall_ms();
    j->slot = evs_slot_new(wake);
    enum evs_rc rc = evs_stop_init(&j->stop, err);
    j->control.stop = &j->stop;
    if (!rc)
        rc = copy_plan(&j->plan, plan, err);
    atomic_store(&j->control.rate_events, (int64_t)j->plan.rate_events);
    if (!rc)
        rc = evs_thread_start("replay", work, j, &j->thread, err);
    if (rc) {
        evs_job_free(j);
        return rc;
    }
    *ret_j = j;
    return EVS_OK;
}

struct evs_job_sn *evs_job_take(struct evs_job *j, uint64_t than)
{
    return (struct evs_job_sn *)evs_slot_take(j->slot, than);
}

const struct evs_plan *evs_job_plan(const struct evs_job *j)
{
    return &j->plan;
}

enum evs_job_kind evs_job_kind(const struct evs_job *j)
{
    return j->kind;
}

int64_t evs_job_started_ms(const struct evs_job *j)
{
    return j->started_ms;
}

void evs_job_stop(struct evs_job *j)
{
    evs_stop_raise(&j->stop);
}

void evs_job_wait(struct evs_job *j)
{
    evs_thread_join(j->thread);
    j->thread = NULL;
}

void evs_job_pause(struct evs_job *j, bool on)
{
    atomic_store(&j->control.paused, on);
}

bool evs_job_paused(const struct evs_job *j)
{
    return atomic_load(&j->control.paused);
}

void evs_job_rate(struct evs_job *j, int64_t events_a_second)
{
    atomic_store(&j->control.rate_events, events_a_second);
}

int64_t evs_job_rate_now(const struct evs_job *j)
{
    return atomic_load(&j->control.rate_events);
}

void evs_job_free(struct evs_job *j)
{
    if (!j)
        return;
    evs_stop_raise(&j->stop);
    evs_thread_join(j->thread);
    evs_slot_free(j->slot);
    evs_stop_done(&j->stop);
    evs_plan_done(&j->plan);
    evs_free(j);
}
