/* formats.h - the decoders; decoder.c lists them in the order of the registry.
 *
 * How sure each is (0..100): json 95 for a whole that starts like an object or array, 70 for one
 * short scalar that checks, text 60 without controls, 30 with some; int64 and int32 50 where their
 * bytes are no text and the number is small or a time, 25 otherwise; uuid 75 for a right version
 * and variant; hex 20. The binary guesses never claim bytes that are printable text.
 *
 * Threads, ownership, errors: decoder.h.
 */
#ifndef EVS_DECODE_FORMATS_H
#define EVS_DECODE_FORMATS_H

#include "decode/decoder.h"

extern const struct evs_decoder_ops evs_decoder_json, evs_decoder_text, evs_decoder_uuid,
    evs_decoder_int64, evs_decoder_int32, evs_decoder_hex;

/* Controls apart from \t \n \r in the first EVS_SNIFF_BYTES; -1 when those are not UTF-8 (a
 * character cut by the limit is fine). */
int evs_decode_controls(const uint8_t *p, size_t n);

#endif
