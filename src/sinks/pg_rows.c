/* pg_rows.c - a batch through COPY into the staging table, merged in one transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "sinks/pg.h"

enum { COPY_BYTES = 1 << 20 };

/* Which of two rows is newer (row.h); a row without a place is others': anything is newer. */
#define NEWER(a, b)                                                                                \
    "coalesce(CASE WHEN " a ".topic = " b ".topic AND " a ".\"partition\" = " b                    \
    ".\"partition\" THEN " a ".\"offset\" > " b ".\"offset\" ELSE (" a ".ts, " a                   \
    ".\"partition\") > (" b ".ts, " b ".\"partition\") END, true)"

void evs_pg_columns(struct evs_pg *s, const char *prefix, struct evs_buf *out)
{
    const struct evs_shape *v = &s->view;
    evs_buf_printf(out, "%s\"key\"", prefix);
    if (v->mode == EVS_VIEW_COUNT || v->mode == EVS_VIEW_SUM) {
        evs_buf_printf(out, ", %s\"%s\"", prefix, v->mode == EVS_VIEW_COUNT ? "count" : "sum");
        return;
    }
    if (v->mode == EVS_VIEW_LOG || !v->n_columns)
        evs_buf_printf(out, ", %stopic, %s\"partition\", %s\"offset\", %sts", prefix, prefix,
                       prefix, prefix);
    if (!v->n_columns)
        evs_buf_printf(out, ", %s\"value\"", prefix);
    if (!v->n_columns && v->mode == EVS_VIEW_LOG)
        evs_buf_printf(out, ", %sheaders", prefix);
    for (size_t i = 0; i < v->n_columns; i++) {
        evs_buf_printf(out, ", %s", prefix);
        evs_pg_name(s, out, v->columns[i].name);
    }
}

/* --- what text cannot hold ------------------------------------------------------------------- */
static enum evs_rc check_text(const char *what, const void *p, size_t n, struct evs_err *err)
{
    if (!p || !n)
        return EVS_OK;
    const char *nul = memchr(p, 0, n);
    if (nul)
        evs_fail(err, EVS_POISON, "postgresql: %s has a NUL at byte %zu, which text cannot hold",
                 what, (size_t)(nul - (const char *)p));
    else if (!evs_text_is_utf8(p, n))
        evs_fail(err, EVS_POISON, "postgresql: %s is not UTF-8, which text cannot hold", what);
    else
        return EVS_OK;
    evs_hint(err, "a table whose column is bytea can: --key-type bytea --value-type bytea");
    return EVS_POISON;
}

enum evs_rc evs_pg_check(struct evs_sink *sink, const struct evs_row *row, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    enum evs_rc rc = s->key_bytes ? EVS_OK : check_text("the key", row->key, row->key_len, err);
    if (!rc && !s->value_bytes)
        rc = check_text("the value", row->value, row->value_len, err);
    for (size_t i = 0; !rc && row->cells && i < s->view.n_columns; i++)
        if (!s->cell_bytes[i])
            rc = check_text(s->view.columns[i].name, row->cells[i].p, row->cells[i].len, err);
    return rc;
}

/* --- COPY text ------------------------------------------------------------------------------- */
static void copy_bytes(struct evs_buf *out, const void *p, size_t n, bool bytes)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = p;
    if (!p) {
        evs_buf_add(out, "\\N", 2);
        return;
    }
    char *to = evs_buf_room(out, 2 * n + 4);
    if (!to)
        return;
    size_t k = 0;
    if (bytes) {
        memcpy(to, "\\\\x", 3);
        k = 3;
        for (size_t i = 0; i < n; i++) {
            to[k++] = digits[at[i] >> 4];
            to[k++] = digits[at[i] & 15];
        }
    }
    for (size_t i = 0; !bytes && i < n; i++) {
        unsigned char c = at[i];
        if (c == '\\' || c == '\n' || c == '\r' || c == '\t') {
            to[k++] = '\\';
            c = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c;
        }
        to[k++] = (char)c;
    }
    to[k] = '\0';
    out->len += k;
}

static void copy_number(struct evs_buf *out, int64_t v)
{
    evs_buf_addc(out, '\t');
    evs_buf_i64(out, v);
}

