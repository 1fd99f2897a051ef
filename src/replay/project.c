#include "replay/project.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "decode/decoder.h"
#include "filter/jq.h"

enum { TEXT_CAP = 1 << 30 };

enum expr_kind {
    EXPR_JQ,
    EXPR_KEY,
    EXPR_TOPIC,
    EXPR_PARTITION,
    EXPR_OFFSET,
    EXPR_TIMESTAMP,
    EXPR_VALUE /* the value, or a path into it */
};

struct expr {
    enum expr_kind kind;
    char *path; /* after ".value"; "" is the value itself */
    struct evs_jq *jq;
};

struct evs_project {
    enum evs_view_mode mode;
    struct expr *columns;
    size_t n_columns;
    struct expr group, value;
    bool has_group;
    struct evs_row_cell *cells;
    struct evs_buf text, sum, decoded;
    struct evs_json_tree tree;
    bool read, is_json; /* of this event's value */
};

/* .a.b[0]: names of letters, digits and underscores only; anything else is jq's. */
static bool is_path(const char *s)
{
    while (*s) {
        size_t n = 0;
        if (*s == '.') {
            n = strspn(s + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
            if (!n || (s[1] >= '0' && s[1] <= '9'))
                return false;
        } else if (*s == '[') {
            n = strspn(s + 1, "0123456789");
            if (!n || n > 9 || s[1 + n] != ']')
                return false;
            n++;
        } else {
            return false;
        }
        s += n + 1;
    }
    return true;
}

static enum evs_rc expr_init(struct expr *e, const char *text, struct evs_err *err)
{
    static const struct {
        const char *text;
        enum expr_kind kind;
    } plain[] = {{".key", EXPR_KEY},
                 {".topic", EXPR_TOPIC},
                 {".partition", EXPR_PARTITION},
                 {".offset", EXPR_OFFSET},
                 {".timestamp", EXPR_TIMESTAMP}};
    while (*text == ' ')
        text++;
    for (size_t i = 0; i < EVS_COUNT(plain); i++)
        if (!strcmp(text, plain[i].text)) {
            e->kind = plain[i].kind;
            return EVS_OK;
        }
    if (!strncmp(text, ".value", 6) && is_path(text + 6)) {
        e->kind = EXPR_VALUE;
        e->path = evs_xstrdup(text + 6);
        return EVS_OK;
    }
    e->kind = EXPR_JQ;
    return evs_jq_new(text, &e->jq, err);
}

static void expr_done(struct expr *e)
{
    evs_free(e->path);
    evs_jq_free(e->jq);
}

enum evs_rc evs_project_new(const struct evs_plan *plan, struct evs_project **ret_p,
                            struct evs_err *err)
{
    struct evs_project *p = evs_xcalloc(1, sizeof(*p));
    p->mode = plan->mode;
    p->n_columns = plan->n_columns;
    p->columns = evs_xcalloc(p->n_columns + 1, sizeof(*p->columns));
    p->cells = evs_xcalloc(p->n_columns + 1, sizeof(*p->cells));
    p->text = p->sum = p->decoded = (struct evs_buf)EVS_BUF_INIT(TEXT_CAP);
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < p->n_columns; i++) {
        rc = expr_init(&p->columns[i], plan->columns[i].expr, err);
        if (rc)
            evs_wrap(err, "column %s", plan->columns[i].name);
    }
    bool grouped = p->mode == EVS_VIEW_COUNT || p->mode == EVS_VIEW_SUM;
    p->has_group = grouped && plan->group_by;
    if (!rc && p->has_group && expr_init(&p->group, plan->group_by, err))
        rc = evs_wrap(err, "--group-by");
    if (!rc && p->mode == EVS_VIEW_SUM && expr_init(&p->value, plan->value, err))
        rc = evs_wrap(err, "--value");
    if (rc) {
        evs_project_free(p);
        return rc;
    }
    *ret_p = p;
    return EVS_OK;
}

