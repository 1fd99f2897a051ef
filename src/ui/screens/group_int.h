/* group_int.h - what the two files of Group detail share: the model and its two lists.
 *
 * Threads  UI thread.   Owns  nothing: the snapshot is ui/data's.   Errors  none.   Cost  small.
 */
#ifndef EVS_UI_SCREENS_GROUP_INT_H
#define EVS_UI_SCREENS_GROUP_INT_H

#include "lag/model.h"
#include "ui/widgets/table.h"

struct evs_ui;

enum {
    COL_PART,
    COL_COMMITTED,
    COL_HIGH,
    COL_LAG,
    COL_SHARE,
    COL_AGE,
    COL_IN,
    COL_OUT,
    COL_MEMBER,
    COL_STATUS
};
enum { M_CLIENT, M_HOST, M_INSTANCE, M_PARTS, M_NOTE };

struct group {
    struct evs_ui *ui;
    const struct evs_lag_sn *sn;
    const struct evs_lag_group_row *g; /* of sn; NULL: not there (yet) */
    struct evs_table rows, members;
    bool on_members, asked;
    char want_topic[256]; /* the cursor goes there with the first rows */
    int32_t want;
};

extern const struct evs_table_ops group_row_ops, group_member_ops;

#endif
