/* table_order.c - which rows a table shows, and in what order. */
#include <string.h>
#include <strings.h>

#include "core/xalloc.h"
#include "ui/widgets/table.h"

/* Case of ASCII letters does not count. */
static bool holds(const char *p, size_t n, const char *what, size_t len)
{
    for (size_t i = 0; i + len <= n; i++)
        if (!strncasecmp(p + i, what, len))
            return true;
    return false;
}

static bool passes(const struct evs_table *t, size_t row)
{
    struct evs_field f;
    if (t->ops->shown && !t->ops->shown(t->ctx, row))
        return false;
    for (int i = 0; i < t->n_likes; i++) {
        evs_table_field(t, row, t->likes[i].col, true, &f);
        size_t n = strlen(t->likes[i].text);
        size_t len = f.n < EVS_FIELD_TEXT - 1 ? f.n : EVS_FIELD_TEXT - 1;
        bool same = len == n && !memcmp(f.p, t->likes[i].text, n);
        if (same == t->likes[i].drop)
            return false;
    }
    size_t len = strlen(t->filter);
    for (int c = 0; len && c < t->ops->n_cols; c++) {
        if (t->ops->cols[c].flags & EVS_COL_CHART)
            continue;
        evs_table_field(t, row, c, false, &f);
        if (holds(f.p, f.n, t->filter, len))
            return true;
    }
    return !len;
}

/* Of rows a and b; keys by model row where the screen ranks rows, else NULL. */
static int compare_rows(const struct evs_table *t, const double *keys, size_t a, size_t b)
{
    int by = 0;
    if (keys) {
        by = (keys[a] > keys[b]) - (keys[a] < keys[b]);
    } else if (t->ops->compare) {
        by = t->ops->compare(t->ctx, a, b, t->sort_col);
    } else {
        struct evs_field fa, fb;
        evs_table_field(t, a, t->sort_col, true, &fa);
        evs_table_field(t, b, t->sort_col, true, &fb);
        by = memcmp(fa.p, fb.p, fa.n < fb.n ? fa.n : fb.n);
        by = by ? by : (fa.n > fb.n) - (fa.n < fb.n);
    }
    if (t->reverse)
        by = -by;
    return by ? by : (a > b) - (a < b); /* equal rows keep the model's order */
}

static void merge(const struct evs_table *t, const double *keys, const size_t *from, size_t low,
                  size_t mid, size_t high, size_t *to)
{
    if (mid >= high || compare_rows(t, keys, from[mid - 1], from[mid]) <= 0) {
        memcpy(to + low, from + low, (high - low) * sizeof(*to));
        return;
    }
    size_t i = low, j = mid;
    for (size_t k = low; k < high; k++)
        to[k] = i < mid && (j >= high || compare_rows(t, keys, from[i], from[j]) <= 0) ? from[i++]
                                                                                       : from[j++];
}

/* Bottom-up merge sort: stable, with a context, without recursion; what is in order already costs
 * one comparison a row. */
static void sort_order(struct evs_table *t, const double *keys)
{
    size_t n = t->n, *from = t->order;
    size_t *spare = evs_xmalloc((n + 1) * sizeof(*spare)), *to = spare;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width) {
            size_t mid = low + width < n ? low + width : n;
            size_t high = low + 2 * width < n ? low + 2 * width : n;
            merge(t, keys, from, low, mid, high, to);
        }
        size_t *swap = from;
        from = to;
        to = swap;
    }
    evs_free(from == t->order ? spare : t->order);
    t->order = from;
}

static void sort_rows(struct evs_table *t, size_t rows)
{
    double *keys = t->ops->rank ? evs_xmalloc((rows + 1) * sizeof(*keys)) : NULL;
    for (size_t i = 0; i < t->n && keys; i++)
        keys[t->order[i]] = t->ops->rank(t->ctx, t->order[i], t->sort_col);
    sort_order(t, keys);
    evs_free(keys);
}

/* The rows to look at: those shown before in their order, which is nearly the new one, then the
 * others. Returns how many. */
static size_t candidates(const size_t *old, size_t n_old, size_t rows, bool only_old, size_t *to)
{
    uint8_t *seen = evs_xcalloc(rows + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < n_old; i++)
        if (old[i] < rows) {
            to[n++] = old[i];
            seen[old[i]] = 1;
        }
    for (size_t row = 0; row < rows && !only_old; row++)
        if (!seen[row])
            to[n++] = row;
    evs_free(seen);
    return n;
}

void evs_table_order(struct evs_table *t, bool narrower)
{
    size_t rows = t->ops->count(t->ctx);
    bool plain = t->sort_col < 0 && !t->ops->shown && !evs_table_filtered(t);
    size_t *old = t->order, n_old = old ? t->n : 0;
    t->order = NULL;
    t->n = rows;
    narrower = narrower && old;
    if (t->sort_col < 0 && !narrower)
        n_old = 0; /* the model's order */
    if (!plain) {
        t->order = evs_xmalloc((rows + 1) * sizeof(*t->order));
        size_t n = candidates(old, n_old, rows, narrower, t->order);
        t->n = 0;
        for (size_t i = 0; i < n; i++)
            if (passes(t, t->order[i]))
                t->order[t->n++] = t->order[i];
        if (t->sort_col >= 0)
            sort_rows(t, rows);
    }
    evs_free(old);
}
