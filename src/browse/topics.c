#include "browse/topics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browse/topics_int.h"
#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/configs.h"
#include "kafka/meta.h"
#include "stats/skew.h"

/* Below SKEW_MIN records a partition an uneven load says nothing. */
enum { RATE_WINDOW_MS = 15000, CONFIGS_MS = 60000, CONFIGS_MAX = 2000, SKEW_MIN = 50 };

struct asks {
    struct evs_offset_ask *low, *high;
    size_t n;
};

const char *evs_topic_status_name(enum evs_topic_status s)
{
    static const char *const names[] = {"error", "no-leader", "under-replicated",
                                        "hot",   "skewed",    "silent",
                                        "ok",    "empty",     "unknown"};
    return names[s];
}

static void free_past(void *v)
{
    struct past *past = v;
    evs_free(past->cleanup_policy);
    evs_free(past->parts);
    evs_free(past);
}

struct evs_topics *evs_topics_new(struct evs_client *c)
{
    struct evs_topics *t = evs_xcalloc(1, sizeof(*t));
    t->c = c;
    return t;
}

void evs_topics_free(struct evs_topics *t)
{
    if (!t)
        return;
    evs_map_done(&t->past, free_past);
    evs_free(t);
}

void topics_free_sn(struct evs_snap *snap)
{
    struct evs_topics_sn *sn = (void *)snap;
    evs_free(sn->error);
    evs_free(sn->hint);
    if (sn->base) {
        evs_snap_unref(&sn->base->snap);
        evs_free(sn);
        return;
    }
    for (int i = 0; i < sn->n; i++) {
        evs_free(sn->rows[i].name);
        evs_free(sn->rows[i].cleanup_policy);
        evs_free(sn->rows[i].error);
    }
    for (int i = 0; i < sn->n_brokers; i++)
        evs_free(sn->brokers[i].host);
    evs_free(sn->rows);
    evs_free(sn->brokers);
    evs_free(sn->cluster_id);
    evs_free(sn);
}

struct past *topics_past(struct evs_topics *t, const char *topic)
{
    void **at = evs_map_puts(&t->past, topic);
    if (!*at) {
        struct past *past = evs_xcalloc(1, sizeof(*past));
        evs_rate_init(&past->rate);
        past->retention_ms = INT64_MIN;
        past->end = past->end_before = past->timed_end = past->last_ts_ms = -1;
        *at = past;
    }
    return *at;
}

/* --- one row --- */

static void set_health(struct evs_topic_row *row, const struct evs_meta_topic *mt)
{
    for (int i = 0; i < mt->n_partitions; i++) {
        const struct evs_meta_partition *p = &mt->partitions[i];
        if (p->n_replicas > row->replicas)
            row->replicas = p->n_replicas;
        row->leaderless += p->leader < 0;
        row->under_replicated += p->n_isr < p->n_replicas;
    }
}

void topics_set_status(struct evs_topic_row *row)
{
    row->status = EVS_TOPIC_OK;
    if (row->error) {
        row->status = EVS_TOPIC_ERROR;
        snprintf(row->reason, sizeof(row->reason), "%s", row->error);
    } else if (row->leaderless) {
        row->status = EVS_TOPIC_NO_LEADER;
        snprintf(row->reason, sizeof(row->reason), "%d without leader", row->leaderless);
    } else if (row->under_replicated) {
        row->status = EVS_TOPIC_UNDER_REPLICATED;
        snprintf(row->reason, sizeof(row->reason), "%d under-replicated", row->under_replicated);
    } else if (row->messages < 0) {
        row->status = EVS_TOPIC_UNKNOWN;
    } else if (row->messages == 0) {
        row->status = EVS_TOPIC_EMPTY;
    } else if (row->max_over_mean >= 1.5 && row->messages >= SKEW_MIN * (int64_t)row->partitions) {
        row->status = row->max_over_mean >= 3 ? EVS_TOPIC_HOT : EVS_TOPIC_SKEWED;
        snprintf(row->reason, sizeof(row->reason), "p%d holds %.1f times its fair share",
                 row->heaviest, row->max_over_mean);
    } else if (row->last_ts_ms >= 0 &&
               evs_clock_wall_ms() - row->last_ts_ms > EVS_TOPIC_SILENT_MS) {
        char age[EVS_NUM_LEN];
        row->status = EVS_TOPIC_SILENT;
        snprintf(row->reason, sizeof(row->reason), "silent %s",
                 evs_num_ago(age, evs_clock_wall_ms() - row->last_ts_ms));
    }
}

