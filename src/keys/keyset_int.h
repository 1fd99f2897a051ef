/* keyset_int.h - what keyset.c, keyset_totals.c and room.c share; nobody else includes it.
 *
 * Threads  none.   Owns  nothing.   Errors  none.
 */
#ifndef EVS_KEYS_KEYSET_INT_H
#define EVS_KEYS_KEYSET_INT_H

#include "keys/keyset.h"

struct evs_key_room {
    struct evs_key_sum *sum; /* n_tables x each; NULL once used up */
    size_t each, n_tables;   /* keys of a table at most */
};

/* Hashes, fits and unhashed: what the key and the partition it was first seen on say. */
void evs_key_sum_prepare(struct evs_key_sum *s, const struct evs_key_entry *e, int32_t partitions);

/* Per partition, over all, heat and sizes. */
void evs_keyset_totals(struct evs_keyset *ks, struct evs_keytab *const *tables, size_t n_tables);
/* How many keys there are, when not all are listed; after the sums. */
void evs_keyset_distinct(struct evs_keyset *ks, struct evs_keytab *const *tables, size_t n_tables);

#endif
