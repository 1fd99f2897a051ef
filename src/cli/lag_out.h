/* lag_out.h - a picture of consumer groups as text, JSON and Prometheus exposition.
 *
 * Threads  main.   Owns  nothing.   Errors  by evs_out_finish.   Cost  one buffer of the whole
 *          output.
 */
#ifndef EVS_CLI_LAG_OUT_H
#define EVS_CLI_LAG_OUT_H

#include <stdbool.h>

struct evs_lag_sn;
struct evs_lag_why;

void evs_lag_print_json(const struct evs_lag_sn *sn);
void evs_lag_print_text(const struct evs_lag_sn *sn, bool partitions);
void evs_lag_print_prometheus(const struct evs_lag_sn *sn);

#endif
