#include "browse/gaps.h"

#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/merge.h"

enum { READ_THROUGH = 5000, WAIT_MS = 1000 };

struct evs_gaps {
    struct evs_merge *all; /* read_uncommitted; NULL: nothing can be aborted */
    enum evs_isolation isolation;
    char *policy;
};

enum evs_rc evs_gaps_open(struct evs_client *c, const struct evs_ranges *ranges,
                          const char *cleanup_policy, struct evs_gaps **ret_g, struct evs_err *err)
{
    struct evs_gaps *g = evs_xcalloc(1, sizeof(*g));
    enum evs_rc rc = EVS_OK;
    g->policy = evs_xstrdup(cleanup_policy);
    g->isolation = ranges->isolation;
    if (g->isolation == EVS_READ_COMMITTED) {
        struct evs_ranges *all = evs_ranges_copy(ranges);
        all->isolation = EVS_READ_UNCOMMITTED;
        rc = evs_merge_open(c, all, &g->all, err);
        evs_ranges_free(all);
    }
    if (rc)
        evs_gaps_close(g);
    else
        *ret_g = g;
    return rc;
}

void evs_gaps_close(struct evs_gaps *g)
{
    if (!g)
        return;
    evs_merge_close(g->all);
    evs_free(g->policy);
    evs_free(g);
}

/* Records that the gap holds under read_uncommitted. Those of a live topic are never counted
 * twice: the reader stands behind the gap afterwards. */
static enum evs_rc count(struct evs_gaps *g, int32_t partition, int64_t from, int64_t to,
                         int64_t *ret_n, struct evs_err *err)
{
    int64_t n = 0, at = evs_merge_position(g->all, partition);
    enum evs_rc rc = EVS_OK;
    if (at > from || at < from - READ_THROUGH)
        evs_merge_seek(g->all, partition, from);
    while (!rc && evs_merge_position(g->all, partition) < to) {
        struct evs_event *ev;
        rc = evs_merge_next(g->all, WAIT_MS, &ev, err);
        if (!rc && ev->offset >= from && ev->offset < to)
            n++;
        if (rc == EVS_AGAIN)
            rc = EVS_OK; /* evs_merge_next itself ends in an error when nobody answers */
    }
    *ret_n = n;
    return rc == EVS_EOF ? EVS_OK : rc;
}

enum evs_rc evs_gaps_explain(struct evs_gaps *g, int32_t partition, int64_t from, int64_t to,
                             struct evs_gap *ret_gap, struct evs_err *err)
{
    struct evs_gap gap = {.partition = partition, .from = from, .to = to, .reason = "unknown"};
    if (g->all) {
        enum evs_rc rc = count(g, partition, from, to, &gap.aborted, err);
        if (rc)
            return rc;
    }
    int64_t rest = to - from - gap.aborted;
    bool compacted = g->policy && strstr(g->policy, "compact");
    gap.markers = !g->policy ? -1 : compacted ? 0 : rest;
    gap.compacted = !g->policy ? -1 : compacted ? rest : 0;
    if (gap.aborted)
        gap.reason = "aborted";
    else if (g->policy)
        gap.reason = compacted ? "compacted" : "marker";
    *ret_gap = gap;
    return EVS_OK;
}

static void json_count(struct evs_jsonw *w, const char *name, int64_t v)
{
    if (v < 0)
        evs_jsonw_null(w, name);
    else
        evs_jsonw_i64(w, name, v);
}

void evs_gap_json(struct evs_buf *out, const struct evs_gap *gap)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_obj(&w, "gap");
    evs_jsonw_i64(&w, "partition", gap->partition);
    evs_jsonw_i64(&w, "from", gap->from);
    evs_jsonw_i64(&w, "to", gap->to);
    json_count(&w, "aborted", gap->aborted);
    json_count(&w, "markers", gap->markers);
    json_count(&w, "compacted", gap->compacted);
    evs_jsonw_str(&w, "reason", gap->reason);
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
}

static void part(struct evs_buf *out, bool *some, int64_t n, const char *one, const char *many)
{
    char text[EVS_NUM_LEN];
    if (n <= 0)
        return;
    evs_buf_printf(out, "%s %s %s", *some ? "," : ":", evs_num_commas(text, n),
                   n == 1 ? one : many);
    *some = true;
}

void evs_gap_text(struct evs_buf *out, const struct evs_gap *gap)
{
    char text[EVS_NUM_LEN];
    int64_t n = gap->to - gap->from;
    bool some = false;
    evs_buf_printf(out, "%s offset%s", evs_num_commas(text, n), n == 1 ? "" : "s");
    part(out, &some, gap->aborted, "aborted", "aborted");
    part(out, &some, gap->markers, "marker", "markers");
    part(out, &some, gap->compacted, "compacted", "compacted");
    if (!some)
        evs_buf_adds(out, ": not there, reason unknown");
}
