#include "keys/windows.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/range.h"
#include "keys/boot.h"

enum { POOLED = 64, MAX_WORKERS = 4 };

enum evs_rc evs_windows_fraction(const char *text, int64_t span, double *ret_fraction,
                                 struct evs_err *err)
{
    double v = EVS_SCAN_SAMPLE;
    if (text && text[0]) {
        size_t n = strlen(text);
        bool percent = text[n - 1] == '%';
        char *number = evs_xstrndup(text, percent ? n - 1 : n);
        enum evs_rc rc = evs_num_double(number, &v, err);
        evs_free(number);
        if (rc)
            return evs_wrap(err, "--sample");
        if (percent)
            v /= 100;
        if (v <= 0 || (percent && v > 1) || (v > 1 && v != floor(v)))
            return evs_fail(err, EVS_INVALID,
                            "--sample=%s: a fraction (0.02, 2%%) or a number of records", text);
        if (v > 1 || (v == 1 && !percent && !strchr(text, '.')))
            v = span > 0 ? v / (double)span : 1;
    } else {
        v = span > 0 ? v / (double)span : 1;
    }
    *ret_fraction = v < 1 ? v : 1;
    return EVS_OK;
}

/* One partition's windows: one at a random place of each of `n` equal strata. */
static void cut(struct evs_ranges *to, const struct evs_range *whole, double fraction,
                uint64_t *rng)
{
    int64_t span = whole->to - whole->from;
    double want = fraction * (double)span;
    int64_t n = (int64_t)(want / EVS_WINDOWS_MIN);
    n = n < 1 ? 1 : n > EVS_WINDOWS_EACH ? EVS_WINDOWS_EACH : n;
    int64_t size = (int64_t)ceil(want / (double)n);
    for (int64_t i = 0; i < n; i++) {
        int64_t from = whole->from + span * i / n, to_end = whole->from + span * (i + 1) / n;
        int64_t slack = to_end - from - size;
        int64_t at = slack > 0 ? from + (int64_t)(evs_boot_rng(rng) % (uint64_t)(slack + 1)) : from;
        struct evs_range *r = &to->parts[to->n++];
        *r = *whole;
        r->error = NULL;
        r->from = at;
        r->to = at + size < to_end ? at + size : to_end;
    }
}

struct evs_ranges *evs_windows_ranges(const struct evs_ranges *whole, double fraction,
                                      uint64_t seed)
{
    struct evs_ranges *r = evs_xcalloc(1, sizeof(*r));
    *r = *whole;
    r->topic = evs_xstrdup(whole->topic);
    r->n = 0;
    r->parts = evs_xcalloc(whole->n * EVS_WINDOWS_EACH + 1, sizeof(*r->parts));
    for (size_t i = 0; i < whole->n; i++) {
        const struct evs_range *p = &whole->parts[i];
        if (!p->error && p->to > p->from) {
            cut(r, p, fraction, &seed);
            continue;
        }
        r->parts[r->n] = *p;
        r->parts[r->n++].error = evs_xstrdup(p->error);
    }
    return r;
}

void evs_windows_parts(const struct evs_ranges *whole, const struct evs_ranges *windows,
                       struct evs_windows_part *ret_parts, int32_t partitions)
{
    memset(ret_parts, 0, (size_t)partitions * sizeof(*ret_parts));
    for (size_t i = 0; i < whole->n; i++)
        ret_parts[whole->parts[i].partition].whole = whole->parts[i].to - whole->parts[i].from;
    for (size_t i = 0; i < windows->n; i++) {
        struct evs_windows_part *p = &ret_parts[windows->parts[i].partition];
        p->read += windows->parts[i].to - windows->parts[i].from;
        p->windows++;
    }
}

/* Student's t, two-sided 99 %: more than is promised, since shares of few windows are not normal.
 * */
static double student(uint32_t df)
{
    static const double t[] = {63.66, 63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499,
                               3.355, 3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947};
    if (df < sizeof(t) / sizeof(t[0]))
        return t[df];
    return 2.576 + 5.6 / df;
}

/* Between-window variance of a key's count: minute_squares holds the sum of count^2 per window;
 * each partition's own mean is taken out. *ret_df is 0 when there are too few windows to tell. */
static double between(const struct evs_key_detail *k, const struct evs_windows_part *parts,
                      uint32_t *ret_df)
{
    double mean = 0;
    uint32_t windows = 0, strata = (uint32_t)k->n_places;
    for (size_t i = 0; i < k->n_places; i++) {
        const struct evs_windows_part *p = &parts[k->places[i].partition];
        double c = (double)k->places[i].count;
        windows += p->windows;
        mean += p->windows ? c * c / p->windows : 0;
    }
    *ret_df = windows > strata ? windows - strata : 0;
    return *ret_df ? fmax(0, k->minute_squares - mean) * windows / *ret_df : 0;
}

/* How much more a count varies than a count of independent records would, over the heaviest keys:
 * a key met by chance in few windows looks steadier than it is, the others tell. */
static double clumping(const struct evs_keyset *ks, const struct evs_windows_part *parts)
{
    double var = 0, count = 0;
    for (size_t i = 0; i < ks->n_top && i < POOLED; i++) {
        uint32_t df;
        double v = between(&ks->top[i], parts, &df);
        var += df ? v : 0;
        count += df ? (double)ks->top[i].count : 0;
    }
    return count > 0 && var > count ? var / count : 1;
}

struct evs_interval evs_windows_share(const struct evs_keyset *ks, const struct evs_key_detail *k,
                                      const struct evs_windows_part *parts)
{
    double n = (double)ks->messages, count = (double)k->count, read = 0, whole = 0;
    uint32_t df;
    double own = between(k, parts, &df);
    for (int32_t p = 0; p < ks->partitions; p++) {
        read += (double)parts[p].read;
        whole += (double)parts[p].whole;
    }
    if (df == 0 || read <= 0)
        return (struct evs_interval){0, 1};
    double clump = clumping(ks, parts), fpc = fmax(0, 1 - read / whole);
    double var = fmax(own, clump * (count + clump)) * fpc;
    double half = (student(df) * sqrt(var) + 1) / n;
    return (struct evs_interval){fmax(0, count / n - half), fmin(1, count / n + half)};
}

double evs_windows_distinct(const struct evs_keyset *ks)
{
    double once = 0, twice = 0;
    for (size_t i = 0; i < ks->n; i++) {
        once += ks->sum[i].count == 1;
        twice += ks->sum[i].count == 2;
    }
    return (double)ks->n + (twice > 0 ? once * once / (2 * twice) : once * (once - 1) / 2);
}

double evs_windows_covered(const struct evs_windows_part *w, int32_t partitions)
{
    double read = 0, whole = 0;
    for (int32_t p = 0; p < partitions; p++) {
        read += (double)w[p].read;
        whole += (double)w[p].whole;
    }
    return whole > 0 ? read / whole : 1;
}

/* As many as there are cores, but each wants a share of librdkafka's memory. */
int evs_scan_workers(const struct evs_ranges *r)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int n = cores < 2 ? 1 : cores > MAX_WORKERS ? MAX_WORKERS : (int)cores;
    return (size_t)n > r->n ? (r->n ? (int)r->n : 1) : n;
}
