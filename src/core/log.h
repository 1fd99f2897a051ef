/* log.h - leveled log to a file and to a ring of the last lines; never to the terminal.
 *
 * Lines are escaped (text.h) and must never hold a secret: log names, not values, of configuration.
 *
 * Threads  any.   Owns  the file, opened 0600 without following links.   Errors  evs_log_open's.
 * Cost     one lock and one write per line that passes the level.
 */
#ifndef EVS_CORE_LOG_H
#define EVS_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum evs_log_level { EVS_LOG_DEBUG, EVS_LOG_INFO, EVS_LOG_WARN, EVS_LOG_ERROR };

enum { EVS_LOG_RING = 2000, EVS_LOG_LINE = 300 };

enum evs_rc evs_log_open(const char *path, struct evs_err *err) EVS_MUST_USE;
void evs_log_set_level(
    enum evs_log_level level); /* of the file; the ring keeps info and above too */
void evs_log(enum evs_log_level level, const char *fmt, ...) EVS_PRINTF(2, 3);
void evs_log_close(void);
const char *evs_log_level_name(enum evs_log_level level);

struct evs_log_line {
    int64_t ts_ms;
    enum evs_log_level level;
    char text[EVS_LOG_LINE];
};
/* Copies lines numbered above `after` (1, 2, ...; 0 for all kept), oldest first, at most max.
 * Returns how many; *ret_last is the number of the last line copied, or `after`. */
size_t evs_log_copy(uint64_t after, struct evs_log_line *to, size_t max, uint64_t *ret_last);
uint64_t evs_log_count(enum evs_log_level at_least); /* lines ever logged at this level or worse */

#endif
