#include "core/call.h"

#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>

#include "core/thread.h"
#include "core/xalloc.h"

enum { GRACE_MS = 100, AT_MOST_MS = 60000 };
enum { RUNNING, RETURNED, LEFT };

struct call {
    void (*run)(void *arg);
    void *arg;
    void (*free_arg)(void *arg);
    atomic_int state;
    struct evs_stop done;
    struct evs_thread *thread;
};

static atomic_bool left;

static void free_call(struct call *c)
{
    evs_stop_done(&c->done);
    evs_free(c);
}

static void call_main(void *arg)
{
    struct call *c = arg;
    int running = RUNNING;
    c->run(c->arg);
    if (atomic_compare_exchange_strong(&c->state, &running, RETURNED)) {
        evs_stop_raise(&c->done);
        return;
    }
    c->free_arg(c->arg); /* nobody waits any more, and nobody joins */
    free_call(c);
}

static void wait_for(struct call *c, struct evs_stop *stop)
{
    struct pollfd fds[2] = {{c->done.wake.fds[0], POLLIN, 0}, {stop->wake.fds[0], POLLIN, 0}};
    while (!evs_stop_raised(&c->done) && !evs_stop_raised(stop))
        (void)poll(fds, 2, AT_MOST_MS);
    (void)evs_stop_wait(&c->done, GRACE_MS);
}

enum evs_rc evs_call(const char *name, void (*run)(void *arg), void *arg,
                     void (*free_arg)(void *arg), struct evs_stop *stop)
{
    struct evs_err unused = EVS_ERR_INIT;
    struct call *c = evs_xcalloc(1, sizeof(*c));
    *c = (struct call){.run = run, .arg = arg, .free_arg = free_arg};
    if (!stop || evs_stop_init(&c->done, &unused)) {
        evs_free(c);
        run(arg);
        return EVS_OK;
    }
    if (evs_thread_start(name, call_main, c, &c->thread, &unused)) {
        free_call(c);
        run(arg);
        return EVS_OK;
    }
    wait_for(c, stop);
    int running = RUNNING;
    struct evs_thread *t = c->thread;
    if (atomic_compare_exchange_strong(&c->state, &running, LEFT)) {
        atomic_store(&left, true);
        evs_thread_leave(t);
        return EVS_AGAIN;
    }
    /* It has returned, and may still be on its way out of evs_stop_raise. */
    evs_thread_join(t);
    free_call(c);
    return EVS_OK;
}

void evs_call_leave(void)
{
    atomic_store(&left, true);
}

bool evs_call_left(void)
{
    return atomic_load(&left);
}
