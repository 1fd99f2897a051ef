/* partitions.h - the Partitions screen's parts. Private to screens/.
 *
 * Threads  UI thread.   Owns  struct partitions its poller and table; rows are the snapshot's.
 * Errors   none.   Cost  O(visible rows).
 */
#ifndef EVS_UI_SCREENS_PARTITIONS_H
#define EVS_UI_SCREENS_PARTITIONS_H

#include "browse/partitions.h"
#include "ui/app.h"
#include "ui/widgets/table.h"
#include "ui/widgets/verdict.h"

enum {
    COL_P,
    COL_LEAD,
    COL_ISR,
    COL_LOW,
    COL_HIGH,
    COL_LSO,
    COL_MSGS,
    COL_SHARE,
    COL_BAR,
    COL_RATE,
    COL_SPARK,
    COL_OLDEST,
    COL_NEWEST
};
enum { VERDICTS = 8, POLL_MS = 2000 };

struct partitions {
    struct evs_ui *ui;
    struct evs_partitions_poller *poller;
    struct evs_partitions_sn *sn;
    struct evs_table table;
    struct evs_verdict verdicts[VERDICTS];
    size_t n_verdicts;
    int head;     /* rows above the table */
    int32_t want; /* cursor goes there with the first rows; -1 none */
    bool paused;
    bool bytes; /* the unit shown, estimated; else messages */
    struct evs_task *sizing;
    struct partitions_sizes *sizes; /* NULL: not known yet */
};

struct evs_task;
struct partitions_sizes { /* mean bytes of a record, from a few of each partition */
    struct evs_snap snap;
    double *mean; /* by row; NAN: of none */
    int n;
    int64_t records; /* read for it */
};

/* partitions_bytes.c */
void partitions_measure(struct partitions *p);
bool partitions_measured(struct partitions *p); /* true: the sizes came */
void partitions_unmeasure(struct partitions *p);
int64_t partitions_bytes(const struct partitions *p, const struct evs_partition_row *r);
double partitions_share(const struct partitions *p, const struct evs_partition_row *r);

double partitions_fair(const struct partitions *p); /* 1 / partitions */
extern const struct evs_table_ops partitions_table_ops;

#endif
