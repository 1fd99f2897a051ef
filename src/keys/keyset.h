/* keyset.h - all keys of a scan in one place: what the analyses read.
 *
 * Made from the readers' tables while these stand still; owns copies of everything, so it outlives
 * them and is what a snapshot carries. One evs_key_sum a distinct key (36 to 48 bytes); details
 * (bytes of the key, times, offsets per partition) only of the heaviest by records and by bytes,
 * and of keys found on several partitions.
 *
 * count is what was seen. In bounded mode the true count lies in [count, count + error].
 *
 * Units    records; bytes; epoch ms, -1 unknown.   Threads  built by one, then read-only.
 * Errors   none.   Cost  about 100 ns a key.
 */
#ifndef EVS_KEYS_KEYSET_H
#define EVS_KEYS_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/table.h"
#include "stats/partitioner.h"

enum {
    EVS_KEY_HASHES = 3, /* murmur2, crc32, fnv1a: EVS_KEY_HASH_* */
    EVS_KEY_HASH_MURMUR2 = 0,
    EVS_KEY_HASH_CRC32,
    EVS_KEY_HASH_FNV1A,
    EVS_KEY_PART_TOP = 5,  /* hot keys of each partition */
    EVS_KEY_DETAILS = 256, /* at least so many keys have details, where there are */
    EVS_KEY_SPLITS = 100,  /* at most so many split keys have details */
    EVS_KEY_DAYS_BITS = 27,
    EVS_KEY_LIGHT = 4096 /* counts below are tallied */
};

#define EVS_KEY_SPLIT (-1)

struct evs_key_sum {
    uint64_t count, bytes;
    uint32_t hash[EVS_KEY_HASHES];
    int32_t partition; /* EVS_KEY_SPLIT: see evs_keyset.pairs */
    /* Sums of squares of the runs in one minute and one hour; days hold count / days each. */
    float minute_squares, hour_squares;
    uint32_t days : EVS_KEY_DAYS_BITS;
    uint32_t fits : EVS_PARTITIONERS; /* which put it where it was first seen: evs_partitioners */
    uint32_t unhashed : 1; /* empty, or longer than EVS_KEY_CAP: its placement proves nothing */
};

/* A split key on one of its partitions. */
struct evs_key_pair {
    uint32_t sum; /* index */
    int32_t partition;
    uint64_t count;
    int64_t first_ts, last_ts;
};

struct evs_key_place {
    int32_t partition;
    uint64_t count, bytes;
    int64_t first_ts, last_ts, first_offset, last_offset;
};

struct evs_key_detail {
    uint8_t *key;               /* kept bytes */
    uint32_t key_len, key_full; /* kept, whole */
    uint64_t count, error, bytes;
    int64_t first_ts, last_ts;
    uint32_t hash[EVS_KEY_HASHES];
    bool unhashed;
    uint8_t heat_row; /* of the key rows of `heat` */
    uint64_t minute_changes, hour_changes, day_changes;
    double minute_squares, hour_squares;
    struct evs_key_place *places; /* by partition */
    size_t n_places;
};

/* The counts of all keys, without the keys. */
struct evs_key_tally {
    uint32_t *light; /* how many keys have this count; EVS_KEY_LIGHT of them */
    uint64_t *heavy; /* the other counts, in no order */
    size_t n_heavy, heavy_alloc;
};

struct evs_key_part_top {
    uint64_t count;
    uint8_t *key;
    uint32_t key_len;
};

struct evs_keyset {
    int32_t partitions;
    bool *unread; /* partitions that were not looked at; NULL: all were */
    int32_t read; /* how many were: what a load is even over */
    struct evs_key_part *part;
    struct evs_key_part_top *part_top; /* partitions x EVS_KEY_PART_TOP, count 0 ends */
    /* Totals of `part`, and times over all. */
    uint64_t messages, bytes, null_keys, null_bytes, empty_keys, tombstones;
    int64_t first_ts, last_ts;
    struct evs_key_sum *sum;
    size_t n, sum_alloc;
    struct evs_key_pair *pairs;
    size_t n_pairs;
    uint64_t split_keys;
    /* Of the keys on one partition: how many prove something, how many each partitioner put there.
     */
    uint64_t judged, fit[EVS_PARTITIONERS];
    struct evs_key_tally tally;
    struct evs_key_detail *top; /* by count, then key */
    size_t n_top;
    struct evs_key_detail *top_bytes; /* by bytes, then key */
    size_t n_top_bytes;
    struct evs_key_detail *split; /* by count, then key */
    size_t n_split;
    bool sampled; /* minute_* mean windows, hours and days nothing */
    bool exact;
    uint64_t over;                   /* no key that is missing here has more */
    double distinct, distinct_error; /* error 0: exact */
    double part_distinct_error;      /* of part[].distinct */
    /* Successive records of one key, and those of them in different minutes, hours, days. */
    uint64_t key_pairs, minute_pairs, hour_pairs, day_pairs;
    /* Bounded mode: keyed records of keys that are not in `sum`, and about how many keys. */
    double missing, missing_keys;
    size_t memory_used;
    struct evs_hist heat;
    struct evs_quantile key_size, value_size;
};

/* Room for the sums of a key set. Lent to the tables while these grow, what a key's bytes alone say
 * (hashes, fits) is worked out there beforehand: when a scan ends or is stopped, that is done and
 * the memory was used before. */
struct evs_key_room;
struct evs_key_room *evs_key_room_new(size_t n_tables, size_t table_memory);
/* The table, one of n_tables, has its share until the room is used up. */
void evs_key_room_lend(struct evs_key_room *room, size_t i, struct evs_keytab *t);
/* Works out what is new in a table with a room. By the table's thread, now and then. */
void evs_keytab_prepare(struct evs_keytab *t);
void evs_key_room_free(struct evs_key_room *room); /* NULL is fine; tables are not asked again */

/* details: how many keys by count (at least EVS_KEY_DETAILS are made). Tables share seed and
 * partitions. */
struct evs_keyset *evs_keyset_new(struct evs_keytab *const *tables, size_t n_tables,
                                  size_t details);
/* The same in a room, which is used up. */
struct evs_keyset *evs_keyset_in(struct evs_key_room *room, struct evs_keytab *const *tables,
                                 size_t n_tables, size_t details);
/* Marks a partition as not looked at. */
void evs_keyset_unread(struct evs_keyset *ks, int32_t partition);
void evs_keyset_free(struct evs_keyset *ks); /* NULL is fine */

#endif
