#include "keys/table.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/attr.h"
#include "core/xalloc.h"
#include "keys/table_int.h"

enum { FIRST_BITS = 10 };

#define MINUTE_MS 60000

struct evs_keytab *evs_keytab_new(int32_t partitions, size_t memory, size_t heat_buckets,
                                  uint64_t seed)
{
    struct evs_keytab *t = evs_xcalloc(1, sizeof(*t));
    t->partitions = partitions;
    t->memory = memory;
    t->seed = seed;
    t->bits = FIRST_BITS;
    t->slot = evs_xcalloc((size_t)1 << t->bits, sizeof(*t->slot));
    t->used = ((size_t)1 << t->bits) * sizeof(*t->slot);
    t->part = evs_xcalloc((size_t)partitions, sizeof(*t->part));
    for (int32_t p = 0; p < partitions; p++)
        t->part[p].first_offset = t->part[p].last_offset = t->part[p].first_ts =
            t->part[p].last_ts = -1;
    evs_hll_init(&t->hll, EVS_HLL_P);
    evs_quantile_init(&t->key_size);
    evs_quantile_init(&t->value_size);
    evs_hist_init(&t->heat, (size_t)partitions + EVS_KEY_HEAT_ROWS, heat_buckets);
    return t;
}

void evs_keytab_free(struct evs_keytab *t)
{
    if (!t)
        return;
    evs_arena_done(&t->entry_arena);
    evs_arena_done(&t->node_arena);
    for (int32_t p = 0; t->part_hll && p < t->partitions; p++)
        evs_hll_done(&t->part_hll[p]);
    evs_free(t->part_hll);
    evs_free(t->slot);
    evs_free(t->part);
    evs_hll_done(&t->hll);
    evs_hist_done(&t->heat);
    evs_free(t);
}

/* --- arena and index --- */

/* The high half of a slot is that of the hash, which also chooses the slot: growing reads no
 * entry. */
static void index_resize(struct evs_keytab *t, int bits)
{
    uint64_t *old = t->slot;
    size_t n = (size_t)1 << t->bits;
    t->used += (((size_t)1 << bits) - n) * sizeof(*t->slot);
    t->slot = evs_xcalloc((size_t)1 << bits, sizeof(*t->slot));
    t->bits = bits;
    for (size_t i = 0; i < n; i++)
        if ((uint32_t)old[i])
            evs_keytab_slot_put(t, old[i], (uint32_t)old[i]);
    evs_free(old);
}

static bool same_key(const struct evs_key_entry *e, uint64_t hash, const void *key, size_t len)
{
    return e->hash == hash && e->key_len == (uint32_t)len &&
           evs_key_same(e->key, key, evs_key_kept((uint32_t)len));
}

static struct evs_key_entry *find(const struct evs_keytab *t, uint64_t hash, const void *key,
                                  size_t len)
{
    size_t mask = ((size_t)1 << t->bits) - 1, i = evs_keytab_home(t, hash);
    uint32_t tag = (uint32_t)(hash >> 32);
    for (;; i = (i + 1) & mask) {
        uint64_t s = t->slot[i];
        if (!(uint32_t)s)
            return NULL;
        if ((uint32_t)(s >> 32) != tag)
            continue;
        struct evs_key_entry *e = evs_keytab_at(t, (uint32_t)s);
        if (EVS_LIKELY(same_key(e, hash, key, len)))
            return e;
    }
}

/* --- adding --- */

static void time_enter(struct evs_keytab *t, int64_t ts_ms)
{
    if (ts_ms < 0 || ts_ms >= EVS_HIST_TS_MAX) {
        t->cells = NULL;
        t->minute = 0;
        t->time_from = ts_ms;
        t->time_to = ts_ms < INT64_MAX ? ts_ms + 1 : ts_ms;
        return;
    }
    int64_t minute = ts_ms / MINUTE_MS;
    t->cells = evs_hist_at(&t->heat, ts_ms, &t->time_from, &t->time_to);
    t->minute = (uint32_t)minute;
    if (t->time_from < minute * MINUTE_MS)
        t->time_from = minute * MINUTE_MS;
    if (t->time_to > (minute + 1) * MINUTE_MS)
        t->time_to = (minute + 1) * MINUTE_MS;
}

