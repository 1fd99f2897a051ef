/* sqlite_rows.c - batches into the view's table, and rows back out of it. */
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "sinks/decimal.h"
#include "sinks/sqlite.h"

/* Which of two rows is newer (row.h); a row without a place is others': anything is newer. */
#define NEWER(a, b)                                                                                \
    "coalesce(CASE WHEN " a ".topic IS " b ".topic AND " a ".\"partition\" = " b ".\"partition\""  \
    " THEN " a ".\"offset\" > " b ".\"offset\""                                                    \
    " ELSE (" a ".ts, " a ".\"partition\") > (" b ".ts, " b ".\"partition\") END, true)"

static void put_sql(const struct evs_sqlite *s, struct evs_buf *out)
{
    const struct evs_shape *v = &s->view;
    bool log = v->mode == EVS_VIEW_LOG;
    evs_buf_adds(out, "INSERT INTO ");
    evs_sqlite_quote(out, s->target);
    if (v->mode == EVS_VIEW_COUNT) {
        evs_buf_adds(out, " AS t(\"key\", \"count\") VALUES(?1, ?2) ON CONFLICT(\"key\") DO UPDATE"
                          " SET \"count\" = t.\"count\" + excluded.\"count\"");
        return;
    }
    if (v->mode == EVS_VIEW_SUM) {
        evs_buf_adds(out, " AS t(\"key\", \"sum\") VALUES(?1, evs_add(?2, 0)) ON CONFLICT(\"key\")"
                          " DO UPDATE SET \"sum\" = evs_add(t.\"sum\", excluded.\"sum\")");
        return;
    }
    /* latest: ?1 key ?2.. value topic partition offset ts, or columns;  log: ?1 key ?2 topic ... */
    size_t n = 1;
    evs_buf_adds(out, " AS t(\"key\"");
    if (log || !v->n_columns) {
        evs_buf_adds(out, ", topic, \"partition\", \"offset\", ts");
        n += 4;
    }
    if (!v->n_columns) {
        evs_buf_adds(out, log ? ", value, headers" : ", value");
        n += log ? 2 : 1;
    }
    for (size_t i = 0; i < v->n_columns; i++, n++) {
        evs_buf_adds(out, ", ");
        evs_sqlite_quote(out, v->columns[i].name);
    }
    evs_buf_adds(out, ") VALUES(?1");
    for (size_t i = 2; i <= n; i++)
        evs_buf_printf(out, ",?%zu", i);
    evs_buf_adds(out, log ? ") ON CONFLICT(topic, \"partition\", \"offset\") DO NOTHING"
                          : ") ON CONFLICT(\"key\") DO UPDATE SET ");
    if (log)
        return;
    if (!v->n_columns) {
        evs_buf_adds(out, "value = excluded.value, topic = excluded.topic,"
                          " \"partition\" = excluded.\"partition\","
                          " \"offset\" = excluded.\"offset\", ts = excluded.ts"
                          " WHERE " NEWER("excluded", "t"));
        return;
    }
    for (size_t i = 0; i < v->n_columns; i++) {
        evs_buf_adds(out, i ? ", " : "");
        evs_sqlite_quote(out, v->columns[i].name);
        evs_buf_adds(out, " = excluded.");
        evs_sqlite_quote(out, v->columns[i].name);
    }
}

static void get_sql(struct evs_sqlite *s, struct evs_buf *out)
{
    const struct evs_shape *v = &s->view;
    bool join = v->n_columns && v->mode == EVS_VIEW_LATEST;
    bool known = !join || evs_sqlite_has_table(s, "eventscope_version"); /* else others' view */
    evs_buf_adds(out, "SELECT t.\"key\"");
    if (v->mode == EVS_VIEW_COUNT || v->mode == EVS_VIEW_SUM) {
        evs_buf_adds(out, v->mode == EVS_VIEW_COUNT ? ", t.\"count\"" : ", t.\"sum\"");
    } else {
        const char *meta = join ? "v" : "t";
        if (known)
            evs_buf_printf(out, ", %s.\"partition\", %s.\"offset\", %s.ts", meta, meta, meta);
        else
            evs_buf_adds(out, ", NULL, NULL, NULL");
        if (!v->n_columns)
            evs_buf_adds(out, v->mode == EVS_VIEW_LOG ? ", t.value, t.headers" : ", t.value");
        for (size_t i = 0; i < v->n_columns; i++) {
            evs_buf_adds(out, ", t.");
            evs_sqlite_quote(out, v->columns[i].name);
        }
    }
    evs_buf_adds(out, " FROM ");
    evs_sqlite_quote(out, s->target);
    evs_buf_adds(out, " AS t");
    if (join && known)
        evs_buf_adds(out, " LEFT JOIN eventscope_version AS v ON v.target = ?3 AND"
                          " v.\"key\" IS t.\"key\"");
}

