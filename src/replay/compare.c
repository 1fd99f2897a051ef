#include "replay/compare.h"

#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/map.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "replay/run_priv.h"
#include "replay/team.h"

enum {
    CHUNK_ROWS = 50000,
    CHUNK_BYTES = 16 << 20,
    FIELD_CAP = 64 << 20,
    SLICES_MAX = 1024,
    MEMORY = 1 << 30
};

const char *const evs_change_names[EVS_CHANGES] = {
    "insert",  "update", "delete",    "same",           "newer",
    "missing", "extra",  "different", "outside_window",
};

struct work {
    const struct evs_compare_opts *o;
    struct evs_sink *sink;
    struct evs_shape view;
    struct evs_shape_column *columns;
    struct slice slice;
    struct evs_rows fold;
    struct evs_map places; /* log: "partition/offset" to row + 1 */
    struct evs_ckpt have;
    uint8_t *seen; /* of the fold's rows */
    struct evs_comparison *c;
};

void evs_comparison_done(struct evs_comparison *c)
{
    for (size_t i = 0; i < c->n_examples; i++) {
        evs_free(c->examples[i].key);
        evs_free(c->examples[i].fields);
    }
    evs_free(c->examples);
    evs_report_done(&c->report);
    memset(c, 0, sizeof(*c));
}

/* --- one row against another ----------------------------------------------------------------- */
static bool same_json(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct evs_err ignored = EVS_ERR_INIT;
    struct evs_json *x = NULL, *y = NULL;
    bool same = !evs_json_parse(a, a_len, &x, &ignored) &&
                !evs_json_parse(b, b_len, &y, &ignored) && evs_json_equal(x, y);
    evs_json_free(x);
    evs_json_free(y);
    return same;
}

static bool same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
    if (!a || !b)
        return !a && !b;
    return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

/* What a sink gives back of a cell: its own spelling of the same value. */
static bool same_cell(const struct evs_row_cell *want, const struct evs_row_cell *got)
{
    if (want->type == EVS_CELL_NULL || got->type == EVS_CELL_NULL)
        return want->type == got->type;
    if (same_bytes(want->p, want->len, got->p, got->len))
        return true;
    if (want->type == EVS_CELL_NUMBER)
        return evs_decimal_same(want->p, want->len, got->p, got->len);
    if (want->type == EVS_CELL_BOOL)
        return got->len == 1 && (*got->p == '1' || *got->p == 't') == (*want->p == 't');
    return want->type == EVS_CELL_JSON && same_json(want->p, want->len, got->p, got->len);
}

static bool same_value(const struct work *w, const struct evs_row *want, const struct evs_row *got)
{
    if (same_bytes(want->value, want->value_len, got->value, got->value_len))
        return true;
    const char *type = w->view.value_type;
    return type && !strncmp(type, "json", 4) && want->value && got->value &&
           same_json(want->value, want->value_len, got->value, got->value_len);
}

static bool same_content(const struct work *w, const struct evs_row *want,
                         const struct evs_row *got)
{
    if (w->view.mode == EVS_VIEW_COUNT)
        return want->count == got->count;
    if (w->view.mode == EVS_VIEW_SUM)
        return evs_decimal_same(want->sum, strlen(want->sum), got->sum, strlen(got->sum));
    for (size_t i = 0; i < w->view.n_columns; i++)
        if (!same_cell(&want->cells[i], &got->cells[i]))
            return false;
    if (w->view.mode == EVS_VIEW_LOG &&
        !same_bytes(want->key, want->key_len, got->key, got->key_len))
        return false;
    return w->view.n_columns || same_value(w, want, got);
}

static bool same_place(const struct work *w, const struct evs_row *want, const struct evs_row *got)
{
    if (w->view.mode != EVS_VIEW_LATEST || w->view.n_columns)
        return true; /* the row does not show it */
    return want->partition == got->partition && want->offset == got->offset &&
           want->ts_ms == got->ts_ms;
}

