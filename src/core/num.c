#include "core/num.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum evs_rc evs_num_i64(const char *s, int64_t min, int64_t max, int64_t *ret_v,
                        struct evs_err *err)
{
    const char *digits = *s == '-' || *s == '+' ? s + 1 : s;
    size_t n = strspn(digits, "0123456789");
    if (!n || digits[n])
        return evs_fail(err, EVS_INVALID, "'%s' is not a whole number", s);
    errno = 0;
    long long v = strtoll(s, NULL, 10);
    if (errno || v < min || v > max)
        return evs_fail(err, EVS_INVALID, "%s is not between %lld and %lld", s, (long long)min,
                        (long long)max);
    *ret_v = v;
    return EVS_OK;
}

enum evs_rc evs_num_double(const char *s, double *ret_v, struct evs_err *err)
{
    char *end;
    errno = 0;
    double v = strtod(s, &end);
    if (end == s || *end || errno || !isfinite(v) || strpbrk(s, "xX"))
        return evs_fail(err, EVS_INVALID, "'%s' is not a number", s);
    *ret_v = v;
    return EVS_OK;
}

enum evs_rc evs_num_size(const char *s, int64_t *ret_bytes, struct evs_err *err)
{
    char *end;
    errno = 0;
    double v = strtod(s, &end);
    const char *units = "kmgt";
    double scale = 1;
    const char *u = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
    if (u) {
        scale = pow(1024, (double)(u - units) + 1);
        end++;
        end += *end == 'i';
    }
    end += *end == 'B' || (u && *end == 'b');
    if (!isdigit((unsigned char)*s) || errno || *end || strpbrk(s, "xXeE"))
        return evs_fail(err, EVS_INVALID, "'%s' is not a size such as 64k, 256M or 2G", s);
    v *= scale;
    if (v > 9e18)
        return evs_fail(err, EVS_INVALID, "%s is too large a size", s);
    *ret_bytes = (int64_t)v;
    return EVS_OK;
}

static const struct {
    const char *name;
    double ms;
} duration_units[] = {{"ms", 1},     {"s", 1e3},       {"m", 60e3},
                      {"h", 3600e3}, {"d", 86400e3},   {"w", 6048e5},
                      {"min", 60e3}, {"hour", 3600e3}, {"day", 86400e3}};

static double unit_ms(const char **p)
{
    size_t n = 0;
    while (isalpha((unsigned char)(*p)[n]))
        n++;
    for (size_t i = 0; i < EVS_COUNT(duration_units); i++)
        if (strlen(duration_units[i].name) == n && !strncmp(*p, duration_units[i].name, n)) {
            *p += n;
            return duration_units[i].ms;
        }
    return 0;
}

enum evs_rc evs_num_duration(const char *s, int64_t *ret_ms, struct evs_err *err)
{
    const char *p = s;
    double total = 0;
    bool bad = !*p;
    while (*p && !bad) {
        char *end;
        double v = isdigit((unsigned char)*p) ? strtod(p, &end) : (end = NULL, 0);
        bad = !end || !isdigit((unsigned char)end[-1]);
        if (bad)
            break;
        double ms = p == s && !*end ? 1e3 : (p = end, unit_ms(&p));
        if (p == s)
            p = end;
        bad = ms <= 0;
        total += v * ms;
        while (*p == ' ')
            p++;
    }
    if (bad || total > 9e15)
        return evs_fail(err, EVS_INVALID, "'%s' is not a duration such as 500ms, 10s, 15m or 2h",
                        s);
    *ret_ms = (int64_t)llround(total);
    return EVS_OK;
}

static char *put(char *to, const char *fmt, ...) EVS_PRINTF(2, 3);

static char *put(char *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(to, EVS_NUM_LEN, fmt, ap);
    va_end(ap);
    return to;
}

char *evs_num_commas(char *to, int64_t v)
{
    char plain[24];
    snprintf(plain, sizeof(plain), "%lld", (long long)v);
    size_t n = strlen(plain), at = 0;
    size_t lead = plain[0] == '-';
    for (size_t i = 0; i < n; i++) {
        if (i > lead && (n - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = plain[i];
    }
    to[at] = '\0';
    return to;
}

static char *three(char *to, double v, double step, const char *const *units)
{
    int u = 0;
    while (fabs(v) >= step - step / 2000 && units[u + 1]) {
        v /= step;
        u++;
    }
    int digits = u == 0            ? (fabs(v) < 10 && v != floor(v) ? 1 : 0)
                 : fabs(v) < 9.995 ? 2
                 : fabs(v) < 99.95 ? 1
                                   : 0;
    return put(to, "%.*f%s%s", digits, v, *units[u] ? " " : "", units[u]);
}

char *evs_num_human(char *to, double v)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", NULL};
    if (fabs(v) < 10000 && v == floor(v))
        return evs_num_commas(to, (int64_t)v);
    return three(to, v, 1000, units);
}

char *evs_num_bytes(char *to, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", NULL};
    return three(to, bytes, 1000, units);
}

char *evs_num_width(char *to, int64_t ms)
{
    evs_num_ago(to, ms);
    size_t n = strlen(to);
    if (n > 5 && !strncmp(to + n - 5, " 00 ", 4)) /* "36 h 00 m" */
        to[n - 5] = '\0';
    return to;
}

char *evs_num_took(char *to, int64_t ms)
{
    if (ms >= 60000)
        return evs_num_ago(to, ms);
    if (ms < 1000)
        snprintf(to, EVS_NUM_LEN, "%lld ms", (long long)(ms > 0 ? ms : 0));
    else
        snprintf(to, EVS_NUM_LEN, "%.*f s", ms < 9995 ? 2 : 1, (double)ms / 1000);
    return to;
}

char *evs_num_ago(char *to, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 0)
        return put(to, "-%.1f s", -(double)ms / 1e3);
    if (s < 10)
        return put(to, "%.1f s", (double)ms / 1e3);
    if (s < 60)
        return put(to, "%lld s", (long long)s);
    if (s < 3600)
        return put(to, "%lld m %02lld s", (long long)s / 60, (long long)s % 60);
    if (s < 48 * 3600)
        return put(to, "%lld h %02lld m", (long long)s / 3600, (long long)s / 60 % 60);
    return put(to, "%lld d %02lld h", (long long)s / 86400, (long long)s / 3600 % 24);
}

char *evs_num_share(char *to, double share)
{
    return put(to, "%.1f %%", share * 100);
}
