/* messages.h - a session on one topic for a screen: pages of records, tail, search, details.
 *
 * A screen never waits: every call below only leaves a command; a thread of the session reads, and
 * publishes snapshots of the rows in view with the counts and states around them.
 *
 * Rows are numbered by `seq`: it rises down the list, keeps standing for the same record as long
 * as the list lives (older records come in below the smallest, newer ones above the largest), and
 * starts at 0 with every jump, search or change of isolation (`list` counts those). The screen
 * says with evs_messages_view which rows it shows; the session keeps them at hand, reads on before
 * the view reaches an end, and explains gaps in it. Bodies outside the view are evicted when
 * memory_bytes is reached and read again by offset when they come back into view (`ev` is NULL for
 * the moment).
 *
 * Pages of several partitions are merged by (timestamp, partition, offset); each keeps its own
 * order. A search's matches come as they are found, a tail's records as they arrive.
 *
 * Units    records, bytes, offsets; epoch ms. -1 is unknown.
 * Threads  any, usually the screen's; nothing blocks but evs_messages_free (up to a second).
 * Owns     snapshots are counted (core/slot); rows and events live as long as the snapshot.
 * Errors   in the snapshot: `error` for the session, parts[].error for a partition; both heal.
 * Cost     about 100 bytes a loaded row beside bodies; a snapshot copies the rows in view only.
 */
#ifndef EVS_BROWSE_MESSAGES_H
#define EVS_BROWSE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/event.h"
#include "core/slot.h"
#include "filter/filter.h"
#include "kafka/meta.h"
#include "kafka/range.h"

struct evs_client;
struct evs_wake;

enum { EVS_MESSAGES_PREVIEW = 64 << 10 }; /* longer values are cut in rows; fetch has them whole */

/* Where and what. Texts are copied. */
struct evs_messages_query {
    const char *partitions;    /* "0,3-5"; NULL all */
    const char *from;          /* as evs_range_spec; NULL: the last page */
    const char *to, *since, *until;
    const struct evs_filter_term *terms; /* none: pages; some: a search over the whole window */
    size_t n_terms;
    int64_t count; /* also a search: it ends when so many are kept; 0 no limit */
    enum evs_isolation isolation;
    bool follow; /* at the end, go on with what arrives */
};

struct evs_messages_opts {
    const char *topic;
    struct evs_messages_query query;
    size_t memory_bytes; /* bodies kept; 0: 64 MiB */
    int page;            /* records read at a time; 0: 200 */
};

enum evs_row_kind {
    EVS_ROW_RECORD,
    EVS_ROW_GAP /* offsets [offset, gap_to) of the partition hold no visible record */
};

struct evs_msg_row {
    enum evs_row_kind kind;
    enum evs_tstype tstype;
    int32_t partition;
    int n_headers;
    int64_t seq, offset, ts_ms;
    int64_t key_size, value_size; /* -1: null */
    bool aborted;                 /* seen as read_uncommitted only */
    const struct evs_event *ev;   /* NULL while it is read again; value may be cut (PREVIEW) */
    /* EVS_ROW_GAP */
    int64_t gap_to, gap_aborted, gap_hidden; /* counts, -1 not known yet; hidden: markers etc. */
    const char *gap_reason; /* static: "aborted", "marker", "compacted", "deleted before low",
                               "open transaction", "not there: reason unknown"; NULL: not yet */
};

enum evs_messages_state {
    EVS_MESSAGES_LOADING,   /* first records on their way */
    EVS_MESSAGES_READY,     /* pages; more where at_begin, at_end are false */
    EVS_MESSAGES_LIVE,      /* following the head */
    EVS_MESSAGES_PAUSED,    /* following, fetching stopped */
    EVS_MESSAGES_SEARCHING,
    EVS_MESSAGES_STOPPED,   /* a search stopped on the way: partial; resume goes on */
    EVS_MESSAGES_DONE       /* a search has read its whole window */
};

