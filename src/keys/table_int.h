/* table_int.h - what table.c and table_purge.c share; nobody else includes it.
 *
 * Threads  none.   Owns  nothing.   Errors  none.
 */
#ifndef EVS_KEYS_TABLE_INT_H
#define EVS_KEYS_TABLE_INT_H

#include "keys/table.h"

static inline struct evs_key_entry *evs_keytab_at(const struct evs_keytab *t, uint32_t ref)
{
    return evs_arena_at(&t->entry_arena, ref);
}

static inline size_t evs_keytab_home(const struct evs_keytab *t, uint64_t hash)
{
    return (size_t)(hash >> (64 - t->bits));
}

static inline size_t evs_keytab_entry_size(uint32_t key_len)
{
    return (offsetof(struct evs_key_entry, key) + evs_key_kept(key_len) + EVS_ARENA_UNIT - 1) /
           EVS_ARENA_UNIT * EVS_ARENA_UNIT;
}

static inline void evs_keytab_slot_put(struct evs_keytab *t, uint64_t hash, uint32_t ref)
{
    size_t mask = ((size_t)1 << t->bits) - 1, i = evs_keytab_home(t, hash);
    while ((uint32_t)t->slot[i])
        i = (i + 1) & mask;
    t->slot[i] = (hash & ~UINT64_C(0xffffffff)) | ref;
}

/* Throws the lightest half away. */
void evs_keytab_purge(struct evs_keytab *t);

#endif