static void minute_changed(struct evs_key_entry *e, uint32_t minute)
{
    uint32_t run = (uint32_t)e->count - e->minute_mark;
    e->minute_squares += (float)run * (float)run;
    e->minute_mark = (uint32_t)e->count;
    e->minute_changes++;
    if (e->minute / 60 != minute / 60) {
        run = (uint32_t)e->count - e->hour_mark;
        e->hour_squares += (float)run * (float)run;
        e->hour_mark = (uint32_t)e->count;
        e->hour_changes++;
    }
    if (e->minute / 1440 != minute / 1440)
        e->day_changes++;
    e->minute = minute;
}

double evs_key_minute_squares(const struct evs_key_entry *e)
{
    double run = (double)((uint32_t)e->count - e->minute_mark);
    return (double)e->minute_squares + run * run;
}

double evs_key_hour_squares(const struct evs_key_entry *e)
{
    double run = (double)((uint32_t)e->count - e->hour_mark);
    return (double)e->hour_squares + run * run;
}

static void distinct_add(struct evs_keytab *t, int32_t partition, uint64_t hash)
{
    t->part[partition].distinct++;
    if (t->part_hll)
        evs_hll_add(&t->part_hll[partition], hash);
}

static struct evs_key_entry *insert(struct evs_keytab *t, uint64_t hash,
                                    const struct evs_key_rec *r, uint32_t minute)
{
    size_t size = evs_keytab_entry_size((uint32_t)r->key_len);
    size_t slots = (size_t)1 << t->bits;
    bool grow = (t->entries + 1) * 8 > slots * 5;
    size_t need = size + (grow ? 2 * slots * sizeof(*t->slot) : 0);
    if (t->used + need > t->memory && t->entries >= 64)
        evs_keytab_purge(t);
    else if (grow)
        index_resize(t, t->bits + 1);
    uint32_t ref;
    struct evs_key_entry *e = evs_arena_take(&t->entry_arena, size, &ref);
    t->used += size;
    memset(e, 0, offsetof(struct evs_key_entry, key));
    e->hash = hash;
    e->key_len = (uint32_t)r->key_len;
    memcpy(e->key, r->key, evs_key_kept(e->key_len));
    e->partition = r->partition;
    e->first_ts = e->last_ts = r->ts_ms;
    e->first_offset = r->offset;
    e->error = t->over;
    e->minute = minute;
    evs_keytab_slot_put(t, hash, ref);
    t->entries++;
    evs_hll_add(&t->hll, hash);
    distinct_add(t, r->partition, hash);
    return e;
}

/* A key away from its first partition. */
static void add_elsewhere(struct evs_keytab *t, struct evs_key_entry *e,
                          const struct evs_key_rec *r)
{
    struct evs_key_node *nd = e->next ? evs_arena_at(&t->node_arena, e->next) : NULL;
    while (nd && nd->partition != r->partition)
        nd = nd->next ? evs_arena_at(&t->node_arena, nd->next) : NULL;
    if (!nd) {
        uint32_t ref;
        nd = evs_arena_take(&t->node_arena, sizeof(*nd), &ref);
        t->used += sizeof(*nd);
        *nd = (struct evs_key_node){.first_ts = r->ts_ms,
                                    .first_offset = r->offset,
                                    .partition = r->partition,
                                    .next = e->next};
        e->next = ref;
        distinct_add(t, r->partition, e->hash);
    }
    nd->count++;
    nd->bytes += r->key_len + r->value_len;
    nd->last_ts = r->ts_ms;
    nd->last_offset = r->offset;
}

static void add_null(struct evs_keytab *t, struct evs_key_part *p, const struct evs_key_rec *r)
{
    if (p->null_keys == 0 || p->last_offset + 1 != r->offset || r->ts_ms - p->last_ts > 5)
        p->null_batches++;
    p->null_keys++;
    p->null_bytes += r->value_len;
    (void)t;
}

