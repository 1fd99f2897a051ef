/* messages.h - the Messages screen's parts. Private to screens/.
 *
 * The list is virtual: a model row is seq - first_seq of the session's snapshot, and only rows in
 * view have bodies. The detail is rebuilt when another record comes under the cursor.
 *
 * Threads  UI thread.   Owns  struct messages its session and snapshot.   Errors  as snapshots say.
 * Cost     O(visible rows) a frame; the detail O(value), at most EVS_MESSAGES_PREVIEW unless
 * loaded.
 */
#ifndef EVS_UI_SCREENS_MESSAGES_H
#define EVS_UI_SCREENS_MESSAGES_H

#include "browse/messages.h"
#include "ui/app.h"
#include "ui/search.h"
#include "ui/widgets/pager.h"
#include "ui/widgets/table.h"

enum msg_value_view { MSG_PRETTY, MSG_RAW, MSG_HEX, MSG_WIRE, MSG_VIEWS };
enum msg_layout { MSG_LIST, MSG_AS_LANES, MSG_MERGED, MSG_LAYOUTS };

enum { MSG_LANES = 12, MSG_MARGIN = 200 };
enum { MSG_COL_P, MSG_COL_OFFSET, MSG_COL_TIME, MSG_COL_KEY, MSG_COL_SIZE, MSG_COL_VALUE };

struct evs_partitioner;

struct messages {
    struct evs_ui *ui;
    struct evs_screen *screen;
    struct evs_messages *session;
    struct evs_messages_sn *sn;
    struct evs_table list, lanes;
    struct evs_pager detail;
    struct evs_column lane_cols[MSG_LANES + 1];
    char lane_names[MSG_LANES][12];
    int32_t lane_parts[MSG_LANES];
    int lane_time; /* columns of the time, for which the lanes were laid out */
    int n_lanes;
    struct evs_table_ops lanes_ops;
    enum msg_layout layout;
    bool as_lanes, on_detail, one_partition;
    int32_t marked[MSG_LANES]; /* lanes that stay, at the left */
    int n_marked, lane_skip;   /* unmarked ones scrolled out at the left */
    enum msg_value_view view;
    enum evs_isolation isolation;
    bool follow, paused, asked_rows;
    struct evs_search search;                           /* in force; n_terms 0: none */
    char what[EVS_SEARCH_TEXT], where[EVS_SEARCH_TEXT]; /* as typed */
    char from[320], partitions[64];                     /* of the query in force */
    uint64_t list_id;                                   /* of the snapshot shown */
    uint64_t asked;                                     /* number of the query in force */
    int parts_before;                                   /* when the list began */
    int32_t home_of;                                    /* partitions when home was last judged */
    int64_t first_seq;                                  /* of model row 0 */
    int64_t told_top; /* what the session was told to have at hand */
    int told_n;
    int64_t detail_seq; /* what the detail shows; INT64_MIN nothing */
    uint64_t detail_list;
    bool detail_whole;                         /* the value was loaded beyond the preview */
    int64_t fetching;                          /* offset asked for whole; -1 none */
    bool for_detail;                           /* opened for one record's detail */
    int64_t want_offset;                       /* the cursor goes there; -1 none */
    const struct evs_partitioner *partitioner; /* that all keys seen followed; NULL not known */
    size_t partitioner_seen;
    int32_t home; /* the only partition read, by the key; -1: none */
    int detail_cols;
    uint64_t journal;          /* the search's entry in Jobs; 0: none */
    struct evs_overlay *entry; /* search or form, while it is open: it owns itself */
    void (*judge_again)(struct evs_overlay *entry);
};

/* Jobs' entry of the search (messages_journal.c). */
void messages_journal_begin(struct messages *m);
void messages_journal_say(const struct messages *m);

static inline struct messages *messages_of(const struct evs_screen *s)
{
    return s->state;
}

