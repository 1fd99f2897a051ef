#include "stats/hll.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "core/xalloc.h"

void evs_hll_init(struct evs_hll *h, int p)
{
    assert(p >= 4 && p <= 16);
    h->p = p;
    h->reg = evs_xcalloc((size_t)1 << p, 1);
}

void evs_hll_done(struct evs_hll *h)
{
    evs_free(h->reg);
    h->reg = NULL;
}

void evs_hll_merge(struct evs_hll *to, const struct evs_hll *from)
{
    assert(to->p == from->p);
    for (size_t i = 0; i < (size_t)1 << to->p; i++)
        if (from->reg[i] > to->reg[i])
            to->reg[i] = from->reg[i];
}

static double sigma(double x)
{
    if (x >= 1.0)
        return INFINITY;
    double y = 1.0, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z > before);
    return z;
}

static double tau(double x)
{
    if (x <= 0.0 || x >= 1.0)
        return 0.0;
    double y = 1.0, z = 1.0 - x, before;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
    } while (z < before);
    return z / 3.0;
}

double evs_hll_estimate(const struct evs_hll *h)
{
    int q = 64 - h->p;
    uint32_t count[66] = {0};
    double m = (double)((size_t)1 << h->p);
    for (size_t i = 0; i < (size_t)1 << h->p; i++)
        count[h->reg[i]]++;
    double z = m * tau(1.0 - (double)count[q + 1] / m);
    for (int k = q; k >= 1; k--)
        z = 0.5 * (z + (double)count[k]);
    z += m * sigma((double)count[0] / m);
    return m * m / (2.0 * log(2.0) * z);
}

double evs_hll_error(const struct evs_hll *h)
{
    return 1.04 / sqrt((double)((size_t)1 << h->p));
}
