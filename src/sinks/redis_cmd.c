/* redis_cmd.c - commands to Redis and their replies. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "sinks/redis.h"

enum { PUSH_BYTES = 128 << 10, NUMBER = 24, WAIT_MS = 250, LINGER_MS = 700 };

static const struct {
    const char *word, *text;
} hints[] = {
    {"READONLY", "this is a replica: name the primary"},
    {"OOM", "raise maxmemory or make room, then --resume"},
    {"NOPERM", "the user needs +@read +@write +@transaction +@connection, and the keys TARGET,"
               " TARGET:* and eventscope_*"},
    {"NOAUTH", "redis://user:password@host:port/db"},
    {"WRONGTYPE", "a key of the target is of another type: choose another --target"},
    {"MOVED", "a Redis Cluster: rows and checkpoint must be on one node; use a single instance"},
    {"MISCONF", "Redis cannot save to its disk and takes no writes"},
};

enum evs_rc evs_redis_fail(struct evs_redis *s, const redisReply *r, struct evs_err *err)
{
    static const char *const again[] = {"LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "NOREPLICAS"};
    if (s->stopped) {
        s->stopped = false;
        return evs_fail(err, EVS_EOF, "stopped");
    }
    if (!r || s->c->err)
        return evs_fail_native(err, EVS_RETRY, "redis", s->c->err, "%s:%d: %s", s->host, s->port,
                               s->c->errstr[0] ? s->c->errstr : "the connection was lost");
    enum evs_rc rc = EVS_FATAL;
    for (size_t i = 0; i < EVS_COUNT(again); i++)
        if (!strncmp(r->str, again[i], strlen(again[i])))
            rc = EVS_RETRY;
    evs_fail_native(err, rc, "redis", 0, "%s:%d: %s", s->host, s->port, r->str);
    for (size_t i = 0; i < EVS_COUNT(hints); i++)
        if (!strncmp(r->str, hints[i].word, strlen(hints[i].word)))
            return evs_hint(err, "%s", hints[i].text);
    return rc;
}

/* What redisGetReply does, but a stop ends the wait for the answer: what Redis was asked then has
 * LINGER_MS more. The connection is of no use afterwards. */
static int get_reply(struct evs_redis *s, void **got)
{
    int64_t began_us = evs_clock_mono_us(), until_us = 0;
    int failed = redisGetReplyFromReader(s->c, got);
    for (int done = *got != NULL; !failed && !done;)
        failed = redisBufferWrite(s->c, &done);
    while (!failed && !*got) {
        struct pollfd fd = {.fd = s->c->fd, .events = POLLIN};
        int64_t now_us = evs_clock_mono_us();
        if (poll(&fd, 1, WAIT_MS) > 0) {
            failed = redisBufferRead(s->c) || redisGetReplyFromReader(s->c, got);
            continue;
        }
        if (now_us > began_us + EVS_REDIS_ANSWER_S * 1000000LL) {
            snprintf(s->c->errstr, sizeof(s->c->errstr), "no answer for %d s", EVS_REDIS_ANSWER_S);
            return s->c->err = REDIS_ERR_IO;
        }
        if (s->waiting)
            s->waiting(s->ctx);
        if (s->stop && evs_stop_raised(s->stop))
            until_us = until_us ? until_us : now_us + LINGER_MS * 1000;
        s->stopped = until_us && now_us >= until_us;
        if (s->stopped)
            return s->c->err = REDIS_ERR_OTHER;
    }
    return failed;
}

/* What is written so far, on its way: Redis works at it while the next is being put together. */
static int push(struct evs_redis *s)
{
    if (!s->out.len)
        return REDIS_OK;
    int failed = redisAppendFormattedCommand(s->c, s->out.data, s->out.len);
    evs_buf_reset(&s->out);
    for (int done = 0; !failed && !done;)
        failed = redisBufferWrite(s->c, &done);
    return failed;
}

