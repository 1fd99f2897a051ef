#include "keys/diagnose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/attr.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "keys/finding.h"

/* Where words begin. A ratio under EVEN is even; from WARN on a person should look; from CRITICAL
 * on the busiest partition decides how the whole topic scales. */
#define EVEN       1.25
#define WARN       1.5
#define CRITICAL   3.0
#define NULL_SHARE 0.05

enum { KEY_COLS = 48, FEW_PER_PARTITION = 50, BATCHES_PER_PARTITION = 10, BATCH_BYTES = 16384 };

static enum evs_severity by_ratio(const struct diag *d, double ratio)
{
    if (d->little)
        return EVS_SEV_INFO;
    return ratio >= CRITICAL ? EVS_SEV_CRITICAL : ratio >= WARN ? EVS_SEV_WARN : EVS_SEV_INFO;
}

/* --- the weights: hot keys, few keys, luck --- */

/* Heavy against its fair share and against the other keys: that tells it from one of few keys. */
static size_t hot_keys(struct diag *d)
{
    const struct evs_keyset *ks = d->ks;
    double fair = (double)ks->messages / ks->read;
    struct evs_report *r = d->r;
    for (size_t i = 0; i < ks->n_top && r->n_hot < EVS_COUNT(r->hot); i++) {
        const struct evs_key_detail *k = &ks->top[i];
        double c = (double)k->count, others = d->keyed - c;
        double typical = d->keys > 1 ? others / (d->keys - 1) : 0;
        if (c < 0.5 * fair)
            break;
        /* Some keys of a young topic come more often than others by chance alone. */
        bool chance = c < typical + 6 * sqrt(typical) + 6;
        if (typical > 0 && c >= 4 * typical && !chance)
            r->hot[r->n_hot++] = k;
    }
    return r->n_hot;
}

static double on_partition(const struct evs_key_detail *k, int32_t partition)
{
    for (size_t i = 0; i < k->n_places; i++)
        if (k->places[i].partition == partition)
            return (double)k->places[i].count;
    return 0;
}

/* From when on: the key's first message where the topic is older, else the moment its partition's
 * share jumped. */
static void hot_since(struct diag *d, struct evs_finding *f, const struct evs_key_detail *k,
                      struct evs_buf *t)
{
    const struct evs_keyset *ks = d->ks;
    int64_t span = ks->last_ts - ks->first_ts, ts = -1;
    double since = 0, before = 0;
    struct evs_heat_since jump;
    if (ks->sampled) {
        ts = -1;
    } else if (k->first_ts > ks->first_ts + span / 20) {
        uint64_t n = 0;
        for (size_t c = 0; c < d->r->grid.n; c++)
            for (size_t r = 0; r < d->r->grid.rows; r++)
                if (d->r->grid.start_ms + (int64_t)(c + 1) * d->r->grid.bucket_ms > k->first_ts)
                    n += d->r->grid.cell[c * d->r->grid.rows + r];
        ts = k->first_ts;
        since = n ? fmin(1, (double)k->count / (double)n) : 0;
    } else if (k->n_places == 1 &&
               evs_heat_since_of(&d->r->grid, (size_t)k->places[0].partition, &jump)) {
        ts = jump.ts;
        since = jump.since;
        before = jump.before;
    }
    if (ts < 0) {
        fact_int(f, "since_ts", (double)k->first_ts);
        fact_num(f, "share_since", (double)k->count / (double)ks->messages);
        return;
    }
    char at[EVS_NUM_LEN];
    evs_num_moment(at, ts, d->now_ms, 0);
    if (ts == k->first_ts)
        evs_buf_printf(t, " Since %s (%.1f %% since then, none before).", at, 100 * since);
    else
        evs_buf_printf(t, " Since %s (p%d took %.1f %% since then, %.1f %% before).", at,
                       (int)k->places[0].partition, 100 * since, 100 * before);
    fact_int(f, "since_ts", (double)ts);
    fact_num(f, "share_since", since);
}

