#include "stats/skew.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"

static int cmp_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void evs_skew_of(const double *load, size_t n, struct evs_skew *ret_skew)
{
    struct evs_skew s = {0};
    for (size_t i = 0; i < n; i++) {
        s.total += load[i];
        if (load[i] > load[s.argmax])
            s.argmax = i;
    }
    if (n == 0 || s.total <= 0) {
        *ret_skew = s;
        return;
    }
    double mean = s.total / (double)n, var = 0, h = 0, ranked = 0;
    double *sorted = evs_xmalloc(n * sizeof(*sorted));
    memcpy(sorted, load, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), cmp_double);
    for (size_t i = 0; i < n; i++) {
        double d = sorted[i] - mean, p = sorted[i] / s.total;
        var += d * d;
        ranked += (double)(i + 1) * sorted[i];
        if (p > 0)
            h -= p * log(p);
    }
    evs_free(sorted);
    double dn = (double)n;
    s.max_over_mean = load[s.argmax] / mean;
    s.cv = sqrt(var / dn) / mean;
    s.gini = fmax(0, 2.0 * ranked / (dn * s.total) - (dn + 1.0) / dn);
    s.entropy = n > 1 ? h / log(dn) : 1.0;
    s.effective = exp(h);
    *ret_skew = s;
}

void evs_skew_of_counts(const uint64_t *load, size_t n, struct evs_skew *ret_skew)
{
    double *d = evs_xcalloc(n + 1, sizeof(*d));
    for (size_t i = 0; i < n; i++)
        d[i] = (double)load[i];
    evs_skew_of(d, n, ret_skew);
    evs_free(d);
}

void evs_skew_chi2(const uint64_t *keys, size_t n, double *ret_chi2, double *ret_p)
{
    double total = 0, chi2 = 0;
    for (size_t i = 0; i < n; i++)
        total += (double)keys[i];
    if (n < 2 || total <= 0) {
        *ret_chi2 = 0;
        *ret_p = 1;
        return;
    }
    double mean = total / (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = (double)keys[i] - mean;
        chi2 += d * d / mean;
    }
    *ret_chi2 = chi2;
    *ret_p = evs_gamma_q((double)(n - 1) / 2.0, chi2 / 2.0);
}

double evs_gamma_q(double a, double x)
{
    if (x <= 0)
        return 1.0;
    int sign; /* lgamma() keeps it in a global */
    double front = exp(a * log(x) - x - lgamma_r(a, &sign));
    if (x < a + 1.0) { /* series for P */
        double term = 1.0 / a, sum = term;
        for (int i = 1; i < 10000 && fabs(term) > fabs(sum) * 1e-16; i++) {
            term *= x / (a + i);
            sum += term;
        }
        return fmax(0, 1.0 - front * sum);
    }
    const double tiny = 1e-300;
    double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, f = d;
    for (int i = 1; i < 10000; i++) {
        double an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = b + an / c;
        c = fabs(c) < tiny ? tiny : c;
        f *= d * c;
        if (fabs(d * c - 1.0) < 1e-16)
            break;
    }
    return front * f;
}
