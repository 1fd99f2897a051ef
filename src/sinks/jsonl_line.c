/* jsonl_line.c - a row as one line of JSON, and back. */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"

static void write_cell(struct evs_jsonw *w, const char *name, const struct evs_row_cell *c)
{
    if (c->type == EVS_CELL_NULL)
        evs_jsonw_null(w, name);
    else if (c->type == EVS_CELL_TEXT)
        evs_jsonw_bytes(w, name, c->p, c->len);
    else
        evs_jsonw_raw(w, name, c->p, c->len);
}

/* Names of ours are ASCII; a column's may be anything. */
static void write_columns(struct evs_jsonw *w, const struct evs_shape *v, const struct evs_row *r)
{
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096);
    for (size_t i = 0; r->cells && i < v->n_columns; i++) {
        evs_buf_reset(&name);
        evs_jsonw_quote(&name, v->columns[i].name, strlen(v->columns[i].name));
        name.data[name.len - 1] = '\0'; /* the writer adds the quotes */
        write_cell(w, name.data + 1, &r->cells[i]);
    }
}

static void write_source(struct evs_jsonw *w, const struct evs_shape *v, const struct evs_row *r)
{
    evs_jsonw_str(w, "topic", v->topic);
    evs_jsonw_i64(w, "partition", r->partition);
    evs_jsonw_i64(w, "offset", r->offset);
    evs_jsonw_i64(w, "ts", r->ts_ms);
}

void evs_jsonl_line(const struct evs_shape *v, const struct evs_row *r, struct evs_buf *out)
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

/* --- and back -------------------------------------------------------------------------------- */
void evs_jsonl_reader_done(struct evs_jsonl_reader *l)
{
    evs_json_tree_done(&l->tree);
    evs_free(l->cells);
    evs_buf_done(&l->key);
    evs_buf_done(&l->value);
    evs_buf_done(&l->text);
}

static int sextet(char c)
{
    static const char *const table =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(table, c) : NULL;
    return at ? (int)(at - table) : -1;
}

static void unbase64(struct evs_buf *out, const char *p, size_t n)
{
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < n && sextet(p[i]) >= 0; i++) {
        bits = (bits << 6) | (uint32_t)sextet(p[i]);
        have += 6;
        if (have >= 8) {
            have -= 8;
            evs_buf_addc(out, (char)(bits >> have & 0xff));
        }
    }
}

/* A bytes member: "name", "name_base64" or null. */
static const void *bytes_member(struct evs_jsonl_reader *l, const char *name, struct evs_buf *to,
                                size_t *ret_n)
{
    char other[64];
    evs_buf_reset(to);
    evs_buf_room(to, 1);
    const struct evs_json_node *n = evs_json_member(&l->tree, &l->tree.nodes[0], name);
    if (n && n->type == EVS_JSON_STRING) {
        evs_json_unquote(to, l->tree.text + n->start, n->end - n->start);
    } else {
        snprintf(other, sizeof(other), "%s_base64", name);
        n = evs_json_member(&l->tree, &l->tree.nodes[0], other);
        if (!n || n->type != EVS_JSON_STRING)
            return NULL;
        unbase64(to, l->tree.text + n->start + 1, n->end - n->start - 2);
    }
    *ret_n = to->len;
    return to->data;
}

static int64_t number_member(const struct evs_jsonl_reader *l, const char *name, int64_t missing)
{
    struct evs_err ignored = EVS_ERR_INIT;
    char digits[24] = "";
    int64_t v;
    const struct evs_json_node *n = evs_json_member(&l->tree, &l->tree.nodes[0], name);
    if (!n || n->end - n->start >= sizeof(digits))
        return missing;
    memcpy(digits, l->tree.text + n->start, n->end - n->start);
    return evs_num_i64(digits, INT64_MIN, INT64_MAX, &v, &ignored) ? missing : v;
}

static void read_cells(struct evs_jsonl_reader *l, const struct evs_shape *v)
{
    for (size_t i = 0; i < v->n_columns; i++) {
        const struct evs_json_node *n =
            evs_json_member(&l->tree, &l->tree.nodes[0], v->columns[i].name);
        struct evs_row_cell *c = &l->cells[i];
        *c = (struct evs_row_cell){.type = EVS_CELL_NULL};
        if (!n || n->type == EVS_JSON_NULL)
            continue;
        size_t start = l->text.len;
        c->type = n->type == EVS_JSON_STRING                              ? EVS_CELL_TEXT
                  : n->type == EVS_JSON_NUMBER                            ? EVS_CELL_NUMBER
                  : n->type == EVS_JSON_TRUE || n->type == EVS_JSON_FALSE ? EVS_CELL_BOOL
                                                                          : EVS_CELL_JSON;
        if (c->type == EVS_CELL_TEXT)
            evs_json_unquote(&l->text, l->tree.text + n->start, n->end - n->start);
        else
            evs_buf_add(&l->text, l->tree.text + n->start, n->end - n->start);
        c->len = l->text.len - start;
    }
    const char *at = evs_buf_str(&l->text);
    for (size_t i = 0; i < v->n_columns; at += l->cells[i++].len)
        l->cells[i].p = l->cells[i].type == EVS_CELL_NULL ? NULL : at;
}

enum evs_rc evs_jsonl_parse(struct evs_jsonl_reader *l, const struct evs_shape *v, const char *p,
                            size_t n, struct evs_err *err)
{
    evs_json_tree_done(&l->tree);
    memset(&l->tree, 0, sizeof(l->tree));
    if (evs_json_tree_read(&l->tree, p, n, err))
        return err->code = EVS_FATAL;
    struct evs_row *r = &l->row;
    *r = (struct evs_row){.partition = (int32_t)number_member(l, "partition", -1),
                          .offset = number_member(l, "offset", -1),
                          .ts_ms = number_member(l, "ts", -1),
                          .count = number_member(l, "count", 0)};
    r->key = bytes_member(l, "key", &l->key, &r->key_len);
    r->deleted = evs_json_member(&l->tree, &l->tree.nodes[0], "deleted") != NULL;
    evs_buf_reset(&l->text);
    if (v->mode == EVS_VIEW_SUM) {
        const struct evs_json_node *sum = evs_json_member(&l->tree, &l->tree.nodes[0], "sum");
        evs_buf_add(&l->text, sum ? p + sum->start : "0", sum ? sum->end - sum->start : 1);
        r->sum = evs_buf_str(&l->text);
    } else if (v->n_columns) {
        read_cells(l, v);
        r->cells = l->cells;
    } else if (v->mode != EVS_VIEW_COUNT) {
        r->value = bytes_member(l, v->mode == EVS_VIEW_LOG ? "payload" : "value", &l->value,
                                &r->value_len);
    }
    return EVS_OK;
}

void evs_jsonl_reader_init(struct evs_jsonl_reader *l, const struct evs_shape *v)
{
    memset(l, 0, sizeof(*l));
    l->cells = evs_xcalloc(v->n_columns + 1, sizeof(*l->cells));
    l->key = l->value = l->text = (struct evs_buf)EVS_BUF_INIT(EVS_JSONL_LINE_CAP);
}
