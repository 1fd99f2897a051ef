#include "core/slot.h"

#include <pthread.h>
#include <stddef.h>

#include "core/xalloc.h"

struct evs_slot {
    pthread_mutex_t lock;
    struct evs_snap *latest;
    uint64_t generation;
    const struct evs_wake *wake;
};

void evs_snap_init(struct evs_snap *sn, void (*free_snap)(struct evs_snap *sn))
{
    atomic_init(&sn->refs, 1);
    sn->generation = 0;
    sn->free_snap = free_snap;
}

struct evs_snap *evs_snap_ref(struct evs_snap *sn)
{
    atomic_fetch_add(&sn->refs, 1);
    return sn;
}

void evs_snap_unref(struct evs_snap *sn)
{
    if (sn && atomic_fetch_sub(&sn->refs, 1) == 1)
        sn->free_snap(sn);
}

bool evs_snap_sole(const struct evs_snap *sn)
{
    return atomic_load(&sn->refs) == 1;
}

struct evs_slot *evs_slot_new(const struct evs_wake *wake)
{
    struct evs_slot *s = evs_xcalloc(1, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    s->wake = wake;
    return s;
}

void evs_slot_free(struct evs_slot *s)
{
    if (!s)
        return;
    evs_snap_unref(s->latest);
    pthread_mutex_destroy(&s->lock);
    evs_free(s);
}

void evs_slot_publish(struct evs_slot *s, struct evs_snap *sn)
{
    pthread_mutex_lock(&s->lock);
    struct evs_snap *old = s->latest;
    sn->generation = ++s->generation;
    s->latest = sn;
    pthread_mutex_unlock(&s->lock);
    evs_snap_unref(old);
    evs_wake_notify(s->wake);
}

struct evs_snap *evs_slot_take(struct evs_slot *s, uint64_t than)
{
    pthread_mutex_lock(&s->lock);
    struct evs_snap *sn = NULL;
    if (s->latest && s->latest->generation > than)
        sn = evs_snap_ref(s->latest);
    pthread_mutex_unlock(&s->lock);
    return sn;
}
