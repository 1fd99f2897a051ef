#include "keys/keyset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/attr.h"
#include "core/err.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "keys/cands.h"
#include "keys/keyset_int.h"
#include "stats/partitioner.h"

enum { TABLES = 8, RING = 8, MANY = 20000, DAYS_MAX = (1 << EVS_KEY_DAYS_BITS) - 1 };

/* One key over all tables. */
struct whole {
    const struct evs_key_entry *of[TABLES]; /* by table, NULL where absent */
    uint64_t count, error, bytes;
    size_t places;
};

/* What the keys of one table come to. */
struct build {
    struct evs_keytab *const *tables;
    size_t n_tables, table;
    struct evs_key_sum *sum; /* its part of the key set's, from `start` */
    size_t n, start;
    const struct evs_key_sum *ready; /* of the table's first n_ready keys; may lie in `sum` */
    size_t n_ready, at;              /* at: number of the key that is looked at */
    uint64_t judged, fit[EVS_PARTITIONERS];
    struct evs_key_tally tally;
    struct evs_key_pair *pairs;
    size_t n_pairs, pairs_alloc;
    struct evs_key_cands by_count, by_bytes, split;
    struct evs_key_cand *part_top; /* partitions x EVS_KEY_PART_TOP, descending */
    uint64_t split_keys, key_pairs, minute_pairs, hour_pairs, day_pairs;
};

/* Gathers e from the tables; false when an earlier table has the key, too, and so has given it.
 * common: the others may have it. */
static bool gather(const struct build *b, size_t table, const struct evs_key_entry *e, bool common,
                   struct whole *ret)
{
    ret->count = ret->error = ret->bytes = 0;
    ret->places = 0;
    for (size_t i = 0; i < b->n_tables; i++) {
        const struct evs_key_entry *x = e;
        if (i != table)
            x = common ? evs_keytab_get(b->tables[i], e->hash, e->key, e->key_len) : NULL;
        if (i < table && x)
            return false;
        ret->of[i] = x;
        ret->error += x ? x->error : b->tables[i]->over;
        if (!x)
            continue;
        ret->count += x->count;
        ret->bytes += x->bytes;
        ret->places++;
        for (const struct evs_key_node *nd = evs_keytab_node(b->tables[i], x->next); nd;
             nd = evs_keytab_node(b->tables[i], nd->next))
            ret->places++;
    }
    return true;
}

static int by_partition(const void *a, const void *b)
{
    const struct evs_key_place *x = a, *y = b;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

/* The places of a key, w->places of them, into the caller's array. */
static void places_of(const struct build *b, const struct whole *w, struct evs_key_place *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n_tables; i++) {
        const struct evs_key_entry *e = w->of[i];
        if (!e)
            continue;
        struct evs_key_place *first = &ret[n++];
        *first = (struct evs_key_place){e->partition, e->count,        e->bytes,      e->first_ts,
                                        e->last_ts,   e->first_offset, e->last_offset};
        for (const struct evs_key_node *nd = evs_keytab_node(b->tables[i], e->next); nd;
             nd = evs_keytab_node(b->tables[i], nd->next)) {
            ret[n++] = (struct evs_key_place){nd->partition,  nd->count,   nd->bytes,
                                              nd->first_ts,   nd->last_ts, nd->first_offset,
                                              nd->last_offset};
            first->count -= nd->count;
            first->bytes -= nd->bytes;
        }
    }
    assert(n == w->places);
    qsort(ret, n, sizeof(*ret), by_partition);
}

static void part_top_add(struct build *b, int32_t p, uint64_t count, const struct evs_key_entry *e)
{
    evs_key_cands_first(b->part_top + (size_t)p * EVS_KEY_PART_TOP, EVS_KEY_PART_TOP, count, e);
}

