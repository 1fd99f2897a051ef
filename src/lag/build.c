/* build.c - from the survey's tables to a snapshot. */
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"
#include "lag/survey_inner.h"

enum { RATE_WINDOW_MS = 60000 };

static bool only_markers(const struct evs_lag_entry *e, const struct evs_lag_ends *ends,
                         const struct evs_lag_figures *f)
{
    int64_t from = e->committed > ends->low ? e->committed : ends->low;
    return f->lag > 0 && e->peek_empty && e->peek_at == from && e->peek_hw == f->high;
}

static enum evs_lag_owner owner_of(const struct evs_lag_group *g, const struct evs_lag_entry *e)
{
    if (g->described)
        return e->member >= 0 ? EVS_OWNER_HELD : g->n_members ? EVS_OWNER_NONE : EVS_OWNER_NO_GROUP;
    return g->listed && g->state == EVS_GROUP_EMPTY ? EVS_OWNER_NO_GROUP : EVS_OWNER_UNKNOWN;
}

static const struct evs_track *track_of(const struct evs_lag_entry *e)
{
    const struct evs_lag_topic *t = e->topic;
    return e->partition < t->n ? t->parts[e->partition].track : NULL;
}

static void figures(const struct evs_survey *s, const struct evs_lag_group *g,
                    const struct evs_lag_entry *e, struct evs_lag_ends *ret_ends,
                    struct evs_lag_figures *ret_f)
{
    evs_survey_ends_of(e, ret_ends);
    if (!g->offsets_ms || (g->error && !g->in_run) || e->native)
        ret_ends->failed = true; /* its commit is not of now */
    evs_lag_figures(e->committed, ret_ends, s->stable, ret_f);
}

void evs_survey_trace(struct evs_survey *s)
{
    for (size_t i = 0; i < s->st.groups.n; i++) {
        struct evs_lag_group *g = s->st.groups.items[i].value;
        if (!g->in_run)
            continue;
        int64_t total = EVS_LAG_NULL;
        for (size_t k = 0; k < g->n; k++) {
            struct evs_lag_ends ends;
            struct evs_lag_figures f;
            figures(s, g, g->entries[k], &ends, &f);
            evs_trail_add(&g->entries[k]->trace, s->now_ms, g->entries[k]->committed, f.lag);
            if (f.lag >= 0)
                total = (total < 0 ? 0 : total) + f.lag;
        }
        evs_cells_put(&g->spark, s->now_ms, (double)total);
    }
}

static void fill_age(const struct evs_survey *s, const struct evs_lag_entry *e,
                     struct evs_lag_row *r, bool markers)
{
    r->age = (struct evs_lag_time){EVS_METHOD_NONE, EVS_LAG_NULL, 0, EVS_LAG_NULL};
    if (r->f.lag < 0)
        return;
    int64_t from = r->committed > r->low ? r->committed : r->low;
    const struct evs_track *t = track_of(e);
    if (r->f.lag == 0 || markers) {
        r->age = (struct evs_lag_time){EVS_METHOD_EXACT, 0, 0, 0};
    } else if (e->peek_at == from && !e->peek_empty && e->peek_ts > 0) {
        int64_t age_ms = s->now_ms > e->peek_ts ? s->now_ms - e->peek_ts : 0;
        r->age = (struct evs_lag_time){EVS_METHOD_EXACT, age_ms, age_ms, age_ms};
    } else if (t) {
        evs_track_age(t, from, r->f.high, s->now_ms, &r->age);
    }
}

/* By the topic's retention time, else by how fast its log start moves. */
static void fill_retention(const struct evs_survey *s, const struct evs_lag_entry *e,
                           struct evs_lag_row *r, const struct evs_track *t)
{
    r->compacted = e->topic->compacted;
    if (r->f.lag <= 0)
        return;
    if (e->topic->retention_ms > 0 && r->age.lag_ms >= 0)
        r->retention_left_s = e->topic->retention_ms > r->age.lag_ms
                                  ? (double)(e->topic->retention_ms - r->age.lag_ms) / 1000
                                  : 0;
    else if (t)
        r->retention_left_s = evs_retention_left_s(t, s->now_ms, r->low, e->committed);
}

static void judge(const struct evs_survey *s, const struct evs_lag_group *g,
                  const struct evs_lag_entry *e, struct evs_lag_row *r, bool markers)
{
    struct evs_lag_case c = {
        .readings = e->trace.readings,
        .n = e->trace.n,
        .now_ms = s->now_ms,
        .owner = owner_of(g, e),
        .now = r->f,
        .only_markers = markers,
        .committed = r->committed,
        .lso = r->lso,
        .commit_gap_ms = e->trace.commit_gap_ms,
        .produce_rate = r->produce,
    };
    r->verdict = evs_lag_judge(&c);
    r->eta = evs_lag_eta(markers ? 0 : r->f.lag, r->consume, r->produce,
                         c.owner == EVS_OWNER_NO_GROUP || c.owner == EVS_OWNER_NONE);
}

