/* eval.h - what lag means, and what state a consumer is in.
 *
 * Figures: lag = high - max(committed, low), where high is the end that counts (high watermark or
 * last stable offset). Never negative, never a silent zero: what cannot be known is EVS_LAG_NULL
 * and a note says why.
 *
 * Status: Burrow's rules in its words over a window of readings, oldest first, with two changes.
 * A reading is a poll, not a commit, so "stop" also follows from the members: a group without any,
 * or a partition nobody owns. And a reading within the allowed lag excuses only the last three
 * readings, not ten, so that a trouble shows within three refreshes.
 *
 * Units    records (offsets); ms.   Threads  any, pure.   Owns  nothing.   Errors  none.
 * Cost     O(window).
 * Source   Burrow core/internal/evaluator/caching.go; KIP-98 (last stable offset).
 */
#ifndef EVS_LAG_EVAL_H
#define EVS_LAG_EVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVS_LAG_NULL (-1) /* an offset, count or time that is not known */

enum evs_lag_note {
    EVS_NOTE_NONE,
    EVS_NOTE_NO_COMMIT,
    EVS_NOTE_BEFORE_START,
    EVS_NOTE_PAST_END,
    EVS_NOTE_TOPIC_GONE,
    EVS_NOTE_MARKERS,
    EVS_NOTE_OPEN_TXN,
    EVS_NOTE_ERROR /* the broker's words stand beside */
};
const char *evs_lag_note_text(enum evs_lag_note note); /* the contract's; NULL for none and error */

struct evs_lag_ends {
    int64_t low, hw, lso; /* EVS_LAG_NULL unknown */
    bool gone;            /* the topic does not exist */
    bool failed;          /* the brokers gave no offsets */
};

struct evs_lag_figures {
    int64_t high; /* the end that counts */
    int64_t lag;  /* or EVS_LAG_NULL */
    int64_t lost; /* records between committed and low */
    int64_t open; /* records held by open transactions: hw - lso */
    enum evs_lag_note note;
};
/* committed is EVS_LAG_NULL when there is none. stable: count to the last stable offset. */
void evs_lag_figures(int64_t committed, const struct evs_lag_ends *ends, bool stable,
                     struct evs_lag_figures *ret_f);

enum evs_lag_status { /* from harmless to grave: a group has the gravest of its partitions */
                      EVS_LAG_OK,
                      EVS_LAG_EMPTY,
                      EVS_LAG_UNKNOWN,
                      EVS_LAG_SKEWED,
                      EVS_LAG_WARN,
                      EVS_LAG_REWIND,
                      EVS_LAG_STOP,
                      EVS_LAG_STALL
};
const char *evs_lag_status_name(enum evs_lag_status s); /* "stall" */
const char *evs_lag_status_word(enum evs_lag_status s); /* "stalled", for screens */

enum evs_lag_rule {
    EVS_RULE_CAUGHT_UP,
    EVS_RULE_INCOMPLETE,
    EVS_RULE_WAS_CAUGHT_UP,
    EVS_RULE_MOVING,
    EVS_RULE_MARKERS,
    EVS_RULE_EMPTY,
    EVS_RULE_NO_COMMIT,
    EVS_RULE_GONE,
    EVS_RULE_ERROR,
    EVS_RULE_SKEWED,
    EVS_RULE_OPEN_TXN,
    EVS_RULE_LOST,
    EVS_RULE_AHEAD,
    EVS_RULE_GROWS,
    EVS_RULE_REWIND,
    EVS_RULE_SILENT,
    EVS_RULE_NO_MEMBER,
    EVS_RULE_NO_OWNER,
    EVS_RULE_STANDS
};
const char *evs_lag_rule_text(enum evs_lag_rule r);

struct evs_lag_reading {
    int64_t at_ms;
    int64_t committed; /* EVS_LAG_NULL: none then */
    int64_t lag;       /* EVS_LAG_NULL: unknown then, skipped */
};

enum evs_lag_owner {
    EVS_OWNER_UNKNOWN,  /* members could not be had */
    EVS_OWNER_NO_GROUP, /* the group has no member */
    EVS_OWNER_NONE,     /* members, but none owns this partition */
    EVS_OWNER_HELD
};

enum { EVS_LAG_WINDOW = 10, EVS_LAG_MIN_READINGS = 3 };

struct evs_lag_case {
    const struct evs_lag_reading *readings; /* oldest first, at most EVS_LAG_WINDOW */
    int n;
    int64_t now_ms;
    int64_t allowed; /* lag that is never a finding; Burrow's allowed-lag, 0 by default */
    enum evs_lag_owner owner;
    struct evs_lag_figures now;
    bool only_markers;         /* nothing that a consumer would receive is left */
    bool readings_are_commits; /* at_ms are commit times: Burrow's silence rule applies */
    int64_t committed;         /* of now */
    int64_t lso;               /* of now; EVS_LAG_NULL unknown */
    int64_t commit_gap_ms;     /* longest usual time between two moves of the commit; 0 unknown */
    double produce_rate;       /* per second; < 0 unknown */
};

struct evs_lag_verdict {
    enum evs_lag_status status;
    enum evs_lag_rule rule;
};
struct evs_lag_verdict evs_lag_judge(const struct evs_lag_case *c);

/* A group from its partitions: the gravest; skewed where one partition holds at least 80 % and at
 * least 100 records of the lag of 2 or more and nothing graver than "warn" is known. */
struct evs_lag_part_view {
    struct evs_lag_verdict verdict;
    int64_t lag; /* EVS_LAG_NULL unknown */
};
struct evs_lag_group_view {
    int64_t total;    /* known lags added up; EVS_LAG_NULL when none is known */
    size_t worst;     /* index of the partition that decided; 0 when there is none */
    size_t top;       /* index of the largest lag */
    double top_share; /* of the total, 0 when that is 0 */
    bool partial;     /* a lag is unknown for another reason than "no commit" */
    struct evs_lag_verdict verdict;
};
void evs_lag_judge_group(const struct evs_lag_part_view *parts, size_t n, bool no_member,
                         struct evs_lag_group_view *ret_g);

#endif
