/* pg_read.c - rows back out of PostgreSQL, for diff and verify. */
#include <string.h>

#include "core/map.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/pg.h"

struct reading {
    struct evs_pg *s;
    struct evs_row_cell *cells;
    struct evs_buf key, value, text;
    evs_sink_found *found;
    void *ctx;
    struct evs_map *met; /* keys given so far, where that counts; else NULL */
    bool gone;           /* the rows are versions, of keys that have no row unless met */
};

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* A field's bytes; bytea comes as \x... */
static const void *field(const PGresult *r, int row, int column, bool bytes, struct evs_buf *to,
                         size_t *ret_n)
{
    if (PQgetisnull(r, row, column))
        return NULL;
    const char *p = PQgetvalue(r, row, column);
    size_t n = (size_t)PQgetlength(r, row, column);
    evs_buf_reset(to);
    char *out = evs_buf_room(to, n + 1);
    if (bytes && out) {
        for (size_t i = 2; i + 1 < n; i += 2)
            out[to->len++] = (char)(hex(p[i]) << 4 | hex(p[i + 1]));
        *ret_n = to->len;
        return out;
    }
    *ret_n = n;
    return p;
}

/* A cell of bytes in place; the row's buffer has room for all of them. */
static void unhex(struct evs_buf *to, struct evs_row_cell *c)
{
    const char *hexed = c->p;
    size_t start = to->len;
    for (size_t i = 2; i + 1 < c->len; i += 2)
        evs_buf_addc(to, (char)(hex(hexed[i]) << 4 | hex(hexed[i + 1])));
    c->p = to->data + start;
    c->len = to->len - start;
}

/* So that what is added to rd->value does not move. */
static void room_for_cells(struct reading *rd, const PGresult *r, int row)
{
    size_t n = 1;
    for (size_t i = 0; i < rd->s->view.n_columns; i++)
        n += (size_t)PQgetlength(r, row, 4 + (int)i);
    evs_buf_reset(&rd->value);
    (void)evs_buf_room(&rd->value, n);
}

static int64_t number(const PGresult *r, int row, int column)
{
    struct evs_err ignored = EVS_ERR_INIT;
    int64_t v = -1;
    if (PQgetisnull(r, row, column) ||
        evs_num_i64(PQgetvalue(r, row, column), INT64_MIN, INT64_MAX, &v, &ignored))
        return -1;
    return v;
}

static bool give(struct reading *rd, const PGresult *r, int row)
{
    enum { BYTEA = 17, BOOL = 16 };
    const struct evs_shape *v = &rd->s->view;
    struct evs_row out = {.partition = -1, .offset = -1, .ts_ms = -1};
    out.key = field(r, row, 0, PQftype(r, 0) == BYTEA, &rd->key, &out.key_len);
    if (v->mode == EVS_VIEW_COUNT) {
        out.count = number(r, row, 1);
        return rd->found(rd->ctx, &out);
    }
    if (v->mode == EVS_VIEW_SUM) {
        out.sum = PQgetvalue(r, row, 1);
        return rd->found(rd->ctx, &out);
    }
    out.partition = (int32_t)number(r, row, 1);
    out.offset = number(r, row, 2);
    out.ts_ms = number(r, row, 3);
    out.deleted = rd->gone;
    if (rd->gone)
        return rd->met && evs_map_get(rd->met, out.key, out.key_len) ? true
                                                                    : rd->found(rd->ctx, &out);
    if (rd->met && out.key)
        *evs_map_put(rd->met, out.key, out.key_len) = rd;
    if (!v->n_columns) {
        out.value = field(r, row, 4, PQftype(r, 4) == BYTEA, &rd->value, &out.value_len);
        return rd->found(rd->ctx, &out);
    }
    room_for_cells(rd, r, row);
    for (size_t i = 0; i < v->n_columns; i++) {
        int at = 4 + (int)i;
        struct evs_row_cell *c = &rd->cells[i];
        *c = (struct evs_row_cell){.type = EVS_CELL_NULL};
        if (PQgetisnull(r, row, at))
            continue;
        c->type = EVS_CELL_TEXT;
        c->p = PQgetvalue(r, row, at);
        c->len = (size_t)PQgetlength(r, row, at);
        if (PQftype(r, at) == BOOL) {
            c->type = EVS_CELL_BOOL;
            c->p = *c->p == 't' ? "true" : "false";
            c->len = strlen(c->p);
        }
        if (PQftype(r, at) == BYTEA)
            unhex(&rd->value, c);
    }
    out.cells = rd->cells;
    return rd->found(rd->ctx, &out);
}

