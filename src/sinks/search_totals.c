/* search_totals.c - count and sum: see search.h. */
#include <stdio.h>
#include <string.h>

#include "core/jsonw.h"
#include "core/map.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/decimal.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

enum { REDO_TRIES = 120, REDO_MS = 500 };

struct total {
    struct evs_decimal held;
    bool there;
    int64_t version;      /* of its document, whoever wrote that */
    int64_t seq_no, term; /* shared: for the compare-and-set */
    int64_t batch;        /* shared: our last one that is in it */
    struct evs_buf names; /* shared: of the others, as JSON strings */
};

static void total_free(void *p)
{
    struct total *t = p;
    if (t)
        evs_buf_done(&t->names);
    evs_free(t);
}

/* "shop.orders p3 @ 17": the last event of the group that was refused. */
static void name_row(const struct evs_es *s, const struct evs_row *r, struct evs_err *err)
{
    evs_wrap(err, "%s p%d @ %lld", s->view.topic, (int)r->partition, (long long)r->offset);
    evs_hint(err, "the rest of its batch is in the view; mend the target, then --resume");
}

static struct total *total_new(const struct evs_es *s, const struct evs_row *r)
{
    struct total *t = evs_xcalloc(1, sizeof(*t));
    char number[32];
    snprintf(number, sizeof(number), "%lld", (long long)r->count);
    const char *text = s->view.mode == EVS_VIEW_SUM ? r->sum : number;
    t->names = (struct evs_buf)EVS_BUF_INIT(EVS_ES_CAP);
    t->there = r->key != NULL;
    if (!text || !evs_decimal_read(&t->held, text, strlen(text)))
        evs_decimal_zero(&t->held);
    return t;
}

/* What is held and what comes to it; sum borrows text. */
static enum evs_rc add(const struct evs_es *s, const struct total *have, const struct evs_row *r,
                       struct evs_row *ret_total, struct evs_buf *text, struct evs_err *err)
{
    struct evs_decimal sum;
    *ret_total = *r;
    if (s->view.mode == EVS_VIEW_COUNT) {
        ret_total->count += have ? have->held.small : 0;
        return EVS_OK;
    }
    if (!evs_decimal_read(&sum, r->sum, strlen(r->sum)) ||
        (have && !evs_decimal_add(&sum, &have->held)))
        return evs_fail(err, EVS_POISON, "the sum has more digits than fit");
    evs_decimal_print(&sum, text);
    ret_total->sum = evs_buf_str(text);
    return EVS_OK;
}

/* false: told to stop, or often enough. */
static bool again(struct evs_es *s, int *tries, struct evs_err *err)
{
    if (s->stop && evs_stop_wait(s->stop, REDO_MS)) {
        evs_fail(err, EVS_EOF, "stopped");
        return false;
    }
    if (++*tries >= REDO_TRIES)
        err->code = EVS_FATAL;
    return *tries < REDO_TRIES;
}

/* Until it has an answer: after one that got lost nobody knew whether the batch is promised. */
static enum evs_rc promise(struct evs_es *s, struct evs_err *err)
{
    int tries = 0;
    enum evs_rc rc = evs_es_put_ckpt(s, err);
    while (rc == EVS_RETRY && again(s, &tries, err))
        rc = evs_es_put_ckpt(s, err);
    if (rc && err->native == 413)
        evs_hint(err, "new totals go through the checkpoint: --batch N with a smaller N");
    return rc ? err->code : EVS_OK;
}

/* --- alone ----------------------------------------------------------------------------------- */
struct totals {
    struct evs_es *s;
    struct evs_map have; /* key to struct total */
    bool named;          /* a team wrote some of them */
};

static bool note_total(void *ctx, const struct evs_row *r)
{
    struct totals *t = ctx;
    struct total *v = total_new(t->s, r);
    v->version = r->rank;
    t->named = t->named || r->n_headers;
    *evs_map_put(&t->have, r->key, r->key_len) = v;
    return true;
}

