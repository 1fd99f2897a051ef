/* xalloc.h - memory.
 *
 * evs_x* are for sizes that we choose: out of memory ends the program through the hook, which
 * restores the terminal. evs_try_malloc is for sizes from outside, already checked against a cap;
 * it returns NULL.
 *
 * Threads  any.   Owns  nothing; free with evs_free.   Errors  see above.   Cost  malloc's.
 */
#ifndef EVS_CORE_XALLOC_H
#define EVS_CORE_XALLOC_H

#include <stddef.h>

#include "core/attr.h"

void *evs_xmalloc(size_t n) EVS_MUST_USE;
void *evs_xcalloc(size_t count, size_t size) EVS_MUST_USE; /* zeroed; count * size checked */
void *evs_xrealloc(void *p, size_t n) EVS_MUST_USE;
void *evs_xgrow(void *p, size_t count,
                size_t size) EVS_MUST_USE;     /* realloc to count * size, checked */
char *evs_xstrdup(const char *s) EVS_MUST_USE; /* NULL gives NULL */
char *evs_xstrndup(const char *s, size_t n) EVS_MUST_USE;
void *evs_xmemdup(const void *p, size_t n) EVS_MUST_USE; /* a NUL follows the copy */
char *evs_xprintf(const char *fmt, ...) EVS_PRINTF(1, 2) EVS_MUST_USE;
/* Copies of n texts in a list of their own, freed with evs_free_texts; a NULL follows the last. */
char **evs_xtexts(const char *const *from, size_t n) EVS_MUST_USE;
void evs_free_texts(char **texts, size_t n);
void *evs_try_malloc(size_t n) EVS_MUST_USE;
void evs_free(void *p);

/* Zeroed memory for what may become large: addresses only, until it is touched. Give back with the
 * same n; NULL is fine. */
void *evs_xbig(size_t n) EVS_MUST_USE;
void evs_big_free(void *p, size_t n);

/* For work that streams gigabytes through short-lived buffers: freed memory is kept for the next
 * ones instead of going back to the system page by page. evs_xalloc_trim gives back what is free.
 * */
void evs_xalloc_streaming(void);
void evs_xalloc_trim(void);

/* Called once before abort() when memory is gone; must only use async-signal-safe calls. */
void evs_xalloc_on_oom(void (*hook)(void));
/* Tests: the n-th evs_try_malloc from now on fails, and all later ones; 0 switches it off. */
void evs_xalloc_fail_after(long n);

#endif
