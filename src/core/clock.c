#include "core/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t frozen_ms;

int64_t evs_clock_mono_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t evs_clock_wall_ms(void)
{
    int64_t fixed = atomic_load(&frozen_ms);
    if (fixed)
        return fixed;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void evs_clock_freeze(int64_t wall_ms)
{
    atomic_store(&frozen_ms, wall_ms);
}
