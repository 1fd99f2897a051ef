#include "kafka/meta.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/opt.h"
#include "core/xalloc.h"
#include "kafka/handle.h"
#include "kafka/request.h"
#include "kafka/times.h"

/* --- metadata --- */

enum { FIRST_SLICE_MS = 900 };

/* rd_kafka_metadata waits for a broker as long as it may; slices let us see that none will come. */
static rd_kafka_resp_err_t ask_metadata(struct evs_client *c, rd_kafka_t *rk, const char *topic,
                                        const struct rd_kafka_metadata **ret_md)
{
    int64_t slice_ms = FIRST_SLICE_MS, start_us = evs_clock_mono_us();
    int64_t timeout_ms = evs_client_timeout_ms(c);
    for (;;) {
        int64_t asked_us = evs_clock_mono_us(), left_ms = timeout_ms - (asked_us - start_us) / 1000;
        if (left_ms < 1)
            return RD_KAFKA_RESP_ERR__TIMED_OUT;
        rd_kafka_resp_err_t e = evs_request_metadata(
            evs_client_stop(c), rk, topic, (int)(slice_ms < left_ms ? slice_ms : left_ms), ret_md);
        evs_handle_poll(rk);
        if (!e) {
            evs_link_good(c, evs_clock_mono_us() - asked_us, (*ret_md)->broker_cnt);
            return e;
        }
        if (evs_kafka_class(e) != EVS_RETRY || evs_link_hopeless(c))
            return e;
        slice_ms *= 2;
    }
}

