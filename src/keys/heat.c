#include "keys/heat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/num.h"
#include "core/xalloc.h"

#define BAND_FACTOR    2.5
#define BURST_FACTOR   1.8
#define DIAGONAL_SHARE 0.6
#define DIAGONAL_TURNS 0.7
enum { COLUMN_MIN = 20, MAX_PATTERNS = 64, NEAR = 12 };

struct found {
    const struct evs_heat_grid *g;
    int64_t now_ms;
    struct evs_heat_pattern *p;
    size_t n;
    uint64_t *total;   /* by column */
    uint64_t typical;  /* median of the columns that have any */
    size_t first, end; /* columns with messages lie in [first, end) */
};

void evs_heat_grid_of(const struct evs_hist *h, size_t from, size_t rows, struct evs_heat_grid *ret)
{
    *ret = (struct evs_heat_grid){
        .start_ms = evs_hist_start_ms(h), .bucket_ms = h->width_ms, .n = h->n, .rows = rows};
    ret->cell = evs_xcalloc(h->n * rows + 1, sizeof(*ret->cell));
    for (size_t b = 0; b < h->n; b++)
        for (size_t r = 0; r < rows; r++)
            ret->cell[b * rows + r] = evs_hist_get(h, b, from + r);
}

void evs_heat_grid_done(struct evs_heat_grid *g)
{
    evs_free(g->cell);
    g->cell = NULL;
}

void evs_heat_grid_by(const struct evs_heat_grid *g, const int32_t *group,
                      struct evs_heat_grid *ret, int32_t **ret_ids)
{
    int32_t *ids = evs_xcalloc(g->rows + 1, sizeof(*ids));
    size_t n = 0, *row = evs_xcalloc(g->rows + 1, sizeof(*row));
    for (size_t r = 0; r < g->rows; r++) {
        size_t i = n;
        while (i > 0 && ids[i - 1] > group[r])
            i--;
        if (i > 0 && ids[i - 1] == group[r])
            continue;
        memmove(ids + i + 1, ids + i, (n++ - i) * sizeof(*ids));
        ids[i] = group[r];
    }
    for (size_t r = 0; r < g->rows; r++)
        while (ids[row[r]] != group[r])
            row[r]++;
    *ret = *g;
    ret->rows = n;
    ret->cell = evs_xcalloc(g->n * n + 1, sizeof(*ret->cell));
    for (size_t c = 0; c < g->n; c++)
        for (size_t r = 0; r < g->rows; r++)
            ret->cell[c * n + row[r]] += g->cell[c * g->rows + r];
    evs_free(row);
    *ret_ids = ids;
}

static uint64_t cell(const struct evs_heat_grid *g, size_t col, size_t row)
{
    return g->cell[col * g->rows + row];
}

static int64_t col_ms(const struct evs_heat_grid *g, size_t col)
{
    return g->start_ms + (int64_t)col * g->bucket_ms;
}

static int cmp_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Median of the values above zero; 0 when there are none. */
static uint64_t median_used(const uint64_t *v, size_t n)
{
    uint64_t *s = evs_xcalloc(n + 1, sizeof(*s)), m = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (v[i])
            s[k++] = v[i];
    qsort(s, k, sizeof(*s), cmp_u64);
    if (k)
        m = s[k / 2];
    evs_free(s);
    return m;
}

static struct evs_heat_pattern *add(struct found *f, const char *kind, int32_t row, size_t from,
                                    size_t to)
{
    if (f->n == MAX_PATTERNS)
        return NULL;
    f->p = evs_xgrow(f->p, f->n + 1, sizeof(*f->p));
    struct evs_heat_pattern *p = &f->p[f->n++];
    *p = (struct evs_heat_pattern){.kind = kind,
                                   .partition = row,
                                   .last_partition = row,
                                   .from_ts = col_ms(f->g, from),
                                   .to_ts = col_ms(f->g, to)};
    return p;
}

static char *span_text(const struct found *f, size_t from, size_t to)
{
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN];
    evs_num_moment(a, col_ms(f->g, from), f->now_ms, f->g->bucket_ms);
    if (to >= f->end)
        return evs_xprintf("since %s", a);
    return evs_xprintf("%s to %s", a,
                       evs_num_moment(b, col_ms(f->g, to), f->now_ms, f->g->bucket_ms));
}

/* --- band --- */

static double above_others(const struct found *f, size_t col, size_t row)
{
    const struct evs_heat_grid *g = f->g;
    uint64_t mine = cell(g, col, row), others = f->total[col] - mine;
    if (f->total[col] < COLUMN_MIN)
        return 0;
    double mean = (double)others / (double)(g->rows - 1);
    return (double)mine / (mean > 0.5 ? mean : 0.5);
}

