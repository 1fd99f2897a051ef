/* num_time.c - the calendar half of num.h. */
#include "core/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/text.h"

static bool utc;

void evs_num_set_utc(bool on)
{
    utc = on;
}

static int64_t floor_s(int64_t ts_ms)
{
    return ts_ms / 1000 - (ts_ms % 1000 < 0);
}

/* 0..999, also before 1970 and at the ends of int64_t: timestamps come from producers. */
static int ms_of(int64_t ts_ms)
{
    return (int)((ts_ms % 1000 + 1000) % 1000);
}

static struct tm broken(int64_t ts_ms)
{
    time_t t = (time_t)floor_s(ts_ms);
    struct tm tm;
    memset(&tm, 0, sizeof(tm));
    if (utc)
        gmtime_r(&t, &tm);
    else
        localtime_r(&t, &tm);
    return tm;
}

static int64_t from_broken(struct tm *tm)
{
    tm->tm_isdst = -1;
    return (int64_t)(utc ? timegm(tm) : mktime(tm)) * 1000;
}

/* Exactly n digits at *p; moves past them. */
static bool digits(const char **p, int n, int *ret_v)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *p += n;
    *ret_v = v;
    return true;
}

static bool take(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* HH:MM[:SS[.fff]] */
static bool parse_clock(const char **p, struct tm *tm, int *ret_ms)
{
    if (!digits(p, 2, &tm->tm_hour) || !take(p, ':') || !digits(p, 2, &tm->tm_min))
        return false;
    if (take(p, ':') && !digits(p, 2, &tm->tm_sec))
        return false;
    if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
        return false;
    if (!take(p, '.'))
        return true;
    int scale = 100, v;
    while (digits(p, 1, &v)) {
        *ret_ms += v * scale;
        scale /= 10;
    }
    return scale < 100;
}

/* Z, +01:00, +0100 or nothing (local). */
static bool parse_zone(const char **p, struct tm *tm, int64_t *ret_ms)
{
    int sign = **p == '-' ? -1 : 1, h = 0, m = 0;
    if (take(p, 'Z') || take(p, 'z')) {
        *ret_ms = (int64_t)timegm(tm) * 1000;
        return true;
    }
    if (!take(p, '+') && !take(p, '-')) {
        *ret_ms = from_broken(tm);
        return true;
    }
    if (!digits(p, 2, &h) || (take(p, ':'), !digits(p, 2, &m)) || h > 23 || m > 59)
        return false;
    *ret_ms = ((int64_t)timegm(tm) - sign * (h * 3600 + m * 60)) * 1000;
    return true;
}

static bool parse_date(const char *s, int64_t *ret_ts_ms)
{
    struct tm tm;
    memset(&tm, 0, sizeof(tm));
    int year, ms = 0;
    const char *p = s;
    if (!digits(&p, 4, &year) || !take(&p, '-') || !digits(&p, 2, &tm.tm_mon) || !take(&p, '-') ||
        !digits(&p, 2, &tm.tm_mday) || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1)
        return false;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (tm.tm_mday > days[tm.tm_mon - 1] + (leap && tm.tm_mon == 2))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon--;
    if ((take(&p, 'T') || take(&p, 't') || take(&p, ' ')) && !parse_clock(&p, &tm, &ms))
        return false;
    int64_t at;
    if (!parse_zone(&p, &tm, &at) || *p)
        return false;
    *ret_ts_ms = at + ms;
    return true;
}

static bool parse_word(const char *s, int64_t now_ms, int64_t *ret_ts_ms)
{
    if (!strcmp(s, "now")) {
        *ret_ts_ms = now_ms;
        return true;
    }
    int back = !strncmp(s, "today", 5) ? 0 : !strncmp(s, "yesterday", 9) ? 1 : -1;
    if (back < 0)
        return false;
    struct tm tm = broken(now_ms);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday -= back;
    const char *p = s + (back ? 9 : 5);
    int ms = 0;
    if (take(&p, ' ') && !parse_clock(&p, &tm, &ms))
        return false;
    if (*p)
        return false;
    *ret_ts_ms = from_broken(&tm) + ms;
    return true;
}

enum evs_rc evs_num_time(const char *s, int64_t now_ms, int64_t *ret_ts_ms, struct evs_err *err)
{
    size_t n = strlen(s);
    if (n && strspn(s, "0123456789") == n) {
        int64_t v;
        enum evs_rc rc = evs_num_i64(s, 0, INT64_MAX / 1000, &v, err);
        if (!rc)
            *ret_ts_ms = v >= 100000000000 ? v : v * 1000;
        return rc;
    }
    if (parse_word(s, now_ms, ret_ts_ms) || parse_date(s, ret_ts_ms))
        return EVS_OK;
    char text[32];
    if (n > 4 && n < sizeof(text) && !strcmp(s + n - 4, " ago"))
        n -= 4;
    snprintf(text, sizeof(text), "%.*s", (int)(n < sizeof(text) ? n : sizeof(text) - 1), s);
    int64_t ms;
    if (n < sizeof(text) && !evs_num_duration(text, &ms, err)) {
        *ret_ts_ms = now_ms - ms;
        return EVS_OK;
    }
    return evs_fail(err, EVS_INVALID,
                    "'%s' is not a time: use 15m, 2h, 2026-11-21, '2026-11-21 14:00', "
                    "2026-11-21T14:00:00Z or epoch milliseconds",
                    s);
}

char *evs_num_ratio(char *to, double ratio)
{
    snprintf(to, EVS_NUM_LEN, "%.1f%s", ratio, evs_text_ascii() ? "x" : "\xc3\x97");
    return to;
}

char *evs_num_clock(char *to, int64_t ts_ms, int64_t now_ms)
{
    struct tm tm = broken(ts_ms), now = broken(now_ms);
    size_t n = 0;
    if (tm.tm_year != now.tm_year || tm.tm_yday != now.tm_yday)
        n = strftime(to, EVS_NUM_LEN,
                     ts_ms > now_ms - 6 * 86400000LL && ts_ms < now_ms ? "%a " : "%Y-%m-%d ", &tm);
    snprintf(to + n, EVS_NUM_LEN - n, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
             ms_of(ts_ms));
    return to;
}

char *evs_num_moment(char *to, int64_t ts_ms, int64_t now_ms, int64_t step_ms)
{
    if (now_ms >= 0)
        evs_num_clock(to, ts_ms, now_ms);
    else
        evs_num_clock(to, ts_ms, ts_ms + 2 * 86400000LL);
    bool day = strchr(to, ' ') != NULL;
    char *end = strrchr(to, '.');
    if (end && (step_ms >= 1000 || !step_ms))
        *end = '\0';
    end = strrchr(to, ':');
    if (end && (step_ms >= 60000 || (!step_ms && day)))
        *end = '\0';
    return to;
}

char *evs_num_iso(char *to, int64_t ts_ms)
{
    struct tm tm = broken(ts_ms);
    size_t n = strftime(to, EVS_NUM_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
    long off = utc ? 0 : tm.tm_gmtoff;
    int ms = ms_of(ts_ms);
    if (off == 0)
        snprintf(to + n, EVS_NUM_LEN - n, ".%03dZ", ms);
    else
        snprintf(to + n, EVS_NUM_LEN - n, ".%03d%c%02ld:%02ld", ms, off < 0 ? '-' : '+',
                 labs(off) / 3600, labs(off) / 60 % 60);
    return to;
}

char *evs_num_zone(char *to, int64_t ts_ms)
{
    struct tm tm = broken(ts_ms);
    if (utc || !strftime(to, EVS_NUM_LEN, "%Z", &tm))
        snprintf(to, EVS_NUM_LEN, "UTC");
    return to;
}
