/* gen.c - fills a topic with keyed JSON events for the benchmarks, in seconds.
 *
 *   gen -b BROKERS -t TOPIC [-n RECORDS] [-p PARTITIONS] [-k KEYS] [-s EXPONENT] [-S SEED]
 *       [-z CODEC] [-V VALUE-BYTES] [-r REPLICAS] [-T TRUTH-FILE]
 *
 * Keys are drawn from a Zipf law (exponent 0 is uniform) and placed by murmur2, as the Java client
 * does. The same options give the same records. -T writes "key<TAB>records<TAB>bytes" for every key
 * that occurred: what a key count must find. Prints one line of JSON about what it wrote.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

struct gen {
    const char *brokers, *topic, *codec, *truth;
    int64_t records;
    int32_t partitions, replicas;
    uint32_t keys;
    double exponent;
    uint64_t seed;
    size_t value_bytes;
    double *cdf;       /* cumulative weight of key rank 0..keys-1 */
    uint64_t *count;   /* records of each key */
    uint64_t *bytes;   /* key plus value bytes of each key */
    int64_t failed;    /* delivery reports with an error */
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "gen: %s: %s\n", what, why);
    exit(1);
}

static void *must(void *p)
{
    if (!p)
        die("memory", strerror(errno));
    return p;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct gen *g = opaque;

    (void)rk;
    if (m->err && g->failed++ == 0)
        fprintf(stderr, "gen: delivery: %s\n", rd_kafka_err2str(m->err));
}

static rd_kafka_t *producer_open(struct gen *g)
{
    const char *const set[][2] = {
        {"bootstrap.servers", g->brokers},
        {"compression.codec", g->codec},
        {"partitioner", "murmur2_random"},
        {"linger.ms", "50"},
        {"batch.num.messages", "10000"},
        {"batch.size", "1000000"},
        {"queue.buffering.max.messages", "1000000"},
        {"queue.buffering.max.kbytes", "262144"},
        {"acks", "1"},
        {"message.max.bytes", "10485760"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        if (rd_kafka_conf_set(conf, set[i][0], set[i][1], why, sizeof(why)))
            die(set[i][0], why);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, g);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!rk)
        die("producer", why);
    return rk;
}

static void topic_create(const struct gen *g, rd_kafka_t *rk)
{
    char why[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(g->topic, g->partitions, g->replicas, why, sizeof(why));
    if (!topic)
        die(g->topic, why);
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, q);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 30000);
    if (!ev)
        die(g->topic, "no answer to the creation of the topic within 30 s");
    if (rd_kafka_event_error(ev))
        die(g->topic, rd_kafka_event_error_string(ev));
    size_t n = 0;
    const rd_kafka_topic_result_t **result =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(result[0]);
    if (err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        die(g->topic, rd_kafka_topic_result_error_string(result[0]));
    rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(q);
    rd_kafka_NewTopic_destroy(topic);
}

static void zipf_prepare(struct gen *g)
{
    double sum = 0;

    g->cdf = must(calloc(g->keys, sizeof(*g->cdf)));
    g->count = must(calloc(g->keys, sizeof(*g->count)));
    g->bytes = must(calloc(g->keys, sizeof(*g->bytes)));
    for (uint32_t i = 0; i < g->keys; i++)
        g->cdf[i] = sum += pow(i + 1.0, -g->exponent);
    for (uint32_t i = 0; i < g->keys; i++)
        g->cdf[i] /= sum;
}

