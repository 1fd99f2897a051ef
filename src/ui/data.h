/* data.h - snapshots that several screens share: the topics of the cluster.
 *
 * Threads  UI thread.   Owns  the pollers, through struct evs_ui.   Errors  kept in the snapshots.
 * Cost     none: reads what the pollers published.
 */
#ifndef EVS_UI_DATA_H
#define EVS_UI_DATA_H

#include <stdbool.h>
#include <stddef.h>

struct evs_ui;

/* Names of topics known so far; NULL past the end. For completion. */
const char *evs_data_topic_name(const struct evs_ui *ui, size_t i);
bool evs_data_has_topic(const struct evs_ui *ui, const char *name);

#endif
