/* call.h - a function that may block for long, ended early for its caller by a stop.
 *
 * Some libraries' requests cannot be interrupted. The function runs on a thread of its own and the
 * caller waits for it or for the stop, whichever comes first. Once stopped, it gets a moment to
 * come back by itself; then it is left behind and frees its argument when it returns.
 *
 * Threads  any.   Owns  arg is the call's from now on: after EVS_OK the caller has it back, after
 *          EVS_AGAIN it belongs to the thread that was left behind.
 * Errors   EVS_AGAIN the stop came first. Without a thread to be had, or without a stop, it runs
 *          here.
 * Cost     a thread, about 30 us; nothing without a stop.
 */
#ifndef EVS_CORE_CALL_H
#define EVS_CORE_CALL_H

#include <stdbool.h>

#include "core/attr.h"
#include "core/err.h"

struct evs_stop;

enum evs_rc evs_call(const char *name, void (*run)(void *arg), void *arg,
                     void (*free_arg)(void *arg), struct evs_stop *stop) EVS_MUST_USE;
/* From now on all that runs is left behind: a stopped command has said all it will say, and its end
 * is not held up by taking its libraries down. */
void evs_call_leave(void);
/* Something was left behind and may still run: free nothing it could use, and end by _exit(). */
bool evs_call_left(void);

#endif
