#include "browse/times.h"

#include <stdlib.h>

#include "core/xalloc.h"
#include "kafka/reader.h"

enum { LAST_BACK = 16, LAST_GROW = 64 };

struct peek {
    const struct evs_ranges *ranges;
    int64_t *ts;
};

static int by_partition(const void *a, const void *b)
{
    const struct evs_range *x = a, *y = b;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct peek *pk = ctx;
    const struct evs_range key = {.partition = ev->partition};
    const struct evs_range *at =
        bsearch(&key, pk->ranges->parts, pk->ranges->n, sizeof(key), by_partition);
    (void)worker;
    if (at)
        pk->ts[at - pk->ranges->parts] = ev->ts_ms;
    return true;
}

static enum evs_rc look(struct evs_client *c, const struct evs_ranges *ranges, int64_t limit,
                        int64_t *ts, struct evs_err *err)
{
    static const struct evs_reader_ops ops = {.event = on_event};
    struct evs_reader_opts opts = {.profile = EVS_READER_BROWSE, .per_partition = limit};
    struct peek pk = {ranges, ts};
    struct evs_reader *r = NULL;
    enum evs_rc rc = evs_reader_start(c, ranges, &opts, &ops, &pk, &r, err);
    if (!rc)
        rc = evs_reader_wait(r, -1, err);
    evs_reader_free(r);
    return rc == EVS_EOF ? EVS_OK : rc;
}

enum evs_rc evs_times_first(struct evs_client *c, const struct evs_ranges *ranges, int64_t *ret_ts,
                            struct evs_err *err)
{
    for (size_t i = 0; i < ranges->n; i++)
        ret_ts[i] = -1;
    return look(c, ranges, 1, ret_ts, err);
}

/* Steps back from the end until a record shows: markers and holes may stand there. */
enum evs_rc evs_times_last(struct evs_client *c, const struct evs_ranges *ranges, int64_t *ret_ts,
                           struct evs_err *err)
{
    struct evs_ranges *step = evs_ranges_copy(ranges);
    int64_t back = LAST_BACK;
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; i < ranges->n; i++)
        ret_ts[i] = -1;
    for (bool more = true; !rc && more; back *= LAST_GROW) {
        more = false;
        for (size_t i = 0; i < step->n; i++) {
            const struct evs_range *all = &ranges->parts[i];
            struct evs_range *part = &step->parts[i];
            part->to = back == LAST_BACK ? all->to : part->from; /* what was not looked at yet */
            part->from = all->to - all->from > back ? all->to - back : all->from;
            if (ret_ts[i] >= 0 || part->error)
                part->from = part->to = all->from;
            more = more || (part->from > all->from && !part->error);
        }
        rc = look(c, step, 0, ret_ts, err);
    }
    evs_ranges_free(step);
    return rc;
}
