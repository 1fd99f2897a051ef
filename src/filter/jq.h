/* jq.h - jq expressions over events: the envelope {topic, partition, offset, timestamp, key,
 * value, headers}.
 *
 * Key and value are decoded: JSON as it is, text as a string, numbers as numbers, else null;
 * headers are an object of name to value (of duplicates the last). jq calculates with doubles:
 * whole numbers past 2^53 are rounded inside an expression.
 *
 * An expression need not end: a guard beside it ends an evaluation that takes longer than the
 * limit, which is then a failed one, and every one when the program is to stop. After three such
 * records the expression is given up.
 *
 * Threads  one program, one thread; its guard is another.   Owns  the compiled program.
 * Errors   EVS_INVALID with jq's own words; EVS_INVALID "built without libjq" where it is missing.
 * Cost     about 3 us a record; a thread that looks twenty times a second.
 */
#ifndef EVS_FILTER_JQ_H
#define EVS_FILTER_JQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/event.h"

struct evs_stop;
struct evs_jq;

/* For all expressions made from now on: stop ends what is being evaluated (may be NULL), and no
 * record takes longer than limit_ms; 10 s at first. Call before any thread uses jq. */
void evs_jq_limits(struct evs_stop *stop, int64_t limit_ms);

enum evs_rc evs_jq_new(const char *expr, struct evs_jq **ret_jq, struct evs_err *err) EVS_MUST_USE;
void evs_jq_free(struct evs_jq *jq); /* NULL is fine */
/* The first result is true (not false, null, or nothing). *ret_failed: the expression failed on
 * it. */
bool evs_jq_keeps(struct evs_jq *jq, struct evs_event *ev, bool *ret_failed);
/* Appends the result as compact JSON; nothing when there is none. EVS_POISON: it failed, or gave
 * several. */
enum evs_rc evs_jq_eval(struct evs_jq *jq, struct evs_event *ev, struct evs_buf *out,
                        struct evs_err *err) EVS_MUST_USE;
/* The same on JSON text as input. */
enum evs_rc evs_jq_eval_json(struct evs_jq *jq, const void *json, size_t n, struct evs_buf *out,
                             struct evs_err *err) EVS_MUST_USE;
bool evs_jq_available(void);

#endif
