/* sqlite_swap.c - a table built beside another takes its place, its indexes and triggers with it.
 *
 * Views name a table by its name: legacy_alter_table keeps a rename from rewriting them to go on
 * with the old one. Indexes and triggers belong to a table: they are dropped from the old and made
 * again, by their own text, on the new.
 */
#include <string.h>

#include "core/xalloc.h"
#include "sinks/sqlite.h"

enum { SQL_CAP = 1 << 24 };
static const char NEW[] = "__new"; /* what a run with --swap puts behind the target's name */

/* Behind the name of CREATE TABLE name(...): SQLite keeps just that form. */
static const char *behind_name(const char *sql)
{
    static const char lead[] = "CREATE TABLE ";
    if (strncmp(sql, lead, sizeof(lead) - 1))
        return NULL;
    const char *at = sql + sizeof(lead) - 1;
    char end = *at == '[' ? ']' : *at;
    if (!strchr("\"`'[", *at))
        return at + strcspn(at, " \t\r\n(");
    for (at++; *at; at++) {
        if (*at == end && at[1] == end && end != ']')
            at++; /* doubled: it is in the name */
        else if (*at == end)
            return at + 1;
    }
    return NULL;
}

/* Whether the live table has the plan's columns, of their types where it names them. */
static bool fits(struct evs_sqlite *s, const char *live)
{
    const struct evs_shape *v = &s->view;
    struct evs_err ignored = EVS_ERR_INIT;
    char *target = s->target;
    s->target = (char *)(uintptr_t)live;
    bool all = !evs_sqlite_lacks(s, &ignored);
    s->target = target;
    for (size_t i = 0; all && i < v->n_columns; i++) {
        const char *type = NULL;
        if (v->columns[i].type)
            all = !sqlite3_table_column_metadata(s->db, NULL, live, v->columns[i].name, &type, NULL,
                                                 NULL, NULL, NULL) &&
                  type && !sqlite3_stricmp(type, v->columns[i].type);
    }
    return all;
}

bool evs_sqlite_like(struct evs_sqlite *s, struct evs_buf *sql)
{
    size_t n = strlen(s->target), end = strlen(NEW);
    sqlite3_stmt *st = NULL;
    if (n <= end)
        return false;
    char *live = evs_xstrndup(s->target, n - end);
    bool found = false;
    if (fits(s, live) && sqlite3_prepare_v2(s->db,
                                            "SELECT sql FROM sqlite_master WHERE type = 'table'"
                                            " AND name = ?1 COLLATE NOCASE",
                                            -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, live, -1, SQLITE_STATIC);
        const char *text =
            sqlite3_step(st) == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
        const char *rest = text ? behind_name(text) : NULL;
        found = rest && *rest;
        if (found)
            evs_buf_printf(sql, "%s;", rest);
    }
    sqlite3_finalize(st);
    evs_free(live);
    return found;
}

/* What belongs to the table, to be dropped, and the same to be made. */
static void belongings(struct evs_sqlite *s, const char *target, struct evs_buf *drop,
                       struct evs_buf *make)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(s->db,
                           "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index',"
                           " 'trigger') AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL"
                           " ORDER BY type",
                           -1, &st, NULL))
        return;
    sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
    while (sqlite3_step(st) == SQLITE_ROW) {
        evs_buf_printf(drop, "DROP %s ", (const char *)sqlite3_column_text(st, 0));
        evs_sqlite_quote(drop, (const char *)sqlite3_column_text(st, 1));
        evs_buf_addc(drop, ';');
        evs_buf_printf(make, "%s;", (const char *)sqlite3_column_text(st, 2));
    }
    sqlite3_finalize(st);
}

static enum evs_rc rename_both(struct evs_sqlite *s, const char *target, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf drop = EVS_BUF_INIT(SQL_CAP);
    EVS_AUTO(evs_buf) struct evs_buf make = EVS_BUF_INIT(SQL_CAP);
    char *old = sqlite3_mprintf("%s__old", target);
    char *keep = NULL, *sql = NULL;
    if (evs_sqlite_has_table(s, target)) {
        belongings(s, target, &drop, &make);
        keep = sqlite3_mprintf("DROP TABLE IF EXISTS \"%w\"; ALTER TABLE \"%w\" RENAME TO \"%w\";",
                               old, target, old);
    }
    sql = sqlite3_mprintf("%s%s ALTER TABLE \"%w\" RENAME TO \"%w\"; %s"
                          "DELETE FROM eventscope_version WHERE target = %Q;"
                          "UPDATE eventscope_version SET target = %Q WHERE target = %Q;",
                          evs_buf_str(&drop), keep ? keep : "", s->target, target,
                          evs_buf_str(&make), target, target, s->target);
    enum evs_rc rc = evs_sqlite_exec(s, sql, err);
    sqlite3_free(sql);
    sqlite3_free(keep);
    sqlite3_free(old);
    return rc;
}

enum evs_rc evs_sqlite_swap(struct evs_sink *sink, const char *target, struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    for (int i = 0; i < EVS_SQL_COUNT; i++) {
        sqlite3_finalize(s->stmts[i]);
        s->stmts[i] = NULL;
    }
    enum evs_rc rc = evs_sqlite_exec(s, "PRAGMA legacy_alter_table = ON; BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    rc = rename_both(s, target, err);
    if (!rc)
        rc = evs_sqlite_state(s, "done", err);
    if (!rc)
        rc = evs_sqlite_exec(s, "COMMIT", err);
    if (rc)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}
