/* run.h - a replay from start to end: read, keep, project, fold, write, checkpoint.
 *
 * Each reader worker filters, projects and folds its own partitions into a batch; one writer (the
 * thread that called evs_replay_run) applies a batch and its checkpoint in one transaction while
 * the workers fold the next: two batches in flight. A slow sink makes batches larger, and larger
 * batches fold better. End offsets are frozen at the start and kept in the checkpoint. Commit
 * first, then advance: a crash reads again, never skips; after an unknown outcome the sink's own
 * checkpoint tells what happened.
 *
 * A record that cannot pass stops the run after everything before it, or is skipped or set aside:
 * then the partition is read again from the checkpoint without it, because what it was folded with
 * must count.
 *
 * Units    events, rows, bytes, offsets.
 * Threads  evs_replay_run blocks its caller; pause, rate and stop may come from any thread.
 * Owns     the report is the caller's.   Errors  as the sinks' classes; the report says how far it
 *          came.
 * Cost     memory: two batches a worker, at most about 128 MiB each.
 */
#ifndef EVS_REPLAY_RUN_H
#define EVS_REPLAY_RUN_H

#include "core/jsonw.h"
#include "core/thread.h"
#include "replay/plan.h"
#include "sinks/sink.h"

struct evs_client;

struct evs_report {
    char *id, *plan_hash, *guarantee;
    const char *state;    /* static: "done", "stopped", "failed", "dry-run", "running", "paused" */
    struct evs_ckpt ckpt; /* totals and partitions, since the id began */
    int64_t left;         /* rows that the sink had newer */
    int64_t null_keys;    /* events without a key, in a view by key: counted as skipped */
    int64_t split_keys;   /* keys met on two partitions */
    int64_t filter_faults;
    int64_t tombstones_filtered; /* latest: of keys whose rows stay */
    int64_t span;     /* offsets from FROM to END */
    int64_t run_read; /* by this process */
    int64_t bytes;
    double seconds, rate;          /* of this process */
    double wait_source, wait_sink; /* shares of the time */
    double sink_seconds;           /* of them the sink worked or was waited for */
    double eta_seconds;            /* -1 unknown */
    int64_t batch_ms;              /* the last batch's write */
    int64_t waiting_ms; /* how long the sink has been asked for its answer; 0: it is not */
    int64_t retries;
    char *error;        /* NULL: none */
    bool nothing_to_do; /* it was done before */
};
void evs_report_done(struct evs_report *r);
void evs_report_copy(struct evs_report *to, const struct evs_report *from);
/* The contract's report, as members of an open object. */
void evs_report_json(const struct evs_report *r, struct evs_jsonw *w);

/* Knobs that may turn while it runs. */
struct evs_replay_control {
    struct evs_stop *stop;
    _Atomic bool paused;
    _Atomic int64_t rate_events; /* a second; 0 unlimited */
};

enum evs_replay_how {
    EVS_REPLAY_START, /* refuse what stands half done */
    EVS_REPLAY_RESUME,
    EVS_REPLAY_RESTART,
    EVS_REPLAY_TAKE_OVER /* resume, or begin; who had it before is fenced, living or not */
};

struct evs_replay_opts {
    const struct evs_plan *plan;
    struct evs_client *client;
    enum evs_replay_how how;
    struct evs_replay_control *control;
    int64_t timeout_ms; /* a request of the sink */
    int64_t retry_ms;   /* how long to keep trying what may pass; 0: a minute */
    void (*progress)(void *ctx, const struct evs_report *r); /* about 4 a second; may be NULL */
    void *ctx;
};

/* EVS_OK: state is done, or stopped because the stop was raised. Otherwise state is failed, unless
 * nothing was begun (state NULL). */
enum evs_rc evs_replay_run(const struct evs_replay_opts *opts, struct evs_report *ret_r,
                           struct evs_err *err) EVS_MUST_USE;

#endif
