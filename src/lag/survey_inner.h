/* survey_inner.h - what the files of the survey share: asking (survey.c, ends.c) and building
 * (build.c).
 *
 * Threads, ownership, errors: see survey.h.
 */
#ifndef EVS_LAG_SURVEY_INNER_H
#define EVS_LAG_SURVEY_INNER_H

#include "core/buf.h"
#include "kafka/groups.h"
#include "kafka/meta.h"
#include "kafka/peek.h"
#include "lag/state.h"
#include "lag/survey.h"

struct evs_commits;

struct evs_survey {
    struct evs_client *c;
    struct evs_groups *pool;
    struct evs_peek *peek[2];    /* by isolation, opened at first use */
    struct evs_commits *commits; /* NULL: offsets come by request */
    bool commits_failed;
    char *commits_why;
    struct evs_lag_state st;
    char **names, **globs, **view;
    size_t n_names, n_globs, n_view;
    bool no_configs; /* topics' configuration cannot be had */
    bool whole_list; /* every broker listed its groups: what is not listed does not exist */
    bool all; /* neither names nor globs were given */
    bool stable, watch, ages;
    enum evs_survey_source source;
    int64_t meta_ms; /* when metadata was read; 0 never */
    /* Of the present refresh: */
    int64_t now_ms;
    int requests, failed_groups;
    bool only_view;
    char *warning, *down; /* down: no broker answers, nothing is asked */
    uint64_t refresh;
};

void evs_survey_warn(struct evs_survey *s, const char *fmt, ...) EVS_PRINTF(2, 3);
bool evs_survey_in_view(const struct evs_survey *s, const char *group);

/* topics.c: metadata when it is due; a row for every partition of a group's topics. */
enum evs_rc evs_survey_meta(struct evs_survey *s, struct evs_err *err) EVS_MUST_USE;
void evs_survey_complete(struct evs_lag_group *g);

/* ends.c: ends, grid and peeks of what the rows need. */
enum evs_rc evs_survey_ends(struct evs_survey *s, struct evs_err *err) EVS_MUST_USE;
void evs_survey_closer(struct evs_survey *s);
/* Compaction and retention of topics not asked for yet. */
void evs_survey_configs(struct evs_survey *s);
/* The ends of an entry's partition. */
void evs_survey_ends_of(const struct evs_lag_entry *e, struct evs_lag_ends *ret_ends);

/* build.c */
struct evs_lag_sn *evs_survey_build(struct evs_survey *s, double seconds);
/* Adds this refresh's reading to every trace. */
void evs_survey_trace(struct evs_survey *s);

#endif
