/* bytes.h - byte search, compiled once.
 *
 * Looks for the needle's rarest byte (a table of how often bytes occur in JSON and keys) with
 * memchr, then compares; ignoring case it is Horspool over folded ASCII.
 *
 * Threads  any once made.   Owns  a copy of the needle.   Errors  none.   Cost  memchr's where it
 *          can.
 */
#ifndef EVS_FILTER_BYTES_H
#define EVS_FILTER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evs_bytes {
    uint8_t *needle;  /* folded when ignoring case */
    size_t len, rare; /* rare: index of the rarest byte */
    bool ignore_case;
    size_t *skip; /* 256 entries, only when ignoring case */
};

void evs_bytes_init(struct evs_bytes *b, const void *needle, size_t len, bool ignore_case);
void evs_bytes_done(struct evs_bytes *b);
bool evs_bytes_in(const struct evs_bytes *b, const void *text, size_t n); /* text NULL: false */
/* Offset of the first hit at or after `from`, or n. */
size_t evs_bytes_find(const struct evs_bytes *b, const void *text, size_t n, size_t from);

#endif
