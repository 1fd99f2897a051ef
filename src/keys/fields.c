#include "keys/fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "core/json.h"
#include "core/xalloc.h"
#include "keys/diagnose.h"
#include "stats/hll.h"
#include "stats/topk.h"

enum { HLL_P = 12, TOP = 128, BINS = 64, PARTNERS = 4096, EXAMPLES = 32, EXAMPLE_LEN = 48 };

/* The last partner of a hash: direct-mapped, a collision forgets. */
struct partner {
    uint32_t tag, last;
};

struct field {
    char name[EVS_FIELD_NAME];
    uint64_t present, numbers, fractions, flags;
    struct evs_hll distinct;
    struct evs_topk top;
    uint64_t bin[BINS];
    struct partner *by_key, *by_value;
    uint64_t key_steps, key_changes, value_steps, value_changes;
    char example[EXAMPLES][EXAMPLE_LEN];
    int n_examples;
};

struct evs_fields {
    int32_t partitions;
    uint64_t read, objects;
    struct field *field[EVS_FIELDS_MAX];
    size_t n;
};

struct evs_fields *evs_fields_new(int32_t partitions)
{
    struct evs_fields *f = evs_xcalloc(1, sizeof(*f));
    f->partitions = partitions;
    return f;
}

void evs_fields_free(struct evs_fields *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        evs_hll_done(&f->field[i]->distinct);
        evs_topk_done(&f->field[i]->top);
        evs_free(f->field[i]->by_key);
        evs_free(f->field[i]->by_value);
        evs_free(f->field[i]);
    }
    evs_free(f);
}

static struct field *field_named(struct evs_fields *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->field[i]->name, name) == 0)
            return f->field[i];
    if (f->n == EVS_FIELDS_MAX)
        return NULL;
    struct field *x = evs_xcalloc(1, sizeof(*x));
    snprintf(x->name, sizeof(x->name), "%s", name);
    evs_hll_init(&x->distinct, HLL_P);
    evs_topk_init(&x->top, TOP);
    x->by_key = evs_xcalloc(PARTNERS, sizeof(*x->by_key));
    x->by_value = evs_xcalloc(PARTNERS, sizeof(*x->by_value));
    f->field[f->n++] = x;
    return x;
}

static void step(struct partner *table, uint64_t of, uint32_t now, uint64_t *steps,
                 uint64_t *changes)
{
    struct partner *p = &table[of % PARTNERS];
    uint32_t tag = (uint32_t)(of >> 32) | 1;
    if (p->tag == tag) {
        ++*steps;
        *changes += p->last != now;
    }
    *p = (struct partner){tag, now};
}

static void add_value(struct field *x, int32_t partitions, uint64_t key, const char *text,
                      size_t len, const struct evs_json_token *t)
{
    uint64_t hash = XXH3_64bits(text, len);
    x->present++;
    x->numbers += t->type == EVS_JSON_NUMBER;
    x->fractions += t->type == EVS_JSON_NUMBER && memchr(text, '.', len) != NULL;
    x->flags += t->type == EVS_JSON_TRUE || t->type == EVS_JSON_FALSE;
    evs_hll_add(&x->distinct, hash);
    evs_topk_add(&x->top, hash, text, len, 1);
    x->bin[hash % (uint64_t)(partitions < BINS ? partitions : BINS)]++;
    if (key) {
        step(x->by_key, key, (uint32_t)hash, &x->key_steps, &x->key_changes);
        step(x->by_value, hash, (uint32_t)key, &x->value_steps, &x->value_changes);
    }
    if (x->n_examples < EXAMPLES && len > 0 && len < EXAMPLE_LEN)
        snprintf(x->example[x->n_examples++], EXAMPLE_LEN, "%.*s", (int)len, text);
}

/* "a" or "a.b" from quoted names; false when it does not fit. */
static bool join(char *to, size_t size, const char *outer, const char *name, size_t len)
{
    int n = outer[0] ? snprintf(to, size, "%s.%.*s", outer, (int)len, name)
                     : snprintf(to, size, "%.*s", (int)len, name);
    return n > 0 && (size_t)n < size;
}

