/* event.h - one record.
 *
 * Two lives. Borrowed: handed to a reader's callback, all pointers valid until the callback
 * returns, headers loaded only when asked (evs_event_headers). Owned: evs_event_copy puts the
 * struct and all its bytes into one allocation with headers loaded; free it with evs_event_free.
 *
 * A key, value or header value that is null has a NULL pointer; an empty one is non-NULL with
 * length 0.
 *
 * Units    ts_ms epoch milliseconds UTC, -1 unknown; offsets and lengths as Kafka's.
 * Threads  none: moves between threads whole.   Errors  none.   Cost  copy is one malloc and
 *          memcpys.
 */
#ifndef EVS_CORE_EVENT_H
#define EVS_CORE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/attr.h"

enum evs_tstype { EVS_TS_UNKNOWN, EVS_TS_CREATE, EVS_TS_LOGAPPEND };

struct evs_header {
    const char *name; /* bytes, may hold anything; name_len counts */
    size_t name_len;
    const void *value;
    size_t value_len;
};

struct evs_event {
    const char *topic; /* NUL-terminated */
    const void *key, *value;
    size_t key_len, value_len;
    int64_t offset, ts_ms;
    int32_t partition, broker; /* broker: the leader it came from, -1 unknown */
    enum evs_tstype tstype;
    /* Headers: valid after evs_event_headers(ev); n_headers is -1 before. */
    const struct evs_header *headers;
    int n_headers;
    void (*load_headers)(struct evs_event *ev); /* NULL when loaded; set by the reader */
    void *native;                               /* the reader's */
};

/* Loads the headers if not done; returns their number. Borrowed like the event. */
int evs_event_headers(struct evs_event *ev);
/* Bytes of key, value and headers. Counts headers only when loaded. */
size_t evs_event_bytes(const struct evs_event *ev);
struct evs_event *evs_event_copy(struct evs_event *ev) EVS_MUST_USE;
void evs_event_free(struct evs_event *ev);      /* an owned one; NULL is fine */
const char *evs_tstype_name(enum evs_tstype t); /* "create", "logappend", "unknown" */

#endif
