/* pg.h - what the files of the PostgreSQL sink share.
 *
 * A batch is copied into a temporary table of the target's own types and merged from there, with
 * the checkpoint, in one transaction. A session advisory lock says that the id is running: the
 * server drops it with the connection. Values travel as COPY text or parameters, names by
 * PQescapeIdentifier, never pasted.
 *
 * Threads  one; check from any.   Owns  the connection.
 * Errors   by SQLSTATE: 08, 57P, 40 and a lost connection EVS_RETRY; 22, 23 and 54 EVS_POISON with
 *          the row (COPY names the line; a merge is bisected); the rest EVS_FATAL.
 * Source   research/performance-reliability 5.2; PostgreSQL manual, COPY, INSERT ON CONFLICT.
 */
#ifndef EVS_SINKS_PG_H
#define EVS_SINKS_PG_H

#include <libpq-fe.h>

#include "core/buf.h"
#include "sinks/sink.h"

enum { EVS_PG_SQL_CAP = 1 << 22 };

struct evs_pg {
    struct evs_sink base;
    PGconn *c;
    char *target; /* as given */
    char *table;  /* quoted, with its schema */
    char *id, *plan_hash, *topic;
    char *id_lit, *topic_lit, *target_lit; /* quoted literals */
    struct evs_shape view;
    bool write, fresh, take_over, locked, staged, learned;
    bool key_bytes, value_bytes; /* bytea; with cell_bytes set once, before any reader looks */
    bool *cell_bytes;
    int64_t epoch;
    int64_t timeout_ms;
    struct evs_stop *stop;
    void (*waiting)(void *ctx);
    void *ctx;
    bool cancelled;  /* by the stop: what comes back now is its answer */
    bool lock_limit; /* the wait for a lock has our limit, not one of the user's */
    struct evs_buf sql, copy;
};

/* pg.c */
/* The name quoted, schema.table where it has a dot; the caller frees. */
char *evs_pg_table_name(struct evs_pg *s, const char *target);
enum evs_rc evs_pg_fail(struct evs_pg *s, const PGresult *r, const char *what, struct evs_err *err);
/* PQgetResult that a stop ends: what runs then has 0.7 s more before it is cancelled. */
PGresult *evs_pg_result(struct evs_pg *s);
void evs_pg_cancel(struct evs_pg *s);
/* Runs s->sql or text; *ret_r (may be NULL) is the caller's to PQclear. */
enum evs_rc evs_pg_exec(struct evs_pg *s, const char *sql, PGresult **ret_r, struct evs_err *err);
void evs_pg_name(struct evs_pg *s, struct evs_buf *out, const char *name);
/* Connected again if need be, the lock and the staging table too. */
enum evs_rc evs_pg_ready(struct evs_pg *s, struct evs_err *err);
enum evs_rc evs_pg_has_table(struct evs_pg *s, const char *table, bool *ret_has,
                             struct evs_err *err);

/* pg_job.c: tables, checkpoint, epoch */
enum evs_rc evs_pg_prepare(struct evs_sink *sink, struct evs_err *err);
enum evs_rc evs_pg_load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err);
enum evs_rc evs_pg_claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err);
enum evs_rc evs_pg_beat(struct evs_sink *sink, struct evs_err *err);
enum evs_rc evs_pg_finish(struct evs_sink *sink, const char *state, struct evs_err *err);
enum evs_rc evs_pg_stage(struct evs_pg *s, struct evs_err *err);
enum evs_rc evs_pg_write_ckpt(struct evs_pg *s, const struct evs_sink_batch *b,
                              struct evs_err *err);

/* s->sql gets the statement that says the job's state. */
void evs_pg_state_sql(struct evs_pg *s, const char *state);

/* pg_swap.c */
/* The quoted name of the view that a swap replaces; the caller frees. */
char *evs_pg_live(struct evs_pg *s);
/* Whether there is one of the plan's columns, to be made alike; EVS_FATAL when something hangs on
 * it that would stay with the old table. Keeps s->sql. */
enum evs_rc evs_pg_like(struct evs_pg *s, const char *live, bool *ret_is, struct evs_err *err);
enum evs_rc evs_pg_swap(struct evs_sink *sink, const char *target, struct evs_err *err);

/* pg_rows.c */
enum evs_rc evs_pg_check(struct evs_sink *sink, const struct evs_row *row, struct evs_err *err);
enum evs_rc evs_pg_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *ret_d, struct evs_err *err);
/* pg_read.c */
enum evs_rc evs_pg_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                       evs_sink_found *found, void *ctx, struct evs_err *err);
enum evs_rc evs_pg_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                        struct evs_err *err);
/* Another element of an array literal: {"a","b\"c"}; bytea elements as \\x... */
void evs_pg_element(struct evs_buf *out, const void *p, size_t n, bool bytes);
/* pg_try.c */
enum evs_rc evs_pg_try(struct evs_sink *sink, const struct evs_row *rows, size_t n,
                       struct evs_err *err);
enum evs_rc evs_pg_spell(struct evs_sink *sink, const struct evs_row *rows, size_t n,
                         evs_sink_spelled *told, void *ctx, struct evs_err *err);
/* The columns of the target in the order of COPY and of reading. */
void evs_pg_columns(struct evs_pg *s, const char *prefix, struct evs_buf *out);

#endif
