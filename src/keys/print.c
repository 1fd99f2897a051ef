#include "keys/print.h"

#include <math.h>
#include <string.h>

#include "core/jsonw.h"
#include "keys/fields.h"
#include "keys/slices.h"
#include "keys/windows.h"

static void ts(struct evs_jsonw *w, const char *name, int64_t ms)
{
    if (ms < 0)
        evs_jsonw_null(w, name);
    else
        evs_jsonw_i64(w, name, ms);
}

static void num(struct evs_jsonw *w, const char *name, double v)
{
    if (isfinite(v))
        evs_jsonw_double(w, name, v);
    else
        evs_jsonw_null(w, name);
}

static double share(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0;
}

static void scan_part(struct evs_jsonw *w, const struct evs_scan_sn *sn)
{
    const struct evs_keyset *ks = sn->ks;
    evs_jsonw_obj(w, "scan");
    evs_jsonw_i64(w, "messages", (int64_t)ks->messages);
    evs_jsonw_i64(w, "bytes", (int64_t)ks->bytes);
    evs_jsonw_i64(w, "null_keys", (int64_t)ks->null_keys);
    evs_jsonw_i64(w, "empty_keys", (int64_t)ks->empty_keys);
    evs_jsonw_i64(w, "tombstones", (int64_t)ks->tombstones);
    ts(w, "first_ts", ks->first_ts);
    ts(w, "last_ts", ks->last_ts);
    evs_jsonw_double(w, "seconds", (double)sn->elapsed_us / 1e6);
    evs_jsonw_bool(w, "complete", sn->complete);
    evs_jsonw_str(w, "mode", sn->sample ? "sample" : ks->exact ? "exact" : "bounded");
    if (sn->sample)
        evs_jsonw_double(w, "sample_fraction", sn->covered);
    else
        evs_jsonw_null(w, "sample_fraction");
    evs_jsonw_double(w, "covered", sn->covered);
    evs_jsonw_i64(w, "memory_bytes", (int64_t)ks->memory_used);
    evs_jsonw_i64(w, "error_bound", (int64_t)ks->over);
    evs_jsonw_end(w);
}

