/* connecting.h - the Connecting body: steps from name to topics, what failed and its fix.
 *
 * Threads  UI thread.   Owns  nothing.   Errors  none.   Cost  O(rows).
 */
#ifndef EVS_UI_SCREENS_CONNECTING_H
#define EVS_UI_SCREENS_CONNECTING_H

#include <stdbool.h>

struct evs_ui;
struct evs_view;
struct evs_bands;

/* Starts the steps when nothing was heard for a moment, takes what they found; true: draw. */
bool evs_connecting_refresh(struct evs_ui *ui);
void evs_connecting_examine(struct evs_ui *ui); /* again, now */
void evs_connecting_draw(struct evs_ui *ui, struct evs_view *v);
/* What a step found; NULL: not known. Borrowed until the next refresh. */
const char *evs_connecting_text(const struct evs_ui *ui, const char *step);
void evs_connecting_bands(struct evs_ui *ui, struct evs_bands *b);

#endif