void evs_project_free(struct evs_project *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_columns; i++)
        expr_done(&p->columns[i]);
    expr_done(&p->group);
    expr_done(&p->value);
    evs_free(p->columns);
    evs_free(p->cells);
    evs_buf_done(&p->text);
    evs_buf_done(&p->sum);
    evs_buf_done(&p->decoded);
    evs_json_tree_done(&p->tree);
    evs_free(p);
}

/* The value as JSON in p->tree, once an event. */
static void read_value(struct evs_project *p, const struct evs_event *ev)
{
    struct evs_err ignored = EVS_ERR_INIT;
    if (p->read)
        return;
    p->read = true;
    p->is_json = false;
    evs_json_tree_done(&p->tree);
    memset(&p->tree, 0, sizeof(p->tree));
    if (!ev->value || ev->value_len >= TEXT_CAP)
        return;
    if (!evs_json_tree_read(&p->tree, ev->value, ev->value_len, &ignored)) {
        p->is_json = true;
        return;
    }
    struct evs_decoded d;
    evs_buf_reset(&p->decoded);
    evs_decode(NULL, ev->value, ev->value_len, &p->decoded, &d);
    p->is_json = d.decoder->is_json &&
                 !evs_json_tree_read(&p->tree, evs_buf_str(&p->decoded), p->decoded.len, &ignored);
}

/* JSON text at the end of p->text from `start` on, as a cell. Strings lose quotes and escapes. */
static void cell_of_json(struct evs_project *p, const char *json, size_t n, struct evs_row_cell *c)
{
    struct evs_err ignored = EVS_ERR_INIT;
    size_t start = p->text.len;
    switch (n ? json[0] : 'n') {
    case 'n': c->type = EVS_CELL_NULL; break;
    case 't':
    case 'f': c->type = EVS_CELL_BOOL; break;
    case '"': c->type = EVS_CELL_TEXT; break;
    case '{':
    case '[': c->type = EVS_CELL_JSON; break;
    default: c->type = EVS_CELL_NUMBER; break;
    }
    if (c->type == EVS_CELL_TEXT)
        evs_json_unquote(&p->text, json, n);
    else if (c->type == EVS_CELL_JSON)
        (void)!evs_json_compact(&p->text, json, n, &ignored);
    else if (c->type != EVS_CELL_NULL)
        evs_buf_add(&p->text, json, n);
    c->len = p->text.len - start;
}

static void value_cell(struct evs_project *p, const struct expr *e, const struct evs_event *ev,
                       struct evs_row_cell *c)
{
    read_value(p, ev);
    if (!p->is_json) {
        if (!*e->path && ev->value && evs_text_is_utf8(ev->value, ev->value_len)) {
            c->type = EVS_CELL_TEXT;
            c->len = ev->value_len;
            evs_buf_add(&p->text, ev->value, ev->value_len);
        }
        return;
    }
    const struct evs_json_node *at = *e->path ? evs_json_path(&p->tree, e->path) : p->tree.nodes;
    if (at)
        cell_of_json(p, p->tree.text + at->start, at->end - at->start, c);
}

static enum evs_rc jq_cell(struct evs_project *p, const struct expr *e, struct evs_event *ev,
                           struct evs_row_cell *c, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf json = EVS_BUF_INIT(TEXT_CAP);
    enum evs_rc rc = evs_jq_eval(e->jq, ev, &json, err);
    if (rc)
        return rc;
    cell_of_json(p, evs_buf_str(&json), json.len, c);
    return EVS_OK;
}

