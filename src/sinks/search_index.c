/* search_index.c - what a name stands for, and the making of an index. */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

char *evs_es_path(struct evs_es *s, const char *before, const char *name, const char *after)
{
    char *escaped = curl_easy_escape(s->curl, name, 0);
    char *path = evs_xprintf("%s%s%s", before, escaped ? escaped : "", after);
    curl_free(escaped);
    return path;
}

enum evs_rc evs_es_do(struct evs_es *s, const char *method, const char *path, const char *body,
                      bool may_miss, long *ret_status, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_ES_CAP);
    if (body)
        evs_buf_adds(&text, body);
    enum evs_rc rc = evs_es_ask(s, method, path, body ? &text : NULL, ret_status, err);
    if (!rc && *ret_status != 200 && !(may_miss && *ret_status == 404))
        rc = evs_es_fail(s, *ret_status, path, err);
    return rc;
}

void evs_es_index_done(struct evs_es_index *i)
{
    evs_free(i->name);
    memset(i, 0, sizeof(*i));
}

/* {"orders__1795376435711":{"settings":{"index.creation_date":"1795376435711"}}} */
static enum evs_rc read_index(const char *name, const struct evs_json *j, struct evs_es_index *i,
                              struct evs_err *err)
{
    const struct evs_json *one = evs_json_first(j), *settings = evs_json_get(one, "settings");
    const char *is = evs_json_name(one), *made;
    const char *gc = evs_json_text(evs_json_get(settings, "index.gc_deletes"));
    if (one && evs_json_after(one)) {
        evs_fail(err, EVS_FATAL, "%s is an alias of several indices, among them %s and %s", name,
                 is, evs_json_name(evs_json_after(one)));
        return evs_hint(err, "a view is one index: name that, or an alias of it alone");
    }
    if (is && !strncmp(is, ".ds-", 4)) {
        evs_fail(err, EVS_FATAL, "%s is a data stream, which takes no update and no delete", name);
        return evs_hint(err, "a view is an index: give another --target");
    }
    made = evs_json_text(evs_json_get(settings, "index.creation_date"));
    struct evs_err ignored = EVS_ERR_INIT;
    if (!is || !made || evs_num_i64(made, 0, INT64_MAX, &i->made_ms, &ignored))
        return evs_fail(err, EVS_FATAL, "%s has no time of creation", name);
    i->name = evs_xstrdup(is);
    i->alias = strcmp(is, name) != 0;
    i->remembers = gc && !strcmp(gc, "1d");
    return EVS_OK;
}

enum evs_rc evs_es_index(struct evs_es *s, const char *name, struct evs_es_index *ret_i,
                         struct evs_err *err)
{
    long status;
    struct evs_json *j = NULL;
    char *path = evs_es_path(s, "/", name,
                             "/_settings/index.creation_date,index.gc_deletes?flat_settings=true");
    memset(ret_i, 0, sizeof(*ret_i));
    enum evs_rc rc = evs_es_ask(s, "GET", path, NULL, &status, err);
    evs_free(path);
    if (rc || status == 404)
        return rc;
    if (status != 200)
        return evs_es_fail(s, status, name, err);
    if (evs_json_parse(evs_buf_str(&s->reply), s->reply.len, &j, err))
        return err->code = EVS_FATAL;
    rc = read_index(name, j, ret_i, err);
    evs_json_free(j);
    return rc;
}

