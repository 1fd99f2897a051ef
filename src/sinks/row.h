/* row.h - what a sink is given and gives back: rows of a view, and the checkpoint with them.
 *
 * A view is `latest` (one row a key, a tombstone deletes), `log` (one row an event), `count` or
 * `sum` (one row a group). With columns the row of `latest` and `log` is key and those columns.
 *
 * Which of two events of one key is newer: in one partition the offset decides. A key on two
 * partitions has no offset order: then the timestamp decides, after it partition and offset
 * (evs_row_newer). `rank` is that order as one number that never goes back within a partition: for
 * stores that keep a version. Where the timestamps of one partition go backwards, three events of
 * such a key may each be newer than the next: then what reaches the sink later decides (a search
 * index, by rank, keeps the partition whose clock was ahead). Such a topic has no one truth; lint
 * finds it (split-key, timestamp-regression). A rank is the highest time so far and one step an
 * offset above it: the same in every window, as a run asks the broker for the highest time before
 * its first offset.
 *
 * Units    ts_ms epoch milliseconds; offsets as Kafka's; counters are events, rows, bytes.
 * Threads  none.   Owns  rows borrow everything; a checkpoint owns its partitions and texts.
 * Errors   none.   Cost  O(1) each.
 */
#ifndef EVS_SINKS_ROW_H
#define EVS_SINKS_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/event.h"

enum evs_view_mode { EVS_VIEW_LATEST, EVS_VIEW_LOG, EVS_VIEW_COUNT, EVS_VIEW_SUM };
const char *evs_view_mode_name(enum evs_view_mode mode); /* "latest" */

struct evs_shape_column {
    char *name;
    char *type; /* the sink's own word, or NULL */
};

struct evs_shape {
    enum evs_view_mode mode;
    const char *topic;
    const char *target; /* table, key prefix, index; "" where the URL says it all */
    const struct evs_shape_column *columns;
    size_t n_columns;
    const char *key_type, *value_type; /* the sink's own word, or NULL for its default */
};

enum evs_cell_type {
    EVS_CELL_NULL,
    EVS_CELL_TEXT,
    EVS_CELL_NUMBER, /* digits as written */
    EVS_CELL_BOOL,   /* "true" or "false" */
    EVS_CELL_JSON    /* an object or array, compact */
};
struct evs_row_cell {
    enum evs_cell_type type;
    const char *p;
    size_t len;
};

struct evs_row {
    const void *key, *value; /* NULL is null; a group's key is text */
    size_t key_len, value_len;
    const struct evs_row_cell *cells; /* as many as the view has columns; NULL without columns */
    const struct evs_header *headers; /* log only */
    int n_headers;
    int32_t partition;
    int64_t offset, ts_ms;
    int64_t rank;
    bool deleted;    /* latest: a tombstone */
    int64_t count;   /* count: to add (apply) or held (read back) */
    const char *sum; /* sum: the same as decimal text */
};

/* true when a is newer than b, both of one topic. */
bool evs_row_newer(int32_t a_partition, int64_t a_offset, int64_t a_ts_ms, int32_t b_partition,
                   int64_t b_offset, int64_t b_ts_ms);
/* {"name","value"...} as the contract's headers array. */
void evs_row_headers_json(const struct evs_row *row, struct evs_buf *out);

/* --- checkpoint ------------------------------------------------------------------------------ */
enum evs_ckpt_field {
    EVS_CKPT_FROM,  /* where the run began */
    EVS_CKPT_NEXT,  /* the next offset to read: everything before is in the view */
    EVS_CKPT_END,   /* frozen when the run started; INT64_MAX follows */
    EVS_CKPT_CLOCK, /* rank at the offset before NEXT; 0: none so far */
    EVS_CKPT_READ,
    EVS_CKPT_MATCHED,
    EVS_CKPT_APPLIED,
    EVS_CKPT_SKIPPED,
    EVS_CKPT_DEAD,
    EVS_CKPT_WRITTEN, /* rows */
    EVS_CKPT_DELETED,
    EVS_CKPT_BYTES,
    EVS_CKPT_FIELDS
};
extern const char
    *const evs_ckpt_names[EVS_CKPT_FIELDS]; /* names of SQL columns and JSON members */

struct evs_ckpt_part {
    int32_t partition;
    int64_t n[EVS_CKPT_FIELDS];
};

struct evs_ckpt {
    char *id, *plan_hash, *topic, *state; /* state: running stopped failed done */
    int64_t epoch, updated_ms;
    struct evs_ckpt_part *parts; /* sorted by partition; none: there is no checkpoint of this id */
    size_t n;
};
void evs_ckpt_done(struct evs_ckpt *c);
void evs_ckpt_copy(struct evs_ckpt *to, const struct evs_ckpt *from);
/* Replaces a text member. */
void evs_ckpt_text(char **member, const char *text, size_t len);
/* The partition's row, added when missing (order kept). */
struct evs_ckpt_part *evs_ckpt_part(struct evs_ckpt *c, int32_t partition);
/* Adds the partitions that `to` lacks: those of a topic that grew, to a claim that resumes. */
void evs_ckpt_add(struct evs_ckpt *to, const struct evs_ckpt *from);
/* The sum over partitions. */
int64_t evs_ckpt_total(const struct evs_ckpt *c, enum evs_ckpt_field field);

#endif
