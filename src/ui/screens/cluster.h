/* cluster.h - the Cluster screen's parts. Private to screens/.
 *
 * Threads  UI thread.   Owns  struct cluster its poller, snapshot and tables.
 * Errors   none.   Cost  the topics a broker leads are counted once a poll: O(partitions).
 */
#ifndef EVS_UI_SCREENS_CLUSTER_H
#define EVS_UI_SCREENS_CLUSTER_H

#include "browse/brokers.h"
#include "ui/app.h"
#include "ui/widgets/table.h"

struct led { /* a topic of which the broker leads partitions */
    const struct evs_meta_topic *topic; /* the snapshot's */
    int n;
};

struct cluster {
    struct evs_ui *ui;
    struct evs_brokers *brokers;
    struct evs_brokers_sn *sn;
    struct evs_table table;
    bool open; /* the topics of broker `of` are shown */
    bool on_led; /* and have the focus */
    int32_t of;
    struct evs_table topics;
    struct led *led;
    size_t n_led;
};

static inline struct cluster *cluster_of(const struct evs_screen *s)
{
    return s->state;
}

/* cluster_led.c */
extern const struct evs_table_ops cluster_led_ops;
void cluster_find_led(struct cluster *c); /* anew, of this snapshot */
const struct led *cluster_led_row(const struct cluster *c); /* under the cursor, or NULL */
int32_t cluster_led_first(const struct cluster *c, const struct led *l); /* partition */

#endif
