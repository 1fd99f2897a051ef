#include "kafka/merge.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/handle.h"
#include "kafka/patience.h"
#include "kafka/record.h"
#include "kafka/request.h"

enum {
    BATCH = 128,
    TURN_MS = 20,
    KICK_US = 5000,
    RETRY_US = 250000,
    RENEW_MS = 2000,
    QUEUED_MESSAGES = 60000, /* of all partitions together */
    QUEUED_BYTES = 32 << 20
};

enum lane_state {
    LANE_WANTED, /* its next record has not come yet */
    LANE_READY,  /* its next record stands at batch[at] */
    LANE_HEAD,   /* open range: nothing more as of now */
    LANE_ENDED
};

struct lane {
    int32_t partition;
    int64_t next, to, last_ts_ms;
    enum lane_state state;
    rd_kafka_queue_t *q;
    rd_kafka_message_t *batch[BATCH];
    size_t at, n;
    int64_t ts_ms;      /* of batch[at] */
    int64_t trouble_us; /* since when it fails; 0 it does not */
    bool started;
};

struct evs_merge {
    struct evs_client *c;
    char *topic;
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    struct lane *lanes;
    size_t n, turn;
    struct evs_record record;
    struct lane *given; /* its batch[at] is the caller's until the next call */
    int64_t disorder, kicked_us;
    struct evs_patience patience; /* heard_us 0: nothing is waited for */
    bool all_ready; /* every lane is READY or ENDED: nothing to ask */
};

static void begin_lane(struct evs_merge *m, struct lane *l)
{
    l->started = !rd_kafka_consume_start_queue(m->rkt, l->partition, l->next, l->q);
}

static void drop_batch(struct lane *l)
{
    for (; l->at < l->n; l->at++)
        rd_kafka_message_destroy(l->batch[l->at]);
    l->at = l->n = 0;
}

static void stop_lane(struct evs_merge *m, struct lane *l)
{
    drop_batch(l);
    if (l->started)
        rd_kafka_consume_stop(m->rkt, l->partition);
    l->started = false;
}

static enum evs_rc open_handle(struct evs_merge *m, enum evs_isolation isolation,
                               struct evs_err *err)
{
    size_t n = m->n ? m->n : 1, messages = QUEUED_MESSAGES / n, bytes = QUEUED_BYTES / n;
    char min_messages[24], fetch_bytes[24], kbytes[24];
    snprintf(min_messages, sizeof(min_messages), "%zu", messages < 20 ? 20 : messages);
    bytes = bytes < 16384 ? 16384 : bytes > 1048576 ? 1048576 : bytes;
    snprintf(fetch_bytes, sizeof(fetch_bytes), "%zu", bytes);
    snprintf(kbytes, sizeof(kbytes), "%zu", bytes / 512);
    const struct evs_handle_prop props[] = {
        {"queued.min.messages", min_messages}, {"queued.max.messages.kbytes", kbytes},
        {"fetch.queue.backoff.ms", "5"},       {"fetch.message.max.bytes", fetch_bytes},
        {"fetch.max.bytes", "16777216"},       {"fetch.wait.max.ms", "10"},
        {"fetch.error.backoff.ms", "100"},     {NULL, NULL},
    };
    enum evs_rc rc = evs_handle_new(m->c, RD_KAFKA_CONSUMER, isolation, props, &m->rk, err);
    if (rc)
        return rc;
    m->rkt = rd_kafka_topic_new(m->rk, m->topic, NULL);
    return m->rkt ? EVS_OK : evs_fail(err, EVS_INVALID, "topic %s: not a legal name", m->topic);
}

static struct lane new_lane(int32_t partition, int64_t from, int64_t to)
{
    return (struct lane){.partition = partition,
                         .next = from,
                         .to = to,
                         .last_ts_ms = INT64_MIN,
                         .state = from < to ? LANE_WANTED : LANE_ENDED};
}

static void open_lane(struct evs_merge *m, struct lane *l)
{
    l->q = rd_kafka_queue_new(m->rk);
    if (l->state == LANE_WANTED)
        begin_lane(m, l);
}

enum evs_rc evs_merge_open(struct evs_client *c, const struct evs_ranges *ranges,
                           struct evs_merge **ret_m, struct evs_err *err)
{
    struct evs_merge *m = evs_xcalloc(1, sizeof(*m));
    m->c = c;
    m->topic = evs_xstrdup(ranges->topic);
    m->record.ev.topic = m->topic;
    m->lanes = evs_xcalloc(ranges->n + 1, sizeof(*m->lanes));
    for (size_t i = 0; i < ranges->n; i++) {
        const struct evs_range *r = &ranges->parts[i];
        if (!r->error)
            m->lanes[m->n++] = new_lane(r->partition, r->from, r->to);
    }
    enum evs_rc rc = open_handle(m, ranges->isolation, err);
    if (rc) {
        evs_merge_close(m);
        return rc;
    }
    m->patience.heard_us = 0;
    for (size_t i = 0; i < m->n; i++)
        open_lane(m, &m->lanes[i]);
    *ret_m = m;
    return EVS_OK;
}

