#include "sinks/pg.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "sinks/all.h"

enum { WAIT_MS = 250, LINGER_MS = 700 };

/* --- errors ---------------------------------------------------------------------------------- */
static enum evs_rc class_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum evs_rc rc;
    } classes[] = {
        {"08", EVS_RETRY},    {"57P", EVS_RETRY},   {"40", EVS_RETRY},
        {"55P03", EVS_RETRY}, {"22", EVS_POISON},   {"23", EVS_POISON},
        {"54", EVS_POISON},   {"P0001", EVS_POISON}}; /* a trigger's RAISE: its word on a row */
    for (size_t i = 0; state && i < EVS_COUNT(classes); i++)
        if (!strncmp(state, classes[i].prefix, strlen(classes[i].prefix)))
            return classes[i].rc;
    return EVS_FATAL;
}

static const struct {
    const char *state, *text;
} hints[] = {
    {"42501", "the user needs CREATE in the schema, or SELECT, INSERT, UPDATE, DELETE on the view,"
              " eventscope_checkpoint and eventscope_version"},
    {"42P10", "the view's table needs a primary key or a unique index: on \"key\" alone, or for a"
              " log on topic, \"partition\", \"offset\""},
    {"53100", "make room on the server's disk, then --resume"},
    {"57014", "the server's statement_timeout ended it: smaller transactions with --batch N, or"
              " options=-cstatement_timeout=0 in the URL; then --resume"},
};

static void first_line(struct evs_buf *out, const char *text)
{
    static const char *const leads[] = {"ERROR:  ", "FATAL:  "};
    for (size_t i = 0; i < EVS_COUNT(leads); i++)
        if (!strncmp(text, leads[i], strlen(leads[i])))
            text += strlen(leads[i]);
    evs_buf_add(out, text, strcspn(text, "\n"));
}

enum evs_rc evs_pg_fail(struct evs_pg *s, const PGresult *r, const char *what, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(400);
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool lost = PQstatus(s->c) != CONNECTION_OK;
    first_line(&text, primary && !lost ? primary : PQerrorMessage(s->c));
    enum evs_rc rc = lost ? EVS_RETRY : class_of(state);
    evs_fail_native(err, rc, "pg", 0, "%s: %s%s%s%s", what,
                    text.len ? evs_buf_str(&text) : "the connection was lost", state ? " (" : "",
                    state ? state : "", state ? ")" : "");
    if (s->cancelled && state && !strcmp(state, "57014")) {
        s->cancelled = false;
        return evs_fail(err, EVS_EOF, "stopped");
    }
    for (size_t i = 0; state && i < EVS_COUNT(hints); i++)
        if (!strcmp(state, hints[i].state))
            evs_hint(err, "%s", hints[i].text);
    return rc;
}

void evs_pg_cancel(struct evs_pg *s)
{
    char ignored[256];
    PGcancel *c = PQgetCancel(s->c);
    s->cancelled = c && PQcancel(c, ignored, sizeof(ignored));
    PQfreeCancel(c);
}

PGresult *evs_pg_result(struct evs_pg *s)
{
    int64_t told_us = evs_clock_mono_us(), until_us = 0;
    while (PQisBusy(s->c)) {
        struct pollfd fd = {.fd = PQsocket(s->c), .events = POLLIN};
        if (poll(&fd, 1, WAIT_MS) > 0 && !PQconsumeInput(s->c))
            break; /* PQgetResult will tell */
        int64_t now_us = evs_clock_mono_us();
        if (s->waiting && now_us - told_us >= (int64_t)WAIT_MS * 1000) {
            told_us = now_us;
            s->waiting(s->ctx);
        }
        if (!s->stop || s->cancelled || !evs_stop_raised(s->stop))
            continue;
        until_us = until_us ? until_us : now_us + (int64_t)LINGER_MS * 1000;
        if (now_us >= until_us)
            evs_pg_cancel(s);
    }
    return PQgetResult(s->c);
}

/* As PQexec: the last of several statements, or the one that failed. */
static PGresult *run(struct evs_pg *s, const char *sql)
{
    PGresult *last = NULL;
    s->cancelled = false;
    bool more = PQsendQuery(s->c, sql);
    while (more) {
        PGresult *r = evs_pg_result(s);
        if (!r)
            break;
        PQclear(last);
        last = r;
        more = PQresultStatus(r) != PGRES_COPY_IN && PQstatus(s->c) == CONNECTION_OK;
    }
    return last;
}

enum evs_rc evs_pg_exec(struct evs_pg *s, const char *sql, PGresult **ret_r, struct evs_err *err)
{
    PGresult *r = run(s, sql);
    ExecStatusType st = PQresultStatus(r);
    enum evs_rc rc = EVS_OK;
    if (st != PGRES_COMMAND_OK && st != PGRES_TUPLES_OK && st != PGRES_COPY_IN)
        rc = evs_pg_fail(s, r, s->target, err);
    if (ret_r && !rc)
        *ret_r = r;
    else
        PQclear(r);
    return rc;
}

