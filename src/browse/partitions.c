#include "browse/partitions.h"

#include <math.h>
#include <string.h>

#include "browse/times.h"
#include "browse/poller.h"
#include "core/log.h"
#include "core/xalloc.h"
#include "kafka/configs.h"
#include "kafka/meta.h"
#include "stats/rate.h"

enum { RATE_WINDOW_MS = 15000, CONFIG_MS = 60000, TIMES_MS = 10000 };

struct past {
    struct evs_rate rate;
    struct evs_spark spark;
    int64_t first_ts_ms, last_ts_ms, open_txn_since_ms;
    int64_t seen_low, seen_high, seen_lso; /* when the times were read */
};

struct evs_partitions {
    struct evs_client *c;
    char *topic, *cleanup_policy;
    int64_t retention_ms, config_at_ms, times_at_ms;
    struct past *past;
    int n_past;
};

const char *evs_partition_status_name(enum evs_partition_status s)
{
    static const char *const names[] = {
        "error", "no-leader", "under-replicated", "open-transaction", "ok", "empty"};
    return names[s];
}

struct evs_partitions *evs_partitions_new(struct evs_client *c, const char *topic)
{
    struct evs_partitions *t = evs_xcalloc(1, sizeof(*t));
    t->c = c;
    t->topic = evs_xstrdup(topic);
    t->retention_ms = INT64_MIN;
    return t;
}

void evs_partitions_free(struct evs_partitions *t)
{
    if (!t)
        return;
    evs_free(t->topic);
    evs_free(t->cleanup_policy);
    evs_free(t->past);
    evs_free(t);
}

static void free_sn(struct evs_snap *snap)
{
    struct evs_partitions_sn *sn = (void *)snap;
    evs_free(sn->error);
    evs_free(sn->hint);
    if (sn->base) {
        evs_snap_unref(&sn->base->snap);
        evs_free(sn);
        return;
    }
    for (int i = 0; i < sn->n; i++) {
        evs_free(sn->rows[i].replicas);
        evs_free(sn->rows[i].isr);
        evs_free(sn->rows[i].error);
    }
    evs_free(sn->rows);
    evs_free(sn->topic);
    evs_free(sn->cleanup_policy);
    evs_free(sn);
}

static struct past *past_of(struct evs_partitions *t, int at)
{
    if (at >= t->n_past) {
        t->past = evs_xgrow(t->past, (size_t)at + 1, sizeof(*t->past));
        for (int i = t->n_past; i <= at; i++) {
            t->past[i] = (struct past){.first_ts_ms = -1,
                                       .last_ts_ms = -1,
                                       .open_txn_since_ms = -1,
                                       .seen_low = -1,
                                       .seen_high = -1,
                                       .seen_lso = -1};
            evs_rate_init(&t->past[i].rate);
        }
        t->n_past = at + 1;
    }
    return &t->past[at];
}

/* --- filling a snapshot --- */

static int32_t *copy_ids(const int32_t *ids, int n)
{
    return n > 0 ? evs_xmemdup(ids, sizeof(*ids) * (size_t)n) : NULL;
}

static struct evs_partitions_sn *new_sn(struct evs_partitions *t, const struct evs_meta *meta)
{
    const struct evs_meta_topic *mt = &meta->topics[0];
    struct evs_partitions_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_sn);
    sn->topic = evs_xstrdup(t->topic);
    sn->at_ms = meta->at_ms;
    sn->cleanup_policy = evs_xstrdup(t->cleanup_policy);
    sn->retention_ms = t->retention_ms;
    sn->n = mt->n_partitions;
    sn->rows = evs_xcalloc((size_t)sn->n + 1, sizeof(*sn->rows));
    for (int i = 0; i < sn->n; i++) {
        const struct evs_meta_partition *p = &mt->partitions[i];
        sn->rows[i] = (struct evs_partition_row){.partition = p->partition,
                                                 .leader = p->leader,
                                                 .replicas = copy_ids(p->replicas, p->n_replicas),
                                                 .n_replicas = p->n_replicas,
                                                 .isr = copy_ids(p->isr, p->n_isr),
                                                 .n_isr = p->n_isr,
                                                 .low = -1,
                                                 .high = -1,
                                                 .lso = -1,
                                                 .messages = -1,
                                                 .share = NAN,
                                                 .rate = NAN,
                                                 .first_ts_ms = -1,
                                                 .last_ts_ms = -1,
                                                 .open_txn_since_ms = -1,
                                                 .error = evs_xstrdup(p->error        ? p->error
                                                                      : p->leader < 0 ? "no leader"
                                                                                      : NULL)};
        if (p->n_replicas > sn->replicas)
            sn->replicas = p->n_replicas;
    }
    return sn;
}