static uint32_t zipf_draw(const struct gen *g, uint64_t random)
{
    double u = (double)(random >> 11) * 0x1p-53;
    uint32_t from = 0, to = g->keys - 1;

    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (g->cdf[mid] < u)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* A value of about value_bytes: an order event whose last field is filler of hex digits. */
static size_t value_write(const struct gen *g, char *to, size_t cap, int64_t i, uint32_t key,
                          uint64_t random)
{
    static const char *const state[] = {"created", "paid", "packed", "shipped", "returned"};
    static const char hex[] = "0123456789abcdef";
    int n = snprintf(to, cap,
                     "{\"id\":%lld,\"order\":\"order-%07u\",\"state\":\"%s\",\"amount\":%u.%02u,"
                     "\"note\":\"",
                     (long long)i, key, state[random % 5], (unsigned)(random >> 8) % 900,
                     (unsigned)(random >> 20) % 100);
    size_t len = (size_t)n;

    for (uint64_t r = random; len + 2 < g->value_bytes; len++) {
        r = r * 6364136223846793005ULL + 1442695040888963407ULL;
        to[len] = hex[r >> 60];
    }
    to[len++] = '"';
    to[len++] = '}';
    return len;
}

static void produce_all(struct gen *g, rd_kafka_t *rk)
{
    size_t cap = g->value_bytes + 256;
    char *value = must(malloc(cap));
    char key[32];
    uint64_t random = g->seed;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, g->topic, NULL);

    for (int64_t i = 0; i < g->records; i++) {
        uint32_t k = zipf_draw(g, next_random(&random));
        int key_len = snprintf(key, sizeof(key), "order-%07u", k);
        size_t len = value_write(g, value, cap, i, k, next_random(&random));
        g->count[k]++;
        g->bytes[k] += (uint64_t)key_len + len;
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, len, key,
                                (size_t)key_len, NULL)) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die("produce", rd_kafka_err2str(rd_kafka_last_error()));
            rd_kafka_poll(rk, 50);
        }
        if (i % 1000 == 0)
            rd_kafka_poll(rk, 0);
    }
    if (rd_kafka_flush(rk, 120000))
        die("flush", "records were still unsent after 120 s");
    rd_kafka_topic_destroy(topic);
    free(value);
}

static void report(const struct gen *g)
{
    uint64_t bytes = 0;
    uint32_t distinct = 0;
    FILE *truth = g->truth ? must(fopen(g->truth, "w")) : NULL;

    for (uint32_t k = 0; k < g->keys; k++) {
        bytes += g->bytes[k];
        distinct += g->count[k] > 0;
        if (truth && g->count[k])
            fprintf(truth, "order-%07u\t%llu\t%llu\n", k, (unsigned long long)g->count[k],
                    (unsigned long long)g->bytes[k]);
    }
    if (truth && fclose(truth))
        die(g->truth, strerror(errno));
    printf("{\"topic\":\"%s\",\"records\":%lld,\"bytes\":%llu,\"distinct_keys\":%u,"
           "\"partitions\":%d}\n",
           g->topic, (long long)g->records, (unsigned long long)bytes, distinct, g->partitions);
}

static void options(struct gen *g, int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "b:t:n:p:k:s:S:z:V:r:T:")) != -1;) {
        switch (o) {
        case 'b': g->brokers = optarg; break;
        case 't': g->topic = optarg; break;
        case 'n': g->records = strtoll(optarg, NULL, 10); break;
        case 'p': g->partitions = (int32_t)strtol(optarg, NULL, 10); break;
        case 'k': g->keys = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 's': g->exponent = strtod(optarg, NULL); break;
        case 'S': g->seed = strtoull(optarg, NULL, 10); break;
        case 'z': g->codec = optarg; break;
        case 'V': g->value_bytes = strtoull(optarg, NULL, 10); break;
        case 'r': g->replicas = (int32_t)strtol(optarg, NULL, 10); break;
        case 'T': g->truth = optarg; break;
        default: exit(2);
        }
    }
    if (!g->brokers || !g->topic || g->records < 0 || !g->keys || g->partitions < 1)
        die("usage", "gen -b BROKERS -t TOPIC [-n RECORDS] [-p PARTITIONS] [-k KEYS] ...");
}

int main(int argc, char **argv)
{
    struct gen g = {.codec = "lz4", .records = 5000000, .partitions = 12, .replicas = 1,
                    .keys = 1000000, .exponent = 1.0, .seed = 1, .value_bytes = 143};

    options(&g, argc, argv);
    rd_kafka_t *rk = producer_open(&g);
    topic_create(&g, rk);
    zipf_prepare(&g);
    produce_all(&g, rk);
    rd_kafka_destroy(rk);
    if (g.failed)
        die(g.topic, "some records were not accepted");
    report(&g);
    free(g.cdf);
    free(g.count);
    free(g.bytes);
    return 0;
}