/* The lines of the bulk, ready to be sent as often as wanted. */
static enum evs_rc compose_alone(struct evs_es *s, const struct evs_sink_batch *b,
                                 struct evs_err *err)
{
    struct totals t = {.s = s};
    enum evs_rc rc = evs_es_get(&s->base, b->rows, b->n, note_total, &t, err);
    for (size_t i = 0; !rc && i < b->n; i++) {
        EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
        const struct evs_row *r = &b->rows[i];
        const struct total *have = evs_map_get(&t.have, r->key, r->key_len);
        struct evs_row total;
        rc = add(s, have, r, &total, &text, err);
        err->row = i;
        if (!rc)
            evs_es_add_action(s, &total, have ? have->version + 1 : 1, &s->redo);
    }
    evs_map_done(&t.have, total_free);
    s->shared = s->shared || t.named; /* the names stay in */
    return rc;
}

static enum evs_rc redo_alone(struct evs_es *s, struct evs_sink_done *d, struct evs_err *err)
{
    struct evs_es_lines lines = {.path = s->index_path, .body = &s->redo};
    int tries = 0;
    enum evs_rc rc = evs_es_bulk(s, &lines, d, err);
    while (rc == EVS_RETRY && again(s, &tries, err))
        rc = evs_es_bulk(s, &lines, d, err);
    return rc ? err->code : EVS_OK;
}

/* --- shared ---------------------------------------------------------------------------------- */
/* "1837225405952000 orders-p3": the last batch of that id that is in the document. */
static void read_names(const struct evs_es *s, const struct evs_json_tree *t,
                       const struct evs_json_node *src, struct total *to)
{
    const struct evs_json_node *list = evs_json_member(t, src, "eventscope");
    size_t at =
        list && list->type == EVS_JSON_ARRAY && list->size ? (size_t)(list - t->nodes) + 1 : 0;
    for (; at; at = t->nodes[at].next) {
        EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(1024);
        const struct evs_json_node *n = &t->nodes[at];
        struct evs_err ignored = EVS_ERR_INIT;
        if (n->type != EVS_JSON_STRING)
            continue;
        evs_json_unquote(&name, t->text + n->start, n->end - n->start);
        char *space = strchr(evs_buf_str(&name), ' ');
        if (!space || strcmp(space + 1, s->id) != 0) {
            evs_buf_add(&to->names, t->text + n->start, n->end - n->start);
            evs_buf_addc(&to->names, ',');
            continue;
        }
        *space = '\0';
        if (evs_num_i64(evs_buf_str(&name), 0, INT64_MAX, &to->batch, &ignored))
            to->batch = 0;
    }
}

static enum evs_rc read_shared(struct evs_es *s, const struct evs_row *const *rows, size_t n,
                               struct total **totals, struct evs_err *err)
{
    struct evs_jsonl_reader reader;
    struct evs_json_tree t = {0};
    long status;
    enum evs_rc rc = evs_es_mget(s, s->index_path, "", rows, n, &status, err);
    if (rc || status == 404)
        return rc ? rc : evs_fail(err, EVS_RETRY, "%s: the index is gone", s->index);
    evs_jsonl_reader_init(&reader, &s->view);
    if (evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, err))
        rc = err->code = EVS_FATAL;
    const struct evs_json_node *docs = rc ? NULL : evs_json_path(&t, "docs");
    size_t at = docs && docs->size ? (size_t)(docs - t.nodes) + 1 : 0;
    for (size_t i = 0; !rc && at && i < n; at = t.nodes[at].next, i++) {
        const struct evs_json_node *src = NULL;
        rc = evs_es_is_there(s, &t, &t.nodes[at], &src, err);
        if (!rc && src)
            rc =
                evs_jsonl_parse(&reader, &s->view, t.text + src->start, src->end - src->start, err);
        if (rc)
            break;
        totals[i] = total_new(s, src ? &reader.row : &(struct evs_row){.sum = "0"});
        totals[i]->there = src != NULL;
        totals[i]->seq_no = evs_es_number(&t, &t.nodes[at], "_seq_no");
        totals[i]->term = evs_es_number(&t, &t.nodes[at], "_primary_term");
        if (src)
            read_names(s, &t, src, totals[i]);
    }
    evs_jsonl_reader_done(&reader);
    evs_json_tree_done(&t);
    return rc;
}

