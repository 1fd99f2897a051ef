#include "kafka/producer.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/configs.h"
#include "kafka/handle.h"
#include "kafka/range.h"
#include "kafka/reader.h"

enum { TXN_MS = 60000, FULL_MS = 100, COMMIT_TRIES = 60, BATCH_BYTES = 1000000 };

struct evs_producer {
    struct evs_client *c;
    rd_kafka_t *rk;
    rd_kafka_t *readers[2]; /* of committed offsets, by `stable`; made at first use */
    int64_t timeout_ms;
    bool txn, open, compacted;
};

static enum evs_rc fail(struct evs_producer *p, rd_kafka_error_t *e, const char *what,
                        struct evs_err *err)
{
    rd_kafka_resp_err_t native = rd_kafka_error_code(e);
    enum evs_rc rc = rd_kafka_error_is_fatal(e) ? EVS_FATAL : evs_kafka_class(native);
    if (rd_kafka_error_txn_requires_abort(e) && rc != EVS_FATAL)
        rc = EVS_RETRY;
    if (native == RD_KAFKA_RESP_ERR__FENCED || native == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
        native == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
        evs_fail_native(err, EVS_FATAL, "fenced", native,
                        "%s: another process took over this transactional id", what);
    else
        evs_fail_native(err, rc, "kafka", native, "%s: %s", what, rd_kafka_error_string(e));
    rd_kafka_error_destroy(e);
    (void)p;
    return err->code;
}

/* What the topic takes; without the right to ask, the usual. */
static int64_t most_bytes(struct evs_producer *p, const char *topic)
{
    struct evs_err ignored = EVS_ERR_INIT;
    struct evs_topic_config cfg = {.topic = topic};
    bool known = topic && !evs_topic_configs(p->c, &cfg, 1, &ignored);
    p->compacted = known && cfg.cleanup_policy && strstr(cfg.cleanup_policy, "compact");
    evs_topic_configs_done(&cfg, 1);
    return known && cfg.max_message_bytes > 0 && cfg.max_message_bytes < BATCH_BYTES
               ? cfg.max_message_bytes
               : BATCH_BYTES;
}

bool evs_producer_compacted(const struct evs_producer *p)
{
    return p->compacted;
}

static enum evs_rc set(struct evs_client_conf *conf, const char *name, const char *value)
{
    if (!evs_client_conf_get(conf, name))
        evs_client_conf_set(conf, name, value, "built in");
    return EVS_OK;
}

enum evs_rc evs_producer_open(const struct evs_client_conf *conf, const char *brokers,
                              const char *txn_id, const char *topic, int64_t timeout_ms,
                              struct evs_producer **ret_p, struct evs_err *err)
{
    char batch[24];
    struct evs_producer *p = evs_xcalloc(1, sizeof(*p));
    struct evs_client_conf mine;
    evs_client_conf_copy(&mine, conf);
    if (brokers)
        evs_client_conf_set(&mine, "bootstrap.servers", brokers, "the sink's URL");
    set(&mine, "transaction.timeout.ms", "60000");
    p->txn = txn_id != NULL;
    p->timeout_ms = timeout_ms;
    enum evs_rc rc = evs_client_new(&mine, &p->c, err);
    evs_client_conf_done(&mine);
    if (!rc)
        snprintf(batch, sizeof(batch), "%lld", (long long)most_bytes(p, topic));
    const struct evs_handle_prop props[] = {{"enable.idempotence", "true"},
                                            {"linger.ms", "20"},
                                            {"queue.buffering.max.messages", "500000"},
                                            {"compression.type", "lz4"},
                                            {"message.max.bytes", "100000000"},
                                            {"batch.size", batch},
                                            {"delivery.report.only.error", "true"},
                                            {txn_id ? "transactional.id" : NULL, txn_id},
                                            {NULL, NULL}};
    if (!rc)
        rc = evs_handle_new(p->c, RD_KAFKA_PRODUCER, EVS_READ_COMMITTED, props, &p->rk, err);
    if (rc) {
        evs_producer_close(p);
        return rc;
    }
    *ret_p = p;
    return EVS_OK;
}

void evs_producer_close(struct evs_producer *p)
{
    if (!p)
        return;
    if (p->rk && p->open)
        evs_producer_abort(p);
    if (p->rk) { /* nothing is worth waiting for now */
        rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(p->rk, FULL_MS);
        evs_handle_free(p->rk);
    }
    evs_handle_free(p->readers[false]);
    evs_handle_free(p->readers[true]);
    evs_client_free(p->c);
    evs_free(p);
}

enum evs_rc evs_producer_partitions(struct evs_producer *p, const char *topic, int32_t *ret_n,
                                    struct evs_err *err)
{
    struct evs_meta *meta = NULL;
    enum evs_rc rc = evs_meta_fetch(p->c, topic, &meta, err);
    const struct evs_meta_topic *t = rc ? NULL : evs_meta_topic(meta, topic);
    if (!rc && (!t || t->error || !t->n_partitions)) {
        rc = evs_fail(err, EVS_FATAL, "topic %s: %s", topic,
                      t && t->error ? t->error : "is not there");
        evs_hint(err, "create it first: eventscope creates no topic");
    }
    if (!rc)
        *ret_n = t->n_partitions;
    evs_meta_free(meta);
    return rc;
}

enum evs_rc evs_producer_init(struct evs_producer *p, struct evs_err *err)
{
    if (!p->txn)
        return EVS_OK;
    rd_kafka_error_t *e = rd_kafka_init_transactions(p->rk, TXN_MS);
    return e ? fail(p, e, "transactions", err) : EVS_OK;
}

enum evs_rc evs_producer_begin(struct evs_producer *p, struct evs_err *err)
{
    *evs_client_refused(p->c) = (struct evs_refused){0};
    if (!p->txn)
        return EVS_OK;
    rd_kafka_error_t *e = rd_kafka_begin_transaction(p->rk);
    p->open = !e;
    return e ? fail(p, e, "begin", err) : EVS_OK;
}

static rd_kafka_headers_t *headers_of(const struct evs_event *ev)
{
    if (ev->n_headers <= 0)
        return NULL;
    rd_kafka_headers_t *h = rd_kafka_headers_new((size_t)ev->n_headers);
    for (int i = 0; i < ev->n_headers; i++)
        rd_kafka_header_add(h, ev->headers[i].name, (ssize_t)ev->headers[i].name_len,
                            ev->headers[i].value, (ssize_t)ev->headers[i].value_len);
    return h;
}

static rd_kafka_error_t *produce(struct evs_producer *p, const char *topic, int32_t partition,
                                 const struct evs_event *ev, size_t mark)
{
    rd_kafka_vu_t v[9];
    size_t n = 0;
    rd_kafka_headers_t *headers = headers_of(ev);
    v[n].vtype = RD_KAFKA_VTYPE_TOPIC;
    v[n++].u.cstr = topic;
    v[n].vtype = RD_KAFKA_VTYPE_PARTITION;
    v[n++].u.i32 = partition;
    v[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    v[n++].u.i = RD_KAFKA_MSG_F_COPY;
    v[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
    v[n++].u.ptr = (void *)(uintptr_t)(mark + 1);
    v[n].vtype = RD_KAFKA_VTYPE_KEY;
    v[n].u.mem.ptr = (void *)(uintptr_t)ev->key;
    v[n++].u.mem.size = ev->key_len;
    v[n].vtype = RD_KAFKA_VTYPE_VALUE;
    v[n].u.mem.ptr = (void *)(uintptr_t)ev->value;
    v[n++].u.mem.size = ev->value_len;
    if (ev->ts_ms > 0) {
        v[n].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
        v[n++].u.i64 = ev->ts_ms;
    }
    if (headers) {
        v[n].vtype = RD_KAFKA_VTYPE_HEADERS;
        v[n++].u.headers = headers;
    }
    rd_kafka_error_t *e = rd_kafka_produceva(p->rk, v, n);
    if (e && headers)
        rd_kafka_headers_destroy(headers); /* still ours when it failed */
    return e;
}

int32_t evs_producer_place(const void *key, size_t len, int32_t partitions)
{
    return rd_kafka_msg_partitioner_murmur2(NULL, key, len, partitions, NULL, NULL);
}

enum evs_rc evs_producer_send(struct evs_producer *p, const char *topic, int32_t partition,
                              const struct evs_event *ev, size_t mark, struct evs_err *err)
{
    for (;;) {
        rd_kafka_error_t *e = produce(p, topic, partition, ev, mark);
        if (!e)
            return EVS_OK;
        if (rd_kafka_error_code(e) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_error_destroy(e);
            rd_kafka_poll(p->rk, FULL_MS);
            continue;
        }
        bool large = rd_kafka_error_code(e) == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        fail(p, e, topic, err);
        return large ? (err->code = EVS_POISON) : err->code;
    }
}

void evs_producer_abort(struct evs_producer *p)
{
    if (!p->open)
        return;
    p->open = false;
    rd_kafka_error_t *e = rd_kafka_abort_transaction(p->rk, (int)p->timeout_ms);
    if (e)
        rd_kafka_error_destroy(e);
}

static rd_kafka_topic_partition_list_t *list_of(const struct evs_commit *offsets, size_t n,
                                                bool values)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_t *t =
            rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition);
        if (!values)
            continue;
        t->offset = offsets[i].offset;
        t->metadata_size = strlen(offsets[i].metadata);
        t->metadata = rd_kafka_mem_malloc(NULL, t->metadata_size + 1);
        memcpy(t->metadata, offsets[i].metadata, t->metadata_size + 1);
    }
    return list;
}

