/* pipe.c - JSON lines on standard output: each change of a row a line. No checkpoint. */
#include <string.h>
#include <unistd.h>

#include "core/xalloc.h"
#include "sinks/all.h"
#include "sinks/jsonl.h"

enum { WRITE_BYTES = 1 << 20 };

struct pipe_sink {
    struct evs_sink base;
    struct evs_shape view;
    struct evs_buf out;
    struct evs_map totals; /* count and sum: what was said last */
};

static enum evs_rc pipe_open(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                             struct evs_err *err)
{
    (void)err;
    struct pipe_sink *s = evs_xcalloc(1, sizeof(*s));
    s->base.ops = &evs_sink_pipe;
    s->view = *spec->view;
    s->out = (struct evs_buf)EVS_BUF_INIT((size_t)EVS_JSONL_LINE_CAP * 2);
    *ret_s = &s->base;
    return EVS_OK;
}

static enum evs_rc pipe_info(struct evs_sink *sink, struct evs_sink_info *ret_i,
                             struct evs_err *err)
{
    (void)sink;
    (void)err;
    *ret_i = (struct evs_sink_info){.text = "standard output, no checkpoint", .rows = -1};
    return EVS_OK;
}

static enum evs_rc pipe_nothing(struct evs_sink *sink, struct evs_err *err)
{
    (void)sink;
    (void)err;
    return EVS_OK;
}

static enum evs_rc pipe_load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err)
{
    (void)sink;
    (void)err;
    memset(ret_c, 0, sizeof(*ret_c));
    return EVS_OK;
}

static enum evs_rc pipe_claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                              struct evs_err *err)
{
    (void)sink;
    (void)how;
    (void)c;
    (void)err;
    return EVS_OK;
}

static enum evs_rc pipe_total(struct pipe_sink *s, struct evs_row *r, struct evs_buf *text,
                              struct evs_err *err)
{
    void **place = evs_map_put(&s->totals, r->key, r->key_len);
    struct evs_decimal *have = *place, add;
    if (!have) {
        have = *place = evs_xmalloc(sizeof(*have));
        evs_decimal_zero(have);
    }
    evs_buf_reset(text);
    if (r->sum)
        evs_buf_adds(text, r->sum);
    else
        evs_buf_i64(text, r->count);
    if (!evs_decimal_read(&add, evs_buf_str(text), text->len) || !evs_decimal_add(have, &add))
        return evs_fail(err, EVS_POISON, "the sum has more digits than fit");
    evs_buf_reset(text);
    evs_decimal_print(have, text);
    r->count = have->big ? 0 : have->small;
    r->sum = evs_buf_str(text);
    return EVS_OK;
}

static enum evs_rc pipe_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                              struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct pipe_sink *s = (struct pipe_sink *)sink;
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    struct evs_sink_done d = {0};
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < b->n; i++) {
        struct evs_row r = b->rows[i];
        if (s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM)
            rc = pipe_total(s, &r, &text, err);
        err->row = i;
        if (rc)
            break;
        evs_jsonl_line(&s->view, &r, &s->out);
        d.written += !r.deleted;
        d.deleted += r.deleted;
        if (s->out.len > WRITE_BYTES || i + 1 == b->n) {
            rc = evs_jsonl_write(STDOUT_FILENO, "standard output", s->out.data, s->out.len, err);
            evs_buf_reset(&s->out);
        }
    }
    if (rc)
        return rc;
    b->parts[0].n[EVS_CKPT_WRITTEN] += d.written;
    b->parts[0].n[EVS_CKPT_DELETED] += d.deleted;
    *ret_d = d;
    return EVS_OK;
}

static enum evs_rc pipe_finish(struct evs_sink *sink, const char *state, struct evs_err *err)
{
    (void)sink;
    (void)state;
    (void)err;
    return EVS_OK;
}

static void pipe_close(struct evs_sink *sink)
{
    struct pipe_sink *s = (struct pipe_sink *)sink;
    evs_buf_done(&s->out);
    evs_map_done(&s->totals, evs_free);
    evs_free(s);
}

const struct evs_sink_ops evs_sink_pipe = {
    .name = "jsonl:-",
    .help = "JSON lines on standard output, each change of a row a line",
    .url = "jsonl:-",
    .schemes = "=jsonl:-",
    .alone = "an output is one process's",
    .open = pipe_open,
    .info = pipe_info,
    .prepare = pipe_nothing,
    .load = pipe_load,
    .claim = pipe_claim,
    .apply = pipe_apply,
    .beat = pipe_nothing,
    .finish = pipe_finish,
    .close = pipe_close,
};
