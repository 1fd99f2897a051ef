#include "keys/whatif.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "keys/peak.h"

/* What is lighter than the mean load by this factor is not thrown one by one. */
enum { LIGHT = 2000 };
enum { CELLS_SINGLE = 64, HEAD_KEYS = 1024, MAX_SHARDS = 10000, MAX_TARGETS = 64 };

/* What a strategy works on. */
struct job {
    const struct evs_keyset *ks;
    const struct evs_report *r;
    const struct evs_partitioner *by; /* the topic's own, or murmur2 where unknown */
    size_t heaviest;                  /* shards of so many keys; 0: those the diagnosis named */
    struct evs_whatif *w;
};

static void max_of(struct evs_whatif *w, const double *load, double total)
{
    double max = 0;
    w->after = evs_xcalloc((size_t)w->partitions, sizeof(*w->after));
    for (int32_t p = 0; p < w->partitions; p++) {
        max = load[p] > max ? load[p] : max;
        w->after[p] = total > 0 ? load[p] / total : 0;
    }
    w->max_over_mean = w->low = w->high = total > 0 ? max * w->partitions / total : 0;
}

static double *loads(const struct evs_keyset *ks)
{
    double *x = evs_xcalloc((size_t)ks->partitions, sizeof(*x));
    for (int32_t p = 0; p < ks->partitions; p++)
        x[p] = (double)ks->part[p].messages;
    return x;
}

static double share_of_top(const struct evs_keyset *ks)
{
    return ks->n_top ? (double)ks->top[0].count / (double)ks->messages : 0;
}

/* The keys a change is for: the heaviest, if so many are asked for, else those the diagnosis
 * named, else the heaviest one. */
static size_t targets(const struct job *j, const struct evs_key_detail **ret, size_t max)
{
    size_t heaviest = j->heaviest < j->ks->n_top ? j->heaviest : j->ks->n_top;
    for (size_t i = 0; i < heaviest && i < max; i++)
        ret[i] = &j->ks->top[i];
    if (heaviest)
        return heaviest < max ? heaviest : max;
    size_t n = j->r->n_hot < max ? j->r->n_hot : max;
    for (size_t i = 0; i < n; i++)
        ret[i] = j->r->hot[i];
    if (n == 0 && j->ks->n_top)
        ret[n++] = &j->ks->top[0];
    return n;
}

/* --- every key hashed again --- */

static void rehash(struct job *j, const struct evs_partitioner *by, int32_t partitions)
{
    const struct evs_keyset *ks = j->ks;
    struct evs_whatif *w = j->w;
    int h = evs_placement_hash(by);
    double *load = evs_xcalloc((size_t)partitions, sizeof(*load));
    double loose = (double)ks->null_keys + ks->missing; /* by batching; by keys not listed */
    for (size_t i = 0; i < ks->n; i++) {
        const struct evs_key_sum *s = &ks->sum[i];
        if (s->unhashed) {
            loose += (double)s->count;
            w->estimate = true;
            continue;
        }
        int32_t p = by->place(s->hash[h], partitions);
        load[p] += (double)s->count;
        w->keys_changed += p != s->partition;
    }
    for (int32_t p = 0; p < partitions; p++)
        load[p] += loose / partitions;
    w->partitions = partitions;
    w->estimate = w->estimate || !ks->exact || ks->sampled;
    w->ordering = w->keys_changed ? "kept, keys move once" : "kept";
    w->partitions_per_hot_key = 1;
    w->hot_key_share = share_of_top(ks);
    double total = 0;
    for (int32_t p = 0; p < partitions; p++)
        total += load[p];
    max_of(w, load, total);
    evs_free(load);
}

/* --- shards of the hot keys --- */

static void broken(struct evs_whatif *w, const struct evs_keyset *ks, double pairs)
{
    w->broken_pairs = (uint64_t)(pairs + 0.5);
    w->broken_pair_share = ks->key_pairs ? pairs / (double)ks->key_pairs : 0;
}

