/* record.h - a librdkafka message seen as an event; for src/kafka only.
 *
 * Threads  one owner.   Owns  the header table, grown as needed, until evs_record_done.
 * Errors   none.        Cost  no copies; headers are parsed when first asked for.
 */
#ifndef EVS_KAFKA_RECORD_H
#define EVS_KAFKA_RECORD_H

#include <stddef.h>

#include <librdkafka/rdkafka.h>

#include "core/event.h"

struct evs_record {
    struct evs_event ev; /* first: load_headers finds the record by it. ev.topic is the owner's */
    struct evs_header *headers;
    size_t alloc;
};

/* Points rec->ev into m, which must outlive its use. */
void evs_record_see(struct evs_record *rec, rd_kafka_message_t *m);
void evs_record_done(struct evs_record *rec);

#endif
