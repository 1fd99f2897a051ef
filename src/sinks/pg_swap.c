/* pg_swap.c - a table built beside another takes its place, and its properties with it.
 *
 * The new table is made LIKE the live one (types, defaults, constraints, indexes) and gets its
 * rights and owner in the transaction that renames both. Views, triggers, foreign keys, policies
 * and publications belong to a table and not to its name: a swap would quietly leave them with the
 * old one, so it is refused before anything is read.
 */
#include <string.h>

#include "core/xalloc.h"
#include "sinks/pg.h"

static const char NEW[] = "__new"; /* what a run with --swap puts behind the target's name */

char *evs_pg_live(struct evs_pg *s)
{
    size_t n = strlen(s->target), end = strlen(NEW);
    char *name = evs_xstrndup(s->target, n > end ? n - end : n);
    char *live = evs_pg_table_name(s, name);
    evs_free(name);
    return live;
}

/* $1: the live table. What belongs to it and would not come along. */
static const char hangs_sql[] =
    "SELECT string_agg(what, ', ') FROM ("
    " SELECT DISTINCT 'view ' || r.ev_class::regclass::text FROM pg_depend AS d JOIN pg_rewrite AS "
    "r"
    "  ON r.oid = d.objid WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid ="
    "  'pg_class'::regclass AND d.refobjid = $1::regclass AND r.ev_class <> $1::regclass"
    " UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = $1::regclass"
    "  AND NOT tgisinternal"
    " UNION ALL SELECT 'foreign key ' || conname || ' of ' || conrelid::regclass::text FROM"
    "  pg_constraint WHERE contype = 'f' AND $1::regclass IN (conrelid, confrelid)"
    " UNION ALL SELECT 'policy ' || polname FROM pg_policy WHERE polrelid = $1::regclass"
    " UNION ALL SELECT 'publication ' || pubname FROM pg_publication_rel AS r JOIN pg_publication "
    "AS"
    "  p ON p.oid = r.prpubid WHERE prrelid = $1::regclass"
    " UNION ALL SELECT 'its being no plain table' FROM pg_class WHERE oid = $1::regclass"
    "  AND (relkind <> 'r' OR relispartition OR relhassubclass)) AS x(what)";

/* Whether the live table has the plan's column, of its type where it names one. */
static enum evs_rc fits(struct evs_pg *s, const char *live, const char *name, const char *type,
                        bool *ret_fits, struct evs_err *err)
{
    const char *values[] = {live, name, type};
    PGresult *r = PQexecParams(s->c,
                               "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid ="
                               " $1::regclass AND attname = $2 AND NOT attisdropped AND"
                               " ($3::text IS NULL OR atttypid = to_regtype($3)))",
                               3, NULL, values, NULL, NULL, 0);
    enum evs_rc rc = EVS_OK;
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        rc = evs_pg_fail(s, r, live, err);
    else
        *ret_fits = *ret_fits && PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    return rc;
}

/* A plan of other columns than the live table's is how a view gets another shape. */
static enum evs_rc fits_all(struct evs_pg *s, const char *live, bool *ret_fits, struct evs_err *err)
{
    static const char *const places[] = {"topic", "partition", "offset", "ts"};
    const struct evs_shape *v = &s->view;
    bool totals = v->mode == EVS_VIEW_COUNT || v->mode == EVS_VIEW_SUM;
    enum evs_rc rc = fits(s, live, "key", v->key_type, ret_fits, err);
    for (size_t i = 0; !rc && i < v->n_columns; i++)
        rc = fits(s, live, v->columns[i].name, v->columns[i].type, ret_fits, err);
    for (size_t i = 0; !rc && !totals && !v->n_columns && i < EVS_COUNT(places); i++)
        rc = fits(s, live, places[i], NULL, ret_fits, err);
    if (!rc && !v->n_columns)
        rc = fits(s, live, totals ? evs_view_mode_name(v->mode) : "value",
                  totals ? NULL : v->value_type, ret_fits, err);
    return rc;
}

