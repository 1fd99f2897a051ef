/* compare.h - the topic against the view: what a run would change, and whether the view is right.
 *
 * Both fold the window in memory, without the sink, and write nothing. A diff reads the rows of the
 * keys that the window touches: insert, update, delete, same (already right), newer (the view holds
 * something later, or has this very event with other content: a run leaves both alone). A verify
 * reads the whole view: missing, extra, different; rows that the view got from outside the window
 * are counted apart and are no fault.
 *
 * Units    rows.   Threads  blocks its caller; control's stop ends it.
 * Owns     results are the caller's.   Errors  those of kafka/ and sinks/; EVS_EOF stopped.
 * Cost     memory_bytes; a window that folds to more is read, and the view too, in several passes.
 */
#ifndef EVS_REPLAY_COMPARE_H
#define EVS_REPLAY_COMPARE_H

#include "replay/rows.h"
#include "replay/run.h"

enum evs_change {
    EVS_CHANGE_INSERT,
    EVS_CHANGE_UPDATE,
    EVS_CHANGE_DELETE,
    EVS_CHANGE_SAME,
    EVS_CHANGE_NEWER,
    EVS_CHANGE_MISSING, /* verify */
    EVS_CHANGE_EXTRA,
    EVS_CHANGE_DIFFERENT,
    EVS_CHANGE_OUTSIDE,
    EVS_CHANGES
};
extern const char *const evs_change_names[EVS_CHANGES];

struct evs_compare_opts {
    const struct evs_plan *plan;
    struct evs_client *client;
    struct evs_replay_control *control;
    int64_t timeout_ms;
    size_t examples;                                         /* of each class */
    size_t memory_bytes;                                     /* of the fold; 0: 1 GiB */
    void (*progress)(void *ctx, const struct evs_report *r); /* while the window is read */
    void *ctx;
};

struct evs_example {
    enum evs_change change;
    char *key; /* bytes */
    size_t key_len;
    int32_t partition; /* of the source's event, else the view's; -1 unknown */
    int64_t offset;
    char *fields; /* JSON object: name to [in the view, in the topic] */
};

struct evs_comparison {
    int64_t n[EVS_CHANGES];
    int64_t source_rows, sink_rows;
    struct evs_example *examples;
    size_t n_examples;
    struct evs_report report; /* of reading the window; state is "dry-run" */
};
void evs_comparison_done(struct evs_comparison *c);

enum evs_rc evs_replay_diff(const struct evs_compare_opts *o, struct evs_comparison *ret_c,
                            struct evs_err *err) EVS_MUST_USE;
/* The window is the checkpoint's, where there is one of this plan. */
enum evs_rc evs_replay_verify(const struct evs_compare_opts *o, struct evs_comparison *ret_c,
                              struct evs_err *err) EVS_MUST_USE;
/* Members of an open object. */
void evs_comparison_json(const struct evs_comparison *c, bool verify, struct evs_jsonw *w);

#endif
