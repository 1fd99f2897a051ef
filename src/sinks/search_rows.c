/* search_rows.c - a batch by _bulk. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

enum { TRUST_US = 3000000, TOO_LARGE = 413 };

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

void evs_es_add_id(struct evs_jsonw *w, const struct evs_shape *v, const struct evs_row *r)
{
    if (v->mode != EVS_VIEW_LOG) {
        evs_jsonw_strn(w, "_id", r->key, r->key_len);
        return;
    }
    char *id = evs_xprintf("%s-%d-%lld", v->topic, r->partition, (long long)r->offset);
    evs_jsonw_str(w, "_id", id);
    evs_free(id);
}

static void add_line(struct evs_buf *out, const struct evs_shape *v, const char *action,
                     const struct evs_row *r, int64_t version)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_obj(&w, action);
    evs_es_add_id(&w, v, r);
    evs_jsonw_i64(&w, "version", version);
    evs_jsonw_str(&w, "version_type", "external");
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    evs_buf_addc(out, '\n');
}

void evs_es_add_delete(const struct evs_es *s, const struct evs_row *r, int64_t version,
                       struct evs_buf *out)
{
    add_line(out, &s->view, "delete", r, version);
}

void evs_es_add_index(const struct evs_es *s, const struct evs_row *r, int64_t version,
                      struct evs_buf *out)
{
    add_line(out, &s->view, "index", r, version);
}

/* One action and, but for a delete, its document. */
void evs_es_add_action(const struct evs_es *s, const struct evs_row *r, int64_t version,
                       struct evs_buf *out)
{
    if (r->deleted) {
        evs_es_add_delete(s, r, version, out);
        return;
    }
    evs_es_add_index(s, r, version, out);
    evs_jsonl_line(&s->view, r, out);
}

/* --- the answer ------------------------------------------------------------------------------ */
int64_t evs_es_number(const struct evs_json_tree *t, const struct evs_json_node *obj,
                      const char *name)
{
    struct evs_err ignored = EVS_ERR_INIT;
    char digits[24] = "";
    int64_t v = 0;
    const struct evs_json_node *n = evs_json_member(t, obj, name);
    if (n && n->end - n->start < sizeof(digits))
        memcpy(digits, t->text + n->start, n->end - n->start);
    return evs_num_i64(digits, 0, INT64_MAX, &v, &ignored) ? 0 : v;
}

void evs_es_reason(const struct evs_json_tree *t, const struct evs_json_node *e,
                   struct evs_buf *type, struct evs_buf *why)
{
    const struct evs_json_node *cause = evs_json_member(t, e, "caused_by");
    const struct evs_json_node *reason = evs_json_member(t, e, "reason"), *deeper = NULL;
    const struct evs_json_node *name = evs_json_member(t, e, "type");
    if (cause && cause->type == EVS_JSON_OBJECT)
        deeper = evs_json_member(t, cause, "reason");
    if (name && name->type == EVS_JSON_STRING)
        evs_json_unquote(type, t->text + name->start, name->end - name->start);
    if (reason && reason->type == EVS_JSON_STRING)
        evs_json_unquote(why, t->text + reason->start, reason->end - reason->start);
    if (deeper && deeper->type == EVS_JSON_STRING) {
        evs_buf_adds(why, ": ");
        evs_json_unquote(why, t->text + deeper->start, deeper->end - deeper->start);
    }
}

/* 400 is the document's fault, but for what would refuse any document. */
static bool is_poison(const struct evs_buf *type, const struct evs_buf *why)
{
    static const char *const others[] = {"index_closed", "routing_missing", "security"};
    for (size_t i = 0; i < EVS_COUNT(others); i++)
        if (strstr(evs_buf_str(type), others[i]))
            return false;
    return !strstr(evs_buf_str(why), "no write index");
}

