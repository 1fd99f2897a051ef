/* topics.h - the Topics screen's parts: one row's words, the list, the tree. Private to screens/.
 *
 * Threads  UI thread.   Owns  struct topics its tables and nodes; rows are the snapshot's.
 * Errors   none.   Cost  building the tree is O(topics x depth).
 */
#ifndef EVS_UI_SCREENS_TOPICS_H
#define EVS_UI_SCREENS_TOPICS_H

#include "browse/topics.h"
#include "lag/model.h"
#include "ui/app.h"
#include "ui/widgets/table.h"

enum { TOPIC_NODE_NAME = 260 };

struct topic_node { /* a line of the tree: a branch with the sums of its leaves, or a topic */
    char label[TOPIC_NODE_NAME];
    char path[TOPIC_NODE_NAME]; /* of a branch: what is folded by it */
    int depth;
    const struct evs_topic_row *row; /* NULL: a branch */
    const struct evs_topic_row *worst;
    int topics, partitions;
    int64_t messages;
    double rate;
    float spark[EVS_SPARK];
    bool folded;
};

enum { TOPIC_RANK_GROUP = 30, TOPIC_RANK_OK = 70 };

struct topic_lag {     /* the group that is worst off on a topic */
    const char *group; /* of the lag snapshot; NULL: no group reads it, as far as is known */
    int64_t lag;       /* -1 unknown */
    enum evs_lag_status status;
};

struct topics {
    struct evs_ui *ui;
    const struct evs_topics_sn *sn;
    const struct evs_lag_sn *lag_sn;
    struct topic_lag *lags; /* by row */
    size_t lags_alloc;
    struct evs_table list, tree;
    struct topic_node *nodes;
    size_t n_nodes, alloc;
    struct evs_map folded; /* by path */
    bool as_tree, all, paused;
    int hidden; /* internal topics not shown */
};

/* The STATE cell: how bad (0 worst), its word and role. */
int topic_rank(const struct topics *t, const struct evs_topic_row *row);
enum evs_role topic_state(const struct topics *t, const struct evs_topic_row *row, char *to,
                          size_t size);
void topic_lags_build(struct topics *t); /* from the lag of all groups */
bool topic_internal(const struct evs_topic_row *row);
void topic_spark(const float *spark, struct evs_view *v);

extern const struct evs_table_ops topic_list_ops, topic_tree_ops;
enum {
    TOPIC_COL_NAME,
    TOPIC_COL_PART,
    TOPIC_COL_REPL,
    TOPIC_COL_MSGS,
    TOPIC_COL_RATE,
    TOPIC_COL_SPARK,
    TOPIC_COL_SKEW,
    TOPIC_COL_LAG,
    TOPIC_COL_STATE
};
enum {
    TREE_COL_NAME,
    TREE_COL_TOPICS,
    TREE_COL_PART,
    TREE_COL_MSGS,
    TREE_COL_RATE,
    TREE_COL_SPARK,
    TREE_COL_STATE
};

void topic_tree_build(struct topics *t);
void topic_tree_fold(struct topics *t, int fold); /* 1 fold, 0 unfold, -1 the other */

#endif