/* The longest stretch in which the row is hot; quiet columns inside do not end it. */
static void bands_of(struct found *f, size_t row)
{
    size_t best = 0, best_from = 0, best_to = 0, hot = 0, from = 0, misses = 0;
    double sum = 0, best_sum = 0;
    for (size_t c = f->first; c < f->end; c++) {
        double r = above_others(f, c, row);
        if (f->total[c] < COLUMN_MIN && hot)
            continue;
        if (r >= BAND_FACTOR) {
            from = hot ? from : c;
            hot++;
            sum += r;
            misses = 0;
            if (hot > best) {
                best = hot;
                best_from = from;
                best_to = c + 1;
                best_sum = sum;
            }
        } else if (++misses > 1) {
            hot = 0;
            sum = 0;
        }
    }
    size_t used = f->end - f->first;
    if (best < 3 || best * 10 < used)
        return;
    /* The last slice is seldom full: its few records do not say that the row has cooled down. */
    if (best_to + 1 == f->end && f->total[best_to] * 2 < f->typical)
        best_to = f->end;
    struct evs_heat_pattern *p = add(f, "band", (int32_t)row, best_from, best_to);
    if (!p)
        return;
    p->factor = best_sum / (double)best;
    char *when = span_text(f, best_from, best_to);
    p->text = evs_xprintf("p%zu %s, %.1f times the others", row, when, p->factor);
    evs_free(when);
}

/* --- burst, gap --- */

/* Median of what is used in the columns around col. */
static uint64_t around(const struct found *f, size_t col, size_t row)
{
    uint64_t v[2 * NEAR + 1];
    size_t n = 0, from = col > f->first + NEAR ? col - NEAR : f->first;
    for (size_t c = from; c < f->end && c <= col + NEAR; c++)
        v[n++] = row < f->g->rows ? cell(f->g, c, row) : f->total[c];
    return median_used(v, n);
}

/* Against its surroundings, so that day and night are no burst. */
static bool bursting(const struct found *f, size_t col)
{
    const struct evs_heat_grid *g = f->g;
    if (f->total[col] < COLUMN_MIN || f->total[col] < f->typical ||
        (double)f->total[col] < BURST_FACTOR * (double)around(f, col, g->rows))
        return false;
    size_t up = 0;
    for (size_t r = 0; r < g->rows; r++)
        up += (double)cell(g, col, r) >= 0.8 * BURST_FACTOR * (double)around(f, col, r);
    return up * 4 >= g->rows * 3;
}

static void bursts(struct found *f)
{
    for (size_t c = f->first; c < f->end; c++) {
        size_t to = c;
        uint64_t sum = 0;
        for (; to < f->end && bursting(f, to); to++)
            sum += f->total[to];
        if (to == c)
            continue;
        if ((to - c) * 4 <= f->end - f->first) {
            struct evs_heat_pattern *p = add(f, "burst", -1, c, to);
            if (!p)
                break;
            double usual = (double)around(f, c, f->g->rows);
            p->factor = (double)sum / (double)(to - c) / (usual > 0 ? usual : 1);
            char *when = span_text(f, c, to);
            p->text = evs_xprintf("all, %s, %.1f times the usual", when, p->factor);
            evs_free(when);
        }
        c = to;
    }
}

static void gaps(struct found *f)
{
    size_t used = 0;
    for (size_t c = f->first; c < f->end; c++)
        used += f->total[c] > 0;
    /* Silence means something where most columns have messages, and many. */
    if (f->typical < COLUMN_MIN || used * 2 < f->end - f->first)
        return;
    for (size_t c = f->first; c < f->end; c++) {
        size_t to = c;
        while (to < f->end && f->total[to] == 0)
            to++;
        if (to - c >= 2) {
            struct evs_heat_pattern *p = add(f, "gap", -1, c, to);
            if (!p)
                return;
            char *when = span_text(f, c, to);
            p->text = evs_xprintf("no message anywhere, %s", when);
            evs_free(when);
        }
        if (to > c)
            c = to;
    }
}

/* --- step --- */

static size_t begins(const struct found *f, size_t row)
{
    size_t c = f->first;
    while (c < f->end && cell(f->g, c, row) == 0)
        c++;
    return c;
}

/* Later than a tenth of the time, and then in most of the columns that have messages. */
static bool late(const struct found *f, size_t row, size_t *ret_from)
{
    size_t from = begins(f, row), with = 0, of = 0, before = 0;
    if (from >= f->end || (from - f->first) * 10 < f->end - f->first || from - f->first < 3)
        return false;
    for (size_t c = f->first; c < f->end; c++) {
        if (f->total[c] < COLUMN_MIN)
            continue;
        before += c < from;
        of += c >= from;
        with += c >= from && cell(f->g, c, row) > 0;
    }
    *ret_from = from;
    return before >= 3 && of >= 3 && with * 5 >= of * 4;
}

static void steps(struct found *f)
{
    for (size_t r = 0; r < f->g->rows; r++) {
        size_t from, other, last = r;
        if (!late(f, r, &from))
            continue;
        while (last + 1 < f->g->rows && late(f, last + 1, &other) && other + 1 >= from &&
               other <= from + 1)
            last++;
        struct evs_heat_pattern *p = add(f, "step", (int32_t)r, from, f->end);
        if (!p)
            return;
        char at[EVS_NUM_LEN];
        evs_num_moment(at, col_ms(f->g, from), f->now_ms, f->g->bucket_ms);
        p->last_partition = (int32_t)last;
        p->text = last > r ? evs_xprintf("p%zu to p%zu begin at %s", r, last, at)
                           : evs_xprintf("p%zu begins at %s", r, at);
        r = last;
    }
}