static void find_hot(struct diag *d)
{
    const struct evs_keyset *ks = d->ks;
    const struct evs_report *r = d->r;
    size_t p = r->messages.argmax;
    if (d->ratio < EVEN || hot_keys(d) == 0)
        return;
    const struct evs_key_detail *k = NULL;
    double hot_here = 0, load = (double)ks->part[p].messages, total = (double)ks->messages;
    for (size_t i = 0; i < r->n_hot; i++) {
        double here = on_partition(r->hot[i], (int32_t)p);
        k = k || here == 0 ? k : r->hot[i];
        hot_here += here;
    }
    double without = k ? (load - hot_here) * ks->read / fmax(1, total - hot_here) : 0;
    if (!k || without > 0.8 * d->ratio) {
        d->r->n_hot = 0;
        return;
    }
    double share = (double)k->count / total;
    char n[EVS_NUM_LEN];
    struct evs_finding *f = finding_add(d, "hot-key", by_ratio(d, d->ratio));
    f->weight = 10 + d->ratio;
    struct evs_buf *t = finding_text(d);
    evs_buf_adds(t, "Hot key: ");
    finding_key(t, k, KEY_COLS);
    evs_buf_printf(t, " is %s%.1f %% of the messages", d->estimate ? "about " : "", 100 * share);
    if (r->n_hot > 1)
        evs_buf_printf(t, " (%s keys are this heavy)", evs_num_commas(n, (int64_t)r->n_hot));
    evs_buf_printf(t,
                   " and lifts p%zu to %.1f times its fair share; without %s p%zu is at %.1f "
                   "times.",
                   p, d->ratio, hot_here > on_partition(k, (int32_t)p) ? "them" : "it", p, without);
    hot_since(d, f, k, t);
    if (r->boot.median >= EVEN)
        evs_buf_adds(t, " No hash helps.");
    finding_close(d, f,
                  evs_xstrdup("Spread this key over several partitions (shards:N in the "
                              "what-if), or put a time into it (composite:hour), where its "
                              "order may be given up; more partitions do not help."));
    fact_key(f, "key", k);
    fact_num(f, "share", share);
    fact_int(f, "count", (double)(k->count + k->error));
    fact_int(f, "partition", (double)p);
    fact_num(f, "max_over_mean", d->ratio);
    fact_num(f, "max_over_mean_without", without);
    fact_int(f, "hot_keys", (double)r->n_hot);
    fact_num(f, "bootstrap_median", r->boot.median);
}

/* Distinct keys per partition: an even hash gives this once in 100,000 topics. */
static bool keys_uneven(const struct diag *d)
{
    return d->r->p_value < 1e-5 && d->keys >= 8;
}

/* The placement is worse than 999 of 1,000 even hashes would make it, for these very weights. */
static bool unlucky(const struct diag *d)
{
    const struct evs_report *r = d->r;
    /* A few keys fall as they fall: of these only their number per partition tells. */
    bool heavy = d->keys >= 10.0 * d->ks->read && r->keyed.max_over_mean > r->boot.p999 * 1.12;
    return r->boot.throws > 0 && r->keyed.max_over_mean >= EVEN && (heavy || keys_uneven(d)) &&
           !r->placement.previous_partitions && (double)d->ks->split_keys <= 0.05 * d->keys;
}

static void find_unlucky(struct diag *d)
{
    const struct evs_report *r = d->r;
    if (!unlucky(d))
        return;
    size_t p = r->keyed.argmax;
    bool hashed = r->placement.main != NULL;
    struct evs_finding *f = finding_add(d, "unlucky-hash", by_ratio(d, r->keyed.max_over_mean));
    f->weight = 12 + r->keyed.max_over_mean;
    struct evs_buf *t = finding_text(d);
    if (r->keyed.max_over_mean > r->boot.p999 * 1.12)
        evs_buf_printf(t,
                       "p%zu holds %.1f times its fair share although no key is heavy enough for "
                       "it: of %d even hashes of the same keys half stay under %.2f and 99.9 %% "
                       "under %.2f.",
                       p, r->keyed.max_over_mean, r->boot.throws, r->boot.median, r->boot.p999);
    else
        evs_buf_printf(
            t,
            "The keys crowd on some partitions (p%zu holds %.1f times its fair share): "
            "an even hash spreads the keys so unevenly in less than 1 of 100,000 topics.",
            p, r->keyed.max_over_mean);
    evs_buf_adds(t, hashed ? " These keys fall badly under this hash and partition count."
                           : " The producer's own placement is uneven.");
    finding_close(d, f,
                  evs_xstrdup(hashed ? "Another partition count or another partitioner places them "
                                       "evenly: compare partitions:N and partitioner:NAME in the "
                                       "what-if."
                                     : "Let the client's default partitioner place the keys."));
    fact_int(f, "partition", (double)p);
    fact_num(f, "max_over_mean", r->keyed.max_over_mean);
    fact_num(f, "bootstrap_median", r->boot.median);
    fact_num(f, "bootstrap_p99", r->boot.p99);
    fact_num(f, "bootstrap_p999", r->boot.p999);
    fact_num(f, "rank", r->boot.rank);
    fact_num(f, "chi2_p_value", r->p_value);
}

