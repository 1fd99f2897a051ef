#include "lag/survey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/glob.h"
#include "core/log.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "lag/commits.h"
#include "lag/survey_inner.h"

enum { DESCRIBE_EMPTY_MAX = 64, WARNING_LEN = 300 };

enum evs_rc evs_survey_new(struct evs_client *c, const struct evs_survey_opts *o,
                           struct evs_survey **ret_s, struct evs_err *err)
{
    struct evs_survey *s = evs_xcalloc(1, sizeof(*s));
    s->c = c;
    s->names = evs_xtexts(o->names, o->n_names);
    s->n_names = o->n_names;
    s->globs = evs_xtexts(o->globs, o->n_globs);
    s->n_globs = o->n_globs;
    s->all = !o->n_names && !o->n_globs;
    s->stable = o->stable;
    s->watch = o->watch;
    s->ages = o->ages;
    s->source = o->source;
    evs_lag_state_init(&s->st);
    enum evs_rc rc = evs_groups_open(c, 0, &s->pool, err);
    if (!rc && o->source == EVS_SOURCE_TOPIC)
        rc = evs_commits_open(c, &s->commits, err);
    if (rc) {
        evs_survey_free(s);
        return rc;
    }
    *ret_s = s;
    return EVS_OK;
}

void evs_survey_free(struct evs_survey *s)
{
    if (!s)
        return;
    evs_commits_close(s->commits);
    evs_groups_close(s->pool);
    evs_peek_close(s->peek[0]);
    evs_peek_close(s->peek[1]);
    evs_lag_state_done(&s->st);
    evs_free_texts(s->names, s->n_names);
    evs_free_texts(s->globs, s->n_globs);
    evs_free_texts(s->view, s->n_view);
    evs_free(s->warning);
    evs_free(s->down);
    evs_free(s->commits_why);
    evs_free(s);
}

void evs_survey_stable(struct evs_survey *s, bool stable)
{
    s->stable = stable;
}

void evs_survey_view(struct evs_survey *s, const char *const *groups, size_t n)
{
    evs_free_texts(s->view, s->n_view);
    s->view = evs_xtexts(groups, n);
    s->n_view = n;
}

void evs_survey_add(struct evs_survey *s, const char *group)
{
    s->names = evs_xgrow(s->names, s->n_names + 2, sizeof(*s->names));
    s->names[s->n_names++] = evs_xstrdup(group);
}

bool evs_survey_in_view(const struct evs_survey *s, const char *group)
{
    for (size_t i = 0; i < s->n_view; i++)
        if (!strcmp(s->view[i], group))
            return true;
    return false;
}

void evs_survey_warn(struct evs_survey *s, const char *fmt, ...)
{
    char text[WARNING_LEN];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    evs_log(EVS_LOG_WARN, "lag: %s", text);
    if (!s->warning)
        s->warning = evs_xstrdup(text);
}

/* --- which groups --- */

static bool matches(const struct evs_survey *s, const char *name)
{
    for (size_t i = 0; i < s->n_names; i++)
        if (!strcmp(s->names[i], name))
            return true;
    for (size_t i = 0; i < s->n_globs; i++)
        if (evs_glob_match(s->globs[i], strlen(s->globs[i]), name, strlen(name), false) ||
            !strcmp(s->globs[i], name))
            return true;
    return s->all;
}

static void take_list(struct evs_survey *s, const struct evs_group_list *l)
{
    struct evs_lag_state *st = &s->st;
    for (size_t i = 0; i < st->groups.n; i++)
        ((struct evs_lag_group *)st->groups.items[i].value)->listed = false;
    for (size_t i = 0; i < l->n; i++) {
        if (!matches(s, l->groups[i].name))
            continue;
        struct evs_lag_group *g = evs_lag_state_group(st, l->groups[i].name);
        g->listed = true;
        g->state = l->groups[i].state;
        g->simple = l->groups[i].simple;
    }
    if (l->warning) {
        evs_survey_warn(s, "%s", l->warning);
        return; /* what is not listed may still be there */
    }
    for (size_t i = st->groups.n; i-- > 0;) {
        struct evs_lag_group *g = st->groups.items[i].value;
        bool named = false;
        for (size_t k = 0; k < s->n_names; k++)
            named |= !strcmp(s->names[k], g->name);
        if (!g->listed && !named)
            evs_lag_state_forget(st, g->name);
    }
}

