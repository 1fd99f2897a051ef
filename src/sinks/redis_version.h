/* redis_version.h - what each key's last event was, beside the values of a Redis target.
 *
 * A field of a hash for each key would cost Redis as much as the value itself. So versions lie in
 * buckets: strings eventscope_version.N:TARGET, to which a batch appends; the last entry of a key
 * counts. A key's bucket is its hash, by linear hashing (Litwin 1980): when there are more than
 * KEYS_PER_BUCKET keys a bucket, some are split, each into itself and one new one; a bucket that
 * is mostly outdated is written anew. The hash eventscope_version:TARGET holds their number, the
 * hash's seed, the keys (deleted ones too), the rows, and a turn that each batch counts up.
 *
 * While a target that had no versions is written by one run alone, the versions of a key which
 * that run has not met are not asked for: there are none. Which it has met is told by a Bloom
 * filter, whose mistakes only ask in vain; another's turn ends it.
 *
 * An entry, little-endian: key's length (4 bytes), partition with the top bit for a deleted key
 * (4), offset (8), time (8), the key.
 *
 * Units    rows, keys, buckets.   Shape  n below 2^24 buckets.
 * Threads  one.   Owns  a look owns what it read; rows are borrowed.
 * Errors   as redis.h.   Cost  memory: 4 MiB and the buckets read; O(entries read) a batch.
 */
#ifndef EVS_SINKS_REDIS_VERSION_H
#define EVS_SINKS_REDIS_VERSION_H

#include <hiredis/hiredis.h>

#include "sinks/row.h"

struct evs_redis;
struct evs_redis_bucket;

struct evs_redis_versions {
    uint32_t buckets; /* 0: the target has no versions */
    uint64_t seed;
    int64_t keys, rows, turn;
    int64_t expected; /* events of the whole window: how many buckets to begin with */
    bool alone;       /* since there were none, only this run has written */
    uint64_t *met;    /* the keys that it wrote */
};

struct evs_redis_seen { /* what the target has of a key */
    bool known, deleted;
    int32_t partition;
    int64_t offset, ts_ms;
};

struct evs_redis_look { /* the versions of some rows */
    const struct evs_row *rows;
    size_t n;
    struct evs_redis_seen *seen; /* one a row */
    struct evs_redis_bucket *buckets;
    size_t n_buckets;
    uint32_t *place, *next; /* bucket's place + 1; the next row of the same bucket + 1 */
    uint32_t after;         /* buckets once this batch is in */
};

/* Queues the question for the target's numbers; read takes the reply. */
enum evs_rc evs_redis_versions_ask(struct evs_redis *s, struct evs_err *err);
void evs_redis_versions_read(struct evs_redis *s, const redisReply *fields);
void evs_redis_versions_done(struct evs_redis *s);
/* Reads what the target has of these rows' keys; write: what a batch will need to be put, too. */
enum evs_rc evs_redis_look(struct evs_redis *s, const struct evs_row *rows, size_t n, bool write,
                           struct evs_redis_look *ret_l, struct evs_err *err);
void evs_redis_look_done(struct evs_redis_look *l);
/* Queues the versions of the rows to keep, inside MULTI. meet: this run writes their keys; said too
 * early it only asks in vain later. After EXEC the versions' turn is one more. */
enum evs_rc evs_redis_look_put(struct evs_redis *s, const struct evs_redis_look *l,
                               const bool *keep, struct evs_err *err);
void evs_redis_look_meet(struct evs_redis *s, const struct evs_redis_look *l);

#endif
