#include "sinks/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "sinks/all.h"

enum { SQL_CAP = 1 << 20, BUSY_MS = 5000, BUSY_STEP_MS = 20 };

enum evs_rc evs_sqlite_fail(struct evs_sqlite *s, int code, const char *what, struct evs_err *err)
{
    enum evs_rc rc = EVS_FATAL;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: rc = EVS_RETRY; break;
    case SQLITE_CANTOPEN:
        if (s->db && sqlite3_system_errno(s->db))
            return evs_fail_native(err, EVS_FATAL, "sqlite", code, "%s: cannot be opened: %s", what,
                                   strerror(sqlite3_system_errno(s->db)));
        break;
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT: rc = EVS_POISON; break;
    default: break;
    }
    return evs_fail_native(err, rc, "sqlite", code, "%s: %s", what,
                           s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
}

enum evs_rc evs_sqlite_exec(struct evs_sqlite *s, const char *sql, struct evs_err *err)
{
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code ? evs_sqlite_fail(s, code, s->path, err) : EVS_OK;
}

enum evs_rc evs_sqlite_stmt(struct evs_sqlite *s, enum evs_sqlite_stmt which, sqlite3_stmt **ret,
                            struct evs_err *err)
{
    if (!s->stmts[which]) {
        EVS_AUTO(evs_buf) struct evs_buf sql = EVS_BUF_INIT(SQL_CAP);
        evs_sqlite_sql(s, which, &sql);
        int code = sqlite3_prepare_v3(s->db, evs_buf_str(&sql), -1, SQLITE_PREPARE_PERSISTENT,
                                      &s->stmts[which], NULL);
        if (code && !evs_sqlite_lacks(s, err))
            evs_sqlite_fail(s, code, s->target, err);
        if (code)
            return err->code;
    }
    sqlite3_reset(s->stmts[which]);
    *ret = s->stmts[which];
    return EVS_OK;
}

void evs_sqlite_quote(struct evs_buf *out, const char *name)
{
    evs_buf_addc(out, '"');
    for (; *name; name++) {
        if (*name == '"')
            evs_buf_addc(out, '"');
        evs_buf_addc(out, *name);
    }
    evs_buf_addc(out, '"');
}

bool evs_sqlite_has_table(struct evs_sqlite *s, const char *name)
{
    sqlite3_stmt *st = NULL;
    bool has = false;
    if (!s->db || sqlite3_prepare_v2(s->db,
                                     "SELECT 1 FROM sqlite_master WHERE type IN ('table','view')"
                                     " AND name = ?1 COLLATE NOCASE",
                                     -1, &st, NULL))
        return false;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    has = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_finalize(st);
    return has;
}

static void close_db(struct evs_sink *sink)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    for (int i = 0; i < EVS_SQL_COUNT; i++)
        sqlite3_finalize(s->stmts[i]);
    if (s->db && s->ours)
        sqlite3_exec(s->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd); /* after sqlite3_close: closing drops this process's locks on the file */
    evs_free(s->path);
    evs_free(s->target);
    evs_free(s->id);
    evs_free(s->plan_hash);
    evs_free(s->topic);
    evs_free(s);
}

/* In place of sqlite3_busy_timeout, which no stop would end. */
static int busy(void *ctx, int times)
{
    struct evs_sqlite *s = ctx;
    int64_t now_us = evs_clock_mono_us();
    s->busy_us = times ? s->busy_us : now_us;
    if (now_us - s->busy_us >= (int64_t)BUSY_MS * 1000)
        return 0;
    if (s->waiting)
        s->waiting(s->ctx);
    if (s->stop)
        return !evs_stop_wait(s->stop, BUSY_STEP_MS);
    poll(NULL, 0, BUSY_STEP_MS);
    return 1;
}

static enum evs_rc open_file(struct evs_sqlite *s, bool write, struct evs_err *err)
{
    bool there = access(s->path, F_OK) == 0;
    if (!there && !write)
        return EVS_OK;
    int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int code = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code)
        return evs_sqlite_fail(s, code, s->path, err);
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_handler(s->db, busy, s);
    if (!there && strcmp(s->path, ":memory:"))
        s->ours = true;
    /* The first access tells a file that is no database. */
    enum evs_rc rc =
        evs_sqlite_exec(s, "PRAGMA cache_size=-65536; SELECT 1 FROM sqlite_master", err);
    if (!rc && s->ours)
        rc = evs_sqlite_exec(s,
                             "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                             "PRAGMA wal_autocheckpoint=16384",
                             err);
    code = rc ? 0 : evs_sqlite_functions(s->db);
    return code ? evs_sqlite_fail(s, code, s->path, err) : rc;
}