/* While no broker answers, an admin request keeps librdkafka 2.0.2 busy (a whole core): metadata
 * is the probe that waits quietly. */
static enum evs_rc list(struct evs_survey *s, struct evs_group_list *ret_l, struct evs_err *err)
{
    struct evs_link_state link;
    struct evs_meta *m = NULL;
    evs_client_link(s->c, &link);
    enum evs_rc rc = EVS_OK;
    if (s->refresh > 1 && link.link == EVS_LINK_DOWN)
        rc = evs_meta_fetch(s->c, NULL, &m, err);
    evs_meta_free(m);
    return rc ? rc : evs_groups_list(s->pool, ret_l, err);
}

static enum evs_rc find_groups(struct evs_survey *s, struct evs_err *err)
{
    struct evs_group_list l = {0};
    struct evs_err list_err = EVS_ERR_INIT;
    enum evs_rc rc = list(s, &l, &list_err);
    s->requests++;
    s->whole_list = !rc && !l.warning;
    if (!rc)
        take_list(s, &l);
    evs_group_list_done(&l);
    for (size_t i = 0; i < s->n_names; i++)
        (void)evs_lag_state_group(&s->st, s->names[i]);
    if (!rc || (s->n_names && rc != EVS_RETRY))
        return EVS_OK; /* named groups answer without being listed */
    if (s->refresh > 1) {
        evs_survey_warn(s, "%s", list_err.msg);
        if (rc == EVS_RETRY)
            s->down = evs_xstrdup(list_err.msg);
        return EVS_OK;
    }
    *err = list_err;
    if (rc == EVS_FATAL && !err->hint[0])
        evs_hint(err, "--group NAME works without permission to list groups");
    return rc;
}

/* --- what they committed, and who is in them --- */

struct run {
    struct evs_survey *s;
    struct evs_lag_group **groups;
    struct evs_group_ask *asks;
    size_t n;
};

static void set_error(struct evs_lag_group *g, const char *text)
{
    if (!g->error)
        g->error = evs_xstrdup(text);
}

static void on_offsets(void *ctx, size_t i, const struct evs_group_offset *o, size_t n)
{
    struct run *r = ctx;
    struct evs_lag_group *g = r->groups[i];
    for (size_t k = 0; k < g->n; k++)
        g->entries[k]->committed = EVS_LAG_NULL;
    struct evs_lag_topic *t = NULL;
    for (size_t k = 0; k < n; k++) {
        if (!t || strcmp(t->name, o[k].topic))
            t = evs_lag_state_topic(&r->s->st, o[k].topic);
        struct evs_lag_entry *e = evs_lag_state_entry(g, t, o[k].partition);
        if (!e)
            continue;
        e->committed = o[k].native ? EVS_LAG_NULL : o[k].committed;
        e->native = o[k].native;
    }
    g->offsets_ms = evs_clock_wall_ms();
    g->in_run = true;
}

static void on_offsets_failed(void *ctx, size_t i, const struct evs_err *err)
{
    struct run *r = ctx;
    set_error(r->groups[i], err->msg);
    r->s->failed_groups++;
}

static void add_member(struct run *r, struct evs_lag_group *g, size_t at,
                       const struct evs_group_member *m)
{
    const char *host = m->host && m->host[0] == '/' ? m->host + 1 : m->host; /* Java's form */
    g->members[at] = (struct evs_lag_member){
        evs_xstrdup(m->id), evs_xstrdup(m->client), evs_xstrdup(host),
        m->instance && m->instance[0] ? evs_xstrdup(m->instance) : NULL, m->n_places};
    for (size_t i = 0; i < m->n_places; i++) {
        struct evs_lag_topic *t = evs_lag_state_topic(&r->s->st, m->places[i].topic);
        struct evs_lag_entry *e = evs_lag_state_entry(g, t, m->places[i].partition);
        if (e)
            e->member = (int32_t)at;
    }
}

