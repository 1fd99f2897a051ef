/* The figures of a report: skew, luck, and which partitioner placed the keys. */
#include <math.h>

#include "core/thread.h"
#include "core/xalloc.h"
#include "keys/finding.h"

enum { MANY = 20000 }; /* keys: worth a thread */

/* Of the partitions that were read; argmax names the partition itself. */
static void skew_of(const struct evs_keyset *ks, uint64_t (*load)(const struct evs_key_part *),
                    struct evs_skew *ret)
{
    size_t n = 0, P = (size_t)ks->partitions;
    double *x = evs_xcalloc(P + 1, sizeof(*x));
    size_t *number = evs_xcalloc(P + 1, sizeof(*number));
    for (size_t p = 0; p < P; p++)
        if (!ks->unread || !ks->unread[p]) {
            number[n] = p;
            x[n++] = (double)load(&ks->part[p]);
        }
    evs_skew_of(x, n, ret);
    ret->argmax = number[ret->argmax];
    evs_free(number);
    evs_free(x);
}

static uint64_t messages_of(const struct evs_key_part *p)
{
    return p->messages;
}

static uint64_t bytes_of(const struct evs_key_part *p)
{
    return p->bytes;
}

static uint64_t keyed_of(const struct evs_key_part *p)
{
    return p->messages - p->null_keys;
}

/* The two that look at every key: one beside the other. */
struct figuring {
    const struct evs_keyset *ks;
    struct evs_report *r;
};

static void place(void *arg)
{
    struct figuring *f = arg;
    evs_placement_of(f->ks, &f->r->placement);
}

/* Of many keys the heaviest and what the others come to, by the tally: no key is looked at. */
static void luck_of_many(struct evs_report *r, const struct evs_keyset *ks)
{
    const struct evs_key_tally *t = &ks->tally;
    size_t want = evs_boot_head(ks->read), n = t->n_heavy;
    double *w = evs_xcalloc(n + want, sizeof(*w)), total;
    struct evs_boot_load l = {.head = w, .rest = ks->missing};
    l.rest_squares = ks->missing > 0 ? ks->missing * ks->missing / ks->missing_keys : 0;
    for (size_t i = 0; i < n; i++)
        w[i] = (double)t->heavy[i];
    evs_boot_largest(w, n, want);
    for (size_t i = want; i < n; i++) {
        l.rest += w[i];
        l.rest_squares += w[i] * w[i];
    }
    l.n_head = n < want ? n : want;
    for (size_t count = EVS_KEY_LIGHT; count-- > 1;) {
        size_t some = t->light[count];
        for (; some && l.n_head < want; some--)
            w[l.n_head++] = (double)count;
        l.rest += (double)some * (double)count;
        l.rest_squares += (double)some * (double)count * (double)count;
    }
    total = l.rest;
    for (size_t i = 0; i < l.n_head; i++)
        total += w[i];
    evs_boot_of(&l, total, ks->read, r->keyed.max_over_mean, 1, &r->boot);
    evs_free(w);
}

static void luck(struct evs_report *r, const struct evs_keyset *ks)
{
    if (ks->n > EVS_BOOT_SINGLES) {
        luck_of_many(r, ks);
        return;
    }
    double *w = evs_xcalloc(ks->n + 1, sizeof(*w));
    for (size_t i = 0; i < ks->n; i++)
        w[i] = (double)ks->sum[i].count;
    evs_boot_run(w, ks->n, ks->missing, ks->missing_keys, ks->read, r->keyed.max_over_mean, 1,
                 &r->boot);
    evs_free(w);
}

static void figures(void *arg)
{
    struct evs_report *r = ((struct figuring *)arg)->r;
    const struct evs_keyset *ks = ((struct figuring *)arg)->ks;
    size_t n = 0, P = (size_t)ks->partitions;
    uint64_t *keys = evs_xcalloc(P + 1, sizeof(*keys));
    skew_of(ks, messages_of, &r->messages);
    skew_of(ks, bytes_of, &r->bytes);
    skew_of(ks, keyed_of, &r->keyed);
    for (size_t p = 0; p < P; p++)
        if (!ks->unread || !ks->unread[p])
            keys[n++] = ks->part[p].distinct;
    r->chi2 = r->p_value = NAN; /* of estimated counts it would test their error */
    if (ks->exact)
        evs_skew_chi2(keys, n, &r->chi2, &r->p_value);
    evs_free(keys);
    luck(r, ks);
}

void evs_report_figures(struct evs_report *r, const struct evs_keyset *ks)
{
    struct figuring f = {ks, r};
    if (ks->n > MANY) {
        evs_thread_both(place, &f, figures, &f);
    } else {
        figures(&f);
        place(&f);
    }
}
