#include "stats/rate.h"

static int nth_newest(const struct evs_rate *r, int back)
{
    return (r->next - 1 - back + 2 * EVS_RATE_SAMPLES) % EVS_RATE_SAMPLES;
}

void evs_rate_init(struct evs_rate *r)
{
    r->n = r->next = 0;
}

void evs_rate_add(struct evs_rate *r, int64_t at_ms, int64_t value)
{
    if (r->n > 0) {
        int last = nth_newest(r, 0);
        if (value < r->value[last] || at_ms < r->at_ms[last])
            r->n = 0;
        else if (at_ms == r->at_ms[last]) {
            r->value[last] = value;
            return;
        }
    }
    r->at_ms[r->next] = at_ms;
    r->value[r->next] = value;
    r->next = (r->next + 1) % EVS_RATE_SAMPLES;
    if (r->n < EVS_RATE_SAMPLES)
        r->n++;
}

bool evs_rate_get(const struct evs_rate *r, int64_t window_ms, double *ret_per_second)
{
    if (r->n < 2)
        return false;
    int newest = nth_newest(r, 0), oldest = newest;
    for (int back = 1; back < r->n; back++) {
        int i = nth_newest(r, back);
        if (r->at_ms[newest] - r->at_ms[i] > window_ms)
            break;
        oldest = i;
    }
    if (oldest == newest || r->at_ms[newest] - r->at_ms[oldest] < EVS_RATE_MIN_MS)
        return false;
    *ret_per_second = (double)(r->value[newest] - r->value[oldest]) * 1000.0 /
                      (double)(r->at_ms[newest] - r->at_ms[oldest]);
    return true;
}