static void on_members(void *ctx, size_t i, const struct evs_group_desc *d)
{
    struct run *r = ctx;
    struct evs_lag_group *g = r->groups[i];
    evs_lag_group_clear_members(g);
    g->dead_described = d->dead;
    g->described = !d->dead;
    g->coordinator = d->coordinator;
    if (d->dead)
        return;
    g->state = d->state;
    evs_free(g->assignor);
    g->assignor = evs_xstrdup(d->assignor);
    g->members = evs_xcalloc(d->n_members + 1, sizeof(*g->members));
    g->n_members = d->n_members;
    for (size_t m = 0; m < d->n_members; m++)
        add_member(r, g, m, &d->members[m]);
}

static void on_members_failed(void *ctx, size_t i, const struct evs_err *err)
{
    struct run *r = ctx;
    struct evs_lag_group *g = r->groups[i];
    evs_lag_group_clear_members(g);
    g->described = false;
    if (!evs_groups_unsupported(err))
        set_error(g, err->msg);
}

/* The list says it: no member to ask for, and the coordinator follows from the name. */
static void take_empty(struct evs_survey *s, struct evs_lag_group *g)
{
    evs_lag_group_clear_members(g);
    g->described = true;
    g->dead_described = false;
    int32_t home = evs_lag_group_home(g->name, s->st.n_offsets_leaders);
    g->coordinator = home >= 0 ? s->st.offsets_leaders[home] : -1;
}

static void set_absent(struct evs_survey *s, struct evs_lag_group *g)
{
    g->absent = true;
    g->state = EVS_GROUP_UNKNOWN;
    g->described = false;
    g->in_run = true;
    g->offsets_ms = s->now_ms;
    set_error(g, "the group does not exist, or this user may not describe it");
}

/* Asking for a coordinator makes a broker create __consumer_offsets: where that is not there yet, a
 * group that is not listed is not asked for. */
static bool take_absent(struct evs_survey *s, struct evs_lag_group *g)
{
    g->absent = false;
    if (!s->whole_list || g->listed || g->n || s->st.n_offsets_leaders > 0)
        return false;
    set_absent(s, g);
    return true;
}

static void plan_run(struct evs_survey *s, struct run *r)
{
    size_t all = s->st.groups.n;
    r->s = s;
    r->groups = evs_xcalloc(all + 1, sizeof(struct evs_lag_group *));
    r->asks = evs_xcalloc(all + 1, sizeof(*r->asks));
    for (size_t i = 0; i < all; i++) {
        struct evs_lag_group *g = s->st.groups.items[i].value;
        if (s->only_view && !evs_survey_in_view(s, g->name))
            continue;
        bool empty = g->listed && g->state == EVS_GROUP_EMPTY;
        evs_free(g->error);
        g->error = NULL;
        g->in_run = s->commits != NULL;
        if (take_absent(s, g))
            continue;
        r->groups[r->n] = g;
        r->asks[r->n++] = (struct evs_group_ask){g->name, .offsets = !s->commits,
                                                 .members = !empty || all <= DESCRIBE_EMPTY_MAX};
    }
}

static enum evs_rc ask_groups(struct evs_survey *s, struct evs_stop *stop, struct evs_err *err)
{
    static const struct evs_groups_ops ops = {on_offsets, on_offsets_failed, on_members,
                                              on_members_failed};
    struct run r = {0};
    plan_run(s, &r);
    enum evs_rc rc = EVS_OK;
    if (!s->down)
        rc = evs_groups_ask(s->pool, r.asks, r.n, &ops, &r, stop, &s->requests, err);
    for (size_t i = 0; i < r.n && s->down; i++) {
        set_error(r.groups[i], s->down);
        r.groups[i]->in_run = false;
        s->failed_groups++;
    }
    for (size_t i = 0; i < r.n && !rc && !s->down; i++)
        if (!r.asks[i].members)
            take_empty(s, r.groups[i]);
        else if (s->whole_list && !r.groups[i]->listed && r.groups[i]->dead_described)
            set_absent(s, r.groups[i]);
    evs_free(r.groups);
    evs_free(r.asks);
    return rc;
}

