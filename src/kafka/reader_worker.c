/* reader_worker.c - one worker of a reader: its handle, its queue, its loop. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/handle.h"
#include "kafka/reader_int.h"

enum {
    SCAN_MESSAGES = 30000, /* queued per worker: each costs about 300 B beside its bytes */
    BROWSE_MESSAGES = 20000,
    QUEUE_KBYTES = 16384, /* twice that, as a whole queue is taken at once */
    KICK_PARTS = 4,       /* partitions asked, in turn: their leaders are probably different */
    BATCH_WAIT_MS = 50,
    IDLE_US = 100000,
    SHORT_US = 3000000,
    RETRY_MIN_US = 250000,
    RETRY_MAX_US = 5000000
};

/* --- opening --- */

/* A setting as it is in force: the user may have another. */
static int64_t limit_of(rd_kafka_t *rk, const char *name)
{
    struct evs_err err = EVS_ERR_INIT;
    char text[32];
    size_t size = sizeof(text);
    int64_t v;
    if (rd_kafka_conf_get(rd_kafka_conf(rk), name, text, &size) ||
        evs_num_i64(text, 1, INT32_MAX, &v, &err))
        return QUEUE_KBYTES;
    return v;
}

enum evs_rc evs_worker_open(struct worker *w, struct evs_err *err)
{
    struct evs_reader *r = w->r;
    bool scan = r->opts.profile == EVS_READER_SCAN, tail = r->opts.profile == EVS_READER_TAIL;
    char messages[16], kbytes[24];
    size_t kb = QUEUE_KBYTES;
    if (r->opts.memory_bytes)
        kb = r->opts.memory_bytes / 1024 / (size_t)r->n_workers / 2;
    snprintf(messages, sizeof(messages), "%d", scan ? SCAN_MESSAGES : BROWSE_MESSAGES);
    snprintf(kbytes, sizeof(kbytes), "%zu", kb < 1024 ? 1024 : kb > 2097151 ? 2097151 : kb);
    const struct evs_handle_prop props[] = {
        {"queued.min.messages", messages},
        {"queued.max.messages.kbytes", kbytes},
        {"fetch.queue.backoff.ms", "5"}, /* from 2.2 on; the kick does it before */
        {"fetch.message.max.bytes", scan ? "524288" : "262144"},
        {"fetch.max.bytes", "16777216"},
        /* The end of a log with holes before it shows only in an empty reply: do not wait long. */
        {"fetch.wait.max.ms", tail ? "100" : "10"},
        {"fetch.error.backoff.ms", "100"},
        {"check.crcs", r->opts.check_crcs ? "true" : "false"},
        {NULL, NULL},
    };
    enum evs_rc rc =
        evs_handle_new(r->c, RD_KAFKA_CONSUMER, r->ranges->isolation, props, &w->rk, err);
    if (rc)
        return rc;
    w->kick_messages = limit_of(w->rk, "queued.min.messages") / 2;
    w->kick_bytes = limit_of(w->rk, "queued.max.messages.kbytes") * 1024 / 2;
    w->q = rd_kafka_queue_new(w->rk);
    w->rkt = rd_kafka_topic_new(w->rk, r->ranges->topic, NULL);
    if (!w->rkt)
        return evs_fail(err, EVS_INVALID, "topic %s: not a legal topic name", r->ranges->topic);
    return EVS_OK;
}

void evs_worker_close(struct worker *w)
{
    if (w->rkt)
        rd_kafka_topic_destroy(w->rkt);
    if (w->q)
        rd_kafka_queue_destroy(w->q);
    evs_handle_free(w->rk);
}

/* --- parts --- */

static void begin_part(struct worker *w, struct part *p)
{
    int64_t next = atomic_load(&p->next);
    if (rd_kafka_consume_start_queue(w->rkt, p->partition, next, w->q)) {
        p->native = rd_kafka_last_error();
        return;
    }
    p->started = true;
    p->retry_us = 0;
    atomic_store(&p->state, PART_ACTIVE);
}

static void stop_part(struct worker *w, struct part *p)
{
    if (p->started)
        rd_kafka_consume_stop(w->rkt, p->partition);
    p->started = false;
    if (atomic_load(&p->state) == PART_ACTIVE)
        atomic_store(&p->state, PART_IDLE);
}

static bool over(const struct part *p)
{
    int state = atomic_load(&p->state);
    return state == PART_ENDED || state == PART_FAILED;
}

/* On to the partition's next window. What is queued of the old one is dropped until the loop has
 * moved the fetcher. */
static void next_window(struct part *p)
{
    int64_t passed = p->to + atomic_load(&p->base);
    p->window++;
    p->more--;
    p->from = p->window->from;
    p->to = p->window->to;
    atomic_store(&p->base, passed - p->from);
    atomic_store(&p->next, p->from);
    p->jump = p->started;
}

