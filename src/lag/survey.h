/* survey.h - one look at all groups: asks the cluster, keeps what it learned, builds a snapshot.
 *
 * The order makes the lag right: commits first, then the ends (log start, high watermark, and
 * after it the last stable offset), so that a fast consumer is never ahead of the end. One
 * request per leader for each kind of end. The rows in view are looked at more closely: the
 * record at their commit is read, which gives its age, and tells records from transaction markers.
 *
 * Units    records, ms.   Threads  none: one thread at a time; the stop may be raised from any.
 * Owns     the options are copied; snapshots are the caller's reference.
 * Errors   a refresh fails only when nothing can be known: no connection, groups neither listed nor
 *          named. Everything else is a state of a row, and `complete` false.
 * Cost     see groups.h; 3 ListOffsets a leader, 6 more each half minute; at most EVS_SURVEY_PEEKS
 *          small fetches.
 */
#ifndef EVS_LAG_SURVEY_H
#define EVS_LAG_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/thread.h"
#include "lag/model.h"

struct evs_client;
struct evs_survey;

enum { EVS_SURVEY_PEEKS = 60, EVS_SURVEY_TOPIC_MODE = 500 };

enum evs_survey_source {
    EVS_SOURCE_AUTO,  /* the offsets topic in a watch with many groups, where it may be read */
    EVS_SOURCE_ADMIN, /* requests by group */
    EVS_SOURCE_TOPIC  /* __consumer_offsets, read to its end and followed */
};

struct evs_survey_opts {
    const char *const *names; /* groups by name; listing is then not needed */
    size_t n_names;
    const char *const *globs; /* of the listed ones; none: all, when no names are given either */
    size_t n_globs;
    bool stable; /* lag counts to the last stable offset */
    bool watch;  /* more refreshes will follow */
    bool ages;   /* lag in time: the grid of offsets by time */
    enum evs_survey_source source;
};

enum evs_rc evs_survey_new(struct evs_client *c, const struct evs_survey_opts *o,
                           struct evs_survey **ret_s, struct evs_err *err) EVS_MUST_USE;
void evs_survey_free(struct evs_survey *s); /* NULL is fine */

void evs_survey_stable(struct evs_survey *s, bool stable);
/* Groups whose rows are looked at closely, refreshed first; none: those with most lag. Copied. */
void evs_survey_view(struct evs_survey *s, const char *const *groups, size_t n);
/* One more group by name. */
void evs_survey_add(struct evs_survey *s, const char *group);

/* only_view: just the groups in view, the others stay as they were (`partial`). */
enum evs_rc evs_survey_refresh(struct evs_survey *s, bool only_view, struct evs_stop *stop,
                               struct evs_lag_sn **ret_sn, struct evs_err *err) EVS_MUST_USE;
/* The half hours of one partition for the charts: lag, and offsets that arrived and were
 * committed in each minute; EVS_LAG_SPARK cells, oldest first, -1 unknown. False when it is not
 * among the rows. */
bool evs_survey_charts(struct evs_survey *s, const char *group, const char *topic,
                       int32_t partition, int64_t now_ms, double *ret_lag, double *ret_in,
                       double *ret_out);

#endif
