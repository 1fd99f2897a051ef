/* rows_order.c - a fold's rows by key: each run by itself, then the runs as one. */
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"
#include "replay/rows_priv.h"

struct place {
    uint64_t head; /* the bytes behind what all keys begin with: they decide nearly always */
    const struct evs_row *row;
};

static int by_key(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->head != q->head)
        return p->head < q->head ? -1 : 1;
    const struct evs_row *x = p->row, *y = q->row;
    size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = n ? memcmp(x->key, y->key, n) : 0;
    if (order)
        return order;
    return (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

/* How many bytes all keys have in common at their start. */
static size_t common(const struct evs_row *rows, size_t n)
{
    const char *first = rows[0].key;
    size_t len = rows[0].key_len;
    for (size_t i = 1; i < n && len; i++) {
        const char *key = rows[i].key;
        len = rows[i].key_len < len ? rows[i].key_len : len;
        if (memcmp(first, key, len) == 0)
            continue;
        for (size_t k = 0; k < len; k++)
            if (first[k] != key[k])
                len = k;
    }
    return len;
}

static uint64_t head_of(const struct evs_row *r, size_t from)
{
    const unsigned char *key = r->key;
    uint64_t head = 0;
    for (size_t i = from; i < from + 8; i++)
        head = head << 8 | (i < r->key_len ? key[i] : 0);
    return head;
}

static struct place *places_of(const struct evs_rows *f)
{
    struct place *places = evs_xcalloc(f->n, sizeof(*places));
    size_t from = common(f->rows, f->n);
    for (size_t i = 0; i < f->n; i++)
        places[i] = (struct place){head_of(&f->rows[i], from), &f->rows[i]};
    return places;
}

/* Two sorted stretches into one. */
static void merge(const struct place *a, size_t n_a, const struct place *b, size_t n_b,
                  struct place *to)
{
    size_t i = 0, k = 0;
    while (i < n_a && k < n_b)
        if (by_key(&a[i], &b[k]) <= 0)
            *to++ = a[i++];
        else
            *to++ = b[k++];
    memcpy(to, a + i, (n_a - i) * sizeof(*a));
    memcpy(to + (n_a - i), b + k, (n_b - k) * sizeof(*b));
}

/* The runs, sorted each, two by two until they are one. */
static struct place *merge_runs(struct evs_rows *f, struct place *places)
{
    struct place *other = evs_xcalloc(f->n, sizeof(*other));
    while (f->n_runs > 1) {
        size_t n = 0;
        for (size_t i = 0; i < f->n_runs; i += 2) {
            size_t a = f->runs[i], b = i + 1 < f->n_runs ? f->runs[i + 1] : f->n;
            size_t end = i + 2 < f->n_runs ? f->runs[i + 2] : f->n;
            merge(places + a, b - a, places + b, end - b, other + a);
            f->runs[n++] = a;
        }
        f->n_runs = n;
        struct place *swap = places;
        places = other;
        other = swap;
    }
    evs_free(other);
    return places;
}

static bool newer(const struct evs_row *a, const struct evs_row *b)
{
    return evs_row_newer(a->partition, a->offset, a->ts_ms, b->partition, b->offset, b->ts_ms);
}

/* The rows in the order of the places, each key once. */
static void put_in_order(struct evs_rows *f, const struct place *places)
{
    struct evs_row *sorted = evs_xcalloc(f->n, sizeof(*sorted));
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct evs_row *r = places[i].row;
        if (!n || sorted[n - 1].key_len != r->key_len ||
            memcmp(sorted[n - 1].key, r->key, r->key_len)) {
            sorted[n++] = *r;
            continue;
        }
        f->split += sorted[n - 1].partition != r->partition;
        if (newer(r, &sorted[n - 1]))
            sorted[n - 1] = *r;
    }
    evs_free(f->rows);
    f->rows = sorted;
    f->n = f->alloc = n;
}

/* The run under way alone; a row's extra is of no use any more. */
void rows_sort_run(struct evs_rows *f)
{
    size_t begin = rows_run_begin(f);
    struct evs_rows run = {.rows = f->rows + begin, .n = f->n - begin};
    if (run.n < 2)
        return;
    struct place *places = places_of(&run);
    struct evs_row *sorted = evs_xcalloc(run.n, sizeof(*sorted));
    qsort(places, run.n, sizeof(*places), by_key);
    for (size_t i = 0; i < run.n; i++)
        sorted[i] = *places[i].row;
    memcpy(run.rows, sorted, run.n * sizeof(*sorted));
    evs_free(sorted);
    evs_free(places);
}

void rows_add_run(struct evs_rows *f, size_t begin)
{
    f->runs = evs_xgrow(f->runs, f->n_runs + 1, sizeof(*f->runs));
    f->runs[f->n_runs++] = begin;
}

void rows_sort(struct evs_rows *f)
{
    rows_sort_run(f);
    if (f->n_runs < 2)
        return;
    struct place *places = merge_runs(f, places_of(f));
    put_in_order(f, places);
    evs_free(places);
}
