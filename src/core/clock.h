/* clock.h - monotonic and wall time, replaceable in tests.
 *
 * Units  microseconds since some start (monotonic); epoch milliseconds UTC (wall).   Threads  any.
 * Owns  nothing.   Errors  none.   Cost  one vDSO call.
 */
#ifndef EVS_CORE_CLOCK_H
#define EVS_CORE_CLOCK_H

#include <stdint.h>

int64_t evs_clock_mono_us(void);
int64_t evs_clock_wall_ms(void);
/* Freezes the wall clock (tests, golden screens); 0 lets it run again. */
void evs_clock_freeze(int64_t wall_ms);

#endif
