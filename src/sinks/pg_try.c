/* pg_try.c - whether PostgreSQL would take rows, asked without writing anything.
 *
 * The server's own conversion decides: a column's values are cast to its type by a SELECT, half
 * and half again until the first that fails is found. Text that a length cuts off counts as
 * refused, as an INSERT would. What only an INSERT tells (checks, triggers, rights) is not asked.
 */
#include <stdio.h>
#include <string.h>

#include "core/xalloc.h"
#include "sinks/pg.h"

struct column {
    const char *name;
    char *type; /* as format_type gives it */
    bool required;
    size_t at; /* COLUMN_KEY, COLUMN_VALUE, or of the view's */
};
enum { COLUMN_KEY = 100000, COLUMN_VALUE };

/* The type that the column has, or would get from prepare. The caller frees. */
static enum evs_rc look_up(struct evs_pg *s, bool has, const char *given, struct column *c,
                           struct evs_err *err)
{
    const char *values[] = {s->table, c->name};
    if (!has) {
        c->type = evs_xstrdup(given ? given : "text");
        return EVS_OK;
    }
    PGresult *r = PQexecParams(s->c,
                               "SELECT format_type(atttypid, atttypmod), attnotnull FROM"
                               " pg_attribute WHERE attrelid = $1::regclass AND attname = $2"
                               " AND NOT attisdropped",
                               2, NULL, values, NULL, NULL, 0);
    enum evs_rc rc = EVS_OK;
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        rc = evs_pg_fail(s, r, s->target, err);
    } else if (PQntuples(r) != 1) {
        rc = evs_fail(err, EVS_FATAL, "%s has no column \"%s\"", s->target, c->name);
    } else {
        c->type = evs_xstrdup(PQgetvalue(r, 0, 0));
        c->required = PQgetvalue(r, 0, 1)[0] == 't';
    }
    PQclear(r);
    return rc;
}

static const void *value_of(const struct evs_row *r, const struct column *c, size_t *ret_n)
{
    const struct evs_row_cell *cell = c->at < COLUMN_KEY && r->cells ? &r->cells[c->at] : NULL;
    *ret_n = cell ? cell->len : c->at == COLUMN_KEY ? r->key_len : r->value_len;
    if (c->at == COLUMN_KEY)
        return r->key;
    return c->at == COLUMN_VALUE ? r->value : cell ? cell->p : NULL;
}

/* EVS_POISON: at least one of these rows would be refused. */
static enum evs_rc ask(struct evs_pg *s, const struct column *c, const struct evs_row *rows,
                       size_t n, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf list = EVS_BUF_INIT((size_t)1 << 30);
    EVS_AUTO(evs_buf) struct evs_buf sql = EVS_BUF_INIT(4096);
    const char *values[1];
    size_t len;
    evs_buf_addc(&list, '{');
    for (size_t i = 0; i < n; i++) {
        const void *p = rows[i].deleted ? NULL : value_of(&rows[i], c, &len);
        if (p)
            evs_pg_element(&list, p, len, false);
        else if (c->required && !rows[i].deleted)
            return evs_fail(err, EVS_POISON, "column %s takes no null", c->name);
    }
    evs_buf_addc(&list, '}');
    bool cut = !strncmp(c->type, "character", 9);
    evs_buf_printf(&sql, "SELECT count(v::%s)", c->type);
    if (cut)
        evs_buf_printf(&sql, ", count(*) FILTER (WHERE rtrim(v::%s::text) <> rtrim(v))", c->type);
    evs_buf_adds(&sql, " FROM unnest($1::text[]) AS v");
    values[0] = evs_buf_str(&list);
    PGresult *r = PQexecParams(s->c, evs_buf_str(&sql), 1, NULL, values, NULL, NULL, 0);
    enum evs_rc rc = EVS_OK;
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        rc = evs_pg_fail(s, r, c->name, err);
    } else if (cut && strcmp(PQgetvalue(r, 0, 1), "0")) {
        rc = evs_fail(err, EVS_POISON, "column %s: value too long for type %s", c->name, c->type);
    }
    PQclear(r);
    return rc;
}

/* The first row that is refused, of rows of which one is. */
static enum evs_rc find_first(struct evs_pg *s, const struct column *c, const struct evs_row *rows,
                              size_t n, struct evs_err *err)
{
    size_t from = 0;
    while (n > 1) {
        enum evs_rc rc = ask(s, c, rows + from, n / 2, err);
        if (rc && rc != EVS_POISON)
            return rc;
        from += rc ? 0 : n / 2;
        n = rc ? n / 2 : n - n / 2;
    }
    enum evs_rc rc = ask(s, c, rows + from, 1, err);
    err->row = from;
    return rc;
}

static enum evs_rc try_column(struct evs_pg *s, bool has, const char *given, struct column *c,
                              bool *bytes, const struct evs_row *rows, size_t n,
                              struct evs_err *err)
{
    enum evs_rc rc = look_up(s, has, given, c, err);
    if (!c->type)
        return rc;
    if (!rc && !s->learned)
        *bytes = !strcmp(c->type, "bytea");
    bool any = !rc && (!strcmp(c->type, "text") || !strcmp(c->type, "bytea"));
    if (!rc && n && (!any || c->required))
        rc = ask(s, c, rows, n, err);
    if (rc == EVS_POISON)
        rc = find_first(s, c, rows, n, err);
    evs_free(c->type);
    return rc;
}

