/* job.h - a replay at work beside an interface: a diff, a run or a verify on a thread of its own.
 *
 * Snapshots tell how far it is; the last one, with `ended` set, says how it ended. A run goes on
 * when nobody looks; stopping it ends it after its batch, and a later job resumes.
 *
 * Threads  its own; start, knobs and free from one (the interface's); take never waits.
 * Owns     a copy of the plan; the client is borrowed and must outlive the job.
 * Errors   in the last snapshot.   Cost  one thread, and the run's own.
 */
#ifndef EVS_REPLAY_JOB_H
#define EVS_REPLAY_JOB_H

#include "core/slot.h"
#include "replay/compare.h"
#include "replay/run.h"

enum evs_job_kind { EVS_JOB_DIFF, EVS_JOB_RUN, EVS_JOB_VERIFY };

struct evs_job_sn {
    struct evs_snap snap;
    bool ended, compared; /* compared: `cmp` is filled */
    struct evs_report report;
    struct evs_comparison cmp;
    struct evs_err err; /* code EVS_OK: fine */
};

struct evs_job;
enum evs_rc evs_job_start(const struct evs_plan *plan, struct evs_client *client,
                          enum evs_job_kind kind, enum evs_replay_how how, int64_t timeout_ms,
                          const struct evs_wake *wake, struct evs_job **ret_j,
                          struct evs_err *err) EVS_MUST_USE;
struct evs_job_sn *evs_job_take(struct evs_job *j, uint64_t than); /* a reference, or NULL */
const struct evs_plan *evs_job_plan(const struct evs_job *j);
enum evs_job_kind evs_job_kind(const struct evs_job *j);
int64_t evs_job_started_ms(const struct evs_job *j);
void evs_job_stop(struct evs_job *j);
void evs_job_wait(struct evs_job *j); /* until it has ended */
void evs_job_pause(struct evs_job *j, bool on);
bool evs_job_paused(const struct evs_job *j);
void evs_job_rate(struct evs_job *j, int64_t events_a_second); /* 0: unlimited */
int64_t evs_job_rate_now(const struct evs_job *j);
void evs_job_free(struct evs_job *j); /* stops and joins: may wait for a batch. NULL is fine */

#endif
