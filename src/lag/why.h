/* why.h - why one partition of a group lags: seven suspects, each confirmed, cleared or not to
 * be told.
 *
 * Evidence is read, not guessed: the record at the commit, the keys and sizes of what waits (up
 * to 2 s of reading, then it is a part and says so), both ends, the members, the other
 * partitions. The verdict names only what is proven.
 *
 * Units    records, bytes, ms.   Threads  evs_lag_why blocks: not on the UI thread.
 * Owns     the answer is a snapshot; its record and keys are its own.
 * Errors   those of the client; a suspect whose evidence could not be had says why.
 * Cost     one small fetch, and a read of the lag window up to its limit.
 */
#ifndef EVS_LAG_WHY_H
#define EVS_LAG_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/event.h"
#include "core/thread.h"
#include "lag/model.h"

struct evs_client;

enum evs_suspect_kind {
    EVS_SUSPECT_RECORD,
    EVS_SUSPECT_HOT_KEY,
    EVS_SUSPECT_OPEN_TXN,
    EVS_SUSPECT_RETENTION,
    EVS_SUSPECT_NO_OWNER,
    EVS_SUSPECT_ALL_SLOW,
    EVS_SUSPECT_PROCESSING,
    EVS_SUSPECT_N
};
enum evs_suspicion { EVS_CLEARED, EVS_UNKNOWN, EVS_FOUND };

/* "record-at-commit", for JSON; "record at the commit", for people. */
const char *evs_suspect_name(enum evs_suspect_kind kind);
const char *evs_suspect_title(enum evs_suspect_kind kind);

struct evs_suspect {
    enum evs_suspicion found;
    char text[200];
    char evidence[64]; /* how it is known: "read 3,657,742", "exact, 1.9 s", "describe" */
};

enum { EVS_WHY_KEYS = 10 };
struct evs_why_key {
    uint8_t key[64]; /* its first bytes */
    size_t len;      /* of the whole key */
    uint64_t count, error;
};

struct evs_why {
    struct evs_snap snap;
    int64_t at_ms;
    char *group, *topic;
    int32_t partition;
    struct evs_lag_row row; /* texts in it are not valid: NULL */
    char member[128], host[128];
    char verdict[500];
    struct evs_suspect suspects[EVS_SUSPECT_N];
    int confirmed;
    /* What waits, as read: */
    int64_t from, to, read, bytes;
    bool whole; /* all of it was read; else a part, in order from the commit */
    double seconds;
    double mean_bytes;
    struct evs_event *record; /* at the commit; NULL none or unreadable */
    char record_why[160];     /* how its value breaks off; "" it decodes */
    struct evs_why_key keys[EVS_WHY_KEYS];
    size_t n_keys;
};

/* g and row: of sn. */
enum evs_rc evs_lag_why(struct evs_client *c, const struct evs_lag_sn *sn,
                        const struct evs_lag_group_row *g, const struct evs_lag_row *row,
                        struct evs_stop *stop, struct evs_why **ret_w,
                        struct evs_err *err) EVS_MUST_USE;
/* The same without reading records: what the screen shows at once. Never waits. */
struct evs_why *evs_lag_why_start(const struct evs_lag_sn *sn, const struct evs_lag_group_row *g,
                                  const struct evs_lag_row *row) EVS_MUST_USE;

#endif