void evs_fields_add(struct evs_fields *f, const void *key, size_t key_len, const void *value,
                    size_t value_len)
{
    struct evs_json_lexer lx;
    struct evs_json_token t;
    const char *text = value;
    char outer[EVS_FIELD_NAME] = "", name[EVS_FIELD_NAME] = "";
    if (!value)
        return;
    f->read++;
    evs_json_lexer_init(&lx, value, value_len);
    if (!evs_json_next(&lx, &t) || t.type != EVS_JSON_OBJECT)
        return;
    f->objects++;
    uint64_t of = key ? XXH3_64bits(key, key_len) | 1 : 0;
    bool named = false;
    while (evs_json_next(&lx, &t)) {
        if (t.type == EVS_JSON_NAME) {
            const char *in = t.depth > 1 ? outer : "";
            named = t.depth <= 2 && join(name, sizeof(name), in, text + t.start + 1, t.len - 2);
            continue;
        }
        if (t.type == EVS_JSON_OBJECT && named && t.depth == 1)
            memcpy(outer, name, sizeof(outer));
        bool scalar = t.type == EVS_JSON_NUMBER || t.type == EVS_JSON_STRING ||
                      t.type == EVS_JSON_TRUE || t.type == EVS_JSON_FALSE;
        struct field *x = scalar && named ? field_named(f, name) : NULL;
        bool quoted = t.type == EVS_JSON_STRING;
        if (x)
            add_value(x, f->partitions, of, text + t.start + (quoted ? 1 : 0),
                      t.len - (quoted ? 2 : 0), &t);
        named = false;
    }
}

void evs_fields_merge(struct evs_fields *to, const struct evs_fields *from)
{
    to->read += from->read;
    to->objects += from->objects;
    for (size_t i = 0; i < from->n; i++) {
        const struct field *y = from->field[i];
        struct field *x = field_named(to, y->name);
        if (!x)
            continue;
        x->present += y->present;
        x->numbers += y->numbers;
        x->fractions += y->fractions;
        x->flags += y->flags;
        evs_hll_merge(&x->distinct, &y->distinct);
        evs_topk_merge(&x->top, &y->top);
        for (int b = 0; b < BINS; b++)
            x->bin[b] += y->bin[b];
        x->key_steps += y->key_steps;
        x->key_changes += y->key_changes;
        x->value_steps += y->value_steps;
        x->value_changes += y->value_changes;
        for (int e = 0; e < y->n_examples && x->n_examples < EXAMPLES; e++)
            memcpy(x->example[x->n_examples++], y->example[e], EXAMPLE_LEN);
    }
}

/* --- judging --- */

static const char *look_of(const struct field *x)
{
    struct evs_key_detail d[EXAMPLES] = {{0}};
    double share;
    for (int i = 0; i < x->n_examples; i++) {
        d[i].key = (uint8_t *)(uintptr_t)x->example[i];
        d[i].key_len = (uint32_t)strlen(x->example[i]);
    }
    const char *personal = evs_keys_look(d, (size_t)x->n_examples, &share);
    if (personal)
        return personal;
    if (x->flags * 2 > x->present)
        return "a flag";
    if (x->fractions * 5 > x->present)
        return "a measure";
    int times = 0;
    for (int i = 0; i < x->n_examples; i++) {
        const char *e = x->example[i];
        size_t n = strlen(e), digits = strspn(e, "0123456789");
        times += (n >= 19 && e[4] == '-' && e[7] == '-' && (e[10] == 'T' || e[10] == ' ')) ||
                 (digits == n && (n == 10 || n == 13) && e[0] == '1');
    }
    return x->n_examples >= 3 && times * 2 > x->n_examples ? "a time" : NULL;
}

static const char *relation_of(const struct evs_field_advice *a)
{
    if (isnan(a->changes_within_key) || isnan(a->keys_per_value_change))
        return NULL;
    bool within = a->changes_within_key > 0.05, shared = a->keys_per_value_change > 0.05;
    return within ? (shared ? "attribute" : "finer") : shared ? "coarser" : "same";
}

