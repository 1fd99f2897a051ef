/* search_read.c - documents back: by key and all of them. */
#include <string.h>

#include "core/json.h"
#include "core/jsonw.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

enum { SCROLL = 1000 };

enum evs_rc evs_es_doc_failed(const struct evs_json_tree *t, const struct evs_json_node *doc,
                              struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf why = EVS_BUF_INIT(300), type = EVS_BUF_INIT(300);
    static const char *const lasting[] = {"security", "routing_missing", "index_closed"};
    const struct evs_json_node *e = evs_json_member(t, doc, "error");
    enum evs_rc code = EVS_RETRY;
    if (!e || e->type != EVS_JSON_OBJECT)
        return EVS_OK;
    evs_es_reason(t, e, &type, &why);
    if (!strcmp(evs_buf_str(&type), "index_not_found_exception"))
        return EVS_OK;
    for (size_t i = 0; i < EVS_COUNT(lasting); i++)
        if (strstr(evs_buf_str(&type), lasting[i]))
            code = EVS_FATAL;
    evs_fail(err, code, "reading: %s", why.len ? evs_buf_str(&why) : evs_buf_str(&type));
    return evs_es_hint_rights(evs_buf_str(&why), err);
}

enum evs_rc evs_es_is_there(const struct evs_es *s, const struct evs_json_tree *t,
                            const struct evs_json_node *doc, const struct evs_json_node **ret_src,
                            struct evs_err *err)
{
    const struct evs_json_node *found = evs_json_member(t, doc, "found"); /* not of a hit */
    *ret_src = evs_json_member(t, doc, "_source");
    enum evs_rc rc = evs_es_doc_failed(t, doc, err);
    if (rc || *ret_src || (found && found->type == EVS_JSON_FALSE) ||
        evs_json_member(t, doc, "error"))
        return rc;
    return evs_fail(err, EVS_FATAL, "%s keeps no _source: it cannot be read", s->index);
}

/* Each hit or doc of an array that was found; there[i]: the i-th was (or NULL). */
static enum evs_rc give_docs(struct evs_es *s, const char *array, evs_sink_found *found, void *ctx,
                             bool *there, size_t *ret_n, struct evs_err *err)
{
    struct evs_jsonl_reader reader;
    struct evs_json_tree t = {0};
    evs_jsonl_reader_init(&reader, &s->view);
    enum evs_rc rc = evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, err);
    if (rc)
        rc = err->code = EVS_FATAL;
    const struct evs_json_node *docs = rc ? NULL : evs_json_path(&t, array);
    size_t at = docs && docs->size ? (size_t)(docs - t.nodes) + 1 : 0;
    bool more = true;
    *ret_n = docs ? docs->size : 0;
    for (size_t i = 0; !rc && more && at; at = t.nodes[at].next, i++) {
        const struct evs_json_node *src = NULL;
        rc = evs_es_is_there(s, &t, &t.nodes[at], &src, err);
        if (rc || !src)
            continue;
        if (there)
            there[i] = true;
        if (evs_jsonl_parse(&reader, &s->view, t.text + src->start, src->end - src->start, err))
            rc = err->code = EVS_FATAL;
        reader.row.rank = evs_es_number(&t, &t.nodes[at], "_version");
        reader.row.n_headers = evs_json_member(&t, src, "eventscope") != NULL; /* of a total */
        if (!rc)
            more = found(ctx, &reader.row);
    }
    evs_jsonl_reader_done(&reader);
    evs_json_tree_done(&t);
    return rc;
}

enum evs_rc evs_es_mget(struct evs_es *s, const char *path, const char *query,
                        const struct evs_row *const *keys, size_t n, long *ret_status,
                        struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(EVS_ES_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &body);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_arr(&w, "docs");
    for (size_t i = 0; i < n; i++) {
        evs_jsonw_obj(&w, NULL);
        evs_es_add_id(&w, &s->view, keys[i]);
        evs_jsonw_end(&w);
    }
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    char *url = evs_xprintf("/%s/_mget%s", path, query);
    enum evs_rc rc = evs_es_ask(s, "POST", url, &body, ret_status, err);
    evs_free(url);
    if (!rc && *ret_status != 200 && *ret_status != 404)
        rc = evs_es_fail(s, *ret_status, s->index, err);
    return rc;
}

