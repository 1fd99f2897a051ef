/* map.h - hash map from bytes to a pointer (XXH3, seeded from the system: keys are hostile).
 *
 * Units    bytes as keys, void * as values.   Threads  none.
 * Owns     copies of the keys; values are the caller's.
 * Errors   none.   Cost  O(1) expected; open addressing, at most 3/4 full. Iteration order is
 *          insertion
 *          order as long as nothing was removed (removal swaps the last one in).
 */
#ifndef EVS_CORE_MAP_H
#define EVS_CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evs_map_item {
    char *key; /* a NUL follows */
    size_t key_len;
    uint64_t hash;
    void *value;
};

struct evs_map {
    struct evs_map_item *items;
    size_t n, alloc;
    uint32_t *index; /* item + 1, 0 is free */
    size_t slots;    /* power of two */
};
#define EVS_MAP_INIT                                                                               \
    {                                                                                              \
        NULL, 0, 0, NULL, 0                                                                        \
    }

/* The hash that maps use: for those who build an index of their own. */
uint64_t evs_map_hash(const void *key, size_t len);
void *evs_map_get(const struct evs_map *m, const void *key, size_t len); /* NULL when absent */
/* The value's place, NULL in it when new. Valid until the next put or remove. */
void **evs_map_put(struct evs_map *m, const void *key, size_t len);
void *evs_map_remove(struct evs_map *m, const void *key, size_t len); /* its value, or NULL */
void *evs_map_gets(const struct evs_map *m, const char *key);
void **evs_map_puts(struct evs_map *m, const char *key);
void evs_map_done(struct evs_map *m, void (*free_value)(void *v)); /* free_value may be NULL */

#endif