/* When these keys are spread, the next one may be the heaviest. */
static double next_heaviest(const struct evs_keyset *ks, const struct evs_key_detail *const *hot,
                            size_t n)
{
    for (size_t i = 0; i < ks->n_top; i++) {
        bool salted = false;
        for (size_t k = 0; k < n; k++)
            salted = salted || hot[k] == &ks->top[i];
        if (!salted)
            return (double)ks->top[i].count;
    }
    return 0;
}

static void shards_placed(struct job *j, int32_t shards)
{
    const struct evs_keyset *ks = j->ks;
    struct evs_whatif *w = j->w;
    const struct evs_key_detail *hot[MAX_TARGETS];
    size_t n = targets(j, hot, MAX_TARGETS);
    double *load = loads(ks), pairs = 0, heaviest = 0;
    int32_t spread = shards < ks->partitions ? shards : ks->partitions;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < hot[i]->n_places; k++) {
            const struct evs_key_place *pl = &hot[i]->places[k];
            load[pl->partition] -= (double)pl->count;
            for (int32_t s = 0; s < shards; s++)
                load[(pl->partition + s) % ks->partitions] += (double)pl->count / shards;
        }
        double most = ceil((double)shards / ks->partitions) / shards;
        heaviest = fmax(heaviest, (double)hot[i]->count * most);
        pairs += (double)(hot[i]->count - 1) * (1.0 - 1.0 / spread);
    }
    heaviest = fmax(heaviest, next_heaviest(ks, hot, n));
    w->partitions = ks->partitions;
    w->placement = "placed";
    w->ordering = shards > 1 ? "lost for the hot keys" : "kept";
    w->partitions_per_hot_key = spread;
    w->hot_key_share = heaviest / (double)ks->messages;
    w->keys_changed = shards > 1 ? n : 0;
    w->estimate = !ks->exact || ks->sampled;
    broken(w, ks, pairs);
    max_of(w, load, (double)ks->messages);
    evs_free(load);
}

static void shards_all(struct job *j, int32_t shards)
{
    const struct evs_keyset *ks = j->ks;
    struct evs_whatif *w = j->w;
    double *from = loads(ks), *load = evs_xcalloc((size_t)ks->partitions, sizeof(*load));
    int32_t spread = shards < ks->partitions ? shards : ks->partitions;
    for (int32_t p = 0; p < ks->partitions; p++) {
        double nulls = (double)ks->part[p].null_keys, keyed = from[p] - nulls;
        load[p] += nulls;
        for (int32_t s = 0; s < shards; s++)
            load[(p + s) % ks->partitions] += keyed / shards;
    }
    w->partitions = ks->partitions;
    w->placement = "placed";
    w->ordering = shards > 1 ? "lost for all keys" : "kept";
    w->partitions_per_hot_key = spread;
    w->hot_key_share = share_of_top(ks) * ceil((double)shards / ks->partitions) / shards;
    w->keys_changed = shards > 1 ? ks->n : 0;
    w->estimate = !ks->exact || ks->sampled;
    broken(w, ks, (double)ks->key_pairs * (1.0 - 1.0 / spread));
    max_of(w, load, (double)ks->messages);
    evs_free(load);
    evs_free(from);
}

/* --- thrown --- */

static int cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Throws `l` on top of `fixed` many times: median and 99 % range of max / mean, mean load sorted by
 * rank, so that the bars show what a typical outcome looks like. */
static void throw_many(struct evs_whatif *w, const struct evs_boot_load *l, const double *fixed,
                       double total)
{
    int32_t P = w->partitions;
    size_t throws = EVS_WHATIF_THROWS;
    double *load = evs_xcalloc((size_t)P, sizeof(*load)), *max = evs_xcalloc(throws, sizeof(*max));
    double *typical = evs_xcalloc((size_t)P, sizeof(*typical));
    uint64_t rng = 7;
    for (size_t t = 0; t < throws; t++) {
        memcpy(load, fixed, (size_t)P * sizeof(*load));
        evs_boot_throw(l, P, load, &rng);
        for (int32_t p = 0; p < P; p++) {
            max[t] = load[p] > max[t] ? load[p] : max[t];
            typical[p] += load[p] / (double)throws;
        }
    }
    qsort(max, throws, sizeof(*max), cmp);
    max_of(w, typical, total);
    w->max_over_mean = max[throws / 2] * P / total;
    w->low = max[throws / 200] * P / total;
    w->high = max[throws - 1 - throws / 200] * P / total;
    w->estimate = true;
    evs_free(load);
    evs_free(max);
    evs_free(typical);
}