/* Sums the topic's answers, which start at asks->low[from]; returns how many there are. */
static size_t set_offsets(struct evs_topic_row *row, const struct evs_meta_topic *mt,
                          const struct asks *asks, size_t from)
{
    double *load = evs_xcalloc((size_t)mt->n_partitions + 1, sizeof(*load));
    size_t k = from;
    bool known = mt->n_partitions > 0;
    row->messages = row->end = 0;
    for (int i = 0; i < mt->n_partitions; i++) {
        if (mt->partitions[i].leader < 0) {
            known = false;
            continue;
        }
        const struct evs_offset_ask *low = &asks->low[k], *high = &asks->high[k];
        k++;
        if (low->native || high->native) {
            if (!row->error)
                row->error =
                    evs_xstrdup(evs_meta_error_text(low->native ? low->native : high->native));
            known = false;
            continue;
        }
        load[i] = high->offset > low->offset ? (double)(high->offset - low->offset) : 0;
        row->messages += (int64_t)load[i];
        row->end += high->offset;
    }
    struct evs_skew skew;
    evs_skew_of(load, (size_t)mt->n_partitions, &skew);
    if (known && row->messages && mt->n_partitions > 1)
        row->max_over_mean = skew.max_over_mean;
    row->heaviest = (int)skew.argmax;
    if (!known)
        row->messages = row->end = -1;
    evs_free(load);
    return k - from;
}

/* Where records of the topic stand, for evs_topics_times. */
static void remember(struct past *past, const struct evs_meta_topic *mt, const struct asks *asks,
                     size_t from)
{
    evs_free(past->parts);
    past->parts = evs_xcalloc((size_t)mt->n_partitions + 1, sizeof(*past->parts));
    past->n_parts = 0;
    for (int i = 0; i < mt->n_partitions; i++) {
        if (mt->partitions[i].leader < 0)
            continue;
        const struct evs_offset_ask *low = &asks->low[from], *high = &asks->high[from];
        from++;
        if (!low->native && !high->native && high->offset > low->offset)
            past->parts[past->n_parts++] = (struct evs_time_ask){
                .partition = low->partition, .from = low->offset, .to = high->offset};
    }
}

static void set_past(struct evs_topics *t, struct evs_topic_row *row, int64_t at_ms,
                     bool sn_has_offsets)
{
    struct past *past = topics_past(t, row->name);
    if (row->end > 0) { /* never written to: what arrives first is a filling, not a rate */
        evs_rate_add(&past->rate, at_ms, row->end);
        evs_spark_add(&past->spark, at_ms, row->end);
    }
    if (!evs_rate_get(&past->rate, RATE_WINDOW_MS, &row->rate))
        row->rate = row->end == 0 ? 0 : NAN;
    evs_spark_get(&past->spark, at_ms, row->spark);
    row->cleanup_policy = evs_xstrdup(past->cleanup_policy);
    row->retention_ms = past->retention_ms;
    if (sn_has_offsets) {
        past->end_before = past->end;
        past->end = row->end;
    }
    if (past->end >= 0 && past->timed_end == past->end)
        row->last_ts_ms = past->last_ts_ms;
}

/* --- a poll --- */

static void set_rows(struct evs_topics *t, struct evs_topics_sn *sn, const struct evs_meta *meta,
                     const struct asks *asks)
{
    size_t k = 0;
    sn->rows = evs_xcalloc((size_t)meta->n_topics + 1, sizeof(*sn->rows));
    sn->n = meta->n_topics;
    sn->complete = asks != NULL;
    sn->offsets = asks != NULL;
    for (int i = 0; i < meta->n_topics; i++) {
        const struct evs_meta_topic *mt = &meta->topics[i];
        struct evs_topic_row *row = &sn->rows[i];
        *row = (struct evs_topic_row){.name = evs_xstrdup(mt->name),
                                      .internal = mt->internal,
                                      .partitions = mt->n_partitions,
                                      .messages = -1,
                                      .end = -1,
                                      .last_ts_ms = -1,
                                      .rate = NAN,
                                      .max_over_mean = NAN,
                                      .error = evs_xstrdup(mt->error)};
        set_health(row, mt);
        if (asks && !mt->error)
            remember(topics_past(t, mt->name), mt, asks, k);
        if (asks && !mt->error)
            k += set_offsets(row, mt, asks, k);
        set_past(t, row, meta->at_ms, asks != NULL);
        topics_set_status(row);
        sn->complete = sn->complete && row->messages >= 0;
    }
}

