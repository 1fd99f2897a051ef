/* rate.h - events per second over a sliding window.
 *
 * Keeps the last EVS_RATE_SAMPLES readings of a counter and answers with the slope over the newest
 * window of them. A counter that goes back (topic recreated, commit rewound) starts the window
 * afresh.
 *
 * Units    milliseconds; events per second.   Threads  none.   Owns  nothing.   Errors  none.
 * Cost     O(EVS_RATE_SAMPLES) to read, O(1) to add.
 */
#ifndef EVS_STATS_RATE_H
#define EVS_STATS_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Readings closer than MIN_MS say nothing of a rate; the commands take no interval under 100. */
enum { EVS_RATE_SAMPLES = 64, EVS_RATE_MIN_MS = 90 };

struct evs_rate {
    int n, next;
    int64_t at_ms[EVS_RATE_SAMPLES];
    int64_t value[EVS_RATE_SAMPLES];
};

void evs_rate_init(struct evs_rate *r);
void evs_rate_add(struct evs_rate *r, int64_t at_ms, int64_t value);
/* False while fewer than two readings lie in the window. */
bool evs_rate_get(const struct evs_rate *r, int64_t window_ms, double *ret_per_second);

#endif