/* Words are in force that make it a search: what to keep, or how many. */
static inline bool messages_filtered(const struct messages *m)
{
    return m->search.n_terms || m->search.count;
}

static inline struct evs_table *messages_table(struct messages *m)
{
    return m->as_lanes ? &m->lanes : &m->list;
}

struct messages_panes {
    struct evs_view list, detail;
    bool list_shown, detail_shown, side;
    int list_rows, detail_rows; /* without their titles */
};

/* messages_draw.c */
void messages_lay_out(const struct evs_screen *s, const struct evs_view *v,
                      struct messages_panes *p);
void messages_fit(struct evs_screen *s);
void messages_draw(const struct evs_screen *s, struct evs_view *v);
/* messages_bands.c */
void messages_bands(const struct evs_screen *s, struct evs_bands *b);
/* messages_row.c */
extern const struct evs_table_ops messages_list_ops;
const struct evs_msg_row *messages_row(const struct messages *m, size_t model_row); /* or NULL */
const struct evs_msg_row *messages_current(const struct messages *m);
void messages_gap_words(const struct evs_msg_row *r, char *to, size_t size);
void messages_key_field(const struct evs_event *ev, struct evs_field *f);
void messages_value_field(const struct messages *m, const struct evs_msg_row *r,
                          struct evs_field *f);
/* messages_lanes.c */
void messages_lanes_setup(struct messages *m, int cols);
enum evs_handled messages_lanes_command(struct messages *m, enum evs_command c);
void messages_lanes_bands(const struct messages *m, struct evs_bands *b);
/* messages_detail.c */
void messages_detail_update(struct messages *m);
const char *messages_view_name(enum msg_value_view v);
void messages_next_view(struct messages *m);
/* messages_home.c: where an exact key must be, when all keys at hand follow one partitioner. */
struct evs_key_home {
    const char *partitioner;
    int32_t partition;
    size_t seen; /* keyed records that were looked at */
};
bool messages_key_home(struct messages *m, const struct evs_search *s,
                       struct evs_key_home *ret_home);
/* What messages_key_home knows has changed since it was asked. */
bool messages_home_news(struct messages *m);
/* messages_search.c: the search entry; runs the query when accepted. */
struct evs_search_verdict {
    char what_says[EVS_PROMPT_SAY], where_says[EVS_PROMPT_SAY];
    bool what_bad, where_bad;
    struct evs_key_home home; /* of an exact key */
    bool homed;
    char partition[16]; /* read alone, by the screen's place or the key; "": as the words say */
};
void messages_search_open(struct messages *m);
void messages_search(struct messages *m, const char *what, const char *where);
/* Whether the words are right; then the session is asked what they would cost. */
void messages_judge(struct messages *m, const char *what, const char *where,
                    struct evs_search_verdict *v);
void messages_draw_cost(const struct messages *m, const struct evs_search_verdict *v,
                        struct evs_view *view, int row);
void messages_draw_command(const struct messages *m, const struct evs_search_verdict *v,
                           const char *what, const char *where, struct evs_view *status);
void messages_copy_command(const struct messages *m, const struct evs_search_verdict *v,
                           const char *what, const char *where);
/* One exact key more among the words; `&` and `!` on the record under the cursor. */
void messages_add_key(struct messages *m, const char *lead, const void *key, size_t len);
void messages_keep_like(struct messages *m, bool drop);
/* The words that a place carries: where, what, the key. */
void messages_words_of(struct messages *m, const struct evs_place *at);
/* messages_form.c: the same, one field a line. */
void messages_form_open(struct messages *m);
void messages_requery(struct messages *m);
/* messages_jump.c */
void messages_jump_open(struct messages *m);
/* messages_out.c */
bool messages_copy(const struct evs_screen *s, char what, struct evs_buf *out);
bool messages_save(const struct evs_screen *s, bool all, struct evs_buf *out);
bool messages_command_line(const struct evs_screen *s, struct evs_buf *out);
void messages_pipe(struct messages *m);

#endif
