#include "lag/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"

enum { CHUNK = 1 << 18 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    char bytes[];
};

struct evs_lag_arena {
    struct chunk *chunks;
};

static void free_sn(struct evs_snap *snap)
{
    struct evs_lag_sn *sn = (void *)snap;
    struct chunk *c = sn->arena->chunks;
    while (c) {
        struct chunk *next = c->next;
        evs_free(c);
        c = next;
    }
    evs_free(sn->arena);
    evs_free(sn);
}

struct evs_lag_sn *evs_lag_sn_new(void)
{
    struct evs_lag_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_sn);
    sn->arena = evs_xcalloc(1, sizeof(*sn->arena));
    return sn;
}

static void *take(struct evs_lag_sn *sn, size_t n)
{
    struct chunk *c = sn->arena->chunks;
    n = (n + 15) / 16 * 16;
    if (!c || c->size - c->used < n) {
        size_t size = n > CHUNK ? n : CHUNK;
        c = evs_xmalloc(sizeof(*c) + size);
        c->next = sn->arena->chunks;
        c->used = 0;
        c->size = size;
        sn->arena->chunks = c;
    }
    void *p = c->bytes + c->used;
    c->used += n;
    return p;
}

void *evs_lag_alloc(struct evs_lag_sn *sn, size_t count, size_t size)
{
    size_t n = (count ? count : 1) * size;
    return memset(take(sn, n), 0, n);
}

const char *evs_lag_text(struct evs_lag_sn *sn, const char *s)
{
    size_t n = s ? strlen(s) + 1 : 0;
    return s ? memcpy(take(sn, n), s, n) : NULL;
}

static int by_name(const void *key, const void *item)
{
    return strcmp(key, ((const struct evs_lag_group_row *)item)->name);
}

const struct evs_lag_group_row *evs_lag_find(const struct evs_lag_sn *sn, const char *group)
{
    return sn->n_groups ? bsearch(group, sn->groups, sn->n_groups, sizeof(*sn->groups), by_name)
                        : NULL;
}

const struct evs_lag_row *evs_lag_find_row(const struct evs_lag_group_row *g, const char *topic,
                                           int32_t partition)
{
    for (size_t i = 0; i < g->n_rows; i++)
        if (g->rows[i].partition == partition && !strcmp(g->rows[i].topic, topic))
            return &g->rows[i];
    return NULL;
}

const struct evs_lag_row *evs_lag_main_row(const struct evs_lag_group_row *g)
{
    return g->n_rows ? &g->rows[g->v.total > 0 ? g->v.top : g->v.worst] : NULL;
}

void evs_lag_rule_words(const struct evs_lag_group_row *g, char *to, size_t size)
{
    const char *rule = evs_lag_rule_text(g->v.verdict.rule);
    if (!g->n_rows || g->v.verdict.status == EVS_LAG_OK || g->v.verdict.status == EVS_LAG_EMPTY ||
        g->v.verdict.rule == EVS_RULE_NO_MEMBER)
        snprintf(to, size, "%s", rule);
    else if (g->v.verdict.rule == EVS_RULE_SKEWED)
        snprintf(to, size, "p%d of %s holds %.1f %% of the lag", (int)g->rows[g->v.top].partition,
                 g->rows[g->v.top].topic, g->v.top_share * 100);
    else
        snprintf(to, size, "p%d of %s: %s", (int)g->rows[g->v.worst].partition,
                 g->rows[g->v.worst].topic, rule);
}
