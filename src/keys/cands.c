#include "keys/cands.h"

#include <stdbool.h>
#include <string.h>

#include "core/xalloc.h"

/* Total order, so that the same topic gives the same answer: lighter first, among equals the later
 * key. */
static bool lighter(const struct evs_key_cand *a, const struct evs_key_cand *b)
{
    if (a->weight != b->weight)
        return a->weight < b->weight;
    size_t na = evs_key_kept(a->e->key_len), nb = evs_key_kept(b->e->key_len);
    int c = memcmp(a->e->key, b->e->key, na < nb ? na : nb);
    return c ? c > 0 : na > nb;
}

void evs_key_cand_add(struct evs_key_cands *c, uint64_t weight, const struct evs_key_entry *e)
{
    struct evs_key_cand x = {weight, e};
    size_t i;
    if (c->n < c->max) {
        i = c->n++;
        for (; i > 0 && lighter(&x, &c->heap[(i - 1) / 2]); i = (i - 1) / 2)
            c->heap[i] = c->heap[(i - 1) / 2];
    } else {
        if (weight < c->heap[0].weight || !lighter(&c->heap[0], &x))
            return;
        for (i = 0;;) {
            size_t k = 2 * i + 1;
            if (k + 1 < c->n && lighter(&c->heap[k + 1], &c->heap[k]))
                k++;
            if (k >= c->n || !lighter(&c->heap[k], &x))
                break;
            c->heap[i] = c->heap[k];
            i = k;
        }
    }
    c->heap[i] = x;
}

void evs_key_cands_init(struct evs_key_cands *c, size_t max)
{
    *c = (struct evs_key_cands){.heap = evs_xcalloc(max, sizeof(*c->heap)), .max = max};
}

void evs_key_cands_merge(struct evs_key_cands *to, const struct evs_key_cands *from)
{
    for (size_t i = 0; i < from->n; i++)
        evs_key_cand_add(to, from->heap[i].weight, from->heap[i].e);
}

void evs_key_cands_first(struct evs_key_cand *row, int n, uint64_t weight,
                         const struct evs_key_entry *e)
{
    struct evs_key_cand x = {weight, e};
    int i = n - 1;
    if (weight < row[i].weight || (row[i].e && !lighter(&row[i], &x)))
        return;
    for (; i > 0 && (!row[i - 1].e || lighter(&row[i - 1], &x)); i--)
        row[i] = row[i - 1];
    row[i] = x;
}