/* At most EVS_ES_MGET of them. */
static enum evs_rc get_some(struct evs_es *s, const struct evs_row *keys, size_t n,
                            evs_sink_found *found, void *ctx, struct evs_err *err)
{
    const struct evs_row *ask[EVS_ES_MGET];
    bool there[EVS_ES_MGET] = {false};
    long status;
    size_t got, missing = 0;
    for (size_t i = 0; i < n; i++)
        ask[i] = &keys[i];
    enum evs_rc rc = evs_es_mget(s, s->index_path, "", ask, n, &status, err);
    if (!rc && status == 200) /* 404: no such index, no such rows */
        rc = give_docs(s, "docs", found, ctx, there, &got, err);
    for (size_t i = 0; i < n; i++)
        if (!there[i])
            ask[missing++] = &keys[i];
    return rc ? rc : evs_es_tombs_give(s, ask, missing, found, ctx, err);
}

enum evs_rc evs_es_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                       evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    enum evs_rc rc = s->view.mode == EVS_VIEW_LATEST ? evs_es_tombs_find(s, err) : EVS_OK;
    for (size_t at = 0; !rc && at < n; at += EVS_ES_MGET)
        rc = get_some(s, keys + at, n - at < EVS_ES_MGET ? n - at : EVS_ES_MGET, found, ctx, err);
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

/* The server keeps few of them. */
static void end_scroll(struct evs_es *s, char *id)
{
    struct evs_err ignored = EVS_ERR_INIT;
    long status;
    char *body = evs_xprintf("{\"scroll_id\":%s}", id ? id : "");
    if (id && *id)
        (void)!evs_es_do(s, "DELETE", "/_search/scroll", body, true, &status, &ignored);
    evs_free(body);
    evs_free(id);
}

/* A page of which a shard is missing is no page. */
static enum evs_rc give_hits(struct evs_es *s, evs_sink_found *found, void *ctx, size_t *ret_n,
                             struct evs_err *err)
{
    struct evs_json_tree t = {0};
    enum evs_rc rc = evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, err);
    const struct evs_json_node *shards = rc ? NULL : evs_json_path(&t, "_shards");
    if (rc)
        rc = err->code = EVS_FATAL;
    else if (shards && evs_es_number(&t, shards, "failed"))
        rc = evs_fail(err, EVS_RETRY, "%s: a shard does not answer", s->index);
    evs_json_tree_done(&t);
    return rc ? rc : give_docs(s, "hits.hits", found, ctx, NULL, ret_n, err);
}

enum evs_rc evs_es_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                        struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(1 << 21);
    long status;
    size_t n = 0;
    char *path =
        evs_xprintf("/%s/_search?scroll=2m&allow_partial_search_results=false", s->index_path);
    evs_buf_printf(&body, "{\"size\":%d,\"sort\":[\"_doc\"]}", SCROLL);
    enum evs_rc rc = evs_es_ask(s, "POST", path, &body, &status, err);
    evs_free(path);
    if (!rc && status != 200)
        rc = evs_es_fail(s, status, s->index, err);
    if (!rc)
        rc = give_hits(s, found, ctx, &n, err);
    char *id = rc ? NULL : scroll_id(s);
    while (!rc && n) {
        evs_buf_reset(&body);
        evs_buf_printf(&body, "{\"scroll\":\"2m\",\"scroll_id\":%s}", id);
        rc = evs_es_ask(s, "POST", "/_search/scroll", &body, &status, err);
        if (!rc && status != 200)
            rc = evs_es_fail(s, status, s->index, err);
        if (!rc)
            rc = give_hits(s, found, ctx, &n, err);
        if (!rc) {
            evs_free(id);
            id = scroll_id(s);
        }
    }
    end_scroll(s, id);
    return rc;
}
