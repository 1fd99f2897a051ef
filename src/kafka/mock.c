#include "kafka/mock.h"

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/attr.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/num.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/sample.h"

enum {
    MAX_TOPICS = 16,
    MAX_GROUPS = 16,
    TICK_MS = 100,
    COMMIT_TICKS = 10,
    IDLE_TICKS = 40,   /* a consumer with records waiting moves at least so often */
    REWIND_TICK = 300, /* half a minute after the start */
    WAIT_MS = 15000,
    WAKE_MS = 3
};

struct evs_mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_queue_t *answers; /* of commits */
    struct evs_mock_spec spec;
    const char *topics[MAX_TOPICS + 1], *groups[MAX_GROUPS + 1];
    struct evs_stop stop, ready;
    struct evs_thread *thread;
    /* the producer thread's */
    struct evs_sample_gen gen;
    struct evs_sample sample;
    int64_t sent[MAX_TOPICS][EVS_SAMPLE_PARTITIONS], made[MAX_TOPICS];
    int64_t began[MAX_TOPICS][EVS_SAMPLE_PARTITIONS];   /* sent, when the past was written */
    int64_t read[MAX_GROUPS][2][EVS_SAMPLE_PARTITIONS]; /* what each group committed */
    int moved[MAX_GROUPS][2][EVS_SAMPLE_PARTITIONS];    /* and in which tick last */
    int64_t stuck_at;                                   /* offset of the broken record */
    double owed[MAX_TOPICS];
};

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    (void)rk;
    (void)level;
    evs_log(EVS_LOG_DEBUG, "mock: %s: %s", fac, text);
}