static void sizes(struct evs_jsonw *w, const char *name, const struct evs_quantile *q)
{
    static const struct {
        const char *name;
        double p;
    } at[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
    evs_jsonw_obj(w, name);
    evs_jsonw_i64(w, "min", (int64_t)evs_quantile_min(q));
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        evs_jsonw_double(w, at[i].name, evs_quantile_at(q, at[i].p));
    evs_jsonw_i64(w, "max", (int64_t)evs_quantile_max(q));
    evs_jsonw_end(w);
}

static void skew(struct evs_jsonw *w, const char *name, const struct evs_skew *s, bool keys,
                 const struct evs_report *r)
{
    evs_jsonw_obj(w, name);
    evs_jsonw_double(w, "max_over_mean", s->max_over_mean);
    evs_jsonw_double(w, "cv", s->cv);
    evs_jsonw_double(w, "gini", s->gini);
    evs_jsonw_double(w, "entropy", s->entropy);
    evs_jsonw_double(w, "effective_partitions", s->effective);
    num(w, "chi2", keys ? r->chi2 : NAN);
    num(w, "p_value", keys ? r->p_value : NAN);
    evs_jsonw_end(w);
}

static void partitions(struct evs_jsonw *w, const struct evs_scan_sn *sn)
{
    const struct evs_keyset *ks = sn->ks;
    evs_jsonw_arr(w, "partition");
    for (int32_t p = 0; p < ks->partitions; p++) {
        const struct evs_key_part *x = &ks->part[p];
        const struct evs_key_part_top *top = ks->part_top + (size_t)p * EVS_KEY_PART_TOP;
        evs_jsonw_obj(w, NULL);
        evs_jsonw_i64(w, "partition", p);
        evs_jsonw_i64(w, "messages", (int64_t)x->messages);
        evs_jsonw_i64(w, "bytes", (int64_t)x->bytes);
        evs_jsonw_double(w, "share", share(x->messages, ks->messages));
        evs_jsonw_i64(w, "distinct_keys", (int64_t)x->distinct);
        evs_jsonw_i64(w, "null_keys", (int64_t)x->null_keys);
        evs_jsonw_i64(w, "tombstones", (int64_t)x->tombstones);
        ts(w, "first_ts", x->first_ts);
        ts(w, "last_ts", x->last_ts);
        evs_jsonw_arr(w, "top");
        for (int i = 0; i < EVS_KEY_PART_TOP && top[i].key; i++) {
            evs_jsonw_obj(w, NULL);
            evs_jsonw_bytes(w, "key", top[i].key, top[i].key_len);
            evs_jsonw_i64(w, "count", (int64_t)top[i].count);
            evs_jsonw_end(w);
        }
        evs_jsonw_end(w);
        evs_jsonw_str(w, "error", sn->error[p]);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

/* Of a sample: what the whole topic may hold. The count is the upper end, as in bounded mode. */
static void sampled_count(struct evs_jsonw *w, const struct evs_scan_sn *sn,
                          const struct evs_key_detail *k)
{
    /* Records of the whole: all offsets, less what compaction, markers and a filter take away. */
    double covered = evs_windows_covered(sn->windows, sn->ks->partitions);
    double whole = covered > 0 ? (double)sn->ks->messages / covered : 0;
    struct evs_interval in = evs_windows_share(sn->ks, k, sn->windows);
    double high = ceil(in.high * whole);
    evs_jsonw_i64(w, "count", (int64_t)high);
    evs_jsonw_i64(w, "error", (int64_t)(high - floor(in.low * whole)));
    evs_jsonw_double(w, "share", share(k->count, sn->ks->messages));
    evs_jsonw_double(w, "share_low", in.low);
    evs_jsonw_double(w, "share_high", in.high);
    evs_jsonw_double(w, "confidence", EVS_WINDOWS_CONFIDENCE);
    evs_jsonw_i64(w, "seen", (int64_t)k->count);
}

static void hot_keys(struct evs_jsonw *w, const struct evs_scan_sn *sn, const struct evs_keyset *ks,
                     size_t top)
{
    evs_jsonw_arr(w, "hot_keys");
    for (size_t i = 0; i < ks->n_top && i < top; i++) {
        const struct evs_key_detail *k = &ks->top[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_bytes(w, "key", k->key, k->key_len);
        if (k->key_full != k->key_len)
            evs_jsonw_i64(w, "key_bytes", k->key_full);
        if (sn->sample) {
            sampled_count(w, sn, k);
        } else {
            evs_jsonw_i64(w, "count", (int64_t)(k->count + k->error));
            evs_jsonw_i64(w, "error", (int64_t)k->error);
            evs_jsonw_double(w, "share", share(k->count + k->error, ks->messages));
        }
        evs_jsonw_i64(w, "bytes", (int64_t)k->bytes);
        evs_jsonw_arr(w, "partitions");
        for (size_t p = 0; p < k->n_places; p++)
            evs_jsonw_i64(w, NULL, k->places[p].partition);
        evs_jsonw_end(w);
        ts(w, "first_ts", k->first_ts);
        ts(w, "last_ts", k->last_ts);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static void split_keys(struct evs_jsonw *w, const struct evs_keyset *ks)
{
    evs_jsonw_i64(w, "split_keys", (int64_t)ks->split_keys);
    evs_jsonw_arr(w, "split_key_examples");
    for (size_t i = 0; i < ks->n_split; i++) {
        const struct evs_key_detail *k = &ks->split[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_bytes(w, "key", k->key, k->key_len);
        evs_jsonw_arr(w, "partitions");
        for (size_t p = 0; p < k->n_places; p++)
            evs_jsonw_i64(w, NULL, k->places[p].partition);
        evs_jsonw_end(w);
        evs_jsonw_arr(w, "on");
        for (size_t p = 0; p < k->n_places; p++) {
            const struct evs_key_place *x = &k->places[p];
            evs_jsonw_obj(w, NULL);
            evs_jsonw_i64(w, "partition", x->partition);
            evs_jsonw_i64(w, "count", (int64_t)x->count);
            evs_jsonw_i64(w, "first_offset", x->first_offset);
            evs_jsonw_i64(w, "last_offset", x->last_offset);
            ts(w, "first_ts", x->first_ts);
            ts(w, "last_ts", x->last_ts);
            evs_jsonw_end(w);
        }
        evs_jsonw_end(w);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static void partitioner(struct evs_jsonw *w, const struct evs_keyset *ks,
                        const struct evs_placement *pl)
{
    evs_jsonw_obj(w, "partitioner");
    evs_jsonw_str(w, "verdict", pl->verdict);
    evs_jsonw_str(w, "reason", pl->reason);
    evs_jsonw_obj(w, "match");
    for (int i = 0; evs_partitioners[i]; i++)
        num(w, evs_partitioners[i]->name, pl->pairs ? pl->match[i] : NAN);
    evs_jsonw_end(w);
    num(w, "by_chance", ks->partitions > 0 ? 1.0 / ks->partitions : NAN);
    evs_jsonw_str(w, "first", pl->main ? pl->main->name : NULL);
    evs_jsonw_str(w, "second", pl->second ? pl->second->name : NULL);
    evs_jsonw_i64(w, "unexplained_keys", (int64_t)pl->unexplained);
    split_keys(w, ks);
    if (pl->previous_partitions)
        evs_jsonw_i64(w, "previous_partitions", pl->previous_partitions);
    else
        evs_jsonw_null(w, "previous_partitions");
    evs_jsonw_end(w);
}

static void heat_rows(struct evs_jsonw *w, const char *name, const struct evs_hist *h, size_t from,
                      size_t rows)
{
    evs_jsonw_arr(w, name);
    for (size_t b = 0; b < h->n; b++) {
        evs_jsonw_arr(w, NULL);
        for (size_t r = 0; r < rows; r++)
            evs_jsonw_i64(w, NULL, evs_hist_get(h, b, from + r));
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

void evs_heat_patterns_json(struct evs_jsonw *w, const struct evs_heat_pattern *p, size_t n)
{
    evs_jsonw_arr(w, "patterns");
    for (size_t i = 0; i < n; i++) {
        evs_jsonw_obj(w, NULL);
        evs_jsonw_str(w, "kind", p[i].kind);
        if (p[i].partition < 0)
            evs_jsonw_null(w, "partition");
        else
            evs_jsonw_i64(w, "partition", p[i].partition);
        evs_jsonw_i64(w, "from_ts", p[i].from_ts);
        evs_jsonw_i64(w, "to_ts", p[i].to_ts);
        num(w, "factor", p[i].factor > 0 ? p[i].factor : NAN);
        evs_jsonw_str(w, "text", p[i].text);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static void heat(struct evs_jsonw *w, const struct evs_scan_sn *sn)
{
    const struct evs_hist *h = &sn->ks->heat;
    size_t P = (size_t)sn->ks->partitions;
    evs_jsonw_obj(w, "heat");
    evs_jsonw_i64(w, "bucket_ms", h->width_ms);
    ts(w, "start_ts", h->n ? evs_hist_start_ms(h) : -1);
    heat_rows(w, "rows", h, 0, P);
    heat_rows(w, "key_rows", h, P, EVS_KEY_HEAT_ROWS);
    evs_jsonw_i64(w, "untimed", (int64_t)h->untimed);
    evs_heat_patterns_json(w, sn->report->pattern, sn->report->n_patterns);
    evs_jsonw_end(w);
}

static void facts(struct evs_jsonw *w, const struct evs_finding *f)
{
    evs_jsonw_obj(w, "evidence");
    for (size_t i = 0; i < f->n_facts; i++) {
        const struct evs_fact *x = &f->fact[i];
        if (x->null)
            evs_jsonw_null(w, x->name);
        else if (x->text)
            evs_jsonw_bytes(w, x->name, x->text, x->text_len);
        else if (x->integer)
            evs_jsonw_i64(w, x->name, (int64_t)x->number);
        else
            num(w, x->name, x->number);
    }
    evs_jsonw_end(w);
}

static void diagnosis(struct evs_jsonw *w, const struct evs_report *r)
{
    evs_jsonw_arr(w, "diagnosis");
    for (size_t i = 0; i < r->n; i++) {
        const struct evs_finding *f = &r->finding[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_str(w, "kind", f->kind);
        evs_jsonw_str(w, "severity", evs_severity_name(f->severity));
        evs_jsonw_str(w, "text", f->text);
        evs_jsonw_str(w, "advice", f->advice);
        facts(w, f);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static void what_if(struct evs_jsonw *w, const struct evs_whatifs *all)
{
    evs_jsonw_arr(w, "what_if");
    for (size_t i = 0; all && i < all->n; i++) {
        const struct evs_whatif *x = &all->w[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_str(w, "strategy", x->strategy);
        evs_jsonw_str(w, "placement", x->placement);
        num(w, "max_over_mean", x->max_over_mean);
        num(w, "max_over_mean_low", x->low);
        num(w, "max_over_mean_high", x->high);
        num(w, "peak_max_over_mean", x->peak);
        evs_jsonw_bool(w, "peak_estimate", x->peak_estimate);
        evs_jsonw_str(w, "peak_unknown", x->peak_unknown);
        num(w, "hot_key_share", x->hot_key_share);
        num(w, "partitions_touched_per_hot_key", x->partitions_per_hot_key);
        evs_jsonw_str(w, "ordering", x->ordering);
        evs_jsonw_i64(w, "broken_pairs", (int64_t)x->broken_pairs);
        num(w, "broken_pair_share", x->broken_pair_share);
        evs_jsonw_i64(w, "keys_changed", (int64_t)x->keys_changed);
        evs_jsonw_bool(w, "estimate", x->estimate);
        evs_jsonw_bool(w, "smallest", x->smallest);
        num(w, "target", all->target);
        evs_jsonw_arr(w, "after");
        for (int32_t p = 0; p < x->partitions; p++)
            num(w, NULL, x->after[p]);
        evs_jsonw_end(w);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
    evs_jsonw_str(w, "what_if_advice", all ? all->advice : NULL);
}

/* The last minutes beside the whole. */
static void recent(struct evs_jsonw *w, const struct evs_scan_sn *sn, size_t top)
{
    const struct evs_keyset *ks = sn->recent;
    if (!ks)
        return;
    evs_jsonw_obj(w, "recent");
    ts(w, "first_ts", ks->messages ? ks->first_ts : -1);
    ts(w, "last_ts", ks->messages ? ks->last_ts : -1);
    evs_jsonw_i64(w, "messages", (int64_t)ks->messages);
    evs_jsonw_i64(w, "distinct_keys", (int64_t)(ks->distinct + 0.5));
    evs_jsonw_obj(w, "skew");
    skew(w, "messages", &sn->recent_report->messages, true, sn->recent_report);
    evs_jsonw_end(w);
    evs_jsonw_arr(w, "partition");
    for (int32_t p = 0; p < ks->partitions; p++) {
        evs_jsonw_obj(w, NULL);
        evs_jsonw_i64(w, "partition", p);
        evs_jsonw_i64(w, "messages", (int64_t)ks->part[p].messages);
        evs_jsonw_double(w, "share", share(ks->part[p].messages, ks->messages));
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
    hot_keys(w, sn, ks, top);
    diagnosis(w, sn->recent_report);
    evs_jsonw_end(w);
}

static void fields(struct evs_jsonw *w, const struct evs_fields_advice *a)
{
    if (!a)
        return;
    evs_jsonw_obj(w, "fields");
    evs_jsonw_i64(w, "values", (int64_t)a->read);
    evs_jsonw_i64(w, "objects", (int64_t)a->objects);
    evs_jsonw_arr(w, "candidates");
    for (size_t i = 0; i < a->n; i++) {
        const struct evs_field_advice *x = &a->field[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_strn(w, "field", x->name, strlen(x->name));
        evs_jsonw_double(w, "score", x->score);
        evs_jsonw_str(w, "verdict", x->verdict);
        evs_jsonw_double(w, "present", x->present);
        evs_jsonw_double(w, "distinct", x->distinct);
        evs_jsonw_double(w, "distinct_error", x->distinct_error);
        evs_jsonw_strn(w, "top", x->top, strlen(x->top));
        evs_jsonw_double(w, "top_share", x->top_share);
        num(w, "max_over_mean", x->max_over_mean);
        num(w, "changes_within_key", x->changes_within_key);
        num(w, "key_changes_within_value", x->keys_per_value_change);
        evs_jsonw_str(w, "relation", x->relation);
        evs_jsonw_str(w, "looks", x->looks);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
    evs_jsonw_end(w);
}

void evs_scan_json(struct evs_buf *out, const struct evs_scan_sn *sn, size_t top)
{
    const struct evs_keyset *ks = sn->ks;
    const struct evs_report *r = sn->report;
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "topic", sn->topic);
    evs_jsonw_i64(&w, "partitions", ks->partitions);
    scan_part(&w, sn);
    evs_jsonw_obj(&w, "distinct_keys");
    evs_jsonw_i64(&w, "estimate", (int64_t)((sn->sample ? sn->distinct : ks->distinct) + 0.5));
    num(&w, "relative_error", sn->sample ? NAN : ks->distinct_error);
    if (!ks->exact)
        num(&w, "partition_relative_error", ks->part_distinct_error);
    if (sn->sample)
        evs_jsonw_i64(&w, "seen", (int64_t)(ks->distinct + 0.5));
    evs_jsonw_end(&w);
    evs_jsonw_obj(&w, "skew");
    skew(&w, "messages", &r->messages, true, r);
    skew(&w, "bytes", &r->bytes, false, r);
    evs_jsonw_end(&w);
    evs_jsonw_obj(&w, "sizes");
    sizes(&w, "key", &ks->key_size);
    sizes(&w, "value", &ks->value_size);
    evs_jsonw_end(&w);
    partitions(&w, sn);
    hot_keys(&w, sn, ks, top);
    partitioner(&w, ks, &r->placement);
    heat(&w, sn);
    diagnosis(&w, r);
    what_if(&w, sn->what_if);
    fields(&w, sn->fields);
    recent(&w, sn, top);
    evs_jsonw_end(&w);
}

void evs_slices_json(struct evs_buf *out, const struct evs_slices *s)
{
    const struct evs_heat_grid *g = &s->grid;
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "topic", s->topic);
    evs_jsonw_i64(&w, "partitions", (int64_t)g->rows);
    evs_jsonw_obj(&w, "heat");
    evs_jsonw_i64(&w, "bucket_ms", g->bucket_ms);
    ts(&w, "start_ts", g->n ? g->start_ms : -1);
    evs_jsonw_arr(&w, "rows");
    for (size_t c = 0; c < g->n; c++) {
        evs_jsonw_arr(&w, NULL);
        for (size_t r = 0; r < g->rows; r++)
            evs_jsonw_i64(&w, NULL, (int64_t)g->cell[c * g->rows + r]);
        evs_jsonw_end(&w);
    }
    evs_jsonw_end(&w);
    evs_heat_patterns_json(&w, s->pattern, s->n_patterns);
    evs_jsonw_end(&w);
    evs_jsonw_i64(&w, "lookups", s->lookups);
    evs_jsonw_i64(&w, "requests", s->requests);
    evs_jsonw_i64(&w, "failed_partitions", s->failed);
    evs_jsonw_double(&w, "seconds", (double)s->took_us / 1e6);
    evs_jsonw_bool(&w, "complete", s->failed == 0);
    evs_jsonw_end(&w);
}

void evs_whatifs_json(struct evs_buf *out, const struct evs_whatifs *all)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    what_if(&w, all);
    evs_jsonw_end(&w);
}