/* The handle itself would learn of the partition when it looks at the topic next, if ever. */
static void renew(struct evs_merge *m)
{
    const struct rd_kafka_metadata *md = NULL;
    if (!evs_request_metadata(evs_client_stop(m->c), m->rk, m->topic, RENEW_MS, &md))
        rd_kafka_metadata_destroy(md);
}

void evs_merge_add(struct evs_merge *m, int32_t partition, int64_t from, int64_t to)
{
    renew(m);
    size_t given = m->given ? (size_t)(m->given - m->lanes) : 0;
    m->lanes = evs_xgrow(m->lanes, m->n + 1, sizeof(*m->lanes));
    m->given = m->given ? &m->lanes[given] : NULL;
    m->lanes[m->n] = new_lane(partition, from, to);
    open_lane(m, &m->lanes[m->n++]);
    m->all_ready = false;
}

void evs_merge_close(struct evs_merge *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++) {
        stop_lane(m, &m->lanes[i]);
        if (m->lanes[i].q)
            rd_kafka_queue_destroy(m->lanes[i].q);
    }
    if (m->rkt)
        rd_kafka_topic_destroy(m->rkt);
    evs_handle_free(m->rk);
    evs_record_done(&m->record);
    evs_free(m->lanes);
    evs_free(m->topic);
    evs_free(m);
}

/* --- lanes --- */

static enum evs_rc lane_trouble(struct evs_merge *m, struct lane *l, rd_kafka_resp_err_t native,
                                struct evs_err *err)
{
    int64_t now_us = evs_clock_mono_us();
    if (!l->trouble_us)
        l->trouble_us = now_us;
    if (evs_kafka_class(native) == EVS_FATAL ||
        now_us - l->trouble_us > evs_client_timeout_ms(m->c) * 1000) {
        evs_kafka_fail(m->c, native, err, "partition %d of %s", l->partition, m->topic);
        err->code = EVS_FATAL;
        return EVS_FATAL;
    }
    stop_lane(m, l);
    begin_lane(m, l);
    return EVS_OK;
}

/* Looks at the lane's next message: settles its state. */
static enum evs_rc settle(struct evs_merge *m, struct lane *l, struct evs_err *err)
{
    while (l->at < l->n) {
        rd_kafka_message_t *msg = l->batch[l->at];
        rd_kafka_resp_err_t e = msg->err;
        int64_t offset = msg->offset;
        if (!e && offset >= l->next && offset < l->to) {
            l->ts_ms = rd_kafka_message_timestamp(msg, NULL);
            l->state = LANE_READY;
            l->trouble_us = 0;
            return EVS_OK;
        }
        l->at++;
        rd_kafka_message_destroy(msg);
        if (e == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            l->next = offset > l->next ? offset : l->next;
            l->state = l->to == EVS_RANGE_OPEN ? LANE_HEAD
                       : offset >= l->to       ? LANE_ENDED
                                               : l->state;
        } else if (e) {
            return lane_trouble(m, l, e, err);
        } else if (offset >= l->to) {
            l->next = l->to;
            l->state = LANE_ENDED;
        }
        if (l->state == LANE_ENDED)
            stop_lane(m, l);
    }
    return EVS_OK;
}

static enum evs_rc fill(struct evs_merge *m, struct lane *l, int wait_ms, struct evs_err *err)
{
    l->at = l->n = 0;
    ssize_t n = rd_kafka_consume_batch_queue(l->q, wait_ms, l->batch, 1);
    if (n > 0 && rd_kafka_queue_length(l->q)) {
        ssize_t more = rd_kafka_consume_batch_queue(l->q, 0, l->batch + 1, BATCH - 1);
        n += more > 0 ? more : 0;
    }
    if (n <= 0)
        return EVS_OK;
    l->n = (size_t)n;
    m->patience.heard_us = 0;
    return settle(m, l, err);
}

