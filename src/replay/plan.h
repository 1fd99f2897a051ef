/* plan.h - what a replay does, as a readable JSON file with a hash.
 *
 * The hash covers what decides the view's content: source, filter, view, sink and target. It does
 * not cover how the run goes about it (batch, rate, error policy, follow), which may change
 * between a stop and its resume. Passwords in a sink's URL are not part of it.
 *
 * Units    texts as the command line takes them.   Threads  none.   Owns  its texts.
 * Errors   EVS_INVALID "line 7: sink.url: unknown sink 'mongo'".   Cost  O(text).
 */
#ifndef EVS_REPLAY_PLAN_H
#define EVS_REPLAY_PLAN_H

#include "core/buf.h"
#include "core/err.h"
#include "filter/filter.h"
#include "kafka/range.h"
#include "sinks/row.h"

enum { EVS_PLAN_CAP = 1 << 20, EVS_PLAN_HASH_LEN = 33 };

enum evs_on_error { EVS_ON_ERROR_STOP, EVS_ON_ERROR_SKIP, EVS_ON_ERROR_DEAD_LETTER };

struct evs_plan_column {
    char *name, *type, *expr; /* type may be NULL */
};

struct evs_plan_list {
    char **items;
    size_t n;
};

struct evs_plan {
    char *id; /* NULL: derived */
    char *topic, *partitions, *from, *to, *since, *until, *isolation;
    struct evs_plan_list keys, greps, headers, jqs;
    struct evs_plan_list not_keys, not_greps, not_headers, not_jqs;
    bool ignore_case;
    enum evs_view_mode mode;
    char *mode_text;
    struct evs_plan_list column_texts;
    struct evs_plan_column *columns; /* parsed from them by evs_plan_check */
    size_t n_columns;
    char *group_by, *value;
    char *sink, *target, *key_type, *value_type;
    bool swap;
    char *batch, *rate, *on_error_text; /* "20000"; "5000" or "2x"; "dead-letter:URL" */
    bool follow;
    char *count;
    /* set by evs_plan_check */
    enum evs_on_error on_error;
    const char *dead_letter;            /* URL, inside on_error_text */
    int64_t batch_events, count_events; /* 0: by size and age; 0: no limit */
    double rate_events, speed;          /* a second; times original time; 0: unlimited */
    char hash[EVS_PLAN_HASH_LEN];
    bool edited; /* the file says another hash than its content has */
};

void evs_plan_done(struct evs_plan *p);
/* Sets a text member. */
void evs_plan_set(char **member, const char *text); /* NULL clears */
void evs_plan_add(struct evs_plan_list *list, const char *text);
void evs_plan_clear(struct evs_plan_list *list);
/* The file's text into a zeroed plan, checked. */
enum evs_rc evs_plan_parse(struct evs_plan *p, const char *text, size_t n,
                           struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_plan_read(struct evs_plan *p, const char *path, struct evs_err *err) EVS_MUST_USE;
/* The sink where none is named: a table, named after the topic, of an SQLite file in the working
 * folder. Sets sink, and target unless it is set; the topic must be known. */
void evs_plan_suggest(struct evs_plan *p);
/* Everything that can be told without a cluster or a sink; fills the derived members, id and
 * hash. */
enum evs_rc evs_plan_check(struct evs_plan *p, struct evs_err *err) EVS_MUST_USE;
void evs_plan_print(const struct evs_plan *p, struct evs_buf *out);
enum evs_rc evs_plan_save(const struct evs_plan *p, const char *path,
                          struct evs_err *err) EVS_MUST_USE;

/* How many terms the filter has. */
size_t evs_plan_terms(const struct evs_plan *p);

/* For the engines. The view borrows from the plan and the caller's columns. */
enum evs_rc evs_plan_filter(const struct evs_plan *p, struct evs_filter **ret_f,
                            struct evs_err *err) EVS_MUST_USE;
void evs_plan_range(const struct evs_plan *p, struct evs_range_spec *ret_spec);
/* Columns are n_columns places for names. */
void evs_plan_view(const struct evs_plan *p, struct evs_shape_column *columns,
                   struct evs_shape *ret_view);

#endif
