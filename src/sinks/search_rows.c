/* search_rows.c - a batch by _bulk, and documents back. */
#include <stdio.h>
#include <string.h>

#include "core/jsonw.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "sinks/decimal.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

enum { SCROLL = 1000, REDO_TRIES = 120, REDO_MS = 500 };

enum evs_rc evs_es_check(struct evs_sink *sink, const struct evs_row *row, struct evs_err *err)
{
    const struct evs_es *s = (const struct evs_es *)sink;
    if (s->view.mode == EVS_VIEW_LOG)
        return EVS_OK;
    const char *name = sink->ops->name;
    if (!row->key_len)
        return evs_fail(err, EVS_POISON, "%s: an empty key cannot be an _id", name);
    if (row->key_len > EVS_ES_ID)
        return evs_fail(err, EVS_POISON, "%s: a key of %zu bytes cannot be an _id (at most %d)",
                        name, row->key_len, EVS_ES_ID);
    if (!evs_text_is_utf8(row->key, row->key_len))
        return evs_fail(err, EVS_POISON, "%s: a key that is not UTF-8 cannot be an _id", name);
    return EVS_OK;
}

static void add_id(struct evs_jsonw *w, const struct evs_shape *v, const struct evs_row *r)
{
    if (v->mode != EVS_VIEW_LOG) {
        evs_jsonw_strn(w, "_id", r->key, r->key_len);
        return;
    }
    char *id = evs_xprintf("%s-%d-%lld", v->topic, r->partition, (long long)r->offset);
    evs_jsonw_str(w, "_id", id);
    evs_free(id);
}

/* One action and, but for a delete, its document. */
static void add_action(struct evs_es *s, const struct evs_row *r, int64_t version,
                       struct evs_buf *out)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_obj(&w, r->deleted ? "delete" : "index");
    add_id(&w, &s->view, r);
    evs_jsonw_i64(&w, "version", version);
    evs_jsonw_str(&w, "version_type", "external");
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    evs_buf_addc(out, '\n');
    if (!r->deleted)
        evs_jsonl_line(&s->view, r, out);
}

/* --- the answer ------------------------------------------------------------------------------ */
static long status_of(const struct evs_json_tree *t, const struct evs_json_node *item)
{
    struct evs_err ignored = EVS_ERR_INIT;
    char digits[8] = "";
    int64_t v = 0;
    const struct evs_json_node *n = evs_json_member(t, item, "status");
    if (n && n->end - n->start < sizeof(digits))
        memcpy(digits, t->text + n->start, n->end - n->start);
    return evs_num_i64(digits, 0, 999, &v, &ignored) ? 0 : (long)v;
}

static enum evs_rc item_failed(const struct evs_json_tree *t, const struct evs_json_node *item,
                               long status, size_t row, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf why = EVS_BUF_INIT(300);
    const struct evs_json_node *e = evs_json_member(t, item, "error");
    const struct evs_json_node *reason = NULL, *deeper = NULL;
    if (e && e->type == EVS_JSON_OBJECT) {
        const struct evs_json_node *cause = evs_json_member(t, e, "caused_by");
        reason = evs_json_member(t, e, "reason");
        deeper =
            cause && cause->type == EVS_JSON_OBJECT ? evs_json_member(t, cause, "reason") : NULL;
    }
    if (reason && reason->type == EVS_JSON_STRING)
        evs_json_unquote(&why, t->text + reason->start, reason->end - reason->start);
    if (deeper && deeper->type == EVS_JSON_STRING) {
        evs_buf_adds(&why, ": ");
        evs_json_unquote(&why, t->text + deeper->start, deeper->end - deeper->start);
    }
    bool again = status == 429 || status == 503 || status == 502 || status == 504;
    err->row = row;
    evs_fail_native(err,
                    again           ? EVS_RETRY
                    : status == 400 ? EVS_POISON
                                    : EVS_FATAL,
                    "http", (int)status, "HTTP %ld: %s", status, evs_buf_str(&why));
    err->row = row;
    return err->code;
}

/* Counts what was done; the worst item decides. */
static enum evs_rc read_items(struct evs_es *s, size_t first_row, struct evs_sink_done *d,
                              struct evs_err *err)
{
    struct evs_json_tree t = {0};
    enum evs_rc worst = evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, err);
    const struct evs_json_node *items = worst ? NULL : evs_json_path(&t, "items");
    size_t at = items && items->size ? (size_t)(items - t.nodes) + 1 : 0;
    if (worst)
        worst = err->code = EVS_FATAL;
    for (size_t row = first_row; at; at = t.nodes[at].next, row++) {
        const struct evs_json_node *item = &t.nodes[at + 1]; /* {"index": {...}} */
        bool deleting = item->name_len == 8;                 /* "delete" */
        long status = status_of(&t, item);
        if (status == 200 || status == 201) {
            d->written += !deleting;
            d->deleted += deleting;
        } else if (status == 409) {
            d->left++; /* the index holds this or something newer: already applied */
        } else if (status != 404 || !deleting) {
            struct evs_err now = EVS_ERR_INIT;
            enum evs_rc rc = item_failed(&t, item, status, row, &now);
            if (!worst || (worst == EVS_RETRY && rc != EVS_RETRY)) {
                *err = now;
                worst = rc;
            }
        }
    }
    evs_json_tree_done(&t);
    return worst;
}