static void score_of(struct evs_field_advice *a, const struct field *x, int32_t partitions)
{
    double few = a->distinct / (4.0 * partitions), s = 100 * a->present;
    bool unique = x->present >= 100 && a->distinct > 0.9 * (double)x->present;
    s *= few < 1 ? few : 1;
    s *= a->max_over_mean > 1.25 ? 1.25 / a->max_over_mean : 1;
    s *= unique ? 0.4 : 1;
    s *= a->looks ? 0.3 : 1;
    s *= a->relation && !strcmp(a->relation, "attribute") ? 0.3 : 1;
    a->score = s;
    const char *why = a->looks && (!strcmp(a->looks, "a flag") || !strcmp(a->looks, "a measure") ||
                                   !strcmp(a->looks, "a time"))
                          ? "no key"
                      : a->looks ? "looks mutable: a change would move the entity"
                      : few < 1  ? "too few values to fill the partitions"
                      : a->top_share * partitions > 1.25 ? "one value is too heavy"
                      : a->relation && !strcmp(a->relation, "attribute")
                          ? "changes within the entity: its order would be lost"
                      : unique            ? "one value a message: nothing keeps its order"
                      : a->present < 0.95 ? "not always there"
                                          : "fit to be the key";
    snprintf(a->verdict, sizeof(a->verdict), "%s%s%s%s", a->looks ? a->looks : "",
             a->looks ? ", " : "", why,
             a->relation && !strcmp(a->relation, "same")      ? " (the present one)"
             : a->relation && !strcmp(a->relation, "finer")   ? " (finer than the present one)"
             : a->relation && !strcmp(a->relation, "coarser") ? " (coarser than the present one)"
                                                              : "");
}

static void judge(const struct evs_fields *f, const struct field *x, struct evs_field_advice *a)
{
    const struct evs_topk_item *best;
    int bins = f->partitions < BINS ? f->partitions : BINS;
    uint64_t most = 0;
    memcpy(a->name, x->name, sizeof(a->name));
    a->present = f->objects ? (double)x->present / (double)f->objects : 0;
    a->distinct = evs_hll_estimate(&x->distinct);
    a->distinct_error = evs_hll_error(&x->distinct);
    if (evs_topk_sorted(&x->top, &best, 1)) {
        a->top_share = (double)(best->count - best->error) / (double)x->present;
        size_t n = best->key_len < sizeof(a->top) - 1 ? best->key_len : sizeof(a->top) - 1;
        memcpy(a->top, best->key, n);
    }
    for (int b = 0; b < bins; b++)
        most = x->bin[b] > most ? x->bin[b] : most;
    a->max_over_mean = (double)most * bins / (double)x->present;
    a->changes_within_key =
        x->key_steps >= 20 ? (double)x->key_changes / (double)x->key_steps : NAN;
    a->keys_per_value_change =
        x->value_steps >= 20 ? (double)x->value_changes / (double)x->value_steps : NAN;
    a->looks = look_of(x);
    a->relation = relation_of(a);
    score_of(a, x, f->partitions);
}

static int best_first(const void *x, const void *y)
{
    const struct evs_field_advice *a = x, *b = y;
    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return strcmp(a->name, b->name);
}

struct evs_fields_advice *evs_fields_judge(const struct evs_fields *f)
{
    struct evs_fields_advice *all = evs_xcalloc(1, sizeof(*all));
    all->read = f->read;
    all->objects = f->objects;
    all->n = f->n;
    all->field = evs_xcalloc(f->n + 1, sizeof(*all->field));
    for (size_t i = 0; i < f->n; i++)
        judge(f, f->field[i], &all->field[i]);
    qsort(all->field, all->n, sizeof(*all->field), best_first);
    return all;
}

void evs_fields_advice_free(struct evs_fields_advice *a)
{
    if (!a)
        return;
    evs_free(a->field);
    evs_free(a);
}