static void copy_row(struct evs_pg *s, const struct evs_row *r, struct evs_buf *out)
{
    const struct evs_shape *v = &s->view;
    EVS_AUTO(evs_buf) struct evs_buf headers = EVS_BUF_INIT(64u << 20);
    copy_bytes(out, r->key, r->key_len, s->key_bytes);
    if (v->mode == EVS_VIEW_COUNT) {
        copy_number(out, r->count);
    } else if (v->mode == EVS_VIEW_SUM) {
        evs_buf_addc(out, '\t');
        evs_buf_adds(out, r->sum);
    } else {
        if (v->mode == EVS_VIEW_LOG || !v->n_columns) {
            evs_buf_addc(out, '\t');
            copy_bytes(out, s->topic, strlen(s->topic), false);
            copy_number(out, r->partition);
            copy_number(out, r->offset);
            copy_number(out, r->ts_ms);
        }
        if (!v->n_columns) {
            evs_buf_addc(out, '\t');
            copy_bytes(out, r->value, r->value_len, s->value_bytes);
        }
        if (!v->n_columns && v->mode == EVS_VIEW_LOG) {
            if (r->n_headers > 0)
                evs_row_headers_json(r, &headers);
            evs_buf_addc(out, '\t');
            copy_bytes(out, headers.data, headers.len, false);
        }
        for (size_t i = 0; i < v->n_columns; i++) {
            const struct evs_row_cell *c = r->cells ? &r->cells[i] : NULL;
            evs_buf_addc(out, '\t');
            copy_bytes(out, c ? c->p : NULL, c ? c->len : 0, s->cell_bytes[i]);
        }
    }
    if (v->mode == EVS_VIEW_LATEST) {
        evs_buf_adds(out, r->deleted ? "\tt" : "\tf");
        if (v->n_columns) {
            copy_number(out, r->partition);
            copy_number(out, r->offset);
            copy_number(out, r->ts_ms);
        }
    }
    evs_buf_addc(out, '\n');
}

/* "COPY evs_stage, line 17, column key: ..." */
static bool line_of(const PGresult *r, size_t *ret_line)
{
    const char *context = PQresultErrorField(r, PG_DIAG_CONTEXT);
    const char *at = context ? strstr(context, ", line ") : NULL;
    unsigned long line = 0;
    if (!at || sscanf(at, ", line %lu", &line) != 1 || !line)
        return false;
    *ret_line = line - 1;
    return true;
}

static enum evs_rc copy_end(struct evs_pg *s, size_t first, bool *ret_located, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    if (PQputCopyEnd(s->c, NULL) < 0)
        rc = evs_pg_fail(s, NULL, s->target, err);
    for (PGresult *r = evs_pg_result(s); r; r = evs_pg_result(s)) {
        if (!rc && PQresultStatus(r) != PGRES_COMMAND_OK) {
            size_t line = 0;
            rc = evs_pg_fail(s, r, s->target, err);
            *ret_located = line_of(r, &line);
            err->row = first + line;
        }
        PQclear(r);
    }
    return rc;
}

static enum evs_rc copy_rows(struct evs_pg *s, const struct evs_row *rows, size_t first, size_t end,
                             bool *ret_located, struct evs_err *err)
{
    PGresult *r = NULL;
    enum evs_rc rc = evs_pg_exec(s, "COPY evs_stage FROM STDIN", &r, err);
    PQclear(r);
    if (rc)
        return rc;
    bool sent = true;
    for (size_t i = first; sent && i < end; i++) {
        copy_row(s, &rows[i], &s->copy);
        if (s->copy.len < COPY_BYTES && i + 1 < end)
            continue;
        /* a single row may be longer than an int says: in pieces */
        for (size_t at = 0; sent && at < s->copy.len;) {
            size_t n = s->copy.len - at < COPY_BYTES ? s->copy.len - at : COPY_BYTES;
            sent = PQputCopyData(s->c, s->copy.data + at, (int)n) == 1;
            at += n;
        }
        evs_buf_reset(&s->copy);
    }
    evs_buf_reset(&s->copy);
    rc = copy_end(s, first, ret_located, err);
    if (!rc && !sent)
        rc = evs_pg_fail(s, NULL, s->target, err);
    return rc;
}

/* --- merge ----------------------------------------------------------------------------------- */
static int64_t affected(const PGresult *r)
{
    struct evs_err ignored = EVS_ERR_INIT;
    int64_t n = 0;
    return evs_num_i64(PQcmdTuples((PGresult *)(uintptr_t)r), 0, INT64_MAX, &n, &ignored) ? 0 : n;
}

/* s->sql, and how many rows it touched. */
static enum evs_rc touch(struct evs_pg *s, int64_t *ret_n, struct evs_err *err)
{
    PGresult *r = NULL;
    enum evs_rc rc = evs_pg_exec(s, evs_buf_str(&s->sql), &r, err);
    *ret_n = rc ? 0 : affected(r);
    PQclear(r);
    evs_buf_reset(&s->sql);
    return rc;
}

/* The key of a staged row as eventscope_version keeps it. */
static const char *version_key(const struct evs_pg *s)
{
    return s->key_bytes ? "s.\"key\"" : "convert_to(s.\"key\"::text, 'UTF8')";
}