static enum evs_rc open_sqlite(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                               struct evs_err *err)
{
    const char *path = evs_sink_rest(spec->url);
    if (!strncmp(path, "//", 2))
        path += 2; /* sqlite:///abs as other tools write it */
    enum evs_rc rc = evs_sink_check_name("the path of the sink", path, 4000, err);
    if (!rc)
        rc = evs_sink_check_name("target", spec->view->target, 200, err);
    if (rc)
        return rc;
    struct evs_sqlite *s = evs_xcalloc(1, sizeof(*s));
    s->base.ops = &evs_sink_sqlite;
    s->lock_fd = -1;
    s->path = evs_xstrdup(path);
    s->target = evs_xstrdup(spec->view->target);
    s->id = evs_xstrdup(spec->id);
    s->plan_hash = evs_xstrdup(spec->plan_hash);
    s->topic = evs_xstrdup(spec->view->topic);
    s->view = *spec->view;
    s->fresh = spec->fresh;
    s->take_over = spec->take_over;
    s->stop = spec->stop;
    s->waiting = spec->waiting;
    s->ctx = spec->ctx;
    rc = open_file(s, spec->write, err);
    if (rc) {
        close_db(&s->base);
        return rc;
    }
    *ret_s = &s->base;
    return EVS_OK;
}

static enum evs_rc info(struct evs_sink *sink, struct evs_sink_info *ret_i, struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    *ret_i = (struct evs_sink_info){.rows = 0};
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(sizeof(ret_i->text) - 1);
    evs_buf_printf(&text, "SQLite %s", sqlite3_libversion());
    memcpy(ret_i->text, evs_buf_str(&text), text.len + 1);
    ret_i->exists = evs_sqlite_has_table(s, s->target);
    if (!ret_i->exists)
        return EVS_OK;
    EVS_AUTO(evs_buf) struct evs_buf sql = EVS_BUF_INIT(SQL_CAP);
    evs_buf_adds(&sql, "SELECT count(*) FROM ");
    evs_sqlite_quote(&sql, s->target);
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(s->db, evs_buf_str(&sql), -1, &st, NULL);
    if (code)
        return evs_sqlite_fail(s, code, s->target, err);
    if (sqlite3_step(st) == SQLITE_ROW)
        ret_i->rows = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return EVS_OK;
}

static void columns_sql(const struct evs_sqlite *s, struct evs_buf *sql)
{
    for (size_t i = 0; i < s->view.n_columns; i++) {
        evs_buf_adds(sql, ", ");
        evs_sqlite_quote(sql, s->view.columns[i].name);
        if (s->view.columns[i].type)
            evs_buf_printf(sql, " %s", s->view.columns[i].type);
    }
}

static void table_sql(struct evs_sqlite *s, struct evs_buf *sql)
{
    evs_buf_adds(sql, "CREATE TABLE IF NOT EXISTS ");
    evs_sqlite_quote(sql, s->target);
    if (s->fresh && evs_sqlite_like(s, sql))
        return;
    bool columns = s->view.n_columns > 0;
    switch (s->view.mode) {
    case EVS_VIEW_LATEST:
        evs_buf_adds(sql, " (\"key\" PRIMARY KEY NOT NULL");
        columns_sql(s, sql);
        evs_buf_adds(sql, columns
                              ? ") WITHOUT ROWID;"
                              : ", value, topic TEXT, \"partition\" INTEGER, \"offset\" INTEGER,"
                                " ts INTEGER) WITHOUT ROWID;");
        break;
    case EVS_VIEW_LOG:
        evs_buf_adds(sql, " (topic TEXT NOT NULL, \"partition\" INTEGER NOT NULL,"
                          " \"offset\" INTEGER NOT NULL, ts INTEGER, \"key\"");
        columns_sql(s, sql);
        evs_buf_printf(sql, "%s, PRIMARY KEY(topic, \"partition\", \"offset\")) WITHOUT ROWID;",
                       columns ? "" : ", value, headers TEXT");
        break;
    case EVS_VIEW_COUNT:
        evs_buf_adds(sql, " (\"key\" PRIMARY KEY NOT NULL, \"count\" INTEGER NOT NULL)"
                          " WITHOUT ROWID;");
        break;
    case EVS_VIEW_SUM:
        evs_buf_adds(sql, " (\"key\" PRIMARY KEY NOT NULL, \"sum\") WITHOUT ROWID;");
        break;
    }
}