static void unknown_names(const struct evs_survey *s, struct evs_err *err)
{
    for (size_t i = 0; i < s->n_names && !err->code; i++) {
        const struct evs_lag_group *g = evs_map_gets(&s->st.groups, s->names[i]);
        if (g && !g->listed && !g->n && (g->dead_described || g->absent)) {
            evs_fail(err, EVS_FATAL, "group %s: does not exist, or this user may not describe it",
                     g->name);
            evs_hint(err, "'eventscope lag' lists the groups that this user may see");
        }
    }
}

/* --- the source of commits --- */

static void choose_source(struct evs_survey *s)
{
    bool many = s->watch && s->st.groups.n > EVS_SURVEY_TOPIC_MODE;
    if (s->source != EVS_SOURCE_AUTO || !many || s->commits || s->commits_failed)
        return;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_commits_open(s->c, &s->commits, &err)) {
        s->commits_failed = true; /* no permission, most likely: requests do it too */
        evs_log(EVS_LOG_INFO, "lag: the offsets topic is not used: %s", err.msg);
    }
}

static enum evs_rc read_commits(struct evs_survey *s, struct evs_stop *stop, struct evs_err *err)
{
    enum evs_rc rc = evs_commits_take(s->commits, &s->st, stop, err);
    if (rc && s->source == EVS_SOURCE_AUTO && rc != EVS_AGAIN) {
        evs_log(EVS_LOG_INFO, "lag: the offsets topic is not used: %s", err->msg);
        evs_commits_close(s->commits);
        s->commits = NULL;
        s->commits_failed = true;
        return EVS_OK;
    }
    return rc;
}

static enum evs_rc collect(struct evs_survey *s, struct evs_stop *stop, struct evs_err *err)
{
    enum evs_rc rc = s->only_view && s->st.groups.n ? EVS_OK : find_groups(s, err);
    if (!rc && !s->meta_ms)
        rc = evs_survey_meta(s, err);
    if (rc)
        return rc;
    if (s->refresh > 1)
        choose_source(s); /* the first picture comes sooner by requests */
    if (s->commits && !s->down)
        rc = read_commits(s, stop, err);
    if (!rc)
        rc = ask_groups(s, stop, err);
    if (rc || s->down)
        return rc;
    rc = evs_survey_meta(s, err);
    if (rc && s->refresh > 1) {
        evs_survey_warn(s, "%s", err->msg);
        rc = EVS_OK;
    }
    if (rc)
        return rc;
    for (size_t i = 0; i < s->st.groups.n; i++)
        evs_survey_complete(s->st.groups.items[i].value);
    struct evs_err unknown = EVS_ERR_INIT;
    unknown_names(s, &unknown);
    if (unknown.code && !s->watch) {
        *err = unknown;
        return err->code;
    }
    return evs_survey_ends(s, err);
}

enum evs_rc evs_survey_refresh(struct evs_survey *s, bool only_view, struct evs_stop *stop,
                               struct evs_lag_sn **ret_sn, struct evs_err *err)
{
    int64_t start_us = evs_clock_mono_us();
    s->now_ms = evs_clock_wall_ms();
    s->requests = s->failed_groups = 0;
    s->only_view = only_view && s->n_view > 0;
    evs_free(s->warning);
    evs_free(s->down);
    s->warning = s->down = NULL;
    s->refresh += s->only_view ? 0 : 1;
    enum evs_rc rc = collect(s, stop, err);
    if (rc)
        return rc;
    s->now_ms = evs_clock_wall_ms();
    if (!s->down) {
        evs_survey_configs(s);
        evs_survey_closer(s);
    }
    evs_survey_trace(s);
    *ret_sn = evs_survey_build(s, (double)(evs_clock_mono_us() - start_us) / 1e6);
    return EVS_OK;
}
