/* redis.h - what the files of the Redis sink share.
 *
 * A row of `latest` is TARGET:KEY, a string or with columns a hash; a log is a stream
 * TARGET:PARTITION whose ids are the offsets; count and sum are the sorted set TARGET. Beside them
 * stand the hash eventscope_checkpoint:ID, what each key's last event was (redis_version.h) and,
 * because a score is a double, the hash eventscope_sum:TARGET (the exact sums). A batch reads the
 * versions it needs under WATCH, then writes everything in one MULTI: a change by another client
 * in between makes EXEC refuse, and the batch is tried again. Redis Cluster is refused: one MULTI
 * is one node.
 *
 * Threads  one.   Owns  the connection.
 * Errors   a lost connection, LOADING, BUSY are EVS_RETRY; everything else EVS_FATAL. A MULTI that
 *          Redis refuses while queueing is not run at all.
 * Cost     two round trips a batch.   Source  research/performance-reliability 5.2.
 */
#ifndef EVS_SINKS_REDIS_H
#define EVS_SINKS_REDIS_H

#include <hiredis/hiredis.h>

#include "core/buf.h"
#include "sinks/redis_tls.h"
#include "sinks/redis_version.h"
#include "sinks/sink.h"

enum { EVS_REDIS_ANSWER_S = 60 }; /* the longest wait for one */

struct evs_redis_args { /* one command */
    struct evs_redis_arg {
        const void *p;
        size_t len;
        bool name; /* TARGET: comes before it */
    } * v;
    size_t n, alloc;
};

struct evs_redis {
    struct evs_sink base;
    redisContext *c;
    struct evs_redis_tls_opts tls_opts;
    struct evs_redis_tls *tls; /* between c and the server; NULL: plain */
    bool stopped;              /* the wait for an answer was given up */
    void (*waiting)(void *ctx);
    void *ctx;
    char *host, *user, *password;
    int port, db;
    char *target, *ckpt_key, *lock_key, *version_key, *sum_key;
    char *id, *plan_hash;
    struct evs_shape view;
    bool write, fresh, take_over;
    int64_t epoch, timeout_ms;
    struct evs_stop *stop;
    struct evs_redis_args args;
    struct evs_buf text; /* a name or number of the command being built */
    struct evs_buf out;  /* commands not sent yet */
    struct evs_redis_versions versions;
    size_t pending;      /* replies not read yet */
};

/* redis_cmd.c */
enum evs_rc evs_redis_fail(struct evs_redis *s, const redisReply *r, struct evs_err *err);
/* printf-like command of hiredis with one reply; an error reply fails. */
enum evs_rc evs_redis_ask(struct evs_redis *s, redisReply **ret_r, struct evs_err *err,
                          const char *fmt, ...);
/* A command from pieces: begin, add, send. Borrowed until send. */
void evs_redis_begin(struct evs_redis *s, const char *name);
void evs_redis_add(struct evs_redis *s, const void *p, size_t n);
void evs_redis_adds(struct evs_redis *s, const char *text);
void evs_redis_add_name(struct evs_redis *s, const void *key, size_t n); /* TARGET:key */
enum evs_rc evs_redis_send(struct evs_redis *s,
                           struct evs_err *err); /* queued: one pending reply */
enum evs_rc evs_redis_push(struct evs_redis *s, struct evs_err *err); /* what is queued, out */
enum evs_rc evs_redis_reply(struct evs_redis *s, redisReply **ret_r, struct evs_err *err);

/* redis_url.c: host, port, db, user, password and TLS. */
enum evs_rc evs_redis_url(struct evs_redis *s, const char *url, struct evs_err *err);

/* redis.c: the connection, made anew where it was lost. */
enum evs_rc evs_redis_ready(struct evs_redis *s, struct evs_err *err);

/* redis_rows.c */
enum evs_rc evs_redis_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                            struct evs_sink_done *ret_d, struct evs_err *err);
/* The commands that put partitions into the checkpoint's hash, inside MULTI. */
enum evs_rc evs_redis_put_ckpt(struct evs_redis *s, const struct evs_ckpt_part *parts, size_t n,
                               struct evs_err *err);
/* redis_read.c */
enum evs_rc evs_redis_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                          evs_sink_found *found, void *ctx, struct evs_err *err);
enum evs_rc evs_redis_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                           struct evs_err *err);

/* redis_swap.c: everything of this target away; and it in the place of another. */
enum evs_rc evs_redis_drop(struct evs_redis *s, const struct evs_ckpt *c, struct evs_err *err);
enum evs_rc evs_redis_swap(struct evs_sink *sink, const char *target, struct evs_err *err);

#endif
