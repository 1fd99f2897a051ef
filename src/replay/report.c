/* report.c - the contract's report of a replay. */
#include <string.h>

#include "core/xalloc.h"
#include "kafka/range.h"
#include "replay/compare.h"
#include "replay/run.h"

void evs_report_done(struct evs_report *r)
{
    evs_free(r->id);
    evs_free(r->plan_hash);
    evs_free(r->guarantee);
    evs_free(r->error);
    evs_ckpt_done(&r->ckpt);
    memset(r, 0, sizeof(*r));
}

void evs_report_copy(struct evs_report *to, const struct evs_report *from)
{
    *to = *from;
    to->id = evs_xstrdup(from->id);
    to->plan_hash = evs_xstrdup(from->plan_hash);
    to->guarantee = evs_xstrdup(from->guarantee);
    to->error = evs_xstrdup(from->error);
    evs_ckpt_copy(&to->ckpt, &from->ckpt);
}

static void totals(const struct evs_report *r, struct evs_jsonw *w)
{
    static const struct {
        const char *name;
        enum evs_ckpt_field field;
    } events[] = {{"read", EVS_CKPT_READ},
                  {"matched", EVS_CKPT_MATCHED},
                  {"applied", EVS_CKPT_APPLIED},
                  {"skipped", EVS_CKPT_SKIPPED},
                  {"dead_lettered", EVS_CKPT_DEAD}};
    evs_jsonw_obj(w, "events");
    for (size_t i = 0; i < EVS_COUNT(events); i++)
        evs_jsonw_i64(w, events[i].name, evs_ckpt_total(&r->ckpt, events[i].field));
    evs_jsonw_end(w);
    evs_jsonw_obj(w, "rows");
    evs_jsonw_i64(w, "written", evs_ckpt_total(&r->ckpt, EVS_CKPT_WRITTEN));
    evs_jsonw_i64(w, "deleted", evs_ckpt_total(&r->ckpt, EVS_CKPT_DELETED));
    evs_jsonw_i64(w, "left", r->left);
    evs_jsonw_end(w);
    evs_jsonw_i64(w, "bytes", evs_ckpt_total(&r->ckpt, EVS_CKPT_BYTES));
}

void evs_report_json(const struct evs_report *r, struct evs_jsonw *w)
{
    evs_jsonw_str(w, "id", r->id);
    evs_jsonw_str(w, "plan_hash", r->plan_hash);
    evs_jsonw_str(w, "state", r->state);
    totals(r, w);
    evs_jsonw_double(w, "seconds", r->seconds);
    evs_jsonw_double(w, "sink_seconds", r->sink_seconds);
    evs_jsonw_double(w, "rate", r->rate);
    evs_jsonw_arr(w, "partitions");
    for (size_t i = 0; i < r->ckpt.n; i++) {
        const struct evs_ckpt_part *p = &r->ckpt.parts[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_i64(w, "partition", p->partition);
        evs_jsonw_i64(w, "from", p->n[EVS_CKPT_FROM]);
        evs_jsonw_i64(w, "next", p->n[EVS_CKPT_NEXT]);
        if (p->n[EVS_CKPT_END] == EVS_RANGE_OPEN)
            evs_jsonw_null(w, "end");
        else
            evs_jsonw_i64(w, "end", p->n[EVS_CKPT_END]);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
    evs_jsonw_str(w, "guarantee", r->guarantee);
    evs_jsonw_i64(w, "null_keys", r->null_keys);
    evs_jsonw_i64(w, "split_keys", r->split_keys);
    evs_jsonw_i64(w, "tombstones_filtered", r->tombstones_filtered);
    evs_jsonw_i64(w, "retries", r->retries);
    evs_jsonw_str(w, "error", r->error);
}

void evs_comparison_json(const struct evs_comparison *c, bool verify, struct evs_jsonw *w)
{
    if (verify) {
        evs_jsonw_i64(w, "source_rows", c->source_rows);
        evs_jsonw_i64(w, "sink_rows", c->sink_rows);
    }
    for (int i = 0; i < EVS_CHANGES; i++)
        if (verify ? i >= EVS_CHANGE_MISSING : i <= EVS_CHANGE_NEWER)
            evs_jsonw_i64(w, evs_change_names[i], c->n[i]);
    evs_jsonw_arr(w, "examples");
    for (size_t i = 0; i < c->n_examples; i++) {
        const struct evs_example *e = &c->examples[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_str(w, "change", evs_change_names[e->change]);
        evs_jsonw_bytes(w, "key", e->key, e->key_len);
        evs_jsonw_i64(w, "partition", e->partition);
        evs_jsonw_i64(w, "offset", e->offset);
        evs_jsonw_raw(w, "fields", e->fields, strlen(e->fields));
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}