static rd_kafka_conf_t *make_conf(int brokers, struct evs_err *err)
{
    char count[16], why[256];
    snprintf(count, sizeof(count), "%d", brokers);
    const char *const props[][2] = {
        {"test.mock.num.brokers", count},
        {"client.id", "eventscope-demo"},
        {"compression.codec", "lz4"},
        {"linger.ms", "20"},
        {"message.max.bytes", "4000000"},
        {"batch.num.messages", "2000"},
        {"queue.buffering.max.messages", "500000"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    for (size_t i = 0; i < EVS_COUNT(props); i++)
        if (rd_kafka_conf_set(conf, props[i][0], props[i][1], why, sizeof(why))) {
            rd_kafka_conf_destroy(conf);
            evs_fail(err, EVS_FATAL, "embedded cluster: %s", why);
            return NULL;
        }
    return conf;
}

enum evs_rc evs_mock_topic(struct evs_mock *m, const char *name, int partitions,
                           struct evs_err *err)
{
    rd_kafka_resp_err_t rc =
        rd_kafka_mock_topic_create(m->cluster, name, partitions, m->spec.brokers);
    if (rc)
        return evs_fail_native(err, EVS_FATAL, "kafka", rc, "embedded cluster: topic %s: %s", name,
                               rd_kafka_err2str(rc));
    return EVS_OK;
}

/* --- records --------------------------------------------------------------------------------- */

static int32_t place(const char *key, size_t len, enum evs_sample_hash hash, int partitions)
{
    if (hash == EVS_SAMPLE_CRC32)
        return rd_kafka_msg_partitioner_consistent(NULL, key, len, partitions, NULL, NULL);
    return rd_kafka_msg_partitioner_murmur2(NULL, key, len, partitions, NULL, NULL);
}

static bool produce(struct evs_mock *m, const char *topic, const struct evs_sample *s,
                    int32_t partition)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new((size_t)s->n_headers);
    for (int i = 0; i < s->n_headers; i++)
        rd_kafka_header_add(headers, s->headers[i].name, -1, s->headers[i].value, -1);
    rd_kafka_vu_t v[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = s->ts_ms},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {s->null_key ? NULL : s->key.data, s->null_key ? 0 : s->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {s->tombstone ? NULL : s->value.data, s->tombstone ? 0 : s->value.len}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *e = rd_kafka_produceva(m->rk, v, EVS_COUNT(v));
    if (!e)
        return true;
    evs_log(EVS_LOG_WARN, "embedded cluster: %s: %s", topic, rd_kafka_error_string(e));
    rd_kafka_error_destroy(e);
    rd_kafka_headers_destroy(headers);
    return false;
}

static void make_one(struct evs_mock *m, int topic)
{
    const struct evs_sample_topic *t = &evs_sample_topics[topic];
    struct evs_sample *s = &m->sample;
    bool live = m->made[topic] >= t->past;
    t->make(&m->gen, m->made[topic]++, t->past, s);
    if (live)
        s->ts_ms = evs_clock_wall_ms();
    bool stuck = s->partition >= 0;
    int32_t p = stuck ? s->partition : place(s->key.data, s->key.len, s->hash, t->partitions);
    if (stuck)
        m->stuck_at = m->sent[topic][p];
    m->sent[topic][p] += produce(m, t->name, s, p);
}

static void make_past(struct evs_mock *m)
{
    for (int t = 0; evs_sample_topics[t].name; t++)
        for (int64_t i = 0; i < evs_sample_topics[t].past; i++) {
            make_one(m, t);
            if (i % 1000 == 0) {
                rd_kafka_poll(m->rk, 0);
                if (evs_stop_raised(&m->stop))
                    return;
            }
        }
}

static void make_live(struct evs_mock *m)
{
    for (int t = 0; evs_sample_topics[t].name; t++)
        for (m->owed[t] += evs_sample_topics[t].per_second * TICK_MS / 1000; m->owed[t] >= 1;
             m->owed[t] -= 1)
            make_one(m, t);
    rd_kafka_poll(m->rk, 0);
}

/* --- groups ---------------------------------------------------------------------------------- */

static int topic_index(const char *name)
{
    int t = 0;
    while (strcmp(evs_sample_topics[t].name, name))
        t++;
    return t;
}

/* Where a group stands now on a partition of which `end` records are written. */
static int64_t stand(struct evs_mock *m, const struct evs_sample_group *g, int64_t *at, int64_t end,
                     int32_t partition, int64_t lag, int tick)
{
    bool first = tick == 0;
    int64_t follow = end > lag ? end - lag : 0;
    switch (g->habit) {
    case EVS_HABIT_STUCK:
        return partition == EVS_SAMPLE_STUCK_PARTITION && m->stuck_at < follow ? m->stuck_at
                                                                               : follow;
    case EVS_HABIT_STOPPED: return first ? follow : *at;
    case EVS_HABIT_SLOW: return follow > *at ? follow : *at;
    case EVS_HABIT_REWOUND:
        if (tick == REWIND_TICK)
            return 0;
        return tick < REWIND_TICK ? end : *at + (end - *at > 40 ? 40 : end - *at);
    default: return follow > *at ? follow : *at;
    }
}

static void commit_group(struct evs_mock *m, int index, int tick)
{
    const struct evs_sample_group *g = &evs_sample_groups[index];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(32);
    int total = 0;
    for (int i = 0; i < 2 && g->topics[i]; i++)
        total += evs_sample_topics[topic_index(g->topics[i])].partitions;
    for (int i = 0; i < 2 && g->topics[i]; i++) {
        int t = topic_index(g->topics[i]);
        for (int32_t p = 0; p < evs_sample_topics[t].partitions; p++) {
            int64_t *at = &m->read[index][i][p], was = *at;
            int64_t lag = g->lag / total + (p < g->lag % total);
            if (g->habit == EVS_HABIT_SLOW) /* one record in twenty is one too many */
                lag += (m->sent[t][p] - m->began[t][p]) / 20;
            *at = stand(m, g, at, m->sent[t][p], p, lag, tick);
            bool reads = g->habit == EVS_HABIT_SLOW || g->habit == EVS_HABIT_FOLLOWS;
            if (reads && *at == was && was < m->sent[t][p] &&
                tick - m->moved[index][i][p] >= IDLE_TICKS) /* nothing came: what waits is read */
                ++*at;
            if (*at != was)
                m->moved[index][i][p] = tick;
            if (tick == 0 || *at != was)
                rd_kafka_topic_partition_list_add(list, g->topics[i], p)->offset = *at;
        }
    }
    if (list->cnt) {
        rd_kafka_AlterConsumerGroupOffsets_t *ask =
            rd_kafka_AlterConsumerGroupOffsets_new(g->name, list);
        rd_kafka_AlterConsumerGroupOffsets(m->rk, &ask, 1, NULL, m->answers);
        rd_kafka_AlterConsumerGroupOffsets_destroy(ask);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void take_answers(struct evs_mock *m, int n, int wait_ms)
{
    for (int i = 0; i < n; i++) {
        rd_kafka_event_t *ev = rd_kafka_queue_poll(m->answers, wait_ms);
        if (!ev)
            return;
        if (rd_kafka_event_error(ev))
            evs_log(EVS_LOG_DEBUG, "embedded cluster: commit: %s", rd_kafka_event_error_string(ev));
        rd_kafka_event_destroy(ev);
    }
}

static void commit_groups(struct evs_mock *m, int tick)
{
    int asked = 0;
    rd_kafka_flush(m->rk, WAIT_MS); /* so that no commit is ahead of the log */
    for (int i = 0; evs_sample_groups[i].name; i++)
        if (evs_sample_groups[i].habit != EVS_HABIT_SILENT) {
            commit_group(m, i, tick);
            asked++;
        }
    take_answers(m, asked, tick ? 0 : WAIT_MS);
}

static void run(void *arg)
{
    struct evs_mock *m = arg;
    make_past(m);
    memcpy(m->began, m->sent, sizeof(m->began));
    if (!evs_stop_raised(&m->stop))
        commit_groups(m, 0);
    evs_stop_raise(&m->ready);
    if (!m->spec.live)
        return;
    for (int tick = 1; !evs_stop_wait(&m->stop, TICK_MS); tick++) {
        make_live(m);
        if (tick % COMMIT_TICKS == 0)
            commit_groups(m, tick);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

/* The cluster's thread sleeps a second at a time and may miss that a call waits for
 * it (librdkafka 2.0.2 limits the rate of its wake-ups). A connection always wakes it. */
struct waker {
    struct evs_stop stop;
    struct sockaddr_in broker;
    struct evs_thread *thread;
};

static void keep_awake(void *arg)
{
    struct waker *w = arg;
    do {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return;
        (void)!connect(fd, (struct sockaddr *)&w->broker, sizeof(w->broker));
        close(fd);
    } while (!evs_stop_wait(&w->stop, WAKE_MS));
}

static enum evs_rc waker_start(struct waker *w, const char *brokers, struct evs_err *err)
{
    char first[64], *port = first; /* "127.0.0.1:1234,..." */
    int64_t number;
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(brokers, ","), brokers);
    port += strcspn(first, ":");
    w->thread = NULL;
    w->stop.wake = (struct evs_wake){{-1, -1}}; /* so that waker_end is fine */
    if (evs_num_i64(port + (*port == ':'), 1, UINT16_MAX, &number, err))
        return evs_wrap(err, "embedded cluster: %s", first);
    w->broker = (struct sockaddr_in){.sin_family = AF_INET};
    w->broker.sin_port = htons((uint16_t)number);
    w->broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (evs_stop_init(&w->stop, err))
        return err->code;
    return evs_thread_start("evs-mock-wake", keep_awake, w, &w->thread, err);
}

static void waker_end(struct waker *w)
{
    evs_stop_raise(&w->stop);
    evs_thread_join(w->thread);
    evs_stop_done(&w->stop);
}

static enum evs_rc make_topics(struct evs_mock *m, struct evs_err *err)
{
    struct waker waker;
    enum evs_rc rc = waker_start(&waker, evs_mock_brokers(m), err);
    for (int n = 0; !rc && evs_sample_topics[n].name; n++) {
        m->topics[n] = evs_sample_topics[n].name;
        rc = evs_mock_topic(m, m->topics[n], evs_sample_topics[n].partitions, err);
    }
    waker_end(&waker);
    return rc;
}

static enum evs_rc fill(struct evs_mock *m, struct evs_err *err)
{
    if (make_topics(m, err))
        return err->code;
    for (int i = 0; evs_sample_groups[i].name; i++)
        m->groups[i] = evs_sample_groups[i].name;
    evs_sample_gen_init(&m->gen, m->spec.seed, evs_clock_wall_ms());
    evs_sample_init(&m->sample);
    return evs_thread_start("evs-mock", run, m, &m->thread, err);
}

enum evs_rc evs_mock_start(const struct evs_mock_spec *spec, struct evs_mock **ret_m,
                           struct evs_err *err)
{
    struct evs_mock *m = evs_xcalloc(1, sizeof(*m));
    char why[256];
    m->spec = *spec;
    if (!m->spec.brokers)
        m->spec.brokers = 3;
    rd_kafka_conf_t *conf = NULL;
    if (evs_stop_init(&m->stop, err) || evs_stop_init(&m->ready, err))
        goto out;
    conf = make_conf(m->spec.brokers, err);
    if (!conf)
        goto out;
    m->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!m->rk) {
        rd_kafka_conf_destroy(conf);
        evs_fail(err, EVS_FATAL, "embedded cluster: %s", why);
        goto out;
    }
    m->cluster = rd_kafka_handle_mock_cluster(m->rk);
    m->answers = rd_kafka_queue_new(m->rk);
    if (!m->spec.empty && fill(m, err))
        goto out;
    *ret_m = m;
    return EVS_OK;
out:
    evs_mock_free(m);
    return err->code;
}

enum evs_rc evs_mock_wait(struct evs_mock *m, struct evs_stop *stop, struct evs_err *err)
{
    if (m->spec.empty)
        return EVS_OK;
    while (!evs_stop_wait(&m->ready, 20))
        if (stop && evs_stop_raised(stop))
            return evs_fail(err, EVS_AGAIN, "embedded cluster: stopped while it was filled");
    return EVS_OK;
}

const char *evs_mock_brokers(const struct evs_mock *m)
{
    return rd_kafka_mock_cluster_bootstraps(m->cluster);
}

const char *const *evs_mock_topics(const struct evs_mock *m)
{
    return m->topics;
}

const char *const *evs_mock_groups(const struct evs_mock *m)
{
    return m->groups;
}

void evs_mock_free(struct evs_mock *m)
{
    if (!m)
        return;
    evs_stop_raise(&m->stop);
    evs_thread_join(m->thread);
    if (m->answers)
        rd_kafka_queue_destroy(m->answers);
    if (m->rk) {
        rd_kafka_purge(m->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(m->rk); /* and the cluster with it */
    }
    if (m->gen.rhythm) {
        evs_sample_gen_done(&m->gen);
        evs_sample_done(&m->sample);
    }
    evs_stop_done(&m->stop);
    evs_stop_done(&m->ready);
    evs_free(m);
}

/* --- for tests ------------------------------------------------------------------------------- */

enum evs_rc evs_mock_put(struct evs_mock *m, const char *topic, int32_t partition, const char *key,
                         const char *value, int64_t ts_ms, struct evs_err *err)
{
    struct evs_sample s;
    evs_sample_init(&s);
    s.null_key = !key;
    s.tombstone = !value;
    s.ts_ms = ts_ms;
    evs_buf_adds(&s.key, key ? key : "");
    evs_buf_adds(&s.value, value ? value : "");
    bool ok = produce(m, topic, &s, partition);
    evs_sample_done(&s);
    if (!ok || rd_kafka_flush(m->rk, WAIT_MS))
        return evs_fail(err, EVS_FATAL, "embedded cluster: %s: not written", topic);
    return EVS_OK;
}

void evs_mock_fail_next(struct evs_mock *m, int16_t api, int native, int times)
{
    while (times-- > 0)
        rd_kafka_mock_push_request_errors(m->cluster, api, 1, (rd_kafka_resp_err_t)native);
}

void evs_mock_broker_up(struct evs_mock *m, int32_t id, bool up)
{
    if (up)
        rd_kafka_mock_broker_set_up(m->cluster, id);
    else
        rd_kafka_mock_broker_set_down(m->cluster, id);
}

void evs_mock_broker_rtt(struct evs_mock *m, int32_t id, int rtt_ms)
{
    rd_kafka_mock_broker_set_rtt(m->cluster, id, rtt_ms);
}
