/* topics.c - the survey's view of the topics: which there are, which are gone or hidden. */
#include "lag/survey_inner.h"

enum { META_AGE_MS = 30000, MISSING_MAX = 16 };

static bool meta_needed(const struct evs_survey *s)
{
    if (!s->meta_ms || s->now_ms - s->meta_ms > META_AGE_MS)
        return true;
    for (size_t i = 0; i < s->st.topics.n; i++) {
        const struct evs_lag_topic *t = s->st.topics.items[i].value;
        bool failed = !t->n && !t->gone;
        for (int32_t p = 0; p < t->n && !failed; p++)
            failed = t->parts[p].native != 0;
        if (failed)
            return true;
    }
    return false;
}

/* A topic that is not listed was deleted, or this user may no longer see it. */
static void ask_missing(struct evs_survey *s)
{
    int left = MISSING_MAX;
    for (size_t i = 0; i < s->st.topics.n && left > 0; i++) {
        struct evs_lag_topic *t = s->st.topics.items[i].value;
        if (!t->gone || t->asked)
            continue;
        struct evs_meta *m = NULL;
        struct evs_err err = EVS_ERR_INIT;
        enum evs_rc rc = evs_meta_fetch(s->c, t->name, &m, &err);
        t->asked = rc != EVS_RETRY;
        t->native = rc == EVS_FATAL && evs_meta_denied(err.native) ? err.native : 0;
        evs_meta_free(m);
        s->requests++;
        left--;
    }
}

enum evs_rc evs_survey_meta(struct evs_survey *s, struct evs_err *err)
{
    if (!meta_needed(s))
        return EVS_OK;
    struct evs_meta *m = NULL;
    enum evs_rc rc = evs_meta_fetch(s->c, NULL, &m, err);
    s->requests++;
    if (rc)
        return rc;
    evs_lag_state_meta(&s->st, m);
    s->meta_ms = s->now_ms;
    evs_meta_free(m);
    ask_missing(s);
    return EVS_OK;
}

/* A row for every partition of the topics that a group has to do with. */
void evs_survey_complete(struct evs_lag_group *g)
{
    for (size_t i = 0; i < g->n;) {
        struct evs_lag_topic *t = g->entries[i]->topic;
        size_t have = 0;
        while (i + have < g->n && g->entries[i + have]->topic == t)
            have++;
        for (int32_t p = 0; p < t->n && have < (size_t)t->n; p++)
            (void)evs_lag_state_entry(g, t, p);
        while (i < g->n && g->entries[i]->topic == t)
            i++;
    }
}
