#include "lag/state.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "core/xalloc.h"

void evs_lag_state_init(struct evs_lag_state *st)
{
    *st = (struct evs_lag_state){.topics = EVS_MAP_INIT, .groups = EVS_MAP_INIT};
}

static void free_topic(void *v)
{
    struct evs_lag_topic *t = v;
    for (int32_t i = 0; i < t->n; i++)
        evs_free(t->parts[i].track);
    evs_free(t->parts);
    evs_free(t->name);
    evs_free(t);
}

void evs_lag_group_clear_members(struct evs_lag_group *g)
{
    for (size_t i = 0; i < g->n_members; i++) {
        evs_free(g->members[i].id);
        evs_free(g->members[i].client);
        evs_free(g->members[i].host);
        evs_free(g->members[i].instance);
    }
    evs_free(g->members);
    g->members = NULL;
    g->n_members = 0;
    for (size_t i = 0; i < g->n; i++)
        g->entries[i]->member = -1;
}

static void free_group(void *v)
{
    struct evs_lag_group *g = v;
    if (!g)
        return;
    evs_lag_group_clear_members(g);
    for (size_t i = 0; i < g->n; i++)
        evs_free(g->entries[i]);
    evs_free(g->entries);
    evs_free(g->assignor);
    evs_free(g->error);
    evs_free(g->name);
    evs_free(g);
}

void evs_lag_state_done(struct evs_lag_state *st)
{
    evs_map_done(&st->groups, free_group);
    evs_map_done(&st->topics, free_topic);
    evs_free(st->offsets_leaders);
}

struct evs_lag_topic *evs_lag_state_topic(struct evs_lag_state *st, const char *name)
{
    void **at = evs_map_puts(&st->topics, name);
    if (!*at) {
        struct evs_lag_topic *t = evs_xcalloc(1, sizeof(*t));
        t->name = evs_xstrdup(name);
        t->compacted = -1;
        t->retention_ms = EVS_LAG_NULL;
        *at = t;
    }
    return *at;
}

struct evs_lag_group *evs_lag_state_group(struct evs_lag_state *st, const char *name)
{
    void **at = evs_map_puts(&st->groups, name);
    if (!*at) {
        struct evs_lag_group *g = evs_xcalloc(1, sizeof(*g));
        g->name = evs_xstrdup(name);
        g->coordinator = -1;
        evs_cells_init(&g->spark);
        *at = g;
    }
    return *at;
}

void evs_lag_state_forget(struct evs_lag_state *st, const char *group)
{
    free_group(evs_map_remove(&st->groups, group, strlen(group)));
}

static int by_place(const struct evs_lag_entry *e, const struct evs_lag_topic *t, int32_t partition)
{
    if (e->topic != t)
        return strcmp(e->topic->name, t->name);
    return (e->partition > partition) - (e->partition < partition);
}

/* Where it is, or belongs. */
static size_t find(const struct evs_lag_group *g, const struct evs_lag_topic *t, int32_t partition)
{
    size_t lo = 0, hi = g->n;
    if (hi && by_place(g->entries[hi - 1], t, partition) < 0)
        return hi; /* answers come in order, mostly */
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (by_place(g->entries[mid], t, partition) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct evs_lag_entry *evs_lag_state_entry(struct evs_lag_group *g, struct evs_lag_topic *t,
                                          int32_t partition)
{
    if (partition < 0)
        return NULL;
    size_t at = find(g, t, partition);
    if (at < g->n && !by_place(g->entries[at], t, partition))
        return g->entries[at];
    if (g->n == g->alloc) {
        g->alloc = g->alloc ? g->alloc * 2 : 12;
        g->entries = evs_xgrow(g->entries, g->alloc, sizeof(struct evs_lag_entry *));
    }
    struct evs_lag_entry *e = evs_xcalloc(1, sizeof(*e));
    *e = (struct evs_lag_entry){.topic = t,
                                .partition = partition,
                                .member = -1,
                                .committed = EVS_LAG_NULL,
                                .commit_ms = EVS_LAG_NULL,
                                .peek_at = EVS_LAG_NULL,
                                .peek_behind = EVS_LAG_NULL};
    evs_trail_init(&e->trace);
    memmove(g->entries + at + 1, g->entries + at, (g->n - at) * sizeof(struct evs_lag_entry *));
    g->entries[at] = e;
    g->n++;
    return e;
}

static void resize_topic(struct evs_lag_topic *t, int32_t n)
{
    for (int32_t i = n; i < t->n; i++) { /* recreated with fewer */
        evs_free(t->parts[i].track);
        t->n = n;
    }
    if (n == t->n)
        return;
    t->parts = evs_xgrow(t->parts, (size_t)n, sizeof(*t->parts));
    for (int32_t i = t->n; i < n; i++)
        t->parts[i] =
            (struct evs_lag_part){.low = EVS_LAG_NULL, .hw = EVS_LAG_NULL, .lso = EVS_LAG_NULL};
    t->n = n;
}

void evs_lag_state_meta(struct evs_lag_state *st, const struct evs_meta *meta)
{
    for (size_t i = 0; i < st->topics.n; i++) {
        struct evs_lag_topic *t = st->topics.items[i].value;
        const struct evs_meta_topic *m = evs_meta_topic(meta, t->name);
        t->gone = !m;
        if (!m)
            continue;
        t->asked = false;
        t->native = 0;
        resize_topic(t, m->n_partitions);
    }
    const struct evs_meta_topic *home = evs_meta_topic(meta, "__consumer_offsets");
    if (!home)
        return;
    evs_free(st->offsets_leaders);
    st->n_offsets_leaders = home->n_partitions;
    st->offsets_leaders = evs_xcalloc((size_t)home->n_partitions + 1, sizeof(int32_t));
    for (int i = 0; i < home->n_partitions; i++)
        st->offsets_leaders[i] = home->partitions[i].leader;
}

struct evs_lag_part *evs_lag_part_of(struct evs_lag_topic *t, int32_t partition)
{
    if (t->gone || partition < 0 || partition >= t->n)
        return NULL;
    struct evs_lag_part *p = &t->parts[partition];
    if (!p->track) {
        p->track = evs_xmalloc(sizeof(*p->track));
        evs_track_init(p->track);
    }
    return p;
}

int32_t evs_lag_group_home(const char *group, int32_t partitions)
{
    const uint8_t *p = (const uint8_t *)group;
    size_t left = strlen(group);
    uint32_t h = 0;
    while (left) {
        uint32_t cp;
        int n = evs_text_decode(p, left, &cp);
        if (!n) {
            cp = 0xfffd;
            n = 1;
        }
        if (cp >= 0x10000) {
            h = h * 31 + (0xd800 + ((cp - 0x10000) >> 10));
            cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
        }
        h = h * 31 + cp;
        p += n;
        left -= (size_t)n;
    }
    /* Kafka's Utils.abs: the least integer becomes 0. */
    int32_t at = h == 0x80000000u ? 0 : (int32_t)h < 0 ? -(int32_t)h : (int32_t)h;
    return partitions > 0 ? at % partitions : -1;
}
