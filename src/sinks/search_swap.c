/* search_swap.c - a built index becomes the view, by one change of aliases.
 *
 * An index cannot be renamed, so what was built is cloned (hard links) to TARGET__MS, by its time
 * of creation, and TARGET becomes an alias of that. What TARGET was stays as TARGET__old: where it
 * was an alias, its index goes on under that name; where it was an index, it is cloned, because an
 * alias needs its name. Other aliases of it go over. Every step may be done again: only the change
 * of aliases is seen. That is one request, the first time too, when the index of that name is
 * removed in it: no search finds nothing, or both. But the server lets go of the index a moment
 * before it knows the alias, so a search, or a scroll, that meets that fails as a whole (HTTP 503
 * or 404). From then on TARGET is an alias and nothing is removed but what TARGET__old was.
 */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/xalloc.h"
#include "sinks/search.h"

static enum evs_rc exists(struct evs_es *s, const char *index, bool *ret_has, struct evs_err *err)
{
    long status;
    char *path = evs_es_path(s, "/", index, "");
    enum evs_rc rc = evs_es_do(s, "HEAD", path, NULL, true, &status, err);
    *ret_has = !rc && status == 200;
    evs_free(path);
    return rc;
}

static enum evs_rc drop(struct evs_es *s, const char *index, struct evs_err *err)
{
    long status;
    char *path = evs_es_path(s, "/", index, "");
    enum evs_rc rc = evs_es_do(s, "DELETE", path, NULL, true, &status, err);
    evs_free(path);
    return rc ? rc : evs_es_tombs_drop(s, index, NULL, err);
}

static enum evs_rc block(struct evs_es *s, const char *index, bool on, struct evs_err *err)
{
    long status;
    char *path = evs_es_path(s, "/", index, "/_settings");
    enum evs_rc rc = evs_es_do(
        s, "PUT", path, on ? "{\"index.blocks.write\":true}" : "{\"index.blocks.write\":null}",
        false, &status, err);
    evs_free(path);
    return rc;
}

static enum evs_rc make_clone(struct evs_es *s, const char *from, const char *to,
                              struct evs_err *err)
{
    struct evs_err second = EVS_ERR_INIT;
    long status;
    enum evs_rc rc = block(s, from, true, err);
    char *target = evs_es_path(s, "/_clone/", to, "?wait_for_active_shards=1");
    char *path = evs_es_path(s, "/", from, target);
    if (!rc)
        rc = evs_es_do(s, "PUT", path, "{\"settings\":{\"index.blocks.write\":null}}", false,
                       &status, err);
    evs_free(target);
    evs_free(path);
    if (block(s, from, false, &second) && !rc) {
        *err = second;
        rc = err->code;
    }
    return rc;
}

/* Index `from` once more as `to`, when there is none, ready to be searched; writes to `from` wait
 * meanwhile. */
static enum evs_rc clone(struct evs_es *s, const char *from, const char *to, struct evs_err *err)
{
    bool has;
    long status;
    enum evs_rc rc = exists(s, to, &has, err);
    if (!rc && !has)
        rc = make_clone(s, from, to, err);
    char *path = evs_es_path(s, "/_cluster/health/", to, "?wait_for_status=yellow&timeout=60s");
    if (!rc)
        rc = evs_es_do(s, "GET", path, NULL, false, &status, err);
    evs_free(path);
    return rc;
}

/* The tombstones of one index as those of another. */
static enum evs_rc clone_tombs(struct evs_es *s, const char *from, const char *to,
                               struct evs_err *err)
{
    struct evs_es_index i = {0}, k = {0};
    int64_t newest = 0;
    char *was = NULL, *is = NULL;
    enum evs_rc rc = evs_es_index(s, from, &i, err);
    if (!rc)
        rc = evs_es_index(s, to, &k, err);
    if (!rc && i.name && k.name) {
        was = evs_es_tombs_name(&i);
        is = evs_es_tombs_name(&k);
        rc = evs_es_newest(s, was, &newest, err);
    }
    if (!rc && newest)
        rc = clone(s, was, is, err);
    if (!rc && newest)
        rc = evs_es_set_newest(s, is, newest, err);
    evs_free(was);
    evs_free(is);
    evs_es_index_done(&i);
    evs_es_index_done(&k);
    return rc;
}

/* An index with its tombstones. */
static enum evs_rc clone_view(struct evs_es *s, const char *from, const char *to,
                              struct evs_err *err)
{
    enum evs_rc rc = clone(s, from, to, err);
    return rc ? rc : clone_tombs(s, from, to, err);
}

/* "TARGET__1795349329175": the same for every try of one build. */
static enum evs_rc name_built(struct evs_es *s, const char *target, char **ret_name,
                              struct evs_err *err)
{
    struct evs_es_index i;
    enum evs_rc rc = evs_es_index(s, s->index, &i, err);
    if (!rc && !i.name)
        rc = evs_fail(err, EVS_FATAL, "%s is gone", s->index);
    if (!rc)
        *ret_name = evs_xprintf("%s__%lld", target, (long long)i.made_ms);
    evs_es_index_done(&i);
    return rc;
}

