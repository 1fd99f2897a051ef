/* What a change would do to the worst slice of time: estimates from the heat grid. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"
#include "keys/peak.h"

/* Slices with fewer records a partition say nothing about a peak. */
enum { LEAST = 20, THROWS = 101, MIN_THROWS = 21, MAX_THROWN = 10000 };
#define BUDGET 4000000.0

static double slice_total(const struct evs_heat_grid *g, size_t c)
{
    double total = 0;
    for (size_t p = 0; p < g->rows; p++)
        total += (double)g->cell[c * g->rows + p];
    return total;
}

static double worst(double peak, const double *load, size_t rows, double total)
{
    double max = 0;
    for (size_t p = 0; p < rows; p++)
        max = load[p] > max ? load[p] : max;
    double x = max * (double)rows / total;
    return isnan(peak) || x > peak ? x : peak;
}

static void load_of(const struct evs_heat_grid *g, size_t c, double *load)
{
    for (size_t p = 0; p < g->rows; p++)
        load[p] = (double)g->cell[c * g->rows + p];
}

double evs_peak_now(const struct evs_heat_grid *g)
{
    double peak = NAN, *load = evs_xcalloc(g->rows + 1, sizeof(*load));
    for (size_t c = 0; c < g->n; c++) {
        double total = slice_total(g, c);
        load_of(g, c, load);
        if (total >= LEAST * (double)g->rows)
            peak = worst(peak, load, g->rows, total);
    }
    evs_free(load);
    return peak;
}

/* --- a key over time --- */

static double row_total(const struct evs_hist *h, size_t row)
{
    double total = 0;
    for (size_t c = 0; c < h->n; c++)
        total += evs_hist_get(h, c, row);
    return total;
}

/* Records of the slice that are in no row which a key of the list dominates: how the rest goes. */
static double rest_at(const struct evs_keyset *ks, size_t c, const bool *taken)
{
    double n = 0;
    for (size_t r = 0; r < EVS_KEY_HEAT_ROWS; r++)
        if (!taken[r])
            n += evs_hist_get(&ks->heat, c, (size_t)ks->partitions + r);
    return n;
}

bool evs_peak_profile(const struct evs_keyset *ks, const struct evs_key_detail *const *keys,
                      size_t n, double *ret)
{
    bool taken[EVS_KEY_HEAT_ROWS] = {false};
    const struct evs_hist *h = &ks->heat;
    double rest = 0;
    for (size_t i = 0; i < n; i++) { /* two in one row cannot be told apart */
        if (taken[keys[i]->heat_row])
            return false;
        taken[keys[i]->heat_row] = true;
    }
    for (size_t c = 0; c < h->n; c++)
        rest += rest_at(ks, c, taken);
    for (size_t i = 0; i < n; i++) {
        size_t row = (size_t)ks->partitions + keys[i]->heat_row;
        double all = row_total(h, row), others = all - (double)keys[i]->count, sum = 0;
        if (others < -0.5 || others > (double)keys[i]->count || (others > 0.5 && rest <= 0))
            return false; /* most of the row is not this key */
        for (size_t c = 0; c < h->n; c++) {
            double cell = evs_hist_get(h, c, row);
            double base = others > 0.5 ? others * rest_at(ks, c, taken) / rest : 0;
            sum += ret[i * h->n + c] = fmax(0, cell - base);
        }
        for (size_t c = 0; c < h->n && sum > 0; c++) {
            double cell = evs_hist_get(h, c, row), *x = &ret[i * h->n + c];
            *x = fmin(cell, *x * (double)keys[i]->count / sum);
        }
    }
    return true;
}

/* --- the strategies --- */

static void spread(double *load, size_t rows, const struct evs_peak_move *m, size_t i, double x)
{
    const struct evs_key_detail *k = m->keys[i];
    for (size_t j = 0; j < k->n_places; j++) {
        size_t p = (size_t)k->places[j].partition;
        double part = x * (double)k->places[j].count / (double)k->count;
        load[p] = fmax(0, load[p] - part);
        for (int32_t s = 0; s < m->shards && !m->random; s++)
            load[(p + (size_t)s) % rows] += part / m->shards;
    }
}

static int cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One throw: the suffixes keep their partitions over all of the time. */
static double one_throw(const struct evs_heat_grid *g, const struct evs_peak_move *m,
                        const double *profile, double *load, uint64_t *rng)
{
    double peak = NAN;
    int32_t at[MAX_THROWN] = {0};
    size_t shards = (size_t)m->shards;
    for (size_t i = 0; i < m->n * shards && m->random; i++)
        at[i] = evs_boot_pick(rng, (int32_t)g->rows);
    for (size_t c = 0; c < g->n; c++) {
        double total = slice_total(g, c);
        if (total < LEAST * (double)g->rows)
            continue;
        load_of(g, c, load);
        for (size_t i = 0; i < m->n; i++) {
            double x = profile[i * g->n + c];
            spread(load, g->rows, m, i, x);
            for (size_t s = 0; s < shards && m->random; s++)
                load[at[i * shards + s]] += x / m->shards;
        }
        peak = worst(peak, load, g->rows, total);
    }
    return peak;
}

double evs_peak_shards(const struct evs_keyset *ks, const struct evs_heat_grid *g,
                       const struct evs_peak_move *m)
{
    size_t throws = m->random ? THROWS : 1;
    double cost = (double)g->n * ((double)g->rows + (double)m->n * m->shards + 1);
    if (cost * (double)throws > BUDGET)
        throws = (size_t)(BUDGET / cost);
    if (ks->sampled || g->n != ks->heat.n || (double)m->n * m->shards > MAX_THROWN ||
        (m->random && throws < MIN_THROWS) || throws < 1)
        return NAN;
    double *profile = evs_xcalloc(m->n * g->n + 1, sizeof(*profile)), got = NAN;
    if (evs_peak_profile(ks, m->keys, m->n, profile)) {
        double *load = evs_xcalloc(g->rows + 1, sizeof(*load));
        double *peak = evs_xcalloc(throws, sizeof(*peak));
        uint64_t rng = 11;
        for (size_t t = 0; t < throws; t++)
            peak[t] = one_throw(g, m, profile, load, &rng);
        qsort(peak, throws, sizeof(*peak), cmp);
        got = peak[throws / 2];
        evs_free(load);
        evs_free(peak);
    }
    evs_free(profile);
    return got;
}

double evs_peak_shards_all(const struct evs_keyset *ks, const struct evs_heat_grid *g,
                           int32_t shards)
{
    double cost = (double)g->n * (double)g->rows * shards, peak = NAN;
    if (ks->sampled || ks->null_keys || cost > BUDGET)
        return NAN; /* where in time the keyless ones lie is not known */
    double *load = evs_xcalloc(g->rows + 1, sizeof(*load));
    for (size_t c = 0; c < g->n; c++) {
        double total = slice_total(g, c);
        if (total < LEAST * (double)g->rows)
            continue;
        memset(load, 0, g->rows * sizeof(*load));
        for (size_t p = 0; p < g->rows; p++)
            for (size_t s = 0; s < (size_t)shards; s++)
                load[(p + s) % g->rows] += (double)g->cell[c * g->rows + p] / shards;
        peak = worst(peak, load, g->rows, total);
    }
    evs_free(load);
    return peak;
}