/* --- making ---------------------------------------------------------------------------------- */
static void mapping(struct evs_es *s, struct evs_jsonw *w)
{
    static const char *const fields[][2] = {
        {"key", "keyword"},       {"key_base64", "keyword"}, {"topic", "keyword"},
        {"partition", "integer"}, {"offset", "long"},        {"deleted", "boolean"},
    };
    const struct evs_shape *v = &s->view;
    evs_jsonw_obj(w, "properties");
    for (size_t i = 0; i < EVS_COUNT(fields); i++) {
        evs_jsonw_obj(w, fields[i][0]);
        evs_jsonw_str(w, "type", fields[i][1]);
        evs_jsonw_end(w);
    }
    if (v->mode >= EVS_VIEW_COUNT) {
        evs_jsonw_obj(w, "eventscope"); /* search_totals.c */
        evs_jsonw_str(w, "type", "keyword");
        evs_jsonw_bool(w, "index", false);
        evs_jsonw_bool(w, "doc_values", false);
        evs_jsonw_end(w);
    }
    evs_jsonw_obj(w, "ts");
    evs_jsonw_str(w, "type", "date");
    evs_jsonw_str(w, "format", "epoch_millis");
    evs_jsonw_end(w);
    if (!v->n_columns && v->mode <= EVS_VIEW_LOG) {
        evs_jsonw_obj(w, v->mode == EVS_VIEW_LOG ? "payload" : "value");
        evs_jsonw_str(w, "type", v->value_type ? v->value_type : "text");
        evs_jsonw_end(w);
    }
    for (size_t i = 0; i < v->n_columns; i++) {
        if (!v->columns[i].type)
            continue;
        EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096);
        evs_jsonw_quote(&name, v->columns[i].name, strlen(v->columns[i].name));
        name.data[name.len - 1] = '\0';
        evs_jsonw_obj(w, name.data + 1);
        evs_jsonw_str(w, "type", v->columns[i].type);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

/* Checkpoints and tombstones are only kept, whatever templates say of such names. */
static void kept(struct evs_jsonw *w)
{
    static const char *const fields[] = {
        "id",         "plan_hash", "topic", "state", "epoch",  "writer",
        "updated_ms", "batch",     "redo",  "ts",    "offset", "partition",
    };
    evs_jsonw_bool(w, "dynamic", false);
    evs_jsonw_obj(w, "properties");
    for (size_t i = 0; i < EVS_COUNT(fields); i++) {
        evs_jsonw_obj(w, fields[i]);
        evs_jsonw_str(w, "type", "keyword");
        evs_jsonw_bool(w, "index", false);
        evs_jsonw_bool(w, "doc_values", false);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

enum evs_rc evs_es_make(struct evs_es *s, const char *path, const char *alias, bool view,
                        struct evs_err *err)
{
    struct evs_jsonw w;
    long status;
    char *url = evs_xprintf("/%s", path), *ask = evs_xprintf("/%s/_alias", path);
    enum evs_rc rc = evs_es_ask(s, "HEAD", url, NULL, &status, err);
    if (!rc && status != 200 && status != 404)
        rc = evs_es_ask(s, "GET", ask, NULL, &status, err); /* HEAD tells no reason */
    if (!rc && status != 200 && status != 404)
        rc = evs_es_fail(s, status, path, err);
    if (rc || status == 200)
        goto out;
    evs_buf_reset(&s->out);
    evs_jsonw_init(&w, &s->out);
    evs_jsonw_obj(&w, NULL);
    if (view) {
        evs_jsonw_obj(&w, "settings");
        evs_jsonw_str(&w, "index.gc_deletes", "1d");
        evs_jsonw_end(&w);
    }
    evs_jsonw_obj(&w, "mappings");
    evs_jsonw_obj(&w, "_source"); /* whatever templates say */
    evs_jsonw_bool(&w, "enabled", true);
    evs_jsonw_end(&w);
    if (view)
        mapping(s, &w);
    else
        kept(&w);
    evs_jsonw_end(&w);
    if (alias) {
        EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096);
        evs_jsonw_quote(&name, alias, strlen(alias));
        name.data[name.len - 1] = '\0';
        evs_jsonw_obj(&w, "aliases");
        evs_jsonw_obj(&w, name.data + 1);
        evs_jsonw_end(&w);
        evs_jsonw_end(&w);
    }
    evs_jsonw_end(&w);
    rc = evs_es_ask(s, "PUT", url, &s->out, &status, err);
    if (!rc && status != 200 && !strstr(evs_buf_str(&s->reply), "already_exists"))
        rc = evs_es_fail(s, status, path, err);
out:
    evs_free(ask);
    evs_free(url);
    return rc;
}
