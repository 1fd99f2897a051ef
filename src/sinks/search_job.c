/* search_job.c - index, checkpoint document and epoch. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

static void mapping(struct evs_es *s, struct evs_jsonw *w)
{
    static const char *const fields[][2] = {
        {"key", "keyword"},       {"key_base64", "keyword"}, {"topic", "keyword"},
        {"partition", "integer"}, {"offset", "long"},        {"deleted", "boolean"},
    };
    const struct evs_shape *v = &s->view;
    evs_jsonw_obj(w, "mappings");
    evs_jsonw_obj(w, "properties");
    for (size_t i = 0; i < EVS_COUNT(fields); i++) {
        evs_jsonw_obj(w, fields[i][0]);
        evs_jsonw_str(w, "type", fields[i][1]);
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
    evs_jsonw_end(w);
}

/* The index, and the one for checkpoints, whose redo text is only kept. */
static enum evs_rc make_index(struct evs_es *s, const char *path, bool ckpt, struct evs_err *err)
{
    struct evs_jsonw w;
    long status;
    char *url = evs_xprintf("/%s", path);
    enum evs_rc rc = evs_es_ask(s, "HEAD", url, NULL, &status, err);
    if (rc || status == 200)
        goto out;
    evs_buf_reset(&s->out);
    evs_jsonw_init(&w, &s->out);
    evs_jsonw_obj(&w, NULL);
    if (ckpt) {
        evs_jsonw_obj(&w, "mappings");
        evs_jsonw_bool(&w, "dynamic", false);
        evs_jsonw_end(&w);
    } else {
        evs_jsonw_obj(&w, "settings");
        evs_jsonw_str(&w, "index.gc_deletes", "1d");
        evs_jsonw_end(&w);
        mapping(s, &w);
    }
    evs_jsonw_end(&w);
    rc = evs_es_ask(s, "PUT", url, &s->out, &status, err);
    if (!rc && status != 200 && !strstr(evs_buf_str(&s->reply), "already_exists"))
        rc = evs_es_fail(s, status, path, err);
out:
    evs_free(url);
    return rc;
}

/* An index of others forgets deletes after a minute: a day from now on. */
static enum evs_rc keep_deletes(struct evs_es *s, struct evs_err *err)
{
    long status;
    char *url = evs_xprintf("/%s/_settings", s->index_path);
    evs_buf_reset(&s->out);
    evs_buf_adds(&s->out, "{\"index\":{\"gc_deletes\":\"1d\"}}");
    enum evs_rc rc = evs_es_ask(s, "PUT", url, &s->out, &status, err);
    if (!rc && status != 200)
        rc = evs_es_fail(s, status, s->index, err);
    evs_free(url);
    return rc;
}

enum evs_rc evs_es_prepare(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    enum evs_rc rc = make_index(s, "eventscope_checkpoint", true, err);
    if (!rc)
        rc = make_index(s, s->index_path, false, err);
    return rc ? rc : keep_deletes(s, err);
}

/* The document as JSON in *ret_j (NULL: there is none). */
static enum evs_rc get_doc(struct evs_es *s, struct evs_json **ret_j, struct evs_err *err)
{
    long status;
    char *url = evs_xprintf("/eventscope_checkpoint/_doc/%s", s->id_path);
    enum evs_rc rc = evs_es_ask(s, "GET", url, NULL, &status, err);
    evs_free(url);
    *ret_j = NULL;
    if (rc || status == 404)
        return rc;
    if (status != 200)
        return evs_es_fail(s, status, "eventscope_checkpoint", err);
    rc = evs_json_parse(evs_buf_str(&s->reply), s->reply.len, ret_j, err);
    return rc ? (err->code = EVS_FATAL) : EVS_OK;
}

enum evs_rc evs_es_load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    struct evs_json *j = NULL;
    memset(ret_c, 0, sizeof(*ret_c));
    enum evs_rc rc = get_doc(s, &j, err);
    if (rc || !j)
        return rc;
    const struct evs_json *doc = evs_json_get(j, "_source");
    evs_jsonl_text(doc, "id", &ret_c->id);
    evs_jsonl_text(doc, "plan_hash", &ret_c->plan_hash);
    evs_jsonl_text(doc, "topic", &ret_c->topic);
    evs_jsonl_text(doc, "state", &ret_c->state);
    ret_c->epoch = evs_jsonl_number(doc, "epoch");
    ret_c->updated_ms = evs_jsonl_number(doc, "updated_ms");
    evs_jsonl_parts_read(doc, ret_c);
    evs_json_free(j);
    return EVS_OK;
}

/* What the server says about the document now: for the next compare-and-set. */
static void note_seq(struct evs_es *s)
{
    struct evs_json *j = NULL;
    struct evs_err ignored = EVS_ERR_INIT;
    if (evs_json_parse(evs_buf_str(&s->reply), s->reply.len, &j, &ignored))
        return;
    s->seq_no = evs_jsonl_number(j, "_seq_no");
    s->primary_term = evs_jsonl_number(j, "_primary_term");
    evs_json_free(j);
}

