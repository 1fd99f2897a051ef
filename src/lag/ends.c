/* ends.c - the survey's questions about partitions: log start, ends, offsets by time, first
 * records. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/map.h"
#include "core/xalloc.h"
#include "kafka/configs.h"
#include "lag/survey_inner.h"

enum {
    GRID_AGE_MS = 60000,
    PEEK_MS = 1500,
    PEEK_COUNT = 100, /* gaps up to this long are counted record by record */
    MARKER_GAP = 8,   /* a commit that stands still this close to the end may wait for nothing */
    MARKER_PEEKS = 200,
    CONFIGS_MAX = 100
};

void evs_survey_ends_of(const struct evs_lag_entry *e, struct evs_lag_ends *ret_ends)
{
    const struct evs_lag_topic *t = e->topic;
    *ret_ends = (struct evs_lag_ends){EVS_LAG_NULL, EVS_LAG_NULL, EVS_LAG_NULL, false, false};
    if (t->native) {
        ret_ends->failed = true;
    } else if (t->gone || (t->n && e->partition >= t->n)) {
        ret_ends->gone = true;
    } else if (e->partition >= t->n || t->parts[e->partition].native) {
        ret_ends->failed = true;
    } else {
        const struct evs_lag_part *p = &t->parts[e->partition];
        *ret_ends = (struct evs_lag_ends){p->low, p->hw, p->lso, false, false};
    }
}

struct part_ref {
    struct evs_lag_topic *topic;
    int32_t partition;
};

struct part_list {
    struct part_ref *refs;
    size_t n, alloc;
};

static void list_add(struct part_list *l, struct evs_lag_topic *t, int32_t partition)
{
    if (l->n == l->alloc) {
        l->alloc = l->alloc ? l->alloc * 2 : 64;
        l->refs = evs_xgrow(l->refs, l->alloc, sizeof(*l->refs));
    }
    l->refs[l->n++] = (struct part_ref){t, partition};
}

static void wanted_parts(struct evs_survey *s, struct part_list *l)
{
    for (size_t i = 0; i < s->st.topics.n; i++) {
        struct evs_lag_topic *t = s->st.topics.items[i].value;
        for (int32_t p = 0; p < t->n; p++)
            t->parts[p].wanted = false;
    }
    for (size_t i = 0; i < s->st.groups.n; i++) {
        struct evs_lag_group *g = s->st.groups.items[i].value;
        for (size_t k = 0; k < g->n && g->in_run; k++) {
            struct evs_lag_entry *e = g->entries[k];
            struct evs_lag_part *p = evs_lag_part_of(e->topic, e->partition);
            if (p && !p->wanted) {
                p->wanted = true;
                list_add(l, e->topic, e->partition);
            }
        }
    }
}

static struct evs_offset_ask *make_asks(const struct part_list *l, int64_t ts_ms)
{
    struct evs_offset_ask *asks = evs_xcalloc(l->n + 1, sizeof(*asks));
    for (size_t i = 0; i < l->n; i++)
        asks[i] = (struct evs_offset_ask){
            .topic = l->refs[i].topic->name, .partition = l->refs[i].partition, .ts_ms = ts_ms};
    return asks;
}

enum end_kind { LOW, HW, LSO };

static void take_end(struct evs_lag_part *p, enum end_kind kind, const struct evs_offset_ask *ask)
{
    int64_t v = ask->native || ask->offset < 0 ? EVS_LAG_NULL : ask->offset;
    if (kind == LOW)
        p->native = 0;
    if (ask->native && !p->native)
        p->native = ask->native;
    if (kind == LOW)
        p->low = v;
    else if (kind == HW)
        p->hw = v;
    else
        p->lso = v;
}

static enum evs_rc ask_ends(struct evs_survey *s, const struct part_list *l, enum end_kind kind,
                            struct evs_err *err)
{
    struct evs_offset_ask *asks = make_asks(l, kind == LOW ? EVS_TS_BEGINNING : EVS_TS_END);
    int requests = 0;
    enum evs_rc rc = evs_meta_offsets(
        s->c, asks, l->n, kind == LSO ? EVS_READ_COMMITTED : EVS_READ_UNCOMMITTED, &requests, err);
    s->requests += requests;
    for (size_t i = 0; i < l->n && !rc; i++)
        take_end(&l->refs[i].topic->parts[l->refs[i].partition], kind, &asks[i]);
    evs_free(asks);
    return rc;
}

enum evs_rc evs_survey_ends(struct evs_survey *s, struct evs_err *err)
{
    struct part_list l = {0};
    wanted_parts(s, &l);
    enum evs_rc rc = EVS_OK;
    /* The last stable offset last: asked before the high watermark it could look like an open
     * transaction on a busy topic. */
    for (enum end_kind kind = LOW; kind <= LSO && !rc && l.n; kind++)
        rc = ask_ends(s, &l, kind, err);
    for (size_t i = 0; i < l.n; i++) {
        struct evs_lag_part *p = &l.refs[i].topic->parts[l.refs[i].partition];
        if (rc)
            p->native = err->native ? err->native : -1;
        else if (!p->native && p->low >= 0 && p->hw >= 0)
            evs_track_add(p->track, s->now_ms, p->low, p->hw);
    }
    evs_free(l.refs);
    if (rc && s->watch && s->refresh > 1) {
        evs_survey_warn(s, "%s", err->msg);
        return EVS_OK;
    }
    return rc;
}

