/* gaps.h - why offsets between visible records hold none.
 *
 * What shows under read_uncommitted only was aborted. The rest are transaction markers, or, where
 * the topic is compacted, records that compaction removed (and markers: the two cannot be told
 * apart by a client, so there the rest counts as compacted).
 *
 * Units    offsets [from, to); counts of offsets, -1 unknown.   Threads  one; blocks.
 * Owns     a second reader on the partition.   Errors  those of kafka/merge.h.
 * Cost     reads the gap once more, or a little before it.
 */
#ifndef EVS_BROWSE_GAPS_H
#define EVS_BROWSE_GAPS_H

#include <stdint.h>

#include "core/err.h"
#include "core/jsonw.h"

struct evs_client;
struct evs_gaps;
struct evs_ranges;

struct evs_gap {
    int32_t partition;
    int64_t from, to;
    int64_t aborted, markers, compacted;
    const char *reason; /* static: "aborted", "marker", "compacted", "unknown" */
};

/* For gaps within the range of one partition; cleanup_policy NULL: unknown. ranges is borrowed. */
enum evs_rc evs_gaps_open(struct evs_client *c, const struct evs_ranges *ranges,
                          const char *cleanup_policy, struct evs_gaps **ret_g,
                          struct evs_err *err) EVS_MUST_USE;
void evs_gaps_close(struct evs_gaps *g); /* NULL is fine */
/* Gaps of a partition rise. */
enum evs_rc evs_gaps_explain(struct evs_gaps *g, int32_t partition, int64_t from, int64_t to,
                             struct evs_gap *ret_gap, struct evs_err *err) EVS_MUST_USE;
/* {"gap":{...}} */
void evs_gap_json(struct evs_buf *out, const struct evs_gap *gap);
/* "8 offsets: 7 aborted, 1 marker" */
void evs_gap_text(struct evs_buf *out, const struct evs_gap *gap);

#endif
