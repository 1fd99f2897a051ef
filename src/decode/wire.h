/* wire.h - what bytes say in Protobuf's wire format, without a schema: field numbers and values.
 *
 * Fields in their order; a length-delimited one is text where it is text, else fields of its own
 * where it parses whole, else hex. A frame of the Confluent schema registry before it (0, four
 * bytes of schema id, the message's index) is told and passed over.
 *
 * Units    bytes in, lines of text out.   Threads  any.   Owns  nothing.
 * Errors   EVS_INVALID with the byte position; nothing is appended then.
 * Cost     O(bytes * depth), depth at most EVS_WIRE_DEPTH.
 * Source   Protocol Buffers, Encoding; groups (wire types 3 and 4) are refused.
 */
#ifndef EVS_DECODE_WIRE_H
#define EVS_DECODE_WIRE_H

#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

enum { EVS_WIRE_DEPTH = 16 };

enum evs_rc evs_wire_text(const void *p, size_t n, struct evs_buf *out,
                          struct evs_err *err) EVS_MUST_USE;

#endif
