/* search_job.c - index, checkpoint document and epoch. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"
#include "sinks/search.h"

/* An index of others forgets deletes after a minute: a day from now on. Who may not set that has
 * the tombstones (search.h). */
static enum evs_rc keep_deletes(struct evs_es *s, struct evs_err *err)
{
    long status;
    char *path = evs_xprintf("/%s/_settings", s->index_path);
    evs_buf_reset(&s->out);
    evs_buf_adds(&s->out, "{\"index\":{\"gc_deletes\":\"1d\"}}");
    enum evs_rc rc = evs_es_ask(s, "PUT", path, &s->out, &status, err);
    if (!rc && status != 200 && status != 403)
        rc = evs_es_fail(s, status, s->index, err);
    evs_free(path);
    return rc;
}

enum evs_rc evs_es_prepare(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_es *s = (struct evs_es *)sink;
    struct evs_es_index i = {0};
    enum evs_rc rc = evs_es_make(s, "eventscope_checkpoint", NULL, false, err);
    if (!rc)
        rc = evs_es_make(s, s->index_path, NULL, true, err);
    if (!rc)
        rc = evs_es_index(s, s->index, &i, err);
    if (!rc && i.name && !i.remembers)
        rc = keep_deletes(s, err);
    if (!rc && i.name && s->view.mode == EVS_VIEW_LATEST)
        rc = evs_es_tombs_drop(s, i.name, &i, err); /* of an index that had this name before */
    evs_es_index_done(&i);
    return rc;
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

enum evs_rc evs_es_put_ckpt(struct evs_es *s, struct evs_err *err)
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
    if (s->redo.len)
        evs_jsonw_strn(&w, "redo", s->redo.data, s->redo.len);
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

/* What TARGET stands for is made anew, under the same names. */
static enum evs_rc empty_index(struct evs_es *s, struct evs_err *err)
{
    struct evs_es_index i = {0};
    long status;
    char *path = NULL;
    enum evs_rc rc = evs_es_index(s, s->index, &i, err);
    if (!rc && i.name) {
        path = evs_es_path(s, "/", i.name, "");
        rc = evs_es_do(s, "DELETE", path, NULL, true, &status, err);
        if (!rc)
            rc = evs_es_tombs_drop(s, i.name, NULL, err);
        if (!rc && i.alias)
            rc = evs_es_make(s, path + 1, s->index, true, err);
    }
    evs_free(path);
    evs_es_index_done(&i);
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
    /* Numbers of batches go on, and never begin below those of a checkpoint that was removed. */
    s->batch = j ? evs_jsonl_number(evs_json_get(j, "_source"), "batch") : 0;
    if (s->batch <= 0)
        s->batch = evs_clock_wall_ms() * 1024;
    int64_t epoch = s->ckpt.epoch + 1;
    if (how == EVS_CLAIM_RESUME && s->ckpt.n) {
        const char *text = evs_json_text(evs_json_get(evs_json_get(j, "_source"), "redo"));
        evs_buf_reset(&s->redo);
        evs_buf_adds(&s->redo, text ? text : "");
        rc = evs_es_redo(s, err);
        evs_ckpt_add(&s->ckpt, c);
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
        rc = evs_es_put_ckpt(s, err);
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
    enum evs_rc rc = evs_es_put_ckpt(s, err);
    if (rc == EVS_RETRY)
        rc = evs_es_put_ckpt(s, err);
    char *url = evs_xprintf("/%s/_refresh", s->index_path);
    if (!rc)
        rc = evs_es_ask(s, "POST", url, NULL, &status, err);
    evs_free(url);
    return rc;
}