void evs_sqlite_sql(struct evs_sqlite *s, enum evs_sqlite_stmt which, struct evs_buf *out)
{
    switch (which) {
    case EVS_SQL_PUT: put_sql(s, out); break;
    case EVS_SQL_DELETE:
        evs_buf_adds(out, "DELETE FROM ");
        evs_sqlite_quote(out, s->target);
        evs_buf_adds(out, s->view.n_columns
                              ? " WHERE \"key\" IS ?1"
                              : " AS t WHERE t.\"key\" IS ?1 AND coalesce(CASE WHEN t.topic IS ?2"
                                " AND t.\"partition\" = ?3 THEN ?4 > t.\"offset\" ELSE"
                                " (?5, ?3) > (t.ts, t.\"partition\") END, true)");
        break;
    case EVS_SQL_HAS:
        evs_buf_adds(out, "SELECT 1 FROM ");
        evs_sqlite_quote(out, s->target);
        evs_buf_adds(out, " WHERE \"key\" IS ?1");
        break;
    case EVS_SQL_VERSIONS:
        evs_buf_adds(out, "SELECT 1 FROM eventscope_version WHERE target = ?1 LIMIT 1");
        break;
    case EVS_SQL_VERSION:
        evs_buf_adds(out, "SELECT \"partition\", \"offset\", ts, topic IS ?3 FROM"
                          " eventscope_version WHERE target = ?1 AND \"key\" IS ?2");
        break;
    case EVS_SQL_REMEMBER:
        evs_buf_adds(out, "INSERT OR REPLACE INTO eventscope_version(target, \"key\", topic,"
                          " \"partition\", \"offset\", ts) VALUES(?1,?2,?3,?4,?5,?6)");
        break;
    case EVS_SQL_FORGET:
        evs_buf_adds(out, "DELETE FROM eventscope_version WHERE target = ?1 AND \"key\" IS ?2");
        break;
    case EVS_SQL_CKPT:
        evs_buf_adds(out, "UPDATE eventscope_checkpoint SET updated_ms = ?4");
        for (int i = 0; i < EVS_CKPT_FIELDS; i++)
            evs_buf_printf(out, ", \"%s\" = ?%d", evs_ckpt_names[i], 5 + i);
        evs_buf_adds(out, " WHERE id = ?1 AND \"partition\" = ?2 AND epoch = ?3");
        break;
    case EVS_SQL_GET:
        get_sql(s, out);
        evs_buf_adds(out, s->view.mode == EVS_VIEW_LOG
                              ? " WHERE t.topic = ?3 AND t.\"partition\" = ?4 AND t.\"offset\" = ?5"
                              : " WHERE t.\"key\" IS ?1");
        break;
    case EVS_SQL_SCAN:
        get_sql(s, out);
        if (s->view.mode == EVS_VIEW_LOG)
            evs_buf_adds(out, " WHERE t.topic = ?3");
        break;
    case EVS_SQL_COUNT: break;
    }
}

