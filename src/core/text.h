/* text.h - the one door between bytes from outside and any terminal.
 *
 * Everything drawn or printed for people passes evs_text_escape or evs_text_fit. What could steer a
 * terminal or mislead a reader never passes raw: C0, DEL and C1 as \xNN (also \n \t \r), format and
 * bidi characters, variation selectors, private use and noncharacters as U+XXXX, invalid UTF-8 as
 * \xNN byte by byte. A backslash passes as it is: the escapes are marked by a role on screens, and
 * --json is the lossless form. At most four combining marks follow a base character; more show as
 * U+FFFD.
 *
 * Units    bytes in, terminal columns out (0, 1 or 2 per code point, own Unicode 15 table).
 * Threads  any; evs_text_set_ascii once at start.   Owns  nothing.
 * Errors   none: any bytes are fine.                Cost  O(bytes); binary search per non-ASCII
 *          character.
 */
#ifndef EVS_CORE_TEXT_H
#define EVS_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/* Glyph ladders of the interface; false by default. Data is not changed by it, ellipses are. */
void evs_text_set_ascii(bool on);
bool evs_text_ascii(void);

/* Decodes one code point; returns its length 1..4, or 0 when p starts no valid UTF-8. n > 0. */
int evs_text_decode(const uint8_t *p, size_t n, uint32_t *ret_cp);
bool evs_text_is_utf8(const void *p, size_t n);
/* Columns of one code point as we draw it: 0 combining, 1, 2; -1 for what must be escaped. */
int evs_text_cp_width(uint32_t cp);

/* The whole of p, escaped. */
void evs_text_escape(struct evs_buf *out, const void *p, size_t n);
/* A word of the search entry: in "quotes" when it holds spaces or quotes, \" and \\ in them. */
void evs_text_word(struct evs_buf *out, const char *text);
/* Columns that evs_text_escape's result takes. */
size_t evs_text_width(const void *p, size_t n);

enum evs_cut {
    EVS_CUT_END,   /* keeps the start: "User:12…" */
    EVS_CUT_MIDDLE /* keeps both ends: "orders.…laced" */
};
/* Escaped and cut to at most cols columns; the cut shows as … (... in ASCII). Returns columns
 * used. */
size_t evs_text_fit(struct evs_buf *out, const void *p, size_t n, size_t cols, enum evs_cut cut);

/* One step through the escaped form, for drawing: fills cell with the escaped bytes of the next
 * unit (a base character with its marks, or one escape), returns bytes consumed; sets its columns
 * and whether it is an escape. n > 0. */
struct evs_text_cell {
    char bytes[32];
    uint8_t len, cols;
    bool escaped;
    bool cut; /* the last of the columns is the U+FFFD that its bytes end with */
};
size_t evs_text_next(const uint8_t *p, size_t n, struct evs_text_cell *ret_cell);

#endif