static bool held_is_newer(const struct evs_row *held, const struct evs_row *row)
{
    return held->offset >= 0 && /* partition -1: another topic's, the time decides */
           evs_row_newer(held->partition, held->offset, held->ts_ms, row->partition, row->offset,
                         row->ts_ms);
}

/* --- examples -------------------------------------------------------------------------------- */
static void put_cell(struct evs_jsonw *j, const struct evs_row_cell *c)
{
    if (!c || c->type == EVS_CELL_NULL)
        evs_jsonw_null(j, NULL);
    else if (c->type == EVS_CELL_TEXT)
        evs_jsonw_bytes(j, NULL, c->p, c->len);
    else
        evs_jsonw_raw(j, NULL, c->p, c->len);
}

static void put_total(struct evs_jsonw *j, const struct evs_row *r)
{
    if (!r)
        evs_jsonw_null(j, NULL);
    else if (r->sum)
        evs_jsonw_str(j, NULL, r->sum);
    else
        evs_jsonw_i64(j, NULL, r->count);
}

/* The fields that differ: "total":["120.00","184.90"]. Either side may be missing. */
static char *fields_of(const struct work *w, const struct evs_row *held, const struct evs_row *row)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(FIELD_CAP);
    struct evs_jsonw j;
    const struct evs_row *live = row && !row->deleted ? row : NULL;
    evs_jsonw_init(&j, &out);
    evs_jsonw_obj(&j, NULL);
    for (size_t i = 0; i < w->view.n_columns; i++) {
        const struct evs_row_cell *a = held && held->cells ? &held->cells[i] : NULL;
        const struct evs_row_cell *b = live && live->cells ? &live->cells[i] : NULL;
        if (a && b && same_cell(b, a))
            continue;
        EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096);
        evs_jsonw_quote(&name, w->view.columns[i].name, strlen(w->view.columns[i].name));
        name.data[name.len - 1] = '\0';
        evs_jsonw_arr(&j, name.data + 1);
        put_cell(&j, a);
        put_cell(&j, b);
        evs_jsonw_end(&j);
    }
    if (w->view.mode == EVS_VIEW_COUNT || w->view.mode == EVS_VIEW_SUM) {
        evs_jsonw_arr(&j, evs_view_mode_name(w->view.mode));
        put_total(&j, held);
        put_total(&j, live);
        evs_jsonw_end(&j);
    } else if (!w->view.n_columns && !(held && live && same_value(w, live, held))) {
        evs_jsonw_arr(&j, "value");
        evs_jsonw_bytes(&j, NULL, held ? held->value : NULL, held ? held->value_len : 0);
        evs_jsonw_bytes(&j, NULL, live ? live->value : NULL, live ? live->value_len : 0);
        evs_jsonw_end(&j);
    }
    if (held && live && w->view.mode == EVS_VIEW_LATEST && held->offset != live->offset) {
        evs_jsonw_arr(&j, "offset");
        evs_jsonw_i64(&j, NULL, held->offset);
        evs_jsonw_i64(&j, NULL, live->offset);
        evs_jsonw_end(&j);
    }
    evs_jsonw_end(&j);
    return evs_buf_steal(&out);
}

static void count(struct work *w, enum evs_change change, const struct evs_row *held,
                  const struct evs_row *row)
{
    struct evs_comparison *c = w->c;
    const struct evs_row *any = row ? row : held;
    if (c->n[change]++ >= (int64_t)w->o->examples || change == EVS_CHANGE_SAME ||
        change == EVS_CHANGE_OUTSIDE)
        return;
    c->examples = evs_xgrow(c->examples, c->n_examples + 1, sizeof(*c->examples));
    c->examples[c->n_examples++] = (struct evs_example){
        .change = change,
        .key = any->key ? evs_xmemdup(any->key, any->key_len) : NULL,
        .key_len = any->key_len,
        .partition = any->partition,
        .offset = any->offset,
        .fields = fields_of(w, held, row),
    };
}

