/* attr.h - the only place that spells compiler attributes.
 *
 * EVS_AUTO(evs_buf) struct evs_buf b = ...;  calls evs_buf_auto(&b) at the end of the scope. It is
 * for memory only; locks, transactions, threads and descriptors end under an `out:` label.
 *
 * Threads  any: nothing here runs.   Owns  nothing.   Errors  none.   Cost  none.
 */
#ifndef EVS_CORE_ATTR_H
#define EVS_CORE_ATTR_H

#define EVS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define EVS_MUST_USE          __attribute__((warn_unused_result))
#define EVS_AUTO(type)        __attribute__((cleanup(type##_auto)))
#define EVS_UNUSED            __attribute__((unused))
#define EVS_NORETURN          __attribute__((noreturn))
#define EVS_LIKELY(x)         __builtin_expect(!!(x), 1)
#define EVS_UNLIKELY(x)       __builtin_expect(!!(x), 0)
/* Only in a function that does something else, too: gcc drops calls of one that only prefetches. */
#define EVS_PREFETCH(p)  __builtin_prefetch(p)
#define EVS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Built to find leaks: a program that would leave its memory to the system frees it instead. */
#ifdef __has_feature /* clang's way to say it */
#define EVS_HAS_FEATURE(x) __has_feature(x)
#else
#define EVS_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) ||                               \
    EVS_HAS_FEATURE(address_sanitizer) || EVS_HAS_FEATURE(thread_sanitizer) ||                     \
    EVS_HAS_FEATURE(leak_sanitizer)
#define EVS_FREES_ALL 1
#else
#define EVS_FREES_ALL 0
#endif

#endif