static void add_shared(struct evs_es *s, const struct evs_row *total, const struct total *have)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, &s->out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_obj(&w, have->there ? "index" : "create");
    evs_es_add_id(&w, &s->view, total);
    if (have->there) {
        evs_jsonw_i64(&w, "if_seq_no", have->seq_no);
        evs_jsonw_i64(&w, "if_primary_term", have->term);
    }
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    evs_buf_addc(&s->out, '\n');
    evs_jsonl_line(&s->view, total, &s->out);
    s->out.len -= 2; /* "}\n" */
    char *name = evs_xprintf("%lld %s", (long long)s->batch, s->id);
    evs_buf_printf(&s->out, ",\"eventscope\":[%s", evs_buf_str(&have->names));
    evs_jsonw_quote(&s->out, name, strlen(name));
    evs_buf_adds(&s->out, "]}\n");
    evs_free(name);
}

/* One round over at most EVS_ES_MGET rows: those in whose way another was stay in rows. With `dry`
 * only whether they can be added is asked. */
static enum evs_rc round_shared(struct evs_es *s, const struct evs_row **rows, size_t *n, bool dry,
                                struct evs_sink_done *d, struct evs_err *err)
{
    struct total *totals[EVS_ES_MGET] = {NULL};
    const struct evs_row *sent[EVS_ES_MGET];
    bool conflicts[EVS_ES_MGET] = {false};
    size_t m = 0, left = 0;
    enum evs_rc rc = read_shared(s, rows, *n, totals, err);
    evs_buf_reset(&s->out);
    for (size_t i = 0; !rc && i < *n; i++) {
        EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
        struct evs_row total;
        rc = add(s, totals[i], rows[i], &total, &text, err);
        err->row = i;
        if (rc || totals[i]->batch >= s->batch)
            continue; /* it is in */
        add_shared(s, &total, totals[i]);
        sent[m++] = rows[i];
    }
    for (size_t i = 0; i < *n; i++)
        total_free(totals[i]);
    struct evs_es_lines lines = {.path = s->index_path, .body = &s->out, .conflicts = conflicts};
    if (rc || dry)
        return rc;
    rc = evs_es_bulk(s, &lines, d, err);
    if (rc == EVS_POISON && err->row < m && sent[err->row]->offset >= 0)
        name_row(s, sent[err->row], err);
    for (size_t i = 0; !rc && i < m; i++)
        if (conflicts[i])
            rows[left++] = sent[i];
    *n = rc ? *n : left;
    return rc;
}

/* All of them, by s->batch. */
static enum evs_rc add_all(struct evs_es *s, const struct evs_row *rows, size_t n,
                           struct evs_sink_done *d, struct evs_err *err)
{
    const struct evs_row *some[EVS_ES_MGET];
    enum evs_rc rc = EVS_OK;
    int tries = 0;
    for (size_t at = 0; !rc && at < n; at += EVS_ES_MGET) {
        size_t m = n - at < EVS_ES_MGET ? n - at : EVS_ES_MGET;
        for (size_t i = 0; i < m; i++)
            some[i] = &rows[at + i];
        while (!rc && m) {
            rc = round_shared(s, some, &m, false, d, err);
            if (rc == EVS_RETRY && again(s, &tries, err))
                rc = EVS_OK;
        }
    }
    return rc ? err->code : EVS_OK;
}

