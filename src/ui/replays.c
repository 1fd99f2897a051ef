#include "ui/replays.h"

#include <stdio.h>

#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/range.h"
#include "ui/screen.h"
#include "ui/task.h"

static struct evs_ui_replay *replays; /* UI thread only */

struct evs_ui_replay *evs_ui_replays(void)
{
    return replays;
}

struct evs_ui_replay *evs_ui_replay_start(struct evs_ui *ui, const struct evs_plan *plan,
                                          enum evs_job_kind kind, enum evs_replay_how how,
                                          struct evs_err *err)
{
    struct evs_client *c = evs_ui_client(ui);
    struct evs_job *job = NULL;
    if (!c) {
        evs_fail(err, EVS_INVALID, "no cluster is connected");
        return NULL;
    }
    if (evs_job_start(plan, c, kind, how, evs_client_timeout_ms(c), evs_ui_wake(ui), &job, err))
        return NULL;
    struct evs_ui_replay *r = evs_xcalloc(1, sizeof(*r));
    r->job = job;
    r->next = replays;
    replays = r;
    return r;
}

bool evs_ui_replay_ended(const struct evs_ui_replay *r)
{
    return r->sn && r->sn->ended;
}

const char *evs_ui_replay_state(const struct evs_ui_replay *r)
{
    if (!evs_ui_replay_ended(r))
        return evs_job_paused(r->job) ? "paused" : "running";
    if (r->sn->err.code == EVS_EOF)
        return "stopped";
    if (r->sn->err.code)
        return "failed";
    return r->sn->compared ? "compared" : r->sn->report.state;
}

double evs_ui_replay_share(const struct evs_ui_replay *r)
{
    int64_t span = 0, done = 0;
    for (size_t i = 0; r->sn && i < r->sn->report.ckpt.n; i++) {
        const int64_t *n = r->sn->report.ckpt.parts[i].n;
        if (n[EVS_CKPT_END] == EVS_RANGE_OPEN)
            continue;
        span += n[EVS_CKPT_END] - n[EVS_CKPT_FROM];
        done += n[EVS_CKPT_NEXT] - n[EVS_CKPT_FROM];
    }
    return span > 0 ? (double)done / (double)span : evs_ui_replay_ended(r) ? 1 : 0;
}

/* What header and quitting say. */
static void tell(struct evs_ui *ui)
{
    char text[48] = "";
    int running = 0, writing = 0;
    double share = 0;
    for (const struct evs_ui_replay *r = replays; r; r = r->next) {
        if (evs_ui_replay_ended(r))
            continue;
        running++;
        writing += evs_job_kind(r->job) == EVS_JOB_RUN;
        share = evs_ui_replay_share(r);
    }
    if (running == 1)
        snprintf(text, sizeof(text), "1 job %.0f %%", share * 100);
    else if (running)
        snprintf(text, sizeof(text), "%d jobs", running);
    evs_ui_set_jobs(ui, text);
    evs_ui_set_quit_question(ui, writing ? "A replay is writing. Stop it after this batch and quit?"
                                         : NULL);
}

bool evs_ui_replays_refresh(struct evs_ui *ui)
{
    bool news = false;
    for (struct evs_ui_replay *r = replays; r; r = r->next) {
        struct evs_job_sn *sn = evs_job_take(r->job, r->sn ? r->sn->snap.generation : 0);
        if (!sn)
            continue;
        if (r->sn)
            evs_snap_unref(&r->sn->snap);
        r->sn = sn;
        news = true;
    }
    if (replays)
        tell(ui);
    return news;
}

static void free_job(void *job)
{
    evs_job_free(job);
}

void evs_ui_replay_drop(struct evs_ui_replay *r)
{
    struct evs_ui_replay **place = &replays;
    while (*place && *place != r)
        place = &(*place)->next;
    if (*place)
        *place = r->next;
    if (r->sn)
        evs_snap_unref(&r->sn->snap);
    evs_task_retire("replay", free_job, r->job);
    evs_free(r);
}
