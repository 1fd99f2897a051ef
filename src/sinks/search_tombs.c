/* search_tombs.c - deletions that outlive what the server remembers: see search.h. */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/jsonw.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

#define PREFIX "eventscope_tombstones."
enum { TOMBS_BULK = 512 << 10 };

char *evs_es_tombs_name(const struct evs_es_index *i)
{
    return evs_xprintf(PREFIX "%s.%lld", i->name, (long long)i->made_ms);
}

/* --- the highest version --------------------------------------------------------------------- */
static char *newest_path(struct evs_es *s, const char *tombs, const char *query)
{
    return evs_es_path(s, "/eventscope_checkpoint/_doc/", tombs, query);
}

enum evs_rc evs_es_newest(struct evs_es *s, const char *tombs, int64_t *ret_version,
                          struct evs_err *err)
{
    long status;
    struct evs_json_tree t = {0};
    char *path = newest_path(s, tombs, "?_source=false");
    enum evs_rc rc = evs_es_do(s, "GET", path, NULL, true, &status, err);
    evs_free(path);
    *ret_version = 0;
    if (rc || status == 404)
        return rc;
    if (evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, err))
        rc = err->code = EVS_FATAL;
    else
        *ret_version = evs_es_number(&t, t.nodes, "_version");
    evs_json_tree_done(&t);
    return rc;
}

enum evs_rc evs_es_set_newest(struct evs_es *s, const char *tombs, int64_t version,
                              struct evs_err *err)
{
    char query[80];
    long status;
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(8);
    evs_buf_adds(&body, "{}");
    snprintf(query, sizeof(query), "?version_type=external_gte&version=%lld", (long long)version);
    char *path = newest_path(s, tombs, query);
    enum evs_rc rc = evs_es_ask(s, "PUT", path, &body, &status, err);
    if (!rc && status != 200 && status != 201 && status != 409) /* 409: another's is higher */
        rc = evs_es_fail(s, status, "eventscope_checkpoint", err);
    evs_free(path);
    return rc;
}

/* --- of the view under way ------------------------------------------------------------------- */
enum evs_rc evs_es_tombs_find(struct evs_es *s, struct evs_err *err)
{
    struct evs_es_index i = {0};
    evs_free(s->tombs);
    s->tombs = NULL;
    s->newest = 0;
    enum evs_rc rc = evs_es_index(s, s->index, &i, err);
    if (!rc && i.name) {
        s->tombs = evs_es_tombs_name(&i);
        rc = evs_es_newest(s, s->tombs, &s->newest, err);
    }
    evs_es_index_done(&i);
    return rc;
}

static enum evs_rc make_once(struct evs_es *s, const char *path, struct evs_err *err)
{
    if (s->tombs_made && !strcmp(s->tombs_made, s->tombs))
        return EVS_OK;
    enum evs_rc rc = evs_es_make(s, path, NULL, false, err);
    if (rc)
        return rc;
    evs_free(s->tombs_made);
    s->tombs_made = evs_xstrdup(s->tombs);
    return EVS_OK;
}

static void add_tombstone(const struct evs_es *s, const struct evs_row *r, struct evs_buf *out)
{
    evs_es_add_index(s, r, r->rank, out);
    evs_buf_printf(out, "{\"partition\":%d,\"offset\":%lld,\"ts\":%lld}\n", (int)r->partition,
                   (long long)r->offset, (long long)r->ts_ms);
}

enum evs_rc evs_es_tombs_put(struct evs_es *s, const struct evs_sink_batch *b, struct evs_err *err)
{
    int64_t newest = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->rows[i].deleted && b->rows[i].rank > newest)
            newest = b->rows[i].rank;
    if (!newest)
        return EVS_OK;
    if (!s->tombs)
        return evs_fail(err, EVS_RETRY, "%s: the index is gone", s->index);
    char *path = evs_es_path(s, "", s->tombs, "");
    struct evs_es_lines lines = {.path = path, .body = &s->out};
    enum evs_rc rc = make_once(s, path, err);
    evs_buf_reset(&s->out);
    for (size_t i = 0; !rc && i < b->n; i++) {
        if (b->rows[i].deleted)
            add_tombstone(s, &b->rows[i], &s->out);
        if (s->out.len < TOMBS_BULK && i + 1 < b->n)
            continue;
        struct evs_sink_done d = {0};
        rc = evs_es_bulk(s, &lines, &d, err);
        evs_buf_reset(&s->out);
    }
    evs_free(path);
    if (rc == EVS_POISON)
        rc = err->code = EVS_FATAL; /* no record's fault */
    return rc ? rc : evs_es_set_newest(s, s->tombs, newest, err);
}

/* --- asking ---------------------------------------------------------------------------------- */
/* The tombstones of at most EVS_ES_MGET keys, as the documents of *t, which reads s->reply. */
static enum evs_rc ask(struct evs_es *s, const char *query, const struct evs_row *const *keys,
                       size_t n, struct evs_json_tree *t, size_t *ret_first, struct evs_err *err)
{
    long status;
    char *path = evs_es_path(s, "", s->tombs, "");
    enum evs_rc rc = evs_es_mget(s, path, query, keys, n, &status, err);
    evs_free(path);
    *ret_first = 0;
    if (rc || status == 404)
        return rc;
    if (evs_json_tree_read(t, evs_buf_str(&s->reply), s->reply.len, err))
        return err->code = EVS_FATAL;
    const struct evs_json_node *docs = evs_json_path(t, "docs");
    *ret_first = docs && docs->size ? (size_t)(docs - t->nodes) + 1 : 0;
    for (size_t at = *ret_first; !rc && at; at = t->nodes[at].next)
        rc = evs_es_doc_failed(t, &t->nodes[at], err);
    return rc;
}

