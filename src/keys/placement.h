/* placement.h - which partitioner wrote this topic, and was the partition count once smaller?
 *
 * Each (key, partition) seen is a ball: a wrong hypothesis fits it with probability 1 /
 * partitions, the right one always. So a few dozen distinct keys decide. Two hypotheses together
 * explain a topic written by two kinds of clients; the right hash over an earlier, smaller count
 * explains one that has grown.
 *
 * Units    keys, counted once per partition they are on.   Threads  pure.
 * Owns     nothing: names are static.   Errors  none.   Cost  O(keys x partitions) when the count
 *          grew,
 *          O(keys) otherwise.
 */
#ifndef EVS_KEYS_PLACEMENT_H
#define EVS_KEYS_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "keys/keyset.h"
#include "stats/partitioner.h"

struct evs_placement {
    const char *verdict;                /* a partitioner's name, "mixed", "custom", "unknown" */
    const char *reason;                 /* for unknown and custom: why; else NULL */
    uint64_t pairs;                     /* (key, partition) judged */
    double match[EVS_PARTITIONERS];     /* share of them that fits, by evs_partitioners */
    const struct evs_partitioner *main; /* the best, NULL for custom and unknown */
    const struct evs_partitioner
        *second; /* of a mixed topic, or of the few that do not fit; or NULL */
    /* Shares of the records on pairs that fit only the one or only the other. */
    double main_records, second_records;
    uint64_t second_pairs, unexplained;
    int32_t previous_partitions; /* 0: none seen */
    uint64_t previous_pairs;     /* that fit the earlier count only */
};

void evs_placement_of(const struct evs_keyset *ks, struct evs_placement *ret);
/* Number of evs_keyset hash that a partitioner starts from. */
static inline int evs_placement_hash(const struct evs_partitioner *p)
{
    if (p->hash == evs_murmur2)
        return EVS_KEY_HASH_MURMUR2;
    return p->hash == evs_crc32 ? EVS_KEY_HASH_CRC32 : EVS_KEY_HASH_FNV1A;
}

#endif
