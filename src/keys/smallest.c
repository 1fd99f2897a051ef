/* The usual what-if strategies side by side, and the least of them that meets the target. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/text.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "keys/peak.h"
#include "keys/whatif.h"

enum { MOST_SHARDS = 256, MOST_KEYS = 64, KEY_COLS = 48, MANY = 20000 };
#define SEARCH INT64_C(20000000)

static void as_it_is(const struct evs_keyset *ks, const struct evs_report *r, struct evs_whatif *w)
{
    *w = (struct evs_whatif){.strategy = evs_xstrdup("as it is"),
                             .max_over_mean = r->messages.max_over_mean,
                             .low = r->messages.max_over_mean,
                             .high = r->messages.max_over_mean,
                             .peak = NAN,
                             .partitions_per_hot_key = ks->n_top ? (double)ks->top[0].n_places : 0,
                             .ordering = ks->split_keys ? "already lost for split keys" : "kept",
                             .partitions = ks->partitions};
    w->after = evs_xcalloc((size_t)ks->partitions, sizeof(*w->after));
    for (int32_t p = 0; p < ks->partitions && ks->messages; p++)
        w->after[p] = (double)ks->part[p].messages / (double)ks->messages;
    if (ks->n_top)
        w->hot_key_share = (double)ks->top[0].count / (double)ks->messages;
    if (!ks->sampled)
        w->peak = evs_peak_now(&r->grid);
}

/* Is it there already? */
static bool listed(const struct evs_whatifs *all, const char *strategy)
{
    for (size_t i = 0; i < all->n; i++) {
        const char *placement = all->w[i].placement;
        bool random = placement && strcmp(placement, "random") == 0;
        size_t len = strlen(all->w[i].strategy);
        if (strncmp(all->w[i].strategy, strategy, len) == 0 &&
            (strategy[len] == '\0' ? !random : random && !strcmp(strategy + len, ":random")))
            return true;
    }
    return false;
}

static void add(struct evs_whatifs *all, const struct evs_keyset *ks, const struct evs_report *r,
                const char *strategy)
{
    struct evs_err err = EVS_ERR_INIT;
    if (listed(all, strategy))
        return;
    all->w = evs_xgrow(all->w, all->n + 1, sizeof(*all->w));
    if (evs_whatif_one(ks, r, strategy, &all->w[all->n], &err) == EVS_OK)
        all->n++;
}

static void addf(struct evs_whatifs *all, const struct evs_keyset *ks, const struct evs_report *r,
                 const char *name_colon, int n, const char *end)
{
    char *name = evs_xprintf("%s%d%s", name_colon, n, end);
    add(all, ks, r, name);
    evs_free(name);
}

static double shards_give(const struct evs_keyset *ks, const struct evs_report *r, int shards,
                          size_t keys)
{
    struct evs_whatif w;
    struct evs_err err = EVS_ERR_INIT;
    char *name =
        keys ? evs_xprintf("shards:%d:%zu", shards, keys) : evs_xprintf("shards:%d", shards);
    enum evs_rc rc = evs_whatif_load(ks, r, name, &w, &err);
    evs_free(name);
    if (rc)
        return INFINITY;
    double ratio = w.max_over_mean;
    evs_whatif_done(&w);
    return ratio;
}

/* The fewest shards of so many keys (0: the hot ones) that meet the target, else those that do
 * best. Each number is tried: the shards land on partitions that are full or not, so more may do
 * worse. */
static int fewest_shards(const struct evs_keyset *ks, const struct evs_report *r, double target,
                         size_t keys, double *ret_ratio)
{
    int most = ks->partitions < MOST_SHARDS ? ks->partitions : MOST_SHARDS, best_n = 2;
    double best = INFINITY;
    for (int n = 2; n <= most && best > target; n++) {
        double ratio = shards_give(ks, r, n, keys);
        if (ratio < best - 1e-9) {
            best = ratio;
            best_n = n;
        }
    }
    *ret_ratio = best;
    return best_n;
}