static enum evs_rc look(struct evs_es *s, const struct evs_row *rows, size_t n, int64_t *versions,
                        struct evs_err *err)
{
    const struct evs_row *keys[EVS_ES_MGET];
    struct evs_json_tree t = {0};
    size_t m = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        if (!rows[i].deleted && rows[i].rank <= s->newest)
            keys[m++] = &rows[i];
    if (!m)
        return EVS_OK;
    enum evs_rc rc = ask(s, "?_source=false", keys, m, &t, &at, err);
    for (size_t i = 0; !rc && at && i < m; at = t.nodes[at].next, i++) {
        int64_t version = evs_es_number(&t, &t.nodes[at], "_version");
        if (version >= keys[i]->rank)
            versions[keys[i] - rows] = version;
    }
    evs_json_tree_done(&t);
    return rc;
}

enum evs_rc evs_es_tombs_look(struct evs_es *s, const struct evs_row *rows, size_t n,
                              int64_t *versions, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (size_t at = 0; !rc && at < n; at += EVS_ES_MGET)
        rc = look(s, rows + at, n - at < EVS_ES_MGET ? n - at : EVS_ES_MGET, versions + at, err);
    return rc;
}

enum evs_rc evs_es_tombs_mend(struct evs_es *s, const struct evs_row *rows, size_t n,
                              struct evs_sink_done *d, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(EVS_ES_CAP);
    int64_t *versions = evs_xcalloc(n + 1, sizeof(*versions));
    enum evs_rc rc = evs_es_tombs_find(s, err);
    if (!rc)
        rc = evs_es_tombs_look(s, rows, n, versions, err);
    for (size_t i = 0; !rc && i < n; i++)
        if (versions[i])
            evs_es_add_delete(s, &rows[i], versions[i], &body);
    struct evs_es_lines lines = {.path = s->index_path, .body = &body};
    struct evs_sink_done again = {0};
    if (!rc)
        rc = evs_es_bulk(s, &lines, &again, err);
    d->deleted += again.deleted;
    evs_free(versions);
    return rc == EVS_POISON ? (err->code = EVS_FATAL) : rc;
}

enum evs_rc evs_es_tombs_give(struct evs_es *s, const struct evs_row *const *keys, size_t n,
                              evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_json_tree t = {0};
    size_t at = 0;
    bool more = true;
    if (!n || !s->newest)
        return EVS_OK;
    enum evs_rc rc = ask(s, "", keys, n, &t, &at, err);
    for (size_t i = 0; !rc && more && at && i < n; at = t.nodes[at].next, i++) {
        const struct evs_json_node *doc = evs_json_member(&t, &t.nodes[at], "_source");
        if (!doc)
            continue;
        struct evs_row row = {.key = keys[i]->key, .key_len = keys[i]->key_len, .deleted = true};
        row.partition = (int32_t)evs_es_number(&t, doc, "partition");
        row.offset = evs_es_number(&t, doc, "offset");
        row.ts_ms = evs_es_number(&t, doc, "ts");
        more = found(ctx, &row);
    }
    evs_json_tree_done(&t);
    return rc;
}

/* --- the end of them ------------------------------------------------------------------------- */
/* PREFIX INDEX "." digits */
static bool is_of(const char *tombs, const char *index)
{
    size_t n = strlen(PREFIX), m = strlen(index);
    if (strncmp(tombs, PREFIX, n) || strncmp(tombs + n, index, m) || tombs[n + m] != '.')
        return false;
    const char *ms = tombs + n + m + 1;
    return *ms && !ms[strspn(ms, "0123456789")];
}

static enum evs_rc drop(struct evs_es *s, const char *tombs, struct evs_err *err)
{
    long status;
    char *path = evs_es_path(s, "/", tombs, "");
    enum evs_rc rc = evs_es_do(s, "DELETE", path, NULL, true, &status, err);
    evs_free(path);
    path = newest_path(s, tombs, "");
    if (!rc)
        rc = evs_es_do(s, "DELETE", path, NULL, true, &status, err);
    evs_free(path);
    return rc;
}

enum evs_rc evs_es_tombs_drop(struct evs_es *s, const char *name, const struct evs_es_index *keep,
                              struct evs_err *err)
{
    long status;
    struct evs_json *j = NULL;
    char *path = evs_es_path(s, "/" PREFIX, name, ".*/_alias");
    char *kept = keep ? evs_es_tombs_name(keep) : evs_xstrdup("");
    enum evs_rc rc = evs_es_do(s, "GET", path, NULL, true, &status, err);
    if (!rc && evs_json_parse(evs_buf_str(&s->reply), s->reply.len, &j, err))
        rc = err->code = EVS_FATAL;
    for (const struct evs_json *one = evs_json_first(j); !rc && status == 200 && one;
         one = evs_json_after(one))
        if (is_of(evs_json_name(one), name) && strcmp(evs_json_name(one), kept) != 0)
            rc = drop(s, evs_json_name(one), err);
    evs_json_free(j);
    evs_free(kept);
    evs_free(path);
    return rc;
}