static rd_kafka_error_t *commit(struct evs_producer *p, const char *group,
                                const struct evs_commit *offsets, size_t n)
{
    rd_kafka_topic_partition_list_t *list = list_of(offsets, n, true);
    rd_kafka_consumer_group_metadata_t *name = rd_kafka_consumer_group_metadata_new(group);
    rd_kafka_error_t *e = NULL;
    for (int tries = 0; tries < COMMIT_TRIES; tries++) {
        e = n ? rd_kafka_send_offsets_to_transaction(p->rk, list, name, (int)p->timeout_ms) : NULL;
        if (!e || !rd_kafka_error_is_retriable(e))
            break;
        if (tries + 1 < COMMIT_TRIES)
            rd_kafka_error_destroy(e);
        rd_kafka_poll(p->rk, FULL_MS);
    }
    rd_kafka_consumer_group_metadata_destroy(name);
    rd_kafka_topic_partition_list_destroy(list);
    for (int tries = 0; !e && tries < COMMIT_TRIES; tries++) {
        e = rd_kafka_commit_transaction(p->rk, TXN_MS);
        if (!e || !rd_kafka_error_is_retriable(e) || tries + 1 == COMMIT_TRIES)
            break;
        rd_kafka_error_destroy(e);
        e = NULL;
        rd_kafka_poll(p->rk, FULL_MS);
    }
    return e;
}

