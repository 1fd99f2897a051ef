/* run_priv.h - what the files of a run share: its lanes (a reader worker's side) and its batches.
 *
 * Threads  a lane belongs to its reader worker while the reader runs, then to the writer; what
 *          both touch is atomic or goes through the queue.
 */
#ifndef EVS_REPLAY_RUN_PRIV_H
#define EVS_REPLAY_RUN_PRIV_H

#include <stdatomic.h>

#include "core/queue.h"
#include "kafka/reader.h"
#include "replay/rows.h"
#include "replay/project.h"
#include "replay/run.h"

enum { LANES_MAX = 4 };

struct batch {
    struct evs_rows fold;
    struct evs_ckpt_part *parts; /* absolute, without the rows written */
    size_t n_parts;
    struct evs_rows dead; /* log rows for the dead letter sink */
    int64_t started_us;
};

struct lane {
    struct run *run;
    struct evs_filter *filter;
    struct evs_project *project;
    struct batch *cur;
    struct evs_ckpt_part *parts; /* as the worker sees them */
    bool *touched;
    size_t n_parts, last;
    struct evs_err fail; /* set: it stopped at a record, or its work failed */
    struct evs_err why;  /* of the event at hand: large, so not made anew for each */
    int64_t null_keys, split, tombstones;
    unsigned since_look;
    int64_t read;    /* since the run was told */
    bool whole;      /* a partition ended: its keys are complete in the batch */
    char apart[128]; /* the next lane is another thread's */
};

/* Records that a sink refused: left out when read again. */
struct skips {
    struct {
        int32_t partition;
        int64_t offset;
        char *why;
    } * items;
    size_t n;
};

struct run {
    const struct evs_replay_opts *opts;
    const struct evs_plan *plan;
    struct evs_shape view;
    struct evs_shape_column *columns;
    struct evs_sink *sink, *dead_sink;
    struct evs_ranges *ranges;
    struct evs_ckpt ckpt; /* committed */
    struct evs_queue *q;
    struct evs_reader *reader;
    struct lane lanes[LANES_MAX];
    int n_lanes;
    bool large;        /* few large batches: the sink wants them sorted, and nobody set a pace */
    size_t whole_rows; /* likewise rows that are worth a transaction; 0: the usual */
    struct skips skips;
    struct evs_report report;
    _Atomic int64_t read, matched, paced, pace_from_us, pace_base;
    _Atomic int64_t first_ts, blocked_us, max_events;
    _Atomic bool enough;       /* --count is reached */
    _Atomic bool lane_fail;    /* a lane has fail set */
    struct evs_growth *growth; /* of a topic that is followed whole */
    bool grown;                /* there are partitions that nobody reads */
    bool again;                /* the sink was opened anew: this claim goes on */
    bool claim_unsure;         /* a claim got no answer: what stands there may be our own */
    int64_t started_us, idle_us, write_us, told_us, beat_us, asked_us;
    char cluster_id[64];
};

/* run_lane.c */
enum evs_rc lane_init(struct lane *l, struct run *r, struct evs_err *err);
void lane_done(struct lane *l);
void batch_free(void *item);
extern const struct evs_reader_ops lane_ops;
/* Hands over what the lane has, if anything; the batch is the caller's. */
struct batch *lane_take(struct lane *l);

/* run_ranges.c */
/* The ranges that are left to read by the checkpoint; to a run that follows a topic whole belong
 * partitions that were added. */
enum evs_rc run_ranges_left(struct run *r, struct evs_err *err);
bool run_follows_all(const struct run *r);
enum evs_rc run_new_ckpt(struct run *r, struct evs_err *err);
/* The rank (row.h) of the event at this offset, not before the partition's next. */
int64_t run_rank(const struct run *r, const struct evs_ckpt_part *p, int64_t offset, int64_t ts_ms);

/* run.c */
int64_t run_span_left(const struct run *r);
void run_update_report(struct run *r);
enum evs_rc run_read_all(struct run *r, struct evs_err *err);

/* A part of the rows, by hash of what tells them apart: what would take too much memory at once is
 * read in several passes. */
struct slice {
    uint32_t of, at;
    size_t most;            /* bytes of the fold */
    bool over;              /* it was more: the folding ended early, with an error */
    struct evs_sink *taker; /* its check is asked of every row; NULL: nobody's */
};
bool slice_has(const struct slice *s, enum evs_view_mode mode, const struct evs_row *row);

/* run_collect.c: the window (that of a checkpoint, or NULL: the plan's) folded in memory. */
enum evs_rc run_collect(const struct evs_replay_opts *opts, const struct evs_ckpt *window,
                        struct slice *slice, struct evs_rows *fold, struct evs_report *ret_r,
                        struct evs_err *err);

/* compare_spell.c: the fold's rows as the sink would give them back. */
enum evs_rc run_spell(struct evs_sink *sink, struct evs_rows *fold, struct evs_err *err);

/* run_write.c: applies with retries; EVS_POISON with on-error skip: added to the skips,
 * EVS_AGAIN. */
/* For the sink's spec: keeps the progress alive while the sink waits. */
void run_waiting(void *ctx);
enum evs_rc write_batch(struct run *r, struct batch *b, struct evs_err *err);
/* What the lanes hold at the end, as one batch where that is one sorted pass through the sink. */
enum evs_rc write_rest(struct run *r, struct evs_err *err);
enum evs_rc finish_sink(struct run *r, struct evs_err *err);
enum evs_rc open_dead_sink(struct run *r, struct evs_err *err);
void tell_progress(struct run *r, bool now);
bool stopping(const struct run *r);

#endif