/* After an answer that got lost our own write may be what stands there. */
static enum evs_rc conflict(struct evs_es *s, struct evs_err *err)
{
    struct evs_json *j = NULL;
    enum evs_rc rc = get_doc(s, &j, err);
    if (rc)
        return rc;
    const char *writer = evs_json_text(evs_json_get(evs_json_get(j, "_source"), "writer"));
    bool ours = writer && !strcmp(writer, s->writer);
    evs_json_free(j);
    if (!ours)
        return evs_sink_fenced(err, s->id);
    note_seq(s);
    if (!s->claimed)
        return EVS_OK; /* the claim is one write */
    return evs_fail(err, EVS_RETRY, "the checkpoint was written, its answer lost");
}

enum evs_rc evs_es_put_ckpt(struct evs_es *s, const struct evs_buf *redo, struct evs_err *err)
{
    struct evs_jsonw w;
    long status;
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(EVS_ES_CAP);
    evs_jsonw_init(&w, &body);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "id", s->id);
    evs_jsonw_str(&w, "plan_hash", s->plan_hash);
    evs_jsonw_str(&w, "topic", s->view.topic);
    evs_jsonw_str(&w, "state", s->ckpt.state ? s->ckpt.state : "running");
    evs_jsonw_i64(&w, "epoch", s->ckpt.epoch);
    evs_jsonw_str(&w, "writer", s->writer);
    evs_jsonw_i64(&w, "updated_ms", evs_clock_wall_ms());
    evs_jsonw_i64(&w, "batch", s->batch);
    evs_jsonl_parts_write(&w, s->ckpt.parts, s->ckpt.n);
    if (redo)
        evs_jsonw_strn(&w, "redo", redo->data, redo->len);
    evs_jsonw_end(&w);
    char *url = s->seq_no < 0
                    ? evs_xprintf("/eventscope_checkpoint/_create/%s", s->id_path)
                    : evs_xprintf("/eventscope_checkpoint/_doc/%s?if_seq_no=%lld&if_primary_term="
                                  "%lld",
                                  s->id_path, (long long)s->seq_no, (long long)s->primary_term);
    enum evs_rc rc = evs_es_ask(s, "PUT", url, &body, &status, err);
    evs_free(url);
    if (rc)
        return rc;
    if (status == 409)
        return conflict(s, err);
    if (status != 200 && status != 201)
        return evs_es_fail(s, status, "eventscope_checkpoint", err);
    note_seq(s);
    return EVS_OK;
}

/* Totals that a crash left between checkpoint and index. */
static enum evs_rc redo(struct evs_es *s, const struct evs_json *doc, struct evs_err *err)
{
    const char *text = evs_json_text(evs_json_get(doc, "redo"));
    struct evs_sink_done d = {0};
    if (!text || !*text)
        return EVS_OK;
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(EVS_ES_CAP);
    evs_buf_adds(&body, text);
    return evs_es_bulk(s, &body, 0, &d, err);
}

static enum evs_rc empty_index(struct evs_es *s, struct evs_err *err)
{
    long status;
    char *url = evs_xprintf("/%s", s->index_path);
    enum evs_rc rc = evs_es_ask(s, "DELETE", url, NULL, &status, err);
    if (!rc && status != 200 && status != 404)
        rc = evs_es_fail(s, status, s->index, err);
    evs_free(url);
    return rc ? rc : evs_es_prepare(&s->base, err);
}

enum evs_rc evs_es_claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    struct evs_json *j = NULL;
    bool totals = s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM;
    evs_ckpt_done(&s->ckpt);
    enum evs_rc rc = evs_es_load(sink, &s->ckpt, err);
    if (!rc)
        rc = get_doc(s, &j, err);
    if (rc)
        return rc;
    s->seq_no = -1;
    if (j)
        note_seq(s);
    s->batch = j ? evs_jsonl_number(evs_json_get(j, "_source"), "batch") : 0;
    int64_t epoch = s->ckpt.epoch + 1;
    if (how == EVS_CLAIM_RESUME && s->ckpt.n) {
        rc = redo(s, evs_json_get(j, "_source"), err);
        evs_ckpt_done(c);
        evs_ckpt_copy(c, &s->ckpt);
    } else {
        if (s->fresh || (how == EVS_CLAIM_RESTART && totals))
            rc = empty_index(s, err);
        evs_ckpt_done(&s->ckpt);
        evs_ckpt_copy(&s->ckpt, c);
    }
    evs_json_free(j);
    c->epoch = s->ckpt.epoch = epoch;
    evs_ckpt_text(&s->ckpt.state, "running", 7);
    if (!rc)
        rc = evs_es_put_ckpt(s, NULL, err);
    s->claimed = !rc;
    return rc;
}

enum evs_rc evs_es_beat(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    return evs_sink_beat(sink, s->ckpt.epoch, s->id, err);
}

enum evs_rc evs_es_finish(struct evs_sink *sink, const char *state, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    long status;
    evs_ckpt_text(&s->ckpt.state, state, strlen(state));
    enum evs_rc rc = evs_es_put_ckpt(s, NULL, err);
    if (rc == EVS_RETRY)
        rc = evs_es_put_ckpt(s, NULL, err);
    char *url = evs_xprintf("/%s/_refresh", s->index_path);
    if (!rc)
        rc = evs_es_ask(s, "POST", url, NULL, &status, err);
    evs_free(url);
    return rc;
}
