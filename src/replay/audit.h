/* audit.h - what was written where: one line a run, and the last plan and report of each job.
 *
 * In $XDG_STATE_HOME/eventscope (or ~/.local/state/eventscope): audit.jsonl has a line for a run's
 * beginning and one for its end (when, who, where, cluster id, plan hash, sink without password,
 * result); jobs/ID.json is the last plan and report of an id. One that was killed says "begun" in
 * the first and is "interrupted" in the list. Never event data, never a secret: a sink's password
 * must be given again, or come from PGPASSFILE.
 *
 * Threads  any one at a time.   Owns  a listing is the caller's.
 * Errors   none that stop a replay: EVS_AGAIN says what could not be written.
 * Cost     a few small writes.
 */
#ifndef EVS_REPLAY_AUDIT_H
#define EVS_REPLAY_AUDIT_H

#include "replay/run.h"

struct evs_client;

/* The state folder, made when missing; the caller frees. NULL: there is no home. */
char *evs_audit_folder(const char *below) EVS_MUST_USE;
enum evs_rc evs_audit_write(const struct evs_plan *p, const struct evs_report *r,
                            struct evs_client *c, struct evs_err *err);

struct evs_job_entry {
    char *id, *topic, *sink, *target, *state, *error;
    char *path; /* of the file that holds plan and report */
    int64_t at_ms;
    int64_t next, end, from; /* sums over partitions */
};
/* The jobs of earlier runs, newest first. Returns how many; the caller frees with
 * evs_audit_jobs_free. */
size_t evs_audit_jobs(struct evs_job_entry **ret_jobs);
void evs_audit_jobs_free(struct evs_job_entry *jobs, size_t n);
/* The plan of a job into a zeroed plan. */
enum evs_rc evs_audit_plan(const char *path, struct evs_plan *p, struct evs_err *err) EVS_MUST_USE;

#endif
