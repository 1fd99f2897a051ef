/* arena.h - blocks of any size in chunks, named by 32-bit references. Private to keys/.
 *
 * Blocks follow one another within a chunk and never straddle one, so a chunk can be walked by who
 * knows the blocks' sizes. Chunks that are not needed any more are kept for later.
 *
 * Units    bytes; a reference is offset / EVS_ARENA_UNIT; 0 means none.   Threads  none.
 * Owns     its chunks, inside who embeds it.   Errors  none.   Cost  a take is a few instructions.
 */
#ifndef EVS_KEYS_ARENA_H
#define EVS_KEYS_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum {
    EVS_ARENA_UNIT = 8,
    EVS_ARENA_CHUNK = 1 << 20,
    EVS_ARENA_PER_CHUNK = EVS_ARENA_CHUNK / EVS_ARENA_UNIT
};

struct evs_arena {
    uint8_t **chunk;
    uint32_t *end;       /* bytes used of each */
    size_t chunks, held; /* in use; allocated */
};

/* size: a multiple of EVS_ARENA_UNIT. */
void *evs_arena_take(struct evs_arena *a, size_t size, uint32_t *ret_ref);
void evs_arena_done(struct evs_arena *a);

static inline void *evs_arena_at(const struct evs_arena *a, uint32_t ref)
{
    return a->chunk[ref / EVS_ARENA_PER_CHUNK] +
           (size_t)(ref % EVS_ARENA_PER_CHUNK) * EVS_ARENA_UNIT;
}

/* Where the first block of a chunk begins: reference 0 is nobody's. */
static inline uint32_t evs_arena_start(size_t chunk)
{
    return chunk ? 0 : EVS_ARENA_UNIT;
}

#endif