static void set_status(struct evs_partition_row *row)
{
    row->status = row->leader < 0                         ? EVS_PARTITION_NO_LEADER
                  : row->error                            ? EVS_PARTITION_ERROR
                  : row->n_isr < row->n_replicas          ? EVS_PARTITION_UNDER_REPLICATED
                  : row->lso >= 0 && row->lso < row->high ? EVS_PARTITION_OPEN_TXN
                  : row->messages == 0                    ? EVS_PARTITION_EMPTY
                                                          : EVS_PARTITION_OK;
}

static enum evs_rc ask(struct evs_partitions *t, struct evs_partitions_sn *sn, int64_t ts_ms,
                       enum evs_isolation isolation, struct evs_offset_ask *asks,
                       struct evs_err *err)
{
    size_t n = 0;
    for (int i = 0; i < sn->n; i++)
        if (!sn->rows[i].error)
            asks[n++] = (struct evs_offset_ask){
                .topic = t->topic, .ts_ms = ts_ms, .partition = sn->rows[i].partition};
    enum evs_rc rc = evs_meta_offsets(t->c, asks, n, isolation, NULL, err);
    size_t k = 0;
    for (int i = 0; !rc && i < sn->n; i++) {
        struct evs_partition_row *row = &sn->rows[i];
        if (row->error)
            continue;
        const struct evs_offset_ask *a = &asks[k++];
        if (a->native)
            row->error = evs_xstrdup(evs_meta_error_text(a->native));
        else if (ts_ms == EVS_TS_BEGINNING)
            row->low = a->offset;
        else
            *(isolation == EVS_READ_COMMITTED ? &row->lso : &row->high) = a->offset;
    }
    return rc;
}

/* low first, high last: what moves meanwhile only makes the spans larger, never negative. */
static enum evs_rc ask_offsets(struct evs_partitions *t, struct evs_partitions_sn *sn,
                               struct evs_err *err)
{
    struct evs_offset_ask *asks = evs_xcalloc((size_t)sn->n + 1, sizeof(*asks));
    enum evs_rc rc = ask(t, sn, EVS_TS_BEGINNING, EVS_READ_UNCOMMITTED, asks, err);
    if (!rc)
        rc = ask(t, sn, EVS_TS_END, EVS_READ_COMMITTED, asks, err);
    if (!rc)
        rc = ask(t, sn, EVS_TS_END, EVS_READ_UNCOMMITTED, asks, err);
    evs_free(asks);
    sn->offsets = !rc;
    return rc;
}

static void set_loads(struct evs_partitions *t, struct evs_partitions_sn *sn)
{
    double *load = evs_xcalloc((size_t)sn->n + 1, sizeof(*load));
    sn->complete = true;
    for (int i = 0; i < sn->n; i++) {
        struct evs_partition_row *row = &sn->rows[i];
        struct past *past = past_of(t, i);
        sn->complete = sn->complete && !row->error;
        if (row->error)
            continue;
        row->messages = row->high > row->low ? row->high - row->low : 0;
        load[i] = (double)row->messages;
        sn->messages += row->messages;
        evs_rate_add(&past->rate, sn->at_ms, row->high);
        evs_spark_add(&past->spark, sn->at_ms, row->high);
        if (!evs_rate_get(&past->rate, RATE_WINDOW_MS, &row->rate))
            row->rate = NAN;
    }
    for (int i = 0; i < sn->n; i++) {
        evs_spark_get(&past_of(t, i)->spark, sn->at_ms, sn->rows[i].spark);
        if (sn->messages && sn->rows[i].messages >= 0)
            sn->rows[i].share = (double)sn->rows[i].messages / (double)sn->messages;
    }
    sn->skew_known = sn->complete && sn->messages > 0;
    evs_skew_of(load, (size_t)sn->n, &sn->skew);
    evs_free(load);
}

/* --- times --- */

