/* tsan_shim.c - what ThreadSanitizer cannot see in librdkafka; linked into its builds only.
 *
 * Debian's librdkafka uses <threads.h>, which gcc's ThreadSanitizer does not know: a thread it did
 * not see start crashes in its first intercepted call. These definitions take the place of libc's.
 * glibc's own mtx_t, cnd_t and thrd_t are the POSIX types under other names, so casts suffice.
 *
 * It is not instrumented either, so the atomic reference counts that order the last use of a fetch
 * buffer before its free are unseen, and each free would count as a race with our reading of a
 * message. free() called by librdkafka therefore counts as no write (AddressSanitizer is the one
 * that finds a use after free); everything else, our callbacks included, stays watched.
 */
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

void __interceptor_free(void *p);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

static uintptr_t lib_from, lib_to;

static int find_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (!strstr(info->dlpi_name, "librdkafka.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        if (h->p_type == PT_LOAD && (h->p_flags & PF_X)) {
            lib_from = info->dlpi_addr + h->p_vaddr;
            lib_to = lib_from + h->p_memsz;
        }
    }
    return 1;
}

__attribute__((constructor)) static void start(void)
{
    dl_iterate_phdr(find_library, NULL);
}

void free(void *p)
{
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);

    if (caller < lib_from || caller >= lib_to) {
        __interceptor_free(p);
        return;
    }
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    __interceptor_free(p);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "glibc's mtx_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's cnd_t");

static int result(int rc)
{
    switch (rc) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    default: return thrd_error;
    }
}

struct started {
    thrd_start_t fn;
    void *arg;
};

static void *run(void *p)
{
    struct started s = *(struct started *)p;

    free(p);
    return (void *)(long)s.fn(s.arg);
}

int thrd_create(thrd_t *t, thrd_start_t fn, void *arg)
{
    struct started *s = malloc(sizeof(*s));

    if (!s)
        return thrd_nomem;
    *s = (struct started){fn, arg};
    int rc = pthread_create((pthread_t *)t, NULL, run, s);
    if (rc)
        free(s);
    return result(rc);
}

int thrd_join(thrd_t t, int *ret_code)
{
    void *code = NULL;
    int rc = pthread_join((pthread_t)t, &code);

    if (!rc && ret_code)
        *ret_code = (int)(long)code;
    return result(rc);
}

int mtx_init(mtx_t *m, int type)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    int rc = pthread_mutex_init((pthread_mutex_t *)m, &attr);
    pthread_mutexattr_destroy(&attr);
    return result(rc);
}

void mtx_destroy(mtx_t *m)
{
    pthread_mutex_destroy((pthread_mutex_t *)m);
}

int mtx_lock(mtx_t *m)
{
    return result(pthread_mutex_lock((pthread_mutex_t *)m));
}

int mtx_trylock(mtx_t *m)
{
    return result(pthread_mutex_trylock((pthread_mutex_t *)m));
}

int mtx_unlock(mtx_t *m)
{
    return result(pthread_mutex_unlock((pthread_mutex_t *)m));
}

int cnd_init(cnd_t *c)
{
    return result(pthread_cond_init((pthread_cond_t *)c, NULL));
}

void cnd_destroy(cnd_t *c)
{
    pthread_cond_destroy((pthread_cond_t *)c);
}

int cnd_signal(cnd_t *c)
{
    return result(pthread_cond_signal((pthread_cond_t *)c));
}

int cnd_broadcast(cnd_t *c)
{
    return result(pthread_cond_broadcast((pthread_cond_t *)c));
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
    return result(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m));
}

int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
    return result(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}
