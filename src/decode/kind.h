/* kind.h - what kind of event a record says it is.
 *
 * From headers (ce_type, event-type, ...), else a top-level JSON member (type, eventType, ...).
 *
 * Threads  any.   Owns  nothing.   Errors  none.   Cost  one JSON parse where headers say nothing.
 */
#ifndef EVS_DECODE_KIND_H
#define EVS_DECODE_KIND_H

#include <stddef.h>

#include "core/event.h"
#include "core/json.h"

/* Into to: escaped, cut to 20 columns and n bytes; "(delete)" for a tombstone, "" when nothing
 * says. Headers count only when they are loaded. */
void evs_event_kind(const struct evs_event *ev, char *to, size_t n);
/* The same where the value has been read; json NULL: it is none. */
void evs_event_kind_of(const struct evs_event *ev, const struct evs_json_tree *json, char *to,
                       size_t n);

#endif