static enum evs_rc item_failed(const struct evs_es *s, const struct evs_json_tree *t,
                               const struct evs_json_node *item, long status, size_t row,
                               struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf why = EVS_BUF_INIT(300), type = EVS_BUF_INIT(100);
    const struct evs_json_node *e = evs_json_member(t, item, "error");
    if (e && e->type == EVS_JSON_OBJECT)
        evs_es_reason(t, e, &type, &why);
    bool again = status == 429 || status == 503 || status == 502 || status == 504;
    if (status == 400 && is_poison(&type, &why))
        evs_fail_native(err, EVS_POISON, "http", (int)status, "HTTP 400: %s", evs_buf_str(&why));
    else
        evs_fail_native(err, again ? EVS_RETRY : EVS_FATAL, "http", (int)status, "%s: HTTP %ld: %s",
                        s->index, status, evs_buf_str(&why));
    if (status == 403)
        evs_es_hint_rights(evs_buf_str(&why), err);
    err->row = row;
    return err->code;
}

/* Counts what was done; the worst item decides. */
static enum evs_rc read_items(struct evs_es *s, const struct evs_es_lines *l,
                              struct evs_sink_done *d, struct evs_err *err)
{
    struct evs_json_tree t = {0};
    enum evs_rc worst = evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, err);
    const struct evs_json_node *items = worst ? NULL : evs_json_path(&t, "items");
    size_t at = items && items->size ? (size_t)(items - t.nodes) + 1 : 0;
    if (worst)
        worst = err->code = EVS_FATAL;
    for (size_t row = l->first_row; at; at = t.nodes[at].next, row++) {
        const struct evs_json_node *item = &t.nodes[at + 1]; /* {"index": {...}} */
        bool deleting = item->name_len == 8;                 /* "delete" */
        long status = (long)evs_es_number(&t, item, "status");
        if (status == 200 || status == 201) {
            d->written += !deleting;
            d->deleted += deleting;
        } else if (status == 409) {
            if (l->conflicts)
                l->conflicts[row] = true;
            else
                d->left++; /* the index holds this or something newer: already applied */
        } else if (status == 404 && deleting) {
            d->left += l->older && l->older[row]; /* it was deleted after this */
        } else {
            struct evs_err now = EVS_ERR_INIT;
            enum evs_rc rc = item_failed(s, &t, item, status, row, &now);
            if (!worst || (worst == EVS_RETRY && rc != EVS_RETRY)) {
                *err = now;
                worst = rc;
            }
        }
    }
    evs_json_tree_done(&t);
    return worst;
}

enum evs_rc evs_es_bulk(struct evs_es *s, const struct evs_es_lines *l, struct evs_sink_done *d,
                        struct evs_err *err)
{
    long status;
    if (!l->body->len)
        return EVS_OK;
    char *path = evs_xprintf("/%s/_bulk", l->path);
    enum evs_rc rc = evs_es_ask(s, "POST", path, l->body, &status, err);
    evs_free(path);
    if (!rc && status == TOO_LARGE)
        rc = evs_fail_native(err, EVS_POISON, "http", TOO_LARGE,
                             "HTTP 413: larger than the server takes in one request");
    if (!rc && status != 200)
        rc = evs_es_fail(s, status, s->index, err);
    err->row = l->first_row;
    return rc ? rc : read_items(s, l, d, err);
}

/* --- latest and log -------------------------------------------------------------------------- */
struct chunk {
    size_t first, n;
    int64_t *older; /* by row of the batch; NULL: nothing is deleted in this view */
    int64_t looked_us;
};

static void add_row(struct evs_es *s, const struct evs_row *r, const int64_t *older)
{
    if (older && *older)
        evs_es_add_delete(s, r, *older, &s->out);
    else
        evs_es_add_action(s, r, s->view.mode == EVS_VIEW_LOG ? r->offset + 1 : r->rank, &s->out);
}

/* What is in s->out; in halves where that is more than the server takes at once. */
static enum evs_rc put_some(struct evs_es *s, const struct evs_sink_batch *b, size_t first,
                            size_t n, const int64_t *older, struct evs_sink_done *d,
                            struct evs_err *err)
{
    struct evs_es_lines lines = {s->index_path, &s->out, first, older};
    enum evs_rc rc = evs_es_bulk(s, &lines, d, err);
    evs_buf_reset(&s->out);
    if (rc != EVS_POISON || err->native != TOO_LARGE || n < 2)
        return rc;
    size_t at = first, ends[] = {first + n / 2, first + n};
    rc = EVS_OK;
    for (int half = 0; !rc && half < 2; half++) {
        size_t from = at;
        for (; at < ends[half]; at++)
            add_row(s, &b->rows[at], older ? older + at : NULL);
        rc = put_some(s, b, from, at - from, older, d, err);
    }
    return rc;
}