enum evs_rc evs_es_bulk(struct evs_es *s, const struct evs_buf *body, size_t first_row,
                        struct evs_sink_done *d, struct evs_err *err)
{
    long status;
    if (!body->len)
        return EVS_OK;
    char *path = evs_xprintf("/%s/_bulk", s->index_path);
    enum evs_rc rc = evs_es_ask(s, "POST", path, body, &status, err);
    evs_free(path);
    if (!rc && status == 413)
        rc = evs_fail(err, EVS_POISON, "HTTP 413: larger than the server takes");
    if (!rc && status != 200)
        rc = evs_es_fail(s, status, s->index, err);
    err->row = first_row;
    return rc ? rc : read_items(s, first_row, d, err);
}

/* --- latest and log -------------------------------------------------------------------------- */
static enum evs_rc put_rows(struct evs_es *s, const struct evs_sink_batch *b,
                            struct evs_sink_done *d, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    size_t first = 0;
    evs_buf_reset(&s->out);
    for (size_t i = 0; !rc && i < b->n; i++) {
        const struct evs_row *r = &b->rows[i];
        add_action(s, r, s->view.mode == EVS_VIEW_LOG ? r->offset + 1 : r->rank, &s->out);
        if (s->out.len >= EVS_ES_BULK || i + 1 == b->n) {
            rc = evs_es_bulk(s, &s->out, first, d, err);
            first = i + 1;
            evs_buf_reset(&s->out);
        }
    }
    return rc;
}

/* --- count and sum --------------------------------------------------------------------------- */
struct totals {
    struct evs_es *s;
    struct evs_map have; /* key to decimal */
};

static bool note_total(void *ctx, const struct evs_row *r)
{
    struct totals *t = ctx;
    char number[32];
    snprintf(number, sizeof(number), "%lld", (long long)r->count);
    const char *text = t->s->view.mode == EVS_VIEW_SUM ? r->sum : number;
    struct evs_decimal *v = evs_xmalloc(sizeof(*v));
    if (!text || !evs_decimal_read(v, text, strlen(text)))
        evs_decimal_zero(v);
    *evs_map_put(&t->have, r->key, r->key_len) = v;
    return true;
}

static enum evs_rc add_total(struct evs_es *s, const struct totals *t, const struct evs_row *r,
                             struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    const struct evs_decimal *have = evs_map_get(&t->have, r->key, r->key_len);
    struct evs_row total = *r;
    struct evs_decimal sum;
    if (s->view.mode == EVS_VIEW_COUNT) {
        total.count += have ? have->small : 0;
    } else {
        if (!evs_decimal_read(&sum, r->sum, strlen(r->sum)) ||
            (have && !evs_decimal_add(&sum, have)))
            return evs_fail(err, EVS_POISON, "the sum has more digits than fit");
        evs_decimal_print(&sum, &text);
        total.sum = evs_buf_str(&text);
    }
    add_action(s, &total, s->batch, &s->out);
    return EVS_OK;
}

/* The checkpoint has them already: they have to get in, now or at the next start. */
static enum evs_rc must_bulk(struct evs_es *s, struct evs_sink_done *d, struct evs_err *err)
{
    enum evs_rc rc = evs_es_bulk(s, &s->out, 0, d, err);
    for (int tries = 0; rc == EVS_RETRY && tries < REDO_TRIES; tries++) {
        if (s->stop && evs_stop_wait(s->stop, REDO_MS))
            break;
        rc = evs_es_bulk(s, &s->out, 0, d, err);
    }
    return rc ? (err->code = EVS_FATAL) : EVS_OK;
}

/* New totals into the checkpoint, then into the index: see search.h. */
static enum evs_rc put_totals(struct evs_es *s, const struct evs_sink_batch *b,
                              struct evs_sink_done *d, struct evs_err *err)
{
    struct totals t = {.s = s};
    enum evs_rc rc = evs_es_get(&s->base, b->rows, b->n, note_total, &t, err);
    int64_t batch = s->batch++;
    evs_buf_reset(&s->out);
    for (size_t i = 0; !rc && i < b->n; i++) {
        rc = add_total(s, &t, &b->rows[i], err);
        err->row = i;
    }
    evs_map_done(&t.have, evs_free);
    if (!rc)
        rc = evs_es_put_ckpt(s, &s->out, err);
    if (rc)
        s->batch = batch;
    if (!rc)
        rc = must_bulk(s, d, err);
    d->written = (int64_t)b->n;
    return rc;
}

