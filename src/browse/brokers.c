#include "browse/brokers.h"

#include <math.h>
#include <string.h>

#include "browse/poller.h"
#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/meta.h"

enum { BROKERS_MAX = 4096, ASKED_MAX = 64 };

struct seen { /* a broker between polls */
    int32_t id, port;
    char *host;
    int64_t end, end_at_ms, lost_since_ms;
    double rate, reply_ms;
    struct evs_spark spark;
    bool now;
};

struct evs_brokers {
    struct evs_client *client;
    struct evs_poller *poller;
    struct seen *seen;
    int n_seen;
};

static void free_snapshot(struct evs_snap *snap)
{
    struct evs_brokers_sn *sn = (struct evs_brokers_sn *)snap;
    for (int i = 0; i < sn->n; i++)
        evs_free(sn->rows[i].host);
    evs_free(sn->rows);
    evs_free(sn->cluster_id);
    evs_meta_free(sn->meta);
    evs_free(sn);
}

static struct seen *find(struct evs_brokers *b, int32_t id)
{
    for (int i = 0; i < b->n_seen; i++)
        if (b->seen[i].id == id)
            return &b->seen[i];
    return NULL;
}

static void note_brokers(struct evs_brokers *b, const struct evs_meta *m)
{
    for (int i = 0; i < b->n_seen; i++)
        b->seen[i].now = false;
    for (int i = 0; i < m->n_brokers; i++) {
        struct seen *s = find(b, m->brokers[i].id);
        if (!s && b->n_seen < BROKERS_MAX) {
            b->seen = evs_xgrow(b->seen, (size_t)b->n_seen + 1, sizeof(*b->seen));
            s = &b->seen[b->n_seen++];
            *s = (struct seen){.id = m->brokers[i].id, .end = -1, .rate = NAN, .reply_ms = -1};
        }
        if (!s)
            continue;
        char *old = s->host;
        s->host = evs_xstrdup(m->brokers[i].host);
        evs_free(old);
        s->port = m->brokers[i].port;
        s->now = true;
        s->lost_since_ms = 0;
    }
    for (int i = 0; i < b->n_seen; i++)
        if (!b->seen[i].now && !b->seen[i].lost_since_ms)
            b->seen[i].lost_since_ms = m->at_ms;
}

/* The sum of the ends of what a broker leads is a counter, until leaders move: then it starts
 * over. */
static void note_end(struct seen *s, int64_t end, int64_t at_ms)
{
    int64_t span_ms = at_ms - s->end_at_ms;
    bool grew = s->end >= 0 && end >= s->end && span_ms > 0;
    s->rate = grew ? (double)(end - s->end) * 1000 / (double)span_ms : NAN;
    s->end = end;
    s->end_at_ms = at_ms;
    evs_spark_add(&s->spark, at_ms, end);
}

static int partitions_of(const struct evs_meta *m)
{
    int n = 0;
    for (int t = 0; t < m->n_topics; t++)
        n += m->topics[t].n_partitions;
    return n;
}

static void note_ends(struct evs_brokers *b, const struct evs_meta *m)
{
    int n = partitions_of(m), at = 0;
    struct evs_offset_ask *asks = evs_xcalloc((size_t)n + 1, sizeof(*asks));
    int32_t *leaders = evs_xcalloc((size_t)n + 1, sizeof(*leaders));
    struct evs_err err = EVS_ERR_INIT;
    for (int t = 0; t < m->n_topics; t++)
        for (int p = 0; p < m->topics[t].n_partitions; p++) {
            const struct evs_meta_partition *part = &m->topics[t].partitions[p];
            if (part->leader < 0)
                continue;
            leaders[at] = part->leader;
            asks[at++] = (struct evs_offset_ask){
                .topic = m->topics[t].name, .partition = part->partition, .ts_ms = EVS_TS_END};
        }
    if (!evs_meta_offsets(b->client, asks, (size_t)at, EVS_READ_UNCOMMITTED, NULL, &err)) {
        int64_t now_ms = evs_clock_wall_ms();
        for (int i = 0; i < b->n_seen; i++) {
            int64_t end = 0;
            bool any = false;
            for (int a = 0; a < at; a++)
                if (leaders[a] == b->seen[i].id && asks[a].offset >= 0) {
                    end += asks[a].offset;
                    any = true;
                }
            if (any)
                note_end(&b->seen[i], end, now_ms);
        }
    }
    evs_free(asks);
    evs_free(leaders);
}

