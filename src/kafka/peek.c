#include "kafka/peek.h"

#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/handle.h"
#include "kafka/record.h"

struct evs_peek {
    struct evs_client *c;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
};

/* One ask on its way. Its partition is told by topic handle and number. */
struct flight {
    struct evs_peek_ask *ask;
    rd_kafka_topic_t *rkt;
    bool started, over;
};

enum evs_rc evs_peek_open(struct evs_client *c, enum evs_isolation isolation,
                          struct evs_peek **ret_p, struct evs_err *err)
{
    static const struct evs_handle_prop props[] = {
        {"fetch.message.max.bytes", "65536"}, {"fetch.wait.max.ms", "10"},
        {"queued.min.messages", "100000"},    {"queued.max.messages.kbytes", "8192"},
        {"fetch.error.backoff.ms", "50"},     {NULL, NULL}};
    struct evs_peek *p = evs_xcalloc(1, sizeof(*p));
    p->c = c;
    enum evs_rc rc = evs_handle_new(c, RD_KAFKA_CONSUMER, isolation, props, &p->rk, err);
    if (rc) {
        evs_free(p);
        return rc;
    }
    p->queue = rd_kafka_queue_new(p->rk);
    *ret_p = p;
    return EVS_OK;
}

void evs_peek_close(struct evs_peek *p)
{
    if (!p)
        return;
    rd_kafka_queue_destroy(p->queue);
    evs_handle_free(p->rk);
    evs_free(p);
}

static struct evs_event *copy(rd_kafka_message_t *m)
{
    struct evs_record rec = {.ev = {.topic = rd_kafka_topic_name(m->rkt)}};
    evs_record_see(&rec, m);
    struct evs_event *ev = evs_event_copy(&rec.ev);
    evs_record_done(&rec);
    return ev;
}

static void finish(struct flight *f, bool done, int32_t native)
{
    f->ask->done = done;
    f->ask->native = native;
    f->over = true;
}

static void take_record(struct flight *f, rd_kafka_message_t *m)
{
    struct evs_peek_ask *ask = f->ask;
    if (m->offset < ask->offset)
        return; /* librdkafka #4636 */
    if (m->offset >= ask->to) {
        finish(f, true, 0);
        return;
    }
    ask->last_ts = rd_kafka_message_timestamp(m, NULL);
    ask->bytes += (int64_t)(m->key_len + m->len);
    if (!ask->records++) {
        ask->first_offset = m->offset;
        ask->first_ts = rd_kafka_message_timestamp(m, NULL);
        if (ask->keep)
            ask->first = copy(m);
    }
    if (ask->records >= ask->max || m->offset + 1 >= ask->to)
        finish(f, true, 0);
}

static void take(struct flight *f, rd_kafka_message_t *m)
{
    if (!m->err)
        take_record(f, m);
    else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        finish(f, true, 0);
    else if (evs_kafka_class(m->err) != EVS_RETRY)
        finish(f, false, m->err);
}

static struct flight *find(struct flight *fs, size_t n, const rd_kafka_message_t *m)
{
    for (size_t i = 0; i < n; i++)
        if (fs[i].started && !fs[i].over && fs[i].ask->partition == m->partition && m->rkt &&
            !strcmp(rd_kafka_topic_name(m->rkt), fs[i].ask->topic))
            return &fs[i];
    return NULL;
}

static bool clashes(const struct flight *fs, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (fs[k].started && fs[k].ask->partition == fs[i].ask->partition &&
            !strcmp(fs[k].ask->topic, fs[i].ask->topic))
            return true;
    return false;
}

/* Starts every ask that is not over and whose partition is not busy with an earlier one. */
static size_t start(struct evs_peek *p, struct flight *fs, size_t n)
{
    size_t flying = 0;
    for (size_t i = 0; i < n; i++) {
        struct flight *f = &fs[i];
        f->started = false;
        if (f->over || clashes(fs, i))
            continue;
        if (!f->rkt)
            f->rkt = rd_kafka_topic_new(p->rk, f->ask->topic, NULL);
        if (!f->rkt ||
            rd_kafka_consume_start_queue(f->rkt, f->ask->partition, f->ask->offset, p->queue)) {
            finish(f, false, rd_kafka_last_error());
            continue;
        }
        f->started = true;
        flying++;
    }
    return flying;
}

static void stop(struct flight *fs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fs[i].started)
            rd_kafka_consume_stop(fs[i].rkt, fs[i].ask->partition);
}

static void round_trip(struct evs_peek *p, struct flight *fs, size_t n, size_t flying,
                       int64_t until_us)
{
    while (flying > 0 && evs_clock_mono_us() < until_us && !evs_link_hopeless(p->c)) {
        rd_kafka_message_t *m = rd_kafka_consume_queue(p->queue, 50);
        evs_handle_poll(p->rk);
        struct flight *f = m ? find(fs, n, m) : NULL;
        if (f) {
            take(f, m);
            flying -= f->over ? 1 : 0;
            if (f->over) { /* or it goes on filling the queue, and the others starve */
                rd_kafka_consume_stop(f->rkt, f->ask->partition);
                f->started = false;
            }
        }
        if (m)
            rd_kafka_message_destroy(m);
    }
    stop(fs, n);
    /* What is still queued belongs to this round. */
    rd_kafka_message_t *left = rd_kafka_consume_queue(p->queue, 0);
    while (left) {
        rd_kafka_message_destroy(left);
        left = rd_kafka_consume_queue(p->queue, 0);
    }
}

enum evs_rc evs_peek_run(struct evs_peek *p, struct evs_peek_ask *asks, size_t n, int64_t wait_ms,
                         struct evs_err *err)
{
    (void)err;
    int64_t until_us = evs_clock_mono_us() + wait_ms * 1000;
    struct flight *fs = evs_xcalloc(n + 1, sizeof(*fs));
    for (size_t i = 0; i < n; i++) {
        fs[i].ask = &asks[i];
        asks[i].done = false;
        asks[i].records = asks[i].bytes = 0;
        asks[i].first_offset = asks[i].first_ts = asks[i].last_ts = -1;
        asks[i].first = NULL;
        asks[i].native = 0;
        if (asks[i].offset >= asks[i].to)
            finish(&fs[i], true, 0);
    }
    size_t flying = start(p, fs, n);
    while (flying && evs_clock_mono_us() < until_us) {
        round_trip(p, fs, n, flying, until_us);
        flying = evs_clock_mono_us() < until_us ? start(p, fs, n) : 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (!fs[i].over)
            finish(&fs[i], false, RD_KAFKA_RESP_ERR__TIMED_OUT);
        if (fs[i].rkt)
            rd_kafka_topic_destroy(fs[i].rkt);
    }
    evs_free(fs);
    return EVS_OK;
}
