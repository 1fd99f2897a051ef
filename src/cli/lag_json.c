/* lag_json.c - the JSON of eventscope lag, as in the contract, and what it calls additions. */
#include <string.h>

#include "cli/lag_out.h"
#include "cli/out.h"
#include "core/jsonw.h"
#include "lag/model.h"

enum { JSON_CAP = 1 << 30, PART = 1 << 16 };

static void count(struct evs_jsonw *w, const char *name, int64_t v)
{
    if (v >= 0)
        evs_jsonw_i64(w, name, v);
    else
        evs_jsonw_null(w, name);
}

/* Rates and seconds: three digits behind the point are more than we know. */
static void number(struct evs_jsonw *w, const char *name, double v)
{
    if (v >= 0)
        evs_jsonw_double(w, name, (double)(int64_t)(v * 1000 + 0.5) / 1000);
    else
        evs_jsonw_null(w, name);
}

static void seconds(struct evs_jsonw *w, const char *name, int64_t ms)
{
    number(w, name, ms < 0 ? -1 : (double)ms / 1000);
}

static const char *note_of(const struct evs_lag_row *r)
{
    return r->f.note == EVS_NOTE_ERROR ? (r->error ? r->error : "unknown")
                                       : evs_lag_note_text(r->f.note);
}

static void row_member(struct evs_jsonw *w, const struct evs_lag_group_row *g,
                       const struct evs_lag_row *r)
{
    const struct evs_lag_member_view *m =
        r->member >= 0 && (size_t)r->member < g->n_members ? &g->members[r->member] : NULL;
    evs_jsonw_str(w, "member", m ? m->id : NULL);
    evs_jsonw_str(w, "client", m ? m->client : NULL);
    evs_jsonw_str(w, "host", m ? m->host : NULL);
    if (m && m->instance)
        evs_jsonw_str(w, "instance", m->instance);
}

static void row_json(struct evs_jsonw *w, const struct evs_lag_group_row *g,
                     const struct evs_lag_row *r)
{
    evs_jsonw_obj(w, NULL);
    evs_jsonw_str(w, "topic", r->topic);
    evs_jsonw_i64(w, "partition", r->partition);
    count(w, "committed", r->committed);
    count(w, "low", r->low);
    count(w, "high", r->f.high);
    count(w, "lag", r->f.lag);
    count(w, "records_behind", r->behind);
    seconds(w, "lag_seconds", r->age.lag_ms);
    evs_jsonw_str(w, "lag_seconds_method", evs_lag_method_name(r->age.method));
    if (r->age.method > EVS_METHOD_EXACT) {
        evs_jsonw_arr(w, "lag_seconds_between");
        seconds(w, NULL, r->age.min_ms);
        seconds(w, NULL, r->age.max_ms);
        evs_jsonw_end(w);
    }
    row_member(w, g, r);
    number(w, "consume_rate", r->consume);
    number(w, "produce_rate", r->produce);
    number(w, "eta_seconds",
           r->eta.kind == EVS_ETA_TIME   ? r->eta.seconds
           : r->eta.kind == EVS_ETA_DONE ? 0
                                         : -1);
    evs_jsonw_str(w, "status", evs_lag_status_name(r->verdict.status));
    evs_jsonw_str(w, "rule", evs_lag_rule_text(r->verdict.rule));
    count(w, "high_watermark", r->hw);
    count(w, "last_stable_offset", r->lso);
    count(w, "lso", r->lso);
    evs_jsonw_i64(w, "lost", r->f.lost);
    evs_jsonw_bool(w, "marker_only", r->f.note == EVS_NOTE_MARKERS);
    if (g->v.total > 0 && r->f.lag >= 0)
        evs_jsonw_double(w, "share", (double)r->f.lag / (double)g->v.total);
    else
        evs_jsonw_null(w, "share");
    count(w, "committed_ts", r->commit_ms);
    if (r->compacted >= 0)
        evs_jsonw_bool(w, "compacted", r->compacted != 0);
    else
        evs_jsonw_null(w, "compacted");
    number(w, "retention_left_seconds", r->retention_left_s);
    evs_jsonw_str(w, "note", note_of(r));
    evs_jsonw_end(w);
}

