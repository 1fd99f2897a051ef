/* task.h - work that may wait, off the UI thread, with its answer in a slot.
 *
 * A screen starts a task in enter() or on a key, takes its snapshots in refresh(), and drops it in
 * leave(): a dropped task is told to stop and joined later, when it has ended, so that the
 * interface never waits.
 *
 *     t = evs_task_start("resolve", run, ctx, free_ctx, evs_ui_wake(s->ui));
 *     static void run(struct evs_task *t, void *ctx) { ...; evs_task_publish(t, &sn->snap); }
 *     struct my_sn *sn = (void *)evs_task_take(t, have ? have->snap.generation : 0);
 *
 * Threads  run() on the task's own; the rest on the UI thread.   Owns  ctx, freed after run().
 * Errors   NULL when no thread can be had (logged).   Cost  one thread.
 */
#ifndef EVS_UI_TASK_H
#define EVS_UI_TASK_H

#include <stdbool.h>
#include <stdint.h>

struct evs_task;
struct evs_snap;
struct evs_wake;
struct evs_stop;

struct evs_task *evs_task_start(const char *name, void (*run)(struct evs_task *t, void *ctx),
                                void *ctx, void (*free_ctx)(void *ctx),
                                const struct evs_wake *wake);
/* In run(): raised when nobody wants the answer any more; evs_stop_wait sleeps on it. */
struct evs_stop *evs_task_stop_flag(struct evs_task *t);
void evs_task_publish(struct evs_task *t, struct evs_snap *sn); /* moves the reference */
/* On the UI thread. t may be NULL. */
struct evs_snap *evs_task_take(struct evs_task *t, uint64_t than);
bool evs_task_running(const struct evs_task *t);
void evs_task_stop(struct evs_task *t); /* asks; what was published can still be taken */
void evs_task_drop(struct evs_task *t); /* stops; joined and freed when it has ended */
/* Frees what may have to wait for its threads (pollers, sessions) without the interface waiting. */
void evs_task_retire(const char *name, void (*free_it)(void *it), void *it);
void evs_task_reap(void); /* the loop: frees dropped tasks that have ended */
/* At the end: waits for them up to a second. false: some are left behind and may still notify. */
bool evs_task_reap_all(void);

#endif
