#include "browse/poller.h"

#include <stdatomic.h>

#include "core/queue.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/client.h"

enum { BACKOFF_MAX_MS = 30000, LOOK_MS = 500 };

struct evs_poller {
    evs_poll_fn *poll;
    struct evs_client *c;
    void *ctx;
    struct evs_slot *slot;
    struct evs_thread *thread;
    struct evs_queue *nudges; /* an item: look again at what is wanted */
    _Atomic int64_t interval_ms;
    atomic_bool paused, stop, now;
};

static bool is_up(struct evs_poller *p)
{
    struct evs_link_state link;
    evs_client_link(p->c, &link);
    return link.link == EVS_LINK_UP;
}

/* Until the time is over, somebody nudges, or a lost cluster is back. */
static void rest(struct evs_poller *p, int64_t wait_ms, bool failed)
{
    bool lost = failed && !is_up(p);
    int64_t step_ms = lost ? LOOK_MS : wait_ms;
    for (; wait_ms > 0; wait_ms -= step_ms) {
        void *nudge;
        if (evs_queue_pop(p->nudges, step_ms < wait_ms ? step_ms : wait_ms, &nudge) != EVS_AGAIN)
            return;
        if (lost && is_up(p))
            return;
    }
}

static void run(void *arg)
{
    struct evs_poller *p = arg;
    int failures = 0;
    while (!atomic_load(&p->stop)) {
        bool now = atomic_exchange(&p->now, false);
        if (now || !atomic_load(&p->paused))
            failures = p->poll(p->ctx, p->slot, failures) ? 0 : failures + 1;
        int64_t wait_ms = atomic_load(&p->interval_ms);
        if (failures)
            wait_ms = 1000LL << (failures < 6 ? failures - 1 : 5);
        rest(p, wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS, failures > 0);
    }
}

enum evs_rc evs_poller_start(const char *name, struct evs_client *c, evs_poll_fn *poll, void *ctx,
                             int64_t interval_ms, const struct evs_wake *wake,
                             struct evs_poller **ret_p, struct evs_err *err)
{
    struct evs_poller *p = evs_xcalloc(1, sizeof(*p));
    p->poll = poll;
    p->c = c;
    p->ctx = ctx;
    p->slot = evs_slot_new(wake);
    p->nudges = evs_queue_new(16, 16, NULL);
    atomic_store(&p->interval_ms, interval_ms);
    enum evs_rc rc = evs_thread_start(name, run, p, &p->thread, err);
    if (rc) {
        evs_poller_free(p);
        return rc;
    }
    *ret_p = p;
    return EVS_OK;
}

void evs_poller_free(struct evs_poller *p)
{
    if (!p)
        return;
    atomic_store(&p->stop, true);
    evs_queue_close(p->nudges);
    evs_thread_join(p->thread);
    evs_queue_free(p->nudges);
    evs_slot_free(p->slot);
    evs_free(p);
}

struct evs_snap *evs_poller_take(struct evs_poller *p, uint64_t than)
{
    return evs_slot_take(p->slot, than);
}

static void nudge(struct evs_poller *p)
{
    (void)!evs_queue_push_drop(p->nudges, p, 1);
}

void evs_poller_refresh(struct evs_poller *p)
{
    atomic_store(&p->now, true);
    nudge(p);
}

void evs_poller_pause(struct evs_poller *p, bool on)
{
    atomic_store(&p->paused, on);
    nudge(p);
}

void evs_poller_interval(struct evs_poller *p, int64_t interval_ms)
{
    atomic_store(&p->interval_ms, interval_ms);
    nudge(p);
}
