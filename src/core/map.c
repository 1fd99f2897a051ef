#include "core/map.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/attr.h"
#include "core/xalloc.h"

static uint64_t hash_of(const void *key, size_t len)
{
    static _Atomic uint64_t seed; /* one for all threads: the first that has one */
    uint64_t now = atomic_load_explicit(&seed, memory_order_relaxed), own;
    if (EVS_UNLIKELY(!now)) {
        if (getrandom(&own, sizeof(own), GRND_NONBLOCK) != sizeof(own) || !own)
            own = 0x9e3779b97f4a7c15u;
        if (atomic_compare_exchange_strong(&seed, &now, own))
            now = own;
    }
    return XXH3_64bits_withSeed(key, len, now);
}

uint64_t evs_map_hash(const void *key, size_t len)
{
    return hash_of(key, len);
}

/* The slot that holds the key, or the free one where it would go. */
static size_t find(const struct evs_map *m, const void *key, size_t len, uint64_t hash)
{
    size_t at = hash & (m->slots - 1);
    while (m->index[at]) {
        const struct evs_map_item *it = &m->items[m->index[at] - 1];
        if (it->hash == hash && it->key_len == len && (!len || !memcmp(it->key, key, len)))
            break;
        at = (at + 1) & (m->slots - 1);
    }
    return at;
}

void *evs_map_get(const struct evs_map *m, const void *key, size_t len)
{
    if (!m->n)
        return NULL;
    uint32_t i = m->index[find(m, key, len, hash_of(key, len))];
    return i ? m->items[i - 1].value : NULL;
}

static void rebuild(struct evs_map *m, size_t slots)
{
    evs_free(m->index);
    m->index = evs_xcalloc(slots, sizeof(*m->index));
    m->slots = slots;
    for (size_t i = 0; i < m->n; i++) {
        size_t at = m->items[i].hash & (slots - 1);
        while (m->index[at])
            at = (at + 1) & (slots - 1);
        m->index[at] = (uint32_t)i + 1;
    }
}

void **evs_map_put(struct evs_map *m, const void *key, size_t len)
{
    if ((m->n + 1) * 4 > m->slots * 3)
        rebuild(m, m->slots ? m->slots * 2 : 16);
    uint64_t hash = hash_of(key, len);
    size_t at = find(m, key, len, hash);
    if (!m->index[at]) {
        if (m->n == m->alloc) {
            m->alloc = m->alloc ? m->alloc * 2 : 16;
            m->items = evs_xgrow(m->items, m->alloc, sizeof(*m->items));
        }
        m->items[m->n] = (struct evs_map_item){evs_xmemdup(key, len), len, hash, NULL};
        m->index[at] = (uint32_t)++m->n;
    }
    return &m->items[m->index[at] - 1].value;
}

void *evs_map_remove(struct evs_map *m, const void *key, size_t len)
{
    if (!m->n)
        return NULL;
    uint32_t i = m->index[find(m, key, len, hash_of(key, len))];
    if (!i)
        return NULL;
    void *value = m->items[i - 1].value;
    evs_free(m->items[i - 1].key);
    m->items[i - 1] = m->items[--m->n];
    rebuild(m, m->slots);
    return value;
}

void *evs_map_gets(const struct evs_map *m, const char *key)
{
    return evs_map_get(m, key, strlen(key));
}

void **evs_map_puts(struct evs_map *m, const char *key)
{
    return evs_map_put(m, key, strlen(key));
}

void evs_map_done(struct evs_map *m, void (*free_value)(void *v))
{
    for (size_t i = 0; i < m->n; i++) {
        evs_free(m->items[i].key);
        if (free_value)
            free_value(m->items[i].value);
    }
    evs_free(m->items);
    evs_free(m->index);
    *m = (struct evs_map)EVS_MAP_INIT;
}
