/* jsonl_line.c - a row as one line of JSON. */
#include <string.h>

#include "core/jsonw.h"
#include "sinks/jsonl.h"

static void write_cell(struct evs_jsonw *w, const char *name, const struct evs_cell *c)
{
    if (c->type == EVS_CELL_NULL)
        evs_jsonw_null(w, name);
    else if (c->type == EVS_CELL_TEXT)
        evs_jsonw_bytes(w, name, c->p, c->len);
    else
        evs_jsonw_raw(w, name, c->p, c->len);
}

/* Names of ours are ASCII; a column's may be anything. */
static void write_columns(struct evs_jsonw *w, const struct evs_view *v, const struct evs_row *r)
{
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096);
    for (size_t i = 0; r->cells && i < v->n_columns; i++) {
        evs_buf_reset(&name);
        evs_jsonw_quote(&name, v->columns[i].name, strlen(v->columns[i].name));
        name.data[name.len - 1] = '\0'; /* the writer adds the quotes */
        write_cell(w, name.data + 1, &r->cells[i]);
    }
}

static void write_source(struct evs_jsonw *w, const struct evs_view *v, const struct evs_row *r)
{
    evs_jsonw_str(w, "topic", v->topic);
    evs_jsonw_i64(w, "partition", r->partition);
    evs_jsonw_i64(w, "offset", r->offset);
    evs_jsonw_i64(w, "ts", r->ts_ms);
}

void evs_jsonl_line(const struct evs_view *v, const struct evs_row *r, struct evs_buf *out)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    if (v->mode == EVS_VIEW_LOG) {
        write_source(&w, v, r);
        if (!v->n_columns) {
            evs_jsonw_arr(&w, "headers");
            for (int i = 0; i < r->n_headers; i++) {
                evs_jsonw_bytes(&w, NULL, r->headers[i].name, r->headers[i].name_len);
                evs_jsonw_bytes(&w, NULL, r->headers[i].value, r->headers[i].value_len);
            }
            evs_jsonw_end(&w);
        }
        evs_jsonw_bytes(&w, "key", r->key, r->key_len);
        if (v->n_columns)
            write_columns(&w, v, r);
        else
            evs_jsonw_bytes(&w, "payload", r->value, r->value_len);
    } else {
        evs_jsonw_bytes(&w, "key", r->key, r->key_len);
        if (v->mode == EVS_VIEW_COUNT) {
            evs_jsonw_i64(&w, "count", r->count);
        } else if (v->mode == EVS_VIEW_SUM) {
            evs_jsonw_raw(&w, "sum", r->sum, strlen(r->sum));
        } else {
            if (v->n_columns)
                write_columns(&w, v, r);
            else
                evs_jsonw_bytes(&w, "value", r->value, r->value_len);
            write_source(&w, v, r);
            if (r->deleted)
                evs_jsonw_bool(&w, "deleted", true);
        }
    }
    evs_jsonw_end(&w);
    evs_buf_addc(out, '\n');
}
