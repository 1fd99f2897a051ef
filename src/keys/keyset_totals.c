/* What a key set says of all keys together. */
#include <stdint.h>

#include "core/xalloc.h"
#include "keys/keyset_int.h"

static void part_add(struct evs_key_part *to, const struct evs_key_part *from)
{
    if (from->messages == 0)
        return;
    bool first = to->messages == 0;
    to->messages += from->messages;
    to->bytes += from->bytes;
    to->null_keys += from->null_keys;
    to->null_bytes += from->null_bytes;
    to->empty_keys += from->empty_keys;
    to->tombstones += from->tombstones;
    to->distinct += from->distinct;
    to->null_batches += from->null_batches;
    if (first || from->first_ts < to->first_ts)
        to->first_ts = from->first_ts;
    if (first || from->last_ts > to->last_ts)
        to->last_ts = from->last_ts;
    if (first || from->first_offset < to->first_offset)
        to->first_offset = from->first_offset;
    if (first || from->last_offset > to->last_offset)
        to->last_offset = from->last_offset;
}

void evs_keyset_totals(struct evs_keyset *ks, struct evs_keytab *const *tables, size_t n_tables)
{
    for (size_t i = 0; i < n_tables; i++) {
        const struct evs_keytab *t = tables[i];
        for (int32_t p = 0; p < ks->partitions; p++) {
            struct evs_key_part mine = t->part[p];
            if (t->part_hll && mine.messages > 0) {
                mine.distinct = (uint64_t)(evs_hll_estimate(&t->part_hll[p]) + 0.5);
                ks->part_distinct_error = evs_hll_error(&t->part_hll[p]);
            }
            part_add(&ks->part[p], &mine);
        }
        evs_hist_merge(&ks->heat, &t->heat, NULL);
        evs_quantile_merge(&ks->key_size, &t->key_size);
        evs_quantile_merge(&ks->value_size, &t->value_size);
        ks->over += t->over;
        ks->memory_used += t->used;
    }
    ks->first_ts = ks->last_ts = -1;
    for (int32_t p = 0; p < ks->partitions; p++) {
        const struct evs_key_part *x = &ks->part[p];
        if (x->messages == 0)
            continue;
        if (ks->messages == 0 || x->first_ts < ks->first_ts)
            ks->first_ts = x->first_ts;
        if (ks->messages == 0 || x->last_ts > ks->last_ts)
            ks->last_ts = x->last_ts;
        ks->messages += x->messages;
        ks->bytes += x->bytes;
        ks->null_keys += x->null_keys;
        ks->null_bytes += x->null_bytes;
        ks->empty_keys += x->empty_keys;
        ks->tombstones += x->tombstones;
    }
}

void evs_keyset_distinct(struct evs_keyset *ks, struct evs_keytab *const *tables, size_t n_tables)
{
    ks->exact = ks->over == 0;
    ks->distinct = (double)ks->n;
    if (ks->exact)
        return;
    struct evs_hll all;
    evs_hll_init(&all, EVS_HLL_P);
    for (size_t i = 0; i < n_tables; i++)
        evs_hll_merge(&all, &tables[i]->hll);
    ks->distinct = evs_hll_estimate(&all);
    ks->distinct_error = evs_hll_error(&all);
    evs_hll_done(&all);
    ks->missing = (double)(ks->messages - ks->null_keys);
    for (size_t i = 0; i < ks->n; i++)
        ks->missing -= (double)ks->sum[i].count;
    ks->missing = ks->missing > 0 ? ks->missing : 0;
    ks->missing_keys = ks->distinct > (double)ks->n + 1 ? ks->distinct - (double)ks->n : 1;
}