/* --- the fold's rows by key ------------------------------------------------------------------ */
static size_t place_of(const struct evs_row *r, char *to, size_t size)
{
    return (size_t)snprintf(to, size, "%d/%lld", r->partition, (long long)r->offset);
}

static void index_log(struct work *w)
{
    char place[48];
    for (size_t i = 0; w->view.mode == EVS_VIEW_LOG && i < w->fold.n; i++) {
        size_t n = place_of(&w->fold.rows[i], place, sizeof(place));
        *evs_map_put(&w->places, place, n) = (void *)(uintptr_t)(i + 1);
    }
}

static const struct evs_row *find(const struct work *w, const struct evs_row *held)
{
    char place[48];
    if (w->view.mode != EVS_VIEW_LOG)
        return held->key ? evs_rows_find(&w->fold, held->key, held->key_len) : NULL;
    size_t n = place_of(held, place, sizeof(place));
    size_t at = (size_t)(uintptr_t)evs_map_get(&w->places, place, n);
    return at ? &w->fold.rows[at - 1] : NULL;
}

/* --- diff ------------------------------------------------------------------------------------ */
static void diff_row(struct work *w, const struct evs_row *held, const struct evs_row *row)
{
    if (w->view.mode == EVS_VIEW_LOG) {
        count(w, EVS_CHANGE_SAME, held, row);
    } else if (w->view.mode != EVS_VIEW_LATEST) {
        count(w, EVS_CHANGE_UPDATE, held, row); /* added to */
    } else if (held->partition >= 0 && held->partition == row->partition &&
               held->offset == row->offset) {
        count(w, same_content(w, row, held) ? EVS_CHANGE_SAME : EVS_CHANGE_NEWER, held, row);
    } else if (held_is_newer(held, row)) {
        count(w, EVS_CHANGE_NEWER, held, row);
    } else if (row->deleted) {
        count(w, EVS_CHANGE_DELETE, held, row);
    } else {
        bool same = same_content(w, row, held) && same_place(w, row, held);
        count(w, same ? EVS_CHANGE_SAME : EVS_CHANGE_UPDATE, held, row);
    }
}

static bool diff_found(void *ctx, const struct evs_row *held)
{
    struct work *w = ctx;
    const struct evs_row *row = find(w, held);
    w->c->sink_rows += !held->deleted;
    if (row && !w->seen[row - w->fold.rows] &&
        (!held->deleted || (!row->deleted && held_is_newer(held, row)))) {
        w->seen[row - w->fold.rows] = 1;
        diff_row(w, held, row);
    }
    return !evs_stop_raised(w->o->control->stop);
}

/* How many rows to ask for at once, from the `at`th on: many, unless they are long. */
static size_t chunk(const struct evs_rows *f, size_t at)
{
    size_t n = 0, bytes = 0;
    for (; at + n < f->n && n < CHUNK_ROWS && bytes < CHUNK_BYTES; n++)
        bytes += f->rows[at + n].key_len + f->rows[at + n].value_len;
    return n;
}

/* What a run would stop at. */
static enum evs_rc try_rows(struct work *w, const struct evs_row *rows, size_t n,
                            struct evs_err *err)
{
    char where[EVS_NUM_LEN];
    if (!w->slice.taker)
        return EVS_OK;
    enum evs_rc rc = w->sink->ops->try_rows(w->sink, rows, n, err);
    if (rc != EVS_POISON || err->row >= n)
        return rc;
    const struct evs_row *row = &rows[err->row];
    evs_wrap(err, "%s p%d @ %s: %s", w->o->plan->topic, row->partition,
             evs_num_commas(where, row->offset), w->sink->ops->name);
    evs_hint(err, "a run would stop there; mend the target, or --on-error skip or "
                  "dead-letter:SINK-URL");
    return err->code = EVS_FATAL;
}

