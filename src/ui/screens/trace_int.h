/* trace_int.h - what the files of the Trace screen share.
 *
 * The trace and its folds are made off the UI thread; a fold keeps the trace alive
 * (evs_trace_hold).
 *
 * Threads  UI thread, except trace_fold.c's task.   Owns  see the fields.   Errors  in snapshots.
 */
#ifndef EVS_UI_SCREENS_TRACE_INT_H
#define EVS_UI_SCREENS_TRACE_INT_H

#include <stdatomic.h>

#include "browse/fold.h"
#include "browse/trace.h"
#include "core/slot.h"
#include "ui/app.h"
#include "ui/task.h"
#include "ui/widgets/pager.h"
#include "ui/widgets/table.h"
#include "ui/widgets/verdict.h"

enum {
    TRACE_CHECK = 64,
    TRACE_WORD = 24,
    TRACE_KIND = 64,
    TRACE_WIDE = 110,     /* panes side by side from here */
    TRACE_STACK_ROWS = 18 /* below each other from here, else one */
};

struct trace_hold {
    atomic_int refs;
    struct evs_trace *run;
};

/* The words of all steps, and the state before every TRACE_CHECK-th. */
struct trace_folded {
    struct evs_snap snap;
    enum evs_fold_rule rule;
    uint64_t of; /* generation of the trace's snapshot */
    size_t n;
    char (*change)[TRACE_WORD];
    char (*kind)[TRACE_KIND];
    size_t every; /* steps from one check to the next; jq is not run on the UI thread: 1 */
    char **check; /* JSON; NULL: no state */
    size_t n_checks;
    char *why; /* of the first step that could not be folded by jq; NULL none */
};

/* What `f` asked for; the texts of o are in `text`. */
struct trace_ask {
    char *words, *text;
    struct evs_trace_opts o; /* lanes and where; the rest is filled in at the start */
    char *with[EVS_TRACE_LANES];
    size_t n_with;
    const char *map; /* NULL: no such rule */
    enum evs_fold_rule rule; /* EVS_FOLD_RULES: not said */
    bool all, leveled, uncommitted; /* all partitions; isolation: said; read_uncommitted */
};
enum evs_rc evs_trace_ask_read(const char *words, const char *topic, struct trace_ask *ret_a,
                               struct evs_err *err) EVS_MUST_USE;
void evs_trace_ask_done(struct trace_ask *a);
/* The words in a place's text, NULL when it is not about a trace. */
const char *evs_trace_ask_words(const char *text);
void evs_trace_ask_options(const struct trace_ask *a, struct evs_buf *out); /* " --with 'T'" */

enum {
    TRACE_COL_N,
    TRACE_COL_P,
    TRACE_COL_OFFSET,
    TRACE_COL_TIME,
    TRACE_COL_EVENT,
    TRACE_COL_SIZE,
    TRACE_COL_CHANGE
};
extern const struct evs_table_ops evs_trace_ops; /* one topic */

struct trace {
    struct evs_ui *ui;
    struct evs_screen *screen;
    struct trace_hold *hold;     /* counted */
    struct evs_trace_sn *sn;     /* counted; NULL: nothing yet */
    struct evs_task *task;       /* folding */
    struct trace_folded *folded; /* counted; NULL: not yet */
    uint64_t asked_of;           /* generation being folded */
    enum evs_fold_rule rule, asked_rule;
    bool diff, right, all, uncommitted;
    struct trace_ask ask;
    struct evs_column lane_cols[EVS_TRACE_LANES + 4];
    char lane_names[EVS_TRACE_LANES][160];
    struct evs_table_ops lane_ops;
    struct evs_table table;
    struct evs_pager pager;
    size_t shown; /* step in the pager; SIZE_MAX none */
    uint64_t shown_of;
    enum evs_fold_rule shown_rule;
    bool shown_diff;
    struct evs_verdict verdict;
    int head;
};

void evs_trace_unhold(struct trace_hold *h); /* frees the trace with the last one */
/* Starts folding sn by the rule, when that is not what is known or on its way. */
void evs_trace_fold_start(struct trace *t);
bool evs_trace_fold_take(struct trace *t); /* true: news */
/* Fills the pager for the step under the cursor. */
void evs_trace_show_step(struct trace *t);
/* The state before and after step i, owned by the caller (either may be NULL); the reason why it
 * could not be folded, or "". */
void evs_trace_state_at(const struct trace *t, size_t i, struct evs_json **ret_before,
                        struct evs_json **ret_after, struct evs_err *ret_why);

/* One column a topic, when there are several. */
void evs_trace_lanes_setup(struct trace *t, int cols);
int evs_trace_left(const struct trace *t, int cols); /* columns of the left pane */
bool evs_trace_copy(const struct evs_screen *s, char what, struct evs_buf *out);
bool evs_trace_save(const struct evs_screen *s, bool all, struct evs_buf *out);
bool evs_trace_command_line(const struct evs_screen *s, struct evs_buf *out);

/* The sentence on top, for what is known and the size. */
void evs_trace_conclude(struct evs_screen *s);
void evs_trace_draw(const struct evs_screen *s, struct evs_view *v);
void evs_trace_bands(const struct evs_screen *s, struct evs_bands *b);

#endif
