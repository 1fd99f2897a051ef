#include "kafka/patience.h"

#include "core/clock.h"
#include "kafka/handle.h"
#include "kafka/request.h"

enum { ASK_MS = 1000, EVERY_US = 500000, UNASKED = 3 };

static bool answers(struct evs_client *c, const char *topic, int32_t partition, int64_t wait_ms,
                    struct evs_stop *stop)
{
    rd_kafka_t *rk;
    struct evs_err unused = EVS_ERR_INIT;
    if (evs_handle_shared(c, EVS_READ_UNCOMMITTED, &rk, &unused))
        return false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = EVS_TS_END;
    rd_kafka_resp_err_t e = evs_request_offsets(stop, rk, &list, (int)wait_ms);
    evs_handle_poll(rk);
    if (list)
        rd_kafka_topic_partition_list_destroy(list);
    return !e;
}

enum evs_rc evs_patience_check(struct evs_patience *p, struct evs_client *c, const char *topic,
                               int32_t partition, struct evs_stop *stop, struct evs_err *err)
{
    struct evs_link_state link;
    evs_client_link(c, &link);
    int64_t now_us = evs_clock_mono_us(), timeout_ms = evs_client_timeout_ms(c);
    int64_t silent_ms = (now_us - p->heard_us) / 1000, left_ms = timeout_ms - silent_ms;
    bool down = link.link == EVS_LINK_DOWN;
    if (!down && partition < 0) /* its partitions wait for their leaders, and give up themselves */
        left_ms += (UNASKED - 1) * timeout_ms;
    if (left_ms <= 0)
        return evs_kafka_fail(c, RD_KAFKA_RESP_ERR__TIMED_OUT, err, "reading %s", topic);
    if (down || partition < 0 || silent_ms < timeout_ms / 2 || now_us - p->asked_us < EVERY_US)
        return EVS_OK;
    p->asked_us = now_us;
    if (answers(c, topic, partition, left_ms < ASK_MS ? left_ms : ASK_MS, stop))
        p->heard_us = evs_clock_mono_us();
    return EVS_OK;
}