enum span {
    SPAN_FIRST,
    SPAN_LAST,
    SPAN_OPEN /* the first record that waits behind an open transaction */
};

static bool stale(const struct past *past, const struct evs_partition_row *row, enum span span)
{
    switch (span) {
    case SPAN_FIRST: return past->seen_low != row->low || past->first_ts_ms < 0;
    case SPAN_LAST: return past->seen_high != row->high;
    default: return row->lso < row->high && past->seen_lso != row->lso;
    }
}

static size_t span_asks(struct evs_partitions *t, const struct evs_partitions_sn *sn,
                        enum span span, struct evs_time_ask *asks)
{
    size_t n = 0;
    for (int i = 0; i < sn->n; i++) {
        const struct evs_partition_row *row = &sn->rows[i];
        if (row->error || row->messages <= 0 || !stale(past_of(t, i), row, span))
            continue;
        asks[n++] = (struct evs_time_ask){.topic = t->topic,
                                          .partition = row->partition,
                                          .from = span == SPAN_OPEN ? row->lso : row->low,
                                          .to = span == SPAN_OPEN ? row->high : row->lso};
    }
    return n;
}

static enum evs_rc read_span(struct evs_partitions *t, struct evs_partitions_sn *sn, enum span span,
                             struct evs_err *err)
{
    struct evs_time_ask *asks = evs_xcalloc((size_t)sn->n + 1, sizeof(*asks));
    size_t n = span_asks(t, sn, span, asks);
    enum evs_rc rc = span == SPAN_LAST ? evs_times_last(t->c, EVS_READ_COMMITTED, asks, n, err)
                     : span == SPAN_FIRST
                         ? evs_times_first(t->c, EVS_READ_COMMITTED, asks, n, err)
                         : evs_times_first(t->c, EVS_READ_UNCOMMITTED, asks, n, err);
    for (size_t i = 0; !rc && i < n; i++) {
        struct past *past = past_of(t, asks[i].partition);
        *(span == SPAN_FIRST  ? &past->first_ts_ms
          : span == SPAN_LAST ? &past->last_ts_ms
                              : &past->open_txn_since_ms) = asks[i].ts_ms;
    }
    evs_free(asks);
    return rc;
}

static enum evs_rc set_times(struct evs_partitions *t, struct evs_partitions_sn *sn, bool read,
                             struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (int span = SPAN_FIRST; read && !rc && span <= SPAN_OPEN; span++)
        rc = read_span(t, sn, (enum span)span, err);
    for (int i = 0; i < sn->n; i++) {
        struct evs_partition_row *row = &sn->rows[i];
        struct past *past = past_of(t, i);
        if (row->error)
            continue;
        if (read && !rc) {
            past->seen_low = row->low;
            past->seen_high = row->high;
            past->seen_lso = row->lso;
        }
        row->first_ts_ms = row->messages > 0 ? past->first_ts_ms : -1;
        row->last_ts_ms = row->messages > 0 ? past->last_ts_ms : -1;
        row->open_txn_since_ms = row->lso < row->high ? past->open_txn_since_ms : -1;
    }
    sn->times = t->times_at_ms > 0 || (read && !rc);
    if (read && !rc)
        t->times_at_ms = sn->at_ms;
    return rc;
}

/* --- polling --- */

static void ask_config(struct evs_partitions *t, int64_t now_ms)
{
    struct evs_topic_config config = {.topic = t->topic};
    struct evs_err unused = EVS_ERR_INIT;
    if (t->config_at_ms && now_ms - t->config_at_ms < CONFIG_MS)
        return;
    t->config_at_ms = now_ms; /* also when refused: not with every poll */
    if (!evs_topic_configs(t->c, &config, 1, &unused)) {
        evs_free(t->cleanup_policy);
        t->cleanup_policy = config.cleanup_policy;
        config.cleanup_policy = NULL;
        t->retention_ms = config.retention_ms;
    }
    evs_topic_configs_done(&config, 1);
}

