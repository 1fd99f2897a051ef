#include "keys/arena.h"

#include "core/xalloc.h"

static void next_chunk(struct evs_arena *a)
{
    if (a->chunks == a->held) {
        a->chunk = evs_xgrow(a->chunk, a->held + 1, sizeof(*a->chunk));
        a->end = evs_xgrow(a->end, a->held + 1, sizeof(*a->end));
        a->chunk[a->held++] = evs_xmalloc(EVS_ARENA_CHUNK);
    }
    a->end[a->chunks] = evs_arena_start(a->chunks);
    a->chunks++;
}

void *evs_arena_take(struct evs_arena *a, size_t size, uint32_t *ret_ref)
{
    if (a->chunks == 0 || a->end[a->chunks - 1] + size > EVS_ARENA_CHUNK)
        next_chunk(a);
    uint32_t *end = &a->end[a->chunks - 1];
    *ret_ref = (uint32_t)((a->chunks - 1) * EVS_ARENA_PER_CHUNK + *end / EVS_ARENA_UNIT);
    *end += (uint32_t)size;
    return evs_arena_at(a, *ret_ref);
}

void evs_arena_done(struct evs_arena *a)
{
    for (size_t i = 0; i < a->held; i++)
        evs_free(a->chunk[i]);
    evs_free(a->chunk);
    evs_free(a->end);
    *a = (struct evs_arena){0};
}
