/* doctor.h - from a name to permissions, step by step: what works, what fails, the fix.
 *
 * Steps, in order: name, reach, speaks (plain) or TLS, login and metadata, advertised listeners,
 * clock, library, then one step a pillar's permission. A step that fails stops those that need it;
 * they are told as not tried. Nothing is written and no group is joined.
 *
 * Units    ms.   Threads  the caller's; blocks.   Owns  texts of a step are borrowed for the call.
 * Errors   in the steps.   Cost  some connections and requests, each bounded by the client's
 *          timeout.
 */
#ifndef EVS_KAFKA_DOCTOR_H
#define EVS_KAFKA_DOCTOR_H

#include "core/err.h"

struct evs_client_conf;
struct evs_stop;

enum evs_step_state {
    EVS_STEP_OK,
    EVS_STEP_FAILED,
    EVS_STEP_NOTE, /* worth knowing, no failure */
    EVS_STEP_NOT_TRIED
};

struct evs_step {
    const char *name; /* static: "name", "reach", "TLS", ... */
    enum evs_step_state state;
    const char *text, *fix; /* fix NULL: none */
};

struct evs_doctor_opts {
    const char *topic, *group; /* whose permissions are tried; NULL: the first seen */
    void (*step)(void *ctx, const struct evs_step *s);
    void *ctx;
    struct evs_stop *stop; /* may be NULL */
};
/* EVS_OK: all steps were told (failed or not); EVS_AGAIN: stopped. */
enum evs_rc evs_doctor(const struct evs_client_conf *conf, const struct evs_doctor_opts *opts,
                       struct evs_err *err) EVS_MUST_USE;

#endif
