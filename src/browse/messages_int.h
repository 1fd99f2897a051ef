/* messages_int.h - the inside of a messages session, shared by its files; nobody else includes it.
 *
 * Threads  everything here belongs to the session's thread, but for bodies (counted) and the tap
 *          (its own thread's side is marked).
 * Owns     rows own a reference to their body.   Errors, units, cost  see messages.h.
 */
#ifndef EVS_BROWSE_MESSAGES_INT_H
#define EVS_BROWSE_MESSAGES_INT_H

#include <stdatomic.h>

#include "browse/messages.h"
#include "core/queue.h"
#include "core/thread.h"
#include "kafka/merge.h"
#include "kafka/reader.h"
#include "stats/rate.h"

enum { ROWS_MAX = 1000000, GAP_READ_MAX = 500000 };

/* --- bodies and rows: messages_rows.c --- */

struct body {
    atomic_uint refs;
    size_t bytes;
    size_t value_size; /* whole; ev->value_len may be cut */
    struct evs_event *ev;
};
/* Copies; the value cut to preview bytes. */
struct body *body_new(struct evs_event *ev, size_t preview);
struct body *body_ref(struct body *b);
void body_unref(struct body *b); /* NULL is fine */

struct row {
    struct evs_msg_row r; /* r.seq and r.ev are filled in for snapshots only */
    struct body *body;
    bool judged; /* r.aborted is known (read_uncommitted) */
    bool lost; /* its body could not be read again: it is no longer there */
};

/* Rows by seq: [first, first + n), in a ring. */
struct rows {
    struct row *ring;
    size_t slots, head, n;
    int64_t first;
    size_t body_bytes;
    int64_t body_lo, body_hi; /* bodies stand in [lo, hi) */
};
struct row *rows_at(const struct rows *l, int64_t seq); /* NULL outside */
void rows_push_back(struct rows *l, const struct row *row);
void rows_push_front(struct rows *l, const struct row *row);
void rows_drop_front(struct rows *l);
void rows_clear(struct rows *l);
void rows_set_body(struct rows *l, int64_t seq, struct body *b); /* takes the reference */
/* Lets bodies go, farthest from [top, top + n) first, until at most limit bytes are left. */
void rows_evict(struct rows *l, int64_t top, int n, size_t limit);
void row_of_body(struct row *to, struct body *b); /* takes the reference */
void row_of_gap(struct row *to, int32_t partition, int64_t from, int64_t until);

/* --- the session --- */

struct query { /* an owned evs_messages_query */
    struct evs_messages_query q;
    struct evs_filter_term *terms;
};

enum command_kind {
    CMD_VIEW,
    CMD_QUERY,
    CMD_FOLLOW,
    CMD_PAUSE,
    CMD_MERGE,
    CMD_STOP,
    CMD_RESUME,
    CMD_FETCH,
    CMD_PLAN
};

struct command {
    enum command_kind kind;
    bool on;
    int n;
    int32_t partition;
    int64_t at; /* seq, offset, number of a query */
    struct query *query;
};

struct query *query_new(const struct evs_messages_query *from);
void query_free(struct query *q);         /* NULL is fine */
void query_drop(const char *text);        /* one of its texts */
void command_free(void *item);
void messages_run(void *m);               /* the thread */

struct mpart {
    struct evs_messages_part p;
    struct row *back; /* older rows read but not placed yet, by offset */
    size_t n_back;
    int64_t back_from; /* rows from here on are read */
    int64_t back_step;
    int64_t held_ms; /* of its newest held record, or of one before */
};

struct held { /* a tail's record that waits for older ones of other partitions */
    struct body *body;
    int64_t ts_ms, arrived_us;
    bool lost_some;
};

/* A reader whose records come to us through a queue; the tail and the search. */
struct tap {
    struct evs_messages *m;
    struct evs_reader *reader;
    struct evs_queue *events; /* struct body */
    struct evs_filter *filters[16];
    bool lossy;
    int64_t *rejected; /* by part: the first offset refused when we closed; worker's side */
    atomic_int heads;  /* parts that reached the head */
    struct evs_queue *problems;
};

struct evs_messages {
    struct evs_client *c;
    char *topic, *policy;
    size_t memory_limit;
    int page;
    struct evs_slot *slot;
    struct evs_queue *commands;
    struct evs_thread *thread;
    atomic_bool quit;
    atomic_ullong asked; /* queries so far */
    /* the list */
    struct query *query;
    struct evs_filter *filter; /* NULL: no search */
    uint64_t list, number;     /* number: of the query */
    enum evs_messages_state state;
    struct rows rows;
    struct mpart *parts;
    size_t n_parts;
    struct evs_merge *forward; /* NULL: not open */
    bool at_begin, at_end;
    int64_t retry_us; /* when to try the query again; 0 not */
    struct tap *tap;
    struct evs_growth *growth; /* while following all partitions */
    int64_t view_top; /* INT64_MAX: sticks to the end */
    int view_n;
    bool following, paused, merged;
    struct held *held; /* by time */
    size_t n_held, held_slots, held_bytes;
    int64_t merged_to_ms;
    /* figures */
    int64_t read_records, read_bytes, kept, dropped, passed, span, behind, start_us, worked_us;
    struct evs_rate rate;
    int64_t tap_records, tap_bytes, tap_dropped, passed_before; /* counted of the tap so far */
    int64_t heads_at_us, published_us;
    bool dirty;
    /* answers */
    struct body *detail;
    int32_t detail_partition;
    int64_t detail_offset;
    const char *detail_error;
    struct evs_ranges *plan;
    char *plan_error;
    struct evs_err err; /* code EVS_OK: fine */
};

struct mpart *messages_part(const struct evs_messages *m, int32_t partition);
bool messages_is_search(const struct evs_messages *m);
bool messages_is_full(const struct evs_messages *m); /* the search has as many as it is to find */
/* Where the view stands now, with "sticks to the end" resolved. */
int64_t messages_view_top(const struct evs_messages *m);
void messages_fail(struct evs_messages *m, const struct evs_err *err);
/* Places one more record at the end, with the gap before it. */
void messages_append(struct evs_messages *m, struct body *body, const char *gap_reason);

/* Publishes a snapshot: messages_publish.c. */
void messages_publish(struct evs_messages *m);

/* --- pages: messages_page.c --- */
enum evs_rc page_forward(struct evs_messages *m, int n, struct evs_err *err) EVS_MUST_USE;
enum evs_rc page_back(struct evs_messages *m, int n, struct evs_err *err) EVS_MUST_USE;
/* Bodies of rows in view that were evicted; then one unexplained gap. False: nothing to do. */
bool page_mend_view(struct evs_messages *m);
enum evs_rc page_fetch(struct evs_messages *m, int32_t partition, int64_t offset,
                       struct body **ret_b, struct evs_err *err) EVS_MUST_USE;

/* --- tail and search: messages_tap.c --- */
enum evs_rc tap_open(struct evs_messages *m, struct evs_err *err) EVS_MUST_USE;
void tap_drain(struct evs_messages *m);
/* Places one record of the tap; takes the body. */
void tap_take(struct evs_messages *m, struct body *b, bool lost_some);
void tap_close(struct evs_messages *m); /* positions stay in the parts */
/* Follows what is added to the topic, from its beginning. Nothing to do is fine. */
void tap_grow(struct evs_messages *m);
void tap_grow_end(struct evs_messages *m);

/* --- a tail by time: messages_hold.c --- */
void hold_add(struct evs_messages *m, struct body *body, bool lost_some);
/* Places those that have waited long enough, with all that are older; or all. */
void hold_release(struct evs_messages *m, bool all);

#endif
