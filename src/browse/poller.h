/* poller.h - a thread that polls something at an interval and publishes snapshots.
 *
 * A failing poll is tried again after 1, 2, 4 ... 30 s instead of the interval, or as soon as
 * anybody else finds the lost cluster back.
 *
 * Units    milliseconds.   Threads  poll runs on the poller's thread; the rest from any.
 * Owns     its thread and slot.   Errors  those of starting a thread.   Cost  one thread.
 */
#ifndef EVS_BROWSE_POLLER_H
#define EVS_BROWSE_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/slot.h"

struct evs_client;
struct evs_wake;
struct evs_poller;

/* Publishes into slot; false when it failed (failures: how often in a row before this one). */
typedef bool evs_poll_fn(void *ctx, struct evs_slot *slot, int failures);

enum evs_rc evs_poller_start(const char *name, struct evs_client *c, evs_poll_fn *poll, void *ctx,
                             int64_t interval_ms, const struct evs_wake *wake,
                             struct evs_poller **ret_p, struct evs_err *err) EVS_MUST_USE;
void evs_poller_free(struct evs_poller *p); /* stops and joins; NULL is fine */
struct evs_snap *evs_poller_take(struct evs_poller *p, uint64_t than);
void evs_poller_refresh(struct evs_poller *p); /* poll now, also while paused */
void evs_poller_pause(struct evs_poller *p, bool on);
void evs_poller_interval(struct evs_poller *p, int64_t interval_ms);

#endif
