/* peak.h - max / mean of the worst slice of time: now, and what shards would make of it.
 *
 * Now is exact. After a change it is an estimate: a key's records over time are those of its row
 * of the key heat map less the other keys of that row, which are taken to go with all other rows.
 * Where a row is not mostly one key there is no figure. Slices of under 20 records a partition
 * say nothing.
 *
 * Units    records; ratios, NAN unknown.   Threads  pure.   Owns  nothing kept.   Errors  none.
 * Cost     up to 4 million steps: about 5 ms.
 */
#ifndef EVS_KEYS_PEAK_H
#define EVS_KEYS_PEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/boot.h"
#include "keys/heat.h"
#include "keys/keyset.h"

struct evs_peak_move {
    const struct evs_key_detail *const *keys;
    size_t n;
    int32_t shards;
    bool random; /* suffixes by hash: the median of throws; else home + i */
};

double evs_peak_now(const struct evs_heat_grid *g);
double evs_peak_shards(const struct evs_keyset *ks, const struct evs_heat_grid *g,
                       const struct evs_peak_move *m);
double evs_peak_shards_all(const struct evs_keyset *ks, const struct evs_heat_grid *g,
                           int32_t shards);
/* ret[i * ks->heat.n + slice]: about how many records of each key. false: cannot be told. */
bool evs_peak_profile(const struct evs_keyset *ks, const struct evs_key_detail *const *keys,
                      size_t n, double *ret);

#endif