/* A record that is refused makes the transaction void, but a commit would wait a minute for those
 * behind it, which are not sent any more. */
static bool all_taken(struct evs_producer *p)
{
    int64_t until_us = evs_clock_mono_us() + (int64_t)TXN_MS * 1000;
    while (!evs_client_refused(p->c)->native && evs_clock_mono_us() < until_us)
        if (!rd_kafka_flush(p->rk, FULL_MS))
            break;
    return !evs_client_refused(p->c)->native;
}

static enum evs_rc refused(struct evs_producer *p, struct evs_err *err)
{
    const struct evs_refused *no = evs_client_refused(p->c);
    if (no->native == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        evs_fail_native(err, EVS_POISON, "kafka", no->native,
                        "the topic takes no record of that size (max.message.bytes)");
        err->row = no->mark;
    } else if (no->native == RD_KAFKA_RESP_ERR_INVALID_RECORD ||
               no->native == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP) {
        evs_fail_native(err, EVS_FATAL, "kafka", no->native,
                        "the target topic refuses a record: %s", rd_kafka_err2str(no->native));
        evs_hint(err, "compacted topics take none without a key; message.timestamp.before.max.ms"
                      " and its like limit timestamps");
    } else {
        enum evs_rc rc = evs_kafka_class(no->native);
        evs_fail_native(err, rc, "kafka", no->native, "produce: %s", rd_kafka_err2str(no->native));
    }
    return err->code;
}