static enum evs_rc put_chunk(struct evs_es *s, const struct evs_sink_batch *b, struct chunk *c,
                             struct evs_sink_done *d, struct evs_err *err)
{
    enum evs_rc rc = put_some(s, b, c->first, c->n, c->older, d, err);
    if (!rc && c->older && evs_clock_mono_us() - c->looked_us > TRUST_US)
        rc = evs_es_tombs_mend(s, b->rows + c->first, c->n, d, err);
    c->first += c->n;
    c->n = 0;
    return rc;
}

static enum evs_rc put_rows(struct evs_es *s, const struct evs_sink_batch *b, int64_t *older,
                            struct evs_sink_done *d, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    struct chunk c = {.older = older};
    evs_buf_reset(&s->out);
    for (size_t i = 0; !rc && i < b->n; i++) {
        const struct evs_row *r = &b->rows[i];
        size_t left = b->n - i;
        if (!c.n)
            c.looked_us = evs_clock_mono_us();
        if (older && i % EVS_ES_MGET == 0)
            rc = evs_es_tombs_look(s, r, left < EVS_ES_MGET ? left : EVS_ES_MGET, older + i, err);
        add_row(s, r, older ? older + i : NULL);
        c.n++;
        if (!rc && (s->out.len >= EVS_ES_BULK || left == 1))
            rc = put_chunk(s, b, &c, d, err);
    }
    return rc;
}

static enum evs_rc put_latest(struct evs_es *s, const struct evs_sink_batch *b,
                              struct evs_sink_done *d, struct evs_err *err)
{
    int64_t *older = evs_xcalloc(b->n + 1, sizeof(*older));
    enum evs_rc rc = evs_es_tombs_find(s, err);
    if (!rc)
        rc = evs_es_tombs_put(s, b, err);
    if (!rc)
        rc = put_rows(s, b, older, d, err);
    evs_free(older);
    return rc;
}

/* --- a batch ------------------------------------------------------------------------------- */
static enum evs_rc put_batch(struct evs_es *s, const struct evs_sink_batch *b,
                             struct evs_sink_done *d, struct evs_err *err)
{
    if (!b->n || s->view.mode >= EVS_VIEW_COUNT)
        return EVS_OK; /* totals go with the checkpoint */
    return s->view.mode == EVS_VIEW_LOG ? put_rows(s, b, NULL, d, err) : put_latest(s, b, d, err);
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
    enum evs_rc rc = put_batch(s, b, &d, err);
    if (!rc) {
        b->parts[0].n[EVS_CKPT_WRITTEN] += totals ? (int64_t)b->n : d.written;
        b->parts[0].n[EVS_CKPT_DELETED] += d.deleted;
    }
    for (size_t i = 0; !rc && i < b->n_parts; i++)
        *evs_ckpt_part(&s->ckpt, b->parts[i].partition) = b->parts[i];
    if (!rc)
        rc = totals && b->n ? evs_es_put_totals(s, b, &d, err) : evs_es_put_ckpt(s, err);
    if (rc && s->redo.len) {
        evs_ckpt_done(&before); /* what is promised stands, see evs_es_put_totals */
        return rc;
    }
    if (rc) {
        struct evs_err ignored = EVS_ERR_INIT;
        if (err->domain && !strcmp(err->domain, "fenced") && s->view.mode == EVS_VIEW_LATEST)
            (void)!evs_es_tombs_mend(s, b->rows, b->n, &d, &ignored);
        evs_ckpt_done(&s->ckpt);
        s->ckpt = before;
        b->parts[0] = first;
        return rc;
    }
    evs_ckpt_done(&before);
    *ret_d = d;
    return EVS_OK;
}