/* empty < 0: each partition has a key, but their weights are few or uneven. */
static void say_few(const struct diag *d, struct evs_buf *t, int empty)
{
    const struct evs_report *r = d->r;
    char keys[EVS_NUM_LEN], even[EVS_NUM_LEN];
    evs_num_commas(keys, (int64_t)d->keys);
    evs_num_commas(even, (int64_t)r->boot.even_keys);
    if (empty >= 0) {
        evs_buf_printf(t, "%s distinct key%s cannot fill %d partitions: %d stay empty.", keys,
                       d->keys == 1 ? "" : "s", (int)d->ks->read, empty);
        return;
    }
    if (d->keys > 2 * r->boot.even_keys)
        evs_buf_printf(t, "%s distinct keys are so uneven that they spread like %s even ones", keys,
                       even);
    else
        evs_buf_printf(t, "%s distinct keys are few for %d partitions", keys, (int)d->ks->read);
    evs_buf_printf(t,
                   ": the busiest partition is at %.1f times its fair share, and an even hash "
                   "gives %.1f half of the time.",
                   d->ratio, r->boot.median);
}

static char *few_advice(const struct diag *d)
{
    int serve = (int)fmax(1, floor(d->r->boot.even_keys / 8));
    if (serve < d->ks->read)
        return evs_xprintf("Use a finer key (an order instead of a shop), or about %d partition%s: "
                           "an even load takes some eight keys each.",
                           serve, serve == 1 ? "" : "s");
    return evs_xstrdup("No hash does better. A finer key for the heaviest entities (shards:N in "
                       "the what-if) evens it out; more partitions make it worse.");
}

static void find_few(struct diag *d)
{
    const struct evs_report *r = d->r;
    if (d->ratio < EVEN || d->keyed <= 0 || finding_has(d, "hot-key") || unlucky(d) ||
        r->placement.previous_partitions || r->boot.median < EVEN)
        return;
    bool fewer = d->keys < d->ks->read;
    char n[EVS_NUM_LEN];
    struct evs_finding *f =
        finding_add(d, "few-keys", fewer && !d->little ? by_ratio(d, d->ratio) : EVS_SEV_INFO);
    f->weight = 8;
    int empty = 0;
    for (int32_t p = 0; p < d->ks->partitions; p++)
        empty += d->ks->part[p].messages == 0 && !(d->ks->unread && d->ks->unread[p]);
    struct evs_buf *t = finding_text(d);
    say_few(d, t, fewer ? empty : -1);
    if (d->little)
        evs_buf_printf(t, " Only %s messages so far.", evs_num_commas(n, (int64_t)d->ks->messages));
    finding_close(d, f, few_advice(d));
    fact_int(f, "distinct_keys", d->keys);
    fact_int(f, "partitions", d->ks->read);
    fact_num(f, "even_keys", r->boot.even_keys);
    fact_int(f, "empty_partitions", empty);
    fact_num(f, "max_over_mean", d->ratio);
    fact_num(f, "bootstrap_median", r->boot.median);
    fact_num(f, "bootstrap_p99", r->boot.p99);
}

/* --- null keys, bytes, mutable keys --- */