static void count_key(struct evs_keytab *t, struct evs_key_entry *e, const struct evs_key_rec *r,
                      uint32_t minute)
{
    if (EVS_UNLIKELY(e->minute != minute))
        minute_changed(e, minute);
    e->count++;
    e->bytes += r->key_len + r->value_len;
    if (EVS_LIKELY(r->ts_ms > e->last_ts))
        e->last_ts = r->ts_ms;
    else if (EVS_UNLIKELY(r->ts_ms < e->first_ts))
        e->first_ts = r->ts_ms;
    if (EVS_LIKELY(e->partition == r->partition))
        e->last_offset = r->offset;
    else
        add_elsewhere(t, e, r);
}

static void finish(struct evs_keytab *t, struct evs_key_pend *w)
{
    struct evs_key_entry *e = w->ref ? evs_keytab_at(t, w->ref) : NULL;
    if (EVS_UNLIKELY(!e || !same_key(e, w->hash, w->key, w->rec.key_len)))
        e = find(t, w->hash, w->key, w->rec.key_len);
    w->rec.key = w->key;
    if (EVS_UNLIKELY(!e))
        e = insert(t, w->hash, &w->rec, w->minute);
    count_key(t, e, &w->rec, w->minute);
}

/* The slot is in the cache by now: fetch the block it names. */
static void aim(struct evs_keytab *t, struct evs_key_pend *w)
{
    size_t mask = ((size_t)1 << t->bits) - 1, i = evs_keytab_home(t, w->hash);
    uint32_t tag = (uint32_t)(w->hash >> 32);
    w->ref = 0;
    for (;; i = (i + 1) & mask) {
        uint64_t s = t->slot[i];
        if (!(uint32_t)s)
            return;
        if ((uint32_t)(s >> 32) == tag) {
            w->ref = (uint32_t)s;
            break;
        }
    }
    const struct evs_key_entry *e = evs_keytab_at(t, w->ref);
    EVS_PREFETCH(&e->hash);
    EVS_PREFETCH(e->key);
}

void evs_keytab_flush(struct evs_keytab *t)
{
    while (t->aimed != t->pushed)
        aim(t, &t->pend[t->aimed++ % EVS_KEY_PENDING]);
    while (t->finished != t->pushed)
        finish(t, &t->pend[t->finished++ % EVS_KEY_PENDING]);
}

/* Memory is slower than everything else here, so a key is looked up in three steps some records
 * apart: its slot is fetched, then its block, then it is counted. The order of records stays. */
static void add_keyed(struct evs_keytab *t, const struct evs_key_rec *r)
{
    uint64_t hash = XXH3_64bits_withSeed(r->key, r->key_len, t->seed);
    uint32_t minute = EVS_UNLIKELY(t->sampling) ? t->window : t->minute;
    if (EVS_LIKELY(t->cells != NULL))
        t->cells[(size_t)t->partitions + evs_key_heat_row(hash)]++;
    t->keyed++;
    if (EVS_UNLIKELY(r->key_len > EVS_KEY_SHORT)) {
        evs_keytab_flush(t);
        struct evs_key_entry *e = find(t, hash, r->key, r->key_len);
        count_key(t, e ? e : insert(t, hash, r, minute), r, minute);
        return;
    }
    struct evs_key_pend *w = &t->pend[t->pushed++ % EVS_KEY_PENDING];
    w->hash = hash;
    w->minute = minute;
    w->rec = *r;
    memcpy(w->key, r->key, r->key_len);
    EVS_PREFETCH(&t->slot[evs_keytab_home(t, hash)]);
    if (t->pushed - t->aimed > EVS_KEY_PENDING / 2)
        aim(t, &t->pend[t->aimed++ % EVS_KEY_PENDING]);
    if (t->pushed - t->finished >= EVS_KEY_PENDING)
        finish(t, &t->pend[t->finished++ % EVS_KEY_PENDING]);
}

