/* partitioner.h - how Kafka clients turn a key into a partition.
 *
 * A registry: one row a hash and a rule for the remainder. hash() is split from place() so that
 * one hash per key answers every partition count. NULL ends the list.
 *
 *   murmur2           Java client; librdkafka murmur2, murmur2_random
 *   crc32             librdkafka consistent, consistent_random (its default)
 *   fnv1a             librdkafka fnv1a, Sarama NewHashPartitioner, segmentio Hash: signed, made
 * positive
 *   fnv1a-reference   Sarama NewReferenceHashPartitioner: sign bit cleared
 *
 * An empty key goes anywhere with librdkafka's consistent_random, so it proves nothing about a
 * topic.
 *
 * Units    bytes in, partitions out.   Threads  any, pure.   Owns  nothing.   Errors  none.
 * Cost     murmur2 about 0.5 ns a byte, the others 1 to 2 ns a byte.
 * Source   Apache Kafka Utils.java and BuiltInPartitioner.java; librdkafka rdmurmur2.c, rdfnv1a.c,
 *          rdcrc32.c.
 */
#ifndef EVS_STATS_PARTITIONER_H
#define EVS_STATS_PARTITIONER_H

#include <stddef.h>
#include <stdint.h>

struct evs_partitioner {
    const char *name, *used_by;
    uint32_t (*hash)(const void *key, size_t n); /* key may be NULL when n is 0 */
    /* partitions > 0; result in [0, partitions). */
    int32_t (*place)(uint32_t hash, int32_t partitions);
};

enum { EVS_PARTITIONERS = 4 };
extern const struct evs_partitioner *const evs_partitioners[EVS_PARTITIONERS + 1];

/* By name, or NULL. */
const struct evs_partitioner *evs_partitioner_find(const char *name);

static inline int32_t evs_partitioner_of(const struct evs_partitioner *p, const void *key, size_t n,
                                         int32_t partitions)
{
    return p->place(p->hash(key, n), partitions);
}

uint32_t evs_murmur2(const void *key, size_t n);
uint32_t evs_crc32(const void *key, size_t n);
uint32_t evs_fnv1a(const void *key, size_t n);

extern const struct evs_partitioner evs_partitioner_murmur2;
extern const struct evs_partitioner evs_partitioner_crc32;
extern const struct evs_partitioner evs_partitioner_fnv1a;
extern const struct evs_partitioner evs_partitioner_fnv1a_reference;

#endif
