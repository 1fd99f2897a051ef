/* poller.h - the survey again and again, for screens: commands in, snapshots out.
 *
 * One poller serves Groups, Group detail and Why, so the history is one. With many groups those in
 * view are refreshed and published first.
 *
 * Units    ms.   Threads  its own; every call here may come from the UI thread and never waits,
 *          except evs_lag_poller_free, which waits for a request on its way.
 * Owns     its survey and slots.
 * Errors   a failed refresh is a state: what was known stays, and it is tried again.
 * Cost     that of the survey, each interval.
 */
#ifndef EVS_LAG_POLLER_H
#define EVS_LAG_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/slot.h"
#include "core/thread.h"
#include "lag/survey.h"

struct evs_client;
struct evs_lag_poller;

enum { EVS_LAG_POLLER_MIN_MS = 1000, EVS_LAG_POLLER_MS = 5000, EVS_LAG_POLLER_MAX_MS = 300000 };

/* Only names are taken from o->names; globs are not used. */
enum evs_rc evs_lag_poller_start(struct evs_client *c, const struct evs_survey_opts *o,
                                 int64_t interval_ms, const struct evs_wake *wake,
                                 struct evs_lag_poller **ret_p, struct evs_err *err) EVS_MUST_USE;
void evs_lag_poller_free(struct evs_lag_poller *p); /* NULL is fine */

/* The latest picture newer than generation `than`, or NULL. */
struct evs_lag_sn *evs_lag_poller_take(struct evs_lag_poller *p, uint64_t than);

struct evs_lag_poller_state {
    struct evs_snap snap;
    bool paused, busy, stable;
    int64_t interval_ms;
    int64_t failed_since_ms; /* 0: the last refresh went well */
    struct evs_err err;      /* of the last refresh, when it failed */
    /* Half hours of the partition named by evs_lag_poller_focus; EVS_LAG_SPARK cells, -1
     * unknown. */
    bool charts;
    double lag[EVS_LAG_SPARK], in[EVS_LAG_SPARK], out[EVS_LAG_SPARK];
};
struct evs_lag_poller_state *evs_lag_poller_state(struct evs_lag_poller *p, uint64_t than);

void evs_lag_poller_pause(struct evs_lag_poller *p, bool on);
void evs_lag_poller_interval(struct evs_lag_poller *p, int64_t ms); /* within the limits above */
void evs_lag_poller_stable(struct evs_lag_poller *p, bool stable);  /* and refreshes */
void evs_lag_poller_refresh(struct evs_lag_poller *p);
void evs_lag_poller_add(struct evs_lag_poller *p, const char *group); /* by name, and refreshes */
void evs_lag_poller_view(struct evs_lag_poller *p, const char *const *groups, size_t n);
void evs_lag_poller_focus(struct evs_lag_poller *p, const char *group, const char *topic,
                          int32_t partition);

#endif
