/* spark.h - the last quarter of an hour of a counter as rates a minute: what a sparkline draws.
 *
 * Units    events per second; epoch milliseconds.   Threads  none.   Owns  nothing.
 * Shape    EVS_SPARK bars of EVS_SPARK_MS, the last one is running now; NAN where nothing is known.
 * Errors   a counter that goes back starts afresh.  Cost  O(1) to add, O(EVS_SPARK) to read.
 */
#ifndef EVS_BROWSE_SPARK_H
#define EVS_BROWSE_SPARK_H

#include <stdbool.h>
#include <stdint.h>

enum { EVS_SPARK = 15, EVS_SPARK_MS = 60000 };

struct evs_spark {
    int64_t minute[EVS_SPARK + 1];  /* which one stands in a slot, 0 none */
    int64_t last_ms[EVS_SPARK + 1]; /* last reading within it */
    int64_t last[EVS_SPARK + 1];
};

void evs_spark_add(struct evs_spark *s, int64_t at_ms, int64_t counter);
void evs_spark_get(const struct evs_spark *s, int64_t at_ms, float to[EVS_SPARK]);

#endif