enum evs_rc evs_producer_commit(struct evs_producer *p, const char *group,
                                const struct evs_commit *offsets, size_t n, struct evs_err *err)
{
    if (!all_taken(p)) {
        evs_producer_abort(p);
        return refused(p, err);
    }
    rd_kafka_error_t *e = commit(p, group, offsets, n);
    if (!e) {
        p->open = false;
        return EVS_OK;
    }
    bool abort = rd_kafka_error_txn_requires_abort(e);
    enum evs_rc rc = fail(p, e, "commit", err);
    if (abort)
        evs_producer_abort(p);
    return rc;
}

/* --- committed offsets ----------------------------------------------------------------------- */
/* A reader with the group's name asks, which joins nothing: requests of librdkafka's admin client
 * that a coordinator answers too late end the process (2.0.2, eonce->refcnt > 0). The isolation of
 * the reader says whether a transaction under way is waited for. */
static enum evs_rc open_reader(struct evs_producer *p, const char *group, bool stable,
                               struct evs_err *err)
{
    const struct evs_handle_prop props[] = {{"group.id", group}, {NULL, NULL}};
    if (p->readers[stable])
        return EVS_OK;
    return evs_handle_new(p->c, RD_KAFKA_CONSUMER,
                          stable ? EVS_READ_COMMITTED : EVS_READ_UNCOMMITTED, props,
                          &p->readers[stable], err);
}

static rd_kafka_resp_err_t ask_committed(rd_kafka_t *reader, rd_kafka_topic_partition_list_t *list,
                                         int64_t timeout_ms)
{
    rd_kafka_resp_err_t native = rd_kafka_committed(reader, list, (int)timeout_ms);
    for (int i = 0; !native && i < list->cnt; i++)
        native = list->elems[i].err;
    return native;
}

static bool coordinator_moves(rd_kafka_resp_err_t native)
{
    return native == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
           native == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           native == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

enum evs_rc evs_producer_committed(struct evs_producer *p, const char *group, bool stable,
                                   struct evs_commit *offsets, size_t n, struct evs_err *err)
{
    for (size_t i = 0; i < n; i++) {
        offsets[i].offset = -1;
        offsets[i].metadata = NULL;
    }
    enum evs_rc rc = open_reader(p, group, stable, err);
    if (rc)
        return rc;
    rd_kafka_topic_partition_list_t *list = list_of(offsets, n, false);
    int64_t until_us = evs_clock_mono_us() + p->timeout_ms * 1000;
    rd_kafka_resp_err_t native = ask_committed(p->readers[stable], list, p->timeout_ms);
    while (coordinator_moves(native) && evs_clock_mono_us() < until_us) {
        rd_kafka_poll(p->rk, FULL_MS);
        native = ask_committed(p->readers[stable], list, p->timeout_ms);
    }
    if (native)
        rc = evs_kafka_fail(p->c, native, err, "group %s", group);
    for (size_t i = 0; !rc && i < n; i++) {
        const rd_kafka_topic_partition_t *t = &list->elems[i];
        if (t->offset < 0)
            continue;
        offsets[i].offset = t->offset;
        offsets[i].metadata = evs_xstrndup(t->metadata ? t->metadata : "", t->metadata_size);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

/* --- reading back ---------------------------------------------------------------------------- */
struct scan {
    bool (*take)(void *ctx, struct evs_event *ev);
    void *ctx;
};

static bool scan_event(void *ctx, int worker, struct evs_event *ev)
{
    struct scan *s = ctx;
    (void)worker;
    return s->take(s->ctx, ev);
}

enum evs_rc evs_producer_scan(struct evs_producer *p, const char *topic,
                              bool (*take)(void *ctx, struct evs_event *ev), void *ctx,
                              struct evs_err *err)
{
    const struct evs_range_spec spec = {.now_ms = evs_clock_wall_ms()};
    const struct evs_reader_opts opts = {.workers = 1}; /* one callback at a time */
    const struct evs_reader_ops ops = {.event = scan_event};
    struct scan s = {take, ctx};
    struct evs_ranges *ranges = NULL;
    struct evs_reader *reader = NULL;
    enum evs_rc rc = evs_range_resolve(p->c, topic, &spec, &ranges, err);
    if (!rc)
        rc = evs_reader_start(p->c, ranges, &opts, &ops, &s, &reader, err);
    if (!rc)
        rc = evs_reader_wait(reader, -1, err);
    evs_reader_free(reader);
    evs_ranges_free(ranges);
    return rc == EVS_EOF ? EVS_OK : rc;
}