enum evs_rc evs_partitions_poll(struct evs_partitions *t, bool times, struct evs_slot *early,
                                struct evs_partitions_sn **ret_sn, struct evs_err *err)
{
    struct evs_meta *meta = NULL;
    enum evs_rc rc = evs_meta_fetch(t->c, t->topic, &meta, err);
    if (rc)
        return rc;
    if (early)
        evs_slot_publish(early, &new_sn(t, meta)->snap);
    ask_config(t, meta->at_ms);
    struct evs_partitions_sn *sn = new_sn(t, meta);
    rc = ask_offsets(t, sn, err);
    if (!rc) {
        struct evs_err late = EVS_ERR_INIT;
        set_loads(t, sn);
        if (set_times(t, sn, times, &late)) /* the offsets are worth showing without */
            evs_log(EVS_LOG_WARN, "times of %s: %s", t->topic, late.msg);
        for (int i = 0; i < sn->n; i++)
            set_status(&sn->rows[i]);
    }
    evs_meta_free(meta);
    if (rc)
        evs_snap_unref(&sn->snap);
    else
        *ret_sn = sn;
    return rc;
}

struct evs_partitions_poller {
    struct evs_partitions *partitions;
    struct evs_poller *poller;
};

/* The last rows again, with what went wrong. */
static struct evs_partitions_sn *failed_sn(struct evs_slot *slot, const struct evs_err *err)
{
    struct evs_partitions_sn *last = (void *)evs_slot_take(slot, 0);
    struct evs_partitions_sn *sn = evs_xcalloc(1, sizeof(*sn));
    if (last) {
        /* All but the counter, which others move meanwhile. */
        memcpy((char *)sn + sizeof(sn->snap), (const char *)last + sizeof(last->snap),
               sizeof(*sn) - sizeof(sn->snap));
        sn->base = last;
        if (last->base) {
            sn->base = last->base;
            evs_snap_ref(&last->base->snap);
            evs_snap_unref(&last->snap);
        }
    }
    sn->failures = sn->failures + 1;
    evs_snap_init(&sn->snap, free_sn);
    sn->error = evs_xstrdup(err->msg);
    sn->hint = err->hint[0] ? evs_xstrdup(err->hint) : NULL;
    return sn;
}

/* The first poll shows offsets before it reads records for their times. */
static bool poll_once(void *ctx, struct evs_slot *slot, int failures)
{
    struct evs_partitions *t = ((struct evs_partitions_poller *)ctx)->partitions;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_partitions_sn *sn = NULL;
    bool first = !failures && !t->n_past, due = false;
    enum evs_rc rc = evs_partitions_poll(t, false, first ? slot : NULL, &sn, &err);
    if (!rc) {
        due = !t->times_at_ms || sn->at_ms - t->times_at_ms > TIMES_MS;
        evs_slot_publish(slot, &sn->snap);
    }
    if (!rc && due) {
        rc = evs_partitions_poll(t, true, NULL, &sn, &err);
        if (!rc)
            evs_slot_publish(slot, &sn->snap);
    }
    if (rc)
        evs_slot_publish(slot, &failed_sn(slot, &err)->snap);
    return !rc;
}

enum evs_rc evs_partitions_poller_start(struct evs_client *c, const char *topic,
                                        int64_t interval_ms, const struct evs_wake *wake,
                                        struct evs_partitions_poller **ret_p, struct evs_err *err)
{
    struct evs_partitions_poller *p = evs_xcalloc(1, sizeof(*p));
    p->partitions = evs_partitions_new(c, topic);
    enum evs_rc rc =
        evs_poller_start("evs-parts", c, poll_once, p, interval_ms, wake, &p->poller, err);
    if (rc) {
        evs_partitions_poller_free(p);
        return rc;
    }
    *ret_p = p;
    return EVS_OK;
}

void evs_partitions_poller_free(struct evs_partitions_poller *p)
{
    if (!p)
        return;
    evs_poller_free(p->poller);
    evs_partitions_free(p->partitions);
    evs_free(p);
}

struct evs_partitions_sn *evs_partitions_take(struct evs_partitions_poller *p, uint64_t than)
{
    return (void *)evs_poller_take(p->poller, than);
}

void evs_partitions_refresh(struct evs_partitions_poller *p)
{
    evs_poller_refresh(p->poller);
}

void evs_partitions_pause(struct evs_partitions_poller *p, bool on)
{
    evs_poller_pause(p->poller, on);
}

void evs_partitions_interval(struct evs_partitions_poller *p, int64_t interval_ms)
{
    evs_poller_interval(p->poller, interval_ms);
}