static void shards_random(struct job *j, int32_t shards)
{
    const struct evs_keyset *ks = j->ks;
    struct evs_whatif *w = j->w;
    const struct evs_key_detail *hot[MAX_TARGETS];
    size_t n = targets(j, hot, MAX_TARGETS), n_head = 0;
    double *load = loads(ks), pairs = 0, P = ks->partitions;
    double *head = evs_xcalloc(n * (size_t)shards + 1, sizeof(*head));
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < hot[i]->n_places; k++)
            load[hot[i]->places[k].partition] -= (double)hot[i]->places[k].count;
        for (int32_t s = 0; s < shards; s++)
            head[n_head++] = (double)hot[i]->count / shards;
        /* Two successive records part when their suffixes differ and so do these suffixes' hashes.
         * */
        pairs += (double)(hot[i]->count - 1) * (1.0 - 1.0 / shards) * (1.0 - 1.0 / P);
    }
    struct evs_boot_load l = {.head = head, .n_head = n_head};
    w->partitions = ks->partitions;
    w->placement = "random";
    w->ordering = shards > 1 ? "lost for the hot keys" : "kept";
    w->partitions_per_hot_key = P * (1.0 - pow(1.0 - 1.0 / P, shards));
    double heaviest = next_heaviest(ks, hot, n);
    heaviest = n ? fmax(heaviest, (double)hot[0]->count / shards) : heaviest;
    w->hot_key_share = heaviest / (double)ks->messages;
    w->keys_changed = shards > 1 ? n : 0;
    broken(w, ks, pairs);
    throw_many(w, &l, load, (double)ks->messages);
    evs_free(head);
    evs_free(load);
}

struct cells { /* by unit of time */
    double squares, cells;
};

static struct cells cells_of(const struct evs_key_sum *s, char unit)
{
    double c = (double)s->count, sq = unit == 'm'   ? (double)s->minute_squares
                                      : unit == 'h' ? (double)s->hour_squares
                                                    : c * c / s->days;
    sq = sq > c ? sq : c; /* at least one record a cell */
    double cells = c * c / sq;
    return (struct cells){sq, cells > 1 ? cells : 1};
}

/* A key over k cells of time is k keys of their mean weight in the squares' sense. Few and heavy
 * cells are thrown one by one, the rest by the normal limit. */
static void composite(struct job *j, char unit)
{
    const struct evs_keyset *ks = j->ks;
    struct evs_whatif *w = j->w;
    if (ks->sampled) { /* windows do not show how a key's records lie in time */
        w->max_over_mean = w->low = w->high = w->hot_key_share = NAN;
        w->broken_pair_share = w->partitions_per_hot_key = NAN;
        w->ordering = "unknown from a sample";
        w->partitions = ks->partitions;
        w->after = evs_xcalloc((size_t)ks->partitions, sizeof(*w->after));
        w->estimate = true;
        return;
    }
    struct evs_boot_load l = {0};
    size_t max = HEAD_KEYS * CELLS_SINGLE, n_head = 0;
    double *head = evs_xcalloc(max, sizeof(*head)), heaviest = 0, P = ks->partitions;
    double light = fmax((double)ks->messages / P, ks->n_top ? (double)ks->top[0].count : 0) / LIGHT;
    l.rest = ks->missing;
    l.rest_squares = ks->missing > 0 ? ks->missing * ks->missing / ks->missing_keys : 0;
    for (size_t i = 0; i < ks->n; i++) {
        const struct evs_key_sum *s = &ks->sum[i];
        struct cells c = cells_of(s, unit);
        double each = (double)s->count / c.cells;
        size_t whole = (size_t)c.cells;
        heaviest = each > heaviest ? each : heaviest;
        if (c.cells > CELLS_SINGLE || each < light || n_head + whole + 1 > max) {
            l.rest += (double)s->count;
            l.rest_squares += c.squares;
            continue;
        }
        double left = (double)s->count;
        for (size_t k = 0; k < whole && k + 1 < c.cells; k++, left -= each)
            head[n_head++] = each;
        head[n_head++] = left;
    }
    l.head = head;
    l.n_head = n_head;
    double *fixed = evs_xcalloc((size_t)ks->partitions, sizeof(*fixed));
    for (int32_t p = 0; p < ks->partitions; p++)
        fixed[p] = (double)ks->part[p].null_keys;
    w->partitions = ks->partitions;
    w->ordering = unit == 'm'   ? "kept within a minute"
                  : unit == 'h' ? "kept within an hour"
                                : "kept within a day";
    struct cells top = {1, 1};
    for (size_t i = 0; i < ks->n && ks->n_top; i++)
        if (ks->sum[i].count == ks->top[0].count) {
            top = cells_of(&ks->sum[i], unit);
            break;
        }
    w->partitions_per_hot_key = P * (1.0 - pow(1.0 - 1.0 / P, top.cells));
    w->hot_key_share = heaviest / (double)ks->messages;
    w->keys_changed = ks->n;
    uint64_t changes = unit == 'm'   ? ks->minute_pairs
                       : unit == 'h' ? ks->hour_pairs
                                     : ks->day_pairs;
    broken(w, ks, (double)changes * (1.0 - 1.0 / P));
    throw_many(w, &l, fixed, (double)ks->messages);
    evs_free(fixed);
    evs_free(head);
}