/* Shards of the hot keys; where that is not enough, of more of the heaviest. */
static void add_shards(struct evs_whatifs *all, const struct evs_keyset *ks,
                       const struct evs_report *r)
{
    double ratio;
    int n = fewest_shards(ks, r, all->target, 0, &ratio);
    addf(all, ks, r, "shards:", n, "");
    addf(all, ks, r, "shards:", n, ":random");
    addf(all, ks, r, "shards-all:", n, "");
    size_t most = (size_t)(SEARCH / ((int64_t)ks->partitions * MOST_SHARDS + 1)) + 1;
    for (size_t k = r->n_hot + 1; ratio > all->target && k <= MOST_KEYS && k <= most; k++) {
        n = fewest_shards(ks, r, all->target, k, &ratio);
        if (ratio > all->target)
            continue;
        char *keys = evs_xprintf(":%zu", k);
        addf(all, ks, r, "shards:", n, keys);
        evs_free(keys);
    }
}

static int less_change(const void *a, const void *b)
{
    const struct evs_whatif *x = a, *y = b;
    if (x->keys_changed != y->keys_changed)
        return x->keys_changed < y->keys_changed ? -1 : 1;
    if (x->partitions_per_hot_key != y->partitions_per_hot_key)
        return x->partitions_per_hot_key < y->partitions_per_hot_key ? -1 : 1;
    return (x->max_over_mean > y->max_over_mean) - (x->max_over_mean < y->max_over_mean);
}

static void key_name(struct evs_buf *b, const struct evs_keyset *ks, const struct evs_report *r)
{
    const struct evs_key_detail *k = r->n_hot ? r->hot[0] : ks->n_top ? &ks->top[0] : NULL;
    if (k)
        evs_text_fit(b, k->key, k->key_len, KEY_COLS, EVS_CUT_END);
}

static void say_smallest(struct evs_buf *b, const struct evs_keyset *ks, const struct evs_report *r,
                         const struct evs_whatifs *all, const struct evs_whatif *w)
{
    evs_buf_adds(b, "Smallest change that works: ");
    if (strncmp(w->strategy, "shards:", 7) == 0) {
        int n = 0;
        for (const char *c = w->strategy + 7; *c >= '0' && *c <= '9'; c++)
            n = 10 * n + (*c - '0');
        evs_buf_adds(b, "write ");
        key_name(b, ks, r);
        if (w->keys_changed > 1)
            evs_buf_printf(b, " and %llu more hot keys", (unsigned long long)(w->keys_changed - 1));
        bool placed = w->placement && !strcmp(w->placement, "placed");
        evs_buf_printf(b, " as KEY#0 to KEY#%d on %s%.0f %spartitions", n - 1,
                       placed ? "" : "about ", w->partitions_per_hot_key,
                       placed ? "different " : "");
    } else {
        evs_buf_adds(b, w->strategy);
    }
    evs_buf_printf(b, ": %.2f to %.2f times the mean.", all->now.max_over_mean, w->max_over_mean);
    if (w->broken_pairs)
        evs_buf_printf(b, " It costs order in %.1f %% of successive messages of one key.",
                       100 * w->broken_pair_share);
    else if (w->keys_changed)
        evs_buf_printf(b, " %llu keys move to another partition once.",
                       (unsigned long long)w->keys_changed);
}

static void find_smallest(struct evs_whatifs *all, const struct evs_keyset *ks,
                          const struct evs_report *r)
{
    struct evs_buf b = EVS_BUF_INIT(2048);
    double P = ks->partitions;
    if (ks->messages == 0) {
        evs_buf_adds(&b, "No messages: nothing to change.");
    } else if (ks->null_keys == ks->messages) {
        evs_buf_adds(&b, "No message has a key: there is none to spread or to place anew.");
    } else if (all->now.max_over_mean <= all->target && r->bytes.max_over_mean > all->target &&
               r->bytes.max_over_mean > 1.2 * all->now.max_over_mean) {
        evs_buf_printf(&b,
                       "The messages are balanced, at %.2f times the mean; the bytes are not, at "
                       "%.2f. These strategies count messages.",
                       all->now.max_over_mean, r->bytes.max_over_mean);
    } else if (all->now.max_over_mean <= all->target) {
        evs_buf_printf(&b,
                       "Balanced: at %.2f times the mean no change is needed; spreading a key "
                       "whose share is below %.1f %% changes nothing.",
                       all->now.max_over_mean, P > 1 ? 100 * (all->target - 1) / (P - 1) : 100);
    } else {
        struct evs_whatif *w = NULL;
        for (size_t i = 0; i < all->n && !w; i++)
            if (all->w[i].high <= all->target && all->w[i].keys_changed > 0)
                w = &all->w[i];
        if (w) {
            w->smallest = true;
            say_smallest(&b, ks, r, all, w);
        } else if (ks->distinct < P) {
            evs_buf_printf(&b, "%.0f distinct keys cannot fill %d partitions.", ks->distinct,
                           (int)ks->partitions);
        } else {
            evs_buf_printf(&b, "None of these brings %.2f times the mean under %.2f.",
                           all->now.max_over_mean, all->target);
        }
    }
    all->advice = evs_buf_steal(&b);
}

