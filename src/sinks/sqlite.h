/* sqlite.h - what the files of the SQLite sink share.
 *
 * Rows live in the table of the view; `eventscope_checkpoint` holds a row per id and partition, and
 * `eventscope_version` what a row cannot tell about itself: the last event of keys that a
 * tombstone took away, and of all keys where the table has only the user's columns.
 *
 * Keys and values that are UTF-8 without NUL are stored as TEXT, others as BLOB: the same bytes
 * are always stored the same way, so they compare.
 *
 * Threads  one.   Owns  the connection, its statements and a descriptor that holds the lock of the
 *          id (an open-file-description lock far behind the bytes that SQLite itself locks).
 * Errors   SQLITE_BUSY after 5 s is EVS_RETRY; too big or a constraint is EVS_POISON; else
 *          EVS_FATAL.
 */
#ifndef EVS_SINKS_SQLITE_H
#define EVS_SINKS_SQLITE_H

#include <sqlite3.h>

#include "core/buf.h"
#include "sinks/sink.h"

enum evs_sqlite_stmt {
    EVS_SQL_PUT,      /* insert or update a row */
    EVS_SQL_DELETE,   /* a row that is older */
    EVS_SQL_HAS,      /* is there a row? */
    EVS_SQL_VERSIONS, /* has the target any version? */
    EVS_SQL_VERSION,  /* one key's */
    EVS_SQL_REMEMBER, /* a version */
    EVS_SQL_FORGET,
    EVS_SQL_CKPT, /* move a partition of my epoch on */
    EVS_SQL_GET,  /* a row by key */
    EVS_SQL_SCAN, /* all rows of the topic */
    EVS_SQL_COUNT
};

struct evs_sqlite {
    struct evs_sink base;
    sqlite3 *db; /* NULL: read-only and the file does not exist */
    char *path, *target, *id, *plan_hash, *topic;
    struct evs_shape view;  /* names borrowed from the spec */
    int64_t epoch, busy_us; /* since when a lock is waited for */
    struct evs_stop *stop;
    void (*waiting)(void *ctx);
    void *ctx;
    int lock_fd;
    bool fresh, take_over;
    bool ours; /* we made the file: rest in rollback-journal mode */
    sqlite3_stmt *stmts[EVS_SQL_COUNT];
};

enum evs_rc evs_sqlite_fail(struct evs_sqlite *s, int code, const char *what, struct evs_err *err);
enum evs_rc evs_sqlite_exec(struct evs_sqlite *s, const char *sql, struct evs_err *err);
/* The statement, prepared at first use and reset. */
/* What eventscope_version knows of a key, as a deleted row; partition -1 where it is another
 * topic's of the same number. */
enum evs_rc evs_sqlite_version(struct evs_sqlite *s, const struct evs_row *key, bool *ret_known,
                               struct evs_row *ret_v, struct evs_err *err);
enum evs_rc evs_sqlite_stmt(struct evs_sqlite *s, enum evs_sqlite_stmt which, sqlite3_stmt **ret,
                            struct evs_err *err);
void evs_sqlite_quote(struct evs_buf *out, const char *name);
/* true: err says which column of the view the table has not. */
bool evs_sqlite_lacks(struct evs_sqlite *s, struct evs_err *err);
bool evs_sqlite_has_table(struct evs_sqlite *s, const char *name);
int evs_sqlite_bind(sqlite3_stmt *st, int at, const void *p, size_t n);

enum evs_rc evs_sqlite_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                             struct evs_sink_done *ret_d, struct evs_err *err);
enum evs_rc evs_sqlite_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                           evs_sink_found *found, void *ctx, struct evs_err *err);
enum evs_rc evs_sqlite_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                            struct evs_err *err);
/* The SQL of a statement. */
void evs_sqlite_sql(struct evs_sqlite *s, enum evs_sqlite_stmt which, struct evs_buf *out);
/* The job's state, of my epoch. */
enum evs_rc evs_sqlite_state(struct evs_sqlite *s, const char *state, struct evs_err *err);

/* sqlite_swap.c */
/* true: the rest of a CREATE TABLE as that of the view which a swap replaces was. */
bool evs_sqlite_like(struct evs_sqlite *s, struct evs_buf *sql);
enum evs_rc evs_sqlite_swap(struct evs_sink *sink, const char *target, struct evs_err *err);
/* evs_add(a, b): exact decimal sum, for ON CONFLICT. */
int evs_sqlite_functions(sqlite3 *db);

#endif
