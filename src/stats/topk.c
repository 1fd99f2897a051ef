#include "stats/topk.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"

void evs_topk_init(struct evs_topk *t, size_t m)
{
    assert(m > 0 && m < UINT32_MAX / 4);
    size_t slots = 4;
    while (slots < m * 2)
        slots *= 2;
    *t = (struct evs_topk){.m = m, .mask = slots - 1};
    t->item = evs_xcalloc(m, sizeof(*t->item));
    t->heap = evs_xcalloc(m, sizeof(*t->heap));
    t->index = evs_xcalloc(slots, sizeof(*t->index));
}

void evs_topk_done(struct evs_topk *t)
{
    evs_free(t->item);
    evs_free(t->heap);
    evs_free(t->index);
    *t = (struct evs_topk){0};
}

/* The slot of the key, or the empty slot where it would go. */
static size_t slot_of(const struct evs_topk *t, uint64_t hash, size_t n)
{
    size_t i = hash & t->mask;
    while (t->index[i]) {
        const struct evs_topk_item *it = &t->item[t->index[i] - 1];
        if (it->hash == hash && it->key_len == (uint32_t)n)
            break;
        i = (i + 1) & t->mask;
    }
    return i;
}

static void slot_delete(struct evs_topk *t, size_t hole)
{
    size_t i = hole;
    for (;;) {
        i = (i + 1) & t->mask;
        if (!t->index[i])
            break;
        size_t home = t->item[t->index[i] - 1].hash & t->mask;
        if (((i - home) & t->mask) >= ((i - hole) & t->mask)) {
            t->index[hole] = t->index[i];
            hole = i;
        }
    }
    t->index[hole] = 0;
}

static uint64_t heap_count(const struct evs_topk *t, size_t i)
{
    return t->item[t->heap[i]].count;
}

static void heap_put(struct evs_topk *t, size_t i, uint32_t item)
{
    t->heap[i] = item;
    t->item[item].heap = (uint32_t)i;
}

static void heap_down(struct evs_topk *t, size_t i)
{
    uint32_t moving = t->heap[i];
    uint64_t count = t->item[moving].count;
    for (;;) {
        size_t first = 4 * i + 1, least = i;
        uint64_t best = count;
        for (size_t c = first; c < first + 4 && c < t->n; c++)
            if (heap_count(t, c) < best) {
                best = heap_count(t, c);
                least = c;
            }
        if (least == i)
            break;
        heap_put(t, i, t->heap[least]);
        i = least;
    }
    heap_put(t, i, moving);
}

static void heap_up(struct evs_topk *t, size_t i)
{
    uint32_t moving = t->heap[i];
    uint64_t count = t->item[moving].count;
    while (i > 0 && heap_count(t, (i - 1) / 4) > count) {
        heap_put(t, i, t->heap[(i - 1) / 4]);
        i = (i - 1) / 4;
    }
    heap_put(t, i, moving);
}

static void item_name(struct evs_topk_item *it, uint64_t hash, const void *key, size_t n)
{
    it->hash = hash;
    it->key_len = (uint32_t)n;
    if (n)
        memcpy(it->key, key, n < EVS_TOPK_KEY ? n : EVS_TOPK_KEY);
}

static void put(struct evs_topk *t, const struct evs_topk_item *what)
{
    size_t slot = slot_of(t, what->hash, what->key_len);
    if (t->index[slot]) {
        struct evs_topk_item *it = &t->item[t->index[slot] - 1];
        it->count += what->count;
        it->error += what->error;
        heap_down(t, it->heap);
        return;
    }
    uint32_t i;
    uint64_t inherited = 0;
    bool replaced = t->n == t->m;
    if (!replaced) {
        i = (uint32_t)t->n++;
        t->heap[i] = i;
    } else {
        i = t->heap[0];
        inherited = t->item[i].count;
        slot_delete(t, slot_of(t, t->item[i].hash, t->item[i].key_len));
        slot = slot_of(t, what->hash, what->key_len);
    }
    struct evs_topk_item *it = &t->item[i];
    item_name(it, what->hash, what->key, what->key_len);
    it->count = inherited + what->count;
    it->error = inherited + what->error;
    t->index[slot] = i + 1;
    if (replaced)
        heap_down(t, it->heap);
    else
        heap_up(t, t->n - 1);
}

void evs_topk_add(struct evs_topk *t, uint64_t hash, const void *key, size_t n, uint64_t weight)
{
    t->total += weight;
    size_t slot = slot_of(t, hash, n);
    if (t->index[slot]) {
        struct evs_topk_item *it = &t->item[t->index[slot] - 1];
        it->count += weight;
        heap_down(t, it->heap);
        return;
    }
    struct evs_topk_item what;
    item_name(&what, hash, key, n);
    what.count = weight;
    what.error = 0;
    put(t, &what);
}

uint64_t evs_topk_floor(const struct evs_topk *t)
{
    return t->n < t->m ? 0 : heap_count(t, 0);
}

const struct evs_topk_item *evs_topk_get(const struct evs_topk *t, uint64_t hash, size_t n)
{
    uint32_t i = t->index[slot_of(t, hash, n)];
    return i ? &t->item[i - 1] : NULL;
}

static int by_count(const void *a, const void *b)
{
    const struct evs_topk_item *x = *(const struct evs_topk_item *const *)a;
    const struct evs_topk_item *y = *(const struct evs_topk_item *const *)b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    size_t nx = x->key_len < EVS_TOPK_KEY ? x->key_len : EVS_TOPK_KEY;
    size_t ny = y->key_len < EVS_TOPK_KEY ? y->key_len : EVS_TOPK_KEY;
    int c = memcmp(x->key, y->key, nx < ny ? nx : ny);
    return c ? c : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

size_t evs_topk_sorted(const struct evs_topk *t, const struct evs_topk_item **ret_items, size_t max)
{
    const struct evs_topk_item **all = evs_xcalloc(t->n + 1, sizeof(*all));
    for (size_t i = 0; i < t->n; i++)
        all[i] = &t->item[i];
    qsort(all, t->n, sizeof(*all), by_count);
    size_t n = t->n < max ? t->n : max;
    memcpy(ret_items, all, n * sizeof(*all));
    evs_free(all);
    return n;
}

/* A key absent from one side may have had that side's floor there: both count and error take it.
 * The m heaviest of the union are kept, so that no error is compounded by evictions. */
void evs_topk_merge(struct evs_topk *to, const struct evs_topk *from)
{
    uint64_t floor_to = evs_topk_floor(to), floor_from = evs_topk_floor(from);
    struct evs_topk all;
    evs_topk_init(&all, to->n + from->n + 1);
    for (size_t i = 0; i < to->n; i++) {
        struct evs_topk_item it = to->item[i];
        const struct evs_topk_item *other = evs_topk_get(from, it.hash, it.key_len);
        it.count += other ? other->count : floor_from;
        it.error += other ? other->error : floor_from;
        put(&all, &it);
    }
    for (size_t i = 0; i < from->n; i++) {
        struct evs_topk_item it = from->item[i];
        if (evs_topk_get(to, it.hash, it.key_len))
            continue;
        it.count += floor_to;
        it.error += floor_to;
        put(&all, &it);
    }
    uint64_t total = to->total + from->total;
    size_t m = to->m;
    const struct evs_topk_item **best = evs_xcalloc(all.n + 1, sizeof(*best));
    size_t n = evs_topk_sorted(&all, best, m);
    evs_topk_done(to);
    evs_topk_init(to, m);
    for (size_t i = 0; i < n; i++)
        put(to, best[i]);
    to->total = total;
    evs_free(best);
    evs_topk_done(&all);
}