enum evs_rc evs_es_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    bool totals = s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM;
    struct evs_ckpt before;
    struct evs_sink_done d = {0};
    struct evs_ckpt_part first = b->parts[0];
    evs_ckpt_copy(&before, &s->ckpt);
    enum evs_rc rc = totals || !b->n ? EVS_OK : put_rows(s, b, &d, err);
    if (!rc && !totals) {
        b->parts[0].n[EVS_CKPT_WRITTEN] += d.written;
        b->parts[0].n[EVS_CKPT_DELETED] += d.deleted;
    } else if (!rc) {
        b->parts[0].n[EVS_CKPT_WRITTEN] += (int64_t)b->n;
    }
    for (size_t i = 0; !rc && i < b->n_parts; i++)
        *evs_ckpt_part(&s->ckpt, b->parts[i].partition) = b->parts[i];
    if (!rc)
        rc = totals && b->n ? put_totals(s, b, &d, err) : evs_es_put_ckpt(s, NULL, err);
    if (rc) {
        evs_ckpt_done(&s->ckpt);
        s->ckpt = before;
        b->parts[0] = first;
        return rc;
    }
    evs_ckpt_done(&before);
    *ret_d = d;
    return EVS_OK;
}

/* --- reading --------------------------------------------------------------------------------- */
/* Each hit or doc of an array that was found. */
static enum evs_rc give_docs(struct evs_es *s, const char *array, evs_sink_found *found, void *ctx,
                             size_t *ret_n, struct evs_err *err)
{
    struct evs_jsonl_reader reader;
    struct evs_json_tree t = {0};
    evs_jsonl_reader_init(&reader, &s->view);
    enum evs_rc rc = evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, err);
    const struct evs_json_node *docs = rc ? NULL : evs_json_path(&t, array);
    size_t at = docs && docs->size ? (size_t)(docs - t.nodes) + 1 : 0;
    bool more = true;
    *ret_n = docs ? docs->size : 0;
    for (; !rc && more && at; at = t.nodes[at].next) {
        const struct evs_json_node *src = evs_json_member(&t, &t.nodes[at], "_source");
        if (!src)
            continue;
        rc = evs_jsonl_parse(&reader, &s->view, t.text + src->start, src->end - src->start, err);
        if (!rc)
            more = found(ctx, &reader.row);
    }
    evs_jsonl_reader_done(&reader);
    evs_json_tree_done(&t);
    return rc ? (err->code = EVS_FATAL) : EVS_OK;
}

enum evs_rc evs_es_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                       evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(EVS_ES_CAP);
    char *path = evs_xprintf("/%s/_mget", s->index_path);
    enum evs_rc rc = EVS_OK;
    for (size_t at = 0; !rc && at < n; at += SCROLL) {
        struct evs_jsonw w;
        long status;
        size_t got;
        evs_buf_reset(&body);
        evs_jsonw_init(&w, &body);
        evs_jsonw_obj(&w, NULL);
        evs_jsonw_arr(&w, "docs");
        for (size_t i = at; i < n && i < at + SCROLL; i++) {
            evs_jsonw_obj(&w, NULL);
            add_id(&w, &s->view, &keys[i]);
            evs_jsonw_end(&w);
        }
        evs_jsonw_end(&w);
        evs_jsonw_end(&w);
        rc = evs_es_ask(s, "POST", path, &body, &status, err);
        if (!rc && status == 404)
            break; /* no such index: no such rows */
        if (!rc && status != 200)
            rc = evs_es_fail(s, status, s->index, err);
        if (!rc)
            rc = give_docs(s, "docs", found, ctx, &got, err);
    }
    evs_free(path);
    return rc;
}

static char *scroll_id(struct evs_es *s)
{
    struct evs_json_tree t = {0};
    struct evs_err ignored = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf id = EVS_BUF_INIT(1 << 20);
    if (!evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, &ignored)) {
        const struct evs_json_node *n = evs_json_path(&t, "_scroll_id");
        if (n)
            evs_buf_add(&id, t.text + n->start, n->end - n->start); /* quoted */
    }
    evs_json_tree_done(&t);
    return evs_buf_steal(&id);
}

enum evs_rc evs_es_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                        struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(1 << 21);
    long status;
    size_t n = 0;
    char *path = evs_xprintf("/%s/_search?scroll=2m", s->index_path);
    evs_buf_printf(&body, "{\"size\":%d,\"sort\":[\"_doc\"]}", SCROLL);
    enum evs_rc rc = evs_es_ask(s, "POST", path, &body, &status, err);
    evs_free(path);
    if (!rc && status != 200)
        rc = evs_es_fail(s, status, s->index, err);
    if (!rc)
        rc = give_docs(s, "hits.hits", found, ctx, &n, err);
    while (!rc && n) {
        char *id = scroll_id(s);
        evs_buf_reset(&body);
        evs_buf_printf(&body, "{\"scroll\":\"2m\",\"scroll_id\":%s}", id);
        evs_free(id);
        rc = evs_es_ask(s, "POST", "/_search/scroll", &body, &status, err);
        if (!rc && status != 200)
            rc = evs_es_fail(s, status, s->index, err);
        if (!rc)
            rc = give_docs(s, "hits.hits", found, ctx, &n, err);
    }
    return rc;
}
