/* slot.h - latest-value slot: publish and take counted, immutable snapshots.
 *
 * A snapshot is a struct whose first member is struct evs_snap. Once published it never changes;
 * the last reference frees it. A newer one replaces an unread one: only the latest matters.
 *
 *     struct evs_topics_sn { struct evs_snap snap; ... };
 *     evs_snap_init(&sn->snap, topics_free);  ...fill...  evs_slot_publish(slot, &sn->snap);
 *     struct evs_topics_sn *sn = (void *)evs_slot_take(slot, have ? have->snap.generation : 0);
 *
 * Threads  any.   Owns  the slot holds one reference; publish moves the caller's reference into it.
 * Errors   none.  Cost  one lock, O(1).
 */
#ifndef EVS_CORE_SLOT_H
#define EVS_CORE_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/thread.h"

struct evs_snap {
    atomic_uint refs;
    uint64_t generation; /* 1, 2, ... set at publish */
    void (*free_snap)(struct evs_snap *sn);
};

void evs_snap_init(struct evs_snap *sn, void (*free_snap)(struct evs_snap *sn)); /* one reference */
struct evs_snap *evs_snap_ref(struct evs_snap *sn);
void evs_snap_unref(struct evs_snap *sn); /* NULL is fine */
/* The caller's reference is the last: it may be freed where that disturbs nobody. */
bool evs_snap_sole(const struct evs_snap *sn);

struct evs_slot;
struct evs_slot *evs_slot_new(const struct evs_wake *wake); /* wake: NULL or notified at publish */
void evs_slot_free(struct evs_slot *s);                     /* NULL is fine */
void evs_slot_publish(struct evs_slot *s, struct evs_snap *sn);
/* A reference to the latest snapshot if its generation is above `than`, else NULL. */
struct evs_snap *evs_slot_take(struct evs_slot *s, uint64_t than);

#endif
