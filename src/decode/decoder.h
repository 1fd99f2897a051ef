/* decoder.h - bytes to readable form: registry and sniffing.
 *
 * Pure functions. Each decoder says how sure it is from at most 64 bytes (whole-length checks
 * allowed), the surest wins, ties go to registry order; what fails to decode falls back to text or
 * hex with the reason. Numbers inside JSON keep their digits.
 *
 * Units    bytes in, UTF-8 text or JSON out.   Threads  any.   Owns  nothing.
 * Errors   EVS_INVALID with the byte position; EVS_FATAL never.   Cost  O(bytes).
 */
#ifndef EVS_DECODE_DECODER_H
#define EVS_DECODE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

enum { EVS_DECODE_DEPTH = 64, EVS_SNIFF_BYTES = 64 };

struct evs_decoder_ops {
    const char *name, *help; /* "json"; one line */
    bool is_json;            /* its output is a JSON value (else text) */
    int (*sniff)(const uint8_t *p, size_t n); /* 0..100 sure */
    /* Appends to out (capped): compact; reads only [p, p+n). */
    enum evs_rc (*decode)(const uint8_t *p, size_t n, struct evs_buf *out, struct evs_err *err);
};

extern const struct evs_decoder_ops *const evs_decoders[]; /* NULL-terminated, in registry order */
const struct evs_decoder_ops *evs_decoder_find(const char *name); /* NULL unknown */

struct evs_decoded {
    const struct evs_decoder_ops *decoder; /* never NULL: hex takes everything */
    char why[160]; /* why the surest guess failed, or "" */
    size_t at;     /* at which byte, then */
};
/* Sniffs (forced NULL) or uses `forced`, decodes into out; falls back, never fails. p NULL is a
 * null. */
void evs_decode(const struct evs_decoder_ops *forced, const void *p, size_t n, struct evs_buf *out,
                struct evs_decoded *ret_d);

#endif
