/* sample.h - the sample data of the demo: topics, records and groups as the screens' stories need
 * them.
 *
 * Proportions are those of a shop's cluster at a thousandth: a key with 38.4 % of a topic's
 * records, a topic written by two producers with different partitioners, e-mail addresses as keys,
 * a badly named topic, one partition for everything, a record that breaks off and a group stuck on
 * it.
 *
 * Units    ts_ms epoch ms.   Threads  none: owned by the mock's producer thread.
 * Owns     a sample's buffers are reused by the next.   Errors  none.   Cost  about 1 us a record.
 */
#ifndef EVS_KAFKA_SAMPLE_H
#define EVS_KAFKA_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

enum { EVS_SAMPLE_PARTITIONS = 24, EVS_SAMPLE_HEADERS = 4 };

enum evs_sample_hash { EVS_SAMPLE_MURMUR2, EVS_SAMPLE_CRC32 };

struct evs_sample {
    struct evs_buf key, value;
    bool null_key, tombstone;
    int64_t ts_ms;
    int32_t partition; /* -1: by hash of the key */
    enum evs_sample_hash hash;
    struct {
        const char *name;
        char value[40];
    } headers[EVS_SAMPLE_HEADERS];
    int n_headers;
};

struct evs_sample_gen {
    uint64_t random;
    int64_t now_ms; /* the end of the past */
    int64_t order;  /* numbers ids */
    double *rhythm; /* cumulative weights of the 108 slots of 36 h */
};

struct evs_sample_topic {
    const char *name;
    int partitions;
    int64_t past; /* records of the past */
    double per_second;
    /* Record i of n; i >= n is live. Sets all of s but ts_ms of a live one. */
    void (*make)(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s);
};
extern const struct evs_sample_topic evs_sample_topics[]; /* ends with a NULL name */

enum evs_sample_habit {
    EVS_HABIT_FOLLOWS, /* reads on, `lag` behind */
    EVS_HABIT_STUCK,   /* follows but for one partition, stuck at the broken record */
    EVS_HABIT_STOPPED, /* committed once, `lag` behind */
    EVS_HABIT_SLOW,    /* reads nineteen of twenty records */
    EVS_HABIT_REWOUND, /* goes back to the beginning after some seconds, then reads on */
    EVS_HABIT_SILENT   /* never committed */
};
struct evs_sample_group {
    const char *name;
    const char *topics[2];
    enum evs_sample_habit habit;
    int64_t lag; /* of all partitions together, at the end of the past */
};
extern const struct evs_sample_group evs_sample_groups[]; /* ends with a NULL name */

/* The broken record: where it lies. */
extern const char evs_sample_stuck_topic[];
enum { EVS_SAMPLE_STUCK_PARTITION = 3, EVS_SAMPLE_BREAK_AT = 1204113 };

void evs_sample_gen_init(struct evs_sample_gen *g, uint64_t seed, int64_t now_ms);
void evs_sample_gen_done(struct evs_sample_gen *g);
void evs_sample_init(struct evs_sample *s);
void evs_sample_done(struct evs_sample *s);

#endif
