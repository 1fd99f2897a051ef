/* jq.h - jq expressions over events: the envelope {topic, partition, offset, timestamp, key,
 * value, headers}.
 *
 * Key and value are decoded: JSON as it is, text as a string, numbers as numbers, else null;
 * headers are an object of name to value (of duplicates the last). jq calculates with doubles:
 * whole numbers past 2^53 are rounded inside an expression.
 *
 * Threads  one program, one thread.   Owns  the compiled program.
 * Errors   EVS_INVALID with jq's own words; EVS_INVALID "built without libjq" where it is missing.
 * Cost     about 3 us a record; an expression that never ends never ends.
 */
#ifndef EVS_FILTER_JQ_H
#define EVS_FILTER_JQ_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/event.h"

struct evs_jq;
enum evs_rc evs_jq_new(const char *expr, struct evs_jq **ret_jq, struct evs_err *err) EVS_MUST_USE;
void evs_jq_free(struct evs_jq *jq); /* NULL is fine */
/* The first result is true (not false, null, or nothing). *ret_failed: the expression failed on
 * it. */
bool evs_jq_keeps(struct evs_jq *jq, struct evs_event *ev, bool *ret_failed);
/* Appends the first result as compact JSON; nothing when there is none. EVS_POISON: it failed. */
enum evs_rc evs_jq_eval(struct evs_jq *jq, struct evs_event *ev, struct evs_buf *out,
                        struct evs_err *err) EVS_MUST_USE;
/* The same on JSON text as input. */
enum evs_rc evs_jq_eval_json(struct evs_jq *jq, const void *json, size_t n, struct evs_buf *out,
                             struct evs_err *err) EVS_MUST_USE;
bool evs_jq_available(void);

#endif