/* --- by name --- */

/* Is s NAME:rest? Then the rest. */
static const char *after(const char *s, const char *name)
{
    size_t n = strlen(name);
    return strncmp(s, name, n) == 0 && s[n] == ':' ? s + n + 1 : NULL;
}

static enum evs_rc number(const char *s, const char *what, int32_t max, int32_t *ret,
                          struct evs_err *err)
{
    int64_t v;
    if (evs_num_i64(s, 1, max, &v, err))
        return evs_wrap(err, "what-if %s", what);
    *ret = (int32_t)v;
    return EVS_OK;
}

enum kind { PARTITIONS, PARTITIONER, SHARDS_PLACED, SHARDS_RANDOM, SHARDS_ALL, COMPOSITE };

struct parsed {
    enum kind kind;
    int32_t n, keys;
    char unit;
    const struct evs_partitioner *by;
};

static enum evs_rc parse_shards(const char *rest, struct parsed *ret, struct evs_err *err)
{
    const char *colon = strchr(rest, ':');
    size_t len = colon ? (size_t)(colon - rest) : strlen(rest);
    char *n = evs_xstrndup(rest, len);
    enum evs_rc rc = number(n, "shards", MAX_SHARDS, &ret->n, err);
    evs_free(n);
    if (rc)
        return rc;
    bool how = colon && (strcmp(colon, ":placed") == 0 || strcmp(colon, ":random") == 0);
    if (colon && !how && number(colon + 1, "shards of keys", MAX_TARGETS, &ret->keys, err))
        return evs_fail(err, EVS_INVALID,
                        "what-if shards:%s: after the number placed, random, or how many keys",
                        rest);
    ret->kind = colon && colon[1] == 'r' ? SHARDS_RANDOM : SHARDS_PLACED;
    return EVS_OK;
}

static enum evs_rc parse(const char *s, struct parsed *ret, struct evs_err *err)
{
    const char *rest;
    *ret = (struct parsed){.n = 1};
    if ((rest = after(s, "partitions")) != NULL) {
        ret->kind = PARTITIONS;
        return number(rest, "partitions", EVS_WHATIF_MAX_PARTITIONS, &ret->n, err);
    }
    if ((rest = after(s, "partitioner")) != NULL) {
        ret->kind = PARTITIONER;
        ret->by = evs_partitioner_find(rest);
        if (ret->by)
            return EVS_OK;
        return evs_fail(err, EVS_INVALID,
                        "what-if: no partitioner '%s' (murmur2, crc32, fnv1a, fnv1a-reference)",
                        rest);
    }
    if ((rest = after(s, "shards-all")) != NULL) {
        ret->kind = SHARDS_ALL;
        return number(rest, "shards-all", MAX_SHARDS, &ret->n, err);
    }
    if ((rest = after(s, "shards")) != NULL)
        return parse_shards(rest, ret, err);
    if ((rest = after(s, "composite")) != NULL &&
        (!strcmp(rest, "minute") || !strcmp(rest, "hour") || !strcmp(rest, "day"))) {
        ret->kind = COMPOSITE;
        ret->unit = rest[0];
        return EVS_OK;
    }
    return evs_fail(
        err, EVS_INVALID,
        "what-if: '%s' is none of partitions:N, partitioner:NAME, shards:N[:random|:KEYS], "
        "shards-all:N, composite:minute|hour|day",
        s);
}

