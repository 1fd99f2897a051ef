/* envelope.h - one record as a line: kcat's JSON envelope, kcat's format strings, text for people.
 *
 * JSON: {"topic","partition","offset","tstype","ts","broker","headers":[n,v,...],"key","payload"};
 * headers only where there are any, as kcat. What is not UTF-8 is key_base64, payload_base64, or
 * {"base64":...} in a header's place. With decoding, "value" holds the decoded JSON (or text) and
 * "decoder" its name.
 *
 * Units    as core/event.h.   Threads  a format may be used by many threads; buffers by one.
 * Owns     a format owns its compiled pieces.
 * Errors   EVS_INVALID for a bad format string, with the position.   Cost  O(bytes).
 */
#ifndef EVS_BROWSE_ENVELOPE_H
#define EVS_BROWSE_ENVELOPE_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/event.h"
#include "core/jsonw.h"

/* The members, into an object that the caller opened and ends. */
void evs_envelope_members(struct evs_jsonw *w, struct evs_event *ev, bool decode);
/* One object, without a line's end. */
void evs_envelope_json(struct evs_buf *out, struct evs_event *ev, bool decode);

/* PARTITION OFFSET TIME KEY VALUE, all escaped, without a line's end. */
void evs_envelope_text(struct evs_buf *out, struct evs_event *ev, bool decode);
extern const char evs_envelope_heading[];

struct evs_format;
/* kcat's tokens %t %p %o %k %s %K %S %R %T %h %% and \n \t \r \e \0 \xHH. */
enum evs_rc evs_format_new(const char *text, struct evs_format **ret_f,
                           struct evs_err *err) EVS_MUST_USE;
void evs_format_free(struct evs_format *f); /* NULL is fine */
/* raw: bytes of the event as they are; else they pass the escaping door. */
void evs_format_put(const struct evs_format *f, struct evs_buf *out, struct evs_event *ev,
                    bool raw);

#endif