void evs_pg_name(struct evs_pg *s, struct evs_buf *out, const char *name)
{
    char *quoted = PQescapeIdentifier(s->c, name, strlen(name));
    evs_buf_adds(out, quoted ? quoted : "\"\""); /* NULL only for text of a broken encoding */
    PQfreemem(quoted);
}

static char *literal(struct evs_pg *s, const char *text)
{
    char *quoted = PQescapeLiteral(s->c, text, strlen(text));
    char *copy = evs_xstrdup(quoted ? quoted : "''");
    PQfreemem(quoted);
    return copy;
}

/* --- connection ------------------------------------------------------------------------------ */
static void ignore_notice(void *ctx, const char *text)
{
    (void)ctx;
    (void)text; /* "relation exists, skipping" is no news */
}

static enum evs_rc session(struct evs_pg *s, struct evs_err *err)
{
    PQsetNoticeProcessor(s->c, ignore_notice, NULL);
    enum evs_rc rc = evs_pg_exec(s,
                                 "SET client_encoding = 'UTF8';"
                                 "SET standard_conforming_strings = on;"
                                 "SET DateStyle = 'ISO'; SET bytea_output = 'hex';"
                                 "SET synchronous_commit = off", /* the tail is lost whole */
                                 NULL, err);
    if (!rc && !s->write)
        rc = evs_pg_exec(s, "SET default_transaction_read_only = on", NULL, err);
    if (!rc && s->write) /* one that sleeps in the middle must not hold its locks for ever */
        rc = evs_pg_exec(s, "SET idle_in_transaction_session_timeout = '20s'", NULL, err);
    PGresult *r = NULL; /* a lock that is never given must not hold us for ever */
    if (!rc)
        rc = evs_pg_exec(s,
                         "SELECT set_config('lock_timeout', '60s', false) WHERE"
                         " current_setting('lock_timeout') = '0'",
                         &r, err);
    s->lock_limit = !rc && PQntuples(r) == 1;
    PQclear(r);
    if (!rc && PQserverVersion(s->c) >= 140000) /* a killed client's merge ends, its lock goes */
        rc = evs_pg_exec(s, "SET client_connection_check_interval = '200ms'", NULL, err);
    return rc;
}

static enum evs_rc lock_id(struct evs_pg *s, struct evs_err *err)
{
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql, "SELECT pg_try_advisory_lock(hashtextextended('eventscope ' || %s, 0))",
                   s->id_lit);
    for (int tries = 0; tries < 8; tries++) {
        PGresult *r = NULL;
        enum evs_rc rc = evs_pg_exec(s, evs_buf_str(&s->sql), &r, err);
        if (rc)
            return rc;
        s->locked = PQgetvalue(r, 0, 0)[0] == 't';
        PQclear(r);
        if (s->locked)
            return EVS_OK;
        if (s->stop && evs_stop_wait(s->stop, 100)) /* a killed one's session may be ending */
            break;
    }
    return evs_sink_alive(err, s->id);
}

enum evs_rc evs_pg_ready(struct evs_pg *s, struct evs_err *err)
{
    if (PQstatus(s->c) != CONNECTION_OK) {
        s->locked = s->staged = false;
        PQreset(s->c);
        if (PQstatus(s->c) != CONNECTION_OK)
            return evs_pg_fail(s, NULL, "connection", err);
        enum evs_rc rc = session(s, err);
        if (rc)
            return rc;
    }
    if (PQtransactionStatus(s->c) != PQTRANS_IDLE)
        PQclear(PQexec(s->c, "ROLLBACK"));
    if (!s->write || s->take_over || s->locked || !s->epoch)
        return EVS_OK;
    enum evs_rc rc = lock_id(s, err);
    if (rc == EVS_FATAL) /* ours of before, perhaps: the epoch tells */
        return err->code = EVS_RETRY;
    return rc;
}

/* schema.table or table */
char *evs_pg_table_name(struct evs_pg *s, const char *target)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(1024);
    const char *dot = strchr(target, '.');
    if (dot) {
        char *schema = evs_xstrndup(target, (size_t)(dot - target));
        evs_pg_name(s, &out, schema);
        evs_buf_addc(&out, '.');
        evs_free(schema);
    }
    evs_pg_name(s, &out, dot ? dot + 1 : target);
    return evs_buf_steal(&out);
}

static void close_pg(struct evs_sink *sink)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    PQfinish(s->c);
    evs_buf_done(&s->sql);
    evs_buf_done(&s->copy);
    char *texts[] = {s->target, s->table,  s->id,        s->plan_hash,
                     s->topic,  s->id_lit, s->topic_lit, s->target_lit};
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        evs_free(texts[i]);
    evs_free(s->cell_bytes);
    evs_free(s);
}

/* A wrong URI's message would repeat the URI, and its password. */
static enum evs_rc check_url(const char *url, struct evs_err *err)
{
    char *text = NULL;
    PQconninfoOption *parsed = PQconninfoParse(url, &text);
    bool ok = parsed != NULL;
    PQconninfoFree(parsed);
    PQfreemem(text);
    if (ok)
        return EVS_OK;
    char *masked = evs_sink_mask(url);
    evs_fail(err, EVS_INVALID, "%s is no PostgreSQL URI", masked);
    evs_free(masked);
    return evs_hint(err, "postgresql://user@host:5432/database; the password from PGPASSFILE");
}

