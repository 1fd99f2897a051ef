/* pg_job.c - tables, checkpoint and epoch in PostgreSQL. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/pg.h"

static void create_columns(struct evs_pg *s)
{
    for (size_t i = 0; i < s->view.n_columns; i++) {
        evs_buf_adds(&s->sql, ", ");
        evs_pg_name(s, &s->sql, s->view.columns[i].name);
        evs_buf_printf(&s->sql, " %s", s->view.columns[i].type ? s->view.columns[i].type : "text");
    }
}

static void create_table(struct evs_pg *s)
{
    const struct evs_shape *v = &s->view;
    const char *key = v->key_type ? v->key_type : "text";
    const char *value = v->value_type ? v->value_type : "text";
    evs_buf_printf(&s->sql, "CREATE TABLE IF NOT EXISTS %s (", s->table);
    switch (v->mode) {
    case EVS_VIEW_LATEST:
        evs_buf_printf(&s->sql, "\"key\" %s PRIMARY KEY", key);
        if (v->n_columns)
            create_columns(s);
        else
            evs_buf_printf(&s->sql,
                           ", \"value\" %s, topic text, \"partition\" int, \"offset\" bigint,"
                           " ts bigint",
                           value);
        break;
    case EVS_VIEW_LOG:
        evs_buf_printf(&s->sql,
                       "topic text, \"partition\" int, \"offset\" bigint, ts bigint,"
                       " \"key\" %s",
                       key);
        if (v->n_columns)
            create_columns(s);
        else
            evs_buf_printf(&s->sql, ", \"value\" %s, headers text", value);
        evs_buf_adds(&s->sql, ", PRIMARY KEY (topic, \"partition\", \"offset\")");
        break;
    case EVS_VIEW_COUNT:
        evs_buf_printf(&s->sql, "\"key\" %s PRIMARY KEY, \"count\" bigint NOT NULL", key);
        break;
    case EVS_VIEW_SUM:
        evs_buf_printf(&s->sql, "\"key\" %s PRIMARY KEY, \"sum\" numeric NOT NULL", key);
        break;
    }
    evs_buf_adds(&s->sql, ");");
}

/* Readers look at these flags while the run goes on: after the first time nothing is written. */
static bool keep_type(struct evs_pg *s, bool *flag, bool bytes)
{
    if (!s->learned)
        *flag = bytes;
    return *flag == bytes;
}

/* Types that take bytes are written as hex. */
static enum evs_rc learn_types(struct evs_pg *s, struct evs_err *err)
{
    PGresult *r = NULL;
    enum evs_rc rc = evs_pg_exec(s, "SELECT * FROM evs_stage LIMIT 0", &r, err);
    if (rc)
        return rc;
    enum { BYTEA = 17 };
    bool same = true;
    for (int i = 0; i < PQnfields(r); i++) {
        const char *name = PQfname(r, i);
        bool bytes = PQftype(r, i) == BYTEA;
        if (!strcmp(name, "key"))
            same &= keep_type(s, &s->key_bytes, bytes);
        if (!strcmp(name, "value") && !s->view.n_columns)
            same &= keep_type(s, &s->value_bytes, bytes);
        for (size_t c = 0; c < s->view.n_columns; c++)
            if (!strcmp(name, s->view.columns[c].name))
                same &= keep_type(s, &s->cell_bytes[c], bytes);
    }
    PQclear(r);
    s->learned = true;
    if (!same)
        return evs_fail(err, EVS_FATAL, "postgresql: a column of %s changed its type meanwhile",
                        s->table);
    return EVS_OK;
}

/* Of the target's own types, so that COPY names the line that does not fit. */
enum evs_rc evs_pg_stage(struct evs_pg *s, struct evs_err *err)
{
    if (s->staged)
        return EVS_OK;
    evs_buf_reset(&s->sql);
    evs_buf_adds(&s->sql, "DROP TABLE IF EXISTS pg_temp.evs_stage;"
                          "CREATE TEMP TABLE evs_stage ON COMMIT DELETE ROWS AS SELECT ");
    evs_pg_columns(s, "", &s->sql);
    if (s->view.mode == EVS_VIEW_LATEST) {
        evs_buf_adds(&s->sql, ", false AS evs_deleted");
        if (s->view.n_columns)
            evs_buf_adds(&s->sql, ", 0 AS evs_partition, 0::bigint AS evs_offset,"
                                  " 0::bigint AS evs_ts");
    }
    evs_buf_printf(&s->sql, " FROM %s WITH NO DATA", s->table);
    enum evs_rc rc = evs_pg_exec(s, evs_buf_str(&s->sql), NULL, err);
    if (!rc)
        rc = learn_types(s, err);
    s->staged = !rc;
    return rc;
}

