/* lag_out.h - a picture of consumer groups as text, JSON and Prometheus exposition.
 *
 * Threads  main.   Owns  nothing.   Errors  by evs_out_finish.   Cost  one buffer of the whole
 *          output.
 */
#ifndef EVS_CLI_LAG_OUT_H
#define EVS_CLI_LAG_OUT_H

#include <stdbool.h>

#include "core/err.h"

struct evs_lag_sn;
struct evs_cli;
struct evs_client;

void evs_lag_print_json(const struct evs_lag_sn *sn);
void evs_lag_print_text(const struct evs_lag_sn *sn, bool partitions);
void evs_lag_print_prometheus(const struct evs_lag_sn *sn);
/* lag --why GROUP TOPIC:PARTITION */
enum evs_rc evs_lag_explain(struct evs_cli *cli, struct evs_client *c, const char *group,
                            struct evs_err *err);

#endif
