/* run.h - a run of lint: topics sampled one after another, rules shown the records, findings
 * published.
 *
 * The sample of a topic is shared among its partitions by their size and taken from both ends of
 * each: what changed over time shows, and neighbouring records stay neighbours. --full reads all.
 *
 * Units    records.   Threads  open, free: one thread; snapshots: any.
 * Owns     a snapshot owns its findings.
 * Errors   in the snapshot: a topic or rule that could not be checked is listed with the reason.
 * Cost     about 20,000 records a topic, some 2 us each and rule.
 */
#ifndef EVS_LINT_RUN_H
#define EVS_LINT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/slot.h"
#include "lint/rule.h"

struct evs_wake;

enum { EVS_LINT_SAMPLE = 20000 };

struct evs_lint_opts {
    const char *const *globs; /* topics; none: all but internal ones. Copied. */
    size_t n_globs;
    const char *const *rules; /* names; none: all. Must be known. Copied. */
    size_t n_rules;
    int64_t sample; /* records a topic; 0: EVS_LINT_SAMPLE */
    bool full;
};

struct evs_lint_skipped {
    char *what, *why; /* a topic or a rule */
};

struct evs_lint_sn {
    struct evs_snap snap;
    bool done, complete;               /* complete: nothing was skipped or stopped */
    struct evs_lint_finding *findings; /* worst first, then topic */
    size_t n;
    struct evs_lint_skipped *skipped;
    size_t n_skipped;
    size_t topics, topics_all; /* checked, of */
    int64_t messages;
    int rules;
    double seconds;
    const char *doing;  /* before the first topic; NULL: checking them */
    double checking_s;  /* since the first topic was begun */
    struct evs_err err; /* nothing could be checked at all */
};

struct evs_lint;
enum evs_rc evs_lint_open(struct evs_client *c, const struct evs_lint_opts *opts,
                          const struct evs_wake *wake, struct evs_lint **ret_l,
                          struct evs_err *err) EVS_MUST_USE;
struct evs_lint_sn *evs_lint_take(struct evs_lint *l, uint64_t than); /* or NULL; unref it */
void evs_lint_stop(struct evs_lint *l);
void evs_lint_free(struct evs_lint *l); /* stops it; NULL is fine */

#endif
