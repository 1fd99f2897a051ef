/* load.c - a bare bulk load of rows by a store's own client library, to hold a replay against.
 *
 *   load [-s] sqlite PATH | postgres URL | redis URL | redis+version URL | kafka BROKERS/TOPIC
 *
 * Standard input is the folded rows of a view: per row two 32-bit lengths (key, value), the
 * partition as 32 bits, offset and time as 64 bits, then the bytes, all in this machine's order.
 * They are read into memory, with -s also sorted by key, before the clock starts; connecting,
 * creating tables and committing are on the clock. The statements are those a careful person would
 * write: one prepared upsert in transactions of 100,000 rows; COPY into a temporary table and one
 * merge; SET in pipelines of 10,000; produce and flush. Prints {"rows":N,"seconds":S}.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <librdkafka/rdkafka.h>
#ifdef HAVE_SQLITE
#include <sqlite3.h>
#endif
#ifdef HAVE_PQ
#include <libpq-fe.h>
#endif
#ifdef HAVE_HIREDIS
#include <hiredis/hiredis.h>
#endif

enum { TXN_ROWS = 100000, PIPELINE = 10000, COPY_BYTES = 1 << 20 };

struct row {
    const char *key, *value;
    uint32_t key_len, value_len;
    int32_t partition;
    int64_t offset, ts_ms;
};

struct rows {
    struct row *at;
    size_t n;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "load: %s: %s\n", what, why);
    exit(1);
}

static void *must(void *p)
{
    if (!p)
        die("memory", strerror(errno));
    return p;
}

static char *slurp(size_t *ret_len)
{
    size_t len = 0, cap = 1 << 24;
    char *text = must(malloc(cap));

    for (size_t n; (n = fread(text + len, 1, cap - len, stdin)) > 0; len += n)
        if (cap - len - n < cap / 4)
            text = must(realloc(text, cap *= 2));
    *ret_len = len;
    return text;
}

static struct rows rows_read(void)
{
    struct rows rows = {NULL, 0};
    size_t len, cap = 0;
    char *text = slurp(&len);

    for (size_t at = 0; at + 28 <= len;) {
        if (rows.n == cap)
            rows.at = must(realloc(rows.at, (cap = cap ? cap * 2 : 1 << 16) * sizeof(*rows.at)));
        struct row *r = &rows.at[rows.n++];
        memcpy(&r->key_len, text + at, 4);
        memcpy(&r->value_len, text + at + 4, 4);
        memcpy(&r->partition, text + at + 8, 4);
        memcpy(&r->offset, text + at + 12, 8);
        memcpy(&r->ts_ms, text + at + 20, 8);
        r->key = text + at + 28;
        r->value = r->key + r->key_len;
        at += 28 + (size_t)r->key_len + r->value_len;
        if (at > len)
            die("rows", "the last one is cut off");
    }
    return rows;
}

static int by_key(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = memcmp(x->key, y->key, n);

    return order ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

/* --- SQLite ---------------------------------------------------------------------------------- */
#ifdef HAVE_SQLITE
static void sqlite_run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL))
        die(sql, sqlite3_errmsg(db));
}

static void load_sqlite(const char *path, const struct rows *rows)
{
    sqlite3 *db;
    sqlite3_stmt *put;
    static const char upsert[] =
        "INSERT INTO v VALUES(?1,?2,'t',?3,?4,?5) ON CONFLICT(\"key\") DO UPDATE SET"
        " value = excluded.value, topic = excluded.topic, \"partition\" = excluded.\"partition\","
        " \"offset\" = excluded.\"offset\", ts = excluded.ts"
        " WHERE excluded.\"offset\" > v.\"offset\"";
    if (sqlite3_open(path, &db))
        die(path, sqlite3_errmsg(db));
    sqlite_run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
                   "CREATE TABLE v(\"key\" PRIMARY KEY NOT NULL, value, topic TEXT, \"partition\""
                   " INTEGER, \"offset\" INTEGER, ts INTEGER) WITHOUT ROWID; BEGIN IMMEDIATE");
    if (sqlite3_prepare_v2(db, upsert, -1, &put, NULL))
        die(upsert, sqlite3_errmsg(db));
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->at[i];
        sqlite3_bind_text(put, 1, r->key, (int)r->key_len, SQLITE_STATIC);
        sqlite3_bind_text(put, 2, r->value, (int)r->value_len, SQLITE_STATIC);
        sqlite3_bind_int(put, 3, r->partition);
        sqlite3_bind_int64(put, 4, r->offset);
        sqlite3_bind_int64(put, 5, r->ts_ms);
        if (sqlite3_step(put) != SQLITE_DONE)
            die("upsert", sqlite3_errmsg(db));
        sqlite3_reset(put);
        if (i % TXN_ROWS == TXN_ROWS - 1)
            sqlite_run(db, "COMMIT; BEGIN IMMEDIATE");
    }
    sqlite_run(db, "COMMIT");
    sqlite3_finalize(put);
    sqlite_run(db, "PRAGMA journal_mode=DELETE"); /* as eventscope leaves a file that it made */
    sqlite3_close(db);
}
#endif

