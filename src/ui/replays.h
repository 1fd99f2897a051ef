/* replays.h - the replays of this session, which go on when their screen is left.
 *
 * The Replay screen starts them, Jobs lists them with those of earlier sessions. While one writes,
 * the header says so and quitting asks.
 *
 * Threads  UI thread.   Owns  the jobs, until evs_ui_replays_done.
 * Errors   kept in each job's last snapshot.   Cost  a look per frame with news.
 */
#ifndef EVS_UI_REPLAYS_H
#define EVS_UI_REPLAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "replay/job.h"

struct evs_ui;

struct evs_ui_replay {
    struct evs_job *job;
    struct evs_job_sn *sn; /* counted; NULL at first */
    struct evs_ui_replay *next;
};

struct evs_ui_replay *evs_ui_replay_start(struct evs_ui *ui, const struct evs_plan *plan,
                                          enum evs_job_kind kind, enum evs_replay_how how,
                                          struct evs_err *err);
/* Takes news of all; true when there was some. */
bool evs_ui_replays_refresh(struct evs_ui *ui);
struct evs_ui_replay *evs_ui_replays(void); /* newest first; NULL: none */
/* "running", "paused", "stopped", "done", "failed", "compared" */
const char *evs_ui_replay_state(const struct evs_ui_replay *r);
double evs_ui_replay_share(const struct evs_ui_replay *r); /* 0..1 of the offsets */
bool evs_ui_replay_ended(const struct evs_ui_replay *r);
/* Lets the job and its thread go. */
void evs_ui_replay_drop(struct evs_ui_replay *r);

#endif
