/* partitions_bytes.c - bytes of a partition, estimated: messages times the mean size of some. */
#include <math.h>
#include <string.h>

#include "kafka/client.h"
#include "kafka/peek.h"
#include "ui/screens/partitions.h"
#include "ui/task.h"

enum { PLACES = 16, FEW_PLACES = 4, MANY = 100, RECORDS = 8, WAIT_MS = 8000, PARTS_MAX = 2000 };

struct sizing {
    struct evs_client *client;
    char *topic;
    struct evs_peek_ask *asks; /* `places` of each partition */
    int n, places;
};

static void free_sizes(struct evs_snap *snap)
{
    struct partitions_sizes *sz = (struct partitions_sizes *)snap;
    evs_free(sz->mean);
    evs_free(sz);
}

static void measure(struct evs_task *t, void *ctx)
{
    struct sizing *z = ctx;
    struct evs_peek *peek = NULL;
    struct evs_err err = EVS_ERR_INIT;
    struct partitions_sizes *sz = evs_xcalloc(1, sizeof(*sz));
    evs_snap_init(&sz->snap, free_sizes);
    sz->mean = evs_xcalloc((size_t)z->n + 1, sizeof(*sz->mean));
    sz->n = z->n;
    if (!evs_peek_open(z->client, EVS_READ_UNCOMMITTED, &peek, &err))
        (void)!evs_peek_run(peek, z->asks, (size_t)z->n * (size_t)z->places, WAIT_MS, &err);
    evs_peek_close(peek);
    double bytes = 0;
    for (int p = 0; p < z->n; p++) {
        double own = 0, records = 0;
        for (int i = 0; i < z->places; i++) {
            own += (double)z->asks[p * z->places + i].bytes;
            records += (double)z->asks[p * z->places + i].records;
        }
        sz->mean[p] = records > 0 ? own / records : NAN;
        bytes += own;
        sz->records += (int64_t)records;
    }
    for (int p = 0; p < z->n && sz->records; p++) /* as the others where none was read */
        if (isnan(sz->mean[p]))
            sz->mean[p] = bytes / (double)sz->records;
    evs_task_publish(t, &sz->snap);
}

static void free_sizing(void *ctx)
{
    struct sizing *z = ctx;
    evs_free(z->asks);
    evs_free(z->topic);
    evs_free(z);
}

/* Some records at places spread evenly over each partition. */
void partitions_measure(struct partitions *p)
{
    if (p->sizes || p->sizing || !p->sn || !p->sn->offsets || p->sn->n > PARTS_MAX)
        return;
    struct sizing *z = evs_xcalloc(1, sizeof(*z));
    z->client = evs_ui_client(p->ui);
    z->topic = evs_xstrdup(p->sn->topic);
    z->n = p->sn->n;
    z->places = z->n > MANY ? FEW_PLACES : PLACES;
    z->asks = evs_xcalloc((size_t)z->n * (size_t)z->places + 1, sizeof(*z->asks));
    for (int i = 0; i < z->n * z->places; i++) {
        const struct evs_partition_row *r = &p->sn->rows[i / z->places];
        int64_t span = r->high > r->low ? r->high - r->low : 0;
        int64_t from = r->low + span * (2 * (i % z->places) + 1) / (2 * z->places);
        z->asks[i] = (struct evs_peek_ask){.topic = z->topic,
                                           .partition = r->partition,
                                           .offset = span ? from : 0,
                                           .to = span ? from + RECORDS : 0,
                                           .max = RECORDS};
    }
    p->sizing = evs_task_start("sizes", measure, z, free_sizing, evs_ui_wake(p->ui));
}

bool partitions_measured(struct partitions *p)
{
    struct evs_snap *snap = evs_task_take(p->sizing, 0);
    if (!snap)
        return false;
    p->sizes = (struct partitions_sizes *)snap;
    evs_task_drop(p->sizing);
    p->sizing = NULL;
    return true;
}

void partitions_unmeasure(struct partitions *p)
{
    evs_task_drop(p->sizing);
    evs_snap_unref(p->sizes ? &p->sizes->snap : NULL);
    p->sizing = NULL;
    p->sizes = NULL;
}

/* -1: not known. */
int64_t partitions_bytes(const struct partitions *p, const struct evs_partition_row *r)
{
    int at = (int)(r - p->sn->rows);
    if (!p->sizes || at >= p->sizes->n || r->messages < 0 || isnan(p->sizes->mean[at]))
        return -1;
    return (int64_t)((double)r->messages * p->sizes->mean[at]);
}

/* Part of the topic in the unit shown; NAN not known. */
double partitions_share(const struct partitions *p, const struct evs_partition_row *r)
{
    double all = 0;
    if (!p->bytes)
        return r->share;
    for (int i = 0; i < p->sn->n; i++) {
        int64_t v = partitions_bytes(p, &p->sn->rows[i]);
        all += v > 0 ? (double)v : 0;
    }
    int64_t own = partitions_bytes(p, r);
    return own < 0 || all <= 0 ? NAN : (double)own / all;
}