/* --- PostgreSQL ------------------------------------------------------------------------------ */
#ifdef HAVE_PQ
static void pg_run(PGconn *c, const char *sql, ExecStatusType wanted)
{
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != wanted)
        die(sql, PQerrorMessage(c));
    PQclear(r);
}

/* COPY's text format: four characters have an escape. */
static size_t copy_text(char *to, const char *from, size_t n)
{
    static const char special[] = "\\\n\r\t", escape[] = "\\nrt";
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        const char *found = from[i] ? strchr(special, from[i]) : NULL;
        if (found)
            to[k++] = '\\';
        to[k++] = found ? escape[found - special] : from[i];
    }
    return k;
}

static void pg_copy(PGconn *c, const struct rows *rows)
{
    size_t len = 0, cap = 0;
    char *text = NULL;

    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->at[i];
        size_t room = 2 * ((size_t)r->key_len + r->value_len) + 100;
        if (cap - len < room)
            text = must(realloc(text, cap = 2 * (cap + room)));
        len += copy_text(text + len, r->key, r->key_len);
        len += (size_t)snprintf(text + len, 80, "\tt\t%d\t%lld\t%lld\t", (int)r->partition,
                                (long long)r->offset, (long long)r->ts_ms);
        len += copy_text(text + len, r->value, r->value_len);
        text[len++] = '\n';
        if (len < COPY_BYTES && i + 1 < rows->n)
            continue;
        if (PQputCopyData(c, text, (int)len) != 1)
            die("COPY", PQerrorMessage(c));
        len = 0;
    }
    free(text);
}

static void load_pg(const char *url, const struct rows *rows)
{
    PGconn *c = PQconnectdb(url);

    if (PQstatus(c) != CONNECTION_OK)
        die(url, PQerrorMessage(c));
    pg_run(c, "SET synchronous_commit = off; DROP TABLE IF EXISTS bare;"
              "CREATE TABLE bare(\"key\" text PRIMARY KEY, topic text, \"partition\" int,"
              " \"offset\" bigint, ts bigint, value text);"
              "CREATE TEMP TABLE stage(LIKE bare); BEGIN", PGRES_COMMAND_OK);
    pg_run(c, "COPY stage FROM STDIN", PGRES_COPY_IN);
    pg_copy(c, rows);
    if (PQputCopyEnd(c, NULL) != 1)
        die("COPY", PQerrorMessage(c));
    PQclear(PQgetResult(c));
    PQclear(PQgetResult(c));
    pg_run(c, "INSERT INTO bare SELECT * FROM stage ON CONFLICT (\"key\") DO UPDATE SET"
              " topic = excluded.topic, \"partition\" = excluded.\"partition\","
              " \"offset\" = excluded.\"offset\", ts = excluded.ts, value = excluded.value"
              " WHERE excluded.\"offset\" > bare.\"offset\"", PGRES_COMMAND_OK);
    pg_run(c, "COMMIT; SET synchronous_commit = on; BEGIN; COMMIT", PGRES_COMMAND_OK);
    PQfinish(c);
}
#endif

/* --- Redis ----------------------------------------------------------------------------------- */
#ifdef HAVE_HIREDIS
static void replies(redisContext *c, size_t n)
{
    for (void *r; n > 0; n--) {
        if (redisGetReply(c, &r) || ((redisReply *)r)->type == REDIS_REPLY_ERROR)
            die("reply", c->errstr);
        freeReplyObject(r);
    }
}

static void add(redisContext *c, const char *name, const char *key, size_t key_len, const char *b,
                size_t b_len, const char *d, size_t d_len)
{
    const char *v[] = {name, key, b, d};
    size_t len[] = {strlen(name), key_len, b_len, d_len};
    redisAppendCommandArgv(c, d ? 4 : 3, v, len);
}