/* librdkafka before 2.2 sleeps up to a second once a queue was full; any request wakes it. */
static void kick(struct evs_merge *m, const struct lane *l)
{
    int64_t now_us = evs_clock_mono_us();
    if (now_us - m->kicked_us < KICK_US)
        return;
    m->kicked_us = now_us;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, m->topic, l->partition)->offset = EVS_TS_END;
    (void)rd_kafka_offsets_for_times(m->rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Asks every lane without a record; waits only where one keeps the others from going on, or where
 * there is nothing else to do. */
static enum evs_rc fill_all(struct evs_merge *m, int wait_ms, size_t *ret_wanted,
                            struct evs_err *err)
{
    struct lane *waited = NULL;
    size_t wanted = 0, heads = 0;
    for (size_t i = 0; i < m->n; i++) {
        struct lane *l = &m->lanes[(m->turn + i) % m->n];
        enum evs_rc rc = EVS_OK;
        if (l->state == LANE_WANTED || l->state == LANE_HEAD)
            rc = fill(m, l, 0, err);
        if (rc)
            return rc;
        wanted += l->state == LANE_WANTED;
        heads += l->state == LANE_HEAD;
        if (l->state == LANE_WANTED || (l->state == LANE_HEAD && !waited))
            waited = l;
    }
    m->all_ready = !wanted && !heads;
    *ret_wanted = wanted;
    if (!waited || !wait_ms)
        return EVS_OK;
    if (waited->state == LANE_WANTED)
        kick(m, waited);
    m->turn++;
    return fill(m, waited, wait_ms, err);
}

static struct lane *oldest(const struct evs_merge *m, bool *ret_held, bool *ret_ended)
{
    struct lane *best = NULL;
    *ret_held = false;
    *ret_ended = true;
    for (size_t i = 0; i < m->n; i++) {
        struct lane *l = &m->lanes[i];
        *ret_ended = *ret_ended && l->state == LANE_ENDED;
        *ret_held = *ret_held || l->state == LANE_HEAD;
        if (l->state == LANE_READY && (!best || l->ts_ms < best->ts_ms))
            best = l; /* ties go to the lower partition: lanes stand by number */
    }
    return best;
}

static void give(struct evs_merge *m, struct lane *l, struct evs_event **ret_ev)
{
    evs_record_see(&m->record, l->batch[l->at]);
    m->disorder += l->ts_ms < l->last_ts_ms;
    l->last_ts_ms = l->ts_ms;
    l->next = m->record.ev.offset + 1;
    m->given = l;
    *ret_ev = &m->record.ev;
}

/* The record handed out last is done with. */
static enum evs_rc take_back(struct evs_merge *m, struct evs_err *err)
{
    struct lane *l = m->given;
    m->given = NULL;
    if (!l)
        return EVS_OK;
    m->patience.heard_us = 0;
    rd_kafka_message_destroy(l->batch[l->at++]);
    l->state = LANE_WANTED;
    m->all_ready = m->all_ready && (l->next >= l->to || l->at < l->n);
    if (l->next >= l->to) {
        l->state = LANE_ENDED;
        stop_lane(m, l);
        return EVS_OK;
    }
    enum evs_rc rc = settle(m, l, err);
    m->all_ready = m->all_ready && (l->state == LANE_READY || l->state == LANE_ENDED);
    return rc;
}

static enum evs_rc check_link(struct evs_merge *m, struct evs_err *err)
{
    int32_t fetched = -1;
    evs_handle_poll(m->rk);
    if (!m->patience.heard_us)
        m->patience.heard_us = evs_clock_mono_us();
    for (size_t i = 0; i < m->n && fetched < 0; i++)
        if (m->lanes[i].state == LANE_WANTED && !m->lanes[i].trouble_us)
            fetched = m->lanes[i].partition;
    return evs_patience_check(&m->patience, m->c, m->topic, fetched, evs_client_stop(m->c), err);
}

enum evs_rc evs_merge_next(struct evs_merge *m, int64_t wait_ms, struct evs_event **ret_ev,
                           struct evs_err *err)
{
    int64_t until_us = evs_clock_mono_us() + wait_ms * 1000;
    enum evs_rc rc = take_back(m, err);
    for (int pause_ms = 0; !rc; pause_ms = pause_ms ? 0 : TURN_MS) {
        size_t wanted = 0;
        bool held, ended;
        if (!m->all_ready)
            rc = fill_all(m, pause_ms, &wanted, err);
        if (rc)
            break;
        if (pause_ms)
            continue; /* what was waited for counts in the next turn */
        struct lane *l = oldest(m, &held, &ended);
        if (ended)
            return EVS_EOF;
        if (l && !wanted && (!held || l->ts_ms <= evs_clock_wall_ms() - EVS_MERGE_HOLD_MS)) {
            give(m, l, ret_ev);
            return EVS_OK;
        }
        if (wanted)
            rc = check_link(m, err);
        else
            evs_handle_poll(m->rk);
        if (!rc && evs_clock_mono_us() >= until_us)
            return EVS_AGAIN;
    }
    return rc;
}

static struct lane *lane_of(const struct evs_merge *m, int32_t partition)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->lanes[i].partition == partition)
            return &m->lanes[i];
    return NULL;
}

void evs_merge_seek(struct evs_merge *m, int32_t partition, int64_t offset)
{
    struct lane *l = lane_of(m, partition);
    if (!l)
        return;
    if (m->given == l)
        m->given = NULL;
    stop_lane(m, l);
    l->next = offset;
    l->last_ts_ms = INT64_MIN;
    l->state = offset < l->to ? LANE_WANTED : LANE_ENDED;
    m->all_ready = false;
    m->patience.heard_us = 0;
    if (l->state == LANE_WANTED)
        begin_lane(m, l);
}

int64_t evs_merge_position(const struct evs_merge *m, int32_t partition)
{
    const struct lane *l = lane_of(m, partition);
    return l ? l->next : -1;
}

int64_t evs_merge_disorder(const struct evs_merge *m)
{
    return m->disorder;
}