static void fill_row(const struct evs_survey *s, const struct evs_lag_group *g,
                     const struct evs_lag_entry *e, const char *topic, struct evs_lag_row *r)
{
    struct evs_lag_ends ends;
    *r = (struct evs_lag_row){.topic = topic,
                              .partition = e->partition,
                              .member = e->member,
                              .committed = e->committed,
                              .behind = EVS_LAG_NULL,
                              .commit_ms = e->commit_ms,
                              .moved_ms = e->trace.moved_ms,
                              .retention_left_s = -1};
    figures(s, g, e, &ends, &r->f);
    r->low = ends.low;
    r->hw = ends.hw;
    r->lso = ends.lso;
    bool markers = only_markers(e, &ends, &r->f);
    if (markers)
        r->f.note = r->f.open > 0 ? EVS_NOTE_OPEN_TXN : EVS_NOTE_MARKERS;
    int64_t from = e->committed > ends.low ? e->committed : ends.low;
    if (r->f.lag == 0 || markers)
        r->behind = 0;
    else if (r->f.lag > 0 && e->peek_at == from && e->peek_hw == r->f.high)
        r->behind = e->peek_behind;
    if (ends.failed)
        r->error = g->error           ? g->error
                   : e->native        ? evs_meta_error_text(e->native)
                   : e->topic->native ? evs_meta_error_text(e->topic->native)
                   : e->partition < e->topic->n
                       ? evs_meta_error_text(e->topic->parts[e->partition].native)
                       : "no metadata";
    const struct evs_track *t = track_of(e);
    r->produce = t && !ends.gone ? evs_track_rate(t, RATE_WINDOW_MS) : -1;
    r->consume = evs_trail_rate(&e->trace);
    fill_age(s, e, r, markers);
    fill_retention(s, e, r, t);
    judge(s, g, e, r, markers);
}

static void fill_members(struct evs_lag_sn *sn, const struct evs_lag_group *g,
                         struct evs_lag_group_row *to)
{
    struct evs_lag_member_view *m = evs_lag_alloc(sn, g->n_members, sizeof(*m));
    for (size_t i = 0; i < g->n_members; i++)
        m[i] = (struct evs_lag_member_view){
            evs_lag_text(sn, g->members[i].id), evs_lag_text(sn, g->members[i].client),
            evs_lag_text(sn, g->members[i].host), evs_lag_text(sn, g->members[i].instance),
            g->members[i].places};
    to->members = m;
    to->n_members = g->n_members;
}

/* Sums, the oldest age, the slowest ETA. */
static void sum_rows(struct evs_lag_group_row *to)
{
    to->age = (struct evs_lag_time){EVS_METHOD_NONE, EVS_LAG_NULL, 0, EVS_LAG_NULL};
    to->consume = to->produce = -1;
    to->eta = (struct evs_lag_eta){EVS_ETA_DONE, 0};
    to->commit_ms = EVS_LAG_NULL;
    for (size_t i = 0; i < to->n_rows; i++) {
        const struct evs_lag_row *r = &to->rows[i];
        if (r->consume >= 0)
            to->consume = (to->consume < 0 ? 0 : to->consume) + r->consume;
        if (r->produce >= 0)
            to->produce = (to->produce < 0 ? 0 : to->produce) + r->produce;
        if (r->f.note != EVS_NOTE_NO_COMMIT)
            to->eta = evs_lag_eta_slower(to->eta, r->eta);
        to->moved_ms = r->moved_ms > to->moved_ms ? r->moved_ms : to->moved_ms;
        to->commit_ms = r->commit_ms > to->commit_ms ? r->commit_ms : to->commit_ms;
        if (r->f.lag >= 0 && r->age.lag_ms < 0)
            to->age_partial = true;
        else if (r->age.method && r->age.lag_ms > to->age.lag_ms)
            to->age = r->age;
    }
    if (to->v.total < 0)
        to->eta = (struct evs_lag_eta){EVS_ETA_UNKNOWN, 0};
}

static void fill_rows(const struct evs_survey *s, struct evs_lag_sn *sn,
                      const struct evs_lag_group *g, const char **topic_text,
                      struct evs_lag_group_row *to)
{
    struct evs_lag_row *rows = evs_lag_alloc(sn, g->n, sizeof(*rows));
    struct evs_lag_part_view *views = evs_xcalloc(g->n + 1, sizeof(*views));
    const char **topics = evs_lag_alloc(sn, g->n, sizeof(*topics));
    for (size_t i = 0; i < g->n; i++) {
        const struct evs_lag_entry *e = g->entries[i];
        if (!i || e->topic != g->entries[i - 1]->topic) {
            *topic_text = evs_lag_text(sn, e->topic->name);
            topics[to->n_topics++] = *topic_text;
        }
        fill_row(s, g, e, *topic_text, &rows[i]);
        rows[i].error = evs_lag_text(sn, rows[i].error);
        views[i] = (struct evs_lag_part_view){rows[i].verdict, rows[i].f.lag};
    }
    to->rows = rows;
    to->n_rows = g->n;
    to->topics = topics;
    bool no_member = g->described ? !g->n_members : g->listed && g->state == EVS_GROUP_EMPTY;
    evs_lag_judge_group(views, g->n, no_member, &to->v);
    evs_free(views);
}

