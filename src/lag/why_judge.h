/* why_judge.h - the verdicts of why.c, apart from reading: pure, for tests.
 *
 * Threads  none.   Owns  nothing.   Errors  none.   Cost  O(partitions of the group).
 */
#ifndef EVS_LAG_WHY_JUDGE_H
#define EVS_LAG_WHY_JUDGE_H

#include "lag/why.h"

struct evs_why_read {
    int checked, json;         /* values of other records looked at; of them valid JSON */
    const char *record_failed; /* why the record could not be read; "" it was */
    const char *window_failed;
};

/* The suspects that need no reading: transaction, retention, owner, all partitions, processing. */
void evs_why_judge_rows(struct evs_why *w, const struct evs_lag_group_row *g,
                        const struct evs_lag_row *row);
/* The record at the commit, and keys. */
void evs_why_judge_records(struct evs_why *w, const struct evs_why_read *read);
/* Counts and the verdict in words. */
void evs_why_conclude(struct evs_why *w, const struct evs_lag_group_row *g,
                      const struct evs_lag_row *row);

#endif