static enum evs_rc prepare(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    EVS_AUTO(evs_buf) struct evs_buf sql = EVS_BUF_INIT(SQL_CAP);
    evs_buf_adds(&sql, "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS eventscope_checkpoint"
                       " (id TEXT NOT NULL, \"partition\" INTEGER NOT NULL, plan_hash TEXT,"
                       " topic TEXT, state TEXT, epoch INTEGER, updated_ms INTEGER");
    for (int i = 0; i < EVS_CKPT_FIELDS; i++)
        evs_buf_printf(&sql, ", \"%s\" INTEGER NOT NULL DEFAULT 0", evs_ckpt_names[i]);
    evs_buf_adds(&sql, ", PRIMARY KEY(id, \"partition\")) WITHOUT ROWID;"
                       "CREATE TABLE IF NOT EXISTS eventscope_version (target TEXT NOT NULL,"
                       " \"key\" NOT NULL, topic TEXT, \"partition\" INTEGER, \"offset\" INTEGER,"
                       " ts INTEGER, PRIMARY KEY(target, \"key\")) WITHOUT ROWID;");
    table_sql(s, &sql);
    evs_buf_adds(&sql, "COMMIT");
    enum evs_rc rc = evs_sqlite_exec(s, evs_buf_str(&sql), err);
    if (rc)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_stmt *st;
    if (!rc) /* a table of other columns says so now, not in the middle */
        rc = evs_sqlite_stmt(s, EVS_SQL_PUT, &st, err);
    if (rc)
        err->code = rc = rc == EVS_RETRY ? rc : EVS_FATAL;
    return rc;
}

static enum evs_rc load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    memset(ret_c, 0, sizeof(*ret_c));
    if (!evs_sqlite_has_table(s, "eventscope_checkpoint"))
        return EVS_OK;
    EVS_AUTO(evs_buf) struct evs_buf sql = EVS_BUF_INIT(SQL_CAP);
    evs_buf_adds(&sql, "SELECT \"partition\", plan_hash, topic, state, epoch, updated_ms");
    for (int i = 0; i < EVS_CKPT_FIELDS; i++)
        evs_buf_printf(&sql, ", \"%s\"", evs_ckpt_names[i]);
    evs_buf_adds(&sql, " FROM eventscope_checkpoint WHERE id = ?1");
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(s->db, evs_buf_str(&sql), -1, &st, NULL);
    if (code)
        return evs_sqlite_fail(s, code, "eventscope_checkpoint", err);
    sqlite3_bind_text(st, 1, s->id, -1, SQLITE_STATIC);
    for (code = sqlite3_step(st); code == SQLITE_ROW; code = sqlite3_step(st)) {
        struct evs_ckpt_part *p = evs_ckpt_part(ret_c, sqlite3_column_int(st, 0));
        char **texts[] = {&ret_c->plan_hash, &ret_c->topic, &ret_c->state};
        for (int i = 0; i < 3; i++) {
            const char *text = (const char *)sqlite3_column_text(st, 1 + i);
            evs_ckpt_text(texts[i], text ? text : "", text ? strlen(text) : 0);
        }
        ret_c->epoch = sqlite3_column_int64(st, 4);
        ret_c->updated_ms = sqlite3_column_int64(st, 5);
        for (int i = 0; i < EVS_CKPT_FIELDS; i++)
            p->n[i] = sqlite3_column_int64(st, 6 + i);
    }
    sqlite3_finalize(st);
    evs_ckpt_text(&ret_c->id, s->id, strlen(s->id));
    return code == SQLITE_DONE ? EVS_OK : evs_sqlite_fail(s, code, "eventscope_checkpoint", err);
}