enum evs_rc evs_pg_try(struct evs_sink *sink, const struct evs_row *rows, size_t n,
                       struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    const struct evs_shape *v = &s->view;
    bool has = false;
    struct column key = {.name = "key", .at = COLUMN_KEY};
    struct column value = {.name = "value", .at = COLUMN_VALUE};
    enum evs_rc rc = evs_pg_has_table(s, s->table, &has, err);
    if (!rc)
        rc = try_column(s, has, v->key_type, &key, &s->key_bytes, rows, n, err);
    if (!rc && v->mode <= EVS_VIEW_LOG && !v->n_columns)
        rc = try_column(s, has, v->value_type, &value, &s->value_bytes, rows, n, err);
    for (size_t i = 0; !rc && v->mode <= EVS_VIEW_LOG && i < v->n_columns; i++) {
        struct column c = {.name = v->columns[i].name, .at = i};
        rc = try_column(s, has, v->columns[i].type, &c, &s->cell_bytes[i], rows, n, err);
    }
    s->learned = s->learned || !rc;
    return rc;
}

/* --- how it reads back ----------------------------------------------------------------------- */
struct spelling {
    struct evs_pg *s;
    const struct column *c;
    evs_sink_spelled *told;
    void *ctx;
};

/* Types that give back what was written, or that are compared by value. */
static bool is_plain(const char *type)
{
    static const char *const plain[] = {"text",    "character varying", "bigint",  "integer",
                                        "numeric", "smallint",          "boolean", "bytea"};
    for (size_t i = 0; i < EVS_COUNT(plain); i++)
        if (!strcmp(type, plain[i]))
            return true;
    return !strncmp(type, "character varying(", 18);
}

static bool list_values(const struct spelling *sp, const struct evs_row *rows, size_t n,
                        struct evs_buf *list)
{
    bool any = false;
    evs_buf_addc(list, '{');
    for (size_t i = 0; i < n; i++) {
        size_t len;
        const void *p = rows[i].deleted ? NULL : value_of(&rows[i], sp->c, &len);
        if (p && !memchr(p, 0, len))
            evs_pg_element(list, p, len, false);
        else
            evs_buf_adds(list, i ? ",NULL" : "NULL");
        any = any || p;
    }
    evs_buf_addc(list, '}');
    return any;
}

/* The rows from `first` on; halves where one of them would be refused. */
static enum evs_rc spell_rows(const struct spelling *sp, const struct evs_row *rows, size_t first,
                              size_t n, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf list = EVS_BUF_INIT((size_t)1 << 30);
    EVS_AUTO(evs_buf) struct evs_buf sql = EVS_BUF_INIT(4096);
    if (!n || !list_values(sp, rows + first, n, &list))
        return EVS_OK;
    evs_buf_printf(&sql,
                   "SELECT v::%s FROM unnest($1::text[]) WITH ORDINALITY AS t(v, o) ORDER BY o",
                   sp->c->type);
    const char *values[] = {evs_buf_str(&list)};
    PGresult *r = PQexecParams(sp->s->c, evs_buf_str(&sql), 1, NULL, values, NULL, NULL, 0);
    enum evs_rc rc = EVS_OK;
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        rc = evs_pg_fail(sp->s, r, sp->c->name, err);
    for (size_t i = 0; !rc && i < n && (int)i < PQntuples(r); i++) {
        size_t len, now = (size_t)PQgetlength(r, (int)i, 0);
        const char *text = PQgetvalue(r, (int)i, 0), *p = value_of(&rows[first + i], sp->c, &len);
        if (!PQgetisnull(r, (int)i, 0) && p && (len != now || memcmp(p, text, len)))
            sp->told(sp->ctx, first + i, sp->c->at == COLUMN_VALUE ? -1 : (int)sp->c->at, text,
                     now);
    }
    PQclear(r);
    if (rc != EVS_POISON)
        return rc;
    rc = n > 1 ? spell_rows(sp, rows, first, n / 2, err) : EVS_OK;
    return rc || n < 2 ? rc : spell_rows(sp, rows, first + n / 2, n - n / 2, err);
}

static enum evs_rc spell_column(struct spelling *sp, struct column *c, const struct evs_row *rows,
                                size_t n, struct evs_err *err)
{
    enum evs_rc rc = look_up(sp->s, true, NULL, c, err);
    sp->c = c;
    if (!rc && c->type && !is_plain(c->type))
        rc = spell_rows(sp, rows, 0, n, err);
    evs_free(c->type);
    c->type = NULL;
    return rc;
}

enum evs_rc evs_pg_spell(struct evs_sink *sink, const struct evs_row *rows, size_t n,
                         evs_sink_spelled *told, void *ctx, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    struct spelling sp = {.s = s, .told = told, .ctx = ctx};
    const struct evs_shape *v = &s->view;
    struct column value = {.name = "value", .at = COLUMN_VALUE};
    bool has = false;
    enum evs_rc rc = evs_pg_has_table(s, s->table, &has, err);
    if (rc || !has || v->mode > EVS_VIEW_LOG)
        return rc;
    if (!v->n_columns)
        return spell_column(&sp, &value, rows, n, err);
    for (size_t i = 0; !rc && i < v->n_columns; i++) {
        struct column c = {.name = v->columns[i].name, .at = i};
        rc = spell_column(&sp, &c, rows, n, err);
    }
    return rc;
}