static void add_pairs(struct build *b, const struct whole *w, const struct evs_key_entry *e,
                      size_t sum)
{
    struct evs_key_place *places = evs_xcalloc(w->places, sizeof(*places));
    places_of(b, w, places);
    if (b->n_pairs + w->places > b->pairs_alloc) {
        b->pairs_alloc = (b->n_pairs + w->places) * 2;
        b->pairs = evs_xgrow(b->pairs, b->pairs_alloc, sizeof(*b->pairs));
    }
    for (size_t i = 0; i < w->places; i++) {
        const struct evs_key_place *p = &places[i];
        b->pairs[b->n_pairs++] =
            (struct evs_key_pair){(uint32_t)sum, p->partition, p->count, p->first_ts, p->last_ts};
        part_top_add(b, p->partition, p->count, e);
    }
    evs_free(places);
}

static void tally_add(struct evs_key_tally *t, uint64_t count)
{
    if (EVS_LIKELY(count < EVS_KEY_LIGHT)) {
        t->light[count]++;
        return;
    }
    if (t->n_heavy == t->heavy_alloc) {
        t->heavy_alloc = t->heavy_alloc * 2 + 64;
        t->heavy = evs_xgrow(t->heavy, t->heavy_alloc, sizeof(*t->heavy));
    }
    t->heavy[t->n_heavy++] = count;
}

static void tally_merge(struct evs_key_tally *to, const struct evs_key_tally *from)
{
    for (size_t i = 0; i < EVS_KEY_LIGHT; i++)
        to->light[i] += from->light[i];
    for (size_t i = 0; i < from->n_heavy; i++)
        tally_add(to, from->heavy[i]);
}

static void add_key(struct build *b, const struct whole *w, const struct evs_key_entry *e)
{
    size_t at = b->n++;
    struct evs_key_sum *s = &b->sum[at], sum;
    if (b->at < b->n_ready)
        sum = b->ready[b->at];
    else
        evs_key_sum_prepare(&sum, e, b->tables[0]->partitions);
    sum.count = w->count;
    sum.bytes = w->bytes;
    sum.partition = e->partition;
    sum.minute_squares = sum.hour_squares = 0;
    uint64_t days = 0;
    for (size_t i = 0; i < b->n_tables; i++) {
        const struct evs_key_entry *x = w->of[i];
        if (!x)
            continue;
        sum.minute_squares += (float)evs_key_minute_squares(x);
        sum.hour_squares += (float)evs_key_hour_squares(x);
        days += x->day_changes + 1;
        b->key_pairs += x->count - 1;
        b->minute_pairs += x->minute_changes;
        b->hour_pairs += x->hour_changes;
        b->day_pairs += x->day_changes;
    }
    sum.days = days < DAYS_MAX ? (uint32_t)days : DAYS_MAX;
    *s = sum;
    tally_add(&b->tally, w->count);
    evs_key_cand_add(&b->by_count, w->count + w->error, e);
    evs_key_cand_add(&b->by_bytes, w->bytes, e);
    if (w->places == 1) {
        part_top_add(b, e->partition, w->count, e);
        b->judged += !sum.unhashed;
        for (int h = 0; h < EVS_PARTITIONERS; h++)
            b->fit[h] += sum.fits >> h & 1;
        return;
    }
    s->partition = EVS_KEY_SPLIT;
    b->split_keys += e->key_len > 0;
    if (e->key_len > 0)
        evs_key_cand_add(&b->split, w->count, e);
    add_pairs(b, w, e, at);
}

/* --- details --- */

