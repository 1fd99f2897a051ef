#include "stats/partitioner.h"

/* MurmurHash2, 32 bits, little-endian reads, seed 0x9747b28c, as Kafka's Utils.murmur2. */
static uint32_t read_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t evs_murmur2(const void *key, size_t n)
{
    const uint8_t *p = key;
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)n;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t k = read_le32(p) * m;
        k ^= k >> 24;
        h = (h * m) ^ (k * m);
    }
    if (n == 3)
        h ^= (uint32_t)p[2] << 16;
    if (n >= 2)
        h ^= (uint32_t)p[1] << 8;
    if (n >= 1)
        h = (h ^ p[0]) * m;
    h = (h ^ (h >> 13)) * m;
    return h ^ (h >> 15);
}

static int32_t place(uint32_t hash, int32_t partitions)
{
    return (int32_t)(hash & 0x7fffffff) % partitions;
}

const struct evs_partitioner evs_partitioner_murmur2 = {
    .name = "murmur2",
    .used_by = "Java clients; librdkafka with partitioner=murmur2 or murmur2_random",
    .hash = evs_murmur2,
    .place = place,
};
