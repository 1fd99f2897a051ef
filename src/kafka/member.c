#include "kafka/member.h"

#include <string.h>

#include "core/log.h"
#include "core/xalloc.h"
#include "kafka/handle.h"

struct evs_member {
    struct evs_client *c;
    rd_kafka_t *rk;
    rd_kafka_queue_t *q;
    const struct evs_member_ops *ops;
    void *ctx;
    char *group, *topic;
};

static enum evs_rc subscribe(struct evs_member *m, struct evs_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, m->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t native = rd_kafka_subscribe(m->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return native ? evs_kafka_fail(m->c, native, err, "group %s", m->group) : EVS_OK;
}

enum evs_rc evs_member_join(struct evs_client *c, const char *group, const char *topic,
                            const struct evs_member_ops *ops, void *ctx, struct evs_member **ret_m,
                            struct evs_err *err)
{
    const struct evs_handle_prop props[] = {
        {"group.id", group},
        {"partition.assignment.strategy", "cooperative-sticky"},
        {"max.poll.interval.ms", "86400000"}, /* a slow sink is no dead member */
        {"queued.min.messages", "1"},
        {NULL, NULL}};
    struct evs_member *m = evs_xcalloc(1, sizeof(*m));
    m->c = c;
    m->ops = ops;
    m->ctx = ctx;
    m->group = evs_xstrdup(group);
    m->topic = evs_xstrdup(topic);
    enum evs_rc rc = evs_handle_new_member(c, props, &m->rk, err);
    if (!rc) {
        rd_kafka_poll_set_consumer(m->rk);
        m->q = rd_kafka_queue_get_consumer(m->rk);
        rc = subscribe(m, err);
    }
    if (rc) {
        evs_member_leave(m);
        return rc;
    }
    *ret_m = m;
    return EVS_OK;
}

static void drop_error(rd_kafka_error_t *e)
{
    if (e)
        evs_log(EVS_LOG_WARN, "group: %s", rd_kafka_error_string(e));
    rd_kafka_error_destroy(e);
}

static void rebalance(struct evs_member *m, rd_kafka_event_t *ev)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);
    int32_t *parts = evs_xcalloc((size_t)list->cnt + 1, sizeof(*parts));
    bool given = rd_kafka_event_error(ev) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    const char *protocol = rd_kafka_rebalance_protocol(m->rk);
    bool cooperative = protocol && !strcmp(protocol, "COOPERATIVE");
    for (int i = 0; i < list->cnt; i++) {
        parts[i] = list->elems[i].partition;
        list->elems[i].offset = RD_KAFKA_OFFSET_END; /* else it would ask for commits */
    }
    evs_log(EVS_LOG_INFO, "group %s: %d partitions %s", m->group, list->cnt,
            given ? "given" : "taken");
    if (!given)
        m->ops->taken(m->ctx, parts, (size_t)list->cnt);
    if (cooperative)
        drop_error(given ? rd_kafka_incremental_assign(m->rk, list)
                         : rd_kafka_incremental_unassign(m->rk, list));
    else
        rd_kafka_assign(m->rk, given ? list : NULL);
    if (given) {
        rd_kafka_pause_partitions(m->rk, list);
        m->ops->given(m->ctx, parts, (size_t)list->cnt);
    }
    evs_free(parts);
}

enum evs_rc evs_member_poll(struct evs_member *m, int64_t wait_ms, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    rd_kafka_event_t *ev = rd_kafka_queue_poll(m->q, (int)wait_ms);
    if (!ev)
        return EVS_OK;
    if (rd_kafka_event_type(ev) == RD_KAFKA_EVENT_REBALANCE)
        rebalance(m, ev);
    else if (rd_kafka_event_type(ev) == RD_KAFKA_EVENT_ERROR)
        rc = evs_kafka_fail(m->c, rd_kafka_event_error(ev), err, "group %s", m->group);
    rd_kafka_event_destroy(ev);
    return rc == EVS_FATAL || rc == EVS_INVALID ? rc : EVS_OK;
}

void evs_member_leave(struct evs_member *m)
{
    if (!m)
        return;
    if (m->q)
        rd_kafka_queue_destroy(m->q);
    if (m->rk) {
        rd_kafka_consumer_close(m->rk);
        evs_handle_free(m->rk);
    }
    evs_free(m->group);
    evs_free(m->topic);
    evs_free(m);
}