static int by_partition(const void *a, const void *b)
{
    const struct evs_meta_partition *x = a, *y = b;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

static int by_topic(const void *a, const void *b)
{
    const struct evs_meta_topic *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_broker(const void *a, const void *b)
{
    const struct evs_meta_broker *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static char *error_of(rd_kafka_resp_err_t native)
{
    /* A replica that is away does not keep anybody from reading; isr tells it. */
    if (!native || native == RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE)
        return NULL;
    return evs_xstrdup(evs_meta_error_text(native));
}

static int32_t *copy_ids(const int32_t *ids, int n)
{
    return n > 0 ? evs_xmemdup(ids, sizeof(*ids) * (size_t)n) : NULL;
}

static bool is_internal(const char *name)
{
    return !strcmp(name, "__consumer_offsets") || !strcmp(name, "__transaction_state") ||
           !strcmp(name, "__share_group_state");
}

static void take_topic(struct evs_meta_topic *to, const struct rd_kafka_metadata_topic *from)
{
    to->name = evs_xstrdup(from->topic);
    to->internal = is_internal(from->topic);
    to->error = error_of(from->err);
    to->n_partitions = from->partition_cnt;
    to->partitions = evs_xcalloc((size_t)from->partition_cnt + 1, sizeof(*to->partitions));
    for (int i = 0; i < from->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *p = &from->partitions[i];
        to->partitions[i] = (struct evs_meta_partition){
            .partition = p->id,
            .leader = p->leader,
            .replicas = copy_ids(p->replicas, p->replica_cnt),
            .n_replicas = p->replica_cnt,
            .isr = copy_ids(p->isrs, p->isr_cnt),
            .n_isr = p->isr_cnt,
            .error = error_of(p->err          ? p->err
                              : p->leader < 0 ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
                                              : p->err),
        };
    }
    qsort(to->partitions, (size_t)to->n_partitions, sizeof(*to->partitions), by_partition);
}

static struct evs_meta *take_metadata(rd_kafka_t *rk, const struct rd_kafka_metadata *md)
{
    struct evs_meta *m = evs_xcalloc(1, sizeof(*m));
    char *id = rd_kafka_clusterid(rk, 0);
    m->cluster_id = evs_xstrdup(id);
    if (id)
        rd_kafka_mem_free(rk, id);
    m->controller = rd_kafka_controllerid(rk, 0);
    m->at_ms = evs_clock_wall_ms();
    m->n_brokers = md->broker_cnt;
    m->brokers = evs_xcalloc((size_t)md->broker_cnt + 1, sizeof(*m->brokers));
    for (int i = 0; i < md->broker_cnt; i++)
        m->brokers[i] = (struct evs_meta_broker){md->brokers[i].id, md->brokers[i].port,
                                                 evs_xstrdup(md->brokers[i].host)};
    qsort(m->brokers, (size_t)m->n_brokers, sizeof(*m->brokers), by_broker);
    m->n_topics = md->topic_cnt;
    m->topics = evs_xcalloc((size_t)md->topic_cnt + 1, sizeof(*m->topics));
    for (int i = 0; i < md->topic_cnt; i++)
        take_topic(&m->topics[i], &md->topics[i]);
    qsort(m->topics, (size_t)m->n_topics, sizeof(*m->topics), by_topic);
    return m;
}

static const char *nth_topic(const void *ctx, size_t i)
{
    const struct evs_meta *m = ctx;
    return i < (size_t)m->n_topics ? m->topics[i].name : NULL;
}

static void hint_topic(struct evs_client *c, const char *topic, struct evs_err *err)
{
    struct evs_err unused = EVS_ERR_INIT;
    struct evs_meta *all = NULL;
    if (evs_meta_fetch(c, NULL, &all, &unused))
        return;
    const char *near = evs_suggest(topic, nth_topic, all);
    if (near)
        evs_hint(err, "did you mean '%s'?", near);
    else
        evs_hint(err, "'eventscope topics' lists the %d that this user may see", all->n_topics);
    evs_meta_free(all);
}

static enum evs_rc check_topic(struct evs_client *c, const char *topic,
                               const struct rd_kafka_metadata *md, struct evs_err *err)
{
    rd_kafka_resp_err_t e =
        md->topic_cnt ? md->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!e)
        return EVS_OK;
    if (e == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        evs_fail_native(err, EVS_FATAL, "kafka", e, "topic %s: does not exist", topic);
        hint_topic(c, topic, err);
        return EVS_FATAL;
    }
    evs_kafka_fail(c, e, err, "topic %s", topic);
    if (e == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        evs_hint(err, "this user needs DESCRIBE and READ on the topic");
    return err->code;
}

bool evs_meta_no_topic(const struct evs_err *err)
{
    return err->native == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

enum evs_rc evs_meta_fetch(struct evs_client *c, const char *topic, struct evs_meta **ret_meta,
                           struct evs_err *err)
{
    rd_kafka_t *rk;
    enum evs_rc rc = evs_handle_shared(c, EVS_READ_UNCOMMITTED, &rk, err);
    if (rc)
        return rc;
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_resp_err_t e = ask_metadata(c, rk, topic, &md);
    if (e == RD_KAFKA_RESP_ERR__INVALID_ARG)
        rc = evs_fail(err, EVS_INVALID, "topic %s: not a legal topic name", topic);
    else if (e)
        rc = evs_kafka_fail(c, e, err, "metadata");
    else if (topic)
        rc = check_topic(c, topic, md, err);
    if (!rc)
        *ret_meta = take_metadata(rk, md);
    if (md)
        rd_kafka_metadata_destroy(md);
    return rc;
}

void evs_meta_free(struct evs_meta *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->n_brokers; i++)
        evs_free(m->brokers[i].host);
    for (int i = 0; i < m->n_topics; i++) {
        struct evs_meta_topic *t = &m->topics[i];
        for (int p = 0; p < t->n_partitions; p++) {
            evs_free(t->partitions[p].replicas);
            evs_free(t->partitions[p].isr);
            evs_free(t->partitions[p].error);
        }
        evs_free(t->partitions);
        evs_free(t->name);
        evs_free(t->error);
    }
    evs_free(m->brokers);
    evs_free(m->topics);
    evs_free(m->cluster_id);
    evs_free(m);
}

const struct evs_meta_topic *evs_meta_topic(const struct evs_meta *m, const char *name)
{
    struct evs_meta_topic key = {.name = (char *)(uintptr_t)name};
    return bsearch(&key, m->topics, (size_t)m->n_topics, sizeof(*m->topics), by_topic);
}

/* --- offsets --- */

enum { CHUNK = 2000, FIRST_TRY_MS = 3000 };

struct asking {
    struct evs_client *c;
    rd_kafka_t *rk;
    int64_t deadline_us;
    int requests;
};

static int left_ms(const struct asking *a)
{
    int64_t ms = (a->deadline_us - evs_clock_mono_us()) / 1000;
    return ms < 1 ? 1 : (int)ms;
}

static rd_kafka_resp_err_t ask_once(struct asking *a, struct evs_offset_ask **asks, size_t n,
                                    int timeout_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, asks[i]->topic, asks[i]->partition)->offset =
            asks[i]->ts_ms;
    int64_t start_us = evs_clock_mono_us();
    rd_kafka_resp_err_t e = evs_request_offsets(evs_client_stop(a->c), a->rk, &list, timeout_ms);
    evs_handle_poll(a->rk);
    a->requests++;
    for (size_t i = 0; !e && i < n; i++) {
        /* The list comes back in our order. -1 is "none that late". */
        asks[i]->native = list->elems[i].err;
        asks[i]->offset = asks[i]->native ? INT64_MIN : list->elems[i].offset;
    }
    if (!e)
        evs_link_good(a->c, evs_clock_mono_us() - start_us, 0);
    if (list)
        rd_kafka_topic_partition_list_destroy(list);
    return e;
}

static void mark(struct evs_offset_ask *ask, rd_kafka_resp_err_t native)
{
    ask->native = native;
    ask->offset = INT64_MIN;
}

static rd_kafka_resp_err_t trouble_of(const struct rd_kafka_metadata *md,
                                      const struct evs_offset_ask *ask)
{
    for (int t = 0; t < md->topic_cnt; t++) {
        if (strcmp(md->topics[t].topic, ask->topic))
            continue;
        if (md->topics[t].err)
            return md->topics[t].err;
        for (int p = 0; p < md->topics[t].partition_cnt; p++)
            if (md->topics[t].partitions[p].id == ask->partition)
                return md->topics[t].partitions[p].leader < 0
                           ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
                           : RD_KAFKA_RESP_ERR_NO_ERROR;
        return RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    }
    return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/* Marks the asks that cannot be answered now and moves the rest to the front; renews the handle's
 * idea of the leaders, which offsets_for_times itself does not do in 2.0.2. */
static size_t take_out_bad(struct asking *a, struct evs_offset_ask **asks, size_t n)
{
    const struct rd_kafka_metadata *md = NULL;
    bool one = true;
    for (size_t i = 1; i < n; i++)
        one = one && !strcmp(asks[i]->topic, asks[0]->topic);
    rd_kafka_resp_err_t e = evs_request_metadata(evs_client_stop(a->c), a->rk,
                                                 one ? asks[0]->topic : NULL, left_ms(a), &md);
    size_t kept = 0;
    for (size_t i = 0; !e && i < n; i++) {
        rd_kafka_resp_err_t bad = trouble_of(md, asks[i]);
        if (bad)
            mark(asks[i], bad);
        else
            asks[kept++] = asks[i];
    }
    if (md)
        rd_kafka_metadata_destroy(md);
    return e ? n : kept;
}

/* One partition's error fails the whole call: halve until it stands alone. */
static rd_kafka_resp_err_t ask_halves(struct asking *a, struct evs_offset_ask **asks, size_t n)
{
    rd_kafka_resp_err_t e = n ? ask_once(a, asks, n, left_ms(a)) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!e || e == RD_KAFKA_RESP_ERR__TIMED_OUT || e == RD_KAFKA_RESP_ERR__TRANSPORT ||
        e == RD_KAFKA_RESP_ERR__INTR)
        return e;
    if (n == 1) {
        mark(asks[0], e);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    e = ask_halves(a, asks, n / 2);
    return e ? e : ask_halves(a, asks + n / 2, n - n / 2);
}

static rd_kafka_resp_err_t ask_chunk(struct asking *a, struct evs_offset_ask **asks, size_t n)
{
    int most = evs_link_hopeless(a->c) ? FIRST_SLICE_MS : FIRST_TRY_MS;
    int patience = left_ms(a) < most ? left_ms(a) : most;
    rd_kafka_resp_err_t e = ask_once(a, asks, n, patience);
    if (!e || e == RD_KAFKA_RESP_ERR__INTR || evs_link_hopeless(a->c))
        return e;
    n = take_out_bad(a, asks, n);
    return ask_halves(a, asks, n);
}

enum evs_rc evs_meta_offsets(struct evs_client *c, struct evs_offset_ask *asks, size_t n,
                             enum evs_isolation isolation, int *ret_requests, struct evs_err *err)
{
    struct asking a = {.c = c};
    enum evs_rc rc = evs_handle_shared(c, isolation, &a.rk, err);
    if (rc)
        return rc;
    struct evs_offset_ask **ptrs = evs_xcalloc(n + 1, sizeof(*ptrs));
    for (size_t i = 0; i < n; i++)
        ptrs[i] = &asks[i];
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (size_t i = 0; !e && i < n; i += CHUNK) { /* each has the whole time: they are answered */
        a.deadline_us = evs_clock_mono_us() + evs_client_timeout_ms(c) * 1000;
        e = ask_chunk(&a, ptrs + i, n - i < CHUNK ? n - i : CHUNK);
    }
    evs_free(ptrs);
    if (e)
        return evs_kafka_fail(c, e, err, "offsets");
    if (ret_requests)
        *ret_requests = a.requests;
    return evs_times_needed(a.rk) ? evs_times_fill(c, asks, n, isolation, err) : EVS_OK;
}
