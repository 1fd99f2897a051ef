#include "keys/placement.h"

#include <math.h>
#include <string.h>

#include "core/xalloc.h"

/* Walks the (key, partition) pairs that can be judged: keys of one partition, then split ones. */
struct walk {
    const struct evs_keyset *ks;
    size_t i, j;
    const struct evs_key_sum *sum;
    int32_t partition;
    uint64_t count;
};

static bool next_pair(struct walk *w)
{
    while (w->i < w->ks->n) {
        w->sum = &w->ks->sum[w->i++];
        if (w->sum->unhashed || w->sum->partition == EVS_KEY_SPLIT)
            continue;
        w->partition = w->sum->partition;
        w->count = w->sum->count;
        return true;
    }
    while (w->j < w->ks->n_pairs) {
        const struct evs_key_pair *p = &w->ks->pairs[w->j++];
        w->sum = &w->ks->sum[p->sum];
        if (w->sum->unhashed)
            continue;
        w->partition = p->partition;
        w->count = p->count;
        return true;
    }
    return false;
}

static bool fits(const struct walk *w, const struct evs_partitioner *p, int32_t partitions)
{
    return p->place(w->sum->hash[evs_placement_hash(p)], partitions) == w->partition;
}

/* Would k fits out of n, each by chance 1 / partitions, be a surprise? Chernoff bound below 1e-6.
 * */
static bool beyond_chance(uint64_t k, uint64_t n, int32_t partitions)
{
    double q = 1.0 / partitions, a = n ? (double)k / (double)n : 0;
    if (a <= q)
        return false;
    double d = a * log(a / q) + (a < 1 ? (1 - a) * log((1 - a) / (1 - q)) : 0);
    return (double)n * d > 13.8;
}

/* Two partitioners that together explain what one does not. */
static void find_second(const struct evs_keyset *ks, struct evs_placement *r)
{
    uint64_t misfits = 0, fit[EVS_PARTITIONERS] = {0};
    struct walk w = {.ks = ks};
    while (next_pair(&w)) {
        if (fits(&w, r->main, ks->partitions))
            continue;
        misfits++;
        for (int h = 0; h < EVS_PARTITIONERS; h++)
            fit[h] += fits(&w, evs_partitioners[h], ks->partitions);
    }
    int best = 0;
    for (int h = 1; h < EVS_PARTITIONERS; h++)
        if (fit[h] > fit[best])
            best = h;
    r->unexplained = misfits;
    if (misfits < 3 || !beyond_chance(fit[best], misfits, ks->partitions))
        return;
    r->second = evs_partitioners[best];
    r->second_pairs = fit[best];
    r->unexplained = misfits - fit[best];
}

/* The records of pairs that fit exactly one of the two, shared out. */
static void record_shares(const struct evs_keyset *ks, struct evs_placement *r)
{
    double one = 0, other = 0;
    struct walk w = {.ks = ks};
    while (next_pair(&w)) {
        bool a = fits(&w, r->main, ks->partitions), b = fits(&w, r->second, ks->partitions);
        one += a && !b ? (double)w.count : 0;
        other += b && !a ? (double)w.count : 0;
    }
    r->main_records = one + other > 0 ? one / (one + other) : 0;
    r->second_records = one + other > 0 ? other / (one + other) : 0;
}

/* An earlier count of partitions under which the misfits of p fit. */
static void find_previous(const struct evs_keyset *ks, const struct evs_partitioner *p,
                          struct evs_placement *r)
{
    int32_t P = ks->partitions, best = 0;
    uint64_t misfits = 0, *fit = evs_xcalloc((size_t)P + 1, sizeof(*fit));
    struct walk w = {.ks = ks};
    while (next_pair(&w)) {
        if (fits(&w, p, P))
            continue;
        /* A misfit beyond the sample below adds nothing: counts need no more than its proportion.
         * */
        if (++misfits > 20000)
            continue;
        for (int32_t q = w.partition + 1; q < P; q++)
            fit[q] += fits(&w, p, q);
    }
    uint64_t judged = misfits < 20000 ? misfits : 20000;
    for (int32_t q = 1; q < P; q++)
        if (fit[q] > (best ? fit[best] : 0))
            best = q;
    /* By chance a pair fits any one count with probability 1 / P, as it fits P itself. */
    if (best && judged >= 5 && fit[best] * 100 >= judged * 80 &&
        beyond_chance(fit[best], judged, P)) {
        r->previous_partitions = best;
        r->previous_pairs = fit[best];
    }
    evs_free(fit);
}

/* Nothing was written since the count grew: no hash fits the present one. */
static bool only_previous(const struct evs_keyset *ks, struct evs_placement *r)
{
    for (int h = 0; h < EVS_PARTITIONERS; h++) {
        find_previous(ks, evs_partitioners[h], r);
        if (r->previous_partitions) {
            r->main = evs_partitioners[h];
            return true;
        }
    }
    return false;
}

/* Keys always on one partition although no hash fits: a partitioner of their own. */
static void no_hash_fits(const struct evs_keyset *ks, struct evs_placement *r)
{
    r->main = NULL;
    bool enough = (double)r->pairs * log((double)ks->partitions) > 11.5 && r->pairs >= 5;
    r->verdict = enough ? "custom" : "unknown";
    if (!enough)
        r->reason = "too few distinct keys to tell";
    else if (ks->split_keys * 2 > r->pairs)
        r->reason = "the same keys are spread over partitions: the key does not choose them";
    else
        r->reason = "keys keep to their partitions, but no known hash puts them there";
}

void evs_placement_of(const struct evs_keyset *ks, struct evs_placement *ret)
{
    struct evs_placement r = {.verdict = "unknown", .pairs = ks->judged};
    uint64_t fit[EVS_PARTITIONERS];
    struct walk w = {.ks = ks, .i = ks->n}; /* keys on one partition are counted already */
    memcpy(fit, ks->fit, sizeof(fit));
    while (next_pair(&w)) {
        r.pairs++;
        for (int h = 0; h < EVS_PARTITIONERS; h++)
            fit[h] += fits(&w, evs_partitioners[h], ks->partitions);
    }
    int best = 0;
    for (int h = 0; h < EVS_PARTITIONERS; h++) {
        r.match[h] = r.pairs ? (double)fit[h] / (double)r.pairs : 0;
        if (fit[h] > fit[best])
            best = h;
    }
    if (r.pairs == 0 || ks->partitions == 1) {
        r.reason = r.pairs == 0 ? "no message has a key" : "one partition fits every partitioner";
        *ret = r;
        return;
    }
    r.main = evs_partitioners[best];
    if (!beyond_chance(fit[best], r.pairs, ks->partitions) && !only_previous(ks, &r)) {
        no_hash_fits(ks, &r);
        *ret = r;
        return;
    }
    r.verdict = r.main->name;
    r.main_records = 1;
    uint64_t misfits = r.pairs - fit[best];
    if (misfits > 0 && !r.previous_partitions) {
        find_previous(ks, r.main, &r);
        if (r.previous_partitions)
            r.unexplained = misfits - r.previous_pairs;
        else
            find_second(ks, &r);
    }
    if (r.second)
        record_shares(ks, &r);
    if (r.second ? r.second_pairs * 200 > r.pairs
                 : !r.previous_partitions && misfits * 50 > r.pairs)
        r.verdict = "mixed";
    *ret = r;
}
