#include "ui/task.h"

#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/slot.h"
#include "core/thread.h"
#include "core/xalloc.h"

struct evs_task {
    void (*run)(struct evs_task *t, void *ctx);
    void *ctx;
    void (*free_ctx)(void *ctx);
    struct evs_thread *thread;
    struct evs_slot *slot;
    struct evs_stop stop;
    const struct evs_wake *wake;
    atomic_bool ended;
    struct evs_task *next; /* among the dropped */
};

static struct evs_task *dropped; /* UI thread only */

static void thread_main(void *arg)
{
    struct evs_task *t = arg;
    t->run(t, t->ctx);
    atomic_store(&t->ended, true);
    evs_wake_notify(t->wake);
}

static void free_task(struct evs_task *t)
{
    evs_thread_join(t->thread);
    if (t->free_ctx)
        t->free_ctx(t->ctx);
    evs_slot_free(t->slot);
    evs_stop_done(&t->stop);
    evs_free(t);
}

struct evs_task *evs_task_start(const char *name, void (*run)(struct evs_task *t, void *ctx),
                                void *ctx, void (*free_ctx)(void *ctx), const struct evs_wake *wake)
{
    struct evs_task *t = evs_xcalloc(1, sizeof(*t));
    struct evs_err err = EVS_ERR_INIT;
    t->run = run;
    t->ctx = ctx;
    t->free_ctx = free_ctx;
    t->wake = wake;
    t->slot = evs_slot_new(wake);
    atomic_init(&t->ended, false);
    if (evs_stop_init(&t->stop, &err) || evs_thread_start(name, thread_main, t, &t->thread, &err)) {
        evs_log(EVS_LOG_ERROR, "%s: %s", name, err.msg);
        t->thread = NULL;
        free_task(t);
        return NULL;
    }
    return t;
}

struct evs_stop *evs_task_stop_flag(struct evs_task *t)
{
    return &t->stop;
}

void evs_task_publish(struct evs_task *t, struct evs_snap *sn)
{
    evs_slot_publish(t->slot, sn);
}

struct evs_snap *evs_task_take(struct evs_task *t, uint64_t than)
{
    return t ? evs_slot_take(t->slot, than) : NULL;
}

bool evs_task_running(const struct evs_task *t)
{
    return t && !atomic_load(&t->ended);
}

void evs_task_stop(struct evs_task *t)
{
    if (t)
        evs_stop_raise(&t->stop);
}

void evs_task_drop(struct evs_task *t)
{
    if (!t)
        return;
    evs_stop_raise(&t->stop);
    t->next = dropped;
    dropped = t;
    evs_task_reap();
}

struct retired {
    void (*free_it)(void *it);
    void *it;
};

static void run_retire(struct evs_task *t, void *ctx)
{
    struct retired *r = ctx;
    (void)t;
    r->free_it(r->it);
}

void evs_task_retire(const char *name, void (*free_it)(void *it), void *it)
{
    if (!it)
        return;
    struct retired *r = evs_xmalloc(sizeof(*r));
    *r = (struct retired){free_it, it};
    struct evs_task *t = evs_task_start(name, run_retire, r, evs_free, NULL);
    if (!t)
        free_it(it); /* no thread left: better late than leaked */
    else
        evs_task_drop(t);
}

void evs_task_reap(void)
{
    for (struct evs_task **at = &dropped; *at;) {
        struct evs_task *t = *at;
        if (atomic_load(&t->ended)) {
            *at = t->next;
            free_task(t);
        } else {
            at = &t->next;
        }
    }
}

bool evs_task_reap_all(void)
{
    int64_t end = evs_clock_mono_us() + 1000000;
    evs_task_reap();
    while (dropped && evs_clock_mono_us() < end) {
        (void)poll(NULL, 0, 5); /* rare: a request that cannot be interrupted */
        evs_task_reap();
    }
    return !dropped;
}
