/* no_transactions.c - preloaded into eventscope: its Kafka sink without transactions.
 *
 * All else is alike. There is no transactional id; a begin, the offsets and an abort are nothing,
 * and a commit waits until everything is delivered. What is left of the time when this is preloaded
 * is what transactions do not cost.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

typedef rd_kafka_conf_res_t conf_set(rd_kafka_conf_t *, const char *, const char *, char *, size_t);

rd_kafka_conf_res_t rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                                      char *errstr, size_t errstr_size)
{
    static conf_set *real;

    if (!real) {
        void *found = dlsym(RTLD_NEXT, "rd_kafka_conf_set");
        memcpy(&real, &found, sizeof(real));
    }
    if (!strcmp(name, "transactional.id"))
        return RD_KAFKA_CONF_OK;
    return real(conf, name, value, errstr, errstr_size);
}

rd_kafka_error_t *rd_kafka_init_transactions(rd_kafka_t *rk, int timeout_ms)
{
    (void)rk;
    (void)timeout_ms;
    return NULL;
}

rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *rk)
{
    (void)rk;
    return NULL;
}

rd_kafka_error_t *
rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk,
                                     const rd_kafka_topic_partition_list_t *offsets,
                                     const rd_kafka_consumer_group_metadata_t *group,
                                     int timeout_ms)
{
    (void)rk;
    (void)offsets;
    (void)group;
    (void)timeout_ms;
    return NULL;
}

rd_kafka_error_t *rd_kafka_abort_transaction(rd_kafka_t *rk, int timeout_ms)
{
    (void)rk;
    (void)timeout_ms;
    return NULL;
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
    if (rd_kafka_flush(rk, timeout_ms)) {
        fprintf(stderr, "no_transactions: rows were still unsent after %d ms\n", timeout_ms);
        abort();
    }
    return NULL;
}
