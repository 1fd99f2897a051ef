#include "stats/quantile.h"

#include <math.h>
#include <string.h>

#define ALPHA 0.01

static double gamma_log(void)
{
    return log((1.0 + ALPHA) / (1.0 - ALPHA));
}

void evs_quantile_init(struct evs_quantile *q)
{
    memset(q, 0, sizeof(*q));
    q->large_min = UINT64_MAX;
}

void evs_quantile_add_large(struct evs_quantile *q, uint64_t v)
{
    int i = (int)ceil(log((double)v) / gamma_log());
    if (i >= EVS_QUANTILE_BUCKETS)
        i = EVS_QUANTILE_BUCKETS - 1;
    q->bucket[i]++;
    q->large++;
    q->large_sum += v;
    if (v < q->large_min)
        q->large_min = v;
    if (v > q->large_max)
        q->large_max = v;
}

void evs_quantile_merge(struct evs_quantile *to, const struct evs_quantile *from)
{
    to->large += from->large;
    to->large_sum += from->large_sum;
    if (from->large_min < to->large_min)
        to->large_min = from->large_min;
    if (from->large_max > to->large_max)
        to->large_max = from->large_max;
    for (int i = 0; i < EVS_QUANTILE_DIRECT; i++)
        to->direct[i] += from->direct[i];
    for (int i = 0; i < EVS_QUANTILE_BUCKETS; i++)
        to->bucket[i] += from->bucket[i];
}

uint64_t evs_quantile_count(const struct evs_quantile *q)
{
    uint64_t n = q->large;
    for (int i = 0; i < EVS_QUANTILE_DIRECT; i++)
        n += q->direct[i];
    return n;
}

uint64_t evs_quantile_sum(const struct evs_quantile *q)
{
    uint64_t sum = q->large_sum;
    for (int i = 0; i < EVS_QUANTILE_DIRECT; i++)
        sum += q->direct[i] * (uint64_t)i;
    return sum;
}

uint64_t evs_quantile_min(const struct evs_quantile *q)
{
    for (int i = 0; i < EVS_QUANTILE_DIRECT; i++)
        if (q->direct[i])
            return (uint64_t)i;
    return q->large ? q->large_min : 0;
}

uint64_t evs_quantile_max(const struct evs_quantile *q)
{
    if (q->large)
        return q->large_max;
    for (int i = EVS_QUANTILE_DIRECT - 1; i >= 0; i--)
        if (q->direct[i])
            return (uint64_t)i;
    return 0;
}

double evs_quantile_at(const struct evs_quantile *q, double p)
{
    uint64_t n = evs_quantile_count(q);
    if (n == 0)
        return 0;
    uint64_t rank = (uint64_t)(p * (double)(n - 1)), seen = 0;
    for (int i = 0; i < EVS_QUANTILE_DIRECT; i++) {
        seen += q->direct[i];
        if (seen > rank)
            return i;
    }
    double gamma = exp(gamma_log());
    for (int i = 0; i < EVS_QUANTILE_BUCKETS; i++) {
        seen += q->bucket[i];
        if (seen > rank) {
            double v = 2.0 * pow(gamma, i) / (gamma + 1.0);
            return fmin(fmax(v, (double)q->large_min), (double)q->large_max);
        }
    }
    return (double)q->large_max;
}
