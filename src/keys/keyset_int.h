/* keyset_int.h - what keyset.c and keyset_totals.c share; nobody else includes it.
 *
 * Threads  none.   Owns  nothing.   Errors  none.
 */
#ifndef EVS_KEYS_KEYSET_INT_H
#define EVS_KEYS_KEYSET_INT_H

#include "keys/keyset.h"

/* Per partition, over all, heat and sizes. */
void evs_keyset_totals(struct evs_keyset *ks, struct evs_keytab *const *tables, size_t n_tables);
/* How many keys there are, when not all are listed; after the sums. */
void evs_keyset_distinct(struct evs_keyset *ks, struct evs_keytab *const *tables, size_t n_tables);

#endif
