/* sqlite_read.c - rows back out of the view's table, for diff and verify; and the sum function. */
#include <string.h>

#include "core/xalloc.h"
#include "sinks/decimal.h"
#include "sinks/sqlite.h"

static void cell_of(sqlite3_stmt *st, int at, struct evs_row_cell *c)
{
    static const enum evs_cell_type types[] = {
        [SQLITE_INTEGER] = EVS_CELL_NUMBER, [SQLITE_FLOAT] = EVS_CELL_NUMBER,
        [SQLITE_TEXT] = EVS_CELL_TEXT,      [SQLITE_BLOB] = EVS_CELL_TEXT,
        [SQLITE_NULL] = EVS_CELL_NULL,
    };
    c->type = types[sqlite3_column_type(st, at)];
    c->p = c->type == EVS_CELL_NULL ? NULL : (const char *)sqlite3_column_blob(st, at);
    c->len = (size_t)sqlite3_column_bytes(st, at);
    if (!c->p && c->type != EVS_CELL_NULL)
        c->p = "";
}

static const void *bytes_of(sqlite3_stmt *st, int at, size_t *ret_len)
{
    struct evs_row_cell c;
    cell_of(st, at, &c);
    *ret_len = c.len;
    return c.p;
}

static bool give(struct evs_sqlite *s, sqlite3_stmt *st, struct evs_row_cell *cells,
                 evs_sink_found *found, void *ctx)
{
    const struct evs_shape *v = &s->view;
    struct evs_row r = {.cells = v->n_columns ? cells : NULL};
    r.key = bytes_of(st, 0, &r.key_len);
    if (v->mode == EVS_VIEW_COUNT) {
        r.count = sqlite3_column_int64(st, 1);
        return found(ctx, &r);
    }
    if (v->mode == EVS_VIEW_SUM) {
        r.sum = (const char *)sqlite3_column_text(st, 1);
        r.sum = r.sum ? r.sum : "";
        return found(ctx, &r);
    }
    r.partition = sqlite3_column_type(st, 1) == SQLITE_NULL ? -1 : sqlite3_column_int(st, 1);
    r.offset = sqlite3_column_type(st, 2) == SQLITE_NULL ? -1 : sqlite3_column_int64(st, 2);
    r.ts_ms = sqlite3_column_int64(st, 3);
    if (!v->n_columns)
        r.value = bytes_of(st, 4, &r.value_len);
    for (size_t i = 0; i < v->n_columns; i++)
        cell_of(st, 4 + (int)i, &cells[i]);
    return found(ctx, &r);
}

/* Whether anything is known of deleted keys, before a question for each. */
static bool has_versions(struct evs_sqlite *s)
{
    struct evs_err ignored = EVS_ERR_INIT;
    sqlite3_stmt *st;
    if (s->view.mode != EVS_VIEW_LATEST || !evs_sqlite_has_table(s, "eventscope_version") ||
        evs_sqlite_stmt(s, EVS_SQL_VERSIONS, &st, &ignored))
        return false;
    sqlite3_bind_text(st, 1, s->target, -1, SQLITE_STATIC);
    bool has = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_reset(st);
    return has;
}

enum evs_rc evs_sqlite_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                           evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    if (!evs_sqlite_has_table(s, s->target))
        return EVS_OK;
    struct evs_row_cell *cells = evs_xcalloc(s->view.n_columns + 1, sizeof(*cells));
    enum evs_rc rc = EVS_OK;
    bool more = true, versions = has_versions(s);
    for (size_t i = 0; !rc && more && i < n; i++) {
        sqlite3_stmt *st;
        rc = evs_sqlite_stmt(s, EVS_SQL_GET, &st, err);
        if (rc)
            break;
        if (s->view.mode == EVS_VIEW_LOG) {
            sqlite3_bind_text(st, 3, s->topic, -1, SQLITE_STATIC);
            sqlite3_bind_int(st, 4, keys[i].partition);
            sqlite3_bind_int64(st, 5, keys[i].offset);
        } else {
            evs_sqlite_bind(st, 1, keys[i].key, keys[i].key_len);
            if (s->view.n_columns)
                sqlite3_bind_text(st, 3, s->target, -1, SQLITE_STATIC);
        }
        int code = sqlite3_step(st);
        if (code == SQLITE_ROW)
            more = give(s, st, cells, found, ctx);
        else if (code != SQLITE_DONE)
            rc = evs_sqlite_fail(s, code, s->target, err);
        sqlite3_reset(st);
        if (rc || code != SQLITE_DONE || !versions)
            continue;
        struct evs_row gone; /* without a row, but a version says that there was one */
        bool known = false;
        rc = evs_sqlite_version(s, &keys[i], &known, &gone, err);
        if (!rc && known)
            more = found(ctx, &gone);
    }
    evs_free(cells);
    return rc;
}

