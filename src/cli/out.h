/* out.h - what commands print: aligned text tables for people, JSON for programs.
 *
 * Text passes the escaping door (text.h) here and nowhere else in cli/. Write results with
 * evs_out_*; a failed or closed stdout is noticed once, at evs_out_finish.
 *
 * Threads  main.   Owns  a table owns copies of its cells.
 * Errors   EVS_FATAL (errno) from evs_out_finish; EPIPE is silent success of a closed reader.
 * Cost     a table keeps its rows until printed.
 */
#ifndef EVS_CLI_OUT_H
#define EVS_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

struct evs_table;
/* heads: column names; '>' before a name aligns the column right. NULL-terminated. */
struct evs_table *evs_table_new(const char *const *heads);
void evs_table_free(struct evs_table *t); /* NULL is fine */
/* The next cell of the current row; rows fill by themselves. Bytes from outside are fine. */
void evs_table_cell(struct evs_table *t, const char *fmt, ...) EVS_PRINTF(2, 3);
void evs_table_cell_bytes(struct evs_table *t, const void *p, size_t n);
/* Prints aligned; a column that is empty in all rows is not printed. */
void evs_table_print(const struct evs_table *t);

/* One line of text that is ours or already escaped / one JSON document or line; NULL-safe on
 * failure. */
void evs_out_text(const char *fmt, ...) EVS_PRINTF(1, 2);
void evs_out_json(struct evs_buf *json); /* adds \n, writes, flushes, resets json */
/* A part of a long document: written and reset; evs_out_json ends it. */
void evs_out_part(struct evs_buf *json);
enum evs_rc evs_out_finish(struct evs_err *err);
/* true once stdout's reader has gone: stop producing. */
bool evs_out_gone(void);

/* Progress on stderr, only where it is a terminal and not quiet; evs_progress_clear before other
 * output. */
void evs_progress(const char *fmt, ...) EVS_PRINTF(1, 2);
void evs_progress_clear(void);
void evs_progress_enable(bool on);

#endif
