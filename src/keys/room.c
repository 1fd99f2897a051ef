/* The room for the sums of a key set, and what is worked out there while its table grows. */
#include <stdint.h>

#include "core/xalloc.h"
#include "keys/keyset_int.h"
#include "keys/placement.h"

enum { PAGE = 4096 };

struct evs_key_room *evs_key_room_new(size_t n_tables, size_t table_memory)
{
    struct evs_key_room *room = evs_xcalloc(1, sizeof(*room));
    room->n_tables = n_tables;
    /* An entry with its place in the index takes more than this. */
    room->each = table_memory / offsetof(struct evs_key_entry, key) + 1;
    room->sum = evs_xbig(n_tables * room->each * sizeof(*room->sum));
    return room;
}

void evs_key_room_lend(struct evs_key_room *room, size_t i, struct evs_keytab *t)
{
    t->ready = room->sum + i * room->each;
    t->ready_max = room->each;
    t->n_ready = t->ready_at = 0;
}

void evs_key_sum_prepare(struct evs_key_sum *s, const struct evs_key_entry *e, int32_t partitions)
{
    s->fits = 0;
    s->unhashed = e->key_len == 0 || e->key_len > EVS_KEY_CAP;
    if (s->unhashed) {
        s->hash[0] = s->hash[1] = s->hash[2] = 0;
        return;
    }
    s->hash[EVS_KEY_HASH_MURMUR2] = evs_murmur2(e->key, e->key_len);
    s->hash[EVS_KEY_HASH_CRC32] = evs_crc32(e->key, e->key_len);
    s->hash[EVS_KEY_HASH_FNV1A] = evs_fnv1a(e->key, e->key_len);
    for (int h = 0; h < EVS_PARTITIONERS; h++) {
        const struct evs_partitioner *by = evs_partitioners[h];
        bool fits = by->place(s->hash[evs_placement_hash(by)], partitions) == e->partition;
        s->fits |= (uint32_t)fits << h;
    }
}

void evs_keytab_prepare(struct evs_keytab *t)
{
    const struct evs_key_entry *e;
    size_t cursor = t->ready_at, before = t->n_ready;
    if (!t->ready)
        return;
    while (t->n_ready < t->ready_max && (e = evs_keytab_next(t, &cursor)) != NULL) {
        evs_key_sum_prepare(&t->ready[t->n_ready++], e, t->partitions);
        t->ready_at = cursor; /* at the end the cursor goes past a chunk that may still grow */
    }
    /* Some pages more, for what comes before the next time. volatile: it is the touching that
     * counts. */
    volatile uint8_t *p = (volatile uint8_t *)(t->ready + t->n_ready);
    size_t more = t->n_ready - before, left = t->ready_max - t->n_ready;
    for (size_t at = 0; at < (more < left ? more : left) * sizeof(*t->ready); at += PAGE)
        p[at] = 0;
}

void evs_key_room_free(struct evs_key_room *room)
{
    if (!room)
        return;
    evs_big_free(room->sum, room->n_tables * room->each * sizeof(*room->sum));
    evs_free(room);
}
