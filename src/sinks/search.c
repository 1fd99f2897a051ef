#include "sinks/search.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/all.h"

enum { NO_ROOT = 405 }; /* a build without its module for GET / */

static void close_search(struct evs_sink *sink)
{
    struct evs_es *s = (struct evs_es *)sink;
    if (s->curl)
        curl_easy_cleanup(s->curl);
    char *texts[] = {s->url,     s->userpwd,   s->index, s->index_path, s->id,
                     s->id_path, s->plan_hash, s->tombs, s->tombs_made};
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        evs_free(texts[i]);
    evs_ckpt_done(&s->ckpt);
    evs_buf_done(&s->out);
    evs_buf_done(&s->reply);
    evs_buf_done(&s->redo);
    evs_free(s);
}

static char *path_of(struct evs_es *s, const char *name)
{
    char *escaped = curl_easy_escape(s->curl, name, 0);
    char *path = evs_xstrdup(escaped ? escaped : "");
    curl_free(escaped);
    return path;
}

static enum evs_rc open_as(const struct evs_sink_ops *ops, const struct evs_sink_spec *spec,
                           struct evs_sink **ret_s, struct evs_err *err)
{
    struct evs_es *s = evs_xcalloc(1, sizeof(*s));
    long status = 0;
    int64_t now = evs_clock_mono_us();
    s->base.ops = ops;
    s->view = *spec->view;
    snprintf(s->writer, sizeof(s->writer), "%016" PRIx64, evs_map_hash(&now, sizeof(now)));
    s->write = spec->write;
    s->fresh = spec->fresh;
    s->shared = spec->take_over;
    s->timeout_ms = spec->timeout_ms;
    s->stop = spec->stop;
    s->index = evs_xstrdup(spec->view->target);
    s->id = evs_xstrdup(spec->id);
    s->plan_hash = evs_xstrdup(spec->plan_hash);
    s->out = s->reply = s->redo = (struct evs_buf)EVS_BUF_INIT(EVS_ES_CAP);
    enum evs_rc rc = evs_sink_check_name("target", s->index, 255, err);
    if (!rc)
        rc = evs_es_connect(s, spec->url, err);
    if (!rc) {
        s->index_path = path_of(s, s->index);
        s->id_path = path_of(s, s->id);
        rc = evs_es_ask(s, "GET", "/", NULL, &status, err);
    }
    if (!rc && status != 200 && status != NO_ROOT)
        rc = evs_es_fail(s, status, s->url, err);
    if (rc) {
        close_search(&s->base);
        return err->code = rc == EVS_RETRY ? EVS_FATAL : rc;
    }
    *ret_s = &s->base;
    return EVS_OK;
}

static enum evs_rc open_opensearch(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                                   struct evs_err *err)
{
    return open_as(&evs_sink_opensearch, spec, ret_s, err);
}

static enum evs_rc open_elasticsearch(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                                      struct evs_err *err)
{
    return open_as(&evs_sink_elasticsearch, spec, ret_s, err);
}

/* "8.15.0"; a server without its root module is asked for its nodes' versions. */
static enum evs_rc version(struct evs_es *s, char *to, size_t size, struct evs_err *err)
{
    struct evs_json *j = NULL;
    long status;
    snprintf(to, size, "?");
    enum evs_rc rc = evs_es_ask(s, "GET", "/", NULL, &status, err);
    if (!rc && status == NO_ROOT) {
        rc = evs_es_ask(s, "GET", "/_cat/nodes?h=version", NULL, &status, err);
        const char *text = evs_buf_str(&s->reply);
        if (!rc && status == 200)
            snprintf(to, size, "%.*s", (int)strcspn(text, " \r\n"), text);
        return rc;
    }
    if (!rc && evs_json_parse(evs_buf_str(&s->reply), s->reply.len, &j, err))
        rc = err->code = EVS_FATAL;
    const char *number = evs_json_text(evs_json_get(evs_json_get(j, "version"), "number"));
    if (number)
        snprintf(to, size, "%s", number);
    evs_json_free(j);
    return rc;
}

static enum evs_rc info(struct evs_sink *sink, struct evs_sink_info *ret_i, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    struct evs_json *j = NULL;
    char number[64];
    long status;
    *ret_i = (struct evs_sink_info){.rows = -1};
    enum evs_rc rc = version(s, number, sizeof(number), err);
    if (rc)
        return rc;
    snprintf(ret_i->text, sizeof(ret_i->text), "%s %s", sink->ops->name, number);
    char *path = evs_xprintf("/%s/_count", s->index_path);
    rc = evs_es_ask(s, "GET", path, NULL, &status, err);
    evs_free(path);
    if (rc || status == 404) {
        ret_i->rows = 0;
        return rc;
    }
    ret_i->exists = status == 200;
    int64_t rows = -1;
    if (!evs_json_parse(evs_buf_str(&s->reply), s->reply.len, &j, err)) {
        const char *count = evs_json_text(evs_json_get(j, "count"));
        struct evs_err ignored = EVS_ERR_INIT;
        if (count && !evs_num_i64(count, 0, INT64_MAX, &rows, &ignored))
            ret_i->rows = rows;
        evs_json_free(j);
    }
    return EVS_OK;
}

/* The two differ in their names alone. */
/* clang-format off */
#define SEARCH_OPS(NAME, TITLE, OPEN) \
    { \
        .name = (NAME), .help = "an index of " TITLE, .url = NAME "+http://host:9200", \
        .schemes = NAME "+http:|" NAME "+https:", \
        .caps = EVS_SINK_ONCE | EVS_SINK_CKPT | EVS_SINK_READ | EVS_SINK_SWAP | EVS_SINK_TARGET | \
                EVS_SINK_RANK, \
        .shared = EVS_SINK_ALL_VIEWS, .rows_max = 20000, \
        .open = (OPEN), .check = evs_es_check, .info = info, \
        .prepare = evs_es_prepare, .load = evs_es_load, .claim = evs_es_claim, \
        .apply = evs_es_apply, .beat = evs_es_beat, .finish = evs_es_finish, \
        .get = evs_es_get, .scan = evs_es_scan, .swap = evs_es_swap, .close = close_search, \
    }
/* clang-format on */
const struct evs_sink_ops evs_sink_opensearch =
    SEARCH_OPS("opensearch", "OpenSearch", open_opensearch);
const struct evs_sink_ops evs_sink_elasticsearch =
    SEARCH_OPS("elasticsearch", "Elasticsearch", open_elasticsearch);