static void end_part(struct worker *w, struct part *p)
{
    if (over(p))
        return;
    while (p->more) {
        next_window(p);
        if (p->from < p->to)
            return;
    }
    atomic_store(&p->state, PART_ENDED);
    atomic_store(&p->troubled, false);
    w->active--;
    if (w->r->ops.end)
        w->r->ops.end(w->r->ctx, w->index, p->partition, atomic_load(&p->next));
}

static void tell(struct worker *w, const struct part *p, enum evs_rc rc, const char *why)
{
    struct evs_err err = EVS_ERR_INIT;
    (void)!evs_fail_native(&err, rc, "kafka", p->native, "partition %d of %s: %s", p->partition,
                           w->r->ranges->topic, why);
    if (rc == EVS_FATAL && p->native == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        (void)!evs_hint(&err, "this user needs READ on the topic");
    if (rc == EVS_FATAL && p->native == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        (void)!evs_hint(&err, "-X receive.message.max.bytes=N lets larger records in");
    evs_log(EVS_LOG_WARN, "%s", err.msg);
    if (w->r->ops.problem)
        w->r->ops.problem(w->r->ctx, w->index, p->partition, &err);
}

static void give_up(struct worker *w, struct part *p, const char *why)
{
    stop_part(w, p);
    atomic_store(&p->state, PART_FAILED);
    atomic_store(&p->troubled, false);
    w->active--;
    tell(w, p, EVS_FATAL, why);
}

static void fatal(struct worker *w, const struct evs_err *err)
{
    bool none = false;
    if (atomic_compare_exchange_strong(&w->r->failed, &none, true))
        w->r->err = *err;
    evs_stop_raise(&w->r->stop);
}

/* --- records: callbacks of rd_kafka_consume_callback_queue --- */

/* Asks the leaders something, without waiting for answers: librdkafka before 2.2 sleeps for up to a
 * second once its queue was full, and any request wakes it. */
static void kick(struct worker *w)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(KICK_PARTS);
    size_t started = 0, at = 0;
    for (size_t i = 0; i < w->n_parts; i++)
        started += w->parts[i]->started;
    size_t step = started / KICK_PARTS + 1, first = w->kicks++ % step;
    w->kicked = true;
    for (size_t i = 0; i < w->n_parts; i++)
        if (w->parts[i]->started && at++ % step == first)
            rd_kafka_topic_partition_list_add(list, w->r->ranges->topic, w->parts[i]->partition)
                ->offset = EVS_TS_END;
    if (list->cnt)
        (void)rd_kafka_offsets_for_times(w->rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

static void idle(struct worker *w, int64_t now_us)
{
    w->idle_us = now_us;
    if (w->r->ops.idle)
        w->r->ops.idle(w->r->ctx, w->index);
}

static bool deliver(struct worker *w, struct part *p, rd_kafka_message_t *m)
{
    evs_record_see(&w->record, m);
    p->given++;
    long long n = atomic_load_explicit(&w->records, memory_order_relaxed) + 1;
    atomic_store_explicit(&w->records, n, memory_order_relaxed);
    long long bytes = atomic_load_explicit(&w->bytes, memory_order_relaxed);
    atomic_store_explicit(&w->bytes, bytes + (long long)(m->key_len + m->len),
                          memory_order_relaxed);
    if (!(n & 1023)) {
        int64_t now_us = evs_clock_mono_us();
        if (now_us - w->idle_us >= IDLE_US)
            idle(w, now_us);
    }
    return w->r->ops.event(w->r->ctx, w->index, &w->record.ev);
}

static void on_eof(struct worker *w, struct part *p, int64_t at)
{
    if (at > atomic_load(&p->next))
        atomic_store(&p->next, at);
    if (p->to == EVS_RANGE_OPEN) {
        if (w->r->ops.end)
            w->r->ops.end(w->r->ctx, w->index, p->partition, atomic_load(&p->next));
    } else if (at >= p->to) {
        end_part(w, p);
    } else {
        /* A new leader may know less for a moment; a truncated log never comes back. */
        p->short_us = evs_clock_mono_us();
    }
}

static void on_record(struct worker *w, struct part *p, rd_kafka_message_t *m)
{
    if (m->offset < atomic_load_explicit(&p->next, memory_order_relaxed)) {
        atomic_fetch_add(&w->dropped_old, 1);
        return;
    }
    if (m->offset >= p->to) {
        atomic_store(&p->next, p->to);
        end_part(w, p);
        return;
    }
    if (EVS_UNLIKELY(atomic_load_explicit(&p->troubled, memory_order_relaxed)))
        atomic_store(&p->troubled, false);
    p->tries = 0;
    p->short_us = 0;
    bool more = deliver(w, p, m);
    atomic_store_explicit(&p->next, m->offset + 1, memory_order_relaxed);
    if (m->offset + 1 >= p->to ||
        (w->r->opts.per_partition && p->given >= w->r->opts.per_partition))
        end_part(w, p);
    if (!more) {
        atomic_store(&w->r->enough, true);
        evs_stop_raise(&w->r->stop);
    }
}

static void on_message(rd_kafka_message_t *m, void *opaque)
{
    struct worker *w = opaque;
    struct evs_reader *r = w->r;
    w->turn_messages++;
    w->turn_bytes += (int64_t)(m->len + m->key_len);
    /* What is served now was taken off the queue at once: was that full? */
    if (EVS_UNLIKELY(!w->kicked &&
                     (w->turn_messages >= w->kick_messages || w->turn_bytes >= w->kick_bytes)))
        kick(w);
    if (EVS_UNLIKELY(evs_stop_raised(&r->stop))) {
        rd_kafka_yield(w->rk);
        return;
    }
    int32_t at = m->partition >= 0 && m->partition < r->numbers ? r->by_number[m->partition] : -1;
    if (at < 0)
        return;
    struct part *p = &r->parts[at];
    if (EVS_UNLIKELY(over(p) || !p->started || p->jump))
        return;
    if (EVS_LIKELY(!m->err))
        on_record(w, p, m);
    else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        on_eof(w, p, m->offset);
    else
        p->native = m->err; /* the loop looks at it */
}

/* --- trouble --- */

/* The log does not hold `next`: deleted meanwhile (go on at its start), or cut off behind. */
static void out_of_range(struct worker *w, struct part *p)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_offset_ask ask = {
        .topic = w->r->ranges->topic, .partition = p->partition, .ts_ms = EVS_TS_BEGINNING};
    int64_t next = atomic_load(&p->next);
    char why[160];
    if (evs_meta_offsets(w->r->c, &ask, 1, EVS_READ_UNCOMMITTED, NULL, &err) || ask.native) {
        p->native = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE; /* ask again later */
        return;
    }
    if (ask.offset <= next) {
        snprintf(why, sizeof(why),
                 "offset %lld is gone: the log was cut off or the topic made anew",
                 (long long)next);
        give_up(w, p, why);
        return;
    }
    stop_part(w, p);
    int64_t skip_to = ask.offset < p->to ? ask.offset : p->to;
    snprintf(why, sizeof(why), "offsets %lld to %lld were deleted before they were read",
             (long long)next, (long long)skip_to - 1);
    tell(w, p, EVS_POISON, why);
    p->native = RD_KAFKA_RESP_ERR_NO_ERROR;
    atomic_store(&p->next, skip_to);
    if (skip_to >= p->to)
        end_part(w, p);
    else
        begin_part(w, p);
}

static void schedule_retry(struct worker *w, struct part *p, int64_t now_us)
{
    const char *why = evs_meta_error_text(p->native);
    if (!atomic_exchange(&p->troubled, true)) {
        p->trouble_us = now_us;
        tell(w, p, EVS_RETRY, why);
    }
    if (!w->r->opts.patient && now_us - p->trouble_us > evs_client_timeout_ms(w->r->c) * 1000) {
        give_up(w, p, why);
        return;
    }
    stop_part(w, p);
    int64_t wait_us = (int64_t)RETRY_MIN_US << (p->tries < 5 ? p->tries : 5);
    p->tries++;
    p->retry_us = now_us + (wait_us > RETRY_MAX_US ? RETRY_MAX_US : wait_us);
}

static void look_at_part(struct worker *w, struct part *p, int64_t now_us)
{
    if (p->native == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        p->native == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        out_of_range(w, p);
    }
    if (over(p))
        return;
    if (p->native && p->retry_us == 0) {
        if (evs_kafka_class(p->native) == EVS_FATAL)
            give_up(w, p, evs_meta_error_text(p->native));
        else
            schedule_retry(w, p, now_us);
    } else if (p->retry_us && now_us >= p->retry_us) {
        p->native = RD_KAFKA_RESP_ERR_NO_ERROR;
        begin_part(w, p);
    } else if (p->short_us && now_us - p->short_us > SHORT_US) {
        char why[120];
        snprintf(why, sizeof(why), "the log ends at offset %lld, before %lld",
                 (long long)atomic_load(&p->next), (long long)p->to);
        give_up(w, p, why);
    }
}

/* Ends what is over and revives what may go on. */
static void look_at_parts(struct worker *w, int64_t now_us)
{
    for (size_t i = 0; i < w->n_parts; i++) {
        struct part *p = w->parts[i];
        if (over(p)) {
            stop_part(w, p);
            continue;
        }
        if (p->jump) {
            stop_part(w, p);
            p->jump = false;
            begin_part(w, p);
        }
        if (p->native || p->retry_us || p->short_us)
            look_at_part(w, p, now_us);
    }
}

/* Nothing is heard: is anybody there? */
static void look_at_link(struct worker *w)
{
    struct evs_link_state link;
    struct evs_err err = EVS_ERR_INIT;
    evs_client_link(w->r->c, &link);
    bool down = link.link == EVS_LINK_DOWN;
    if (down && !w->lost) {
        (void)!evs_kafka_fail(w->r->c, RD_KAFKA_RESP_ERR__TRANSPORT, &err, "topic %s",
                              w->r->ranges->topic);
        err.code = EVS_RETRY;
        if (w->r->ops.problem)
            w->r->ops.problem(w->r->ctx, w->index, -1, &err);
    }
    w->lost = down;
    bool at_head = w->r->opts.patient;
    int32_t fetched = -1;
    for (size_t i = 0; i < w->n_parts && !at_head; i++) {
        const struct part *p = w->parts[i];
        at_head = !over(p) && p->to == EVS_RANGE_OPEN;
        if (atomic_load(&p->state) == PART_ACTIVE)
            fetched = p->partition;
    }
    if (!at_head &&
        evs_patience_check(&w->patience, w->r->c, w->r->ranges->topic, fetched, &w->r->stop, &err))
        fatal(w, &err);
}

/* --- the loop --- */

static void stop_all(struct worker *w)
{
    for (size_t i = 0; i < w->n_parts; i++)
        stop_part(w, w->parts[i]);
}

/* All that may be read now: everything, or as much as keeps the fetcher busy. */
static void begin_more(struct worker *w)
{
    int64_t ahead = w->r->opts.ahead_records, left = 0;
    for (size_t i = 0; ahead && i < w->n_parts; i++) {
        const struct part *p = w->parts[i];
        if (p->started && !over(p) && p->to != EVS_RANGE_OPEN)
            left += p->to - atomic_load(&p->next);
    }
    for (size_t i = 0; i < w->n_parts; i++) {
        struct part *p = w->parts[i];
        if (over(p) || p->started || p->native || p->retry_us)
            continue;
        if (ahead && left >= ahead && p->to != EVS_RANGE_OPEN)
            continue;
        begin_part(w, p);
        left += p->to != EVS_RANGE_OPEN ? p->to - atomic_load(&p->next) : 0;
    }
}

static void hold(struct worker *w)
{
    stop_all(w);
    while (atomic_load(&w->r->paused) && !evs_stop_wait(&w->r->stop, BATCH_WAIT_MS))
        idle(w, evs_clock_mono_us());
    w->patience.heard_us = evs_clock_mono_us();
    if (!evs_stop_raised(&w->r->stop))
        begin_more(w);
}

static void turn(struct worker *w)
{
    w->kicked = false;
    w->turn_bytes = 0;
    w->turn_messages =
        (int64_t)rd_kafka_queue_length(w->q) >= w->kick_messages ? w->kick_messages : 0;
    int n = rd_kafka_consume_callback_queue(w->q, BATCH_WAIT_MS, on_message, w);
    int64_t now_us = evs_clock_mono_us();
    evs_handle_poll(w->rk);
    if (n > 0) {
        w->patience.heard_us = now_us;
        if (w->lost)
            evs_link_good(w->r->c, -1, 0);
        w->lost = false;
    }
    if (n > 0 || now_us - w->idle_us >= IDLE_US)
        idle(w, now_us);
    look_at_parts(w, now_us);
    if (w->r->opts.ahead_records)
        begin_more(w);
    if (n <= 0)
        look_at_link(w);
    w->silent = n > 0 ? 0 : w->silent + 1;
    if (w->silent == 1 || w->silent == 4 || w->silent == 16) /* asleep, for whatever reason? */
        kick(w);
}

void evs_worker_run(void *arg)
{
    struct worker *w = arg;
    struct evs_reader *r = w->r;
    w->record.ev.topic = r->ranges->topic;
    w->active = w->n_parts;
    w->patience.heard_us = w->idle_us = evs_clock_mono_us();
    for (size_t i = 0; i < w->n_parts; i++)
        if (w->parts[i]->from >= w->parts[i]->to)
            end_part(w, w->parts[i]);
    begin_more(w);
    while (w->active && !evs_stop_raised(&r->stop)) {
        if (atomic_load(&r->paused))
            hold(w);
        else
            turn(w);
    }
    idle(w, evs_clock_mono_us());
    if (r->ops.leave)
        r->ops.leave(r->ctx, w->index);
    if (atomic_fetch_sub(&r->running, 1) == 1) {
        if (r->ops.done)
            r->ops.done(r->ctx);
        evs_stop_raise(&r->done);
    }
    stop_all(w); /* asks and waits a partition: nobody else has to */
}
