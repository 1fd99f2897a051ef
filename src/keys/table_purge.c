/* table_purge.c - bounded mode: the lightest half is thrown away. */
#include <string.h>

#include "core/xalloc.h"
#include "keys/keyset.h"
#include "keys/table_int.h"

enum { SMALL_COUNTS = 4096 };

static uint64_t upper(const struct evs_key_entry *e)
{
    return e->count + e->error;
}

/* The smallest bound under which at least half of the entries lie. */
static uint64_t median_bound(const struct evs_keytab *t)
{
    size_t small[SMALL_COUNTS] = {0}, octave[65] = {0}, cursor = 0, seen = 0;
    const struct evs_key_entry *e;
    while ((e = evs_keytab_next(t, &cursor)) != NULL) {
        if (upper(e) < SMALL_COUNTS)
            small[upper(e)]++;
        else
            octave[64 - __builtin_clzll(upper(e))]++;
    }
    for (uint64_t v = 0; v < SMALL_COUNTS; v++) {
        seen += small[v];
        if (seen * 2 >= t->entries)
            return v;
    }
    for (int o = 1; o < 64; o++) {
        seen += octave[o];
        if (seen * 2 >= t->entries)
            return (UINT64_C(1) << o) - 1;
    }
    return UINT64_MAX - 1;
}

static void part_hlls(struct evs_keytab *t)
{
    t->part_hll = evs_xcalloc((size_t)t->partitions, sizeof(*t->part_hll));
    for (int32_t p = 0; p < t->partitions; p++)
        evs_hll_init(&t->part_hll[p], EVS_KEY_PART_HLL_P);
    size_t cursor = 0;
    const struct evs_key_entry *e;
    while ((e = evs_keytab_next(t, &cursor)) != NULL) {
        evs_hll_add(&t->part_hll[e->partition], e->hash);
        for (const struct evs_key_node *nd = evs_keytab_node(t, e->next); nd;
             nd = evs_keytab_node(t, nd->next))
            evs_hll_add(&t->part_hll[nd->partition], e->hash);
    }
}

/* Survivors slide down in the order of the arena, which no block passes: a block's new place is
 * never behind its old one. So it costs no memory. */
static void slide(struct evs_keytab *t, uint64_t bound)
{
    struct evs_arena *a = &t->entry_arena;
    size_t to = 0, chunks = a->chunks, old = 0, n_ready = t->n_ready;
    uint32_t fill = evs_arena_start(0);
    t->n_ready = t->ready_at = 0;
    for (size_t c = 0; c < chunks; c++) {
        uint32_t at = evs_arena_start(c), end = a->end[c];
        while (at < end) {
            struct evs_key_entry *e = (struct evs_key_entry *)(void *)(a->chunk[c] + at);
            uint32_t size = (uint32_t)evs_keytab_entry_size(e->key_len);
            at += size;
            size_t i = old++;
            if (upper(e) <= bound)
                continue;
            if (fill + size > EVS_ARENA_CHUNK) {
                a->end[to++] = fill;
                fill = 0;
            }
            uint64_t hash = e->hash;
            memmove(a->chunk[to] + fill, e, size);
            evs_keytab_slot_put(t, hash,
                                (uint32_t)(to * EVS_ARENA_PER_CHUNK + fill / EVS_ARENA_UNIT));
            fill += size;
            if (i < n_ready) {
                t->ready[t->n_ready++] = t->ready[i];
                t->ready_at = to * EVS_ARENA_PER_CHUNK + fill / EVS_ARENA_UNIT;
            }
            t->used += size;
            t->entries++;
        }
    }
    a->end[to] = fill;
    a->chunks = to + 1;
}

/* Nodes of the survivors move to a new arena; they are few but for keys spread over partitions. */
static void keep_nodes(struct evs_keytab *t)
{
    struct evs_arena old = t->node_arena;
    t->node_arena = (struct evs_arena){0};
    size_t n = (size_t)1 << t->bits;
    for (size_t i = 0; i < n && old.chunks; i++) {
        if (!(uint32_t)t->slot[i])
            continue;
        struct evs_key_entry *e = evs_keytab_at(t, (uint32_t)t->slot[i]);
        uint32_t from = e->next, ref;
        e->next = 0;
        while (from) {
            const struct evs_key_node *nd = evs_arena_at(&old, from);
            struct evs_key_node *copy = evs_arena_take(&t->node_arena, sizeof(*nd), &ref);
            from = nd->next;
            *copy = *nd;
            copy->next = e->next;
            e->next = ref;
            t->used += sizeof(*nd);
        }
    }
    evs_arena_done(&old);
}

void evs_keytab_purge(struct evs_keytab *t)
{
    if (!t->part_hll)
        part_hlls(t);
    uint64_t bound = median_bound(t);
    size_t index_bytes = ((size_t)1 << t->bits) * sizeof(*t->slot);
    memset(t->slot, 0, index_bytes);
    t->used = index_bytes;
    t->entries = 0;
    slide(t, bound);
    keep_nodes(t);
    if (bound > t->over)
        t->over = bound;
    t->purges++;
    for (int i = 0; i < EVS_KEY_PENDING; i++)
        t->pend[i].ref = 0;
}
