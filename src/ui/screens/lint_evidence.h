/* lint_evidence.h - the members of a finding's evidence, for people: "share 38.4 %   since 14:02".
 *
 * Units    rows and columns of the view.   Threads  UI thread.   Owns  nothing.
 * Errors   none: evidence that is not JSON draws nothing.   Cost  O(length of the evidence).
 */
#ifndef EVS_UI_SCREENS_LINT_EVIDENCE_H
#define EVS_UI_SCREENS_LINT_EVIDENCE_H

#include <stdint.h>

#include "ui/view.h"

/* As many whole members as fit into max_rows; returns the rows used. */
int lint_evidence_draw(struct evs_view *v, int row, int max_rows, const char *evidence,
                       int64_t now_ms);

#endif