static enum evs_rc diff_all(struct work *w, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (size_t at = 0, n; !rc && at < w->fold.n; at += n) {
        n = chunk(&w->fold, at);
        rc = try_rows(w, w->fold.rows + at, n, err);
        if (rc)
            break;
        rc = w->sink->ops->get(w->sink, w->fold.rows + at, n, diff_found, w, err);
        if (!rc && evs_stop_raised(w->o->control->stop))
            rc = evs_fail(err, EVS_EOF, "stopped");
        for (size_t i = at; !rc && i < at + n; i++)
            if (!w->seen[i] && !w->fold.rows[i].deleted) /* deleted and absent: no row at all */
                count(w, EVS_CHANGE_INSERT, NULL, &w->fold.rows[i]);
    }
    return rc;
}

/* --- verify ---------------------------------------------------------------------------------- */
/* Whether the window holds that place of the log. */
static bool in_window(const struct work *w, const struct evs_row *held)
{
    for (size_t i = 0; i < w->c->report.ckpt.n; i++) {
        const struct evs_ckpt_part *p = &w->c->report.ckpt.parts[i];
        if (p->partition == held->partition)
            return held->offset >= p->n[EVS_CKPT_FROM] && held->offset < p->n[EVS_CKPT_END];
    }
    return false;
}

static bool verify_found(void *ctx, const struct evs_row *held)
{
    struct work *w = ctx;
    if (!slice_has(&w->slice, w->view.mode, held))
        return !evs_stop_raised(w->o->control->stop);
    const struct evs_row *row = find(w, held);
    bool placed = held->partition >= 0 && held->offset >= 0;
    w->c->sink_rows++;
    if (evs_stop_raised(w->o->control->stop))
        return false;
    if (row)
        w->seen[row - w->fold.rows] = 1;
    if (placed && !in_window(w, held) && (!row || held_is_newer(held, row)))
        count(w, EVS_CHANGE_OUTSIDE, held, row);
    else if (!row || row->deleted)
        count(w, EVS_CHANGE_EXTRA, held, row);
    else if (!same_content(w, row, held) || (placed && !same_place(w, row, held)))
        count(w, EVS_CHANGE_DIFFERENT, held, row);
    else
        count(w, EVS_CHANGE_SAME, held, row);
    return true;
}

static enum evs_rc verify_all(struct work *w, struct evs_err *err)
{
    enum evs_rc rc = w->sink->ops->scan(w->sink, verify_found, w, err);
    if (!rc && evs_stop_raised(w->o->control->stop))
        rc = evs_fail(err, EVS_EOF, "stopped");
    for (size_t i = 0; !rc && i < w->fold.n; i++)
        if (!w->seen[i] && !w->fold.rows[i].deleted)
            count(w, EVS_CHANGE_MISSING, NULL, &w->fold.rows[i]);
    return rc;
}

/* --- both ------------------------------------------------------------------------------------ */
static enum evs_rc open_view(struct work *w, struct evs_err *err)
{
    const struct evs_plan *p = w->o->plan;
    struct evs_sink_spec spec = {.url = p->sink,
                                 .view = &w->view,
                                 .id = p->id,
                                 .plan_hash = p->hash,
                                 .timeout_ms = w->o->timeout_ms,
                                 .cluster = evs_client_conf(w->o->client),
                                 .stop = w->o->control->stop};
    w->columns = evs_xcalloc(p->n_columns + 1, sizeof(*w->columns));
    evs_plan_view(p, w->columns, &w->view);
    enum evs_rc rc = evs_sink_open(&spec, &w->sink, err);
    if (!rc && !(w->sink->ops->caps & EVS_SINK_READ))
        rc = evs_fail(err, EVS_INVALID, "%s: what was written cannot be read back",
                      w->sink->ops->name);
    return rc ? rc : w->sink->ops->load(w->sink, &w->have, err);
}

static void fold_done(struct work *w)
{
    evs_rows_done(&w->fold);
    evs_map_done(&w->places, NULL);
    w->places = (struct evs_map)EVS_MAP_INIT;
    evs_free(w->seen);
    w->seen = NULL;
}