/* --- what lag means on this topic --- */

static void take_config(struct evs_lag_topic *t, const struct evs_topic_config *c)
{
    if (!c->cleanup_policy)
        return;
    t->compacted = strstr(c->cleanup_policy, "compact") != NULL;
    if (strstr(c->cleanup_policy, "delete") && c->retention_ms > 0)
        t->retention_ms = c->retention_ms;
}

void evs_survey_configs(struct evs_survey *s)
{
    struct evs_topic_config configs[CONFIGS_MAX];
    struct evs_lag_topic *topics[CONFIGS_MAX];
    struct evs_err err = EVS_ERR_INIT;
    size_t n = 0;
    for (size_t i = 0; i < s->st.topics.n && n < CONFIGS_MAX && !s->no_configs; i++) {
        struct evs_lag_topic *t = s->st.topics.items[i].value;
        if (t->configured || t->gone || !t->n)
            continue;
        t->configured = true;
        configs[n] = (struct evs_topic_config){.topic = t->name};
        topics[n++] = t;
    }
    if (!n)
        return;
    s->requests++;
    if (evs_topic_configs(s->c, configs, n, &err)) {
        s->no_configs = true; /* the lag is right without */
        evs_log(EVS_LOG_INFO, "lag: %s", err.msg);
    }
    for (size_t i = 0; i < n; i++)
        take_config(topics[i], &configs[i]);
    evs_topic_configs_done(configs, n);
}

/* --- closer: ages and markers --- */

/* The oldest unread offset and the end that counts; false when nothing waits or nothing is
 * known. */
static bool waiting(const struct evs_survey *s, const struct evs_lag_entry *e, int64_t *ret_from,
                    int64_t *ret_high)
{
    struct evs_lag_ends ends;
    struct evs_lag_figures f;
    evs_survey_ends_of(e, &ends);
    evs_lag_figures(e->committed, &ends, s->stable, &f);
    if (f.lag <= 0)
        return false;
    *ret_from = e->committed > ends.low ? e->committed : ends.low;
    *ret_high = f.high;
    return true;
}

static void take_grid(const struct part_list *l, int step, const struct evs_offset_ask *asks)
{
    for (size_t i = 0; i < l->n; i++) {
        struct evs_track *t = l->refs[i].topic->parts[l->refs[i].partition].track;
        t->grid[step] = asks[i].native || asks[i].offset < 0 ? EVS_LAG_NULL : asks[i].offset;
    }
}

static void ask_grid(struct evs_survey *s, const struct part_list *l)
{
    struct evs_err err = EVS_ERR_INIT;
    for (int step = 0; step < EVS_GRID_STEPS && l->n; step++) {
        struct evs_offset_ask *asks = make_asks(l, s->now_ms - evs_grid_back_ms[step]);
        int requests = 0;
        enum evs_rc rc = evs_meta_offsets(s->c, asks, l->n, EVS_READ_UNCOMMITTED, &requests, &err);
        s->requests += requests;
        if (!rc)
            take_grid(l, step, asks);
        evs_free(asks);
        if (rc) {
            evs_survey_warn(s, "lag in time: %s", err.msg);
            return;
        }
    }
    for (size_t i = 0; i < l->n; i++)
        l->refs[i].topic->parts[l->refs[i].partition].track->grid_at_ms = s->now_ms;
}

static void grid_list(struct evs_survey *s, struct part_list *l)
{
    for (size_t i = 0; i < s->st.groups.n; i++) {
        struct evs_lag_group *g = s->st.groups.items[i].value;
        for (size_t k = 0; k < g->n && g->in_run; k++) {
            struct evs_lag_entry *e = g->entries[k];
            int64_t from, high;
            if (!waiting(s, e, &from, &high))
                continue;
            struct evs_lag_part *p = evs_lag_part_of(e->topic, e->partition);
            struct evs_lag_time age;
            if (e->peek_at == from && !e->peek_empty)
                continue; /* the record itself was read */
            if (!p || !p->wanted || s->now_ms - p->track->grid_at_ms < GRID_AGE_MS)
                continue;
            evs_track_age(p->track, from, high, s->now_ms, &age);
            if (age.method == EVS_METHOD_INTERPOLATED && age.max_ms - age.min_ms < GRID_AGE_MS)
                continue;      /* our own readings know it better */
            p->wanted = false; /* once */
            list_add(l, e->topic, e->partition);
        }
    }
}

/* Asks for one place serve every group that stands there. */
struct peeks {
    struct evs_peek_ask *asks;
    size_t n, max;
    struct evs_map places; /* topic, partition, offset -> index + 1 */
};