static enum evs_rc connect_pg(struct evs_pg *s, const char *url, struct evs_err *err)
{
    char timeout[24];
    snprintf(timeout, sizeof(timeout), "%lld", (long long)(s->timeout_ms / 1000 + 2));
    const char *names[] = {"dbname",          "connect_timeout",  "fallback_application_name",
                           "keepalives_idle", "tcp_user_timeout", NULL};
    const char *values[] = {url, timeout, "eventscope", "30", "30000", NULL};
    s->c = PQconnectdbParams(names, values, 1);
    if (PQstatus(s->c) != CONNECTION_OK) {
        evs_pg_fail(s, NULL, "cannot connect", err);
        return err->code = EVS_FATAL;
    }
    return session(s, err);
}

static enum evs_rc open_pg(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                           struct evs_err *err)
{
    enum evs_rc rc = check_url(spec->url, err);
    if (!rc)
        rc = evs_sink_check_name("target", spec->view->target, 63, err); /* NAMEDATALEN */
    if (rc)
        return rc;
    struct evs_pg *s = evs_xcalloc(1, sizeof(*s));
    s->base.ops = &evs_sink_postgresql;
    s->view = *spec->view;
    s->write = spec->write;
    s->fresh = spec->fresh;
    s->take_over = spec->take_over;
    s->timeout_ms = spec->timeout_ms;
    s->stop = spec->stop;
    s->waiting = spec->waiting;
    s->ctx = spec->ctx;
    s->target = evs_xstrdup(spec->view->target);
    s->id = evs_xstrdup(spec->id);
    s->plan_hash = evs_xstrdup(spec->plan_hash);
    s->topic = evs_xstrdup(spec->view->topic);
    s->cell_bytes = evs_xcalloc(s->view.n_columns + 1, sizeof(*s->cell_bytes));
    s->sql = (struct evs_buf)EVS_BUF_INIT(EVS_PG_SQL_CAP);
    s->copy = (struct evs_buf)EVS_BUF_INIT((size_t)1 << 31);
    rc = connect_pg(s, spec->url, err);
    if (rc) {
        close_pg(&s->base);
        return rc;
    }
    s->table = evs_pg_table_name(s, s->target);
    s->id_lit = literal(s, s->id);
    s->topic_lit = literal(s, s->topic);
    s->target_lit = literal(s, s->target);
    *ret_s = &s->base;
    return EVS_OK;
}

enum evs_rc evs_pg_has_table(struct evs_pg *s, const char *table, bool *ret_has,
                             struct evs_err *err)
{
    const char *values[] = {table};
    PGresult *r =
        PQexecParams(s->c, "SELECT to_regclass($1) IS NOT NULL", 1, NULL, values, NULL, NULL, 0);
    enum evs_rc rc = EVS_OK;
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        rc = evs_pg_fail(s, r, table, err);
    else
        *ret_has = PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    return rc;
}

static enum evs_rc info(struct evs_sink *sink, struct evs_sink_info *ret_i, struct evs_err *err)
{
    struct evs_pg *s = (struct evs_pg *)sink;
    *ret_i = (struct evs_sink_info){.rows = 0};
    const char *version = PQparameterStatus(s->c, "server_version");
    snprintf(ret_i->text, sizeof(ret_i->text), "PostgreSQL %.*s",
             version ? (int)strcspn(version, " ") : 1, version ? version : "?");
    enum evs_rc rc = evs_pg_has_table(s, s->table, &ret_i->exists, err);
    if (rc || !ret_i->exists)
        return rc;
    PGresult *r = NULL;
    evs_buf_reset(&s->sql);
    evs_buf_printf(&s->sql, "SELECT count(*) FROM %s", s->table);
    rc = evs_pg_exec(s, evs_buf_str(&s->sql), &r, err);
    if (rc)
        return rc;
    long long rows = -1;
    sscanf(PQgetvalue(r, 0, 0), "%lld", &rows);
    ret_i->rows = rows;
    PQclear(r);
    return EVS_OK;
}

const struct evs_sink_ops evs_sink_postgresql = {
    .name = "postgresql",
    .help = "a table of a PostgreSQL database",
    .url = "postgresql://user@host:port/database",
    .schemes = "postgresql:|postgres:",
    .caps = EVS_SINK_TXN | EVS_SINK_CKPT | EVS_SINK_READ | EVS_SINK_SWAP | EVS_SINK_TARGET |
            EVS_SINK_SORTED,
    .shared = EVS_SINK_ALL_VIEWS,
    .open = open_pg,
    .check = evs_pg_check,
    .try_rows = evs_pg_try,
    .spell = evs_pg_spell,
    .info = info,
    .prepare = evs_pg_prepare,
    .load = evs_pg_load,
    .claim = evs_pg_claim,
    .apply = evs_pg_apply,
    .beat = evs_pg_beat,
    .finish = evs_pg_finish,
    .get = evs_pg_get,
    .scan = evs_pg_scan,
    .swap = evs_pg_swap,
    .close = close_pg,
};
