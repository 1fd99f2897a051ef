/* data.h - snapshots that several screens share: the topics of the cluster, the lag of its groups.
 *
 * Pollers start when a screen first asks and run until the interface ends or the cluster changes.
 * A snapshot is borrowed until the next evs_data_refresh, which the framework calls before the top
 * screen's refresh(). A screen that may be covered by another holds its own reference: it takes
 * snapshots through evs_data_keep_*, and releases them in leave().
 *
 * Threads  UI thread.   Owns  the pollers, through struct evs_ui.   Errors  kept in the snapshots.
 * Cost     none: reads what the pollers published.
 */
#ifndef EVS_UI_DATA_H
#define EVS_UI_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evs_ui;
struct evs_topics_sn;
struct evs_topics_poller;
struct evs_topic_row;
struct evs_lag_sn;
struct evs_lag_poller;
struct evs_lag_poller_state;

struct evs_task;
struct evs_snap;

struct evs_data {
    struct evs_topics_poller *topics;
    struct evs_topics_sn *topics_sn;
    int64_t started_ms; /* when the first question was asked */
    struct evs_lag_poller *lag;
    struct evs_lag_sn *lag_sn;
    struct evs_lag_poller_state *lag_state;
    struct evs_lag_wish { /* as last asked for: a busy poller's state comes later */
        int64_t interval_ms;
        bool paused, stable;
    } lag_wish;
    struct evs_known *known; /* the newest first; NULL: none */
    struct evs_task *doctor; /* Connecting's steps */
    struct evs_snap *doctor_sn;
    uint64_t doctor_seen;
    int64_t doctor_at_ms;
};

const struct evs_topics_sn *evs_data_topics(struct evs_ui *ui); /* NULL: nothing yet */
struct evs_topics_poller *
evs_data_topics_poller(struct evs_ui *ui);            /* to pause, refresh; or NULL */
int64_t evs_data_waiting_ms(const struct evs_ui *ui); /* since the first question without answer */

/* What the last whole Keys scan of a topic told of its partitions; borrowed, NULL: none yet. */
struct evs_known_part {
    int64_t messages, hot; /* all it counted; those of the heaviest key */
};
struct evs_known {
    char *topic;
    struct evs_known_part *part;
    int32_t n;
    int64_t at_ms;
};
void evs_data_know(struct evs_ui *ui, const char *topic, const struct evs_known_part *part,
                   int32_t n);
const struct evs_known *evs_data_known(const struct evs_ui *ui, const char *topic);

const struct evs_lag_sn *evs_data_lag(struct evs_ui *ui);                 /* NULL: nothing yet */
const struct evs_lag_poller_state *evs_data_lag_state(struct evs_ui *ui); /* likewise */
struct evs_lag_poller *evs_data_lag_poller(struct evs_ui *ui);            /* or NULL */
struct evs_lag_wish *evs_data_lag_wish(struct evs_ui *ui);

/* Makes *mine, NULL at first, a reference to now; true when that is another snapshot than before.
 * now NULL releases. */
bool evs_data_keep_topics(const struct evs_topics_sn **mine, const struct evs_topics_sn *now);
bool evs_data_keep_lag(const struct evs_lag_sn **mine, const struct evs_lag_sn *now);

/* Takes newer snapshots; true when there was one. */
bool evs_data_refresh(struct evs_ui *ui);
void evs_data_done(struct evs_ui *ui);

/* Names of topics known so far; NULL past the end. For completion. */
const char *evs_data_topic_name(const struct evs_ui *ui, size_t i);
const struct evs_topic_row *evs_data_topic(const struct evs_ui *ui, const char *name); /* or NULL */
int32_t evs_data_partitions(const struct evs_ui *ui, const char *topic); /* 0: not known yet */
bool evs_data_has_topic(const struct evs_ui *ui, const char *name);

#endif