static void fill_group(const struct evs_survey *s, struct evs_lag_sn *sn,
                       const struct evs_lag_group *g, struct evs_lag_group_row *to)
{
    const char *topic_text = NULL;
    bool dead = g->dead_described;
    bool new_protocol = dead && (g->listed ? g->state != EVS_GROUP_DEAD : g->n > 0 && !g->absent);
    *to = (struct evs_lag_group_row){.name = evs_lag_text(sn, g->name),
                                     .state = g->state,
                                     .new_protocol = new_protocol,
                                     .described = g->described,
                                     .assignor = evs_lag_text(sn, g->assignor),
                                     .coordinator = g->coordinator,
                                     .as_of_ms = g->offsets_ms};
    if (to->coordinator < 0 && s->st.n_offsets_leaders > 0)
        to->coordinator =
            s->st.offsets_leaders[evs_lag_group_home(g->name, s->st.n_offsets_leaders)];
    fill_members(sn, g, to);
    fill_rows(s, sn, g, &topic_text, to);
    sum_rows(to);
    to->error = evs_lag_text(sn, g->error       ? g->error
                                 : new_protocol ? "new protocol: members unknown to this librdkafka"
                                                : NULL);
    if (g->error && !g->offsets_ms)
        to->v.verdict = (struct evs_lag_verdict){EVS_LAG_UNKNOWN, EVS_RULE_ERROR};
    double cells[EVS_LAG_SPARK];
    evs_cells_get(&g->spark, s->now_ms, EVS_LAG_SPARK, cells);
    for (int i = 0; i < EVS_LAG_SPARK; i++)
        to->spark[i] = (float)cells[i];
}

static int by_name(const void *a, const void *b)
{
    const struct evs_lag_group *x = *(struct evs_lag_group *const *)a;
    const struct evs_lag_group *y = *(struct evs_lag_group *const *)b;
    return strcmp(x->name, y->name);
}

struct evs_lag_sn *evs_survey_build(struct evs_survey *s, double seconds)
{
    size_t n = s->st.groups.n;
    struct evs_lag_sn *sn = evs_lag_sn_new();
    struct evs_lag_group **order = evs_xcalloc(n + 1, sizeof(struct evs_lag_group *));
    struct evs_lag_group_row *rows = evs_lag_alloc(sn, n, sizeof(*rows));
    for (size_t i = 0; i < n; i++)
        order[i] = s->st.groups.items[i].value;
    if (n)
        qsort(order, n, sizeof(*order), by_name);
    for (size_t i = 0; i < n; i++) {
        fill_group(s, sn, order[i], &rows[i]);
        sn->n_rows += rows[i].n_rows;
    }
    evs_free(order);
    sn->groups = rows;
    sn->n_groups = n;
    sn->at_ms = s->now_ms;
    sn->stable = s->stable;
    sn->partial = s->only_view;
    sn->from_topic = s->commits != NULL;
    sn->complete = !s->failed_groups && !s->warning;
    sn->warning = evs_lag_text(sn, s->warning);
    sn->requests = s->requests;
    sn->seconds = seconds;
    sn->refresh = s->refresh;
    return sn;
}

static const struct evs_lag_entry *find_entry(const struct evs_survey *s, const char *group,
                                              const char *topic, int32_t partition)
{
    const struct evs_lag_group *g = evs_map_gets(&s->st.groups, group);
    for (size_t i = 0; g && i < g->n; i++)
        if (g->entries[i]->partition == partition && !strcmp(g->entries[i]->topic->name, topic))
            return g->entries[i];
    return NULL;
}

bool evs_survey_charts(struct evs_survey *s, const char *group, const char *topic,
                       int32_t partition, int64_t now_ms, double *ret_lag, double *ret_in,
                       double *ret_out)
{
    const struct evs_lag_entry *e = find_entry(s, group, topic, partition);
    const struct evs_track *t = e ? track_of(e) : NULL;
    if (!t)
        return false;
    double end[EVS_LAG_SPARK];
    evs_cells_get(&e->trace.lags, now_ms, EVS_LAG_SPARK, ret_lag);
    evs_cells_get(&t->ends, now_ms, EVS_LAG_SPARK, end);
    for (int i = 0; i < EVS_LAG_SPARK; i++) {
        bool both = i > 0 && end[i] >= 0 && end[i - 1] >= 0;
        bool lags = both && ret_lag[i] >= 0 && ret_lag[i - 1] >= 0;
        double in = both ? end[i] - end[i - 1] : -1;
        double out = lags ? in - (ret_lag[i] - ret_lag[i - 1]) : -1;
        ret_in[i] = in;
        ret_out[i] = lags && out < 0 ? 0 : out;
    }
    return true;
}