struct names {
    const char *target;
    char *old, *built;           /* old: TARGET__old */
    struct evs_es_index is, was; /* what TARGET and TARGET__old stand for */
    const char *live, *before;   /* behind them where they are aliases, or NULL */
    bool concrete;               /* TARGET is an index itself */
};

/* Whatever else names what TARGET was names what it becomes, filters and all. */
static enum evs_rc take_aliases(struct evs_es *s, const struct names *n, struct evs_buf *body,
                                struct evs_err *err)
{
    long status;
    struct evs_json *j = NULL;
    if (!n->is.name)
        return EVS_OK;
    char *path = evs_es_path(s, "/", n->is.name, "/_alias");
    enum evs_rc rc = evs_es_do(s, "GET", path, NULL, false, &status, err);
    evs_free(path);
    if (!rc && evs_json_parse(evs_buf_str(&s->reply), s->reply.len, &j, err))
        rc = err->code = EVS_FATAL;
    const struct evs_json *a = evs_json_first(evs_json_get(evs_json_first(j), "aliases"));
    for (; !rc && a; a = evs_json_after(a)) {
        EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096), how = EVS_BUF_INIT(1 << 20);
        if (!strcmp(evs_json_name(a), n->target))
            continue;
        evs_jsonw_quote(&name, evs_json_name(a), strlen(evs_json_name(a)));
        evs_json_print(a, &how); /* {...} */
        const char *rest = evs_json_first(a) ? evs_buf_str(&how) + 1 : "}";
        evs_buf_printf(body, ",{\"add\":{\"index\":\"%s\",\"alias\":%s%s%s}", n->built,
                       evs_buf_str(&name), *rest == '}' ? "" : ",", rest);
        if (n->live)
            evs_buf_printf(body, ",{\"remove\":{\"index\":\"%s\",\"alias\":%s}}", n->live,
                           evs_buf_str(&name));
    }
    evs_json_free(j);
    return rc;
}

/* The one step that readers see. */
static enum evs_rc change(struct evs_es *s, const struct names *n, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(1 << 24);
    long status;
    evs_buf_printf(&body, "{\"actions\":[{\"add\":{\"index\":\"%s\",\"alias\":\"%s\"}}", n->built,
                   n->target);
    if (n->concrete)
        evs_buf_printf(&body, ",{\"remove_index\":{\"index\":\"%s\"}}", n->target);
    if (n->live)
        evs_buf_printf(&body, ",{\"remove\":{\"index\":\"%s\",\"alias\":\"%s\"}}", n->live,
                       n->target);
    if (n->before)
        evs_buf_printf(&body, ",{\"remove_index\":{\"index\":\"%s\"}}", n->before);
    if (n->live)
        evs_buf_printf(&body, ",{\"add\":{\"index\":\"%s\",\"alias\":\"%s\"}}", n->live, n->old);
    enum evs_rc rc = take_aliases(s, n, &body, err);
    evs_buf_adds(&body, "]}");
    if (rc)
        return rc;
    return evs_es_do(s, "POST", "/_aliases", evs_buf_str(&body), false, &status, err);
}

static enum evs_rc look(struct evs_es *s, const char *target, struct names *n, struct evs_err *err)
{
    n->target = target;
    n->old = evs_xprintf("%s__old", n->target);
    enum evs_rc rc = name_built(s, n->target, &n->built, err);
    if (!rc)
        rc = evs_es_index(s, n->target, &n->is, err);
    if (!rc)
        rc = evs_es_index(s, n->old, &n->was, err);
    n->live = n->is.alias ? n->is.name : NULL;
    n->before = n->was.alias ? n->was.name : NULL;
    n->concrete = n->is.name && !n->is.alias;
    return rc;
}

static enum evs_rc swap(struct evs_es *s, struct names *n, struct evs_err *err)
{
    long status;
    char *path = evs_es_path(s, "/", s->index, "/_refresh");
    enum evs_rc rc = evs_es_do(s, "POST", path, NULL, false, &status, err);
    evs_free(path);
    if (!rc && n->live && !strcmp(n->live, n->built))
        return evs_es_tombs_drop(s, n->target, NULL, err); /* done, and killed before it was said */
    if (!rc)
        rc = clone_view(s, s->index, n->built, err);
    if (!rc && n->was.name && !n->before)
        rc = drop(s, n->old, err);
    if (!rc && n->concrete)
        rc = clone_view(s, n->target, n->old, err);
    if (!rc && n->before)
        rc = evs_es_tombs_drop(s, n->before, NULL, err);
    if (!rc)
        rc = change(s, n, err);
    if (!rc && n->concrete)
        rc = evs_es_tombs_drop(s, n->target, NULL, err);
    return rc;
}

enum evs_rc evs_es_swap(struct evs_sink *sink, const char *target, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    struct names n = {0};
    enum evs_rc rc = evs_es_beat(sink, err); /* still ours */
    if (!rc)
        rc = look(s, target, &n, err);
    if (!rc)
        rc = swap(s, &n, err);
    if (!rc)
        rc = evs_es_finish(sink, "done", err);
    if (!rc)
        rc = drop(s, s->index, err);
    evs_free(n.old);
    evs_free(n.built);
    evs_es_index_done(&n.is);
    evs_es_index_done(&n.was);
    return rc;
}