/* versions: also what any sink must keep that never lets an older event follow a newer one */
static void load_redis(const char *url, const struct rows *rows, bool versions)
{
    char host[64] = "127.0.0.1", key[4096], version[80];
    int port = 6379, db = 0;
    size_t pending = 0;

    sscanf(url, "redis://%63[^:/]:%d/%d", host, &port, &db);
    redisContext *c = redisConnect(host, port);
    if (!c || c->err)
        die(url, c ? c->errstr : "memory");
    freeReplyObject(redisCommand(c, "SELECT %d", db));
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->at[i];
        int n = snprintf(key, sizeof(key), "bare:%.*s", (int)r->key_len, r->key);
        add(c, "SET", key, (size_t)n, r->value, r->value_len, NULL, 0);
        pending++;
        if (versions) {
            n = snprintf(version, sizeof(version), "%d %lld %lld", (int)r->partition,
                         (long long)r->offset, (long long)r->ts_ms);
            add(c, "HSET", "bare_version", 12, r->key, r->key_len, version, (size_t)n);
            pending++;
        }
        if (pending < PIPELINE && i + 1 < rows->n)
            continue;
        replies(c, pending);
        pending = 0;
    }
    redisFree(c);
}
#endif

/* --- Kafka ----------------------------------------------------------------------------------- */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (m->err)
        die("delivery", rd_kafka_err2str(m->err));
}

static rd_kafka_t *producer(const char *brokers)
{
    /* eventscope's own, but for the transaction */
    const char *const set[][2] = {
        {"bootstrap.servers", brokers},
        {"enable.idempotence", "true"},
        {"linger.ms", "20"},
        {"queue.buffering.max.messages", "500000"},
        {"compression.codec", "lz4"},
        {"message.max.bytes", "100000000"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
        if (rd_kafka_conf_set(conf, set[i][0], set[i][1], why, sizeof(why)))
            die(set[i][0], why);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    return rk ? rk : (die("producer", why), NULL);
}

static void load_kafka(char *where, const struct rows *rows)
{
    char *topic = strchr(where, '/'), source[80];

    if (!topic)
        die(where, "BROKERS/TOPIC is wanted");
    *topic++ = 0;
    rd_kafka_t *rk = producer(where);
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->at[i];
        int n = snprintf(source, sizeof(source), "%d %lld %lld", (int)r->partition,
                         (long long)r->offset, (long long)r->ts_ms);
        while (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
                                 RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_KEY((void *)(uintptr_t)r->key, r->key_len),
                                 RD_KAFKA_V_VALUE((void *)(uintptr_t)r->value, r->value_len),
                                 RD_KAFKA_V_TIMESTAMP(r->ts_ms),
                                 RD_KAFKA_V_HEADER("eventscope.source", source, n), RD_KAFKA_V_END))
            rd_kafka_poll(rk, 50);
    }
    if (rd_kafka_flush(rk, 120000))
        die(topic, "rows were still unsent after 120 s");
    rd_kafka_destroy(rk);
}

static bool load(const char *how, char *where, const struct rows *rows)
{
    if (!strcmp(how, "kafka"))
        return load_kafka(where, rows), true;
#ifdef HAVE_SQLITE
    if (!strcmp(how, "sqlite"))
        return load_sqlite(where, rows), true;
#endif
#ifdef HAVE_PQ
    if (!strcmp(how, "postgres"))
        return load_pg(where, rows), true;
#endif
#ifdef HAVE_HIREDIS
    if (!strncmp(how, "redis", 5))
        return load_redis(where, rows, how[5] == '+'), true;
#endif
    return false;
}

int main(int argc, char **argv)
{
    struct timespec from, to;

    bool sorted = argc == 4 && !strcmp(argv[1], "-s");
    if (argc != 3 + sorted)
        die("usage", "load [-s] sqlite|postgres|redis|redis+version|kafka WHERE < ROWS");
    argv += sorted;
    struct rows rows = rows_read();
    if (sorted)
        qsort(rows.at, rows.n, sizeof(*rows.at), by_key);
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (!load(argv[1], argv[2], &rows))
        die(argv[1], "not in this build");
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("{\"rows\":%zu,\"seconds\":%.3f}\n", rows.n,
           (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    return 0;
}