void evs_keytab_add(struct evs_keytab *t, const struct evs_key_rec *r)
{
    assert(r->partition >= 0 && r->partition < t->partitions);
    struct evs_key_part *p = &t->part[r->partition];
    if (r->ts_ms < t->time_from || r->ts_ms >= t->time_to)
        time_enter(t, r->ts_ms);
    if (EVS_LIKELY(t->cells))
        t->cells[r->partition]++;
    else
        t->heat.untimed++;
    if (!r->key)
        add_null(t, p, r);
    else {
        if (EVS_UNLIKELY(r->key_len == 0))
            p->empty_keys++;
        add_keyed(t, r);
        evs_quantile_add(&t->key_size, r->key_len);
    }
    evs_quantile_add(&t->value_size, r->value_len);
    p->tombstones += r->tombstone;
    p->bytes += r->key_len + r->value_len;
    p->last_offset = r->offset;
    if (EVS_UNLIKELY(p->messages++ == 0)) {
        p->first_ts = p->last_ts = r->ts_ms;
        p->first_offset = r->offset;
    }
    if (EVS_LIKELY(r->ts_ms > p->last_ts))
        p->last_ts = r->ts_ms;
    else if (EVS_UNLIKELY(r->ts_ms < p->first_ts))
        p->first_ts = r->ts_ms;
}

/* --- reading --- */

uint64_t evs_keytab_hash(const struct evs_keytab *t, const void *key, size_t len)
{
    return XXH3_64bits_withSeed(key, len, t->seed);
}

void evs_keytab_expect(const struct evs_keytab *t, uint64_t hash)
{
    EVS_PREFETCH(&t->slot[evs_keytab_home(t, hash)]);
}

const struct evs_key_entry *evs_keytab_get(const struct evs_keytab *t, uint64_t hash,
                                           const void *key, size_t len)
{
    return find(t, hash, key, len);
}

void evs_keytab_common(const struct evs_keytab *t, const struct evs_keytab *other, uint64_t *bits)
{
    size_t n = (size_t)1 << t->bits, mask = ((size_t)1 << other->bits) - 1;
    for (size_t i = 0; i < n; i++) {
        uint32_t ref = (uint32_t)t->slot[i], tag = (uint32_t)(t->slot[i] >> 32);
        size_t j = evs_keytab_home(other, (uint64_t)tag << 32);
        if (!ref)
            continue;
        for (; (uint32_t)other->slot[j]; j = (j + 1) & mask)
            if ((uint32_t)(other->slot[j] >> 32) == tag) {
                bits[ref / 64] |= UINT64_C(1) << ref % 64;
                break;
            }
    }
}

uint32_t evs_keytab_ref(const struct evs_key_entry *e, size_t cursor)
{
    return (uint32_t)(cursor - evs_keytab_entry_size(e->key_len) / EVS_ARENA_UNIT);
}

/* In the order of the arena: one after the other, not over all of the memory. */
const struct evs_key_entry *evs_keytab_next(const struct evs_keytab *t, size_t *cursor)
{
    const struct evs_arena *a = &t->entry_arena;
    for (;;) {
        size_t c = *cursor / EVS_ARENA_PER_CHUNK;
        if (c >= a->chunks)
            return NULL;
        size_t at = *cursor % EVS_ARENA_PER_CHUNK * EVS_ARENA_UNIT;
        at = at > evs_arena_start(c) ? at : evs_arena_start(c);
        if (at >= a->end[c]) {
            *cursor = (c + 1) * EVS_ARENA_PER_CHUNK;
            continue;
        }
        const struct evs_key_entry *e = (const void *)(a->chunk[c] + at);
        at += evs_keytab_entry_size(e->key_len);
        *cursor = c * EVS_ARENA_PER_CHUNK + at / EVS_ARENA_UNIT;
        return e;
    }
}

const struct evs_key_node *evs_keytab_node(const struct evs_keytab *t, uint32_t ref)
{
    return ref ? evs_arena_at(&t->node_arena, ref) : NULL;
}