static void members_json(struct evs_jsonw *w, const struct evs_lag_group_row *g)
{
    evs_jsonw_arr(w, "member_list");
    for (size_t i = 0; i < g->n_members; i++) {
        const struct evs_lag_member_view *m = &g->members[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_str(w, "member", m->id);
        evs_jsonw_str(w, "client", m->client);
        evs_jsonw_str(w, "host", m->host);
        evs_jsonw_str(w, "instance", m->instance);
        evs_jsonw_arr(w, "partitions");
        for (size_t r = 0; r < g->n_rows; r++)
            if (g->rows[r].member == (int32_t)i) {
                evs_jsonw_obj(w, NULL);
                evs_jsonw_str(w, "topic", g->rows[r].topic);
                evs_jsonw_i64(w, "partition", g->rows[r].partition);
                evs_jsonw_end(w);
            }
        evs_jsonw_end(w);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static const char *state_of(const struct evs_lag_group_row *g)
{
    return g->state == EVS_GROUP_UNKNOWN || (g->new_protocol && g->state == EVS_GROUP_DEAD)
               ? NULL
               : evs_group_state_name(g->state);
}

static void group_json(struct evs_jsonw *w, const struct evs_lag_group_row *g)
{
    static const char *const etas[] = {"unknown", "done", "time", "grows", "never"};
    char rule[300];
    evs_lag_rule_words(g, rule, sizeof(rule));
    evs_jsonw_obj(w, NULL);
    evs_jsonw_str(w, "group", g->name);
    evs_jsonw_str(w, "state", state_of(g));
    evs_jsonw_str(w, "protocol", g->new_protocol ? "consumer" : g->described ? "classic" : NULL);
    evs_jsonw_str(w, "assignor", g->assignor && g->assignor[0] ? g->assignor : NULL);
    count(w, "coordinator", g->coordinator);
    count(w, "members", g->described ? (int64_t)g->n_members : -1);
    evs_jsonw_arr(w, "topics");
    for (size_t i = 0; i < g->n_topics; i++)
        evs_jsonw_str(w, NULL, g->topics[i]);
    evs_jsonw_end(w);
    count(w, "total_lag", g->v.total);
    evs_jsonw_bool(w, "total_partial", g->v.partial);
    seconds(w, "max_lag_seconds", g->age.lag_ms);
    number(w, "consume_rate", g->consume);
    number(w, "produce_rate", g->produce);
    number(w, "eta_seconds",
           g->eta.kind == EVS_ETA_TIME   ? g->eta.seconds
           : g->eta.kind == EVS_ETA_DONE ? 0
                                         : -1);
    evs_jsonw_str(w, "eta", etas[g->eta.kind]);
    evs_jsonw_str(w, "status", evs_lag_status_name(g->v.verdict.status));
    evs_jsonw_str(w, "rule", rule);
    evs_jsonw_str(w, "verdict", rule);
    evs_jsonw_str(w, "error", g->error);
    members_json(w, g);
    evs_jsonw_arr(w, "partitions");
    for (size_t i = 0; i < g->n_rows; i++)
        row_json(w, g, &g->rows[i]);
    evs_jsonw_end(w);
    evs_jsonw_end(w);
}

void evs_lag_print_json(const struct evs_lag_sn *sn)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_i64(&w, "at", sn->at_ms);
    evs_jsonw_str(&w, "isolation", sn->stable ? "read_committed" : "read_uncommitted");
    evs_jsonw_arr(&w, "groups");
    for (size_t i = 0; i < sn->n_groups; i++) {
        group_json(&w, &sn->groups[i]);
        if (out.len > PART)
            evs_out_part(&out);
    }
    evs_jsonw_end(&w);
    evs_jsonw_str(&w, "source", sn->from_topic ? "__consumer_offsets" : "requests");
    evs_jsonw_i64(&w, "requests", sn->requests);
    number(&w, "seconds", sn->seconds);
    evs_jsonw_bool(&w, "complete", sn->complete);
    evs_jsonw_str(&w, "warning", sn->warning);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}
