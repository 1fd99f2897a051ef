/* thread.h - named threads, a stop flag one can wait on, and the wake pipe.
 *
 * A stop is raised once and stays raised; evs_stop_wait sleeps until then or until the time is
 * over, so a stopping thread never waits out a sleep. A wake is a pipe that poll() can watch:
 * notify is async-signal-safe and never blocks.
 *
 * Threads  any; join once, by the starter.   Owns  descriptors until _done.
 * Errors   EVS_FATAL when the system gives no thread or pipe.   Cost  one system call.
 */
#ifndef EVS_CORE_THREAD_H
#define EVS_CORE_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct evs_thread; /* opaque */

/* name: at most 15 bytes show in top -H. All signals are blocked in the new thread. */
enum evs_rc evs_thread_start(const char *name, void (*run)(void *arg), void *arg,
                             struct evs_thread **ret_t, struct evs_err *err) EVS_MUST_USE;
/* Runs both, one on a thread of its own where the system gives it; returns when both are done. */
void evs_thread_both(void (*one)(void *arg), void *one_arg, void (*other)(void *arg),
                     void *other_arg);
/* Threads started from now on, and those they start, yield the processor to this one (nice +10): a
 * scan on every core must not slow down the keys. Never back. */
void evs_thread_yield_to_me(void);
void evs_thread_join(struct evs_thread *t); /* NULL is fine; frees t */
/* Only for one that hangs in another's library at the end of the process (core/call): it is never
 * joined and must touch nothing but its own. */
void evs_thread_leave(struct evs_thread *t);

struct evs_wake {
    int fds[2]; /* read end, write end; -1 when not open */
};
enum evs_rc evs_wake_init(struct evs_wake *w, struct evs_err *err) EVS_MUST_USE;
void evs_wake_notify(const struct evs_wake *w); /* NULL is fine; async-signal-safe */
void evs_wake_drain(const struct evs_wake *w);
void evs_wake_done(struct evs_wake *w);

struct evs_stop {
    atomic_bool raised;
    struct evs_wake wake;
};
enum evs_rc evs_stop_init(struct evs_stop *s, struct evs_err *err) EVS_MUST_USE;
void evs_stop_raise(struct evs_stop *s); /* async-signal-safe */
/* true when raised; waits up to wait_ms for it. */
bool evs_stop_wait(struct evs_stop *s, int64_t wait_ms);
/* The same, but also returns when w is notified. */
bool evs_stop_wait_or(struct evs_stop *s, const struct evs_wake *w, int64_t wait_ms);
void evs_stop_done(struct evs_stop *s);

static inline bool evs_stop_raised(const struct evs_stop *s)
{
    return atomic_load_explicit(&s->raised, memory_order_acquire); /* sees what was done before */
}

#endif
