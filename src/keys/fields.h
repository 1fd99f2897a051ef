/* fields.h - which field of the JSON values should be the key?
 *
 * A few tens of thousands of values are read. Every scalar field, one object deep, is judged as a
 * key: how many values it has, how evenly they would lie, how often it is there, what it looks
 * like, and how it relates to the present key. Per field value and per key only the last partner
 * is remembered, so the two shares of changes are samples.
 *
 *   same        one value per key and one key per value
 *   finer       a key has many values, a value one key: an order of a customer
 *   coarser     a key has one value, a value many keys: the shop of a customer
 *   attribute   changes within the key and is shared by keys: a status, a country
 *
 * Units    shares 0 to 1; score 0 to 100.   Threads  none: one per worker, merged at the end.
 * Owns     names and examples.              Errors   none: what is not a JSON object is counted.
 * Cost     one pass of the lexer per sampled value, about 100 ns a field.
 */
#ifndef EVS_KEYS_FIELDS_H
#define EVS_KEYS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EVS_FIELDS_SAMPLE = 20000, EVS_FIELDS_MAX = 48, EVS_FIELD_NAME = 96 };

struct evs_fields;
struct evs_fields *evs_fields_new(int32_t partitions);
void evs_fields_free(struct evs_fields *f); /* NULL is fine */
/* value NULL: a tombstone, not counted. */
void evs_fields_add(struct evs_fields *f, const void *key, size_t key_len, const void *value,
                    size_t value_len);
void evs_fields_merge(struct evs_fields *to, const struct evs_fields *from);

struct evs_field_advice {
    char name[EVS_FIELD_NAME]; /* "customer.id" */
    double present;            /* of the objects read */
    double distinct, distinct_error;
    double top_share;     /* of its most frequent value */
    char top[64];         /* that value, cut */
    double max_over_mean; /* if it were the key, hashed over the topic's partitions */
    double changes_within_key, keys_per_value_change; /* shares of steps; NAN unknown */
    const char *relation; /* same, finer, coarser, attribute; NULL unknown */
    const char *looks;    /* "e-mail addresses", "a time", "a flag", "a measure"; NULL */
    double score;
    char verdict[160];
};

struct evs_fields_advice {
    uint64_t read, objects;
    struct evs_field_advice *field; /* best first */
    size_t n;
};
struct evs_fields_advice *evs_fields_judge(const struct evs_fields *f);
void evs_fields_advice_free(struct evs_fields_advice *a); /* NULL is fine */

#endif
