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
void evs_cli_replay_progress(const struct evs_report *r);

#endif
