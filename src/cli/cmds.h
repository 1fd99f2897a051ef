/* cmds.h - every command's row; evs_cmds in cli.c lists them in the order of --help.
 *
 * Threads, ownership, errors: see cli.h.
 */
#ifndef EVS_CLI_CMDS_H
#define EVS_CLI_CMDS_H

#include "cli/cli.h"

extern const struct evs_cmd evs_cmd_topics;
extern const struct evs_cmd evs_cmd_partitions;
extern const struct evs_cmd evs_cmd_messages;
extern const struct evs_cmd evs_cmd_keys;
extern const struct evs_cmd evs_cmd_config, evs_cmd_demo, evs_cmd_trace;
extern const struct evs_cmd evs_cmd_lint, evs_cmd_doctor, evs_cmd_check;
extern const struct evs_cmd evs_cmd_lag;
extern const struct evs_cmd evs_cmd_replay;
extern const struct evs_cmd evs_cmd_completion, evs_cmd_man;

#endif