enum evs_rc evs_pg_prepare(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    bool has = false, has_ckpt = false, has_version = false;
    enum evs_rc rc = evs_pg_has_table(s, s->table, &has, err);
    if (!rc)
        rc = evs_pg_has_table(s, "eventscope_checkpoint", &has_ckpt, err);
    if (!rc)
        rc = evs_pg_has_table(s, "eventscope_version", &has_version, err);
    if (rc)
        return rc;
    evs_buf_reset(&s->sql);
    if (!has || !has_ckpt || !has_version) /* IF NOT EXISTS alone is no help against a race */
        evs_buf_adds(&s->sql, "SELECT pg_advisory_xact_lock(hashtextextended('eventscope', 0));");
    if (!has_ckpt) {
        evs_buf_adds(&s->sql, "CREATE TABLE IF NOT EXISTS eventscope_checkpoint (id text,"
                              " \"partition\" int, plan_hash text, topic text, state text,"
                              " epoch bigint, updated_ms bigint");
        for (int i = 0; i < EVS_CKPT_FIELDS; i++)
            evs_buf_printf(&s->sql, ", \"%s\" bigint NOT NULL DEFAULT 0", evs_ckpt_names[i]);
        evs_buf_adds(&s->sql, ", PRIMARY KEY (id, \"partition\"));");
    }
    if (!has_version)
        evs_buf_adds(&s->sql, "CREATE TABLE IF NOT EXISTS eventscope_version (target text,"
                              " \"key\" bytea, topic text, \"partition\" int, \"offset\" bigint,"
                              " ts bigint, PRIMARY KEY (target, \"key\"));");
    char *live = s->fresh ? evs_pg_live(s) : NULL;
    bool is_live = false;
    if (live)
        rc = evs_pg_like(s, live, &is_live, err);
    if (!has && is_live)
        evs_buf_printf(&s->sql, "CREATE TABLE %s (LIKE %s INCLUDING ALL);", s->table, live);
    else if (!has)
        create_table(s);
    evs_free(live);
    if (rc)
        return rc;
    if (s->sql.len)
        rc = evs_pg_exec(s, evs_buf_str(&s->sql), NULL, err);
    if (!rc)
        rc = evs_pg_stage(s, err);
    if (rc == EVS_POISON)
        rc = err->code = EVS_FATAL;
    return rc;
}

static int64_t number(const PGresult *r, int row, int column)
{
    struct evs_err ignored = EVS_ERR_INIT;
    int64_t v = 0;
    return evs_num_i64(PQgetvalue(r, row, column), INT64_MIN, INT64_MAX, &v, &ignored) ? 0 : v;
}

enum evs_rc evs_pg_load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    bool has = false;
    PGresult *r = NULL;
    memset(ret_c, 0, sizeof(*ret_c));
    enum evs_rc rc = evs_pg_ready(s, err);
    if (!rc)
        rc = evs_pg_has_table(s, "eventscope_checkpoint", &has, err);
    if (rc || !has)
        return rc;
    evs_buf_reset(&s->sql);
    evs_buf_adds(&s->sql, "SELECT \"partition\", epoch, updated_ms, plan_hash, topic, state");
    for (int i = 0; i < EVS_CKPT_FIELDS; i++)
        evs_buf_printf(&s->sql, ", \"%s\"", evs_ckpt_names[i]);
    evs_buf_printf(&s->sql, " FROM eventscope_checkpoint WHERE id = %s", s->id_lit);
    rc = evs_pg_exec(s, evs_buf_str(&s->sql), &r, err);
    for (int i = 0; !rc && i < PQntuples(r); i++) {
        struct evs_ckpt_part *p = evs_ckpt_part(ret_c, (int32_t)number(r, i, 0));
        char **texts[] = {&ret_c->plan_hash, &ret_c->topic, &ret_c->state};
        ret_c->epoch = number(r, i, 1);
        ret_c->updated_ms = number(r, i, 2);
        for (int k = 0; k < 3; k++)
            evs_ckpt_text(texts[k], PQgetvalue(r, i, 3 + k), (size_t)PQgetlength(r, i, 3 + k));
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            p->n[f] = number(r, i, 6 + f);
    }
    PQclear(r);
    evs_ckpt_text(&ret_c->id, s->id, strlen(s->id));
    return rc;
}

static enum evs_rc insert_ckpt(struct evs_pg *s, const struct evs_ckpt *c, struct evs_err *err)
{
    char *hash = PQescapeLiteral(s->c, s->plan_hash, strlen(s->plan_hash));
    evs_buf_adds(&s->sql, "INSERT INTO eventscope_checkpoint(id, \"partition\", plan_hash, topic,"
                          " state, epoch, updated_ms");
    for (int f = 0; f < EVS_CKPT_FIELDS; f++)
        evs_buf_printf(&s->sql, ", \"%s\"", evs_ckpt_names[f]);
    evs_buf_adds(&s->sql, ") VALUES ");
    for (size_t i = 0; i < c->n; i++) {
        evs_buf_printf(&s->sql, "%s(%s,%d,%s,%s,'running',%lld,%lld", i ? "," : "", s->id_lit,
                       c->parts[i].partition, hash ? hash : "''", s->topic_lit, (long long)s->epoch,
                       (long long)evs_clock_wall_ms());
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            evs_buf_printf(&s->sql, ",%lld", (long long)c->parts[i].n[f]);
        evs_buf_addc(&s->sql, ')');
    }
    PQfreemem(hash);
    return evs_pg_exec(s, evs_buf_str(&s->sql), NULL, err);
}

