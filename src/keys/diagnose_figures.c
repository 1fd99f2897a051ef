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
    evs_skew_chi2(keys, n, &r->chi2, &r->p_value);
    evs_free(keys);
    double *w = evs_xcalloc(ks->n + 1, sizeof(*w));
    for (size_t i = 0; i < ks->n; i++)
        w[i] = (double)ks->sum[i].count;
    evs_boot_run(w, ks->n, ks->missing, ks->missing_keys, ks->read, r->keyed.max_over_mean, 1,
                 &r->boot);
    evs_free(w);
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