/* Those that look at every key: dealt to two threads. */
struct many {
    const struct evs_keyset *ks;
    const struct evs_report *r;
    const char **name;
    struct evs_whatif *w;
    bool *done;
    size_t n;
    atomic_size_t next;
};

static void work(void *arg)
{
    struct many *m = arg;
    struct evs_err err = EVS_ERR_INIT;
    for (size_t i; (i = atomic_fetch_add(&m->next, 1)) < m->n;)
        m->done[i] = evs_whatif_one(m->ks, m->r, m->name[i], &m->w[i], &err) == EVS_OK;
}

static void add_many(struct evs_whatifs *all, const struct evs_keyset *ks,
                     const struct evs_report *r, const char **names, size_t n)
{
    struct many m = {.ks = ks, .r = r, .name = names, .n = n};
    m.w = evs_xcalloc(n + 1, sizeof(*m.w));
    m.done = evs_xcalloc(n + 1, sizeof(*m.done));
    if (ks->n > MANY)
        evs_thread_both(work, &m, work, &m);
    else
        work(&m);
    all->w = evs_xgrow(all->w, all->n + n + 1, sizeof(*all->w));
    for (size_t i = 0; i < n; i++) {
        if (m.done[i] && !listed(all, names[i]))
            all->w[all->n++] = m.w[i];
        else if (m.done[i])
            evs_whatif_done(&m.w[i]);
    }
    evs_free(m.w);
    evs_free(m.done);
}

struct evs_whatifs *evs_whatif_all(const struct evs_keyset *ks, const struct evs_report *r,
                                   double target, const char *const *extra, size_t n_extra)
{
    struct evs_whatifs *all = evs_xcalloc(1, sizeof(*all));
    all->target = target;
    as_it_is(ks, r, &all->now);
    if (ks->read < ks->partitions) {
        all->advice =
            evs_xprintf("Only %d of %d partitions were read: what another placement would "
                        "do needs all of them.",
                        (int)ks->read, (int)ks->partitions);
        return all;
    }
    if (ks->messages > 0 && ks->n > 0) {
        if (r->n_hot)
            add_shards(all, ks, r);
        const char **name = evs_xcalloc(n_extra + 5, sizeof(*name));
        char *twice = evs_xprintf("partitions:%d", (int)ks->partitions * 2);
        size_t n = 0;
        if (!ks->sampled) {
            name[n++] = "composite:hour";
            name[n++] = "composite:minute";
        }
        if (ks->partitions * 2 <= EVS_WHATIF_MAX_PARTITIONS)
            name[n++] = twice;
        for (int i = 0; i < 2; i++)
            if (evs_partitioners[i] != r->placement.main || r->placement.second ||
                r->placement.previous_partitions) /* all by the one, at the present count */
                name[n++] = i ? "partitioner:crc32" : "partitioner:murmur2";
        for (size_t i = 0; i < n_extra; i++)
            name[n++] = extra[i];
        add_many(all, ks, r, name, n);
        evs_free(name);
        evs_free(twice);
        if (all->n)
            qsort(all->w, all->n, sizeof(*all->w), less_change);
    }
    find_smallest(all, ks, r);
    return all;
}

void evs_whatifs_free(struct evs_whatifs *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++)
        evs_whatif_done(&all->w[i]);
    evs_whatif_done(&all->now);
    evs_free(all->w);
    evs_free(all->advice);
    evs_free(all);
}
