/* err.h - results and the context of failures.
 *
 * The world's faults are enum evs_rc; ours are assert(). Whoever sets the code decides its class;
 * callers act on the class and never parse text. A message names what, which and why, outermost
 * context first: "replay orders: sqlite: disk full". The hint says what to do next, or is empty.
 *
 * Threads  none: each call has its own struct.   Owns  everything inline.   Cost  one snprintf.
 */
#ifndef EVS_CORE_ERR_H
#define EVS_CORE_ERR_H

#include <stddef.h>

#include "core/attr.h"

enum evs_rc {
    EVS_OK = 0,
    EVS_AGAIN,   /* nothing yet */
    EVS_EOF,     /* the range is finished, the queue closed */
    EVS_INVALID, /* the caller's input is wrong: command line, configuration, plan (exit code 2) */
    EVS_RETRY,   /* try the same again later */
    EVS_POISON,  /* this record cannot pass */
    EVS_FATAL    /* stop and tell (exit code 1) */
};

struct evs_err {
    enum evs_rc code;
    const char *domain; /* static: "errno", "kafka", "sqlite", "pg", "http"; NULL is ours */
    int native;         /* that domain's number, 0 if none */
    size_t row;         /* EVS_POISON: index of the offending row; decode/: the byte */
    char msg[512];
    char hint[256];
};
#define EVS_ERR_INIT                                                                               \
    {                                                                                              \
        EVS_OK, NULL, 0, 0, "", ""                                                                 \
    }

/* Set err and return code. err is never NULL. Clears the hint. */
enum evs_rc evs_fail(struct evs_err *err, enum evs_rc code, const char *fmt, ...) EVS_PRINTF(3, 4);
/* The same with a library's number. domain is a static string. */
enum evs_rc evs_fail_native(struct evs_err *err, enum evs_rc code, const char *domain, int native,
                            const char *fmt, ...) EVS_PRINTF(5, 6);
/* errno: "WHAT: No space left on device", class EVS_FATAL. */
enum evs_rc evs_fail_errno(struct evs_err *err, int errnum, const char *fmt, ...) EVS_PRINTF(3, 4);
/* Put "context: " before the message; returns err->code. */
enum evs_rc evs_wrap(struct evs_err *err, const char *fmt, ...) EVS_PRINTF(2, 3);
/* What to do next; returns err->code. */
enum evs_rc evs_hint(struct evs_err *err, const char *fmt, ...) EVS_PRINTF(2, 3);
/* "ok", "again", ... */
const char *evs_rc_name(enum evs_rc rc);

#endif
