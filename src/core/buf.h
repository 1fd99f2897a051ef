/* buf.h - growable bytes with a mandatory cap.
 *
 * Invariants: data is NULL or has a NUL at data[len]; len <= cap. What would pass the cap is not
 * appended and `over` stays set: check it once at the end (evs_buf_check) instead of at every
 * append.
 *
 * Units    bytes.   Threads  none.   Owns  data, until evs_buf_done or evs_buf_steal.
 * Errors   `over`; evs_buf_read_file returns EVS_FATAL (errno) or EVS_INVALID (longer than the
 *          cap).
 * Cost     amortised O(1) per byte.
 */
#ifndef EVS_CORE_BUF_H
#define EVS_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attr.h"
#include "core/err.h"

struct evs_buf {
    char *data;
    size_t len;
    size_t alloc;
    size_t cap;
    bool over;
};
#define EVS_BUF_INIT(max)                                                                          \
    {                                                                                              \
        NULL, 0, 0, (max), false                                                                   \
    }

bool evs_buf_add(struct evs_buf *b, const void *p, size_t n); /* false: over */
bool evs_buf_adds(struct evs_buf *b, const char *s);
bool evs_buf_addc(struct evs_buf *b, char c);
bool evs_buf_addn(struct evs_buf *b, char c, size_t n); /* n times c */
bool evs_buf_printf(struct evs_buf *b, const char *fmt, ...) EVS_PRINTF(2, 3);
bool evs_buf_base64(struct evs_buf *b, const void *p, size_t n); /* RFC 4648, padded */
bool evs_buf_i64(struct evs_buf *b, int64_t v);                  /* decimal, faster than printf */
/* At least n writable bytes at data + len (n more than asked never hurts), or NULL when over. */
char *evs_buf_room(struct evs_buf *b, size_t n);
void evs_buf_cut(struct evs_buf *b, size_t len);  /* back to a length it had */
void evs_buf_reset(struct evs_buf *b);            /* empty, memory kept */
void evs_buf_done(struct evs_buf *b);             /* empty, memory freed */
char *evs_buf_steal(struct evs_buf *b);           /* caller frees; never NULL */
const char *evs_buf_str(const struct evs_buf *b); /* never NULL */
enum evs_rc evs_buf_check(const struct evs_buf *b, const char *what, struct evs_err *err);
enum evs_rc evs_buf_read_file(struct evs_buf *b, const char *path,
                              struct evs_err *err) EVS_MUST_USE;

static inline void evs_buf_auto(struct evs_buf *b)
{
    evs_buf_done(b);
}

#endif