/* --- diagonal --- */

static void diagonal(struct found *f)
{
    const struct evs_heat_grid *g = f->g;
    size_t columns = 0, owned = 0, turns = 0, last = g->rows;
    for (size_t c = f->first; c < f->end; c++) {
        if (f->total[c] == 0)
            continue;
        size_t top = 0;
        for (size_t r = 1; r < g->rows; r++)
            if (cell(g, c, r) > cell(g, c, top))
                top = r;
        columns++;
        if ((double)cell(g, c, top) < DIAGONAL_SHARE * (double)f->total[c])
            continue;
        owned++;
        turns += last != g->rows && top != last;
        last = top;
    }
    if (g->rows < 3 || columns < 8 || owned * 10 < columns * 7 ||
        (double)turns < DIAGONAL_TURNS * (double)(owned - 1))
        return;
    struct evs_heat_pattern *p = add(f, "diagonal", -1, f->first, f->end);
    if (p)
        p->text = evs_xprintf("batches go round the partitions: in %zu of %zu time slices one "
                              "partition has most messages, and they take turns",
                              owned, columns);
}

static int rank_of(const struct evs_heat_pattern *p)
{
    static const char order[] = "bsdgu"; /* band, step, diagonal, gap, burst ('u') */
    char c = p->kind[0] == 'b' && p->kind[1] == 'u' ? 'u' : p->kind[0];
    for (int i = 0; order[i]; i++)
        if (order[i] == c)
            return i;
    return 99;
}

static int worst_first(const void *a, const void *b)
{
    const struct evs_heat_pattern *x = a, *y = b;
    if (rank_of(x) != rank_of(y))
        return rank_of(x) - rank_of(y);
    if (x->factor != y->factor)
        return x->factor < y->factor ? 1 : -1;
    return (x->from_ts > y->from_ts) - (x->from_ts < y->from_ts);
}

void evs_heat_patterns(const struct evs_heat_grid *g, int64_t now_ms, struct evs_heat_pattern **ret,
                       size_t *ret_n)
{
    struct found f = {.g = g, .now_ms = now_ms};
    f.total = evs_xcalloc(g->n + 1, sizeof(*f.total));
    f.first = g->n;
    for (size_t c = 0; c < g->n; c++) {
        for (size_t r = 0; r < g->rows; r++)
            f.total[c] += cell(g, c, r);
        if (f.total[c]) {
            f.first = f.first < c ? f.first : c;
            f.end = c + 1;
        }
    }
    f.typical = median_used(f.total, g->n);
    if (f.end > f.first + 3) {
        size_t before = f.n;
        diagonal(&f);
        if (g->rows > 1 && f.n == before)
            for (size_t r = 0; r < g->rows; r++)
                bands_of(&f, r);
        steps(&f);
        gaps(&f);
        bursts(&f);
    }
    evs_free(f.total);
    if (f.n)
        qsort(f.p, f.n, sizeof(*f.p), worst_first);
    *ret = f.p;
    *ret_n = f.n;
}

void evs_heat_patterns_free(struct evs_heat_pattern *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        evs_free(p[i].text);
    evs_free(p);
}

void evs_heat_say(const struct evs_heat_pattern *p, size_t n, const char *indent,
                  struct evs_buf *out)
{
    for (size_t i = 0; i < n && i < EVS_HEAT_SAID; i++)
        evs_buf_printf(out, "%s%s: %s\n", indent, p[i].kind, p[i].text);
    if (n > EVS_HEAT_SAID)
        evs_buf_printf(out, "%sand %zu more of the kind\n", indent, n - EVS_HEAT_SAID);
}

bool evs_heat_since_of(const struct evs_heat_grid *g, size_t row, struct evs_heat_since *ret)
{
    double all = 0, mine = 0, best = 0;
    for (size_t c = 0; c < g->n; c++) {
        mine += (double)cell(g, c, row);
        for (size_t r = 0; r < g->rows; r++)
            all += (double)cell(g, c, r);
    }
    double n = 0, x = 0;
    bool found = false;
    for (size_t c = 0; c + 1 < g->n; c++) { /* the cut that explains most of the change of share */
        x += (double)cell(g, c, row);
        for (size_t r = 0; r < g->rows; r++)
            n += (double)cell(g, c, r);
        if (n < COLUMN_MIN * 3 || all - n < COLUMN_MIN * 3)
            continue;
        double before = x / n, since = (mine - x) / (all - n);
        double gain = (since - before) * (since - before) * n * (all - n) / all;
        if (since < 1.5 * before || gain <= best)
            continue;
        best = gain;
        *ret = (struct evs_heat_since){col_ms(g, c + 1), before, since};
        found = true;
    }
    return found && best > 20.0 * ret->since * (1.0 - ret->since / 2);
}
