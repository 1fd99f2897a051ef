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
    char **check; /* JSON; NULL: no state */
    size_t n_checks;
};

struct trace {
    struct evs_ui *ui;
    struct evs_screen *screen;
    struct trace_hold *hold;     /* counted */
    struct evs_trace_sn *sn;     /* counted; NULL: nothing yet */
    struct evs_task *task;       /* folding */
    struct trace_folded *folded; /* counted; NULL: not yet */
    uint64_t asked_of;           /* generation being folded */
    enum evs_fold_rule rule, asked_rule;
    bool diff, right, all;
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

/* The sentence on top, for what is known and the size. */
void evs_trace_conclude(struct evs_screen *s);
void evs_trace_draw(const struct evs_screen *s, struct evs_view *v);
void evs_trace_bands(const struct evs_screen *s, struct evs_bands *b);

#endif