enum evs_rc evs_sqlite_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                            struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    if (!evs_sqlite_has_table(s, s->target))
        return evs_fail(err, EVS_FATAL, "there is no table %s in %s", s->target, s->path);
    sqlite3_stmt *st;
    enum evs_rc rc = evs_sqlite_stmt(s, EVS_SQL_SCAN, &st, err);
    if (rc)
        return rc;
    if (s->view.mode == EVS_VIEW_LOG)
        sqlite3_bind_text(st, 3, s->topic, -1, SQLITE_STATIC);
    else if (s->view.n_columns)
        sqlite3_bind_text(st, 3, s->target, -1, SQLITE_STATIC);
    struct evs_row_cell *cells = evs_xcalloc(s->view.n_columns + 1, sizeof(*cells));
    int code = sqlite3_step(st);
    while (code == SQLITE_ROW && give(s, st, cells, found, ctx))
        code = sqlite3_step(st);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        rc = evs_sqlite_fail(s, code, s->target, err);
    sqlite3_reset(st);
    evs_free(cells);
    return rc;
}

/* --- evs_add(a, b) --------------------------------------------------------------------------- */
static bool decimal_of(sqlite3_value *v, struct evs_decimal *d)
{
    const char *p = (const char *)sqlite3_value_text(v);
    return p && evs_decimal_read(d, p, (size_t)sqlite3_value_bytes(v));
}

static void add_function(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    struct evs_decimal a, b;
    if (!decimal_of(v[0], &a) || !decimal_of(v[1], &b) || !evs_decimal_add(&a, &b)) {
        sqlite3_result_error(c, "no number, or more digits than fit", -1);
        return;
    }
    if (!a.big && a.scale == 0) {
        sqlite3_result_int64(c, a.small);
        return;
    }
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    evs_decimal_print(&a, &text);
    sqlite3_result_text(c, evs_buf_str(&text), (int)text.len, SQLITE_TRANSIENT);
}

int evs_sqlite_functions(sqlite3 *db)
{
    return sqlite3_create_function_v2(db, "evs_add", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                      add_function, NULL, NULL, NULL);
}

/* --- a table of other columns ---------------------------------------------------------------- */
static bool has_column(struct evs_sqlite *s, const char *name)
{
    sqlite3_stmt *st = NULL;
    bool has = true;
    if (sqlite3_prepare_v2(s->db,
                           "SELECT 1 FROM pragma_table_xinfo(?1) WHERE name = ?2 COLLATE NOCASE",
                           -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, s->target, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
        has = sqlite3_step(st) == SQLITE_ROW;
    }
    sqlite3_finalize(st);
    return has;
}

bool evs_sqlite_lacks(struct evs_sqlite *s, struct evs_err *err)
{
    static const char *const places[] = {"topic", "partition", "offset", "ts"};
    const struct evs_shape *v = &s->view;
    bool totals = v->mode == EVS_VIEW_COUNT || v->mode == EVS_VIEW_SUM;
    const char *missing = NULL;
    if (!evs_sqlite_has_table(s, s->target))
        return false;
    for (size_t i = 0; !missing && i < v->n_columns; i++)
        missing = has_column(s, v->columns[i].name) ? NULL : v->columns[i].name;
    for (size_t i = 0; !missing && !totals && !v->n_columns && i < EVS_COUNT(places); i++)
        missing = has_column(s, places[i]) ? NULL : places[i];
    if (!missing && !totals && !v->n_columns && !has_column(s, "value"))
        missing = "value";
    if (!missing && totals && !has_column(s, evs_view_mode_name(v->mode)))
        missing = evs_view_mode_name(v->mode);
    if (!missing && !has_column(s, "key"))
        missing = "key";
    if (!missing)
        return false;
    evs_fail(err, EVS_FATAL, "sqlite: table %s of %s has no column \"%s\"", s->target, s->path,
             missing);
    evs_hint(err, "it was made for another view: the --mode and --columns that it has, or another"
                  " --target");
    return true;
}
