/* history.h - what was typed before, per prompt; for this session only.
 *
 * Threads  UI thread.   Owns  copies.   Errors  none.   Cost  linear in EVS_HISTORY_MAX.
 */
#ifndef EVS_UI_HISTORY_H
#define EVS_UI_HISTORY_H

#include <stddef.h>

#include "core/map.h"

enum { EVS_HISTORY_MAX = 100 };

struct evs_history {
    char *line[EVS_HISTORY_MAX];
    size_t n; /* newest last */
};

struct evs_histories {
    struct evs_map by_name;
};

struct evs_history *evs_history_of(struct evs_histories *h, const char *name); /* made when new */
void evs_history_add(struct evs_history *h,
                     const char *line); /* once, at the end; "" is not kept */
void evs_histories_done(struct evs_histories *h);

#endif