enum evs_rc evs_redis_push(struct evs_redis *s, struct evs_err *err)
{
    return push(s) ? evs_redis_fail(s, NULL, err) : EVS_OK;
}

enum evs_rc evs_redis_reply(struct evs_redis *s, redisReply **ret_r, struct evs_err *err)
{
    void *got = NULL;
    *ret_r = NULL;
    s->pending -= s->pending > 0;
    if (push(s) || get_reply(s, &got) != REDIS_OK || !got)
        return evs_redis_fail(s, NULL, err);
    redisReply *r = got;
    if (r->type == REDIS_REPLY_ERROR) {
        enum evs_rc rc = evs_redis_fail(s, r, err);
        freeReplyObject(r);
        return rc;
    }
    *ret_r = r;
    return EVS_OK;
}

enum evs_rc evs_redis_ask(struct evs_redis *s, redisReply **ret_r, struct evs_err *err,
                          const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int queued = push(s) ? REDIS_ERR : redisvAppendCommand(s->c, fmt, ap);
    va_end(ap);
    redisReply *r = NULL;
    enum evs_rc rc =
        queued == REDIS_OK ? evs_redis_reply(s, &r, err) : evs_redis_fail(s, NULL, err);
    if (ret_r)
        *ret_r = r;
    else if (r)
        freeReplyObject(r);
    return rc;
}

void evs_redis_begin(struct evs_redis *s, const char *name)
{
    s->args.n = 0;
    evs_redis_adds(s, name);
}

static void add(struct evs_redis *s, const void *p, size_t n, bool name)
{
    struct evs_redis_args *a = &s->args;
    if (a->n == a->alloc) {
        a->alloc = a->alloc ? a->alloc * 2 : 64;
        a->v = evs_xgrow(a->v, a->alloc, sizeof(*a->v));
    }
    a->v[a->n++] = (struct evs_redis_arg){p, n, name};
}

void evs_redis_add(struct evs_redis *s, const void *p, size_t n)
{
    add(s, p, n, false);
}

void evs_redis_adds(struct evs_redis *s, const char *text)
{
    add(s, text, strlen(text), false);
}

void evs_redis_add_name(struct evs_redis *s, const void *key, size_t n)
{
    add(s, key, n, true);
}

static char *write_number(char *to, char mark, size_t n)
{
    char digits[NUMBER];
    size_t k = sizeof(digits);
    do
        digits[--k] = (char)('0' + n % 10);
    while (n /= 10);
    *to++ = mark;
    memcpy(to, digits + k, sizeof(digits) - k);
    to += sizeof(digits) - k;
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

static char *write_bytes(char *to, const void *p, size_t n)
{
    if (n)
        memcpy(to, p, n);
    return to + n;
}

/* RESP: *ARGS, and $LENGTH with the bytes for each. */
enum evs_rc evs_redis_send(struct evs_redis *s, struct evs_err *err)
{
    size_t prefix = strlen(s->target), most = NUMBER + 3;
    for (size_t i = 0; i < s->args.n; i++)
        most += s->args.v[i].len + prefix + 1 + NUMBER + 5;
    char *from = evs_buf_room(&s->out, most), *to = from;
    if (!from)
        return evs_fail(err, EVS_FATAL, "a command of more than 2 GiB");
    to = write_number(to, '*', s->args.n);
    for (size_t i = 0; i < s->args.n; i++) {
        const struct evs_redis_arg *a = &s->args.v[i];
        to = write_number(to, '$', a->len + (a->name ? prefix + 1 : 0));
        if (a->name) {
            to = write_bytes(to, s->target, prefix);
            *to++ = ':';
        }
        to = write_bytes(to, a->p, a->len);
        *to++ = '\r';
        *to++ = '\n';
    }
    s->out.len += (size_t)(to - from);
    s->pending++;
    if (s->out.len >= PUSH_BYTES && push(s))
        return evs_redis_fail(s, NULL, err);
    return EVS_OK;
}