/* One byte of the file's far end stands for the id; the kernel drops the lock with the process. */
static enum evs_rc take_lock(struct evs_sqlite *s, struct evs_err *err)
{
    if (s->lock_fd >= 0 || s->take_over || !strcmp(s->path, ":memory:"))
        return EVS_OK;
    int fd = open(s->path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return evs_fail_errno(err, errno, "%s", s->path);
    uint32_t h = 2166136261u;
    for (const char *p = s->id; *p; p++)
        h = (h ^ (uint8_t)*p) * 16777619u;
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    range.l_start = ((off_t)1 << 42) + (off_t)h;
    s->lock_fd = fd; /* kept even when refused: closing it now would drop SQLite's locks */
    if (fcntl(fd, F_OFD_SETLK, &range) == 0)
        return EVS_OK;
    return errno == EAGAIN || errno == EACCES ? evs_sink_alive(err, s->id)
                                              : evs_fail_errno(err, errno, "lock %s", s->path);
}

static enum evs_rc write_claim(struct evs_sqlite *s, const struct evs_ckpt *c, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf sql = EVS_BUF_INIT(SQL_CAP);
    evs_buf_adds(&sql, "INSERT INTO eventscope_checkpoint(id, \"partition\", plan_hash, topic,"
                       " state, epoch, updated_ms");
    for (int i = 0; i < EVS_CKPT_FIELDS; i++)
        evs_buf_printf(&sql, ", \"%s\"", evs_ckpt_names[i]);
    evs_buf_adds(&sql, ") VALUES(?1,?2,?3,?4,'running',?5,?6");
    for (int i = 0; i < EVS_CKPT_FIELDS; i++)
        evs_buf_printf(&sql, ",?%d", 7 + i);
    evs_buf_adds(&sql, ")");
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(s->db, evs_buf_str(&sql), -1, &st, NULL);
    for (size_t i = 0; !code && i < c->n; i++) {
        sqlite3_bind_text(st, 1, s->id, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 2, c->parts[i].partition);
        sqlite3_bind_text(st, 3, s->plan_hash, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 4, s->topic, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 5, s->epoch);
        sqlite3_bind_int64(st, 6, evs_clock_wall_ms());
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            sqlite3_bind_int64(st, 7 + f, c->parts[i].n[f]);
        code = sqlite3_step(st) == SQLITE_DONE ? 0 : sqlite3_extended_errcode(s->db);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return code ? evs_sqlite_fail(s, code, "eventscope_checkpoint", err) : EVS_OK;
}

static enum evs_rc delete_all(struct evs_sqlite *s, const char *from, const char *column,
                              const char *value, struct evs_err *err)
{
    char *sql = column ? sqlite3_mprintf("DELETE FROM \"%w\" WHERE %s = %Q", from, column, value)
                       : sqlite3_mprintf("DELETE FROM \"%w\"", from);
    enum evs_rc rc = evs_sqlite_exec(s, sql, err);
    sqlite3_free(sql);
    return rc;
}

static enum evs_rc claim_in_txn(struct evs_sqlite *s, enum evs_claim how, struct evs_ckpt *c,
                                struct evs_err *err)
{
    struct evs_ckpt now;
    enum evs_rc rc = load(&s->base, &now, err);
    s->epoch = now.epoch + 1;
    bool counted = s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM;
    bool resume = how == EVS_CLAIM_RESUME && now.n;
    if (!rc && !resume && (s->fresh || (how == EVS_CLAIM_RESTART && counted)))
        rc = delete_all(s, s->target, NULL, NULL, err);
    if (!rc && !resume && s->fresh)
        rc = delete_all(s, "eventscope_version", "target", s->target, err);
    if (!rc)
        rc = delete_all(s, "eventscope_checkpoint", "id", s->id, err);
    if (resume) {
        evs_ckpt_add(&now, c);
        evs_ckpt_done(c);
        *c = now;
    } else {
        evs_ckpt_done(&now);
    }
    c->epoch = s->epoch;
    return rc ? rc : write_claim(s, c, err);
}

static enum evs_rc claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err)
{
    struct evs_sqlite *s = (struct evs_sqlite *)sink;
    enum evs_rc rc = take_lock(s, err);
    if (!rc)
        rc = evs_sqlite_exec(s, "BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    rc = claim_in_txn(s, how, c, err);
    if (!rc)
        rc = evs_sqlite_exec(s, "COMMIT", err);
    if (rc)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

enum evs_rc evs_sqlite_state(struct evs_sqlite *s, const char *state, struct evs_err *err)
{
    char *sql = sqlite3_mprintf("UPDATE eventscope_checkpoint SET state = %Q, updated_ms = %lld"
                                " WHERE id = %Q AND epoch = %lld",
                                state, (long long)evs_clock_wall_ms(), s->id, (long long)s->epoch);
    enum evs_rc rc = evs_sqlite_exec(s, sql, err);
    sqlite3_free(sql);
    if (!rc && sqlite3_changes(s->db) == 0)
        rc = evs_sink_fenced(err, s->id);
    return rc;
}

static enum evs_rc finish(struct evs_sink *sink, const char *state, struct evs_err *err)
{
    return evs_sqlite_state((struct evs_sqlite *)sink, state, err);
}

static enum evs_rc beat(struct evs_sink *sink, struct evs_err *err)
{
    const struct evs_sqlite *s = (const struct evs_sqlite *)sink;
    return evs_sink_beat(sink, s->epoch, s->id, err);
}

const struct evs_sink_ops evs_sink_sqlite = {
    .name = "sqlite",
    .help = "a table of an SQLite file",
    .url = "sqlite:PATH",
    .schemes = "sqlite:",
    .caps = EVS_SINK_TXN | EVS_SINK_CKPT | EVS_SINK_READ | EVS_SINK_SWAP | EVS_SINK_TARGET |
            EVS_SINK_SORTED,
    .shared = EVS_SINK_ALL_VIEWS,
    .open = open_sqlite,
    .info = info,
    .prepare = prepare,
    .load = load,
    .claim = claim,
    .apply = evs_sqlite_apply,
    .beat = beat,
    .finish = finish,
    .get = evs_sqlite_get,
    .scan = evs_sqlite_scan,
    .swap = evs_sqlite_swap,
    .close = close_db,
};
