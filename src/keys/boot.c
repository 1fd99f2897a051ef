#include "keys/boot.h"

#include <math.h>
#include <stdlib.h>

#include "core/xalloc.h"

enum { HEAD = 1024, MIN_THROWS = 200, MAX_THROWS = 2000 };

double evs_boot_normal(uint64_t *s)
{
    double u = ((double)(evs_boot_rng(s) >> 11) + 0.5) / 9007199254740992.0;
    double v = (double)(evs_boot_rng(s) >> 11) / 9007199254740992.0;
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

void evs_boot_largest(double *v, size_t len, size_t n)
{
    size_t lo = 0, hi = len;
    while (n > lo && n < hi && hi - lo > 1) { /* quickselect, three-way: many equal weights */
        double pivot = v[lo + (hi - lo) / 2];
        size_t gt = lo, i = lo, lt = hi;
        while (i < lt) {
            if (v[i] > pivot)
                swap(&v[i++], &v[gt++]);
            else if (v[i] < pivot)
                swap(&v[i], &v[--lt]);
            else
                i++;
        }
        if (n <= gt)
            hi = gt;
        else if (n >= lt)
            lo = lt;
        else
            break;
    }
}

void evs_boot_throw(const struct evs_boot_load *l, int32_t partitions, double *load, uint64_t *rng)
{
    for (size_t i = 0; i < l->n_head; i++)
        load[evs_boot_pick(rng, partitions)] += l->head[i];
    if (l->rest <= 0)
        return;
    double p = (double)partitions, sd = sqrt(l->rest_squares / p), sum = 0;
    for (int32_t i = 0; i < partitions; i++) {
        double z = evs_boot_normal(rng) * sd;
        sum += z;
        load[i] += l->rest / p + z;
    }
    for (int32_t i = 0; i < partitions; i++) /* the total is given: take the common part out */
        load[i] -= sum / p;
}

static int cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

size_t evs_boot_head(int32_t partitions)
{
    size_t many = (size_t)partitions * 4;
    return many > HEAD ? many : HEAD;
}

void evs_boot_run(double *weights, size_t n, double rest, double rest_keys, int32_t partitions,
                  double observed, uint64_t seed, struct evs_boot *ret)
{
    size_t many = evs_boot_head(partitions);
    size_t n_head = n <= EVS_BOOT_SINGLES && n <= many * 2 ? n : many < n ? many : n;
    evs_boot_largest(weights, n, n_head);
    struct evs_boot_load l = {.head = weights, .n_head = n_head};
    double total = rest;
    l.rest = rest;
    l.rest_squares = rest > 0 ? rest * rest / rest_keys : 0;
    for (size_t i = 0; i < n; i++) {
        total += weights[i];
        if (i >= n_head) {
            l.rest += weights[i];
            l.rest_squares += weights[i] * weights[i];
        }
    }
    evs_boot_of(&l, total, partitions, observed, seed, ret);
}

void evs_boot_of(const struct evs_boot_load *l, double total, int32_t partitions, double observed,
                 uint64_t seed, struct evs_boot *ret)
{
    *ret = (struct evs_boot){.rank = 0.5};
    if (total <= 0 || partitions < 2)
        return;
    double squares = l->rest_squares;
    for (size_t i = 0; i < l->n_head; i++)
        squares += l->head[i] * l->head[i];
    ret->even_keys = squares > 0 ? total * total / squares : 0;
    size_t per = l->n_head + (l->rest > 0 ? 4 * (size_t)partitions : (size_t)partitions);
    size_t throws = EVS_BOOT_BUDGET / (per + 1);
    throws = throws < MIN_THROWS ? MIN_THROWS : throws > MAX_THROWS ? MAX_THROWS : throws;
    double *r = evs_xcalloc(throws, sizeof(*r));
    double *load = evs_xcalloc((size_t)partitions, sizeof(*load));
    size_t below = 0;
    for (size_t t = 0; t < throws; t++) {
        double max = 0;
        for (int32_t i = 0; i < partitions; i++)
            load[i] = 0;
        evs_boot_throw(l, partitions, load, &seed);
        for (int32_t i = 0; i < partitions; i++)
            max = load[i] > max ? load[i] : max;
        r[t] = max * partitions / total;
        below += r[t] < observed - 1e-9;
    }
    qsort(r, throws, sizeof(*r), cmp);
    ret->throws = (int)throws;
    ret->median = r[throws / 2];
    ret->p99 = r[throws * 99 / 100];
    ret->p999 = r[throws * 999 / 1000];
    ret->max = r[throws - 1];
    ret->rank = (double)below / (double)throws;
    evs_free(load);
    evs_free(r);
}
