/* decimal.h - exact sums of decimal numbers as JSON writes them.
 *
 * A number is digits and a scale (how many of them stand behind the point): 184.90 is 18490 with
 * scale 2. A sum has the larger scale of its parts, as SQL's numeric has: 184.90 + 0.1 is 185.00.
 *
 * Units    decimal digits, at most EVS_DECIMAL_DIGITS of them.   Threads  none.
 * Owns     everything inline.   Errors  false: no number, or more digits than fit.
 * Cost     O(digits); sums of small numbers of one scale are one addition.
 */
#ifndef EVS_SINKS_DECIMAL_H
#define EVS_SINKS_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

enum { EVS_DECIMAL_DIGITS = 400 };

struct evs_decimal {
    bool big;                      /* d holds the digits; else small does */
    bool neg;                      /* of d */
    int scale;                     /* 0..EVS_DECIMAL_DIGITS */
    int n;                         /* digits in d */
    int64_t small;                 /* signed, with the scale */
    uint8_t d[EVS_DECIMAL_DIGITS]; /* least significant first */
};

void evs_decimal_zero(struct evs_decimal *v);
/* -12, 3.50, 1e3, 1.5E-2: the whole text. */
bool evs_decimal_read(struct evs_decimal *v, const char *p, size_t n);
/* to += v */
bool evs_decimal_add(struct evs_decimal *to, const struct evs_decimal *v);
void evs_decimal_print(const struct evs_decimal *v, struct evs_buf *out);
/* Both texts as numbers: 1.50 equals 1.5. false when one is no number. */
bool evs_decimal_same(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