static void find_null(struct diag *d)
{
    const struct evs_keyset *ks = d->ks;
    double share = (double)ks->null_keys / (double)ks->messages, batches = 0;
    char n[EVS_NUM_LEN];
    size_t p = d->r->messages.argmax;
    if (ks->null_keys == 0)
        return;
    double null_mean = (double)ks->null_keys / ks->read;
    double null_excess = (double)ks->part[p].null_keys - null_mean;
    double excess = (double)ks->part[p].messages - (double)ks->messages / ks->read;
    bool cause = share >= NULL_SHARE && d->ratio >= EVEN && null_excess * 2 > excess;
    if (!cause && share < 0.5)
        return;
    for (int32_t i = 0; i < ks->partitions; i++)
        batches +=
            fmax((double)ks->part[i].null_batches, (double)ks->part[i].null_bytes / BATCH_BYTES);
    bool early = batches < (double)BATCHES_PER_PARTITION * ks->read;
    struct evs_finding *f =
        finding_add(d, "null-keys", cause && !early ? by_ratio(d, d->ratio) : EVS_SEV_INFO);
    f->weight = cause ? 9 : 1;
    struct evs_buf *t = finding_text(d);
    if (ks->null_keys == ks->messages)
        evs_buf_printf(t,
                       "No message has a key: the partitions of all %s are chosen by the "
                       "producers' batching.",
                       evs_num_commas(n, (int64_t)ks->null_keys));
    else
        evs_buf_printf(t,
                       "%.1f %% of the messages have no key; their partitions are chosen by "
                       "the producers' batching.",
                       100 * share);
    if (cause)
        evs_buf_printf(t, " They lift p%zu to %.1f times its fair share%s.", p, d->ratio,
                       early ? "; so few batches cannot be even yet" : "");
    finding_close(d, f,
                  cause ? evs_xstrdup("Producers since Kafka 3.3 (KIP-794) even batches out by "
                                      "bytes; older ones give slow brokers more. Update them, or "
                                      "set a key.")
                        : NULL);
    fact_int(f, "null_keys", (double)ks->null_keys);
    fact_num(f, "share", share);
    fact_int(f, "partition", (double)p);
    fact_num(f, "max_over_mean", d->ratio);
    fact_int(f, "batches_at_least", floor(batches));
}

static void find_bytes(struct diag *d)
{
    const struct evs_keyset *ks = d->ks;
    const struct evs_skew *b = &d->r->bytes;
    if (b->max_over_mean < WARN || b->max_over_mean < EVEN * d->ratio || ks->bytes == 0)
        return;
    size_t p = b->argmax;
    const struct evs_key_part *x = &ks->part[p];
    double here = (double)x->bytes / fmax(1, (double)x->messages);
    double rest = (double)(ks->bytes - x->bytes) / fmax(1, (double)(ks->messages - x->messages));
    struct evs_finding *f = finding_add(d, "byte-skew", by_ratio(d, b->max_over_mean));
    f->weight = 7 + b->max_over_mean;
    char a[EVS_NUM_LEN], o[EVS_NUM_LEN];
    struct evs_buf *t = finding_text(d);
    evs_buf_printf(t,
                   "p%zu holds %.1f times its fair share of the bytes, but %.1f of the messages: "
                   "its messages average %s, the others' %s.",
                   p, b->max_over_mean, (double)x->messages * ks->read / (double)ks->messages,
                   evs_num_bytes(a, here), evs_num_bytes(o, rest));
    const struct evs_key_detail *fat = ks->n_top_bytes ? &ks->top_bytes[0] : NULL;
    if (fat && (double)fat->bytes * 2 > (double)x->bytes - (double)ks->bytes / ks->read) {
        evs_buf_adds(t, " Key ");
        finding_key(t, fat, KEY_COLS);
        evs_buf_printf(t, " alone is %.1f %% of all bytes.",
                       100 * (double)fat->bytes / (double)ks->bytes);
        fact_key(f, "key", fat);
    }
    finding_close(d, f,
                  evs_xstrdup("Put large payloads elsewhere and send a reference, or split "
                              "them; fetch and retention limits count bytes."));
    fact_int(f, "partition", (double)p);
    fact_num(f, "bytes_max_over_mean", b->max_over_mean);
    fact_num(f, "messages_max_over_mean", d->ratio);
    fact_num(f, "mean_bytes", here);
    fact_num(f, "mean_bytes_elsewhere", rest);
}

static void find_mutable(struct diag *d)
{
    double share;
    const char *what = evs_keys_look(d->ks->top, d->ks->n_top, &share);
    if (!what)
        return;
    struct evs_finding *f = finding_add(d, "mutable-key", d->little ? EVS_SEV_INFO : EVS_SEV_WARN);
    f->weight = 5;
    struct evs_buf *t = finding_text(d);
    evs_buf_printf(t, "Keys look like %s (%.0f %% of the %zu heaviest), such as ", what,
                   100 * share, d->ks->n_top);
    finding_key(t, &d->ks->top[0], KEY_COLS);
    evs_buf_adds(t, ": when one changes, the entity moves to another partition and its history is "
                    "torn.");
    finding_close(d, f, evs_xstrdup("Key by an id that never changes; keep this in the value."));
    fact_str(f, "looks_like", what);
    fact_num(f, "share", share);
    fact_key(f, "example", &d->ks->top[0]);
}

