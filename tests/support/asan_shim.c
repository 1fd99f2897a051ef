/* asan_shim.c - leaks of others' libraries; linked into AddressSanitizer's builds only.
 *
 * librdkafka 2.0.2 returns from a ListGroups or DescribeGroups request that the broker does not
 * support (its own mock cluster) without dropping the reply queue it was given: the handle's queue,
 * 176 bytes made in rd_kafka_new(), outlives the handle. What that one call allocates is therefore
 * not looked at. A handle that we forget is no leak to the sanitizer anyway (its threads hold it);
 * messages, events, lists and all of our own memory stay watched.
 *
 * On a Linux console ncurses loads libgpm for the mouse and unloads it; it leaves its console's
 * name behind.
 */
#include <curses.h>
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <sanitizer/lsan_interface.h>

rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *errstr, size_t size)
{
    static rd_kafka_t *(*real)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "rd_kafka_new");
    __lsan_disable();
    rd_kafka_t *rk = real(type, conf, errstr, size);
    __lsan_enable();
    return rk;
}

mmask_t mousemask(mmask_t mask, mmask_t *old)
{
    static mmask_t (*real)(mmask_t, mmask_t *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "mousemask");
    __lsan_disable();
    mmask_t got = real(mask, old);
    __lsan_enable();
    return got;
}
