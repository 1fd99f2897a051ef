#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static EVS_PRINTF(5, 0) void set(struct evs_err *err, enum evs_rc code, const char *domain,
                                 int native, const char *fmt, va_list ap)
{
    char msg[sizeof(err->msg)]; /* an argument may point into err->msg */
    vsnprintf(msg, sizeof(msg), fmt, ap);
    memcpy(err->msg, msg, sizeof(msg));
    err->code = code;
    err->domain = domain;
    err->native = native;
    err->row = 0;
    err->hint[0] = '\0';
}

enum evs_rc evs_fail(struct evs_err *err, enum evs_rc code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(err, code, NULL, 0, fmt, ap);
    va_end(ap);
    return code;
}

enum evs_rc evs_fail_native(struct evs_err *err, enum evs_rc code, const char *domain, int native,
                            const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(err, code, domain, native, fmt, ap);
    va_end(ap);
    return code;
}

enum evs_rc evs_fail_errno(struct evs_err *err, int errnum, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(err, EVS_FATAL, "errno", errnum, fmt, ap);
    va_end(ap);
    size_t used = strlen(err->msg);
    snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", strerror(errnum));
    return EVS_FATAL;
}

enum evs_rc evs_wrap(struct evs_err *err, const char *fmt, ...)
{
    char head[sizeof(err->msg)];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(head, sizeof(head), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n + 2 >= sizeof(head))
        return err->code;
    snprintf(head + n, sizeof(head) - (size_t)n, ": %.*s", (int)(sizeof(head) - (size_t)n - 3),
             err->msg);
    memcpy(err->msg, head, sizeof(err->msg));
    return err->code;
}

enum evs_rc evs_hint(struct evs_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
    va_end(ap);
    return err->code;
}

const char *evs_rc_name(enum evs_rc rc)
{
    static const char *const names[] = {"ok",    "again",  "eof",  "invalid",
                                        "retry", "poison", "fatal"};
    return (size_t)rc < EVS_COUNT(names) ? names[rc] : "?";
}