/* Appends the cell's bytes to p->text; c->p is set by the caller when the buffer stands still. */
static enum evs_rc expr_eval(struct evs_project *p, const struct expr *e, struct evs_event *ev,
                             struct evs_row_cell *c, struct evs_err *err)
{
    size_t start = p->text.len;
    *c = (struct evs_row_cell){.type = EVS_CELL_NUMBER};
    switch (e->kind) {
    case EXPR_KEY:
        c->type = ev->key ? EVS_CELL_TEXT : EVS_CELL_NULL;
        evs_buf_add(&p->text, ev->key, ev->key ? ev->key_len : 0);
        break;
    case EXPR_TOPIC:
        c->type = EVS_CELL_TEXT;
        evs_buf_adds(&p->text, ev->topic);
        break;
    case EXPR_PARTITION: evs_buf_i64(&p->text, ev->partition); break;
    case EXPR_OFFSET: evs_buf_i64(&p->text, ev->offset); break;
    case EXPR_TIMESTAMP: evs_buf_i64(&p->text, ev->ts_ms); break;
    case EXPR_VALUE:
        c->type = EVS_CELL_NULL;
        value_cell(p, e, ev, c);
        break;
    case EXPR_JQ: return jq_cell(p, e, ev, c, err);
    }
    c->len = p->text.len - start;
    return EVS_OK;
}

static enum evs_rc group_row(struct evs_project *p, struct evs_event *ev, struct evs_row *row,
                             struct evs_err *err)
{
    struct evs_row_cell group, value;
    enum evs_rc rc = EVS_OK;
    if (p->mode == EVS_VIEW_SUM) {
        rc = expr_eval(p, &p->value, ev, &value, err);
        if (rc)
            return evs_wrap(err, "--value");
        if (value.type == EVS_CELL_NULL)
            return EVS_AGAIN;
        if (value.type != EVS_CELL_NUMBER)
            return evs_fail(err, EVS_POISON, "--value is no number but %.60s",
                            evs_buf_str(&p->text));
        evs_buf_reset(&p->sum);
        evs_buf_add(&p->sum, evs_buf_str(&p->text), value.len);
        row->sum = evs_buf_str(&p->sum);
        evs_buf_reset(&p->text);
    }
    row->count = 1;
    if (!p->has_group)
        return row->key ? EVS_OK : EVS_AGAIN;
    rc = expr_eval(p, &p->group, ev, &group, err);
    if (rc)
        return evs_wrap(err, "--group-by");
    if (group.type == EVS_CELL_NULL)
        evs_buf_adds(&p->text, "null");
    row->key = evs_buf_str(&p->text);
    row->key_len = p->text.len;
    return EVS_OK;
}

enum evs_rc evs_project_row(struct evs_project *p, struct evs_event *ev, struct evs_row *ret_row,
                            struct evs_err *err)
{
    struct evs_row row = {.key = ev->key,
                          .key_len = ev->key_len,
                          .value = ev->value,
                          .value_len = ev->value_len,
                          .partition = ev->partition,
                          .offset = ev->offset,
                          .ts_ms = ev->ts_ms};
    enum evs_rc rc = EVS_OK;
    p->read = false;
    p->text.over = false;
    evs_buf_reset(&p->text);
    if (p->mode == EVS_VIEW_COUNT || p->mode == EVS_VIEW_SUM) {
        row.value = NULL;
        row.value_len = 0;
        rc = group_row(p, ev, &row, err);
    } else if (p->mode == EVS_VIEW_LOG) {
        row.n_headers = evs_event_headers(ev);
        row.headers = ev->headers;
    } else if (!ev->key) {
        return EVS_AGAIN;
    } else {
        row.deleted = !ev->value;
    }
    if (!row.deleted && p->n_columns && !rc) {
        for (size_t i = 0; !rc && i < p->n_columns; i++)
            rc = expr_eval(p, &p->columns[i], ev, &p->cells[i], err);
        const char *at = evs_buf_str(&p->text);
        for (size_t i = 0; i < p->n_columns; at += p->cells[i++].len)
            p->cells[i].p = p->cells[i].type == EVS_CELL_NULL ? NULL : at;
        row.cells = p->cells;
        row.value = NULL;
        row.value_len = 0;
        row.n_headers = 0;
    }
    if (!rc && p->text.over)
        rc = evs_fail(err, EVS_POISON, "the projection is longer than 1 GiB");
    if (!rc)
        *ret_row = row;
    return rc;
}
