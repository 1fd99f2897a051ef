/* verdict.h - words before figures: the sentences that open a screen that diagnoses.
 *
 * Threads  UI thread.   Owns  texts inline.   Errors  what does not fit is cut.   Cost  O(text).
 */
#ifndef EVS_UI_WIDGETS_VERDICT_H
#define EVS_UI_WIDGETS_VERDICT_H

#include "ui/view.h"

enum evs_verdict_level {
    EVS_VERDICT_CRITICAL, /* ▲ in bad */
    EVS_VERDICT_WARN,     /* ! in warn */
    EVS_VERDICT_GOOD,     /* √ in ok */
    EVS_VERDICT_PLAIN     /* no mark */
};

struct evs_verdict {
    enum evs_verdict_level level;
    char text[320];
};
void evs_verdict_say(struct evs_verdict *to, enum evs_verdict_level level, const char *fmt, ...)
    EVS_PRINTF(3, 4);
/* Draws them from row on, short ones side by side, long ones wrapped; returns the rows used, at
 * most max_rows. With v NULL only counts them for a width. */
int evs_verdict_draw(struct evs_view *v, int row, int max_rows, int cols,
                     const struct evs_verdict *list, size_t n);

#endif