/* One small question to each broker, about a partition that it leads. */
static void note_replies(struct evs_brokers *b, const struct evs_meta *m)
{
    for (int i = 0; i < b->n_seen && i < ASKED_MAX; i++) {
        struct evs_offset_ask ask = {.ts_ms = EVS_TS_END};
        struct evs_err unused = EVS_ERR_INIT;
        for (int t = 0; t < m->n_topics && !ask.topic; t++)
            for (int p = 0; p < m->topics[t].n_partitions && !ask.topic; p++)
                if (m->topics[t].partitions[p].leader == b->seen[i].id) {
                    ask.topic = m->topics[t].name;
                    ask.partition = m->topics[t].partitions[p].partition;
                }
        int64_t from_us = evs_clock_mono_us();
        bool told = ask.topic && b->seen[i].now &&
                    !evs_meta_offsets(b->client, &ask, 1, EVS_READ_UNCOMMITTED, NULL, &unused) &&
                    !ask.native;
        b->seen[i].reply_ms = told ? (double)(evs_clock_mono_us() - from_us) / 1000 : -1;
    }
}

static bool holds(const int32_t *list, int n, int32_t id)
{
    for (int i = 0; i < n; i++)
        if (list[i] == id)
            return true;
    return false;
}

static void count(struct evs_broker_row *row, const struct evs_meta *m)
{
    for (int t = 0; t < m->n_topics; t++)
        for (int p = 0; p < m->topics[t].n_partitions; p++) {
            const struct evs_meta_partition *part = &m->topics[t].partitions[p];
            row->leads += part->leader == row->id;
            if (!holds(part->replicas, part->n_replicas, row->id))
                continue;
            row->replicas++;
            row->not_in_sync += !holds(part->isr, part->n_isr, row->id);
        }
}

static struct evs_brokers_sn *build(struct evs_brokers *b, struct evs_meta *m)
{
    struct evs_brokers_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_snapshot);
    sn->cluster_id = evs_xstrdup(m->cluster_id);
    sn->controller = m->controller;
    sn->topics = m->n_topics;
    sn->partitions = partitions_of(m);
    sn->at_ms = m->at_ms;
    sn->meta = m;
    sn->rows = evs_xcalloc((size_t)b->n_seen + 1, sizeof(*sn->rows));
    for (int i = 0; i < b->n_seen; i++) {
        struct evs_broker_row *row = &sn->rows[sn->n++];
        row->id = b->seen[i].id;
        row->port = b->seen[i].port;
        row->host = evs_xstrdup(b->seen[i].host);
        row->controller = row->id == m->controller;
        row->rate = b->seen[i].rate;
        row->reply_ms = b->seen[i].now ? b->seen[i].reply_ms : -1;
        row->lost_since_ms = b->seen[i].lost_since_ms;
        evs_spark_get(&b->seen[i].spark, m->at_ms, row->spark);
        count(row, m);
    }
    return sn;
}

static bool poll_once(void *ctx, struct evs_slot *slot, int failures)
{
    struct evs_brokers *b = ctx;
    struct evs_meta *m = NULL;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_meta_fetch(b->client, NULL, &m, &err)) {
        (void)failures;
        return false; /* the header says so; what is shown stays */
    }
    note_brokers(b, m);
    note_ends(b, m);
    note_replies(b, m);
    evs_slot_publish(slot, &build(b, m)->snap);
    return true;
}

enum evs_rc evs_brokers_start(struct evs_client *c, int64_t interval_ms,
                              const struct evs_wake *wake, struct evs_brokers **ret_b,
                              struct evs_err *err)
{
    struct evs_brokers *b = evs_xcalloc(1, sizeof(*b));
    b->client = c;
    enum evs_rc rc =
        evs_poller_start("brokers", c, poll_once, b, interval_ms, wake, &b->poller, err);
    if (rc) {
        evs_brokers_free(b);
        return rc;
    }
    *ret_b = b;
    return EVS_OK;
}

void evs_brokers_free(struct evs_brokers *b)
{
    if (!b)
        return;
    evs_poller_free(b->poller);
    for (int i = 0; i < b->n_seen; i++)
        evs_free(b->seen[i].host);
    evs_free(b->seen);
    evs_free(b);
}

struct evs_brokers_sn *evs_brokers_take(struct evs_brokers *b, uint64_t than)
{
    return (struct evs_brokers_sn *)evs_poller_take(b->poller, than);
}

void evs_brokers_refresh(struct evs_brokers *b)
{
    evs_poller_refresh(b->poller);
}