/* One slice of the window against one of the view. The first one's report is the comparison's. */
static enum evs_rc pass(struct work *w, bool verify, const struct evs_ckpt *window,
                        struct evs_err *err)
{
    struct evs_replay_opts ro = {.plan = w->o->plan,
                                 .client = w->o->client,
                                 .control = w->o->control,
                                 .timeout_ms = w->o->timeout_ms,
                                 .progress = w->o->progress,
                                 .ctx = w->o->ctx};
    struct evs_report report;
    enum evs_rc rc = run_collect(&ro, window, &w->slice, &w->fold, &report, err);
    if (!w->slice.at)
        w->c->report = report;
    else
        evs_report_done(&report);
    if (rc)
        return rc;
    evs_rows_finish(&w->fold, false);
    index_log(w);
    w->seen = evs_xcalloc(w->fold.n + 1, 1);
    for (size_t i = 0; i < w->fold.n; i++)
        w->c->source_rows += !w->fold.rows[i].deleted;
    rc = run_spell(w->sink, &w->fold, err);
    return rc ? rc : verify ? verify_all(w, err) : diff_all(w, err);
}

/* All slices; in more of them when one was too much. */
static enum evs_rc passes(struct work *w, bool verify, const struct evs_ckpt *window,
                          struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (w->slice.at = 0; !rc && w->slice.at < w->slice.of; w->slice.at++) {
        rc = pass(w, verify, w->slice.at ? &w->c->report.ckpt : window, err);
        fold_done(w);
        if (w->slice.over && w->slice.of < SLICES_MAX) {
            evs_comparison_done(w->c);
            memset(err, 0, sizeof(*err));
            w->slice.of *= 2;
            w->slice.at = UINT32_MAX; /* and again from the first */
            rc = EVS_OK;
        }
    }
    return rc;
}

/* Of a view that several processes wrote. A sink that cannot tell is as one without a window. */
static enum evs_rc team_window(const struct evs_compare_opts *o, struct evs_ckpt *ret_c,
                               bool *ret_has, struct evs_err *err)
{
    struct evs_replay_opts ro = {.plan = o->plan,
                                 .client = o->client,
                                 .control = o->control,
                                 .timeout_ms = o->timeout_ms};
    evs_ckpt_done(ret_c);
    enum evs_rc rc = evs_team_window(&ro, ret_c, err);
    *ret_has = !rc && ret_c->n;
    return rc;
}

static enum evs_rc compare(const struct evs_compare_opts *o, bool verify,
                           struct evs_comparison *ret_c, struct evs_err *err)
{
    struct work w = {.o = o, .c = ret_c};
    w.slice.of = 1;
    w.slice.most = o->plan->count_events ? SIZE_MAX : o->memory_bytes ? o->memory_bytes : MEMORY;
    memset(ret_c, 0, sizeof(*ret_c));
    enum evs_rc rc = open_view(&w, err);
    bool window = verify && w.have.n && !strcmp(w.have.plan_hash, o->plan->hash);
    if (!rc && verify && !w.have.n)
        rc = team_window(o, &w.have, &window, err);
    if (!rc && !verify && !o->plan->swap && w.sink->ops->try_rows &&
        o->plan->on_error == EVS_ON_ERROR_STOP) {
        rc = w.sink->ops->try_rows(w.sink, NULL, 0, err);
        w.slice.taker = w.sink;
    }
    if (!rc)
        rc = passes(&w, verify, window ? &w.have : NULL, err);
    evs_sink_close(w.sink);
    evs_ckpt_done(&w.have);
    evs_free(w.columns);
    return rc;
}

enum evs_rc evs_replay_diff(const struct evs_compare_opts *o, struct evs_comparison *ret_c,
                            struct evs_err *err)
{
    return compare(o, false, ret_c, err);
}

enum evs_rc evs_replay_verify(const struct evs_compare_opts *o, struct evs_comparison *ret_c,
                              struct evs_err *err)
{
    return compare(o, true, ret_c, err);
}
