/* wide.c - an embedded cluster with one very wide topic, for the frames of the screens.
 *
 *   wide TOPIC PARTITIONS RECORDS
 *
 * librdkafka's mock cluster: a real broker takes minutes to make ten thousand partitions. Keys are
 * order-0 to order-99999 by a skewed law, times lie over one day. Prints the bootstrap address when
 * all is written and serves until it is killed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

static void die(const char *what, const char *why)
{
    fprintf(stderr, "wide: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *cluster_open(void)
{
    const char *const set[][2] = {
        {"test.mock.num.brokers", "1"}, {"linger.ms", "200"},
        {"queue.buffering.max.messages", "2000000"}, {"compression.codec", "lz4"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
        if (rd_kafka_conf_set(conf, set[i][0], set[i][1], why, sizeof(why)))
            die(set[i][0], why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!rk)
        die("cluster", why);
    return rk;
}

static void fill(rd_kafka_t *rk, const char *topic, int32_t partitions, int64_t records)
{
    int64_t day_ms = 86400000, now_ms = (int64_t)time(NULL) * 1000;
    uint64_t random = 1;

    for (int64_t i = 0; i < records; i++) {
        char key[32];
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        uint64_t r = random >> 33;
        int n = snprintf(key, sizeof(key), "order-%u",
                         (unsigned)(r % 100000 * (r / 100000 % 100000) / 100000));
        int32_t p = rd_kafka_msg_partitioner_murmur2(NULL, key, (size_t)n, partitions, NULL, NULL);
        while (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(p),
                                 RD_KAFKA_V_KEY(key, (size_t)n), RD_KAFKA_V_VALUE(key, (size_t)n),
                                 RD_KAFKA_V_TIMESTAMP(now_ms - day_ms + day_ms * i / records),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END))
            rd_kafka_poll(rk, 50);
        if (i % 1000 == 0)
            rd_kafka_poll(rk, 0);
    }
    if (rd_kafka_flush(rk, 300000))
        die(topic, "records were still unsent after 300 s");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage", "wide TOPIC PARTITIONS RECORDS");
    int32_t partitions = (int32_t)strtol(argv[2], NULL, 10);
    rd_kafka_t *rk = cluster_open();
    rd_kafka_mock_cluster_t *mc = rd_kafka_handle_mock_cluster(rk);
    rd_kafka_resp_err_t err = rd_kafka_mock_topic_create(mc, argv[1], partitions, 1);
    if (err)
        die(argv[1], rd_kafka_err2str(err));
    fill(rk, argv[1], partitions, strtoll(argv[3], NULL, 10));
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(mc));
    fflush(stdout);
    for (;;)
        pause();
}
