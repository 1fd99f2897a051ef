#include "core/xalloc.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

static void (*oom_hook)(void);
static atomic_long fail_in;

void evs_xalloc_on_oom(void (*hook)(void))
{
    oom_hook = hook;
}

void evs_xalloc_fail_after(long n)
{
    atomic_store(&fail_in, n);
}

static EVS_NORETURN void out_of_memory(void)
{
    if (oom_hook)
        oom_hook();
    fputs("eventscope: out of memory\n", stderr);
    abort();
}

void *evs_xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *evs_xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *evs_xrealloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        out_of_memory();
    return q;
}

void *evs_xgrow(void *p, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        out_of_memory();
    return evs_xrealloc(p, count * size);
}

void *evs_xmemdup(const void *p, size_t n)
{
    char *q = evs_xmalloc(n + 1);
    if (n)
        memcpy(q, p, n);
    q[n] = '\0';
    return q;
}

char *evs_xstrdup(const char *s)
{
    return s ? evs_xmemdup(s, strlen(s)) : NULL;
}

char *evs_xstrndup(const char *s, size_t n)
{
    return evs_xmemdup(s, strnlen(s, n));
}

char *evs_xprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = evs_xmalloc((size_t)(n < 0 ? 0 : n) + 1);
    s[0] = '\0';
    if (n > 0)
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

char **evs_xtexts(const char *const *from, size_t n)
{
    char **to = evs_xcalloc(n + 1, sizeof(*to));
    for (size_t i = 0; i < n; i++)
        to[i] = evs_xstrdup(from[i]);
    return to;
}

void evs_free_texts(char **texts, size_t n)
{
    for (size_t i = 0; texts && i < n; i++)
        evs_free(texts[i]);
    evs_free(texts);
}

void *evs_try_malloc(size_t n)
{
    if (atomic_load(&fail_in) > 0 && atomic_fetch_sub(&fail_in, 1) <= 1) {
        atomic_store(&fail_in, 1); /* stays failing */
        return NULL;
    }
    return malloc(n ? n : 1);
}

void evs_free(void *p)
{
    free(p);
}

#ifdef MAP_NORESERVE
void *evs_xbig(size_t n)
{
    void *p = mmap(NULL, n ? n : 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        out_of_memory();
    return p;
}

void evs_big_free(void *p, size_t n)
{
    if (p)
        (void)munmap(p, n ? n : 1);
}
#else
void *evs_xbig(size_t n)
{
    return evs_xcalloc(1, n);
}

void evs_big_free(void *p, size_t n)
{
    (void)n;
    free(p);
}
#endif

void evs_xalloc_streaming(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

void evs_xalloc_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}
