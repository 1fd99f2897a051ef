#include "kafka/times.h"

#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"
#include "kafka/range.h"
#include "kafka/reader.h"

bool evs_times_needed(rd_kafka_t *rk)
{
    char *id = rd_kafka_clusterid(rk, 0);
    bool mock = id && !strncmp(id, "mockCluster", 11);
    if (id)
        rd_kafka_mem_free(rk, id);
    return mock;
}

/* The records of one partition: each offset with the latest time up to it, so times rise. */
struct index {
    int64_t *offset, *latest;
    size_t n, alloc;
};

struct indexes {
    struct index *parts;
    int32_t n;
};

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct indexes *all = ctx;
    (void)worker;
    if (ev->partition >= all->n)
        return true;
    struct index *x = &all->parts[ev->partition];
    if (x->n == x->alloc) {
        x->alloc = x->alloc ? x->alloc * 2 : 1024;
        x->offset = evs_xgrow(x->offset, x->alloc, sizeof(*x->offset));
        x->latest = evs_xgrow(x->latest, x->alloc, sizeof(*x->latest));
    }
    int64_t before = x->n ? x->latest[x->n - 1] : -1;
    x->offset[x->n] = ev->offset;
    x->latest[x->n++] = ev->ts_ms > before ? ev->ts_ms : before;
    return true;
}

/* The first record at or after ts_ms, or -1. */
static int64_t first_at(const struct index *x, int64_t ts_ms)
{
    size_t low = 0, high = x->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (x->latest[mid] < ts_ms)
            low = mid + 1;
        else
            high = mid;
    }
    return low < x->n ? x->offset[low] : -1;
}

/* Where the wanted partitions of asks[0]'s topic begin and end. A partition may stand only once in
 * a request. */
static enum evs_rc bounds(struct evs_client *c, struct evs_offset_ask *const *asks, size_t n,
                          enum evs_isolation isolation, struct evs_ranges *r, struct evs_err *err)
{
    struct evs_offset_ask *low = evs_xcalloc(n, sizeof(*low)),
                          *high = evs_xcalloc(n, sizeof(*high));
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (!asks[i]->native && (!m || asks[i]->partition != low[m - 1].partition)) {
            low[m] = (struct evs_offset_ask){.topic = asks[i]->topic,
                                             .ts_ms = EVS_TS_BEGINNING,
                                             .partition = asks[i]->partition};
            high[m] = low[m];
            high[m++].ts_ms = EVS_TS_END;
        }
    enum evs_rc rc = m ? evs_meta_offsets(c, low, m, isolation, NULL, err) : EVS_OK;
    if (!rc && m)
        rc = evs_meta_offsets(c, high, m, isolation, NULL, err);
    r->topic = evs_xstrdup(asks[0]->topic);
    r->parts = evs_xcalloc(m + 1, sizeof(*r->parts));
    r->isolation = isolation;
    for (size_t i = 0; !rc && i < m; i++) {
        if (low[i].native || high[i].native || high[i].offset <= low[i].offset)
            continue;
        r->parts[r->n++] = (struct evs_range){.partition = low[i].partition,
                                              .leader = -1,
                                              .from = low[i].offset,
                                              .to = high[i].offset,
                                              .low = low[i].offset,
                                              .high = high[i].offset,
                                              .lso = high[i].offset};
        if (low[i].partition >= r->topic_partitions)
            r->topic_partitions = low[i].partition + 1;
    }
    evs_free(low);
    evs_free(high);
    return rc;
}

static enum evs_rc read_all(struct evs_client *c, const struct evs_ranges *r, struct indexes *all,
                            struct evs_err *err)
{
    static const struct evs_reader_ops ops = {.event = on_event};
    struct evs_reader_opts ro = {.profile = EVS_READER_SCAN, .workers = 1};
    struct evs_reader *reader = NULL;
    enum evs_rc rc = r->n ? evs_reader_start(c, r, &ro, &ops, all, &reader, err) : EVS_OK;
    if (!rc && reader)
        rc = evs_reader_wait(reader, evs_client_timeout_ms(c), err);
    evs_reader_free(reader);
    return rc == EVS_EOF ? EVS_OK : rc;
}

/* asks: of one topic, by partition. */
static enum evs_rc fill_topic(struct evs_client *c, struct evs_offset_ask *const *asks, size_t n,
                              enum evs_isolation isolation, struct evs_err *err)
{
    struct evs_ranges *r = evs_xcalloc(1, sizeof(*r));
    struct indexes all = {NULL, 0};
    enum evs_rc rc = bounds(c, asks, n, isolation, r, err);
    all.n = r->topic_partitions;
    all.parts = evs_xcalloc((size_t)all.n + 1, sizeof(*all.parts));
    if (!rc)
        rc = read_all(c, r, &all, err);
    for (size_t i = 0; !rc && i < n; i++)
        if (!asks[i]->native)
            asks[i]->offset = asks[i]->partition < all.n
                                  ? first_at(&all.parts[asks[i]->partition], asks[i]->ts_ms)
                                  : -1;
    for (int32_t p = 0; p < all.n; p++) {
        evs_free(all.parts[p].offset);
        evs_free(all.parts[p].latest);
    }
    evs_free(all.parts);
    evs_ranges_free(r);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const struct evs_offset_ask *x = *(struct evs_offset_ask *const *)a;
    const struct evs_offset_ask *y = *(struct evs_offset_ask *const *)b;
    int topic = strcmp(x->topic, y->topic);
    return topic ? topic : (x->partition > y->partition) - (x->partition < y->partition);
}

enum evs_rc evs_times_fill(struct evs_client *c, struct evs_offset_ask *asks, size_t n,
                           enum evs_isolation isolation, struct evs_err *err)
{
    struct evs_offset_ask **timed = evs_xcalloc(n + 1, sizeof(*timed));
    size_t m = 0;
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; i < n; i++)
        if (asks[i].ts_ms >= 0)
            timed[m++] = &asks[i];
    if (m)
        qsort(timed, m, sizeof(*timed), by_place);
    for (size_t from = 0, to; !rc && from < m; from = to) {
        for (to = from + 1; to < m && !strcmp(timed[to]->topic, timed[from]->topic);)
            to++;
        rc = fill_topic(c, timed + from, to - from, isolation, err);
    }
    evs_free(timed);
    return rc;
}
