#include "kafka/configs.h"

#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/handle.h"
#include "kafka/request.h"

enum { CONFIGS_MS = 3000, SLICE_MS = 100 };

static int64_t number_of(const char *text)
{
    int64_t v;
    struct evs_err unused = EVS_ERR_INIT;
    return text && !evs_num_i64(text, INT64_MIN + 1, INT64_MAX, &v, &unused) ? v : INT64_MIN;
}

static void take_entry(struct evs_topic_config *to, const rd_kafka_ConfigEntry_t *entry)
{
    const char *name = rd_kafka_ConfigEntry_name(entry), *value = rd_kafka_ConfigEntry_value(entry);
    if (!strcmp(name, "cleanup.policy") && !to->cleanup_policy)
        to->cleanup_policy = evs_xstrdup(value);
    else if (!strcmp(name, "retention.ms"))
        to->retention_ms = number_of(value);
    else if (!strcmp(name, "retention.bytes"))
        to->retention_bytes = number_of(value);
    else if (!strcmp(name, "min.insync.replicas"))
        to->min_isr = number_of(value);
    else if (!strcmp(name, "max.message.bytes"))
        to->max_message_bytes = number_of(value);
}

static void take_resource(struct evs_topic_config *configs, size_t n,
                          const rd_kafka_ConfigResource_t *res)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(configs[i].topic, rd_kafka_ConfigResource_name(res)))
            continue;
        rd_kafka_resp_err_t e = rd_kafka_ConfigResource_error(res);
        if (e && !configs[i].error)
            configs[i].error = evs_xstrdup(evs_meta_error_text(e));
        size_t n_entries = 0;
        const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(res, &n_entries);
        for (size_t k = 0; k < n_entries; k++)
            take_entry(&configs[i], entries[k]);
        return;
    }
}

static enum evs_rc take_answer(struct evs_client *c, rd_kafka_event_t *ev,
                               struct evs_topic_config *configs, size_t n, struct evs_err *err)
{
    rd_kafka_resp_err_t e = ev                      ? rd_kafka_event_error(ev)
                            : evs_client_stopped(c) ? RD_KAFKA_RESP_ERR__INTR
                                                    : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (e)
        return evs_kafka_fail(c, e, err, "topic configuration");
    size_t n_res = 0;
    const rd_kafka_ConfigResource_t **res = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(ev), &n_res);
    for (size_t i = 0; i < n_res; i++)
        take_resource(configs, n, res[i]);
    return EVS_OK;
}

/* Any live broker answers for topics. librdkafka would ask the controller, which some clusters name
 * without having it (the embedded one names 0), and then wait out the whole timeout. */
static void ask_any_broker(struct evs_client *c, rd_kafka_t *rk, rd_kafka_AdminOptions_t *opts,
                           int timeout_ms)
{
    const struct rd_kafka_metadata *md = NULL;
    char why[200];
    if (evs_request_metadata(evs_client_stop(c), rk, NULL, timeout_ms, &md))
        return;
    if (md->broker_cnt > 0)
        rd_kafka_AdminOptions_set_broker(opts, md->brokers[0].id, why, sizeof(why));
    rd_kafka_metadata_destroy(md);
}

static rd_kafka_event_t *wait_for_answer(struct evs_client *c, rd_kafka_queue_t *q, int wait_ms)
{
    rd_kafka_event_t *ev = NULL;
    for (int ms = 0; !ev && ms < wait_ms && !evs_client_stopped(c); ms += SLICE_MS)
        ev = rd_kafka_queue_poll(q, SLICE_MS);
    return ev;
}

enum evs_rc evs_topic_configs(struct evs_client *c, struct evs_topic_config *configs, size_t n,
                              struct evs_err *err)
{
    rd_kafka_t *rk;
    char why[200];
    int timeout_ms = (int)evs_client_timeout_ms(c);
    if (timeout_ms > CONFIGS_MS) /* nobody should wait long for what only explains */
        timeout_ms = CONFIGS_MS;
    for (size_t i = 0; i < n; i++) {
        configs[i].cleanup_policy = configs[i].error = NULL;
        configs[i].retention_ms = configs[i].retention_bytes = configs[i].min_isr = INT64_MIN;
        configs[i].max_message_bytes = INT64_MIN;
    }
    enum evs_rc rc = evs_handle_shared(c, EVS_READ_UNCOMMITTED, &rk, err);
    if (rc || n == 0)
        return rc;
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *opts =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(opts, timeout_ms, why, sizeof(why));
    ask_any_broker(c, rk, opts, timeout_ms);
    rd_kafka_ConfigResource_t **res = evs_xcalloc(n, sizeof(*res));
    for (size_t i = 0; i < n; i++)
        res[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, configs[i].topic);
    rd_kafka_DescribeConfigs(rk, res, n, opts, q);
    rd_kafka_event_t *ev = wait_for_answer(c, q, timeout_ms + 500);
    rc = take_answer(c, ev, configs, n, err);
    if (ev)
        rd_kafka_event_destroy(ev);
    rd_kafka_ConfigResource_destroy_array(res, n);
    evs_free(res);
    rd_kafka_AdminOptions_destroy(opts);
    rd_kafka_queue_destroy(q);
    return rc;
}

void evs_topic_configs_done(struct evs_topic_config *configs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        evs_free(configs[i].cleanup_policy);
        evs_free(configs[i].error);
    }
}