enum evs_rc evs_whatif_check(const char *strategy, struct evs_err *err)
{
    struct parsed p;
    return parse(strategy, &p, err);
}

static void run(struct job *j, const struct parsed *p)
{
    switch (p->kind) {
    case PARTITIONS:
        rehash(j, j->by, p->n);
        j->w->estimate = j->w->estimate || !j->r->placement.main;
        break;
    case PARTITIONER: rehash(j, p->by, j->ks->partitions); break;
    case SHARDS_PLACED:
        j->heaviest = (size_t)p->keys;
        shards_placed(j, p->n);
        break;
    case SHARDS_RANDOM: shards_random(j, p->n); break;
    case SHARDS_ALL: shards_all(j, p->n); break;
    case COMPOSITE: composite(j, p->unit); break;
    }
}

static void peak(const struct job *j, const struct parsed *p)
{
    const struct evs_key_detail *hot[MAX_TARGETS];
    size_t n = targets(j, hot, MAX_TARGETS);
    struct evs_peak_move m = {hot, n, p->n, p->kind == SHARDS_RANDOM};
    if (p->kind == SHARDS_PLACED || p->kind == SHARDS_RANDOM)
        j->w->peak = evs_peak_shards(j->ks, &j->r->grid, &m);
    else if (p->kind == SHARDS_ALL)
        j->w->peak = evs_peak_shards_all(j->ks, &j->r->grid, p->n);
    j->w->peak_estimate = !isnan(j->w->peak);
    if (j->w->peak_estimate)
        return;
    j->w->peak_unknown = j->ks->sampled ? "a sample does not show when records were written"
                         : p->kind == SHARDS_ALL ? "when the keyless records came is not kept"
                         : p->kind == SHARDS_PLACED || p->kind == SHARDS_RANDOM
                             ? "no row of the key heat map is mostly this key"
                             : "when each key's records came is not kept";
}

static enum evs_rc work_out(const struct evs_keyset *ks, const struct evs_report *r,
                            const char *strategy, bool with_peak, struct evs_whatif *ret,
                            struct evs_err *err)
{
    struct evs_whatif w = {.peak = NAN, .ordering = "kept"};
    struct job j = {.ks = ks, .r = r, .w = &w};
    j.by = r->placement.main ? r->placement.main : &evs_partitioner_murmur2;
    struct parsed p;
    enum evs_rc rc = parse(strategy, &p, err);
    if (rc)
        return rc;
    run(&j, &p);
    if (with_peak)
        peak(&j, &p);
    const char *colon = strrchr(strategy, ':'); /* the placement is a field of its own */
    bool said = colon && (!strcmp(colon, ":placed") || !strcmp(colon, ":random"));
    w.strategy = evs_xstrndup(strategy, said ? (size_t)(colon - strategy) : strlen(strategy));
    *ret = w;
    return EVS_OK;
}

enum evs_rc evs_whatif_one(const struct evs_keyset *ks, const struct evs_report *r,
                           const char *strategy, struct evs_whatif *ret, struct evs_err *err)
{
    return work_out(ks, r, strategy, true, ret, err);
}

enum evs_rc evs_whatif_load(const struct evs_keyset *ks, const struct evs_report *r,
                            const char *strategy, struct evs_whatif *ret, struct evs_err *err)
{
    return work_out(ks, r, strategy, false, ret, err);
}

void evs_whatif_done(struct evs_whatif *w)
{
    evs_free(w->strategy);
    evs_free(w->after);
    *w = (struct evs_whatif){0};
}
