#include <math.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "keys/finding.h"

enum { KEY_COLS = 48 };

/* --- the placement: mixed, grown, split --- */

void find_mixed(struct diag *d)
{
    const struct evs_placement *pl = &d->r->placement;
    if (pl->previous_partitions || (!pl->second && strcmp(pl->verdict, "mixed") != 0))
        return;
    bool named = pl->second != NULL;
    struct evs_finding *f = finding_add(d, "mixed-partitioners",
                                        d->little               ? EVS_SEV_INFO
                                        : d->ks->split_keys > 0 ? EVS_SEV_CRITICAL
                                                                : EVS_SEV_WARN);
    f->weight = 30;
    char n[EVS_NUM_LEN];
    struct evs_buf *t = finding_text(d);
    if (named)
        evs_buf_printf(t,
                       "Two kinds of clients write here: %.1f %% of the messages are placed by "
                       "%s, %.1f %% by %s.",
                       100 * pl->main_records, pl->main->name, 100 * pl->second_records,
                       pl->second->name);
    else
        evs_buf_printf(t, "%s places %.1f %% of the keys; no known hash explains the rest.",
                       pl->main->name, 100 * pl->match[placement_index(pl->main)]);
    if (d->ks->split_keys > 0)
        evs_buf_printf(t, " %s keys lie on several partitions, so their events have no order.",
                       evs_num_commas(n, (int64_t)d->ks->split_keys));
    finding_close(d, f,
                  named ? evs_xprintf("Set one partitioner on all producers: %s is used by %s; %s "
                                      "by %s. With librdkafka: partitioner=murmur2_random agrees "
                                      "with Java.",
                                      pl->main->name, pl->main->used_by, pl->second->name,
                                      pl->second->used_by)
                        : evs_xstrdup("Find the producer that chooses partitions itself and give "
                                      "it the partitioner of the others."));
    fact_str(f, "first", pl->main->name);
    fact_str(f, "second", named ? pl->second->name : NULL);
    fact_num(f, "first_share", named ? pl->main_records : pl->match[placement_index(pl->main)]);
    fact_num(f, "second_share", named ? pl->second_records : NAN);
    fact_int(f, "split_keys", (double)d->ks->split_keys);
    fact_int(f, "unexplained_keys", (double)pl->unexplained);
}

void find_grown(struct diag *d)
{
    const struct evs_placement *pl = &d->r->placement;
    if (!pl->previous_partitions)
        return;
    struct evs_finding *f = finding_add(d, "partition-count-changed",
                                        d->little               ? EVS_SEV_INFO
                                        : d->ks->split_keys > 0 ? EVS_SEV_CRITICAL
                                                                : EVS_SEV_WARN);
    f->weight = 31;
    char n[EVS_NUM_LEN];
    struct evs_buf *t = finding_text(d);
    evs_buf_printf(t,
                   "The topic once had %d partitions, now %d: %s keys lie where %s put them "
                   "among %d.",
                   (int)pl->previous_partitions, (int)d->ks->partitions,
                   evs_num_commas(n, (int64_t)pl->previous_pairs), pl->main->name,
                   (int)pl->previous_partitions);
    if (d->ks->split_keys > 0)
        evs_buf_printf(t,
                       " %s keys have older events on one partition and newer ones on "
                       "another, so their order is lost across the change.",
                       evs_num_commas(n, (int64_t)d->ks->split_keys));
    finding_close(d, f,
                  evs_xstrdup("Read the old partitions to their end before the new ones, or write "
                              "the topic anew; choose the count with room to grow, as every "
                              "change moves keys."));
    fact_int(f, "previous_partitions", pl->previous_partitions);
    fact_int(f, "partitions", d->ks->partitions);
    fact_int(f, "keys_of_previous", (double)pl->previous_pairs);
    fact_int(f, "split_keys", (double)d->ks->split_keys);
    fact_str(f, "partitioner", pl->main->name);
}

void find_split(struct diag *d)
{
    if (d->ks->split_keys == 0 || finding_has(d, "mixed-partitioners") ||
        finding_has(d, "partition-count-changed"))
        return;
    double share = d->keys > 0 ? (double)d->ks->split_keys / d->keys : 0;
    struct evs_finding *f = finding_add(d, "split-keys", d->little ? EVS_SEV_INFO : EVS_SEV_WARN);
    f->weight = 20;
    char n[EVS_NUM_LEN], of[EVS_NUM_LEN];
    struct evs_buf *t = finding_text(d);
    evs_buf_printf(t,
                   "%s of %s keys (%.1f %%) lie on more than one partition: their events "
                   "have no order.",
                   evs_num_commas(n, (int64_t)d->ks->split_keys),
                   evs_num_commas(of, (int64_t)d->keys), 100 * share);
    if (d->ks->n_split > 0) {
        evs_buf_adds(t, " Worst: ");
        finding_key(t, &d->ks->split[0], KEY_COLS);
        evs_buf_printf(t, " on %zu partitions.", d->ks->split[0].n_places);
        fact_key(f, "key", &d->ks->split[0]);
    }
    finding_close(d, f,
                  evs_xstrdup("Look for producers that set the partition by hand, or that "
                              "send without the key's hash."));
    fact_int(f, "split_keys", (double)d->ks->split_keys);
    fact_num(f, "share", share);
}