static struct evs_topics_sn *new_sn(const struct evs_meta *meta)
{
    struct evs_topics_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, topics_free_sn);
    sn->cluster_id = evs_xstrdup(meta->cluster_id);
    sn->controller = meta->controller;
    sn->at_ms = meta->at_ms;
    sn->n_brokers = meta->n_brokers;
    sn->brokers = evs_xcalloc((size_t)meta->n_brokers + 1, sizeof(*sn->brokers));
    for (int i = 0; i < meta->n_brokers; i++)
        sn->brokers[i] = (struct evs_topics_broker){meta->brokers[i].id, meta->brokers[i].port,
                                                    evs_xstrdup(meta->brokers[i].host)};
    return sn;
}

static enum evs_rc ask_all(struct evs_topics *t, const struct evs_meta *meta, struct asks *asks,
                           int *requests, struct evs_err *err)
{
    size_t max = 0;
    for (int i = 0; i < meta->n_topics; i++)
        max += (size_t)meta->topics[i].n_partitions;
    asks->low = evs_xcalloc(max + 1, sizeof(*asks->low));
    asks->high = evs_xcalloc(max + 1, sizeof(*asks->high));
    for (int i = 0; i < meta->n_topics; i++) {
        const struct evs_meta_topic *mt = &meta->topics[i];
        for (int p = 0; !mt->error && p < mt->n_partitions; p++) {
            if (mt->partitions[p].leader < 0)
                continue;
            struct evs_offset_ask ask = {.topic = mt->name,
                                         .partition = mt->partitions[p].partition,
                                         .ts_ms = EVS_TS_BEGINNING};
            asks->low[asks->n] = ask;
            ask.ts_ms = EVS_TS_END;
            asks->high[asks->n++] = ask;
        }
    }
    int one = 0, two = 0;
    enum evs_rc rc = evs_meta_offsets(t->c, asks->low, asks->n, EVS_READ_UNCOMMITTED, &one, err);
    if (!rc)
        rc = evs_meta_offsets(t->c, asks->high, asks->n, EVS_READ_UNCOMMITTED, &two, err);
    *requests += one + two;
    return rc;
}

/* Cleanup policies change seldom: asked for new topics, and again after a minute. Never fails a
 * poll. */
static void ask_configs(struct evs_topics *t, const struct evs_meta *meta)
{
    struct evs_topic_config *configs = evs_xcalloc((size_t)meta->n_topics + 1, sizeof(*configs));
    struct evs_err unused = EVS_ERR_INIT;
    size_t n = 0;
    for (int i = 0; i < meta->n_topics && n < CONFIGS_MAX; i++) {
        struct past *past = topics_past(t, meta->topics[i].name);
        if (!past->config_at_ms || meta->at_ms - past->config_at_ms > CONFIGS_MS)
            configs[n++].topic = meta->topics[i].name;
    }
    bool known = n && !evs_topic_configs(t->c, configs, n, &unused);
    for (size_t i = 0; i < n; i++) {
        struct past *past = topics_past(t, configs[i].topic);
        past->config_at_ms = meta->at_ms; /* also when refused: not with every poll */
        if (!known)
            continue;
        evs_free(past->cleanup_policy);
        past->cleanup_policy = configs[i].cleanup_policy;
        configs[i].cleanup_policy = NULL;
        past->retention_ms = configs[i].retention_ms;
    }
    evs_topic_configs_done(configs, n);
    evs_free(configs);
}

enum evs_rc evs_topics_poll(struct evs_topics *t, struct evs_slot *early,
                            struct evs_topics_sn **ret_sn, struct evs_err *err)
{
    struct evs_meta *meta = NULL;
    struct asks asks = {0};
    int64_t start_us = evs_clock_mono_us();
    int requests = 1;
    enum evs_rc rc = evs_meta_fetch(t->c, NULL, &meta, err);
    if (rc)
        return rc;
    if (early) {
        struct evs_topics_sn *sn = new_sn(meta);
        set_rows(t, sn, meta, NULL);
        evs_slot_publish(early, &sn->snap);
    }
    rc = ask_all(t, meta, &asks, &requests, err);
    if (!rc) {
        ask_configs(t, meta);
        struct evs_topics_sn *sn = new_sn(meta);
        set_rows(t, sn, meta, &asks);
        sn->requests = requests;
        sn->seconds = (double)(evs_clock_mono_us() - start_us) / 1e6;
        *ret_sn = sn;
    }
    evs_free(asks.low);
    evs_free(asks.high);
    evs_meta_free(meta);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const struct evs_topic_row *x = a, *y = b;
    return strcmp(x->name, y->name);
}

const struct evs_topic_row *evs_topics_find(const struct evs_topics_sn *sn, const char *name)
{
    struct evs_topic_row key = {.name = (char *)(uintptr_t)name};
    return sn->n ? bsearch(&key, sn->rows, (size_t)sn->n, sizeof(*sn->rows), by_name) : NULL;
}
