/* commits.h - committed offsets from __consumer_offsets itself: no request per group, and commit
 * times.
 *
 * The topic is read from its beginning to its end once and then followed, read_committed
 * (offsets that a transaction commits count only with it; one open transaction holds back that
 * partition's news).
 * Keys of version 0 and 1 are offset commits; a null value is a removed or expired one. All
 * other keys (groups, members, the new protocol's) are counted and passed over.
 *
 * Units    offsets; epoch ms.
 * Threads  one caller; the reader's thread hands over by a queue.
 * Owns     its reader.   Errors   EVS_FATAL without READ on the topic.
 * Cost     one scan of a compacted topic; then what is committed.
 * Source   Kafka OffsetCommitKey.json v0-1, OffsetCommitValue.json v0-4 (v4: compact text); Burrow.
 */
#ifndef EVS_LAG_COMMITS_H
#define EVS_LAG_COMMITS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/thread.h"

struct evs_client;
struct evs_commits;
struct evs_lag_state;

enum evs_commit_kind {
    EVS_COMMIT_OFFSET,
    EVS_COMMIT_REMOVED, /* a tombstone: offset and ts_ms are not set */
    EVS_COMMIT_OTHER,   /* a key of another kind */
    EVS_COMMIT_BAD      /* cut short, or of a version from the future */
};

struct evs_commit { /* texts point into the key, no NUL at their end */
    const char *group, *topic;
    size_t group_len, topic_len;
    int32_t partition;
    int64_t offset, ts_ms;
};

/* Pure: reads only the bytes given. value NULL: a tombstone. */
enum evs_commit_kind evs_commit_decode(const void *key, size_t key_len, const void *value,
                                       size_t value_len, struct evs_commit *ret_commit);

enum evs_rc evs_commits_open(struct evs_client *c, struct evs_commits **ret_c,
                             struct evs_err *err) EVS_MUST_USE;
void evs_commits_close(struct evs_commits *c); /* NULL is fine */
/* Brings the groups in st up to date. The first call waits for the end of the topic. EVS_AGAIN when
 * stop was raised. */
enum evs_rc evs_commits_take(struct evs_commits *c, struct evs_lag_state *st, struct evs_stop *stop,
                             struct evs_err *err) EVS_MUST_USE;

#endif