static enum evs_rc claim_in_txn(struct evs_pg *s, enum evs_claim how, struct evs_ckpt *c,
                                bool resume, struct evs_err *err)
{
    bool totals = s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM;
    evs_buf_reset(&s->sql);
    evs_buf_adds(&s->sql, "BEGIN;");
    if (!resume && (s->fresh || (how == EVS_CLAIM_RESTART && totals)))
        evs_buf_printf(&s->sql, "DELETE FROM %s;", s->table);
    if (!resume && s->fresh)
        evs_buf_printf(&s->sql, "DELETE FROM eventscope_version WHERE target = %s;", s->target_lit);
    evs_buf_printf(&s->sql, "DELETE FROM eventscope_checkpoint WHERE id = %s;", s->id_lit);
    enum evs_rc rc = insert_ckpt(s, c, err);
    return rc ? rc : evs_pg_exec(s, "COMMIT", NULL, err);
}

enum evs_rc evs_pg_claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    struct evs_ckpt now;
    s->epoch = 1; /* from here on the lock is wanted */
    enum evs_rc rc = evs_pg_ready(s, err);
    if (rc)
        return err->code = rc == EVS_RETRY ? EVS_FATAL : rc;
    rc = evs_pg_load(sink, &now, err);
    if (rc)
        return rc;
    s->epoch = now.epoch + 1;
    bool resume = how == EVS_CLAIM_RESUME && now.n;
    if (resume) {
        evs_ckpt_add(&now, c);
        evs_ckpt_done(c);
        evs_ckpt_copy(c, &now);
    }
    c->epoch = s->epoch;
    evs_ckpt_done(&now);
    rc = claim_in_txn(s, how, c, resume, err);
    if (rc)
        PQclear(PQexec(s->c, "ROLLBACK"));
    return rc;
}

/* One statement moves all partitions of my epoch; fewer rows than that: another took over. */
enum evs_rc evs_pg_write_ckpt(struct evs_pg *s, const struct evs_sink_batch *b, struct evs_err *err)
{
    PGresult *r = NULL;
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql, "UPDATE eventscope_checkpoint AS c SET updated_ms = %lld",
                   (long long)evs_clock_wall_ms());
    for (int f = 0; f < EVS_CKPT_FIELDS; f++)
        evs_buf_printf(&s->sql, ", \"%s\" = v.f%d", evs_ckpt_names[f], f);
    evs_buf_adds(&s->sql, " FROM (VALUES ");
    for (size_t i = 0; i < b->n_parts; i++) {
        evs_buf_printf(&s->sql, "%s(%d", i ? "," : "", b->parts[i].partition);
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            evs_buf_printf(&s->sql, ",%lld::bigint", (long long)b->parts[i].n[f]);
        evs_buf_addc(&s->sql, ')');
    }
    evs_buf_adds(&s->sql, ") AS v(p");
    for (int f = 0; f < EVS_CKPT_FIELDS; f++)
        evs_buf_printf(&s->sql, ", f%d", f);
    evs_buf_printf(&s->sql, ") WHERE c.id = %s AND c.\"partition\" = v.p AND c.epoch = %lld",
                   s->id_lit, (long long)s->epoch);
    enum evs_rc rc = evs_pg_exec(s, evs_buf_str(&s->sql), &r, err);
    if (rc)
        return rc;
    struct evs_err ignored = EVS_ERR_INIT;
    int64_t moved = 0;
    bool all =
        !evs_num_i64(PQcmdTuples(r), 0, INT64_MAX, &moved, &ignored) && (size_t)moved == b->n_parts;
    PQclear(r);
    return all ? EVS_OK : evs_sink_fenced(err, s->id);
}

enum evs_rc evs_pg_beat(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    struct evs_ckpt now;
    enum evs_rc rc = evs_pg_load(sink, &now, err);
    if (!rc && now.epoch != s->epoch)
        rc = evs_sink_fenced(err, s->id);
    evs_ckpt_done(&now);
    return rc;
}

void evs_pg_state_sql(struct evs_pg *s, const char *state)
{
    evs_buf_printf(&s->sql,
                   "UPDATE eventscope_checkpoint SET state = '%s', updated_ms = %lld WHERE id = %s"
                   " AND epoch = %lld",
                   state, (long long)evs_clock_wall_ms(), s->id_lit, (long long)s->epoch);
}

enum evs_rc evs_pg_finish(struct evs_sink *sink, const char *state, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    enum evs_rc rc = evs_pg_ready(s, err);
    /* With this commit everything before is on disk, whatever synchronous_commit was. */
    if (!rc)
        rc = evs_pg_exec(s, "SET synchronous_commit = on", NULL, err);
    evs_buf_reset(&s->sql);
    evs_pg_state_sql(s, state);
    return rc ? rc : evs_pg_exec(s, evs_buf_str(&s->sql), NULL, err);
}