/* key, then count or sum, or partition, offset, ts and value or columns. */
static enum evs_rc select_sql(struct evs_pg *s, struct evs_err *err)
{
    const struct evs_shape *v = &s->view;
    bool join = v->n_columns && v->mode == EVS_VIEW_LATEST, known = false;
    enum evs_rc rc = join ? evs_pg_has_table(s, "eventscope_version", &known, err) : EVS_OK;
    evs_buf_reset(&s->sql);
    evs_buf_adds(&s->sql, "SELECT t.\"key\"");
    if (v->mode == EVS_VIEW_COUNT || v->mode == EVS_VIEW_SUM)
        evs_buf_adds(&s->sql, v->mode == EVS_VIEW_COUNT ? ", t.\"count\"" : ", t.\"sum\"");
    else if (join && !known)
        evs_buf_adds(&s->sql, ", NULL, NULL, NULL");
    else
        evs_buf_printf(&s->sql, ", %s.\"partition\", %s.\"offset\", %s.ts", join ? "v" : "t",
                       join ? "v" : "t", join ? "v" : "t");
    if (v->mode <= EVS_VIEW_LOG && !v->n_columns)
        evs_buf_adds(&s->sql, ", t.\"value\"");
    for (size_t i = 0; i < v->n_columns; i++) {
        evs_buf_adds(&s->sql, ", t.");
        evs_pg_name(s, &s->sql, v->columns[i].name);
    }
    evs_buf_printf(&s->sql, " FROM %s AS t", s->table);
    if (join && known)
        evs_buf_printf(&s->sql,
                       " LEFT JOIN eventscope_version AS v ON v.target = %s AND v.\"key\" ="
                       " CASE WHEN pg_typeof(t.\"key\") = 'bytea'::regtype"
                       " THEN t.\"key\"::text::bytea ELSE convert_to(t.\"key\"::text, 'UTF8') END",
                       s->target_lit);
    return rc;
}

/* Row by row: a view may be larger than memory. */
static enum evs_rc stream(const struct reading *given, const char *param, struct evs_err *err)
{
    struct reading rd = *given;
    struct evs_pg *s = rd.s;
    const char *values[] = {param};
    enum evs_rc rc = EVS_OK;
    s->cancelled = false;
    if (!PQsendQueryParams(s->c, evs_buf_str(&s->sql), param ? 1 : 0, NULL, values, NULL, NULL, 0))
        return evs_pg_fail(s, NULL, s->target, err);
    PQsetSingleRowMode(s->c);
    rd.cells = evs_xcalloc(s->view.n_columns + 1, sizeof(*rd.cells));
    rd.key = rd.value = (struct evs_buf)EVS_BUF_INIT((size_t)1 << 30);
    bool more = true;
    for (PGresult *r = evs_pg_result(s); r; r = evs_pg_result(s)) {
        ExecStatusType st = PQresultStatus(r);
        if (st == PGRES_SINGLE_TUPLE && more)
            more = give(&rd, r, 0);
        if (!more && !s->cancelled)
            evs_pg_cancel(s); /* the rest of the rows is not wanted */
        else if (st != PGRES_SINGLE_TUPLE && st != PGRES_TUPLES_OK && !rc)
            rc = evs_pg_fail(s, r, s->target, err);
        PQclear(r);
    }
    evs_free(rd.cells);
    evs_buf_done(&rd.key);
    evs_buf_done(&rd.value);
    return rc;
}

enum evs_rc evs_pg_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                        struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    bool has = false;
    enum evs_rc rc = evs_pg_has_table(s, s->table, &has, err);
    if (!rc && !has)
        rc = evs_fail(err, EVS_FATAL, "there is no table %s", s->target);
    if (!rc)
        rc = select_sql(s, err);
    if (!rc && s->view.mode == EVS_VIEW_LOG)
        evs_buf_printf(&s->sql, " WHERE t.topic = %s", s->topic_lit);
    const struct reading rd = {.s = s, .found = found, .ctx = ctx};
    return rc ? rc : stream(&rd, NULL, err);
}