static void detail_of(const struct build *b, const struct evs_key_entry *e,
                      struct evs_key_detail *ret)
{
    struct whole w;
    size_t table = 0; /* the first table that has it: gather() then takes all */
    while (!evs_keytab_get(b->tables[table], e->hash, e->key, e->key_len))
        table++;
    e = evs_keytab_get(b->tables[table], e->hash, e->key, e->key_len);
    bool all = gather(b, table, e, true, &w);
    assert(all);
    (void)all;
    size_t kept = evs_key_kept(e->key_len);
    *ret = (struct evs_key_detail){.key = evs_xmemdup(e->key, kept),
                                   .key_len = (uint32_t)kept,
                                   .key_full = e->key_len,
                                   .count = w.count,
                                   .error = w.error,
                                   .bytes = w.bytes,
                                   .first_ts = e->first_ts,
                                   .last_ts = e->last_ts,
                                   .heat_row = evs_key_heat_row(e->hash),
                                   .n_places = w.places};
    struct evs_key_sum sum;
    evs_key_sum_prepare(&sum, e, b->tables[0]->partitions);
    ret->unhashed = sum.unhashed;
    memcpy(ret->hash, sum.hash, sizeof(ret->hash));
    ret->places = evs_xcalloc(w.places, sizeof(*ret->places));
    places_of(b, &w, ret->places);
    for (size_t i = 0; i < b->n_tables; i++) {
        const struct evs_key_entry *x = w.of[i];
        if (!x)
            continue;
        ret->first_ts = x->first_ts < ret->first_ts ? x->first_ts : ret->first_ts;
        ret->last_ts = x->last_ts > ret->last_ts ? x->last_ts : ret->last_ts;
        ret->minute_changes += x->minute_changes;
        ret->hour_changes += x->hour_changes;
        ret->day_changes += x->day_changes;
        ret->minute_squares += evs_key_minute_squares(x);
        ret->hour_squares += evs_key_hour_squares(x);
    }
}

static int cmp_keys(const struct evs_key_detail *x, const struct evs_key_detail *y)
{
    uint32_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
    int c = memcmp(x->key, y->key, n);
    return c ? c : (x->key_full > y->key_full) - (x->key_full < y->key_full);
}

static int by_count(const void *a, const void *b)
{
    const struct evs_key_detail *x = a, *y = b;
    uint64_t cx = x->count + x->error, cy = y->count + y->error;
    return cx != cy ? (cx < cy ? 1 : -1) : cmp_keys(x, y);
}

static int by_bytes(const void *a, const void *b)
{
    const struct evs_key_detail *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : cmp_keys(x, y);
}

static struct evs_key_detail *details_of(const struct build *b, struct evs_key_cands *c,
                                         int (*order)(const void *, const void *))
{
    struct evs_key_detail *d = evs_xcalloc(c->n + 1, sizeof(*d));
    for (size_t i = 0; i < c->n; i++)
        detail_of(b, c->heap[i].e, &d[i]);
    qsort(d, c->n, sizeof(*d), order);
    return d;
}

static void part_tops(struct build *b, struct evs_keyset *ks)
{
    size_t n = (size_t)ks->partitions * EVS_KEY_PART_TOP;
    ks->part_top = evs_xcalloc(n, sizeof(*ks->part_top));
    for (size_t i = 0; i < n; i++) {
        const struct evs_key_entry *e = b->part_top[i].e;
        if (!e)
            continue;
        uint32_t kept = (uint32_t)evs_key_kept(e->key_len);
        ks->part_top[i] =
            (struct evs_key_part_top){b->part_top[i].weight, evs_xmemdup(e->key, kept), kept};
    }
}

/* --- building --- */

/* The keys that another table may have, by reference. */
static uint64_t *common_keys(const struct build *b)
{
    const struct evs_keytab *t = b->tables[b->table];
    uint64_t *bits =
        evs_xcalloc(t->entry_arena.chunks * (EVS_ARENA_PER_CHUNK / 64) + 1, sizeof(*bits));
    for (size_t i = 0; i < b->n_tables; i++)
        if (i != b->table)
            evs_keytab_common(t, b->tables[i], bits);
    return bits;
}

/* The other tables are asked for the common keys: their slots are fetched some keys before. */
static void add_keys(void *arg)
{
    struct build *b = arg;
    const struct evs_key_entry *ring[RING], *e = NULL;
    bool common[RING];
    size_t cursor = 0, in = 0, out = 0;
    struct whole w;
    uint64_t *bits = common_keys(b);
    do {
        e = evs_keytab_next(b->tables[b->table], &cursor);
        uint32_t ref = e ? evs_keytab_ref(e, cursor) : 0;
        bool also = e && (bits[ref / 64] >> ref % 64 & 1);
        for (size_t i = 0; i < b->n_tables && also; i++)
            if (i != b->table)
                evs_keytab_expect(b->tables[i], e->hash);
        if (e) {
            common[in % RING] = also;
            ring[in++ % RING] = e;
        }
        if (out == in || (e && in - out < RING))
            continue;
        const struct evs_key_entry *now = ring[out % RING];
        if (gather(b, b->table, now, common[out++ % RING], &w))
            add_key(b, &w, now);
        b->at++;
    } while (e || out < in);
    evs_free(bits);
}