/* Names of a staged row's place: its own columns, or those beside the user's. */
static const char *staged_as(const struct evs_pg *s)
{
    return s->view.n_columns ? "evs_partition AS \"partition\", evs_offset AS \"offset\","
                               " evs_ts AS ts"
                             : "\"partition\", \"offset\", ts";
}

static enum evs_rc drop_older(struct evs_pg *s, struct evs_sink_done *d, struct evs_err *err)
{
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql,
                   "DELETE FROM evs_stage AS x USING (SELECT ctid AS at, \"key\", %s AS topic, %s"
                   " FROM evs_stage) AS s, eventscope_version AS v WHERE x.ctid = s.at AND"
                   " v.target = %s AND v.\"key\" = %s AND NOT (" NEWER("s", "v") ")",
                   s->topic_lit, staged_as(s), s->target_lit, version_key(s));
    return touch(s, &d->left, err);
}

static void put_sql(struct evs_pg *s, size_t n_set)
{
    const struct evs_shape *v = &s->view;
    static const char *const plain[] = {"topic", "partition", "offset", "ts", "value"};
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql, "INSERT INTO %s AS t (", s->table);
    evs_pg_columns(s, "", &s->sql);
    evs_buf_adds(&s->sql, ") SELECT ");
    evs_pg_columns(s, "s.", &s->sql);
    evs_buf_adds(&s->sql, " FROM evs_stage AS s");
    if (v->mode == EVS_VIEW_LATEST)
        evs_buf_adds(&s->sql, " WHERE NOT s.evs_deleted");
    if (v->mode == EVS_VIEW_LOG) {
        evs_buf_adds(&s->sql, " ON CONFLICT (topic, \"partition\", \"offset\") DO NOTHING");
        return;
    }
    evs_buf_adds(&s->sql, " ON CONFLICT (\"key\") DO UPDATE SET ");
    if (v->mode == EVS_VIEW_COUNT || v->mode == EVS_VIEW_SUM) {
        const char *name = v->mode == EVS_VIEW_COUNT ? "count" : "sum";
        evs_buf_printf(&s->sql, "\"%s\" = t.\"%s\" + excluded.\"%s\"", name, name, name);
        return;
    }
    for (size_t i = 0; i < n_set; i++) {
        const char *name = v->n_columns ? v->columns[i].name : plain[i];
        evs_buf_adds(&s->sql, i ? ", " : "");
        evs_pg_name(s, &s->sql, name);
        evs_buf_adds(&s->sql, " = excluded.");
        evs_pg_name(s, &s->sql, name);
    }
    if (!v->n_columns)
        evs_buf_adds(&s->sql, " WHERE " NEWER("excluded", "t"));
}

static enum evs_rc take_away(struct evs_pg *s, struct evs_sink_done *d, struct evs_err *err)
{
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql,
                   "DELETE FROM %s AS t USING evs_stage AS s WHERE s.evs_deleted AND"
                   " t.\"key\" = s.\"key\"",
                   s->table);
    if (!s->view.n_columns)
        evs_buf_adds(&s->sql, " AND " NEWER("s", "t"));
    return touch(s, &d->deleted, err);
}

/* Keys that are gone, or, where the table has only the user's columns, all keys. */
static enum evs_rc remember(struct evs_pg *s, struct evs_err *err)
{
    int64_t n;
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql,
                   "INSERT INTO eventscope_version AS v (target, \"key\", topic, \"partition\","
                   " \"offset\", ts) SELECT %s, %s, %s, s.\"partition\", s.\"offset\", s.ts FROM"
                   " (SELECT \"key\", evs_deleted, %s FROM evs_stage) AS s",
                   s->target_lit, version_key(s), s->topic_lit, staged_as(s));
    if (!s->view.n_columns)
        evs_buf_printf(&s->sql,
                       " WHERE s.evs_deleted AND NOT EXISTS (SELECT 1 FROM %s AS t WHERE"
                       " t.\"key\" = s.\"key\")",
                       s->table);
    evs_buf_adds(&s->sql,
                 " ON CONFLICT (target, \"key\") DO UPDATE SET topic = excluded.topic,"
                 " \"partition\" = excluded.\"partition\", \"offset\" = excluded.\"offset\","
                 " ts = excluded.ts");
    return touch(s, &n, err);
}

static enum evs_rc forget(struct evs_pg *s, struct evs_err *err)
{
    int64_t n;
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql,
                   "DELETE FROM eventscope_version AS v USING evs_stage AS s WHERE NOT"
                   " s.evs_deleted AND v.target = %s AND v.\"key\" = %s",
                   s->target_lit, version_key(s));
    return touch(s, &n, err);
}

