#include "core/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/xalloc.h"

struct evs_thread {
    pthread_t id;
    void (*run)(void *);
    void *arg;
    atomic_int holders; /* its starter and itself */
    char name[16];
};

enum { YIELD_NICE = 10, NICE_NONE = 1000 };
static atomic_int nice_of_others = NICE_NONE;

void evs_thread_yield_to_me(void)
{
    atomic_store(&nice_of_others, getpriority(PRIO_PROCESS, 0) + YIELD_NICE);
}

static void let_go(struct evs_thread *t)
{
    if (atomic_fetch_sub(&t->holders, 1) == 1)
        evs_free(t);
}

static void *enter(void *arg)
{
    struct evs_thread *t = arg;
#ifdef __linux__
    pthread_setname_np(pthread_self(), t->name);
    /* Of this thread alone: niceness is per thread there, and inherited by those it makes. */
    int nice = atomic_load(&nice_of_others);
    if (nice != NICE_NONE)
        (void)setpriority(PRIO_PROCESS, 0, nice);
#endif
    t->run(t->arg);
    let_go(t);
    return NULL;
}

enum evs_rc evs_thread_start(const char *name, void (*run)(void *arg), void *arg,
                             struct evs_thread **ret_t, struct evs_err *err)
{
    struct evs_thread *t = evs_xcalloc(1, sizeof(*t));
    t->run = run;
    t->arg = arg;
    atomic_init(&t->holders, 2);
    snprintf(t->name, sizeof(t->name), "%s", name);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = pthread_create(&t->id, NULL, enter, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        evs_free(t);
        return evs_fail_errno(err, failed, "thread %s", name);
    }
    *ret_t = t;
    return EVS_OK;
}

void evs_thread_both(void (*one)(void *arg), void *one_arg, void (*other)(void *arg),
                     void *other_arg)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_thread *t = NULL;
    if (evs_thread_start("both", one, one_arg, &t, &err))
        one(one_arg);
    other(other_arg);
    evs_thread_join(t);
}

void evs_thread_join(struct evs_thread *t)
{
    if (!t)
        return;
    pthread_join(t->id, NULL);
    let_go(t);
}

void evs_thread_leave(struct evs_thread *t)
{
    pthread_detach(t->id);
    let_go(t);
}

enum evs_rc evs_wake_init(struct evs_wake *w, struct evs_err *err)
{
    if (pipe(w->fds) != 0) {
        w->fds[0] = w->fds[1] = -1;
        return evs_fail_errno(err, errno, "pipe");
    }
    for (int i = 0; i < 2; i++) {
        fcntl(w->fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(w->fds[i], F_SETFL, O_NONBLOCK);
    }
    return EVS_OK;
}

void evs_wake_notify(const struct evs_wake *w)
{
    if (!w || w->fds[1] < 0)
        return;
    int saved = errno;
    ssize_t n = write(w->fds[1], "", 1); /* full is fine: it is awake then */
    (void)n;
    errno = saved;
}

void evs_wake_drain(const struct evs_wake *w)
{
    char junk[64];
    while (read(w->fds[0], junk, sizeof(junk)) > 0) {
    }
}

void evs_wake_done(struct evs_wake *w)
{
    for (int i = 0; i < 2; i++) {
        if (w->fds[i] >= 0)
            close(w->fds[i]);
        w->fds[i] = -1;
    }
}

enum evs_rc evs_stop_init(struct evs_stop *s, struct evs_err *err)
{
    atomic_init(&s->raised, false);
    return evs_wake_init(&s->wake, err);
}

void evs_stop_raise(struct evs_stop *s)
{
    atomic_store(&s->raised, true);
    evs_wake_notify(&s->wake); /* never drained: stays readable for all who wait */
}

bool evs_stop_wait_or(struct evs_stop *s, const struct evs_wake *w, int64_t wait_ms)
{
    struct pollfd p[2] = {{.fd = s->wake.fds[0], .events = POLLIN},
                          {.fd = w->fds[0], .events = POLLIN}};
    if (!evs_stop_raised(s) && wait_ms > 0)
        poll(p, 2, wait_ms > 60000 ? 60000 : (int)wait_ms);
    evs_wake_drain(w);
    return evs_stop_raised(s);
}

bool evs_stop_wait(struct evs_stop *s, int64_t wait_ms)
{
    int64_t until = evs_clock_mono_us() + wait_ms * 1000;
    for (;;) {
        if (evs_stop_raised(s))
            return true;
        int64_t left_us = until - evs_clock_mono_us();
        if (left_us <= 0)
            return false;
        struct pollfd p = {.fd = s->wake.fds[0], .events = POLLIN};
        int64_t ms = (left_us + 999) / 1000;
        poll(&p, 1, ms > 60000 ? 60000 : (int)ms);
    }
}

void evs_stop_done(struct evs_stop *s)
{
    evs_wake_done(&s->wake);
}
