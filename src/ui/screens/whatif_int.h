/* whatif_int.h - what whatif.c and whatif_draw.c share; nobody else includes it.
 *
 * Threads  UI thread; own strategies are worked out by a task.
 * Owns     the state: strategies, a reference to the scan and to its snapshot.
 * Errors   none.
 */
#ifndef EVS_UI_SCREENS_WHATIF_INT_H
#define EVS_UI_SCREENS_WHATIF_INT_H

#include "keys/whatif.h"
#include "ui/scans.h"
#include "ui/screen.h"
#include "ui/task.h"
#include "ui/widgets/table.h"

enum { WHATIF_EXTRA = 32 };

struct whatif {
    struct evs_ui *ui;
    struct evs_ui_scan *scan;
    struct evs_ui_scan_seen seen;
    const struct evs_whatifs *all; /* the snapshot's, or own */
    struct whatif_own *own;        /* with other strategies or another target */
    struct evs_task *task;         /* works the next `own` out: every key is looked at */
    uint64_t want;                 /* the row the cursor goes to when it is there; 0 none */
    double target;
    char *extra[WHATIF_EXTRA];
    size_t n_extra;
    struct evs_table table;
    bool placed;
};

const struct evs_whatif *evs_whatif_selected(const struct whatif *w); /* or NULL */
void evs_whatif_draw(const struct evs_screen *s, struct evs_view *v);
void evs_whatif_bands(const struct evs_screen *s, struct evs_bands *b);

#endif