enum evs_rc evs_pg_like(struct evs_pg *s, const char *live, bool *ret_is, struct evs_err *err)
{
    const char *values[] = {live};
    enum evs_rc rc = evs_pg_has_table(s, live, ret_is, err);
    if (rc || !*ret_is)
        return rc;
    PGresult *r = PQexecParams(s->c, hangs_sql, 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        rc = evs_pg_fail(s, r, live, err);
    } else if (!PQgetisnull(r, 0, 0)) {
        rc = evs_fail(err, EVS_FATAL, "--swap would leave with the old %s: %.150s", live,
                      PQgetvalue(r, 0, 0));
        evs_hint(err, "replay into the table itself, or drop these and make them again afterwards");
    }
    PQclear(r);
    return rc ? rc : fits_all(s, live, ret_is, err);
}

/* Rights and owner of `was` for `now`; both are quoted names. */
static void rights_sql(struct evs_pg *s, const char *was, const char *now, struct evs_buf *out)
{
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(1 << 14);
    char *from = PQescapeLiteral(s->c, was, strlen(was));
    char *to = PQescapeLiteral(s->c, now, strlen(now));
    evs_buf_printf(
        &body,
        "DECLARE g record; owner name; BEGIN"
        " IF to_regclass(%s) IS NULL THEN RETURN; END IF;"
        " FOR g IN SELECT a.privilege_type AS what, a.is_grantable AS more, CASE WHEN a.grantee = 0"
        " THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS who FROM pg_class AS c,"
        " aclexplode(c.relacl) AS a WHERE c.oid = %s::regclass LOOP"
        " EXECUTE format('GRANT %%s ON %%s TO %%s', g.what, %s, g.who ||"
        " CASE WHEN g.more THEN ' WITH GRANT OPTION' ELSE '' END); END LOOP;"
        " SELECT pg_get_userbyid(relowner) INTO owner FROM pg_class WHERE oid = %s::regclass;"
        " IF owner <> current_user THEN BEGIN"
        " EXECUTE format('ALTER TABLE %%s OWNER TO %%I', %s, owner);"
        " EXCEPTION WHEN insufficient_privilege THEN"
        " EXECUTE format('GRANT ALL ON %%s TO %%I', %s, owner); END; END IF; END",
        from, from, to, from, to, to);
    char *text = PQescapeLiteral(s->c, evs_buf_str(&body), body.len);
    evs_buf_printf(out, "DO %s;", text ? text : "''");
    PQfreemem(text);
    PQfreemem(from);
    PQfreemem(to);
}

enum evs_rc evs_pg_swap(struct evs_sink *sink, const char *target, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    const char *dot = strchr(target, '.');
    char *old_target = evs_xprintf("%s__old", target);
    char *live = evs_pg_table_name(s, target), *old = evs_pg_table_name(s, old_target);
    char *lit = PQescapeLiteral(s->c, target, strlen(target));
    EVS_AUTO(evs_buf) struct evs_buf now = EVS_BUF_INIT(1024);
    EVS_AUTO(evs_buf) struct evs_buf was = EVS_BUF_INIT(1024);
    evs_pg_name(s, &now, dot ? dot + 1 : target);
    evs_pg_name(s, &was, dot ? old_target + (dot - target) + 1 : old_target);
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql,
                   "SET synchronous_commit = on; BEGIN; DROP TABLE IF EXISTS %s;"
                   "ALTER TABLE IF EXISTS %s RENAME TO %s; ALTER TABLE %s RENAME TO %s;"
                   "DELETE FROM eventscope_version WHERE target = %s;"
                   "UPDATE eventscope_version SET target = %s WHERE target = %s;",
                   old, live, evs_buf_str(&was), s->table, evs_buf_str(&now), lit, lit,
                   s->target_lit);
    evs_pg_state_sql(s, "done");
    evs_buf_addc(&s->sql, ';');
    rights_sql(s, old, live, &s->sql);
    evs_buf_adds(&s->sql, "COMMIT");
    enum evs_rc rc = evs_pg_exec(s, evs_buf_str(&s->sql), NULL, err);
    if (rc)
        PQclear(PQexec(s->c, "ROLLBACK"));
    PQfreemem(lit);
    evs_free(live);
    evs_free(old);
    evs_free(old_target);
    return rc;
}