/* One partition has no even load: what is its own heaviest key? */
static void find_alone(struct diag *d)
{
    const struct evs_keyset *ks = d->ks;
    if (ks->read != 1)
        return;
    struct evs_finding *f = finding_add(d, "balanced", EVS_SEV_INFO);
    f->weight = 40;
    f->unjudged = true;
    struct evs_buf *t = finding_text(d);
    if (ks->partitions == 1)
        evs_buf_adds(t, "One partition takes everything: there is no load to even out.");
    else
        evs_buf_printf(t, "Only p%zu was read, so nothing is said about the load of the others.",
                       d->r->messages.argmax);
    if (ks->n_top && ks->messages) {
        evs_buf_adds(t, " Its heaviest key: ");
        finding_key(t, &ks->top[0], KEY_COLS);
        evs_buf_printf(t, ", %.1f %% of it.",
                       100 * (double)ks->top[0].count / (double)ks->messages);
    }
    finding_close(d, f, NULL);
    fact_int(f, "partition", (double)d->r->messages.argmax);
}

static void find_balanced(struct diag *d)
{
    const struct evs_report *r = d->r;
    if (d->ks->read == 1)
        return;
    if (d->ratio >= EVEN) {
        for (size_t i = 0; i < d->r->n; i++)
            if (strcmp(d->r->finding[i].kind, "mutable-key") != 0 &&
                strcmp(d->r->finding[i].kind, "split-keys") != 0)
                return;
    } else if (finding_has(d, "byte-skew") || finding_has(d, "unlucky-hash")) {
        return;
    }
    struct evs_finding *f = finding_add(d, "balanced", EVS_SEV_INFO);
    f->weight = 6;
    struct evs_buf *t = finding_text(d);
    if (d->ratio < EVEN)
        evs_buf_printf(t, "Balanced: no partition is above %.2f times its fair share.", d->ratio);
    else
        evs_buf_printf(t,
                       "p%zu is at %.2f times its fair share: within what an even hash of these "
                       "keys gives (half of the time %.2f or more).",
                       r->messages.argmax, d->ratio, r->boot.median);
    finding_close(d, f, NULL);
    fact_num(f, "max_over_mean", d->ratio);
    fact_num(f, "bytes_max_over_mean", r->bytes.max_over_mean);
    fact_num(f, "bootstrap_median", r->boot.throws ? r->boot.median : NAN);
}

/* --- the report --- */

static int worst_first(const void *a, const void *b)
{
    const struct evs_finding *x = a, *y = b;
    if (x->severity != y->severity)
        return (int)y->severity - (int)x->severity;
    return (x->weight < y->weight) - (x->weight > y->weight);
}

struct evs_report *evs_report_new(const struct evs_keyset *ks, int64_t now_ms, bool estimate)
{
    static void (*const rules[])(struct diag *) = {
        find_mixed, find_grown, find_split,   find_hot,   find_unlucky,  find_few,
        find_null,  find_bytes, find_mutable, find_alone, find_balanced,
    };
    struct evs_report *r = evs_xcalloc(1, sizeof(*r));
    evs_report_figures(r, ks);
    evs_heat_grid_of(&ks->heat, 0, (size_t)ks->partitions, &r->grid);
    if (!ks->sampled) /* windows lie where they were thrown, not where time was */
        evs_heat_patterns(&r->grid, now_ms, &r->pattern, &r->n_patterns);
    if (ks->unread) { /* rows that were not read are empty, which is no pattern */
        evs_heat_patterns_free(r->pattern, r->n_patterns);
        r->pattern = NULL;
        r->n_patterns = 0;
    }
    struct diag d = {.ks = ks, .r = r, .now_ms = now_ms, .estimate = estimate || !ks->exact};
    d.ratio = r->messages.max_over_mean;
    d.keys = ks->distinct;
    d.keyed = (double)(ks->messages - ks->null_keys);
    d.little = ks->messages < (uint64_t)FEW_PER_PARTITION * (uint64_t)ks->read;
    if (ks->messages > 0)
        for (size_t i = 0; i < EVS_COUNT(rules); i++)
            rules[i](&d);
    if (r->n)
        qsort(r->finding, r->n, sizeof(*r->finding), worst_first);
    return r;
}