static void build_init(struct build *b, struct evs_keyset *ks, size_t start, size_t details)
{
    size_t max = details > EVS_KEY_DETAILS ? details : EVS_KEY_DETAILS;
    b->start = start;
    b->sum = ks->sum + start;
    b->ready = b->tables[b->table]->ready;
    b->n_ready = b->ready ? b->tables[b->table]->n_ready : 0;
    b->tally.light = evs_xcalloc(EVS_KEY_LIGHT, sizeof(*b->tally.light));
    evs_key_cands_init(&b->by_count, max);
    evs_key_cands_init(&b->by_bytes, max);
    evs_key_cands_init(&b->split, EVS_KEY_SPLITS);
    b->part_top = evs_xcalloc((size_t)ks->partitions * EVS_KEY_PART_TOP, sizeof(*b->part_top));
}

static void build_done(struct build *b)
{
    evs_free(b->by_count.heap);
    evs_free(b->by_bytes.heap);
    evs_free(b->split.heap);
    evs_free(b->part_top);
    evs_free(b->pairs);
    evs_free(b->tally.light);
    evs_free(b->tally.heavy);
}

/* One thread a table: the tables are only read, and each gives its own keys. */
static void add_all(struct build *b, size_t n, size_t entries)
{
    struct evs_thread *thread[TABLES] = {NULL};
    struct evs_err err = EVS_ERR_INIT;
    for (size_t i = 1; i < n; i++)
        if (entries < MANY || evs_thread_start("keys-build", add_keys, &b[i], &thread[i], &err))
            add_keys(&b[i]);
    add_keys(&b[0]);
    for (size_t i = 1; i < n; i++)
        evs_thread_join(thread[i]);
}

/* Takes what another table came to. */
static void merge(struct evs_keyset *ks, struct build *to, const struct build *b)
{
    if (b->start != ks->n)
        memmove(ks->sum + ks->n, b->sum, b->n * sizeof(*b->sum));
    ks->pairs = evs_xgrow(ks->pairs, ks->n_pairs + b->n_pairs + 1, sizeof(*ks->pairs));
    for (size_t i = 0; i < b->n_pairs; i++) {
        ks->pairs[ks->n_pairs] = b->pairs[i];
        ks->pairs[ks->n_pairs++].sum += (uint32_t)ks->n;
    }
    ks->n += b->n;
    ks->split_keys += b->split_keys;
    ks->key_pairs += b->key_pairs;
    ks->minute_pairs += b->minute_pairs;
    ks->hour_pairs += b->hour_pairs;
    ks->day_pairs += b->day_pairs;
    ks->judged += b->judged;
    for (int h = 0; h < EVS_PARTITIONERS; h++)
        ks->fit[h] += b->fit[h];
    tally_merge(&ks->tally, &b->tally);
    if (b == to)
        return;
    evs_key_cands_merge(&to->by_count, &b->by_count);
    evs_key_cands_merge(&to->by_bytes, &b->by_bytes);
    evs_key_cands_merge(&to->split, &b->split);
    for (int32_t p = 0; p < ks->partitions; p++)
        for (int k = 0; k < EVS_KEY_PART_TOP; k++) {
            const struct evs_key_cand *c = &b->part_top[(size_t)p * EVS_KEY_PART_TOP + (size_t)k];
            if (c->e)
                part_top_add(to, p, c->weight, c->e);
        }
}

