/* team.h - a replay shared among processes, by partition.
 *
 * Each partition is a run of its own (id ID-pN) with its own checkpoint in the sink. Kafka's group
 * protocol says which process has which (kafka/member.h); a process that is given a partition
 * claims its checkpoint, which fences whoever had it before, living or not, and goes on from there;
 * one that is taken away is stopped after its batch and let go. The group holds no offsets. Who
 * has nothing to do waits for what others may leave behind, and ends when every partition is done.
 *
 * Units    those of run.h.   Threads  blocks its caller; one thread a run, four at a time (with
 *          follow: all).   Owns  the report is the caller's.
 * Errors   those of run.h; a run that was fenced is tried again while the group says it is ours.
 * Cost     that of a run for each partition at work.
 */
#ifndef EVS_REPLAY_TEAM_H
#define EVS_REPLAY_TEAM_H

#include "replay/run.h"

/* Whether this plan can be shared: EVS_INVALID says why not. */
enum evs_rc evs_team_check(const struct evs_plan *plan, struct evs_err *err) EVS_MUST_USE;
/* As evs_replay_run; opts->how is not looked at: it begins or resumes. */
enum evs_rc evs_team_run(const struct evs_replay_opts *opts, const char *group,
                         struct evs_report *ret_r, struct evs_err *err) EVS_MUST_USE;
/* The window that a team wrote, from its partitions' checkpoints: opts' plan, client, control and
 * timeout count. Without any of them: no partitions. */
enum evs_rc evs_team_window(const struct evs_replay_opts *opts, struct evs_ckpt *ret_c,
                            struct evs_err *err) EVS_MUST_USE;

#endif