static enum evs_rc has_versions(struct evs_pg *s, bool *ret_has, struct evs_err *err)
{
    PGresult *r = NULL;
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql, "SELECT EXISTS (SELECT 1 FROM eventscope_version WHERE target = %s)",
                   s->target_lit);
    enum evs_rc rc = evs_pg_exec(s, evs_buf_str(&s->sql), &r, err);
    if (!rc)
        *ret_has = PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    return rc;
}

/* Jobs of several ids may write one target: what one deletes another must see as deleted. */
static enum evs_rc one_by_one(struct evs_pg *s, struct evs_err *err)
{
    evs_buf_reset(&s->sql);
    if (s->lock_limit)
        evs_buf_adds(&s->sql, "SET LOCAL lock_timeout = 0;");
    evs_buf_printf(&s->sql,
                   "SELECT pg_advisory_xact_lock(hashtextextended('eventscope view ' || %s, 0))",
                   s->target_lit);
    if (s->lock_limit)
        evs_buf_adds(&s->sql, ";SET LOCAL lock_timeout = '60s'");
    return evs_pg_exec(s, evs_buf_str(&s->sql), NULL, err);
}

static enum evs_rc merge(struct evs_pg *s, size_t n, bool deletes, struct evs_sink_done *d,
                         struct evs_err *err)
{
    bool versions = false, latest = s->view.mode == EVS_VIEW_LATEST;
    int64_t live = (int64_t)n;
    enum evs_rc rc = latest ? one_by_one(s, err) : EVS_OK;
    if (!rc && latest)
        rc = has_versions(s, &versions, err);
    if (!rc && versions)
        rc = drop_older(s, d, err);
    put_sql(s, s->view.n_columns ? s->view.n_columns : 5);
    if (!rc)
        rc = touch(s, &d->written, err);
    if (!rc && deletes)
        rc = take_away(s, d, err);
    if (!rc && latest && (deletes || s->view.n_columns))
        rc = remember(s, err);
    if (!rc && versions && !s->view.n_columns)
        rc = forget(s, err);
    if (!deletes && !versions)
        d->left = live - d->written;
    /* What was deferred to the commit would name no row there. */
    return rc ? rc : evs_pg_exec(s, "SET CONSTRAINTS ALL IMMEDIATE", NULL, err);
}

static enum evs_rc try_rows(struct evs_pg *s, const struct evs_row *rows, size_t first, size_t end,
                            struct evs_sink_done *d, bool *ret_located, struct evs_err *err)
{
    bool deletes = false;
    for (size_t i = first; i < end && !deletes; i++)
        deletes = rows[i].deleted;
    *d = (struct evs_sink_done){0};
    *ret_located = false;
    enum evs_rc rc = evs_pg_exec(s, "BEGIN", NULL, err);
    if (!rc && first < end)
        rc = copy_rows(s, rows, first, end, ret_located, err);
    return rc || first == end ? rc : merge(s, end - first, deletes, d, err);
}

/* The merge refused some row: which? Halves are tried and rolled back. */
static enum evs_rc find_row(struct evs_pg *s, const struct evs_sink_batch *b, struct evs_err *err)
{
    size_t first = 0, end = b->n;
    struct evs_err found = *err;
    while (end - first > 1) {
        struct evs_err now = EVS_ERR_INIT;
        struct evs_sink_done d;
        bool located;
        size_t half = first + (end - first) / 2;
        enum evs_rc rc = try_rows(s, b->rows, first, half, &d, &located, &now);
        PQclear(PQexec(s->c, "ROLLBACK"));
        if (rc && rc != EVS_POISON) {
            *err = now;
            return rc;
        }
        if (rc)
            found = now;
        *(rc ? &end : &first) = half;
    }
    *err = found;
    err->row = first;
    return err->code = EVS_POISON;
}

enum evs_rc evs_pg_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    struct evs_sink_done d;
    bool located = true;
    enum evs_rc rc = evs_pg_ready(s, err);
    if (!rc)
        rc = evs_pg_stage(s, err);
    if (rc)
        return rc;
    struct evs_ckpt_part before = b->parts[0];
    rc = try_rows(s, b->rows, 0, b->n, &d, &located, err);
    if (rc == EVS_POISON && !located) {
        PQclear(PQexec(s->c, "ROLLBACK"));
        return find_row(s, b, err);
    }
    b->parts[0].n[EVS_CKPT_WRITTEN] += d.written;
    b->parts[0].n[EVS_CKPT_DELETED] += d.deleted;
    if (!rc)
        rc = evs_pg_write_ckpt(s, b, err);
    if (!rc)
        rc = evs_pg_exec(s, "COMMIT", NULL, err);
    if (rc) {
        b->parts[0] = before;
        if (PQstatus(s->c) == CONNECTION_OK)
            PQclear(PQexec(s->c, "ROLLBACK"));
        return rc;
    }
    *ret_d = d;
    return EVS_OK;
}
