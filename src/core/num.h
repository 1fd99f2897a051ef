/* num.h - numbers, sizes, durations and times: strict in, one style out.
 *
 * Parsers take the whole text or fail with EVS_INVALID naming it. Formatters write into the
 * caller's char[EVS_NUM_LEN] and return it.
 *
 * Units    bytes; milliseconds; epoch milliseconds UTC.   Threads  any.   Owns  nothing.
 * Errors   EVS_INVALID.                                   Cost  O(length).
 */
#ifndef EVS_CORE_NUM_H
#define EVS_CORE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum { EVS_NUM_LEN = 48 };

enum evs_rc evs_num_i64(const char *s, int64_t min, int64_t max, int64_t *ret_v,
                        struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_num_double(const char *s, double *ret_v, struct evs_err *err) EVS_MUST_USE;
/* 4096, 64k, 256M, 2G (powers of 1024; an i or B may follow). */
enum evs_rc evs_num_size(const char *s, int64_t *ret_bytes, struct evs_err *err) EVS_MUST_USE;
/* 500ms, 10s, 15m, 2h, 3d, 1w, 1h30m; a bare number is seconds. */
enum evs_rc evs_num_duration(const char *s, int64_t *ret_ms, struct evs_err *err) EVS_MUST_USE;
/* A duration back from now_ms (15m, "2h ago"), now, RFC 3339, YYYY-MM-DD[ HH:MM[:SS[.mmm]]] local,
 * today, yesterday [HH:MM], epoch seconds or milliseconds (from 10^11 on). */
enum evs_rc evs_num_time(const char *s, int64_t now_ms, int64_t *ret_ts_ms,
                         struct evs_err *err) EVS_MUST_USE;

/* 48,123,406 */
char *evs_num_commas(char *to, int64_t v);
/* Exact with commas below 10,000; else three figures and a unit: 48.1 M, 2.10 k. */
char *evs_num_human(char *to, double v);
/* Decimal units: 214 B, 41.7 kB, 1.92 MB. */
char *evs_num_bytes(char *to, double bytes);
/* Two units: 0.3 s, 9.8 s, 1 m 41 s, 22 m 05 s, 2 h 41 m, 35 h 58 m, 3 d 04 h. */
char *evs_num_ago(char *to, int64_t ms);
/* A width: as evs_num_ago without a second unit of zero: 36 h, 20 m, 1 h 20 m. */
char *evs_num_width(char *to, int64_t ms);
/* What work took, or lies between two records: 12 ms, 1.02 s, 12.3 s, then as evs_num_ago. */
char *evs_num_took(char *to, int64_t ms);
/* 38.4 % of a share 0..1; 5.2x as a ratio (× where not ASCII). */
char *evs_num_share(char *to, double share);
char *evs_num_ratio(char *to, double ratio);
/* Times of the local zone, or UTC after evs_num_set_utc(true). */
void evs_num_set_utc(bool on);
char *evs_num_clock(char *to, int64_t ts_ms,
                    int64_t now_ms); /* 14:32:06.107; day added if not today */
/* As much of it as a step of that width needs: 14:32, 14:32:06 or 14:32:06.107; step 0: minutes
 * where the day is named, else seconds. now_ms < 0 names the day always. */
char *evs_num_moment(char *to, int64_t ts_ms, int64_t now_ms, int64_t step_ms);
char *evs_num_iso(char *to, int64_t ts_ms);  /* 2026-11-22T14:32:06.107+01:00 */
char *evs_num_zone(char *to, int64_t ts_ms); /* CET, UTC */

#endif