struct evs_messages_part {
    int32_t partition, leader;
    int64_t low, high, lso;   /* as last seen */
    int64_t first, next;      /* loaded: offsets [first, next) */
    int64_t from, to;         /* a search's window; to may be EVS_RANGE_OPEN */
    char error[120];          /* "" fine; "leader not available" while it is retried */
};

struct evs_messages_sn {
    struct evs_snap snap;
    uint64_t list;  /* changes when seq starts afresh */
    uint64_t query; /* which evs_messages_query it is about */
    enum evs_messages_state state;
    const struct evs_msg_row *rows; /* in view, by seq; may be fewer than asked */
    int n_rows;
    int64_t first_seq, last_seq, n_loaded; /* of all loaded rows; n_loaded 0: none */
    bool at_begin, at_end; /* nothing older; nothing newer as of now */
    const struct evs_messages_part *parts;
    int n_parts;
    /* cost and progress: since the list began */
    int64_t read_records, read_bytes, kept, dropped; /* dropped: lost by a tail that was too fast */
    int64_t passed, span;         /* offsets of a search's window passed, of */
    bool full;                    /* a search ended by its count: more may follow */
    double seconds, rate;         /* reading; records per second now */
    int64_t eta_ms;               /* -1 unknown */
    int64_t behind_records, behind_ms; /* behind the head, -1 unknown */
    int64_t merged_to_ms, held; /* a merged tail's newest time shown, -1; records that wait */
    size_t memory_bytes, memory_limit;
    /* the record asked for with evs_messages_fetch, whole */
    const struct evs_event *detail;
    int32_t detail_partition;
    int64_t detail_offset;        /* -1: none was asked for */
    const char *detail_error;     /* "not there", ...; NULL fine or still being read */
    /* the window asked for with evs_messages_plan */
    const struct evs_ranges *plan; /* NULL: none, or not resolved yet */
    int64_t plan_span, plan_bytes; /* bytes estimated from records seen, -1 unknown */
    int64_t plan_ms;               /* estimated time, -1 unknown */
    int64_t plan_each;             /* the bytes a message that it comes from, -1 a guess */
    const char *plan_error;
    const char *error, *hint;     /* the newest trouble; NULL fine */
};

struct evs_messages;
enum evs_rc evs_messages_open(struct evs_client *c, const struct evs_messages_opts *opts,
                              const struct evs_wake *wake, struct evs_messages **ret_m,
                              struct evs_err *err) EVS_MUST_USE;
void evs_messages_free(struct evs_messages *m); /* NULL is fine */
/* A reference to the latest snapshot above generation `than`, else NULL. */
struct evs_messages_sn *evs_messages_take(struct evs_messages *m, uint64_t than);

/* Rows [top_seq, top_seq + n) are in view. INT64_MAX as top_seq: the last n, and stay there. */
void evs_messages_view(struct evs_messages *m, int64_t top_seq, int n);
/* A new list: another place, window, filter or isolation. Returns the number that snapshots about
 * it carry. */
uint64_t evs_messages_query(struct evs_messages *m, const struct evs_messages_query *q);
/* Goes to the end and on from there, with partitions that are added meanwhile. */
void evs_messages_follow(struct evs_messages *m, bool on);
void evs_messages_pause(struct evs_messages *m, bool on);  /* a tail stops fetching */
/* A tail comes by time: each record waits half a second for older ones of other partitions. */
void evs_messages_merge(struct evs_messages *m, bool on);
void evs_messages_stop(struct evs_messages *m);            /* a search */
void evs_messages_resume(struct evs_messages *m);          /* goes on where it was stopped */
void evs_messages_fetch(struct evs_messages *m, int32_t partition, int64_t offset);
/* Resolves a window and its cost into the snapshot, changing nothing else. */
void evs_messages_plan(struct evs_messages *m, const struct evs_messages_query *q);

#endif