void evs_pg_element(struct evs_buf *out, const void *p, size_t n, bool bytes)
{
    const unsigned char *at = p;
    evs_buf_adds(out, out->len > 1 ? ",\"" : "\"");
    if (bytes)
        evs_buf_adds(out, "\\\\x");
    for (size_t i = 0; i < n; i++) {
        if (bytes) {
            evs_buf_printf(out, "%02x", at[i]);
            continue;
        }
        if (at[i] == '"' || at[i] == '\\')
            evs_buf_addc(out, '\\');
        evs_buf_addc(out, (char)at[i]);
    }
    evs_buf_addc(out, '"');
}

static enum evs_rc key_type(struct evs_pg *s, struct evs_buf *out, bool *ret_bytes,
                            struct evs_err *err)
{
    PGresult *r = NULL;
    const char *values[] = {s->table};
    r = PQexecParams(s->c,
                     "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE"
                     " attrelid = $1::regclass AND attname = 'key'",
                     1, NULL, values, NULL, NULL, 0);
    enum evs_rc rc = EVS_OK;
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        rc = evs_pg_fail(s, r, s->target, err);
    else if (PQntuples(r) != 1)
        rc = evs_fail(err, EVS_FATAL, "%s has no column \"key\"", s->target);
    else
        evs_buf_adds(out, PQgetvalue(r, 0, 0));
    PQclear(r);
    *ret_bytes = !rc && !strcmp(evs_buf_str(out), "bytea");
    return rc;
}

/* Of these keys those without a row, whose version says that they had one. */
static enum evs_rc get_deleted(struct reading *rd, const struct evs_row *keys, size_t n,
                               struct evs_err *err)
{
    struct evs_pg *s = rd->s;
    EVS_AUTO(evs_buf) struct evs_buf list = EVS_BUF_INIT((size_t)1 << 30);
    bool has = false;
    enum evs_rc rc = evs_pg_has_table(s, "eventscope_version", &has, err);
    if (rc || !has)
        return rc;
    evs_buf_addc(&list, '{');
    for (size_t i = 0; i < n; i++)
        evs_pg_element(&list, keys[i].key, keys[i].key_len, true);
    evs_buf_addc(&list, '}');
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql,
                   "SELECT v.\"key\", CASE WHEN v.topic = %s THEN v.\"partition\" ELSE -1 END,"
                   " v.\"offset\", v.ts FROM eventscope_version AS v WHERE v.target = %s AND"
                   " v.\"key\" = ANY($1::bytea[])",
                   s->topic_lit, s->target_lit);
    rd->gone = true;
    return stream(rd, evs_buf_str(&list), err);
}

enum evs_rc evs_pg_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                       evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    EVS_AUTO(evs_buf) struct evs_buf list = EVS_BUF_INIT((size_t)1 << 30);
    EVS_AUTO(evs_buf) struct evs_buf type = EVS_BUF_INIT(200);
    bool has = false, bytes = false;
    enum evs_rc rc = evs_pg_has_table(s, s->table, &has, err);
    if (rc || !has)
        return rc;
    rc = key_type(s, &type, &bytes, err);
    if (!rc)
        rc = select_sql(s, err);
    if (rc)
        return rc;
    evs_buf_addc(&list, '{');
    for (size_t i = 0; i < n; i++) {
        if (s->view.mode == EVS_VIEW_LOG) {
            evs_buf_printf(&list, "%s\"%d/%lld\"", i ? "," : "", keys[i].partition,
                           (long long)keys[i].offset);
        } else if (bytes || !memchr(keys[i].key, 0, keys[i].key_len)) {
            evs_pg_element(&list, keys[i].key, keys[i].key_len, bytes);
        }
    }
    evs_buf_addc(&list, '}');
    if (s->view.mode == EVS_VIEW_LOG)
        evs_buf_printf(&s->sql,
                       " WHERE t.topic = %s AND t.\"partition\" || '/' || t.\"offset\" ="
                       " ANY($1::text[])",
                       s->topic_lit);
    else
        evs_buf_printf(&s->sql, " WHERE t.\"key\" = ANY($1::%s[])", evs_buf_str(&type));
    struct evs_map met = EVS_MAP_INIT;
    struct reading rd = {.s = s, .found = found, .ctx = ctx};
    rd.met = s->view.n_columns ? &met : NULL; /* else only deleted keys have a version */
    rc = stream(&rd, evs_buf_str(&list), err);
    if (!rc && s->view.mode == EVS_VIEW_LATEST)
        rc = get_deleted(&rd, keys, n, err);
    evs_map_done(&met, NULL);
    return rc;
}
