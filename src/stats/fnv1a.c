#include "stats/partitioner.h"

uint32_t evs_fnv1a(const void *key, size_t n)
{
    const uint8_t *p = key;
    uint32_t h = 0x811c9dc5;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x01000193;
    return h;
}

/* Go: int32(h) % n, negated when below 0; librdkafka: the absolute value first. Both give this,
 * also for 0x80000000. */
static int32_t place_signed(uint32_t hash, int32_t partitions)
{
    uint32_t magnitude = hash & 0x80000000 ? 0u - hash : hash;
    return (int32_t)(magnitude % (uint32_t)partitions);
}

static int32_t place_masked(uint32_t hash, int32_t partitions)
{
    return (int32_t)((hash & 0x7fffffff) % (uint32_t)partitions);
}

const struct evs_partitioner evs_partitioner_fnv1a = {
    .name = "fnv1a",
    .used_by = "Sarama's and segmentio's hash partitioners; librdkafka with partitioner=fnv1a",
    .hash = evs_fnv1a,
    .place = place_signed,
};

const struct evs_partitioner evs_partitioner_fnv1a_reference = {
    .name = "fnv1a-reference",
    .used_by = "Sarama's and segmentio's reference hash partitioners",
    .hash = evs_fnv1a,
    .place = place_masked,
};
