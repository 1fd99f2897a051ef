/* table.h - the keys of one reader thread: counts, bytes, first and last sighting, partitions.
 *
 * Exact while its keys fit the memory given. Then the lightest half is thrown away and the largest
 * upper bound thrown away becomes `over`: a key that comes later carries it as its error, so the
 * true count always lies in [count, count + error] and every key above `over` is present
 * (Space-Saving in batches). Null keys and tombstones are classes of their own; an empty key is a
 * key, and counted.
 *
 * An entry is one block of an arena, key bytes at its end: one probe of the index (32 hash bits
 * beside the reference) and one block per record. A key met on a second partition gets a node
 * there.
 *
 * Units    records; bytes are key plus payload; ms since epoch.
 * Shape    two arenas, entries and nodes. Keys past EVS_KEY_CAP are told
 *          apart
 *          by hash, length and their first EVS_KEY_CAP bytes.
 * Threads  none: owned by one reader, lent to the aggregator for a snapshot.
 * Errors   none.   Cost  20 to 40 ns a record.
 */
#ifndef EVS_KEYS_TABLE_H
#define EVS_KEYS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "keys/arena.h"
#include "stats/hist.h"
#include "stats/hll.h"
#include "stats/quantile.h"

enum {
    EVS_KEY_CAP = 1024,
    EVS_KEY_HEAT_ROWS = 32, /* hash buckets of the key heat map */
    EVS_KEY_PART_HLL_P = 10,
    EVS_KEY_SHORT = 48,  /* longer keys are looked up at once */
    EVS_KEY_PENDING = 32 /* records on their way; a power of two */
};

/* What every record touches lies together at the end, before the key. */
struct evs_key_entry {
    int64_t first_ts, first_offset;
    uint64_t error; /* `over` when it came in */
    /* Successive records of the key that lie in different minutes, hours, days. */
    uint32_t minute_changes, hour_changes, day_changes;
    uint32_t minute_mark, hour_mark;    /* low bits of count when the present minute, hour began */
    float minute_squares, hour_squares; /* of the runs that ended */
    uint32_t next;                      /* node of a further partition, 0 none */
    uint64_t hash;
    uint64_t count, bytes;        /* over all partitions */
    int64_t last_ts, last_offset; /* last_offset: on `partition` */
    uint32_t key_len;
    uint32_t minute;   /* of the record before: ts / 60000 */
    int32_t partition; /* where it was first seen */
    uint8_t key[];
};

struct evs_key_node {
    uint64_t count, bytes;
    int64_t first_ts, last_ts, first_offset, last_offset;
    int32_t partition;
    uint32_t next;
};

struct evs_key_part {
    uint64_t messages, bytes;
    uint64_t null_keys, null_bytes, empty_keys, tombstones;
    uint64_t distinct; /* exact while nothing was thrown away */
    int64_t first_ts, last_ts;
    int64_t first_offset, last_offset; /* -1: nothing read */
    int64_t null_batches;              /* runs of null keys that a pause or a keyed record ended */
};

struct evs_key_rec {
    const void *key; /* NULL: no key */
    size_t key_len;
    size_t value_len;
    bool tombstone; /* null value */
    int32_t partition;
    int64_t offset, ts_ms;
};

/* A record on its way into the table. */
struct evs_key_pend {
    struct evs_key_rec rec;
    uint64_t hash;
    uint32_t minute, ref; /* ref: the block it probably belongs to, 0 none yet */
    uint8_t key[EVS_KEY_SHORT];
};

struct evs_key_sum;
struct evs_keytab {
    int32_t partitions;
    uint64_t seed;
    size_t memory, used;
    /* A sample: what counts as one time is a window of a partition, and `minute` is its number. */
    bool sampling;
    uint32_t window;
    uint64_t keyed; /* records with a non-empty key */
    uint64_t *slot; /* 32 high hash bits, 32 reference bits */
    int bits;       /* log2 of the slots */
    size_t entries;
    struct evs_arena entry_arena, node_arena;
    uint64_t over;
    unsigned purges;
    struct evs_key_part *part;
    struct evs_hll hll;
    struct evs_hll *part_hll; /* per partition after the first purge, else NULL */
    struct evs_quantile key_size, value_size;
    struct evs_hist heat; /* rows: partitions, then EVS_KEY_HEAT_ROWS */
    /* The time bucket and minute that the last record fell into. */
    int64_t time_from, time_to;
    uint32_t *cells;
    uint32_t minute;
    /* Room for the sums of a key set (keyset.h), in the order of the arena: the first n_ready
     * entries, up to the cursor ready_at, are prepared; ready_max fit. NULL: none. */
    struct evs_key_sum *ready;
    size_t n_ready, ready_max, ready_at;
    uint32_t pushed, aimed, finished; /* of pend */
    struct evs_key_pend pend[EVS_KEY_PENDING];
};

/* heat_buckets: columns of time at most. seed is of the process, equal in all tables of a scan. */
struct evs_keytab *evs_keytab_new(int32_t partitions, size_t memory, size_t heat_buckets,
                                  uint64_t seed);
void evs_keytab_free(struct evs_keytab *t); /* NULL is fine */

void evs_keytab_add(struct evs_keytab *t, const struct evs_key_rec *r);
/* Counts what is still on its way. Needed before anything is read from the table. */
void evs_keytab_flush(struct evs_keytab *t);

/* The entry of a key, or NULL. hash as evs_keytab_hash gives it. */
const struct evs_key_entry *evs_keytab_get(const struct evs_keytab *t, uint64_t hash,
                                           const void *key, size_t len);
/* evs_keytab_get of this hash will come soon. */
void evs_keytab_expect(const struct evs_keytab *t, uint64_t hash);
/* Sets the bit (by reference, see arena.h) of every key of t that `other` may have, too: of all
 * that it has, and of a few more. Both go by hash, so memory is read straight on. */
void evs_keytab_common(const struct evs_keytab *t, const struct evs_keytab *other, uint64_t *bits);
uint64_t evs_keytab_hash(const struct evs_keytab *t, const void *key, size_t len);

/* Walk, as first seen: *cursor starts at 0; NULL at the end. */
const struct evs_key_entry *evs_keytab_next(const struct evs_keytab *t, size_t *cursor);
/* The reference of the entry that has just been given. */
uint32_t evs_keytab_ref(const struct evs_key_entry *e, size_t cursor);
const struct evs_key_node *evs_keytab_node(const struct evs_keytab *t,
                                           uint32_t ref); /* 0 gives NULL */

/* Sum of the squares of the key's runs within one minute, hour; the present run included. */
double evs_key_minute_squares(const struct evs_key_entry *e);
double evs_key_hour_squares(const struct evs_key_entry *e);

/* The row of the key heat map that a key counts in. */
static inline uint8_t evs_key_heat_row(uint64_t hash)
{
    return (uint8_t)(hash >> 59);
}

/* Keys are short: no call. */
static inline bool evs_key_same(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint64_t x, y;
    if (n < 8) {
        while (n--)
            if (a[n] != b[n])
                return false;
        return true;
    }
    for (size_t i = 0; i + 8 <= n; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a + n - 8, 8);
    memcpy(&y, b + n - 8, 8);
    return x == y;
}

static inline size_t evs_key_kept(uint32_t key_len)
{
    return key_len < EVS_KEY_CAP ? key_len : EVS_KEY_CAP;
}

#endif
