/* jsonw.h - writing JSON, one value after another, into a buffer.
 *
 * The writer places commas and escapes; the caller nests. Names are ours (ASCII, not escaped).
 * Output is always valid UTF-8 JSON without raw control, bidi and format characters: the machine
 * form of every command, harmless on a terminal too. Bytes that are not UTF-8 become a base64
 * member (evs_jsonw_bytes), never replacement characters.
 *
 *     evs_jsonw_obj(&w, NULL);  evs_jsonw_str(&w, "topic", name);  evs_jsonw_arr(&w, "rows"); ...
 *     evs_jsonw_end(&w); evs_jsonw_end(&w);
 *
 * Name is NULL inside arrays and at the top.   Threads  none.   Owns  nothing; out is borrowed.
 * Errors   out->over.   Cost  O(bytes).
 */
#ifndef EVS_CORE_JSONW_H
#define EVS_CORE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

enum { EVS_JSONW_DEPTH = 32 };

struct evs_jsonw {
    struct evs_buf *out;
    int depth;
    bool some[EVS_JSONW_DEPTH + 1]; /* a value was written at this depth */
    char close[EVS_JSONW_DEPTH + 1];
};

void evs_jsonw_init(struct evs_jsonw *w, struct evs_buf *out);
void evs_jsonw_obj(struct evs_jsonw *w, const char *name);
void evs_jsonw_arr(struct evs_jsonw *w, const char *name);
void evs_jsonw_end(struct evs_jsonw *w); /* the innermost object or array */
void evs_jsonw_str(struct evs_jsonw *w, const char *name, const char *s); /* NULL writes null */
void evs_jsonw_strn(struct evs_jsonw *w, const char *name, const void *p,
                    size_t n); /* invalid: U+FFFD */
void evs_jsonw_i64(struct evs_jsonw *w, const char *name, int64_t v);
void evs_jsonw_double(struct evs_jsonw *w, const char *name,
                      double v); /* shortest exact; not finite: null */
void evs_jsonw_bool(struct evs_jsonw *w, const char *name, bool v);
void evs_jsonw_null(struct evs_jsonw *w, const char *name);
/* A JSON text that is known to be valid; characters that text.h never draws become \uXXXX. */
void evs_jsonw_raw(struct evs_jsonw *w, const char *name, const char *json, size_t n);
/* "name":null, "name":"text", or "name_base64":"..." where p is not UTF-8. In an array (name NULL):
 * null, "text" or {"base64":"..."}. */
void evs_jsonw_bytes(struct evs_jsonw *w, const char *name, const void *p, size_t n);
/* Only the quoted string. */
void evs_jsonw_quote(struct evs_buf *out, const void *p, size_t n);

#endif
