#include "kafka/request.h"

#include "core/call.h"
#include "core/xalloc.h"

/* A request on its way, with all that it uses: whoever asked may have left. */
struct request {
    rd_kafka_t *rk;
    char *topic;
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_partition_list_t *list;
    int timeout_ms;
    rd_kafka_resp_err_t e;
};

static void free_request(void *arg)
{
    struct request *q = arg;
    if (q->md)
        rd_kafka_metadata_destroy(q->md);
    if (q->list)
        rd_kafka_topic_partition_list_destroy(q->list);
    evs_free(q->topic);
    evs_free(q);
}

static void run_metadata(void *arg)
{
    struct request *q = arg;
    rd_kafka_topic_t *rkt = q->topic ? rd_kafka_topic_new(q->rk, q->topic, NULL) : NULL;
    if (q->topic && !rkt) {
        q->e = rd_kafka_last_error();
        return;
    }
    q->e = rd_kafka_metadata(q->rk, !rkt, rkt, &q->md, q->timeout_ms);
    if (rkt)
        rd_kafka_topic_destroy(rkt);
}

rd_kafka_resp_err_t evs_request_metadata(struct evs_stop *stop, rd_kafka_t *rk, const char *topic,
                                         int timeout_ms, const struct rd_kafka_metadata **ret_md)
{
    struct request *q = evs_xcalloc(1, sizeof(*q));
    q->rk = rk;
    q->topic = evs_xstrdup(topic);
    q->timeout_ms = timeout_ms;
    if (evs_call("evs-metadata", run_metadata, q, free_request, stop))
        return RD_KAFKA_RESP_ERR__INTR;
    rd_kafka_resp_err_t e = q->e;
    if (!e) {
        *ret_md = q->md;
        q->md = NULL;
    }
    free_request(q);
    return e;
}

static void run_offsets(void *arg)
{
    struct request *q = arg;
    q->e = rd_kafka_offsets_for_times(q->rk, q->list, q->timeout_ms);
}

rd_kafka_resp_err_t evs_request_offsets(struct evs_stop *stop, rd_kafka_t *rk,
                                        rd_kafka_topic_partition_list_t **list, int timeout_ms)
{
    struct request *q = evs_xcalloc(1, sizeof(*q));
    q->rk = rk;
    q->list = *list;
    q->timeout_ms = timeout_ms;
    *list = NULL;
    if (evs_call("evs-offsets", run_offsets, q, free_request, stop))
        return RD_KAFKA_RESP_ERR__INTR;
    rd_kafka_resp_err_t e = q->e;
    *list = q->list;
    q->list = NULL;
    free_request(q);
    return e;
}