int evs_sqlite_bind(sqlite3_stmt *st, int at, const void *p, size_t n)
{
    if (!p)
        return sqlite3_bind_null(st, at);
    if (!memchr(p, 0, n) && evs_text_is_utf8(p, n))
        return sqlite3_bind_text64(st, at, p, n, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(st, at, p, n, SQLITE_STATIC);
}

static void bind_cell(sqlite3_stmt *st, int at, const struct evs_row_cell *c)
{
    struct evs_err ignored = EVS_ERR_INIT;
    int64_t v;
    char digits[24];
    switch (c->type) {
    case EVS_CELL_NULL: sqlite3_bind_null(st, at); break;
    case EVS_CELL_BOOL: sqlite3_bind_int(st, at, c->p[0] == 't'); break;
    case EVS_CELL_NUMBER:
        if (c->len < sizeof(digits)) {
            memcpy(digits, c->p, c->len);
            digits[c->len] = 0;
            if (!evs_num_i64(digits, INT64_MIN, INT64_MAX, &v, &ignored)) {
                sqlite3_bind_int64(st, at, v);
                break;
            }
        }
        sqlite3_bind_text64(st, at, c->p, c->len, SQLITE_STATIC, SQLITE_UTF8);
        break;
    default: evs_sqlite_bind(st, at, c->p, c->len); break;
    }
}

/* Runs a statement that answers nothing. */
static enum evs_rc step(struct evs_sqlite *s, sqlite3_stmt *st, size_t row, struct evs_err *err)
{
    int code = sqlite3_step(st);
    if (code == SQLITE_DONE)
        return EVS_OK;
    enum evs_rc rc = evs_sqlite_fail(s, sqlite3_extended_errcode(s->db), s->target, err);
    err->row = row;
    return rc;
}

static enum evs_rc put(struct evs_sqlite *s, const struct evs_row *r, size_t at,
                       struct evs_err *err)
{
    const struct evs_shape *v = &s->view;
    sqlite3_stmt *st;
    EVS_AUTO(evs_buf) struct evs_buf headers = EVS_BUF_INIT(64u << 20);
    enum evs_rc rc = evs_sqlite_stmt(s, EVS_SQL_PUT, &st, err);
    if (rc)
        return rc;
    evs_sqlite_bind(st, 1, r->key, r->key_len);
    int i = 2;
    if (v->mode == EVS_VIEW_COUNT) {
        sqlite3_bind_int64(st, 2, r->count);
        return step(s, st, at, err);
    }
    if (v->mode == EVS_VIEW_SUM) {
        sqlite3_bind_text(st, 2, r->sum, -1, SQLITE_STATIC);
        return step(s, st, at, err);
    }
    if (v->mode == EVS_VIEW_LOG || !v->n_columns) {
        sqlite3_bind_text(st, i++, s->topic, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, i++, r->partition);
        sqlite3_bind_int64(st, i++, r->offset);
        sqlite3_bind_int64(st, i++, r->ts_ms);
    }
    if (!v->n_columns)
        evs_sqlite_bind(st, i++, r->value, r->value_len);
    if (!v->n_columns && v->mode == EVS_VIEW_LOG) {
        if (r->n_headers > 0)
            evs_row_headers_json(r, &headers);
        evs_sqlite_bind(st, i++, headers.data, headers.len);
    }
    for (size_t c = 0; c < v->n_columns; c++)
        bind_cell(st, i++, &r->cells[c]);
    return step(s, st, at, err);
}

static enum evs_rc remember(struct evs_sqlite *s, const struct evs_row *r, struct evs_err *err)
{
    sqlite3_stmt *st;
    enum evs_rc rc = evs_sqlite_stmt(s, EVS_SQL_REMEMBER, &st, err);
    if (rc)
        return rc;
    sqlite3_bind_text(st, 1, s->target, -1, SQLITE_STATIC);
    evs_sqlite_bind(st, 2, r->key, r->key_len);
    sqlite3_bind_text(st, 3, s->topic, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 4, r->partition);
    sqlite3_bind_int64(st, 5, r->offset);
    sqlite3_bind_int64(st, 6, r->ts_ms);
    return step(s, st, 0, err);
}

enum evs_rc evs_sqlite_version(struct evs_sqlite *s, const struct evs_row *key, bool *ret_known,
                               struct evs_row *ret_v, struct evs_err *err)
{
    sqlite3_stmt *st;
    enum evs_rc rc = evs_sqlite_stmt(s, EVS_SQL_VERSION, &st, err);
    if (rc)
        return rc;
    sqlite3_bind_text(st, 1, s->target, -1, SQLITE_STATIC);
    evs_sqlite_bind(st, 2, key->key, key->key_len);
    sqlite3_bind_text(st, 3, s->topic, -1, SQLITE_STATIC);
    int code = sqlite3_step(st);
    *ret_known = code == SQLITE_ROW;
    if (code == SQLITE_ROW) {
        *ret_v = (struct evs_row){.key = key->key, .key_len = key->key_len, .deleted = true};
        ret_v->partition = sqlite3_column_int(st, 0);
        ret_v->offset = sqlite3_column_int64(st, 1);
        ret_v->ts_ms = sqlite3_column_int64(st, 2);
        if (!sqlite3_column_int(st, 3) && ret_v->partition == key->partition)
            ret_v->partition = -1; /* another topic's offsets do not compare */
    } else if (code != SQLITE_DONE) {
        rc = evs_sqlite_fail(s, code, "eventscope_version", err);
    }
    sqlite3_reset(st);
    return rc;
}

/* What eventscope_version knows: 0 nothing, 1 something older than r, 2 something not older. */
static enum evs_rc version(struct evs_sqlite *s, const struct evs_row *r, int *ret_known,
                           struct evs_err *err)
{
    struct evs_row v;
    bool known = false;
    enum evs_rc rc = evs_sqlite_version(s, r, &known, &v, err);
    *ret_known = 0;
    if (!rc && known)
        *ret_known = evs_row_newer(r->partition, r->offset, r->ts_ms, v.partition, v.offset,
                                   v.ts_ms)
                         ? 1
                         : 2;
    return rc;
}

static enum evs_rc remove_row(struct evs_sqlite *s, const struct evs_row *r, size_t at,
                              struct evs_sink_done *d, struct evs_err *err)
{
    sqlite3_stmt *st;
    enum evs_rc rc = evs_sqlite_stmt(s, EVS_SQL_DELETE, &st, err);
    if (rc)
        return rc;
    evs_sqlite_bind(st, 1, r->key, r->key_len);
    if (!s->view.n_columns) {
        sqlite3_bind_text(st, 2, s->topic, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 3, r->partition);
        sqlite3_bind_int64(st, 4, r->offset);
        sqlite3_bind_int64(st, 5, r->ts_ms);
    }
    rc = step(s, st, at, err);
    if (rc)
        return rc;
    if (sqlite3_changes(s->db)) {
        d->deleted++;
        return remember(s, r, err);
    }
    rc = evs_sqlite_stmt(s, EVS_SQL_HAS, &st, err);
    if (rc)
        return rc;
    evs_sqlite_bind(st, 1, r->key, r->key_len);
    bool newer = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_reset(st);
    d->left += newer;
    return newer ? EVS_OK : remember(s, r, err);
}

static enum evs_rc latest(struct evs_sqlite *s, const struct evs_row *r, size_t at, bool *versions,
                          struct evs_sink_done *d, struct evs_err *err)
{
    int known = 0;
    enum evs_rc rc = *versions ? version(s, r, &known, err) : EVS_OK;
    if (rc)
        return rc;
    if (known == 2) {
        d->left++;
        return EVS_OK;
    }
    if (r->deleted) {
        *versions = true;
        return remove_row(s, r, at, d, err);
    }
    rc = put(s, r, at, err);
    if (rc)
        return rc;
    if (!sqlite3_changes(s->db)) {
        d->left++;
        return EVS_OK;
    }
    d->written++;
    if (s->view.n_columns) /* the row itself cannot tell where it came from */
        return remember(s, r, err);
    sqlite3_stmt *st;
    if (!known)
        return EVS_OK;
    rc = evs_sqlite_stmt(s, EVS_SQL_FORGET, &st, err);
    if (rc)
        return rc;
    sqlite3_bind_text(st, 1, s->target, -1, SQLITE_STATIC);
    evs_sqlite_bind(st, 2, r->key, r->key_len);
    return step(s, st, at, err);
}

static enum evs_rc write_rows(struct evs_sqlite *s, const struct evs_sink_batch *b,
                              struct evs_sink_done *d, struct evs_err *err)
{
    sqlite3_stmt *st;
    enum evs_rc rc = evs_sqlite_stmt(s, EVS_SQL_VERSIONS, &st, err);
    if (rc)
        return rc;
    sqlite3_bind_text(st, 1, s->target, -1, SQLITE_STATIC);
    bool versions = sqlite3_step(st) == SQLITE_ROW || s->view.n_columns;
    sqlite3_reset(st);
    for (size_t i = 0; !rc && i < b->n; i++) {
        if (s->view.mode == EVS_VIEW_LATEST) {
            rc = latest(s, &b->rows[i], i, &versions, d, err);
            continue;
        }
        rc = put(s, &b->rows[i], i, err);
        int changed = rc ? 0 : sqlite3_changes(s->db);
        d->written += changed;
        d->left += !changed;
    }
    return rc;
}

static enum evs_rc write_ckpt(struct evs_sqlite *s, const struct evs_sink_batch *b,
                              struct evs_err *err)
{
    for (size_t i = 0; i < b->n_parts; i++) {
        sqlite3_stmt *st;
        enum evs_rc rc = evs_sqlite_stmt(s, EVS_SQL_CKPT, &st, err);
        if (rc)
            return rc;
        sqlite3_bind_text(st, 1, s->id, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 2, b->parts[i].partition);
        sqlite3_bind_int64(st, 3, s->epoch);
        sqlite3_bind_int64(st, 4, evs_clock_wall_ms());
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            sqlite3_bind_int64(st, 5 + f, b->parts[i].n[f]);
        rc = step(s, st, 0, err);
        if (rc)
            return err->code = rc == EVS_POISON ? EVS_FATAL : rc;
        if (sqlite3_changes(s->db) == 0)
            return evs_sink_fenced(err, s->id);
    }
    return EVS_OK;
}

enum evs_rc evs_sqlite_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                             struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    struct evs_sink_done d = {0};
    enum evs_rc rc = evs_sqlite_exec(s, "BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    rc = write_rows(s, b, &d, err);
    struct evs_ckpt_part before = b->parts[0];
    b->parts[0].n[EVS_CKPT_WRITTEN] += d.written;
    b->parts[0].n[EVS_CKPT_DELETED] += d.deleted;
    if (!rc)
        rc = write_ckpt(s, b, err);
    if (!rc)
        rc = evs_sqlite_exec(s, "COMMIT", err);
    if (rc) {
        for (int i = 0; i < EVS_SQL_COUNT; i++)
            sqlite3_reset(s->stmts[i]);
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        b->parts[0] = before;
        return rc;
    }
    *ret_d = d;
    return EVS_OK;
}