static enum evs_rc compose_shared(struct evs_es *s, const struct evs_sink_batch *b,
                                  struct evs_err *err)
{
    const struct evs_row *some[EVS_ES_MGET];
    struct evs_sink_done none = {0};
    enum evs_rc rc = EVS_OK;
    for (size_t at = 0; !rc && at < b->n; at += EVS_ES_MGET) {
        size_t m = b->n - at < EVS_ES_MGET ? b->n - at : EVS_ES_MGET;
        for (size_t i = 0; i < m; i++)
            some[i] = &b->rows[at + i];
        rc = round_shared(s, some, &m, true, &none, err);
        err->row += at;
    }
    for (size_t i = 0; !rc && i < b->n; i++)
        evs_jsonl_line(&s->view, &b->rows[i], &s->redo);
    return rc;
}

/* The lines of s->redo as rows. */
static enum evs_rc redo_shared(struct evs_es *s, struct evs_sink_done *d, struct evs_err *err)
{
    struct evs_jsonl_reader reader;
    struct evs_row *rows = NULL;
    size_t n = 0;
    enum evs_rc rc = EVS_OK;
    evs_jsonl_reader_init(&reader, &s->view);
    const char *end = evs_buf_str(&s->redo) + s->redo.len;
    for (const char *p = evs_buf_str(&s->redo), *stop; !rc && p < end; p = stop + 1) {
        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        rc = evs_jsonl_parse(&reader, &s->view, p, (size_t)(stop - p), err);
        if (rc)
            break;
        rows = evs_xgrow(rows, n + 1, sizeof(*rows));
        rows[n] = reader.row;
        rows[n].key = evs_xmemdup(reader.row.key, reader.row.key_len);
        rows[n].sum = reader.row.sum ? evs_xstrdup(reader.row.sum) : NULL;
        n++;
    }
    if (!rc)
        rc = add_all(s, rows, n, d, err);
    for (size_t i = 0; i < n; i++) {
        evs_free((void *)(uintptr_t)rows[i].key);
        evs_free((void *)(uintptr_t)rows[i].sum);
    }
    evs_free(rows);
    evs_jsonl_reader_done(&reader);
    return rc;
}

/* --- both ------------------------------------------------------------------------------------ */
/* What became of what was promised. */
static enum evs_rc settle(struct evs_es *s, enum evs_rc rc, struct evs_err *err)
{
    if (!rc)
        evs_buf_reset(&s->redo);
    return rc == EVS_POISON ? (err->code = EVS_FATAL) : rc;
}

enum evs_rc evs_es_redo(struct evs_es *s, struct evs_err *err)
{
    struct evs_sink_done d = {0};
    bool alone = !strncmp(evs_buf_str(&s->redo), "{\"index\":", strlen("{\"index\":"));
    if (!s->redo.len)
        return EVS_OK;
    return settle(s, alone ? redo_alone(s, &d, err) : redo_shared(s, &d, err), err);
}

enum evs_rc evs_es_put_totals(struct evs_es *s, const struct evs_sink_batch *b,
                              struct evs_sink_done *d, struct evs_err *err)
{
    evs_buf_reset(&s->redo);
    enum evs_rc rc = s->shared ? EVS_OK : compose_alone(s, b, err);
    if (!rc && s->shared) {
        evs_buf_reset(&s->redo);
        rc = compose_shared(s, b, err);
    }
    if (rc) {
        evs_buf_reset(&s->redo);
        return rc;
    }
    s->batch++;
    rc = promise(s, err);
    if (rc)
        return rc;
    rc = s->shared ? add_all(s, b->rows, b->n, d, err) : redo_alone(s, d, err);
    if (rc == EVS_POISON && !s->shared && err->row < b->n)
        name_row(s, &b->rows[err->row], err);
    d->written = (int64_t)b->n;
    return settle(s, rc, err);
}
