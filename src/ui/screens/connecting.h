/* connecting.h - the Connecting body: steps from name to topics, what failed and its fix.
 *
 * Threads  UI thread.   Owns  nothing.   Errors  none.   Cost  O(rows).
 */
#ifndef EVS_UI_SCREENS_CONNECTING_H
#define EVS_UI_SCREENS_CONNECTING_H

struct evs_ui;
struct evs_view;
struct evs_bands;

void evs_connecting_draw(struct evs_ui *ui, struct evs_view *v);
void evs_connecting_bands(struct evs_ui *ui, struct evs_bands *b);

#endif
