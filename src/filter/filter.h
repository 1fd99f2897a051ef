/* filter.h - "what to keep": one compiled filter for browse, search, keys, trace and replay.
 *
 * Terms are and-ed; a term may be inverted. Compiled once; terms run cheapest first: partition and
 * length checks, exact key, byte search (memmem class), key globs and PCRE2, headers, jq last. Byte
 * search and key terms run on raw bytes and never decode.
 *
 * Threads  a filter is used by one thread; evs_filter_clone gives each worker its own.
 * Owns     its compiled terms.   Errors  EVS_INVALID with the term, position and reason.
 * Cost     O(bytes) for --grep; jq about 3 us a record, only on what passed the rest.
 */
#ifndef EVS_FILTER_FILTER_H
#define EVS_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/event.h"

enum evs_filter_kind {
    EVS_FILTER_KEY,    /* GLOB, re:PATTERN, =TEXT */
    EVS_FILTER_GREP,   /* bytes in key or value */
    EVS_FILTER_HEADER, /* NAME[=GLOB] */
    EVS_FILTER_JQ      /* needs libjq */
};

struct evs_filter_term {
    enum evs_filter_kind kind;
    const char *text;
    bool invert, ignore_case;
};

struct evs_filter;
/* n 0 gives a filter that keeps everything. */
enum evs_rc evs_filter_new(const struct evs_filter_term *terms, size_t n, struct evs_filter **ret_f,
                           struct evs_err *err) EVS_MUST_USE;
struct evs_filter *evs_filter_clone(const struct evs_filter *f);
void evs_filter_free(struct evs_filter *f); /* NULL is fine */
/* NULL keeps everything. May load headers. */
bool evs_filter_keeps(struct evs_filter *f, struct evs_event *ev);
/* Records that a term could not judge: a regular expression past its limits, a jq expression that
 * failed on the record. They were not kept; say so beside the count. */
uint64_t evs_filter_faults(const struct evs_filter *f);
/* The one exact key this filter can keep ("=TEXT"), or NULL: lets a reader pick its partition. */
const char *evs_filter_exact_key(const struct evs_filter *f, size_t *ret_len);

#endif