static size_t place_key(const struct evs_lag_entry *e, int64_t from, char *key, size_t size)
{
    size_t n = strlen(e->topic->name);
    if (n + 12 > size)
        return 0;
    memcpy(key, e->topic->name, n);
    memcpy(key + n, &e->partition, 4);
    memcpy(key + n + 4, &from, 8);
    return n + 12;
}

static void add_peek(struct peeks *ps, const struct evs_lag_entry *e, int64_t from, int64_t high)
{
    char key[300];
    size_t len = place_key(e, from, key, sizeof(key));
    if (!len || ps->n >= ps->max)
        return;
    void **at = evs_map_put(&ps->places, key, len);
    if (*at)
        return;
    ps->asks[ps->n] = (struct evs_peek_ask){.topic = e->topic->name,
                                            .partition = e->partition,
                                            .offset = from,
                                            .to = high,
                                            .max = high - from <= PEEK_COUNT ? PEEK_COUNT + 1 : 1};
    *at = (void *)(uintptr_t)++ps->n;
}

static void take_peek(const struct peeks *ps, struct evs_lag_entry *e, int64_t from, int64_t high)
{
    char key[300];
    size_t len = place_key(e, from, key, sizeof(key));
    size_t i = len ? (size_t)(uintptr_t)evs_map_get(&ps->places, key, len) : 0;
    if (!i || !ps->asks[i - 1].done)
        return;
    const struct evs_peek_ask *a = &ps->asks[i - 1];
    e->peek_at = from;
    e->peek_ts = a->first_ts;
    e->peek_hw = a->to < high ? a->to : high;
    e->peek_empty = a->records == 0;
    e->peek_behind = a->max > 1 || !a->records ? a->records : EVS_LAG_NULL;
}

/* Known already: the record at this commit, or that there is none before this end. */
static bool peeked(const struct evs_lag_entry *e, int64_t from, int64_t high)
{
    if (e->peek_at != from)
        return false;
    if (e->peek_empty || high - from <= PEEK_COUNT)
        return e->peek_hw == high;
    return true;
}

static bool stands_near_the_end(const struct evs_lag_entry *e, int64_t from, int64_t high)
{
    const struct evs_trail *t = &e->trace;
    return high - from <= MARKER_GAP && t->n >= 1 && t->readings[t->n - 1].committed == from;
}

static size_t rows_waiting(const struct evs_survey *s)
{
    size_t n = 0;
    int64_t from, high;
    for (size_t i = 0; i < s->st.groups.n && n <= EVS_SURVEY_PEEKS; i++) {
        const struct evs_lag_group *g = s->st.groups.items[i].value;
        for (size_t k = 0; k < g->n; k++)
            n += waiting(s, g->entries[k], &from, &high) ? 1 : 0;
    }
    return n;
}

static void plan_peeks(struct evs_survey *s, struct peeks *ps, bool all)
{
    for (size_t i = 0; i < s->st.groups.n; i++) {
        struct evs_lag_group *g = s->st.groups.items[i].value;
        bool near = all || evs_survey_in_view(s, g->name);
        for (size_t k = 0; k < g->n && g->in_run; k++) {
            struct evs_lag_entry *e = g->entries[k];
            int64_t from, high;
            if (!waiting(s, e, &from, &high) || peeked(e, from, high))
                continue;
            ps->max = near ? EVS_SURVEY_PEEKS : MARKER_PEEKS;
            if (near || stands_near_the_end(e, from, high))
                add_peek(ps, e, from, high);
        }
    }
}

static void spread_peeks(struct evs_survey *s, const struct peeks *ps)
{
    for (size_t i = 0; i < s->st.groups.n; i++) {
        struct evs_lag_group *g = s->st.groups.items[i].value;
        for (size_t k = 0; k < g->n; k++) {
            int64_t from, high;
            if (waiting(s, g->entries[k], &from, &high))
                take_peek(ps, g->entries[k], from, high);
        }
    }
}

static void run_peeks(struct evs_survey *s)
{
    enum evs_isolation level = s->stable ? EVS_READ_COMMITTED : EVS_READ_UNCOMMITTED;
    struct peeks ps = {.asks = evs_xcalloc(MARKER_PEEKS, sizeof(*ps.asks)), .places = EVS_MAP_INIT};
    plan_peeks(s, &ps, !s->n_view && rows_waiting(s) <= EVS_SURVEY_PEEKS);
    struct evs_err err = EVS_ERR_INIT;
    enum evs_rc rc = EVS_OK;
    if (ps.n && !s->peek[level])
        rc = evs_peek_open(s->c, level, &s->peek[level], &err);
    if (ps.n && !rc)
        rc = evs_peek_run(s->peek[level], ps.asks, ps.n, PEEK_MS, &err);
    if (rc)
        evs_log(EVS_LOG_INFO, "lag: records at commits: %s", err.msg);
    else if (ps.n)
        spread_peeks(s, &ps);
    s->requests += (int)ps.n;
    evs_map_done(&ps.places, NULL);
    evs_free(ps.asks);
}

void evs_survey_closer(struct evs_survey *s)
{
    struct part_list l = {0};
    if (s->ages) {
        run_peeks(s);
        grid_list(s, &l);
        ask_grid(s, &l);
        evs_free(l.refs);
    }
}
