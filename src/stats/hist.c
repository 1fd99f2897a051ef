#include "stats/hist.h"

#include <assert.h>
#include <string.h>

#include "core/xalloc.h"

static const int64_t ladder[] = {100,    1000,    5000,    15000,    30000,    60000,    300000,
                                 900000, 1800000, 3600000, 10800000, 21600000, 43200000, 86400000};
enum { LADDER = sizeof(ladder) / sizeof(ladder[0]) };

static int64_t width_at(int step)
{
    assert(step >= 0);
    return step < LADDER ? ladder[step] : ladder[LADDER - 1] << (step - LADDER + 1);
}

void evs_hist_init(struct evs_hist *h, size_t rows, size_t max_buckets)
{
    assert(rows > 0 && max_buckets >= 2);
    *h = (struct evs_hist){.rows = rows, .max = max_buckets, .width_ms = width_at(0)};
    h->cell = evs_xcalloc(rows * max_buckets, sizeof(*h->cell));
}

void evs_hist_done(struct evs_hist *h)
{
    evs_free(h->cell);
    h->cell = NULL;
}

static void fold(struct evs_hist *h, int step)
{
    int64_t ratio = width_at(step) / h->width_ms;
    int64_t first = h->first / ratio;
    size_t n = 0;
    for (size_t b = 0; b < h->n; b++) {
        size_t at = (size_t)((h->first + (int64_t)b) / ratio - first);
        uint32_t *to = h->cell + at * h->rows, *from = h->cell + b * h->rows;
        if (at >= n)
            n = at + 1;
        if (at == b)
            continue;
        for (size_t r = 0; r < h->rows; r++) {
            uint32_t v = from[r];
            from[r] = 0;
            to[r] += v;
        }
    }
    h->n = n;
    h->first = first;
    h->step = step;
    h->width_ms = width_at(step);
    h->generation++;
}

void evs_hist_widen(struct evs_hist *h, int64_t width_ms)
{
    int step = h->step;
    while (width_at(step) < width_ms)
        step++;
    if (step != h->step)
        fold(h, step);
}

/* Make room so that bucket number `b` (at the present width) can exist. */
static void cover(struct evs_hist *h, int64_t ts_ms)
{
    int step = h->step;
    for (;; step++) {
        int64_t w = width_at(step), b = ts_ms / w;
        int64_t lo = h->n ? h->first * h->width_ms / w : b;
        int64_t hi = h->n ? (h->first + (int64_t)h->n - 1) * h->width_ms / w : b;
        lo = b < lo ? b : lo;
        hi = b > hi ? b : hi;
        if (hi - lo + 1 <= (int64_t)h->max)
            break;
    }
    if (step != h->step)
        fold(h, step);
    int64_t b = ts_ms / h->width_ms;
    if (h->n == 0)
        h->first = b;
    if (b < h->first) {
        size_t shift = (size_t)(h->first - b);
        memmove(h->cell + shift * h->rows, h->cell, h->n * h->rows * sizeof(*h->cell));
        memset(h->cell, 0, shift * h->rows * sizeof(*h->cell));
        h->first = b;
        h->n += shift;
        h->generation++;
    }
    if ((size_t)(b - h->first) >= h->n)
        h->n = (size_t)(b - h->first) + 1;
}

uint32_t *evs_hist_at(struct evs_hist *h, int64_t ts_ms, int64_t *ret_from, int64_t *ret_to)
{
    if (ts_ms < 0 || ts_ms >= EVS_HIST_TS_MAX)
        return NULL;
    int64_t b = ts_ms / h->width_ms;
    if (h->n == 0 || b < h->first || b >= h->first + (int64_t)h->n) {
        cover(h, ts_ms);
        b = ts_ms / h->width_ms;
    }
    *ret_from = b * h->width_ms;
    *ret_to = *ret_from + h->width_ms;
    return h->cell + (size_t)(b - h->first) * h->rows;
}

void evs_hist_add(struct evs_hist *h, size_t row, int64_t ts_ms, uint32_t count)
{
    int64_t from, to;
    uint32_t *cells = evs_hist_at(h, ts_ms, &from, &to);
    if (cells)
        cells[row] += count;
    else
        h->untimed += count;
}

void evs_hist_merge(struct evs_hist *to, const struct evs_hist *from, const size_t *row_of)
{
    evs_hist_widen(to, from->width_ms);
    to->untimed += from->untimed;
    for (size_t b = 0; b < from->n; b++) {
        int64_t ts = (from->first + (int64_t)b) * from->width_ms;
        for (size_t r = 0; r < from->rows; r++) {
            uint32_t v = evs_hist_get(from, b, r);
            if (v)
                evs_hist_add(to, row_of ? row_of[r] : r, ts, v);
        }
    }
}

int64_t evs_hist_start_ms(const struct evs_hist *h)
{
    return h->first * h->width_ms;
}
