/* replay.h - what the files of the replay command share.
 *
 * Threads  main.   Owns  nothing.   Errors  as exit codes.
 */
#ifndef EVS_CLI_REPLAY_H
#define EVS_CLI_REPLAY_H

#include "cli/cli.h"
#include "replay/plan.h"
#include "replay/run.h"

/* --dry-run, --diff, --verify: read, compare, print; nothing is written. */
int evs_cli_replay_compare(struct evs_cli *cli, const struct evs_plan *p, struct evs_client *c);
/* --promote connect: the equivalent sink connector's configuration as JSON. */
int evs_cli_replay_promote(struct evs_cli *cli, const struct evs_plan *p);
/* What evs_cli_replay_watched is given: lines are JSON, one about each second. */
struct evs_cli_replay_watch {
    const struct evs_plan *plan;
    bool lines;
    int64_t told_s;
};
void evs_cli_replay_watched(void *ctx, const struct evs_report *r);
void evs_cli_replay_progress(const struct evs_report *r);
/* The report of a run that began, and what there is to warn of. */
void evs_cli_replay_report(const struct evs_cli *cli, const struct evs_plan *p,
                           const struct evs_report *r);

#endif