static void build(struct evs_keyset *ks, struct evs_keytab *const *tables, size_t n_tables,
                  size_t each, size_t details)
{
    struct build b[TABLES] = {{0}};
    size_t entries = 0;
    for (size_t i = 0; i < n_tables; i++) {
        b[i].tables = tables;
        b[i].n_tables = n_tables;
        b[i].table = i;
        build_init(&b[i], ks, each ? i * each : entries, details);
        entries += tables[i]->entries;
    }
    add_all(b, n_tables, entries);
    for (size_t i = 0; i < n_tables; i++)
        merge(ks, &b[0], &b[i]);
    evs_keyset_distinct(ks, tables, n_tables);
    ks->n_top = b[0].by_count.n;
    ks->top = details_of(b, &b[0].by_count, by_count);
    ks->n_top_bytes = b[0].by_bytes.n;
    ks->top_bytes = details_of(b, &b[0].by_bytes, by_bytes);
    ks->n_split = b[0].split.n;
    ks->split = details_of(b, &b[0].split, by_count);
    part_tops(&b[0], ks);
    for (size_t i = 0; i < n_tables; i++)
        build_done(&b[i]);
}

/* Takes the room's memory, if the keys fit; keys of a table there, else 0. */
static size_t take_room(struct evs_keyset *ks, struct evs_key_room *room,
                        struct evs_keytab *const *tables, size_t n_tables)
{
    size_t most = 0;
    for (size_t i = 0; i < n_tables; i++) {
        ks->sum_alloc += tables[i]->entries;
        most = tables[i]->entries > most ? tables[i]->entries : most;
    }
    if (!room || room->n_tables != n_tables || room->each < most) {
        ks->sum = evs_xbig(++ks->sum_alloc * sizeof(*ks->sum));
        return 0;
    }
    ks->sum = room->sum;
    ks->sum_alloc = room->n_tables * room->each;
    room->sum = NULL;
    return room->each;
}

struct evs_keyset *evs_keyset_new(struct evs_keytab *const *tables, size_t n_tables, size_t details)
{
    return evs_keyset_in(NULL, tables, n_tables, details);
}

struct evs_keyset *evs_keyset_in(struct evs_key_room *room, struct evs_keytab *const *tables,
                                 size_t n_tables, size_t details)
{
    assert(n_tables > 0 && n_tables <= TABLES);
    for (size_t i = 0; i < n_tables; i++)
        evs_keytab_flush(tables[i]);
    struct evs_keyset *ks = evs_xcalloc(1, sizeof(*ks));
    ks->partitions = ks->read = tables[0]->partitions;
    ks->sampled = tables[0]->sampling;
    ks->part = evs_xcalloc((size_t)ks->partitions, sizeof(*ks->part));
    ks->tally.light = evs_xcalloc(EVS_KEY_LIGHT, sizeof(*ks->tally.light));
    evs_hist_init(&ks->heat, tables[0]->heat.rows, tables[0]->heat.max);
    evs_quantile_init(&ks->key_size);
    evs_quantile_init(&ks->value_size);
    size_t each = take_room(ks, room, tables, n_tables);
    evs_keyset_totals(ks, tables, n_tables);
    build(ks, tables, n_tables, each, details);
    for (size_t i = 0; each && i < n_tables; i++)
        tables[i]->ready = NULL; /* the room is the key set's now */
    return ks;
}

static void details_free(struct evs_key_detail *d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        evs_free(d[i].key);
        evs_free(d[i].places);
    }
    evs_free(d);
}

void evs_keyset_unread(struct evs_keyset *ks, int32_t partition)
{
    if (!ks->unread)
        ks->unread = evs_xcalloc((size_t)ks->partitions, sizeof(*ks->unread));
    ks->read -= !ks->unread[partition];
    ks->unread[partition] = true;
}

void evs_keyset_free(struct evs_keyset *ks)
{
    if (!ks)
        return;
    details_free(ks->top, ks->n_top);
    details_free(ks->top_bytes, ks->n_top_bytes);
    details_free(ks->split, ks->n_split);
    for (size_t i = 0; i < (size_t)ks->partitions * EVS_KEY_PART_TOP; i++)
        evs_free(ks->part_top[i].key);
    evs_free(ks->part_top);
    evs_free(ks->part);
    evs_free(ks->unread);
    evs_big_free(ks->sum, ks->sum_alloc * sizeof(*ks->sum));
    evs_free(ks->pairs);
    evs_free(ks->tally.light);
    evs_free(ks->tally.heavy);
    evs_hist_done(&ks->heat);
    evs_free(ks);
}
